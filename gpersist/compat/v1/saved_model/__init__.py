"""TensorFlow 1's `tf.saved_model`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.saved_model",
    "builder constants loader main_op signature_constants signature_def_utils tag_constants utils",
    {
        "gpersist.saved_model.builder": "Builder=SavedModelBuilder",
        "gpersist.saved_model.constants": (
            "ASSETS_DIRECTORY ASSETS_KEY DEBUG_DIRECTORY DEBUG_INFO_FILENAME_PB LEGACY_INIT_OP_KEY MAIN_OP_KEY "
            "SAVED_MODEL_FILENAME_PB SAVED_MODEL_FILENAME_PBTXT SAVED_MODEL_SCHEMA_VERSION VARIABLES_DIRECTORY "
            "VARIABLES_FILENAME"
        ),
        "gpersist.saved_model.loader": "contains_saved_model=maybe_saved_model_directory load maybe_saved_model_directory",
        "gpersist.saved_model.main_op": "main_op_with_restore",
        "gpersist.saved_model.signature_constants": (
            "CLASSIFY_INPUTS CLASSIFY_METHOD_NAME CLASSIFY_OUTPUT_CLASSES CLASSIFY_OUTPUT_SCORES "
            "DEFAULT_SERVING_SIGNATURE_DEF_KEY PREDICT_INPUTS PREDICT_METHOD_NAME PREDICT_OUTPUTS REGRESS_INPUTS "
            "REGRESS_METHOD_NAME REGRESS_OUTPUTS"
        ),
        "gpersist.saved_model.signature_def_utils": (
            "build_signature_def classification_signature_def is_valid_signature predict_signature_def regression_signature_def"
        ),
        "gpersist.saved_model.simple_save": "simple_save",
        "gpersist.saved_model.tag_constants": "GPU SERVING TPU TRAINING",
        "gpersist.saved_model.tensor_info": "build_tensor_info get_tensor_from_tensor_info",
    },
)
