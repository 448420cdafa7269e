"""TensorFlow 1's `tf.saved_model.tag_constants`. Written by tests/compat/write_face.py."""

from gpersist.saved_model.tag_constants import (
    GPU,
    SERVING,
    TPU,
    TRAINING,
)

__all__ = [
    "GPU",
    "SERVING",
    "TPU",
    "TRAINING",
]
