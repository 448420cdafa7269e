"""What a save is given, brought to one form: rows of names, dtypes, shapes, devices, and buffers ready to be sent.

Columns, not an object a tensor: a checkpoint of 20,000 scalars has to be looked through in a few milliseconds.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gpersist.bundle import TensorSlice, strings
from gpersist.devices import Array, Device, adopt, device_of
from gpersist.devices import get as get_device
from gpersist.dtypes import STRING, DType, from_numpy
from gpersist.errors import GPersistError, InvalidArgumentError
from gpersist.shapes import Shape, element_count
from gpersist.staging import Pulled, Scattered
from gpersist.table import mask, unmask


@dataclasses.dataclass(frozen=True, eq=False)
class PartitionedArray:
    """An array that is stored as slices of one tensor, as TensorFlow's partitioned variables are.

    Attributes:
        shape: of the whole tensor.
        parts: (slice, array) pairs; a slice is a TensorSlice or its text form, such as `"0,2:-"`. Together they need not cover the whole.
    """

    shape: Shape
    parts: Sequence[tuple[TensorSlice | str, Any]]


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """Rows to save: one for an array, one for each part of a partitioned array.

    Attributes:
        names: tensor of each row, in the order given.
        slices: the part that a row is; empty where no row is a part.
        full_shapes: of partitioned tensors, by name.
        dtypes: NumPy dtypes; `object` for strings.
        shapes: of the rows' arrays.
        buffers: contiguous arrays of their device; those of the host of other layouts as `Scattered`; what is read when it is sent
            as `Pulled`; encoded bytes for strings.
        sizes: bytes of each row in the file.
        devices: where each row's array lives; strings are the host's.
        string_crcs: masked crcs of rows that are strings, by row: they are not those of the bytes.
        owned: rows whose buffer is a copy made here, which nobody else can change.
    """

    names: list[str]
    slices: dict[int, TensorSlice]
    full_shapes: dict[str, Shape]
    dtypes: list[np.dtype[Any]]
    shapes: list[Shape]
    buffers: list[Array]
    sizes: list[int]
    devices: list[Device]
    string_crcs: dict[int, int]
    owned: set[int]

    def host_array(self, row: int) -> np.ndarray[Any, Any]:
        """A row as a NumPy array of its shape and dtype; strings as an object array. Copies what lives on a device."""
        if row in self.string_crcs:
            return strings.decode(bytes(self.buffers[row]), self.shapes[row], unmask(self.string_crcs[row]), f"tensor {self.names[row]!r}")
        device = self.devices[row]
        if device.is_host:
            buffer = self.buffers[row]
            if isinstance(buffer, Scattered):
                return np.asarray(buffer.array, buffer.dtype, order="C")
            if isinstance(buffer, Pulled):
                return np.asarray(buffer)
            return np.asarray(buffer).reshape(-1).view(self.dtypes[row]).reshape(self.shapes[row])
        array = np.empty(self.shapes[row], self.dtypes[row])
        if array.nbytes:
            stream, pinned = device.stream(), device.pinned(array.nbytes)
            try:
                stream.wait(device.record_current())
                stream.copy_to_host(pinned, 0, self.buffers[row], 0, array.nbytes)
                stream.record().synchronize()
                array.reshape(-1).view(np.uint8)[...] = pinned.array[: array.nbytes]
            finally:
                stream.close()
                pinned.close()
        return array


_plain_dtypes: dict[np.dtype[Any], bool] = {}


def _is_plain(dtype: np.dtype[Any]) -> bool:
    """Whether arrays of a dtype are ready as they are: a type of TensorFlow's, in the machine's byte order, with the buffer protocol."""
    known = _plain_dtypes.get(dtype)
    if known is None:
        known = _plain_dtypes[dtype] = dtype.isbuiltin == 1 and dtype.kind in "biufc" and dtype.isnative and dtype.char not in "gG"  # long double
    return known


_shape_of: Callable[[Any], Shape] = operator.attrgetter("shape")
_dtype_of: Callable[[Any], np.dtype[Any]] = operator.attrgetter("dtype")
_size_of: Callable[[Any], int] = operator.attrgetter("nbytes")
_is_contiguous: Callable[[Any], bool] = operator.attrgetter("flags.c_contiguous")


def collect(arrays: Mapping[str, Any]) -> Source:
    """Looks through named arrays.

    Args:
        arrays: by name: NumPy and CuPy arrays, whatever has DLPack or `__cuda_array_interface__`, Python scalars, strings, PartitionedArray,
            `Pulled`.

    Raises:
        InvalidArgumentError: a name is no text, empty, or begins with a NUL; a value is no array; parts overlap, or do not fit their whole.
        UnimplementedError: TensorFlow's files cannot hold a dtype.
    """
    names, values = list(arrays), list(arrays.values())
    for name in names:
        if not isinstance(name, str) or not name or name[0] == "\0":
            raise InvalidArgumentError(f"tensor name {name!r}: expected text that is not empty and does not begin with a NUL")
    try:
        "".join(names).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(f"tensor names: {error}; a name is text, or bytes decoded by 'surrogateescape'") from error
    here = get_device("/device:CPU:0")
    if are_ready(values):  # the most common case by far, with no Python code per array
        dtypes, shapes, sizes = list(map(_dtype_of, values)), list(map(_shape_of, values)), list(map(_size_of, values))
        return Source(names, {}, {}, dtypes, shapes, values, sizes, [here] * len(values), {}, set())
    source = Source([], {}, {}, [], [], [], [], [], {}, set())
    for name, value in zip(names, values, strict=True):
        if isinstance(value, PartitionedArray):
            _add_parts(source, name, value)
        else:
            _add(source, name, value)
    return source


def _add_parts(source: Source, name: str, value: PartitionedArray) -> None:
    what = f"tensor {name!r}"
    try:
        shape = tuple(map(operator.index, value.shape))
        parts = [(TensorSlice.parse(part) if isinstance(part, str) else part, array) for part, array in value.parts]
        boxes = [part.bounds(shape, what) for part, _ in parts]
    except GPersistError as error:
        raise InvalidArgumentError(error.message if what in error.message else f"{what}: {error.message}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise InvalidArgumentError(f"{what}: a PartitionedArray has a shape and (slice, array) pairs: {error}") from error
    element_count(shape, f"{what}: shape")
    if not parts:
        raise InvalidArgumentError(f"{what}: a PartitionedArray needs at least one part")
    is_whole = len(parts) == 1 and parts[0][0].shape_in(shape) == shape
    if not is_whole:  # TensorFlow, too, stores a part that is the whole as an ordinary tensor
        _check_apart(boxes, what)
        source.full_shapes[name] = shape
    first = len(source.names)
    for part, array in parts:
        row = len(source.names)
        if not is_whole:
            source.slices[row] = part
        _add(source, name, array)
        if source.shapes[row] != part.shape_in(shape):
            raise InvalidArgumentError(
                f"{what}: the part {part} of {list(shape)} is of shape {list(part.shape_in(shape))}, its array of {list(source.shapes[row])}"
            )
        if source.dtypes[row] != source.dtypes[first]:
            raise InvalidArgumentError(f"{what}: parts of dtypes {source.dtypes[first]} and {source.dtypes[row]}")


def _check_apart(boxes: Sequence[Sequence[tuple[int, int]]], what: str) -> None:
    """Refuses slices that share an element, which no reader takes."""
    bounds = np.array(boxes, np.int64).reshape(len(boxes), len(boxes[0]), 2)
    for number in range(1, len(boxes)):
        starts, stops = bounds[:number, :, 0], bounds[:number, :, 1]
        common = np.flatnonzero((np.maximum(starts, bounds[number, :, 0]) < np.minimum(stops, bounds[number, :, 1])).all(axis=1))
        if len(common):
            raise InvalidArgumentError(f"{what}: the parts number {int(common[0])} and {number} overlap")


def _add(source: Source, name: str, value: Any) -> None:
    if isinstance(value, Pulled):
        source.owned.add(len(source.names))  # nobody writes to it
        source.names.append(name)
        source.shapes.append(value.shape)
        source.dtypes.append(value.dtype)
        source.buffers.append(value)
        source.sizes.append(value.nbytes)
        source.devices.append(get_device("/device:CPU:0"))
        return
    try:
        array = adopt(value)
    except GPersistError as error:
        raise type(error)(f"tensor {name!r}: {error.message}") from error
    device = device_of(array)
    dtype, shape = array.dtype, tuple(array.shape)
    kind = from_numpy(dtype, f"tensor {name!r}")
    row = len(source.names)
    source.names.append(name)
    source.shapes.append(shape)
    buffer: Array
    if kind.is_string:
        data, crc = strings.encode(array, f"tensor {name!r}")
        source.string_crcs[row] = mask(crc)
        dtype, buffer, device = np.dtype(object), np.frombuffer(data, np.uint8), get_device("/device:CPU:0")
        source.owned.add(row)
    else:
        assert kind.numpy is not None
        dtype = kind.numpy
        if device.is_host:
            buffer = host_buffer(array, dtype)
        else:
            buffer = contiguous(array, dtype, device)
            if buffer is not array:
                source.owned.add(row)
    source.dtypes.append(dtype)
    source.buffers.append(buffer)
    source.sizes.append(int(buffer.nbytes))
    source.devices.append(device)


def are_ready(arrays: Sequence[Any]) -> bool:
    """Whether all are NumPy's arrays, and `is_ready` of their own dtypes."""
    return set(map(type, arrays)) <= {np.ndarray} and all(map(_is_plain, set(map(_dtype_of, arrays)))) and all(map(_is_contiguous, arrays))


