"""Sparse matrices row by row (CSR), one or a batch of them, as one value: made, taken apart, transposed and multiplied.

A graph holds such a value in a tensor of type variant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Context, Operation, SessionOpType, Tensor, apply, apply_op, constant_shape
from gpersist.ops import shape_functions
from gpersist.ops.gathering import gather_nd
from gpersist.ops.kernels import shown
from gpersist.shapes import TensorShape, unknown_shape

_TYPES = "{float, double, complex64, complex128}"


class CsrMatrix(NamedTuple):
    """One sparse matrix, or a batch of them.

    Attributes:
        dense_shape: [rows, columns], or [batch, rows, columns].
        parts: for each matrix where its rows start, int32[rows + 1]; the column of each value, int32; and the values.
    """

    dense_shape: tuple[int, ...]
    parts: list[tuple[Any, Any, Any]]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the tensor that holds it."""
        return ()

    @classmethod
    def of(cls, dense_shape: Sequence[int], indices: Any, values: Any) -> CsrMatrix:
        """From the values at indices.

        Raises:
            InvalidArgumentError: there are not two dimensions, or three; or an index lies outside.
        """
        shape = tuple(int(size) for size in dense_shape)
        if len(shape) not in (2, 3):
            raise InvalidArgumentError(f"SparseTensor must have rank 2 or 3; but indices has rank: {len(shape)}")
        if indices.ndim != 2 or indices.shape != (len(values), len(shape)):
            raise InvalidArgumentError(f"indices must be of shape [{len(values)},{len(shape)}], not {shown(indices.shape)}")
        for axis, size in enumerate(shape):
            if len(indices) and (indices[:, axis].min() < 0 or indices[:, axis].max() >= size):
                raise InvalidArgumentError(f"an index of dimension {axis} is outside of [0, {size})")
        batches = indices[:, 0] if len(shape) == 3 else np.zeros(len(indices), np.int64)
        parts = []
        for batch in range(shape[0] if len(shape) == 3 else 1):
            (chosen,) = np.nonzero(batches == batch)
            rows = indices[chosen, -2]
            chosen = chosen[np.argsort(rows, kind="stable")]
            parts.append((_starts(rows, shape[-2]), indices[chosen, -1].astype(np.int32), values[chosen]))
        return cls(shape, parts)

    def indices(self) -> Any:
        """Where the values are: int64[values, rank]."""
        found = []
        for batch, (starts, columns, _) in enumerate(self.parts):
            rows = np.repeat(np.arange(len(starts) - 1, dtype=np.int64), np.diff(starts))
            own = [rows, columns.astype(np.int64)]
            found.append(np.stack([np.full(len(rows), batch, np.int64), *own] if len(self.dense_shape) == 3 else own, 1))
        return np.concatenate(found) if found else np.zeros((0, len(self.dense_shape)), np.int64)

    def values(self, dtype: DType) -> Any:
        """All values, those of one matrix after those of another."""
        return np.concatenate([values for _, _, values in self.parts]) if self.parts else np.zeros(0, dtype.numpy)

    def check_type(self, dtype: DType) -> CsrMatrix:
        """Holds the type of the values; gives itself.

        Raises:
            InvalidArgumentError: it is another.
        """
        for _, _, values in self.parts:
            if values.dtype != dtype.numpy:
                raise InvalidArgumentError(f"dtype of the sparse matrix {values.dtype} does not match {dtype.name}")
        return self

    def dense(self) -> list[Any]:
        """Each matrix with all of its zeros."""
        found = []
        for starts, columns, values in self.parts:
            matrix = np.zeros(self.dense_shape[-2:], values.dtype)
            matrix[np.repeat(np.arange(len(starts) - 1), np.diff(starts)), columns] = values
            found.append(matrix)
        return found

    def transposed(self, *, is_conjugate: bool) -> CsrMatrix:
        """Each matrix with rows for columns."""
        parts = []
        for starts, columns, values in self.parts:
            rows = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
            order = np.argsort(columns, kind="stable")
            turned = np.conj(values[order]) if is_conjugate else values[order]
            parts.append((_starts(columns, self.dense_shape[-1]), rows[order], turned))
        return CsrMatrix((*self.dense_shape[:-2], self.dense_shape[-1], self.dense_shape[-2]), parts)


def _starts(rows: Any, count: int) -> Any:
    return np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=count))]).astype(np.int32)


def as_matrix(value: Any) -> CsrMatrix:
    """A value of type variant that is a sparse matrix.

    Raises:
        InvalidArgumentError: it is something else.
    """
    if not isinstance(value, CsrMatrix):
        raise InvalidArgumentError("input is not a CSRSparseMatrix: its value is of another type of variants")
    return value


