"""TensorFlow 1's `tf.saved_model.loader`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.saved_model.loader",
    "",
    {
        "gpersist.saved_model.loader": "load maybe_saved_model_directory",
    },
)
