"""TensorFlow 1's `tf.lite`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

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

__getattr__, __dir__ = _lazily(
    __name__,
    "tf.lite",
    "constants",
    {
        "gpersist.lite.converter": "TFLiteConverter TocoConverter toco_convert",
        "gpersist.lite.interpreter": "Interpreter",
        "gpersist.lite.options": "OpsSet Optimize RepresentativeDataset TargetSpec",
    },
)
