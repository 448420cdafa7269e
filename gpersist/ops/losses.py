"""Losses, weighted, reduced and kept in a collection: `tf.losses`."""

from __future__ import annotations

from typing import Any

from gpersist.graph import GraphKeys, Tensor, apply, constant_value, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops.arithmetic import add, multiply, squared_difference, subtract
from gpersist.ops.array import shape_of
from gpersist.ops.builders import renamed_argument
from gpersist.ops.casting import cast
from gpersist.ops.checks import Assert
from gpersist.ops.constants import constant
from gpersist.ops.control import control_dependencies, no_op
from gpersist.ops.cross_entropy import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2,
    sparse_softmax_cross_entropy_with_logits,
)
from gpersist.ops.division import div_no_nan
from gpersist.ops.filling import ones_like, zeros_like
from gpersist.ops.passing import stop_gradient
from gpersist.ops.reductions import reduce_all, reduce_sum
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import rank, size, squeeze
from gpersist.ops.unary import abs as absolute

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
    with name_scope(scope, "weighted_loss", (losses, weights)), control_dependencies([_check_broadcastable(weights, losses)]):
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
        with control_dependencies([_check_broadcastable(factors, wanted)]):
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
    return apply("AddN", losses, name=name) if losses else constant(0.0)


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
    return apply("AddN", losses, name=name) if len(losses) > 1 else apply("Identity", losses[0], name=name)


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
        present = _broadcast_weights(present, losses)
        if per_batch:
            return reduce_sum(present, axis=number_range(1, rank(present)), keepdims=True, name=scope)
        return reduce_sum(present, name=scope)


def _broadcast_weights(weights: Any, values: Any) -> Tensor:
    with name_scope(None, "broadcast_weights", (weights, values)) as scope:
        losses = convert_to_tensor(values, name="values")
        factors = convert_to_tensor(weights, dtype=losses.dtype.base_dtype, name="weights")
        mine, theirs = factors.shape, losses.shape
        if mine.is_fully_defined() and theirs.is_fully_defined() and mine.is_compatible_with(theirs):
            return factors
        with control_dependencies([_check_broadcastable(factors, losses)]):
            return multiply(factors, ones_like(losses), name=scope)


_NO_BROADCAST = "weights can not be broadcast to values."


def _check_broadcastable(weights: Any, values: Any) -> Any:
    """An operation to wait for: it fails where the weights' shape does not go with the values'."""
    with name_scope(None, "assert_broadcastable", (weights, values)) as scope:
        with name_scope(None, "weights", (weights,)) as inner:
            factors = convert_to_tensor(weights, name=inner)
            my_shape, my_rank = shape_of(factors, name="shape"), rank(factors, name="rank")
        with name_scope(None, "values", (values,)) as inner:
            losses = convert_to_tensor(values, name=inner)
            their_shape, their_rank = shape_of(losses, name="shape"), rank(losses, name="rank")
        mine, theirs = factors.shape, losses.shape
        if mine.rank is not None and theirs.rank is not None:
            if mine.rank == 0:
                return no_op(name="static_scalar_check_success")
            if mine.rank != theirs.rank:
                raise ValueError(
                    f"{_NO_BROADCAST} values.rank={theirs.rank}. weights.rank={mine.rank}. values.shape={theirs}. weights.shape={mine}. "
                    f"Received weights={factors}, values={losses}"
                )
            known, wanted = constant_value(my_shape), constant_value(their_shape)
            if known is not None and wanted is not None:
                for axis, (one, other) in enumerate(zip(known, wanted, strict=True)):
                    if one not in (1, other):
                        raise ValueError(
                            f"{_NO_BROADCAST} Mismatch at dim {axis}. values.shape={wanted}, weights.shape={known}. "
                            f"Received weights={factors}, values={losses}"
                        )
                return no_op(name="static_dims_check_success")
        is_scalar = apply("Equal", 0, my_rank, name="is_scalar")
        is_valid = _is_broadcastable(is_scalar, my_shape, my_rank, their_shape, their_rank)
        data = [_NO_BROADCAST, "weights.shape=", factors.name, my_shape, "values.shape=", losses.name, their_shape, "is_scalar=", is_scalar]
        return Assert(is_valid, data, name=scope)


def _is_broadcastable(is_scalar: Tensor, my_shape: Tensor, my_rank: Tensor, their_shape: Tensor, their_rank: Tensor) -> Tensor:
    """Whether weights whose shape is known when it runs are a scalar, or go with the values axis by axis."""
    is_same = apply("Equal", my_shape, their_shape, incompatible_shape_error=False)
    goes_with = reduce_all(apply("LogicalOr", is_same, apply("Equal", my_shape, 1)))
    return apply("LogicalOr", is_scalar, apply("LogicalAnd", apply("Equal", my_rank, their_rank, name="is_same_rank"), goes_with))


def _without_last_axis_of_one(labels: Any, logits: Any, weights: Any) -> tuple[Tensor, Tensor, Any]:
    """Labels, logits and weights, one axis of size 1 less where their ranks say that it is one too many."""
    with name_scope(None, "remove_squeezable_dimensions", [labels, logits]):
        scores, wanted = convert_to_tensor(logits), convert_to_tensor(labels)
        mine, theirs = wanted.shape, scores.shape
        if mine.rank is not None and theirs.rank is not None:
            surplus = theirs.rank - mine.rank
            if surplus == 2 and theirs[-1].is_compatible_with(1):
                scores = squeeze(scores, [-1])
            elif surplus == 0 and mine[-1].is_compatible_with(1):
                wanted = squeeze(wanted, [-1])
    factors = convert_to_tensor(weights)
    if wanted.shape.rank is not None and factors.shape.rank is not None and factors.shape.rank - wanted.shape.rank == 1:
        factors = squeeze(factors, [-1])
    return wanted, scores, factors
