"""TensorFlow 1's `tf.image`. Written by tests/compat/write_face.py."""

from __future__ import annotations

from gpersist.compat.missing import missing
from gpersist.ops.array import (
    extract_image_patches,
)

__getattr__ = missing("tf.image")

__all__ = [
    "extract_image_patches",
]
