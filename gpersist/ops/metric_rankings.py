"""Metrics of the k best predictions: whether labels are among them. Labels are int64, [..., labels of each], dense or sparse."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Tensor, apply, apply_op, name_scope
from gpersist.ops.arithmetic import add, minimum, multiply
from gpersist.ops.arranging import tile
from gpersist.ops.casting import cast
from gpersist.ops.choosing import where_v2
from gpersist.ops.comparison import equal, greater_equal
from gpersist.ops.control import control_dependencies
from gpersist.ops.control_flow import cond
from gpersist.ops.counting import top_k
from gpersist.ops.division import div_no_nan, divide
from gpersist.ops.filling import fill, ones, ones_like, zeros_like
from gpersist.ops.gathering import gather
from gpersist.ops.joining import concat
from gpersist.ops.metric_states import Metric, collected, metric_variable
from gpersist.ops.passing import identity
from gpersist.ops.reductions import reduce_max, reduce_sum
from gpersist.ops.scans import cumsum
from gpersist.ops.set_operations import set_difference, set_intersection, set_size
from gpersist.ops.shaping import expand_dims, rank, reshape, shape_of, size
from gpersist.ops.sparse_tensor import SparseTensor, SparseTensorValue, convert_to_tensor_or_sparse_tensor
from gpersist.ops.variables import assign_add
from gpersist.ops.weights_broadcast import assert_broadcastable, broadcast_weights

__all__: list[str] = []


def recall_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """How many of the labels are among the k best predictions (`tf.metrics.recall_at_k`).

    Args:
        labels: int64[..., labels].
        predictions: scores of classes: [..., classes].
        k: how many of the best count.
        class_id: only this class.
        weights: of each row.
        metrics_collections: for the value.
        updates_collections: for the update.
        name: of the scope.
    """
    with name_scope(name, _name("recall", k, class_id), (predictions, labels, weights)) as scope:
        _, best = top_k(predictions, k)
        return recall_at_top_k(labels, best, k, class_id, weights, metrics_collections, updates_collections, scope)


def recall_at_top_k(
    labels: Any,
    predictions_idx: Any,
    k: int | None = None,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """`recall_at_k` of classes that are the best (`tf.metrics.recall_at_top_k`)."""
    return _share("recall", "false_negative", labels, predictions_idx, k, class_id, weights, metrics_collections, updates_collections, name)


def precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """How many of the k best predictions are among the labels (`tf.metrics.precision_at_k`); arguments as in `recall_at_k`."""
    with name_scope(name, _name("precision", k, class_id), (predictions, labels, weights)) as scope:
        _, best = top_k(predictions, k)
        return precision_at_top_k(labels, best, k, class_id, weights, metrics_collections, updates_collections, scope)


def precision_at_top_k(
    labels: Any,
    predictions_idx: Any,
    k: int | None = None,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """`precision_at_k` of classes that are the best (`tf.metrics.precision_at_top_k`)."""
    return _share("precision", "false_positive", labels, predictions_idx, k, class_id, weights, metrics_collections, updates_collections, name)


def sparse_precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The old name of `precision_at_k` (`tf.metrics.sparse_precision_at_k`)."""
    return precision_at_k(labels, predictions, k, class_id, weights, metrics_collections, updates_collections, name)


def average_precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean of precisions at 1, 2 ... k, where those are of labels (`tf.metrics.average_precision_at_k`).

    Raises:
        ValueError: k is less than 1.
    """
    if k < 1:
        raise ValueError(f"Invalid k={k}. `k` should be >= 1.")
    with name_scope(name, _name("average_precision", k), (predictions, labels, weights)) as scope:
        _, best = top_k(predictions, k)
        labels = _within(labels, cast(shape_of(predictions)[-1], "int64"))
        return _mean_of_averages(labels, best, weights, metrics_collections, updates_collections, scope)


def sparse_average_precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The old name of `average_precision_at_k` (`tf.metrics.sparse_average_precision_at_k`)."""
    return average_precision_at_k(labels, predictions, k, weights, metrics_collections, updates_collections, name)


def _name(what: str, k: int | None, class_id: int | None = None) -> str:
    return f"{what}_at_{'k' if k is None else int(k)}" + ("" if class_id is None else f"_class{class_id}")


