"""Tensors taken apart along an axis: split."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply_op, constant_value, convert_to_tensor, sample
from gpersist.ops import shape_functions
from gpersist.ops.joining import concat
from gpersist.ops.kernels import axis_within
from gpersist.shapes import Dimension, TensorShape, unknown_shape

__all__ = ["split"]


class Split(OpType):
    """A tensor in equal parts along an axis."""

    inputs = "split_dim: int32, value: T"
    outputs = "output: num_split * T"
    attrs = "num_split: int >= 1, T: type"
    samples = (
        sample("int32: 1", "float[2,6]", num_split=3),
        sample("int32: -2", "float[4,3]", num_split=2),
        sample("int32: 0", "float[2]", num_split=1),
    )
    host_inputs = ("split_dim",)
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        axis, count, sizes = constant_value(op._inputs[0]), op.attr("num_split"), op._inputs[1].shape.sizes
        if sizes is None or axis is None:
            return [unknown_shape(None if sizes is None else len(sizes))] * count
        along = shape_functions.axis(int(axis), len(sizes))
        size = sizes[along]
        if size is not None and size % count:
            raise ValueError(f"Dimension size must be evenly divisible by {count} but is {size}")
        return [TensorShape([*sizes[:along], None if size is None else size // count, *sizes[along + 1 :]])] * count

    @staticmethod
    def run(xp: Any, axis: Any, value: Array, *, num_split: int) -> list[Array]:
        along = axis_within(int(axis), value.ndim, "split_dim")
        if value.shape[along] % num_split:
            raise InvalidArgumentError(
                f"Number of ways to split should evenly divide the split dimension, but got split_dim {along} (size = {value.shape[along]}) and "
                f"num_split {num_split}"
            )
        size, before = value.shape[along] // num_split, (slice(None),) * along
        return [value[(*before, slice(start, start + size))] for start in range(0, size * num_split, size)] if size else [value] * num_split

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None, concat(list(grads), op.inputs[0])]


class SplitV(OpType):
    """A tensor in parts of given sizes along an axis; one size may be -1, for what is left."""

    inputs = "value: T, size_splits: Tlen, split_dim: int32"
    outputs = "output: num_split * T"
    attrs = "num_split: int >= 1, T: type, Tlen: {int8, int32, int64} = int64"
    samples = (
        sample("float[2,6]", "int32: [1, 5]", "int32: 1", num_split=2),
        sample("float[6,2]", "int64: [1, -1, 0]", "int32: -2", num_split=3),
        sample("float[6]", "int64: [6]", "int32: 0", num_split=1),
    )
    host_inputs = ("size_splits", "split_dim")
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        (value, lengths, split_dim), count = op._inputs, op.attr("num_split")
        axis, known, sizes = constant_value(split_dim), constant_value(lengths), value.shape.sizes
        if lengths.shape.rank is not None:
            lengths.shape.with_rank(1).merge_with([count])
        if sizes == ():
            raise ValueError("Can't split scalars")
        if known is not None and ((known < 0).sum() > 1 or known.min() < -1):
            raise ValueError(f"size_splits can only have one -1, and nothing else below 0; found {known.tolist()}")
        if sizes is None or axis is None:
            return [unknown_shape(None if sizes is None else len(sizes))] * count
        along = shape_functions.axis(int(axis), len(sizes))
        size = sizes[along]
        parts: list[int | None] = [None] * count if known is None else [None if part < 0 else int(part) for part in known]
        if known is not None and parts.count(None) <= 1:
            least = sum(part or 0 for part in parts)
            if size is not None and (least > size or (least != size and None not in parts)):
                raise ValueError(f"can't split axis of size {size} into pieces of size {known.tolist()}")
            parts = [(None if size is None else size - least) if part is None else part for part in parts]
        return [TensorShape([*sizes[:along], part, *sizes[along + 1 :]]) for part in parts]

    @staticmethod
    def run(xp: Any, value: Array, size_splits: Any, split_dim: Any) -> list[Array]:
        along = axis_within(int(split_dim), value.ndim, "split_dim")
        size, parts = value.shape[along], [int(part) for part in size_splits]
        least = sum(part for part in parts if part >= 0)
        if min(parts) < -1 or parts.count(-1) > 1:
            raise InvalidArgumentError(f"There can only be one -1 in the input, and no other negative size. Received {parts}.")
        if least > size or (least != size and -1 not in parts):
            raise InvalidArgumentError(
                f"Determined shape must either match input shape along split_dim exactly if fully specified, or be less than the size of the input "
                f"along split_dim if not fully specified. Got: {least}"
            )
        ends = list(itertools.accumulate(size - least if part < 0 else part for part in parts))
        return list(xp.split(value, ends[:-1], along))

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [concat(list(grads), op.inputs[2]), None, None]


def split(value: Any, num_or_size_splits: Any, axis: Any = 0, num: int | None = None, name: str = "split") -> list[Tensor]:
    """A tensor in parts along an axis (`tf.split`).

    Args:
        value: the tensor.
        num_or_size_splits: how many equal parts; or the size of each, as a list or a tensor.
        axis: along which it is split.
        num: how many sizes there are, where that is not known.
        name: of the node.

    Raises:
        ValueError: how many parts there are is neither given nor known.
    """
    if isinstance(num_or_size_splits, (int, np.integer, Dimension)):
        return list(apply_op("Split", axis, value, num_split=int(num_or_size_splits), name=name).outputs)
    sizes = convert_to_tensor(num_or_size_splits)
    if sizes.shape.rank == 0:
        raise ValueError(f"Rank-0 tensors are not supported as the num_or_size_splits argument to split. Argument provided: {num_or_size_splits}")
    if num is None:
        num = None if sizes.shape.sizes is None else sizes.shape.sizes[0]
        if num is None:
            raise ValueError(f"Cannot infer argument `num` from shape {sizes.shape}")
    return list(apply_op("SplitV", value, sizes, axis, num_split=num, name=name).outputs)
