"""Rows of tables for features that may be missing, or wrong: `tf.nn.safe_embedding_lookup_sparse`."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Tensor, convert_to_tensor, name_scope
from gpersist.ops.arranging import tile
from gpersist.ops.casting import cast
from gpersist.ops.choosing import where
from gpersist.ops.comparison import greater, greater_equal, logical_and
from gpersist.ops.embedding import embedding_lookup_sparse
from gpersist.ops.filling import ones_like, zeros_like
from gpersist.ops.gathering import gather
from gpersist.ops.indexing import slice as slice_
from gpersist.ops.joining import concat, stack
from gpersist.ops.partitioned_variable import PartitionedVariable
from gpersist.ops.reductions import reduce_prod
from gpersist.ops.resource_variable import ResourceVariable
from gpersist.ops.shaping import reshape, shape_of, size
from gpersist.ops.sparse_arranging import sparse_fill_empty_rows, sparse_reshape, sparse_retain
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.shapes import TensorShape

__all__ = ["safe_embedding_lookup_sparse"]


def safe_embedding_lookup_sparse(
    embedding_weights: Any,
    sparse_ids: SparseTensor,
    sparse_weights: SparseTensor | None = None,
    combiner: str = "mean",
    default_id: int | None = None,
    name: str | None = None,
    partition_strategy: str = "div",
    max_norm: float | None = None,
) -> Tensor:
    """The table's rows with some numbers, combined for each row of the features (`tf.nn.safe_embedding_lookup_sparse`).

    Numbers below 0, and unless they are summed up those of no weight, are left out; where none is left, the result is 0, or the row `default_id`.

    Args:
        embedding_weights: the table, or a list of its parts.
        sparse_ids: the numbers [..., any].
        sparse_weights: their weights; None for 1.
        combiner: "mean", "sqrtn" or "sum".
        default_id: of the row to take where there is none.
        name: of the node.
        partition_strategy: how rows are spread over the parts: "div", in runs, or "mod", in turn.
        max_norm: rows longer than this are made that long.

    Raises:
        ValueError: there is no table.
    """
    if embedding_weights is None:
        raise ValueError(f"Missing embedding_weights {embedding_weights}.")
    tables = list(embedding_weights) if isinstance(embedding_weights, (list, PartitionedVariable)) else [embedding_weights]
    if not tables:
        raise ValueError(f"Missing embedding_weights {embedding_weights}.")
    dtype = None if sparse_weights is None else sparse_weights.dtype
    tables = [table if isinstance(table, ResourceVariable) and dtype in (None, table.dtype) else convert_to_tensor(table, dtype) for table in tables]
    with name_scope(name, "embedding_lookup", [*tables, sparse_ids.indices]) as scope:
        whole = sparse_ids.dense_shape
        known = whole.shape.as_list()[0]
        rank: Any = size(whole) if known is None else known
        ids = sparse_reshape(sparse_ids, [reduce_prod(slice_(whole, [0], [rank - 1])), gather(whole, rank - 1)])
        weights = None if sparse_weights is None else SparseTensor(ids.indices, sparse_weights.values, ids.dense_shape)
        ids, weights = _pruned(ids, weights, combiner)
        ids, is_empty = sparse_fill_empty_rows(ids, default_id or 0)
        if weights is not None:
            weights, _ = sparse_fill_empty_rows(weights, 1.0)
        found = embedding_lookup_sparse(
            tables,
            ids,
            weights,
            combiner=combiner,
            partition_strategy=partition_strategy,
            name=None if default_id is None else scope,
            max_norm=max_norm,
        )
        if default_id is None:
            is_empty = tile(reshape(is_empty, [-1, 1]), stack([1, shape_of(found)[1]]))
            found = where(is_empty, zeros_like(found), found, name=scope)
        outer = slice_(cast(whole, "int32"), [0], [rank - 1])
        result = reshape(found, concat([outer, slice_(shape_of(found), [1], [-1])], 0))
        outer_shape = TensorShape(None) if known is None else TensorShape([None] * (known - 1))
        result.set_shape(outer_shape.concatenate(found.shape[1:]))
        return result


def _pruned(ids: SparseTensor, weights: SparseTensor | None, combiner: str) -> tuple[SparseTensor, SparseTensor | None]:
    """Without numbers below 0, and without weights of 0 or less unless those are summed up."""
    is_valid = greater_equal(ids.values, 0)
    if weights is None:
        return sparse_retain(ids, is_valid), None
    is_valid = logical_and(is_valid, ones_like(weights.values, dtype="bool"))
    ids, weights = sparse_retain(ids, is_valid), sparse_retain(weights, is_valid)
    if combiner != "sum":
        is_positive = greater(weights.values, 0)
        ids, weights = sparse_retain(ids, is_positive), sparse_retain(weights, is_positive)
    return ids, weights
