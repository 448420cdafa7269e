"""Distribution: what all probability distributions have in common (`tf.distributions.Distribution`)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from gpersist.distributions.divergence import cross_entropy, kl_divergence
from gpersist.dtypes import DType, int32
from gpersist.graph import Tensor, apply, constant_value, convert_to_tensor, name_scope
from gpersist.ops.broadcasting import broadcast_dynamic_shape, broadcast_static_shape
from gpersist.ops.constants import constant
from gpersist.ops.joining import concat
from gpersist.ops.math import exp, log, log1p, square
from gpersist.ops.reductions import reduce_prod
from gpersist.ops.shaping import reshape
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.unary import sqrt
from gpersist.shapes import TensorShape, as_shape

__all__ = ["FULLY_REPARAMETERIZED", "NOT_REPARAMETERIZED", "Distribution", "ReparameterizationType"]


class ReparameterizationType:
    """Whether gradients go through samples (`tf.distributions.ReparameterizationType`); each is equal to itself only."""

    def __init__(self, rep_type: str) -> None:
        self._rep_type = rep_type

    def __repr__(self) -> str:
        return f"<Reparameterization Type: {self._rep_type}>"

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = None  # type: ignore[assignment]  # as TensorFlow's


FULLY_REPARAMETERIZED = ReparameterizationType("FULLY_REPARAMETERIZED")
NOT_REPARAMETERIZED = ReparameterizationType("NOT_REPARAMETERIZED")


class Distribution:
    """A batch of independent distributions (`tf.distributions.Distribution`).

    A sample has the shape `sample_shape + batch_shape + event_shape`. A kind of distributions overrides `_sample_n`, `_log_prob` or `_prob`, `_mean`
    and so on, as in TensorFlow.

    Args:
        dtype: of samples.
        reparameterization_type: whether gradients go through samples.
        validate_args: whether parameters and values are checked when they are computed.
        allow_nan_stats: whether an undefined mean, mode or the like is NaN, rather than an error.
        parameters: the arguments with which it was made.
        graph_parents: tensors that it is made of.
        name: of the scope of its nodes.

    Raises:
        ValueError: a parent is no tensor.
    """

    _parameter_names: ClassVar[tuple[str, ...]] = ()
    """The parameters that have the shape of a sample."""
    _broadcast_names: ClassVar[tuple[str, ...]] = ()
    """The parameters that make the batch's shape together, where events are scalars."""

    def __init__(
        self,
        dtype: Any,
        reparameterization_type: ReparameterizationType,
        validate_args: bool,
        allow_nan_stats: bool,
        parameters: Mapping[str, Any] | None = None,
        graph_parents: Sequence[Any] | None = None,
        name: str | None = None,
    ) -> None:
        for index, parent in enumerate(graph_parents or ()):
            if not isinstance(parent, Tensor):
                raise ValueError(f"Graph parent item {index} is not a Tensor; {parent}.")
        if not name or not name.endswith("/"):
            with name_scope(name or type(self).__name__) as scope:
                name = scope
        self._dtype = dtype
        self._reparameterization_type = reparameterization_type
        self._validate_args, self._allow_nan_stats = validate_args, allow_nan_stats
        self._parameters = dict(parameters or {})
        self._graph_parents = list(graph_parents or ())
        self._name = name

    @classmethod
    def param_shapes(cls, sample_shape: Any, name: str = "DistributionParamShapes") -> dict[str, Tensor]:
        """The shapes of parameters for samples of a shape."""
        with name_scope(name, values=[sample_shape]):
            if not cls._parameter_names:
                raise NotImplementedError("_param_shapes not implemented")
            return dict.fromkeys(cls._parameter_names, convert_to_tensor(sample_shape, dtype=int32))

    @classmethod
    def param_static_shapes(cls, sample_shape: Any) -> dict[str, TensorShape]:
        """The same without nodes for them.

        Raises:
            ValueError: the shape is not known.
        """
        if isinstance(sample_shape, TensorShape):
            if not sample_shape.is_fully_defined():
                raise ValueError("TensorShape sample_shape must be fully defined")
            sample_shape = sample_shape.as_list()
        shapes = {name: constant_value(shape) for name, shape in cls.param_shapes(sample_shape).items()}
        if any(shape is None for shape in shapes.values()):
            raise ValueError("sample_shape must be a fully-defined TensorShape or list/tuple")
        return {name: TensorShape(shape.tolist()) for name, shape in shapes.items() if shape is not None}

    @property
    def name(self) -> str:
        """The scope of its nodes."""
        return self._name

    @property
    def dtype(self) -> DType:
        """The type of samples."""
        return self._dtype  # type: ignore[no-any-return]

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments with which it was made."""
        return {name: value for name, value in self._parameters.items() if not name.startswith("__") and name != "self"}

    @property
    def reparameterization_type(self) -> ReparameterizationType:
        """Whether gradients go through samples."""
        return self._reparameterization_type

    @property
    def allow_nan_stats(self) -> bool:
        """Whether what is undefined is NaN, rather than an error."""
        return self._allow_nan_stats

    @property
    def validate_args(self) -> bool:
        """Whether parameters and values are checked."""
        return self._validate_args

    def copy(self, **override_parameters_kwargs: Any) -> Any:
        """Another one of the same kind, some arguments being different."""
        return type(self)(**{**self.parameters, **override_parameters_kwargs})

    # ---- shapes

    @property
    def batch_shape(self) -> TensorShape:
        """How many distributions these are."""
        return as_shape(self._batch_shape())

    @property
    def event_shape(self) -> TensorShape:
        """The shape of one sample of one of them."""
        return as_shape(self._event_shape())

    def batch_shape_tensor(self, name: str = "batch_shape_tensor") -> Tensor:
        """`batch_shape`, as a tensor: int32[rank]."""
        with self._scope(name):
            known = self.batch_shape
            return constant(known.as_list(), dtype=int32, name="batch_shape") if known.is_fully_defined() else self._batch_shape_tensor()

    def event_shape_tensor(self, name: str = "event_shape_tensor") -> Tensor:
        """`event_shape`, as a tensor: int32[rank]."""
        with self._scope(name):
            known = self.event_shape
            return constant(known.as_list(), dtype=int32, name="event_shape") if known.is_fully_defined() else self._event_shape_tensor()

    def is_scalar_event(self, name: str = "is_scalar_event") -> Tensor:
        """Whether samples of one distribution are scalars: bool[]."""
        with self._scope(name):
            return convert_to_tensor(_is_scalar(self.event_shape, self.event_shape_tensor), name="is_scalar_event")

    def is_scalar_batch(self, name: str = "is_scalar_batch") -> Tensor:
        """Whether this is one distribution only: bool[]."""
        with self._scope(name):
            return convert_to_tensor(_is_scalar(self.batch_shape, self.batch_shape_tensor), name="is_scalar_batch")

    def _batch_shape(self) -> Any:
        if not self._broadcast_names:
            return TensorShape(None)
        return functools.reduce(broadcast_static_shape, (getattr(self, name).get_shape() for name in self._broadcast_names))

    def _batch_shape_tensor(self) -> Tensor:
        if not self._broadcast_names:
            raise self._not_implemented("batch_shape_tensor")
        *others, last = self._broadcast_names
        shapes = [shape_of(getattr(self, name)) for name in others]
        return functools.reduce(lambda right, left: broadcast_dynamic_shape(left, right), reversed(shapes), shape_of(getattr(self, last)))

    def _event_shape(self) -> Any:
        return TensorShape([] if self._broadcast_names else None)

    def _event_shape_tensor(self) -> Tensor:
        if not self._broadcast_names:
            raise self._not_implemented("event_shape_tensor")
        return constant([], dtype=int32)

    # ---- samples

    def sample(self, sample_shape: Any = (), seed: int | None = None, name: str = "sample") -> Tensor:
        """Draws: a tensor of the shape `sample_shape + batch_shape + event_shape`.

        Raises:
            ValueError: `sample_shape` is neither a scalar nor a vector.
        """
        with self._scope(name, [sample_shape]):
            wanted, count = _expanded(convert_to_tensor(sample_shape, dtype=int32, name="sample_shape"))
            drawn = self._sample_n(count, seed)
            drawn = reshape(drawn, concat([wanted, shape_of(drawn)[1:]], 0))
            return self._with_shape(drawn, wanted)

    def _with_shape(self, drawn: Tensor, wanted: Tensor) -> Tensor:
        """Samples whose shape is known as far as those of its parts are."""
        known = constant_value(wanted)
        length = wanted.get_shape().num_elements()
        front = TensorShape([None] * length if length is not None else None) if known is None else TensorShape(known.tolist())
        drawn.set_shape(front.concatenate(self.batch_shape).concatenate(self.event_shape))
        return drawn

    # ---- probabilities

    def log_prob(self, value: Any, name: str = "log_prob") -> Tensor:
        """The logarithm of the density, or of the probability."""
        return self._of_value(name, value, self._log_prob, lambda given: log(self._prob(given)))

    def prob(self, value: Any, name: str = "prob") -> Tensor:
        """The density, or the probability."""
        return self._of_value(name, value, self._prob, lambda given: exp(self._log_prob(given)))

    def log_cdf(self, value: Any, name: str = "log_cdf") -> Tensor:
        """The logarithm of the probability of a sample that is not larger."""
        return self._of_value(name, value, self._log_cdf, lambda given: log(self._cdf(given)))

    def cdf(self, value: Any, name: str = "cdf") -> Tensor:
        """The probability of a sample that is not larger."""
        return self._of_value(name, value, self._cdf, lambda given: exp(self._log_cdf(given)))

    def log_survival_function(self, value: Any, name: str = "log_survival_function") -> Tensor:
        """The logarithm of the probability of a larger sample."""
        return self._of_value(name, value, self._log_survival_function, lambda given: log1p(-self.cdf(given)))

    def survival_function(self, value: Any, name: str = "survival_function") -> Tensor:
        """The probability of a larger sample."""
        return self._of_value(name, value, self._survival_function, lambda given: 1.0 - self.cdf(given))

    def quantile(self, value: Any, name: str = "quantile") -> Tensor:
        """The number that a sample is not larger than with a probability."""
        return self._of_value(name, value, self._quantile)

    # ---- statistics

    def entropy(self, name: str = "entropy") -> Tensor:
        """The entropy, in nats."""
        with self._scope(name):
            return self._entropy()

    def mean(self, name: str = "mean") -> Tensor:
        """The mean."""
        with self._scope(name):
            return self._mean()

    def mode(self, name: str = "mode") -> Tensor:
        """The mode."""
        with self._scope(name):
            return self._mode()

    def variance(self, name: str = "variance") -> Tensor:
        """The variance."""
        with self._scope(name):
            return self._first(self._variance, lambda: square(self._stddev()))

    def stddev(self, name: str = "stddev") -> Tensor:
        """The standard deviation."""
        with self._scope(name):
            return self._first(self._stddev, lambda: sqrt(self._variance()))

    def covariance(self, name: str = "covariance") -> Tensor:
        """The covariances of an event's components."""
        with self._scope(name):
            return self._covariance()

    def cross_entropy(self, other: Distribution, name: str = "cross_entropy") -> Tensor:
        """The cross entropy with another distribution, in nats."""
        with self._scope(name):
            return cross_entropy(self, other, allow_nan_stats=self.allow_nan_stats)

    def kl_divergence(self, other: Distribution, name: str = "kl_divergence") -> Tensor:
        """The Kullback-Leibler divergence from another distribution, in nats."""
        with self._scope(name):
            return kl_divergence(self, other, allow_nan_stats=self.allow_nan_stats)

    def __str__(self) -> str:
        batch, event = self.batch_shape, self.event_shape
        shapes = (f", batch_shape={batch}" if batch.rank is not None else "") + (f", event_shape={event}" if event.rank is not None else "")
        return f'tfp.distributions.{type(self).__name__}("{self.name}"{shapes}, dtype={self.dtype.name})'

    def __repr__(self) -> str:
        return (
            f"<tfp.distributions.{type(self).__name__} '{self.name}' batch_shape={self.batch_shape} event_shape={self.event_shape} "
            f"dtype={self.dtype.name}>"
        )

    # ---- what a kind overrides

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        raise self._not_implemented("sample_n")

    def _log_prob(self, value: Tensor) -> Tensor:
        raise self._not_implemented("log_prob")

    def _prob(self, value: Tensor) -> Tensor:
        raise self._not_implemented("prob")

    def _log_cdf(self, value: Tensor) -> Tensor:
        raise self._not_implemented("log_cdf")

    def _cdf(self, value: Tensor) -> Tensor:
        raise self._not_implemented("cdf")

    def _log_survival_function(self, value: Tensor) -> Tensor:
        raise self._not_implemented("log_survival_function")

    def _survival_function(self, value: Tensor) -> Tensor:
        raise self._not_implemented("survival_function")

    def _quantile(self, value: Tensor) -> Tensor:
        raise self._not_implemented("quantile")

    def _entropy(self) -> Tensor:
        raise self._not_implemented("entropy")

    def _mean(self) -> Tensor:
        raise self._not_implemented("mean")

    def _mode(self) -> Tensor:
        raise self._not_implemented("mode")

    def _variance(self) -> Tensor:
        raise self._not_implemented("variance")

    def _stddev(self) -> Tensor:
        raise self._not_implemented("stddev")

    def _covariance(self) -> Tensor:
        raise self._not_implemented("covariance")

    # ---- scopes and choices

    @contextmanager
    def _scope(self, name: str, values: Sequence[Any] = ()) -> Iterator[str]:
        with name_scope(self._name), name_scope(name, values=[*values, *self._graph_parents]) as scope:
            yield scope

    def _of_value(self, name: str, value: Any, *ways: Callable[[Tensor], Tensor]) -> Tensor:
        with self._scope(name, [value]):
            given = convert_to_tensor(value, name="value", preferred_dtype=self.dtype)
            return self._first(*(functools.partial(way, given) for way in ways))

    @staticmethod
    def _first(*ways: Callable[[], Tensor]) -> Tensor:
        """What the first way gives that a kind has; the first one's error if it has none."""
        first: NotImplementedError | None = None
        for way in ways:
            try:
                return way()
            except NotImplementedError as error:
                first = first or error
        assert first is not None
        raise first

    def _not_implemented(self, what: str) -> NotImplementedError:
        return NotImplementedError(f"{what} is not implemented: {type(self).__name__}")


def _is_scalar(known: TensorShape, tensor: Callable[[], Tensor]) -> Any:
    if known.rank is not None:
        return known.rank == 0
    shape = tensor()
    length = shape.get_shape()
    return length.as_list() == [0] if length.is_fully_defined() else apply("Equal", shape_of(shape)[0], 0)


def _expanded(shape: Tensor) -> tuple[Tensor, Any]:
    """A shape as a vector, and how many elements it has."""
    known = constant_value(shape)
    count = reduce_prod(shape) if known is None else np.prod(known, dtype=np.int32)
    rank = shape.get_shape().rank
    if rank == 1:
        return shape, count
    if rank is None:
        return reshape(shape, [-1]), count
    if rank:
        raise ValueError("Input is neither scalar nor vector.")
    return (reshape(shape, [1]) if known is None else constant(known.reshape(1), name="sample_shape")), count
