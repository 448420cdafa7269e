"""The Dirichlet distribution (`tf.distributions.Dirichlet`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.distributions.checks import depending
from gpersist.distributions.distribution import FULLY_REPARAMETERIZED, Distribution
from gpersist.distributions.divergence import RegisterKL
from gpersist.graph import Tensor, convert_to_tensor, name_scope
from gpersist.ops.casting import cast
from gpersist.ops.checks import assert_less, assert_near, assert_positive, assert_rank_at_least
from gpersist.ops.choosing import where_v2
from gpersist.ops.filling import fill, ones
from gpersist.ops.math import digamma, rsqrt, xlogy
from gpersist.ops.matmul import matmul
from gpersist.ops.matrix_diagonal import matrix_set_diag
from gpersist.ops.random_gamma import random_gamma
from gpersist.ops.reductions import reduce_all, reduce_sum
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.special_functions import lbeta

__all__ = ["Dirichlet"]


class Dirichlet(Distribution):
    """Distributions of probabilities of classes (`tf.distributions.Dirichlet`): `concentration` has a weight for each, in its last dimension."""

    def __init__(self, concentration: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Dirichlet") -> None:
        parameters = dict(locals())
        with name_scope(name, values=[concentration]) as scope:
            self._concentration = _valid(convert_to_tensor(concentration, name="concentration"), validate_args)
            self._total_concentration = reduce_sum(self._concentration, -1)
        parents = [self._concentration, self._total_concentration]
        super().__init__(self._concentration.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, parents, scope)

    @property
    def concentration(self) -> Tensor:
        """The weights of the classes."""
        return self._concentration

    @property
    def total_concentration(self) -> Tensor:
        """All of them together."""
        return self._total_concentration

    def _batch_shape_tensor(self) -> Tensor:
        return shape_of(self.total_concentration)

    def _batch_shape(self) -> Any:
        return self.total_concentration.get_shape()

    def _event_shape_tensor(self) -> Tensor:
        return shape_of(self.concentration)[-1:]

    def _event_shape(self) -> Any:
        return self.concentration.get_shape().with_rank_at_least(1)[-1:]

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        drawn = random_gamma(shape=[n], alpha=self.concentration, dtype=self.dtype, seed=seed)
        return drawn / reduce_sum(drawn, -1, keepdims=True)

    def _log_prob(self, value: Tensor) -> Tensor:
        value = self._checked(value)
        return reduce_sum(xlogy(self.concentration - 1.0, value), -1) - lbeta(self.concentration)

    def _entropy(self) -> Tensor:
        count = cast(self.event_shape_tensor()[0], self.dtype)
        total = lbeta(self.concentration) + (self.total_concentration - count) * digamma(self.total_concentration)
        return total - reduce_sum((self.concentration - 1.0) * digamma(self.concentration), axis=-1)

    def _mean(self) -> Tensor:
        return self.concentration / self.total_concentration[..., None]

    def _covariance(self) -> Tensor:
        x = self._scale_of_variance() * self._mean()
        return matrix_set_diag(-matmul(x[..., None], x[..., None, :]), self._variance())

    def _variance(self) -> Tensor:
        scale = self._scale_of_variance()
        x = scale * self._mean()
        return x * (scale - x)

    def _scale_of_variance(self) -> Tensor:
        return rsqrt(1.0 + self.total_concentration[..., None])

    def _mode(self) -> Tensor:
        count = cast(self.event_shape_tensor()[0], self.dtype)
        mode = (self.concentration - 1.0) / (self.total_concentration[..., None] - count)
        if self.allow_nan_stats:
            nan = fill(shape_of(mode), np.array(np.nan, dtype=self.dtype.numpy), name="nan")
            return where_v2(reduce_all(self.concentration > 1.0, axis=-1), mode, nan)
        undefined = "Mode undefined when any concentration <= 1"
        return depending([assert_less(ones([], self.dtype), self.concentration, message=undefined)], mode)

    def _checked(self, value: Tensor) -> Tensor:
        if not self.validate_args:
            return value
        positive = assert_positive(value, message="samples must be positive")
        whole = assert_near(ones([], dtype=self.dtype), reduce_sum(value, -1), message="sample last-dimension must sum to `1`")
        return depending([positive, whole], value)


def _valid(concentration: Tensor, validate_args: bool) -> Tensor:
    """Weights of at least two classes, checked if wanted."""
    if not validate_args:
        return concentration
    checks = [
        assert_positive(concentration, message="Concentration parameter must be positive."),
        assert_rank_at_least(concentration, 1, message="Concentration parameter must have >=1 dimensions."),
        assert_less(1, shape_of(concentration)[-1], message="Concentration parameter must have event_size >= 2."),
    ]
    return depending(checks, concentration)


@RegisterKL(Dirichlet, Dirichlet)
def _divergence(a: Dirichlet, b: Dirichlet, name: str | None = None) -> Tensor:
    with name_scope(name, "kl_dirichlet_dirichlet", values=[a.concentration, b.concentration]):
        total = digamma(reduce_sum(a.concentration, axis=-1, keepdims=True))
        logarithms = digamma(a.concentration) - total
        return reduce_sum((a.concentration - b.concentration) * logarithms, axis=-1) - lbeta(a.concentration) + lbeta(b.concentration)
