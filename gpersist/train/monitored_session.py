"""Monitored sessions: they initialise or restore, call hooks at each run, save, and close in order (`tf.train.MonitoredTrainingSession`)."""

from __future__ import annotations

import abc
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gpersist.errors import OutOfRangeError
from gpersist.graph import BaseSession, Graph, GraphKeys, get_default_graph
from gpersist.train.checkpoint_saver_hook import CheckpointSaverHook
from gpersist.train.coordinator import Coordinator
from gpersist.train.hooked_session import CoordinatedSession, RecoverableSession, StepContext
from gpersist.train.logging_hooks import StepCounterHook, SummarySaverHook
from gpersist.train.queue_runner import start_queue_runners
from gpersist.train.scaffold import Scaffold
from gpersist.train.session_manager import SessionManager
from gpersist.train.session_run_hook import SessionRunHook

__all__ = [
    "ChiefSessionCreator",
    "MonitoredSession",
    "MonitoredTrainingSession",
    "SessionCreator",
    "SingularMonitoredSession",
    "WorkerSessionCreator",
]

_DEFAULT: Any = object()
"""Stands for what was not given."""
_SUMMARY_STEPS = 100
_CHECKPOINT_SECS = 600


class SessionCreator(abc.ABC):
    """Makes sessions (`tf.train.SessionCreator`)."""

    @abc.abstractmethod
    def create_session(self) -> BaseSession:
        """A new session, whose variables have values."""


class _ScaffoldedCreator(SessionCreator):
    def __init__(self, scaffold: Scaffold | None, master: str, config: Any) -> None:
        self._scaffold = scaffold or Scaffold()
        self._master = master
        self._config = config
        self._session_manager: SessionManager | None = None

    def _get_session_manager(self) -> SessionManager:
        """The manager, made when the scaffold is complete."""
        if self._session_manager is None:
            self._session_manager = SessionManager(
                local_init_op=self._scaffold.local_init_op,
                local_init_feed_dict=self._scaffold.local_init_feed_dict,
                ready_op=self._scaffold.ready_op,
                ready_for_local_init_op=self._scaffold.ready_for_local_init_op,
                graph=get_default_graph(),
            )
        return self._session_manager


class ChiefSessionCreator(_ScaffoldedCreator):
    """Makes sessions from a checkpoint, or by initialisation (`tf.train.ChiefSessionCreator`).

    Args:
        scaffold: says how.
        master: empty.
        config: of the sessions.
        checkpoint_dir: the folder whose newest checkpoint is restored, if there is one.
        checkpoint_filename_with_path: the checkpoint that is restored.
    """

    def __init__(
        self,
        scaffold: Scaffold | None = None,
        master: str = "",
        config: Any = None,
        checkpoint_dir: str | None = None,
        checkpoint_filename_with_path: str | None = None,
    ) -> None:
        super().__init__(scaffold, master, config)
        self._checkpoint_dir = checkpoint_dir
        self._checkpoint_filename_with_path = checkpoint_filename_with_path

    def create_session(self) -> BaseSession:
        """A new session; the graph is complete after that."""
        self._scaffold.finalize()
        return self._get_session_manager().prepare_session(
            self._master,
            saver=self._scaffold.saver,
            checkpoint_dir=self._checkpoint_dir,
            checkpoint_filename_with_path=self._checkpoint_filename_with_path,
            config=self._config,
            init_op=self._scaffold.init_op,
            init_feed_dict=self._scaffold.init_feed_dict,
            init_fn=self._scaffold.init_fn,
        )


class WorkerSessionCreator(_ScaffoldedCreator):
    """Makes sessions whose variables somebody else initialises (`tf.train.WorkerSessionCreator`)."""

    def __init__(self, scaffold: Scaffold | None = None, master: str = "", config: Any = None, max_wait_secs: float = 30 * 60) -> None:
        super().__init__(scaffold, master, config)
        self._max_wait_secs = max_wait_secs

    def create_session(self) -> BaseSession:
        """A new session; the graph is complete after that."""
        self._scaffold.finalize()
        return self._get_session_manager().wait_for_session(self._master, config=self._config, max_wait_secs=self._max_wait_secs)