def _share(
    what: str,
    other: str,
    labels: Any,
    predictions_idx: Any,
    k: int | None,
    class_id: int | None,
    weights: Any,
    metrics_collections: Any,
    updates_collections: Any,
    name: str | None,
) -> Metric:
    """True positives by themselves and others."""
    with name_scope(name, _name(what, k, class_id), (predictions_idx, labels, weights)) as scope:
        labels = _with_axis(labels, predictions_idx)
        best = cast(predictions_idx, "int64")
        found, new_found = _summed("true_positive", labels, best, k, class_id, weights)
        missed, new_missed = _summed(other, labels, best, k, class_id, weights)
        value = divide(found, add(found, missed), name=scope)
        collected(metrics_collections, value)
        update = divide(new_found, add(new_found, new_missed), name="update")
        return value, collected(updates_collections, update)


def _summed(kind: str, labels: Any, best: Tensor, k: int | None, class_id: int | None, weights: Any) -> tuple[Any, Any]:
    """The variable of how many are of a kind, and its update."""
    with name_scope(None, _name(kind, k, class_id), (best, labels, weights)) as scope:
        total = cast(reduce_sum(_counted(kind, labels, best, class_id, weights)), "float64")
        variable = metric_variable([], "float64", scope)
        return variable, assign_add(variable, total, name="update")


def _counted(kind: str, labels: Any, best: Any, class_id: int | None = None, weights: Any = None, name: str | None = None) -> Tensor:
    """How many of each row are of a kind: float64, weighed."""
    with name_scope(name, f"{kind}s", (best, labels, weights)):
        if class_id is not None:
            labels, best = _only(labels, class_id), _only(best, class_id)
        if kind == "true_positive":
            there = set_intersection(best, labels)
        else:
            there = set_difference(best, labels, aminusb=kind == "false_positive")
        count = cast(set_size(there), "float64")
        if weights is None:
            return count
        with control_dependencies([assert_broadcastable(weights, count)]):
            return multiply(count, cast(weights, "float64"))


def _only(ids: Any, wanted: int) -> SparseTensor:
    """Those of the ids that are the wanted one."""
    ids = convert_to_tensor_or_sparse_tensor(ids)
    if isinstance(ids, SparseTensor):
        places = reshape(where_v2(equal(ids.values, wanted)), [-1])
        return SparseTensor(gather(ids.indices, places), gather(ids.values, places), identity(ids.dense_shape))
    shape = shape_of(ids, out_type="int64")
    last = size(shape) - 1
    filled = fill(_with_last_of_one(shape, reshape(last, [1])), cast(wanted, "int64"))
    found = set_intersection(filled, ids)
    return SparseTensor(found.indices, found.values, shape)


def _with_last_of_one(shape: Tensor, axes: Tensor) -> Any:
    """A shape with 1 at the axes, as TensorFlow makes it of a shape that a reduction keeps."""
    count = size(shape, out_type=axes.dtype)
    axes = (axes + count) % count
    how_many = shape_of(axes)
    return apply("DynamicStitch", [apply("Range", 0, count, 1, name="range"), axes], [shape, ones(how_many, dtype=shape.dtype)])


def _with_axis(labels: Any, predictions: Any) -> Any:
    """Labels, with one more axis where the predictions have that."""
    with name_scope(None, "expand_labels", (labels, predictions)) as scope:
        labels = convert_to_tensor_or_sparse_tensor(labels)
        if isinstance(labels, SparseTensor):
            lacks = equal(rank(predictions), size(labels.dense_shape) + 1)
            return cond(lacks, lambda: _reshaped(labels, concat((labels.dense_shape, (1,)), 0), scope), lambda: labels)
        mine, theirs = labels.shape.rank, predictions.shape.rank
        if mine is None or theirs is None:
            return cond(equal(rank(predictions), rank(labels) + 1), lambda: expand_dims(labels, -1, name=scope), lambda: labels)
        if mine == theirs:
            return labels
        if mine == theirs - 1:
            return expand_dims(labels, -1, name=scope)
        raise ValueError(
            f"Unexpected labels shape {labels.shape} for predictions shape {predictions.shape}. Predictions rank should be the same rank as labels "
            "rank or labels rank plus one ."
        )


def _reshaped(value: SparseTensor, shape: Any, name: str | None) -> SparseTensor:
    shape = cast(shape, "int64")
    with name_scope(name, "SparseReshape", [value]) as scope:
        indices, found = apply_op("SparseReshape", value.indices, value.dense_shape, shape, name=scope).outputs
        return SparseTensor(indices, identity(value.values), found)


