"""An open checkpoint: its index, and its data files, opened when first needed."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import numpy as np

from gpersist import files
from gpersist.bundle import Index, Ranges, ShardReader, data_path, index_path, meta_path, read_index
from gpersist.checkpoint.meta import decode_devices
from gpersist.errors import CheckpointNotFoundError, DataLossError, GPersistError
from gpersist.staging import Layout, Reader

Int64s = np.ndarray[Any, np.dtype[np.int64]]

MAX_META_BYTES = 2 << 30


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

    def ranges(self, names: Sequence[str] | None = None) -> Ranges:
        """Everything stored of some tensors (default: of all)."""
        return self.index.ranges(names)

    def layout(self, ranges: Ranges, which: Int64s | None = None) -> tuple[list[int], Layout, Sequence[Reader]]:
        """Where rows stand in files, in the order of the files, those without bytes left out.

        Args:
            ranges: of this storage.
            which: rows of it; default: all.

        Returns:
            (numbers of the rows, their layout, its files).

        Raises:
            DataLossError: a range reaches past its file, or two overlap.
            CheckpointNotFoundError: a data file is missing.
        """
        columns = ranges.columns
        stored = np.flatnonzero(columns.sizes) if which is None else which[columns.sizes[which] > 0]
        stored = stored[np.lexsort((columns.offsets[stored], columns.shards[stored]))]
        shards, offsets, sizes = columns.shards[stored], columns.offsets[stored], columns.sizes[stored]
        numbers, positions = np.unique(shards, return_inverse=True)
        readers = [self.reader(number) for number in numbers.tolist()]
        ends = offsets + sizes
        beyond = np.flatnonzero(ends > np.array([reader.size_bytes for reader in readers], np.int64)[positions])
        if len(beyond):
            first = int(beyond[0])
            readers[int(positions[first])].check(int(offsets[first]), int(sizes[first]), f"tensor {ranges.names[int(stored[first])]!r}")
        overlap = np.flatnonzero((offsets[1:] < ends[:-1]) & (shards[1:] == shards[:-1]))
        if len(overlap):
            first = int(overlap[0])
            names = [ranges.names[int(stored[first + which])] for which in (0, 1)]
            raise DataLossError(
                f"{index_path(self.prefix)!r}: tensor {names[0]!r} takes bytes {offsets[first]} to {ends[first]} of shard {shards[first]}, and "
                f"{names[1]!r} begins at byte {offsets[first + 1]}: they overlap; the index is damaged"
            )
        return stored.tolist(), Layout(positions.astype(np.int64), offsets, sizes), readers

    def recorded_devices(self, *, only_host: bool = False) -> dict[str, str]:
        """The device of each variable in `<prefix>.meta`; empty without one.

        Args:
            only_host: the caller has no other device, so where nothing but CPUs is named, there is nothing to tell, and no need to look closer.

        Raises:
            DataLossError: the file is no MetaGraphDef.
        """
        return read_recorded_devices(self.prefix, only_host)

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


_NOT_CPU = re.compile(rb"(?<![Cc])[Pp][Uu]:")


def read_recorded_devices(prefix: str, only_host: bool) -> dict[str, str]:
    """See `Storage.recorded_devices`."""
    path = meta_path(prefix)
    if not files.active().is_file(path):
        return {}
    meta = files.active().read_all(path, MAX_META_BYTES)
    return {} if only_host and not _NOT_CPU.search(meta) else decode_devices(meta, repr(path))
