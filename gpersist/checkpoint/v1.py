"""V1 checkpoints: read, behind the face of `storage.Storage`, so that whoever restores needs not know which format it is; and written."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any

import numpy as np

from gpersist import files
from gpersist.bundle import Entry, EntryColumns, Ranges, TensorSlice, V1Reader, V1Writer, check_prefix
from gpersist.checkpoint.commit import one_file
from gpersist.checkpoint.locate import TABLE_END, v1_files
from gpersist.checkpoint.source import collect
from gpersist.checkpoint.storage import Int64s, read_recorded_devices
from gpersist.checkpoint.tree import flatten
from gpersist.errors import CheckpointNotFoundError, DataLossError, FailedPreconditionError, GPersistError
from gpersist.files import Buffer
from gpersist.shapes import MAX_ELEMENTS, element_count
from gpersist.staging import Layout, Pulled, Reader, Scattered
from gpersist.table import TableReader


def is_v1(prefix: str) -> bool:
    """Whether a prefix is that of a V1 checkpoint and not of a bundle."""
    system = files.active()
    return not system.is_file(prefix + ".index") and bool(v1_files(prefix))


def is_v1_file(path: str) -> bool:
    """Whether a file is a table, as V1 checkpoints are: one that may be deleted as such."""
    system = files.active()
    try:
        fd = system.open_read(path)
        try:
            size = system.size(fd, path)
            tail = bytearray(min(size, len(TABLE_END)))
            system.preadv(fd, [tail], len(tail), size - len(tail), path)
        finally:
            system.close(fd)
    except GPersistError:
        return False
    return bytes(tail) == TABLE_END


class V1Index:
    """Names to entries of a V1 checkpoint; their offsets and checksums mean nothing."""

    def __init__(self, reader: V1Reader) -> None:
        """The entries of an open reader."""
        self._reader = reader
        self._names = dict.fromkeys(reader.names())

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def entry(self, name: str) -> Entry:
        """The entry of a tensor.

        Raises:
            TensorNotFoundError: there is none.
        """
        entry = self._reader.entry(name)
        size_bytes = element_count(entry.shape) * entry.dtype.size_bytes
        if size_bytes > MAX_ELEMENTS:
            raise DataLossError(f"tensor {name!r}: {entry.dtype.name}{list(entry.shape)} takes {size_bytes} bytes, past 63 bits; the file is damaged")
        return Entry(entry.dtype, entry.shape, 0, 0, size_bytes, 0)


class V1Storage:
    """A V1 checkpoint. Its values are protobuf messages, so a tensor passes through host memory as a whole. A context manager; safe for threads.

    The blocks' checksums stand for the tensors': there are no others in this format.
    """

    is_checked = False

    def __init__(self, prefix: str) -> None:
        """Opens all files and reads what they hold.

        Raises:
            CheckpointNotFoundError: there are none.
            DataLossError: damaged.
        """
        self.prefix = prefix
        self._open: list[int] = []
        self._is_closed = False
        self._lock = threading.Lock()
        paths = v1_files(prefix)
        if not paths:
            raise CheckpointNotFoundError(f"there is no V1 checkpoint {prefix!r}")
        try:
            self.v1 = V1Reader({path: self._table(path) for path in paths})
        except BaseException:
            self.close()
            raise
        self.index = V1Index(self.v1)

    def _table(self, path: str) -> TableReader:
        system = files.active()
        fd = system.open_read(path)
        self._open.append(fd)

        def read(offset: int, size_bytes: int) -> bytes:
            buffer = bytearray(size_bytes)
            if size_bytes:
                del buffer[system.preadv(fd, [buffer], size_bytes, offset, path) :]
            return bytes(buffer)

        return TableReader(read, system.size(fd, path), path)

    def ranges(self, names: Sequence[str] | None = None, *, whole: bool = True) -> Ranges:
        """One row a tensor, whatever `whole` says: slices are put together, and missing ones noticed, when it is read."""
        names = list(self.index if names is None else names)
        entries = [self.index.entry(name) for name in names]
        return Ranges(names, {name: (entry.dtype, entry.shape) for name, entry in zip(names, entries, strict=True)}, {}, EntryColumns.of(entries))

    def layout(self, ranges: Ranges, which: Int64s | None = None) -> tuple[list[int], Layout, Sequence[Reader]]:
        """Each row that has bytes as a file of its own."""
        sizes = ranges.columns.sizes
        stored = np.flatnonzero(sizes) if which is None else which[sizes[which] > 0]
        files = [_Values(self, ranges.names[row], int(sizes[row])) for row in stored.tolist()]
        return stored.tolist(), Layout(np.arange(len(stored)), np.zeros(len(stored), np.int64), sizes[stored]), files

    def strings(self, name: str) -> np.ndarray[Any, Any]:
        """A tensor of strings."""
        return self.read(name)

    def read(self, name: str) -> np.ndarray[Any, Any]:
        """A whole tensor."""
        return self.read_slice(name, None)

    def read_slice(self, name: str, part: TensorSlice | None) -> np.ndarray[Any, Any]:
        """A part of a tensor, or all of it.

        Raises:
            FailedPreconditionError: closed.
        """
        with self._lock:  # the reader keeps the block it used last
            if self._is_closed:  # a descriptor's number may be another file's by now
                raise FailedPreconditionError(f"the checkpoint {self.prefix!r} is closed")
            return self.v1.read(name, part)

    def recorded_devices(self, *, only_host: bool = False) -> dict[str, str]:
        """See `Storage.recorded_devices`."""
        return read_recorded_devices(self.prefix, only_host)

    def close(self) -> None:
        """Closes the files; calling it again does nothing."""
        with self._lock:
            self._is_closed = True
            fds, self._open = self._open, []
        for fd in fds:
            try:
                files.active().close(fd)
            except GPersistError:
                pass

    def __enter__(self) -> V1Storage:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def save_v1(path: str | os.PathLike[str], arrays: Any, *, durable: bool = True) -> None:
    """Writes a checkpoint in TensorFlow's first format, for programs that read nothing else (`Saver(write_version=SaverDef.V1)` writes the same).

    The file replaces what has its name in one step. Arrays of a device pass through host memory as wholes.

    Args:
        path: of the one file.
        arrays: see `save`.
        durable: wait for the disk.

    Raises:
        InvalidArgumentError: something given makes no sense, or a tensor is too large for the format (2 GiB).
        UnimplementedError: a dtype that the format cannot hold.
    """
    prefix = check_prefix(path)
    source = collect(flatten(arrays))
    at = 0

    def write(data: bytes) -> None:
        nonlocal at
        if data:
            writer.write([data], len(data), at)
            at += len(data)

    with one_file(prefix, 0, durable=durable) as writer:
        table = V1Writer(write)
        for row in sorted(range(len(source.names)), key=lambda row: source.names[row].encode("utf-8", "surrogateescape")):
            name, buffer = source.names[row], source.buffers[row]
            array: Any = buffer if isinstance(buffer, Pulled) and not isinstance(buffer, Scattered) else source.host_array(row)
            if row in source.slices:
                table.add_slice(name, source.full_shapes[name], source.slices[row], array)
            else:
                table.add(name, array)
        table.finish()
        writer.size_bytes = at


class _Values:
    """The bytes of one tensor, as `receive` wants to read them; held until the last one has been given out."""

    def __init__(self, storage: V1Storage, name: str, size_bytes: int) -> None:
        self.path = storage.prefix
        self._storage, self._name = storage, name
        self._bytes: np.ndarray[Any, Any] | None = None
        self._left = size_bytes
        self._lock = threading.Lock()

    def read(self, buffers: Sequence[Buffer], size_bytes: int, offset: int) -> None:
        with self._lock:
            if self._bytes is None:
                self._bytes = np.ascontiguousarray(self._storage.read(self._name)).reshape(-1).view(np.uint8)
            values = self._bytes
            self._left -= size_bytes
            if self._left <= 0:
                self._bytes = None
        (buffer,) = buffers
        memoryview(buffer).cast("B")[:] = values[offset : offset + size_bytes].data
