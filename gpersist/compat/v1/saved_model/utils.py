"""TensorFlow 1's `tf.saved_model.utils`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.saved_model.utils",
    "",
    {
        "gpersist.saved_model.tensor_info": "build_tensor_info get_tensor_from_tensor_info",
    },
)
