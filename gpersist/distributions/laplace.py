"""The Laplace distribution (`tf.distributions.Laplace`)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gpersist.distributions.distribution import FULLY_REPARAMETERIZED, Distribution
from gpersist.graph import Tensor, get_default_graph, name_scope
from gpersist.ops.checks import assert_positive, assert_same_float_dtype
from gpersist.ops.choosing import where_v2
from gpersist.ops.filling import zeros_like
from gpersist.ops.joining import concat
from gpersist.ops.math import exp, log, log1p
from gpersist.ops.passing import identity
from gpersist.ops.random import random_uniform
from gpersist.ops.unary import abs as magnitude
from gpersist.ops.unary import sign

__all__ = ["Laplace"]


class Laplace(Distribution):
    """Laplace distributions around `loc`, wide as `scale` (`tf.distributions.Laplace`).

    Raises:
        TypeError: the two are of different types, or not floating.
    """

    _parameter_names = _broadcast_names = ("loc", "scale")

    def __init__(self, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Laplace") -> None:
        parameters = dict(locals())
        with name_scope(name, values=[loc, scale]) as scope:
            checks = [assert_positive(scale)] if validate_args else []
            with get_default_graph().control_dependencies(checks):
                self._loc, self._scale = identity(loc, name="loc"), identity(scale, name="scale")
                assert_same_float_dtype([self._loc, self._scale])
        parents = [self._loc, self._scale]
        super().__init__(self._loc.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, parents, scope)

    @property
    def loc(self) -> Tensor:
        """The middles."""
        return self._loc

    @property
    def scale(self) -> Tensor:
        """The mean distances from them."""
        return self._scale

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        shape, kind = concat([[n], self.batch_shape_tensor()], 0), np.dtype(self.dtype.numpy).type
        drawn = random_uniform(shape=shape, minval=np.nextafter(kind(-1.0), kind(0.0)), maxval=1.0, dtype=self.dtype, seed=seed)
        return self.loc - self.scale * sign(drawn) * log1p(-magnitude(drawn))

    def _log_prob(self, value: Tensor) -> Tensor:
        return -magnitude(self._z(value)) - (math.log(2.0) + log(self.scale))

    def _log_cdf(self, value: Tensor) -> Tensor:
        return _log_cdf(self._z(value))

    def _log_survival_function(self, value: Tensor) -> Tensor:
        return _log_cdf(-self._z(value))

    def _cdf(self, value: Tensor) -> Tensor:
        z = self._z(value)
        return 0.5 + 0.5 * sign(z) * (1.0 - exp(-magnitude(z)))

    def _entropy(self) -> Tensor:
        scale = self.scale + zeros_like(self.loc)
        return math.log(2.0) + 1.0 + log(scale)

    def _mean(self) -> Tensor:
        return self.loc + zeros_like(self.scale)

    def _stddev(self) -> Tensor:
        return math.sqrt(2.0) * self.scale + zeros_like(self.loc)

    def _mode(self) -> Tensor:
        return self._mean()

    def _z(self, value: Tensor) -> Tensor:
        return (value - self.loc) / self.scale


def _log_cdf(x: Tensor) -> Tensor:
    with name_scope("log_cdf_laplace", values=[x]):
        below = -np.log(2.0) + x
        above = log1p(-0.5 * exp(-magnitude(x)))
        return where_v2(x < 0.0, below, above)