def matrix_shape(tensor: Tensor) -> TensorShape:
    """The shape of the matrix that a tensor holds, as far as the nodes that make it tell.

    Raises:
        ValueError: it is known not to be of rank 2 or 3.
    """
    of = _SHAPES.get(tensor.op.type)
    found = unknown_shape() if of is None else of(tensor.op)
    if found.rank not in (None, 2, 3):
        raise ValueError(f"Invalid rank: {found.rank}.  Expected a known rank of either 2 or 3.")
    return found


def _of_sparse_tensor(op: Operation) -> TensorShape:
    return constant_shape(op.inputs[2])


def _of_transposed(op: Operation) -> TensorShape:
    return _swapped(matrix_shape(op.inputs[0]))


def _swapped(shape: TensorShape) -> TensorShape:
    sizes = shape.sizes
    return shape if sizes is None else TensorShape([*sizes[:-2], sizes[-1], sizes[-2]])


def _of_product(op: Operation) -> TensorShape:
    shapes = [matrix_shape(tensor) for tensor in op.inputs[:2]]
    for place, side in enumerate("ab"):
        if op.attr(f"transpose_{side}") or op.attr(f"adjoint_{side}"):
            shapes[place] = _swapped(shapes[place])
    return product_shape(*shapes)


def product_shape(a: TensorShape, b: TensorShape) -> TensorShape:
    """The shape of the product of two matrices, or of two batches.

    Raises:
        ValueError: they don't go together.
    """
    if a.rank is None or b.rank is None:
        return unknown_shape()
    a[-1:].merge_with(b[-2:-1])
    return a[:-2].merge_with(b[:-2]).concatenate(a[-2:-1]).concatenate(b[-1:])


_SHAPES: dict[str, Callable[[Operation], TensorShape]] = {
    "SparseTensorToCSRSparseMatrix": _of_sparse_tensor,
    "DenseToCSRSparseMatrix": lambda op: op.inputs[0].shape,
    "SparseMatrixTranspose": _of_transposed,
    "SparseMatrixSparseMatMul": _of_product,
}


class SparseTensorToCSRSparseMatrix(SessionOpType):
    """A matrix from a sparse tensor."""

    inputs = "indices: int64, values: T, dense_shape: int64"
    outputs = "sparse_matrix: variant"
    attrs = f"T: {_TYPES}"
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        indices, values, shape = (tensor.shape for tensor in op._inputs)
        indices.with_rank(2)[:1].merge_with(values.with_rank(1))
        indices.with_rank(2)[1:].merge_with(shape.with_rank(1))
        if constant_shape(op._inputs[2]).rank not in (None, 2, 3):
            raise ValueError(f"Invalid rank: {constant_shape(op._inputs[2]).rank}.  Expected a known rank of either 2 or 3.")
        return [shape_functions.SCALAR]

    @staticmethod
    def run(ctx: Context, indices: Any, values: Any, dense_shape: Any) -> CsrMatrix:
        return CsrMatrix.of(dense_shape, indices, values)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, apply_op("CSRSparseMatrixToSparseTensor", grad, type=op.attr("T")).outputs[1], None]


class DenseToCSRSparseMatrix(SessionOpType):
    """A matrix from chosen elements of a dense one."""

    inputs = "dense_input: T, indices: int64"
    outputs = "sparse_output: variant"
    attrs = f"T: {_TYPES}"
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        dense, indices = (tensor.shape for tensor in op._inputs)
        if dense.rank not in (2, 3):
            raise ValueError(f"Invalid rank of dense: {-1 if dense.rank is None else dense.rank}.  Expected a known rank of either 2 or 3.")
        if indices.rank != 2:
            raise ValueError(f"indices must be a matrix; but its rank is not 2: {-1 if indices.rank is None else indices.rank}")
        if indices.as_list()[1] != dense.rank:
            raise ValueError(f"indices.shape[1] must match rank of dense; saw: {indices.as_list()[1]} vs. {dense.rank}")
        return [shape_functions.SCALAR]

    @staticmethod
    def run(ctx: Context, dense: Any, indices: Any) -> CsrMatrix:
        try:
            values = dense[tuple(indices.T)]
        except IndexError as error:
            raise InvalidArgumentError(f"indices are outside of the matrix of shape {shown(dense.shape)}: {error}") from None
        return CsrMatrix.of(dense.shape, indices, values)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [apply("CSRSparseMatrixToDense", grad, type=op.attr("T")), None]


