"""Lists of tensors, as functional loops hand them from one iteration to the next. A list is a value: what changes it gives a new one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Context, Operation, SessionOpType, Tensor, constant_shape, constant_value
from gpersist.ops import shape_functions
from gpersist.ops.tensor_array_ops import split, zeros
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []


class TensorList:
    """A list of tensors, never changed.

    Args:
        dtype: of the tensors.
        shape: what is known of the shape of each.
        items: the tensors; None for one that nobody has set.
        limit: how many it may hold; -1 for any number.
    """

    __slots__ = ("element_type", "items", "known_shape", "limit")

    def __init__(self, dtype: DType, shape: TensorShape, items: Sequence[Any] = (), limit: int = -1) -> None:
        self.element_type = dtype  # not called `dtype`, by which the executor tells arrays
        self.known_shape = shape
        self.items = tuple(items)
        self.limit = limit

    def with_items(self, items: Sequence[Any]) -> TensorList:
        """Another list of the same kind."""
        return TensorList(self.element_type, self.known_shape, items, self.limit)

    def check_type(self, dtype: DType) -> None:
        """Holds that its tensors are of a type."""
        if dtype is not self.element_type:
            raise InvalidArgumentError(f"Invalid data types; op elements {dtype.name} but list elements {self.element_type.name}")

    def check_index(self, index: int, verb: str) -> None:
        """Holds that it has an element of a number."""
        if not 0 <= index < len(self.items):
            raise InvalidArgumentError(f"Trying to {verb} element {index} in a list with {len(self.items)} elements.")

    def element_shape(self, wanted: TensorShape) -> TensorShape:
        """What is known of the shape of its elements, a caller's word added."""
        if not self.known_shape.is_compatible_with(wanted):
            raise InvalidArgumentError(
                f"Incompatible shapes during merge: element_shape {_shown(wanted)} is not compatible with that of the list, "
                f"{_shown(self.known_shape)}"
            )
        return self.known_shape.merge_with(wanted)

    def get(self, ctx: Context, index: int, wanted: TensorShape) -> Any:
        """An element; zeros, if nobody has set it."""
        item = self.items[index]
        if item is not None:
            return ctx.move(item)
        shape = self.element_shape(wanted)
        if not shape.is_fully_defined():
            for other in self.items:
                if other is not None:
                    shape = shape.merge_with(other.shape)
                    break
        if not shape.is_fully_defined():
            raise InvalidArgumentError(f"Trying to read an uninitialized tensor but element_shape is not fully defined: {_shown(shape)}")
        return zeros(ctx.xp, shape, self.element_type)


def _shape_of(value: Any) -> TensorShape:
    """A shape given as a tensor: a vector in which -1 is not known, or -1 for nothing known."""
    array = np.asarray(value)
    if array.ndim == 0:
        if array != -1:
            raise InvalidArgumentError(f"The only valid scalar shape tensor is the fully unknown shape specified as -1, found {array}")
        return unknown_shape()
    return TensorShape([None if size < 0 else size for size in array.tolist()])


def _known_shape(tensor: Tensor) -> TensorShape:
    """The same, before running."""
    if tensor.shape.rank == 0 or tensor.shape.rank is None:
        value = constant_value(tensor)
        return unknown_shape() if value is None or not np.ndim(value) else _shape_of(value)
    return constant_shape(tensor)


def _shown(shape: TensorShape) -> str:
    return "<unknown>" if shape.sizes is None else "[" + ",".join("?" if size is None else str(size) for size in shape.sizes) + "]"


class _ListOp(SessionOpType, abstract=True):
    """Gives a list."""

    shapes = staticmethod(shape_functions.scalar)


class EmptyTensorList(_ListOp):
    """A list of nothing."""

    inputs = "element_shape: shape_type, max_num_elements: int32"
    outputs = "handle: variant"
    attrs = "element_dtype: type, shape_type: {int32, int64}"
    host_inputs = ("element_shape", "max_num_elements")

    @staticmethod
    def run(ctx: Context, element_shape: Any, limit: Any, *, element_dtype: DType) -> TensorList:
        return TensorList(element_dtype, _shape_of(element_shape), (), int(limit))


