"""Where the values of ragged tensors stand, and what of other tensors stands beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpersist.graph import Tensor, convert_to_tensor, name_scope
from gpersist.ops.casting import cast
from gpersist.ops.comparison import greater
from gpersist.ops.gathering import gather, gather_nd
from gpersist.ops.joining import stack
from gpersist.ops.sequences import range as number_range
from gpersist.ops.sequences import repeat
from gpersist.ops.shaping import shape_of

if TYPE_CHECKING:
    from gpersist.ops.ragged_tensor import RaggedTensor

__all__: list[str] = []


def row_splits_to_numbers(splits: Tensor, name: str | None = None) -> Tensor:
    """The number of the row that each value is in, by the ends of rows."""
    with name_scope(name, "RaggedSplitsToSegmentIds", []):
        lengths = splits[1:] - splits[:-1]
        count = shape_of(splits, out_type=splits.dtype)[0] - 1
        return repeat(number_range(count), repeats=lengths, axis=0)


def aligned(values: Sequence[Any]) -> tuple[RaggedTensor, list[Any]]:
    """A ragged one of some values, and what of each stands beside each of its innermost values.

    Raises:
        ValueError: two ragged tensors have other levels of rows.
    """
    ragged = [value for value in values if _is_ragged(value)]
    rows = ragged[0]
    if any(other.ragged_rank != rows.ragged_rank for other in ragged[1:]):
        raise ValueError(f"ragged tensors of {', '.join(str(each.ragged_rank) for each in ragged)} levels of rows do not go together")
    return rows, [value.flat_values if _is_ragged(value) else _beside(rows, value) for value in values]


def _beside(rows: RaggedTensor, value: Any) -> Any:
    """What of a dense value stands beside each of the innermost values of a ragged tensor, which it is broadcast to."""
    if not isinstance(value, Tensor) and not hasattr(value, "__len__"):
        return value
    dense = convert_to_tensor(value, preferred_dtype=rows.dtype)
    whole, inner = dense.shape.rank, rows.flat_values.shape.rank
    if not whole:
        return value
    if inner is None or whole <= inner - 1:  # it has no part in the rows
        return dense
    axes = whole - (inner - 1)
    if axes > rows.ragged_rank + 1:
        raise ValueError(f"a tensor of rank {whole} and a ragged one of rank {rows.ragged_rank + inner}: expected no higher rank")
    sizes = shape_of(dense, out_type=rows.row_splits.dtype)
    places = _coordinates(rows)[-axes:]
    found = [place * cast(greater(sizes[axis], 1), place.dtype) for axis, place in enumerate(places)]
    return gather_nd(dense, stack(found, axis=1))


def _coordinates(rows: RaggedTensor) -> list[Tensor]:
    """For each innermost value, its place along each level: the row of the outermost first, the place in its own row last."""
    found: list[Tensor] = []
    for splits in rows.nested_row_splits:
        numbers = row_splits_to_numbers(splits)
        within = number_range(splits[-1]) - gather(splits, numbers)
        found = [gather(place, numbers) for place in found] if found else [numbers]
        found.append(within)
    return found


def _is_ragged(value: Any) -> bool:
    return hasattr(value, "nested_row_splits")
