"""CheckpointSaverHook: saves checkpoints while a monitored session trains, in the background."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from typing import Any

from gpersist import protos
from gpersist.checkpoint import SaveHandle
from gpersist.graph import BaseSession, GraphKeys, create_meta_graph_def, get_default_graph
from gpersist.train.coordinator import Coordinator
from gpersist.train.global_step import required_global_step_read
from gpersist.train.graph_io import write_graph
from gpersist.train.saver import Saver
from gpersist.train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from gpersist.train.step_timer import SecondOrStepTimer
from gpersist.train.summary_writer import FileWriterCache

__all__ = ["CheckpointSaverHook", "CheckpointSaverListener"]

_LOG = logging.getLogger("gpersist")

_STEPS_PER_RUN = 1_000_000
"""How many steps a run may do at most: the step is read again, after the run, wherever the timer might be due then."""


class CheckpointSaverListener:
    """Is told when checkpoints are saved (`tf.train.CheckpointSaverListener`); methods that are not overridden do nothing."""

    def begin(self) -> None:
        """Called once, before the session is made."""

    def before_save(self, session: BaseSession, global_step_value: int) -> None:
        """Called before a checkpoint is saved."""

    def after_save(self, session: BaseSession, global_step_value: int) -> bool | None:
        """Called when a checkpoint is there; true asks to stop training."""

    def end(self, session: BaseSession, global_step_value: int) -> None:
        """Called when the session is closed, after the last save."""


class CheckpointSaverHook(SessionRunHook):
    """Saves a checkpoint at the beginning, every so many steps or seconds, and at the end (`tf.train.CheckpointSaverHook`).

    A save goes on in the background while the session trains; closing the session waits for it. Listeners are called when it is done, so with
    any of them each save is waited for. What failed in the background is logged, and raised by the next save or at the end.

    Args:
        checkpoint_dir: the folder, with event files and `graph.pbtxt`, too.
        save_secs: how many seconds there are between two saves.
        save_steps: how many steps there are between two saves.
        saver: saves; by default that of `scaffold`, or the only one in the collection `savers`.
        checkpoint_basename: of the checkpoints.
        scaffold: whose saver saves.
        listeners: are told of each save.
        save_graph_def: whether the graph is written, as `graph.pbtxt` and beside each checkpoint.

    Raises:
        ValueError: both `saver` and `scaffold` are given, or not exactly one of `save_secs` and `save_steps`.
    """

    def __init__(
        self,
        checkpoint_dir: str,
        save_secs: float | None = None,
        save_steps: int | None = None,
        saver: Any = None,
        checkpoint_basename: str = "model.ckpt",
        scaffold: Any = None,
        listeners: Sequence[Any] | None = None,
        save_graph_def: bool = True,
    ) -> None:
        _LOG.info("Create CheckpointSaverHook.")
        if saver is not None and scaffold is not None:
            raise ValueError("You cannot provide both saver and scaffold.")
        self._saver = saver
        self._checkpoint_dir = checkpoint_dir
        self._save_path = os.path.join(checkpoint_dir, checkpoint_basename)
        self._scaffold = scaffold
        self._timer = SecondOrStepTimer(save_secs, save_steps)
        self._listeners = list(listeners or ())
        self._save_graph_def = save_graph_def
        self._pending = _Pending()

    def add_listeners(self, listeners: Sequence[CheckpointSaverListener]) -> None:
        """Has more listeners told of each save, those that are told already left out; to be called before `begin`."""
        self._listeners += [listener for listener in listeners if listener not in self._listeners]

    def begin(self) -> None:
        """Finds the global step and begins an event file.

        Raises:
            RuntimeError: there is no global step.
        """
        self._summary_writer = FileWriterCache.get(self._checkpoint_dir)
        self._global_step = required_global_step_read("CheckpointSaverHook")
        for listener in self._listeners:
            listener.begin()

    def after_create_session(self, session: BaseSession, coord: Coordinator) -> None:
        """Writes the graph and the first checkpoint."""
        step = session.run(self._global_step)
        graph = get_default_graph()
        graph_def = graph.as_graph_def(add_shapes=True)
        if self._save_graph_def:
            write_graph(graph_def, self._checkpoint_dir, "graph.pbtxt")
        self._summary_writer.add_graph(graph)
        self._summary_writer.add_meta_graph(create_meta_graph_def(graph_def=graph_def, saver_def=self._get_saver().saver_def))
        coord.register_thread(self._pending)
        self._save(session, step)
        self._timer.update_last_triggered_step(step)

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Asks for the global step."""
        return SessionRunArgs(self._global_step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Saves, if it is time; a listener may ask to stop."""
        if not self._timer.should_trigger_for_step(run_values.results + _STEPS_PER_RUN):
            return
        step = run_context.session.run(self._global_step)
        if self._timer.should_trigger_for_step(step):
            self._timer.update_last_triggered_step(step)
            if self._save(run_context.session, step):
                run_context.request_stop()

    def end(self, session: BaseSession) -> None:
        """Saves what the last step gave, and waits until that is done."""
        step = session.run(self._global_step)
        if step != self._timer.last_triggered_step():
            self._save(session, step)
        self._pending.result()
        for listener in self._listeners:
            listener.end(session, step)

    def _save(self, session: BaseSession, step: int) -> bool:
        """Begins a save; gives whether a listener wants to stop."""
        _LOG.info("Calling checkpoint listeners before saving checkpoint %d...", step)
        for listener in self._listeners:
            listener.before_save(session, step)
        _LOG.info("Saving checkpoints for %d into %s.", step, self._save_path)
        saver = self._get_saver()
        options = {"blocking": False} if isinstance(saver, Saver) else {}  # another's class need not know how
        found = saver.save(session, self._save_path, global_step=step, write_meta_graph=self._save_graph_def, **options)
        if isinstance(found, SaveHandle):
            self._pending.follow(found)
        log = protos.SessionLog(status=protos.SessionLog.CHECKPOINT, checkpoint_path=self._save_path)
        self._summary_writer.add_session_log(log, step)
        if self._listeners:
            self._pending.result()
        _LOG.info("Calling checkpoint listeners after saving checkpoint %d...", step)
        wants_stop = False
        for listener in self._listeners:
            if listener.after_save(session, step):
                _LOG.info("A CheckpointSaverListener requested that training be stopped. listener: %s", listener)
                wants_stop = True
        return wants_stop

    def _get_saver(self) -> Any:
        if self._saver is not None:
            return self._saver
        if self._scaffold is not None:
            return self._scaffold.saver
        savers = get_default_graph().get_collection(GraphKeys.SAVERS)
        if not savers:
            raise RuntimeError(f"No items in collection {GraphKeys.SAVERS}. Please add a saver to the collection or provide a saver or scaffold.")
        if len(savers) > 1:
            raise RuntimeError(
                f"More than one item in collection {GraphKeys.SAVERS}. Please indicate which one to use by passing it to the constructor."
            )
        self._saver = savers[0]
        return self._saver


class _Pending:
    """The save in the background, to a Coordinator a thread among others: a session that is closed because of an error waits for it, too."""

    name = "CheckpointSaverHook"

    def __init__(self) -> None:
        self._handle: SaveHandle | None = None

    def follow(self, handle: SaveHandle) -> None:
        self._handle = handle
        handle.add_done_callback(_log_failure)

    def is_alive(self) -> bool:
        return self._handle is not None and not self._handle.done()

    def join(self, timeout: float | None = None) -> None:
        if self._handle is not None:
            ended = threading.Event()
            self._handle.add_done_callback(lambda _: ended.set())
            ended.wait(timeout)

    def result(self) -> None:
        """Waits, and raises what the save met."""
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.result()


def _log_failure(handle: Any) -> None:
    error = handle.exception()
    if error is not None:
        _LOG.error("Saving %r failed: %s", handle.prefix, error)
