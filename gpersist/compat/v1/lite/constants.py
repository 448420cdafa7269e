"""TensorFlow 1's `tf.lite.constants`. Written by tests/compat/write_face.py."""

from __future__ import annotations

from gpersist.compat.missing import missing
from gpersist.dtypes import (
    STRING,
)

__getattr__ = missing("tf.lite.constants")

__all__ = [
    "STRING",
]