class TensorListReserve(_ListOp):
    """A list of elements that nobody has set."""

    inputs = "element_shape: shape_type, num_elements: int32"
    outputs = "handle: variant"
    attrs = "element_dtype: type, shape_type: {int32, int64}"
    host_inputs = ("element_shape", "num_elements")

    @staticmethod
    def run(ctx: Context, element_shape: Any, count: Any, *, element_dtype: DType) -> TensorList:
        if count < 0:
            raise InvalidArgumentError(f"The num_elements to reserve must be a non negative number, but got {int(count)}")
        return TensorList(element_dtype, _shape_of(element_shape), [None] * int(count))


class TensorListFromTensor(_ListOp):
    """The rows of a tensor."""

    inputs = "tensor: element_dtype, element_shape: shape_type"
    outputs = "output_handle: variant"
    attrs = "element_dtype: type, shape_type: {int32, int64}"
    host_inputs = ("element_shape",)

    @staticmethod
    def run(ctx: Context, tensor: Array, element_shape: Any, *, element_dtype: DType) -> TensorList:
        if np.ndim(tensor) < 1:
            raise InvalidArgumentError("Tensor must be at least a vector, but saw shape: []")
        shape = _shape_of(element_shape)
        if not shape.is_compatible_with(tensor.shape[1:]):
            raise InvalidArgumentError(
                f"Specified a list with shape {_shown(shape)} from a tensor with shape {_shown(TensorShape(tensor.shape[1:]))}"
            )
        return TensorList(element_dtype, shape, list(tensor))


class TensorListSetItem(_ListOp):
    """The list, with an element set."""

    inputs = "input_handle: variant, index: int32, item: element_dtype"
    outputs = "output_handle: variant"
    attrs = "element_dtype: type"
    host_inputs = ("index",)

    @staticmethod
    def run(
        ctx: Context, handle: TensorList, index: Any, item: Array, *, element_dtype: DType, resize_if_index_out_of_bounds: bool = False
    ) -> TensorList:
        handle.check_type(element_dtype)
        items = list(handle.items)
        place = int(index)
        if resize_if_index_out_of_bounds and place >= len(items):
            items += [None] * (place + 1 - len(items))
        else:
            handle.check_index(place, "modify")
        if not handle.known_shape.is_compatible_with(item.shape):
            raise InvalidArgumentError(
                "Tried to set a tensor with incompatible shape at a list index. Item element shape: "
                f"{_shown(TensorShape(item.shape))} list shape: {_shown(handle.known_shape)}"
            )
        items[place] = item
        return handle.with_items(items)


class TensorListPushBack(_ListOp):
    """The list, with one more element."""

    inputs = "input_handle: variant, tensor: element_dtype"
    outputs = "output_handle: variant"
    attrs = "element_dtype: type"

    @staticmethod
    def run(ctx: Context, handle: TensorList, tensor: Array, *, element_dtype: DType) -> TensorList:
        handle.check_type(element_dtype)
        if not handle.known_shape.is_compatible_with(tensor.shape):
            raise InvalidArgumentError(
                "Tried to append a tensor with incompatible shape to a list. Op element shape: "
                f"{_shown(TensorShape(tensor.shape))} list shape: {_shown(handle.known_shape)}"
            )
        if 0 <= handle.limit <= len(handle.items):
            raise InvalidArgumentError(f"Tried to push item into a full list list size: {len(handle.items)} max_num_elements: {handle.limit}")
        return handle.with_items([*handle.items, tensor])


class TensorListScatterV2(_ListOp):
    """A list of the rows of a tensor, at some places."""

    inputs = "tensor: element_dtype, indices: int32, element_shape: shape_type, num_elements: int32"
    outputs = "output_handle: variant"
    attrs = "element_dtype: type, shape_type: {int32, int64}"
    host_inputs = ("indices", "element_shape", "num_elements")

    @staticmethod
    def run(ctx: Context, tensor: Array, indices: Any, element_shape: Any, count: Any, *, element_dtype: DType) -> TensorList:
        return _scattered(tensor, indices, TensorList(element_dtype, _shape_of(element_shape)), int(count))


