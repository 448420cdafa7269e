"""Systems of equations with tridiagonal matrices, and products of these, in each of the ways to give such a matrix (`tf.linalg.tridiagonal_*`).

"compact": [..., 3, n], the diagonals above, on and below the main one, the first ending and the last beginning with what is not read. "sequence": the
three of them, of n or n - 1 elements. "matrix": [..., n, n].
"""

from __future__ import annotations

from typing import Any

from gpersist.graph import Tensor, apply, convert_to_tensor, name_scope
from gpersist.ops.arranging import matrix_transpose
from gpersist.ops.casting import cast
from gpersist.ops.checks import assert_less, assert_less_equal
from gpersist.ops.choosing import where
from gpersist.ops.comparison import logical_and
from gpersist.ops.complex_numbers import conj, real
from gpersist.ops.decompositions import eigh
from gpersist.ops.gathering import gather
from gpersist.ops.joining import stack
from gpersist.ops.matrix_diagonal import matrix_diag, matrix_diag_part, matrix_set_diag
from gpersist.ops.padding import pad
from gpersist.ops.sequences import range
from gpersist.ops.shaping import expand_dims, squeeze

__all__ = ["eigh_tridiagonal", "tridiagonal_matmul", "tridiagonal_solve"]


def tridiagonal_solve(
    diagonals: Any,
    rhs: Any,
    diagonals_format: str = "compact",
    transpose_rhs: bool = False,
    conjugate_rhs: bool = False,
    name: str | None = None,
    partial_pivoting: bool = True,
    perturb_singular: bool = False,
) -> Tensor:
    """The solutions of systems of linear equations with tridiagonal matrices (`tf.linalg.tridiagonal_solve`).

    Args:
        diagonals: the matrices; see the head of this module.
        rhs: [..., n, k], or [..., n].
        diagonals_format: "compact", "sequence" or "matrix".
        transpose_rhs: whether `rhs` is transposed first; not, where it is a vector.
        conjugate_rhs: whether `rhs` is conjugated first.
        name: of the operation.
        partial_pivoting: whether rows are exchanged, which is more stable.
        perturb_singular: whether pivots near 0 are moved away from it, so that singular matrices have solutions.

    Raises:
        ValueError: no such format; shapes that don't go together; `perturb_singular` without `partial_pivoting`.
    """
    if perturb_singular and not partial_pivoting:
        raise ValueError("partial_pivoting must be True if perturb_singular is.")
    if diagonals_format == "compact":
        matrix = convert_to_tensor(diagonals)
    elif diagonals_format == "sequence":
        matrix = _of_sequence(diagonals)
    elif diagonals_format == "matrix":
        matrix = _of_matrix(diagonals)
    else:
        raise ValueError(f"Unrecognized diagonals_format: {diagonals_format}")
    right = convert_to_tensor(rhs)
    _check(matrix, right)
    attrs = {"partial_pivoting": partial_pivoting, "perturb_singular": perturb_singular}
    if matrix.shape.rank and right.shape.rank and right.shape.rank == matrix.shape.rank - 1:
        right = expand_dims(conj(right) if conjugate_rhs else right, -1)
        _check_rows(matrix, right)
        return squeeze(apply("TridiagonalSolve", matrix, right, name=name, **attrs), -1)
    if transpose_rhs:
        right = matrix_transpose(right, conjugate=conjugate_rhs)
    elif conjugate_rhs:
        right = conj(right)
    _check_rows(matrix, right)
    return apply("TridiagonalSolve", matrix, right, name=name, **attrs)


def tridiagonal_matmul(diagonals: Any, rhs: Any, diagonals_format: str = "compact", name: str | None = None) -> Tensor:
    """The products of tridiagonal matrices and others (`tf.linalg.tridiagonal_matmul`).

    Args:
        diagonals: the tridiagonal matrices; see the head of this module.
        rhs: [..., n, k].
        diagonals_format: "compact", "sequence" or "matrix".
        name: of the operation.

    Raises:
        ValueError: no such format, or matrices that aren't square.
    """
    if diagonals_format == "sequence":
        parts = list(diagonals)
    elif diagonals_format in ("compact", "matrix"):
        whole = convert_to_tensor(diagonals) if diagonals_format == "compact" else _of_matrix(diagonals)
        parts = [whole[..., row, :] for row in (0, 1, 2)]
    else:
        raise ValueError(f"Unrecognized diagonals_format: {diagonals_format}")
    return apply("TridiagonalMatMul", *[expand_dims(part, -2) for part in parts], rhs, name=name)


