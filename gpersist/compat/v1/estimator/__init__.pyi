"""TensorFlow 1's `tf.estimator`. Written by tests/compat/write_face.py."""

from gpersist.compat.v1.estimator import export as export
from gpersist.estimator import (
    Estimator,
    EstimatorSpec,
    ModeKeys,
    RunConfig,
)

__all__ = [
    "Estimator",
    "EstimatorSpec",
    "ModeKeys",
    "RunConfig",
    "export",
]
