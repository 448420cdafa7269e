"""The frame of a table file: what stands around the blocks.

    table    := data_block*  metaindex_block  index_block  footer
    block    := contents  trailer                contents: see block.py
    trailer  := compression: uint8               0 none, 1 snappy
                crc: fixed32                     masked crc32c of the contents and the compression byte
    footer   := metaindex_handle: handle
                index_handle: handle
                padding: uint8*                  zeros, up to 40 bytes
                magic: fixed64                   0xdb4775248b80fb57
    handle   := offset: varint64                 of a block's first byte
                size: varint64                   of its contents, without the trailer

The index block maps a key that is >= every key of a data block, and < those of the next, to that block's handle. TensorFlow writes the metaindex
block empty. Fixed integers are little-endian. (LevelDB `doc/table_format.md`; TensorFlow `lib/io/format.h`)
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from gpersist.errors import NotACheckpointError
from gpersist.table.crc import crc32c, mask, unmask
from gpersist.table.damage import damaged
from gpersist.table.snappy import decompress
from gpersist.table.varint import Buffer, decode_varint64, encode_varint

MAGIC = 0xDB4775248B80FB57
FOOTER_SIZE_BYTES = 48
TRAILER_SIZE_BYTES = 5
NO_COMPRESSION = 0
SNAPPY_COMPRESSION = 1
MAX_SNAPPY_BLOCK_SIZE_BYTES = 16 << 20
"""The most that a compressed block may decompress to. Blocks are 4 to 256 KiB; those of V1 checkpoints may be huge, but are never compressed."""

Read = Callable[[int, int], bytes]
"""`read(offset, size)`, both in bytes; gives fewer bytes only where the file ends."""


class BlockHandle(NamedTuple):
    """Where a block's contents lie in the file, in bytes."""

    offset: int
    size: int

    @property
    def end(self) -> int:
        """The offset after the block's trailer."""
        return self.offset + self.size + TRAILER_SIZE_BYTES

    def encode(self) -> bytes:
        """The handle's bytes, at most 20."""
        return encode_varint(self.offset) + encode_varint(self.size)

    @classmethod
    def decode(cls, data: Buffer, position: int, end: int, where: str) -> tuple[BlockHandle, int]:
        """Decodes a handle, and tells the position after it.

        Raises:
            DataLossError: it runs past `end`.
        """
        offset, position = decode_varint64(data, position, end, where)
        size, position = decode_varint64(data, position, end, where)
        return cls(offset, size), position


class Footer(NamedTuple):
    """The last 48 bytes of a table."""

    metaindex_handle: BlockHandle
    index_handle: BlockHandle

    def encode(self) -> bytes:
        """The footer's bytes."""
        handles = self.metaindex_handle.encode() + self.index_handle.encode()
        return handles.ljust(FOOTER_SIZE_BYTES - 8, b"\0") + struct.pack("<Q", MAGIC)

    @classmethod
    def decode(cls, data: Buffer, size_bytes: int, name: str) -> Footer:
        """Decodes the footer of a file.

        Args:
            data: the file's last 48 bytes, or all of them if there are fewer.
            size_bytes: the file's size.
            name: the file's name, for errors.

        Raises:
            NotACheckpointError: the file is too short or has another magic number.
            DataLossError: the handles are no handles.
        """
        if len(data) < FOOTER_SIZE_BYTES:
            raise NotACheckpointError(f"'{name}' is not a TensorFlow table: expected at least {FOOTER_SIZE_BYTES} bytes, found {size_bytes}")
        (magic,) = struct.unpack_from("<Q", data, FOOTER_SIZE_BYTES - 8)
        if magic != MAGIC:
            raise NotACheckpointError(
                f"'{name}' is not a TensorFlow table: magic number at byte {size_bytes - 8} expected {MAGIC:#018x}, found {magic:#018x}; "
                "it is of another kind, or was cut short"
            )
        where = f"'{name}': footer at byte {size_bytes - FOOTER_SIZE_BYTES}"
        metaindex, position = BlockHandle.decode(data, 0, FOOTER_SIZE_BYTES - 8, where)
        index, _ = BlockHandle.decode(data, position, FOOTER_SIZE_BYTES - 8, where)
        return cls(metaindex, index)


def block_trailer(contents: Buffer) -> bytes:
    """The trailer of uncompressed contents."""
    return struct.pack("<BI", NO_COMPRESSION, mask(crc32c(bytes([NO_COMPRESSION]), crc32c(contents))))


def read_block(read: Read, handle: BlockHandle, where: str) -> bytes:
    """Reads a block's contents, checks them, and decompresses them if need be.

    REQUIRES: handle.end is within the file.

    Args:
        read: reads the file.
        handle: where the block lies.
        where: file and block, for errors.

    Raises:
        DataLossError: bytes are missing, the checksum does not hold, or the compression is unknown or broken.
    """
    contents = read(handle.offset, handle.size)
    trailer = read(handle.offset + handle.size, TRAILER_SIZE_BYTES)
    if len(contents) != handle.size or len(trailer) != TRAILER_SIZE_BYTES:
        raise damaged(where, f"expected {handle.size} bytes and a trailer of {TRAILER_SIZE_BYTES}, found {len(contents)} and {len(trailer)}")
    compression, masked = struct.unpack("<BI", trailer)
    expected, found = unmask(masked), crc32c(trailer[:1], crc32c(contents))
    if found != expected:
        raise damaged(where, f"crc32c of {handle.size} bytes expected {expected:#010x}, found {found:#010x}")
    if compression == SNAPPY_COMPRESSION:
        return decompress(contents, MAX_SNAPPY_BLOCK_SIZE_BYTES, where)
    if compression != NO_COMPRESSION:
        raise damaged(where, f"compression expected 0 (none) or 1 (snappy), found {compression}")
    return contents
