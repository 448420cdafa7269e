"""Ragged tensors made of lists and numbers (`tf.ragged.constant`, `tf.ragged.range`, ...)."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from gpersist.dtypes import as_dtype
from gpersist.graph import Tensor, apply_op, convert_to_tensor, name_scope
from gpersist.ops import constants
from gpersist.ops.casting import cast
from gpersist.ops.counting import bincount
from gpersist.ops.joining import concat
from gpersist.ops.ragged_arrays import boolean_mask, cross, cross_hashed, stack, stack_dynamic_partitions
from gpersist.ops.ragged_places import row_splits_to_numbers
from gpersist.ops.ragged_tensor import RaggedTensor
from gpersist.ops.ragged_tensor_value import RaggedTensorValue
from gpersist.ops.scans import cumsum
from gpersist.shapes import TensorShape

__all__ = [
    "RaggedTensorValue",
    "boolean_mask",
    "constant",
    "constant_value",
    "cross",
    "cross_hashed",
    "map_flat_values",
    "placeholder",
    "range",
    "row_splits_to_segment_ids",
    "segment_ids_to_row_splits",
    "stack",
    "stack_dynamic_partitions",
]


def constant(
    pylist: Any, dtype: Any = None, ragged_rank: int | None = None, inner_shape: Any = None, name: str | None = None, row_splits_dtype: Any = "int64"
) -> Any:
    """A ragged tensor of nested lists (`tf.ragged.constant`).

    Args:
        pylist: nested lists, which may differ in length.
        dtype: of the values.
        ragged_rank: how many levels of rows there are; by default all but those of `inner_shape`, or all but the innermost.
        inner_shape: the shape of the innermost values.
        name: of the scope.
        row_splits_dtype: int32 or int64.

    Raises:
        ValueError: lists of different depths, or other shapes than told.
        TypeError: values of another type.
    """

    def ragged(values: Any, splits: Any) -> RaggedTensor:
        return RaggedTensor(values, constants.constant(np.asarray(splits), as_dtype(row_splits_dtype)))

    def flat(values: Any, kind: Any, shape: Any) -> Tensor:
        return constants.constant(values, kind, shape=shape, name="values")

    with name_scope(name, "RaggedConstant", []):
        return _made(pylist, dtype, ragged_rank, inner_shape, ragged, flat)


def constant_value(pylist: Any, dtype: Any = None, ragged_rank: int | None = None, inner_shape: Any = None, row_splits_dtype: Any = "int64") -> Any:
    """A `RaggedTensorValue` of nested lists (`tf.ragged.constant_value`); see `constant`."""
    splits_kind = as_dtype(row_splits_dtype).numpy

    def flat(values: Any, kind: Any, shape: Any) -> Any:
        found = np.array(values, None if kind is None else as_dtype(kind).numpy)
        return found.reshape(shape) if shape is not None else found

    return _made(pylist, dtype, ragged_rank, inner_shape, lambda values, splits: RaggedTensorValue(values, np.array(splits, splits_kind)), flat)


def _made(pylist: Any, dtype: Any, ragged_rank: int | None, inner_shape: Any, ragged: Callable[..., Any], flat: Callable[..., Any]) -> Any:
    rows = pylist.tolist() if isinstance(pylist, np.ndarray) else pylist
    if not isinstance(rows, (list, tuple)):
        if ragged_rank:
            raise ValueError(f"Invalid pylist={pylist}: incompatible with ragged_rank={ragged_rank}")
        if inner_shape:
            raise ValueError(f"Invalid pylist={pylist}: incompatible with dim(inner_shape)={len(inner_shape)}")
        return flat(rows, dtype, ())
    if ragged_rank is not None and ragged_rank < 0:
        raise ValueError(f"Invalid ragged_rank={ragged_rank}: must be nonnegative")
    scalar_depth, depth = _depths(rows)
    if scalar_depth is not None and depth > scalar_depth:
        raise ValueError(f"Invalid pylist={pylist}: empty list nesting is greater than scalar value nesting")
    if inner_shape is not None:
        if ragged_rank is not None and ragged_rank + len(inner_shape) + 1 != depth:
            raise ValueError(f"Invalid pylist={pylist}: incompatible with ragged_rank={ragged_rank} and dim(inner_shape)={len(inner_shape)}")
        levels = depth - 1 - len(inner_shape)
    else:
        levels = max(0, depth - 1) if ragged_rank is None else ragged_rank
        if levels >= depth and scalar_depth is not None:
            raise ValueError(f"Invalid pylist={pylist}: incompatible with ragged_rank={ragged_rank}")
        inner_shape = _inner_shape(rows, levels)
    splits: list[list[int]] = []
    values: Any = list(rows)
    for _ in builtins.range(levels):
        ends = [0]
        for row in values:
            ends.append(ends[-1] + len(row))
        splits.append(ends)
        values = [value for row in values for value in row]
    found = flat(
        values if values else np.zeros(0, None if dtype is None else as_dtype(dtype).numpy),
        dtype or (None if values else "float32"),
        (len(values), *inner_shape) if inner_shape or not values else None,
    )
    for ends in reversed(splits):
        found = ragged(found, ends)
    return found


def _depths(value: Any) -> tuple[int | None, int]:
    """How deep in lists values stand, and how deep the lists are.

    Raises:
        ValueError: values stand in different depths.
    """
    if isinstance(value, np.ndarray) and value.ndim:
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        return 0, 0
    of_values, depth = None, 1
    for item in value:
        inner, inner_depth = _depths(item)
        depth = max(depth, inner_depth + 1)
        if inner is not None:
            if of_values is not None and of_values != inner + 1:
                raise ValueError("all scalar values must have the same nesting depth")
            of_values = inner + 1
    return of_values, depth


def _inner_shape(rows: Any, levels: int) -> tuple[int, ...]:
    values = list(rows)
    for _ in builtins.range(levels):
        values = [value for row in values for value in row]
    return np.shape(values[0]) if values else ()


def placeholder(dtype: Any, ragged_rank: int, value_shape: Any = None, name: str | None = None) -> Any:
    """A ragged tensor that each run is fed (`tf.ragged.placeholder`): its `flat_values` and `nested_row_splits`.

    Args:
        dtype: of the values.
        ragged_rank: how many levels of rows there are.
        value_shape: the shape of one value; None: nothing is known of it, nor of the shape of all.
        name: of the scope.
    """
    if ragged_rank == 0:
        return constants.placeholder(dtype, value_shape, name)
    with name_scope(name, "RaggedPlaceholder", []):
        found: Any = constants.placeholder(dtype, TensorShape([None]).concatenate(value_shape), "flat_values")
        for level in reversed(builtins.range(ragged_rank)):
            found = RaggedTensor(found, constants.placeholder("int64", [None], f"row_splits_{level}"))
        return found


def range(
    starts: Any, limits: Any = None, deltas: Any = 1, dtype: Any = None, name: str | None = None, row_splits_dtype: Any = "int64"
) -> RaggedTensor:
    """Rows of numbers, each from a start to a limit in steps (`tf.ragged.range`); limits alone begin at 0."""
    first, last = (0, starts) if limits is None else (starts, limits)
    with name_scope(name, "RaggedRange", [value for value in (starts, limits, deltas) if isinstance(value, Tensor)]) as scope:
        parts = [convert_to_tensor(first, dtype, "starts"), convert_to_tensor(last, dtype, "limits"), convert_to_tensor(deltas, dtype, "deltas")]
        if dtype is None:
            kinds = [part.dtype for part in parts]
            widest = max(kinds, key=lambda kind: ("int32", "int64", "float32", "float64").index(kind.name))
            parts = [cast(part, widest) for part in parts]
        op = apply_op("RaggedRange", *parts, Tsplits=as_dtype(row_splits_dtype), name=scope)
        return RaggedTensor(op.outputs[1], op.outputs[0])


def map_flat_values(op: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """A function of the innermost values, in the same rows (`tf.ragged.map_flat_values`).

    Raises:
        ValueError: the rows of several arguments differ in depth, or the function changes how many values there are.
    """
    rows = [each for each in (*args, *kwargs.values()) if isinstance(each, RaggedTensor)]
    if not rows:
        return op(*args, **kwargs)
    if len({each.ragged_rank for each in rows}) > 1:
        raise ValueError("All ragged inputs must have the same ragged_rank.")

    def inner(value: Any) -> Any:
        return value.flat_values if isinstance(value, RaggedTensor) else value

    found = op(*(inner(each) for each in args), **{key: inner(each) for key, each in kwargs.items()})
    wanted = rows[0].flat_values.shape[:1]
    if not wanted.is_compatible_with(found.shape[:1]):
        raise ValueError(
            "tf.ragged.map_flat_values requires that the output of `op` have the same outer-dimension size as flat_values of any ragged inputs."
        )
    return rows[0].with_flat_values(found)


def row_splits_to_segment_ids(splits: Any, name: str | None = None, out_type: Any = None) -> Tensor:
    """The number of the row that each value is in (`tf.ragged.row_splits_to_segment_ids`), by the ends of rows.

    Raises:
        ValueError: the ends are no integers, or no vector.
    """
    with name_scope(name, "RaggedSplitsToSegmentIds", []) as scope:
        given = convert_to_tensor(splits, name="splits") if isinstance(splits, Tensor) else convert_to_tensor(splits, "int64", "splits")
        if given.dtype.name not in ("int32", "int64"):
            raise ValueError("splits must have dtype int32 or int64")
        given.shape.assert_has_rank(1)
        found = row_splits_to_numbers(given, scope)
        return found if out_type is None else cast(found, out_type)


def segment_ids_to_row_splits(segment_ids: Any, num_segments: Any = None, out_type: Any = None, name: str | None = None) -> Tensor:
    """Where rows end, by the number of the row that each value is in (`tf.ragged.segment_ids_to_row_splits`)."""
    with name_scope(name, "SegmentIdsToRaggedSplits", []):
        kind = as_dtype(out_type or "int64")
        ids = cast(convert_to_tensor(segment_ids, name="segment_ids"), "int32")
        ids.shape.assert_has_rank(1)
        count = None if num_segments is None else cast(num_segments, "int32")
        lengths = bincount(ids, minlength=count, maxlength=count, dtype=kind)
        return concat([convert_to_tensor([0], kind), cumsum(lengths)], 0)
