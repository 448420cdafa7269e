"""TensorFlow 1's `tf.saved_model.builder`. Written by tests/compat/write_face.py."""

from gpersist.saved_model.builder import (
    SavedModelBuilder,
)

__all__ = [
    "SavedModelBuilder",
]