class TensorListScatter(_ListOp):
    """A list of the rows of a tensor, at some places."""

    inputs = "tensor: element_dtype, indices: int32, element_shape: shape_type"
    outputs = "output_handle: variant"
    attrs = "element_dtype: type, shape_type: {int32, int64}"
    host_inputs = ("indices", "element_shape")

    @staticmethod
    def run(ctx: Context, tensor: Array, indices: Any, element_shape: Any, *, element_dtype: DType) -> TensorList:
        return _scattered(tensor, indices, TensorList(element_dtype, _shape_of(element_shape)), -1)


class TensorListScatterIntoExistingList(_ListOp):
    """The list, with some elements set to the rows of a tensor."""

    inputs = "input_handle: variant, tensor: element_dtype, indices: int32"
    outputs = "output_handle: variant"
    attrs = "element_dtype: type"
    host_inputs = ("indices",)

    @staticmethod
    def run(ctx: Context, handle: TensorList, tensor: Array, indices: Any, *, element_dtype: DType) -> TensorList:
        handle.check_type(element_dtype)
        return _scattered(tensor, indices, handle, -1)


class TensorListSplit(_ListOp):
    """Parts of a tensor, of so many rows each."""

    inputs = "tensor: element_dtype, element_shape: shape_type, lengths: int64"
    outputs = "output_handle: variant"
    attrs = "element_dtype: type, shape_type: {int32, int64}"
    host_inputs = ("element_shape", "lengths")

    @staticmethod
    def run(ctx: Context, tensor: Array, element_shape: Any, lengths: Any, *, element_dtype: DType) -> TensorList:
        return TensorList(element_dtype, _shape_of(element_shape), split(tensor, lengths))


class TensorListResize(_ListOp):
    """The list, cut off or with elements that nobody has set."""

    inputs = "input_handle: variant, size: int32"
    outputs = "output_handle: variant"
    host_inputs = ("size",)

    @staticmethod
    def run(ctx: Context, handle: TensorList, size: Any) -> TensorList:
        if size < 0:
            raise InvalidArgumentError(f"TensorListSlice expects size to be non-negative. Got: {int(size)}")
        items = list(handle.items[: int(size)])
        return handle.with_items(items + [None] * (int(size) - len(items)))


class TensorListConcatLists(_ListOp):
    """The elements of two lists."""

    inputs = "input_a: variant, input_b: variant"
    outputs = "output: variant"
    attrs = "element_dtype: type"

    @staticmethod
    def run(ctx: Context, first: TensorList, second: TensorList, *, element_dtype: DType) -> TensorList:
        first.check_type(element_dtype)
        second.check_type(element_dtype)
        return first.with_items([*first.items, *second.items])

    @staticmethod
    def gradient(op: Operation, *grads: Any) -> list[None]:
        return [None, None]


class TensorListGetItem(SessionOpType):
    """An element of a list."""

    inputs = "input_handle: variant, index: int32, element_shape: Tshape"
    outputs = "item: element_dtype"
    attrs = "element_dtype: type, Tshape: {int32, int64} = int32"
    host_inputs = ("index", "element_shape")

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [_known_shape(op._inputs[2])]

    @staticmethod
    def run(ctx: Context, handle: TensorList, index: Any, element_shape: Any, *, element_dtype: DType) -> Array:
        handle.check_type(element_dtype)
        handle.check_index(int(index), "access")
        return handle.get(ctx, int(index), _shape_of(element_shape))


