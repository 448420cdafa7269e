"""Systems of linear equations whose matrices have few diagonals, given as these; on the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.dtypes import int32
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, apply_op, sample
from gpersist.ops.arranging import matrix_transpose
from gpersist.ops.complex_numbers import conj
from gpersist.ops.constants import constant
from gpersist.ops.filling import zeros
from gpersist.ops.joining import concat, stack
from gpersist.ops.kernels import shown
from gpersist.ops.linear_algebra import MatrixTriangularSolve, check_matrix
from gpersist.ops.matmul import matmul
from gpersist.ops.matrix_diagonal import matrix_diag_part
from gpersist.ops.padding import pad
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.shape_functions import broadcast_shapes
from gpersist.ops.shaping import expand_dims, rank, reshape, shape_of
from gpersist.shapes import TensorShape, unknown_shape

_TYPES = "T: {double, float, complex64, complex128}"


class TridiagonalSolve(OpType):
    """The solutions of systems with tridiagonal matrices, given as [.., 3, n]: above, on and below the diagonal."""

    inputs = "diagonals: T, rhs: T"
    outputs = "output: T"
    attrs = "partial_pivoting: bool = true, perturb_singular: bool = false, " + _TYPES
    is_host_only = True
    samples = (
        sample("double[2,3,4] in 1..3", "double[2,4,2]"),
        sample("float[3,5] in 1..3", "float[5,1]"),
        sample(np.array([[1.0, 1, 0], [5, 6, 7], [0, 2, 1]]), "double[3,2]", partial_pivoting=False),
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
        if not rhs.size:
            return rhs
        above, middle, below = np.moveaxis(diagonals, (-2, -1), (0, 1))
        found = _eliminated(above, middle, below, np.moveaxis(rhs, -2, 0), is_pivoted=partial_pivoting, is_perturbed=perturb_singular)
        return np.ascontiguousarray(np.moveaxis(found, 0, -2))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor]:
        diagonals, found = op.inputs[0], op.outputs[0]
        attrs = {name: op.attr(name) for name in ("partial_pivoting", "perturb_singular")}
        grad_rhs = apply("TridiagonalSolve", _transposed(diagonals), grad, **attrs)
        return [-_three_diagonals(grad_rhs, found), grad_rhs]


def _eliminated(above: Any, middle: Any, below: Any, rhs: Any, *, is_pivoted: bool, is_perturbed: bool) -> Any:
    """Gauss's elimination of many systems at a time, whose rows are the first axis."""
    count = len(middle)
    pivots, first = middle.copy(), np.concatenate([above[:-1], np.zeros_like(above[:1])])
    second, values = np.zeros_like(middle), rhs.copy()
    least = _least_pivot(above, middle, below) if is_perturbed else None
    with np.errstate(all="ignore"):
        for row in range(count - 1):
            low, following = below[row + 1], row + 1
            swaps = np.abs(pivots[row]) < np.abs(low) if is_pivoted else np.zeros(low.shape, bool)
            if least is not None:
                pivots[row] = _away_from_zero(pivots[row], least)
            _check_pivots(np.where(swaps, low, pivots[row]))
            factor = np.where(swaps, pivots[row] / low, low / pivots[row])
            after = first[following].copy()
            kept = pivots[row].copy(), first[row].copy(), values[row].copy()
            pivots[following] = np.where(swaps, kept[1] - factor * middle[following], middle[following] - factor * kept[1])
            first[row] = np.where(swaps, middle[following], kept[1])
            second[row] = np.where(swaps, after, 0)
            first[following] = np.where(swaps, -factor * after, after)
            pivots[row] = np.where(swaps, low, kept[0])
            swaps, factor = swaps[..., None], factor[..., None]
            values[row] = np.where(swaps, rhs[following], kept[2])
            values[following] = np.where(swaps, kept[2] - factor * rhs[following], rhs[following] - factor * kept[2])
        if least is not None:
            pivots[-1] = _away_from_zero(pivots[-1], least)
        _check_pivots(pivots[-1])
        for row in reversed(range(count)):
            for offset, factors in ((1, first), (2, second)):
                if row + offset < count:
                    values[row] -= factors[row][..., None] * values[row + offset]
            values[row] /= pivots[row][..., None]
    return values


def _check_pivots(pivots: Any) -> None:
    if not np.all(pivots != 0):
        raise InvalidArgumentError("The first element of diagonal is zero, or the matrix is not invertible.")


def _least_pivot(*diagonals: Any) -> Any:
    norms = np.max([np.abs(diagonal).max(0) for diagonal in diagonals], axis=0)
    return np.finfo(norms.dtype).eps * np.maximum(norms, np.finfo(norms.dtype).tiny)


def _away_from_zero(pivots: Any, least: Any) -> Any:
    return np.where(np.abs(pivots) < least, np.where(pivots.real < 0, -least, least), pivots)


