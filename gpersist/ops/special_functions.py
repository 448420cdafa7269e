"""The error function, the gamma function, and what comes with them, for arrays of any kind; accurate to the last digits of their types.

Everything but the float32 error function is computed in float64.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, apply_op, convert_to_tensor, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.builders import unary
from gpersist.ops.complex_numbers import conj
from gpersist.ops.constants import constant
from gpersist.ops.kernels import in_blocks
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.shaping import reshape, shape_of
from gpersist.ops.sparse_tensor import on_values
from gpersist.ops.unary import exp, square

__all__ = ["digamma", "erf", "erfc", "erfcinv", "erfinv", "lbeta", "lgamma", "ndtri", "polygamma", "zeta"]


class _Special(OpType, abstract=True):
    inputs = "x: T"
    outputs = "y: T"
    attrs = "T: {bfloat16, half, float, double}"
    is_foldable = True
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("float[2,3] in 0.1..3"),
        sample("double[4] in 0.1..3"),
        sample("double[4] in -2.9..-2.1"),
        sample("float[]"),
        sample("float[0]"),
    )
    shapes = staticmethod(shape_functions.same_as_input)


class Erf(_Special):
    """The error function."""

    samples = (*_Special.samples, sample("double[5] in -6..6"))

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        if x.dtype == np.float64:
            return _erf(xp, x)
        return in_blocks(xp, functools.partial(_erf_of_float, xp), x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        factor = constant(2 / np.sqrt(np.pi), grad.dtype)
        with op.graph.control_dependencies([grad]):
            return grad * factor * exp(-square(conj(op.inputs[0])))


class Erfc(_Special):
    """1 less the error function."""

    samples = (*_Special.samples, sample("double[5] in -6..6"))

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        value = x.astype(np.float64)
        size = xp.absolute(value)
        tail = _erfc_tail(xp, size)
        return xp.where(size < 0.5, 1 - _erf_near_zero(value), xp.where(value < 0, 2 - tail, tail)).astype(x.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        factor = constant(-2 / np.sqrt(np.pi), grad.dtype)
        with op.graph.control_dependencies([grad]):
            return grad * factor * exp(-square(conj(op.inputs[0])))


class Erfinv(_Special):
    """The inverse of the error function."""

    samples = (sample("float[2,3]"), sample("double[4] in -0.9..0.9"))

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        value = x.astype(np.float64)
        return (_normal_quantile(xp, value / 2, (1 - xp.absolute(value)) / 2) / math.sqrt(2)).astype(x.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        factor = constant(np.sqrt(np.pi) / 2, grad.dtype)
        with op.graph.control_dependencies([grad]):
            return grad * factor * exp(square(op.outputs[0]))


class Ndtri(_Special):
    """The quantile of the normal distribution."""

    samples = (sample("float[2,3] in 0.01..0.99"), sample("double[4] in 0.1..0.9"))

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        value = x.astype(np.float64)
        return _normal_quantile(xp, value - 0.5, xp.minimum(value, 1 - value)).astype(x.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        factor = constant(np.sqrt(2 * np.pi), grad.dtype)
        with op.graph.control_dependencies([grad]):
            return grad * factor * exp(square(op.outputs[0]) / 2.0)


class Lgamma(_Special):
    """The logarithm of the magnitude of the gamma function."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        value = x.astype(np.float64)
        positive = _lgamma_positive(xp, xp.where(value < 0.5, 1 - value, value))
        reflected = math.log(math.pi) - xp.log(xp.where(value < 0.5, _sine_of_pi(xp, value), 1.0)) - positive
        result = xp.where(value < 0.5, reflected, positive)
        return xp.where(xp.isinf(value), np.inf, result).astype(x.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            return grad * digamma(conj(op.inputs[0]))


class Digamma(_Special):
    """The derivative of `Lgamma`."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        value = x.astype(np.float64)
        is_pole = (value <= 0) & (value == xp.floor(value))
        shifted = xp.where(value < 0.5, 1 - value, value)
        total = xp.zeros_like(shifted)
        for _ in range(8):
            total = total - xp.where(shifted < 8, 1 / shifted, 0)
            shifted = xp.where(shifted < 8, shifted + 1, shifted)
        inverse = 1 / (shifted * shifted)
        total = total + xp.log(shifted) - 0.5 / shifted - inverse * _polynomial(_DIGAMMA_SERIES, inverse)
        reflected = total - math.pi / xp.tan(math.pi * xp.where((value < 0.5) & ~is_pole, value - xp.rint(value), 0.25))
        return xp.where(is_pole, np.nan, xp.where(value < 0.5, reflected, total)).astype(x.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            x = conj(op.inputs[0])
            return grad * polygamma(constant(1, x.dtype), x)


class Zeta(OpType):
    """Hurwitz's zeta function: the sum of (q + k)^-x over all k from 0."""

    inputs = "x: T, q: T"
    outputs = "z: T"
    attrs = "T: {float, double}"
    samples = (sample("float[2,3] in 1.5..4", "float[3] in 0.5..3"), sample("double[3] in 1.5..4", "double[3] in 0.5..3"))
    shapes = staticmethod(shape_functions.broadcast)

    @staticmethod
    def run(xp: Any, x: Array, q: Array) -> Array:
        return _zeta(xp, x.astype(np.float64), q.astype(np.float64)).astype(x.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        shape, axes = _reduction_to_second(op)
        with op.graph.control_dependencies([grad]):
            x, q = (conj(tensor) for tensor in op.inputs)
            return [None, reshape(apply("Sum", -x * zeta(x + 1, q) * grad, axes), shape)]


class Polygamma(OpType):
    """The derivatives of `Digamma`: the a-th at x."""

    inputs = "a: T, x: T"
    outputs = "z: T"
    attrs = "T: {float, double}"
    samples = (
        sample("float: [1., 2., 3.]", "float[2,3] in 0.5..3"),
        sample("double: 1.", "double[3] in 0.5..3"),
        sample("double: 0.", "double[3] in 0.5..3"),
    )
    shapes = staticmethod(shape_functions.broadcast)

    @staticmethod
    def run(xp: Any, a: Array, x: Array) -> Array:
        order, value = a.astype(np.float64), x.astype(np.float64)
        factor = xp.where(order % 2 == 0, -1.0, 1.0) * xp.exp(_lgamma_positive(xp, order + 1))
        result = xp.where(order == 0, Digamma.run(xp, value), factor * _zeta(xp, order + 1, value))
        return xp.where((order < 0) | (order != xp.floor(order)), np.nan, result).astype(x.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        shape, axes = _reduction_to_second(op)
        with op.graph.control_dependencies([grad]):
            a, x = (conj(tensor) for tensor in op.inputs)
            return [None, reshape(apply("Sum", polygamma(a + 1, x) * grad, axes), shape)]


def _reduction_to_second(op: Operation) -> tuple[Tensor, Tensor]:
    """The shape of the second input, and the axes along which it was broadcast: known when run, as TensorFlow builds it for these."""
    shapes = [shape_of(tensor) for tensor in op.inputs]
    return shapes[1], apply_op("BroadcastGradientArgs", *shapes).outputs[1]


def _erf_of_float(xp: Any, x: Array) -> Array:
    value = xp.clip(x.astype(np.float32), np.float32(-4), np.float32(4))
    squared = value * value
    return (value * _polynomial(_ERF_ABOVE, squared) / _polynomial(_ERF_BELOW, squared)).astype(x.dtype)


def _polynomial(factors: Sequence[float], x: Array) -> Array:
    """Horner's scheme; the factor of the highest power comes first."""
    result = factors[0] * x + factors[1]
    for factor in factors[2:]:
        result *= x
        result += factor
    return result


# Eigen's rational approximation of erf in float32, between -4 and 4.
_ERF_ABOVE = (
    -2.72614225801306e-10,
    2.77068142495902e-08,
    -2.10102402082508e-06,
    -5.69250639462346e-05,
    -7.34990630326855e-04,
    -2.95459980854025e-03,
    -1.60960333262415e-02,
)
_ERF_BELOW = (-1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03, -1.42647390514189e-02)

# W. J. Cody, Rational Chebyshev approximations for the error function, 1969.
_CODY_A = (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3)
_CODY_B = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
_CODY_C = (
    2.15311535474403846e-8,
    5.64188496988670089e-1,
    8.88314979438837594e0,
    6.61191906371416295e1,
    2.98635138197400131e2,
    8.81952221241769090e2,
    1.71204761263407058e3,
    2.05107837782607147e3,
    1.23033935479799725e3,
)
_CODY_D = (
    1.0,
    1.57449261107098347e1,
    1.17693950891312499e2,
    5.37181101862009858e2,
    1.62138957456669019e3,
    3.29079923573345963e3,
    4.36261909014324716e3,
    3.43936767414372164e3,
    1.23033935480374942e3,
)
_CODY_P = (
    1.63153871373020978e-2,
    3.05326634961232344e-1,
    3.60344899949804439e-1,
    1.25781726111229246e-1,
    1.60837851487422766e-2,
    6.58749161529837803e-4,
)
_CODY_Q = (1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3)


def _erf(xp: Any, x: Array) -> Array:
    size = xp.absolute(x)
    return xp.where(size < 0.5, _erf_near_zero(x), xp.sign(x) * (1 - _erfc_tail(xp, size)))


def _erf_near_zero(x: Array) -> Array:
    squared = x * x
    return x * _polynomial(_CODY_A, squared) / _polynomial(_CODY_B, squared)


def _erfc_tail(xp: Any, y: Array) -> Array:
    """erfc(y) for y of 0.46875 and more."""
    near = xp.clip(y, 0.46875, 4.0)
    middle = _polynomial(_CODY_C, near) / _polynomial(_CODY_D, near)
    far = xp.clip(y, 4.0, 30.0)
    inverse = 1 / (far * far)
    rest = inverse * _polynomial(_CODY_P, inverse) / _polynomial(_CODY_Q, inverse)
    outer = (1 / math.sqrt(math.pi) - rest) / far
    rounded = xp.floor(y * 16) / 16  # exp(-y * y) in two parts, the first of them exact
    power = xp.exp(-rounded * rounded) * xp.exp(-(y - rounded) * (y + rounded))
    result = xp.where(y <= 4, middle, outer) * power
    return xp.where(y > 27, 0.0, result)


# M. J. Wichura, Algorithm AS 241, 1988.
_QUANTILE = (
    (
        (
            2.5090809287301226727e3,
            3.3430575583588128105e4,
            6.7265770927008700853e4,
            4.5921953931549871457e4,
            1.3731693765509461125e4,
            1.9715909503065514427e3,
            1.3314166789178437745e2,
            3.3871328727963666080e0,
        ),
        (
            5.2264952788528545610e3,
            2.8729085735721942674e4,
            3.9307895800092710610e4,
            2.1213794301586595867e4,
            5.3941960214247511077e3,
            6.8718700749205790830e2,
            4.2313330701600911252e1,
            1.0,
        ),
    ),
    (
        (
            7.74545014278341407640e-4,
            2.27238449892691845833e-2,
            2.41780725177450611770e-1,
            1.27045825245236838258e0,
            3.64784832476320460504e0,
            5.76949722146069140550e0,
            4.63033784615654529590e0,
            1.42343711074968357734e0,
        ),
        (
            1.05075007164441684324e-9,
            5.47593808499534494600e-4,
            1.51986665636164571966e-2,
            1.48103976427480074590e-1,
            6.89767334985100004550e-1,
            1.67638483018380384940e0,
            2.05319162663775882187e0,
            1.0,
        ),
    ),
    (
        (
            2.01033439929228813265e-7,
            2.71155556874348757815e-5,
            1.24266094738807843860e-3,
            2.65321895265761230930e-2,
            2.96560571828504891230e-1,
            1.78482653991729133580e0,
            5.46378491116411436990e0,
            6.65790464350110377720e0,
        ),
        (
            2.04426310338993978564e-15,
            1.42151175831644588870e-7,
            1.84631831751005468180e-5,
            7.86869131145613259100e-4,
            1.48753612908506148525e-2,
            1.36929880922735805310e-1,
            5.99832206555887937690e-1,
            1.0,
        ),
    ),
)


def _normal_quantile(xp: Any, from_middle: Array, tail: Array) -> Array:
    """The normal quantile of p, given p - 0.5 and min(p, 1 - p)."""
    (above, below), near, far = _QUANTILE
    inner = 0.180625 - xp.minimum(from_middle * from_middle, 0.180625)
    middle = from_middle * _polynomial(above, inner) / _polynomial(below, inner)
    depth = xp.sqrt(-xp.log(xp.clip(tail, 5e-324, 0.5)))
    outer = xp.where(
        depth <= 5,
        _polynomial(near[0], xp.minimum(depth, 5) - 1.6) / _polynomial(near[1], xp.minimum(depth, 5) - 1.6),
        _polynomial(far[0], xp.maximum(depth, 5) - 5) / _polynomial(far[1], xp.maximum(depth, 5) - 5),
    )
    result = xp.where(xp.absolute(from_middle) <= 0.425, middle, xp.sign(from_middle) * outer)
    return xp.where(tail > 0, result, xp.where(tail == 0, xp.sign(from_middle) * np.inf, np.nan))


_LANCZOS = (
    0.99999999999980993,
    676.5203681218851,
    -1259.1392167224028,
    771.32342877765313,
    -176.61502916214059,
    12.507343278686905,
    -0.13857109526572012,
    9.9843695780195716e-6,
    1.5056327351493116e-7,
)


def _lgamma_positive(xp: Any, x: Array) -> Array:
    """log gamma(x) for x of 0.5 and more."""
    near = xp.minimum(x, 1e6) - 1
    total = xp.full_like(near, _LANCZOS[0])
    for index, factor in enumerate(_LANCZOS[1:], 1):
        total = total + factor / (near + index)
    shifted = near + 7.5
    small = 0.5 * math.log(2 * math.pi) + (near + 0.5) * xp.log(shifted) - shifted + xp.log(total)
    large = (x - 0.5) * xp.log(x) - x + 0.5 * math.log(2 * math.pi)
    result = xp.where(x < 1e6, small, large)
    return xp.where((x == 1) | (x == 2), 0.0, result)


def _sine_of_pi(xp: Any, x: Array) -> Array:
    """|sin(pi x)|, exactly 0 at whole numbers."""
    return xp.sin(math.pi * xp.absolute(x - xp.rint(x)))


_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
_DIGAMMA_SERIES = tuple(reversed([number / (2 * index) for index, number in enumerate(_BERNOULLI, 1)]))


def _zeta(xp: Any, x: Array, q: Array) -> Array:
    """By Euler and Maclaurin, after twelve terms."""
    total = xp.zeros(np.broadcast_shapes(np.shape(x), np.shape(q)))
    for index in range(12):
        total = total + (q + index) ** -x
    end = q + 12
    total = total + end ** (1 - x) / xp.where(x == 1, 1, x - 1) + 0.5 * end**-x
    factor, power = x, end ** (-x - 1)
    for index, number in enumerate(_BERNOULLI, 1):
        total = total + number / math.factorial(2 * index) * factor * power
        factor = factor * (x + 2 * index - 1) * (x + 2 * index)
        power = power / (end * end)
    is_pole = (q <= 0) & (q == xp.floor(q))
    result = xp.where(is_pole, xp.where(x % 2 == 0, np.inf, np.nan), total)
    return xp.where(x == 1, np.inf, xp.where((x < 1) | ((q <= 0) & (x != xp.floor(x))), np.nan, result))


erf = on_values("Erf")(unary("erf", "Erf", "The error function (`tf.erf`)."))
erfc = unary("erfc", "Erfc", "1 less the error function (`tf.erfc`).")
lgamma = unary("lgamma", "Lgamma", "The logarithm of the magnitude of the gamma function (`tf.lgamma`).")
digamma = unary("digamma", "Digamma", "The derivative of `lgamma` (`tf.digamma`).")


def polygamma(a: Any, x: Any, name: str | None = None) -> Tensor:
    """The a-th derivative of `digamma` at x (`tf.polygamma`)."""
    return apply("Polygamma", a, x, name=name)


def zeta(x: Any, q: Any, name: str | None = None) -> Tensor:
    """Hurwitz's zeta function (`tf.zeta`)."""
    return apply("Zeta", x, q, name=name)


def erfinv(x: Any, name: str | None = None) -> Tensor:
    """The inverse of the error function (`tf.math.erfinv`)."""
    with name_scope(name, "erfinv", [x]):
        return apply("Erfinv", x)


def ndtri(x: Any, name: str | None = None) -> Tensor:
    """The quantile of the normal distribution (`tf.math.ndtri`)."""
    with name_scope(name, "ndtri", [x]):
        return apply("Ndtri", x)


def erfcinv(x: Any, name: str | None = None) -> Tensor:
    """The inverse of the complementary error function (`tf.math.erfcinv`)."""
    with name_scope(name, "erfcinv", [x]):
        found: Tensor = -ndtri(0.5 * convert_to_tensor(x, name="start")) * np.sqrt(0.5)
        return found


def lbeta(x: Any, name: str | None = None) -> Tensor:
    """The logarithm of the magnitude of the beta function of the last axis (`tf.lbeta`)."""
    with name_scope(name, "lbeta", [x]):
        tensor = convert_to_tensor(x, name="x")
        summed = reduce_sum(lgamma(tensor), [-1])
        return summed - lgamma(reduce_sum(tensor, [-1]))
