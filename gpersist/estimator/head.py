"""Heads: what becomes of a model's logits: predictions, a loss, metrics, a step of training (`tf.estimator.Head`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gpersist.estimator.canned_keys import MetricKeys
from gpersist.estimator.estimator_spec import EstimatorSpec
from gpersist.estimator.head_checks import checked_weights
from gpersist.estimator.mode_keys import ModeKeys
from gpersist.estimator.model_functions import arguments_in_order
from gpersist.graph import GraphKeys, Tensor, get_default_graph, name_scope
from gpersist.ops import metrics, summary
from gpersist.ops.casting import cast
from gpersist.ops.checks import Assert
from gpersist.ops.comparison import equal
from gpersist.ops.control import group
from gpersist.ops.filling import ones_like
from gpersist.ops.joining import concat
from gpersist.ops.losses import Reduction, compute_weighted_loss
from gpersist.ops.math import add_n
from gpersist.ops.passing import identity
from gpersist.ops.reductions import reduce_all, reduce_sum
from gpersist.ops.shaping import shape_of
from gpersist.ops.weights_broadcast import broadcast_weights
from gpersist.train.global_step import get_global_step

DEFAULT_SERVING_KEY = "serving_default"
_NEWER_REDUCTIONS = {"sum": Reduction.SUM, "sum_over_batch_size": Reduction.SUM_OVER_BATCH_SIZE}
"""How TensorFlow 2 calls ways to make one loss of a batch's."""


class LossSpec(NamedTuple):
    """A loss, the losses of examples that it was made of, their weights, and labels as numbers."""

    training_loss: Tensor
    unreduced_loss: Tensor
    weights: Any
    processed_labels: Tensor


