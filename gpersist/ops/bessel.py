"""Bessel functions of orders 0 and 1, for arrays of any kind: computed in float64, from series, recurrences, integrals and asymptotic expansions.

(Abramowitz and Stegun, Handbook of Mathematical Functions, chapter 9.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.casting import cast
from gpersist.ops.choosing import where_v2
from gpersist.ops.comparison import equal
from gpersist.ops.division import div
from gpersist.ops.unary import reciprocal, sign

__all__ = [
    "bessel_i0",
    "bessel_i0e",
    "bessel_i1",
    "bessel_i1e",
    "bessel_j0",
    "bessel_j1",
    "bessel_k0",
    "bessel_k0e",
    "bessel_k1",
    "bessel_k1e",
    "bessel_y0",
    "bessel_y1",
]

_EULER = 0.57721566490153286061
_SMALL, _LARGE = 2.0, 25.0  # below the one power series are as exact as the type, above the other asymptotic expansions are


class _Bessel(OpType, abstract=True):
    """A Bessel function of one real number."""

    inputs = "x: T"
    outputs = "y: T"
    attrs = "T: {bfloat16, half, float, double}"
    shapes = staticmethod(shape_functions.same_as_input)
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("double[2,6] in 0.1..3"),
        sample("double[8] in 3..60", has_gradient=False),
        sample("float[5] in 0.1..20", has_gradient=False),
        sample("float[0]"),
    )
    function: ClassVar[Callable[[Any, Array], Array]]

    @classmethod
    def run(cls, xp: Any, x: Array) -> Array:
        with np.errstate(all="ignore"):
            found: Array = cls.function(xp, x.astype(np.float64)).astype(x.dtype)
        return found


def _series(xp: Any, order: int, x: Array, sign_of_terms: int, terms: int) -> Array:
    """The power series of J (terms of alternating signs) and I (of one)."""
    quarter = x * x / 4 * sign_of_terms
    term = (x / 2) ** order
    total = term
    for k in range(1, terms):
        term = term * quarter / (k * (k + order))
        total = total + term
    return total


def _hankel(xp: Any, order: int, x: Array, sign_of_terms: int) -> tuple[Array, Array]:
    """The even and the odd part of the asymptotic expansion: with signs that alternate in each, or do not."""
    even, odd = xp.ones_like(x), xp.zeros_like(x)
    term = xp.ones_like(x)
    for k in range(1, 30):
        term = term * ((4 * order * order - (2 * k - 1) ** 2) / (8 * k)) / x
        factor = sign_of_terms ** (k // 2)
        if k % 2:
            odd = odd + factor * term
        else:
            even = even + factor * term
    return even, odd


def _recurrence(xp: Any, x: Array) -> list[Array]:
    """J of all orders up to 79, downwards by Miller: for x between 2 and 25."""
    top = 80
    found = [xp.zeros_like(x)] * (top + 1)
    found[top - 1] = xp.full_like(x, 1e-290)
    for k in range(top - 1, 0, -1):
        found[k - 1] = 2 * k / x * found[k] - found[k + 1]
    norm = found[0] + 2 * sum(found[2::2])
    return [each / norm for each in found]


def _exponential_i(xp: Any, order: int, x: Array) -> Array:
    """I(x) exp(-|x|)."""
    size = xp.absolute(x)
    near = xp.minimum(size, 30.0)
    low = _series(xp, order, near, 1, 90) * xp.exp(-near)
    far = xp.maximum(size, 30.0)
    even, odd = _hankel(xp, order, far, 1)
    found = xp.where(size <= 30, low, (even - odd) / xp.sqrt(2 * math.pi * far))
    found = xp.where(xp.isnan(x), x, found)
    return found * xp.sign(x) if order else found


def _i(xp: Any, order: int, x: Array) -> Array:
    scaled = _exponential_i(xp, order, x)
    return scaled * xp.exp(xp.absolute(x))


_K_STEPS = 250


def _exponential_k(xp: Any, order: int, x: Array) -> Array:
    """K(x) exp(x): the integral of exp(-x (cosh t - 1)) cosh(order t), which the trapezoidal rule gives to the last digits."""
    known = xp.where(x > 0, x, 1.0)
    step = xp.arccosh(1 + 45 / known) / _K_STEPS
    total = xp.full_like(known, 0.5)
    for k in range(1, _K_STEPS + 1):
        t = k * step
        total = total + xp.exp(-2 * known * xp.sinh(t / 2) ** 2) * (xp.cosh(t) if order else 1)
    found = xp.where(xp.isinf(known), 0.0, total * step)
    return xp.where(x > 0, found, xp.where(x <= 0, np.inf, np.nan))


def _phases(xp: Any, order: int, x: Array) -> tuple[Array, Array]:
    """J and Y for x from 25 on."""
    even, odd = _hankel(xp, order, x, -1)
    cosine, sine = xp.cos(x), xp.sin(x)
    root = math.sqrt(0.5)
    if order:
        cosine, sine = (sine - cosine) * root, -(sine + cosine) * root
    else:
        cosine, sine = (cosine + sine) * root, (sine - cosine) * root
    scale = xp.sqrt(2 / (math.pi * x))
    return scale * (even * cosine - odd * sine), scale * (even * sine + odd * cosine)


def _j(xp: Any, order: int, x: Array) -> Array:
    size = xp.absolute(x)
    small = _series(xp, order, xp.minimum(size, _SMALL), -1, 20)
    middle = _recurrence(xp, xp.clip(size, _SMALL, _LARGE))[order]
    large = _phases(xp, order, xp.maximum(size, _LARGE))[0]
    found = xp.where(size < _SMALL, small, xp.where(size <= _LARGE, middle, large))
    found = xp.where(xp.isinf(x), np.nan, found)  # as TensorFlow's, by the cosine of infinity
    return found * xp.sign(x) if order else found


def _y(xp: Any, order: int, x: Array) -> Array:
    known = xp.where(x > 0, x, 1.0)
    near = xp.minimum(known, _SMALL)
    small = _y_series(xp, order, near)
    medium = xp.clip(known, _SMALL, _LARGE)
    orders = _recurrence(xp, medium)
    logarithm = xp.log(medium / 2) + _EULER
    if order:
        rest = sum((-1) ** k * (2 * k + 1) / (k * (k + 1)) * orders[2 * k + 1] for k in range(1, 39))
        middle = -2 / (math.pi * medium) * orders[0] + 2 / math.pi * (logarithm - 1) * orders[1] - 2 / math.pi * rest
    else:
        rest = sum((-1) ** k / k * orders[2 * k] for k in range(1, 39))
        middle = 2 / math.pi * logarithm * orders[0] - 4 / math.pi * rest
    large = _phases(xp, order, xp.maximum(known, _LARGE))[1]
    found = xp.where(known < _SMALL, small, xp.where(known <= _LARGE, middle, large))
    found = xp.where(xp.isinf(known), np.nan, found)
    return xp.where(x > 0, found, xp.where(x <= 0, -np.inf, np.nan))


def _y_series(xp: Any, order: int, x: Array) -> Array:
    quarter = -x * x / 4
    term, harmonic = (x / 2) ** order, 0.0
    total = term * (1.0 if order else 0.0)
    for k in range(1, 20):
        term = term * quarter / (k * (k + order))
        harmonic += 1 / k
        total = total + term * (2 * harmonic + (1 / (k + 1) if order else 0.0))
    logarithm = 2 / math.pi * (xp.log(x / 2) + _EULER) * _series(xp, order, x, -1, 20)
    return logarithm - total / math.pi - (2 / (math.pi * x) if order else 0)


def _define(name: str, function: Callable[[Any, Array], Array], told: str, slope: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """The operation, whose derivative `slope` builds of its input and its output, and the function that adds it."""

    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            return grad * slope(op.inputs[0], op.outputs[0])

    type(
        f"Bessel{name.upper().replace('E', 'e')}",
        (_Bessel,),
        {"__doc__": told, "__module__": __name__, "function": staticmethod(function), "gradient": staticmethod(gradient)},
    )

    def build(x: Any, name: str | None = None) -> Tensor:
        with name_scope(name, build.__name__, [x]):
            return apply(op_name, x)

    op_name = f"Bessel{name.upper().replace('E', 'e')}"
    build.__name__ = build.__qualname__ = f"bessel_{name}"
    build.__doc__ = told
    return build


def _at_zero(x: Tensor, value: float, slope: Tensor) -> Tensor:
    return where_v2(equal(x, 0.0), cast(value, x.dtype), slope)


bessel_i0: Callable[..., Tensor] = _define("i0", lambda xp, x: _i(xp, 0, x), "The modified Bessel function I of order 0.", lambda x, y: bessel_i1(x))
bessel_i0e: Callable[..., Tensor] = _define(
    "i0e", lambda xp, x: _exponential_i(xp, 0, x), "I of order 0, times exp(-|x|).", lambda x, y: bessel_i1e(x) - sign(x) * y
)
bessel_i1: Callable[..., Tensor] = _define(
    "i1", lambda xp, x: _i(xp, 1, x), "The modified Bessel function I of order 1.", lambda x, y: _at_zero(x, 1.0, bessel_i0(x) - div(y, x))
)
bessel_i1e: Callable[..., Tensor] = _define(
    "i1e",
    lambda xp, x: _exponential_i(xp, 1, x),
    "I of order 1, times exp(-|x|).",
    lambda x, y: _at_zero(x, 0.5, bessel_i0e(x) - y * (sign(x) + reciprocal(x))),
)
bessel_k0: Callable[..., Tensor] = _define(
    "k0", lambda xp, x: _exponential_k(xp, 0, x) * xp.exp(-x), "The modified Bessel function K of order 0.", lambda x, y: -bessel_k1(x)
)
bessel_k0e: Callable[..., Tensor] = _define(
    "k0e", lambda xp, x: _exponential_k(xp, 0, x), "K of order 0, times exp(x).", lambda x, y: y - bessel_k1e(x)
)
bessel_k1: Callable[..., Tensor] = _define(
    "k1",
    lambda xp, x: _exponential_k(xp, 1, x) * xp.exp(-x),
    "The modified Bessel function K of order 1.",
    lambda x, y: -bessel_k0(x) - div(y, x),
)
bessel_k1e: Callable[..., Tensor] = _define(
    "k1e", lambda xp, x: _exponential_k(xp, 1, x), "K of order 1, times exp(x).", lambda x, y: y * (1.0 - reciprocal(x)) - bessel_k0e(x)
)
bessel_j0: Callable[..., Tensor] = _define("j0", lambda xp, x: _j(xp, 0, x), "The Bessel function J of order 0.", lambda x, y: -bessel_j1(x))
bessel_j1: Callable[..., Tensor] = _define(
    "j1", lambda xp, x: _j(xp, 1, x), "The Bessel function J of order 1.", lambda x, y: _at_zero(x, 0.5, bessel_j0(x) - div(y, x))
)
bessel_y0: Callable[..., Tensor] = _define("y0", lambda xp, x: _y(xp, 0, x), "The Bessel function Y of order 0.", lambda x, y: -bessel_y1(x))
bessel_y1: Callable[..., Tensor] = _define(
    "y1", lambda xp, x: _y(xp, 1, x), "The Bessel function Y of order 1.", lambda x, y: bessel_y0(x) - div(y, x)
)
