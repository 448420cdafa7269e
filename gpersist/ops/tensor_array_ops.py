"""Arrays of tensors: what their handles are, and the operations that write and read their elements. `tensor_array` has the Python class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from gpersist import protos
from gpersist.devices import Array
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.graph import Context, Operation, SessionOpType, check_free
from gpersist.ops import shape_functions
from gpersist.shapes import TensorShape, as_shape, unknown_shape

__all__: list[str] = []

_FLOW = np.float32(0)


_ELEMENT_BYTES = 88
"""What an element takes without its value."""


class _Element:
    """An element: its value, None for zeros, and what has been done with it."""

    __slots__ = ("is_cleared", "is_read", "is_written", "shape", "value")

    def __init__(self) -> None:
        self.value: Any = None
        self.shape: TensorShape | None = None
        self.is_written = self.is_read = self.is_cleared = False


def _new_elements(count: int) -> list[_Element]:
    check_free(count * _ELEMENT_BYTES, f"a TensorArray of {count} elements")
    return [_Element() for _ in range(count)]


class Elements:
    """What the handle of a TensorArray is; a new one in each run.

    Args:
        name: for what goes wrong.
        dtype: of the elements.
        size: how many there are.
        shape: what is known of the shape of each.
        grows: whether there are more once a later one is written.
        clears: whether an element can be read but once.
        is_uniform: whether all have one shape, which the first tells.
        adds: whether what is written to an element again is added; else it may be written but once.
    """

    def __init__(
        self, name: str, dtype: DType, size: int, shape: TensorShape, *, grows: bool, clears: bool, is_uniform: bool, adds: bool = False
    ) -> None:
        self.name = name
        self.element_type = dtype  # not called `dtype`, by which the executor tells arrays
        self.shape = shape
        self._grows = grows
        self._clears = clears
        self._is_uniform = is_uniform
        self._adds = adds
        self._elements: list[_Element] | None = _new_elements(size)
        self._gradients: dict[tuple[str, tuple[int, ...]], Elements] = {}

    @property
    def elements(self) -> list[_Element]:
        """The elements."""
        if self._elements is None:
            raise InvalidArgumentError(f"TensorArray {self.name} has already been closed.")
        return self._elements

    def close(self) -> None:
        """Drops the elements."""
        self._elements = None

    def gradient(self, source: str, prefix: tuple[int, ...] = ()) -> Elements:
        """The array of the elements' gradients, always the same for a source; those that nobody writes are zeros."""
        elements = self.elements
        found = self._gradients.get((source, prefix))
        if found is None:
            self._grows = False
            shape = TensorShape(list(prefix)).concatenate(self.shape) if prefix else self.shape
            found = Elements(
                f"{self.name}@{source}", self.element_type, len(elements), shape, grows=False, clears=False, is_uniform=self._is_uniform, adds=True
            )
            for mine, theirs in zip(found.elements, elements, strict=True):
                if theirs.is_written and theirs.shape is not None:
                    mine.is_written, mine.shape = True, TensorShape(list(prefix)).concatenate(theirs.shape)
            self._gradients[source, prefix] = found
        return found

    def write(self, index: int, value: Any) -> None:
        """Sets an element, or adds to it."""
        elements = self.elements
        if index < 0 or (index >= len(elements) and not self._grows):
            raise InvalidArgumentError(
                f"TensorArray {self.name}: Tried to write to index {index} but array is not resizeable and size is: {len(elements)}"
            )
        elements += _new_elements(index + 1 - len(elements))
        self._check_shape(index, value.shape)
        element = elements[index]
        where = f"TensorArray {self.name}: Could not write to TensorArray index {index} because it has already been"
        if element.is_read:
            raise InvalidArgumentError(f"{where} read.")
        if element.is_written and not self._adds:
            raise InvalidArgumentError(f"{where} written to.")
        if element.is_written and element.shape is not None and element.shape.sizes != value.shape:
            raise InvalidArgumentError(
                f"TensorArray {self.name}: Could not aggregate to TensorArray index {index} because the existing shape is {element.shape} but the "
                f"new input shape is {TensorShape(value.shape)}."
            )
        element.value = value if element.value is None else element.value + value
        element.shape = self.shape if self.shape.sizes == value.shape else TensorShape(value.shape)
        element.is_written = True

    def read(self, xp: Any, index: int) -> Any:
        """An element."""
        elements = self.elements
        if not 0 <= index < len(elements):
            raise InvalidArgumentError(f"Tried to read from index {index} but array size is: {len(elements)}")
        element = elements[index]
        if element.is_cleared:
            raise InvalidArgumentError(
                f"TensorArray {self.name}: Could not read index {index} twice because it was cleared after a previous read (perhaps try setting "
                "clear_after_read = false?)."
            )
        if not element.is_written:
            if not self.shape.is_fully_defined():
                raise InvalidArgumentError(
                    f"TensorArray {self.name}: Could not read from TensorArray index {index}.  Furthermore, the element shape is not fully defined: "
                    f"{_shown(self.shape)}.  It is possible you are working with a resizeable TensorArray and stop_gradients is not allowing the "
                    "gradients to be written.  If you set the full element_shape property on the forward TensorArray, the proper all-zeros tensor "
                    "will be returned instead of incurring this error."
                )
            element.shape, element.is_written = self.shape, True
        value = element.value
        if value is None:
            assert element.shape is not None
            value = zeros(xp, element.shape, self.element_type)
            element.value = value
        element.is_read = not self._adds
        if self._clears:
            element.is_cleared, element.value = True, None
        return value

    def _check_shape(self, index: int, shape: tuple[int, ...]) -> None:
        if self.shape.sizes == shape:
            return
        if not self.shape.is_compatible_with(shape):
            raise InvalidArgumentError(
                f"TensorArray {self.name}: Could not write to TensorArray index {index} because the value shape is {_shown(TensorShape(shape))} "
                f"which is incompatible with the TensorArray's inferred element shape: {_shown(self.shape)} (consider setting infer_shape=False)."
            )
        if self._is_uniform and not self.shape.is_fully_defined():
            self.shape = TensorShape(shape)


