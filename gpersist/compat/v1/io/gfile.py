"""TensorFlow 1's `tf.io.gfile`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.io.gfile",
    "",
    {
        "gpersist.files.gfile": "GFile copy exists glob isdir listdir makedirs mkdir remove rename rmtree stat walk",
    },
)
