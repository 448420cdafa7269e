"""Sobol's sequence: points that fill the unit cube evenly."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.graph import Operation, OpType, Tensor, apply, constant_value, name_scope, sample
from gpersist.ops.kernels import shown
from gpersist.ops.sobol_numbers import COUNTS, PACKED
from gpersist.shapes import TensorShape

__all__ = ["sobol_sample"]

_MOST_DIMENSIONS = 21200
"""Of TensorFlow's table, of which ours is the beginning."""

_BITS = 31


@cache
def _directions() -> Any:
    """The direction numbers as whole numbers, those of a dimension in a row: of the k-th the lowest k + 1 bits count."""
    packed = base64.b85decode(PACKED)
    bits = iter(np.unpackbits(np.frombuffer(packed, np.uint8)).tolist())

    def take(count: int) -> int:
        found = 0
        for _ in range(count):
            found = found << 1 | next(bits)
        return found

    rows = [[1] * _BITS]
    for degree, count in enumerate(COUNTS, 1):
        for _ in range(count):
            inner = take(degree)
            row = [2 * take(place) + 1 for place in range(degree)]
            for place in range(degree, _BITS):
                found = row[place - degree] ^ row[place - degree] << degree
                for step in range(1, degree):
                    if inner >> (degree - 1 - step) & 1:
                        found ^= row[place - step] << step
                row.append(found)
            rows.append(row)
    return np.array(rows, np.int64)


class SobolSample(OpType):
    """Points of Sobol's sequence, without its first one, which is 0."""

    inputs = "dim: int32, num_results: int32, skip: int32"
    outputs = "samples: dtype"
    attrs = "dtype: {float, double} = float"
    host_inputs = ("dim", "num_results", "skip")
    scalars = ("dim", "num_results", "skip")
    samples = (
        sample("int32: 5", "int32: 20", "int32: 0"),
        sample("int32: 300", "int32: 7", "int32: 12345", dtype="double"),
        sample("int32: 1111", "int32: 3", "int32: 1"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        known = [constant_value(tensor) for tensor in (op._inputs[1], op._inputs[0])]
        if any(value is not None and value < -1 for value in known):
            raise ValueError(f"Dimension size, given by scalar input, must be non-negative but is {min(int(v) for v in known if v is not None)}")
        return [TensorShape([None if value is None or value < 0 else int(value) for value in known])]

    @staticmethod
    def run(xp: Any, dim: Any, num_results: Any, skip: Any, *, dtype: DType) -> Array:
        for name, value in (("dim", dim), ("num_results", num_results), ("skip", skip)):
            if np.ndim(value):
                raise InvalidArgumentError(f"{name} must be a scalar, not of shape {shown(np.shape(value))}")
        dimensions, count, first = int(dim), int(num_results), int(skip)
        if dimensions < 1:
            raise InvalidArgumentError("dim must be at least one")
        if dimensions > _MOST_DIMENSIONS:
            raise InvalidArgumentError(f"dim must be at most {_MOST_DIMENSIONS}")
        if count < 1:
            raise InvalidArgumentError("num_results must be at least one")
        if first < 0:
            raise InvalidArgumentError("skip must be non-negative")
        if count >= (1 << 31) - 1 - first:
            raise InvalidArgumentError(f"num_results+skip must be less than {(1 << 31) - 1}")
        directions = _directions()
        if dimensions > len(directions):
            raise UnimplementedError(f"Sobol's sequence is known here in {len(directions)} dimensions, not in {dimensions}")
        digits = (first + count + 1).bit_length()
        numbers = xp.arange(first + 1, first + count + 1, dtype=np.int64)
        code = numbers ^ numbers >> 1
        shifted = xp.asarray(directions[:dimensions, :digits] << np.arange(digits - 1, -1, -1))
        found = xp.zeros((count, dimensions), np.int64)
        for digit in range(digits):
            found ^= (code >> digit & 1)[:, None] * shifted[:, digit]
        return found.astype(dtype.numpy) / (1 << digits)  # a power of 2: nothing is rounded twice

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None, None]


def sobol_sample(dim: Any, num_results: Any, skip: Any = 0, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """Points of Sobol's sequence (`tf.math.sobol_sample`).

    Args:
        dim: how many numbers a point has.
        num_results: how many points.
        skip: how many points of the sequence are left out first.
        dtype: float32 or float64.
        name: of the scope.

    Returns:
        A tensor of shape [num_results, dim].
    """
    with name_scope(name, "sobol", [dim, num_results, skip]):
        return apply("SobolSample", dim, num_results, skip, dtype=dtype)
