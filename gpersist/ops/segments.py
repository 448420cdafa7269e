"""Rows reduced by segments: each row belongs to the segment whose number is given with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import ml_dtypes
import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, constant_value, convert_to_tensor, name_scope, sample
from gpersist.ops.accumulating import combine_at
from gpersist.ops.arithmetic import maximum
from gpersist.ops.casting import cast
from gpersist.ops.choosing import where_v2
from gpersist.ops.comparison import equal, greater, greater_equal, logical_and
from gpersist.ops.division import divide
from gpersist.ops.filling import ones, ones_like, zeros_like
from gpersist.ops.gathering import gather
from gpersist.ops.joining import concat
from gpersist.ops.kernels import shown
from gpersist.ops.shaping import expand_dims, rank, reshape, shape_of
from gpersist.ops.unary import sqrt
from gpersist.shapes import TensorShape, unknown_shape

__all__ = [
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "unsorted_segment_max",
    "unsorted_segment_mean",
    "unsorted_segment_min",
    "unsorted_segment_prod",
    "unsorted_segment_sqrt_n",
    "unsorted_segment_sum",
]


class _Segments(OpType, abstract=True):
    """Segments in order, their numbers never smaller than the one before."""

    inputs = "data: T, segment_ids: Tindices"
    outputs = "output: T"
    attrs = "T: numbertype, Tindices: {int32, int64}"
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("float[5,3]", "int32: [0, 0, 1, 3, 3]"),
        sample("double[3]", "int64: [0, 0, 0]"),
        sample("int32[3,2]", "int32: [1, 1, 2]"),
        sample("float[0,2]", np.zeros(0, np.int32)),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        data, ids = op._inputs
        ids.shape.with_rank(1)
        data.shape.with_rank_at_least(1)
        return [unknown_shape() if data.shape.sizes is None else TensorShape([None, *data.shape.sizes[1:]])]


_ORDERED = "T: realnumbertype, Tindices: {int32, int64}"


class SegmentSum(_Segments):
    """The sum of each segment."""

    @staticmethod
    def run(xp: Any, data: Array, ids: Array) -> Array:
        return summed(xp, data, ids, count_of(xp, data, ids))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [gather(grad, op.inputs[1]), None]


class SegmentMean(_Segments):
    """The mean of each segment; of an empty one 0."""

    @staticmethod
    def run(xp: Any, data: Array, ids: Array) -> Array:
        count = count_of(xp, data, ids)
        total = summed(xp, data, ids, count)
        divisor = xp.maximum(sizes_of(xp, ids, count), 1).reshape(-1, *[1] * (data.ndim - 1)).astype(data.dtype)
        if data.dtype.kind in "iu":
            return ((total - xp.fmod(total, divisor)) // divisor).astype(data.dtype)
        return total / divisor

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        data, ids = op.inputs
        data_rank = rank(data)
        shape = shape_of(ids)
        ones_shape = concat([shape, ones(expand_dims(data_rank - 1, 0), shape.dtype)], 0)
        scaled = divide(grad, segment_sum(ones(ones_shape, grad.dtype), ids))
        return [gather(scaled, ids), None]


class SegmentProd(_Segments):
    """The product of each segment; of an empty one 1."""

    is_host_only = True
    samples = tuple(found._replace(has_gradient=False) for found in _Segments.samples)

    @staticmethod
    def run(xp: Any, data: Array, ids: Array) -> Array:
        return _combined(xp, "multiply", data, ids, count_of(xp, data, ids), 1)


class _SortedExtreme(_Segments, abstract=True):
    attrs = _ORDERED

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        data, ids = op.inputs
        zeros = zeros_like(data, data.dtype)
        chosen = equal(data, gather(op.outputs[0], ids))
        count = segment_sum(cast(chosen, grad.dtype), ids)
        shared = gather(divide(grad, count), ids)  # equal ones share
        return [where_v2(chosen, shared, zeros), None]


class SegmentMax(_SortedExtreme):
    """The largest of each segment; of an empty one 0."""

    @staticmethod
    def run(xp: Any, data: Array, ids: Array) -> Array:
        return _extreme_or_zero(xp, "maximum", data, ids, _bound(data.dtype, "min") if data.dtype.kind in "iu" else -np.inf)


class SegmentMin(_SortedExtreme):
    """The smallest of each segment; of an empty one 0."""

    @staticmethod
    def run(xp: Any, data: Array, ids: Array) -> Array:
        return _extreme_or_zero(xp, "minimum", data, ids, _bound(data.dtype, "max") if data.dtype.kind in "iu" else np.inf)


class _Unsorted(OpType, abstract=True):
    """Segments in any order, and how many there are; rows with negative numbers are left out."""

    inputs = "data: T, segment_ids: Tindices, num_segments: Tnumsegments"
    outputs = "output: T"
    attrs = "T: realnumbertype, Tindices: {int32, int64}, Tnumsegments: {int32, int64} = int32"
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("float[5,3]", "int32: [3, 0, -1, 3, 0]", "int32: 5"),
        sample("double[2,2]", "int64: [[1, 0], [1, 1]]", "int64: 2"),
        sample("int32[3,2]", "int32: [1, 0, 1]", "int32: 2"),
        sample("float[0,2]", np.zeros(0, np.int32), "int32: 3"),
    )
    host_inputs = ("num_segments",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        data, ids, count = op._inputs
        count.shape.with_rank(0)
        if data.shape.sizes is None or ids.shape.sizes is None:
            return [unknown_shape()]
        depth = len(ids.shape.sizes)
        TensorShape(data.shape.sizes[:depth]).merge_with(ids.shape)
        found = constant_value(count)
        if found is not None and found < 0:
            raise ValueError(f"Dimension size, given by scalar input 2, must be non-negative but is {int(found)}")
        return [TensorShape([None if found is None else int(found), *data.shape.sizes[depth:]])]


class UnsortedSegmentSum(_Unsorted):
    """The sum of each segment."""

    attrs = "T: numbertype, Tindices: {int16, int32, int64}, Tnumsegments: {int32, int64} = int32"

    @staticmethod
    def run(xp: Any, data: Array, ids: Array, num_segments: Any) -> Array:
        rows, flat, count = _flattened(xp, data, ids, num_segments)
        return _combined(xp, "add", rows, flat, count, 0)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        ids = op.inputs[1]
        found = gather(grad, maximum(ids, zeros_like(ids)))
        return [where_v2(_counted(ids, found), found, zeros_like(found)), None, None]


class UnsortedSegmentProd(_Unsorted):
    """The product of each segment; of an empty one 1."""

    attrs = "T: numbertype, Tindices: {int32, int64}, Tnumsegments: {int32, int64} = int32"
    is_host_only = True

    @staticmethod
    def run(xp: Any, data: Array, ids: Array, num_segments: Any) -> Array:
        rows, flat, count = _flattened(xp, data, ids, num_segments)
        return _combined(xp, "multiply", rows, flat, count, 1)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        data, ids, count = op.inputs
        is_zero = equal(data, 0)
        zeros_in = unsorted_segment_sum(cast(is_zero, "int32"), ids, count)
        grad = where_v2(greater(zeros_in, 1), zeros_like(grad), grad)  # two zeros leave a zero
        others = unsorted_segment_prod(where_v2(is_zero, ones_like(data), data), ids, count)
        places = maximum(ids, zeros_like(ids))
        product, product_of_others = gather(op.outputs[0], places), gather(others, places)
        slope = where_v2(is_zero, product_of_others, product / data)
        found = gather(grad, places)
        return [where_v2(_counted(ids, found), found, zeros_like(found)) * slope, None, None]


class _UnsortedExtreme(_Unsorted, abstract=True):
    samples = (_Unsorted.samples[0]._replace(has_gradient=False), *_Unsorted.samples[1:])  # the bound of an empty segment drowns all else

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        data, ids, count = op.inputs
        places = maximum(ids, zeros_like(ids))
        found = gather(op.outputs[0], places)
        is_counted = _counted(ids, found)
        found = where_v2(is_counted, found, zeros_like(found))
        chosen = logical_and(equal(data, found), is_counted)
        selected = unsorted_segment_sum(cast(chosen, grad.dtype), ids, count)
        shared = gather(divide(grad, selected), places)  # equal ones share
        shared = where_v2(is_counted, shared, zeros_like(shared))
        return [where_v2(chosen, shared, zeros_like(shared)), None, None]


class UnsortedSegmentMax(_UnsortedExtreme):
    """The largest of each segment; of an empty one the least number there is."""

    @staticmethod
    def run(xp: Any, data: Array, ids: Array, num_segments: Any) -> Array:
        rows, flat, count = _flattened(xp, data, ids, num_segments)
        return _combined(xp, "maximum", rows, flat, count, _bound(data.dtype, "min"))


class UnsortedSegmentMin(_UnsortedExtreme):
    """The smallest of each segment; of an empty one the largest number there is."""

    @staticmethod
    def run(xp: Any, data: Array, ids: Array, num_segments: Any) -> Array:
        rows, flat, count = _flattened(xp, data, ids, num_segments)
        return _combined(xp, "minimum", rows, flat, count, _bound(data.dtype, "max"))


def count_of(xp: Any, data: Array, ids: Array) -> int:
    """How many segments there are in order.

    Raises:
        InvalidArgumentError: there is not one number for each row, or they are negative or not in order.
    """
    if ids.shape != data.shape[:1]:
        raise InvalidArgumentError(f"segment_ids should be the same size as dimension 0 of input: {list(ids.shape)} against {list(data.shape)}")
    if not ids.size:
        return 0
    if ids[0] < 0:
        raise InvalidArgumentError("segment ids must be >= 0")
    if (ids[1:] < ids[:-1]).any():
        raise InvalidArgumentError("segment ids are not increasing")
    return int(ids[-1]) + 1


def _flattened(xp: Any, data: Array, ids: Array, num_segments: Any) -> tuple[Array, Array, int]:
    """Rows and their segments, those left out removed."""
    count = int(num_segments)
    if data.shape[: ids.ndim] != ids.shape:
        raise InvalidArgumentError(f"data.shape = {list(data.shape)} does not start with segment_ids.shape = {list(ids.shape)}")
    if count < 0:
        raise InvalidArgumentError(f"Input num_segments == {count} must not be negative.")
    flat = xp.reshape(ids, -1)
    rows = xp.reshape(data, (flat.size, *data.shape[ids.ndim :]))
    if not data.size:  # nothing to look at: TensorFlow does not, either
        return rows[:0], flat[:0], count
    if flat.size and flat.max() >= count:
        place = tuple(int(axis[0]) for axis in xp.nonzero(ids >= count))
        raise InvalidArgumentError(f"segment_ids{shown(place) if place else ''} = {int(ids[place])} is out of range [0, {count})")
    if flat.size and flat.min() < 0:
        is_counted = flat >= 0
        rows, flat = rows[is_counted], flat[is_counted]
    return rows, flat, count


def _combined(xp: Any, how: str, rows: Array, ids: Array, count: int, first: Any) -> Array:
    result = xp.full((count, *rows.shape[1:]), first, rows.dtype)
    combine_at(xp, how, result, ids, rows)
    return result


def summed(xp: Any, rows: Array, ids: Array, count: int) -> Array:
    if xp is not np or not ids.size or rows.dtype.kind not in "fiuc":
        return _combined(xp, "add", rows, ids, count, 0)
    result = np.zeros((count, *rows.shape[1:]), rows.dtype)
    starts = np.flatnonzero(np.concatenate([[True], ids[1:] != ids[:-1]]))
    result[ids[starts]] = np.add.reduceat(rows, starts, axis=0, dtype=rows.dtype)
    return result


def sizes_of(xp: Any, ids: Array, count: int) -> Array:
    return xp.bincount(ids, minlength=count) if ids.size else xp.zeros(count, np.int64)


def _extreme_or_zero(xp: Any, how: str, data: Array, ids: Array, first: Any) -> Array:
    count = count_of(xp, data, ids)
    result = _combined(xp, how, data, ids, count, first)
    is_empty = (sizes_of(xp, ids, count) == 0).reshape(-1, *[1] * (data.ndim - 1))
    return xp.where(is_empty, data.dtype.type(0), result)


def _bound(dtype: Any, end: str) -> Any:
    return getattr(np.iinfo(dtype) if dtype.kind in "iu" else ml_dtypes.finfo(dtype), end)  # type: ignore[no-untyped-call]


def _counted(ids: Tensor, found: Tensor) -> Tensor:
    """Which rows are not left out, in the shape of what was gathered for them."""
    is_counted = greater_equal(ids, 0)
    shape = shape_of(is_counted)
    is_counted = reshape(is_counted, concat([shape, ones([rank(found) - rank(is_counted)], shape.dtype)], 0))
    return is_counted & ones_like(found, "bool")


def _sorted_builder(function_name: str, op_name: str, told: str) -> Callable[..., Tensor]:
    def build(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
        return apply(op_name, data, segment_ids, name=name)

    build.__name__ = build.__qualname__ = function_name
    build.__doc__ = f"{told} of each segment of rows, which are in order (`tf.{function_name}`)."
    return build


def _unsorted_builder(function_name: str, op_name: str, told: str) -> Callable[..., Tensor]:
    def build(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
        return apply(op_name, data, segment_ids, num_segments, name=name)

    build.__name__ = build.__qualname__ = function_name
    build.__doc__ = f"{told} of each segment of rows, in any order (`tf.{function_name}`)."
    return build


segment_sum = _sorted_builder("segment_sum", "SegmentSum", "The sum")


segment_mean = _sorted_builder("segment_mean", "SegmentMean", "The mean")


segment_prod = _sorted_builder("segment_prod", "SegmentProd", "The product")


segment_max = _sorted_builder("segment_max", "SegmentMax", "The largest element")


segment_min = _sorted_builder("segment_min", "SegmentMin", "The smallest element")


unsorted_segment_sum = _unsorted_builder("unsorted_segment_sum", "UnsortedSegmentSum", "The sum")


unsorted_segment_prod = _unsorted_builder("unsorted_segment_prod", "UnsortedSegmentProd", "The product")


unsorted_segment_max = _unsorted_builder("unsorted_segment_max", "UnsortedSegmentMax", "The largest element")


unsorted_segment_min = _unsorted_builder("unsorted_segment_min", "UnsortedSegmentMin", "The smallest element")


def unsorted_segment_mean(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """The mean of each segment of rows, in any order (`tf.unsorted_segment_mean`)."""
    with name_scope(name, "UnsortedSegmentMean"):
        tensor, ids = convert_to_tensor(data), convert_to_tensor(segment_ids)
        sizes = _segment_sizes(tensor, ids, num_segments)
        return unsorted_segment_sum(tensor, ids, num_segments) / sizes


def unsorted_segment_sqrt_n(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """The sum of each segment of rows by the square root of its size (`tf.unsorted_segment_sqrt_n`)."""
    with name_scope(name, "UnsortedSegmentSqrtN"):
        tensor, ids = convert_to_tensor(data), convert_to_tensor(segment_ids)
        sizes = _segment_sizes(tensor, ids, num_segments)
        return unsorted_segment_sum(tensor, ids, num_segments) / sqrt(sizes)


def _segment_sizes(data: Tensor, ids: Tensor, num_segments: Any) -> Tensor:
    """How many rows each segment has, at least 1, in a shape that the segments are divided by."""
    count = convert_to_tensor(num_segments)
    with name_scope(None, "Shape", [ids]) as scope:
        shape = convert_to_tensor(ids.shape) if ids.shape.is_fully_defined() else apply("Shape", ids, name=scope)
    found = unsorted_segment_sum(ones(shape, data.dtype), ids, count)
    shape = concat([count[None], ones([rank(data) - rank(ids)], count.dtype)], 0)
    return maximum(reshape(found, shape), 1)
