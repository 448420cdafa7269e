"""Metrics that are means over all batches: of values, of errors, of what was right."""

from __future__ import annotations

from typing import Any

from gpersist.ops.arithmetic import maximum, multiply, squared_difference, subtract
from gpersist.ops.casting import cast
from gpersist.ops.choosing import where
from gpersist.ops.comparison import equal, greater, less, not_equal
from gpersist.ops.confusion import confusion_matrix, remove_squeezable_dimensions
from gpersist.ops.control import control_dependencies
from gpersist.ops.diagonal import diag_part
from gpersist.ops.division import div_no_nan, divide
from gpersist.ops.filling import ones, ones_like, zeros_like
from gpersist.ops.metric_states import Metric, alike, collected, metric_variable
from gpersist.ops.reductions import reduce_mean, reduce_sum
from gpersist.ops.scatter import scatter_add
from gpersist.ops.shaping import reshape, size
from gpersist.ops.unary import abs as absolute
from gpersist.ops.unary import sqrt
from gpersist.ops.variable_scope import variable_scope
from gpersist.ops.variables import assign_add
from gpersist.ops.weights_broadcast import broadcast_weights

__all__: list[str] = []


def mean(values: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None, name: str | None = None) -> Metric:
    """The weighted mean of all values (`tf.metrics.mean`); variables `total` and `count`."""
    with variable_scope(name, "mean", (values, weights)):
        values = cast(values, "float32")
        total, count = metric_variable([], "float32", "total"), metric_variable([], "float32", "count")
        if weights is None:
            number = cast(size(values), "float32")
        else:
            values, _, weights = alike(values, None, weights)
            weights = broadcast_weights(cast(weights, "float32"), values)
            values = multiply(values, weights)
            number = reduce_sum(weights)
        new_total = assign_add(total, reduce_sum(values))
        with control_dependencies([values]):
            new_count = assign_add(count, number)
        value = collected(metrics_collections, div_no_nan(total, maximum(count, 0), name="value"))
        update = div_no_nan(new_total, maximum(new_count, 0), name="update_op")
        return value, collected(updates_collections, update)


def mean_tensor(
    values: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None, name: str | None = None
) -> Metric:
    """The weighted mean of each element (`tf.metrics.mean_tensor`); variables `total_tensor` and `count_tensor`."""
    with variable_scope(name, "mean", (values, weights)):
        values = cast(values, "float32")
        total = metric_variable(values.shape, "float32", "total_tensor")
        count = metric_variable(values.shape, "float32", "count_tensor")
        number = ones_like(values)
        if weights is not None:
            values, _, weights = alike(values, None, weights)
            weights = broadcast_weights(cast(weights, "float32"), values)
            values = multiply(values, weights)
            number = multiply(number, weights)
        new_total = assign_add(total, values)
        with control_dependencies([values]):
            new_count = assign_add(count, number)
        value = collected(metrics_collections, div_no_nan(total, maximum(count, 0), name="value"))
        update = div_no_nan(new_total, maximum(new_count, 0), name="update_op")
        return value, collected(updates_collections, update)


def accuracy(
    labels: Any, predictions: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None, name: str | None = None
) -> Metric:
    """How often predictions equal labels (`tf.metrics.accuracy`)."""
    predictions, labels, weights = alike(predictions, labels, weights)
    predictions.shape.assert_is_compatible_with(labels.shape)
    if labels.dtype is not predictions.dtype:
        predictions = cast(predictions, labels.dtype)
    is_right = cast(equal(predictions, labels), "float32")
    return mean(is_right, weights, metrics_collections, updates_collections, name or "accuracy")


def percentage_below(
    values: Any, threshold: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None, name: str | None = None
) -> Metric:
    """The part of the values that is less than a threshold (`tf.metrics.percentage_below`)."""
    is_below = cast(less(values, threshold), "float32")
    return mean(is_below, weights, metrics_collections, updates_collections, name or "percentage_below_threshold")


def mean_absolute_error(
    labels: Any, predictions: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None, name: str | None = None
) -> Metric:
    """The mean of |labels - predictions| (`tf.metrics.mean_absolute_error`)."""
    predictions, labels, weights = alike(predictions, labels, weights)
    errors = absolute(predictions - labels)
    return mean(errors, weights, metrics_collections, updates_collections, name or "mean_absolute_error")


