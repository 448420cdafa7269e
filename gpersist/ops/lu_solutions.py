"""What one has of the LU factors of matrices: solutions of their equations, inverses, the matrices themselves."""

from __future__ import annotations

from typing import Any

from gpersist.dtypes import float32, int32
from gpersist.graph import Tensor, convert_to_tensor, name_scope
from gpersist.ops.arranging import invert_permutation
from gpersist.ops.broadcasting import broadcast_dynamic_shape, broadcast_to
from gpersist.ops.checks import assert_equal, assert_rank, assert_rank_at_least
from gpersist.ops.diagonal import eye
from gpersist.ops.filling import ones
from gpersist.ops.functional_loops import map_fn
from gpersist.ops.gathering import gather, gather_nd
from gpersist.ops.joining import concat, stack
from gpersist.ops.linear_algebra import triangular_solve
from gpersist.ops.matmul import matmul
from gpersist.ops.matrix_diagonal import matrix_band_part, matrix_set_diag
from gpersist.ops.passing import identity
from gpersist.ops.reductions import reduce_prod
from gpersist.ops.sequences import range
from gpersist.ops.shaping import rank, reshape, shape_of
from gpersist.ops.splitting import split

__all__ = ["lu_matrix_inverse", "lu_reconstruct", "lu_solve"]


def lu_solve(lower_upper: Any, perm: Any, rhs: Any, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The solutions of systems of linear equations whose matrices are given by `lu` (`tf.linalg.lu_solve`).

    Args:
        lower_upper: [..., n, n], both factors in one.
        perm: [..., n], which row of the matrix each of theirs is.
        rhs: [..., n, m].
        validate_args: whether what is not known before running is checked then.
        name: of the scope.

    Raises:
        ValueError: the shapes do not go together.
    """
    with name_scope(name or "lu_solve"):
        factors = convert_to_tensor(lower_upper, dtype_hint=float32, name="lower_upper")
        order = convert_to_tensor(perm, dtype_hint=int32, name="perm")
        right = convert_to_tensor(rhs, dtype_hint=factors.dtype, name="rhs")
        checks = [*_checks(factors, order, validate_args), *_checks_of_right_side(factors, right, validate_args)]
        factors, order, right = _after(checks, factors, order, right)
        if right.shape.rank == 2 and order.shape.rank == 1:
            permuted = gather(right, order, axis=-2)
        else:
            sizes = shape_of(right)
            batch = broadcast_dynamic_shape(sizes[:-2], shape_of(order)[:-1])
            rows, columns = sizes[-2], sizes[-1]
            whole = concat([batch, [rows, columns]], axis=0)
            right = reshape(broadcast_to(right, whole), [-1, rows, columns])
            order = reshape(broadcast_to(order, whole[:-1]), [-1, rows])
            count = reduce_prod(batch)
            places = broadcast_to(range(count)[:, None], [count, rows])
            permuted = reshape(gather_nd(right, stack([places, order], axis=-1)), whole)
        lower = matrix_set_diag(matrix_band_part(factors, num_lower=-1, num_upper=0), ones(shape_of(factors)[:-1], dtype=factors.dtype))
        return triangular_solve(factors, triangular_solve(lower, permuted), lower=False)


def lu_matrix_inverse(lower_upper: Any, perm: Any, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The inverses of matrices that are given by `lu` (`tf.linalg.lu_matrix_inverse`); see `lu_solve`."""
    with name_scope(name or "lu_matrix_inverse"):
        factors = convert_to_tensor(lower_upper, dtype_hint=float32, name="lower_upper")
        order = convert_to_tensor(perm, dtype_hint=int32, name="perm")
        factors, order = _after(_checks(factors, order, validate_args), factors, order)
        sizes = shape_of(factors)
        return lu_solve(factors, order, rhs=eye(sizes[-1], batch_shape=sizes[:-2], dtype=factors.dtype), validate_args=False)


def lu_reconstruct(lower_upper: Any, perm: Any, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The matrices that are given by `lu` (`tf.linalg.lu_reconstruct`); see `lu_solve`."""
    with name_scope(name or "lu_reconstruct"):
        factors = convert_to_tensor(lower_upper, dtype_hint=float32, name="lower_upper")
        order = convert_to_tensor(perm, dtype_hint=int32, name="perm")
        factors, order = _after(_checks(factors, order, validate_args), factors, order)
        sizes = shape_of(factors)
        lower = matrix_set_diag(matrix_band_part(factors, num_lower=-1, num_upper=0), ones(sizes[:-1], dtype=factors.dtype))
        upper = matrix_band_part(factors, num_lower=0, num_upper=-1)
        found = matmul(lower, upper)
        if factors.shape.rank == 2:
            found = gather(found, invert_permutation(order))
        else:
            count = reduce_prod(sizes[:-2])
            side = sizes[-1]
            found = reshape(found, [count, side, side])
            order = map_fn(invert_permutation, reshape(order, [count, side]))
            places = broadcast_to(range(count)[:, None], [count, side])
            found = reshape(gather_nd(found, stack([places, order], axis=-1)), sizes)
        found.set_shape(factors.shape)
        return found


def _after(checks: list[Any], *tensors: Tensor) -> tuple[Tensor, ...]:
    if not checks:
        return tensors
    with tensors[0].graph.control_dependencies(checks):
        return tuple(identity(tensor) for tensor in tensors)


def _checks(factors: Tensor, order: Tensor, is_checked: bool) -> list[Any]:
    found: list[Any] = []
    message = "Input `lower_upper` must have at least 2 dimensions."
    if factors.shape.rank is not None and factors.shape.rank < 2:
        raise ValueError(message)
    if is_checked and factors.shape.rank is None:
        found.append(assert_rank_at_least(factors, rank=2, message=message))
    message = "`rank(lower_upper)` must equal `rank(perm) + 1`"
    if factors.shape.rank is not None and order.shape.rank is not None:
        if factors.shape.rank != order.shape.rank + 1:
            raise ValueError(message)
    elif is_checked:
        found.append(assert_rank(factors, rank=rank(order) + 1, message=message))
    message = "`lower_upper` must be square."
    if factors.shape[:-2].is_fully_defined():
        if factors.shape[-2] != factors.shape[-1]:
            raise ValueError(message)
    elif is_checked:
        rows, columns = split(shape_of(factors)[-2:], num_or_size_splits=2)
        found.append(assert_equal(rows, columns, message=message))
    return found


def _checks_of_right_side(factors: Tensor, right: Tensor, is_checked: bool) -> list[Any]:
    found: list[Any] = []
    message = "Input `rhs` must have at least 2 dimensions."
    if right.shape.rank is not None and right.shape.rank < 2:
        raise ValueError(message)
    if is_checked and right.shape.rank is None:
        found.append(assert_rank_at_least(right, rank=2, message=message))
    message = "`lower_upper.shape[-1]` must equal `rhs.shape[-1]`."
    sides = [shape.as_list()[axis] if shape.rank is not None else None for shape, axis in ((factors.shape, -1), (right.shape, -2))]
    if None not in sides:
        if sides[0] != sides[1]:
            raise ValueError(message)
    elif is_checked:
        found.append(assert_equal(shape_of(factors)[-1], shape_of(right)[-2], message=message))
    return found
