"""Losses, weighted, reduced and kept in a collection: `tf.losses`."""

from __future__ import annotations

from typing import Any

from gpersist.graph import GraphKeys, Tensor, apply, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops.arithmetic import add, add_n, multiply, squared_difference, subtract
from gpersist.ops.array import shape_of
from gpersist.ops.builders import renamed_argument
from gpersist.ops.casting import cast
from gpersist.ops.comparison import equal
from gpersist.ops.confusion import remove_squeezable_dimensions
from gpersist.ops.constants import constant
from gpersist.ops.control import control_dependencies
from gpersist.ops.control_flow import cond
from gpersist.ops.cross_entropy import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2,
    sparse_softmax_cross_entropy_with_logits,
)
from gpersist.ops.division import div_no_nan
from gpersist.ops.filling import ones_like, zeros_like
from gpersist.ops.passing import stop_gradient
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import rank, size, squeeze
from gpersist.ops.unary import abs as absolute
from gpersist.ops.weights_broadcast import assert_broadcastable, broadcast_weights

__all__ = [
    "Reduction",
    "absolute_difference",
    "add_loss",
    "compute_weighted_loss",
    "cosine_distance",
    "get_losses",
    "get_regularization_loss",
    "get_regularization_losses",
    "get_total_loss",
    "hinge_loss",
    "huber_loss",
    "log_loss",
    "mean_pairwise_squared_error",
    "mean_squared_error",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
]


class Reduction:
    """How the losses of a batch become one (`tf.losses.Reduction`)."""

    NONE = "none"
    SUM = "weighted_sum"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    MEAN = "weighted_mean"
    SUM_BY_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"
    SUM_OVER_NONZERO_WEIGHTS = SUM_BY_NONZERO_WEIGHTS

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """All of them."""
        return (cls.NONE, cls.SUM, cls.MEAN, cls.SUM_OVER_BATCH_SIZE, cls.SUM_OVER_NONZERO_WEIGHTS, cls.SUM_BY_NONZERO_WEIGHTS)

    @classmethod
    def validate(cls, key: Any) -> None:
        """Checks one.

        Raises:
            ValueError: it is none.
        """
        if key not in cls.all():
            raise ValueError(f"Invalid Reduction Key {key}. Key should be one of {cls.all()}.")


_DEFAULT = Reduction.SUM_BY_NONZERO_WEIGHTS


def compute_weighted_loss(
    losses: Any, weights: Any = 1.0, scope: str | None = None, loss_collection: Any = GraphKeys.LOSSES, reduction: str = _DEFAULT
) -> Tensor:
    """Losses times their weights, made one (`tf.losses.compute_weighted_loss`), and entered in `loss_collection`.

    `weights` is a scalar, or of the losses' rank with each size 1 or theirs.

    Raises:
        ValueError: the weights' shape does not go with the losses', or the reduction is none of `Reduction`.
    """
    Reduction.validate(reduction)
    with name_scope(scope, "weighted_loss", (losses, weights)), control_dependencies([assert_broadcastable(weights, losses)]):
        values = convert_to_tensor(losses)
        dtype = values.dtype.base_dtype
        values, factors = cast(values, "float32"), cast(weights, "float32")
        weighted = multiply(values, factors)
        if reduction == Reduction.NONE:
            loss = weighted
        else:
            loss = reduce_sum(weighted)
            if reduction == Reduction.MEAN:
                loss = _safe_mean(loss, reduce_sum(ones_like(values) * factors))
            elif reduction == Reduction.SUM_BY_NONZERO_WEIGHTS:
                loss = _safe_mean(loss, _count_present(values, factors))
            elif reduction == Reduction.SUM_OVER_BATCH_SIZE:
                loss = _safe_mean(loss, _count(values))
        loss = cast(loss, dtype)
        add_loss(loss, loss_collection)
        return loss


