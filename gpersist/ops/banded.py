"""Systems of linear equations whose matrices have few diagonals, given as these; on the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, sample
from gpersist.ops.kernels import shown
from gpersist.ops.linear_algebra import MatrixTriangularSolve, check_matrix
from gpersist.ops.shape_functions import broadcast_shapes
from gpersist.shapes import TensorShape, unknown_shape

_TYPES = "T: {double, float, complex64, complex128}"


class TridiagonalSolve(OpType):
    """The solutions of systems with tridiagonal matrices, given as [.., 3, n]: above, on and below the diagonal."""

    inputs = "diagonals: T, rhs: T"
    outputs = "output: T"
    attrs = "partial_pivoting: bool = true, perturb_singular: bool = false, " + _TYPES
    is_host_only = True
    samples = (
        sample("double[2,3,4] in 1..3", "double[2,4,2]", has_gradient=False),
        sample("float[3,5] in 1..3", "float[5,1]", has_gradient=False),
        sample(np.array([[1.0, 1, 0], [5, 6, 7], [0, 2, 1]]), "double[3,2]", partial_pivoting=False, has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        left, right = (tensor.shape.with_rank_at_least(2) for tensor in op._inputs)
        if left.sizes is None or right.sizes is None:
            return [right]
        TensorShape(left.sizes[:-2]).merge_with(TensorShape(right.sizes[:-2]))
        TensorShape(left.sizes[-1:]).merge_with(TensorShape(right.sizes[-2:-1]))
        if left.sizes[-2] not in (None, 3):
            raise ValueError(f"Dimension must be 3 but is {left.sizes[-2]}")
        return [right]

    @staticmethod
    def run(xp: Any, diagonals: Any, rhs: Any, *, partial_pivoting: bool, perturb_singular: bool) -> Any:
        for value in (diagonals, rhs):
            check_matrix(value)
        if diagonals.shape[-2] != 3 or diagonals.shape[:-2] != rhs.shape[:-2] or diagonals.shape[-1] != rhs.shape[-2]:
            raise InvalidArgumentError(f"Expected diagonals and right-hand side to go together, got {shown(diagonals.shape)} and {shown(rhs.shape)}")
        above, middle, below = (diagonals[..., row, :] for row in range(3))
        count = middle.shape[-1]
        if not rhs.size:
            return rhs
        matrix = np.zeros((*middle.shape, count), middle.dtype)
        at = np.arange(count)
        matrix[..., at, at] = middle
        matrix[..., at[:-1], at[1:]] = above[..., :-1]
        matrix[..., at[1:], at[:-1]] = below[..., 1:]
        try:
            return np.linalg.solve(matrix, rhs)
        except np.linalg.LinAlgError:
            raise InvalidArgumentError("The first element of diagonal is zero, or the matrix is not invertible.") from None


class TridiagonalMatMul(OpType):
    """The products of tridiagonal matrices, given as three diagonals, and others."""

    inputs = "superdiag: T, maindiag: T, subdiag: T, rhs: T"
    outputs = "output: T"
    attrs = _TYPES
    samples = (
        sample("double[2,1,4]", "double[2,1,4]", "double[2,1,4]", "double[2,4,3]", has_gradient=False),
        sample("float[1,3]", "float[1,3]", "float[1,3]", "float[3,2]", has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        *diagonals, rhs = (tensor.shape.with_rank_at_least(2) for tensor in op._inputs)
        found = unknown_shape()
        for shape in diagonals:
            found = found.merge_with(shape)
        if found.sizes is None or rhs.sizes is None:
            return [rhs]
        TensorShape(found.sizes[:-2]).merge_with(TensorShape(rhs.sizes[:-2]))
        TensorShape(found.sizes[-1:]).merge_with(TensorShape(rhs.sizes[-2:-1]))
        TensorShape(found.sizes[-2:-1]).merge_with([1])
        return [rhs]

    @staticmethod
    def run(xp: Any, above: Any, middle: Any, below: Any, rhs: Any) -> Any:
        wanted = (*rhs.shape[:-2], 1, rhs.shape[-2]) if rhs.ndim >= 2 else ()
        for name, value in (("superdiagonal", above), ("maindiagonal", middle), ("subdiagonal", below)):
            if value.shape != wanted:
                raise InvalidArgumentError(f"{name} must have shape {shown(wanted)}, got {shown(value.shape)}")
        found = middle[..., 0, :, None] * rhs
        found[..., :-1, :] += above[..., 0, :-1, None] * rhs[..., 1:, :]
        found[..., 1:, :] += below[..., 0, 1:, None] * rhs[..., :-1, :]
        return found


class BandedTriangularSolve(OpType):
    """The solutions of systems with triangular matrices of few diagonals, given as [.., diagonals, n]."""

    inputs = "matrix: T, rhs: T"
    outputs = "output: T"
    attrs = "lower: bool = true, adjoint: bool = false, T: {double, float, half, complex64, complex128}"
    is_host_only = True
    samples = (
        sample("double[2,2,4] in 1..3", "double[2,4,3]", has_gradient=False),
        sample("double[2,4] in 1..3", "double[4,3]", lower=False, has_gradient=False),
        sample("float[3,4] in 1..3", "float[4,1]", adjoint=True, has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        matrix, rhs = (tensor.shape for tensor in op._inputs)
        if matrix.sizes is None or rhs.sizes is None:
            return [unknown_shape()]
        matrix, rhs = matrix.with_rank_at_least(2), rhs.with_rank_at_least(2)
        assert matrix.sizes is not None and rhs.sizes is not None
        batch = broadcast_shapes(TensorShape(matrix.sizes[:-2]), TensorShape(rhs.sizes[:-2]))
        rows = TensorShape(matrix.sizes[-1:]).merge_with(TensorShape(rhs.sizes[-2:-1]))
        return [TensorShape([*(batch.sizes or ()), *(rows.sizes or ()), rhs.sizes[-1]])]

    @staticmethod
    def run(xp: Any, matrix: Any, rhs: Any, *, lower: bool, adjoint: bool) -> Any:
        for value in (matrix, rhs):
            check_matrix(value)
        bands, count = matrix.shape[-2:]
        if rhs.shape[-2] != count:
            raise InvalidArgumentError(f"In[0] mismatch In[1] shape: {count} vs. {rhs.shape[-2]}: {shown(matrix.shape)} {shown(rhs.shape)}")
        if not 0 < bands <= count:
            raise InvalidArgumentError(f"Number of bands must be positive and at most the size of the matrix, got {bands} and {count}")
        if not matrix[..., 0 if lower else bands - 1, :].all():
            raise InvalidArgumentError("Input matrix is not invertible.")
        full = np.zeros((*matrix.shape[:-2], count, count), matrix.dtype)
        at = np.arange(count)
        for band in range(bands):
            if lower:
                full[..., at[band:], at[: count - band]] = matrix[..., band, band:]
            else:
                offset = bands - 1 - band
                full[..., at[: count - offset], at[offset:]] = matrix[..., band, : count - offset]
        return MatrixTriangularSolve.run(xp, full, rhs, lower=lower, adjoint=adjoint)
