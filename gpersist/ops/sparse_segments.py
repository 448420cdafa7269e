"""Chosen rows reduced by segments, and the gradients of that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, constant_value, sample
from gpersist.ops.segments import count_of, sizes_of, summed
from gpersist.ops.shaping import shape_of
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["sparse_segment_mean", "sparse_segment_sqrt_n", "sparse_segment_sum"]

_TYPES = "T: {bfloat16, half, float, double}, Tidx: {int32, int64} = int32, "


_SPARSE_SAMPLES = (
    sample("float[4,3]", "int32: [0, 3, 3, 1]", "int32: [0, 0, 1, 3]"),
    sample("double[4]", "int64: [0, 3]", "int32: [1, 1]"),
)


_COUNTED_SAMPLES = tuple(found._replace(inputs=(*found.inputs, "int32: 5")) for found in _SPARSE_SAMPLES)


class _Sparse(OpType, abstract=True):
    """Segments of chosen rows."""

    inputs = "data: T, indices: Tidx, segment_ids: Tsegmentids"
    outputs = "output: T"
    attrs = _TYPES + "Tsegmentids: {int32, int64} = int32"
    samples: ClassVar[tuple[Sample, ...]] = _SPARSE_SAMPLES

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        data, indices, ids, *rest = op._inputs
        data.shape.with_rank_at_least(1)
        indices.shape.merge_with(ids.shape).with_rank(1)
        count = constant_value(rest[0]) if rest else None
        return [unknown_shape() if data.shape.sizes is None else TensorShape([None if count is None else int(count), *data.shape.sizes[1:]])]


class SparseSegmentSum(_Sparse):
    """The sum of each segment."""

    attrs = "T: realnumbertype, Tidx: {int32, int64} = int32, Tsegmentids: {int32, int64} = int32"

    @staticmethod
    def run(xp: Any, data: Array, indices: Array, ids: Array) -> Array:
        return _sparse(xp, data, indices, ids, None, 0)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return _sparse_gradient("SparseSegmentSumGrad", op, grad)


class SparseSegmentMean(_Sparse):
    """The mean of each segment; of an empty one 0."""

    @staticmethod
    def run(xp: Any, data: Array, indices: Array, ids: Array) -> Array:
        return _sparse(xp, data, indices, ids, None, 1)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return _sparse_gradient("SparseSegmentMeanGrad", op, grad)


class SparseSegmentSqrtN(_Sparse):
    """The sum of each segment, divided by the square root of its size."""

    @staticmethod
    def run(xp: Any, data: Array, indices: Array, ids: Array) -> Array:
        return _sparse(xp, data, indices, ids, None, 2)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return _sparse_gradient("SparseSegmentSqrtNGrad", op, grad)


_COUNTED_TYPES = "Tidx: {int32, int64} = int32, Tnumsegments: {int32, int64} = int32, Tsegmentids: {int32, int64} = int32"


class _Counted(_Sparse, abstract=True):
    """As many segments of chosen rows as are asked for."""

    inputs = "data: T, indices: Tidx, segment_ids: Tsegmentids, num_segments: Tnumsegments"
    attrs = "T: {bfloat16, half, float, double}, " + _COUNTED_TYPES
    samples = _COUNTED_SAMPLES
    host_inputs = ("num_segments",)
    scalars = ("num_segments",)


class SparseSegmentSumWithNumSegments(_Counted):
    """The same of a given number of segments."""

    attrs = "T: realnumbertype, " + _COUNTED_TYPES
    gradient = SparseSegmentSum.gradient

    @staticmethod
    def run(xp: Any, data: Array, indices: Array, ids: Array, num_segments: Any) -> Array:
        return _sparse(xp, data, indices, ids, int(num_segments), 0)


class SparseSegmentMeanWithNumSegments(_Counted):
    """The same of a given number of segments."""

    gradient = SparseSegmentMean.gradient

    @staticmethod
    def run(xp: Any, data: Array, indices: Array, ids: Array, num_segments: Any) -> Array:
        return _sparse(xp, data, indices, ids, int(num_segments), 1)


class SparseSegmentSqrtNWithNumSegments(_Counted):
    """The same of a given number of segments."""

    gradient = SparseSegmentSqrtN.gradient

    @staticmethod
    def run(xp: Any, data: Array, indices: Array, ids: Array, num_segments: Any) -> Array:
        return _sparse(xp, data, indices, ids, int(num_segments), 2)


class _SparseGrad(OpType, abstract=True):
    """The gradient of the data: that of its segment for each row that was chosen."""

    inputs = "grad: T, indices: Tidx, segment_ids: Tsegmentids, output_dim0: int32"
    outputs = "output: T"
    attrs = _TYPES + "Tsegmentids: {int32, int64} = int32"
    samples = (sample("float[3,2]", "int32: [0, 3, 3, 1]", "int32: [0, 0, 1, 2]", "int32: 5"),)
    host_inputs = ("output_dim0",)
    scalars = ("output_dim0",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        grad, indices, ids, count = op._inputs
        grad.shape.with_rank_at_least(1)
        indices.shape.merge_with(ids.shape).with_rank(1)
        found = constant_value(count)
        return [unknown_shape() if grad.shape.sizes is None else TensorShape([None if found is None else int(found), *grad.shape.sizes[1:]])]


class SparseSegmentSumGrad(_SparseGrad):
    """Of `SparseSegmentSum`."""

    @staticmethod
    def run(xp: Any, grad: Array, indices: Array, ids: Array, output_dim0: Any) -> Array:
        return _spread(xp, grad, indices, ids, int(output_dim0), 0)


class SparseSegmentMeanGrad(_SparseGrad):
    """Of `SparseSegmentMean`."""

    @staticmethod
    def run(xp: Any, grad: Array, indices: Array, ids: Array, output_dim0: Any) -> Array:
        return _spread(xp, grad, indices, ids, int(output_dim0), 1)


class SparseSegmentSqrtNGrad(_SparseGrad):
    """Of `SparseSegmentSqrtN`."""

    @staticmethod
    def run(xp: Any, grad: Array, indices: Array, ids: Array, output_dim0: Any) -> Array:
        return _spread(xp, grad, indices, ids, int(output_dim0), 2)


class _SparseGradV2(OpType, abstract=True):
    """The same gradient of those rows alone that were chosen, and which these are."""

    inputs = "grad: T, indices: Tidx, segment_ids: Tsegmentids, dense_output_dim0: int32"
    outputs = "output: T, sorted_unique_indices: Tidx"
    attrs = _TYPES + "Tsegmentids: {int32, int64} = int32"
    samples = (
        sample("float[3,2]", "int32: [4, 3, 3, 1]", "int32: [0, 0, 1, 2]", "int32: 5", has_gradient=False),
        sample("double[2]", "int64: [2, 0]", "int32: [0, 1]", "int32: 3", has_gradient=False),
    )
    host_inputs = ("dense_output_dim0",)
    scalars = ("dense_output_dim0",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        grad, indices, ids, _ = op._inputs
        grad.shape.with_rank_at_least(1)
        indices.shape.merge_with(ids.shape).with_rank(1)
        return [unknown_shape() if grad.shape.sizes is None else TensorShape([None, *grad.shape.sizes[1:]]), TensorShape([None])]


def _spread_to_chosen(xp: Any, grad: Array, indices: Array, ids: Array, rows: int, power: int) -> list[Array]:
    if indices.size and (indices.min() < 0 or indices.max() >= rows):
        raise InvalidArgumentError(f"Index out of range: expected values in [0, {rows})")
    is_chosen = xp.zeros(rows, bool)
    is_chosen[indices] = True
    (chosen,) = xp.nonzero(is_chosen)
    places = (xp.cumsum(is_chosen) - 1)[indices]
    return [_spread(xp, grad, places, ids, len(chosen), power), chosen.astype(indices.dtype)]


class SparseSegmentSumGradV2(_SparseGradV2):
    """Of `SparseSegmentSum`."""

    @staticmethod
    def run(xp: Any, grad: Array, indices: Array, ids: Array, dense_output_dim0: Any) -> list[Array]:
        return _spread_to_chosen(xp, grad, indices, ids, int(dense_output_dim0), 0)


class SparseSegmentMeanGradV2(_SparseGradV2):
    """Of `SparseSegmentMean`."""

    @staticmethod
    def run(xp: Any, grad: Array, indices: Array, ids: Array, dense_output_dim0: Any) -> list[Array]:
        return _spread_to_chosen(xp, grad, indices, ids, int(dense_output_dim0), 1)


class SparseSegmentSqrtNGradV2(_SparseGradV2):
    """Of `SparseSegmentSqrtN`."""

    @staticmethod
    def run(xp: Any, grad: Array, indices: Array, ids: Array, dense_output_dim0: Any) -> list[Array]:
        return _spread_to_chosen(xp, grad, indices, ids, int(dense_output_dim0), 2)


def _scale(xp: Any, ids: Array, count: int, power: int, ndim: int, dtype: Any) -> Array:
    """What each segment is divided by: 1, its size, or the square root of that."""
    sizes = xp.maximum(sizes_of(xp, ids, count), 1).reshape(-1, *[1] * (ndim - 1))
    return (sizes if power == 1 else xp.sqrt(sizes)).astype(dtype)


def _sparse(xp: Any, data: Array, indices: Array, ids: Array, count: int | None, power: int) -> Array:
    if indices.size and (indices.min() < 0 or indices.max() >= data.shape[0]):
        raise InvalidArgumentError(f"indices are out of range: expected values in [0, {data.shape[0]})")
    rows = data[indices]
    found = count_of(xp, rows, ids)
    if count is not None and count < found:
        raise InvalidArgumentError(f"segment ids must be < num_segments: {found - 1} against {count}")
    total = summed(xp, rows, ids, found if count is None else count)
    return total / _scale(xp, ids, total.shape[0], power, data.ndim, data.dtype) if power else total


def _spread(xp: Any, grad: Array, indices: Array, ids: Array, rows: int, power: int) -> Array:
    if ids.size and (ids.min() < 0 or ids.max() >= grad.shape[0]):
        raise InvalidArgumentError(f"Segment id {int(ids.max())} out of range [0, {grad.shape[0]})")
    if indices.size and (indices.min() < 0 or indices.max() >= rows):
        raise InvalidArgumentError(f"Index out of range: expected values in [0, {rows})")
    scaled = grad / _scale(xp, ids, grad.shape[0], power, grad.ndim, grad.dtype) if power else grad
    result = xp.zeros((rows, *grad.shape[1:]), grad.dtype)
    xp.add.at(result, indices, scaled[ids])
    return result


def _sparse_gradient(op_name: str, op: Operation, grad: Tensor) -> list[Tensor | None]:
    data, indices, ids, *rest = op.inputs
    rows = shape_of(data)[0]
    return [apply(op_name, grad, indices, ids, rows), None, None, *[None for _ in rest]]


def _sparse_builder(function_name: str, op_name: str, told: str) -> Callable[..., Tensor]:
    def build(data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None) -> Tensor:
        if num_segments is None:
            return apply(op_name, data, indices, segment_ids, name=name)
        return apply(f"{op_name}WithNumSegments", data, indices, segment_ids, num_segments, name=name)

    build.__name__ = build.__qualname__ = function_name
    build.__doc__ = f"{told} of each segment of the rows that `indices` chooses (`tf.{function_name}`)."
    return build


sparse_segment_sum = _sparse_builder("sparse_segment_sum", "SparseSegmentSum", "The sum")


sparse_segment_mean = _sparse_builder("sparse_segment_mean", "SparseSegmentMean", "The mean")


sparse_segment_sqrt_n = _sparse_builder("sparse_segment_sqrt_n", "SparseSegmentSqrtN", "The sum by the square root of the size")
