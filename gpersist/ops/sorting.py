"""Sorting, by the largest k of a row: as many as there are."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.graph import Tensor, constant_value, convert_to_tensor, name_scope
from gpersist.ops.arranging import transpose
from gpersist.ops.constants import constant
from gpersist.ops.counting import top_k
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import rank as rank_of
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.tensor_scatter import tensor_scatter_nd_update

__all__ = ["argsort", "sort"]


def sort(values: Any, axis: Any = -1, direction: str = "ASCENDING", name: str | None = None) -> Tensor:
    """The elements in order along an axis (`tf.sort`).

    Args:
        values: numbers.
        axis: an int.
        direction: "ASCENDING" or "DESCENDING".
        name: of the scope.

    Raises:
        ValueError: there is no such axis, or direction.
    """
    with name_scope(name, "sort"):
        return _sorted(values, axis, direction, wants_places=False)


def argsort(values: Any, axis: Any = -1, direction: str = "ASCENDING", stable: bool = False, name: str | None = None) -> Tensor:
    """Where the elements in order come from (`tf.argsort`); see `sort`. Equal ones stay as they are, `stable` or not."""
    del stable
    with name_scope(name, "argsort"):
        return _sorted(values, axis, direction, wants_places=True)


def _sorted(values: Any, axis: Any, direction: str, *, wants_places: bool) -> Tensor:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"Argument `direction` should be one of ASCENDING, DESCENDING. Received: direction={direction}")
    place = constant_value(convert_to_tensor(axis, name="axis"))
    if place is None or place.ndim:
        raise ValueError(f"Argument `axis` must be a constant scalar. Received: axis={axis}.")
    tensor = convert_to_tensor(values, name="values")
    if direction == "DESCENDING":
        return _descending(tensor, int(place), wants_places=wants_places)
    dtype = tensor.dtype.base_dtype
    if dtype.is_unsigned:
        found = _descending(dtype.max - tensor, int(place), wants_places=wants_places)
        return found if wants_places else dtype.max - found
    if dtype.is_integer:
        found = _descending(-tensor - 1, int(place), wants_places=wants_places)  # the least has no negative
        return found if wants_places else -found - 1
    found = _descending(-tensor, int(place), wants_places=wants_places)
    return found if wants_places else -found


def _descending(values: Tensor, axis: int, *, wants_places: bool) -> Tensor:
    count, rank, known = shape_of(values)[axis], rank_of(values), values.shape.rank
    if axis == -1 or axis + 1 == known:
        return top_k(values, count)[int(wants_places)]
    if known is not None:
        order = np.arange(known)
        order[[axis, -1]] = order[[-1, axis]]
        swapped: Any = constant(order, name="transposition")
    else:
        place = axis if axis >= 0 else rank + axis
        swapped = tensor_scatter_nd_update(number_range(rank), [[place], [rank - 1]], [rank - 1, place])
    return transpose(top_k(transpose(values, swapped), count)[int(wants_places)], swapped)
