"""Training with an evaluation after each checkpoint (`tf.estimator.train_and_evaluate`), in one process."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from gpersist.estimator.estimator import Estimator
from gpersist.estimator.exporters import Exporter
from gpersist.graph import BaseSession, GraphKeys
from gpersist.train.checkpoint_saver_hook import CheckpointSaverListener
from gpersist.train.session_run_hook import SessionRunHook
from gpersist.train.step_timer import SecondOrStepTimer

_LOG = logging.getLogger("gpersist")


class _TrainFields(NamedTuple):
    input_fn: Callable[..., Any]
    max_steps: int | None
    hooks: tuple[SessionRunHook, ...]
    saving_listeners: tuple[CheckpointSaverListener, ...]


class TrainSpec(_TrainFields):
    """The training of `train_and_evaluate` (`tf.estimator.TrainSpec`); arguments as of `Estimator.train`.

    Raises:
        ValueError: `max_steps` is not positive.
        TypeError: something of another type.
    """

    __slots__ = ()

    def __new__(
        cls,
        input_fn: Callable[..., Any],
        max_steps: int | None = None,
        hooks: Iterable[SessionRunHook] | None = None,
        saving_listeners: Iterable[CheckpointSaverListener] | None = None,
    ) -> TrainSpec:
        """Checks what it is given."""
        _check_callable(input_fn)
        if max_steps is not None and max_steps <= 0:
            raise ValueError(f"Must specify max_steps > 0, given: {max_steps}")
        return super().__new__(
            cls,
            input_fn,
            max_steps,
            _all_of(hooks, SessionRunHook, "hooks"),
            _all_of(saving_listeners, CheckpointSaverListener, "saving_listeners"),
        )


class _EvalFields(NamedTuple):
    input_fn: Callable[..., Any]
    steps: int | None
    name: str | None
    hooks: tuple[SessionRunHook, ...]
    exporters: tuple[Exporter, ...]
    start_delay_secs: float
    throttle_secs: float


class EvalSpec(_EvalFields):
    """The evaluations of `train_and_evaluate` (`tf.estimator.EvalSpec`).

    Args:
        input_fn: this, `steps`, `name` and `hooks` as of `Estimator.evaluate`.
        steps: 100 by default.
        name: tells evaluations apart.
        hooks: take part in the runs.
        exporters: an Exporter, or several with different names: called after each evaluation.
        start_delay_secs: without effect in one process.
        throttle_secs: at least so many seconds lie between two evaluations, but for the last.

    Raises:
        ValueError: a number that is too small, or exporters without a name of their own.
        TypeError: something of another type.
    """

    __slots__ = ()

    def __new__(
        cls,
        input_fn: Callable[..., Any],
        steps: int | None = 100,
        name: str | None = None,
        hooks: Iterable[SessionRunHook] | None = None,
        exporters: Iterable[Exporter] | Exporter | None = None,
        start_delay_secs: float = 120,
        throttle_secs: float = 600,
    ) -> EvalSpec:
        """Checks what it is given."""
        _check_callable(input_fn)
        if steps is not None and steps <= 0:
            raise ValueError(f"Must specify steps > 0, given: {steps}")
        if name is not None and not isinstance(name, str):
            raise TypeError(f"`name` must be string, given: {name}")
        checked_hooks = _all_of(hooks, SessionRunHook, "hooks")
        checked_exporters = _checked_exporters(exporters)
        for key, seconds in (("start_delay_secs", start_delay_secs), ("throttle_secs", throttle_secs)):
            if seconds < 0:
                raise ValueError(f"Must specify {key} >= 0, given: {seconds}")
        return super().__new__(cls, input_fn, steps, name, checked_hooks, checked_exporters, start_delay_secs, throttle_secs)


def train_and_evaluate(estimator: Estimator, train_spec: TrainSpec, eval_spec: EvalSpec) -> tuple[dict[str, Any] | None, list[Any] | None]:
    """Trains, and evaluates and exports after checkpoints but the first: how many there are is said by the Estimator's `RunConfig`.

    Args:
        estimator: the Estimator.
        train_spec: what to train; without `max_steps` until the input ends.
        eval_spec: what to evaluate.

    Returns:
        The metrics of the last evaluation, and what its exporters gave; two times None where nothing was left to train.

    Raises:
        TypeError: something of another type.
    """
    for name, value, kind in (("eval_spec", eval_spec, EvalSpec), ("estimator", estimator, Estimator), ("train_spec", train_spec, TrainSpec)):
        if not isinstance(value, kind):
            raise TypeError(f"`{name}` must have type `tf.estimator.{kind.__name__}`. Got: {type(value)}")
    config = estimator.config
    _LOG.info("Not using Distribute Coordinator.")
    _LOG.info("Running training and evaluation locally (non-distributed).")
    _LOG.info(
        "Start train and evaluate loop. The evaluate will happen after every checkpoint. Checkpoint frequency is determined based on RunConfig "
        "arguments: save_checkpoints_steps %s or save_checkpoints_secs %s.",
        *(config.save_checkpoints_steps, config.save_checkpoints_secs),
    )
    evaluating = _EvaluatingListener(estimator, eval_spec, train_spec.max_steps)
    estimator.train(
        train_spec.input_fn, hooks=train_spec.hooks, max_steps=train_spec.max_steps, saving_listeners=(*train_spec.saving_listeners, evaluating)
    )
    return evaluating.metrics, evaluating.exports


class _EvaluatingListener(CheckpointSaverListener):
    """Evaluates and exports where a checkpoint has been saved."""

    def __init__(self, estimator: Estimator, spec: EvalSpec, max_steps: int | None) -> None:
        self._estimator, self._spec, self._max_steps = estimator, spec, max_steps
        self._evaluated: str | None = None
        self.metrics: dict[str, Any] | None = None
        self.exports: list[Any] | None = None

    def begin(self) -> None:
        self._timer = SecondOrStepTimer(every_secs=self._spec.throttle_secs)
        self._is_first = True

    def after_save(self, session: BaseSession, global_step_value: int) -> bool | None:
        if self._is_first:  # nothing is trained yet
            self._is_first = False
        elif self._timer.should_trigger_for_step(global_step_value):
            self._evaluate(global_step_value)
        else:
            _LOG.info("Skip the current checkpoint eval due to throttle secs (%s secs).", self._spec.throttle_secs)
        return None

    def end(self, session: BaseSession, global_step_value: int) -> None:
        if global_step_value != self._timer.last_triggered_step():
            self._evaluate(global_step_value)

    def _evaluate(self, step: int) -> None:
        self._timer.update_last_triggered_step(step)
        path = self._estimator.latest_checkpoint()
        if path is None or path == self._evaluated:
            raise RuntimeError(f"There was no new checkpoint after the training. Eval status: {'missing' if path is None else 'no new'} checkpoint")
        spec = self._spec
        self.metrics = self._estimator.evaluate(spec.input_fn, steps=spec.steps, name=spec.name, checkpoint_path=path, hooks=spec.hooks)
        is_final = bool(self._max_steps and self.metrics[GraphKeys.GLOBAL_STEP] >= self._max_steps)
        base = os.path.join(self._estimator.model_dir, "export")
        self.exports = [
            exporter.export(self._estimator, os.path.join(base, exporter.name), path, self.metrics, is_final) for exporter in spec.exporters
        ]
        self._evaluated = path


def _check_callable(input_fn: Any) -> None:
    if not callable(input_fn):
        raise TypeError(f"`input_fn` must be callable, given: {input_fn}")


def _all_of(given: Iterable[Any] | None, kind: type, what: str) -> tuple[Any, ...]:
    found = tuple(given or ())
    for each in found:
        if not isinstance(each, kind):
            raise TypeError(f"All {what} must be `{kind.__name__}` instances, given: {each}")
    return found


def _checked_exporters(exporters: Any) -> tuple[Exporter, ...]:
    if not exporters:
        return ()
    found = [exporters] if isinstance(exporters, Exporter) else exporters
    if not hasattr(found, "__iter__") or not all(isinstance(each, Exporter) for each in found):
        raise TypeError(f"`exporters` must be an Exporter, an iterable of Exporter, or `None`, found {exporters}.")
    names = [each.name for each in found]
    for name in names:
        if not name:
            raise ValueError(f"An Exporter cannot have a name that is `None` or empty. All exporter names: {names}")
        if not isinstance(name, str):
            raise ValueError(f"An Exporter must have a string name. Given: {type(name)}")
    if len(set(names)) < len(names):
        raise ValueError(f"`exporters` must have unique names. Such a name cannot be `None`. All exporter names: {names}")
    return tuple(found)
