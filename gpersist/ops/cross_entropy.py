"""Cross entropies of logits with labels, as Python functions: `tf.nn.softmax_cross_entropy_with_logits` and its relatives."""

from __future__ import annotations

import math
from typing import Any

from gpersist.graph import Tensor, apply, apply_op, convert_to_tensor, name_scope
from gpersist.ops.arithmetic import add, subtract
from gpersist.ops.array import reshape, shape_of
from gpersist.ops.builders import renamed_argument
from gpersist.ops.casting import cast
from gpersist.ops.checks import assert_equal
from gpersist.ops.constants import constant
from gpersist.ops.control import control_dependencies
from gpersist.ops.filling import ones_like, zeros_like
from gpersist.ops.joining import concat
from gpersist.ops.passing import stop_gradient
from gpersist.ops.shaping import rank
from gpersist.ops.softmax import moved_to_end

__all__ = [
    "log_poisson_loss",
    "sigmoid_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits_v2",
    "sparse_softmax_cross_entropy_with_logits",
    "weighted_cross_entropy_with_logits",
]


def softmax_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, dim: int = -1, name: str | None = None, axis: int | None = None
) -> Tensor:
    """The cross entropy of labels with softmax(logits), without a gradient for the labels (`tf.nn.softmax_cross_entropy_with_logits`).

    `labels` and `logits` are [..., classes], with the classes at `dim`.

    Raises:
        ValueError: one of them is missing.
    """
    _check_given("softmax_cross_entropy_with_logits", labels, logits)
    dim = dim if axis is None else axis
    with name_scope(name, "softmax_cross_entropy_with_logits_sg", [logits, labels]) as scope:
        labels = stop_gradient(labels, name="labels_stop_gradient")
    return softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits, axis=dim, name=scope)


def softmax_cross_entropy_with_logits_v2(
    labels: Any, logits: Any, axis: int | None = None, name: str | None = None, dim: int | None = None
) -> Tensor:
    """The cross entropy of labels with softmax(logits) (`tf.nn.softmax_cross_entropy_with_logits_v2`); arguments as above."""
    axis = renamed_argument("axis", axis, "dim", dim)
    axis = -1 if axis is None else axis
    with name_scope(name, "softmax_cross_entropy_with_logits", [logits, labels]) as scope:
        scores, wanted = convert_to_tensor(logits, name="logits"), convert_to_tensor(labels, name="labels")
        is_narrow = scores.dtype.base_dtype.name in ("float16", "bfloat16")
        precise = cast(scores, "float32") if is_narrow else scores
        wanted = cast(wanted, precise.dtype.base_dtype)
        count = rank(precise)
        sizes = scores.shape.sizes
        if axis != -1:
            precise, wanted = moved_to_end(precise, axis, count), moved_to_end(wanted, axis, count)
        shape = shape_of(precise)
        precise, wanted = _as_matrix(precise), _as_matrix(wanted)
        cost = apply_op("SoftmaxCrossEntropyWithLogits", precise, wanted, name=scope).outputs[0]
        cost = reshape(cost, apply("Slice", shape, [0], [subtract(count, 1)]))
        if sizes is not None:
            rest = list(sizes)
            del rest[axis]
            cost.set_shape(rest)
        return cast(cost, scores.dtype.base_dtype) if is_narrow else cost


def sparse_softmax_cross_entropy_with_logits(labels: Any = None, logits: Any = None, name: str | None = None) -> Tensor:
    """The cross entropy of softmax(logits) with one class for each row (`tf.nn.sparse_softmax_cross_entropy_with_logits`).

    `labels` are of type int32 or int64, of the shape of `logits` less its last axis.

    Raises:
        ValueError: one of them is missing, or their shapes don't go together.
    """
    _check_given("sparse_softmax_cross_entropy_with_logits", labels, logits)
    with name_scope(name, "SparseSoftmaxCrossEntropyWithLogits", [labels, logits]):
        wanted, scores = convert_to_tensor(labels), convert_to_tensor(logits)
        is_half = scores.dtype.base_dtype.name == "float16"
        precise = cast(scores, "float32") if is_half else scores
        shape, labels_shape = wanted.shape, shape_of(wanted)
        _check_labels(shape, scores.shape, scores)
        if scores.shape.rank == 2:
            cost = apply_op("SparseSoftmaxCrossEntropyWithLogits", precise, wanted, name=name).outputs[0]
            return cast(cost, "float16") if is_half else cost
        checks = []
        if not (shape.is_fully_defined() and scores.shape[:-1].is_fully_defined()):
            checks.append(assert_equal(shape_of(wanted), shape_of(scores)[:-1]))
        with control_dependencies(checks):
            classes = shape_of(scores)[rank(scores) - 1]
            rows, flat = reshape(precise, [-1, classes]), reshape(wanted, [-1])
            cost = apply_op("SparseSoftmaxCrossEntropyWithLogits", rows, flat, name=name).outputs[0]
            cost = reshape(cost, labels_shape)
            cost.set_shape(shape)
            return cast(cost, "float16") if is_half else cost


