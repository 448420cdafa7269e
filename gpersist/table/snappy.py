"""Decompression of snappy blocks, which older and foreign writers put into tables; gpersist writes none.

    block   := size: varint32  element*          size is that of the decompressed bytes
    element := tag: uint8 ...                    by the tag's two lowest bits:
      0 literal   length - 1 in the upper six bits if below 60, else in 1 to 4 bytes (60 to 63) after the tag; then the bytes
      1 copy      length - 4 in 3 bits, offset in the upper 3 bits and one byte
      2 copy      length - 1 in 6 bits, offset in 2 bytes
      3 copy      length - 1 in 6 bits, offset in 4 bytes

A copy repeats `length` bytes that start `offset` bytes back, and may run into itself. (snappy, `format_description.txt`)
"""

from __future__ import annotations

from gpersist.table.damage import damaged
from gpersist.table.varint import Buffer, decode_varint32

_MAX_EXPANSION = 22  # no element makes more of its bytes than a copy of 64 bytes out of 3


def decompress(data: Buffer, limit_bytes: int, where: str) -> bytes:
    """Decompresses a block.

    Args:
        data: the whole compressed block.
        limit_bytes: the most that it may decompress to.
        where: file and block, for the error.

    Raises:
        DataLossError: the block is not snappy's, or declares more than the limit or than its bytes can make.
    """
    end = len(data)
    size, position = decode_varint32(data, 0, end, where)
    if size > min(limit_bytes, _MAX_EXPANSION * end):
        raise damaged(where, f"snappy: {end} bytes declare {size}; expected at most {min(limit_bytes, _MAX_EXPANSION * end)}")
    out = bytearray()
    while position < end:
        tag = data[position]
        position += 1
        kind, length = tag & 3, (tag >> 2) + 1
        operand = length - 60 if kind == 0 and length > 60 else (0, 1, 2, 4)[kind]
        after = position + operand
        if after > end:
            raise damaged(where, f"snappy: element before byte {position} of it is cut off")
        number = int.from_bytes(data[position:after], "little")
        if kind == 0:
            if operand:
                length = number + 1
            position = after + length
            if position > end:
                raise damaged(where, f"snappy: literal of {length} bytes at byte {after} of it; expected at most {end - after}")
            out += data[after:position]
        else:
            if kind == 1:
                length, number = 4 + (tag >> 2 & 7), (tag >> 5) << 8 | number
            position = after
            if not 0 < number <= len(out):
                raise damaged(where, f"snappy: copy from {number} bytes back before byte {position} of it; expected 1 to {len(out)}")
            start = len(out) - number
            pattern = out[start : start + length]
            out += pattern if number >= length else (pattern * (length // number + 1))[:length]
        if len(out) > size:
            break
    if len(out) != size:
        raise damaged(where, f"snappy: expected {size} bytes, as declared, found {'more' if len(out) > size else len(out)}")
    return bytes(out)
