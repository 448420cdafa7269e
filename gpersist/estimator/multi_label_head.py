"""The head of classifiers whose examples may have several classes, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gpersist.estimator.canned_keys import MetricKeys, PredictionKeys
from gpersist.estimator.classifier_heads import area_of, at_threshold
from gpersist.estimator.export_output import ClassificationOutput, PredictOutput
from gpersist.estimator.head import DEFAULT_SERVING_KEY, Head, LossSpec, mean_of
from gpersist.estimator.head_checks import checked_labels, checked_logits, checked_range
from gpersist.graph import Tensor, get_default_graph, name_scope
from gpersist.ops import metrics
from gpersist.ops.arranging import tile
from gpersist.ops.casting import cast
from gpersist.ops.losses import Reduction, sigmoid_cross_entropy
from gpersist.ops.math import sigmoid
from gpersist.ops.reductions import reduce_mean
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import expand_dims, shape_of
from gpersist.ops.sparse_conversions import sparse_to_indicator
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.ops.strings import as_string
from gpersist.ops.vocabulary_tables import index_table_from_tensor


class MultiLabelHead(Head):
    """The head of a classifier whose examples may have several classes, or none (`tf.estimator.MultiLabelHead`).

    Labels are a dense matrix [batch, n_classes] of 0 and 1, or a sparse one of classes, by number or by name. The loss is sigmoid cross entropy.

    Args:
        n_classes: how many.
        weight_column: see `Head`, as others.
        thresholds: of probabilities for which metrics are computed: each above 0 and below 1.
        label_vocabulary: the classes' names.
        loss_reduction: how the losses of a batch become one.
        loss_fn: gives the losses of examples.
        classes_for_class_based_metrics: numbers or names of classes that have metrics of their own.
        name: is added to the names of metrics.

    Raises:
        ValueError: fewer than two classes, a vocabulary of another length, or another class; see `Head`.
    """

    def __init__(
        self,
        n_classes: int,
        weight_column: Any = None,
        thresholds: Sequence[float] | None = None,
        label_vocabulary: Sequence[str] | None = None,
        loss_reduction: str = Reduction.SUM_OVER_BATCH_SIZE,
        loss_fn: Callable[..., Any] | None = None,
        classes_for_class_based_metrics: Sequence[Any] | None = None,
        name: str | None = None,
    ) -> None:
        if n_classes is None or n_classes < 2:
            raise ValueError(f"n_classes must be > 1 for multi-label classification. Given: {n_classes}")
        self._thresholds = tuple(thresholds or ())
        for threshold in self._thresholds:
            if not 0 < threshold < 1:
                raise ValueError(f"thresholds must be in (0, 1) range. Given: {threshold}")
        if label_vocabulary is not None:
            if not isinstance(label_vocabulary, (list, tuple)):
                raise ValueError(f"label_vocabulary must be a list or tuple. Given type: {type(label_vocabulary)}")
            if len(label_vocabulary) != n_classes:
                raise ValueError(f"Length of label_vocabulary must be n_classes ({n_classes}). Given: {len(label_vocabulary)}")
        super().__init__(weight_column, loss_reduction, loss_fn, name)
        self._n_classes = n_classes
        self._label_vocabulary = label_vocabulary
        self._measured = [self._class_number(each) for each in classes_for_class_based_metrics or ()]

    @property
    def logits_dimension(self) -> int:
        """One for each class."""
        return self._n_classes

    def predictions(self, logits: Tensor) -> dict[str, Tensor]:
        """Logits and probabilities, and the names of the classes."""
        logits = checked_logits(logits, self._n_classes)
        with name_scope("predictions", values=[logits]):
            probabilities = sigmoid(logits, name=PredictionKeys.PROBABILITIES)
            classes = self._all_classes(logits)
        return {PredictionKeys.LOGITS: logits, PredictionKeys.PROBABILITIES: probabilities, PredictionKeys.CLASSES: classes}

    def _all_classes(self, logits: Tensor) -> Tensor:
        names: Any = self._label_vocabulary or as_string(number_range(self._n_classes))
        return tile(expand_dims(names, axis=0), [shape_of(logits)[0], 1])

    def _export_outputs(self, predictions: dict[str, Tensor]) -> dict[str, Any]:
        probabilities = predictions[PredictionKeys.PROBABILITIES]
        classification = ClassificationOutput(scores=probabilities, classes=self._all_classes(probabilities))
        return {DEFAULT_SERVING_KEY: classification, "classification": classification, "predict": PredictOutput(predictions)}

    def _labels_and_losses(self, features: Mapping[str, Any], logits: Tensor, labels: Any) -> tuple[Tensor, Tensor]:
        if isinstance(labels, SparseTensor):
            found: Any = self._dense(labels)
        else:
            found = labels if labels is None else checked_range(labels, 2)
        found = checked_labels(found, logits, self._n_classes)
        if self._loss_fn is not None:
            return found, self._own_losses(features, logits, found)
        losses = sigmoid_cross_entropy(found, logits, reduction=Reduction.NONE)
        return found, reduce_mean(losses, axis=-1, keepdims=True)

    def _dense(self, labels: SparseTensor) -> Tensor:
        if labels.dtype.is_string:
            table = index_table_from_tensor(tuple(self._label_vocabulary or ()), name="class_id_lookup")
            return cast(sparse_to_indicator(table.lookup(labels), self._n_classes), "int64")
        if not labels.dtype.is_integer:
            raise ValueError(f"Labels dtype should be integer. Instead got {labels.dtype}.")
        with get_default_graph().control_dependencies([checked_range(labels.values, self._n_classes)]):
            return cast(sparse_to_indicator(labels, self._n_classes), "int64")

    def _metrics(self, predictions: dict[str, Tensor], loss: LossSpec, labels: Any) -> dict[str, Any]:
        _, losses, weights, found = loss
        keys, probabilities = MetricKeys, predictions[PredictionKeys.PROBABILITIES]
        method = "careful_interpolation"
        made = {
            keys.LOSS_MEAN: metrics.mean(losses, weights=weights, name=keys.LOSS_MEAN),
            keys.AUC: area_of(found, probabilities, weights, "ROC", keys.AUC),
            keys.AUC_PR: area_of(found, probabilities, weights, "PR", keys.AUC_PR, method),
        }
        for threshold in self._thresholds:
            made |= at_threshold(found, probabilities, weights, threshold)
        for number in self._measured:
            name = self._label_vocabulary[number] if self._label_vocabulary else f"class{number}"
            mine, theirs = probabilities[..., number : number + 1], found[..., number : number + 1]
            made[keys.PROBABILITY_MEAN_OF_CLASS % name] = mean_of(mine, weights, keys.PROBABILITY_MEAN_OF_CLASS % name, "predictions")
            made[keys.AUC_OF_CLASS % name] = area_of(theirs, mine, weights, "ROC", keys.AUC_OF_CLASS % name)
            made[keys.AUC_PR_OF_CLASS % name] = area_of(theirs, mine, weights, "PR", keys.AUC_PR_OF_CLASS % name, method)
        return {self._key(key): value for key, value in made.items()}

    def _class_number(self, given: Any) -> int:
        if isinstance(given, str):
            if not self._label_vocabulary:
                raise ValueError("label_vocabulary must be provided when classes_for_class_based_metrics are strings.")
            return list(self._label_vocabulary).index(given)
        if not 0 <= given < self._n_classes:
            raise ValueError(f"All classes_for_class_based_metrics must be in range [0, {self._n_classes - 1}]. Given: {given}")
        return int(given)
