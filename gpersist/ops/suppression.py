"""Non-maximum suppression: of boxes that overlap, those with the best scores."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, apply_op, constant_value, convert_to_tensor, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.kernels import shown
from gpersist.shapes import TensorShape

__all__ = [
    "non_max_suppression",
    "non_max_suppression_overlaps",
    "non_max_suppression_padded",
    "non_max_suppression_with_scores",
]

_ANY_SCORE = float("-inf")
_BOXES = np.array([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, -0.1, 1, 0.9], [0, 10, 1, 11], [1, 10.1, 0, 11.1], [0, 100, 1, 101]], np.float32)
_SCORES = np.array([0.9, 0.75, 0.6, 0.95, 0.5, 0.3], np.float32)


def non_max_suppression(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any = 0.5, score_threshold: Any = _ANY_SCORE, name: str | None = None
) -> Tensor:
    """The boxes that no better one overlaps (`tf.image.non_max_suppression`).

    Args:
        boxes: float32 [boxes, 4], two opposite corners (y, x, y, x).
        scores: float32 [boxes].
        max_output_size: at most so many, int32.
        iou_threshold: of the areas of two boxes, the share that both have: beyond it they overlap; in 0..1.
        score_threshold: boxes with lower scores, or this one, are left out.
        name: of the scope.

    Returns:
        int32 [chosen], numbers of boxes, the best first.
    """
    with name_scope(name, "non_max_suppression"):
        return apply(
            "NonMaxSuppressionV3",
            boxes,
            scores,
            max_output_size,
            convert_to_tensor(iou_threshold, "float32", "iou_threshold"),
            convert_to_tensor(score_threshold, "float32", "score_threshold"),
        )


def non_max_suppression_with_scores(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = _ANY_SCORE,
    soft_nms_sigma: Any = 0.0,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """`non_max_suppression`, and the scores (`tf.image.non_max_suppression_with_scores`).

    With `soft_nms_sigma` above 0, boxes that overlap better ones are not left out, but lose score.
    """
    with name_scope(name, "non_max_suppression_with_scores"):
        op = apply_op(
            "NonMaxSuppressionV5",
            boxes,
            scores,
            max_output_size,
            convert_to_tensor(iou_threshold, "float32", "iou_threshold"),
            convert_to_tensor(score_threshold, "float32", "score_threshold"),
            convert_to_tensor(soft_nms_sigma, "float32", "soft_nms_sigma"),
            pad_to_max_output_size=False,
        )
        return op.outputs[0], op.outputs[1]


def non_max_suppression_padded(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = _ANY_SCORE,
    pad_to_max_output_size: bool = False,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """`non_max_suppression`, filled up with zeros, and how many there are (`tf.image.non_max_suppression_padded`)."""
    with name_scope(name, "non_max_suppression_padded"):
        op = apply_op(
            "NonMaxSuppressionV4",
            boxes,
            scores,
            max_output_size,
            convert_to_tensor(iou_threshold, "float32", "iou_threshold"),
            convert_to_tensor(score_threshold, "float32", "score_threshold"),
            pad_to_max_output_size=pad_to_max_output_size,
        )
        return op.outputs[0], op.outputs[1]


def non_max_suppression_overlaps(
    overlaps: Any, scores: Any, max_output_size: Any, overlap_threshold: Any = 0.5, score_threshold: Any = _ANY_SCORE, name: str | None = None
) -> Tensor:
    """`non_max_suppression` of what overlaps as `overlaps` says, float32 [n, n] (`tf.image.non_max_suppression_overlaps`)."""
    with name_scope(name, "non_max_suppression_overlaps"):
        return apply(
            "NonMaxSuppressionWithOverlaps",
            overlaps,
            scores,
            max_output_size,
            convert_to_tensor(overlap_threshold, "float32", "overlap_threshold"),
            convert_to_tensor(score_threshold, "float32", "score_threshold"),
        )


# ---- the choice


def overlaps_of(boxes: np.ndarray[Any, Any]) -> Callable[[int, Any], Any]:
    """A function that says how much of box `i` and of each of the boxes `others` both have: their intersection through their union."""
    top, left = np.minimum(boxes[:, 0], boxes[:, 2]), np.minimum(boxes[:, 1], boxes[:, 3])
    bottom, right = np.maximum(boxes[:, 0], boxes[:, 2]), np.maximum(boxes[:, 1], boxes[:, 3])
    areas = (bottom - top) * (right - left)

    def overlap(i: int, others: Any) -> Any:
        height = np.maximum(np.minimum(bottom[i], bottom[others]) - np.maximum(top[i], top[others]), 0)
        width = np.maximum(np.minimum(right[i], right[others]) - np.maximum(left[i], left[others]), 0)
        common = height * width
        found = common / (areas[i] + areas[others] - common)
        return np.where((areas[i] <= 0) | (areas[others] <= 0), found.dtype.type(0), found)

    return overlap


def chosen(overlap: Callable[[int, Any], Any], scores: np.ndarray[Any, Any], count: int, threshold: float, least: float) -> list[int]:
    """The numbers of the boxes that no better one overlaps by more than a threshold; of equal scores the first counts as the best."""
    order = np.flatnonzero(scores > least)
    order = order[np.argsort(-scores[order], kind="stable")]
    found: list[int] = []
    while order.size and len(found) < count:
        best = int(order[0])
        found.append(best)
        order = order[1:]
        order = order[overlap(best, order) <= threshold]
    return found


def _softly_chosen(
    overlap: Callable[[int, Any], Any], scores: np.ndarray[Any, Any], count: int, least: float, sigma: float
) -> tuple[list[int], list[float]]:
    """The same where a box that overlaps better ones loses score. Gives the scores, too."""
    scale = np.float32(-0.5 / sigma)
    heap = [(-float(score), index, 0) for index, score in enumerate(scores) if score > least]
    heapq.heapify(heap)
    found: list[int] = []
    found_scores: list[float] = []
    while heap and len(found) < count:
        negated, index, seen = heapq.heappop(heap)
        score = before = np.float32(-negated)
        for other in reversed(found[seen:]):
            common = np.float32(overlap(index, np.array([other]))[0])
            score = np.float32(score * np.exp(scale * common * common))
            if score <= least:
                break
        if score == before:
            found.append(index)
            found_scores.append(float(score))
        elif score > least:
            heapq.heappush(heap, (-float(score), index, len(found)))
    return found, found_scores


# ---- the operations


class _Suppression(OpType, abstract=True):
    """Boxes that no better one overlaps."""

    inputs = "boxes: T, scores: T, max_output_size: int32, iou_threshold: T_threshold, score_threshold: T_threshold"
    outputs = "selected_indices: int32"
    attrs = "T: {half, float} = float, T_threshold: {half, float} = float"
    is_host_only = True
    samples: ClassVar[tuple[Sample, ...]] = (
        sample(_BOXES, _SCORES, "int32: 3", "float: 0.5", "float: 0.4"),
        sample(_BOXES, _SCORES, "int32: 30", "float: 0.9", "float: 0.0"),
        sample(_BOXES[:0], _SCORES[:0], "int32: 30", "float: 0.5", "float: 0.0"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _check_shapes(op)
        return [TensorShape([None])]

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None] * len(op.inputs)


def _check_shapes(op: Operation) -> None:
    boxes, scores = op._inputs[0].shape.with_rank(2), op._inputs[1].shape.with_rank(1)
    for scalar in op._inputs[2:]:
        scalar.shape.with_rank(0)
    boxes[:1].merge_with(scores)
    boxes[1:].merge_with([4])


def _selected(boxes: Any, scores: Any, count: Any, iou_threshold: Any, score_threshold: Any = _ANY_SCORE) -> list[int]:
    _check(boxes, scores, count, iou_threshold, score_threshold)
    return chosen(overlaps_of(boxes.astype(np.float32)), scores, int(count), float(iou_threshold), float(score_threshold))


def _check(boxes: Any, scores: Any, count: Any, iou_threshold: Any, score_threshold: Any) -> None:
    for value, what in ((count, "max_output_size"), (iou_threshold, "iou_threshold"), (score_threshold, "score_threshold")):
        if np.ndim(value):
            raise InvalidArgumentError(f"{what} must be 0-D, got shape {shown(np.shape(value))}")
    if int(count) < 0:
        raise InvalidArgumentError("output size must be non-negative")
    if not 0 <= float(iou_threshold) <= 1:
        raise InvalidArgumentError("iou_threshold must be in [0, 1]")
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise InvalidArgumentError(f"boxes must be 2-D with 4 columns, got shape {shown(boxes.shape)}")
    if scores.shape != boxes.shape[:1]:
        raise InvalidArgumentError(f"scores has incompatible shape {shown(scores.shape)}: there are {len(boxes)} boxes")


class NonMaxSuppression(_Suppression):
    """Boxes that no better one overlaps."""

    inputs = "boxes: float, scores: float, max_output_size: int32"
    attrs = "iou_threshold: float = 0.5"
    samples = (sample(_BOXES, _SCORES, "int32: 3"), sample(_BOXES, _SCORES, "int32: 30", iou_threshold=0.9))

    @staticmethod
    def run(xp: Any, boxes: Any, scores: Any, max_output_size: Any, *, iou_threshold: float) -> Any:
        return np.array(_selected(boxes, scores, max_output_size, iou_threshold), np.int32)


class NonMaxSuppressionV2(_Suppression):
    """Boxes that no better one overlaps."""

    inputs = "boxes: T, scores: T, max_output_size: int32, iou_threshold: T_threshold"
    samples = tuple(sample(*found.inputs[:4]) for found in _Suppression.samples)

    @staticmethod
    def run(xp: Any, boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any) -> Any:
        return np.array(_selected(boxes, scores, max_output_size, iou_threshold), np.int32)


class NonMaxSuppressionV3(_Suppression):
    """Boxes with scores above a threshold that no better one overlaps."""

    @staticmethod
    def run(xp: Any, boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any, score_threshold: Any) -> Any:
        return np.array(_selected(boxes, scores, max_output_size, iou_threshold, score_threshold), np.int32)


class NonMaxSuppressionV4(_Suppression):
    """The same, filled up with zeros, and how many there are."""

    outputs = "selected_indices: int32, valid_outputs: int32"
    attrs = "T: {half, float} = float, T_threshold: {half, float} = float, pad_to_max_output_size: bool = false"
    samples = tuple(sample(*found.inputs, pad_to_max_output_size=pads) for found in _Suppression.samples for pads in (False, True))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _check_shapes(op)
        return [_padded_shape(op), shape_functions.SCALAR]

    @staticmethod
    def run(
        xp: Any, boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any, score_threshold: Any, *, pad_to_max_output_size: bool
    ) -> tuple[Any, Any]:
        found = np.array(_selected(boxes, scores, max_output_size, iou_threshold, score_threshold), np.int32)
        return _padded(found, int(max_output_size) if pad_to_max_output_size else len(found)), np.int32(len(found))


def _padded_shape(op: Operation) -> TensorShape:
    count = constant_value(op._inputs[2]) if op.attr("pad_to_max_output_size") else None
    if count is not None and count < 0:
        raise ValueError(f"max_output_size must be non-negative, got {int(count)}")
    return TensorShape([None if count is None else int(count)])


def _padded(values: np.ndarray[Any, Any], count: int) -> np.ndarray[Any, Any]:
    found = np.zeros(count, values.dtype)
    found[: len(values)] = values
    return found


class NonMaxSuppressionV5(_Suppression):
    """The same, with scores, which overlapping boxes may lose a part of."""

    inputs = "boxes: T, scores: T, max_output_size: int32, iou_threshold: T, score_threshold: T, soft_nms_sigma: T"
    outputs = "selected_indices: int32, selected_scores: T, valid_outputs: int32"
    attrs = "T: {half, float} = float, pad_to_max_output_size: bool = false"
    samples = tuple(
        sample(*found.inputs, np.float32(sigma), pad_to_max_output_size=pads, has_gradient=False)
        for found in _Suppression.samples
        for sigma, pads in ((0.0, False), (0.5, True))
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _check_shapes(op)
        shape = _padded_shape(op)
        return [shape, shape, shape_functions.SCALAR]

    @staticmethod
    def run(
        xp: Any,
        boxes: Any,
        scores: Any,
        max_output_size: Any,
        iou_threshold: Any,
        score_threshold: Any,
        soft_nms_sigma: Any,
        *,
        pad_to_max_output_size: bool,
    ) -> tuple[Any, Any, Any]:
        _check(boxes, scores, max_output_size, iou_threshold, score_threshold)
        sigma = float(soft_nms_sigma)
        if sigma < 0:
            raise InvalidArgumentError(f"soft_nms_sigma_val should be non-negative, got {sigma}")
        overlap, count = overlaps_of(boxes.astype(np.float32)), int(max_output_size)
        if sigma:
            indices, found_scores = _softly_chosen(overlap, scores.astype(np.float32), count, float(score_threshold), sigma)
        else:
            indices = chosen(overlap, scores, count, float(iou_threshold), float(score_threshold))
            found_scores = scores[indices].tolist()
        size = count if pad_to_max_output_size else len(indices)
        return _padded(np.array(indices, np.int32), size), _padded(np.array(found_scores, scores.dtype), size), np.int32(len(indices))


class NonMaxSuppressionWithOverlaps(_Suppression):
    """The same, with a table that says what overlaps."""

    inputs = "overlaps: float, scores: float, max_output_size: int32, overlap_threshold: float, score_threshold: float"
    attrs = ""
    samples = (sample("float[5,5] in 0..1", "float[5] in 0..1", "int32: 3", "float: 0.5", "float: 0.1"),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        overlaps, scores = op._inputs[0].shape.with_rank(2), op._inputs[1].shape.with_rank(1)
        for scalar in op._inputs[2:]:
            scalar.shape.with_rank(0)
        overlaps[:1].merge_with(scores)
        overlaps[:1].merge_with(overlaps[1:])
        return [TensorShape([None])]

    @staticmethod
    def run(xp: Any, overlaps: Any, scores: Any, max_output_size: Any, overlap_threshold: Any, score_threshold: Any) -> Any:
        if overlaps.ndim != 2 or overlaps.shape[0] != overlaps.shape[1]:
            raise InvalidArgumentError(f"overlaps must be square, got shape {shown(overlaps.shape)}")
        if scores.shape != overlaps.shape[:1]:
            raise InvalidArgumentError(f"scores has incompatible shape {shown(scores.shape)}: there are {len(overlaps)} boxes")
        limits = (int(max_output_size), float(overlap_threshold), float(score_threshold))
        return np.array(chosen(lambda i, others: overlaps[others, i], scores, *limits), np.int32)
