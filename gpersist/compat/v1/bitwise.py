"""TensorFlow 1's `tf.bitwise`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.bitwise",
    "",
    {
        "gpersist.ops.bitwise": "bitwise_and bitwise_or bitwise_xor invert left_shift right_shift",
    },
)
