"""TensorFlow 1's `tf.saved_model.builder`. Written by tests/compat/write_face.py."""

from __future__ import annotations

from gpersist.compat.missing import missing
from gpersist.saved_model.builder import (
    SavedModelBuilder,
)

__getattr__ = missing("tf.saved_model.builder")

__all__ = [
    "SavedModelBuilder",
]
