"""TensorFlow 1's `tf.autograph.experimental`. Written by tests/compat/write_face.py."""

from gpersist.compat.autograph import (
    do_not_convert,
)

__all__ = [
    "do_not_convert",
]
