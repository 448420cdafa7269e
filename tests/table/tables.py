"""Tables for the tests: the golden ones, and ones put together by hand, which `TableBuilder` would refuse to write."""

from __future__ import annotations

import gzip
import pathlib
import struct

from gpersist.table import TableReader, crc32c, encode_varint, mask

Entries = list[tuple[bytes, bytes]]

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "table"


def golden(name: str) -> bytes:
    contents = (GOLDEN / name).read_bytes()
    return gzip.decompress(contents) if name.endswith(".gz") else contents


def read_all(table: bytes) -> Entries:
    return list(TableReader.from_bytes(table, "t.index").items())


def entry(shared: int, delta: bytes, value: bytes = b"") -> bytes:
    return encode_varint(shared) + encode_varint(len(delta)) + encode_varint(len(value)) + delta + value


def block(entries: bytes, *restarts: int, count: int | None = None) -> bytes:
    return entries + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts) if count is None else count)


def handle(offset: int, size: int) -> bytes:
    return encode_varint(offset) + encode_varint(size)


def sealed(contents: bytes, compression: int = 0) -> bytes:
    return contents + struct.pack("<BI", compression, mask(crc32c(contents + bytes([compression]))))


def footer(metaindex: bytes, index: bytes) -> bytes:
    return (metaindex + index).ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")


def table(data: bytes, index: bytes, *, compression: int = 0) -> bytes:
    """A table of sealed data blocks, and the contents of an index block."""
    metaindex = sealed(block(b"", 0))
    start = len(data) + len(metaindex)
    return data + metaindex + sealed(index, compression) + footer(handle(len(data), len(metaindex) - 5), handle(start, len(index)))


def table_of_block(contents: bytes, *, last_key: bytes = b"\xff" * 9, compression: int = 0) -> bytes:
    """A table of one data block."""
    return table(sealed(contents, compression), block(entry(0, last_key, handle(0, len(contents))), 0))
