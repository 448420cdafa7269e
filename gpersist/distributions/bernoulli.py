"""The Bernoulli distribution (`tf.distributions.Bernoulli`)."""

from __future__ import annotations

from typing import Any

from gpersist.distributions.checks import castable, logits_and_probs
from gpersist.distributions.distribution import NOT_REPARAMETERIZED, Distribution
from gpersist.distributions.divergence import RegisterKL
from gpersist.dtypes import as_dtype, bool_, int32
from gpersist.graph import Tensor, name_scope
from gpersist.ops.activations import softplus
from gpersist.ops.casting import cast
from gpersist.ops.cross_entropy import sigmoid_cross_entropy_with_logits
from gpersist.ops.filling import ones_like
from gpersist.ops.joining import concat
from gpersist.ops.math import less
from gpersist.ops.passing import identity
from gpersist.ops.random import random_uniform
from gpersist.ops.unary import sigmoid

__all__ = ["Bernoulli"]


class Bernoulli(Distribution):
    """Distributions of 1, with a probability, and 0 (`tf.distributions.Bernoulli`).

    Args:
        logits: the log-odds of 1, or
        probs: the probabilities of 1.
        dtype: of samples.
        validate_args: see Distribution.
        allow_nan_stats: see Distribution.
        name: of the scope.

    Raises:
        ValueError: both `logits` and `probs` are given, or none.
        TypeError: they are not floating.
    """

    _parameter_names = ("logits",)
    _broadcast_names = ("logits",)

    def __init__(
        self,
        logits: Any = None,
        probs: Any = None,
        dtype: Any = int32,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Bernoulli",
    ) -> None:
        parameters = dict(locals())
        with name_scope(name) as scope:
            self._logits, self._probs = logits_and_probs(logits, probs, scope, validate_args=validate_args)
        parents = [self._logits, self._probs]
        super().__init__(as_dtype(dtype), NOT_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, parents, scope)

    @property
    def logits(self) -> Tensor:
        """The log-odds of 1."""
        return self._logits

    @property
    def probs(self) -> Tensor:
        """The probabilities of 1."""
        return self._probs

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        drawn = random_uniform(concat([[n], self.batch_shape_tensor()], 0), seed=seed, dtype=self.probs.dtype)
        return cast(less(drawn, self.probs), self.dtype)

    def _log_prob(self, value: Tensor) -> Tensor:
        event = cast(castable(value, bool_) if self.validate_args else value, self.logits.dtype)
        logits = self.logits
        shapes = event.get_shape(), logits.get_shape()
        if not (shapes[0].is_fully_defined() and shapes[1].is_fully_defined() and shapes[0] == shapes[1]):
            logits, event = ones_like(event) * logits, ones_like(logits) * event
        return -sigmoid_cross_entropy_with_logits(labels=event, logits=logits)

    def _entropy(self) -> Tensor:
        return -self.logits * (sigmoid(self.logits) - 1.0) + softplus(-self.logits)

    def _mean(self) -> Tensor:
        return identity(self.probs)

    def _variance(self) -> Tensor:
        return self._mean() * (1.0 - self.probs)

    def _mode(self) -> Tensor:
        return cast(self.probs > 0.5, self.dtype)


@RegisterKL(Bernoulli, Bernoulli)
def _divergence(a: Bernoulli, b: Bernoulli, name: str | None = None) -> Tensor:
    with name_scope(name, "kl_bernoulli_bernoulli", values=[a.logits, b.logits]):
        of_zero = softplus(-b.logits) - softplus(-a.logits)
        of_one = softplus(b.logits) - softplus(a.logits)
        return sigmoid(a.logits) * of_zero + sigmoid(-a.logits) * of_one
