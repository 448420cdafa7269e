"""Stored tensors as arrays that can be saved again with no memory taken for them: their bytes are read, and checked, when they are sent."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from gpersist.bundle import Entry, ShardReader, TensorSlice, cover
from gpersist.checkpoint.reader import read_part
from gpersist.checkpoint.storage import Storage, telling_stand_ins
from gpersist.checkpoint.v1 import V1Storage
from gpersist.errors import DataLossError, UnimplementedError
from gpersist.staging import Pulled, boxes
from gpersist.table import combine, crc32c, mask

_BLOCK_BYTES = 1 << 20


def pull(storage: Storage | V1Storage, name: str, entry: Entry, part: TensorSlice | None) -> Pulled:
    """A tensor, or a slice of it that is stored as such.

    Raises:
        UnimplementedError: strings, and types that no array can hold.
        DataLossError: a file ends early, or the slices don't make up the tensor.
        CheckpointNotFoundError: a data file is missing.
    """
    if entry.dtype.is_string or entry.dtype.numpy is None:
        raise UnimplementedError(f"tensor {name!r} is of {entry.dtype.name}, whose elements vary in size: read it")
    if isinstance(storage, V1Storage):
        return _Decoded(storage, name, entry)
    if part is not None:
        entry = storage.index.slice_entry(name, part)
    return _Joined(storage, name, entry) if entry.slices else _Stored(storage.reader(entry.shard), name, entry)


def _memory(size_bytes: int) -> memoryview:
    return memoryview(np.empty(size_bytes, np.uint8).data)


class _Stored(Pulled):
    """A tensor, or a slice, whose bytes stand together in one file."""

    def __init__(self, file: ShardReader, name: str, entry: Entry) -> None:
        assert entry.dtype.numpy is not None
        super().__init__(entry.dtype.numpy, entry.shape)
        self._file, self._name, self._entry = file, name, entry
        file.check(entry.offset, entry.size_bytes, f"tensor {name!r}")
        self._crcs: dict[int, tuple[int, int]] = {}
        self._missing = self.nbytes
        self._lock = threading.Lock()

    def read(self, begin: int, end: int) -> memoryview:
        content = _memory(end - begin)
        if content:
            self._file.read([content], len(content), self._entry.offset + begin)
            self._check(begin, crc32c(content), len(content))
        return content

    def _check(self, begin: int, crc: int, size_bytes: int) -> None:
        """Takes in the checksum of a part, and holds that of the whole against the index's when it was the last."""
        with self._lock:
            self._crcs[begin] = crc, size_bytes
            self._missing -= size_bytes
            if self._missing:
                return
        found = 0
        for _, (part, length) in sorted(self._crcs.items()):
            found = combine(found, part, length)
        if mask(found) != self._entry.crc:
            with telling_stand_ins([self._file]):
                raise DataLossError(
                    f"tensor {self._name!r} in {self._file.path!r} at byte {self._entry.offset}: crc32c expected 0x{self._entry.crc:08x}, found "
                    f"0x{mask(found):08x}; the file is damaged, or of another save than its index: use an older checkpoint"
                )


class _Joined(Pulled):
    """A partitioned tensor as a whole. Only slices have checksums, so all of them are checked before the first byte is given."""

    def __init__(self, storage: Storage, name: str, entry: Entry) -> None:
        assert entry.dtype.numpy is not None
        super().__init__(entry.dtype.numpy, entry.shape)
        self._storage, self._name, self._entry = storage, name, entry
        cover(TensorSlice.full(len(entry.shape)), entry.slices, entry.shape, f"tensor {name!r} in {storage.prefix!r}")
        self._is_checked = False
        self._lock = threading.Lock()

    def read(self, begin: int, end: int) -> memoryview:
        with self._lock:
            if not self._is_checked:
                for part in self._entry.slices:
                    stored = pull(self._storage, self._name, self._entry, part)
                    for at in range(0, stored.nbytes, _BLOCK_BYTES):
                        stored.read(at, min(at + _BLOCK_BYTES, stored.nbytes))
                self._is_checked = True
        item = self.dtype.itemsize
        first, last = begin // item, -(-end // item)
        elements = np.empty(last - first, self.dtype)
        at = 0
        for box in boxes(self.shape, first, last):
            found = self._read_box(box)
            elements[at : at + found.size] = found.reshape(-1)
            at += found.size
        return memoryview(elements.view(np.uint8).data)[begin - first * item : end - first * item]

    def _read_box(self, box: tuple[int | slice, ...]) -> np.ndarray[Any, Any]:
        extents = [(index, 1) if isinstance(index, int) else (index.start, index.stop - index.start) for index in box]
        extents += [(0, size) for size in self.shape[len(box) :]]
        return read_part(self._storage, self._name, self._entry, TensorSlice(tuple(extents)))


class _Decoded(Pulled):
    """A tensor of a V1 checkpoint, which is decoded as a whole; held until the last byte has been given."""

    def __init__(self, storage: V1Storage, name: str, entry: Entry) -> None:
        assert entry.dtype.numpy is not None
        super().__init__(entry.dtype.numpy, entry.shape)
        self._storage, self._name = storage, name
        self._bytes: memoryview | None = None
        self._missing = self.nbytes
        self._lock = threading.Lock()

    def read(self, begin: int, end: int) -> memoryview:
        with self._lock:
            if self._bytes is None:
                array = np.ascontiguousarray(self._storage.read(self._name))
                self._bytes = memoryview(array.reshape(-1).view(np.uint8).data)
            content = self._bytes[begin:end]
            self._missing -= end - begin
            if self._missing <= 0:
                self._bytes = None
        return content
