"""Gradients of operations that broadcast two inputs to each other: each is summed to the shape of its input.

(`SmartBroadcastGradientArgs` and `_ReduceGradientArgs` of `tensorflow/python/ops/math_grad.py`.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, apply_op, sample
from gpersist.ops.kernels import shown
from gpersist.ops.shaping import reshape, shape_of
from gpersist.shapes import TensorShape, unknown_shape


class BroadcastGradientArgs(OpType):
    """The axes over which the gradients of two arrays, broadcast to each other, are summed."""

    inputs = "s0: T, s1: T"
    outputs = "r0: T, r1: T"
    attrs = "T: {int32, int64} = int32"
    samples = (sample("int32: [2, 3]", "int32: [3]"), sample("int32: [2, 1]", "int32: [1, 3]"), sample("int32: []", "int32: [2]"))
    host_inputs = ("s0", "s1")
    host_outputs = ("r0", "r1")
    vectors = ("s0", "s1")

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape(1), unknown_shape(1)]

    @staticmethod
    def run(xp: Any, s0: Any, s1: Any) -> list[Any]:
        rank = max(len(s0), len(s1))
        sizes = [[1] * (rank - len(shape)) + shape.tolist() for shape in (s0, s1)]
        if any(x != y and 1 not in (x, y) for x, y in zip(*sizes, strict=True)):
            raise InvalidArgumentError(f"Incompatible shapes: {shown(s0)} vs. {shown(s1)}")
        if s0.tolist() == s1.tolist():  # though there be dimensions of 1
            return [np.array([], s0.dtype), np.array([], s0.dtype)]
        full = [max(pair) if 0 not in pair else 0 for pair in zip(*sizes, strict=True)]
        axes = [[axis for axis in range(rank) if mine[axis] == 1 and (full[axis] != 1 or sizes[0][axis] == sizes[1][axis])] for mine in sizes]
        return [np.array(found, s0.dtype) for found in axes]

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None, None]


def have_one_shape(*tensors: Tensor) -> bool:
    """Whether all are tensors, no IndexedSlices, whose shapes are known, and equal."""
    return (
        all(isinstance(tensor, Tensor) for tensor in tensors)
        and tensors[0].shape.is_fully_defined()
        and all(tensor.shape.sizes == tensors[0].shape.sizes for tensor in tensors[1:])
    )


def reduced_to_inputs(op: Operation, grad_x: Tensor | None, grad_y: Tensor | None) -> list[Tensor | None]:
    """The gradients with respect to an operation's two inputs, which have the shape of its output, summed to the shapes of the inputs."""
    x, y = op.inputs
    return reduced_to(x, y, grad_x, grad_y)


def reduced_to(x: Tensor, y: Tensor, grad_x: Tensor | None, grad_y: Tensor | None) -> list[Tensor | None]:
    """The gradients with respect to two tensors, which have the shape that these are broadcast to, summed to the shapes of the tensors."""
    shapes = shape_of(x), shape_of(y)
    axes = _axes(x.shape, y.shape)
    if axes is None:
        found = apply_op("BroadcastGradientArgs", *shapes).outputs
        return [None if grad is None else _summed(grad, axis, shape) for grad, axis, shape in zip((grad_x, grad_y), found, shapes, strict=True)]
    ranks = x.shape.rank or 0, y.shape.rank or 0
    reduced: list[Tensor | None] = []
    for grad, mine, shape, rank in zip((grad_x, grad_y), axes, shapes, ranks, strict=True):
        reduced.append(_summed(grad, mine, shape) if grad is not None and (mine or rank < max(ranks)) else grad)
    return reduced


def _summed(grad: Tensor, axes: Any, shape: Tensor) -> Tensor:
    return reshape(apply("Sum", grad, axes, keep_dims=True), shape)


def _axes(x: TensorShape, y: TensorShape) -> tuple[list[int], list[int]] | None:
    """For each of the two, the axes that were broadcast; None where that isn't known yet."""
    if x.sizes is None or y.sizes is None:
        return None
    rank = max(len(x.sizes), len(y.sizes))
    mine, others = ((1,) * (rank - len(sizes)) + tuple(sizes) for sizes in (x.sizes, y.sizes))
    axes: tuple[list[int], list[int]] = ([], [])
    for axis, (a, b) in enumerate(zip(mine, others, strict=True)):
        if a == 1 and b != 1:
            axes[0].append(axis)
        elif b == 1 and a != 1:
            axes[1].append(axis)
        elif a is None or b is None:
            return None
    return axes
