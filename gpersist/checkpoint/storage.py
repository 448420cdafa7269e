"""An open checkpoint: its index, and its data files, opened when first needed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from gpersist import files
from gpersist.bundle import Index, Ranges, ShardReader, data_path, index_path, meta_path, read_index
from gpersist.checkpoint.meta import decode_devices
from gpersist.errors import AbortedError, CheckpointNotFoundError, DataLossError, FailedPreconditionError, GPersistError, ResourceExhaustedError
from gpersist.staging import Layout, Reader

T = TypeVar("T")
Int64s = np.ndarray[Any, np.dtype[np.int64]]

MAX_META_BYTES = 2 << 30

_MAX_REREADS = 20


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
        self._readers: dict[int, ShardReader] = {}
        self._is_closed = False
        self._lock = threading.Lock()
        self._files = files.active()
        self._index_fd = self._files.open_read(index_path(prefix))  # kept open, so that no other index can be mistaken for it
        try:
            self.index: Index = read_index(prefix)
        except BaseException:
            self.close()
            raise

    def reader(self, shard: int) -> ShardReader:
        """The data file of a shard, opened now if it is not open: from then on it stays what it is, whoever saves or deletes.

        Raises:
            CheckpointNotFoundError: it is missing, which only matters to who needs it.
            AbortedError: the checkpoint was saved again, or deleted, since its index was read.
            FailedPreconditionError: the storage is closed.
        """
        with self._lock:
            if self._is_closed:
                raise FailedPreconditionError(f"the checkpoint {self.prefix!r} is closed")
            found = self._readers.get(shard)
            if found is None:
                found = self._readers[shard] = self._open(shard)
            return found

    def _open(self, shard: int) -> ShardReader:
        path = data_path(self.prefix, shard, self.index.num_shards)
        try:
            reader = ShardReader(path)
        except CheckpointNotFoundError as error:
            self._check_stands()
            raise CheckpointNotFoundError(
                f"{path!r} is missing, though {index_path(self.prefix)!r} is there: the checkpoint is incomplete; "
                f"copy it from where the checkpoint was made, or restore an older one{self._likely(path)}"
            ) from error
        try:
            self._check_stands()
        except BaseException:
            reader.close()
            raise
        return reader

    def _likely(self, path: str) -> str:
        """Files that a missing data file may have become, for the message: unfinished downloads, and those under another checkpoint's name."""
        folder, base = os.path.split(path)
        try:
            names = self._files.names(folder or os.curdir)
        except GPersistError:
            return ""
        end = base[base.rindex(".data-") :]
        likely = [name for name in names if name.startswith(base) or (end in name and f"{name.partition(end)[0]}.index" not in names)]
        return f"; {likely[0]!r} may be it, renamed or unfinished" if likely else ""

    def _check_stands(self) -> None:
        """As long as an index stands, so do its data files; afterwards, another checkpoint's may have their names."""
        if not self._files.is_named(self._index_fd, index_path(self.prefix)):
            raise AbortedError(f"{self.prefix!r} was saved again, or deleted, since its index was read: open it again")

    def ranges(self, names: Sequence[str] | None = None, *, whole: bool = True) -> Ranges:
        """Everything stored of some tensors (default: of all); see `Index.ranges`."""
        return self.index.ranges(names, whole=whole)

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
        """Closes the files; calling it again does nothing."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            readers, self._readers = self._readers, {}
        with suppress(GPersistError):
            self._files.close(self._index_fd)
        for reader in readers.values():
            with suppress(GPersistError):
                reader.close()

    def __enter__(self) -> Storage:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


@contextmanager
def telling_stand_ins(readers: Iterable[object]) -> Iterator[None]:
    """Where a checksum does not hold, tells what a download has left in the place of the data file, if that is why."""
    try:
        yield
    except DataLossError as error:
        for reader in readers:
            if isinstance(reader, ShardReader) and repr(reader.path) in error.message and (kind := reader.stand_in()):
                raise DataLossError(f"{error.message.partition(f' in {reader.path!r}')[0]} is in {reader.path!r}, which is {kind}") from error
        raise


def reread(read: Callable[[], T]) -> T:
    """Calls `read`, and again whenever somebody's save or deletion came between its look at an index and that at the data.

    Raises:
        AbortedError: somebody saves again and again, faster than files can be opened.
        Exception: whatever else `read` raises.
    """
    for _ in range(_MAX_REREADS):
        try:
            return read()
        except AbortedError:
            pass
    return read()


_HERE = b'"\x0d/device:CPU:0'
"""The field of a NodeDef that names the host."""

_DEVICE_WORDS = (b"device:", b"cpu", b"gpu", b"tpu", b"epu", b"custom")
"""One of them is in every device string that names a type, and in some names of variables."""


def read_recorded_devices(prefix: str, only_host: bool) -> dict[str, str]:
    """See `Storage.recorded_devices`."""
    path = meta_path(prefix)
    if not files.active().is_file(path):
        return {}
    try:
        meta = files.active().read_all(path, MAX_META_BYTES)
    except ResourceExhaustedError as error:
        raise DataLossError(f"{error.message}; no MetaGraphDef is as large as that") from error
    if only_host:
        rest = meta.replace(_HERE, b"").lower()
        if not any(word in rest for word in _DEVICE_WORDS):
            return {}
    return decode_devices(meta, repr(path))
