"""Functions of axes, of ragged tensors: `tf.concat`, `tf.expand_dims`, `tf.gather` and their like, with the arguments of those for tensors."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.graph import Tensor, apply, apply_op, constant_value, convert_to_tensor, name_scope
from gpersist.ops import choosing, gathering, joining, scans, shaping
from gpersist.ops.casting import cast
from gpersist.ops.comparison import equal
from gpersist.ops.ragged_arrays import stack as stack
from gpersist.ops.ragged_items import item
from gpersist.ops.ragged_places import aligned, row_splits_to_numbers
from gpersist.ops.ragged_tensor import RaggedTensor
from gpersist.ops.sequences import range as number_range

__all__: list[str] = []


def concat(values: Sequence[Any], axis: int, name: str = "concat") -> Any:
    """Ragged tensors, and others, one behind the other."""
    with name_scope(None, "RaggedConcat", []):
        parts = [value if isinstance(value, RaggedTensor) else convert_to_tensor(value) for value in values]
        return _concatenated(parts, _axis(axis, next(part.shape.rank for part in parts if isinstance(part, RaggedTensor))))


def _concatenated(parts: list[Any], axis: int) -> Any:
    if all(isinstance(part, Tensor) for part in parts):
        return joining.concat(parts, axis)
    if len(parts) == 1:
        return parts[0]
    if axis < 2:
        stacked = stack(parts, axis)  # rows one behind the other, in rows of their own
        return stacked.values if axis == 0 else stacked.merge_dims(1, 2)
    rows = [part if isinstance(part, RaggedTensor) else RaggedTensor.from_tensor(part) for part in parts]
    return rows[0].with_values(_concatenated([part.values for part in rows], axis - 1))


def expand_dims(input: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Any:
    """A ragged tensor with a new axis of size 1."""
    place = axis if dim is None else dim
    with name_scope(name, "RaggedExpandDims", [input]):
        rank = input.shape.rank
        return _expanded(input, int(place) + (rank + 1 if int(place) < 0 else 0))


def _expanded(ragged: Any, axis: int) -> Any:
    if isinstance(ragged, Tensor):
        return apply("ExpandDims", ragged, axis)
    if axis > 1:
        return ragged.with_values(_expanded(ragged.values, axis - 1))
    count = ragged.nrows()
    ends = joining.stack([np.zeros((), count.dtype.numpy), count]) if axis == 0 else number_range(count + 1)
    return RaggedTensor.from_row_splits(ragged, ends, validate=False)


def squeeze(input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None) -> Any:
    """A ragged tensor without axes of size 1, which must be told.

    Raises:
        ValueError: no axes are told, or one is ragged.
    """
    given = axis if squeeze_dims is None else squeeze_dims
    if given is None:
        raise ValueError("Ragged.squeeze must have an axis argument.")
    with name_scope(name, "RaggedSqueeze", [input]):
        found = input
        for place in sorted((_axis(each, input.shape.rank) for each in np.atleast_1d(given).tolist()), reverse=True):
            found = _squeezed(found, place)
        return found


def _squeezed(ragged: Any, axis: int) -> Any:
    if isinstance(ragged, Tensor):
        return shaping.squeeze(ragged, axis)
    if axis == 1:
        raise ValueError("squeezed dimension 1 is a ragged one; expected axes of one size")
    return ragged.values if axis == 0 else ragged.with_values(_squeezed(ragged.values, axis - 1))


def tile(input: Any, multiples: Any, name: str | None = None) -> Any:
    """A ragged tensor several times along its axes; how often must be numbers.

    Raises:
        ValueError: the numbers are not known.
    """
    times = constant_value(convert_to_tensor(multiples))
    if times is None:
        raise ValueError("a ragged tensor is tiled by numbers, and not by a tensor: its rows are made anew")
    with name_scope(name, "RaggedTile", [input]):
        found = input
        for axis in reversed(builtins.range(len(times))):
            if times[axis] == 0:
                found = item(found, [slice(None)] * axis + [slice(0, 0)])
            elif times[axis] > 1:
                found = _concatenated([found] * int(times[axis]), axis)
        return found


def reverse(tensor: Any, axis: Any, name: str | None = None) -> Any:
    """A ragged tensor with some axes turned round."""
    with name_scope(name, "Reverse", [tensor]):
        found = tensor
        for place in np.atleast_1d(axis).tolist():
            found = item(found, [slice(None)] * _axis(place, tensor.shape.rank) + [slice(None, None, -1)])
        return found


def gather(params: Any, indices: Any, validate_indices: bool | None = None, name: str | None = None, axis: Any = None, batch_dims: int = 0) -> Any:
    """Rows by their places, where rows or places are ragged.

    Raises:
        ValueError: along another axis than the first, but of rows of the same batch (`batch_dims=1`).
    """
    with name_scope(name, "RaggedGather", []):
        if batch_dims == 1 and isinstance(params, RaggedTensor) and isinstance(indices, RaggedTensor):
            return batch_gather(params, indices)
        if axis not in (None, 0) or batch_dims:
            raise ValueError(f"axis={axis}, batch_dims={batch_dims}: ragged tensors are gathered along their first axis")
        return _rows_at(params, indices)


def _rows_at(params: Any, indices: Any) -> Any:
    if isinstance(indices, RaggedTensor):
        return indices.with_values(_rows_at(params, indices.values))
    if not isinstance(params, RaggedTensor):
        return gathering.gather(params, indices)
    places = convert_to_tensor(indices, preferred_dtype="int64")
    if places.shape.rank == 0:
        return params[places]
    splits = list(params.nested_row_splits)
    levels = len(splits) + (places.shape.rank or 1) - 1
    *made, values = apply_op("RaggedGather", splits, params.flat_values, places, OUTPUT_RAGGED_RANK=levels).outputs
    return RaggedTensor.from_nested_row_splits(values, made, validate=False)


def batch_gather(params: Any, indices: Any, name: str | None = None) -> Any:
    """In each row, parts by their places."""
    with name_scope(name, "RaggedBatchGather", []):
        rows = params if isinstance(params, RaggedTensor) else RaggedTensor.from_tensor(params)
        places = indices if isinstance(indices, RaggedTensor) else RaggedTensor.from_tensor(indices)
        starts = gathering.gather(rows.row_starts(), row_splits_to_numbers(places.row_splits))
        return places.with_values(_rows_at(rows.values, cast(places.values, starts.dtype) + starts))


def gather_nd(params: Any, indices: Any, name: str | None = None, batch_dims: int = 0) -> Any:
    """Elements or rows of a ragged tensor by coordinates, the outermost first."""
    with name_scope(name, "RaggedGatherNd", []):
        return _at(params, convert_to_tensor(indices, preferred_dtype="int64"))


def _at(params: Any, indices: Tensor) -> Any:
    if isinstance(params, Tensor):
        return gathering.gather_nd(params, indices)
    count = indices.shape.as_list()[-1]
    if count == 1:
        return _rows_at(params, indices[..., 0])
    splits = cast(params.row_splits, indices.dtype)
    inner = gathering.gather(splits, indices[..., 0]) + indices[..., 1]
    return _at(params.values, joining.concat([apply("ExpandDims", inner, -1), indices[..., 2:]], -1))


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """Elements of two tensors, by a condition; or the coordinates of where it is true: int64 [n, rank]."""
    if (x is None) != (y is None):
        raise ValueError("x and y must both be non-None or both be None.")
    with name_scope(name, "RaggedWhere", [condition]):
        if x is None:
            return gathering.gather(condition.to_sparse().indices, choosing.where(condition.flat_values)[:, 0])
        rows, (truth, one, other) = aligned([condition, x, y])
        return rows.with_flat_values(choosing.where_v2(truth, one, other))


def dynamic_partition(data: Any, partitions: Any, num_partitions: int, name: str | None = None) -> list[Any]:
    """The rows of each part, by the number of the part that each row, or each element, is in."""
    with name_scope(name, "RaggedDynamicPartition", []):
        if isinstance(partitions, RaggedTensor):
            data, partitions = aligned([partitions, data])[1][1], partitions.flat_values
        numbers = convert_to_tensor(partitions)
        return [_rows_at(data, choosing.where(equal(numbers, part))[:, 0]) for part in builtins.range(num_partitions)]


def cumsum(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Any:
    """Sums of what is before each element of its row.

    Raises:
        ValueError: along the first axis.
    """
    place = _axis(int(axis), x.shape.rank)
    if place == 0:
        raise ValueError("cumsum along the first axis of a ragged tensor: its columns have gaps; use to_tensor() first")
    with name_scope(name, "RaggedCumSum", [x]):
        return _summed(x, place, exclusive, reverse)


def _summed(ragged: Any, axis: int, exclusive: bool, backwards: bool) -> Any:
    if isinstance(ragged, Tensor):
        return scans.cumsum(ragged, axis, exclusive, backwards)
    if axis > 1 or not isinstance(ragged.values, Tensor):
        return ragged.with_values(_summed(ragged.values, axis - 1, exclusive, backwards))
    if backwards:
        return reverse(_summed(reverse(ragged, 1), axis, exclusive, False), 1)
    values = ragged.values
    before = scans.cumsum(values, exclusive=True)
    firsts = gathering.gather(joining.concat([before, before[:1]], 0), ragged.row_starts())  # one more, for empty rows at the end
    offsets = gathering.gather(firsts, row_splits_to_numbers(ragged.row_splits))
    return ragged.with_values((before if exclusive else before + values) - offsets)


def rank(input: Any, name: str | None = None) -> Tensor:
    """How many axes a ragged tensor has: an int32 scalar."""
    with name_scope(name, "RaggedRank", [input]):
        return apply("Add", shaping.rank(input.flat_values), input.ragged_rank)


def size(input: Any, name: str | None = None, out_type: Any = "int32") -> Tensor:
    """How many elements a ragged tensor has: a scalar."""
    return shaping.size(input.flat_values, name=name, out_type=out_type)


def _axis(axis: int, rank: int | None) -> int:
    if axis >= 0:
        return axis
    if rank is None:
        raise ValueError(f"axis={axis} may only be negative if ndims is statically known.")
    return axis + rank
