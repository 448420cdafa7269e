"""TensorFlow 1's `tf.saved_model.main_op`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.saved_model.main_op",
    "",
    {
        "gpersist.saved_model.main_op": "main_op main_op_with_restore",
    },
)
