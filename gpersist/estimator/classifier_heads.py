"""Heads of classifiers: of two classes, by one logit, and of more, by one each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gpersist.estimator.canned_keys import MetricKeys, PredictionKeys
from gpersist.estimator.export_output import ClassificationOutput, PredictOutput, RegressionOutput
from gpersist.estimator.head import DEFAULT_SERVING_KEY, Head, LossSpec, mean_of
from gpersist.estimator.head_checks import checked_labels, checked_logits, checked_range
from gpersist.graph import Tensor, name_scope
from gpersist.ops import metrics
from gpersist.ops.argmax import argmax
from gpersist.ops.arranging import tile
from gpersist.ops.casting import cast, to_float
from gpersist.ops.comparison import greater_equal
from gpersist.ops.cross_entropy import sigmoid_cross_entropy_with_logits
from gpersist.ops.filling import zeros_like
from gpersist.ops.joining import concat
from gpersist.ops.losses import Reduction, sparse_softmax_cross_entropy
from gpersist.ops.math import maximum, sigmoid
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import expand_dims, shape_of, squeeze
from gpersist.ops.softmax import softmax
from gpersist.ops.strings import as_string
from gpersist.ops.vocabulary_tables import index_table_from_tensor, index_to_string_table_from_tensor
from gpersist.ops.weights_broadcast import broadcast_weights


class _ClassifierHead(Head):
    """What both have: classes by number and by name."""

    _n_classes: int
    _label_vocabulary: Sequence[str] | None

    def _class_ids(self, scores: Tensor) -> Tensor:
        """The classes that scores speak for."""
        return expand_dims(argmax(scores, axis=-1, name=PredictionKeys.CLASS_IDS), axis=-1)

    def _every_class(self, logits: Tensor) -> dict[str, Tensor]:
        all_ids = self._all(logits, number_range(self._n_classes))
        return {PredictionKeys.ALL_CLASS_IDS: all_ids, PredictionKeys.ALL_CLASSES: self._all_classes(logits)}

    def _classes(self, ids: Tensor) -> dict[str, Tensor]:
        if self._label_vocabulary:
            classes = index_to_string_table_from_tensor(self._label_vocabulary, name="class_string_lookup").lookup(ids)
        else:
            classes = as_string(ids, name="str_classes")
        return {PredictionKeys.CLASS_IDS: ids, PredictionKeys.CLASSES: classes}

    def _all_classes(self, logits: Tensor) -> Tensor:
        return self._all(logits, self._label_vocabulary or as_string(number_range(self._n_classes)))

    @staticmethod
    def _all(logits: Tensor, values: Any) -> Tensor:
        """The same row for each example."""
        batch_size = shape_of(logits)[0]
        return tile(expand_dims(values, axis=0), [batch_size, 1])

    def _ids(self, labels: Tensor) -> Tensor:
        """The labels' places in the vocabulary."""
        return index_table_from_tensor(tuple(self._label_vocabulary or ()), name="class_id_lookup").lookup(labels)  # type: ignore[no-any-return]

    def _export_outputs(self, predictions: dict[str, Tensor]) -> dict[str, Any]:
        probabilities = predictions[PredictionKeys.PROBABILITIES]
        classification = ClassificationOutput(scores=probabilities, classes=self._all_classes(probabilities))
        return {DEFAULT_SERVING_KEY: classification, "classification": classification, "predict": PredictOutput(predictions)}


