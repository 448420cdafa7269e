"""Student's t-distribution (`tf.distributions.StudentT`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.distributions.checks import another_seed, depending, nan_like_batch
from gpersist.distributions.distribution import FULLY_REPARAMETERIZED, Distribution
from gpersist.graph import Tensor, get_default_graph, name_scope
from gpersist.ops.checks import assert_less, assert_positive, assert_same_float_dtype
from gpersist.ops.choosing import where_v2
from gpersist.ops.filling import fill, ones, ones_like
from gpersist.ops.joining import concat
from gpersist.ops.math import digamma, greater, less, lgamma, log, log1p, rsqrt, square
from gpersist.ops.passing import identity
from gpersist.ops.random import random_normal
from gpersist.ops.random_gamma import random_gamma
from gpersist.ops.special_functions import lbeta
from gpersist.ops.special_functions_of_two import betainc
from gpersist.ops.unary import abs as magnitude

__all__ = ["StudentT"]


class StudentT(Distribution):
    """Student's t-distributions of `df` degrees of freedom, moved and scaled (`tf.distributions.StudentT`).

    Raises:
        TypeError: the parameters are of different types, or not floating.
    """

    _parameter_names = _broadcast_names = ("df", "loc", "scale")

    def __init__(self, df: Any, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "StudentT") -> None:
        parameters = dict(locals())
        with name_scope(name, values=[df, loc, scale]) as scope:
            checks = [assert_positive(df)] if validate_args else []
            with get_default_graph().control_dependencies(checks):
                self._df, self._loc, self._scale = identity(df, name="df"), identity(loc, name="loc"), identity(scale, name="scale")
                assert_same_float_dtype((self._df, self._loc, self._scale))
        parents = [self._df, self._loc, self._scale]
        super().__init__(self._scale.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, parents, scope)

    @property
    def df(self) -> Tensor:
        """The degrees of freedom."""
        return self._df

    @property
    def loc(self) -> Tensor:
        """The middles."""
        return self._loc

    @property
    def scale(self) -> Tensor:
        """The scales."""
        return self._scale

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        normal = random_normal(concat([[n], self.batch_shape_tensor()], 0), dtype=self.dtype, seed=seed)
        df = self.df * self._ones()
        squares = random_gamma([n], 0.5 * df, beta=0.5, dtype=self.dtype, seed=another_seed(seed, "student_t"))
        return normal * rsqrt(squares / df) * self.scale + self.loc

    def _log_prob(self, value: Tensor) -> Tensor:
        y = (value - self.loc) / self.scale
        unnormalized = -0.5 * (self.df + 1.0) * log1p(y**2.0 / self.df)
        constants = log(magnitude(self.scale)) + 0.5 * log(self.df) + 0.5 * np.log(np.pi)
        normalization: Tensor = constants + lgamma(0.5 * self.df) - lgamma(0.5 * (self.df + 1.0))
        return unnormalized - normalization

    def _cdf(self, value: Tensor) -> Tensor:
        y = (value - self.loc) / magnitude(self.scale)
        tail = 0.5 * betainc(0.5 * self.df, 0.5, self.df / (y**2.0 + self.df))
        return where_v2(less(y, 0.0), tail, 1.0 - tail)

    def _entropy(self) -> Tensor:
        one = self._ones()[..., None]
        halves = concat([one * self.df[..., None], one], -1) / 2.0
        constants = log(magnitude(self.scale)) + 0.5 * log(self.df) + lbeta(halves)
        return constants + 0.5 * (self.df + 1.0) * (digamma(0.5 * (self.df + 1.0)) - digamma(0.5 * self.df))

    def _mean(self) -> Tensor:
        mean = self.loc * self._ones()
        return self._where_above_one(mean, "mean not defined for components of df <= 1")

    def _variance(self) -> Tensor:
        denominator = where_v2(greater(self.df, 2.0), self.df - 2.0, ones_like(self.df))
        variance = self._ones() * square(self.scale) * self.df / denominator
        two, infinity = (np.array(number, dtype=self.dtype.numpy) for number in (2.0, np.inf))
        is_finite = self.df > fill(self.batch_shape_tensor(), two)
        variance = where_v2(is_finite, variance, fill(self.batch_shape_tensor(), infinity, name="inf"))
        return self._where_above_one(variance, "variance not defined for components of df <= 1")

    def _mode(self) -> Tensor:
        return identity(self.loc)

    def _ones(self) -> Tensor:
        return ones(self.batch_shape_tensor(), dtype=self.dtype)

    def _where_above_one(self, value: Tensor, message: str) -> Tensor:
        """A statistic that is defined where there is more than one degree of freedom."""
        if self.allow_nan_stats:
            is_defined = greater(self.df, self._ones())
            return where_v2(is_defined, value, nan_like_batch(self))
        return depending([assert_less(ones([], dtype=self.dtype), self.df, message=message)], value)
