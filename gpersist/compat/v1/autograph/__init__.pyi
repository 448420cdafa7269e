"""TensorFlow 1's `tf.autograph`. Written by tests/compat/write_face.py."""

from gpersist.compat.v1.autograph import experimental as experimental

__all__ = [
    "experimental",
]
