"""An open checkpoint: its index, and its data files, opened when first needed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple

import numpy as np

from gpersist import files
from gpersist.bundle import Entry, Index, ShardReader, TensorSlice, data_path, index_path, meta_path, read_index
from gpersist.checkpoint.meta import decode_devices
from gpersist.errors import CheckpointNotFoundError, DataLossError, GPersistError
from gpersist.staging import Layout

MAX_META_BYTES = 2 << 30


class Row(NamedTuple):
    """Something stored: a tensor, or a slice of one."""

    name: str
    part: TensorSlice | None
    entry: Entry


class Storage:
    """An index and its data files. Safe for threads. A context manager."""

    is_checked = True
    """Whether entries have checksums of their own."""

    def __init__(self, prefix: str) -> None:
        """Reads the index; opens no data file.

        Raises:
            CheckpointNotFoundError, NotACheckpointError, DataLossError, UnimplementedError: see `read_index`.
        """
        self.prefix = prefix
        self.index: Index = read_index(prefix)
        self._readers: dict[int, ShardReader] = {}
        self._lock = threading.Lock()

    def reader(self, shard: int) -> ShardReader:
        """The data file of a shard.

        Raises:
            CheckpointNotFoundError: it is missing, which only matters to who needs it.
        """
        with self._lock:
            found = self._readers.get(shard)
            if found is None:
                path = data_path(self.prefix, shard, self.index.num_shards)
                try:
                    found = ShardReader(path)
                except CheckpointNotFoundError as error:
                    raise CheckpointNotFoundError(
                        f"{path!r} is missing, though {index_path(self.prefix)!r} is there: the checkpoint is incomplete; restore an older one"
                    ) from error
                self._readers[shard] = found
            return found

    def rows(self, names: Sequence[str] | None = None) -> list[Row]:
        """Everything stored of some tensors (default: of all)."""
        return [Row(*row) for row in self.index.ranges(self.index if names is None else names)]

    def layout(self, rows: Sequence[Row]) -> tuple[list[int], Layout, list[ShardReader]]:
        """Where rows stand in files, in the order of the files, those without bytes left out.

        Returns:
            (numbers of the rows, their layout, its files).

        Raises:
            DataLossError: a range reaches past its file, or two overlap.
            CheckpointNotFoundError: a data file is missing.
        """
        shards = np.array([row.entry.shard for row in rows], np.int64)
        offsets = np.array([row.entry.offset for row in rows], np.int64)
        sizes = np.array([row.entry.size_bytes for row in rows], np.int64)
        stored = np.flatnonzero(sizes)
        stored = stored[np.lexsort((offsets[stored], shards[stored]))]
        shards, offsets, sizes = shards[stored], offsets[stored], sizes[stored]
        numbers, positions = np.unique(shards, return_inverse=True)
        readers = [self.reader(number) for number in numbers.tolist()]
        ends = offsets + sizes
        beyond = np.flatnonzero(ends > np.array([reader.size_bytes for reader in readers], np.int64)[positions])
        if len(beyond):
            first = int(beyond[0])
            readers[int(positions[first])].check(int(offsets[first]), int(sizes[first]), f"tensor {rows[int(stored[first])].name!r}")
        overlap = np.flatnonzero((offsets[1:] < ends[:-1]) & (shards[1:] == shards[:-1]))
        if len(overlap):
            first = int(overlap[0])
            a, b = rows[int(stored[first])], rows[int(stored[first + 1])]
            raise DataLossError(
                f"{index_path(self.prefix)!r}: tensors {a.name!r} (bytes {a.entry.offset} to {a.entry.offset + a.entry.size_bytes}) and {b.name!r} (from byte "
                f"{b.entry.offset}) overlap in shard {a.entry.shard}; the index is damaged"
            )
        return stored.tolist(), Layout(positions.astype(np.int64), offsets, sizes), readers

    def recorded_devices(self) -> dict[str, str]:
        """The device of each variable in `<prefix>.meta`; empty without one.

        Raises:
            DataLossError: the file is no MetaGraphDef.
        """
        path = meta_path(self.prefix)
        if not files.active().is_file(path):
            return {}
        return decode_devices(files.active().read_all(path, MAX_META_BYTES), repr(path))

    def close(self) -> None:
        """Closes the data files; calling it again does nothing."""
        with self._lock:
            readers, self._readers = self._readers, {}
        for reader in readers.values():
            try:
                reader.close()
            except GPersistError:
                pass

    def __enter__(self) -> Storage:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
