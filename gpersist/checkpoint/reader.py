"""An open checkpoint to look into: names, shapes, one tensor, one slice of it. Nothing is read before it is asked for, and no device is touched."""

from __future__ import annotations

import itertools
import math
import mmap
import operator
import os
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

import numpy as np

from gpersist.bundle import Entry, ShardReader, TensorSlice, byte_runs, cover, data_path, nearest
from gpersist.checkpoint.locate import at
from gpersist.checkpoint.object_graph import ObjectGraph, read_object_graph
from gpersist.checkpoint.restore import load_tensor, open_storage
from gpersist.checkpoint.storage import Storage
from gpersist.checkpoint.v1 import V1Storage
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError, OutOfRangeError, TensorNotFoundError, UnimplementedError
from gpersist.shapes import Shape
from gpersist.staging import Pulled

_BLOCK_BYTES = 4 << 20
_LONG_RUN_BYTES = 64 << 10
"""A run of bytes worth a system call of its own; shorter ones are read with what is between them."""


class CheckpointReader(Mapping[str, "StoredTensor"]):
    """A checkpoint's tensors by name, lazily. A context manager; safe for threads.

    Attributes:
        prefix: of the checkpoint.
    """

    def __init__(self, prefix: str | os.PathLike[str]) -> None:
        """Reads the index.

        Args:
            prefix: of the checkpoint; any of its files, or its folder, will do.

        Raises:
            CheckpointNotFoundError, NotACheckpointError, DataLossError, UnimplementedError: see `load`.
        """
        self._storage = at(prefix, open_storage)
        self.prefix = self._storage.prefix
        self._devices: dict[str, str] | None = None

    def __getitem__(self, name: str) -> StoredTensor:
        if name not in self._storage.index:
            raise TensorNotFoundError(f"no tensor {name!r} in {self.prefix!r}{nearest(name, self._storage.index)}")
        return StoredTensor(self, self._storage, name, self._storage.index.entry(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._storage.index)

    def __len__(self) -> int:
        return len(self._storage.index)

    def __contains__(self, name: object) -> bool:
        return name in self._storage.index

    def names(self) -> list[str]:
        """All tensors, in the order of their names' bytes."""
        return list(self._storage.index)

    @property
    def shapes(self) -> dict[str, Shape]:
        """Shapes by name."""
        return {name: shape for name, (_, shape) in self._storage.ranges(whole=False).tensors.items()}

    @property
    def dtypes(self) -> dict[str, DType]:
        """Element types by name."""
        return {name: dtype for name, (dtype, _) in self._storage.ranges(whole=False).tensors.items()}

    @property
    def devices(self) -> dict[str, str]:
        """The device recorded in `.meta` for each tensor; empty where none is.

        Raises:
            DataLossError: `.meta` is damaged.
        """
        if self._devices is None:
            self._devices = self._storage.recorded_devices()
        return {name: self._devices.get(name, "") for name in self}

    def device(self, name: str) -> str:
        """The device recorded for one tensor, or empty."""
        return self.devices.get(name, "")

    def object_graph(self) -> ObjectGraph:
        """The objects of a checkpoint that TensorFlow 2 wrote, by path: `reader.object_graph()["model/layer-0/kernel"].tensor`.

        Raises:
            NotFoundError: it has none.
            DataLossError: they are damaged: no message, an object that isn't there, or values that the checkpoint lacks.
        """
        return read_object_graph(self)

    def close(self) -> None:
        """Closes the files. Memory maps that were given out stay valid."""
        self._storage.close()

    def __enter__(self) -> CheckpointReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<CheckpointReader of {self.prefix!r}: {len(self)} tensors>"


class StoredTensor:
    """A tensor in a file. `tensor[...]` and `numpy.asarray(tensor)` read all of it, `tensor[2:5, :, 0]` reads just that.

    Checksums are those of whole tensors: what reads all of one is checked; what reads a part of it, and `map`, is not (but strings, and in V1).

    Attributes:
        name, dtype, shape: the tensor's.
        size_bytes: what it takes in the file; of a partitioned tensor, all slices together.
        entry: where its bytes are, as the index has it: `numpy.memmap(tensor.path, tensor.dtype.numpy, "r", tensor.entry.offset, (100, 8))` maps rows
            of a file that was cut behind them.
        slices: of a partitioned tensor.
    """

    def __init__(self, reader: CheckpointReader, storage: Storage | V1Storage, name: str, entry: Entry) -> None:
        """See `CheckpointReader`."""
        self._reader, self._storage = reader, storage
        self.name, self.entry = name, entry
        self.dtype, self.shape, self.slices = entry.dtype, entry.shape, entry.slices

    @property
    def size_bytes(self) -> int:
        """Bytes in the files."""
        return int(self._storage.ranges([self.name], whole=False).columns.sizes.sum())

    @property
    def path(self) -> str:
        """The data file that holds it.

        Raises:
            UnimplementedError: it is in no one place: stored in slices, or in a V1 checkpoint.
        """
        if isinstance(self._storage, V1Storage) or self.slices:
            raise UnimplementedError(f"tensor {self.name!r} is stored in slices, or in a V1 checkpoint: its bytes are not in one place")
        return data_path(self._storage.prefix, self.entry.shard, self._storage.index.num_shards)

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def device(self) -> str:
        """The device recorded in `.meta`, or empty."""
        return self._reader.device(self.name)

    def read(self) -> np.ndarray[Any, Any]:
        """The whole tensor as a new NumPy array, checked against its checksum.

        Raises:
            DataLossError: damaged.
        """
        return load_tensor(self._storage, self.name)

    def read_slice(self, part: TensorSlice | str) -> np.ndarray[Any, Any]:
        """A part of the tensor, in TensorFlow's way of saying it (`"0,2:-"`), across whatever slices it is stored in; not checked.

        Only a whole stored tensor has a checksum. `tensor[...]` of less than all is read likewise. Of a file that was cut, what it still has is read.

        Raises:
            InvalidArgumentError: it does not fit the shape.
            DataLossError: the stored slices do not make it up, or a file ends before what is asked for.
        """
        return read_part(self._storage, self.name, self.entry, TensorSlice.parse(part) if isinstance(part, str) else part)

    def pull(self, part: TensorSlice | None = None) -> Pulled:
        """The tensor, or one of its `slices`, as an array for `gpersist.save` that is read, and checked, only while it is written.

        Raises:
            UnimplementedError: strings.
            DataLossError: a file ends early, or stored slices do not make up the tensor.
        """
        from gpersist.checkpoint.pulling import pull  # which reads parts as this module does

        return pull(self._storage, self.name, self.entry, part)

    def map(self) -> np.ndarray[Any, Any]:
        """The whole tensor as a read-only array mapped from the file: nothing is read, or checked, before it is used.

        Raises:
            InvalidArgumentError: its bytes are not aligned (saved with alignment_bytes=1, as TensorFlow does), or are not in one place: read it.
            UnimplementedError: strings, and V1 checkpoints.
        """
        entry, storage = self.entry, self._storage
        if isinstance(storage, V1Storage) or self.dtype.is_string or self.dtype.numpy is None:
            raise UnimplementedError(f"tensor {self.name!r} is of {self.dtype.name}, or in a V1 checkpoint, and cannot be mapped; read it")
        if self.slices or entry.offset % self.dtype.numpy.alignment:
            why = "it is stored in slices" if self.slices else f"it begins at byte {entry.offset}, which is not aligned"
            raise InvalidArgumentError(f"tensor {self.name!r} cannot be mapped: {why}; read it, or save it again with alignment_bytes=64")
        if not entry.size_bytes:
            return np.frombuffer(b"", self.dtype.numpy).reshape(self.shape)
        file = storage.reader(entry.shard)
        file.check(entry.offset, entry.size_bytes, f"tensor {self.name!r}")
        start = entry.offset // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
        pages = mmap.mmap(file.descriptor(), entry.offset - start + entry.size_bytes, prot=mmap.PROT_READ, offset=start)
        flat = np.frombuffer(pages, np.uint8, entry.size_bytes, entry.offset - start)
        return flat.view(self.dtype.numpy).reshape(self.shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if copy is False and dtype is not None and np.dtype(dtype) != self.dtype.numpy:
            raise InvalidArgumentError(f"tensor {self.name!r} is of {self.dtype.name}; as {dtype} it would have to be copied")
        array = self.map() if copy is False else self.read()
        return array if dtype is None else array.astype(dtype, copy=False)

    def __getitem__(self, key: Any) -> Any:
        box, rest = _box(key, self.shape, self.name)
        if all(start == 0 and stop == size for (start, stop), size in zip(box, self.shape, strict=True)):
            return self.read()[rest]
        if any(start == stop for start, stop in box):
            return np.empty(tuple(stop - start for start, stop in box), self.dtype.numpy)[rest]
        return self.read_slice(TensorSlice(tuple((start, stop - start) for start, stop in box)))[rest]

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"tensor {self.name!r} is a scalar")
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<StoredTensor {self.name!r}: {self.dtype.name}{list(self.shape)}>"


def read_part(storage: Storage | V1Storage, name: str, whole: Entry, part: TensorSlice) -> np.ndarray[Any, Any]:
    """A part of a tensor as a new NumPy array; see `StoredTensor.read_slice`. `whole` is the tensor's entry."""
    what = f"tensor {name!r} in {storage.prefix!r}"
    wanted = part.shape_in(whole.shape, what)
    if isinstance(storage, V1Storage):
        return storage.read_slice(name, part)
    if whole.dtype.is_string or whole.dtype.numpy is None:
        region: Any = (*part.region(whole.shape, what), ...)  # with the dots, a scalar stays an array
        return np.asarray(load_tensor(storage, name)[region])
    stored = whole.slices or (TensorSlice.full(len(whole.shape)),)
    result = np.empty(wanted, whole.dtype.numpy)
    for found in cover(part, stored, whole.shape, what):
        entry = storage.index.slice_entry(name, stored[found.index]) if whole.slices else whole
        _read_region(storage.reader(entry.shard), name, entry, found.source, result, found.target)
    return result


def _box(key: Any, shape: Shape, name: str) -> tuple[list[tuple[int, int]], Any]:
    """A basic index as (start, stop) in every dimension, and an index into what lies there that does the rest (steps, dropped dimensions)."""
    keys = list(key) if isinstance(key, tuple) else [key]
    ellipses = [number for number, item in enumerate(keys) if item is Ellipsis]
    if len(ellipses) > 1 or len(keys) - len(ellipses) > len(shape):
        raise InvalidArgumentError(f"tensor {name!r}: index {key!r} has too many dimensions for shape {list(shape)}")
    at = ellipses[0] if ellipses else len(keys)
    keys[at : at + 1] = [slice(None)] * (len(shape) - len(keys) + len(ellipses))
    box: list[tuple[int, int]] = []
    rest: list[Any] = []
    for item, size in zip(keys, shape, strict=True):
        try:
            if isinstance(item, bool):
                raise TypeError
            chosen = range(size)[item if isinstance(item, slice) else operator.index(item)]
        except IndexError:
            raise OutOfRangeError(f"tensor {name!r}: index {item} is out of range for a dimension of {size}") from None
        except (TypeError, ValueError):
            raise InvalidArgumentError(
                f"tensor {name!r}: index {key!r}; expected integers, slices and '...': read it whole for anything else"
            ) from None
        if isinstance(chosen, int):
            box.append((chosen, chosen + 1))
            rest.append(0)
        else:
            box.append((min(chosen[0], chosen[-1]), max(chosen[0], chosen[-1]) + 1) if chosen else (0, 0))
            rest.append(slice(None, None, chosen.step))
    return box, (*rest, ...) if ellipses else tuple(rest)


def _read_region(
    file: ShardReader, name: str, entry: Entry, source: tuple[slice, ...], result: np.ndarray[Any, Any], target: tuple[slice, ...]
) -> None:
    """Reads a region of a row-major tensor in a file into a region of an array."""
    begin, end = _span(entry.shape, source, result.dtype.itemsize)
    file.check(entry.offset + begin, end - begin, f"tensor {name!r}")
    runs = byte_runs(entry.shape, source, result.shape, target, result.dtype.itemsize)
    first = next(runs)
    if first[2] >= _LONG_RUN_BYTES or first[2] == result[target].nbytes:  # all are of one size
        flat = memoryview(result.reshape(-1).view(np.uint8).data)
        for from_byte, to_byte, size_bytes in itertools.chain([first], runs):
            file.read([flat[to_byte : to_byte + size_bytes]], size_bytes, entry.offset + from_byte)
    else:
        _read_rows(file, entry.offset, entry.shape, source, result[target])


def _span(shape: Shape, region: tuple[slice, ...], item_bytes: int) -> tuple[int, int]:
    """Of a row-major tensor, the bytes from a region's first element to its last."""
    begin = last = 0
    for size, part in zip(shape, region, strict=True):
        begin, last = begin * size + part.start, last * size + part.stop - 1
    return begin * item_bytes, (last + 1) * item_bytes


def _read_rows(file: ShardReader, offset: int, shape: Shape, source: tuple[slice, ...], result: np.ndarray[Any, Any]) -> None:
    """Reads whole rows, some at a time, and keeps of them what is wanted: far fewer calls where the runs are short."""
    row_bytes = math.prod(shape[1:]) * result.dtype.itemsize
    beyond = row_bytes - _span(shape[1:], source[1:], result.dtype.itemsize)[1]  # of the last row, which the file need not hold
    first, last = source[0].start, source[0].stop
    if row_bytes > _BLOCK_BYTES:
        for number in range(first, last):
            _read_rows(file, offset + number * row_bytes, shape[1:], source[1:], result[number - first])
        return
    step = _BLOCK_BYTES // row_bytes
    for start in range(first, last, step):
        block = np.empty((min(step, last - start), *shape[1:]), result.dtype)
        size_bytes = block.nbytes - beyond
        file.read([block.reshape(-1).view(np.uint8).data[:size_bytes]], size_bytes, offset + start * row_bytes)
        result[start - first : start - first + len(block)] = block[(slice(None), *source[1:])]
