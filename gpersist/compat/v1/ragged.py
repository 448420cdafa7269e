"""TensorFlow 1's `tf.ragged`. Written by tests/compat/write_face.py."""

from __future__ import annotations

from gpersist.compat.missing import missing
from gpersist.graph import (
    constant_value,
)

__getattr__ = missing("tf.ragged")

__all__ = [
    "constant_value",
]
