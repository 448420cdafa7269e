"""Metrics of yes and no: how many labels and predictions agree in which way, and what is made of those four numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gpersist.graph import Tensor
from gpersist.ops.argmax import argmax, argmin
from gpersist.ops.arithmetic import maximum, minimum, multiply
from gpersist.ops.arranging import tile, transpose
from gpersist.ops.casting import cast
from gpersist.ops.checks import assert_greater_equal, assert_less_equal, assert_rank_in, assert_type
from gpersist.ops.choosing import where
from gpersist.ops.comparison import equal, greater, logical_and, logical_not
from gpersist.ops.constants import constant
from gpersist.ops.control import control_dependencies
from gpersist.ops.division import div_no_nan, divide
from gpersist.ops.filling import ones_like
from gpersist.ops.joining import stack
from gpersist.ops.metric_states import Metric, alike, collected, metric_variable, read
from gpersist.ops.reductions import reduce_min, reduce_sum
from gpersist.ops.scans import cumsum
from gpersist.ops.shaping import expand_dims, rank, reshape, shape_of
from gpersist.ops.unary import abs as absolute
from gpersist.ops.unary import log
from gpersist.ops.variable_scope import variable_scope
from gpersist.ops.variables import assign_add
from gpersist.ops.weights_broadcast import broadcast_weights

__all__: list[str] = []

_KEPSILON = 1e-7
_IN_RANGE = "predictions must be in [0, 1]"
_KINDS = {"tp": ("true_positives", True, True), "fn": ("false_negatives", True, False), "tn": ("true_negatives", False, False),
          "fp": ("false_positives", False, True)}  # fmt: skip
"""Of each kind: its variable's name; what the label is; what the prediction is."""


def true_positives(
    labels: Any, predictions: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None, name: str | None = None
) -> Metric:
    """The weights of what is true and predicted so (`tf.metrics.true_positives`)."""
    return _counted("tp", labels, predictions, weights, metrics_collections, updates_collections, name)


def true_negatives(
    labels: Any, predictions: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None, name: str | None = None
) -> Metric:
    """The weights of what is false and predicted so (`tf.metrics.true_negatives`)."""
    return _counted("tn", labels, predictions, weights, metrics_collections, updates_collections, name)


def false_positives(
    labels: Any, predictions: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None, name: str | None = None
) -> Metric:
    """The weights of what is false and predicted true (`tf.metrics.false_positives`)."""
    return _counted("fp", labels, predictions, weights, metrics_collections, updates_collections, name)


def false_negatives(
    labels: Any, predictions: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None, name: str | None = None
) -> Metric:
    """The weights of what is true and predicted false (`tf.metrics.false_negatives`)."""
    return _counted("fn", labels, predictions, weights, metrics_collections, updates_collections, name)


def true_positives_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """`true_positives` of predictions above each threshold (`tf.metrics.true_positives_at_thresholds`)."""
    return _counted_above("tp", labels, predictions, thresholds, weights, metrics_collections, updates_collections, name)


def true_negatives_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """`true_negatives` of predictions above each threshold (`tf.metrics.true_negatives_at_thresholds`)."""
    return _counted_above("tn", labels, predictions, thresholds, weights, metrics_collections, updates_collections, name)


def false_positives_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """`false_positives` of predictions above each threshold (`tf.metrics.false_positives_at_thresholds`)."""
    return _counted_above("fp", labels, predictions, thresholds, weights, metrics_collections, updates_collections, name)


def false_negatives_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """`false_negatives` of predictions above each threshold (`tf.metrics.false_negatives_at_thresholds`)."""
    return _counted_above("fn", labels, predictions, thresholds, weights, metrics_collections, updates_collections, name)


def precision(
    labels: Any, predictions: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None, name: str | None = None
) -> Metric:
    """How much of what is predicted true is true (`tf.metrics.precision`); 0 where nothing is."""
    return _share("precision", false_positives, labels, predictions, weights, metrics_collections, updates_collections, name)


