"""TensorFlow 1's `tf.config.optimizer`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.config.optimizer",
    "",
    {
        "gpersist.compat.config_optimizer": "get_experimental_options get_jit set_experimental_options set_jit",
    },
)