def absolute_difference(
    labels: Any, predictions: Any, weights: Any = 1.0, scope: str | None = None, loss_collection: Any = GraphKeys.LOSSES, reduction: str = _DEFAULT
) -> Tensor:
    """|predictions - labels| (`tf.losses.absolute_difference`); the other arguments as in `compute_weighted_loss`."""
    _check_given(labels=labels, predictions=predictions)
    with name_scope(scope, "absolute_difference", (predictions, labels, weights)) as inner:
        found, wanted = _floats(predictions, labels)
        return compute_weighted_loss(absolute(subtract(found, wanted)), weights, inner, loss_collection, reduction)


def mean_squared_error(
    labels: Any, predictions: Any, weights: Any = 1.0, scope: str | None = None, loss_collection: Any = GraphKeys.LOSSES, reduction: str = _DEFAULT
) -> Tensor:
    """(predictions - labels) ** 2 (`tf.losses.mean_squared_error`)."""
    _check_given(labels=labels, predictions=predictions)
    with name_scope(scope, "mean_squared_error", (predictions, labels, weights)) as inner:
        found, wanted = _floats(predictions, labels)
        return compute_weighted_loss(squared_difference(found, wanted), weights, inner, loss_collection, reduction)


def huber_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    delta: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Tensor:
    """Half the squared error up to `delta`, linear beyond (`tf.losses.huber_loss`)."""
    _check_given(labels=labels, predictions=predictions)
    with name_scope(scope, "huber_loss", (predictions, labels, weights)) as inner:
        found, wanted = _floats(predictions, labels)
        error = absolute(subtract(found, wanted))
        quadratic = apply("Minimum", error, delta)
        linear = subtract(error, quadratic)
        half = convert_to_tensor(0.5, dtype=quadratic.dtype.base_dtype)
        losses = add(multiply(half, multiply(quadratic, quadratic)), multiply(delta, linear))
        return compute_weighted_loss(losses, weights, inner, loss_collection, reduction)


def log_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    epsilon: float = 1e-7,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Tensor:
    """The cross entropy of labels with predicted probabilities (`tf.losses.log_loss`)."""
    _check_given(labels=labels, predictions=predictions)
    with name_scope(scope, "log_loss", (predictions, labels, weights)) as inner:
        found, wanted = _floats(predictions, labels)
        of_positive = -multiply(wanted, apply("Log", found + epsilon))
        of_negative = multiply(1 - wanted, apply("Log", 1 - found + epsilon))
        return compute_weighted_loss(of_positive - of_negative, weights, inner, loss_collection, reduction)


def hinge_loss(
    labels: Any, logits: Any, weights: Any = 1.0, scope: str | None = None, loss_collection: Any = GraphKeys.LOSSES, reduction: str = _DEFAULT
) -> Tensor:
    """How far logits are from being beyond 1 on the side of their labels, 0 and 1 (`tf.losses.hinge_loss`)."""
    _check_given(labels=labels, logits=logits)
    with name_scope(scope, "hinge_loss", (logits, labels, weights)) as inner:
        scores, wanted = _floats(logits, labels)
        ones = ones_like(wanted)
        signs = subtract(2 * wanted, ones)
        losses = apply("Relu", subtract(ones, multiply(signs, scores)))
        return compute_weighted_loss(losses, weights, inner, loss_collection, reduction)


def cosine_distance(
    labels: Any,
    predictions: Any,
    axis: int | None = None,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
    dim: int | None = None,
) -> Tensor:
    """1 less the product of unit vectors along an axis (`tf.losses.cosine_distance`)."""
    axis = renamed_argument("axis", axis, "dim", dim)
    if axis is None:
        raise ValueError("You must specify argument `axis`.")
    _check_given(labels=labels, predictions=predictions)
    with name_scope(scope, "cosine_distance_loss", (predictions, labels, weights)) as inner:
        found, wanted = _floats(predictions, labels)
        losses = 1 - reduce_sum(multiply(found, wanted), axis=(axis,), keepdims=True)
        return compute_weighted_loss(losses, weights, inner, loss_collection, reduction)


