"""Rows of tables, which may be cut into several, by their numbers: `tf.nn.embedding_lookup`."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Tensor, apply, apply_op, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops.array import reshape, shape_of
from gpersist.ops.casting import cast
from gpersist.ops.clip import clip_by_norm
from gpersist.ops.constants import constant
from gpersist.ops.filling import ones
from gpersist.ops.gathering import gather
from gpersist.ops.joining import concat, stack
from gpersist.ops.partitioned_variable import PartitionedVariable
from gpersist.ops.passing import identity
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.resource_variable import ResourceVariable
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import expand_dims, rank, size
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.shapes import TensorShape

__all__ = ["embedding_lookup", "embedding_lookup_sparse"]


def embedding_lookup(
    params: Any,
    ids: Any,
    partition_strategy: str = "mod",
    name: str | None = None,
    validate_indices: bool = True,
    max_norm: float | None = None,
) -> Tensor:
    """The rows of a table with these numbers (`tf.nn.embedding_lookup`), in the shape of `ids`.

    Args:
        params: the table, or a list of its parts, or a partitioned variable.
        ids: int32 or int64.
        partition_strategy: how rows are spread over the parts: "mod", in turn, or "div", in runs.
        name: of the node.
        validate_indices: does nothing.
        max_norm: rows longer than this are made that long.

    Raises:
        ValueError: no table, or another strategy.
    """
    tables = _tables(params)
    with name_scope(name, "embedding_lookup", [*tables, ids]) as scope:
        graph = get_default_graph()
        if not any(isinstance(table, ResourceVariable) for table in tables):
            tables = [convert_to_tensor(table, name=f"params_{index}") for index, table in enumerate(tables)]
        numbers = convert_to_tensor(ids, name="ids")
        if len(tables) == 1:
            with graph.colocate_with(tables[0]):
                rows = _clipped(gather(tables[0], numbers, name=scope), numbers, max_norm)
            return identity(rows)
        flat = reshape(numbers, [-1])
        places = number_range(size(flat))
        assignments, inner = _assigned(tables, flat, partition_strategy)
        assignments = cast(assignments, "int32")
        parts = apply_op("DynamicPartition", inner, assignments, num_partitions=len(tables)).outputs
        places_of = apply_op("DynamicPartition", places, assignments, num_partitions=len(tables)).outputs
        found = []
        for table, part in zip(tables, parts, strict=True):
            with graph.device(None), graph.colocate_with(table):
                found.append(gather(table, part))
        result = apply("ParallelDynamicStitch", list(places_of), found, name=scope)
        row: Any = TensorShape(None)
        for table in tables:
            row = row.merge_with(table.shape[1:])
        if not row.is_fully_defined():
            with graph.colocate_with(tables[0]):
                whole = shape_of(tables[0])
            row_sizes: Any = whole[1:]
        else:
            row_sizes = row
        result = reshape(result, concat([shape_of(numbers), row_sizes], 0))
        result.set_shape(numbers.shape.concatenate(row))
        return _clipped(result, numbers, max_norm)


def embedding_lookup_sparse(
    params: Any,
    sp_ids: Any,
    sp_weights: Any,
    partition_strategy: str = "mod",
    name: str | None = None,
    combiner: str | None = None,
    max_norm: float | None = None,
) -> Tensor:
    """For each row of a sparse matrix of numbers, the table's rows with these numbers, combined (`tf.nn.embedding_lookup_sparse`).

    Args:
        params: as in `embedding_lookup`.
        sp_ids: a SparseTensor [rows, any] of numbers.
        sp_weights: one of the same indices, of their weights; None for 1.
        partition_strategy: as in `embedding_lookup`.
        name: of the node.
        combiner: "mean", "sqrtn" or "sum".
        max_norm: as in `embedding_lookup`.

    Raises:
        ValueError: another combiner.
        TypeError: the numbers or the weights are not sparse.
    """
    combiner = combiner or "mean"
    if combiner not in ("mean", "sqrtn", "sum"):
        raise ValueError(f"combiner must be one of 'mean', 'sqrtn' or 'sum', got {combiner}")
    tables = _tables(params)
    if not isinstance(sp_ids, SparseTensor):
        raise TypeError(f"sp_ids must be SparseTensor, got {type(sp_ids)}")
    if sp_weights is not None and not isinstance(sp_weights, SparseTensor):
        raise TypeError(f"sp_weights must be either None or SparseTensor,got {type(sp_weights)}")
    with name_scope(name, "embedding_lookup_sparse", [*tables, sp_ids.values]) as scope:
        segments = cast(sp_ids.indices[:, 0], "int32")
        numbers, places = apply_op("Unique", sp_ids.values).outputs
        rows = embedding_lookup(tables, numbers, partition_strategy, max_norm=max_norm)
        if sp_weights is None:
            op_name = {"sum": "SparseSegmentSum", "mean": "SparseSegmentMean", "sqrtn": "SparseSegmentSqrtN"}[combiner]
            return apply(op_name, rows, places, segments, name=scope)
        weights = cast(sp_weights.values, rows.dtype.base_dtype)
        rows = gather(rows, places)
        trailing = ones(expand_dims(rank(rows) - 1, 0), dtype="int32")
        weights = reshape(weights, concat([shape_of(weights), trailing], 0))
        rows = rows * weights
        if combiner == "sum":
            return apply("SegmentSum", rows, segments, name=scope)
        total = apply("SegmentSum", rows, segments)
        if combiner == "mean":
            return apply("DivNoNan", total, apply("SegmentSum", weights, segments), name=scope)
        squares = apply("SegmentSum", apply("Pow", weights, 2), segments)
        return apply("DivNoNan", total, apply("Sqrt", squares), name=scope)


def _tables(params: Any) -> list[Any]:
    if params is None:
        raise ValueError("params must be specified")
    found = list(params) if isinstance(params, (list, tuple, PartitionedVariable)) else [params]
    if not found:
        raise ValueError("Length of params is currently 0. Need at least one param.")
    return found


def _clipped(rows: Tensor, ids: Tensor, max_norm: float | None) -> Tensor:
    if max_norm is None:
        return rows
    mine, theirs = ids.shape.rank, rows.shape.rank
    axes = list(range(mine, theirs)) if mine and theirs else number_range(rank(ids), rank(rows))
    return clip_by_norm(rows, max_norm, axes=axes)  # type: ignore[no-any-return]


def _assigned(tables: list[Any], flat: Tensor, strategy: str) -> tuple[Tensor, Tensor]:
    """For each number the part that it is in, and its number there."""
    count = len(tables)
    if strategy == "mod":
        return flat % count, flat // count
    if strategy != "div":
        raise ValueError(f"Unrecognized partition strategy: {strategy}.Must be one of either `mod` or `div`.")
    sizes = [table.shape.as_list()[0] for table in tables]
    dtype = flat.dtype.base_dtype
    if None in sizes:
        sizes = [shape_of(table)[0] if known is None else known for table, known in zip(tables, sizes, strict=True)]
        total = reduce_sum(cast(stack(sizes), dtype))
    else:
        total = constant(sum(sizes), dtype)
    each, extra = total // count, total % count
    assignments = apply("Maximum", flat // (each + 1), (flat - extra) // each)
    inner = apply("Select", assignments < extra, flat % (each + 1), (flat - extra) % each)
    return assignments, inner
