"""The uniform distribution (`tf.distributions.Uniform`)."""

from __future__ import annotations

import math
from typing import Any

from gpersist.distributions.distribution import FULLY_REPARAMETERIZED, Distribution
from gpersist.graph import Tensor, get_default_graph, name_scope
from gpersist.ops.broadcasting import broadcast_dynamic_shape
from gpersist.ops.checks import assert_less, assert_same_float_dtype
from gpersist.ops.choosing import where_v2
from gpersist.ops.filling import ones, ones_like, zeros, zeros_like
from gpersist.ops.joining import concat
from gpersist.ops.math import is_nan, log, logical_or, square
from gpersist.ops.passing import identity
from gpersist.ops.random import random_uniform
from gpersist.ops.shaping import shape as shape_of

__all__ = ["Uniform"]


class Uniform(Distribution):
    """Uniform distributions of numbers from `low` to below `high` (`tf.distributions.Uniform`).

    Raises:
        TypeError: the two are of different types, or not floating.
    """

    _parameter_names = _broadcast_names = ("low", "high")

    def __init__(self, low: Any = 0.0, high: Any = 1.0, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Uniform") -> None:
        parameters = dict(locals())
        with name_scope(name, values=[low, high]) as scope:
            checks = [assert_less(low, high, message="uniform not defined when low >= high.")] if validate_args else []
            with get_default_graph().control_dependencies(checks):
                self._low, self._high = identity(low, name="low"), identity(high, name="high")
                assert_same_float_dtype([self._low, self._high])
        parents = [self._low, self._high]
        super().__init__(self._low.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, parents, scope)

    @property
    def low(self) -> Tensor:
        """The lowest number."""
        return self._low

    @property
    def high(self) -> Tensor:
        """The number above all."""
        return self._high

    def range(self, name: str = "range") -> Tensor:
        """`high - low`."""
        with self._scope(name):
            return self.high - self.low

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        drawn = random_uniform(shape=concat([[n], self.batch_shape_tensor()], 0), dtype=self.dtype, seed=seed)
        return self.low + self.range() * drawn

    def _prob(self, value: Tensor) -> Tensor:
        given = value * ones(self.batch_shape_tensor(), dtype=value.dtype)
        invalid = is_nan(given)
        outside = logical_or(given < self.low, given >= self.high)
        return where_v2(invalid, given, where_v2(outside, zeros_like(given), ones_like(given) / self.range()))

    def _cdf(self, value: Tensor) -> Tensor:
        shape = broadcast_dynamic_shape(shape_of(value), self.batch_shape_tensor())
        none, all_of = zeros(shape, dtype=self.dtype), ones(shape, dtype=self.dtype)
        given = value * all_of
        below_high = where_v2(value < self.low, none, (given - self.low) / self.range())
        return where_v2(value >= self.high, all_of, below_high)

    def _entropy(self) -> Tensor:
        return log(self.range())

    def _mean(self) -> Tensor:
        return (self.low + self.high) / 2.0

    def _variance(self) -> Tensor:
        return square(self.range()) / 12.0

    def _stddev(self) -> Tensor:
        return self.range() / math.sqrt(12.0)
