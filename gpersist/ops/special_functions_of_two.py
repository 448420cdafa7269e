"""The incomplete gamma and beta functions and their derivatives, for arrays of any kind: computed in float64.

(W. H. Press et al., Numerical Recipes, chapter 6; derivatives term by term.)
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, apply_op, sample
from gpersist.ops import shape_functions
from gpersist.ops.arithmetic import xlog1py, xlogy
from gpersist.ops.kernels import shown
from gpersist.ops.shaping import reshape, shape_of
from gpersist.ops.special_functions import Digamma, Lgamma, lgamma
from gpersist.ops.unary import exp, log
from gpersist.shapes import TensorShape

__all__ = ["betainc", "igamma", "igammac"]

_TINY = 1e-300
_MOST_STEPS = 5000


class _OfTwo(OpType, abstract=True):
    inputs = "a: T, x: T"
    outputs = "z: T"
    attrs = "T: {bfloat16, half, float, double}"
    shapes = staticmethod(shape_functions.broadcast)
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("double[2,6] in 0.2..5", "double[2,6] in 0.2..8"),
        sample("double[5] in 5..60", "double[2,1] in 5..60"),
        sample("float[2,3] in 0.5..4", "float[3] in 0.3..6"),
        sample("float[0]", "float[1]"),
    )


def _lower_series(xp: Any, a: Array, x: Array) -> tuple[Array, Array]:
    """The sum of x^n / ((a + 1) ... (a + n)), and its derivative with respect to a."""
    term, slope = xp.ones_like(a), xp.zeros_like(a)
    total, total_slope = term, slope
    for n in range(1, _MOST_STEPS):
        slope = (slope - term / (a + n)) * x / (a + n)
        term = term * x / (a + n)
        total, total_slope = total + term, total_slope + slope
        if n % 16 == 0 and not bool((xp.absolute(slope) > 1e-17 * xp.absolute(total_slope)).any() or (term > 1e-17 * total).any()):
            break
    return total, total_slope


def _upper_fraction(xp: Any, a: Array, x: Array) -> tuple[Array, Array]:
    """The continued fraction of the upper integral, and its derivative with respect to a: by the recurrence of its convergents."""
    y, z = 1 - a, x + 2 - a
    p_before, q_before, p, q = xp.ones_like(x), x, x + 1, z * x
    dp_before, dq_before, dp, dq = xp.zeros_like(x), xp.zeros_like(x), xp.zeros_like(x), -x
    found = p / q
    slope = (dp - found * dq) / q
    for c in range(1, _MOST_STEPS):
        y, z = y + 1, z + 2
        factor = y * c
        dp, dp_before = dp * z - p - dp_before * factor + p_before * c, dp
        dq, dq_before = dq * z - q - dq_before * factor + q_before * c, dq
        p, p_before = p * z - p_before * factor, p
        q, q_before = q * z - q_before * factor, q
        scale = xp.where(xp.absolute(q) > 1e200, 1e-200, 1.0)
        p, p_before, q, q_before = p * scale, p_before * scale, q * scale, q_before * scale
        dp, dp_before, dq, dq_before = dp * scale, dp_before * scale, dq * scale, dq_before * scale
        before, slope_before = found, slope
        found = p / q
        slope = (dp - found * dq) / q
        if c % 16 == 0:  # by then it is down to rounding errors, of which the slope has more, and more of them the larger x is
            moves = (xp.absolute(found - before) > 4e-15 * xp.absolute(found)) | (xp.absolute(slope - slope_before) > 4e-13 * xp.absolute(slope))
            if not bool(moves.any()):
                break
    return found, slope


def _gammas(xp: Any, a: Array, x: Array) -> tuple[Array, Array, Array]:
    """The lower and the upper regularised gamma function, and the derivative of the lower one with respect to a."""
    shape = np.broadcast_shapes(a.shape, x.shape)
    a, x = xp.broadcast_to(a, shape).astype(np.float64), xp.broadcast_to(x, shape).astype(np.float64)
    with np.errstate(all="ignore"):
        is_known = (a > 0) & (x > 0) & xp.isfinite(a) & xp.isfinite(x)
        is_low = (x <= 1) | (x <= a)
        safe_a, safe_x = xp.where(is_known, a, 1.0), xp.where(is_known, x, 1.0)
        logarithm = xp.log(safe_x)
        power = safe_a * logarithm - safe_x
        low_a, low_x = xp.where(is_low, safe_a, 1.0), xp.where(is_low, safe_x, 0.5)
        series, series_slope = _lower_series(xp, low_a, low_x)
        factor = xp.exp(power - Lgamma.run(xp, safe_a + 1))
        lower = factor * series
        lower_slope = lower * (logarithm - Digamma.run(xp, safe_a + 1)) + factor * series_slope
        high_a, high_x = xp.where(is_low, 1.0, safe_a), xp.where(is_low, 2.0, safe_x)
        fraction, fraction_slope = _upper_fraction(xp, high_a, high_x)
        factor = xp.exp(power - Lgamma.run(xp, safe_a))
        upper = factor * fraction
        upper_slope = factor * (fraction_slope + fraction * (logarithm - Digamma.run(xp, safe_a)))
        lower, upper = xp.where(is_low, lower, 1 - upper), xp.where(is_low, 1 - lower, upper)
        slope = xp.where(is_low, lower_slope, -upper_slope)
        outside = xp.isnan(a) | xp.isnan(x) | (a <= 0) | (x < 0)
        lower = xp.where(is_known, lower, xp.where(outside, np.nan, xp.where(x == 0, 0.0, xp.where(xp.isinf(x) & ~xp.isinf(a), 1.0, 0.0))))
        lower = xp.where(xp.isinf(a) & xp.isinf(x), np.nan, lower)
        upper = xp.where(is_known, upper, 1 - lower)
        slope = xp.where(is_known, slope, xp.where(outside, np.nan, 0.0))
        lower, slope = (xp.where(x == 0, 0.0, each) for each in (lower, slope))  # whatever a is, NaN included
    return lower, upper, slope


def _broadcast(a: Array, x: Array) -> None:
    try:
        np.broadcast_shapes(a.shape, x.shape)
    except ValueError:
        raise InvalidArgumentError(f"Incompatible shapes: {shown(a.shape)} vs. {shown(x.shape)}") from None


def _incomplete_gradient(op: Operation, grad: Tensor) -> list[Tensor]:
    a, x = op.inputs
    shapes = shape_of(a), shape_of(x)
    axes = apply_op("BroadcastGradientArgs", *shapes).outputs
    with op.graph.control_dependencies([grad]):
        partials = apply("IgammaGradA", a, x), exp(-x + (a - 1) * log(x) - lgamma(a))
        return [reshape(apply("Sum", partial * grad, axis), shape) for partial, axis, shape in zip(partials, axes, shapes, strict=True)]


class Igamma(_OfTwo):
    """The lower regularised incomplete gamma function."""

    @staticmethod
    def run(xp: Any, a: Array, x: Array) -> Array:
        _broadcast(a, x)
        return _gammas(xp, a, x)[0].astype(a.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor]:
        return _incomplete_gradient(op, grad)


class Igammac(_OfTwo):
    """The upper regularised incomplete gamma function."""

    @staticmethod
    def run(xp: Any, a: Array, x: Array) -> Array:
        _broadcast(a, x)
        return _gammas(xp, a, x)[1].astype(a.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor]:
        return [-part for part in _incomplete_gradient(op, grad)]


class IgammaGradA(_OfTwo):
    """The derivative of `Igamma` with respect to a."""

    attrs = "T: {float, double}"

    @staticmethod
    def run(xp: Any, a: Array, x: Array) -> Array:
        _broadcast(a, x)
        return _gammas(xp, a, x)[2].astype(a.dtype)


class RandomGammaGrad(_OfTwo):
    """The derivative of a number of a gamma distribution with respect to its parameter."""

    inputs = "alpha: T, sample: T"
    outputs = "output: T"
    attrs = "T: {float, double}"

    @staticmethod
    def run(xp: Any, alpha: Array, sample: Array) -> Array:
        _broadcast(alpha, sample)
        with np.errstate(all="ignore"):
            a, x = alpha.astype(np.float64), sample.astype(np.float64)
            density = xp.exp((a - 1) * xp.log(x) - x - Lgamma.run(xp, a))
            return xp.where(x == 0, 0.0, -_gammas(xp, a, x)[2] / density).astype(alpha.dtype)


class Betainc(OpType):
    """The regularised incomplete beta function."""

    inputs = "a: T, b: T, x: T"
    outputs = "z: T"
    attrs = "T: {float, double}"
    samples = (
        sample("double[2,4] in 0.3..6", "double[2,4] in 0.3..6", "double[2,4] in 0.05..0.95"),
        sample("double: 20.0", "double: 3.0", "double[5] in 0.05..0.95"),
        sample("float[3] in 0.5..3", "float[3] in 0.5..3", "float[3] in 0.1..0.9"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        others = [tensor.shape for tensor in op._inputs if tensor.shape.rank != 0]
        return [shape_functions.merged_shapes(others) if others else shape_functions.SCALAR]  # a scalar goes with any

    @staticmethod
    def run(xp: Any, a: Array, b: Array, x: Array) -> Array:
        full = [array.shape for array in (a, b, x) if array.ndim]
        if len(set(full)) > 1:
            raise InvalidArgumentError(f"Shapes of a, b and x are inconsistent: {', '.join(shown(shape) for shape in full)}")
        with np.errstate(all="ignore"):
            return _incomplete_beta(xp, a.astype(np.float64), b.astype(np.float64), x.astype(np.float64)).astype(x.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        a, b, x = op.inputs
        shapes = shape_of(a), shape_of(x)
        axes = apply_op("BroadcastGradientArgs", *shapes).outputs[1]
        log_beta = lgamma(a) + lgamma(b) - lgamma(a + b)
        partial = exp(xlog1py(b - 1, -x) + xlogy(a - 1, x) - log_beta)
        return [None, None, reshape(apply("Sum", partial * grad, axes), shapes[1])]


def _incomplete_beta(xp: Any, a: Array, b: Array, x: Array) -> Array:
    """By its continued fraction, after Lentz; beyond the mean that of the mirrored function."""
    is_distribution = (a > 0) & (b > 0)
    is_known = is_distribution & (x > 0) & (x < 1)
    a, b, inner = (xp.where(is_known, value, 0.5) for value in (a, b, x))
    mirrored = inner > (a + 1) / (a + b + 2)
    a, b = xp.where(mirrored, b, a), xp.where(mirrored, a, b)
    inner = xp.where(mirrored, 1 - inner, inner)
    d = 1 - (a + b) * inner / (a + 1)
    d = 1 / xp.where(xp.absolute(d) < _TINY, _TINY, d)
    c, fraction = xp.ones_like(d), d
    for m in range(1, _MOST_STEPS):
        for numerator in (
            m * (b - m) * inner / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * inner / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + numerator * d
            d = 1 / xp.where(xp.absolute(d) < _TINY, _TINY, d)
            c = 1 + numerator / c
            c = xp.where(xp.absolute(c) < _TINY, _TINY, c)
            fraction = fraction * d * c
        if m % 16 == 0 and not bool((xp.absolute(d * c - 1) > 1e-15).any()):
            break
    log_beta = Lgamma.run(xp, a) + Lgamma.run(xp, b) - Lgamma.run(xp, a + b)
    found = xp.exp(a * xp.log(inner) + b * xp.log1p(-inner) - log_beta) * fraction / a
    found = xp.where(mirrored, 1 - found, found)
    at_the_ends = xp.where(x == 0, 0.0, xp.where(x == 1, 1.0, math.nan))
    return xp.where(is_known, found, xp.where(is_distribution, at_the_ends, math.nan))


def igamma(a: Any, x: Any, name: str | None = None) -> Tensor:
    """The lower regularised incomplete gamma function (`tf.igamma`)."""
    return apply("Igamma", a, x, name=name)


def igammac(a: Any, x: Any, name: str | None = None) -> Tensor:
    """The upper regularised incomplete gamma function (`tf.igammac`)."""
    return apply("Igammac", a, x, name=name)


def betainc(a: Any, b: Any, x: Any, name: str | None = None) -> Tensor:
    """The regularised incomplete beta function (`tf.betainc`)."""
    return apply("Betainc", a, b, x, name=name)


def random_gamma_grad(alpha: Any, sample: Any, name: str | None = None) -> Tensor:
    """The derivative of a number of a gamma distribution with respect to its parameter."""
    return apply("RandomGammaGrad", alpha, sample, name=name)
