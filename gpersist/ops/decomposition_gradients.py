"""The gradients of decompositions by QR, by singular values and by eigenvalues.

(J. Townsend, Differentiating the Singular Value Decomposition, 2016; D. Roberts and L. Roberts, QR and LQ Decomposition Matrix Backpropagation
Algorithms, 2020; C. Boeddeker et al., On the Computation of Complex-valued Gradients, 2017.)
"""

from __future__ import annotations

from typing import Any

from gpersist.graph import Operation, Tensor, apply, apply_op
from gpersist.ops.arranging import matrix_transpose
from gpersist.ops.casting import cast
from gpersist.ops.complex_numbers import conj, real
from gpersist.ops.diagonal import eye
from gpersist.ops.filling import zeros_like
from gpersist.ops.joining import concat
from gpersist.ops.linear_algebra import adjoint, matrix_solve, matrix_triangular_solve
from gpersist.ops.matmul import matmul
from gpersist.ops.matrix_diagonal import matrix_band_part, matrix_diag, matrix_diag_part, matrix_set_diag
from gpersist.ops.shaping import expand_dims, shape_of
from gpersist.ops.unary import reciprocal, square


def of_qr(op: Operation, grad_q: Tensor, grad_r: Tensor) -> Tensor:
    """The gradient of `Qr`.

    Raises:
        NotImplementedError: the sizes of the matrices aren't known, or `q` has columns that no column of `r` belongs to.
    """
    q, r = op.outputs
    if r.shape.sizes is None or None in r.shape.sizes[-2:]:
        raise NotImplementedError(f"QrGrad not implemented with dynamic shapes. Received r.shape: {r.shape}")
    sizes: Any = r.shape.as_list()
    rows, columns = sizes[-2:]
    if rows > columns and q.shape[-2] == q.shape[-1]:
        raise NotImplementedError(
            f"QrGrad not implemented when nrows > ncols and full_matrices is true. Received r.shape={r.shape} with nrows={rows} and ncols={columns}."
        )
    height: Any = q.shape.as_list()[-2]
    if height >= columns:
        return _of_tall_qr(q, r, grad_q, grad_r)
    rest = op.inputs[0][..., :, height:]
    square_part = r[..., :, :height]
    grad_rest = grad_r[..., :, height:]
    grad_square = grad_r[..., :, :height]
    last = matmul(q, grad_rest)
    first = _of_tall_qr(q, square_part, grad_q + matmul(rest, grad_rest, adjoint_b=True), grad_square)
    return concat([first, last], axis=-1)


def _of_tall_qr(q: Tensor, r: Tensor, grad_q: Tensor, grad_r: Tensor) -> Tensor:
    product = matmul(q, grad_q, adjoint_a=True)
    skew = product - adjoint(product)
    other = matmul(r, grad_r, adjoint_b=True)
    other_skew = other - adjoint(other)
    lower = matrix_band_part(skew + other_skew, -1, 0)
    first = matmul(q, grad_r + _divided(lower, r))
    second = _divided(grad_q - matmul(q, product), r)
    found = first + second
    if q.dtype.is_complex:
        middle = other - adjoint(product)
        diagonal = matrix_set_diag(zeros_like(middle), matrix_diag_part(middle))
        correction = diagonal - cast(real(diagonal), q.dtype)
        found = found + _divided(matmul(q, adjoint(correction)), r)
    return found


def _divided(value: Tensor, upper: Tensor) -> Tensor:
    """A product with the adjoint of the inverse of a triangular matrix."""
    return adjoint(matrix_triangular_solve(upper, adjoint(value), lower=False, adjoint=False))


def of_eig(op: Operation, grad_e: Tensor, grad_v: Tensor) -> Tensor:
    """The gradient of `Eig`, of eigenvalues that are distinct."""
    values = op.outputs[0]
    with op.graph.control_dependencies([grad_e, grad_v]):
        if op.attr("compute_v"):
            vectors = op.outputs[1]
            own = adjoint(vectors)
            gaps = conj(_inverse_gaps(values, values))
            product = matmul(own, grad_v)
            middle = matrix_diag(grad_e)
            diagonal = matrix_diag(matrix_diag_part(cast(real(product), product.dtype)))
            middle = middle + gaps * (product - matmul(matmul(own, vectors), diagonal))
            found = matrix_solve(own, matmul(middle, own))
        else:
            (value,) = op.inputs
            vectors = apply_op("Eig", value, compute_v=True, Tout=values.dtype).outputs[1]
            own = adjoint(vectors)
            found = matrix_solve(own, matmul(matrix_diag(grad_e), own))
        kind = op.inputs[0].dtype
        return found if found.dtype is kind else apply("Cast", found, DstT=kind)  # quietly: imaginary parts go