class _MonitoredSession:
    StepContext = StepContext

    def __init__(
        self, session_creator: SessionCreator | None, hooks: Iterable[SessionRunHook] | None, should_recover: bool, stop_grace_period_secs: float
    ) -> None:
        self._graph_was_finalized = get_default_graph().finalized
        self._hooks = list(hooks or ())
        for hook in self._hooks:
            hook.begin()
        self._creator = session_creator or ChiefSessionCreator()
        self._stop_grace_period_secs = stop_grace_period_secs
        self._raw: BaseSession | None = None
        self._session: RecoverableSession | CoordinatedSession | None = RecoverableSession(self._created) if should_recover else self._created()

    def _created(self) -> CoordinatedSession:
        self._raw = self._creator.create_session()
        coord = Coordinator(clean_stop_exception_types=[])
        if get_default_graph().get_collection(GraphKeys.QUEUE_RUNNERS):
            start_queue_runners(self._raw, coord)
        for hook in self._hooks:
            hook.after_create_session(self._raw, coord)
        return CoordinatedSession(self._raw, self._hooks, coord, self._stop_grace_period_secs)

    @property
    def graph(self) -> Graph | None:
        """The graph; None when the session is closed."""
        return None if self._raw is None else self._raw.graph

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """Runs as a session does, and calls the hooks.

        Raises:
            RuntimeError: a hook has asked to stop.
            AttributeError: it is closed.
        """
        return self._open("run").run(fetches, feed_dict=feed_dict, options=options, run_metadata=run_metadata)

    def run_step_fn(self, step_fn: Callable[..., Any]) -> Any:
        """Calls a function with a `StepContext`, with which it runs what it likes, with hooks or without.

        Raises:
            ValueError: the function takes other arguments.
        """
        names = tuple(inspect.signature(step_fn).parameters)
        if names not in (("step_context",), ("self", "step_context")):
            raise ValueError(
                "`step_fn` may either have one `step_context` argument, or `self` and `step_context` arguments if it's an instance method. Got "
                f"{names} instead."
            )
        assert self._raw is not None or self._session is None  # both go at once
        return self._open("run_step_fn").run_step_fn(step_fn, self._raw)  # type: ignore[arg-type]

    def should_stop(self) -> bool:
        """Whether it is closed, or a hook has asked to stop."""
        return self._session is None or self._session.should_stop()

    def close(self) -> None:
        """Ends the hooks, and closes the session."""
        self._close(is_failed=False)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: Any) -> bool:
        is_end = kind is not None and (kind is StopIteration or kind is OutOfRangeError)  # data end so
        self._close(is_failed=kind is not None and not is_end)
        return kind is None or is_end

    def _open(self, wanted: str) -> RecoverableSession | CoordinatedSession:
        if self._session is None:  # TensorFlow lets Python find that there is none
            raise AttributeError(f"Session is already closed: 'NoneType' object has no attribute {wanted!r}")
        return self._session

    def _is_closed(self) -> bool:
        return self._raw is None

    def _tf_sess(self) -> BaseSession | None:
        return self._raw

    def _close(self, *, is_failed: bool) -> None:
        try:
            if not is_failed:
                for hook in self._hooks:
                    hook.end(self._raw)  # type: ignore[arg-type]  # None only where closed twice, as in TensorFlow
        finally:
            try:
                if self._session is None:
                    raise RuntimeError("Session is already closed.")
                self._session.close()
            finally:
                self._session = self._raw = None
                if not self._graph_was_finalized:
                    get_default_graph()._unsafe_unfinalize()


class MonitoredSession(_MonitoredSession):
    """A session with hooks, which is made anew when it is lost (`tf.train.MonitoredSession`).

    As a context manager it is closed at the end; after an error, hooks don't `end`; OutOfRangeError and StopIteration are none.

    Args:
        session_creator: makes sessions; a ChiefSessionCreator by default.
        hooks: are called at each run.
        stop_grace_period_secs: how long threads may take to stop when it is closed.
    """

    def __init__(
        self, session_creator: SessionCreator | None = None, hooks: Sequence[SessionRunHook] | None = None, stop_grace_period_secs: float = 120
    ) -> None:
        super().__init__(session_creator, hooks, True, stop_grace_period_secs)


