"""TensorFlow 1's `tf.estimator`. Written by tests/compat/write_face.py."""

from __future__ import annotations

from gpersist.compat.missing import missing
from gpersist.compat.v1.estimator import export as export
from gpersist.estimator import (
    Estimator,
    EstimatorSpec,
    ModeKeys,
    RunConfig,
)

__getattr__ = missing("tf.estimator")

__all__ = [
    "Estimator",
    "EstimatorSpec",
    "ModeKeys",
    "RunConfig",
    "export",
]
