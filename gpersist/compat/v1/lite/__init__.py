"""TensorFlow 1's `tf.lite`. Written by tests/compat/write_face.py."""

from __future__ import annotations

from gpersist.compat.missing import missing
from gpersist.compat.v1.lite import constants as constants

__getattr__ = missing("tf.lite")

__all__ = [
    "constants",
]