def mean_relative_error(
    labels: Any,
    predictions: Any,
    normalizer: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean of |labels - predictions| / normalizer, 0 where that is 0 (`tf.metrics.mean_relative_error`)."""
    predictions, labels, weights = alike(predictions, labels, weights)
    predictions, normalizer = remove_squeezable_dimensions(predictions, normalizer)
    predictions.shape.assert_is_compatible_with(normalizer.shape)
    is_none = equal(normalizer, 0.0)
    nothing = zeros_like(labels)
    errors = where(is_none, nothing, divide(absolute(labels - predictions), normalizer))
    return mean(errors, weights, metrics_collections, updates_collections, name or "mean_relative_error")


def mean_squared_error(
    labels: Any, predictions: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None, name: str | None = None
) -> Metric:
    """The mean of the squares of labels - predictions (`tf.metrics.mean_squared_error`)."""
    predictions, labels, weights = alike(predictions, labels, weights)
    errors = squared_difference(labels, predictions)
    return mean(errors, weights, metrics_collections, updates_collections, name or "mean_squared_error")


def root_mean_squared_error(
    labels: Any, predictions: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None, name: str | None = None
) -> Metric:
    """The root of `mean_squared_error` (`tf.metrics.root_mean_squared_error`)."""
    predictions, labels, weights = alike(predictions, labels, weights)
    squares, update = mean_squared_error(labels, predictions, weights, None, None, name or "root_mean_squared_error")
    value = collected(metrics_collections, sqrt(squares))
    return value, collected(updates_collections, sqrt(update))


def mean_cosine_distance(
    labels: Any,
    predictions: Any,
    dim: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """1 less the mean of the products of unit vectors along axis `dim` (`tf.metrics.mean_cosine_distance`)."""
    predictions, labels, weights = alike(predictions, labels, weights)
    products = reduce_sum(multiply(predictions, labels), axis=[dim], keepdims=True)
    value, update = mean(products, weights, None, None, name or "mean_cosine_distance")
    value, update = subtract(1.0, value), subtract(1.0, update)
    return collected(metrics_collections, value), collected(updates_collections, update)


def mean_per_class_accuracy(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean of the classes' accuracies (`tf.metrics.mean_per_class_accuracy`); labels and predictions are tensors of classes."""
    with variable_scope(name, "mean_accuracy", (predictions, labels, weights)):
        labels, predictions = _flat(cast(labels, "int64")), _flat(predictions)
        predictions.shape.assert_is_compatible_with(labels.shape)
        total, count = metric_variable([num_classes], "float32", "total"), metric_variable([num_classes], "float32", "count")
        number = ones([size(labels)], "float32")
        if labels.dtype is not predictions.dtype:
            predictions = cast(predictions, labels.dtype)
        is_right = cast(equal(predictions, labels), "float32")
        if weights is not None:
            weights = cast(_flat(weights), "float32")
            is_right, number = is_right * weights, number * weights
        new_total, new_count = scatter_add(total, labels, number), scatter_add(count, labels, is_right)
        each = div_no_nan(count, maximum(total, 0))
        value = collected(metrics_collections, reduce_mean(each, name="mean_accuracy"))
        update = div_no_nan(new_count, maximum(new_total, 0), name="update_op")
        return value, collected(updates_collections, update)


def mean_iou(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean over the classes of what labels and predictions have in common by what they have together (`tf.metrics.mean_iou`).

    Labels and predictions are tensors of classes; the update gives the confusion matrix, whose variable is `total_confusion_matrix`.
    """
    with variable_scope(name, "mean_iou", (predictions, labels, weights)):
        predictions.shape.assert_is_compatible_with(labels.shape)
        matrix = metric_variable([num_classes, num_classes], "float64", "total_confusion_matrix")
        predictions, labels = cast(predictions, "int64"), cast(labels, "int64")
        number = cast(num_classes, "int64")
        predictions, labels = _flat(predictions), _flat(labels)
        if weights is not None:
            weights = _flat(weights)
        update = assign_add(matrix, confusion_matrix(labels, predictions, number, weights=weights, dtype="float64"))
        by_row, by_column = cast(reduce_sum(matrix, 0), "float32"), cast(reduce_sum(matrix, 1), "float32")
        common = cast(diag_part(matrix), "float32")
        together = by_row + by_column - common
        present = reduce_sum(cast(not_equal(together, 0), "float32"))
        together = where(greater(together, 0), together, ones_like(together))
        shares = divide(common, together)
        is_any = greater(present, 0)
        value = where(is_any, reduce_sum(shares, name="mean_iou") / present, 0)
        return collected(metrics_collections, value), collected(updates_collections, update)


def _flat(tensor: Any) -> Any:
    return reshape(tensor, [-1]) if tensor.shape.rank > 1 else tensor
