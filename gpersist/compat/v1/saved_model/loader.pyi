"""TensorFlow 1's `tf.saved_model.loader`. Written by tests/compat/write_face.py."""

from gpersist.saved_model.loader import (
    load,
    maybe_saved_model_directory,
)

__all__ = [
    "load",
    "maybe_saved_model_directory",
]
