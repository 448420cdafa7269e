"""Reads tables of anyone's making; every length is checked before it is used, and every block's checksum before its bytes are."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from gpersist.table.block import Block
from gpersist.table.damage import damaged
from gpersist.table.format import FOOTER_SIZE_BYTES, BlockHandle, Footer, Read, read_block

MAX_INDEX_BLOCK_BYTES = 32 << 20
"""Room for several hundred thousand data blocks; a file of holes may say anything."""


class TableReader:
    """A table's entries, by key and in order.

    Holds the index and the data block used last; the file is its owner's to close. Safe for many threads if `read` is.
    """

    def __init__(self, read: Read, size_bytes: int, name: str) -> None:
        """Reads footer and index.

        Args:
            read: `read(offset, size)` in bytes, never asked for anything outside of the file.
            size_bytes: the file's size.
            name: the file's name, for errors.

        Raises:
            NotACheckpointError: the file is not a table.
            DataLossError: footer or index is damaged.
        """
        self._read = read
        self._name = name
        footer_size = min(size_bytes, FOOTER_SIZE_BYTES)
        footer = Footer.decode(read(size_bytes - footer_size, footer_size), size_bytes, name)
        blocks_end = size_bytes - FOOTER_SIZE_BYTES
        for what, handle in (("metaindex", footer.metaindex_handle), ("index", footer.index_handle)):
            if handle.end > blocks_end:
                raise damaged(f"'{name}': footer at byte {blocks_end}", f"{what} block ends at byte {handle.end}; expected at most {blocks_end}")
        if footer.index_handle.size > MAX_INDEX_BLOCK_BYTES:
            what = f"index block of {footer.index_handle.size} bytes; expected at most {MAX_INDEX_BLOCK_BYTES}"
            raise damaged(f"'{name}': footer at byte {blocks_end}", what)
        self._separators: list[bytes] = []
        self._handles: list[BlockHandle] = []
        self._read_index(footer.index_handle)
        self._last_used: tuple[int, Block] | None = None

    @classmethod
    def from_bytes(cls, data: bytes, name: str) -> TableReader:
        """Reads a table that is in memory; see the constructor."""
        return cls(lambda offset, size: data[offset : offset + size], len(data), name)

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, or None if there is no such key.

        Raises:
            DataLossError: the data block in question is damaged.
        """
        number = bisect_left(self._separators, key)
        if number == len(self._handles):
            return None
        found, value = next(self._block(number).seek(key), (None, None))
        return value if found == key else None

    def items(self, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """All entries whose key is at least `start`, in ascending order.

        Raises:
            DataLossError: when the iteration comes to a damaged block.
        """
        first = bisect_left(self._separators, start)
        for number in range(first, len(self._handles)):
            block = self._block(number)
            yield from block.seek(start) if number == first and start else block.entries()

    def _read_index(self, index: BlockHandle) -> None:
        # Data blocks lie before the index and do not overlap: else a small file could be decoded without end.
        data_end = 0
        for separator, encoded in self._load(index, "index block").entries():
            where = f"'{self._name}': index block at byte {index.offset}, entry {separator[:80]!r}"
            handle, _ = BlockHandle.decode(encoded, 0, len(encoded), where)
            if handle.offset < data_end or handle.end > index.offset:
                raise damaged(where, f"data block from byte {handle.offset} to {handle.end}; expected within {data_end} to {index.offset}")
            data_end = handle.end
            self._separators.append(separator)
            self._handles.append(handle)

    def _block(self, number: int) -> Block:
        last_used = self._last_used
        if last_used and last_used[0] == number:
            return last_used[1]
        block = self._load(self._handles[number], "data block")
        first, last = block.bounds()
        if last > self._separators[number] or (number and first <= self._separators[number - 1]):
            where = f"'{self._name}': data block at byte {self._handles[number].offset}"
            raise damaged(where, f"keys {first[:80]!r} to {last[:80]!r} lie outside of the index's bounds")
        self._last_used = (number, block)
        return block

    def _load(self, handle: BlockHandle, what: str) -> Block:
        where = f"'{self._name}': {what} at byte {handle.offset}"
        return Block(read_block(self._read, handle, where), where)