def zeros(xp: Any, shape: TensorShape, dtype: DType) -> Any:
    """A tensor of zeros, or of empty texts."""
    sizes = tuple(shape.as_list())
    return np.full(sizes, b"", object) if dtype.is_string else xp.zeros(sizes, dtype.numpy)


def _shown(shape: TensorShape) -> str:
    return "<unknown>" if shape.sizes is None else "[" + ",".join("?" if size is None else str(size) for size in shape.sizes) + "]"


class _ArrayOp(SessionOpType, abstract=True):
    """Does something with the elements of a TensorArray."""

    is_stateful = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [shape_functions.SCALAR]


def _type_name(dtype: DType) -> str:
    return protos.DataType.Name(dtype.base_dtype.enum).removeprefix("DT_").lower()


def _check_type(handle: Elements, op: Operation, dtype: DType, verb: str) -> None:
    if handle.element_type is not dtype:
        raise InvalidArgumentError(f"TensorArray dtype is {_type_name(handle.element_type)} but Op is trying to {verb} dtype {_type_name(dtype)}.")


class TensorArrayV3(_ArrayOp):
    """A new array of tensors."""

    inputs = "size: int32"
    outputs = "handle: resource, flow: float"
    attrs = (
        "dtype: type, element_shape: shape = ?, dynamic_size: bool = false, clear_after_read: bool = true, identical_element_shapes: bool = false, "
        "tensor_array_name: string = ''"
    )
    host_inputs = ("size",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(0)
        return [TensorShape([2]), shape_functions.SCALAR]

    @staticmethod
    def run(
        ctx: Context,
        size: Any,
        *,
        dtype: DType,
        element_shape: TensorShape,
        dynamic_size: bool,
        clear_after_read: bool,
        identical_element_shapes: bool,
        tensor_array_name: bytes,
    ) -> tuple[Elements, Any]:
        if np.ndim(size):
            raise InvalidArgumentError(f"TensorArray size must be scalar, but had shape: {_shown(TensorShape(size.shape))}")
        if size < 0:
            raise InvalidArgumentError("Size should be >= 0.")
        name = tensor_array_name.decode() or ctx.op.name
        shape = as_shape(element_shape)
        made = Elements(name, dtype, int(size), shape, grows=dynamic_size, clears=clear_after_read, is_uniform=identical_element_shapes)
        return made, _FLOW

    @staticmethod
    def gradient(op: Operation, *grads: Any) -> list[None]:
        return [None]


class TensorArrayGradV3(_ArrayOp):
    """The array of the gradients of an array's elements."""

    inputs = "handle: resource, flow_in: float"
    outputs = "grad_handle: resource, flow_out: float"
    attrs = "source: string"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [TensorShape([2]), shape_functions.SCALAR]

    @staticmethod
    def run(ctx: Context, handle: Elements, flow: Any, *, source: bytes) -> tuple[Elements, Any]:
        return handle.gradient(source.decode()), _FLOW

    @staticmethod
    def gradient(op: Operation, *grads: Any) -> list[None]:
        return [None, None]


class TensorArrayGradWithShape(_ArrayOp):
    """The array of the gradients of an array's elements, with more axes before theirs."""

    inputs = "handle: resource, flow_in: float, shape_to_prepend: int32"
    outputs = "grad_handle: resource, flow_out: float"
    attrs = "source: string"
    host_inputs = ("shape_to_prepend",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape(), shape_functions.SCALAR]

    @staticmethod
    def run(ctx: Context, handle: Elements, flow: Any, prefix: Any, *, source: bytes) -> tuple[Elements, Any]:
        return handle.gradient(source.decode(), tuple(np.asarray(prefix).tolist())), _FLOW

    @staticmethod
    def gradient(op: Operation, *grads: Any) -> list[None]:
        return [None, None, None]


class TensorArrayWriteV3(_ArrayOp):
    """Writes an element."""

    inputs = "handle: resource, index: int32, value: T, flow_in: float"
    outputs = "flow_out: float"
    attrs = "T: type"
    host_inputs = ("index",)

    @staticmethod
    def run(ctx: Context, handle: Elements, index: Any, value: Array, flow: Any, *, T: DType) -> Any:  # noqa: N803  # the attribute's name
        _check_type(handle, ctx.op, T, "write")
        handle.write(int(index), value)
        return _FLOW


class TensorArrayReadV3(_ArrayOp):
    """Reads an element."""

    inputs = "handle: resource, index: int32, flow_in: float"
    outputs = "value: dtype"
    attrs = "dtype: type"
    host_inputs = ("index",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape()]

    @staticmethod
    def run(ctx: Context, handle: Elements, index: Any, flow: Any, *, dtype: DType) -> Array:
        _check_type(handle, ctx.op, dtype, "read")
        return ctx.move(handle.read(ctx.xp, int(index)))


class TensorArrayGatherV3(_ArrayOp):
    """Elements as one tensor, stacked along a new first axis."""

    inputs = "handle: resource, indices: int32, flow_in: float"
    outputs = "value: dtype"
    attrs = "dtype: type, element_shape: shape = ?"
    host_inputs: ClassVar[tuple[str, ...]] = ("indices",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[1].shape.with_rank(1)
        return [unknown_shape()]

    @staticmethod
    def run(ctx: Context, handle: Elements, indices: Any, flow: Any, *, dtype: DType, element_shape: TensorShape) -> Array:
        _check_type(handle, ctx.op, dtype, "read")
        if np.ndim(indices) != 1:
            raise InvalidArgumentError(f"Expected indices to be a vector, but received shape: {_shown(TensorShape(np.shape(indices)))}")
        return stacked(ctx, [handle.read(ctx.xp, index) for index in indices.tolist()], _joint_shape(handle, element_shape), dtype)


class TensorArrayScatterV3(_ArrayOp):
    """Writes the rows of a tensor as elements."""

    inputs = "handle: resource, indices: int32, value: T, flow_in: float"
    outputs = "flow_out: float"
    attrs = "T: type"
    host_inputs: ClassVar[tuple[str, ...]] = ("indices",)

    @staticmethod
    def run(ctx: Context, handle: Elements, indices: Any, value: Array, flow: Any, *, T: DType) -> Any:  # noqa: N803
        _check_type(handle, ctx.op, T, "write")
        if np.ndim(value) < 1:
            raise InvalidArgumentError("Value for unpacked data must be a vector or higher, but its shape is []")
        if len(indices) != value.shape[0]:
            raise InvalidArgumentError(f"Expected len(indices) == values.shape[0], but saw: {len(indices)} vs. {value.shape[0]}")
        for row, index in enumerate(indices.tolist()):
            handle.write(index, value[row, ...])  # an array, where an element is one text, too
        return _FLOW


class TensorArrayConcatV3(_ArrayOp):
    """All elements as one tensor, one behind the other, and how many rows each has."""

    inputs = "handle: resource, flow_in: float"
    outputs = "value: dtype, lengths: int64"
    attrs = "dtype: type, element_shape_except0: shape = ?"
    host_outputs = ("lengths",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape(), TensorShape([None])]

    @staticmethod
    def run(ctx: Context, handle: Elements, flow: Any, *, dtype: DType, element_shape_except0: TensorShape) -> tuple[Array, Any]:
        _check_type(handle, ctx.op, dtype, "concat")
        values = [handle.read(ctx.xp, index) for index in range(len(handle.elements))]
        return concatenated(ctx, values, as_shape(element_shape_except0), dtype)


class TensorArraySplitV3(_ArrayOp):
    """Writes parts of a tensor as elements."""

    inputs = "handle: resource, value: T, lengths: int64, flow_in: float"
    outputs = "flow_out: float"
    attrs = "T: type"
    host_inputs = ("lengths",)

    @staticmethod
    def run(ctx: Context, handle: Elements, value: Array, lengths: Any, flow: Any, *, T: DType) -> Any:  # noqa: N803
        _check_type(handle, ctx.op, T, "write")
        for index, part in enumerate(split(value, lengths)):
            handle.write(index, part)
        return _FLOW


class TensorArraySizeV3(_ArrayOp):
    """How many elements there are."""

    inputs = "handle: resource, flow_in: float"
    outputs = "size: int32"
    host_outputs = ("size",)

    @staticmethod
    def run(ctx: Context, handle: Elements, flow: Any) -> Any:
        return np.int32(len(handle.elements))

    @staticmethod
    def gradient(op: Operation, *grads: Any) -> list[None]:
        return [None, None]


class TensorArrayCloseV3(_ArrayOp):
    """Drops what is in an array."""

    inputs = "handle: resource"
    shapes = staticmethod(shape_functions.none)

    @staticmethod
    def run(ctx: Context, handle: Elements) -> None:
        handle.close()

    @staticmethod
    def gradient(op: Operation) -> list[None]:
        return [None]


def _joint_shape(handle: Elements, shape: TensorShape) -> TensorShape:
    wanted = as_shape(shape)
    if not wanted.is_compatible_with(handle.shape):
        raise InvalidArgumentError(
            f"TensorArray was passed element_shape {_shown(wanted)} which does not match the TensorArray's: {_shown(handle.shape)}"
        )
    return wanted.merge_with(handle.shape)


def stacked(ctx: Context, values: Sequence[Any], shape: TensorShape, dtype: DType) -> Any:
    """Tensors of one shape along a new first axis.

    Raises:
        InvalidArgumentError: their shapes are different.
        UnimplementedError: there are none, and their shape is not known.
    """
    if not values:
        return _none(ctx, shape, dtype, "element shape", "packing")
    if not hasattr(values[0], "dtype"):  # variants
        found = np.empty(len(values), object)
        found[:] = values
        return found
    moved = [ctx.move(value) for value in values]
    first = moved[0].shape
    for index, value in enumerate(moved):
        if value.shape != first:
            raise InvalidArgumentError(
                f"TensorArray has inconsistent shapes.  Index 0 has shape: {_shown(TensorShape(first))} but index {index} has shape: "
                f"{_shown(TensorShape(value.shape))}"
            )
    return (np if dtype.is_string else ctx.xp).stack(moved)


def _none(ctx: Context, shape: TensorShape, dtype: DType, what: str, doing: str) -> Any:
    """No tensors, of a shape."""
    if not shape.is_fully_defined():
        raise UnimplementedError(
            f"TensorArray has size zero, but {what} {_shown(shape)} is not fully defined. Currently only static shapes are supported when {doing} "
            "zero-size TensorArrays."
        )
    return zeros(ctx.xp, TensorShape([0]).concatenate(shape), dtype)


def concatenated(ctx: Context, values: Sequence[Any], rest: TensorShape, dtype: DType) -> tuple[Any, Any]:
    """Tensors one behind the other, and the number of rows of each.

    Raises:
        InvalidArgumentError: rows of different shapes.
        UnimplementedError: there are none, and their shape is not known.
    """
    if not values:
        return _none(ctx, rest, dtype, "element_shape_except0", "concatenating"), np.zeros(0, np.int64)
    moved = [ctx.move(value) for value in values]
    for index, value in enumerate(moved):
        if np.ndim(value) == 0:
            raise InvalidArgumentError(f"Concat saw a scalar shape at index {index} but requires at least vectors.")
        if value.shape[1:] != moved[0].shape[1:]:
            raise InvalidArgumentError(
                f"TensorArray has inconsistent shapes.  Index 0 has (excepting dimension 0) shape: {_shown(TensorShape(moved[0].shape[1:]))} but "
                f"index {index} has (excepting dimension 0) shape: {_shown(TensorShape(value.shape[1:]))}"
            )
    return (np if dtype.is_string else ctx.xp).concatenate(moved), np.asarray([value.shape[0] for value in moved], np.int64)


def split(value: Any, lengths: Any) -> list[Any]:
    """Parts of a tensor, of so many rows each.

    Raises:
        InvalidArgumentError: it has another number of rows than they come to.
    """
    if np.ndim(lengths) != 1:
        raise InvalidArgumentError(f"Expected lengths to be a vector, received shape: {_shown(TensorShape(np.shape(lengths)))}")
    if np.ndim(value) < 1:
        raise InvalidArgumentError("Expected value to be at least a vector, but received shape: []")
    if int(lengths.sum()) != value.shape[0]:
        raise InvalidArgumentError(
            f"Expected sum of lengths to be equal to values.shape[0], but sum of lengths is {int(lengths.sum())} and value's shape is: "
            f"{_shown(TensorShape(value.shape))} "
        )
    ends = np.cumsum(lengths).tolist()
    return [value[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]
