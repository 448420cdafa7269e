"""String tensors in a bundle's data file, and string arrays in memory.

    tensor    := lengths checksum bytes
    lengths   := varint64*      of every element, in row-major order
    checksum  := uint32         masked crc32c of the lengths, each as a uint32, or as a uint64 where it does not fit
    bytes     := byte*          the elements, one after the other

The crc of the tensor's entry covers the lengths as integers (not their varints), the checksum, and the bytes. Source: TensorFlow
`tensor_bundle.cc` (`WriteStringTensor`, `ReadStringTensor`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpersist.errors import DataLossError, InvalidArgumentError
from gpersist.shapes import Shape, element_count
from gpersist.table import crc32c, decode_varint64, encode_varint, mask, unmask

Buffer = bytes | bytearray | memoryview

_CHECKSUM = struct.Struct("<I")
_MAX_UINT32 = 2**32 - 1


def elements(array: NDArray[Any], what: str) -> list[bytes]:
    """The elements of a string array in row-major order, text as UTF-8.

    Args:
        array: of dtype object, with bytes and str as elements; of NumPy's bytes or text dtypes, or its StringDType.
        what: whose array it is, for messages.

    Raises:
        InvalidArgumentError: an element is something else, or text that UTF-8 cannot hold.
    """
    items = array.ravel().tolist()
    if array.dtype.kind == "S":
        return items
    for number, item in enumerate(items):
        if isinstance(item, str):
            try:
                items[number] = item.encode()
            except UnicodeEncodeError as error:
                raise InvalidArgumentError(f"{what}: element {_index(number, array.shape)} is no UTF-8 text: {error}; give its bytes") from None
        elif not isinstance(item, bytes):
            found = f"element {_index(number, array.shape)} is of type {type(item).__name__}"
            raise InvalidArgumentError(f"{what}: {found}; expected bytes or str in an array of dtype {array.dtype}")
    return items


def encode(array: NDArray[Any], what: str) -> tuple[bytes, int]:
    """Encodes a string array.

    Args:
        array: see `elements`.
        what: whose array it is, for messages.

    Returns:
        The bytes for the data file, and the crc32c for the entry, not yet masked.

    Raises:
        InvalidArgumentError: see `elements`.
    """
    items = elements(array, what)
    lengths = list(map(len, items))
    crc = _crc_of_lengths(lengths)
    checksum = _CHECKSUM.pack(mask(crc))
    varints = bytes(lengths) if max(lengths, default=0) < 128 else b"".join(map(encode_varint, lengths))
    content = b"".join(items)
    return b"".join([varints, checksum, content]), crc32c(content, crc32c(checksum, crc))


def decode(buffer: Buffer, shape: Shape, crc: int, where: str) -> NDArray[np.object_]:
    """Decodes a string tensor.

    Args:
        buffer: all of its bytes, no more.
        shape: from its entry.
        crc: crc32c from its entry, unmasked.
        where: tensor, file and offset, for messages.

    Returns:
        An array of dtype object whose elements are bytes.

    Raises:
        DataLossError: a length does not fit in the buffer, bytes are left over, or a checksum does not match.
        InvalidArgumentError: the shape makes no sense.
    """
    count = element_count(shape, where)
    data = memoryview(buffer)
    if count + _CHECKSUM.size > len(data):  # a length takes a byte or more: nothing is allocated for elements that cannot be there
        raise _damaged(where, f"{count} strings need at least {count + _CHECKSUM.size} bytes, found {len(data)}")
    lengths, at = _decode_lengths(data, count, where)
    expected_size = at + _CHECKSUM.size + sum(lengths)
    if expected_size != len(data):
        raise _damaged(where, f"strings and their lengths take {expected_size} bytes, found {len(data)}")
    checksum = data[at : at + _CHECKSUM.size]
    found = _crc_of_lengths(lengths)
    expected = unmask(_CHECKSUM.unpack(checksum)[0])
    if found != expected:
        raise _damaged(where, f"crc32c of the strings' lengths: expected {expected:#010x}, found {found:#010x}")
    at += _CHECKSUM.size
    found = crc32c(data[at:], crc32c(checksum, found))
    if found != crc:
        raise _damaged(where, f"crc32c: expected {crc:#010x}, found {found:#010x}")
    array = np.empty(count, object)
    for number, length in enumerate(lengths):
        array[number] = bytes(data[at : at + length])
        at += length
    return array.reshape(shape)


def _crc_of_lengths(lengths: list[int]) -> int:
    if max(lengths, default=0) <= _MAX_UINT32:
        return crc32c(np.array(lengths, "<u4"))
    return crc32c(b"".join(struct.pack("<I" if length <= _MAX_UINT32 else "<Q", length) for length in lengths))


def _decode_lengths(data: memoryview, count: int, where: str) -> tuple[list[int], int]:
    first = bytes(data[:count])
    if max(first, default=0) < 128:
        return list(first), count
    lengths, at = [], 0
    for _ in range(count):
        length, at = decode_varint64(data, at, len(data), where)
        lengths.append(length)
    return lengths, at


def _index(number: int, shape: Iterable[int]) -> list[int]:
    return [int(i) for i in np.unravel_index(number, tuple(shape))]


def _damaged(where: str, what: str) -> DataLossError:
    return DataLossError(f"{where}: {what}; the file is damaged: copy it again or restore another checkpoint")
