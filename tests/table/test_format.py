from __future__ import annotations

import pytest

from gpersist.errors import DataLossError, NotACheckpointError
from gpersist.table import BlockHandle
from gpersist.table.format import Footer, block_trailer, read_block

from .tables import block, footer, golden, handle, sealed


def test_footer_of_tensorflow() -> None:
    table = golden("one.index")
    decoded = Footer.decode(table[-48:], len(table), "x.index")
    assert decoded.encode() == table[-48:]
    assert decoded.index_handle.end == len(table) - 48
    assert decoded.metaindex_handle.end == decoded.index_handle.offset


def test_handle() -> None:
    assert BlockHandle(300, 5).encode() == handle(300, 5) == b"\xac\x02\x05"
    assert BlockHandle.decode(b"..\xac\x02\x05.", 2, 6, "f") == (BlockHandle(300, 5), 5)
    assert BlockHandle(300, 5).end == 310
    with pytest.raises(DataLossError, match="runs past byte 4"):
        BlockHandle.decode(b"..\xac\x02\x05.", 2, 4, "f")


def test_another_kind_of_file() -> None:
    text = b"<!DOCTYPE html>".ljust(100)
    message = r"'a.index' is not a TensorFlow table: magic number at byte 92 expected 0xdb4775248b80fb57, found 0x2020202020202020; "
    with pytest.raises(NotACheckpointError, match=message):
        Footer.decode(text[-48:], len(text), "a.index")
    with pytest.raises(NotACheckpointError, match=r"'a.index' is not a TensorFlow table: expected at least 48 bytes, found 7"):
        Footer.decode(b"7 bytes", 7, "a.index")


def test_footer_without_handles() -> None:
    data = footer(b"\xff" * 40, b"")
    with pytest.raises(DataLossError, match=r"'a.index': footer at byte 52: varint at byte 0 of it: expected at most 64 bits"):
        Footer.decode(data, 100, "a.index")


def read(data: bytes) -> bytes:
    return read_block(lambda offset, size: data[offset : offset + size], BlockHandle(3, len(data) - 8), "'f': block at byte 3")


def test_block_round_trip() -> None:
    contents = block(b"", 0)
    assert sealed(contents) == contents + block_trailer(contents)
    assert read(b"..." + sealed(contents)) == contents


def test_snappy_block() -> None:
    assert read(b"..." + sealed(b"\x08\x0cabcd\x01\x04", compression=1)) == b"abcdabcd"


def test_damaged_block() -> None:
    good = b"..." + sealed(b"abc")
    for position in range(3, len(good)):
        bad = bytearray(good)
        bad[position] ^= 0x10
        with pytest.raises(
            DataLossError, match=r"'f': block at byte 3: crc32c of 3 bytes expected 0x[0-9a-f]{8}, found 0x[0-9a-f]{8}; the file is damaged"
        ):
            read(bytes(bad))


def test_unknown_compression() -> None:
    with pytest.raises(DataLossError, match=r"compression expected 0 \(none\) or 1 \(snappy\), found 2"):
        read(b"..." + sealed(b"abc", compression=2))


def test_file_that_shrank() -> None:
    data = sealed(b"abc")
    with pytest.raises(DataLossError, match="expected 9 bytes and a trailer of 5, found 8 and 0"):
        read_block(lambda offset, size: data[offset : offset + size], BlockHandle(0, 9), "f")
