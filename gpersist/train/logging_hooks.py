"""Hooks that tell how training goes: LoggingTensorHook, StepCounterHook, NanTensorHook, SummarySaverHook."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gpersist import protos
from gpersist.graph import BaseSession, get_default_graph
from gpersist.train.global_step import get_global_step, required_global_step_read
from gpersist.train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from gpersist.train.step_timer import SecondOrStepTimer
from gpersist.train.summary_writer import FileWriter, FileWriterCache

__all__ = ["LoggingTensorHook", "NanLossDuringTrainingError", "NanTensorHook", "StepCounterHook", "SummarySaverHook"]

_LOG = logging.getLogger("gpersist")

_MAX_WARNINGS = 5


class LoggingTensorHook(SessionRunHook):
    """Logs the values of tensors (`tf.train.LoggingTensorHook`).

    Args:
        tensors: tensors or names of tensors, in a dict by what they are called, or in a list.
        every_n_iter: in each so many runs.
        every_n_secs: every so many seconds.
        at_end: when the session is closed.
        formatter: makes the text of a dict of the values.

    Raises:
        ValueError: not exactly one of `every_n_iter` and `every_n_secs`, unless `at_end` alone; or `every_n_iter` is not positive.
    """

    def __init__(
        self,
        tensors: Mapping[str, Any] | Sequence[Any],
        every_n_iter: int | None = None,
        every_n_secs: float | None = None,
        at_end: bool = False,
        formatter: Callable[[dict[Any, Any]], str] | None = None,
    ) -> None:
        is_only_at_end = at_end and every_n_iter is None and every_n_secs is None
        if not is_only_at_end and (every_n_iter is None) == (every_n_secs is None):
            raise ValueError("either at_end and/or exactly one of every_n_iter and every_n_secs must be provided.")
        if every_n_iter is not None and every_n_iter <= 0:
            raise ValueError(f"invalid every_n_iter={every_n_iter}.")
        self._tensors = dict(tensors) if isinstance(tensors, Mapping) else {tensor: tensor for tensor in tensors}
        self._tag_order = sorted(tensors) if isinstance(tensors, Mapping) else list(tensors)
        self._formatter = formatter
        self._timer = None if is_only_at_end else SecondOrStepTimer(every_n_secs, every_n_iter)
        self._at_end = at_end

    def begin(self) -> None:
        """Finds the tensors.

        Raises:
            ValueError: one is of another graph, or its name fits several.
        """
        if self._timer is not None:
            self._timer.reset()
        self._iterations = 0
        self._fetches = {tag: _tensor_of(tensor) for tag, tensor in self._tensors.items()}

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        """Asks for the tensors, if it is time."""
        self._is_due = self._timer is not None and self._timer.should_trigger_for_step(self._iterations)
        return SessionRunArgs(self._fetches) if self._is_due else None

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Logs them."""
        if self._is_due:
            self._log(run_values.results)
        self._iterations += 1

    def end(self, session: BaseSession) -> None:
        """Logs them, if that is wanted at the end."""
        if self._at_end:
            self._log(session.run(self._fetches))

    def _log(self, values: dict[Any, Any]) -> None:
        seconds = self._timer.update_last_triggered_step(self._iterations)[0] if self._timer is not None else None
        with np.printoptions(suppress=True):
            if self._formatter is not None:
                _LOG.info("%s", self._formatter(values))
                return
            text = ", ".join(f"{tag} = {values[tag]!s}" for tag in self._tag_order)
            if seconds is None:
                _LOG.info("%s", text)
            else:
                _LOG.info("%s (%.3f sec)", text, seconds)


class StepCounterHook(SessionRunHook):
    """Logs how many steps a second are done, and writes it as a summary (`tf.train.StepCounterHook`).

    Args:
        every_n_steps: every so many steps.
        every_n_secs: every so many seconds.
        output_dir: folder of the event file.
        summary_writer: a writer, instead of a folder.

    Raises:
        ValueError: not exactly one of `every_n_steps` and `every_n_secs`.
    """

    def __init__(
        self,
        every_n_steps: int | None = 100,
        every_n_secs: float | None = None,
        output_dir: str | None = None,
        summary_writer: FileWriter | None = None,
    ) -> None:
        if (every_n_steps is None) == (every_n_secs is None):
            raise ValueError("exactly one of every_n_steps and every_n_secs should be provided.")
        self._timer = SecondOrStepTimer(every_n_secs, every_n_steps)
        self._summary_writer = summary_writer
        self._output_dir = output_dir
        self._last_step: int | None = None
        self._warnings = 0

    def begin(self) -> None:
        """Finds the global step.

        Raises:
            RuntimeError: there is none.
        """
        if self._summary_writer is None and self._output_dir:
            self._summary_writer = FileWriterCache.get(self._output_dir)
        self._global_step = required_global_step_read("StepCounterHook")
        self._tag = f"{get_global_step().op.name}/sec"

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Asks for the global step."""
        return SessionRunArgs(self._global_step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Logs the rate, if it is time; warns where the step stands still."""
        stale = run_values.results
        if self._timer.should_trigger_for_step(stale + 1):
            step = run_context.session.run(self._global_step)
            if self._timer.should_trigger_for_step(step):
                seconds, steps = self._timer.update_last_triggered_step(step)
                if seconds is not None and steps is not None:
                    self._log_and_record(steps, seconds, step)
        if stale == self._last_step and self._warnings < _MAX_WARNINGS:
            self._warnings += 1
            _LOG.warning(
                "It seems that global step (tf.train.get_global_step) has not been increased. Current value (could be stable): %s vs previous value: "
                "%s. You could increase the global step by passing tf.train.get_global_step() to Optimizer.apply_gradients or Optimizer.minimize.",
                *(stale, self._last_step),
            )
        self._last_step = stale

    def _log_and_record(self, elapsed_steps: int, elapsed_time: float, global_step: int) -> None:
        rate = elapsed_steps / elapsed_time
        if self._summary_writer is not None:
            summary = protos.Summary()
            summary.value.add(tag=self._tag, simple_value=rate)
            self._summary_writer.add_summary(summary, global_step)
        _LOG.info("%s: %g", self._tag, rate)