def recall(
    labels: Any, predictions: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None, name: str | None = None
) -> Metric:
    """How much of what is true is predicted true (`tf.metrics.recall`); 0 where nothing is."""
    return _share("recall", false_negatives, labels, predictions, weights, metrics_collections, updates_collections, name)


def precision_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """`precision` of predictions above each threshold (`tf.metrics.precision_at_thresholds`)."""
    return _share_above("precision", "fp", labels, predictions, thresholds, weights, metrics_collections, updates_collections, name)


def recall_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """`recall` of predictions above each threshold (`tf.metrics.recall_at_thresholds`)."""
    return _share_above("recall", "fn", labels, predictions, thresholds, weights, metrics_collections, updates_collections, name)


def sensitivity_at_specificity(
    labels: Any,
    predictions: Any,
    specificity: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The recall at the threshold where that part of what is false is predicted so (`tf.metrics.sensitivity_at_specificity`).

    Raises:
        ValueError: `specificity` is not in [0, 1].
    """
    if specificity < 0 or specificity > 1:
        raise ValueError(f"`specificity` must be in the range [0, 1]. Currently, `specificity` got {specificity}.")

    def value_of(counts: dict[str, Any], name: str) -> Tensor:
        tp, tn, fp, fn = (counts[kind] for kind in ("tp", "tn", "fp", "fn"))
        found = divide(tn, tn + fp + _KEPSILON)
        at = cast(argmin(absolute(found - specificity), 0), "int32")
        return divide(tp[at], tp[at] + fn[at] + _KEPSILON, name)

    with variable_scope(name, "sensitivity_at_specificity", (predictions, labels, weights)):
        thresholds = [0.0 - _KEPSILON, *_evenly(num_thresholds), 1.0 + _KEPSILON]
        values, updates = _confusion_above(labels, predictions, thresholds, weights)
        value = collected(metrics_collections, value_of(values, "value"))
        return value, collected(updates_collections, value_of(updates, "update_op"))


def specificity_at_sensitivity(
    labels: Any,
    predictions: Any,
    sensitivity: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The part of what is false that is predicted so, at the threshold of that recall (`tf.metrics.specificity_at_sensitivity`).

    Raises:
        ValueError: `sensitivity` is not in [0, 1].
    """
    if sensitivity < 0 or sensitivity > 1:
        raise ValueError(f"`sensitivity` must be in the range [0, 1]. Currently, `sensitivity` is {sensitivity}.")

    def value_of(counts: dict[str, Any], name: str) -> Tensor:
        tp, tn, fp, fn = (counts[kind] for kind in ("tp", "tn", "fp", "fn"))
        found = divide(tp, tp + fn + _KEPSILON)
        least = reduce_min(absolute(found - sensitivity))
        is_least = equal(absolute(found - sensitivity), least)
        at = cast(argmax(cumsum(cast(is_least, "int64")), 0), "int32")  # the last of them
        return divide(tn[at], tn[at] + fp[at] + _KEPSILON, name)

    with variable_scope(name, "specificity_at_sensitivity", (predictions, labels, weights)):
        thresholds = [0.0 - _KEPSILON, *_evenly(num_thresholds), 1.0 - _KEPSILON]
        values, updates = _confusion_above(labels, predictions, thresholds, weights)
        value = collected(metrics_collections, value_of(values, "value"))
        return value, collected(updates_collections, value_of(updates, "update_op"))


def auc(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    curve: str = "ROC",
    name: str | None = None,
    summation_method: str = "trapezoidal",
    thresholds: Sequence[float] | None = None,
) -> Metric:
    """The area under the curve of recall over the rate of false positives, or of precision over recall (`tf.metrics.auc`).

    Args:
        labels: taken as bool.
        predictions: in [0, 1].
        weights: of each; by default 1.
        num_thresholds: at how many places the curve is known.
        metrics_collections: for the value.
        updates_collections: for the update.
        curve: "ROC" or "PR".
        name: of the variable scope.
        summation_method: "trapezoidal", "careful_interpolation", "minoring" or "majoring".
        thresholds: these instead of evenly spaced ones.

    Raises:
        ValueError: another curve or method.
    """
    with variable_scope(name, "auc", (labels, predictions, weights)):
        if curve not in ("ROC", "PR"):
            raise ValueError(f"Curve must be either ROC or PR. Curve {curve} is unknown.")
        inner = _evenly(num_thresholds) if thresholds is None else sorted(thresholds)
        values, updates = _confusion_above(labels, predictions, [0.0 - _KEPSILON, *inner, 1.0 + _KEPSILON], weights)
        value = collected(metrics_collections, _area(values, curve, summation_method, len(inner) + 1, "value"))
        return value, collected(updates_collections, _area(updates, curve, summation_method, len(inner) + 1, "update_op"))


def _area(counts: dict[str, Any], curve: str, method: str, count: int, name: str) -> Tensor:
    """The area of `count` strips."""
    tp, fn, tn, fp = (counts[kind] for kind in ("tp", "fn", "tn", "fp"))
    if curve == "PR" and method == "careful_interpolation":
        return _interpolated_area(tp, fp, fn, count)
    epsilon = 1.0e-6
    rec = divide(tp + epsilon, tp + fn + epsilon)
    x, y = (divide(fp, fp + tn + epsilon), rec) if curve == "ROC" else (rec, divide(tp + epsilon, tp + fp + epsilon))
    if method not in ("trapezoidal", "careful_interpolation", "minoring", "majoring"):
        raise ValueError(
            f"Invalid summation_method: {method} summation_method should be 'trapezoidal', 'careful_interpolation', 'minoring', or 'majoring'."
        )
    widths = x[:count] - x[1:]
    if method in ("minoring", "majoring"):
        heights = (minimum if method == "minoring" else maximum)(y[:count], y[1:])
    else:
        heights = (y[:count] + y[1:]) / 2.0
    return reduce_sum(multiply(widths, heights), name=name)


def _interpolated_area(tp: Any, fp: Any, fn: Any, count: int) -> Tensor:
    """Under a curve of precision, whose points go along hyperbolas as positives grow linearly (Davis and Goadrich, 2006)."""
    new = tp[:count] - tp[1:]
    found = tp + fp
    slope = div_no_nan(new, maximum(found[:count] - found[1:], 0), name="prec_slope")
    intercept = tp[1:] - multiply(slope, found[1:])
    is_known = logical_and(found[:count] > 0, found[1:] > 0)
    ratio = div_no_nan(found[:count], maximum(found[1:], 0), name="recall_relative_ratio")
    ratio = where(is_known, ratio, ones_like(found[1:]))
    area = slope * (new + intercept * log(ratio))
    return reduce_sum(div_no_nan(area, maximum(tp[1:] + fn[1:], 0), name="pr_auc_increment"), name="interpolate_pr_auc")


def _evenly(count: int) -> list[float]:
    """Thresholds within (0, 1), two less than the count."""
    return [(index + 1) * 1.0 / (count - 1) for index in range(count - 2)]


def _yes_or_no(labels: Any, predictions: Any, weights: Any) -> tuple[Tensor, Any, Any]:
    return alike(cast(predictions, "bool"), cast(labels, "bool"), weights)


def _counted(kind: str, labels: Any, predictions: Any, weights: Any, metrics_collections: Any, updates_collections: Any, name: str | None) -> Metric:
    """The weights of what is of a kind; variable `count`."""
    default, is_true, is_predicted = _KINDS[kind]
    with variable_scope(name, default, (predictions, labels, weights)):
        predictions, labels, weights = _yes_or_no(labels, predictions, weights)
        values = logical_and(equal(labels, is_true), equal(predictions, is_predicted))
        assert_type(values, "bool")
        count = metric_variable([], "float32", "count")
        values = cast(values, "float32")
        if weights is not None:
            with control_dependencies([assert_rank_in(weights, (0, rank(values)))]):
                values = multiply(values, cast(weights, "float32"))
        value = read(count, metrics_collections)
        return value, collected(updates_collections, assign_add(count, reduce_sum(values)))


def _counted_above(
    kind: str,
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any,
    metrics_collections: Any,
    updates_collections: Any,
    name: str | None,
) -> Metric:
    with variable_scope(name, _KINDS[kind][0], (predictions, labels, weights)):
        values, updates = _confusion_above(labels, predictions, thresholds, weights, (kind,))
        return read(values[kind], metrics_collections), collected(updates_collections, updates[kind])


def _share(
    what: str,
    others: Callable[..., Metric],
    labels: Any,
    predictions: Any,
    weights: Any,
    metrics_collections: Any,
    updates_collections: Any,
    name: str | None,
) -> Metric:
    """True positives by themselves and others."""

    def share(found: Any, other: Any, name: str) -> Tensor:
        is_any = greater(found + other, 0)
        return where(is_any, divide(found, found + other), 0, name)

    with variable_scope(name, what, (predictions, labels, weights)):
        predictions, labels, weights = _yes_or_no(labels, predictions, weights)
        found, new_found = true_positives(labels, predictions, weights)
        other, new_other = others(labels, predictions, weights)
        value = collected(metrics_collections, share(found, other, "value"))
        return value, collected(updates_collections, share(new_found, new_other, "update_op"))


def _share_above(
    what: str,
    other: str,
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any,
    metrics_collections: Any,
    updates_collections: Any,
    name: str | None,
) -> Metric:
    def share(counts: dict[str, Any], name: str) -> Tensor:
        return divide(counts["tp"], _KEPSILON + counts["tp"] + counts[other], name=f"{what}_{name}")

    with variable_scope(name, f"{what}_at_thresholds", (predictions, labels, weights)):
        values, updates = _confusion_above(labels, predictions, thresholds, weights, ("tp", other))
        value = collected(metrics_collections, share(values, "value"))
        return value, collected(updates_collections, share(updates, "update_op"))


def _confusion_above(
    labels: Any, predictions: Any, thresholds: Sequence[float], weights: Any, kinds: Sequence[str] = tuple(_KINDS)
) -> tuple[dict[str, Any], dict[str, Any]]:
    """For each kind the variable of what is of it at each threshold, and its update."""
    with control_dependencies(
        [
            assert_greater_equal(predictions, cast(0.0, predictions.dtype), message=_IN_RANGE),
            assert_less_equal(predictions, cast(1.0, predictions.dtype), message=_IN_RANGE),
        ]
    ):
        predictions, labels, weights = alike(cast(predictions, "float32"), cast(labels, "bool"), weights)
    count = len(thresholds)
    column = reshape(predictions, [-1, 1])
    row = reshape(cast(labels, "bool"), [1, -1])
    number: Any = column.shape.as_list()[0]
    if number is None:
        number = shape_of(column)[0]
    limits = tile(expand_dims(constant(thresholds), [1]), stack([1, number]))
    is_predicted = {True: greater(tile(transpose(column), [count, 1]), limits)}
    if "fn" in kinds or "tn" in kinds:
        is_predicted[False] = logical_not(is_predicted[True])
    is_true = {True: tile(row, [count, 1])}
    if "fp" in kinds or "tn" in kinds:
        is_true[False] = logical_not(is_true[True])
    factors = None
    if weights is not None:
        weights = broadcast_weights(cast(weights, "float32"), predictions)
        factors = tile(reshape(weights, [1, -1]), [count, 1])
        limits.shape.assert_is_compatible_with(factors.shape)
    values, updates = {}, {}
    for kind, (name, truth, prediction) in _KINDS.items():
        if kind in kinds:
            values[kind] = metric_variable([count], "float32", name)
            found = cast(logical_and(is_true[truth], is_predicted[prediction]), "float32")
            if factors is not None:
                found *= factors
            updates[kind] = assign_add(values[kind], reduce_sum(found, 1))
    return values, updates