class TensorListPopBack(SessionOpType):
    """The list without its last element, and that."""

    inputs = "input_handle: variant, element_shape: int32"
    outputs = "output_handle: variant, tensor: element_dtype"
    attrs = "element_dtype: type"
    host_inputs = ("element_shape",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [shape_functions.SCALAR, _known_shape(op._inputs[1])]

    @staticmethod
    def run(ctx: Context, handle: TensorList, element_shape: Any, *, element_dtype: DType) -> tuple[TensorList, Array]:
        handle.check_type(element_dtype)
        if not handle.items:
            raise InvalidArgumentError("Trying to pop from an empty list.")
        return handle.with_items(handle.items[:-1]), handle.get(ctx, len(handle.items) - 1, _shape_of(element_shape))


class TensorListStack(SessionOpType):
    """All elements of a list along a new first axis."""

    inputs = "input_handle: variant, element_shape: int32"
    outputs = "tensor: element_dtype"
    attrs = "element_dtype: type, num_elements: int = -1"
    host_inputs = ("element_shape",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        count = op.attr("num_elements")
        return [TensorShape([None if count < 0 else count]).concatenate(_known_shape(op._inputs[1]))]

    @staticmethod
    def run(ctx: Context, handle: TensorList, element_shape: Any, *, element_dtype: DType, num_elements: int) -> Array:
        handle.check_type(element_dtype)
        if num_elements not in (-1, len(handle.items)):
            raise InvalidArgumentError(f"Operation expected a list with {num_elements} elements but got a list with {len(handle.items)} elements.")
        return _stacked(ctx, handle, range(len(handle.items)), _shape_of(element_shape), "stack")


class TensorListGather(SessionOpType):
    """Some elements of a list along a new first axis."""

    inputs = "input_handle: variant, indices: int32, element_shape: int32"
    outputs = "values: element_dtype"
    attrs = "element_dtype: type"
    host_inputs = ("indices", "element_shape")

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[1].shape.concatenate(_known_shape(op._inputs[2]))]

    @staticmethod
    def run(ctx: Context, handle: TensorList, indices: Any, element_shape: Any, *, element_dtype: DType) -> Array:
        handle.check_type(element_dtype)
        for index in indices.tolist():
            handle.check_index(index, "access")
        return _stacked(ctx, handle, indices.tolist(), _shape_of(element_shape), "gather")


class _Concat(SessionOpType, abstract=True):
    """All elements of a list, one behind the other, and how many rows each has."""

    outputs = "tensor: element_dtype, lengths: int64"
    host_outputs = ("lengths",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape(), TensorShape([None])]


class TensorListConcatV2(_Concat):
    """All elements of a list, one behind the other, and how many rows each has."""

    inputs = "input_handle: variant, element_shape: shape_type, leading_dims: int64"
    attrs = "element_dtype: type, shape_type: {int32, int64}"
    host_inputs = ("element_shape", "leading_dims")

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        known = _known_shape(op._inputs[1])
        return [unknown_shape() if known.rank is None else TensorShape([None]).concatenate(known[1:]), TensorShape([None])]

    @staticmethod
    def run(ctx: Context, handle: TensorList, element_shape: Any, leading_dims: Any, *, element_dtype: DType) -> tuple[Array, Any]:
        handle.check_type(element_dtype)
        return _concatenated(ctx, handle, _shape_of(element_shape), leading_dims.tolist())


class TensorListConcat(_Concat):
    """All elements of a list, one behind the other, and how many rows each has."""

    inputs = "input_handle: variant"
    attrs = "element_dtype: type, element_shape: shape = ?"

    @staticmethod
    def run(ctx: Context, handle: TensorList, *, element_dtype: DType, element_shape: TensorShape) -> tuple[Array, Any]:
        handle.check_type(element_dtype)
        return _concatenated(ctx, handle, element_shape, [])


class TensorListLength(SessionOpType):
    """How many elements a list has."""

    inputs = "input_handle: variant"
    outputs = "length: int32"
    host_outputs = ("length",)
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, handle: TensorList) -> Any:
        return np.int32(len(handle.items))

    @staticmethod
    def gradient(op: Operation, *grads: Any) -> list[None]:
        return [None]


