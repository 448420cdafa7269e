"""The gamma and the exponential distribution (`tf.distributions.Gamma`, `tf.distributions.Exponential`)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gpersist.distributions.checks import defined, depending
from gpersist.distributions.distribution import FULLY_REPARAMETERIZED, Distribution
from gpersist.distributions.divergence import RegisterKL
from gpersist.graph import Tensor, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops.checks import assert_positive, assert_same_float_dtype
from gpersist.ops.filling import ones
from gpersist.ops.joining import concat
from gpersist.ops.math import digamma, lgamma, log, square, xlogy
from gpersist.ops.passing import identity
from gpersist.ops.random import random_uniform
from gpersist.ops.random_gamma import random_gamma
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.special_functions_of_two import igamma
from gpersist.ops.unary import sqrt

__all__ = ["Exponential", "Gamma"]


class Gamma(Distribution):
    """Gamma distributions (`tf.distributions.Gamma`), `concentration` being their shapes.

    Raises:
        TypeError: the two parameters are of different types, or not floating.
    """

    _parameter_names: ClassVar[tuple[str, ...]] = ("concentration", "rate")
    _broadcast_names = ("concentration", "rate")

    def __init__(self, concentration: Any, rate: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Gamma") -> None:
        parameters = dict(locals())
        with name_scope(name, values=[concentration, rate]) as scope:
            checks = [assert_positive(concentration), assert_positive(rate)] if validate_args else []
            with get_default_graph().control_dependencies(checks):
                self._concentration, self._rate = identity(concentration, name="concentration"), identity(rate, name="rate")
                assert_same_float_dtype([self._concentration, self._rate])
        parents = [self._concentration, self._rate]
        super().__init__(self._concentration.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, parents, scope)

    @property
    def concentration(self) -> Tensor:
        """The shapes."""
        return self._concentration

    @property
    def rate(self) -> Tensor:
        """The rates, one over the scales."""
        return self._rate

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        return random_gamma(shape=[n], alpha=self.concentration, beta=self.rate, dtype=self.dtype, seed=seed)

    def _log_prob(self, value: Tensor) -> Tensor:
        value = self._checked(value)
        unnormalized = xlogy(self.concentration - 1.0, value) - self.rate * value
        return unnormalized - (lgamma(self.concentration) - self.concentration * log(self.rate))

    def _cdf(self, value: Tensor) -> Tensor:
        value = self._checked(value)
        return igamma(self.concentration, self.rate * value)

    def _entropy(self) -> Tensor:
        shape = self.concentration
        return shape - log(self.rate) + lgamma(shape) + (1.0 - shape) * digamma(shape)

    def _mean(self) -> Tensor:
        return self.concentration / self.rate

    def _variance(self) -> Tensor:
        return self.concentration / square(self.rate)

    def _stddev(self) -> Tensor:
        return sqrt(self.concentration) / self.rate

    def _mode(self) -> Tensor:
        mode = (self.concentration - 1.0) / self.rate
        undefined = ["mode not defined when any concentration <= 1"]
        return defined(self, lambda: self.concentration > 1.0, [self.concentration], mode, undefined)

    def _checked(self, value: Tensor) -> Tensor:
        assert_same_float_dtype(tensors=[value], dtype=self.dtype)
        return depending([assert_positive(value)], value) if self.validate_args else value


class Exponential(Gamma):
    """Exponential distributions (`tf.distributions.Exponential`): gamma distributions of the shape 1."""

    _parameter_names = ("rate",)

    def __init__(self, rate: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Exponential") -> None:
        parameters = {name: value for name, value in locals().items() if name not in ("self", "__class__")}
        with name_scope(name, values=[rate]) as scope:
            given = convert_to_tensor(rate, name="rate")
        super().__init__(ones([], dtype=given.dtype), given, validate_args, allow_nan_stats, scope)
        self._parameters = parameters

    def _log_survival_function(self, value: Tensor) -> Tensor:
        return self._log_prob(value) - log(self._rate)

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        shape = concat([[n], shape_of(self._rate)], 0)
        drawn = random_uniform(shape, minval=np.finfo(self.dtype.numpy).tiny, maxval=1.0, seed=seed, dtype=self.dtype)
        return -log(drawn) / self._rate


@RegisterKL(Gamma, Gamma)
def _divergence(a: Gamma, b: Gamma, name: str | None = None) -> Tensor:
    with name_scope(name, "kl_gamma_gamma", values=[a.concentration, a.rate, b.concentration, b.rate]):
        shapes = (a.concentration - b.concentration) * digamma(a.concentration) + lgamma(b.concentration) - lgamma(a.concentration)
        rates = shapes + b.concentration * log(a.rate) - b.concentration * log(b.rate)
        return rates + a.concentration * (b.rate / a.rate - 1.0)
