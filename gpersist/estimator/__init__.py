"""Estimator, as small as exports need it: a model function that is trained, asked and exported (`tf.estimator`)."""

from gpersist.estimator.estimator import Estimator
from gpersist.estimator.estimator_spec import EstimatorSpec
from gpersist.estimator.mode_keys import ModeKeys
from gpersist.estimator.run_config import RunConfig

__all__ = ["Estimator", "EstimatorSpec", "ModeKeys", "RunConfig"]
