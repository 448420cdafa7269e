"""The normal distribution (`tf.distributions.Normal`)."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import numpy as np

from gpersist.distributions.distribution import FULLY_REPARAMETERIZED, Distribution
from gpersist.distributions.divergence import RegisterKL
from gpersist.dtypes import float32, float64
from gpersist.graph import Tensor, get_default_graph, name_scope
from gpersist.ops.checks import assert_positive, assert_same_float_dtype
from gpersist.ops.choosing import where_v2
from gpersist.ops.constants import constant
from gpersist.ops.filling import ones_like
from gpersist.ops.joining import concat
from gpersist.ops.math import erf, erfc, greater, less, log, maximum, minimum, square, squared_difference
from gpersist.ops.passing import identity
from gpersist.ops.random import random_normal
from gpersist.ops.special_functions import ndtri
from gpersist.ops.unary import abs as magnitude

__all__ = ["Normal"]


class Normal(Distribution):
    """Normal distributions of means `loc` and standard deviations `scale` (`tf.distributions.Normal`).

    Raises:
        TypeError: the two are of different types, or not floating.
    """

    _parameter_names = _broadcast_names = ("loc", "scale")

    def __init__(self, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Normal") -> None:
        parameters = dict(locals())
        with name_scope(name, values=[loc, scale]) as scope, checked([assert_positive(scale)] if validate_args else []):
            self._loc, self._scale = identity(loc, name="loc"), identity(scale, name="scale")
            assert_same_float_dtype([self._loc, self._scale])
        parents = [self._loc, self._scale]
        super().__init__(self._scale.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, parents, scope)

    @property
    def loc(self) -> Tensor:
        """The means."""
        return self._loc

    @property
    def scale(self) -> Tensor:
        """The standard deviations."""
        return self._scale

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        shape = concat([[n], self.batch_shape_tensor()], 0)
        return random_normal(shape=shape, mean=0.0, stddev=1.0, dtype=self.loc.dtype, seed=seed) * self.scale + self.loc

    def _log_prob(self, value: Tensor) -> Tensor:
        return -0.5 * square(self._z(value)) - (0.5 * math.log(2 * math.pi) + log(self.scale))

    def _log_cdf(self, value: Tensor) -> Tensor:
        return log_normal_cdf(self._z(value))

    def _cdf(self, value: Tensor) -> Tensor:
        return normal_cdf(self._z(value))

    def _log_survival_function(self, value: Tensor) -> Tensor:
        return log_normal_cdf(-self._z(value))

    def _survival_function(self, value: Tensor) -> Tensor:
        return normal_cdf(-self._z(value))

    def _quantile(self, value: Tensor) -> Tensor:
        infinity = constant(np.inf, dtype=value.dtype)
        z = where_v2(value <= 0.0, -infinity, where_v2(value >= 1.0, infinity, ndtri(value)))
        with name_scope("reconstruct", values=[z]):
            return z * self.scale + self.loc

    def _entropy(self) -> Tensor:
        scale = self.scale * ones_like(self.loc)
        return 0.5 * math.log(2 * math.pi * math.e) + log(scale)

    def _mean(self) -> Tensor:
        return self.loc * ones_like(self.scale)

    def _stddev(self) -> Tensor:
        return self.scale * ones_like(self.loc)

    def _mode(self) -> Tensor:
        return self._mean()

    def _z(self, value: Tensor) -> Tensor:
        with name_scope("standardize", values=[value]):
            return (value - self.loc) / self.scale


@RegisterKL(Normal, Normal)
def _divergence(a: Normal, b: Normal, name: str | None = None) -> Tensor:
    with name_scope(name, "kl_normal_normal", [a.loc, b.loc]):
        one, two, half = (constant(number, dtype=a.dtype) for number in (1, 2, 0.5))
        a_square, b_square = square(a.scale), square(b.scale)
        ratio = a_square / b_square
        return squared_difference(a.loc, b.loc) / (two * b_square) + half * (ratio - one - log(ratio))


def checked(assertions: list[Any]) -> contextlib.AbstractContextManager[Any]:
    """A context whose nodes are computed after assertions."""
    return get_default_graph().control_dependencies(assertions)


def normal_cdf(x: Tensor) -> Tensor:
    """The probability of a standard normal number that is not larger than `x`.

    Raises:
        TypeError: `x` is neither float32 nor float64.
    """
    with name_scope("ndtr", values=[x]):
        if x.dtype not in (float32, float64):
            raise TypeError(f"x.dtype={x.dtype} is not handled, see docstring for supported types.")
        return _cdf(x)


def _cdf(x: Tensor) -> Tensor:
    half_sqrt_2 = constant(0.5 * np.sqrt(2.0), dtype=x.dtype, name="half_sqrt_2")
    w = x * half_sqrt_2
    z = magnitude(w)
    tail = where_v2(greater(w, 0.0), 2.0 - erfc(z), erfc(z))
    return 0.5 * where_v2(less(z, half_sqrt_2), 1.0 + erf(w), tail)


def log_normal_cdf(x: Tensor) -> Tensor:
    """The logarithm of `normal_cdf`: far below zero, from the first terms of its asymptotic series.

    Raises:
        TypeError: `x` is neither float32 nor float64.
    """
    with name_scope("log_ndtr", values=[x]):
        if x.dtype not in (float32, float64):
            raise TypeError(f"x.dtype={x.dtype} is not supported.")
        lower, upper = (-10.0, 5.0) if x.dtype == float32 else (-20.0, 8.0)
        middle = log(_cdf(maximum(x, lower)))
        return where_v2(greater(x, upper), -_cdf(-x), where_v2(greater(x, lower), middle, _log_cdf_far_below(minimum(x, lower))))


def _log_cdf_far_below(x: Tensor) -> Tensor:
    square_of_x = square(x)
    series = 1.0 - 1.0 / square_of_x + 3.0 / square_of_x**2 - 15.0 / square_of_x**3
    return -0.5 * square_of_x - log(-x) - 0.5 * math.log(2 * math.pi) + log(series)
