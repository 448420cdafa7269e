"""A bundle's index: a table from names to entries, small enough to be held in memory whole.

    table := "" -> header, (slice key -> entry)*, (name -> entry)*      in the order of bytes; slice keys begin with a NUL, so they come first

Source: TensorFlow `tensor_bundle.cc` (`BundleWriter::Finish`, `BundleReader`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from gpersist import files
from gpersist.bundle import sniff
from gpersist.bundle.entries import Entry, check_size, decode_entry, decode_header, encode_entry, encode_header
from gpersist.bundle.names import index_path
from gpersist.bundle.ordered_code import encode_slice_key
from gpersist.bundle.slices import TensorSlice
from gpersist.errors import DataLossError, NotACheckpointError, TensorNotFoundError
from gpersist.table import TableReader, build_table, patch

MAX_INDEX_BYTES = 2 << 30
"""Far beyond any real index: entries of ten million tensors."""


class IndexImage:
    """An index ready to be written, whose checksums can be changed: repeated saves of the same tensors differ in nothing else.

    A fast path of building it anew, and equal to that, byte for byte. Safe for threads.

    Attributes:
        table: the index file with the checksums that it was built with.
    """

    def __init__(self, entries: Sequence[tuple[bytes, Entry]], num_shards: int) -> None:
        """Lays out the index.

        Args:
            entries: (key, entry), in the order of keys' bytes; with no slices and no crc of 0 where `with_crcs` shall be used.
            num_shards: for the header.
        """
        values = [encode_entry(entry) for _, entry in entries]
        keys = [key for key, _ in entries]
        self.table, self._layout = build_table([(b"", encode_header(num_shards)), *zip(keys, values, strict=True)])
        # the crc ends an entry that has no slices
        lengths = np.fromiter(map(len, values), np.int64, len(values))
        self._positions = self._layout.value_offsets[1:] + lengths - 4

    def with_crcs(self, crcs: np.ndarray[Any, np.dtype[np.uint32]]) -> bytes | None:
        """The index file with other masked crcs, one an entry; None if one is 0, which entries leave out, so that the layout changes."""
        return patch(self.table, self._layout, self._positions, crcs) if crcs.all() else None


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
        where = f"slice {part} of {name!r} in {index_path(self.prefix)!r}"
        value = self._slices.get(encode_slice_key(name, part))
        if value is None:
            raise DataLossError(f"{where} is missing, though the tensor's entry names it; the index is damaged")
        entry = decode_entry(value, where)
        check_size(entry, where)
        full = self.entry(name)
        if entry.dtype != full.dtype or entry.shape != part.shape_in(full.shape, where) or entry.slices:
            raise DataLossError(f"{where}: stored as {entry.dtype.name}{list(entry.shape)}, which does not fit; the index is damaged")
        if entry.shard >= max(self.num_shards, 1):
            raise DataLossError(f"{where}: shard {entry.shard} of {self.num_shards}; the index is damaged")
        return entry

    def ranges(self, names: Iterable[str]) -> Iterator[tuple[str, TensorSlice | None, Entry]]:
        """(name, slice, entry) of everything stored of some tensors: one for an ordinary tensor, one a slice for a partitioned one."""
        for name in names:
            entry = self.entry(name)
            if entry.slices:
                for part in entry.slices:
                    yield name, part, self.slice_entry(name, part)
            else:
                yield name, None, entry


def read_index(prefix: str) -> Index:
    """Reads and checks `<prefix>.index`, but for its entries, which are checked when asked for.

    Raises:
        CheckpointNotFoundError: there is no such file.
        NotACheckpointError: it is of another kind, which the message names where it can.
        DataLossError: it is damaged.
        UnimplementedError: big-endian, or of a future version.
    """
    path = index_path(prefix)
    data = files.active().read_all(path, MAX_INDEX_BYTES)
    try:
        items = iter(TableReader.from_bytes(data, path).items())
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
    except NotACheckpointError as error:
        kind = sniff.describe(data[: 64 << 10], len(data))
        raise NotACheckpointError(f"{path!r} is {kind}" if kind else error.message) from error
    return Index(prefix, num_shards, values, slices)


def nearest(name: str, names: Iterable[str]) -> str:
    """`"; did you mean 'a', 'b'?"`, or nothing where nothing is near."""
    import difflib

    some = [other for other, _ in zip(names, range(5000), strict=False)]
    close = difflib.get_close_matches(name, some, 3, 0.6)
    return f"; did you mean {', '.join(map(repr, close))}?" if close else ""
