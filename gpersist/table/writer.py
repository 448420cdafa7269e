"""Writes a table, block by block: the same bytes as TensorFlow's `TableBuilder` writes for the same entries, uncompressed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from gpersist.errors import InternalError
from gpersist.table.block import BlockBuilder
from gpersist.table.format import FOOTER_SIZE_BYTES, TRAILER_SIZE_BYTES, BlockHandle, Footer, block_trailer

BLOCK_SIZE_BYTES = 262144
"""TensorFlow's `table::Options::block_size`: a data block ends with the entry that makes it at least so large."""

RESTART_INTERVAL = 16
"""TensorFlow's `table::Options::block_restart_interval`."""


@dataclasses.dataclass(frozen=True, slots=True)
class TableLayout:
    """Where things lie in a table that was written.

    Attributes:
        value_offsets: int64, one for each entry in the order of adding: the offset of its value in the file, in bytes.
        data_blocks: the data blocks in the order of the file.
        size_bytes: of the whole table.
    """

    value_offsets: NDArray[np.int64]
    data_blocks: tuple[BlockHandle, ...]
    size_bytes: int


class TableBuilder:
    """Writes a table through a callable; a block is held in memory until it is whole.

    After `finish`, `abandon` or an error nothing more may be added. Not for several threads at once.
    """

    def __init__(
        self,
        write: Callable[[bytes], object],
        *,
        block_size_bytes: int = BLOCK_SIZE_BYTES,
        restart_interval: int = RESTART_INTERVAL,
    ) -> None:
        """Starts a table.

        Args:
            write: appends bytes to the file; what it raises passes through.
            block_size_bytes: a data block ends with the entry that makes it at least so large.
            restart_interval: number of entries from one whole key to the next.
        """
        self._write = write
        self._block_size_bytes = block_size_bytes
        self._block = BlockBuilder(restart_interval)
        self._index = BlockBuilder(1)
        self._data_blocks: list[BlockHandle] = []
        self._last_key = b""  # of the last data block written; its index entry waits for the next block's first key, which may allow a shorter one
        self._offset = 0
        self._closed = False

    def add(self, key: bytes, value: bytes) -> None:
        """Adds one entry; see `add_all`, which is faster for many."""
        self.add_all([(key, value)])

    def add_all(self, entries: Iterable[tuple[bytes, bytes]]) -> None:
        """Adds entries.

        REQUIRES: keys ascend in the order of bytes, from the last one added before on; neither `finish` nor `abandon` was called.

        Raises:
            InternalError: a requirement does not hold.
        """
        self._close("add")  # and closed it stays if anything fails: what was added in part can only be abandoned
        iterator = iter(entries)
        while self._block.extend(iterator, self._block_size_bytes):
            self._flush()
        self._closed = False

    def finish(self) -> TableLayout:
        """Writes what is left, the index and the footer.

        REQUIRES: neither `finish` nor `abandon` was called, nor did `add` fail.

        Raises:
            InternalError: the requirement does not hold.
        """
        self._close("finish")
        if not self._block.is_empty:
            self._flush()
        if self._data_blocks:
            self._add_index_entry(short_successor(self._last_key))
        metaindex = self._write_block(BlockBuilder(1).finish())
        index = self._write_block(self._index.finish())
        self._write(Footer(metaindex, index).encode())
        value_offsets = np.array(self._block.value_offsets, np.int64)
        return TableLayout(value_offsets, tuple(self._data_blocks), self._offset + FOOTER_SIZE_BYTES)

    def abandon(self) -> None:
        """Gives the table up: nothing more is written, and what was is no table."""
        self._closed = True
        self._block.start(0)

    def _close(self, what: str) -> None:
        if self._closed:
            raise InternalError(f"table builder: {what} after finish, abandon or an error")
        self._closed = True

    def _flush(self) -> None:
        if self._data_blocks:
            self._add_index_entry(shortest_separator(self._last_key, self._block.first_key))
        self._last_key = self._block.last_key
        self._data_blocks.append(self._write_block(self._block.finish()))
        self._block.start(self._offset)

    def _add_index_entry(self, key: bytes) -> None:
        self._index.extend(iter([(key, self._data_blocks[-1].encode())]))

    def _write_block(self, contents: bytes) -> BlockHandle:
        handle = BlockHandle(self._offset, len(contents))
        self._write(contents)
        self._write(block_trailer(contents))
        self._offset += len(contents) + TRAILER_SIZE_BYTES
        return handle


def build_table(
    entries: Iterable[tuple[bytes, bytes]],
    *,
    block_size_bytes: int = BLOCK_SIZE_BYTES,
    restart_interval: int = RESTART_INTERVAL,
) -> tuple[bytes, TableLayout]:
    """Makes a whole table in memory; see `TableBuilder`.

    Returns:
        The table's bytes and its layout.

    Raises:
        InternalError: the keys do not ascend.
    """
    parts: list[bytes] = []
    builder = TableBuilder(parts.append, block_size_bytes=block_size_bytes, restart_interval=restart_interval)
    builder.add_all(entries)
    layout = builder.finish()
    return b"".join(parts), layout


def shortest_separator(start: bytes, limit: bytes) -> bytes:
    """A key k, short if it can be, with start <= k < limit (LevelDB `BytewiseComparator::FindShortestSeparator`).

    REQUIRES: start < limit.
    """
    for i, (low, high) in enumerate(zip(start, limit, strict=False)):
        if low != high:
            return start[:i] + bytes([low + 1]) if low + 1 < high else start
    return start


def short_successor(key: bytes) -> bytes:
    """A short key that is at least `key` (LevelDB `BytewiseComparator::FindShortSuccessor`)."""
    for i, byte in enumerate(key):
        if byte != 0xFF:
            return key[:i] + bytes([byte + 1])
    return key
