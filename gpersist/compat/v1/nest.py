"""TensorFlow 1's `tf.nest`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.nest",
    "",
    {
        "gpersist.ops.nest": "assert_same_structure flatten is_nested map_structure pack_sequence_as",
    },
)