def _within(labels: Any, count: Tensor) -> Any:
    """Labels, -1 where they are none of the classes."""
    values = labels.values if isinstance(labels, (SparseTensor, SparseTensorValue)) else labels
    largest = reduce_max(values)

    def cleaned() -> Any:
        found = where_v2(greater_equal(values, count), -1 * ones_like(values), values)
        return found if values is labels else type(labels)(labels.indices, found, labels.dense_shape)

    return cond(greater_equal(largest, count), cleaned, lambda: labels)


def _mean_of_averages(labels: Any, best: Any, weights: Any, metrics_collections: Any, updates_collections: Any, name: str) -> Metric:
    with name_scope(name, "average_precision_at_top_k", (best, labels, weights)) as scope:
        average = _average(labels, best)
        if weights is not None:
            weights = broadcast_weights(cast(weights, "float64"), average)
            average = multiply(average, weights)
        with name_scope(None, "max", (average,)) as inner:
            most = metric_variable([], "float64", inner)
            batch = cast(size(average, name="batch_max"), "float64") if weights is None else reduce_sum(weights, name="batch_max")
            new_most = assign_add(most, batch, name="update")
        with name_scope(None, "total", (average,)) as inner:
            total = metric_variable([], "float64", inner)
            new_total = assign_add(total, reduce_sum(average, name="batch_total"), name="update")
        value = collected(metrics_collections, div_no_nan(total, most, name="mean"))
        return value, collected(updates_collections, div_no_nan(new_total, new_most, name=scope))


def _average(labels: Any, best: Any) -> Tensor:
    """The average precision of each row."""
    with name_scope(None, "average_precision", (best, labels)) as scope:
        best = cast(best, "int64", name="predictions_idx")
        if best.shape.rank == 0:
            raise ValueError("The rank of `predictions_idx` must be at least 1.")
        k = best.shape.as_list()[-1]
        if k is None:
            raise ValueError("The last dimension of predictions_idx must be set. Currently, it is None.")
        labels = _with_axis(labels, best)
        each = expand_dims(best, -1, name="predictions_idx_per_k")
        is_there = _counted("true_positive", _repeated(labels, k, "labels_per_k"), each, name="relevant_per_k")
        found = cumsum(is_there, axis=-1, name="tp_per_k")
        seen = cumsum(ones_like(is_there), axis=-1, name="retrieved_per_k")
        precision = divide(cast(found, "float64"), cast(seen, "float64"), name="precision_per_k")
        relevant = multiply(precision, cast(is_there, "float64"), name="relevant_precision_per_k")
        total = reduce_sum(relevant, axis=(-1,), name="precision_sum")
        return divide(total, cast(_relevant(labels, k), "float64"), name=scope)


def _repeated(labels: Any, count: int, name: str) -> Any:
    """Labels `count` times along a new axis before the last one."""
    with name_scope(name, "expand_and_tile", (labels, count, -1)) as scope:
        labels = convert_to_tensor_or_sparse_tensor(labels)
        if isinstance(labels, SparseTensor):
            at = reshape(size(labels.dense_shape) + -1, [1])
            parts = (apply("Slice", labels.dense_shape, [0], at), [1], apply("Slice", labels.dense_shape, at, [-1]))
            expanded = _reshaped(labels, concat(parts, 0, name="expanded_shape"), "expand")
            return expanded if count == 1 else _joined([expanded] * count, -2, scope)
        widened = expand_dims(labels, -2, name="expand")
        if count == 1:
            return widened
        whole = ones_like(shape_of(labels))
        return tile(widened, concat((whole[:-1], (count,), whole[-1:]), 0, name="multiples"), name=scope)


def _joined(values: list[SparseTensor], axis: int, name: str) -> SparseTensor:
    """Sparse tensors along an axis, which is counted from the end."""
    columns = [[getattr(value, part) for value in values] for part in ("indices", "values", "dense_shape")]
    return SparseTensor(*apply_op("SparseConcat", *columns, concat_dim=axis, name=name).outputs)


def _relevant(labels: Any, k: int) -> Tensor:
    """How many labels each row has, k at most."""
    with name_scope(None, "num_relevant", (labels,)) as scope:
        labels = convert_to_tensor_or_sparse_tensor(labels)
        if isinstance(labels, SparseTensor):
            return minimum(set_size(labels), k, name=scope)
        is_label = greater_equal(labels, 0)
        return minimum(reduce_sum(where_v2(is_label, ones_like(labels), zeros_like(labels)), axis=-1), k, name=scope)
