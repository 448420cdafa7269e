"""Non-maximum suppression of several classes of several images at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, constant_value, convert_to_tensor, name_scope, sample
from gpersist.ops.kernels import shown
from gpersist.ops.named_outputs import named_outputs
from gpersist.ops.suppression import chosen, overlaps_of
from gpersist.shapes import TensorShape

__all__ = ["combined_non_max_suppression"]

_ANY_SCORE = float("-inf")


def combined_non_max_suppression(
    boxes: Any,
    scores: Any,
    max_output_size_per_class: Any,
    max_total_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = _ANY_SCORE,
    pad_per_class: bool = False,
    clip_boxes: bool = True,
    name: str | None = None,
) -> Any:
    """`non_max_suppression` of each class of each image, the best of all classes of an image together (`tf.image.combined_non_max_suppression`).

    Args:
        boxes: float32 [images, boxes, 1 or classes, 4].
        scores: float32 [images, boxes, classes].
        max_output_size_per_class: int32.
        max_total_size: int32.
        iou_threshold: see `non_max_suppression`.
        score_threshold: see `non_max_suppression`.
        pad_per_class: whether the result is no longer than what the classes can fill.
        clip_boxes: whether boxes are cut to 0..1.
        name: of the scope.

    Returns:
        Boxes, scores, classes, and how many there are in each image; zeros fill up.
    """
    with name_scope(name, "combined_non_max_suppression"):
        thresholds = convert_to_tensor(iou_threshold, "float32", "iou_threshold"), convert_to_tensor(score_threshold, "float32", "score_threshold")
        return named_outputs(
            "CombinedNonMaxSuppression",
            boxes,
            scores,
            max_output_size_per_class,
            convert_to_tensor(max_total_size),
            *thresholds,
            pad_per_class=pad_per_class,
            clip_boxes=clip_boxes,
        )


class CombinedNonMaxSuppression(OpType):
    """Of each image, the best boxes of all classes."""

    inputs = "boxes: float, scores: float, max_output_size_per_class: int32, max_total_size: int32, iou_threshold: float, score_threshold: float"
    outputs = "nmsed_boxes: float, nmsed_scores: float, nmsed_classes: float, valid_detections: int32"
    attrs = "pad_per_class: bool = false, clip_boxes: bool = true"
    is_host_only = True
    samples = (
        sample("float[2,6,1,4] in -0.5..1.5", "float[2,6,3] in 0..1", "int32: 2", "int32: 4", "float: 0.5", "float: 0.1"),
        sample("float[1,6,3,4] in 0..1", "float[1,6,3] in 0..1", "int32: 2", "int32: 20", "float: 0.3", "float: 0.1", pad_per_class=True),
        sample("float[1,6,3,4] in 0..1", "float[1,6,3] in 0..1", "int32: 2", "int32: 9", "float: 0.3", "float: 0.1", clip_boxes=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        boxes, scores = op._inputs[0].shape.with_rank(4), op._inputs[1].shape.with_rank(3)
        for scalar in op._inputs[2:]:
            scalar.shape.with_rank(0)
        boxes[:1].merge_with(scores[:1])
        boxes[1:2].merge_with(scores[1:2])
        boxes[3:].merge_with([4])
        groups, classes = boxes.as_list()[2], scores.as_list()[2]
        if groups not in (None, 1) and classes is not None and groups != classes:
            raise ValueError(f"third dimension of boxes must be either 1 or equal to the third dimension of scores: it is {groups}")
        total, each = constant_value(op._inputs[3]), constant_value(op._inputs[2])
        if total is not None and total <= 0:
            raise ValueError("max_total_size should be > 0 ")
        count = None if total is None else int(total)
        if op.attr("pad_per_class"):
            if each is not None and each <= 0:
                raise ValueError("max_output_size_per_class should be > 0 ")
            count = None if count is None or each is None or classes is None else min(count, int(each) * classes)
        images = boxes.as_list()[0]
        return [TensorShape([images, count, 4]), TensorShape([images, count]), TensorShape([images, count]), TensorShape([images])]

    @staticmethod
    def run(
        xp: Any,
        boxes: Any,
        scores: Any,
        max_output_size_per_class: Any,
        max_total_size: Any,
        iou_threshold: Any,
        score_threshold: Any,
        *,
        pad_per_class: bool,
        clip_boxes: bool,
    ) -> tuple[Any, ...]:
        if boxes.ndim != 4 or boxes.shape[3] != 4 or scores.ndim != 3 or boxes.shape[:2] != scores.shape[:2]:
            raise InvalidArgumentError(f"boxes and scores have shapes {shown(boxes.shape)} and {shown(scores.shape)}, which do not go together")
        images, _, classes = scores.shape
        if boxes.shape[2] not in (1, classes):
            raise InvalidArgumentError("third dimension of boxes must be either 1 or equal to the third dimension of scores")
        each, total = int(max_output_size_per_class), int(max_total_size)
        if each <= 0 or total <= 0:
            raise InvalidArgumentError("max_size_per_class and max_total_size must be positive")
        if not 0 <= float(iou_threshold) <= 1:
            raise InvalidArgumentError("iou_threshold must be in [0, 1]")
        size = min(total, each * classes) if pad_per_class else total
        found_boxes, found = np.zeros((images, size, 4), np.float32), np.zeros((images, size, 2), np.float32)
        counts = np.zeros(images, np.int32)
        for image in range(images):
            entries: list[tuple[float, int, int]] = []
            for kind in range(classes):
                kind_boxes, kind_scores = boxes[image, :, kind if boxes.shape[2] > 1 else 0], scores[image, :, kind]
                best = chosen(overlaps_of(kind_boxes), kind_scores, each, float(iou_threshold), float(score_threshold))
                entries += [(-float(kind_scores[index]), kind, index) for index in best]
            entries = sorted(entries, key=lambda entry: entry[0])[:size]
            counts[image] = len(entries)
            for place, (negated, kind, index) in enumerate(entries):
                box = boxes[image, index, kind if boxes.shape[2] > 1 else 0]
                found_boxes[image, place] = np.clip(box, 0, 1) if clip_boxes else box
                found[image, place] = -negated, kind
        return found_boxes, found[..., 0].copy(), found[..., 1].copy(), counts
