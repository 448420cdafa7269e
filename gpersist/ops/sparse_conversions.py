"""Sparse tensors made of dense ones, and dense ones of them (`tf.sparse.from_dense`, `tf.sparse.to_dense`, ...)."""

from __future__ import annotations

from typing import Any

from gpersist.dtypes import as_dtype
from gpersist.graph import Tensor, apply, apply_op, convert_to_tensor, name_scope
from gpersist.ops.arithmetic import minimum
from gpersist.ops.casting import cast
from gpersist.ops.choosing import where
from gpersist.ops.comparison import not_equal
from gpersist.ops.filling import fill, ones, zeros, zeros_like
from gpersist.ops.gathering import gather, gather_nd
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.joining import concat, stack
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import expand_dims, shape_of
from gpersist.ops.sparse_arranging import sparse_reorder
from gpersist.ops.sparse_tensor import SparseTensor, SparseTensorValue, sparse_tensor_of

__all__ = [
    "from_dense",
    "sparse_eye",
    "sparse_mask",
    "sparse_merge",
    "sparse_tensor_to_dense",
    "sparse_to_dense",
    "sparse_to_indicator",
]


def from_dense(tensor: Any, name: str | None = None) -> SparseTensor:
    """A sparse tensor of those elements that are not 0, or not empty (`tf.sparse.from_dense`)."""
    with name_scope(name, "dense_to_sparse", []):
        dense = convert_to_tensor(tensor)
        places = where(not_equal(dense, zeros_like(dense)))
        return SparseTensor(places, gather_nd(dense, places), shape_of(dense, out_type="int64"))


def sparse_eye(num_rows: Any, num_columns: Any = None, dtype: Any = "float32", name: str | None = None) -> SparseTensor:
    """A sparse matrix of ones on its diagonal (`tf.sparse.eye`)."""
    with name_scope(name, "eye", [num_rows, num_columns]):
        rows = _count(num_rows, "num_rows")
        columns = rows if num_columns is None else _count(num_columns, "num_columns")
        length = minimum(rows, columns)
        places = number_range(length, dtype="int64")
        return SparseTensor(stack([places, places], axis=1), ones(length, as_dtype(dtype)), [rows, columns])


def _count(value: Any, name: str) -> Tensor:
    return cast(value, "int64") if isinstance(value, Tensor) else convert_to_tensor(value, "int64", name)


def sparse_tensor_to_dense(sp_input: Any, default_value: Any = None, validate_indices: bool = True, name: str | None = None) -> Tensor:
    """The whole tensor, with a default value, 0 or empty, where nothing is told (`tf.sparse.to_dense`).

    Raises:
        TypeError: no SparseTensor.
    """
    given = sparse_tensor_of(sp_input)
    default = zeros([], given.dtype) if default_value is None else default_value
    return sparse_to_dense(given.indices, given.dense_shape, given.values, default, validate_indices, name)


def sparse_to_dense(
    sparse_indices: Any, output_shape: Any, sparse_values: Any, default_value: Any = 0, validate_indices: bool = True, name: str | None = None
) -> Tensor:
    """A dense tensor of a default value with others at some places (`tf.sparse_to_dense`)."""
    return apply("SparseToDense", sparse_indices, output_shape, sparse_values, default_value, validate_indices=validate_indices, name=name)


def sparse_to_indicator(sp_input: Any, vocab_size: Any, name: str | None = None) -> Tensor:
    """For each row which numbers it has, as booleans (`tf.sparse.to_indicator`): bool[..., vocab_size].

    Raises:
        TypeError: no SparseTensor.
    """
    given = sparse_tensor_of(sp_input)
    with name_scope(name, "SparseToIndicator", [given.indices]) as scope:
        count = shape_of(given.indices)[0]
        yes = SparseTensor(given.indices, fill(expand_dims(count, 0), True), given.dense_shape)
        return sparse_tensor_to_dense(_merged([given], yes, [vocab_size], scope, False), False, False, scope)


def sparse_merge(sp_ids: Any, sp_values: Any, vocab_size: Any, name: str | None = None, already_sorted: bool = False) -> SparseTensor:
    """Values at places of which the last coordinates are values, too (`tf.sparse.merge`).

    Args:
        sp_ids: a SparseTensor of coordinates, or a list of them, one for each axis.
        sp_values: the values, at the same indices.
        vocab_size: the length of the axis, or a list of them.
        name: of the scope.
        already_sorted: whether the indices found are in order already.

    Raises:
        TypeError: one is no SparseTensor, or `vocab_size` no fitting list.
        ValueError: there are more or fewer lengths than axes.
    """
    if isinstance(sp_ids, (SparseTensor, SparseTensorValue)):
        ids: Any = [sp_ids]
        if not (isinstance(vocab_size, Tensor) or not isinstance(vocab_size, (list, tuple))):
            raise TypeError(f"vocab_size has to be a list of Tensors or Python ints. Received: vocab_size={vocab_size}")
        sizes = [vocab_size]
    else:
        ids = sp_ids
        if not isinstance(vocab_size, (list, tuple)):
            raise TypeError(f"vocab_size has to be a list of Tensors or Python ints. Received: vocab_size={vocab_size}")
        sizes = list(vocab_size)
        if len(ids) != len(sizes):
            raise ValueError("sp_ids and vocab_size have to have equal lengths.")
    with name_scope(name, "SparseMerge", [*(value.indices for value in ids), sp_values.indices]) as scope:
        return _merged([sparse_tensor_of(value) for value in ids], sparse_tensor_of(sp_values), sizes, scope, already_sorted)


def _merged(ids: list[SparseTensor], values: SparseTensor, sizes: list[Any], name: str, is_sorted: bool) -> SparseTensor:
    with name_scope(name, "SparseMerge", []):
        coordinates = [expand_dims(cast(each.values, "int64"), 1) for each in ids]
        lengths = [cast(size, "int64") for size in sizes]
        indices = concat([ids[0].indices[:, :-1], *coordinates], 1)
        shape = concat([ids[0].dense_shape[:-1], lengths], 0)
        found = SparseTensor(indices, values.values, shape)
        if is_sorted:
            return found
        found = sparse_reorder(found)
        return SparseTensor(found.indices, found.values, shape)


def sparse_mask(a: IndexedSlices, mask_indices: Any, name: str | None = None) -> IndexedSlices:
    """Slices without those of some numbers (`tf.sparse.mask`)."""
    with name_scope(name, "sparse_mask", [a.indices, mask_indices]) as scope:
        indices, places = apply_op("ListDiff", a.indices, mask_indices).outputs
        return IndexedSlices(gather(a.values, places, name=scope), indices, a.dense_shape)
