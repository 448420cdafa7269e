"""TensorFlow 1's `tf.estimator.inputs`. Written by tests/compat/write_face.py."""

from gpersist.estimator.inputs import (
    numpy_input_fn,
)

__all__ = [
    "numpy_input_fn",
]
