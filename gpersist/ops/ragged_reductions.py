"""Reductions of ragged tensors: `tf.reduce_sum` and its like, and joined strings. Arguments are those of the functions for tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpersist.graph import Tensor, apply, name_scope
from gpersist.ops.casting import cast
from gpersist.ops.filling import ones_like, zeros
from gpersist.ops.gathering import gather
from gpersist.ops.joining import concat
from gpersist.ops.ragged_axes import expand_dims
from gpersist.ops.ragged_places import row_splits_to_numbers
from gpersist.ops.ragged_tensor import RaggedTensor
from gpersist.ops.reductions import reduce_max
from gpersist.ops.scans import cumsum
from gpersist.ops.sequences import range as number_range
from gpersist.ops.string_segments import unsorted_segment_join

__all__: list[str] = []

_Segments = Callable[[Any, Any, Any], Any]
"""What reduces the rows of a tensor by the number of the segment that each is in, and how many segments there are."""


def reduced(
    function: Callable[..., Any],
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
    **others: Any,
) -> Any:
    """What a reduction makes of a ragged tensor.

    Args:
        function: for tensors: `reduce_sum`, ...
        input_tensor: the ragged tensor.
        axis: one, or several, as numbers; None for all.
        keepdims: whether they stay, of size 1.
        name: of the scope.
        reduction_indices: old name of `axis`.
        keep_dims: old name of `keepdims`.
        others: more arguments of the function.

    Raises:
        ValueError: there is no such axis.
    """
    places = axis if reduction_indices is None else reduction_indices
    if places is None:
        return function(input_tensor.flat_values, name=name, **others)
    kind = function.__name__
    with name_scope(name, "Ragged" + kind.title().replace("_", ""), [input_tensor]):
        rank = input_tensor.shape.rank
        found, taken = input_tensor, sorted({int(each) + (rank if int(each) < 0 else 0) for each in np.atleast_1d(places).tolist()})
        if kind in ("reduce_variance", "reduce_std"):
            return _spread(found, taken, kind == "reduce_std")
        if kind == "reduce_mean":
            found = _quotient(_along(_sums, found, taken, _dense("Sum")), _along(_sums, ones_of(found), taken, _dense("Sum")))
        else:
            found = _along(_KINDS[kind], found, taken, lambda tensor, place: function(tensor, axis=place))
        if keepdims or keep_dims:
            for each in taken:
                found = expand_dims(found, each) if isinstance(found, RaggedTensor) else apply("ExpandDims", found, each)
        return found


def reduce_join(inputs: Any, axis: Any = None, keep_dims: bool | None = None, separator: str = "", name: str | None = None, **others: Any) -> Any:
    """The strings of each row joined."""
    place = others.get("reduction_indices") if axis is None else axis
    if place is None:
        place = list(range(inputs.shape.rank))

    def join(data: Any, numbers: Any, count: Any) -> Any:
        return unsorted_segment_join(data, numbers, count, separator)

    def dense(tensor: Any, axis: int) -> Any:
        return apply("ReduceJoin", tensor, axis, separator=separator)

    with name_scope(name, "RaggedSegmentJoin", [inputs]):
        rank = inputs.shape.rank
        taken = sorted({int(each) + (rank if int(each) < 0 else 0) for each in np.atleast_1d(place).tolist()})
        return _along(join, inputs, taken, dense)


def segmented(function: Callable[..., Any], data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
    """What a reduction by segments makes of ragged data.

    Raises:
        ValueError: data are not ragged, or have fewer levels than the segments' numbers.
    """
    if not isinstance(data, RaggedTensor):
        raise ValueError("segment_ids are ragged, and data are not; expected data of the same rows")
    with name_scope(name, "RaggedSegmentReduce", [data]):
        if isinstance(segment_ids, RaggedTensor):
            return (
                segmented(function, data.values, segment_ids.values, num_segments)
                if isinstance(data.values, RaggedTensor)
                else function(data.values, segment_ids.values, num_segments)
            )
        return _by_segment(function, data, segment_ids, num_segments)


def ones_of(ragged: RaggedTensor) -> RaggedTensor:
    """Ones in the same rows."""
    return ragged.with_flat_values(ones_like(ragged.flat_values))


def _along(reduce: _Segments, ragged: Any, axes: list[int], dense: Callable[[Any, int], Any]) -> Any:
    found = ragged
    for axis in reversed(axes):
        found = _along_one(reduce, found, axis, dense)
    return found


def _along_one(reduce: _Segments, ragged: Any, axis: int, dense: Callable[[Any, int], Any]) -> Any:
    if isinstance(ragged, Tensor):
        return dense(ragged, axis)
    if axis > 1:
        return ragged.with_values(_along_one(reduce, ragged.values, axis - 1, dense))
    if axis == 1:
        return _by_segment(reduce, ragged.values, row_splits_to_numbers(ragged.row_splits), ragged.nrows())
    lengths = ragged.row_splits[1:] - ragged.row_splits[:-1]
    numbers = row_splits_to_numbers(ragged.row_splits)
    within = number_range(ragged.row_splits[-1]) - gather(ragged.row_splits, numbers)
    return _by_segment(reduce, ragged.values, within, reduce_max(concat([lengths, zeros([1], lengths.dtype)], 0)))


def _by_segment(reduce: _Segments, data: Any, numbers: Any, count: Any) -> Any:
    """Rows reduced element by element; a segment is as long as its longest row."""
    if isinstance(data, Tensor):
        return reduce(data, numbers, count)
    splits = data.row_splits
    lengths = splits[1:] - splits[:-1]
    longest = apply("Maximum", apply("UnsortedSegmentMax", lengths, numbers, count), np.zeros((), lengths.dtype.numpy))
    ends = concat([zeros([1], longest.dtype), cumsum(longest)], 0)
    rows = row_splits_to_numbers(splits)
    places = number_range(splits[-1]) - gather(splits, rows) + gather(gather(ends, numbers), rows)
    return RaggedTensor.from_row_splits(_by_segment(reduce, data.values, places, ends[-1]), ends, validate=False)


def _dense(op_type: str) -> Callable[[Any, int], Any]:
    return lambda tensor, axis: apply(op_type, tensor, axis)


def _segments(op_type: str) -> _Segments:
    return lambda data, numbers, count: apply(op_type, data, numbers, count)


def _truths(op_type: str) -> _Segments:
    return lambda data, numbers, count: apply("Greater", apply(op_type, cast(data, "int32"), numbers, count), 0)


_sums = _segments("UnsortedSegmentSum")

_KINDS: dict[str, _Segments] = {
    "reduce_sum": _sums,
    "reduce_prod": _segments("UnsortedSegmentProd"),
    "reduce_max": _segments("UnsortedSegmentMax"),
    "reduce_min": _segments("UnsortedSegmentMin"),
    "reduce_any": _truths("UnsortedSegmentMax"),
    "reduce_all": _truths("UnsortedSegmentMin"),
}


def _quotient(total: Any, count: Any) -> Any:
    if isinstance(total, RaggedTensor):
        return total.with_flat_values(_quotient(total.flat_values, count.flat_values))
    return apply("RealDiv", total, count) if total.dtype.is_floating or total.dtype.is_complex else apply("FloorDiv", total, count)


def _spread(ragged: RaggedTensor, axes: list[int], is_root: bool) -> Any:
    """The mean of squares without the square of the mean, or its root."""
    counts = _along(_sums, ones_of(ragged), axes, _dense("Sum"))
    squares = ragged.with_flat_values(apply("Square", ragged.flat_values))
    means = [_quotient(_along(_sums, each, axes, _dense("Sum")), counts) for each in (squares, ragged)]

    def spread(square: Any, mean: Any) -> Any:
        if isinstance(square, RaggedTensor):
            return square.with_flat_values(spread(square.flat_values, mean.flat_values))
        found = apply("Maximum", apply("Sub", square, apply("Square", mean)), np.zeros((), square.dtype.numpy))
        return apply("Sqrt", found) if is_root else found

    return spread(*means)
