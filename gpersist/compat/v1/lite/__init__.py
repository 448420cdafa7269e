"""TensorFlow 1's `tf.lite`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.lite",
    "constants",
    {
        "gpersist.lite.converter": "TFLiteConverter TocoConverter toco_convert",
        "gpersist.lite.interpreter": "Interpreter",
        "gpersist.lite.options": "OpsSet Optimize RepresentativeDataset TargetSpec",
    },
)
