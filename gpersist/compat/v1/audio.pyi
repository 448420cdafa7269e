"""TensorFlow 1's `tf.audio`. Written by tests/compat/write_face.py."""

from gpersist.ops.audio import (
    decode_wav,
    encode_wav,
)

__all__ = [
    "decode_wav",
    "encode_wav",
]
