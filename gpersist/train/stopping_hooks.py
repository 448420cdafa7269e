"""Hooks that say when training begins and ends, what it is fed, and what is computed last."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from gpersist.errors import OutOfRangeError
from gpersist.graph import BaseSession
from gpersist.train.coordinator import Coordinator
from gpersist.train.global_step import required_global_step_read
from gpersist.train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues

__all__ = ["FeedFnHook", "FinalOpsHook", "GlobalStepWaiterHook", "StopAtStepHook"]

_LOG = logging.getLogger("gpersist")

_POLL_SECS = 0.5
_STEPS_BETWEEN_LOGS = 1000


class StopAtStepHook(SessionRunHook):
    """Asks to stop at a global step (`tf.train.StopAtStepHook`).

    Args:
        num_steps: so many steps after that of the beginning.
        last_step: the last step.

    Raises:
        ValueError: not exactly one of both.
    """

    def __init__(self, num_steps: int | None = None, last_step: int | None = None) -> None:
        if num_steps is None and last_step is None:
            raise ValueError("One of num_steps or last_step must be specified.")
        if num_steps is not None and last_step is not None:
            raise ValueError("Only one of num_steps or last_step can be specified.")
        self._num_steps, self._last_step = num_steps, last_step

    def begin(self) -> None:
        """Finds the global step.

        Raises:
            RuntimeError: there is none.
        """
        self._global_step = required_global_step_read("StopAtStepHook")

    def after_create_session(self, session: BaseSession, coord: Coordinator) -> None:
        """Reads the step of the beginning, the first time."""
        if self._last_step is None:
            self._last_step = session.run(self._global_step) + self._num_steps

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Asks for the global step."""
        return SessionRunArgs(self._global_step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Asks to stop when the last step is done."""
        if run_values.results + 1 >= self._last_step and run_context.session.run(self._global_step) >= self._last_step:
            run_context.request_stop()


class GlobalStepWaiterHook(SessionRunHook):
    """Waits, before the first run, until the global step has a value (`tf.train.GlobalStepWaiterHook`)."""

    def __init__(self, wait_until_step: int) -> None:
        self._wait_until_step = wait_until_step

    def begin(self) -> None:
        """Finds the global step.

        Raises:
            RuntimeError: there is none.
        """
        self._has_begun = False
        self._global_step = required_global_step_read("_GlobalStepWaiterHook")

    def before_run(self, run_context: SessionRunContext) -> None:
        """Waits, the first time."""
        if self._has_begun:
            return
        self._has_begun = True
        if self._wait_until_step <= 0:
            return
        _LOG.info("Waiting for global step %d before starting training.", self._wait_until_step)
        logged = 0
        while (step := run_context.session.run(self._global_step)) < self._wait_until_step:
            if step - logged > _STEPS_BETWEEN_LOGS:
                _LOG.info("Waiting for global step %d before starting training. Current step is %d.", self._wait_until_step, step)
                logged = step
            time.sleep(_POLL_SECS)


class FinalOpsHook(SessionRunHook):
    """Computes something when the session is closed (`tf.train.FinalOpsHook`)."""

    def __init__(self, final_ops: Any, final_ops_feed_dict: Mapping[Any, Any] | None = None) -> None:
        self._final_ops, self._final_ops_feed_dict = final_ops, final_ops_feed_dict
        self._final_ops_values: Any = None

    @property
    def final_ops_values(self) -> Any:
        """What came out; None before the session is closed."""
        return self._final_ops_values

    def end(self, session: BaseSession) -> None:
        """Computes it."""
        if self._final_ops is None:
            return
        try:
            self._final_ops_values = session.run(self._final_ops, feed_dict=self._final_ops_feed_dict)
        except (OutOfRangeError, StopIteration):
            _LOG.warning(
                "the operations of a FinalOpsHook have run out of data: they should read variables only, such as a metric's value, rather than take "
                "another batch of input"
            )
            raise


class FeedFnHook(SessionRunHook):
    """Feeds each run with what a function gives (`tf.train.FeedFnHook`)."""

    def __init__(self, feed_fn: Callable[[], Mapping[Any, Any]]) -> None:
        self.feed_fn = feed_fn

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Calls it."""
        return SessionRunArgs(None, self.feed_fn())
