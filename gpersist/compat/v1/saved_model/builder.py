"""TensorFlow 1's `tf.saved_model.builder`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.saved_model.builder",
    "",
    {
        "gpersist.saved_model.builder": "SavedModelBuilder",
    },
)
