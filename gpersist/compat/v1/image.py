"""TensorFlow 1's `tf.image`. Written by tests/compat/write_face.py."""

from __future__ import annotations

from gpersist.compat.missing import missing
from gpersist.ops.array import (
    extract_image_patches,
)
from gpersist.ops.combined_suppression import (
    combined_non_max_suppression,
)
from gpersist.ops.image_colors import (
    draw_bounding_boxes,
    hsv_to_rgb,
    rgb_to_hsv,
)
from gpersist.ops.image_cropping import (
    crop_and_resize,
)
from gpersist.ops.image_resizing import (
    resize_area,
    resize_bicubic,
    resize_bilinear,
    resize_nearest_neighbor,
)
from gpersist.ops.random_crop import (
    random_crop,
)
from gpersist.ops.suppression import (
    non_max_suppression,
    non_max_suppression_overlaps,
    non_max_suppression_padded,
    non_max_suppression_with_scores,
)

__getattr__ = missing("tf.image")

__all__ = [
    "combined_non_max_suppression",
    "crop_and_resize",
    "draw_bounding_boxes",
    "extract_image_patches",
    "hsv_to_rgb",
    "non_max_suppression",
    "non_max_suppression_overlaps",
    "non_max_suppression_padded",
    "non_max_suppression_with_scores",
    "random_crop",
    "resize_area",
    "resize_bicubic",
    "resize_bilinear",
    "resize_nearest_neighbor",
    "rgb_to_hsv",
]
