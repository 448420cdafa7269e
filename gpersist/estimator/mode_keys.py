"""What a model function is called for (`tf.estimator.ModeKeys`)."""

from __future__ import annotations


class ModeKeys:
    """Training, evaluation or prediction."""

    TRAIN = "train"
    EVAL = "eval"
    PREDICT = "infer"
