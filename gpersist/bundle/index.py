"""A bundle's index: a table from names to entries, small enough to be held in memory whole.

    table := "" -> header, (slice key -> entry)*, (name -> entry)*      in the order of bytes; slice keys begin with a NUL, so they come first

Source: TensorFlow `tensor_bundle.cc` (`BundleWriter::Finish`, `BundleReader`).
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from gpersist import files
from gpersist.bundle import sniff
from gpersist.bundle.entries import (
    Bools,
    Entry,
    EntryColumns,
    check_size,
    decode_entries,
    decode_entry,
    decode_header,
    encode_entries,
    encode_entry,
    encode_header,
)
from gpersist.bundle.names import index_path
from gpersist.bundle.ordered_code import encode_slice_key
from gpersist.bundle.slices import TensorSlice, cover
from gpersist.dtypes import DType
from gpersist.errors import DataLossError, NotACheckpointError, TensorNotFoundError
from gpersist.shapes import Shape
from gpersist.table import TableReader, build_table, patch

MAX_BLOCK_BYTES = 16 << 20
"""Of one block of an index. TensorFlow ends a block with the entry that brings it to 256 KiB; this is an entry of half a million slices."""

_HEAD_BYTES = 64 << 10
"""Of a file that is no table, to see what else it is."""


def encode_index(entries: Sequence[tuple[bytes, Entry]], num_shards: int) -> bytes:
    """The index file of (key, entry) pairs, in the order of keys' bytes."""
    return build_table([(b"", encode_header(num_shards)), *((key, encode_entry(entry)) for key, entry in entries)])[0]


class IndexImage:
    """An index ready to be written, whose checksums can be changed: repeated saves of the same tensors differ in nothing else.

    A fast path of building it anew, and equal to that, byte for byte. Safe for threads.

    Attributes:
        table: the index file with the checksums that it was built with.
    """

    def __init__(self, keys: Sequence[bytes], columns: EntryColumns, num_shards: int) -> None:
        """Lays out the index.

        Args:
            keys: in the order of their bytes.
            columns: their entries; with no crc of 0 where `with_crcs` shall be used.
            num_shards: for the header.
        """
        values = encode_entries(columns)
        self.table, self._layout = build_table([(b"", encode_header(num_shards)), *zip(keys, values, strict=True)])
        # the crc ends an entry that has no slices
        lengths = np.fromiter(map(len, values), np.int64, len(values))
        self._positions = self._layout.value_offsets[1:] + lengths - 4

    def with_crcs(self, crcs: np.ndarray[Any, np.dtype[np.uint32]]) -> bytes | None:
        """The index file with other masked crcs, one an entry; None if one is 0, which entries leave out, so that the layout changes."""
        return patch(self.table, self._layout, self._positions, crcs) if crcs.all() else None


@dataclasses.dataclass(frozen=True, eq=False)
class Ranges:
    """What is stored of some tensors: a row for an ordinary one, a row a slice for a partitioned one.

    Attributes:
        names: tensor of each row.
        tensors: dtype and whole shape of each tensor, by name.
        parts: the slice that a row is, by row; rows that are whole tensors are not in it.
        columns: where the rows' bytes are.
    """

    names: list[str]
    tensors: dict[str, tuple[DType, Shape]]
    parts: dict[int, TensorSlice]
    columns: EntryColumns