def sigmoid_cross_entropy_with_logits(labels: Any = None, logits: Any = None, name: str | None = None) -> Tensor:
    """The cross entropy of sigmoid(logits) with labels, element by element (`tf.nn.sigmoid_cross_entropy_with_logits`).

    Raises:
        ValueError: one of them is missing, or their shapes differ.
    """
    _check_given("sigmoid_cross_entropy_with_logits", labels, logits)
    with name_scope(name, "logistic_loss", [logits, labels]) as scope:
        scores, wanted = _of_one_shape(logits, labels)
        zeros = zeros_like(scores, dtype=scores.dtype.base_dtype)
        is_positive = scores >= zeros
        positive = apply("Select", is_positive, scores, zeros)
        minus_magnitude = apply("Select", is_positive, -scores, scores)
        return add(positive - scores * wanted, apply("Log1p", apply("Exp", minus_magnitude)), name=scope)


def weighted_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, pos_weight: Any = None, name: str | None = None, targets: Any = None
) -> Tensor:
    """`sigmoid_cross_entropy_with_logits` in which positive labels count `pos_weight` times (`tf.nn.weighted_cross_entropy_with_logits`).

    Raises:
        ValueError: the shapes differ.
    """
    labels = renamed_argument("labels", labels, "targets", targets)
    with name_scope(name, "logistic_loss", [logits, labels]) as scope:
        scores, wanted = _of_one_shape(logits, labels)
        weight = 1 + (pos_weight - 1) * wanted
        others = (1 - wanted) * scores
        softplus = apply("Log1p", apply("Exp", -apply("Abs", scores)))
        return add(others, weight * (softplus + apply("Relu", -scores)), name=scope)


def log_poisson_loss(targets: Any, log_input: Any, compute_full_loss: bool = False, name: str | None = None) -> Tensor:
    """The log-likelihood loss of `targets` under Poisson distributions of which `log_input` are the logarithms of the means
    (`tf.nn.log_poisson_loss`), with Stirling's approximation of the constant term where the full loss is wanted.

    Raises:
        ValueError: the shapes differ.
    """
    with name_scope(name, "log_poisson_loss", [log_input, targets]):
        logs, wanted = convert_to_tensor(log_input, name="log_input"), convert_to_tensor(targets, name="targets")
        if not wanted.shape.is_compatible_with(logs.shape):
            raise ValueError(f"`log_input` and `targets` must have the same shape, received ({logs.shape} vs {wanted.shape}).")
        result = apply("Exp", logs) - logs * wanted
        if compute_full_loss:
            dtype = wanted.dtype.base_dtype
            half, two_pi = constant(0.5, dtype), constant(2 * math.pi, dtype)
            stirling = (wanted * apply("Log", wanted)) - wanted + (half * apply("Log", two_pi * wanted))
            zeros, ones = zeros_like(wanted, dtype=dtype), ones_like(wanted, dtype=dtype)
            is_small = apply("LogicalAnd", wanted >= zeros, wanted <= ones)
            result += apply("Select", is_small, zeros, stirling)
        return result


def _check_given(name: str, labels: Any, logits: Any) -> None:
    if labels is None or logits is None:
        raise ValueError(f"Both `labels` and `logits` must be provided for {name}Received: labels={labels} and logits={logits}")


def _check_labels(labels: Any, logits: Any, given: Any) -> None:
    if logits.rank == 0:
        raise ValueError(f"`logits` cannot be a scalar. Received logits={given}`")
    if None not in (logits.rank, labels.rank) and labels.rank != logits.rank - 1:
        raise ValueError(
            f"`labels.shape.rank` must equal `logits.shape.rank - 1`. Received: labels.shape={labels} of rank {labels.rank} and "
            f"logits.shape={logits} of rank {logits.rank}"
        )
    if labels.is_fully_defined() and logits[:-1].is_fully_defined() and labels != logits[:-1]:
        raise ValueError(
            f"`labels.shape` must equal `logits.shape` except for the last dimension. Received: labels.shape={labels} and logits.shape={logits}"
        )


def _of_one_shape(logits: Any, labels: Any) -> tuple[Tensor, Tensor]:
    scores, wanted = convert_to_tensor(logits, name="logits"), convert_to_tensor(labels, name="labels")
    if not wanted.shape.is_compatible_with(scores.shape):
        raise ValueError(f"`logits` and `labels` must have the same shape, received ({scores.shape} vs {wanted.shape}).")
    return scores, wanted


def _as_matrix(tensor: Tensor) -> Tensor:
    """All axes but the last made one."""
    count = rank(tensor)
    last = apply("Slice", shape_of(tensor), [subtract(count, 1)], [1])
    result = reshape(tensor, concat([[-1], last], 0))
    sizes = tensor.shape.sizes
    if sizes is not None and None not in sizes[:-1]:
        result.set_shape([math.prod(size or 0 for size in sizes[:-1]), sizes[-1]])
    return result