class CSRSparseMatrixToSparseTensor(SessionOpType):
    """The indices, values and shape of a sparse tensor from a matrix."""

    inputs = "sparse_matrix: variant"
    outputs = "indices: int64, values: type, dense_shape: int64"
    attrs = f"type: {_TYPES}"
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        rank = matrix_shape(op._inputs[0]).rank
        return [TensorShape([None, rank]), TensorShape([None]), TensorShape([rank])]

    @staticmethod
    def run(ctx: Context, value: Any, *, type: DType) -> list[Any]:
        matrix = as_matrix(value).check_type(type)
        return [matrix.indices(), matrix.values(type), np.array(matrix.dense_shape, np.int64)]

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> Tensor:
        return apply("SparseTensorToCSRSparseMatrix", op.outputs[0], grads[1], op.outputs[2])


class CSRSparseMatrixToDense(SessionOpType):
    """A matrix with all of its zeros."""

    inputs = "sparse_input: variant"
    outputs = "dense_output: type"
    attrs = f"type: {_TYPES}"
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [matrix_shape(op._inputs[0])]

    @staticmethod
    def run(ctx: Context, value: Any, *, type: DType) -> Any:
        matrix = as_matrix(value).check_type(type)
        found = matrix.dense()
        return found[0] if len(matrix.dense_shape) == 2 else np.reshape(found, matrix.dense_shape).astype(type.numpy)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        indices = apply_op("CSRSparseMatrixToSparseTensor", op.inputs[0], type=grad.dtype).outputs[0]
        return apply("SparseTensorToCSRSparseMatrix", indices, gather_nd(grad, indices), grad.shape.as_list())


class CSRSparseMatrixComponents(SessionOpType):
    """Where the rows of one matrix start, the columns of its values, and these."""

    inputs = "csr_sparse_matrix: variant, index: int32"
    outputs = "row_ptrs: int32, col_inds: int32, values: type"
    attrs = f"type: {_TYPES}"
    is_host_only = True
    scalars = ("index",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape = matrix_shape(op._inputs[0])
        rows = None if shape.sizes is None else shape.sizes[-2]
        return [TensorShape([None if rows is None else rows + 1]), TensorShape([None]), TensorShape([None])]

    @staticmethod
    def run(ctx: Context, value: Any, index: Any, *, type: DType) -> list[Any]:
        matrix = as_matrix(value).check_type(type)
        if np.ndim(index):
            raise InvalidArgumentError(f"index should be a scalar, but saw shape: {shown(np.shape(index))}")
        if not 0 <= index < len(matrix.parts):
            raise InvalidArgumentError(f"index ({int(index)}) not in [0, {len(matrix.parts)})")
        return list(matrix.parts[int(index)])


class SparseMatrixNNZ(SessionOpType):
    """How many values a matrix has, or each of a batch."""

    inputs = "sparse_matrix: variant"
    outputs = "nnz: int32"
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape = matrix_shape(op._inputs[0])
        return [unknown_shape() if shape.rank is None else shape[:-2]]

    @staticmethod
    def run(ctx: Context, value: Any) -> Any:
        matrix = as_matrix(value)
        counts = np.array([len(values) for _, _, values in matrix.parts], np.int32)
        return counts[0] if len(matrix.dense_shape) == 2 else counts

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]


class SparseMatrixTranspose(SessionOpType):
    """Each matrix with rows for columns."""

    inputs = "input: variant"
    outputs = "output: variant"
    attrs = f"conjugate: bool = false, type: {_TYPES}"
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        matrix_shape(op._inputs[0])
        return [shape_functions.SCALAR]

    @staticmethod
    def run(ctx: Context, value: Any, *, conjugate: bool, type: DType) -> CsrMatrix:
        return as_matrix(value).check_type(type).transposed(is_conjugate=conjugate)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return apply("SparseMatrixTranspose", grad, conjugate=op.attr("conjugate"), type=op.attr("type"))


def _check_turns(op: Operation) -> None:
    for side in "ab":
        if op.attr(f"transpose_{side}") and op.attr(f"adjoint_{side}"):
            raise ValueError(f"Only one of adjoint_{side} and transpose_{side} may be true.")