class Index:
    """What a bundle holds: names to entries. Immutable, safe for threads.

    Attributes:
        prefix: of the checkpoint.
        num_shards: that its data files are named after; not all of them need be there.
    """

    def __init__(self, prefix: str, num_shards: int, values: dict[str, bytes], slices: dict[bytes, bytes]) -> None:
        """See `read_index`."""
        self.prefix, self.num_shards = prefix, num_shards
        self._values, self._slices = values, slices

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def entry(self, name: str) -> Entry:
        """The entry of a tensor.

        Raises:
            TensorNotFoundError: there is none; the message has the nearest names.
            DataLossError: it makes no sense.
        """
        value = self._values.get(name)
        if value is None:
            raise TensorNotFoundError(f"no tensor {name!r} in {self.prefix!r}{nearest(name, self._values)}")
        entry = decode_entry(value, f"{name!r} in {index_path(self.prefix)!r}")
        check_size(entry, f"{name!r} in {index_path(self.prefix)!r}")
        if entry.shard >= max(self.num_shards, 1):
            raise DataLossError(f"{name!r} in {index_path(self.prefix)!r}: shard {entry.shard} of {self.num_shards}; the index is damaged")
        return entry

    def slice_entry(self, name: str, part: TensorSlice) -> Entry:
        """The entry of a stored slice of a partitioned tensor.

        Raises:
            DataLossError: the full tensor's entry names it, but it is not there, or is of another shape or dtype.
        """
        return self._slice_entry(name, part, self.entry(name))

    def _slice_entry(self, name: str, part: TensorSlice, full: Entry) -> Entry:
        """`slice_entry`, with the tensor's entry at hand: reading that again for each of thousands of slices takes its time."""
        where = f"slice {part} of {name!r} in {index_path(self.prefix)!r}"
        value = self._slices.get(encode_slice_key(name, part))
        if value is None:
            raise DataLossError(f"{where} is missing, though the tensor's entry names it; the index is damaged")
        entry = decode_entry(value, where)
        check_size(entry, where)
        if entry.dtype != full.dtype or entry.shape != part.shape_in(full.shape, where) or entry.slices:
            raise DataLossError(f"{where}: stored as {entry.dtype.name}{list(entry.shape)}, which does not fit; the index is damaged")
        if entry.shard >= max(self.num_shards, 1):
            raise DataLossError(f"{where}: shard {entry.shard} of {self.num_shards}; the index is damaged")
        return entry

    def ranges(self, names: Sequence[str] | None = None, *, whole: bool = True) -> Ranges:
        """Everything stored of some tensors (default: of all), in columns.

        Args:
            names: of the tensors.
            whole: they will be read as wholes. TensorFlow, too, stores partitioned tensors of which some parts are missing.

        Raises:
            TensorNotFoundError: one is not there.
            DataLossError: an entry makes no sense, or with `whole` a tensor's slices do not make it up.
        """
        names = list(self._values) if names is None else list(names)
        try:
            values = list(map(self._values.__getitem__, names))
        except KeyError as error:
            self.entry(error.args[0])
            raise
        columns, is_plain = decode_entries(values)
        is_plain &= columns.shards < max(self.num_shards, 1)
        if is_plain.all():
            return Ranges(names, dict(zip(names, zip(columns.dtypes, columns.shapes, strict=True), strict=True)), {}, columns)
        return self._checked_ranges(names, columns, is_plain, whole)

    def _checked_ranges(self, names: list[str], columns: EntryColumns, is_plain: Bools, whole: bool) -> Ranges:
        """`ranges`, where some entries need a closer look: partitioned tensors, strings, whatever is wrong."""
        tensors: dict[str, tuple[DType, Shape]] = {}
        rows: list[tuple[str, TensorSlice | None, Entry]] = []
        for number, name in enumerate(names):
            entry = columns.entry(number) if is_plain[number] else self.entry(name)
            tensors[name] = entry.dtype, entry.shape
            if entry.slices:
                if whole:  # what no slice covers would be memory that nobody wrote
                    cover(TensorSlice.full(len(entry.shape)), entry.slices, entry.shape, f"{name!r} in {index_path(self.prefix)!r}")
                rows += [(name, part, self._slice_entry(name, part, entry)) for part in entry.slices]
            else:
                rows.append((name, None, entry))
        parts = {number: part for number, (_, part, _) in enumerate(rows) if part is not None}
        return Ranges([name for name, _, _ in rows], tensors, parts, EntryColumns.of([entry for _, _, entry in rows]))


def read_index(prefix: str) -> Index:
    """Reads and checks `<prefix>.index`, but for its entries, which are checked when asked for.

    Raises:
        CheckpointNotFoundError: there is no such file.
        NotACheckpointError: it is of another kind, which the message names where it can.
        DataLossError: it is damaged.
        UnimplementedError: big-endian, or of a future version.
    """
    path = index_path(prefix)
    with _open_table(path) as table:
        items = iter(table.items())
        first = next(items, None)
        if first is None or first[0] != b"":
            raise DataLossError(
                f"{path!r}: the first key is {first and first[0][:80]!r}; expected the header's, which is empty: this table is no bundle's index"
            )
        num_shards = decode_header(first[1], repr(path))
        values: dict[str, bytes] = {}
        slices: dict[bytes, bytes] = {}
        for key, value in items:
            if key[:1] == b"\0":
                slices[key] = value
            else:
                values[key.decode("utf-8", "surrogateescape")] = value
    return Index(prefix, num_shards, values, slices)


def read_num_shards(prefix: str) -> int:
    """The number of shards of a prefix's index, with no look at its entries; raises as `read_index`."""
    path = index_path(prefix)
    with _open_table(path) as table:
        header = table.get(b"")
    if header is None:
        raise DataLossError(f"{path!r} has no header: this table is no bundle's index")
    return decode_header(header, repr(path))


@contextmanager
def _open_table(path: str) -> Iterator[TableReader]:
    """An index's table, read block by block: the memory it takes depends on blocks whose checksums hold, not on how long the file is."""
    system = files.active()
    fd = system.open_read(path)

    def read(offset: int, size_bytes: int) -> bytes:
        if size_bytes > MAX_BLOCK_BYTES:
            raise DataLossError(f"{path!r}: a block of {size_bytes} bytes at byte {offset}; an index has none above {MAX_BLOCK_BYTES}: it is damaged")
        buffer = bytearray(size_bytes)
        got = system.preadv(fd, [buffer], size_bytes, offset, path) if size_bytes else 0
        return bytes(memoryview(buffer)[:got])

    try:
        size = system.size(fd, path)
        try:
            yield TableReader(read, size, path)
        except NotACheckpointError as error:
            kind = sniff.describe(read(0, min(size, _HEAD_BYTES)), size)
            raise NotACheckpointError(f"{path!r} is {kind}" if kind else error.message) from error
    finally:
        system.close(fd)


def nearest(name: str, names: Iterable[str]) -> str:
    """`"; did you mean 'a', 'b'?"`, or nothing where nothing is near."""
    some = [other for other, _ in zip(names, range(1000), strict=False)]
    name = str(name)
    close = [other for other in some if name.endswith(f"/{other}") or other.endswith(f"/{name}")][:3] or difflib.get_close_matches(name, some, 3, 0.6)
    return f"; did you mean {', '.join(map(repr, close))}?" if close else ""
