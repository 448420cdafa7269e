"""TensorFlow 1's `tf.bitwise`. Written by tests/compat/write_face.py."""

from __future__ import annotations

from gpersist.compat.missing import missing
from gpersist.ops.bitwise import (
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    invert,
    left_shift,
    right_shift,
)

__getattr__ = missing("tf.bitwise")

__all__ = [
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "invert",
    "left_shift",
    "right_shift",
]