def mean_pairwise_squared_error(
    labels: Any, predictions: Any, weights: Any = 1.0, scope: str | None = None, loss_collection: Any = GraphKeys.LOSSES
) -> Tensor:
    """The squared differences of all pairs of errors within an example (`tf.losses.mean_pairwise_squared_error`)."""
    _check_given(labels=labels, predictions=predictions)
    with name_scope(scope, "mean_pairwise_squared_error", (predictions, labels, weights)):
        factors, wanted = cast(weights, "float32"), cast(labels, "float32")
        with control_dependencies([assert_broadcastable(factors, wanted)]):
            found = cast(predictions, "float32")
            found.shape.assert_is_compatible_with(wanted.shape)
            errors = subtract(found, wanted)
            axes = number_range(1, rank(errors))
            squares = reduce_sum(apply("Square", errors), axis=axes, keepdims=True)
            present = _count_present(errors, factors, per_batch=True)
            first = 2.0 * div_no_nan(squares, apply("Maximum", present - 1, 0), name="value")
            total = reduce_sum(errors, axis=axes, keepdims=True)
            square = apply("Square", total)
            pairs = apply("Maximum", multiply(present, present - 1), 0)
            second = 2.0 * div_no_nan(square, pairs, name="value")
            loss = reduce_sum(multiply(first - second, factors))
            mean = apply("Select", reduce_sum(present) > 0, loss, zeros_like(loss), name="value")
            add_loss(mean, loss_collection)
            return mean


