"""Ragged tensors stacked, masked, parted and crossed (`tf.ragged.stack`, `tf.ragged.boolean_mask`, ...)."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from gpersist.graph import Tensor, apply_op, convert_to_tensor, name_scope
from gpersist.ops import choosing, joining
from gpersist.ops.arranging import transpose
from gpersist.ops.casting import cast
from gpersist.ops.checks import assert_equal, assert_less, assert_non_negative
from gpersist.ops.filling import zeros
from gpersist.ops.gathering import gather
from gpersist.ops.joining import concat
from gpersist.ops.ragged_items import gathered
from gpersist.ops.ragged_places import row_splits_to_numbers
from gpersist.ops.ragged_tensor import RaggedTensor
from gpersist.ops.reductions import count_nonzero
from gpersist.ops.scans import cumprod, cumsum
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import reshape, shape_of
from gpersist.ops.sorting import argsort
from gpersist.ops.sparse_crossing import HASH_KEY
from gpersist.ops.sparse_tensor import SparseTensor

__all__: list[str] = []


def _given(value: Any, name: str) -> Any:
    return value if isinstance(value, RaggedTensor) else convert_to_tensor(value, name=name)


def _splits_type(*values: Any) -> Any:
    kinds = [each.row_splits.dtype for each in values if isinstance(each, RaggedTensor)]
    return kinds[0] if kinds else "int64"


def _ends(lengths: Tensor) -> Tensor:
    return concat([zeros([1], lengths.dtype), cumsum(lengths)], 0)


def stack(values: Any, axis: int = 0, name: str | None = None) -> Any:
    """Tensors, ragged or not, as the parts of one along a new axis (`tf.ragged.stack`).

    Args:
        values: tensors of one rank.
        axis: the new one.
        name: of the scope.

    Raises:
        ValueError: nothing to stack, other ranks, or no such axis.
    """
    parts = list(values) if isinstance(values, (list, tuple)) else [values]
    with name_scope(name, "RaggedConcat", []):
        return _stacked([_given(each, "rt_input") for each in parts], axis)


def _stacked(parts: list[Any], axis: int) -> Any:
    if not parts:
        raise ValueError("rt_inputs may not be empty.")
    rank = parts[0].shape.rank
    for part in parts:
        part.shape.assert_has_rank(rank)
    if rank is not None:
        if not -rank - 1 <= axis <= rank:
            raise ValueError(f"axis={axis} out of bounds: expected {-rank - 1}<=axis<{rank + 1}")
        axis = axis % (rank + 1)
    elif axis < 0:
        raise ValueError(f"axis={axis} may only be negative if ndims is statically known.")
    if rank == 1 and axis == 0:
        return RaggedTensor.from_row_lengths(concat(parts, 0), concat([shape_of(part) for part in parts], 0))
    if not any(isinstance(part, RaggedTensor) for part in parts) and rank is not None and axis in (rank, rank - 1):
        return joining.stack(parts, axis)
    kind = _splits_type(*parts)
    rows = [part if isinstance(part, RaggedTensor) else RaggedTensor.from_tensor(part, ragged_rank=1, row_splits_dtype=kind) for part in parts]
    depth = max(part.ragged_rank for part in rows)
    rows = [_deepened(part, depth, kind) for part in rows]
    if axis == 0:
        joined = _joined(rows)
        return RaggedTensor.from_row_splits(joined, _ends(joining.stack([part.nrows() for part in rows])), validate=False)
    if axis == 1:
        count = rows[0].nrows()
        checks = [assert_equal(count, part.nrows(), message="Input tensors have incompatible shapes.") for part in rows[1:]]
        with count.graph.control_dependencies([check for check in checks if check is not None]):
            joined = _joined(rows)
            order = reshape(transpose(reshape(number_range(count * len(rows)), [len(rows), -1])), [-1])
            turned = gathered(joined, order)
            return RaggedTensor.from_row_splits(turned, number_range(0, count * len(rows) + 1, len(rows)), validate=False)
    return rows[0].with_values(_stacked([part.values for part in rows], axis - 1))


def _deepened(value: Any, depth: int, kind: Any) -> Any:
    """The same with so many ragged dimensions."""
    if depth == 0:
        return value
    rows = value if isinstance(value, RaggedTensor) else RaggedTensor.from_tensor(value, row_splits_dtype=kind)
    return rows.with_values(_deepened(rows.values, depth - 1, kind)) if rows.ragged_rank < depth else rows


def _joined(parts: Sequence[RaggedTensor]) -> RaggedTensor:
    """Rows one behind the other."""
    splits = []
    for level in zip(*(part.nested_row_splits for part in parts), strict=True):
        pieces, end = [level[0]], level[0][-1]
        for each in level[1:]:
            pieces.append(each[1:] + end)
            end = each[-1] + end
        splits.append(concat(pieces, 0))
    return RaggedTensor.from_nested_row_splits(concat([part.flat_values for part in parts], 0), splits, validate=False)


def boolean_mask(data: Any, mask: Any, name: str | None = None) -> Any:
    """The elements where a mask is true, in the rows that they were in (`tf.ragged.boolean_mask`).

    Args:
        data: a tensor, ragged or not.
        mask: bool; its shape is the beginning of that of `data`.
        name: of the scope.

    Returns:
        As `data`, ragged in all of the mask's dimensions but the first.

    Raises:
        ValueError: the mask's rank is not known, or 0.
    """
    with name_scope(name, "RaggedMask", []):
        rows, chosen = _given(data, "data"), mask if isinstance(mask, RaggedTensor) else convert_to_tensor(mask, "bool", "mask")
        rank = chosen.shape.rank
        if rank is None:
            raise ValueError("mask.shape.ndims must be known statically.")
        if rank == 0:
            raise ValueError("mask cannot be scalar.")
        kind: Any = _splits_type(rows, chosen)
        if isinstance(chosen, RaggedTensor):
            if not isinstance(rows, RaggedTensor):
                rows = RaggedTensor.from_tensor(rows, ragged_rank=chosen.ragged_rank, row_splits_dtype=kind)
            inner = boolean_mask(rows.values, chosen.values)
            if rank > 2:
                return RaggedTensor.from_row_splits(inner, chosen.row_splits, validate=False)
            taken = cumsum(cast(chosen.values, kind))
            counts = gather(concat([zeros([1], kind), taken], 0), chosen.row_splits)
            return RaggedTensor.from_row_splits(inner, counts, validate=False)
        if isinstance(rows, RaggedTensor) and rank == 1:
            splits = _ends(choosing.boolean_mask(rows.row_lengths(), chosen))
            values = boolean_mask(rows.values, gather(chosen, row_splits_to_numbers(rows.row_splits)))
            return RaggedTensor.from_row_splits(values, splits, validate=False)
        if isinstance(rows, RaggedTensor):
            return boolean_mask(rows, RaggedTensor.from_tensor(chosen, ragged_rank=min(rows.ragged_rank, rank - 1), row_splits_dtype=kind))
        found: Any = choosing.boolean_mask(rows, chosen)
        if rank >= 2:
            lengths = reshape(count_nonzero(chosen, axis=-1, dtype=kind), [-1])
            found = RaggedTensor.from_row_lengths(found, lengths, validate=False)
            sizes = shape_of(chosen, out_type=kind)
            counts = cumprod(sizes) + 1
            for axis in builtins.range(rank - 3, -1, -1):
                found = RaggedTensor.from_row_splits(found, number_range(counts[axis]) * sizes[axis + 1], validate=False)
        return found


def stack_dynamic_partitions(data: Any, partitions: Any, num_partitions: Any, name: str | None = None) -> RaggedTensor:
    """The elements of each partition as a row (`tf.ragged.stack_dynamic_partitions`).

    Args:
        data: a tensor, ragged or not.
        partitions: int; the partition of each element; its shape is the beginning of that of `data`.
        num_partitions: how many rows.
        name: of the scope.

    Raises:
        ValueError: the rank of `partitions` is not known, or shapes do not fit.
    """
    with name_scope(name, "SegmentStack", []):
        rows, numbers = _given(data, "data"), _given(partitions, "partitions")
        count = convert_to_tensor(num_partitions, name="num_partitions", preferred_dtype=numbers.dtype)
        if isinstance(rows, RaggedTensor):
            numbers = (
                numbers.with_flat_values(cast(numbers.flat_values, rows.row_splits.dtype))
                if isinstance(numbers, RaggedTensor)
                else cast(numbers, rows.row_splits.dtype)
            )
        count = cast(count, numbers.dtype)
        rank = numbers.shape.rank
        if rank is None:
            raise ValueError("partitions must have known rank.")
        count.shape.assert_has_rank(0)
        numbers.shape.assert_is_compatible_with(rows.shape[:rank])
        if rank == 0:
            return RaggedTensor.from_value_rowids(joining.stack([rows]), joining.stack([numbers]), nrows=count, validate=False)
        if rank == 1:
            order = argsort(numbers, stable=True)
            sorted_numbers = gather(numbers, order)
            values = gathered(rows, order) if isinstance(rows, RaggedTensor) else gather(rows, order)
            checks = [
                assert_less(sorted_numbers[-1:], count, message="partitions must be less than num_partitions"),
                assert_non_negative(numbers, message="partitions must be non-negative."),
            ]
            with count.graph.control_dependencies([check for check in checks if check is not None]):
                return RaggedTensor.from_value_rowids(values, sorted_numbers, nrows=count, validate=False)
        if not isinstance(rows, RaggedTensor):
            rows = RaggedTensor.from_tensor(rows, row_splits_dtype=numbers.dtype, ragged_rank=1)
        if not isinstance(numbers, RaggedTensor):
            numbers = RaggedTensor.from_tensor(numbers, row_splits_dtype=numbers.dtype, ragged_rank=max(rows.ragged_rank, rank - 1))
        check = assert_equal(rows.row_splits, numbers.row_splits, message="data and partitions have incompatible ragged shapes")
        with count.graph.control_dependencies([] if check is None else [check]):
            return stack_dynamic_partitions(rows.values, numbers.values, count)


def cross(inputs: Any, name: str | None = None) -> RaggedTensor:
    """All combinations of the columns' values, row by row, as text (`tf.ragged.cross`).

    Args:
        inputs: columns, each a matrix, ragged, sparse or dense, of text or integers.
        name: of the scope.

    Raises:
        TypeError: no list.
        ValueError: other types, or a column with several ragged dimensions.
    """
    return _crossed(inputs, False, 0, None, name)


def cross_hashed(inputs: Any, num_buckets: int = 0, hash_key: int | None = None, name: str | None = None) -> RaggedTensor:
    """The same as hashes (`tf.ragged.cross_hashed`): below `num_buckets`, if that is not 0."""
    return _crossed(inputs, True, num_buckets, hash_key, name)


def _crossed(inputs: Any, is_hashed: bool, buckets: int, hash_key: int | None, name: str | None) -> RaggedTensor:
    if not isinstance(inputs, (tuple, list)):
        raise TypeError("Inputs must be a list")
    key = HASH_KEY if hash_key is None else hash_key
    with name_scope(name, "RaggedCross", []):
        ragged: list[RaggedTensor] = []
        sparse: list[SparseTensor] = []
        dense: list[Tensor] = []
        order = ""
        for place, each in enumerate(inputs):
            column = each if isinstance(each, (RaggedTensor, SparseTensor)) else convert_to_tensor(each)
            if not (column.dtype.is_integer or column.dtype.is_string):
                raise ValueError(f"Unexpected dtype for inputs[{place}]: {column.dtype}")
            if isinstance(column, RaggedTensor):
                if column.ragged_rank != 1:
                    raise ValueError("tf.ragged.cross only supports inputs with rank=2")
                ragged.append(column if column.dtype.is_string else column.with_values(cast(column.values, "int64")))
            elif isinstance(column, SparseTensor):
                values = column.values if column.dtype.is_string else cast(column.values, "int64")
                sparse.append(SparseTensor(column.indices, values, column.dense_shape))
            else:
                dense.append(column if column.dtype.is_string else cast(column, "int64"))
            order += "R" if isinstance(column, RaggedTensor) else "S" if isinstance(column, SparseTensor) else "D"
        is_small = bool(ragged) and all(each.row_splits.dtype.name == "int32" for each in ragged)
        values, splits = apply_op(
            "RaggedCross",
            [each.values for each in ragged],
            [each.row_splits for each in ragged],
            [each.indices for each in sparse],
            [each.values for each in sparse],
            [each.dense_shape for each in sparse],
            dense,
            input_order=order,
            hashed_output=is_hashed,
            num_buckets=buckets,
            hash_key=key - (1 << 64) if key > 1 << 63 else key,
            out_values_type="int64" if is_hashed else "string",
            out_row_splits_type="int32" if is_small else "int64",
        ).outputs
        return RaggedTensor.from_row_splits(values, splits, validate=False)
