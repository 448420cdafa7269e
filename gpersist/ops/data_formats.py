"""Dimensions and vectors of them from one order of an image's axes to another, as optimizers of graphs put them in."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, sample
from gpersist.ops.kernels import shown
from gpersist.shapes import TensorShape

__all__: list[str] = []

_SPATIAL = "HWD"


class _Formats(OpType, abstract=True):
    """From one order of axes to another."""

    inputs = "x: T"
    outputs = "y: T"
    attrs = "T: {int32, int64} = int32, src_format: string = 'NHWC', dst_format: string = 'NCHW'"
    samples: ClassVar[tuple[Sample, ...]] = ()

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]


def _orders(source: bytes, target: bytes) -> tuple[str, str]:
    before, after = source.decode("ascii", "replace"), target.decode("ascii", "replace")
    if sorted(before) != sorted(after) or len(set(before)) != len(before) or len(before) not in (4, 5):
        raise InvalidArgumentError(f"Source format must be of length 4 or 5, and destination format a permutation of it: {before!r}, {after!r}")
    return before, after


class DataFormatDimMap(_Formats):
    """The axes that axes become."""

    samples = (sample("int32: [0, 1, 2, 3, -1, -4]"), sample("int64: 1", src_format="NCHW", dst_format="NHWC"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape]

    @staticmethod
    def run(xp: Any, x: Array, *, src_format: bytes, dst_format: bytes) -> Array:
        before, after = _orders(src_format, dst_format)
        return xp.asarray(np.array([after.index(axis) for axis in before], x.dtype))[x % len(before)]


class DataFormatVecPermute(_Formats):
    """Values of each axis, or pairs of them, in the other order."""

    samples = (
        sample("int32: [7, 4, 9, 3]"),
        sample("int32: [[1, 2], [3, 4], [5, 6], [7, 8]]"),
        sample("int64: [4, 9]", src_format="NCHW", dst_format="NHWC"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape = op._inputs[0].shape
        return [shape]

    @staticmethod
    def run(xp: Any, x: Array, *, src_format: bytes, dst_format: bytes) -> Array:
        before, after = _orders(src_format, dst_format)
        if x.ndim not in (1, 2) or (x.ndim == 2 and x.shape[1] != 2):
            raise InvalidArgumentError(f"input must be a vector or 2D tensor of pairs, but got shape {shown(x.shape)}")
        if len(x) == len(before) - 2:  # sizes alone
            before, after = ("".join(axis for axis in order if axis in _SPATIAL) for order in (before, after))
        if len(x) != len(before):
            raise InvalidArgumentError(f"1D input must be of size {len(before)}, but got shape {shown(x.shape)}")
        return x[xp.asarray([before.index(axis) for axis in after])]
