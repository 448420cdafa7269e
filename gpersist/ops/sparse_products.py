"""Sparse tensors made dense, and multiplied with dense matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, constant_shape, constant_value, sample
from gpersist.ops.accumulating import combine_at
from gpersist.ops.gathering import gather, gather_nd
from gpersist.ops.kernels import shown
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.sparse_structure import INDICES, SHAPE, check, flat_places
from gpersist.shapes import TensorShape

__all__: list[str] = []


class SparseToDense(OpType):
    """A tensor of one value, with others at some places."""

    inputs = "sparse_indices: Tindices, output_shape: Tindices, sparse_values: T, default_value: T"
    outputs = "dense: T"
    attrs = "validate_indices: bool = true, T: type, Tindices: {int32, int64}"
    host_inputs = ("output_shape",)
    samples = (
        sample(INDICES, SHAPE, "float[4]", "float: 7.0"),
        sample("int32: [1, 3]", "int32: [5]", "float: 2.0", "float: 0.0", has_gradient=False),
        sample("int32: 2", "int32: [4]", "int32: 3", "int32: 0"),
        sample("int64: [[3], [1]]", "int64: [4]", "double[2]", "double: 0.0", validate_indices=False),
        sample("int32: [1, 3]", "int32: [5]", "string[2]", np.array(b"-", object)),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[1].shape.with_rank(1)
        known = constant_value(op._inputs[1])
        if known is not None and (known < -1).any():
            raise ValueError(f"Invalid value in tensor used for shape: {known.min()}")
        return [constant_shape(op._inputs[1])]

    @staticmethod
    def run(xp: Any, indices: Array, output_shape: Any, values: Array, default_value: Any, *, validate_indices: bool) -> Array:
        if indices.ndim > 2:
            raise InvalidArgumentError(f"sparse_indices should be a scalar, vector, or matrix, got shape {shown(indices.shape)}")
        if output_shape.ndim != 1:
            raise InvalidArgumentError(f"output_shape must be rank 1, got shape {shown(output_shape.shape)}")
        if np.ndim(values) > 1 or np.ndim(default_value):
            raise InvalidArgumentError(
                f"sparse_values should be a scalar or a vector, default_value a scalar; they are {shown(np.shape(values))}, ..."
            )
        table = indices.reshape(-1, 1) if indices.ndim < 2 else indices
        shape = tuple(output_shape.tolist())
        if table.shape[1] != len(shape):
            raise InvalidArgumentError(f"output_shape has incorrect number of elements: {len(shape)} should be: {table.shape[1]}")
        if np.ndim(values) and len(values) != len(table):
            raise InvalidArgumentError(f"sparse_values has incorrect shape {shown(values.shape)}, should be [] or [{len(table)}]")
        if xp is np:
            check_places(table, shape, validate_indices)
        if min(shape, default=0) < 0:
            raise InvalidArgumentError(f"output_shape {shown(shape)} has a negative dimension")
        found = xp.empty(shape, object if isinstance(values, bytes) else values.dtype)
        found[...] = default_value
        found[tuple(table.T)] = values
        return found

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        found = gather_nd(grad, op.inputs[0])
        return [None, None, found, reduce_sum(grad) - reduce_sum(found)]


def check_places(table: Any, shape: tuple[int, ...], is_strict: bool) -> None:
    """Holds indices against a shape, and, if wanted, against the order that they should have.

    Raises:
        InvalidArgumentError: one is outside, out of order, or there again.
    """
    wrong = np.flatnonzero(((table < 0) | (table >= np.array(shape))).any(1))
    if wrong.size:
        raise InvalidArgumentError(f"indices[{wrong[0]}] = {shown(table[wrong[0]].tolist())} is out of bounds: need 0 <= index < {shown(shape)}")
    if not is_strict or len(table) < 2:
        return
    steps = np.diff(flat_places(table.astype(np.int64), shape))
    wrong = np.flatnonzero(steps <= 0)
    if wrong.size:
        at = int(wrong[0]) + 1
        what = (
            "is repeated"
            if steps[at - 1] == 0
            else "is out of order. Many sparse ops require sorted indices.\n    Use `tf.sparse.reorder` to create a correctly ordered copy.\n\n"
        )
        raise InvalidArgumentError(f"indices[{at}] = {shown(table[at].tolist())} {what}")


class SparseTensorDenseMatMul(OpType):
    """A sparse matrix times a dense one."""

    inputs = "a_indices: Tindices, a_values: T, a_shape: int64, b: T"
    outputs = "product: T"
    attrs = "T: type, Tindices: {int32, int64} = int64, adjoint_a: bool = false, adjoint_b: bool = false"
    host_inputs = ("a_shape",)
    samples = (
        sample(INDICES, "float[4]", SHAPE, "float[3,2]"),
        sample(INDICES, "float[4]", SHAPE, "float[4,2]", adjoint_a=True),
        sample(INDICES, "double[4]", SHAPE, "double[2,3]", adjoint_b=True),
        sample(INDICES[:0], "float[0]", SHAPE, "float[3,2]"),
        sample(INDICES, "complex64[4]", SHAPE, "complex64[2,4]", adjoint_a=True, adjoint_b=True),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        indices, values, _, b = (tensor.shape for tensor in op._inputs)
        indices.with_rank(2)[:1].merge_with(values.with_rank(1))
        known = constant_shape(op._inputs[2]).with_rank(2)
        rows, inner = known.as_list()[::-1] if op.attr("adjoint_a") else known.as_list()
        b = b.with_rank(2)
        others, columns = b.as_list()[::-1] if op.attr("adjoint_b") else b.as_list()
        TensorShape([inner]).merge_with([others])
        return [TensorShape([rows, columns])]

    @staticmethod
    def run(xp: Any, indices: Array, values: Array, a_shape: Any, b: Array, *, adjoint_a: bool, adjoint_b: bool) -> Array:
        if b.ndim != 2:
            raise InvalidArgumentError("Tensor 'b' is not a matrix")
        if a_shape.ndim != 1 or len(a_shape) != 2:
            raise InvalidArgumentError("Tensor 'a_shape' is not a vector of 2 elements")
        check(indices, values, a_shape, "a")
        right = b.conj().T if adjoint_b else b
        rows, inner = map(int, a_shape[::-1] if adjoint_a else a_shape)
        row, column = indices.T[::-1] if adjoint_a else indices.T
        if inner != right.shape[0]:
            raise InvalidArgumentError(f"Cannot multiply A and B because inner dimension does not match: {inner} vs. {right.shape[0]}.")
        if xp is np and indices.size and ((row < 0) | (row >= rows) | (column < 0) | (column >= inner)).any():
            raise InvalidArgumentError(f"an index of A is outside of {shown(a_shape.tolist())}")
        found = xp.zeros((rows, right.shape[1]), b.dtype)
        scale = values.conj() if adjoint_a else values
        parts = scale[:, None] * right[column]
        if xp is np:
            return _summed_rows(found, row, parts)
        combine_at(xp, "add", found, row, parts)
        return found

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        indices, values, shape, b = op.inputs
        is_a, is_b = op.attr("adjoint_a"), op.attr("adjoint_b")
        to_b = apply("SparseTensorDenseMatMul", indices, values, shape, grad, adjoint_a=not is_a)
        if is_b:
            to_b = apply("Transpose", apply("Conj", to_b) if to_b.dtype.is_complex else to_b, _swapped())
        rows, columns = indices[:, 0], indices[:, 1]
        to_grad = gather(grad, columns if is_a else rows)
        if is_b:
            other = gather(apply("Transpose", b, _swapped()), rows if is_a else columns)
        else:
            other = gather(b, rows if is_a else columns)
        product = to_grad * (apply("Conj", other) if other.dtype.is_complex else other)
        return [None, reduce_sum(product, 1), None, to_b]


def _swapped() -> Tensor:
    return apply("Const", value=np.array([1, 0], np.int32), dtype="int32")


def _summed_rows(found: Any, rows: Any, parts: Any) -> Any:
    """Adds each part to a row of what was found."""
    if len(rows):
        if (np.diff(rows) < 0).any():
            order = np.argsort(rows, kind="stable")
            rows, parts = rows[order], parts[order]
        starts = np.flatnonzero(np.concatenate([[True], np.diff(rows) != 0]))
        found[rows[starts]] = np.add.reduceat(parts, starts, 0)
    return found


class SparseMatMul(OpType):
    """The product of two matrices, of which one may be mostly zeros."""

    inputs = "a: Ta, b: Tb"
    outputs = "product: float"
    attrs = (
        "transpose_a: bool = false, transpose_b: bool = false, a_is_sparse: bool = false, b_is_sparse: bool = false, Ta: {float, bfloat16} = float, "
        "Tb: {float, bfloat16} = float"
    )
    samples = (sample("float[2,3]", "float[3,4]"), sample("float[3,2]", "float[4,3]", transpose_a=True, transpose_b=True, a_is_sparse=True))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        a, b = (tensor.shape.with_rank(2).as_list() for tensor in op._inputs)
        a, b = (a[::-1] if op.attr("transpose_a") else a), (b[::-1] if op.attr("transpose_b") else b)
        TensorShape([a[1]]).merge_with([b[0]])
        return [TensorShape([a[0], b[1]])]

    @staticmethod
    def run(xp: Any, a: Array, b: Array, *, transpose_a: bool, transpose_b: bool) -> Array:
        if a.ndim != 2 or b.ndim != 2:
            raise InvalidArgumentError(f"{'a' if a.ndim != 2 else 'b'} is not a matrix")
        left, right = (a.T if transpose_a else a), (b.T if transpose_b else b)
        if left.shape[1] != right.shape[0]:
            raise InvalidArgumentError(f"Matrix size incompatible: a: {shown(a.shape)}, b: {shown(b.shape)}")
        return left.astype(np.float32) @ right.astype(np.float32)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        a, b = op.inputs
        ta, tb = op.attr("transpose_a"), op.attr("transpose_b")
        to_a = apply("MatMul", b, grad, transpose_a=tb, transpose_b=True) if ta else apply("MatMul", grad, b, transpose_b=not tb)
        to_b = apply("MatMul", grad, a, transpose_a=True, transpose_b=ta) if tb else apply("MatMul", a, grad, transpose_a=not ta)
        return [to_a, to_b]
