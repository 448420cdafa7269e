"""TensorFlow 1's `tf.saved_model.tag_constants`. Written by tests/compat/write_face.py."""

from __future__ import annotations

from gpersist.compat.missing import missing
from gpersist.saved_model.tag_constants import (
    GPU,
    SERVING,
    TPU,
    TRAINING,
)

__getattr__ = missing("tf.saved_model.tag_constants")

__all__ = [
    "GPU",
    "SERVING",
    "TPU",
    "TRAINING",
]
