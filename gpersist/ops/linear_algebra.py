"""Matrices inverted, solved and taken apart, one or many; norms and traces (`tf.linalg`).

What LAPACK does runs on the host, wherever the operation is placed: the matrices of models are small, and CuPy's answers to singular ones differ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import FailedPreconditionError, InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, apply_op, convert_to_tensor, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.arithmetic import pow
from gpersist.ops.arranging import matrix_transpose
from gpersist.ops.builders import renamed_argument
from gpersist.ops.casting import cast
from gpersist.ops.complex_numbers import conj
from gpersist.ops.diagonal import eye
from gpersist.ops.joining import concat
from gpersist.ops.kernels import shown
from gpersist.ops.matmul import matmul, matvec
from gpersist.ops.matrix_diagonal import matrix_band_part, matrix_diag_part
from gpersist.ops.named_outputs import named_outputs
from gpersist.ops.reductions import reduce_max, reduce_sum
from gpersist.ops.shaping import reshape, shape_of, squeeze
from gpersist.ops.unary import abs, sqrt
from gpersist.shapes import TensorShape, unknown_shape

__all__ = [
    "adjoint",
    "cholesky_solve",
    "cross",
    "det",
    "eye",
    "inv",
    "matmul",
    "matrix_determinant",
    "matrix_inverse",
    "matrix_solve",
    "matrix_triangular_solve",
    "matvec",
    "norm",
    "normalize",
    "slogdet",
    "solve",
    "trace",
    "triangular_solve",
]

LAPACK_TYPES = "T: {double, float, half, complex64, complex128}"


POSITIVE: Any = np.array([[[4.0, 2.0, 0.6], [2.0, 3.0, 0.4], [0.6, 0.4, 2.0]], [[2.0, 0.3, 0.1], [0.3, 1.5, 0.2], [0.1, 0.2, 1.0]]])


GENERAL: Any = np.array([[1.0, 2.0, 0.5], [-1.0, 3.0, 0.2], [0.4, 0.3, 2.0]])


class SquareMatrices(OpType, abstract=True):
    """Something of square matrices of one shape as they are."""

    inputs = "input: T"
    outputs = "output: T"
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [square_shape(op._inputs[0].shape)]


class MatrixInverse(SquareMatrices):
    """The inverse matrices, of the adjoint ones where wanted."""

    attrs = "adjoint: bool = false, " + LAPACK_TYPES
    samples = (sample(POSITIVE), sample(GENERAL.astype(np.float32), adjoint=True), sample("float[0,3,3]"))

    @staticmethod
    def run(xp: Any, value: Array, *, adjoint: bool) -> Array:
        check_square(value)
        try:
            found = np.linalg.inv(widened(value))
        except np.linalg.LinAlgError:
            raise InvalidArgumentError("Input is not invertible.") from None
        return np.conj(np.swapaxes(found, -1, -2)).astype(value.dtype) if adjoint else found.astype(value.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        inverse, is_adjoint = op.outputs[0], op.attr("adjoint")
        inner = matmul(grad, inverse, adjoint_a=is_adjoint, adjoint_b=not is_adjoint)
        return -matmul(inverse, inner, adjoint_a=not is_adjoint)


class MatrixDeterminant(OpType):
    """The determinants."""

    inputs = "input: T"
    outputs = "output: T"
    attrs = "T: {half, float, double, complex64, complex128}"
    samples = (sample(POSITIVE), sample(GENERAL.astype(np.float32)), sample("float[2,0,0]"))
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [_batch(square_shape(op._inputs[0].shape))]

    @staticmethod
    def run(xp: Any, value: Array) -> Array:
        check_square(value)
        return np.asarray(np.linalg.det(widened(value))).astype(value.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        inverse = matrix_inverse(op.inputs[0], adjoint=True)
        return _scaled(grad * op.outputs[0], op.outputs[0]) * inverse


class LogMatrixDeterminant(OpType):
    """The signs of the determinants and the logarithms of their magnitudes."""

    inputs = "input: T"
    outputs = "sign: T, log_abs_determinant: T"
    attrs = "T: {half, float, double, complex64, complex128}"
    samples = (sample(POSITIVE), sample(GENERAL.astype(np.float32)))
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [_batch(square_shape(op._inputs[0].shape))] * 2

    @staticmethod
    def run(xp: Any, value: Array) -> list[Array]:
        check_square(value)
        return [np.asarray(part).astype(value.dtype) for part in np.linalg.slogdet(widened(value))]

    @staticmethod
    def gradient(op: Operation, _: Tensor, grad: Tensor) -> Tensor:
        inverse = matrix_inverse(op.inputs[0], adjoint=True)
        return _scaled(grad, op.outputs[1]) * inverse


class MatrixSolve(OpType):
    """The solutions of systems of linear equations."""

    inputs = "matrix: T, rhs: T"
    outputs = "output: T"
    attrs = "adjoint: bool = false, " + LAPACK_TYPES
    samples = (sample(POSITIVE, "double[2,3,2]"), sample(GENERAL, "double[3,1]", adjoint=True), sample("float[0,3,3]", "float[0,3,2]"))
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return _solution(op)

    @staticmethod
    def run(xp: Any, matrix: Array, rhs: Array, *, adjoint: bool) -> Array:
        check_square(matrix)
        _check_right_side(matrix, rhs)
        if matrix.shape[:-2] != rhs.shape[:-2]:
            raise InvalidArgumentError(f"All input tensors must have the same outer dimensions: {shown(matrix.shape)} vs. {shown(rhs.shape)}")
        wide = widened(matrix)
        try:
            return np.linalg.solve(np.conj(np.swapaxes(wide, -1, -2)) if adjoint else wide, widened(rhs)).astype(rhs.dtype)
        except np.linalg.LinAlgError:
            raise InvalidArgumentError("Input matrix is not invertible.") from None

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        (matrix, _), found, is_adjoint = op.inputs, op.outputs[0], op.attr("adjoint")
        grad_rhs = matrix_solve(matrix, grad, adjoint=not is_adjoint)
        return [-matmul(found, grad_rhs, adjoint_b=True) if is_adjoint else -matmul(grad_rhs, found, adjoint_b=True), grad_rhs]


class MatrixTriangularSolve(OpType):
    """The solutions of systems of linear equations with triangular matrices, of whose other triangle nothing is read."""

    inputs = "matrix: T, rhs: T"
    outputs = "output: T"
    attrs = "lower: bool = true, adjoint: bool = false, T: {bfloat16, double, float, half, complex64, complex128}"
    samples = (
        sample(POSITIVE, "double[2,3,2]"),
        sample(GENERAL, "double[3,1]", adjoint=True),
        sample(GENERAL, "double[3,1]", lower=False),
        sample(POSITIVE, "double[3,2]", lower=False, adjoint=True),
    )
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        matrix, rhs = op._inputs[0].shape, op._inputs[1].shape
        square = square_shape(matrix)
        if square.sizes is None or rhs.sizes is None:
            return [unknown_shape()]
        batch = shape_functions.broadcast_shapes(_batch(square), TensorShape(rhs.sizes[:-2]))
        rows = TensorShape(square.sizes[-1:]).merge_with(TensorShape(rhs.sizes[-2:-1]))
        return [TensorShape([*(batch.sizes or ()), *(rows.sizes or ()), rhs.sizes[-1]])]

    @staticmethod
    def run(xp: Any, matrix: Array, rhs: Array, *, lower: bool, adjoint: bool) -> Array:
        check_square(matrix)
        _check_right_side(matrix, rhs)
        wide, right = widened(matrix), widened(rhs)
        if adjoint:
            wide, lower = np.conj(np.swapaxes(wide, -1, -2)), not lower
        batch = np.broadcast_shapes(wide.shape[:-2], right.shape[:-2])
        found = np.empty((*batch, *right.shape[-2:]), right.dtype)
        count = wide.shape[-1]
        for row in range(count) if lower else reversed(range(count)):
            known = slice(0, row) if lower else slice(row + 1, count)
            rest = right[..., row, :] - (wide[..., row : row + 1, known] @ found[..., known, :])[..., 0, :]
            found[..., row, :] = rest / wide[..., row, row, None]
        return found.astype(rhs.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        (matrix, rhs), found = op.inputs, op.outputs[0]
        is_adjoint, is_lower = op.attr("adjoint"), op.attr("lower")
        grad_rhs = matrix_triangular_solve(matrix, grad, lower=is_lower, adjoint=not is_adjoint)
        product = -matmul(found, grad_rhs, adjoint_b=True) if is_adjoint else -matmul(grad_rhs, found, adjoint_b=True)
        grad_matrix = matrix_band_part(product, -1, 0) if is_lower else matrix_band_part(product, 0, -1)
        known = matrix.shape.is_fully_defined() and rhs.shape.is_fully_defined()
        if known and matrix.shape[:-2] == rhs.shape[:-2]:
            return [grad_matrix, grad_rhs]
        shapes = shape_of(matrix), shape_of(rhs)
        axes = apply_op("BroadcastGradientArgs", shapes[0][:-2], shapes[1][:-2]).outputs
        pairs = zip((grad_matrix, grad_rhs), axes, shapes, strict=True)
        return [reshape(reduce_sum(part, axis), shape) for part, axis, shape in pairs]


class Cross(OpType):
    """The cross products of vectors of three numbers."""

    inputs = "a: T, b: T"
    outputs = "product: T"
    attrs = "T: realnumbertype"
    samples = (sample("float[2,3]", "float[2,3]"), sample("int32[3]", "int32[3]"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        (shape,) = shape_functions.merged(op)
        if shape.sizes is not None and (not shape.sizes or shape.sizes[-1] not in (None, 3)):
            raise ValueError(f"Dimension must be 3 but is {shape.sizes[-1] if shape.sizes else 'missing'}")
        return [shape]

    @staticmethod
    def run(xp: Any, a: Array, b: Array) -> Array:
        if a.shape != b.shape or not a.ndim:
            raise InvalidArgumentError(f"Both inputs must be of same shape: {shown(a.shape)} vs. {shown(b.shape)}")
        if a.shape[-1] != 3:
            raise FailedPreconditionError(f"Cross-products are only defined for 3-element vectors, found {shown(a.shape)}")
        following, before = [1, 2, 0], [2, 0, 1]
        return a[..., following] * b[..., before] - a[..., before] * b[..., following]

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        a, b = op.inputs
        return [cross(b, grad), cross(grad, a)]


def widened(value: Any) -> Any:
    return value.astype(np.float32) if value.dtype.itemsize == 2 else value


def check_matrix(value: Any) -> None:
    if value.ndim < 2:
        raise InvalidArgumentError(f"Input tensor must have rank >= 2, got shape {list(value.shape)}")


def check_square(value: Any) -> None:
    check_matrix(value)
    if value.shape[-1] != value.shape[-2]:
        raise InvalidArgumentError(f"Input matrices must be squares, got {value.shape[-2]} != {value.shape[-1]}")


def _check_right_side(matrix: Any, rhs: Any) -> None:
    if rhs.ndim < 2 or rhs.shape[-2] != matrix.shape[-1]:
        raise InvalidArgumentError(f"Input matrix and right-hand side must have the same number of rows: {list(matrix.shape)}, {list(rhs.shape)}")


def square_shape(shape: TensorShape) -> TensorShape:
    """The shape of square matrices, as far as it is known."""
    sizes = shape.with_rank_at_least(2).sizes
    if sizes is None:
        return unknown_shape()
    side = TensorShape(sizes[-1:]).merge_with(TensorShape(sizes[-2:-1])).as_list()
    return TensorShape([*sizes[:-2], *side, *side])


def _batch(shape: TensorShape) -> TensorShape:
    return unknown_shape() if shape.sizes is None else TensorShape(shape.sizes[:-2])


def _solution(op: Operation) -> list[TensorShape]:
    square, rhs = square_shape(op._inputs[0].shape), op._inputs[1].shape.with_rank_at_least(2)
    if square.sizes is None:
        return [rhs]
    if rhs.sizes is None:
        return [TensorShape([*square.sizes[:-1], None])]
    rows = TensorShape(square.sizes[:-1]).merge_with(TensorShape(rhs.sizes[:-1]))
    return [TensorShape([*(rows.sizes or ()), rhs.sizes[-1]])]


def _scaled(factors: Tensor, like: Tensor) -> Tensor:
    """One factor for each matrix, in a shape that matrices are multiplied by."""
    return reshape(factors, concat([shape_of(like), [1, 1]], 0))


def builder(function_name: str, op_name: str, told: str) -> Callable[..., Tensor]:
    def build(input: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
        return apply(op_name, input, name=name)

    build.__name__ = build.__qualname__ = function_name
    build.__doc__ = f"{told} (`tf.{function_name}`)."
    return build


matrix_determinant = builder("matrix_determinant", "MatrixDeterminant", "The determinants of matrices")


det = matrix_determinant


def matrix_inverse(input: Any, adjoint: bool = False, name: str | None = None) -> Tensor:  # TensorFlow's name
    """The inverse matrices, of the adjoint ones where wanted (`tf.matrix_inverse`)."""
    return apply("MatrixInverse", input, adjoint=adjoint, name=name)


inv = matrix_inverse


def matrix_solve(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """The solutions of systems of linear equations (`tf.matrix_solve`)."""
    return apply("MatrixSolve", matrix, rhs, adjoint=adjoint, name=name)


solve = matrix_solve


def matrix_triangular_solve(matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None) -> Tensor:
    """The solutions of systems of linear equations with triangular matrices (`tf.matrix_triangular_solve`)."""
    with name_scope(name, "triangular_solve", [matrix, rhs]):
        return apply("MatrixTriangularSolve", matrix, rhs, lower=lower, adjoint=adjoint)


triangular_solve = matrix_triangular_solve


def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Tensor:
    """The solutions of systems of linear equations, given the `cholesky` of their matrices (`tf.cholesky_solve`)."""
    with name_scope(name, "cholesky_solve", [chol, rhs]):
        lower = apply("MatrixTriangularSolve", chol, rhs)
        return apply("MatrixTriangularSolve", chol, lower, adjoint=True)


def adjoint(matrix: Any, name: str | None = None) -> Tensor:
    """Matrices transposed and conjugated (`tf.linalg.adjoint`)."""
    with name_scope(name, "adjoint", [matrix]):
        return matrix_transpose(convert_to_tensor(matrix, name="matrix"), conjugate=True)


def slogdet(input: Any, name: str | None = None) -> Any:  # TensorFlow's name
    """The signs of determinants and the logarithms of their magnitudes (`tf.linalg.slogdet`)."""
    return named_outputs("LogMatrixDeterminant", input, name=name)


def cross(a: Any, b: Any, name: str | None = None) -> Tensor:
    """The cross products of vectors of three numbers (`tf.cross`)."""
    return apply("Cross", a, b, name=name)


def trace(x: Any, name: str | None = None) -> Tensor:
    """The sums of the diagonals of matrices (`tf.trace`)."""
    with name_scope(name, "Trace", [x]) as scope:
        return reduce_sum(matrix_diag_part(convert_to_tensor(x, name="x")), [-1], name=scope)


def norm(
    tensor: Any,
    ord: Any = "euclidean",  # TensorFlow's name
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """The norms of vectors or matrices (`tf.norm`).

    Args:
        tensor: numbers.
        ord: "euclidean", 1, 2, inf or any positive number for vectors; "euclidean", "fro", 1 or inf for matrices.
        axis: an int for vectors, two for matrices; by default all elements are one vector.
        keepdims: whether the axes that go stay as dimensions of 1.
        name: of the scope.
        keep_dims: an old name of `keepdims`.

    Raises:
        ValueError: no such norm, or no such axes.
        NotImplementedError: the spectral norm of matrices, which `svd` gives.
    """
    keepdims = bool(renamed_argument("keepdims", keepdims, "keep_dims", keep_dims))
    is_matrix = isinstance(axis, (list, tuple)) and len(axis) == 2
    if is_matrix:
        axis = tuple(axis)
        if not all(isinstance(item, int) for item in axis) or axis[0] == axis[1]:
            raise ValueError(f"'axis' must be None, an integer, or a tuple of 2 unique integers, got {axis}")
        if ord not in ("euclidean", "fro", 1, 2, np.inf):
            raise ValueError(f"'ord' must be a supported matrix norm in {['euclidean', 'fro', 1, 2, np.inf]}, got {ord}")
        if ord == 2:
            raise NotImplementedError("the spectral norm of matrices is the largest of their singular values: tf.svd(tensor, compute_uv=False)")
    else:
        if not (isinstance(axis, int) or axis is None):
            raise ValueError(f"'axis' must be None, an integer, or a tuple of 2 unique integers, got {axis}")
        if (not np.isreal(ord) or ord <= 0) and ord not in ("euclidean", 1, 2, np.inf):
            raise ValueError(f"'ord' must be a supported vector norm, got {ord}")
        axis = None if axis is None else (axis,)
    with name_scope(name, "norm", [tensor]):
        value = convert_to_tensor(tensor)
        first = None if axis is None else axis[0]
        if ord in ("fro", "euclidean", 2):
            result = sqrt(reduce_sum(value * conj(value), axis, keepdims=True))
        elif ord == 1:
            result = reduce_sum(abs(value), first, keepdims=True)
            result = reduce_max(result, axis[-1], keepdims=True) if is_matrix else result
        elif ord == np.inf:
            result = abs(value)
            result = reduce_sum(result, axis[1], keepdims=True) if is_matrix else result
            result = reduce_max(result, first, keepdims=True)
        else:
            result = pow(reduce_sum(pow(abs(value), ord), axis, keepdims=True), 1.0 / ord)
        return result if keepdims else squeeze(result, axis)


def normalize(tensor: Any, ord: Any = "euclidean", axis: Any = None, name: str | None = None) -> tuple[Tensor, Tensor]:  # TensorFlow's name
    """A tensor divided by its norms, and these, whose axes are kept (`tf.linalg.normalize`); see `norm`."""
    with name_scope(name, "normalize", [tensor]):
        value = convert_to_tensor(tensor)
        norms = cast(norm(value, ord, axis, keepdims=True), value.dtype)
        return value / norms, norms
