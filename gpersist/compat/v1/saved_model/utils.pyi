"""TensorFlow 1's `tf.saved_model.utils`. Written by tests/compat/write_face.py."""

from gpersist.saved_model.tensor_info import (
    build_tensor_info,
    get_tensor_from_tensor_info,
)

__all__ = [
    "build_tensor_info",
    "get_tensor_from_tensor_info",
]
