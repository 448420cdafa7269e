"""`ragged[...]`: rows of ragged tensors, and parts of their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpersist.graph import Tensor, apply_op, convert_to_tensor
from gpersist.ops.arithmetic import maximum, minimum
from gpersist.ops.filling import zeros
from gpersist.ops.gathering import gather
from gpersist.ops.indexing import getitem
from gpersist.ops.joining import concat
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import size

if TYPE_CHECKING:
    from gpersist.ops.ragged_tensor import RaggedTensor

__all__: list[str] = []


def item(ragged: RaggedTensor, keys: list[Any]) -> Any:
    """What `ragged[keys]` is.

    Raises:
        ValueError: a key picks one place of an axis whose rows differ in length.
    """
    keys = _without_ellipsis(keys, ragged.shape.rank)
    if not keys:
        return ragged
    first, rest = keys[0], keys[1:]
    if first is None:
        inner = item(ragged, rest)
        return _like(ragged, inner, convert_to_tensor([0, inner.nrows()], ragged.row_splits.dtype))
    if isinstance(first, slice):
        return _within_rows(_rows(ragged, first), rest)
    starts, limits = ragged.row_splits[:-1], ragged.row_splits[1:]
    row = ragged.values[starts[first] : limits[first]]
    return getitem(row, tuple(rest)) if isinstance(row, Tensor) else item(row, rest)


def _within_rows(ragged: RaggedTensor, keys: list[Any]) -> Any:
    """What the keys take of each row."""
    if not keys:
        return ragged
    first, rest = keys[0], keys[1:]
    if first is None:
        inner = _within_rows(ragged, rest)
        return _like(ragged, inner, number_range(inner.nrows() + 1))
    if not isinstance(first, slice):
        raise ValueError("Cannot index into an inner ragged dimension.")
    taken = ragged if first == slice(None) else _parts_of_rows(ragged, first)
    if not rest:
        return taken
    values = taken.values
    return taken.with_values(getitem(values, (slice(None), *rest)) if isinstance(values, Tensor) else _within_rows(values, rest))


def _rows(ragged: RaggedTensor, rows: slice) -> RaggedTensor:
    if rows == slice(None):
        return ragged
    starts, limits = ragged.row_splits[:-1][rows], ragged.row_splits[1:][rows]
    if rows.step not in (None, 1):
        return _ranges(ragged, starts, limits, 1)
    splits = concat([zeros([1], starts.dtype)[size(starts) :], starts[:1], limits], 0)  # one 0 if there are no rows
    count = starts.shape.as_list()[0]
    splits.set_shape([None if count is None else count + 1])
    return _like(ragged, ragged.values[splits[0] : splits[-1]], splits - splits[0])


def _parts_of_rows(ragged: RaggedTensor, part: slice) -> RaggedTensor:
    """A slice of each row, by the rules of Python's."""
    step = 1 if part.step is None else part.step
    starts, limits = ragged.row_splits[:-1], ragged.row_splits[1:]
    lowest, highest = (starts, limits) if step > 0 else (starts - 1, limits - 1)

    def place(given: Any, default: Tensor) -> Tensor:
        if given is None:
            return default
        if isinstance(given, Tensor):
            raise ValueError("a slice of each row takes numbers, no tensors: use tf.ragged.range and tf.gather for others")
        return minimum(maximum((starts if given >= 0 else limits) + given, lowest), highest)

    first, last = (lowest, highest) if step > 0 else (highest, lowest)
    return _ranges(ragged, place(part.start, first), place(part.stop, last), step)


def _ranges(ragged: RaggedTensor, starts: Tensor, limits: Tensor, step: int) -> RaggedTensor:
    """Rows of the values from one place to another."""
    splits, places = apply_op("RaggedRange", starts, limits, convert_to_tensor(step, starts.dtype), Tsplits=starts.dtype).outputs
    values = ragged.values
    return _like(ragged, gather(values, places) if isinstance(values, Tensor) else gathered(values, places), splits)


def gathered(rows: RaggedTensor, order: Tensor) -> RaggedTensor:
    """Some rows, in an order."""
    splits = list(rows.nested_row_splits)
    *levels, values = apply_op("RaggedGather", splits, rows.flat_values, order, OUTPUT_RAGGED_RANK=len(splits)).outputs
    found: Any = values
    for each in reversed(levels):
        found = _like(rows, found, each)
    return found  # type: ignore[no-any-return]


def _like(ragged: RaggedTensor, values: Any, row_splits: Tensor) -> RaggedTensor:
    return type(ragged)(values, row_splits)


def _without_ellipsis(keys: list[Any], rank: int | None) -> list[Any]:
    places = [place for place, key in enumerate(keys) if key is Ellipsis]
    if not places:
        return keys
    if rank is None or len(places) > 1:
        raise ValueError("An ellipsis may be given once, for a ragged tensor of known rank.")
    missing = rank - sum(key is not None for key in keys) + 1
    return [*keys[: places[0]], *[slice(None)] * missing, *keys[places[0] + 1 :]]