class NanLossDuringTrainingError(RuntimeError):
    """A loss has become NaN (`tf.train.NanLossDuringTrainingError`)."""

    def __str__(self) -> str:
        return "NaN loss during training."


class NanTensorHook(SessionRunHook):
    """Stops training when a loss is NaN (`tf.train.NanTensorHook`).

    Args:
        loss_tensor: the loss, a scalar.
        fail_on_nan_loss: whether NanLossDuringTrainingError is raised, rather than training ended.
    """

    def __init__(self, loss_tensor: Any, fail_on_nan_loss: bool = True) -> None:
        self._loss_tensor = loss_tensor
        self._fail_on_nan_loss = fail_on_nan_loss

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Asks for the loss."""
        return SessionRunArgs(self._loss_tensor)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Looks at it.

        Raises:
            NanLossDuringTrainingError: it is NaN.
        """
        if not np.isnan(run_values.results):
            return
        message = "Model diverged with loss = NaN."
        if self._fail_on_nan_loss:
            _LOG.error(message)
            raise NanLossDuringTrainingError
        _LOG.warning(message)
        run_context.request_stop()


class SummarySaverHook(SessionRunHook):
    """Writes summaries to an event file (`tf.train.SummarySaverHook`).

    Args:
        save_steps: every so many steps.
        save_secs: every so many seconds.
        output_dir: folder of the event file.
        summary_writer: a writer, instead of a folder.
        scaffold: has the summary, in `summary_op`.
        summary_op: the summary, or a list of several.

    Raises:
        ValueError: not exactly one of `scaffold` and `summary_op`, or of `save_steps` and `save_secs`.
    """

    def __init__(
        self,
        save_steps: int | None = None,
        save_secs: float | None = None,
        output_dir: str | None = None,
        summary_writer: FileWriter | None = None,
        scaffold: Any = None,
        summary_op: Any = None,
    ) -> None:
        if (scaffold is None) == (summary_op is None):
            raise ValueError("Exactly one of scaffold or summary_op must be provided.")
        self._summary_op = summary_op
        self._summary_writer = summary_writer
        self._output_dir = output_dir
        self._scaffold = scaffold
        self._timer = SecondOrStepTimer(save_secs, save_steps)

    def begin(self) -> None:
        """Finds the global step.

        Raises:
            RuntimeError: there is none.
        """
        if self._summary_writer is None and self._output_dir:
            self._summary_writer = FileWriterCache.get(self._output_dir)
        self._next_step: int | None = None
        self._global_step = required_global_step_read("SummarySaverHook")

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Asks for the global step and, if it is time, for the summaries."""
        self._is_due = self._next_step is None or self._timer.should_trigger_for_step(self._next_step)
        wanted: dict[str, Any] = {"global_step": self._global_step}
        summaries = self._summary_ops() if self._is_due else None
        if summaries is not None:
            wanted["summary"] = summaries
        return SessionRunArgs(wanted)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Writes them."""
        if self._summary_writer is None:
            return
        step = run_context.session.run(self._global_step) if self._is_due else run_values.results["global_step"] + 1
        if self._next_step is None:
            self._summary_writer.add_session_log(protos.SessionLog(status=protos.SessionLog.START), step)
        if self._is_due:
            self._timer.update_last_triggered_step(step)
            for summary in run_values.results.get("summary", ()):
                self._summary_writer.add_summary(summary, step)
        self._next_step = step + 1

    def end(self, session: BaseSession | None = None) -> None:
        """Gives what was written to the operating system."""
        if self._summary_writer is not None:
            self._summary_writer.flush()

    def _summary_ops(self) -> list[Any] | None:
        found = self._scaffold.summary_op if self._summary_op is None else self._summary_op
        return found if found is None or isinstance(found, list) else [found]


def _tensor_of(value: Any) -> Any:
    """A tensor of the default graph, or what has one of these names: that of a tensor, or of an operation with one output."""
    graph = get_default_graph()
    if not isinstance(value, str):
        if getattr(value, "graph", None) is not graph:
            raise ValueError(f"Passed {value} should have graph attribute that is equal to current graph {graph}.")
        return value
    if ":" in value:
        return graph.as_graph_element(value)
    found = graph.as_graph_element(f"{value}:0")
    if len(found.op.outputs) > 1:
        raise ValueError(f"Name {value} is ambiguous, as this `Operation` has multiple outputs (at least 2).")
    return found
