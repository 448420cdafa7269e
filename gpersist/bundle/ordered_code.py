"""Keys of slices: a tensor's name and a slice, in a code whose order as bytes is the order of what it tells.

    key      := 00 string rank (start length){rank}
    string   := (byte | 00 FF | FF 00)* 00 01      00 is written 00 FF and FF is written FF 00; 00 01 ends it
    rank     := count big-endian{count}            no leading zeros; zero is the single byte 00
    start    := signed, length := signed           a whole dimension is 0, -1
    signed   := n bytes, big-endian, two's complement, with the n highest bits flipped; n is the least that leaves a sign bit

No tensor's own key in a bundle starts with 00. Source: TensorFlow `saved_tensor_slice_util.cc` (`EncodeTensorNameSlice`), `ordered_code.cc`.
"""

from __future__ import annotations

import re

from gpersist.bundle.slices import TensorSlice
from gpersist.errors import DataLossError, InvalidArgumentError
from gpersist.shapes import MAX_RANK

_TO_ESCAPE = re.compile(rb"[\x00\xff]")
_ESCAPED = re.compile(rb"\x00\xff|\xff\x00")
_STRING = re.compile(rb"((?:[^\x00\xff]++|\x00\xff|\xff\x00)*+)\x00\x01")


def encode_slice_key(name: str, part: TensorSlice) -> bytes:
    """The table key of a slice of a tensor; bytes of a name that are no UTF-8 stand in it as surrogate escapes."""
    escaped = _TO_ESCAPE.sub(lambda found: b"\x00\xff" if found[0] == b"\x00" else b"\xff\x00", name.encode("utf-8", "surrogateescape"))
    rank = bytes([1, part.rank]) if part.rank else b"\x00"  # a rank fits in a byte: MAX_RANK
    return b"".join([b"\x00", escaped, b"\x00\x01", rank, *(_encode_signed(number) for extent in part.extents for number in extent)])


def decode_slice_key(key: bytes, where: str) -> tuple[str, TensorSlice]:
    """The name and the slice of a key; `where` names the file, for messages.

    Raises:
        DataLossError: not what `encode_slice_key` makes.
    """
    string = _STRING.match(key, 1)
    try:
        if string is None or key[:1] != b"\x00":
            raise IndexError
        name = _ESCAPED.sub(lambda found: found[0][:1], string[1]).decode("utf-8", "surrogateescape")
        at, rank = string.end() + 1, 0
        if key[at - 1]:
            at, rank = at + 1, key[at]
        numbers = []
        for _ in range(2 * min(rank, MAX_RANK)):
            number, at = _decode_signed(key, at)
            numbers.append(number)
        part = TensorSlice(tuple(zip(numbers[::2], numbers[1::2], strict=True)))
    except (IndexError, InvalidArgumentError):
        pass
    else:
        if encode_slice_key(name, part) == key:  # so nothing trails, and every number is in its one form
            return name, part
    raise DataLossError(f"{where}: key {key[:80]!r} of {len(key)} bytes is not that of a slice; the file is damaged")


def _encode_signed(number: int) -> bytes:
    magnitude_bits = (number if number >= 0 else ~number).bit_length()
    size = magnitude_bits // 7 + 1
    flipped = ((1 << size) - 1) << (7 * size)
    return ((number ^ flipped) % (1 << 8 * size)).to_bytes(size, "big")


def _decode_signed(key: bytes, at: int) -> tuple[int, int]:
    sign = 0 if key[at] & 0x80 else 0xFF  # of the byte to be tested: flipped back, a run of ones tells the size
    size = 8 - (~(key[at] ^ sign) & 0xFF).bit_length()
    if size == 8:
        size += 8 - (~(key[at + 1] ^ sign) & 0xFF).bit_length()
    flipped = ((1 << size) - 1) << (7 * size)
    code = int.from_bytes(key[at : at + size], "big") ^ flipped
    return code - (1 << 8 * size if sign else 0), at + size
