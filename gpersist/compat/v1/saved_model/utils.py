"""TensorFlow 1's `tf.saved_model.utils`. Written by tests/compat/write_face.py."""

from __future__ import annotations

from gpersist.compat.missing import missing
from gpersist.saved_model.tensor_info import (
    build_tensor_info,
    get_tensor_from_tensor_info,
)

__getattr__ = missing("tf.saved_model.utils")

__all__ = [
    "build_tensor_info",
    "get_tensor_from_tensor_info",
]
