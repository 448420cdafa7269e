"""TensorFlow 1's `tf.lite`. Written by tests/compat/write_face.py."""

from gpersist.compat.v1.lite import constants as constants
from gpersist.lite.converter import (
    TFLiteConverter,
    TocoConverter,
    toco_convert,
)
from gpersist.lite.interpreter import (
    Interpreter,
)
from gpersist.lite.options import (
    OpsSet,
    Optimize,
    RepresentativeDataset,
    TargetSpec,
)

__all__ = [
    "Interpreter",
    "OpsSet",
    "Optimize",
    "RepresentativeDataset",
    "TFLiteConverter",
    "TargetSpec",
    "TocoConverter",
    "constants",
    "toco_convert",
]
