"""Calculations with sparse tensors: sums, products, reductions, softmax."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.graph import Tensor, apply, apply_op, convert_to_tensor, name_scope
from gpersist.ops.arranging import transpose
from gpersist.ops.broadcasting import broadcast_static_shape
from gpersist.ops.builders import renamed_argument
from gpersist.ops.constants import constant
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import rank
from gpersist.ops.sparse_tensor import SparseTensor, SparseTensorValue, sparse_tensor_of

__all__ = [
    "sparse_add",
    "sparse_matmul",
    "sparse_maximum",
    "sparse_minimum",
    "sparse_reduce_max",
    "sparse_reduce_max_sparse",
    "sparse_reduce_sum",
    "sparse_reduce_sum_sparse",
    "sparse_softmax",
    "sparse_tensor_dense_matmul",
]

_SPARSE = (SparseTensor, SparseTensorValue)


def sparse_add(a: Any, b: Any, threshold: Any = None, thresh: Any = None) -> Any:
    """The sum of two tensors, at least one of them sparse (`tf.sparse.add`): sparse if both are.

    Args:
        a: a tensor.
        b: one of the same shape and type.
        threshold: sums smaller than this are left out of a sparse result; 0 by default, which leaves out none.
        thresh: the old name of `threshold`.

    Raises:
        TypeError: neither is sparse.
        ValueError: `threshold` is given twice, or the shapes don't go together.
    """
    limit = renamed_argument("threshold", threshold, "thresh", thresh)
    limit = 0 if limit is None else limit
    if not any(isinstance(value, _SPARSE) for value in (a, b)):
        raise TypeError("At least one input should be SparseTensor; do you mean to use tf.add()?")
    if not all(isinstance(value, _SPARSE) for value in (a, b)):
        sparse, dense = (b, a) if isinstance(b, _SPARSE) else (a, b)
        sparse = sparse_tensor_of(sparse)
        return apply("SparseTensorDenseAdd", sparse.indices, sparse.values, sparse.dense_shape, dense)
    one, other = sparse_tensor_of(a), sparse_tensor_of(b)
    least = convert_to_tensor(limit, one.values.dtype.base_dtype.real_dtype, "threshold")
    indices, values, shape = apply_op(
        "SparseAdd", one.indices, one.values, one.dense_shape, other.indices, other.values, other.dense_shape, least
    ).outputs
    one.shape.assert_is_compatible_with(other.shape)
    known = broadcast_static_shape(one.shape, other.shape)
    return SparseTensor(indices, values, known.as_list() if known.is_fully_defined() else shape)


def sparse_maximum(sp_a: Any, sp_b: Any, name: str | None = None) -> SparseTensor:
    """The larger of two sparse tensors of one shape, at each place (`tf.sparse.maximum`)."""
    return _at_both("SparseSparseMaximum", sp_a, sp_b, name)


def sparse_minimum(sp_a: Any, sp_b: Any, name: str | None = None) -> SparseTensor:
    """The smaller of two sparse tensors of one shape, at each place (`tf.sparse.minimum`)."""
    return _at_both("SparseSparseMinimum", sp_a, sp_b, name)


def _at_both(op_name: str, one: Any, other: Any, name: str | None) -> SparseTensor:
    with name_scope(name, op_name, [one.indices, other.indices]) as scope:
        parts = [one.indices, one.values, one.dense_shape, other.indices, other.values, other.dense_shape]
        indices, values = apply_op(op_name, *parts, name=scope).outputs
        return SparseTensor(indices, values, one.dense_shape)


def sparse_softmax(sp_input: Any, name: str | None = None) -> SparseTensor:
    """Softmax over the values that each row has (`tf.sparse.softmax`)."""
    with name_scope(name, "SparseSoftmax", [sp_input.indices, sp_input.values]):
        values = apply("SparseSoftmax", sp_input.indices, sp_input.values, sp_input.dense_shape)
        return SparseTensor(sp_input.indices, values, sp_input.dense_shape)


def _axes(given: SparseTensor, axis: Any) -> Any:
    """The axes to reduce: all by default."""
    if axis is not None:
        return axis
    known = given.dense_shape.shape.num_elements()
    return number_range(0, rank(given)) if known is None else constant(np.arange(known, dtype=np.int32))


def _reduced(op_name: str, sp_input: Any, axis: Any, keepdims: Any, reduction_axes: Any, keep_dims: Any) -> list[Tensor]:
    keeps = renamed_argument("keepdims", keepdims, "keep_dims", keep_dims)
    axes = renamed_argument("axis", axis, "reduction_axes", reduction_axes)
    parts = [sp_input.indices, sp_input.values, sp_input.dense_shape, _axes(sp_input, axes)]
    return list(apply_op(op_name, *parts, keep_dims=bool(keeps)).outputs)


def sparse_reduce_max(sp_input: Any, axis: Any = None, keepdims: Any = None, reduction_axes: Any = None, keep_dims: Any = None) -> Tensor:
    """The largest of the values that are there along some axes, or along all (`tf.sparse.reduce_max`), as a dense tensor."""
    return _reduced("SparseReduceMax", sp_input, axis, keepdims, reduction_axes, keep_dims)[0]


def sparse_reduce_max_sparse(
    sp_input: Any, axis: Any = None, keepdims: Any = None, reduction_axes: Any = None, keep_dims: Any = None
) -> SparseTensor:
    """The same as `sparse_reduce_max`, as a sparse tensor (`tf.sparse.reduce_max_sparse`)."""
    return SparseTensor(*_reduced("SparseReduceMaxSparse", sp_input, axis, keepdims, reduction_axes, keep_dims))


def sparse_reduce_sum(sp_input: Any, axis: Any = None, keepdims: Any = None, reduction_axes: Any = None, keep_dims: Any = None) -> Tensor:
    """The sum of the values along some axes, or along all (`tf.sparse.reduce_sum`), as a dense tensor."""
    return _reduced("SparseReduceSum", sp_input, axis, keepdims, reduction_axes, keep_dims)[0]


def sparse_reduce_sum_sparse(
    sp_input: Any, axis: Any = None, keepdims: Any = None, reduction_axes: Any = None, keep_dims: Any = None
) -> SparseTensor:
    """The same as `sparse_reduce_sum`, as a sparse tensor (`tf.sparse.reduce_sum_sparse`)."""
    return SparseTensor(*_reduced("SparseReduceSumSparse", sp_input, axis, keepdims, reduction_axes, keep_dims))


def sparse_tensor_dense_matmul(sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: str | None = None) -> Tensor:
    """The product of a sparse and a dense matrix, in either order (`tf.sparse.sparse_dense_matmul`).

    Args:
        sp_a: [n, m], one of the two sparse.
        b: [m, k].
        adjoint_a: whether the first matrix is transposed and conjugated first.
        adjoint_b: the same of the second.
        name: of the scope.
    """
    if isinstance(b, _SPARSE):
        product = sparse_tensor_dense_matmul(b, sp_a, adjoint_a=not adjoint_b, adjoint_b=not adjoint_a, name=name)
        return transpose(product, conjugate=True) if product.dtype.is_complex else transpose(product)
    given = sparse_tensor_of(sp_a)
    with name_scope(name, "SparseTensorDenseMatMul", [given.indices, b]):
        dense = convert_to_tensor(b, name="b")
        parts = [given.indices, given.values, given.dense_shape, dense]
        return apply("SparseTensorDenseMatMul", *parts, adjoint_a=adjoint_a, adjoint_b=adjoint_b)


def sparse_matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """The product of two dense matrices, of which one may be mostly zeros (`tf.sparse_matmul`)."""
    flags = {"transpose_a": transpose_a, "transpose_b": transpose_b, "a_is_sparse": a_is_sparse, "b_is_sparse": b_is_sparse}
    return apply("SparseMatMul", a, b, name=name, **flags)