def sigmoid_cross_entropy(
    multi_class_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Tensor:
    """The cross entropy of sigmoid(logits) with labels (`tf.losses.sigmoid_cross_entropy`), which smoothing draws towards 1/2."""
    _check_given(multi_class_labels=multi_class_labels, logits=logits)
    with name_scope(scope, "sigmoid_cross_entropy_loss", (logits, multi_class_labels, weights)) as inner:
        scores = convert_to_tensor(logits)
        wanted = cast(multi_class_labels, scores.dtype.base_dtype)
        scores.shape.assert_is_compatible_with(wanted.shape)
        if label_smoothing > 0:
            wanted = wanted * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = sigmoid_cross_entropy_with_logits(labels=wanted, logits=scores, name="xentropy")
        return compute_weighted_loss(losses, weights, inner, loss_collection, reduction)


def softmax_cross_entropy(
    onehot_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Tensor:
    """The cross entropy of softmax(logits) with labels (`tf.losses.softmax_cross_entropy`), which smoothing draws towards 1/classes."""
    _check_given(onehot_labels=onehot_labels, logits=logits)
    with name_scope(scope, "softmax_cross_entropy_loss", (logits, onehot_labels, weights)) as inner:
        scores = convert_to_tensor(logits)
        dtype = scores.dtype.base_dtype
        wanted = cast(onehot_labels, dtype)
        scores.shape.assert_is_compatible_with(wanted.shape)
        if label_smoothing > 0:
            classes = cast(shape_of(wanted)[-1], dtype)
            share = label_smoothing / classes
            wanted = wanted * (1.0 - label_smoothing) + share
        wanted = stop_gradient(wanted, name="labels_stop_gradient")
        losses = softmax_cross_entropy_with_logits_v2(labels=wanted, logits=scores, name="xentropy")
        return compute_weighted_loss(losses, weights, inner, loss_collection, reduction)


def sparse_softmax_cross_entropy(
    labels: Any, logits: Any, weights: Any = 1.0, scope: str | None = None, loss_collection: Any = GraphKeys.LOSSES, reduction: str = _DEFAULT
) -> Tensor:
    """The cross entropy of softmax(logits) with one class for each row (`tf.losses.sparse_softmax_cross_entropy`)."""
    _check_given(labels=labels, logits=logits)
    with name_scope(scope, "sparse_softmax_cross_entropy_loss", (logits, labels, weights)) as inner:
        wanted, scores, factors = _without_last_axis_of_one(labels, logits, weights)
        losses = sparse_softmax_cross_entropy_with_logits(labels=wanted, logits=scores, name="xentropy")
        return compute_weighted_loss(losses, factors, inner, loss_collection, reduction)


def add_loss(loss: Any, loss_collection: Any = GraphKeys.LOSSES) -> None:
    """Enters a loss in a collection, unless that is None (`tf.losses.add_loss`)."""
    if loss_collection:
        get_default_graph().add_to_collection(loss_collection, loss)


def get_losses(scope: str | None = None, loss_collection: Any = GraphKeys.LOSSES) -> list[Any]:
    """The losses of a collection, within a scope (`tf.losses.get_losses`)."""
    return get_default_graph().get_collection(loss_collection, scope)


def get_regularization_losses(scope: str | None = None) -> list[Any]:
    """The regularization losses within a scope (`tf.losses.get_regularization_losses`)."""
    return get_default_graph().get_collection(GraphKeys.REGULARIZATION_LOSSES, scope)


def get_regularization_loss(scope: str | None = None, name: str = "total_regularization_loss") -> Tensor:
    """The sum of the regularization losses, 0 where there are none (`tf.losses.get_regularization_loss`)."""
    losses = get_regularization_losses(scope)
    return add_n(losses, name=name) if losses else constant(0.0)


def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss", scope: str | None = None) -> Tensor:
    """The sum of all losses (`tf.losses.get_total_loss`).

    Raises:
        ValueError: there are none.
    """
    losses = get_losses(scope)
    if add_regularization_losses:
        losses = losses + get_regularization_losses(scope)
    if not losses:
        raise ValueError("Inputs must be an iterable of at least one Tensor/IndexedSlices with the same dtype and shape.")
    return add_n(losses, name=name)


def _check_given(**arguments: Any) -> None:
    for name, value in arguments.items():
        if value is None:
            raise ValueError(f"Argument `{name}` must not be None.")


def _floats(found: Any, wanted: Any) -> tuple[Tensor, Tensor]:
    predictions, labels = cast(found, "float32"), cast(wanted, "float32")
    predictions.shape.assert_is_compatible_with(labels.shape)
    return predictions, labels


def _safe_mean(total: Tensor, count: Tensor) -> Tensor:
    return div_no_nan(reduce_sum(total), count, name="value")


def _count(losses: Tensor) -> Tensor:
    with name_scope(None, "num_elements", values=[losses]) as scope:
        return cast(size(losses, name=scope), losses.dtype.base_dtype)


def _count_present(losses: Tensor, weights: Any, *, per_batch: bool = False) -> Tensor:
    """How many losses have a weight other than 0."""
    with name_scope(None, "num_present", (losses, weights)) as scope:
        factors = cast(weights, "float32")
        present = apply("Select", apply("Equal", factors, 0.0), zeros_like(factors), ones_like(factors))
        present = broadcast_weights(present, losses)
        if per_batch:
            return reduce_sum(present, axis=number_range(1, rank(present)), keepdims=True, name=scope)
        return reduce_sum(present, name=scope)


def _without_last_axis_of_one(labels: Any, logits: Any, weights: Any) -> tuple[Tensor, Tensor, Any]:
    """Labels, logits and weights, one axis of size 1 less where their ranks say that it is one too many."""
    wanted, scores = remove_squeezable_dimensions(labels, logits, expected_rank_diff=1)
    factors = convert_to_tensor(weights)
    mine, theirs = factors.shape.rank, wanted.shape.rank
    if mine is not None and theirs is not None:
        return wanted, scores, squeeze(factors, [-1]) if mine - theirs == 1 else factors
    surplus = rank(factors) - rank(wanted)
    if mine is None or (mine > 0 and factors.shape[-1].is_compatible_with(1)):
        whole = factors
        factors = cond(equal(1, surplus), lambda: squeeze(whole, [-1]), lambda: whole)
    return wanted, scores, factors
