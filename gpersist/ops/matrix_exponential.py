"""The exponentials of matrices (`tf.linalg.expm`), by approximations of Pade's, in operations of the graph.

(N. Higham, The Scaling and Squaring Method for the Matrix Exponential Revisited, 2005.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.dtypes import complex64, complex128, float16, float32, float64
from gpersist.graph import Tensor, convert_to_tensor, name_scope
from gpersist.ops.arithmetic import maximum, pow
from gpersist.ops.casting import cast
from gpersist.ops.choosing import where_v2
from gpersist.ops.comparison import less
from gpersist.ops.constants import constant
from gpersist.ops.control_flow import cond, while_loop
from gpersist.ops.diagonal import eye
from gpersist.ops.filling import fill
from gpersist.ops.joining import concat
from gpersist.ops.linear_algebra import matrix_solve
from gpersist.ops.matmul import matmul
from gpersist.ops.reductions import reduce_max, reduce_sum
from gpersist.ops.shaping import reshape, shape_of, size
from gpersist.ops.unary import abs, floor, is_finite, log

__all__ = ["expm"]

_FACTORS = {
    3: [120.0, 60.0, 12.0],
    5: [30240.0, 15120.0, 3360.0, 420.0, 30.0],
    7: [17297280.0, 8648640.0, 1995840.0, 277200.0, 25200.0, 1512.0, 56.0],
    9: [17643225600.0, 8821612800.0, 2075673600.0, 302702400.0, 30270240.0, 2162160.0, 110880.0, 3960.0, 90.0],
    13: [
        64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0, 10559470521600.0, 670442572800.0,
        33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0,
    ],
}  # fmt: skip
"""By degree: the factors of the powers, the highest left out, which is 1."""

_Choice = tuple[tuple[float, ...], float, tuple[int, ...]]

_SINGLE: _Choice = (0.4258730016922831, 1.880152677804762), 3.925724783138660, (3, 5, 7)
_DOUBLE: _Choice = (
    (0.01495585217958292, 0.2539398330063230, 0.9504178996162932, 2.097847961257068e000),
    5.371920351148152,
    (3, 5, 7, 9, 13),
)
"""The norms up to which each degree but the last is near enough, and the one to which matrices are scaled down; and the degrees."""


def expm(input: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """The exponentials of matrices (`tf.linalg.expm`).

    Args:
        input: [..., n, n], of a floating or complex type.
        name: of the scope.

    Raises:
        ValueError: of another type.
    """
    with name_scope(name, "matrix_exponential", [input]):
        matrix = convert_to_tensor(input, name="input")
        if matrix.shape[-2:] == [0, 0]:
            return matrix
        batch: Any = matrix.shape[:-2]
        if not batch.is_fully_defined():
            batch = shape_of(matrix)[:-2]
        matrix = reshape(matrix, concat(([-1], shape_of(matrix)[-2:]), axis=0))
        norms = reduce_max(reduce_sum(abs(matrix), axis=size(shape_of(matrix)) - 2), axis=-1)[..., None, None]
        if matrix.dtype in (float16, float32, complex64):
            limits, most, degrees = _SINGLE
        elif matrix.dtype in (float64, complex128):
            limits, most, degrees = _DOUBLE
        else:
            raise ValueError(f"tf.linalg.expm does not support matrices of type {matrix.dtype}")

        def number(value: float) -> Tensor:
            return constant(value, norms.dtype)

        most_norm = number(most)
        halvings = maximum(floor(log(norms / most_norm) / log(number(2.0))), 0)
        parts = [_odd_and_even(matrix, degree) for degree in degrees[:-1]]
        parts.append(_odd_and_even(matrix / cast(pow(number(2.0), halvings), matrix.dtype), degrees[-1]))

        def chosen(values: tuple[float, ...], cases: list[Tensor]) -> Tensor:
            is_near = less(norms, number(values[0]))
            return where_v2(is_near, cases[0], cases[1] if len(values) == 1 else chosen(values[1:], cases[1:]))

        odd, even = (chosen(limits, [part[index] for part in parts]) for index in range(2))
        is_sound = is_finite(reduce_max(norms))
        nothing = constant(np.nan, matrix.dtype)
        result = cond(is_sound, lambda: matrix_solve(-odd + even, odd + even), lambda: fill(shape_of(matrix), nothing))
        most_halvings = reduce_max(halvings)
        _, result = while_loop(
            lambda i, _: cond(is_sound, lambda: less(i, most_halvings), lambda: constant(False)),
            lambda i, found: (i + 1, where_v2(less(i, halvings), matmul(found, found), found)),
            [number(0.0), result],
        )
        if not matrix.shape.is_fully_defined():
            return reshape(result, concat((batch, shape_of(result)[-2:]), axis=0))
        return reshape(result, batch.concatenate(result.shape[-2:]))


def _odd_and_even(matrix: Tensor, degree: int) -> tuple[Tensor, Tensor]:
    """The terms of odd degree, and those of even degree, of the approximation's numerator."""
    factors = [constant(value, matrix.dtype) for value in _FACTORS[degree]]
    identity = eye(shape_of(matrix)[-2], batch_shape=shape_of(matrix)[:-2], dtype=matrix.dtype)
    squared = matmul(matrix, matrix)
    powers = {0: identity, 2: squared}
    for power in range(4, 7 if degree == 13 else degree, 2):
        powers[power] = matmul(powers[power - 2], squared)
    if degree == 13:
        return _of_degree_13(matrix, powers, factors)
    inner = powers[degree - 1]
    for power in range(degree - 3, -1, -2):
        inner = inner + factors[power + 1] * powers[power]
    odd = matmul(matrix, inner)
    even = factors[degree - 1] * powers[degree - 1]
    for power in range(degree - 3, -1, -2):
        even = even + factors[power] * powers[power]
    return odd, even


def _of_degree_13(matrix: Tensor, powers: dict[int, Tensor], factors: list[Tensor]) -> tuple[Tensor, Tensor]:
    second, fourth, sixth = powers[2], powers[4], powers[6]
    inner = matmul(sixth, sixth + factors[11] * fourth + factors[9] * second)
    for power in (6, 4, 2, 0):
        inner = inner + factors[power + 1] * powers[power]
    odd = matmul(matrix, inner)
    even = matmul(sixth, factors[12] * sixth + factors[10] * fourth + factors[8] * second)
    for power in (6, 4, 2, 0):
        even = even + factors[power] * powers[power]
    return odd, even