def is_ready(array: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> bool:
    """Whether an array of the host has the buffer protocol, and its bytes stand in memory as those of a dtype do in a file."""
    return array.flags.c_contiguous and array.dtype == dtype and _is_plain(dtype)


def host_buffer(array: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> Array:
    """The very memory of a host array, as `send` and `receive` take it; `dtype` is that of the file."""
    array = array.view(np.ndarray)  # a matrix does not reshape as arrays do
    if is_ready(array, dtype):
        return array
    if array.flags.c_contiguous and array.dtype == dtype:
        return array.reshape(-1).view(np.uint8)  # NumPy does not lend the buffers of ml_dtypes' types
    return Scattered(array, dtype)


def contiguous(array: Array, dtype: np.dtype[Any], device: Device) -> Array:
    """An array of another device than the host, or a C-contiguous copy of it there in the file's byte order."""
    if array.dtype != dtype:
        array = array.astype(dtype)
    if array.flags.c_contiguous:
        return array
    copy = device.empty(tuple(array.shape), dtype)
    stream = device.stream()
    try:
        stream.wait(device.record_current())
        stream.copy_array(copy, array)
        device.wait_current(stream.record())
    finally:
        stream.close()
    return copy


def dtype_of(numpy: np.dtype[Any]) -> DType:
    """The type in the file of a row."""
    return STRING if numpy == np.dtype(object) else from_numpy(numpy)
