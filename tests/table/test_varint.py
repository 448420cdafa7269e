from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpersist.errors import DataLossError, InternalError
from gpersist.table import decode_varint32, decode_varint64, encode_varint


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"),
        (1, "01"),
        (127, "7f"),
        (128, "8001"),
        (300, "ac02"),
        (16384, "808001"),
        (2**32 - 1, "ffffffff0f"),
        (2**63, "80808080808080808001"),
        (2**64 - 1, "ffffffffffffffffff01"),
    ],
)
def test_known(value: int, encoded: str) -> None:
    data = bytes.fromhex(encoded)
    assert encode_varint(value) == data
    assert decode_varint64(data, 0, len(data), "f") == (value, len(data))
    if value < 2**32:
        assert decode_varint32(data, 0, len(data), "f") == (value, len(data))


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_round_trip_of_several(values: list[int]) -> None:
    data = b"".join(map(encode_varint, values))
    position, decoded = 0, []
    while position < len(data):
        value, position = decode_varint64(memoryview(data), position, len(data), "f")
        decoded.append(value)
    assert decoded == values


@pytest.mark.parametrize("encoded", ["", "80", "ffffffff", "8080808080"])
def test_cut_off(encoded: str) -> None:
    data = bytes.fromhex(encoded)
    with pytest.raises(DataLossError, match=rf"'f': varint at byte 0 of it runs past byte {len(data)};"):
        decode_varint64(data + b"\x01", 0, len(data), "'f'")


def test_too_many_bits() -> None:
    for encoded in ("ffffffff10", "8080808080"):
        with pytest.raises(DataLossError, match="varint at byte 1 of it: expected at most 32 bits, found more"):
            decode_varint32(b"\0" + bytes.fromhex(encoded) + b"\0", 1, 7, "f")
    for encoded in ("ffffffffffffffffff02", "8080808080808080808000"):
        with pytest.raises(DataLossError, match="expected at most 64 bits, found more"):
            decode_varint64(bytes.fromhex(encoded), 0, len(encoded) // 2, "f")


@pytest.mark.parametrize("value", [-1, 2**64])
def test_encode_outside_of_64_bits(value: int) -> None:
    with pytest.raises(InternalError):
        encode_varint(value)
