"""TensorFlow 1's `tf.saved_model.loader`. Written by tests/compat/write_face.py."""

from __future__ import annotations

from gpersist.compat.missing import missing
from gpersist.saved_model.loader import (
    load,
    maybe_saved_model_directory,
)

__getattr__ = missing("tf.saved_model.loader")

__all__ = [
    "load",
    "maybe_saved_model_directory",
]
