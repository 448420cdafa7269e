"""Dawson's and Fresnel's integrals, the exponential integral and Spence's function, for arrays of any kind: computed in float64."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.choosing import where
from gpersist.ops.comparison import equal
from gpersist.ops.filling import ones_like
from gpersist.ops.trigonometry import cos, sin
from gpersist.ops.unary import exp, log, negative, square

__all__ = ["dawsn", "expint", "fresnel_cos", "fresnel_sin", "spence"]

_EULER = 0.57721566490153286061


class _Integral(OpType, abstract=True):
    """An integral up to a number."""

    inputs = "x: T"
    outputs = "y: T"
    attrs = "T: {bfloat16, half, float, double}"
    shapes = staticmethod(shape_functions.same_as_input)
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("double[2,6] in 0.1..3"),
        sample("double[8] in 3..30", has_gradient=False),
        sample("float[5] in 0.1..10"),
        sample("float[0]"),
    )
    function: ClassVar[Callable[[Any, Array], Array]]

    @classmethod
    def run(cls, xp: Any, x: Array) -> Array:
        with np.errstate(all="ignore"):
            found: Array = cls.function(xp, x.astype(np.float64)).astype(x.dtype)
        return found


def _dawson(xp: Any, x: Array) -> Array:
    """By Rybicki's sum of Gaussians, exact to the last digits for a step of 0.2; near 0 by the series, for the sake of small numbers."""
    step = 0.2
    size = xp.absolute(x)
    squared = xp.minimum(size, 0.3) ** 2
    term = total = xp.ones_like(size)
    for k in range(1, 14):
        term = term * (-2 * squared / (2 * k + 1))
        total = total + term
    near = xp.minimum(size, 0.3) * total
    known = xp.where(xp.isfinite(size), size, 1e300)
    middle = 2 * xp.rint(known / (2 * step))
    rest = known - middle * step
    found = xp.zeros_like(size)
    for odd in range(-35, 36, 2):
        found = found + xp.exp(-((rest - odd * step) ** 2)) / (middle + odd)
    found = xp.where(size < 0.3, near, found / math.sqrt(math.pi))
    found = xp.where(xp.isinf(x), 0.0, found)
    return xp.where(xp.isnan(x), x, found * xp.sign(x))


def _exponential(xp: Any, x: Array) -> Array:
    """Ei(x): by its series, for large x by the asymptotic one. Of a negative number, and of infinity, it is NaN, as in TensorFlow."""
    small = xp.where((x > 0) & (x < 40), x, 1.0)
    term, total = xp.ones_like(small), xp.zeros_like(small)
    for k in range(1, 140):
        term = term * small / k
        total = total + term / k
    series = _EULER + xp.log(small) + total
    large = xp.maximum(x, 40.0)
    term = total = xp.ones_like(large)
    for k in range(1, 38):
        term = term * k / large
        total = total + term
    beyond = xp.exp(large) / large * total
    found = xp.where(x < 40, series, beyond)
    return xp.where((x > 0) & (x < np.inf), found, xp.where(x == 0, -np.inf, np.nan))


def _fresnel(xp: Any, x: Array, is_sine: bool) -> Array:
    """By Gauss's quadrature below 5, by the asymptotic expansion from there on."""
    size = xp.absolute(x)
    near = xp.minimum(size, 5.0)
    wave = xp.sin if is_sine else xp.cos
    total = xp.zeros_like(near)
    for node, weight in zip(*np.polynomial.legendre.leggauss(64), strict=True):
        total = total + weight * wave(math.pi / 2 * (near * ((node + 1) / 2)) ** 2)
    total = total * near / 2
    far = xp.clip(size, 5.0, 1e8)
    inverse = 1 / (math.pi * far * far)
    f = g = xp.zeros_like(far)
    even, odd = xp.ones_like(far), inverse
    for k in range(12):
        f, g = f + even, g + odd
        even = -even * (4 * k + 1) * (4 * k + 3) * inverse * inverse
        odd = -odd * (4 * k + 3) * (4 * k + 5) * inverse * inverse
    f, g = f / (math.pi * far), g / (math.pi * far)
    quarter = xp.fmod(far * far, 4.0) * (math.pi / 2)
    sine, cosine = xp.sin(quarter), xp.cos(quarter)
    beyond = 0.5 - f * cosine - g * sine if is_sine else 0.5 + f * sine - g * cosine
    found = xp.where(size < 5, total, xp.where(size > 1e8, 0.5, beyond))
    return xp.where(xp.isnan(x), x, found * xp.sign(x))


def _dilogarithm(xp: Any, x: Array) -> Array:
    """The dilogarithm of 1 - x: brought to between 0.5 and 1.5, where the series converges fast."""
    known = xp.where(x > 0, x, 1.0)
    inverted = known > 1.5
    inner = xp.where(inverted, 1 / known, known)
    mirrored = inner < 0.5
    argument = xp.where(mirrored, inner, 1 - inner)
    term, total = xp.ones_like(argument), xp.zeros_like(argument)
    for k in range(1, 60):
        term = term * argument
        total = total + term / (k * k)
    logarithm = xp.log(inner)
    total = xp.where(mirrored, math.pi**2 / 6 - logarithm * xp.log1p(-xp.where(mirrored, inner, 0.0)) - total, total)
    found = xp.where(inverted, -0.5 * xp.log(known) ** 2 - total, total)
    return xp.where((x > 0) & (x < np.inf), found, xp.where(x == 0, math.pi**2 / 6, np.nan))


def _define(op_name: str, name: str, function: Callable[[Any, Array], Array], told: str, slope: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Any:
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            return slope(grad, op.inputs[0], op.outputs[0])

    members = {"__doc__": told, "__module__": __name__, "function": staticmethod(function), "gradient": staticmethod(gradient)}
    type(op_name, (_Integral,), members)

    def build(x: Any, name: str | None = None) -> Tensor:
        with name_scope(name, build.__name__, [x]):
            return apply(op_name, x)

    build.__name__ = build.__qualname__ = name
    build.__doc__ = told
    return build


def _spence_slope(grad: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return grad * where(equal(x, 1.0), negative(ones_like(x)), log(x) / (1 - x))


dawsn = _define("Dawsn", "dawsn", _dawson, "Dawson's integral.", lambda grad, x, y: grad * (1.0 - 2 * x * y))
expint = _define("Expint", "expint", _exponential, "The exponential integral Ei.", lambda grad, x, y: grad * exp(x) / x)
fresnel_cos = _define(
    "FresnelCos",
    "fresnel_cos",
    lambda xp, x: _fresnel(xp, x, False),
    "Fresnel's integral of the cosine.",
    lambda grad, x, y: grad * cos((np.pi / 2.0) * square(x)),
)
fresnel_sin = _define(
    "FresnelSin",
    "fresnel_sin",
    lambda xp, x: _fresnel(xp, x, True),
    "Fresnel's integral of the sine.",
    lambda grad, x, y: grad * sin((np.pi / 2.0) * square(x)),
)
spence = _define("Spence", "spence", _dilogarithm, "Spence's function, the dilogarithm of 1 - x.", _spence_slope)
