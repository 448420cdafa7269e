"""Operations that read lists of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Context, Operation, SessionOpType, Tensor, apply
from gpersist.ops import shape_functions
from gpersist.ops.list_values import TensorList, known_list_shape, list_shape, row_shape, shown
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.tensor_array_ops import zeros
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []


class TensorListGetItem(SessionOpType):
    """An element of a list."""

    inputs = "input_handle: variant, index: int32, element_shape: Tshape"
    outputs = "item: element_dtype"
    attrs = "element_dtype: type, Tshape: {int32, int64} = int32"
    host_inputs = ("index", "element_shape")

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [known_list_shape(op._inputs[2])]

    @staticmethod
    def run(ctx: Context, handle: TensorList, index: Any, element_shape: Any, *, element_dtype: DType) -> Array:
        handle.check_type(element_dtype)
        handle.check_index(int(index), "access")
        return handle.get(ctx, int(index), list_shape(element_shape))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        kind = op.attr("element_dtype")
        made = apply("TensorListReserve", shape_of(grad), apply("TensorListLength", op.inputs[0]), element_dtype=kind)
        return [apply("TensorListSetItem", made, op.inputs[1], grad, element_dtype=kind), None, None]


class TensorListPopBack(SessionOpType):
    """The list without its last element, and that."""

    inputs = "input_handle: variant, element_shape: int32"
    outputs = "output_handle: variant, tensor: element_dtype"
    attrs = "element_dtype: type"
    host_inputs = ("element_shape",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [shape_functions.SCALAR, known_list_shape(op._inputs[1])]

    @staticmethod
    def run(ctx: Context, handle: TensorList, element_shape: Any, *, element_dtype: DType) -> tuple[TensorList, Array]:
        handle.check_type(element_dtype)
        if not handle.items:
            raise InvalidArgumentError("Trying to pop from an empty list.")
        return handle.with_items(handle.items[:-1]), handle.get(ctx, len(handle.items) - 1, list_shape(element_shape))

    @staticmethod
    def gradient(op: Operation, of_list: Tensor, grad: Tensor) -> list[Tensor | None]:
        return [apply("TensorListPushBack", of_list, grad, element_dtype=op.attr("element_dtype")), None]


class TensorListStack(SessionOpType):
    """All elements of a list along a new first axis."""

    inputs = "input_handle: variant, element_shape: int32"
    outputs = "tensor: element_dtype"
    attrs = "element_dtype: type, num_elements: int = -1"
    host_inputs = ("element_shape",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        count = op.attr("num_elements")
        return [TensorShape([None if count < 0 else count]).concatenate(known_list_shape(op._inputs[1]))]

    @staticmethod
    def run(ctx: Context, handle: TensorList, element_shape: Any, *, element_dtype: DType, num_elements: int) -> Array:
        handle.check_type(element_dtype)
        if num_elements not in (-1, len(handle.items)):
            raise InvalidArgumentError(f"Operation expected a list with {num_elements} elements but got a list with {len(handle.items)} elements.")
        return _stacked(ctx, handle, range(len(handle.items)), list_shape(element_shape), "stack")

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [apply("TensorListFromTensor", grad, row_shape(grad)), None]


class TensorListGather(SessionOpType):
    """Some elements of a list along a new first axis."""

    inputs = "input_handle: variant, indices: int32, element_shape: int32"
    outputs = "values: element_dtype"
    attrs = "element_dtype: type"
    host_inputs = ("indices", "element_shape")

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[1].shape.concatenate(known_list_shape(op._inputs[2]))]

    @staticmethod
    def run(ctx: Context, handle: TensorList, indices: Any, element_shape: Any, *, element_dtype: DType) -> Array:
        handle.check_type(element_dtype)
        for index in indices.tolist():
            handle.check_index(index, "access")
        return _stacked(ctx, handle, indices.tolist(), list_shape(element_shape), "gather")

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        handle, indices, _ = op.inputs
        shape = apply("TensorListElementShape", handle, shape_type="int32")
        return [apply("TensorListScatterV2", grad, indices, shape, apply("TensorListLength", handle)), None, None]


class _Concat(SessionOpType, abstract=True):
    """All elements of a list, one behind the other, and how many rows each has."""

    outputs = "tensor: element_dtype, lengths: int64"
    host_outputs = ("lengths",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape(), TensorShape([None])]

    @staticmethod
    def gradient(op: Operation, grad: Tensor, _: Any) -> list[Tensor | None]:
        shape = apply("TensorListElementShape", op.inputs[0], shape_type="int32")
        return [apply("TensorListSplit", grad, shape, op.outputs[1]), *[None] * (len(op.inputs) - 1)]


class TensorListConcatV2(_Concat):
    """All elements of a list, one behind the other, and how many rows each has."""

    inputs = "input_handle: variant, element_shape: shape_type, leading_dims: int64"
    attrs = "element_dtype: type, shape_type: {int32, int64}"
    host_inputs = ("element_shape", "leading_dims")

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        known = known_list_shape(op._inputs[1])
        return [unknown_shape() if known.rank is None else TensorShape([None]).concatenate(known[1:]), TensorShape([None])]

    @staticmethod
    def run(ctx: Context, handle: TensorList, element_shape: Any, leading_dims: Any, *, element_dtype: DType) -> tuple[Array, Any]:
        handle.check_type(element_dtype)
        return _concatenated(ctx, handle, list_shape(element_shape), leading_dims.tolist())


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


def _stacked(ctx: Context, handle: TensorList, indices: Sequence[int], wanted: TensorShape, verb: str) -> Any:
    shape = handle.element_shape(wanted)
    if not indices:
        if not shape.is_fully_defined():
            raise InvalidArgumentError(f"Tried to {verb} elements of an empty list with non-fully-defined element_shape: {shown(shape)}")
        return zeros(ctx.xp, TensorShape([0]).concatenate(shape), handle.element_type)
    values = [handle.get(ctx, index, wanted) for index in indices]
    for value in values:
        if not shape.is_compatible_with(value.shape):
            raise InvalidArgumentError(
                f"Tried to {verb} list which only has some elements of shape {shown(shape)}, and one of shape {shown(TensorShape(value.shape))}"
            )
        shape = shape.merge_with(value.shape)
    return (np if handle.element_type.is_string else ctx.xp).stack(values)


def _concatenated(ctx: Context, handle: TensorList, wanted: TensorShape, leading: Sequence[int]) -> tuple[Any, Any]:
    shape = handle.element_shape(wanted)
    if not handle.items:
        rest = TensorShape([0]).concatenate(shape[1:]) if shape.rank else shape
        if not shape.rank or not rest.is_fully_defined():
            raise InvalidArgumentError(
                f"All except the first dimension must be fully defined when concating an empty tensor list. element_shape: {shown(shape)}"
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
                f"Tried to concat elements of shapes {shown(TensorShape(values[0].shape))} and {shown(TensorShape(value.shape))}"
            )
        values.append(value)
    return (np if handle.element_type.is_string else ctx.xp).concatenate(values), np.asarray([value.shape[0] for value in values], np.int64)
