"""TensorFlow 1's `tf.manip`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.manip",
    "",
    {
        "gpersist.ops.arranging": "reverse roll tile",
        "gpersist.ops.array": "batch_to_space_nd gather_nd reshape scatter_nd space_to_batch_nd",
    },
)
