"""Where along an axis the extremes are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, constant_value, sample
from gpersist.ops import shape_functions
from gpersist.ops.builders import renamed_argument
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["argmax", "argmin"]


class _Place(OpType, abstract=True):
    """Where along an axis the first extreme is."""

    inputs = "input: T, dimension: Tidx"
    outputs = "output: output_type"
    samples = (
        sample("float[2,3]", "int32: 1"),
        sample("float[2,3]", "int32: -2", output_type="int32"),
        sample("int32[5] in 0..2", "int32: 0"),
        sample("float[2,0]", "int32: 0"),
        sample("bool[4]", "int64: 0"),
    )
    host_inputs = ("dimension",)
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        value, dimension = op._inputs
        sizes, axis = value.shape.sizes, constant_value(dimension)
        dimension.shape.with_rank(0)
        if sizes is None:
            return [unknown_shape()]
        if len(sizes) <= 1:
            return [shape_functions.SCALAR]
        if axis is None:
            return [unknown_shape(len(sizes) - 1)]
        if not -len(sizes) <= axis < len(sizes):
            raise ValueError(f"Dimension ({axis}) must be in the range [{-len(sizes)}, {len(sizes)}), where {len(sizes)} is the number of dimensions")
        place = int(axis) % len(sizes)
        return [TensorShape([*sizes[:place], *sizes[place + 1 :]])]

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None]


_ORDERED = "float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64, qint8, quint8, qint32, qint16, quint16, bool"


class ArgMax(_Place):
    """Where along an axis the first of the largest is."""

    attrs = f"T: {{{_ORDERED}}}, Tidx: {{int16, int32, int64}} = int32, output_type: {{int16, uint16, int32, int64}} = int64"

    @staticmethod
    def run(xp: Any, value: Array, dimension: Any, *, output_type: DType) -> Array:
        return _place(xp, xp.argmax, -np.inf, value, dimension).astype(output_type.numpy)


class ArgMin(_Place):
    """Where along an axis the first of the smallest is."""

    attrs = f"T: {{{_ORDERED}}}, Tidx: {{int32, int64}} = int32, output_type: {{int32, int64}} = int64"

    @staticmethod
    def run(xp: Any, value: Array, dimension: Any, *, output_type: DType) -> Array:
        return _place(xp, xp.argmin, np.inf, value, dimension).astype(output_type.numpy)


def _place(xp: Any, find: Callable[..., Any], least: float, value: Array, dimension: Any) -> Any:
    axis, shape = int(dimension), np.shape(value)
    if not -len(shape) <= axis < len(shape):
        raise InvalidArgumentError(f"Expected dimension in the range [{-len(shape)}, {len(shape)}), but got {axis}")
    if not shape[axis]:
        raise InvalidArgumentError(f"Reduction axis {axis} is empty in shape {list(shape)}")
    if not np.size(value):
        return xp.zeros([size for place, size in enumerate(shape) if place != axis % len(shape)], np.int64)
    found = find(value, axis=axis)
    if value.dtype.kind in "biu" or (xp is np and not np.isnan(value.sum())):  # it is NaN with any NaN in it
        return found
    if xp.isnan(xp.take_along_axis(value, xp.expand_dims(found, axis), axis)).any():  # NumPy finds the NaN, TensorFlow never does
        found = find(xp.where(xp.isnan(value), value.dtype.type(least), value), axis=axis)
    return found


def argmax(input: Any, axis: Any = None, name: str | None = None, dimension: Any = None, output_type: Any = "int64") -> Tensor:  # TensorFlow's name
    """Where along an axis the first of the largest elements is (`tf.argmax`).

    Args:
        input: what is looked through.
        axis: an int or a scalar; 0 by default.
        name: of the node.
        dimension: an old name of `axis`.
        output_type: int64 or int32.
    """
    return _place_of("ArgMax", input, renamed_argument("axis", axis, "dimension", dimension), name, output_type)


def argmin(input: Any, axis: Any = None, name: str | None = None, dimension: Any = None, output_type: Any = "int64") -> Tensor:  # TensorFlow's name
    """Where along an axis the first of the smallest elements is (`tf.argmin`); see `argmax`."""
    return _place_of("ArgMin", input, renamed_argument("axis", axis, "dimension", dimension), name, output_type)


def arg_max(input: Any, dimension: Any, output_type: Any = "int64", name: str | None = None) -> Tensor:  # TensorFlow's name
    """The old name of `argmax` (`tf.arg_max`)."""
    return apply("ArgMax", input, dimension, output_type=output_type, name=name)


def arg_min(input: Any, dimension: Any, output_type: Any = "int64", name: str | None = None) -> Tensor:  # TensorFlow's name
    """The old name of `argmin` (`tf.arg_min`)."""
    return apply("ArgMin", input, dimension, output_type=output_type, name=name)


def _place_of(op_name: str, value: Any, axis: Any, name: str | None, output_type: Any) -> Tensor:
    if not (isinstance(axis, (int, np.integer, Tensor)) or axis is None or hasattr(axis, "_as_graph_element")):
        raise TypeError("axis must be int or Tensor with integer datatype")
    return apply(op_name, value, 0 if axis is None else axis, output_type=output_type, name=name)
