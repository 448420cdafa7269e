"""TensorFlow 1's `tf.config.optimizer`. Written by tests/compat/write_face.py."""

from gpersist.compat.config_optimizer import (
    get_experimental_options,
    get_jit,
    set_experimental_options,
    set_jit,
)

__all__ = [
    "get_experimental_options",
    "get_jit",
    "set_experimental_options",
    "set_jit",
]
