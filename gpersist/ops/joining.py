"""Tensors put together along an axis, and taken apart again: stack, unstack, concat."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import (
    Operation,
    OpType,
    Tensor,
    apply,
    apply_op,
    constant_value,
    convert_to_tensor,
    name_scope,
    register_tensor_conversion_function,
    sample,
)
from gpersist.ops import shape_functions
from gpersist.ops.constants import constant
from gpersist.ops.kernels import as_array, axis_within, shown
from gpersist.ops.passing import identity
from gpersist.ops.shaping import rank, shape_n, shape_of, squeeze
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["concat", "parallel_stack", "stack", "unstack"]


class Pack(OpType):
    """Tensors of one shape, stacked along a new axis."""

    inputs = "values: N * T"
    outputs = "output: T"
    attrs = "N: int >= 1, T: type, axis: int = 0"
    samples = (
        sample(["float[2,3]", "float[2,3]"]),
        sample(["float[2]", "float[2]", "float[2]"], axis=1),
        sample(["float[2]", "float[2]"], axis=-1),
        sample(["int32[]", "int32[]"]),
        sample(["string[2]", "string[2]"]),
    )
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        (shape,) = shape_functions.merged_from_the_last(op)
        sizes, axis = shape.sizes, op.attr("axis")
        if sizes is None:
            return [unknown_shape()]
        if not -len(sizes) - 1 <= axis <= len(sizes):
            raise ValueError(f"Invalid axis {axis}: must be in [{-len(sizes) - 1},{len(sizes) + 1})")
        axis += len(sizes) + 1 if axis < 0 else 0
        return [TensorShape([*sizes[:axis], len(op._inputs), *sizes[axis:]])]

    @staticmethod
    def run(xp: Any, values: list[Array], *, axis: int) -> Array:
        arrays = [as_array(xp, value) for value in values]
        for number, array in enumerate(arrays):
            if array.shape != arrays[0].shape:
                raise InvalidArgumentError(
                    f"Shapes of all inputs must match: values[0].shape = {shown(arrays[0].shape)} != values[{number}].shape = {shown(array.shape)}"
                )
        return xp.stack(arrays, axis)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return list(unstack(grad, len(op.inputs), op.attr("axis")))

    @staticmethod
    def constant_shape(op: Operation, fold: Any) -> TensorShape | None:
        if op.attr("axis") != 0 or any(tensor.shape.rank != 0 for tensor in op.inputs):
            return None
        values = [constant_value(tensor) for tensor in op.inputs]
        return TensorShape([None if value is None or value < 0 else int(value) for value in values])


class ParallelConcat(OpType):
    """Tensors whose first dimension is 1, put one behind the other."""

    inputs = "values: N * T"
    outputs = "output: T"
    attrs = "N: int >= 1, T: type, shape: shape"
    samples = (sample(["float[1,3]", "float[1,3]"], shape=[2, 3]), sample(["int32[1]"], shape=[1]))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape = op.attr("shape")
        if not shape.is_fully_defined():
            raise ValueError("shape attr must be fully defined.")
        if not all(tensor.shape.is_fully_defined() for tensor in op._inputs):
            raise ValueError("All input shapes must be fully defined.")
        (found,) = shape_functions.merged(op)
        if found.as_list()[:1] != [1]:
            raise ValueError("Size of first dimension must be 1.")
        shape.merge_with([None, *found.as_list()[1:]])
        return [shape]

    @staticmethod
    def run(xp: Any, values: list[Array]) -> Array:
        return xp.concatenate(values, 0)


class Unpack(OpType):
    """A tensor taken apart along an axis."""

    inputs = "value: T"
    outputs = "output: num * T"
    attrs = "num: int >= 0, T: type, axis: int = 0"
    samples = (sample("float[2,3]", num=2), sample("float[2,3]", num=3, axis=-1), sample("float[1,2]", num=1), sample("int32[2]", num=2))
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        sizes, axis, count = op._inputs[0].shape.sizes, op.attr("axis"), op.attr("num")
        if sizes is None:
            return [unknown_shape()] * count
        if not -len(sizes) <= axis < len(sizes):
            raise ValueError(f"Invalid axis {axis}: must be in [{-len(sizes)},{len(sizes)})")
        axis %= len(sizes)
        if sizes[axis] not in (None, count):
            raise ValueError(f"Dimension must be {count} but is {sizes[axis]}")
        return [TensorShape([*sizes[:axis], *sizes[axis + 1 :]])] * count

    @staticmethod
    def run(xp: Any, value: Array, *, num: int, axis: int) -> list[Array]:
        axis = axis_within(axis, value.ndim)
        if value.shape[axis] != num:
            raise InvalidArgumentError(f"Input shape axis {axis} must equal {num}, got shape {shown(value.shape)}")
        return list(xp.moveaxis(value, axis, 0))

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> Tensor:
        return stack(grads, op.attr("axis"))


def _concat_shapes(shapes: Sequence[TensorShape], axis: int | None) -> list[TensorShape]:
    """The shape of tensors one behind the other.

    Raises:
        ValueError: they differ in another dimension, or there is no such axis.
    """
    count = next((shape.rank for shape in shapes if shape.rank is not None), None)
    if count is None:
        return [unknown_shape()]
    ranked = [shape.with_rank(count) for shape in shapes]
    if count == 0:
        raise ValueError("Can't concatenate scalars (use tf.stack instead)")
    if axis is None:
        return [unknown_shape(count)]
    if not -count <= axis < count:
        raise ValueError(f"Shape must be at least rank {axis + 1 if axis >= 0 else -axis} but is rank {count}")
    axis %= count
    before, after = unknown_shape(axis), unknown_shape(count - axis - 1)
    for shape in ranked:
        before, after = before.merge_with(shape[:axis]), after.merge_with(shape[axis + 1 :])
    along = [shape.as_list()[axis] for shape in ranked]
    return [TensorShape([*before.as_list(), None if None in along else sum(along), *after.as_list()])]


def _concatenated(xp: Any, values: list[Array], axis: Any) -> Array:
    if xp is np:
        try:
            return np.concatenate(values, int(axis))
        except ValueError:  # told below, as TensorFlow does
            pass
    arrays = [as_array(xp, value) for value in values]
    shape = arrays[0].shape
    if not shape:
        raise InvalidArgumentError("ConcatOp : Can't concatenate scalars (use tf.stack instead)")
    axis = axis_within(int(axis), len(shape), "ConcatOp : concatenation axis")
    for number, array in enumerate(arrays):
        if array.ndim != len(shape):
            raise InvalidArgumentError(
                f"ConcatOp : Ranks of all input tensors should match: shape[0] = {shown(shape)} vs. shape[{number}] = {shown(array.shape)}"
            )
        if array.shape[:axis] != shape[:axis] or array.shape[axis + 1 :] != shape[axis + 1 :]:
            raise InvalidArgumentError(
                f"ConcatOp : Dimension {axis} in both shapes must be equal: shape[0] = {shown(shape)} vs. shape[{number}] = {shown(array.shape)}"
            )
    return xp.concatenate(arrays, axis)


def _concat_gradient(grad: Tensor, values: Sequence[Tensor], axis: Tensor) -> list[Tensor]:
    if len(values) == 1:
        return [grad]
    if axis.op.type == "Const" and _context_of(axis) is not _context_of(grad):  # a constant of its own, rather than one that enters a loop
        axis = constant(constant_value(axis), axis.dtype)
    axis = (axis if axis.dtype.base_dtype.name == "int32" else apply("Cast", axis, DstT="int32")) % rank(values[0])
    shapes: list[Tensor] = []
    for value in values:
        shapes.append(shape_of(value))
        if not value.shape.is_fully_defined():
            shapes = shape_n(values)
            break
    if len(shapes) > _SPLIT_FROM:
        sizes = squeeze(apply("Slice", stack(shapes, axis=1), [axis, 0], [1, -1]))
        return apply_op("SplitV", grad, sizes, axis, num_split=len(shapes), name="split").outputs
    offsets = apply_op("ConcatOffset", axis, shapes).outputs
    return [apply("Slice", grad, begin, size) for begin, size in zip(offsets, shapes, strict=True)]


def _context_of(tensor: Tensor) -> Any:
    """The branch or loop in which a tensor is there."""
    context: Any = tensor.op._get_control_flow_context()
    return context.outer_context if context is not None and tensor.op.type in ("Exit", "RefExit") else context


_SPLIT_FROM = 16
"""With more parts than these a gradient is split, not sliced."""


class ConcatV2(OpType):
    """Tensors one behind the other along an axis."""

    inputs = "values: N * T, axis: Tidx"
    outputs = "output: T"
    attrs = "N: int >= 2, T: type, Tidx: {int32, int64} = int32"
    samples = (
        sample(["float[2,3]", "float[1,3]"], "int32: 0"),
        sample(["float[2,3]", "float[2,0]", "float[2,1]"], "int64: -1"),
        sample(["int32[2]", "int32[1]"], "int32: 0"),
        sample(["string[2]", "string[1]"], "int32: 0"),
    )
    host_inputs = ("axis",)
    is_foldable = True
    scalars = ("axis",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        axis = constant_value(op._inputs[-1])
        return _concat_shapes([tensor.shape for tensor in op._inputs[:-1]], None if axis is None else int(axis))

    @staticmethod
    def run(xp: Any, values: list[Array], axis: Any) -> Array:
        return _concatenated(xp, values, axis)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [*_concat_gradient(grad, op.inputs[:-1], op.inputs[-1]), None]

    @staticmethod
    def constant_shape(op: Operation, fold: Any) -> TensorShape | None:
        parts = [_sizes_of(tensor, fold) for tensor in op.inputs[:-1]]
        return None if any(part is None for part in parts) else TensorShape(list(itertools.chain.from_iterable(parts)))  # type: ignore[arg-type]


class Concat(OpType):
    """The same, with the axis first."""

    inputs = "concat_dim: int32, values: N * T"
    outputs = "output: T"
    attrs = "N: int >= 2, T: type"
    samples = (sample("int32: 1", ["float[2,3]", "float[2,1]"]), sample("int32: 0", ["int32[2]", "int32[1]"]))
    host_inputs = ("concat_dim",)
    is_foldable = True
    scalars = ("concat_dim",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        axis = constant_value(op._inputs[0])
        return _concat_shapes([tensor.shape for tensor in op._inputs[1:]], None if axis is None else int(axis))

    @staticmethod
    def run(xp: Any, axis: Any, values: list[Array]) -> Array:
        return _concatenated(xp, values, axis)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, *_concat_gradient(grad, op.inputs[1:], op.inputs[0])]

    @staticmethod
    def constant_shape(op: Operation, fold: Any) -> TensorShape | None:
        parts = [_sizes_of(tensor, fold) for tensor in op.inputs[1:]]
        return None if any(part is None for part in parts) else TensorShape(list(itertools.chain.from_iterable(parts)))  # type: ignore[arg-type]


def _sizes_of(tensor: Tensor, fold: Any) -> tuple[int | None, ...] | None:
    if tensor.shape.rank != 1:
        return None
    found: TensorShape = fold(tensor)
    return found.sizes


class ConcatOffset(OpType):
    """Where each of several tensors begins in their concatenation."""

    inputs = "concat_dim: int32, shape: N * shape_type"
    outputs = "offset: N * shape_type"
    attrs = "N: int >= 2, shape_type: {int32, int64} = int32"
    samples = (sample("int32: 1", ["int32: [2, 3]", "int32: [2, 5]", "int32: [2, 1]"]), sample("int32: -1", ["int32: [2, 3]", "int32: [2, 5]"]))
    host_inputs = ("concat_dim", "shape")
    host_outputs = ("offset",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [tensor.shape for tensor in op._inputs[1:]]

    @staticmethod
    def run(xp: Any, axis: Any, shapes: list[Any]) -> list[Any]:
        axis = axis_within(int(axis), len(shapes[0]), "ConcatOffset: concat dim")
        found, start = [], 0
        for number, shape in enumerate(shapes):
            if len(shape) != len(shapes[0]) or any(shape[dim] != shapes[0][dim] for dim in range(len(shape)) if dim != axis):
                raise InvalidArgumentError(
                    f"All dimensions except {axis} must match. Input {number} has shape {shape.tolist()} and doesn't match input 0 with shape "
                    f"{shapes[0].tolist()}."
                )
            offset = np.zeros_like(shape)
            offset[axis] = start
            found.append(offset)
            start += int(shape[axis])
        return found

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None] * len(op.inputs)


def stack(values: Any, axis: int = 0, name: str = "stack") -> Tensor:
    """Tensors of one shape stacked along a new axis (`tf.stack`).

    Raises:
        ValueError: there is no such axis, or the shapes differ.
    """
    if axis == 0:
        try:
            return convert_to_tensor(values, name=name)
        except (TypeError, ValueError, NotImplementedError):
            pass  # tensors that only Pack can put together
    known = convert_to_tensor(values[0], name=name).shape.rank
    if known is not None and not -known - 1 <= axis <= known:
        raise ValueError(f"Argument `axis` = {axis} not in range [{-known - 1}, {known + 1})")
    return apply("Pack", list(values), axis=axis, name=name)


def parallel_stack(values: Any, name: str = "parallel_stack") -> Tensor:
    """Tensors of one shape stacked along a new first axis, each as soon as it is there (`tf.parallel_stack`)."""
    with name_scope(name):
        shape = TensorShape([len(values)]).concatenate(convert_to_tensor(values[0]).shape)
        return apply("ParallelConcat", [apply("ExpandDims", value, 0) for value in values], shape=shape)


def unstack(value: Any, num: int | None = None, axis: int = 0, name: str = "unstack") -> list[Tensor]:
    """A tensor taken apart along an axis (`tf.unstack`).

    Raises:
        ValueError: how many parts there are is neither given nor known.
    """
    if num is None:
        value = convert_to_tensor(value)
        sizes = value.shape.sizes
        if sizes is not None:
            if not -len(sizes) <= axis < len(sizes):
                raise ValueError(f"Argument `axis` = {axis} not in range [{-len(sizes)}, {len(sizes)})")
            num = sizes[axis]
        if num is None:
            raise ValueError(f"Cannot infer argument `num` from shape {value.shape}")
    return list(apply_op("Unpack", value, num=num, axis=axis, name=name).outputs)


def concat(values: Any, axis: Any, name: str = "concat") -> Tensor:
    """Tensors one behind the other along an axis (`tf.concat`).

    Raises:
        ValueError: the axis comes first, as in TensorFlow 0.x.
    """
    if isinstance(values, int) and isinstance(axis, (list, tuple)) and any(isinstance(value, Tensor) for value in axis):
        raise ValueError(f"tf.concat takes the axis last since TensorFlow 1.0: expected concat(values, axis), found {values} and {len(axis)} values")
    if not isinstance(values, (list, tuple)):
        values = [values]
    if len(values) == 1:
        with name_scope(name):
            convert_to_tensor(axis, "int32", name="concat_dim").shape.assert_has_rank(0)
            return identity(values[0], name=name)
    return apply("ConcatV2", list(values), axis, name=name or "ConcatV2")


def _packed(value: Any, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Any:
    """Lists with tensors among their items become a Pack."""
    if not _has_tensor(value):
        return NotImplemented
    inferred = _first_dtype(value)
    if dtype is not None and dtype.base_dtype is not inferred:
        value = _cast(value, dtype.base_dtype)
    return _pack(value, dtype or inferred, name or "packed")


def _cast(value: Any, dtype: DType) -> Any:
    """The tensors in lists made to be of a type."""
    if isinstance(value, (list, tuple)):
        return [_cast(item, dtype) for item in value]
    return apply("Cast", value, DstT=dtype) if _has_tensor(value) and value.dtype.base_dtype is not dtype else value


def _pack(value: Any, dtype: DType | None, name: str) -> Tensor:
    with name_scope(name) as scope:
        parts = list(value)
        for index, item in enumerate(parts):
            if isinstance(item, (list, tuple)):
                if _has_tensor(item):
                    parts[index] = _pack(item, dtype, str(index))
                else:
                    with name_scope(str(index)):  # TensorFlow looks into every list, in a scope of its own: the name is taken
                        pass
        parts = [item if isinstance(item, Tensor) else convert_to_tensor(item, dtype, str(index)) for index, item in enumerate(parts)]
        return apply("Pack", parts, name=scope)


def _has_tensor(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_has_tensor, value))
    return isinstance(value, Tensor) or hasattr(value, "_as_graph_element")


def _first_dtype(value: Any) -> DType | None:
    if isinstance(value, (list, tuple)):
        return next((found for found in map(_first_dtype, value) if found is not None), None)
    return value.dtype.base_dtype if _has_tensor(value) else None


register_tensor_conversion_function((list, tuple), _packed, 99)
