"""The beta distribution (`tf.distributions.Beta`)."""

from __future__ import annotations

from typing import Any

from gpersist.distributions.checks import another_seed, defined, depending
from gpersist.distributions.distribution import FULLY_REPARAMETERIZED, Distribution
from gpersist.distributions.divergence import RegisterKL
from gpersist.graph import Tensor, convert_to_tensor, name_scope
from gpersist.ops.checks import assert_less, assert_positive, assert_same_float_dtype
from gpersist.ops.filling import ones, ones_like
from gpersist.ops.math import digamma, lgamma, log1p, logical_and, xlogy
from gpersist.ops.random_gamma import random_gamma
from gpersist.ops.special_functions_of_two import betainc

__all__ = ["Beta"]


class Beta(Distribution):
    """Beta distributions (`tf.distributions.Beta`); `concentration1` is often called alpha, `concentration0` beta.

    Raises:
        TypeError: the two are of different types, or not floating.
    """

    _parameter_names = ("concentration1", "concentration0")
    _broadcast_names = ("total_concentration",)

    def __init__(
        self, concentration1: Any = None, concentration0: Any = None, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Beta"
    ) -> None:
        parameters = dict(locals())
        with name_scope(name, values=[concentration1, concentration0]) as scope:
            self._concentration1 = _positive(convert_to_tensor(concentration1, name="concentration1"), validate_args)
            self._concentration0 = _positive(convert_to_tensor(concentration0, name="concentration0"), validate_args)
            assert_same_float_dtype([self._concentration1, self._concentration0])
            self._total_concentration = self._concentration1 + self._concentration0
        parents = [self._concentration1, self._concentration0, self._total_concentration]
        super().__init__(self._total_concentration.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, parents, scope)

    @property
    def concentration1(self) -> Tensor:
        """The weights of 1."""
        return self._concentration1

    @property
    def concentration0(self) -> Tensor:
        """The weights of 0."""
        return self._concentration0

    @property
    def total_concentration(self) -> Tensor:
        """Both together."""
        return self._total_concentration

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        one = ones_like(self.total_concentration, dtype=self.dtype) * self.concentration1
        zero = ones_like(self.total_concentration, dtype=self.dtype) * self.concentration0
        first = random_gamma(shape=[n], alpha=one, dtype=self.dtype, seed=seed)
        second = random_gamma(shape=[n], alpha=zero, dtype=self.dtype, seed=another_seed(seed, "beta"))
        return first / (first + second)

    def _log_prob(self, value: Tensor) -> Tensor:
        value = self._checked(value)
        unnormalized = xlogy(self.concentration1 - 1.0, value) + (self.concentration0 - 1.0) * log1p(-value)
        return unnormalized - self._log_normalization()

    def _cdf(self, value: Tensor) -> Tensor:
        return betainc(self.concentration1, self.concentration0, value)

    def _log_normalization(self) -> Tensor:
        return lgamma(self.concentration1) + lgamma(self.concentration0) - lgamma(self.total_concentration)

    def _entropy(self) -> Tensor:
        one = self._log_normalization() - (self.concentration1 - 1.0) * digamma(self.concentration1)
        both = one - (self.concentration0 - 1.0) * digamma(self.concentration0)
        return both + (self.total_concentration - 2.0) * digamma(self.total_concentration)

    def _mean(self) -> Tensor:
        return self._concentration1 / self._total_concentration

    def _variance(self) -> Tensor:
        return self._mean() * (1.0 - self._mean()) / (1.0 + self.total_concentration)

    def _mode(self) -> Tensor:
        mode = (self.concentration1 - 1.0) / (self.total_concentration - 2.0)
        limits = [self.concentration1, self.concentration0]
        undefined = ["Mode undefined for concentration1 <= 1.", "Mode undefined for concentration0 <= 1."]
        return defined(self, lambda: logical_and(self.concentration1 > 1.0, self.concentration0 > 1.0), limits, mode, undefined)

    def _checked(self, value: Tensor) -> Tensor:
        if not self.validate_args:
            return value
        positive = assert_positive(value, message="sample must be positive")
        return depending([positive, assert_less(value, ones([], self.dtype), message="sample must be less than `1`.")], value)


def _positive(concentration: Tensor, validate_args: bool) -> Tensor:
    if not validate_args:
        return concentration
    return depending([assert_positive(concentration, message="Concentration parameter must be positive.")], concentration)


@RegisterKL(Beta, Beta)
def _divergence(a: Beta, b: Beta, name: str | None = None) -> Tensor:
    parameters = [each for beta in (a, b) for each in (beta.concentration1, beta.concentration0, beta.total_concentration)]
    with name_scope(name, "kl_beta_beta", values=parameters):
        normalizations = b._log_normalization() - a._log_normalization()
        one = normalizations - digamma(a.concentration1) * (b.concentration1 - a.concentration1)
        both = one - digamma(a.concentration0) * (b.concentration0 - a.concentration0)
        return both + digamma(a.total_concentration) * (b.total_concentration - a.total_concentration)
