"""Matrices taken apart by LAPACK: Cholesky, QR, singular values, eigenvalues."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType, as_dtype, complex64, complex128
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, apply_op, name_scope, sample
from gpersist.ops import decomposition_gradients
from gpersist.ops.complex_numbers import real
from gpersist.ops.diagonal import eye
from gpersist.ops.filling import zeros_like
from gpersist.ops.kernels import shown
from gpersist.ops.linear_algebra import (
    GENERAL,
    LAPACK_TYPES,
    POSITIVE,
    SquareMatrices,
    adjoint,
    builder,
    check_matrix,
    check_square,
    matrix_triangular_solve,
    square_shape,
    widened,
)
from gpersist.ops.matmul import matmul
from gpersist.ops.matrix_diagonal import matrix_band_part, matrix_diag, matrix_diag_part, matrix_set_diag
from gpersist.ops.named_outputs import named_outputs
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.shaping import expand_dims, shape_of
from gpersist.ops.unary import log, reciprocal
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["cholesky", "eigh", "eigvalsh", "logdet", "qr", "self_adjoint_eig", "self_adjoint_eigvals", "svd"]


class Cholesky(SquareMatrices):
    """The lower triangular matrix whose product with its adjoint is the input, of which the lower triangle is read; NaN where there is none."""

    attrs = LAPACK_TYPES
    samples = (sample(POSITIVE, has_gradient=False), sample("float[0,3,3]", has_gradient=False))

    @staticmethod
    def run(xp: Any, value: Array) -> Array:
        check_square(value)
        wide = widened(value)
        try:
            return np.linalg.cholesky(wide).astype(value.dtype)
        except np.linalg.LinAlgError:
            return np.reshape([_cholesky_or_nan(one) for one in wide.reshape(-1, *wide.shape[-2:])], wide.shape).astype(value.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        lower = op.outputs[0]
        rows = shape_of(lower)[-1]
        batch = shape_of(lower)[:-2]
        inverse = matrix_triangular_solve(lower, eye(rows, batch_shape=batch, dtype=lower.dtype))
        middle = matmul(lower, grad, adjoint_a=True)
        middle = matrix_band_part(matrix_set_diag(middle, 0.5 * matrix_diag_part(middle)), -1, 0)
        found = matmul(matmul(inverse, middle, adjoint_a=True), inverse)
        return (found + adjoint(found)) * 0.5


class CholeskyGrad(OpType):
    """The gradient of `Cholesky`, given what it gave."""

    inputs = "l: T, grad: T"
    outputs = "output: T"
    attrs = "T: {half, float, double}"
    is_host_only = True
    samples = (sample(np.linalg.cholesky(POSITIVE), "double[2,3,3]"), sample("float[0,3,3]", "float[0,3,3]"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [square_shape(op._inputs[0].shape)]

    @staticmethod
    def run(xp: Any, lower: Array, grad: Array) -> Array:
        check_square(lower)
        if lower.shape != grad.shape:
            raise InvalidArgumentError(f"The factor and its gradient must be of one shape: {shown(lower.shape)} vs. {shown(grad.shape)}")
        wide, given = widened(np.tril(lower)), widened(np.tril(grad))
        transposed = np.swapaxes(wide, -1, -2)
        middle = np.tril(transposed @ given)
        at = np.arange(lower.shape[-1])
        middle[..., at, at] /= 2
        solved = np.linalg.solve(transposed, middle)
        found = np.swapaxes(np.linalg.solve(transposed, np.swapaxes(solved, -1, -2)), -1, -2)
        return ((found + np.swapaxes(found, -1, -2)) / 2).astype(lower.dtype)


class Eig(OpType):
    """Eigenvalues of matrices, in no order, and the vectors that belong to them."""

    inputs = "input: T"
    outputs = "e: Tout, v: Tout"
    attrs = "compute_v: bool = true, T: {float, double, complex64, complex128}, Tout: {complex64, complex128}"
    is_host_only = True
    gradient = staticmethod(decomposition_gradients.of_eig)
    samples = (
        sample(POSITIVE, Tout=complex128, has_gradient=False),
        sample(GENERAL, Tout=complex128, has_gradient=False),
        sample(GENERAL.astype(np.float32), compute_v=False, Tout=complex64, has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        square = square_shape(op._inputs[0].shape)
        vectors = square if op.attr("compute_v") else TensorShape([0])
        return [unknown_shape() if square.sizes is None else TensorShape(square.sizes[:-1]), vectors]

    @staticmethod
    def run(xp: Any, value: Array, *, compute_v: bool, Tout: DType) -> list[Array]:  # noqa: N803  # TensorFlow's name
        check_square(value)
        wanted = as_dtype(np.result_type(value.dtype, np.complex64))
        if Tout is not wanted:
            raise InvalidArgumentError(f"Invalid output dtype {Tout.enum} vs {wanted.enum}: of {value.dtype} they are {wanted.name}")
        if not np.isfinite(value).all():
            raise InvalidArgumentError("Eigen decomposition was not successful. The input might not be valid.")
        if not compute_v:
            return [np.linalg.eigvals(value).astype(Tout.numpy), np.zeros(0, Tout.numpy)]
        return [part.astype(Tout.numpy) for part in np.linalg.eig(value)]


class Qr(OpType):
    """Orthogonal matrices and upper triangular ones, whose product is the input."""

    inputs = "input: T"
    outputs = "q: T, r: T"
    attrs = "full_matrices: bool = false, " + LAPACK_TYPES
    samples = (sample("double[2,4,3]"), sample("float[4,3]", full_matrices=True, has_gradient=False), sample("float[2,3]"), sample("double[3,3]"))
    is_host_only = True
    gradient = staticmethod(decomposition_gradients.of_qr)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return _two_factors(op, op.attr("full_matrices"))

    @staticmethod
    def run(xp: Any, value: Array, *, full_matrices: bool) -> list[Array]:
        check_matrix(value)
        return [part.astype(value.dtype) for part in np.linalg.qr(widened(value), "complete" if full_matrices else "reduced")]


class Svd(OpType):
    """Singular values, the largest first, and the vectors that belong to them."""

    inputs = "input: T"
    outputs = "s: T, u: T, v: T"
    attrs = "compute_uv: bool = true, full_matrices: bool = false, " + LAPACK_TYPES
    samples = (sample("double[2,4,3]"), sample("double[4,3]", full_matrices=True), sample("double[2,3]"), sample("float[2,3]", compute_uv=False))
    is_host_only = True
    gradient = staticmethod(decomposition_gradients.of_svd)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        sizes = op._inputs[0].shape.with_rank_at_least(2).sizes
        if sizes is None:
            return [unknown_shape(), *[unknown_shape() if op.attr("compute_uv") else TensorShape([0])] * 2]
        rows, columns = sizes[-2:]
        least = None if None in (rows, columns) else min(rows or 0, columns or 0)
        values = TensorShape([*sizes[:-2], least])
        if not op.attr("compute_uv"):
            return [values, TensorShape([0]), TensorShape([0])]
        widths = (rows, columns) if op.attr("full_matrices") else (least, least)
        return [values, TensorShape([*sizes[:-2], rows, widths[0]]), TensorShape([*sizes[:-2], columns, widths[1]])]

    @staticmethod
    def run(xp: Any, value: Array, *, compute_uv: bool, full_matrices: bool) -> list[Array]:
        check_matrix(value)
        if not compute_uv:
            empty = np.zeros(0, value.dtype)
            return [np.linalg.svd(widened(value), compute_uv=False).astype(value.dtype), empty, empty]
        u, s, v = np.linalg.svd(widened(value), full_matrices)
        return [part.astype(value.dtype) for part in (s, u, np.conj(np.swapaxes(v, -1, -2)))]


class SelfAdjointEigV2(OpType):
    """Eigenvalues of matrices that are their own adjoint, the least first, and the vectors that belong to them; the lower triangle is read."""

    inputs = "input: T"
    outputs = "e: T, v: T"
    attrs = "compute_v: bool = true, " + LAPACK_TYPES
    samples = (sample(POSITIVE, has_gradient=False), sample(GENERAL.astype(np.float32), compute_v=False, has_gradient=False))
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        square = square_shape(op._inputs[0].shape)
        vectors = square if op.attr("compute_v") else TensorShape([0])
        return [unknown_shape() if square.sizes is None else TensorShape(square.sizes[:-1]), vectors]

    @staticmethod
    def run(xp: Any, value: Array, *, compute_v: bool) -> list[Array]:
        check_square(value)
        if not compute_v:
            return [np.linalg.eigvalsh(widened(value)).astype(value.dtype), np.zeros(0, value.dtype)]
        return [part.astype(value.dtype) for part in np.linalg.eigh(widened(value))]

    @staticmethod
    def gradient(op: Operation, grad_e: Tensor, grad_v: Tensor) -> Tensor:
        values = op.outputs[0]
        with op.graph.control_dependencies([grad_e, grad_v]):
            if op.attr("compute_v"):
                vectors = op.outputs[1]
                gaps = expand_dims(values, -2) - expand_dims(values, -1)
                inverse_gaps = matrix_set_diag(gaps * reciprocal(gaps * gaps + 1e-20), zeros_like(values))
                inner = matrix_diag(grad_e) + inverse_gaps * matmul(vectors, grad_v, adjoint_a=True)
            else:
                vectors = self_adjoint_eig(op.inputs[0])[1]
                inner = matrix_diag(grad_e)
            found = matmul(vectors, matmul(inner, vectors, adjoint_b=True))
            found = matrix_band_part(found + adjoint(found), -1, 0)
            return matrix_set_diag(found, 0.5 * matrix_diag_part(found))


def _cholesky_or_nan(matrix: Any) -> Any:
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return np.full_like(matrix, np.nan)


def _two_factors(op: Operation, is_full: bool) -> list[TensorShape]:
    sizes = op._inputs[0].shape.with_rank_at_least(2).sizes
    if sizes is None:
        return [unknown_shape()] * 2
    rows, columns = sizes[-2:]
    middle = rows if is_full else None if None in (rows, columns) else min(rows or 0, columns or 0)
    return [TensorShape([*sizes[:-2], rows, middle]), TensorShape([*sizes[:-2], middle, columns])]


cholesky = builder("cholesky", "Cholesky", "The lower triangular matrices whose products with their adjoints are the input")


def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> Any:  # TensorFlow's name
    """Orthogonal matrices and upper triangular ones, whose product is the input (`tf.qr`)."""
    return named_outputs("Qr", input, full_matrices=full_matrices, name=name)


def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None) -> Any:
    """Singular values, the largest first; with `compute_uv` a tuple of them and of the vectors that belong to them (`tf.svd`)."""
    s, u, v = apply_op("Svd", tensor, compute_uv=compute_uv, full_matrices=full_matrices, name=name).outputs
    return (s, u, v) if compute_uv else s


def self_adjoint_eig(tensor: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Eigenvalues of matrices that are their own adjoint, the least first, and the vectors that belong to them (`tf.self_adjoint_eig`)."""
    values, vectors = apply_op("SelfAdjointEigV2", tensor, compute_v=True, name=name).outputs
    return values, vectors


def self_adjoint_eigvals(tensor: Any, name: str | None = None) -> Tensor:
    """Eigenvalues of matrices that are their own adjoint, the least first (`tf.self_adjoint_eigvals`)."""
    return apply("SelfAdjointEigV2", tensor, compute_v=False, name=name)


eigh = self_adjoint_eig


eigvalsh = self_adjoint_eigvals


def logdet(matrix: Any, name: str | None = None) -> Tensor:
    """The logarithms of the determinants of positive definite matrices (`tf.linalg.logdet`)."""
    with name_scope(name, "logdet", [matrix]):
        factor = cholesky(matrix)
        return 2.0 * reduce_sum(log(real(matrix_diag_part(factor))), axis=[-1])
