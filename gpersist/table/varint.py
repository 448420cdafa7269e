"""Base-128 integers, as LevelDB and Protocol Buffers write them.

varint   := byte*     seven bits each, the lowest first; the high bit is set in every byte but the last
varint32              at most 5 bytes
varint64              at most 10 bytes
"""

from __future__ import annotations

from gpersist.errors import InternalError
from gpersist.table.damage import damaged

Buffer = bytes | bytearray | memoryview

_ONE_BYTE = [bytes([value]) for value in range(128)]


def encode_varint(value: int) -> bytes:
    """Encodes an integer of at most 64 bits; one that fits in 32 is a varint32 too.

    Raises:
        InternalError: the value is negative or needs more than 64 bits.
    """
    if 0 <= value < 128:
        return _ONE_BYTE[value]
    if not 0 <= value < 1 << 64:
        raise InternalError(f"varint: {value} is outside 0..2**64-1")
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def decode_varint32(data: Buffer, position: int, end: int, where: str) -> tuple[int, int]:
    """Decodes the varint of at most 32 bits that starts at `position`.

    Args:
        data: what it lies in.
        position: its first byte.
        end: the byte that it must not reach; at most `len(data)`.
        where: file and block, for the error.

    Returns:
        The value, and the position after it.

    Raises:
        DataLossError: it runs past `end`, or its value needs more bits.
    """
    return _decode(data, position, end, where, 32)


def decode_varint64(data: Buffer, position: int, end: int, where: str) -> tuple[int, int]:
    """Decodes the varint of at most 64 bits that starts at `position`; see `decode_varint32`."""
    return _decode(data, position, end, where, 64)


def _decode(data: Buffer, position: int, end: int, where: str, bits: int) -> tuple[int, int]:
    value = 0
    start = position
    for shift in range(0, bits, 7):
        if position >= end:
            raise damaged(where, f"varint at byte {start} of it runs past byte {end}")
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            if value >> bits:
                break
            return value, position
    raise damaged(where, f"varint at byte {start} of it: expected at most {bits} bits, found more")
