"""Elements chosen by truth values: where, select, boolean_mask."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, constant_value, convert_to_tensor, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.gathering import gather
from gpersist.ops.joining import concat
from gpersist.ops.kernels import as_array, shown
from gpersist.ops.shaping import reshape, shape_of, squeeze
from gpersist.ops.unbroadcasting import reduced_to
from gpersist.shapes import TensorShape

__all__ = ["boolean_mask", "where", "where_v2"]


class Where(OpType):
    """The places of elements that are true, or not zero, in row-major order."""

    inputs = "input: T"
    outputs = "index: int64"
    attrs = (
        "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, quint16, uint16, complex128, half, "
        "uint32, uint64, bool} = bool"
    )
    samples = (sample("bool[2,3]"), sample("int32[4] in 0..1"), sample("bool[0,2]"))
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [TensorShape([None, op._inputs[0].shape.rank])]

    @staticmethod
    def run(xp: Any, value: Any) -> Array:
        array = as_array(xp, value)
        if not array.ndim:
            raise InvalidArgumentError("WhereOp : Unhandled input dimensions: 0; a scalar has no places, use tf.cond or reshape it to [1]")
        return xp.stack(xp.nonzero(array), 1).astype(np.int64)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]


class Select(OpType):
    """Elements of the one tensor where a condition holds, else of the other; a condition that is a vector chooses whole rows."""

    inputs = "condition: bool, t: T, e: T"
    outputs = "output: T"
    attrs = "T: type"
    samples = (
        sample("bool[2,3]", "float[2,3]", "float[2,3]"),
        sample("bool[2]", "double[2,3]", "double[2,3]"),
        sample("bool: True", "float[2]", "float[2]"),
        sample("bool[2]", "string[2]", "string[2]"),
    )
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        condition, *values = (tensor.shape for tensor in op._inputs)
        found = shape_functions.merged_shapes(values)
        if condition.rank not in (None, 0) and found.rank is not None:
            if condition.rank == 1 and found.rank > 1:
                TensorShape(condition).merge_with(found[:1])
            else:
                found = found.merge_with(condition)
        return [found]

    @staticmethod
    def run(xp: Any, condition: Any, t: Any, e: Any) -> Array:
        chosen, yes, no = (as_array(xp, value) for value in (condition, t, e))
        if yes.shape != no.shape:
            raise InvalidArgumentError(f"'then' and 'else' must have the same size. but received: {shown(yes.shape)} vs. {shown(no.shape)}")
        if chosen.ndim == 1 and yes.ndim > 1 and chosen.shape[0] == yes.shape[0]:
            chosen = chosen.reshape(-1, *[1] * (yes.ndim - 1))
        elif chosen.ndim and chosen.shape != yes.shape:
            raise InvalidArgumentError(
                f"Inputs to operation Select must have the same size and shape.  Input 0: {shown(chosen.shape)} != input 1: {shown(yes.shape)}"
            )
        return xp.where(chosen, yes, no)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        from gpersist.ops.filling import zeros_like

        condition, value = op.inputs[:2]
        zeros = zeros_like(value)
        return [None, apply("Select", condition, grad, zeros), apply("Select", condition, zeros, grad)]


class SelectV2(OpType):
    """Elements of the one tensor where a condition holds, else of the other; all three are broadcast to each other."""

    inputs = "condition: bool, t: T, e: T"
    outputs = "output: T"
    attrs = "T: type"
    samples = (
        sample("bool[2,3]", "float[2,3]", "float[3]"),
        sample("bool[3]", "double[]", "double[2,3]"),
        sample("bool: False", "int32[2]", "int32[1]"),
        sample("bool[2]", "string[]", "string[2]"),
    )
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        condition, yes, no = (tensor.shape for tensor in op._inputs)
        return [shape_functions.broadcast_shapes(condition, shape_functions.broadcast_shapes(yes, no))]

    @staticmethod
    def run(xp: Any, condition: Any, t: Any, e: Any) -> Array:
        return xp.where(*(as_array(xp, value) for value in (condition, t, e)))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        from gpersist.ops.filling import zeros

        condition, yes, no = op.inputs
        zero = zeros([], grad.dtype.base_dtype)
        chosen = apply("SelectV2", condition, grad, zero), apply("SelectV2", condition, zero, grad)
        output = op.outputs[0]
        return [None, reduced_to(yes, output, chosen[0], None)[0], reduced_to(no, output, chosen[1], None)[0]]


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """Elements of `x` where a condition holds, else of `y`; without them, the places where it holds (`tf.where`).

    Raises:
        ValueError: one of `x` and `y` is given alone.
    """
    return _where("Select", condition, x, y, name)


def where_v2(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """The same with all three broadcast to each other (`tf.where_v2`)."""
    return _where("SelectV2", condition, x, y, name)


def _where(op_type: str, condition: Any, x: Any, y: Any, name: str | None) -> Tensor:
    if (x is None) != (y is None):
        raise ValueError("x and y must both be non-None or both be None.")
    if x is not None:
        return apply(op_type, condition, x, y, name=name)
    with name_scope(name, "Where", [condition]) as scope:
        return apply("Where", convert_to_tensor(condition, preferred_dtype="bool", name="condition"), name=scope)


def boolean_mask(tensor: Any, mask: Any, name: str = "boolean_mask", axis: Any = None) -> Tensor:
    """The parts of a tensor at which a mask is true (`tf.boolean_mask`).

    Args:
        tensor: of N dimensions.
        mask: truth values in K <= N dimensions, which are those of the tensor from `axis` on.
        name: of a name scope.
        axis: 0 by default.

    Raises:
        ValueError: the mask is a scalar, or of unknown rank, or does not fit the tensor.
    """
    with name_scope(name, values=[tensor, mask]):
        tensor, mask = convert_to_tensor(tensor, name="tensor"), convert_to_tensor(mask, name="mask")
        count, shape = mask.shape.rank, tensor.shape
        if count == 0:
            raise ValueError("mask cannot be scalar.")
        if count is None:
            raise ValueError(
                "Number of mask dimensions must be specified, even if some dimensions are None.  E.g. shape=[None] is ok, but shape=None is not."
            )
        known = constant_value(axis) if isinstance(axis, Tensor) else np.array(0 if axis is None else axis)
        start: Any = 0 if axis is None else axis
        if known is not None:
            start = int(known)
            masked = TensorShape(shape[start : start + count])
            if not masked.is_compatible_with(mask.shape):
                raise ValueError(f"Shapes {masked} and {mask.shape} are incompatible")
        leading = apply("Prod", shape_of(tensor)[start : start + count], [0])
        flat = reshape(tensor, concat([shape_of(tensor)[:start], [leading], shape_of(tensor)[start + count :]], 0))
        if known is not None:
            flat.set_shape(TensorShape(shape[:start]).concatenate([masked.num_elements()]).concatenate(shape[start + count :]))
        indices = squeeze(where_v2(reshape(mask, [-1])), axis=[1])
        return gather(flat, indices, axis=start)
