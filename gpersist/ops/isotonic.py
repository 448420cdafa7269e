"""Isotonic regression: the nearest sequence that never rises."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, sample
from gpersist.ops import shape_functions
from gpersist.shapes import TensorShape


class IsotonicRegression(OpType):
    """For each row the falling sequence of least squared distance, and which of its elements were made equal."""

    inputs = "input: T"
    outputs = "output: output_dtype, segments: int32"
    attrs = "T: realnumbertype, output_dtype: {half, bfloat16, float, double} = float"
    is_host_only = True
    samples = (
        sample("float[3,6]", has_gradient=False),
        sample("double[2,2,5]", output_dtype="double", has_gradient=False),
        sample("int32[7]", output_dtype="double"),
        sample("int8[7]"),
        sample("float[0,4]", has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return shape_functions.same_as_input(op)

    @staticmethod
    def run(xp: Any, values: Any, *, T: DType, output_dtype: DType) -> list[Any]:  # noqa: N803  # TensorFlow's attribute
        if output_dtype is not T and (T.name, output_dtype.name) not in _CONVERTED:
            raise InvalidArgumentError(f"No OpKernel was registered to support Op 'IsotonicRegression' with {T.name} and {output_dtype.name}")
        found = np.empty(np.shape(values), output_dtype.numpy)
        segments = np.empty(found.shape, np.int32)
        rows = np.reshape(values, (-1, found.shape[-1] if found.ndim else 1)) if found.size else np.empty((0, 1))
        for row, out, numbers in zip(rows, found.reshape(rows.shape), segments.reshape(rows.shape), strict=True):
            _pool(row.astype(output_dtype.numpy), out, numbers)
        return [found, segments]


_CONVERTED = frozenset([("int8", "float32"), ("int16", "float32"), ("int32", "float64"), ("int64", "float64")])


def _pool(row: Any, out: Any, segments: Any) -> None:
    """Joins neighbours that rise until none do: each pool is its sum, its first place, and its mean."""
    real = row.dtype.type
    pools: list[tuple[Any, int, Any]] = []
    for place, value in enumerate(row):
        total, start, mean = value, place, value
        while pools and mean > pools[-1][2]:
            before, start, _ = pools.pop()
            total = real(before + total)
            mean = real(total / real(place + 1 - start))
        pools.append((total, start, mean))
    ends = [start for _, start, _ in pools[1:]] + [len(row)]
    for number, ((_, start, mean), end) in enumerate(zip(pools, ends, strict=True)):
        out[start:end] = mean
        segments[start:end] = number
