"""TensorFlow 1's `tf.saved_model.signature_def_utils`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.saved_model.signature_def_utils",
    "",
    {
        "gpersist.saved_model.method_name_updater": "MethodNameUpdater",
        "gpersist.saved_model.signature_def_utils": (
            "build_signature_def classification_signature_def is_valid_signature predict_signature_def regression_signature_def"
        ),
    },
)
