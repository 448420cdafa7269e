"""TensorFlow 1's `tf.saved_model.main_op`. Written by tests/compat/write_face.py."""

from gpersist.saved_model.main_op import (
    main_op,
    main_op_with_restore,
)

__all__ = [
    "main_op",
    "main_op_with_restore",
]
