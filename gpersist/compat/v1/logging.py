"""TensorFlow 1's `tf.logging`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.logging",
    "",
    {
        "gpersist.compat.logging": (
            "DEBUG ERROR FATAL INFO WARN debug error fatal flush get_verbosity info log log_every_n log_first_n "
            "log_if set_verbosity vlog warn warning"
        ),
    },
)