def _transposed(diagonals: Tensor) -> Tensor:
    """The diagonals of the transposed matrices."""
    middle = diagonals[..., 1, :]
    if diagonals.shape.is_fully_defined():
        rest = zeros([*diagonals.shape.as_list()[:-2], 1], dtype=diagonals.dtype)
        above = concat((diagonals[..., 2, 1:], rest), axis=-1)
        below = concat((rest, diagonals[..., 0, :-1]), axis=-1)
    else:
        rest = zeros((rank(diagonals) - 2, 2), dtype=int32)
        after = concat((rest, constant([[0, 1]])), axis=0)
        above = pad(diagonals[..., 2, 1:], after)
        before = concat((rest, constant([[1, 0]])), axis=0)
        below = pad(diagonals[..., 0, :-1], before)
    return stack([above, middle, below], axis=-2)


def _three_diagonals(left: Tensor, right: Tensor) -> Tensor:
    """Those of the product of a matrix and another that is given transposed."""
    middle = reduce_sum(left * right, axis=-1)
    if right.shape.is_fully_defined():
        sizes = left.shape.as_list()
        rest = zeros([*sizes[:-2], 1, sizes[-1]], dtype=left.dtype)
        above = reduce_sum(left * concat((right[..., 1:, :], rest), axis=-2), axis=-1)
        below = reduce_sum(left * concat((rest, right[..., :-1, :]), axis=-2), axis=-1)
    else:
        rest = zeros((rank(right) - 2, 2), dtype=int32)
        after = concat((rest, constant([[0, 1], [0, 0]])), axis=0)
        above = reduce_sum(left * pad(right[..., 1:, :], after), axis=-1)
        before = concat((rest, constant([[1, 0], [0, 0]])), axis=0)
        below = reduce_sum(left * pad(right[..., :-1, :], before), axis=-1)
    return stack([above, middle, below], axis=-2)


class TridiagonalMatMul(OpType):
    """The products of tridiagonal matrices, given as three diagonals, and others."""

    inputs = "superdiag: T, maindiag: T, subdiag: T, rhs: T"
    outputs = "output: T"
    attrs = _TYPES
    samples = (
        sample("double[2,1,4]", "double[2,1,4]", "double[2,1,4]", "double[2,4,3]"),
        sample("float[1,3]", "float[1,3]", "float[1,3]", "float[3,2]"),
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

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor]:
        above, middle, below = (matrix_transpose(tensor, conjugate=True) for tensor in op.inputs[:3])
        rhs = conj(op.inputs[3])
        grads = [
            reduce_sum(_moved(rhs, 1) * grad, axis=-1),
            reduce_sum(rhs * grad, axis=-1),
            reduce_sum(_moved(rhs, -1) * grad, axis=-1),
        ]
        grad_rhs = _moved(above * grad, -1) + middle * grad + _moved(below * grad, 1)
        return [*(expand_dims(each, -2) for each in grads), grad_rhs]


def _moved(value: Tensor, by: int) -> Tensor:
    """The rows moved up (1) or down (-1), with a row of zeros in the place of the one that goes."""
    rest = zeros((rank(value) - 2, 2), dtype=int32)
    paddings = concat([rest, constant([[0, 1], [0, 0]] if by > 0 else [[1, 0], [0, 0]])], axis=0)
    return pad(value[..., 1:, :] if by > 0 else value[..., :-1, :], paddings)


class BandedTriangularSolve(OpType):
    """The solutions of systems with triangular matrices of few diagonals, given as [.., diagonals, n]."""

    inputs = "matrix: T, rhs: T"
    outputs = "output: T"
    attrs = "lower: bool = true, adjoint: bool = false, T: {double, float, half, complex64, complex128}"
    is_host_only = True
    samples = (
        sample("double[2,2,4] in 1..3", "double[2,4,3]"),
        sample("double[2,4] in 1..3", "double[4,3]", lower=False),
        sample("float[3,4] in 1..3", "float[4,1]", adjoint=True),
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

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor]:
        (matrix, rhs), found = op.inputs, op.outputs[0]
        bands = shape_of(matrix)[-2]
        is_adjoint, is_lower = op.attr("adjoint"), op.attr("lower")
        grad_rhs = apply("BandedTriangularSolve", matrix, grad, lower=is_lower, adjoint=not is_adjoint)
        product = -matmul(found, grad_rhs, adjoint_b=True) if is_adjoint else -matmul(grad_rhs, found, adjoint_b=True)
        places = (-(bands - 1), 0) if is_lower else (0, bands - 1)
        grad_matrix = matrix_diag_part(product, k=places, align="LEFT_RIGHT")
        if matrix.shape.is_fully_defined() and rhs.shape.is_fully_defined() and matrix.shape[:-2] == rhs.shape[:-2]:
            return [grad_matrix, grad_rhs]
        shapes = shape_of(matrix), shape_of(rhs)
        axes = apply_op("BroadcastGradientArgs", shapes[0][:-2], shapes[1][:-2]).outputs
        pairs = zip((grad_matrix, grad_rhs), axes, shapes, strict=True)
        return [reshape(reduce_sum(part, axis=axis), shape) for part, axis, shape in pairs]
