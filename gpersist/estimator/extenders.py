"""Estimators that do a little more than others (`tf.estimator.add_metrics`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpersist.estimator.estimator import Estimator
from gpersist.estimator.estimator_spec import EstimatorSpec
from gpersist.estimator.mode_keys import ModeKeys
from gpersist.estimator.model_functions import arguments
from gpersist.estimator.run_config import RunConfig

_ARGUMENTS = {"features", "labels", "predictions", "config"}


def add_metrics(estimator: Estimator, metric_fn: Callable[..., dict[str, Any]]) -> Estimator:
    """An estimator of the same model and folder, with more metrics (`tf.estimator.add_metrics`).

    Args:
        estimator: the other one.
        metric_fn: gets `labels`, `predictions`, `features` and `config`, as far as it takes them; gives metrics by name, which go before the model's.

    Raises:
        ValueError: no estimator, or a function of other arguments.
    """
    if not isinstance(estimator, Estimator):
        raise ValueError(f"Given estimator is not an Estimator: {type(estimator)}")
    taken = arguments(metric_fn)
    others = sorted(taken - _ARGUMENTS)
    if others:
        raise ValueError(f"metric_fn ({metric_fn}) has following not expected args: {others}")

    def model_fn(features: Any, labels: Any, mode: str, config: RunConfig) -> EstimatorSpec:
        spec = estimator.model_fn(features, labels, mode, config)
        if mode != ModeKeys.EVAL:
            return spec
        given = {"features": features, "labels": labels, "predictions": spec.predictions, "config": config}
        found = metric_fn(**{name: value for name, value in given.items() if name in taken}) or {}
        return spec._replace(eval_metric_ops={**(spec.eval_metric_ops or {}), **found})

    return Estimator(model_fn, estimator.model_dir, estimator.config)
