"""The head of models that predict numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gpersist.estimator.canned_keys import MetricKeys, PredictionKeys
from gpersist.estimator.export_output import PredictOutput, RegressionOutput
from gpersist.estimator.head import DEFAULT_SERVING_KEY, Head, LossSpec, mean_of
from gpersist.estimator.head_checks import checked_labels, checked_logits, checked_range, checked_weights
from gpersist.graph import Tensor
from gpersist.ops import metrics
from gpersist.ops.casting import cast
from gpersist.ops.cross_entropy import log_poisson_loss, sigmoid_cross_entropy_with_logits
from gpersist.ops.losses import Reduction, mean_squared_error
from gpersist.ops.math import exp, sigmoid


class RegressionHead(Head):
    """The head of models that predict numbers, with a loss of squared errors (`tf.estimator.RegressionHead`).

    Args:
        label_dimension: how many numbers an example has.
        weight_column: see `Head`, as others; there may be a weight for each number.
        loss_reduction: how the losses of a batch become one.
        loss_fn: gives the losses of examples [..., label_dimension].
        inverse_link_fn: makes predictions of logits; by default they are the same.
        name: is added to the names of metrics.

    Raises:
        ValueError: no numbers; see `Head`.
    """

    def __init__(
        self,
        label_dimension: int = 1,
        weight_column: Any = None,
        loss_reduction: str = Reduction.SUM_OVER_BATCH_SIZE,
        loss_fn: Callable[..., Any] | None = None,
        inverse_link_fn: Callable[[Any], Any] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(weight_column, loss_reduction, loss_fn, name)
        if label_dimension < 1:
            raise ValueError(f"Invalid label_dimension {label_dimension}.")
        self._logits_dimension = label_dimension
        self._inverse_link_fn = inverse_link_fn

    @property
    def logits_dimension(self) -> int:
        """How many numbers an example has."""
        return self._logits_dimension

    def predictions(self, logits: Tensor) -> dict[str, Tensor]:
        """The numbers, and logits where these are others."""
        logits = checked_logits(logits, self._logits_dimension)
        if self._inverse_link_fn is None:
            return {PredictionKeys.PREDICTIONS: logits}
        return {PredictionKeys.PREDICTIONS: self._inverse_link_fn(logits), PredictionKeys.LOGITS: logits}

    def _export_outputs(self, predictions: dict[str, Tensor]) -> dict[str, Any]:
        regression = RegressionOutput(predictions[PredictionKeys.PREDICTIONS])
        return {DEFAULT_SERVING_KEY: regression, "regression": regression, "predict": PredictOutput(predictions)}

    def _weights(self, features: Mapping[str, Any], logits: Tensor) -> Any:
        return checked_weights(features, self._weight_column, logits, allows_one_per_logit=True)

    def _labels_and_losses(self, features: Mapping[str, Any], logits: Tensor, labels: Any) -> tuple[Tensor, Tensor]:
        found = cast(checked_labels(labels, logits, self._logits_dimension), "float32")
        if self._loss_fn is not None:
            return found, self._own_losses(features, logits, found, self._logits_dimension)
        return found, mean_squared_error(found, logits, reduction=Reduction.NONE)

    def _metrics(self, predictions: dict[str, Tensor], loss: LossSpec, labels: Any) -> dict[str, Any]:
        keys = MetricKeys
        return {
            self._key(keys.LOSS_MEAN): metrics.mean(loss.unreduced_loss, weights=loss.weights),
            self._key(keys.PREDICTION_MEAN): mean_of(predictions[PredictionKeys.PREDICTIONS], loss.weights, keys.PREDICTION_MEAN, "predictions"),
            self._key(keys.LABEL_MEAN): metrics.mean(labels, weights=loss.weights),
        }


class PoissonRegressionHead(RegressionHead):
    """The head of models that predict counts, with a loss of the Poisson distribution (`tf.estimator.PoissonRegressionHead`).

    Args:
        label_dimension: see `RegressionHead`, as others; predictions are exp of logits.
        weight_column: the weights of examples.
        loss_reduction: how the losses of a batch become one.
        compute_full_loss: whether the loss has the part that only labels decide.
        name: is added to the names of metrics.
    """

    def __init__(
        self,
        label_dimension: int = 1,
        weight_column: Any = None,
        loss_reduction: str = Reduction.SUM_OVER_BATCH_SIZE,
        compute_full_loss: bool = True,
        name: str | None = None,
    ) -> None:
        def loss(labels: Tensor, logits: Tensor) -> Tensor:
            return log_poisson_loss(labels, logits, compute_full_loss)

        super().__init__(label_dimension, weight_column, loss_reduction, loss, exp, name)


class LogisticRegressionHead(RegressionHead):
    """The head of models that predict one probability, with a loss of sigmoid cross entropy (`tf.estimator.LogisticRegressionHead`).

    Args:
        weight_column: see `RegressionHead`, as others.
        loss_reduction: how the losses of a batch become one.
        name: is added to the names of metrics.
    """

    def __init__(self, weight_column: Any = None, loss_reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str | None = None) -> None:
        def loss(labels: Tensor, logits: Tensor) -> Tensor:
            return sigmoid_cross_entropy_with_logits(labels=checked_range(labels, 2), logits=logits)

        super().__init__(1, weight_column, loss_reduction, loss, sigmoid, name)
