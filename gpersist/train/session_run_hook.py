"""What takes part in the runs of a monitored session: hooks, what they ask for and what they get (`tf.train.SessionRunHook`)."""

from __future__ import annotations

from typing import Any, NamedTuple

from gpersist.graph import BaseSession
from gpersist.train.coordinator import Coordinator

__all__ = ["SessionRunArgs", "SessionRunContext", "SessionRunHook", "SessionRunValues"]


class SessionRunArgs(NamedTuple):
    """What a hook adds to a run (`tf.train.SessionRunArgs`).

    Attributes:
        fetches: any nest of them, or None.
        feed_dict: values of tensors, which nobody else may feed in this run.
        options: a `RunOptions`, which is merged with the others'.
    """

    fetches: Any
    feed_dict: Any = None
    options: Any = None


class SessionRunValues(NamedTuple):
    """What a hook gets after a run (`tf.train.SessionRunValues`).

    Attributes:
        results: the values of its fetches, in the same nest; None if it asked for nothing.
        options: the `RunOptions` of the run.
        run_metadata: the `RunMetadata` of the run.
    """

    results: Any
    options: Any
    run_metadata: Any


class SessionRunContext:
    """A run, as hooks see it (`tf.train.SessionRunContext`)."""

    def __init__(self, original_args: SessionRunArgs, session: Any) -> None:
        self._original_args = original_args
        self._session = session
        self._stop_requested = False

    @property
    def original_args(self) -> SessionRunArgs:
        """What the caller of `run` asked for, without what hooks add."""
        return self._original_args

    @property
    def session(self) -> Any:
        """The session itself, whose `run` calls no hooks."""
        return self._session

    @property
    def stop_requested(self) -> bool:
        """Whether a hook has asked to stop."""
        return self._stop_requested

    def request_stop(self) -> None:
        """Asks to stop after this run: `should_stop()` of the session is true from then on."""
        self._stop_requested = True


class SessionRunHook:
    """Takes part in the runs of a monitored session (`tf.train.SessionRunHook`); methods that are not overridden do nothing.

    They are called in this order: `begin`; `after_create_session`, for each session; `before_run` and `after_run`, for each run; `end`.
    """

    def begin(self) -> None:
        """Called once, before the session is made: the graph may still be changed."""

    def after_create_session(self, session: BaseSession, coord: Coordinator) -> None:
        """Called when a session has been made, or made again after a failure; the graph is complete, and variables have values."""

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        """Called before each run; what it gives is added to the run."""

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Called after each run that did not fail."""

    def end(self, session: BaseSession) -> None:
        """Called when the session is closed, unless that is because of an error."""
