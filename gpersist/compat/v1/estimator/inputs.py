"""TensorFlow 1's `tf.estimator.inputs`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.estimator.inputs",
    "",
    {
        "gpersist.estimator.inputs": "numpy_input_fn",
    },
)
