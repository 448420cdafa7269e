"""Predictions counted against labels (`tf.math.confusion_matrix`)."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Tensor, apply, convert_to_tensor, name_scope
from gpersist.ops.arithmetic import maximum
from gpersist.ops.casting import cast
from gpersist.ops.checks import assert_less, assert_non_negative
from gpersist.ops.comparison import equal
from gpersist.ops.control import control_dependencies
from gpersist.ops.control_flow import cond
from gpersist.ops.filling import ones_like
from gpersist.ops.joining import stack
from gpersist.ops.passing import identity
from gpersist.ops.reductions import reduce_max
from gpersist.ops.shaping import rank, squeeze

__all__ = ["confusion_matrix", "remove_squeezable_dimensions"]


def remove_squeezable_dimensions(labels: Any, predictions: Any, expected_rank_diff: int = 0, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Labels and predictions without a last dimension of 1 that one of them has too much.

    Args:
        labels: a tensor.
        predictions: another, of a rank that is higher by `expected_rank_diff`.
        expected_rank_diff: how much higher.
        name: of the scope.

    Returns:
        Labels and predictions; where a rank is not known, what they are is decided when it runs.
    """
    with name_scope(name, "remove_squeezable_dimensions", [labels, predictions]):
        found, truth = convert_to_tensor(predictions), convert_to_tensor(labels)
        if found.shape.rank is None or truth.shape.rank is None:
            difference = rank(found) - rank(truth)
            return _squeezed(truth, expected_rank_diff - 1, difference, found, expected_rank_diff + 1)
        surplus = found.shape.rank - truth.shape.rank - expected_rank_diff
        if surplus == 1 and found.shape[-1:].is_compatible_with([1]):
            found = squeeze(found, [-1])
        elif surplus == -1 and truth.shape[-1:].is_compatible_with([1]):
            truth = squeeze(truth, [-1])
        return truth, found


def _squeezed(truth: Tensor, too_low: int, difference: Tensor, found: Tensor, too_high: int) -> tuple[Tensor, Tensor]:
    """Both, without a last dimension of 1 where that makes the difference of ranks right."""
    whole_found, whole_truth = found, truth
    may_squeeze = [tensor.shape.rank is None or tensor.shape[-1].is_compatible_with(1) for tensor in (found, truth)]
    if may_squeeze[0]:
        found = cond(equal(too_high, difference), lambda: squeeze(whole_found, [-1]), lambda: whole_found)
    if may_squeeze[1]:
        truth = cond(equal(too_low, difference), lambda: squeeze(whole_truth, [-1]), lambda: whole_truth)
    return truth, found


def confusion_matrix(
    labels: Any, predictions: Any, num_classes: Any = None, dtype: Any = "int32", name: str | None = None, weights: Any = None
) -> Tensor:
    """How often each class was predicted (columns) where each was right (rows).

    Args:
        labels: a vector of classes.
        predictions: another.
        num_classes: how many classes there are; by default as many as the largest number needs.
        dtype: of the counts.
        name: of the scope.
        weights: what each pair counts; by default 1.
    """
    with name_scope(name, "confusion_matrix", [value for value in (predictions, labels, num_classes, weights) if value is not None]):
        truth, found = remove_squeezable_dimensions(convert_to_tensor(labels, name="labels"), convert_to_tensor(predictions, name="predictions"))
        found, truth = cast(found, "int64"), cast(truth, "int64")
        truth = _with(assert_non_negative(truth, message="`labels` contains negative values"), truth)
        found = _with(assert_non_negative(found, message="`predictions` contains negative values"), found)
        if num_classes is None:
            num_classes = maximum(reduce_max(found), reduce_max(truth)) + 1
        else:
            limit = cast(num_classes, "int64")
            truth = _with(assert_less(truth, limit, message="`labels` out of bound"), truth)
            found = _with(assert_less(found, limit, message="`predictions` out of bound"), found)
        if weights is not None:
            weights = convert_to_tensor(weights, name="weights")
            found.shape.assert_is_compatible_with(weights.shape)
            weights = cast(weights, dtype)
        shape = stack([num_classes, num_classes])
        places = stack([truth, found], axis=1)
        values = ones_like(found, dtype) if weights is None else weights
        return apply("ScatterNd", places, values, cast(shape, "int64"))


def _with(check: Any, tensor: Tensor) -> Tensor:
    with tensor.graph.colocate_with(tensor), control_dependencies([check]):
        return identity(tensor, name="control_dependency")
