"""Matrices taken apart by LU, and functions of matrices; on the host, as all that LAPACK does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, sample
from gpersist.ops.arithmetic import add, subtract
from gpersist.ops.arranging import matrix_transpose, tile
from gpersist.ops.diagonal import eye
from gpersist.ops.indexing import slice
from gpersist.ops.joining import concat
from gpersist.ops.linear_algebra import GENERAL, LAPACK_TYPES, POSITIVE, SquareMatrices, check_square, matrix_solve, square_shape, widened
from gpersist.ops.named_outputs import named_outputs
from gpersist.ops.reductions import reduce_prod
from gpersist.ops.shaping import reshape, shape_of, size
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["logm", "lu", "sqrtm"]


class Lu(OpType):
    """The factors of matrices whose rows are permuted: a lower triangular one of unit diagonal, and an upper one, in one matrix."""

    inputs = "input: T"
    outputs = "lu: T, p: output_idx_type"
    attrs = LAPACK_TYPES + ", output_idx_type: {int32, int64} = int32"
    is_host_only = True
    samples = (
        sample(POSITIVE, has_gradient=False),
        sample(GENERAL[::-1].astype(np.float32), has_gradient=False),
        sample("double[2,4,4]", output_idx_type="int64", has_gradient=False),
        sample("complex64[3,3]", has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        square = square_shape(op._inputs[0].shape)
        return [square, unknown_shape() if square.sizes is None else TensorShape(square.sizes[:-1])]

    @staticmethod
    def run(xp: Any, value: Any, *, output_idx_type: Any) -> list[Any]:
        check_square(value)
        count = value.shape[-1]
        work = widened(value).reshape(math.prod(value.shape[:-2]), count, count).copy()
        order = np.tile(np.arange(count), (len(work), 1))
        rows = np.arange(len(work))
        for column in range(count):
            pivot = column + np.abs(work[:, column:, column]).argmax(1) if len(work) else rows
            for each in (work, order):
                each[rows, column], each[rows, pivot] = each[rows, pivot].copy(), each[rows, column].copy()
            diagonal = work[:, column, column]
            if not (np.abs(diagonal) > 0).all():
                raise InvalidArgumentError("Input is not invertible.")
            work[:, column + 1 :, column] /= diagonal[:, None]
            work[:, column + 1 :, column + 1 :] -= work[:, column + 1 :, column, None] * work[:, column, None, column + 1 :]
        return [work.reshape(value.shape).astype(value.dtype), order.reshape(value.shape[:-1]).astype(output_idx_type.numpy)]


class MatrixExponential(SquareMatrices):
    """The exponentials of matrices."""

    attrs = LAPACK_TYPES
    samples = (sample(POSITIVE), sample(GENERAL.astype(np.float32)), sample("complex128[2,3,3]"), sample("float[0,3,3]"))

    @staticmethod
    def run(xp: Any, value: Any) -> Any:
        """By a Pade approximation of degree 13, of the matrix halved until it is small."""
        check_square(value)
        if not value.size:
            return value
        wide = _double(value)
        norm = np.abs(wide).sum(-2).max()
        halvings = max(0, math.ceil(math.log2(norm / 4))) if norm > 4 and np.isfinite(norm) else 0
        small = wide / 2.0**halvings
        identity = np.eye(value.shape[-1])
        even: Any = 0
        odd: Any = 0
        power, factor = np.broadcast_to(identity, wide.shape), 1.0
        for k in range(14):
            if k % 2:
                odd = odd + factor * power
            else:
                even = even + factor * power
            power = power @ small
            factor *= (13 - k) / ((26 - k) * (k + 1))
        found = np.linalg.solve(even - odd, even + odd)
        for _ in range(halvings):
            found = found @ found
        return found.astype(value.dtype)


class MatrixSquareRoot(SquareMatrices):
    """The principal square roots of matrices."""

    attrs = LAPACK_TYPES
    samples = (sample(POSITIVE), sample(GENERAL.astype(np.float32)), sample(GENERAL), sample("float[0,3,3]"))

    @staticmethod
    def run(xp: Any, value: Any) -> Any:
        check_square(value)
        if not value.size:
            return value
        wide = _double(value)
        root = _square_root(wide)
        if value.dtype.kind != "c":  # a negative eigenvalue has no real root
            eigenvalues = np.linalg.eigvals(np.where(np.isfinite(wide), wide, 0))
            root[((eigenvalues.real < 0) & (eigenvalues.imag == 0)).any(-1)] = np.nan
        return root.astype(value.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        """Solves Sylvester's equation for it, which is a system of n^2 linear ones."""
        root = op.outputs[0]
        shape = shape_of(root)
        order = shape[-1]
        count = reduce_prod(shape[0:-2])
        identity = reshape(tile(reshape(eye(order, dtype=root.dtype), [-1]), [count]), shape)
        equations = add(_kronecker(identity, matrix_transpose(root)), _kronecker(root, identity))
        batch = slice(shape, [0], [subtract(size(shape), 2)])
        rows = concat([batch, [order * order], [1]], 0)
        found = matrix_solve(equations, reshape(matrix_transpose(grad), rows))
        return matrix_transpose(reshape(found, shape))