def eigh_tridiagonal(
    alpha: Any, beta: Any, eigvals_only: bool = True, select: str = "a", select_range: Any = None, tol: Any = None, name: str | None = None
) -> Any:
    """The eigenvalues of one tridiagonal matrix that is its own adjoint, the least first (`tf.linalg.eigh_tridiagonal`).

    Args:
        alpha: [n], the main diagonal.
        beta: [n - 1], the diagonal above it.
        eigvals_only: whether the eigenvectors are left out.
        select: "a": all of them; "i": those of the places `select_range`, both ends included; "v": those within the interval `select_range`.
        select_range: a pair; see `select`.
        tol: how exact they have to be; as exact as the type allows in any case.
        name: of the scope.

    Returns:
        The eigenvalues; with `eigvals_only` false, a pair of them and of the eigenvectors, in columns.

    Raises:
        ValueError: `alpha` and `beta` are not of one type, or `select` is something else.
        InvalidArgumentError: an empty range.
    """
    with name_scope(name or "eigh_tridiagonal"):
        diagonal = convert_to_tensor(alpha, name="alpha")
        if (_size(diagonal, 0) or 0) <= 1:
            return real(diagonal)
        above = convert_to_tensor(beta, name="beta")
        if diagonal.dtype is not above.dtype:
            raise ValueError("'alpha' and 'beta' must have the same type.")
        below = matrix_diag(conj(above), k=-1)
        values, vectors = eigh(matrix_set_diag(below, cast(real(diagonal), above.dtype)))  # the upper triangle is not read
        values = real(values)
        if select == "i":
            checks = [assert_less_equal(select_range[0], select_range[1], message="Got empty index range in select_range.")]
            places: Any = range(select_range[0], select_range[1] + 1)
        elif select == "v":
            checks = [assert_less(select_range[0], select_range[1], message="Got empty interval in select_range.")]
            inside = logical_and(values > cast(select_range[0], values.dtype), values <= cast(select_range[1], values.dtype))
            places = squeeze(where(inside), -1)
        elif select == "a":
            return values if eigvals_only else (values, vectors)
        else:
            raise ValueError("'select must have a value in {'a', 'i', 'v'}.")
        with values.graph.control_dependencies([check for check in checks if check is not None]):
            values = gather(values, places)
        return values if eigvals_only else (values, gather(vectors, places, axis=1))


def _of_sequence(diagonals: Any) -> Tensor:
    if not isinstance(diagonals, (tuple, list)) or len(diagonals) != 3:
        raise ValueError("Expected diagonals to be a sequence of length 3.")
    above, middle, below = map(convert_to_tensor, diagonals)
    if not all(other.shape[:-1].is_compatible_with(middle.shape[:-1]) for other in (below, above)):
        raise ValueError(
            "Tensors representing the three diagonals must have the same shape,except for the last dimension, got "
            f"{below.shape}, {middle.shape}, {above.shape}"
        )
    count = _size(middle, -1)

    def padded(part: Tensor, told: str, last: list[int]) -> Tensor:
        own = _size(part, -1)
        if not own or own == count:
            return part
        if count is None or own != count - 1:
            raise ValueError(f"Expected {told} to be have length {count} or {(count or 0) - 1}, got {own}.")
        return pad(part, [[0, 0]] * (len(part.shape) - 1) + [last])

    below = padded(below, "subdiagonal", [1, 0])
    above = padded(above, "superdiagonal", [0, 1])
    return stack((above, middle, below), axis=-2)


def _of_matrix(matrix: Any) -> Tensor:
    value = convert_to_tensor(matrix)
    columns, rows = _size(value, -1), _size(value, -2)
    if columns and rows and columns != rows:
        raise ValueError(f"Expected last two dimensions of diagonals to be same, got {columns} and {rows}")
    return matrix_diag_part(value, k=(-1, 1), padding_value=0.0, align="LEFT_RIGHT")


def _size(value: Tensor, axis: int) -> int | None:
    return None if value.shape.sizes is None else value.shape.sizes[axis]


def _check(matrix: Tensor, right: Tensor) -> None:
    rank, other = matrix.shape.rank, right.shape.rank
    if rank:
        if rank < 2:
            raise ValueError(f"Expected diagonals to have rank at least 2, got {rank}")
        if other and other not in (rank, rank - 1):
            raise ValueError(f"Expected the rank of rhs to be {rank - 1} or {rank}, got {other}")
        if other and not matrix.shape[:-2].is_compatible_with(right.shape[: rank - 2]):
            raise ValueError(f"Batch shapes {matrix.shape[:-2]} and {right.shape[: rank - 2]} are incompatible")
    if _size(matrix, -2) not in (None, 0, 3):
        raise ValueError(f"Expected 3 diagonals got {_size(matrix, -2)}")


def _check_rows(matrix: Tensor, right: Tensor) -> None:
    left, rows = _size(matrix, -1), _size(right, -2)
    if left and rows and left != rows:
        raise ValueError(f"Expected number of left-hand sided and right-hand sides to be equal, got {left} and {rows}")
