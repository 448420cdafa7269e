"""Comparison and logic, with broadcasting as NumPy has it."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, sample
from gpersist.ops import shape_functions
from gpersist.ops.builders import binary, unary
from gpersist.shapes import TensorShape, unknown_shape

__all__ = [
    "approximate_equal",
    "equal",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
]


class _Comparison(OpType, abstract=True):
    """A truth value for each pair of elements."""

    inputs = "x: T, y: T"
    outputs = "z: bool"
    attrs = "T: realnumbertype"
    is_foldable = True
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("int32[2,3] in 0..3", "int32[3] in 0..3"),
        sample("float[2,3]", "float[]"),
        sample("float[0,3]", "float[3]"),
    )
    shapes = staticmethod(shape_functions.broadcast)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None]


class Less(_Comparison):
    """Whether x < y."""

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.less(x, y)


class LessEqual(_Comparison):
    """Whether x <= y."""

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.less_equal(x, y)


class Greater(_Comparison):
    """Whether x > y."""

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.greater(x, y)


class GreaterEqual(_Comparison):
    """Whether x >= y."""

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.greater_equal(x, y)


class _Equality(_Comparison, abstract=True):
    """Whether elements are the same; what has no common shape is either an error, or different as a whole."""

    attrs = "T: type, incompatible_shape_error: bool = true"
    is_commutative = True
    samples = (
        *_Comparison.samples,
        sample("string[3]", "string[]"),
        sample("bool[2]", "bool[2]"),
        sample("complex64[2]", "complex64[2]"),
        sample("int32[2]", "int32[3]", incompatible_shape_error=False),
        sample("int32[2]", "int32[2]", incompatible_shape_error=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        if op.attr("incompatible_shape_error"):
            return shape_functions.broadcast(op)
        x, y = (tensor.shape for tensor in op._inputs)
        if x.rank is None or y.rank is None:
            return [unknown_shape()]
        for pair in itertools.zip_longest(reversed(x.as_list()), reversed(y.as_list()), fillvalue=1):
            if None in pair:
                if 1 not in pair:  # they may go together or not
                    return [unknown_shape()]
            elif 1 not in pair and pair[0] != pair[1]:
                return [shape_functions.SCALAR]
        return shape_functions.broadcast(op)


class Equal(_Equality):
    """Whether x == y."""

    @staticmethod
    def run(xp: Any, x: Array, y: Array, *, incompatible_shape_error: bool) -> Any:
        if not incompatible_shape_error and not _have_common_shape(x, y):
            return np.bool_(False)
        return xp.equal(_comparable(x), _comparable(y)).astype(bool)


class NotEqual(_Equality):
    """Whether x != y."""

    @staticmethod
    def run(xp: Any, x: Array, y: Array, *, incompatible_shape_error: bool) -> Any:
        if not incompatible_shape_error and not _have_common_shape(x, y):
            return np.bool_(True)
        return xp.not_equal(_comparable(x), _comparable(y)).astype(bool)


class ApproximateEqual(OpType):
    """Whether |x - y| < tolerance; both have the same shape."""

    inputs = "x: T, y: T"
    outputs = "z: bool"
    attrs = "T: numbertype, tolerance: float = 9.999999747378752e-06"
    is_commutative = True
    samples = (sample("float[2,3]", "float[2,3]"), sample("int32[3] in 0..3", "int32[3] in 0..3", tolerance=1.5))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape_functions.merged(op)  # for its errors
        return [op._inputs[0].shape]

    @staticmethod
    def run(xp: Any, x: Array, y: Array, *, tolerance: float) -> Array:
        if np.shape(x) != np.shape(y):
            raise ValueError(f"x and y must be of the same shape. x shape: {list(np.shape(x))}. y shape: {list(np.shape(y))}")
        return xp.absolute(xp.subtract(x, y)) < x.dtype.type(tolerance)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None]


class _Logical(OpType, abstract=True):
    """Truth values."""

    inputs = "x: bool, y: bool"
    outputs = "z: bool"
    is_commutative = True
    is_foldable = True
    samples = (sample("bool[2,3]", "bool[3]"),)
    shapes = staticmethod(shape_functions.broadcast)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None]


class LogicalAnd(_Logical):
    """Whether both are true."""

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.logical_and(x, y)


class LogicalOr(_Logical):
    """Whether either is true."""

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.logical_or(x, y)


class LogicalNot(OpType):
    """Whether it is false."""

    inputs = "x: bool"
    outputs = "y: bool"
    is_foldable = True
    samples = (sample("bool[2,3]"),)
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.logical_not(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]


less = binary("less", "Less", "Whether x < y (`tf.less`).")
less_equal = binary("less_equal", "LessEqual", "Whether x <= y (`tf.less_equal`).")
greater = binary("greater", "Greater", "Whether x > y (`tf.greater`).")
greater_equal = binary("greater_equal", "GreaterEqual", "Whether x >= y (`tf.greater_equal`).")
equal = binary("equal", "Equal", "Whether x == y (`tf.equal`).")
not_equal = binary("not_equal", "NotEqual", "Whether x != y (`tf.not_equal`).")
logical_and = binary("logical_and", "LogicalAnd", "Whether both are true (`tf.logical_and`).")
logical_or = binary("logical_or", "LogicalOr", "Whether either is true (`tf.logical_or`).")
logical_not = unary("logical_not", "LogicalNot", "Whether it is false (`tf.logical_not`).")


def logical_xor(x: Any, y: Any, name: str = "LogicalXor") -> Tensor:
    """Whether one of both is true (`tf.logical_xor`)."""
    return logical_and(logical_or(x, y), logical_not(logical_and(x, y)), name=name)


def approximate_equal(x: Any, y: Any, tolerance: float = 1e-05, name: str | None = None) -> Tensor:
    """Whether |x - y| < tolerance (`tf.approximate_equal`)."""
    return apply("ApproximateEqual", x, y, tolerance=tolerance, name=name)


def _comparable(value: Any) -> Any:
    """A text as an array, and of a quantised type the plain numbers."""
    if isinstance(value, (bytes, str)):
        return np.asarray(value, object)
    return value[value.dtype.names[0]] if value.dtype.names else value


def _have_common_shape(x: Any, y: Any) -> bool:
    pairs = zip(reversed(np.shape(x)), reversed(np.shape(y)), strict=False)
    return all(a == b or 1 in (a, b) for a, b in pairs)
