"""TensorFlow 1's `tf.data.experimental`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.data.experimental",
    "",
    {
        "gpersist.ops.dataset_experiments": "map_and_batch shuffle_and_repeat unbatch",
        "gpersist.ops.datasets": "AUTOTUNE",
    },
)
