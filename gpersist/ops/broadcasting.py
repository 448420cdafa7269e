"""Tensors broadcast to shapes, and shapes to each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, apply_op, constant_shape, constant_value, sample
from gpersist.ops import shape_functions
from gpersist.ops.constants import constant
from gpersist.ops.kernels import as_array, shown
from gpersist.ops.shaping import reshape, shape_of
from gpersist.shapes import ShapeLike, TensorShape, as_shape, unknown_shape

__all__ = ["broadcast_dynamic_shape", "broadcast_static_shape", "broadcast_to"]


class BroadcastTo(OpType):
    """A tensor broadcast to a shape."""

    inputs = "input: T, shape: Tidx"
    outputs = "output: T"
    attrs = "T: type, Tidx: {int32, int64} = int32"
    samples = (
        sample("float[3]", "int32: [2, 3]"),
        sample("double[2,1]", "int64: [4, 2, 3]"),
        sample("int32[]", "int32: [2]"),
        sample("string[1]", "int32: [2, 3]"),
        sample("float[1]", "int32: [0]"),
    )
    host_inputs = ("shape",)
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        mine, wanted = op._inputs[0].shape.sizes, constant_shape(op._inputs[1])
        if mine is None or wanted.sizes is None:
            return [wanted]
        if len(mine) > len(wanted.sizes):
            raise ValueError(f"Shape must be at most rank {len(wanted.sizes)} but is rank {len(mine)}")
        found = list(wanted.sizes)
        for axis, size in enumerate(reversed(mine), 1):
            if size not in (None, 1):
                if found[-axis] not in (None, size):
                    raise ValueError(f"Dimensions must be equal, but are {size} and {found[-axis]}")
                found[-axis] = size
        return [TensorShape(found)]

    @staticmethod
    def run(xp: Any, value: Array, shape: Any) -> Array:
        array, wanted = as_array(xp, value), tuple(shape.tolist())
        fits = len(wanted) >= array.ndim and all(a in (1, b) for a, b in zip(reversed(array.shape), reversed(wanted), strict=False))
        if not fits or min(wanted, default=0) < 0:
            raise InvalidArgumentError(f"Incompatible shapes: {shown(array.shape)} vs. {shown(wanted)}")
        return xp.ascontiguousarray(xp.broadcast_to(array, wanted)).reshape(wanted)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        value, wanted = op.inputs
        known = constant_value(wanted)
        shape = shape_of(value) if known is not None else shape_of(value, out_type=wanted.dtype.base_dtype)
        axes = apply_op("BroadcastGradientArgs", wanted if known is None else constant(known, "int32"), shape).outputs[1]
        return [reshape(apply("Sum", grad, axes, keep_dims=True), shape), None]


class BroadcastArgs(OpType):
    """The shape that two shapes are broadcast to."""

    inputs = "s0: T, s1: T"
    outputs = "r0: T"
    attrs = "T: {int32, int64} = int32"
    samples = (sample("int32: [2, 1]", "int32: [3]"), sample("int64: [0, 1]", "int64: [4]"), sample("int32: []", "int32: [2]"))
    host_inputs = ("s0", "s1")
    host_outputs = ("r0",)
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        a, b = (tensor.shape.with_rank(1).as_list()[0] for tensor in op._inputs)
        return [unknown_shape(1) if a is None or b is None else TensorShape([max(a, b)])]

    @staticmethod
    def run(xp: Any, s0: Any, s1: Any) -> Any:
        try:
            return np.array(np.broadcast_shapes(tuple(s0.tolist()), tuple(s1.tolist())), s0.dtype)
        except ValueError:
            raise InvalidArgumentError(f"Incompatible shapes: {shown(s0.tolist())} vs. {shown(s1.tolist())}") from None

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None]


def unbroadcast_to(grad: Tensor, tensor: Tensor) -> Tensor:
    """A gradient summed to the shape of a tensor that was broadcast to it."""
    if tensor.shape.is_fully_defined() and grad.shape == tensor.shape:
        return grad
    own = shape_of(tensor)
    axes = apply_op("BroadcastGradientArgs", own, shape_of(grad)).outputs[0]
    return reshape(apply("Sum", grad, axes, keep_dims=True), own)


def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """A tensor broadcast to a shape (`tf.broadcast_to`)."""
    return apply("BroadcastTo", input, shape, name=name)


def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """The shape that two shapes, which are tensors, are broadcast to (`tf.broadcast_dynamic_shape`)."""
    return apply("BroadcastArgs", shape_x, shape_y)


def broadcast_static_shape(shape_x: ShapeLike, shape_y: ShapeLike) -> TensorShape:
    """The shape that two known shapes are broadcast to (`tf.broadcast_static_shape`).

    Raises:
        ValueError: they don't go together.
    """
    x, y = as_shape(shape_x), as_shape(shape_y)
    try:
        return shape_functions.broadcast_shapes(x, y)
    except ValueError:
        raise ValueError(
            "Incompatible shapes for broadcasting. Two shapes are compatible if for each dimension pair they are either equal or one of them is 1. "
            f"Received: {x} and {y}."
        ) from None