class SingularMonitoredSession(_MonitoredSession):
    """A session with hooks, made once (`tf.train.SingularMonitoredSession`); arguments as of ChiefSessionCreator and MonitoredSession."""

    def __init__(
        self,
        hooks: Sequence[SessionRunHook] | None = None,
        scaffold: Scaffold | None = None,
        master: str = "",
        config: Any = None,
        checkpoint_dir: str | None = None,
        stop_grace_period_secs: float = 120,
        checkpoint_filename_with_path: str | None = None,
    ) -> None:
        creator = ChiefSessionCreator(scaffold, master, config, checkpoint_dir, checkpoint_filename_with_path)
        super().__init__(creator, hooks, False, stop_grace_period_secs)

    def raw_session(self) -> BaseSession | None:
        """The session itself, whose `run` calls no hooks."""
        return self._raw


def MonitoredTrainingSession(  # noqa: N802  # TensorFlow's name
    master: str = "",
    is_chief: bool = True,
    checkpoint_dir: str | None = None,
    scaffold: Scaffold | None = None,
    hooks: Sequence[SessionRunHook] | None = None,
    chief_only_hooks: Sequence[SessionRunHook] | None = None,
    save_checkpoint_secs: float | None = _DEFAULT,
    save_summaries_steps: int | None = _DEFAULT,
    save_summaries_secs: float | None = _DEFAULT,
    config: Any = None,
    stop_grace_period_secs: float = 120,
    log_step_count_steps: int | None = 100,
    max_wait_secs: float = 7200,
    save_checkpoint_steps: int | None = _DEFAULT,
    summary_dir: str | None = None,
    save_graph_def: bool = True,
) -> MonitoredSession:
    """A monitored session for training: it resumes from the newest checkpoint, saves checkpoints and summaries, and logs how fast it is.

    `tf.train.MonitoredTrainingSession`.

    Args:
        master: empty.
        is_chief: whether it initialises and saves, rather than waits for another that does.
        checkpoint_dir: folder of checkpoints; None for none.
        scaffold: says how to initialise and to save.
        hooks: are called at each run.
        chief_only_hooks: likewise, if `is_chief`, before those.
        save_checkpoint_secs: every so many seconds a checkpoint, 600 by default; None or 0 for never.
        save_summaries_steps: every so many steps summaries, 100 by default; None or 0 for never.
        save_summaries_secs: every so many seconds summaries.
        config: of the session.
        stop_grace_period_secs: how long threads may take to stop when it is closed.
        log_step_count_steps: every so many steps the rate is logged; None or 0 for never.
        max_wait_secs: how long to wait for another that initialises.
        save_checkpoint_steps: every so many steps a checkpoint.
        summary_dir: folder of summaries; `checkpoint_dir` by default.
        save_graph_def: whether the graph is written besides the variables.
    """
    if save_summaries_steps is _DEFAULT and save_summaries_secs is _DEFAULT:
        save_summaries_steps = _SUMMARY_STEPS
    if save_checkpoint_steps is _DEFAULT and save_checkpoint_secs is _DEFAULT:
        save_checkpoint_secs = _CHECKPOINT_SECS
    summary_steps, summary_secs = _or_none(save_summaries_steps), _or_none(save_summaries_secs)
    checkpoint_steps, checkpoint_secs = _or_none(save_checkpoint_steps), _or_none(save_checkpoint_secs)
    scaffold = scaffold or Scaffold()
    if not is_chief:
        worker = WorkerSessionCreator(scaffold, master, config, max_wait_secs)
        return MonitoredSession(worker, hooks, stop_grace_period_secs)
    found: list[SessionRunHook] = list(chief_only_hooks or ())
    creator = ChiefSessionCreator(scaffold, master, config, checkpoint_dir)
    summary_dir = summary_dir or checkpoint_dir
    if summary_dir:
        if log_step_count_steps and log_step_count_steps > 0:
            found.append(StepCounterHook(output_dir=summary_dir, every_n_steps=log_step_count_steps))
        if _is_positive(summary_steps) or _is_positive(summary_secs):
            found.append(SummarySaverHook(summary_steps, summary_secs, summary_dir, scaffold=scaffold))
    if checkpoint_dir and (_is_positive(checkpoint_secs) or _is_positive(checkpoint_steps)):
        found.append(CheckpointSaverHook(checkpoint_dir, checkpoint_secs, checkpoint_steps, scaffold=scaffold, save_graph_def=save_graph_def))
    return MonitoredSession(creator, [*found, *(hooks or ())], stop_grace_period_secs)


def _or_none(given: Any) -> Any:
    return None if given is _DEFAULT else given


def _is_positive(number: float | None) -> bool:
    return number is not None and number > 0
