"""Systems of linear equations by least squares; pseudo-inverses and ranks of matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gpersist.dtypes import complex128, float32, int32
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, convert_to_tensor, name_scope, sample
from gpersist.ops.arithmetic import maximum
from gpersist.ops.arranging import matrix_transpose
from gpersist.ops.casting import cast
from gpersist.ops.checks import assert_rank_at_least
from gpersist.ops.choosing import where_v2
from gpersist.ops.control_flow import cond
from gpersist.ops.decompositions import svd
from gpersist.ops.diagonal import eye
from gpersist.ops.kernels import shown
from gpersist.ops.linear_algebra import check_matrix, cholesky_solve, widened
from gpersist.ops.matmul import matmul
from gpersist.ops.passing import identity
from gpersist.ops.reductions import reduce_max, reduce_sum
from gpersist.ops.shaping import expand_dims, shape_of
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["lstsq", "matrix_rank", "matrix_solve_ls", "pinv"]

_CACHE_BYTES = 256_000
"""Up to which size of matrices TensorFlow writes the solution out in other operations."""


class MatrixSolveLs(OpType):
    """The solutions of systems of linear equations by least squares."""

    inputs = "matrix: T, rhs: T, l2_regularizer: double"
    outputs = "output: T"
    attrs = "T: {double, float, half, complex64, complex128}, fast: bool = true"
    host_inputs = ("l2_regularizer",)
    is_host_only = True
    scalars = ("l2_regularizer",)
    samples = (
        sample("double[2,4,3]", "double[2,4,2]", "double: 0.0"),
        sample("double[2,3,4]", "double[2,3,2]", "double: 0.0"),
        sample("double[2,3,4]", "double[2,3,2]", "double: 0.1"),
        sample("double[4,3]", "double[4,1]", "double: 0.0", fast=False, has_gradient=False),
        sample("complex128[4,3]", "complex128[4,1]", "double: 0.5"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        matrix, rhs = (tensor.shape.with_rank_at_least(2) for tensor in op._inputs[:2])
        if matrix.sizes is None or rhs.sizes is None:
            return [unknown_shape()]
        TensorShape(matrix.sizes[-2:-1]).merge_with(TensorShape(rhs.sizes[-2:-1]))
        batch = TensorShape(matrix.sizes[:-2]).merge_with(TensorShape(rhs.sizes[:-2]))
        return [TensorShape([*(batch.sizes or ()), matrix.sizes[-1], rhs.sizes[-1]])]

    @staticmethod
    def run(xp: Any, matrix: Any, rhs: Any, l2_regularizer: Any, *, fast: bool) -> Any:
        check_matrix(matrix)
        if rhs.ndim != matrix.ndim or rhs.shape[:-1] != matrix.shape[:-1]:
            raise InvalidArgumentError(f"Input matrix and rhs are incompatible: {shown(matrix.shape)} vs. {shown(rhs.shape)}")
        if l2_regularizer < 0:
            raise InvalidArgumentError("l2_regularizer must be >= 0.")
        wide, right = widened(matrix), widened(rhs)
        if not fast:
            try:
                return (np.linalg.pinv(wide) @ right).astype(rhs.dtype)
            except np.linalg.LinAlgError:
                return np.full((*matrix.shape[:-2], matrix.shape[-1], rhs.shape[-1]), np.nan, rhs.dtype)
        rows, columns = matrix.shape[-2:]
        adjoint = np.conj(np.swapaxes(wide, -1, -2))
        extra = np.eye(min(rows, columns), dtype=wide.dtype) * wide.dtype.type(l2_regularizer)
        try:
            if rows >= columns:
                return np.linalg.solve(adjoint @ wide + extra, adjoint @ right).astype(rhs.dtype)
            return (adjoint @ np.linalg.solve(wide @ adjoint + extra, right)).astype(rhs.dtype)
        except np.linalg.LinAlgError:
            raise InvalidArgumentError("Input matrix was rank deficient or ill-conditioned. Try setting fast=False.") from None

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        if not op.attr("fast"):
            raise ValueError("Gradient not defined for fast=False")
        inner = op.inputs[0].shape[-2:]
        if inner.is_fully_defined():
            return _gradient_of_tall(op, grad) if inner[-2] >= inner[-1] else _gradient_of_wide(op, grad)
        sizes = shape_of(op.inputs[0])[-2:]
        found = cond(sizes[-2] >= sizes[-1], lambda: _gradient_of_tall(op, grad)[:2], lambda: _gradient_of_wide(op, grad)[:2])
        return [*found, None]


def _gramian_factor(matrix: Tensor, l2_regularizer: Any, *, is_tall: bool) -> Tensor:
    """The Cholesky factor of the smaller product of a matrix and its adjoint, regularised."""
    gramian = matmul(matrix, matrix, adjoint_a=is_tall, adjoint_b=not is_tall)
    if isinstance(l2_regularizer, Tensor) or l2_regularizer != 0:
        shape = shape_of(matrix)
        batch, axis = shape[:-2], -1 if is_tall else -2
        unit = eye(shape[axis], batch_shape=batch, dtype=matrix.dtype)
        side = matrix.shape[axis]
        unit.set_shape(matrix.shape[:-2].concatenate([side, side]))
        gramian = gramian + l2_regularizer * unit
    return apply("Cholesky", gramian)


def _gradient_of_tall(op: Operation, grad: Tensor) -> list[Tensor | None]:
    (matrix, rhs, penalty), found = op.inputs, op.outputs[0]
    factor = _gramian_factor(matrix, cast(penalty, matrix.dtype.base_dtype), is_tall=True)
    solved = cholesky_solve(factor, grad)
    product = matmul(found, solved, adjoint_b=True)
    symmetric = product + matrix_transpose(product)
    return [-matmul(matrix, symmetric) + matmul(rhs, solved, adjoint_b=True), matmul(matrix, solved), None]


def _gradient_of_wide(op: Operation, grad: Tensor) -> list[Tensor | None]:
    matrix, rhs, penalty = op.inputs
    factor = _gramian_factor(matrix, cast(penalty, matrix.dtype.base_dtype), is_tall=False)
    grad_rhs = cholesky_solve(factor, matmul(matrix, grad))
    solved = cholesky_solve(factor, rhs)
    first = -matmul(grad_rhs, matmul(solved, matrix, adjoint_a=True))
    second = matmul(solved, grad - matmul(matrix, grad_rhs, adjoint_a=True), adjoint_b=True)
    return [first + second, grad_rhs, None]


def matrix_solve_ls(matrix: Any, rhs: Any, l2_regularizer: Any = 0.0, fast: bool = True, name: str | None = None) -> Tensor:
    """The solutions of systems of linear equations by least squares (`tf.matrix_solve_ls`, `tf.linalg.lstsq`).

    Args:
        matrix: [..., m, n].
        rhs: [..., m, k].
        l2_regularizer: how much the squares of a solution count beside those of its errors.
        fast: by Cholesky's factors of the normal equations, rather than by an orthogonal decomposition, which takes ill-conditioned matrices.
        name: of the operation.

    Raises:
        NotImplementedError: `complex128` with `l2_regularizer`, as in TensorFlow.
    """
    matrix = convert_to_tensor(matrix, name="matrix")
    if matrix.dtype == complex128 and l2_regularizer != 0:
        raise NotImplementedError("matrix_solve_ls of complex128 takes no l2_regularizer: it would be too inaccurate")
    if not fast or _is_large(matrix):
        return apply("MatrixSolveLs", matrix, rhs, l2_regularizer, fast=fast, name=name)

    def of_tall() -> Tensor:
        factor = _gramian_factor(matrix, l2_regularizer, is_tall=True)
        return cholesky_solve(factor, matmul(matrix, rhs, adjoint_a=True))

    def of_wide() -> Tensor:
        factor = _gramian_factor(matrix, l2_regularizer, is_tall=False)
        return matmul(matrix, cholesky_solve(factor, rhs), adjoint_a=True)

    with name_scope(name, "matrix_solve_ls", [matrix, rhs, l2_regularizer]):
        inner = matrix.shape[-2:]
        if inner.is_fully_defined():
            return of_tall() if inner[-2] >= inner[-1] else of_wide()
        sizes = shape_of(matrix)[-2:]
        found: Tensor = cond(sizes[-2] >= sizes[-1], of_tall, of_wide)
        return found


lstsq = matrix_solve_ls


def _is_large(matrix: Tensor) -> bool:
    if not matrix.shape.is_fully_defined():
        return False
    sizes: Any = matrix.shape.as_list()
    *batch, rows, columns = sizes
    count = math.prod(batch)
    return bool(count * rows * columns * matrix.dtype.size > _CACHE_BYTES and count > min(rows, columns))


def matrix_rank(a: Any, tol: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """How many singular values of matrices are greater than `tol`, int32 (`tf.linalg.matrix_rank`).

    Raises:
        TypeError: they are not of a floating type.
        ValueError: a rank below 2.
    """
    with name_scope(name or "matrix_rank"):
        matrix = _checked(convert_to_tensor(a, dtype_hint=float32, name="a"), validate_args)
        values = svd(matrix, compute_uv=False)
        if tol is None:
            inner = matrix.shape[-2:]
            sides: Any = inner.as_list() if inner.is_fully_defined() else None
            most = np.int64(max(sides)) if sides else reduce_max(shape_of(matrix)[-2:])
            tol = np.finfo(matrix.dtype.numpy).eps * cast(most, matrix.dtype) * reduce_max(values, axis=-1, keepdims=True)
        return reduce_sum(cast(values > tol, int32), axis=-1)


def pinv(a: Any, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The pseudo-inverses of matrices, by their singular values (`tf.linalg.pinv`).

    Args:
        a: [..., m, n].
        rcond: the share of the greatest singular value up to which one counts as 0; by default 10 max(m, n) times the type's epsilon.
        validate_args: whether what is not known before running is checked then.
        name: of the scope.

    Raises:
        TypeError: they are not of a floating type.
        ValueError: a rank below 2.
    """
    with name_scope(name or "pinv"):
        matrix = _checked(convert_to_tensor(a, name="a"), validate_args)
        dtype = matrix.dtype.numpy
        if rcond is None:
            known = matrix.shape.as_list()[-2:] if matrix.shape.rank is not None else [None, None]
            sides: Any = [shape_of(matrix)[axis] if size is None else size for axis, size in zip((-2, -1), known, strict=True)]
            most: Any = cast(maximum(*sides), dtype) if None in known else float(max(sides))
            rcond = 10.0 * most * np.finfo(dtype).eps
        rcond = convert_to_tensor(rcond, dtype=dtype, name="rcond")
        values, left, right = svd(matrix, full_matrices=False, compute_uv=True)
        cutoff = rcond * reduce_max(values, axis=-1)
        values = where_v2(values > expand_dims(cutoff, -1), values, np.array(np.inf, dtype))
        found = matmul(right / expand_dims(values, -2), left, adjoint_b=True)
        if matrix.shape.rank is not None:
            found.set_shape(matrix.shape[:-2].concatenate([matrix.shape[-1], matrix.shape[-2]]))
        return found


def _checked(matrix: Tensor, is_checked: bool) -> Tensor:
    if not matrix.dtype.is_floating:
        raise TypeError(f"Input `a` must have `float`-like `dtype` (saw {matrix.dtype.name}).")
    if matrix.shape.rank is not None:
        if matrix.shape.rank < 2:
            raise ValueError(f"Input `a` must have at least 2 dimensions (saw: {matrix.shape.rank}).")
        return matrix
    if not is_checked:
        return matrix
    with matrix.graph.control_dependencies([assert_rank_at_least(matrix, rank=2, message="Input `a` must have at least 2 dimensions.")]):
        return identity(matrix)
