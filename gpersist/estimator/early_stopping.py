"""Hooks that end training when a metric of the evaluations says so (`tf.estimator.experimental`)."""

from __future__ import annotations

import logging
import operator
import os
from collections.abc import Callable, Iterator
from typing import Any

from gpersist import protos
from gpersist.errors import DataLossError
from gpersist.estimator.estimator import Estimator
from gpersist.files import gfile
from gpersist.graph import GraphKeys
from gpersist.ops.get_variable import get_variable
from gpersist.ops.initializers import constant_initializer
from gpersist.ops.variable_scope import AUTO_REUSE, variable_scope
from gpersist.ops.variables import assign
from gpersist.train.global_step import get_global_step
from gpersist.train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from gpersist.train.step_timer import SecondOrStepTimer
from gpersist.train.summary_writer import summary_iterator

_LOG = logging.getLogger("gpersist")


class StopOnPredicateHook(SessionRunHook):
    """Asks to stop when a function says so; made by `make_early_stopping_hook`."""

    def __init__(self, should_stop_fn: Callable[[], bool], run_every_secs: float | None, run_every_steps: int | None) -> None:
        if not callable(should_stop_fn):
            raise TypeError("`should_stop_fn` must be callable.")
        self._should_stop_fn = should_stop_fn
        self._timer = SecondOrStepTimer(every_secs=run_every_secs, every_steps=run_every_steps)

    def begin(self) -> None:
        """Makes the variable, kept in checkpoints, that tells of the stop."""
        self._global_step = get_global_step()
        with variable_scope("signal_early_stopping", values=[], reuse=AUTO_REUSE):
            initializer = constant_initializer(False)
            collections = [GraphKeys.GLOBAL_VARIABLES]
            stop = get_variable("STOP", shape=[], dtype="bool", initializer=initializer, collections=collections, trainable=False)
        self._stop = assign(stop, True)

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Asks for the global step."""
        return SessionRunArgs(self._global_step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Asks the function, when it is time to, and to stop."""
        step = run_values.results
        if not self._timer.should_trigger_for_step(step):
            return
        self._timer.update_last_triggered_step(step)
        if self._should_stop_fn():
            _LOG.info("Requesting early stopping at global step %d", step)
            run_context.session.run(self._stop)
            run_context.request_stop()


def make_early_stopping_hook(
    estimator: Estimator, should_stop_fn: Callable[[], bool], run_every_secs: float | None = 60, run_every_steps: int | None = None
) -> SessionRunHook:
    """A hook for `train` that asks to stop when a function says so (`tf.estimator.experimental.make_early_stopping_hook`).

    Args:
        estimator: the one that is trained.
        should_stop_fn: is called in training; True ends it.
        run_every_secs: how often it is called.
        run_every_steps: the same in steps; `run_every_secs` has to be None then.

    Raises:
        TypeError: no estimator, or no function.
        ValueError: both ways to say how often.
    """
    if not isinstance(estimator, Estimator):
        raise TypeError(f"`estimator` must have type `tf.estimator.Estimator`. Got: {type(estimator)}")
    if run_every_secs is not None and run_every_steps is not None:
        raise ValueError("Only one of `run_every_secs` and `run_every_steps` must be set.")
    return StopOnPredicateHook(should_stop_fn, run_every_secs, run_every_steps)


def stop_if_higher_hook(
    estimator: Estimator,
    metric_name: str,
    threshold: float,
    eval_dir: str | None = None,
    min_steps: int = 0,
    run_every_secs: float | None = 60,
    run_every_steps: int | None = None,
) -> SessionRunHook:
    """A hook that asks to stop when a metric was above a threshold (`tf.estimator.experimental.stop_if_higher_hook`).

    Args:
        estimator: the one that is trained.
        metric_name: of the evaluations.
        threshold: what the metric is held against.
        eval_dir: the folder of the evaluations; by default the estimator's.
        min_steps: evaluations before this step don't count.
        run_every_secs: how often the folder is read.
        run_every_steps: the same in steps; `run_every_secs` has to be None then.

    Raises:
        TypeError: no estimator.
        ValueError: both ways to say how often.
    """
    return _threshold_hook(estimator, metric_name, threshold, operator.gt, eval_dir, min_steps, run_every_secs, run_every_steps)


