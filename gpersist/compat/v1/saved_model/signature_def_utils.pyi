"""TensorFlow 1's `tf.saved_model.signature_def_utils`. Written by tests/compat/write_face.py."""

from gpersist.saved_model.method_name_updater import (
    MethodNameUpdater,
)
from gpersist.saved_model.signature_def_utils import (
    build_signature_def,
    classification_signature_def,
    is_valid_signature,
    predict_signature_def,
    regression_signature_def,
)

__all__ = [
    "MethodNameUpdater",
    "build_signature_def",
    "classification_signature_def",
    "is_valid_signature",
    "predict_signature_def",
    "regression_signature_def",
]