def of_svd(op: Operation, grad_s: Tensor, grad_u: Tensor, grad_v: Tensor) -> Tensor:
    """The gradient of `Svd`.

    Raises:
        NotImplementedError: the sizes of the matrices aren't known, or there are two columns or more that no singular value belongs to.
    """
    (value,) = op.inputs
    known = value.shape.with_rank_at_least(2)
    grad_s = cast(grad_s, value.dtype)
    diagonal = matrix_diag(grad_s)
    if not op.attr("compute_uv"):
        _, u, v = apply_op("Svd", value, compute_uv=True, full_matrices=False).outputs
        found = matmul(u, matmul(diagonal, v, adjoint_b=True))
        found.set_shape(known)
        return found
    is_full = op.attr("full_matrices")
    sizes: Any = [None, None] if known.sizes is None else known.as_list()
    if None in sizes[-2:]:
        raise NotImplementedError("SVD gradient has not been implemented for input with unknown inner matrix shape.")
    rows, columns = sizes[-2:]
    s, u, v = op.outputs
    s = cast(s, value.dtype)
    is_tall = rows > columns
    if is_tall:
        rows, columns = columns, rows
        u, v, grad_u, grad_v = v, u, grad_v, grad_u
    with op.graph.control_dependencies([grad_s, grad_u, grad_v]):
        if is_full and columns - rows > 1:
            raise NotImplementedError(
                f"svd gradient is not implemented for abs(m - n) > 1 when full_matrices is True. Received: m={rows} and n={columns} from op "
                f"input={value} with shape={known}."
            )
        found = _of_wide_svd(value, (s, u, v), (diagonal, grad_u, grad_v), rows, columns, is_full=is_full)
        if is_tall:
            found = matrix_transpose(found, conjugate=True)
        found.set_shape(known)
        return found


def _of_wide_svd(value: Tensor, parts: Any, grads: Any, rows: int, columns: int, *, is_full: bool) -> Tensor:
    (s, u, v), (grad_diagonal, grad_u, grad_v) = parts, grads
    values = matrix_diag(s)
    squares = square(s)
    shape = shape_of(s)
    gaps = _inverse_gaps(squares, s)
    inverses = matrix_diag(_safe_reciprocal(s))
    first_v = v[..., :, :rows]
    first_grad_v = grad_v[..., :, :rows]
    of_u = matmul(u, grad_u, adjoint_a=True)
    of_v = matmul(first_v, first_grad_v, adjoint_a=True)
    scaled_u = gaps * of_u
    scaled_v = gaps * of_v
    inner = grad_diagonal + matmul(scaled_u + adjoint(scaled_u), values) + matmul(values, scaled_v + adjoint(scaled_v))
    found = matmul(u, matmul(inner, first_v, adjoint_b=True))
    if rows != columns:
        turned = matrix_transpose(first_grad_v, conjugate=True)
        product = matmul(turned, first_v)
        outer = turned - matmul(product, first_v, adjoint_b=True)
        if is_full:
            last_v = v[..., :, rows:columns]
            last_grad_v = grad_v[..., :, rows:columns]
            outer = outer - matmul(matmul(first_v, last_grad_v, adjoint_a=True), last_v, adjoint_b=True)
        found = found + matmul(matmul(u, inverses), outer)
    if value.dtype.is_complex:
        side = shape[-1]
        phases = eye(side, batch_shape=shape[:-1], dtype=value.dtype) * of_v
        middle = matmul(inverses, adjoint(phases) - phases)
        found = found + 0.5 * matmul(u, matmul(middle, first_v, adjoint_b=True))
    return found


def _inverse_gaps(values: Tensor, like: Tensor) -> Tensor:
    """1 / (the difference of two values) for each pair of them, 0 for one and itself."""
    return matrix_set_diag(_safe_reciprocal(expand_dims(values, -2) - expand_dims(values, -1)), zeros_like(like))


def _safe_reciprocal(value: Tensor) -> Tensor:
    return value * reciprocal(value * value + 1e-20)
