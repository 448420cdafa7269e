"""Integers as bits (`tf.bitwise`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.graph import Operation, OpType, Tensor, sample
from gpersist.ops import shape_functions
from gpersist.ops.builders import binary, unary

__all__ = ["bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift"]

_INTEGERS = "T: {int8, int16, int32, int64, uint8, uint16, uint32, uint64}"


class _Bitwise(OpType, abstract=True):
    inputs = "x: T, y: T"
    outputs = "z: T"
    attrs = _INTEGERS
    is_foldable = True
    samples = (sample("int32[2,3]", "int32[3] in 0..9"), sample("uint8[3] in 0..255", "uint8[] in 0..9"), sample("int64[0]", "int64[]"))
    shapes = staticmethod(shape_functions.broadcast)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None]


class BitwiseAnd(_Bitwise):
    """The bits that both have."""

    is_commutative = True

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.bitwise_and(x, y)


class BitwiseOr(_Bitwise):
    """The bits that either has."""

    is_commutative = True

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.bitwise_or(x, y)


class BitwiseXor(_Bitwise):
    """The bits that one of both has."""

    is_commutative = True

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.bitwise_xor(x, y)


class LeftShift(_Bitwise):
    """The bits moved up; by no more than leaves one of them."""

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.left_shift(x, _within(xp, y)).astype(x.dtype)


class RightShift(_Bitwise):
    """The bits moved down; by no more than leaves one of them. The sign stays."""

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.right_shift(x, _within(xp, y)).astype(x.dtype)


class Invert(OpType):
    """The bits that it has not."""

    inputs = "x: T"
    outputs = "y: T"
    attrs = _INTEGERS
    is_foldable = True
    samples = (sample("int32[2,3]"), sample("uint8[3] in 0..255"))
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.invert(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]


class PopulationCount(OpType):
    """How many bits are set."""

    inputs = "x: T"
    outputs = "y: uint8"
    attrs = _INTEGERS
    samples = (sample("int32[2,3]"), sample("uint8[3] in 0..255"), sample("int64[3]"))
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        unsigned = xp.asarray(x).astype(np.dtype(f"u{x.dtype.itemsize}"))  # NumPy counts the bits of a negative number's magnitude
        return xp.bitwise_count(unsigned)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]


def _within(xp: Any, count: Array) -> Array:
    return xp.clip(count, count.dtype.type(0), count.dtype.type(8 * count.dtype.itemsize - 1))


bitwise_and = binary("bitwise_and", "BitwiseAnd", "The bits that both have (`tf.bitwise.bitwise_and`).")
bitwise_or = binary("bitwise_or", "BitwiseOr", "The bits that either has (`tf.bitwise.bitwise_or`).")
bitwise_xor = binary("bitwise_xor", "BitwiseXor", "The bits that one of both has (`tf.bitwise.bitwise_xor`).")
left_shift = binary("left_shift", "LeftShift", "The bits moved up (`tf.bitwise.left_shift`).")
right_shift = binary("right_shift", "RightShift", "The bits moved down (`tf.bitwise.right_shift`).")
invert = unary("invert", "Invert", "The bits that it has not (`tf.bitwise.invert`).")
