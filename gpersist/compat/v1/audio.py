"""TensorFlow 1's `tf.audio`. Written by tests/compat/write_face.py."""

from __future__ import annotations

from gpersist.compat.missing import missing
from gpersist.ops.audio import (
    decode_wav,
    encode_wav,
)

__getattr__ = missing("tf.audio")

__all__ = [
    "decode_wav",
    "encode_wav",
]
