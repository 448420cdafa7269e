"""Operations on lists of tensors, as functional loops hand them from one iteration to the next."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Context, Operation, SessionOpType, Tensor, apply, apply_op, check_free
from gpersist.ops import shape_functions
from gpersist.ops.indexing import slice as slice_
from gpersist.ops.joining import concat
from gpersist.ops.list_values import TensorList, list_shape, row_shape, shown
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.tensor_array_ops import split
from gpersist.shapes import TensorShape

__all__: list[str] = []


def _nothing(count: int) -> list[None]:
    """Elements that nobody has set."""
    check_free(count * 8, f"a TensorList of {count} elements")
    return [None] * count


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
        return TensorList(element_dtype, list_shape(element_shape), (), int(limit))

    @staticmethod
    def gradient(op: Operation, *grads: Any) -> list[None]:
        return [None, None]


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
        return TensorList(element_dtype, list_shape(element_shape), _nothing(int(count)))

    @staticmethod
    def gradient(op: Operation, *grads: Any) -> list[None]:
        return [None, None]


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
        shape = list_shape(element_shape)
        if not shape.is_compatible_with(tensor.shape[1:]):
            raise InvalidArgumentError(f"Specified a list with shape {shown(shape)} from a tensor with shape {shown(TensorShape(tensor.shape[1:]))}")
        return TensorList(element_dtype, shape, [tensor[row, ...] for row in range(len(tensor))])

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        tensor = op.inputs[0]
        first = tensor.shape.as_list()[0] if tensor.shape.rank else None
        count = -1 if first is None else first
        return [apply("TensorListStack", grad, row_shape(tensor), element_dtype=op.attr("element_dtype"), num_elements=count), None]


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
            items += _nothing(place + 1 - len(items))
        else:
            handle.check_index(place, "modify")
        if not handle.known_shape.is_compatible_with(item.shape):
            raise InvalidArgumentError(
                "Tried to set a tensor with incompatible shape at a list index. Item element shape: "
                f"{shown(TensorShape(item.shape))} list shape: {shown(handle.known_shape)}"
            )
        items[place] = item
        return handle.with_items(items)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        index, item = op.inputs[1:]
        kind = op.attr("element_dtype")
        of_list = apply("TensorListSetItem", grad, index, apply("ZerosLike", item), element_dtype=kind)
        return [of_list, None, apply("TensorListGetItem", grad, index, shape_of(item), element_dtype=kind)]


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
                f"{shown(TensorShape(tensor.shape))} list shape: {shown(handle.known_shape)}"
            )
        if 0 <= handle.limit <= len(handle.items):
            raise InvalidArgumentError(f"Tried to push item into a full list list size: {len(handle.items)} max_num_elements: {handle.limit}")
        return handle.with_items([*handle.items, tensor])

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return list(apply_op("TensorListPopBack", grad, shape_of(op.inputs[1]), element_dtype=op.attr("element_dtype")).outputs)


class TensorListScatterV2(_ListOp):
    """A list of the rows of a tensor, at some places."""

    inputs = "tensor: element_dtype, indices: int32, element_shape: shape_type, num_elements: int32"
    outputs = "output_handle: variant"
    attrs = "element_dtype: type, shape_type: {int32, int64}"
    host_inputs = ("indices", "element_shape", "num_elements")

    @staticmethod
    def run(ctx: Context, tensor: Array, indices: Any, element_shape: Any, count: Any, *, element_dtype: DType) -> TensorList:
        return _scattered(tensor, indices, TensorList(element_dtype, list_shape(element_shape)), int(count))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        tensor, indices = op.inputs[:2]
        return [_gathered(grad, indices, tensor), *[None] * (len(op.inputs) - 1)]


class TensorListScatter(_ListOp):
    """A list of the rows of a tensor, at some places."""

    inputs = "tensor: element_dtype, indices: int32, element_shape: shape_type"
    outputs = "output_handle: variant"
    attrs = "element_dtype: type, shape_type: {int32, int64}"
    host_inputs = ("indices", "element_shape")

    @staticmethod
    def run(ctx: Context, tensor: Array, indices: Any, element_shape: Any, *, element_dtype: DType) -> TensorList:
        return _scattered(tensor, indices, TensorList(element_dtype, list_shape(element_shape)), -1)

    gradient = TensorListScatterV2.gradient


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

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        _, tensor, indices = op.inputs
        kind = op.attr("element_dtype")
        of_list = apply("TensorListScatterIntoExistingList", grad, apply("ZerosLike", tensor), indices, element_dtype=kind)
        return [of_list, _gathered(grad, indices, tensor), None]


class TensorListSplit(_ListOp):
    """Parts of a tensor, of so many rows each."""

    inputs = "tensor: element_dtype, element_shape: shape_type, lengths: int64"
    outputs = "output_handle: variant"
    attrs = "element_dtype: type, shape_type: {int32, int64}"
    host_inputs = ("element_shape", "lengths")

    @staticmethod
    def run(ctx: Context, tensor: Array, element_shape: Any, lengths: Any, *, element_dtype: DType) -> TensorList:
        return TensorList(element_dtype, list_shape(element_shape), split(tensor, lengths))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        _, shape, lengths = op.inputs
        shape = concat([[-1], slice_(shape, [1], [shape_of(shape)[0] - 1])], 0)
        return [apply_op("TensorListConcatV2", grad, shape, lengths, element_dtype=op.attr("element_dtype")).outputs[0], None, None]


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
        return handle.with_items(items + _nothing(int(size) - len(items)))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [apply("TensorListResize", grad, apply("TensorListLength", op.inputs[0])), None]


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


def _gathered(handle: Tensor, indices: Tensor, like: Tensor) -> Tensor:
    """Elements of a list, as many and of such shapes as a tensor's rows."""
    return apply("TensorListGather", handle, indices, row_shape(like), element_dtype=like.dtype.base_dtype)


def _scattered(tensor: Any, indices: Any, start: TensorList, count: int) -> TensorList:
    if not start.known_shape.is_compatible_with(tensor.shape[1:]):
        raise InvalidArgumentError(
            f"Specified a list with shape {shown(start.known_shape)} from a tensor with shape {shown(TensorShape(tensor.shape[1:]))}"
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
    items = [*start.items, *_nothing(size - len(start.items))]
    for row, index in enumerate(found):
        items[index] = tensor[row, ...]  # an array, where an element is one text, too
    return start.with_items(items)
