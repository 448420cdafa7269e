"""TensorFlow 1's `tf.saved_model`. Written by tests/compat/write_face.py."""

from gpersist.compat.v1.saved_model import builder as builder
from gpersist.compat.v1.saved_model import constants as constants
from gpersist.compat.v1.saved_model import loader as loader
from gpersist.compat.v1.saved_model import main_op as main_op
from gpersist.compat.v1.saved_model import signature_constants as signature_constants
from gpersist.compat.v1.saved_model import signature_def_utils as signature_def_utils
from gpersist.compat.v1.saved_model import tag_constants as tag_constants
from gpersist.compat.v1.saved_model import utils as utils
from gpersist.saved_model.builder import (
    SavedModelBuilder as Builder,
)
from gpersist.saved_model.constants import (
    ASSETS_DIRECTORY,
    ASSETS_KEY,
    DEBUG_DIRECTORY,
    DEBUG_INFO_FILENAME_PB,
    LEGACY_INIT_OP_KEY,
    MAIN_OP_KEY,
    SAVED_MODEL_FILENAME_PB,
    SAVED_MODEL_FILENAME_PBTXT,
    SAVED_MODEL_SCHEMA_VERSION,
    VARIABLES_DIRECTORY,
    VARIABLES_FILENAME,
)
from gpersist.saved_model.loader import (
    load,
    maybe_saved_model_directory,
)
from gpersist.saved_model.loader import (
    maybe_saved_model_directory as contains_saved_model,
)
from gpersist.saved_model.main_op import (
    main_op_with_restore,
)
from gpersist.saved_model.signature_constants import (
    CLASSIFY_INPUTS,
    CLASSIFY_METHOD_NAME,
    CLASSIFY_OUTPUT_CLASSES,
    CLASSIFY_OUTPUT_SCORES,
    DEFAULT_SERVING_SIGNATURE_DEF_KEY,
    PREDICT_INPUTS,
    PREDICT_METHOD_NAME,
    PREDICT_OUTPUTS,
    REGRESS_INPUTS,
    REGRESS_METHOD_NAME,
    REGRESS_OUTPUTS,
)
from gpersist.saved_model.signature_def_utils import (
    build_signature_def,
    classification_signature_def,
    is_valid_signature,
    predict_signature_def,
    regression_signature_def,
)
from gpersist.saved_model.simple_save import (
    simple_save,
)
from gpersist.saved_model.tag_constants import (
    GPU,
    SERVING,
    TPU,
    TRAINING,
)
from gpersist.saved_model.tensor_info import (
    build_tensor_info,
    get_tensor_from_tensor_info,
)

__all__ = [
    "ASSETS_DIRECTORY",
    "ASSETS_KEY",
    "CLASSIFY_INPUTS",
    "CLASSIFY_METHOD_NAME",
    "CLASSIFY_OUTPUT_CLASSES",
    "CLASSIFY_OUTPUT_SCORES",
    "DEBUG_DIRECTORY",
    "DEBUG_INFO_FILENAME_PB",
    "DEFAULT_SERVING_SIGNATURE_DEF_KEY",
    "GPU",
    "LEGACY_INIT_OP_KEY",
    "MAIN_OP_KEY",
    "PREDICT_INPUTS",
    "PREDICT_METHOD_NAME",
    "PREDICT_OUTPUTS",
    "REGRESS_INPUTS",
    "REGRESS_METHOD_NAME",
    "REGRESS_OUTPUTS",
    "SAVED_MODEL_FILENAME_PB",
    "SAVED_MODEL_FILENAME_PBTXT",
    "SAVED_MODEL_SCHEMA_VERSION",
    "SERVING",
    "TPU",
    "TRAINING",
    "VARIABLES_DIRECTORY",
    "VARIABLES_FILENAME",
    "Builder",
    "build_signature_def",
    "build_tensor_info",
    "builder",
    "classification_signature_def",
    "constants",
    "contains_saved_model",
    "get_tensor_from_tensor_info",
    "is_valid_signature",
    "load",
    "loader",
    "main_op",
    "main_op_with_restore",
    "maybe_saved_model_directory",
    "predict_signature_def",
    "regression_signature_def",
    "signature_constants",
    "signature_def_utils",
    "simple_save",
    "tag_constants",
    "utils",
]