class BinaryClassHead(_ClassifierHead):
    """The head of a classifier of two classes, with a loss of sigmoid cross entropy (`tf.estimator.BinaryClassHead`).

    Args:
        weight_column: see `Head`, as others.
        thresholds: of probabilities for which metrics are computed: each above 0 and below 1.
        label_vocabulary: the classes' names, where labels are text.
        loss_reduction: how the losses of a batch become one.
        loss_fn: gives the losses of examples.
        name: is added to the names of metrics.

    Raises:
        ValueError: a threshold out of range; see `Head`.
        TypeError: a vocabulary that is no list.
    """

    _n_classes = 2
    _area_method = "careful_interpolation"  # below the curve of precision and recall

    def __init__(
        self,
        weight_column: Any = None,
        thresholds: Sequence[float] | None = None,
        label_vocabulary: Sequence[str] | None = None,
        loss_reduction: str = Reduction.SUM_OVER_BATCH_SIZE,
        loss_fn: Callable[..., Any] | None = None,
        name: str | None = None,
    ) -> None:
        if label_vocabulary is not None and not isinstance(label_vocabulary, (list, tuple)):
            raise TypeError(f"label_vocabulary should be a list or tuple. Given type: {type(label_vocabulary)}")
        self._thresholds = tuple(thresholds or ())
        for threshold in self._thresholds:
            if not 0 < threshold < 1:
                raise ValueError(f"thresholds not in (0, 1): {self._thresholds}.")
        self._label_vocabulary = label_vocabulary
        super().__init__(weight_column, loss_reduction, loss_fn, name)

    @property
    def logits_dimension(self) -> int:
        """One: that of the second class."""
        return 1

    def predictions(self, logits: Tensor) -> dict[str, Tensor]:
        """Logits, probabilities and classes."""
        with name_scope(None, "predictions", [logits]):
            logits = checked_logits(logits, 1)
            logistic = sigmoid(logits, name=PredictionKeys.LOGISTIC)
            both = concat((zeros_like(logits), logits), axis=-1, name="two_class_logits")
            probabilities = softmax(both, name=PredictionKeys.PROBABILITIES)
            ids = self._class_ids(both)
            every = self._every_class(logits)
            found = {PredictionKeys.LOGITS: logits, PredictionKeys.LOGISTIC: logistic, PredictionKeys.PROBABILITIES: probabilities}
            return {**found, **self._classes(ids), **every}

    def _export_outputs(self, predictions: dict[str, Tensor]) -> dict[str, Any]:
        found = super()._export_outputs(predictions)
        return {**found, "regression": RegressionOutput(predictions[PredictionKeys.LOGISTIC])}

    def _labels_and_losses(self, features: Mapping[str, Any], logits: Tensor, labels: Any) -> tuple[Tensor, Tensor]:
        found = checked_labels(labels, logits, 1)
        if self._label_vocabulary is not None:
            found = self._ids(found)
        found = checked_range(cast(found, "float32"), 2)
        if self._loss_fn is not None:
            return found, self._own_losses(features, logits, found)
        return found, sigmoid_cross_entropy_with_logits(labels=found, logits=logits)

    def _metrics(self, predictions: dict[str, Tensor], loss: LossSpec, labels: Any) -> dict[str, Any]:
        _, losses, weights, ids = loss
        logistic, class_ids = predictions[PredictionKeys.LOGISTIC], predictions[PredictionKeys.CLASS_IDS]
        keys = MetricKeys
        with name_scope(None, "metrics", [ids, class_ids]):
            labels_mean = mean_of(ids, weights, keys.LABEL_MEAN, "labels")
            found = {
                keys.LOSS_MEAN: metrics.mean(losses, weights=weights, name=keys.LOSS_MEAN),
                keys.ACCURACY: metrics.accuracy(ids, class_ids, weights=weights, name=keys.ACCURACY),
                keys.PRECISION: metrics.precision(ids, class_ids, weights=weights, name=keys.PRECISION),
                keys.RECALL: metrics.recall(ids, class_ids, weights=weights, name=keys.RECALL),
                keys.PREDICTION_MEAN: mean_of(logistic, weights, keys.PREDICTION_MEAN, "predictions"),
                keys.LABEL_MEAN: labels_mean,
                keys.ACCURACY_BASELINE: _of_the_commoner(labels_mean),
                keys.AUC: area_of(ids, logistic, weights, "ROC", keys.AUC),
                keys.AUC_PR: area_of(ids, logistic, weights, "PR", keys.AUC_PR, self._area_method),
            }
            for threshold in self._thresholds:
                found |= at_threshold(ids, logistic, weights, threshold)
        return {self._key(key): value for key, value in found.items()}