class MatrixLogarithm(SquareMatrices):
    """The principal logarithms of matrices."""

    attrs = "T: {complex64, complex128}"
    samples = (sample(POSITIVE.astype(np.complex128)), sample(GENERAL.astype(np.complex64)))

    @staticmethod
    def run(xp: Any, value: Any) -> Any:
        """By Gauss's quadrature of the integral that it is, of a root that is near one."""
        check_square(value)
        if not value.size:
            return value
        root, identity = _double(value), np.eye(value.shape[-1])
        count = 0
        while np.abs(root - identity).sum(-2).max() > 0.25 and count < 60:
            root, count = _square_root(root), count + 1
        rest = root - identity
        nodes, weights = np.polynomial.legendre.leggauss(16)
        found: Any = sum(weight / 2 * np.linalg.solve(identity + (node + 1) / 2 * rest, rest) for node, weight in zip(nodes, weights, strict=True))
        return (found * 2.0**count).astype(value.dtype)


def _kronecker(left: Tensor, right: Tensor) -> Tensor:
    shapes = shape_of(left), shape_of(right)
    orders = [shape[-1] for shape in shapes]
    batch = slice(shapes[0], [0], [subtract(size(shapes[0]), 2)])
    spread = concat([batch, [orders[0]], [1], [orders[0]], [1]], 0), concat([batch, [1], [orders[1]], [1], [orders[1]]], 0)
    values = [reshape(value, shape) for value, shape in zip((left, right), spread, strict=True)]
    order = orders[0] * orders[1]
    whole = concat([batch, [order], [order]], 0)
    return reshape(values[0] * values[1], whole)


def _double(value: Any) -> Any:
    return value.astype(np.complex128 if value.dtype.kind == "c" else np.float64)


def _square_root(value: Any) -> Any:
    """By Denman's and Beavers' iteration."""
    root, inverse = value, np.broadcast_to(np.eye(value.shape[-1]), value.shape)
    for _ in range(100):
        with np.errstate(all="ignore"):
            try:
                following = (root + np.linalg.inv(inverse)) / 2, (inverse + np.linalg.inv(root)) / 2
            except np.linalg.LinAlgError:
                return _root_of_singular(value)
        moved = np.abs(following[0] - root).max()
        root, inverse = following
        if not moved > 1e-15 * np.abs(root).max():
            break
    return root


def _root_of_singular(value: Any) -> Any:
    """By eigenvectors, where these are a basis."""
    values, vectors = np.linalg.eig(value)
    try:
        found = (vectors * np.sqrt(values.astype(np.complex128))[..., None, :]) @ np.linalg.inv(vectors)
    except np.linalg.LinAlgError:
        return np.full(value.shape, np.nan, value.dtype)
    return found if value.dtype.kind == "c" else found.real


def lu(input: Any, output_idx_type: Any = "int32", name: str | None = None) -> Any:  # TensorFlow's name
    """The LU factors of matrices in one, and the permutations of their rows (`tf.linalg.lu`)."""
    return named_outputs("Lu", input, output_idx_type=output_idx_type, name=name)


def sqrtm(input: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """The principal square roots of matrices (`tf.linalg.sqrtm`)."""
    return apply("MatrixSquareRoot", input, name=name)


def logm(input: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """The principal logarithms of complex matrices (`tf.linalg.logm`)."""
    return apply("MatrixLogarithm", input, name=name)
