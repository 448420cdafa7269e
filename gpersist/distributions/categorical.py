"""The categorical distribution (`tf.distributions.Categorical`)."""

from __future__ import annotations

from typing import Any

from gpersist.distributions.checks import castable, logits_and_probs, with_classes
from gpersist.distributions.distribution import NOT_REPARAMETERIZED, Distribution
from gpersist.distributions.divergence import RegisterKL
from gpersist.dtypes import DType, as_dtype, int32, int64
from gpersist.graph import Tensor, name_scope
from gpersist.ops.argmax import argmax
from gpersist.ops.arranging import transpose
from gpersist.ops.casting import cast
from gpersist.ops.choosing import where
from gpersist.ops.constants import constant
from gpersist.ops.cross_entropy import sparse_softmax_cross_entropy_with_logits
from gpersist.ops.filling import ones, ones_like, zeros_like
from gpersist.ops.joining import concat
from gpersist.ops.passing import identity
from gpersist.ops.random import multinomial
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.sequences import sequence_mask
from gpersist.ops.shaping import rank, reshape
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.softmax import log_softmax, softmax
from gpersist.shapes import TensorShape

__all__ = ["Categorical"]


class Categorical(Distribution):
    """Distributions of the numbers of classes, which the last dimension has probabilities of (`tf.distributions.Categorical`).

    Args:
        logits: the unnormalised logarithms of the probabilities, or
        probs: the probabilities.
        dtype: of samples.
        validate_args: see Distribution.
        allow_nan_stats: see Distribution.
        name: of the scope.

    Raises:
        ValueError: both `logits` and `probs` are given, or none; or they are scalars.
        TypeError: they are not floating.
    """

    def __init__(
        self,
        logits: Any = None,
        probs: Any = None,
        dtype: Any = int32,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Categorical",
    ) -> None:
        parameters = dict(locals())
        with name_scope(name, values=[logits, probs]) as scope:
            self._logits, self._probs = logits_and_probs(logits, probs, scope, validate_args=validate_args, multidimensional=True)
            if validate_args:
                self._logits = with_classes(self._logits)
            known = self._logits.get_shape().with_rank_at_least(1)
            if known.rank is not None:
                self._batch_rank = constant(known.rank - 1, dtype=int32, name="batch_rank")
            else:
                with name_scope("batch_rank"):
                    self._batch_rank = rank(self._logits) - 1
            shape = shape_of(self._logits, name="logits_shape")
            size = known.as_list()[-1] if known.rank is not None else None
            if size is not None:
                self._event_size = constant(size, dtype=int32, name="event_size")
            else:
                with name_scope("event_size"):
                    self._event_size = shape[self._batch_rank]
            batch = known[:-1]
            if batch.is_fully_defined():
                self._batch_shape_val = constant(batch.as_list(), dtype=int32, name="batch_shape")
            else:
                with name_scope("batch_shape"):
                    self._batch_shape_val = shape[:-1]
        parents = [self._logits, self._probs]
        super().__init__(as_dtype(dtype), NOT_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, parents, scope)

    @property
    def event_size(self) -> Tensor:
        """How many classes there are: int32[]."""
        return self._event_size

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities, perhaps not normalised."""
        return self._logits

    @property
    def probs(self) -> Tensor:
        """The probabilities."""
        return self._probs

    def _batch_shape_tensor(self) -> Tensor:
        return identity(self._batch_shape_val)

    def _batch_shape(self) -> Any:
        return self.logits.get_shape()[:-1]

    def _event_shape_tensor(self) -> Tensor:
        return constant([], dtype=int32)

    def _event_shape(self) -> Any:
        return TensorShape([])

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        logits = self.logits if self.logits.get_shape().rank == 2 else reshape(self.logits, [-1, self.event_size])
        drawn = multinomial(logits, n, seed=seed, output_dtype=int64 if self.dtype.size > 4 else int32)
        drawn = reshape(transpose(drawn), concat([[n], self.batch_shape_tensor()], 0))
        return cast(drawn, self.dtype)

    def _cdf(self, value: Tensor) -> Tensor:
        value, probs = _broadcast(castable(value, int32) if self.validate_args else value, self.probs, self.dtype)
        rows, numbers = reshape(probs, (-1, self._event_size)), reshape(value, [-1])
        smaller = where(sequence_mask(numbers, self._event_size), rows, zeros_like(rows))
        return reshape(reduce_sum(smaller, axis=-1), shape_of(value))

    def _log_prob(self, value: Tensor) -> Tensor:
        value, logits = _broadcast(castable(value, int32) if self.validate_args else value, self.logits, self.dtype)
        return -sparse_softmax_cross_entropy_with_logits(labels=value, logits=logits)

    def _entropy(self) -> Tensor:
        return -reduce_sum(log_softmax(self.logits) * self.probs, axis=-1)

    def _mode(self) -> Tensor:
        found = cast(argmax(self.logits, axis=self._batch_rank), self.dtype)
        found.set_shape(self.batch_shape)
        return found


def _broadcast(event: Tensor, params: Tensor, dtype: DType) -> tuple[Tensor, Tensor]:
    """Numbers of classes, and the parameters that each belongs to."""
    if event.dtype.is_floating:
        event = cast(event, int32)
    elif not event.dtype.is_integer:
        raise TypeError(f"`value` should have integer `dtype` or `self.dtype` ({dtype.base_dtype})")
    known = params.get_shape()
    if known.rank is None or not known[:-1].is_fully_defined() or not event.get_shape().is_fully_defined() or known[:-1] != event.get_shape():
        params = params * ones_like(event[..., None], dtype=params.dtype)
        event = event * ones(shape_of(params)[:-1], dtype=event.dtype)
        if params.get_shape().rank is not None:
            event.set_shape(params.get_shape()[:-1])
    return event, params


@RegisterKL(Categorical, Categorical)
def _divergence(a: Categorical, b: Categorical, name: str | None = None) -> Tensor:
    with name_scope(name, "kl_categorical_categorical", values=[a.logits, b.logits]):
        difference = log_softmax(a.logits) - log_softmax(b.logits)
        return reduce_sum(softmax(a.logits) * difference, axis=-1)
