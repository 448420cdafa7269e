"""Variant tensors in a bundle's data file, such as the state of a tf.data iterator: no array holds them, but their bytes can be checked.

    tensor   := variant*                   the elements in row-major order
    variant  := varint64(n) byte{n} crc    a serialised VariantTensorDataProto
    crc      := uint32                     masked crc32c of all that comes before it

The crcs, that of the tensor's entry too, cover the lengths as uint64 (not their varints), the bytes, and the crcs between them. Source: TensorFlow
`tensor_bundle.cc` (`WriteVariantTensor`, `ReadVariantTensor`).
"""

from __future__ import annotations

import struct

from gpersist.errors import DataLossError
from gpersist.table import crc32c, decode_varint64, unmask

Buffer = bytes | bytearray | memoryview

_CRC = struct.Struct("<I")
_LENGTH = struct.Struct("<Q")


def check(buffer: Buffer, count: int, crc: int, where: str) -> None:
    """Holds a variant tensor against its checksums.

    Args:
        buffer: all of its bytes, no more.
        count: how many elements it has.
        crc: crc32c from its entry, unmasked.
        where: tensor, file and offset, for messages.

    Raises:
        DataLossError: a length does not fit in the buffer, bytes are left over, or a checksum does not match.
    """
    data = memoryview(buffer)
    at = found = 0
    for number in range(count):
        length, at = decode_varint64(data, at, len(data), where)
        end = at + length
        if end + _CRC.size > len(data):
            raise _damaged(where, f"variant {number} takes bytes {at} to {end + _CRC.size}, of {len(data)}")
        found = crc32c(data[at:end], crc32c(_LENGTH.pack(length), found))
        at = end + _CRC.size
        if found != unmask(_CRC.unpack(data[end:at])[0]):
            raise _damaged(where, f"crc32c of variant {number} does not match")
        found = crc32c(data[end:at], found)
    if at != len(data):
        raise _damaged(where, f"variants take {at} bytes, found {len(data)}")
    if found != crc:
        raise _damaged(where, f"crc32c: expected {crc:#010x}, found {found:#010x}")


def _damaged(where: str, what: str) -> DataLossError:
    return DataLossError(f"{where}: {what}; the file is damaged: copy it again or restore another checkpoint")
