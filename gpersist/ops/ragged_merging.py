"""Neighbouring axes of ragged tensors as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpersist.graph import Tensor
from gpersist.ops.gathering import gather
from gpersist.ops.joining import concat
from gpersist.ops.shaping import reshape, shape_of

if TYPE_CHECKING:
    from gpersist.ops.ragged_tensor import RaggedTensor

__all__: list[str] = []


def merged(ragged: RaggedTensor, outer_axis: int, inner_axis: int) -> Any:
    """What `RaggedTensor.merge_dims` gives.

    Raises:
        ValueError: there are no such axes, or the outer one is behind the inner one.
    """
    rank = ragged.shape.rank
    outer, inner = (_axis(axis, rank) for axis in (outer_axis, inner_axis))
    if outer > inner:
        raise ValueError(f"Expected outer_axis ({outer_axis}) to be less than or equal to inner_axis ({inner_axis})")
    return ragged if outer == inner else _merged(ragged, outer, inner)


def _merged(value: Any, outer: int, inner: int) -> Any:
    if isinstance(value, Tensor):
        sizes = shape_of(value)
        return reshape(value, concat([sizes[:outer], [-1], sizes[inner + 1 :]], 0))
    if outer > 1:
        return value.with_values(_merged(value.values, outer - 1, inner - 1))
    if outer == 0:
        return value.values if inner == 1 else _merged(value.values, 0, inner - 1)
    kind = type(value)
    rows = kind.from_tensor(value.values, row_splits_dtype=value.row_splits.dtype) if isinstance(value.values, Tensor) else value.values
    found = kind(rows.values, gather(rows.row_splits, value.row_splits))
    return found if inner == 2 else _merged(found, 1, inner - 1)


def _axis(axis: int, rank: int | None) -> int:
    if rank is None and axis < 0:
        raise ValueError(f"axis={axis} may only be negative if ndims is statically known.")
    found = axis + (rank or 0) if axis < 0 else axis
    if found < 0 or (rank is not None and found >= rank):
        raise ValueError(f"axis={axis} out of bounds: expected {-(rank or 0)}<=axis<{rank}")
    return found