class Head(ABC):
    """What becomes of a model's logits (`tf.estimator.Head`).

    Args:
        weight_column: the key of a feature, or a column, with the weights of examples; None for 1.
        loss_reduction: how the losses of a batch become one: one of `tf.losses.Reduction`.
        loss_fn: `loss_fn(labels, logits, features)`, as far as it takes them, gives the losses of examples [..., 1].
        name: is added to the names of metrics.

    Raises:
        ValueError: another reduction, or a function of other arguments.
    """

    def __init__(self, weight_column: Any, loss_reduction: str, loss_fn: Callable[..., Any] | None, name: str | None) -> None:
        reduction = _NEWER_REDUCTIONS.get(loss_reduction, loss_reduction)
        if reduction not in Reduction.all() or reduction == Reduction.NONE:
            raise ValueError(f"Invalid loss_reduction: {loss_reduction}")
        if loss_fn is not None:
            _check_loss_fn(loss_fn)
        self._weight_column = weight_column
        self._loss_reduction = reduction
        self._loss_fn = loss_fn
        self._name = name

    @property
    def name(self) -> str | None:
        """What is added to the names of metrics."""
        return self._name

    @property
    @abstractmethod
    def logits_dimension(self) -> int:
        """How many logits an example has."""

    @property
    def loss_reduction(self) -> str:
        """How the losses of a batch become one."""
        return self._loss_reduction

    @abstractmethod
    def predictions(self, logits: Tensor) -> dict[str, Tensor]:
        """Predictions by name."""

    @abstractmethod
    def _export_outputs(self, predictions: dict[str, Tensor]) -> dict[str, Any]:
        """The signatures of an exported model."""

    @abstractmethod
    def _labels_and_losses(self, features: Mapping[str, Any], logits: Tensor, labels: Any) -> tuple[Tensor, Tensor]:
        """Labels as numbers, and the losses of examples."""

    @abstractmethod
    def _metrics(self, predictions: dict[str, Tensor], loss: LossSpec, labels: Any) -> dict[str, Any]:
        """Metrics by name, without that of the regularization."""

    def create_loss(self, features: Mapping[str, Any], mode: str, logits: Any, labels: Any) -> LossSpec:
        """The loss of a batch, before regularization."""
        processed, losses = self._labels_and_losses(features, logits, labels)
        weights = self._weights(features, logits)
        loss = compute_weighted_loss(losses, weights=weights, reduction=self._loss_reduction)
        return LossSpec(loss, losses, weights, processed)

    def create_estimator_spec(
        self,
        features: Mapping[str, Any],
        mode: str,
        logits: Any,
        labels: Any = None,
        optimizer: Any = None,
        train_op_fn: Callable[[Tensor], Any] | None = None,
        regularization_losses: Any = None,
    ) -> EstimatorSpec:
        """What an Estimator needs for a mode.

        Args:
            features: by key.
            mode: one of `ModeKeys`.
            logits: [..., logits_dimension].
            labels: needed for training and evaluation.
            optimizer: trains; or `train_op_fn` does.
            train_op_fn: gives a step of training for a loss.
            regularization_losses: scalars to be added to the loss.

        Raises:
            ValueError: no labels, shapes that don't go together, or neither or both ways to train.
        """
        with name_scope(self._name, "head"):
            predictions = self.predictions(logits)
            if mode == ModeKeys.PREDICT:
                return EstimatorSpec(mode, predictions, export_outputs=self._export_outputs(predictions))
            loss = self.create_loss(features, mode, logits, labels)
            regularization = add_n(regularization_losses) if regularization_losses else None
            total = loss.training_loss if regularization is None else add_n([loss.training_loss, regularization])
            if mode == ModeKeys.TRAIN:
                train_op = self._train_op(total, optimizer, train_op_fn)
                average = self._average(loss)
        if mode == ModeKeys.EVAL:
            found = self._metrics(predictions, loss, labels)
            if regularization is not None:
                found[self._key(MetricKeys.LOSS_REGULARIZATION)] = metrics.mean(regularization, name=MetricKeys.LOSS_REGULARIZATION)
            return EstimatorSpec(mode, predictions, total, eval_metric_ops=found)
        with get_default_graph().name_scope(None):
            for key, value in ((MetricKeys.LOSS, total), (MetricKeys.LOSS_MEAN, average), (MetricKeys.LOSS_REGULARIZATION, regularization)):
                if value is not None:
                    summary.scalar(self._key(key), value)
        return EstimatorSpec(mode, predictions, total, train_op)

    def _train_op(self, loss: Tensor, optimizer: Any, train_op_fn: Callable[[Tensor], Any] | None) -> Any:
        if optimizer is not None and train_op_fn is not None:
            raise ValueError("train_op_fn and optimizer cannot both be set.")
        if optimizer is not None:
            found = optimizer.minimize(loss, global_step=get_global_step())
        elif train_op_fn is not None:
            found = train_op_fn(loss)
        else:
            raise ValueError("train_op_fn and optimizer cannot both be None.")
        updates = get_default_graph().get_collection(GraphKeys.UPDATE_OPS)
        return group(found, *updates) if updates else found

    def _average(self, loss: LossSpec) -> Tensor | None:
        """The loss of a unit of weight, where that is not the loss already."""
        if self._loss_reduction != Reduction.SUM:
            return None
        return loss.training_loss / reduce_sum(loss.weights * ones_like(loss.unreduced_loss))

    def _weights(self, features: Mapping[str, Any], logits: Tensor) -> Any:
        return checked_weights(features, self._weight_column, logits)

    def _own_losses(self, features: Mapping[str, Any], logits: Tensor, labels: Tensor, dimension: int = 1) -> Tensor:
        """The losses that `loss_fn` gives, of the shape that is expected."""
        assert self._loss_fn is not None
        given = {"features": features} if "features" in arguments_in_order(self._loss_fn) else {}
        with name_scope(None, "call_loss_fn", [labels, logits]):
            losses = self._loss_fn(labels=labels, logits=logits, **given)
            logits_shape = shape_of(logits, name="logits_shape")
            wanted = concat([logits_shape[:-1], [dimension]], axis=0, name="expected_loss_shape")
            shape = shape_of(losses, name="loss_shape")
            told = f"loss_fn must return Tensor of shape [D0, D1, ... DN, {dimension}]. "
            check = Assert(reduce_all(equal(shape, wanted)), [told, "logits_shape: ", logits_shape, "loss_shape: ", shape], name="check_loss_shape")
            with get_default_graph().control_dependencies([check]):
                return identity(losses)

    def _key(self, key: str) -> str:
        return f"{key}/{self._name}" if self._name else key


def mean_of(value: Any, weights: Any, name: str, what: str) -> Any:
    """The mean of predictions or labels, weighted, as a metric."""
    with name_scope(name, f"{what}_mean", [value]) as scope:
        floats = cast(value, "float32", name=what)
        return metrics.mean(floats, weights=broadcast_weights(weights, floats), name=scope)


def _check_loss_fn(loss_fn: Callable[..., Any]) -> None:
    taken = arguments_in_order(loss_fn)
    for name in ("labels", "logits"):
        if name not in taken:
            raise ValueError(f"loss_fn must contain argument: {name}. Given arguments: {taken}")
    others = sorted(set(taken) - {"labels", "logits", "features"})
    if others:
        raise ValueError(f"loss_fn has unexpected args: {others}")
