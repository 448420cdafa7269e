"""Distributions of counts: the multinomial one, and that of Dirichlet distributed probabilities (`tf.distributions.Multinomial`)."""

from __future__ import annotations

from typing import Any

from gpersist.distributions.checks import another_seed, counts, depending, logits_and_probs, with_classes
from gpersist.distributions.distribution import NOT_REPARAMETERIZED, Distribution
from gpersist.dtypes import int32
from gpersist.graph import Tensor, convert_to_tensor, name_scope
from gpersist.ops.arranging import transpose
from gpersist.ops.casting import cast
from gpersist.ops.checks import assert_equal, assert_positive
from gpersist.ops.filling import ones_like
from gpersist.ops.functional_loops import map_fn
from gpersist.ops.gathering import one_hot
from gpersist.ops.joining import concat
from gpersist.ops.math import lgamma, log
from gpersist.ops.matmul import matmul
from gpersist.ops.matrix_diagonal import matrix_set_diag
from gpersist.ops.passing import identity
from gpersist.ops.random import multinomial
from gpersist.ops.random_gamma import random_gamma
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.shaping import reshape
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.softmax import log_softmax
from gpersist.ops.special_functions import lbeta
from gpersist.ops.unary import sqrt

__all__ = ["DirichletMultinomial", "Multinomial"]


class Multinomial(Distribution):
    """Distributions of how often each class is drawn, of `total_count` draws (`tf.distributions.Multinomial`).

    Raises:
        ValueError: both `logits` and `probs` are given, or none.
        TypeError: they are not floating.
    """

    def __init__(
        self,
        total_count: Any,
        logits: Any = None,
        probs: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Multinomial",
    ) -> None:
        parameters = dict(locals())
        with name_scope(name, values=[total_count, logits, probs]) as scope:
            self._total_count = convert_to_tensor(total_count, name="total_count")
            if validate_args:
                self._total_count = counts(self._total_count)
            self._logits, self._probs = logits_and_probs(logits, probs, scope, validate_args=validate_args, multidimensional=True)
            self._mean_val = self._total_count[..., None] * self._probs
        parents = [self._total_count, self._logits, self._probs]
        super().__init__(self._probs.dtype, NOT_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, parents, scope)

    @property
    def total_count(self) -> Tensor:
        """How many draws there are."""
        return self._total_count

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities, perhaps not normalised."""
        return self._logits

    @property
    def probs(self) -> Tensor:
        """The probabilities."""
        return self._probs

    def _batch_shape_tensor(self) -> Tensor:
        return shape_of(self._mean_val)[:-1]

    def _batch_shape(self) -> Any:
        return self._mean_val.get_shape().with_rank_at_least(1)[:-1]

    def _event_shape_tensor(self) -> Tensor:
        return shape_of(self._mean_val)[-1:]

    def _event_shape(self) -> Any:
        return self._mean_val.get_shape().with_rank_at_least(1)[-1:]

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        draws = cast(self.total_count, dtype=int32)
        classes = self.event_shape_tensor()[0]
        draws = ones_like(self.logits[..., 0], dtype=draws.dtype) * draws
        logits = ones_like(draws[..., None], dtype=self.logits.dtype) * self.logits
        flat_logits, flat_draws = reshape(logits, [-1, classes]), n * reshape(draws, [-1])

        def of_one(row: Any) -> Tensor:
            drawn = reshape(multinomial(row[0][None, ...], row[1], seed), shape=[n, -1])
            return reduce_sum(one_hot(drawn, depth=classes), axis=-2)

        drawn = transpose(map_fn(of_one, [flat_logits, flat_draws], dtype=self.dtype), perm=[1, 0, 2])
        return reshape(drawn, concat([[n], self.batch_shape_tensor(), [classes]], 0))

    def _log_prob(self, value: Tensor) -> Tensor:
        unnormalized = reduce_sum(_counted(self, value) * log_softmax(self.logits), -1)
        return unnormalized - -_log_combinations(self.total_count, _counted(self, value))

    def _mean(self) -> Tensor:
        return identity(self._mean_val)

    def _covariance(self) -> Tensor:
        probs = self.probs * ones_like(self.total_count)[..., None]
        return matrix_set_diag(-matmul(self._mean_val[..., None], probs[..., None, :]), self._variance())

    def _variance(self) -> Tensor:
        probs = self.probs * ones_like(self.total_count)[..., None]
        return self._mean_val - self._mean_val * probs


class DirichletMultinomial(Distribution):
    """Distributions of how often each class is drawn, its probability being drawn first (`tf.distributions.DirichletMultinomial`)."""

    def __init__(
        self, total_count: Any, concentration: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "DirichletMultinomial"
    ) -> None:
        parameters = dict(locals())
        with name_scope(name, values=[total_count, concentration]) as scope:
            self._total_count = convert_to_tensor(total_count, name="total_count")
            if validate_args:
                self._total_count = counts(self._total_count)
            self._concentration = convert_to_tensor(concentration, name="concentration")
            if validate_args:
                positive = assert_positive(self._concentration, message="Concentration parameter must be positive.")
                self._concentration = depending([positive], with_classes(self._concentration))
            self._total_concentration = reduce_sum(self._concentration, -1)
        parents = [self._total_count, self._concentration]
        super().__init__(self._concentration.dtype, NOT_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, parents, scope)

    @property
    def total_count(self) -> Tensor:
        """How many draws there are."""
        return self._total_count

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
        draws = cast(self.total_count, dtype=int32)
        classes = self.event_shape_tensor()[0]
        logits = reshape(log(random_gamma(shape=[n], alpha=self.concentration, dtype=self.dtype, seed=seed)), shape=[-1, classes])
        drawn = multinomial(logits, draws, seed=another_seed(seed, "dirichlet_multinomial"))
        drawn = reduce_sum(one_hot(drawn, depth=classes), -2)
        return cast(reshape(drawn, concat([[n], self.batch_shape_tensor(), [classes]], 0)), self.dtype)

    def _log_prob(self, value: Tensor) -> Tensor:
        value = _counted(self, value)
        ordered = lbeta(self.concentration + value) - lbeta(self.concentration)
        return ordered + _log_combinations(self.total_count, value)

    def _mean(self) -> Tensor:
        return self.total_count * (self.concentration / self.total_concentration[..., None])

    def _covariance(self) -> Tensor:
        x = self._scale_of_variance() * self._mean()
        return matrix_set_diag(-matmul(x[..., None], x[..., None, :]), self._variance())

    def _variance(self) -> Tensor:
        scale = self._scale_of_variance()
        x = scale * self._mean()
        return x * (self.total_count * scale - x)

    def _scale_of_variance(self) -> Tensor:
        total = self.total_concentration[..., None]
        return sqrt((1.0 + total / self.total_count) / (1.0 + total))


def _counted(distribution: Any, value: Tensor) -> Tensor:
    """Counts, checked if wanted: not negative, without fractions, as many as there are draws."""
    if not distribution.validate_args:
        return value
    value = counts(value)
    return depending([assert_equal(distribution.total_count, reduce_sum(value, -1), message="counts must sum to `self.total_count`")], value)


def _log_combinations(total: Tensor, value: Tensor) -> Tensor:
    """The logarithm of how many orders of draws have the same counts."""
    with name_scope("log_combinations", values=[total, value]):
        return lgamma(total + 1) - reduce_sum(lgamma(value + 1), axis=[-1])
