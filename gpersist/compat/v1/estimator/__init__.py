"""TensorFlow 1's `tf.estimator`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__ = [
    "Estimator",
    "EstimatorSpec",
    "ModeKeys",
    "RunConfig",
    "export",
]

__getattr__, __dir__ = _lazily(
    __name__,
    "tf.estimator",
    "export",
    {
        "gpersist.estimator": "Estimator EstimatorSpec ModeKeys RunConfig",
    },
)