class MultiClassHead(_ClassifierHead):
    """The head of a classifier of more than two classes, with a loss of softmax cross entropy (`tf.estimator.MultiClassHead`).

    Args:
        n_classes: how many.
        weight_column: see `Head`, as others.
        label_vocabulary: the classes' names, where labels are text.
        loss_reduction: how the losses of a batch become one.
        loss_fn: gives the losses of examples.
        name: is added to the names of metrics.

    Raises:
        ValueError: two classes or fewer, or a vocabulary that is no list; see `Head`.
    """

    def __init__(
        self,
        n_classes: int,
        weight_column: Any = None,
        label_vocabulary: Sequence[str] | None = None,
        loss_reduction: str = Reduction.SUM_OVER_BATCH_SIZE,
        loss_fn: Callable[..., Any] | None = None,
        name: str | None = None,
    ) -> None:
        if label_vocabulary is not None and not isinstance(label_vocabulary, (list, tuple)):
            raise ValueError(f"label_vocabulary should be a list or a tuple. Given type: {type(label_vocabulary)}")
        super().__init__(weight_column, loss_reduction, loss_fn, name)
        if n_classes is None:
            raise ValueError("n_classes cannot be None")
        if n_classes <= 2:
            raise ValueError(f"n_classes must be > 2: {n_classes}.")
        self._n_classes = n_classes
        self._label_vocabulary = label_vocabulary

    @property
    def logits_dimension(self) -> int:
        """One for each class."""
        return self._n_classes

    def predictions(self, logits: Tensor) -> dict[str, Tensor]:
        """Logits, probabilities and classes."""
        logits = checked_logits(logits, self._n_classes)
        with name_scope(None, "predictions", [logits]):
            every = self._every_class(logits)
            classes = self._classes(self._class_ids(logits))
            probabilities = softmax(logits, name=PredictionKeys.PROBABILITIES)
            return {PredictionKeys.LOGITS: logits, PredictionKeys.PROBABILITIES: probabilities, **classes, **every}

    def _labels_and_losses(self, features: Mapping[str, Any], logits: Tensor, labels: Any) -> tuple[Tensor, Tensor]:
        found = checked_labels(labels, logits, 1)
        if self._label_vocabulary is None:
            if not found.dtype.is_integer:
                raise ValueError(f"Labels dtype should be integer. Instead got {found.dtype}.")
        elif not found.dtype.is_string:
            raise ValueError(f"Labels dtype should be string if there is a vocabulary. Instead got {found.dtype}")
        else:
            found = self._ids(found)
        found = checked_range(found, self._n_classes)
        if self._loss_fn is not None:
            return found, self._own_losses(features, logits, found)
        return found, expand_dims(sparse_softmax_cross_entropy(found, logits, reduction=Reduction.NONE), axis=-1)

    def _metrics(self, predictions: dict[str, Tensor], loss: LossSpec, labels: Any) -> dict[str, Any]:
        _, losses, weights, ids = loss
        keys = MetricKeys
        with name_scope(None, "metrics", [ids, losses]):
            return {
                self._key(keys.LOSS_MEAN): metrics.mean(losses, weights=weights, name=keys.LOSS_MEAN),
                self._key(keys.ACCURACY): metrics.accuracy(ids, predictions[PredictionKeys.CLASS_IDS], weights=weights, name=keys.ACCURACY),
            }


class _OlderBinaryClassHead(BinaryClassHead):
    """The head that ready-made classifiers of TensorFlow 1 have: one metric is computed in another way."""

    _area_method = "trapezoidal"


def classifier_head(n_classes: int, weight_column: Any, label_vocabulary: Sequence[str] | None, loss_reduction: str) -> Head:
    """The head of a classifier of so many classes."""
    if n_classes == 2:
        return _OlderBinaryClassHead(weight_column, label_vocabulary=label_vocabulary, loss_reduction=loss_reduction)
    return MultiClassHead(n_classes, weight_column, label_vocabulary, loss_reduction)


def _of_the_commoner(labels_mean: Any) -> tuple[Tensor, Tensor]:
    """The accuracy of always saying the class that is commoner."""
    with name_scope(None, "accuracy_baseline", list(labels_mean)):
        value, update = labels_mean
        return maximum(value, 1.0 - value, name="value"), maximum(update, 1 - update, name="update_op")


def area_of(labels: Tensor, logistic: Tensor, weights: Any, curve: str, name: str, method: str = "trapezoidal") -> Any:
    """The area below a curve of probabilities, as a metric."""
    with name_scope(name, "auc", [logistic, labels]) as scope:
        floats = cast(logistic, "float32", name="predictions")
        return metrics.auc(labels, floats, weights=broadcast_weights(weights, floats), curve=curve, name=scope, summation_method=method)


def at_threshold(labels: Tensor, logistic: Tensor, weights: Any, threshold: float) -> dict[str, Any]:
    """Metrics where probabilities from a threshold on are a yes, by name."""
    found = {}
    key = MetricKeys.ACCURACY_AT_THRESHOLD % threshold
    with name_scope(key, f"accuracy_at_{threshold}", [logistic, labels]) as scope:
        found[key] = metrics.accuracy(labels, to_float(greater_equal(logistic, threshold)), weights=weights, name=scope)
    for key, metric in (
        (MetricKeys.PRECISION_AT_THRESHOLD % threshold, metrics.precision_at_thresholds),
        (MetricKeys.RECALL_AT_THRESHOLD % threshold, metrics.recall_at_thresholds),
    ):
        with name_scope(key, "at_threshold", [logistic, labels]) as scope:
            value, update = metric(labels, logistic, (threshold,), weights=weights, name=scope)
            found[key] = squeeze(value), squeeze(update)
    return found