class SparseMatrixMatMul(SessionOpType):
    """The products of sparse and dense matrices."""

    inputs = "a: variant, b: T"
    outputs = "output: T"
    attrs = (
        "T: type, transpose_a: bool = false, transpose_b: bool = false, adjoint_a: bool = false, adjoint_b: bool = false, "
        "transpose_output: bool = false, conjugate_output: bool = false"
    )
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _check_turns(op)
        a, b = matrix_shape(op._inputs[0]), op._inputs[1].shape
        if b.rank not in (None, 2, 3):
            raise ValueError(f"Shape must be of rank 2 or 3 but is rank {b.rank}")
        a = _swapped(a) if op.attr("transpose_a") or op.attr("adjoint_a") else a
        b = _swapped(b) if op.attr("transpose_b") or op.attr("adjoint_b") else b
        found = product_shape(a, b)
        return [_swapped(found) if op.attr("transpose_output") else found]

    @staticmethod
    def run(
        ctx: Context,
        a: Any,
        b: Any,
        *,
        T: DType,  # noqa: N803  # TensorFlow's attribute
        transpose_a: bool,
        transpose_b: bool,
        adjoint_a: bool,
        adjoint_b: bool,
        transpose_output: bool,
        conjugate_output: bool,
    ) -> Any:
        matrix = as_matrix(a).check_type(T)
        if b.ndim != len(matrix.dense_shape):
            raise InvalidArgumentError(f"Ranks of a and b must match, saw: {len(matrix.dense_shape)} vs. {b.ndim}.")
        matrix = matrix.transposed(is_conjugate=adjoint_a) if transpose_a or adjoint_a else matrix
        right = np.swapaxes(b, -1, -2) if transpose_b or adjoint_b else b
        right = np.conj(right) if adjoint_b else right
        if matrix.dense_shape[-1] != right.shape[-2]:
            raise InvalidArgumentError(f"a.columns ({matrix.dense_shape[-1]}) must match b.rows ({right.shape[-2]})")
        if matrix.dense_shape[:-2] != right.shape[:-2]:
            raise InvalidArgumentError(f"Batch size of a and b must match, saw: {matrix.dense_shape[:-2]} vs. {right.shape[:-2]}.")
        rights = right if b.ndim == 3 else right[None]
        found = np.zeros((len(matrix.parts), matrix.dense_shape[-2], right.shape[-1]), T.numpy)
        for (starts, columns, values), each, out in zip(matrix.parts, rights, found, strict=True):
            np.add.at(out, np.repeat(np.arange(len(starts) - 1), np.diff(starts)), values[:, None] * each[columns])
        found = np.conj(found) if conjugate_output else found
        found = np.swapaxes(found, -1, -2) if transpose_output else found
        return found if b.ndim == 3 else found[0]


class SparseMatrixSparseMatMul(SessionOpType):
    """The products of sparse matrices, sparse ones again: zeros that come of values stay."""

    inputs = "a: variant, b: variant"
    outputs = "c: variant"
    attrs = f"type: {_TYPES}, transpose_a: bool = false, transpose_b: bool = false, adjoint_a: bool = false, adjoint_b: bool = false"
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _check_turns(op)
        shapes = [matrix_shape(tensor) for tensor in op._inputs]
        for place, side in enumerate("ab"):
            shapes[place] = _swapped(shapes[place]) if op.attr(f"transpose_{side}") or op.attr(f"adjoint_{side}") else shapes[place]
        product_shape(*shapes)
        return [shape_functions.SCALAR]

    @staticmethod
    def run(ctx: Context, a: Any, b: Any, *, type: DType, transpose_a: bool, transpose_b: bool, adjoint_a: bool, adjoint_b: bool) -> CsrMatrix:
        left, right = as_matrix(a).check_type(type), as_matrix(b).check_type(type)
        if len(left.dense_shape) != len(right.dense_shape):
            raise InvalidArgumentError(f"Ranks of a and b must match, saw: {len(left.dense_shape)} vs. {len(right.dense_shape)}.")
        left = left.transposed(is_conjugate=adjoint_a) if transpose_a or adjoint_a else left
        right = right.transposed(is_conjugate=adjoint_b) if transpose_b or adjoint_b else right
        if left.dense_shape[-1] != right.dense_shape[-2] or left.dense_shape[:-2] != right.dense_shape[:-2]:
            raise InvalidArgumentError(f"shapes do not match for a product: {shown(left.dense_shape)} and {shown(right.dense_shape)}")
        parts = [_product(one, other, left.dense_shape[-2], right.dense_shape[-1]) for one, other in zip(left.parts, right.parts, strict=True)]
        return CsrMatrix((*left.dense_shape[:-1], right.dense_shape[-1]), parts)


def _product(left: tuple[Any, Any, Any], right: tuple[Any, Any, Any], rows: int, columns: int) -> tuple[Any, Any, Any]:
    """Of all pairs of values that meet, those of one place summed."""
    starts, inner, values = left
    other_starts, other_columns, other_values = right
    counts = np.diff(other_starts)[inner]  # how many values each one meets
    ends = np.cumsum(counts)
    pairs = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts) + np.repeat(other_starts[inner], counts)
    at = np.repeat(np.repeat(np.arange(rows, dtype=np.int64), np.diff(starts)), counts) * columns + other_columns[pairs]
    places, numbers = np.unique(at, return_inverse=True)
    sums = np.zeros(len(places), values.dtype)
    np.add.at(sums, numbers, np.repeat(values, counts) * other_values[pairs])
    return _starts(places // max(columns, 1), rows), (places % max(columns, 1)).astype(np.int32), sums
