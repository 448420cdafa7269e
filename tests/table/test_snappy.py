from __future__ import annotations

import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpersist.errors import DataLossError
from gpersist.table import encode_varint
from gpersist.table.snappy import decompress

from .tables import golden


def vectors() -> list[tuple[bytes, bytes]]:
    data, chunks = golden("snappy_vectors.bin"), []
    while data:
        (size,) = struct.unpack_from("<I", data)
        chunks.append(data[4 : 4 + size])
        data = data[4 + size :]
    return list(zip(chunks[::2], chunks[1::2], strict=True))


VECTORS = vectors()


@pytest.mark.parametrize(("plain", "compressed"), VECTORS)
def test_golden(plain: bytes, compressed: bytes) -> None:
    assert decompress(compressed, len(plain), "f") == plain


@pytest.mark.parametrize(
    ("elements", "plain"),
    [
        ("0c" + "61626364" + "0104", b"abcdabcd"),  # literal; copy of 4, 11-bit offset
        ("0c" + "61626364" + "1e0300", b"abcd" + b"bcdbcdbc"),  # copy of 8 from 3 back, 2-byte offset: runs into itself
        ("0c" + "61626364" + "1f04000000", b"abcd" + b"abcdabcd"),  # 4-byte offset
        ("f003" + "61626364", b"abcd"),  # literal, length in one byte
        ("f40300" + "61626364", b"abcd"),
        ("f8030000" + "61626364", b"abcd"),
        ("fc03000000" + "61626364", b"abcd"),
    ],
)
def test_each_kind_of_element(elements: str, plain: bytes) -> None:
    assert decompress(encode_varint(len(plain)) + bytes.fromhex(elements), 100, "f") == plain


@pytest.mark.parametrize(
    ("block", "what"),
    [
        ("", "varint at byte 0"),
        ("8080808010", "more"),
        ("01", "expected 1 bytes, as declared, found 0"),
        ("0400" + "61", "expected 4 bytes, as declared, found 1"),
        ("0104" + "6161", "found more"),
        ("0408" + "6161", "literal of 3 bytes at byte 2 of it; expected at most 2"),
        ("04f0", "cut off"),
        ("04fcffffff7f", "literal of 2147483648 bytes"),
        ("0401", "cut off"),
        ("0404616101", "cut off"),
        ("050061" + "0102", "copy from 2 bytes back before byte 5 of it; expected 1 to 1"),
        ("050061" + "0100", "copy from 0 bytes back"),
        ("050061" + "0301000080", "copy from 2147483649 bytes back"),
        ("04" + "04616105010501", "found more"),
    ],
)
def test_broken(block: str, what: str) -> None:
    with pytest.raises(DataLossError, match=f"'f': .*{what}"):
        decompress(bytes.fromhex(block), 1000, "'f'")


def test_declared_sizes_are_not_believed() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(DataLossError, match="5 bytes declare 4294967295; expected at most 110"):
            decompress(encode_varint(2**32 - 1), 2**40, "f")
        with pytest.raises(DataLossError, match="expected at most 100"):
            decompress(encode_varint(101) + bytes(300), 100, "f")
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@given(st.data())
def test_mutated(data: st.DataObject) -> None:
    compressed = bytearray(data.draw(st.sampled_from([c for _, c in VECTORS])))
    for _ in range(data.draw(st.integers(1, 4))):
        compressed[data.draw(st.integers(0, len(compressed) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert len(decompress(bytes(compressed), 10_000, "f")) <= 10_000
    except DataLossError:
        pass