class TensorListElementShape(SessionOpType):
    """What is known of the shape of a list's elements; -1 for what is not."""

    inputs = "input_handle: variant"
    outputs = "element_shape: shape_type"
    attrs = "shape_type: {int32, int64}"
    host_outputs = ("element_shape",)

    @staticmethod
    def run(ctx: Context, handle: TensorList, *, shape_type: DType) -> Any:
        sizes = handle.known_shape.sizes
        found = -1 if sizes is None else [-1 if size is None else size for size in sizes]
        return np.asarray(found, shape_type.numpy)

    @staticmethod
    def gradient(op: Operation, *grads: Any) -> list[None]:
        return [None]


def _scattered(tensor: Any, indices: Any, start: TensorList, count: int) -> TensorList:
    if not start.known_shape.is_compatible_with(tensor.shape[1:]):
        raise InvalidArgumentError(
            f"Specified a list with shape {_shown(start.known_shape)} from a tensor with shape {_shown(TensorShape(tensor.shape[1:]))}"
        )
    if len(indices) != tensor.shape[0]:
        raise InvalidArgumentError(f"Specified {len(indices)} indices, but the tensor has {tensor.shape[0]} rows")
    found = indices.tolist()
    if any(index < 0 for index in found):
        raise InvalidArgumentError(f"Indices in TensorListScatter must all be non-negative, found {min(found)}")
    highest = max(found, default=-1)
    if 0 <= count <= highest:
        raise InvalidArgumentError(f"TensorListScatter: Trying to scatter at index {highest} in list with size {count}")
    size = max(len(start.items), count, highest + 1)
    items = [*start.items, *[None] * (size - len(start.items))]
    for row, index in enumerate(found):
        items[index] = tensor[row]
    return start.with_items(items)


def _stacked(ctx: Context, handle: TensorList, indices: Sequence[int], wanted: TensorShape, verb: str) -> Any:
    shape = handle.element_shape(wanted)
    if not indices:
        if not shape.is_fully_defined():
            raise InvalidArgumentError(f"Tried to {verb} elements of an empty list with non-fully-defined element_shape: {_shown(shape)}")
        return zeros(ctx.xp, TensorShape([0]).concatenate(shape), handle.element_type)
    values = [handle.get(ctx, index, wanted) for index in indices]
    for value in values:
        if not shape.is_compatible_with(value.shape):
            raise InvalidArgumentError(
                f"Tried to {verb} list which only has some elements of shape {_shown(shape)}, and one of shape {_shown(TensorShape(value.shape))}"
            )
        shape = shape.merge_with(value.shape)
    return (np if handle.element_type.is_string else ctx.xp).stack(values)


def _concatenated(ctx: Context, handle: TensorList, wanted: TensorShape, leading: Sequence[int]) -> tuple[Any, Any]:
    shape = handle.element_shape(wanted)
    if not handle.items:
        rest = TensorShape([0]).concatenate(shape[1:]) if shape.rank else shape
        if not shape.rank or not rest.is_fully_defined():
            raise InvalidArgumentError(
                f"All except the first dimension must be fully defined when concating an empty tensor list. element_shape: {_shown(shape)}"
            )
        return zeros(ctx.xp, rest, handle.element_type), np.zeros(0, np.int64)
    values: list[Any] = []
    for index in range(len(handle.items)):
        known = TensorShape([leading[index]]).concatenate(shape[1:]) if leading and shape.rank else shape
        value = handle.get(ctx, index, known)
        if np.ndim(value) < 1:
            raise InvalidArgumentError(f"Concat requires elements to be at least vectors, found scalar at index {index}")
        if value.shape[1:] != (values[0] if values else value).shape[1:]:
            raise InvalidArgumentError(
                f"Tried to concat elements of shapes {_shown(TensorShape(values[0].shape))} and {_shown(TensorShape(value.shape))}"
            )
        values.append(value)
    return (np if handle.element_type.is_string else ctx.xp).concatenate(values), np.asarray([value.shape[0] for value in values], np.int64)