def stop_if_lower_hook(
    estimator: Estimator,
    metric_name: str,
    threshold: float,
    eval_dir: str | None = None,
    min_steps: int = 0,
    run_every_secs: float | None = 60,
    run_every_steps: int | None = None,
) -> SessionRunHook:
    """A hook that asks to stop when a metric was below a threshold (`tf.estimator.experimental.stop_if_lower_hook`); see `stop_if_higher_hook`."""
    return _threshold_hook(estimator, metric_name, threshold, operator.lt, eval_dir, min_steps, run_every_secs, run_every_steps)


def stop_if_no_increase_hook(
    estimator: Estimator,
    metric_name: str,
    max_steps_without_increase: int,
    eval_dir: str | None = None,
    min_steps: int = 0,
    run_every_secs: float | None = 60,
    run_every_steps: int | None = None,
) -> SessionRunHook:
    """A hook that asks to stop when a metric has not grown for so many steps (`tf.estimator.experimental.stop_if_no_increase_hook`).

    Other arguments are as of `stop_if_higher_hook`.
    """
    return _improvement_hook(estimator, metric_name, max_steps_without_increase, operator.gt, eval_dir, min_steps, run_every_secs, run_every_steps)


def stop_if_no_decrease_hook(
    estimator: Estimator,
    metric_name: str,
    max_steps_without_decrease: int,
    eval_dir: str | None = None,
    min_steps: int = 0,
    run_every_secs: float | None = 60,
    run_every_steps: int | None = None,
) -> SessionRunHook:
    """A hook that asks to stop when a metric has not fallen for so many steps (`tf.estimator.experimental.stop_if_no_decrease_hook`).

    Other arguments are as of `stop_if_higher_hook`.
    """
    return _improvement_hook(estimator, metric_name, max_steps_without_decrease, operator.lt, eval_dir, min_steps, run_every_secs, run_every_steps)


def read_eval_metrics(eval_dir: str) -> dict[int, dict[str, float]]:
    """The metrics of evaluations by step, in order, by name, from the event files in their folder."""
    found: dict[int, dict[str, float]] = {}
    for event in _events(eval_dir):
        metrics = {value.tag: value.simple_value for value in event.summary.value if value.HasField("simple_value")}
        if metrics:
            found.setdefault(event.step, {}).update(metrics)
    return dict(sorted(found.items()))


def _events(eval_dir: str) -> Iterator[protos.Event]:
    if not gfile.exists(eval_dir):
        return
    for path in gfile.glob(os.path.join(eval_dir, "*.tfevents.*")):
        try:
            yield from summary_iterator(path)
        except DataLossError as error:  # an evaluation may be writing it
            _LOG.warning("Skipping the rest of %s, which is damaged: %s", path, error)


def _threshold_hook(
    estimator: Estimator, metric_name: str, threshold: float, is_better: Callable[[Any, Any], bool], eval_dir: str | None, min_steps: int, *when: Any
) -> SessionRunHook:
    folder = eval_dir or estimator.eval_dir()

    def is_crossed() -> bool:
        for step, metrics in read_eval_metrics(folder).items():
            if step >= min_steps and is_better(metrics[metric_name], threshold):
                told = "greater than" if is_better is operator.gt else "less than"
                _LOG.info(
                    'At step %s, metric "%s" has value %s which is %s the threshold %s.', step, metric_name, metrics[metric_name], told, threshold
                )
                return True
        return False

    return make_early_stopping_hook(estimator, is_crossed, *when)


def _improvement_hook(
    estimator: Estimator, metric_name: str, most_steps: int, is_better: Callable[[Any, Any], bool], eval_dir: str | None, min_steps: int, *when: Any
) -> SessionRunHook:
    folder = eval_dir or estimator.eval_dir()

    def is_stuck() -> bool:
        best: tuple[int, float] | None = None
        for step, metrics in read_eval_metrics(folder).items():
            if step < min_steps:
                continue
            value = metrics[metric_name]
            if best is None or is_better(value, best[1]):
                best = step, value
            if step - best[0] >= most_steps:
                _LOG.info('Metric "%s" has been no better for %s steps, of at most %s.', metric_name, step - best[0], most_steps)
                return True
        return False

    return make_early_stopping_hook(estimator, is_stuck, *when)
