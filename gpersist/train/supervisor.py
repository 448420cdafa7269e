"""Supervisor: a session that is restored or initialised, saved and summarised while a program trains (`tf.train.Supervisor`)."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from gpersist import protos
from gpersist.dtypes import int32, int64
from gpersist.errors import AbortedError
from gpersist.graph import BaseSession, Graph, GraphKeys, Session, create_meta_graph_def, get_default_graph
from gpersist.ops.control import group
from gpersist.ops.lookup import tables_initializer
from gpersist.ops.summary import merge_all
from gpersist.ops.variable_lists import (
    global_variables,
    global_variables_initializer,
    local_variables_initializer,
    report_uninitialized_variables,
)
from gpersist.train.coordinator import Coordinator, LooperThread
from gpersist.train.global_step import global_step as value_of_step
from gpersist.train.graph_io import write_graph
from gpersist.train.queue_runner import QueueRunner
from gpersist.train.saver import Saver
from gpersist.train.session_manager import SessionManager
from gpersist.train.summary_writer import FileWriter
from gpersist.train.supervisor_services import CheckpointThread, StepCounterThread, SummaryThread

__all__ = ["Supervisor", "basic_train_loop"]

_LOG = logging.getLogger("gpersist")


class Supervisor:
    """Looks after a program that trains (`tf.train.Supervisor`); MonitoredTrainingSession does the same with hooks.

    What is `USE_DEFAULT` is taken from the graph's collections, or made and put there. The graph is complete after that.

    Args:
        graph: the graph; the default one if None.
        ready_op: gives the names of variables that have no value; None if nobody wants to know.
        ready_for_local_init_op: gives those that have none before `local_init_op` runs.
        is_chief: whether it initialises and saves, rather than waits for another that does.
        init_op: initialises the variables where there is no checkpoint.
        init_feed_dict: what it is fed with.
        local_init_op: run in each session: local variables and tables.
        logdir: folder of checkpoints and events, for the chief.
        summary_op: all summaries, as one; None for none.
        saver: saves and restores; None for neither.
        global_step: counts the steps; by default the tensor `global_step:0`, if it is an integer.
        save_summaries_secs: every so many seconds summaries; 0 for never.
        save_model_secs: every so many seconds a checkpoint; 0 for never.
        recovery_wait_secs: how many seconds to wait before looking again for variables that another initialises.
        stop_grace_secs: how many seconds threads may take to stop.
        checkpoint_basename: name of the checkpoints.
        session_manager: makes the sessions.
        summary_writer: writes the events; None for nobody.
        init_fn: called with the session after `init_op`.
        local_init_run_options: of the run of `local_init_op`.

    Raises:
        ValueError: it is no chief, and a variable names no device.
    """

    USE_DEFAULT: ClassVar[Any] = 0

    def __init__(
        self,
        graph: Graph | None = None,
        ready_op: Any = USE_DEFAULT,
        ready_for_local_init_op: Any = USE_DEFAULT,
        is_chief: bool = True,
        init_op: Any = USE_DEFAULT,
        init_feed_dict: Mapping[Any, Any] | None = None,
        local_init_op: Any = USE_DEFAULT,
        logdir: str | None = None,
        summary_op: Any = USE_DEFAULT,
        saver: Any = USE_DEFAULT,
        global_step: Any = USE_DEFAULT,
        save_summaries_secs: float = 120,
        save_model_secs: float = 600,
        recovery_wait_secs: float = 30,
        stop_grace_secs: float = 120,
        checkpoint_basename: str = "model.ckpt",
        session_manager: SessionManager | None = None,
        summary_writer: Any = USE_DEFAULT,
        init_fn: Callable[[Session], Any] | None = None,
        local_init_run_options: Any = None,
    ) -> None:
        self._graph = graph = get_default_graph() if graph is None else graph
        with graph.as_default():  # the order is that of TensorFlow's nodes
            self._ready_op = _found_or_made(ready_op, GraphKeys.READY_OP, report_uninitialized_variables)
            self._ready_for_local_init_op = _found_or_made(ready_for_local_init_op, GraphKeys.READY_FOR_LOCAL_INIT_OP, lambda: None)
            self._init_op = _found_or_made(init_op, GraphKeys.INIT_OP, global_variables_initializer)
            self._local_init_op = _found_or_made(local_init_op, GraphKeys.LOCAL_INIT_OP, _default_local_init_op)
            self._saver = _found_or_made(saver, GraphKeys.SAVERS, lambda: Saver() if global_variables() else None)
            self._summary_op = _found_or_made(summary_op, GraphKeys.SUMMARY_OP, merge_all)
            self._global_step = _found_or_made(global_step, GraphKeys.GLOBAL_STEP, _default_global_step)
        self._meta_graph_def = create_meta_graph_def(
            graph_def=graph.as_graph_def(add_shapes=True), saver_def=self._saver.saver_def if self._saver else None
        )
        self._is_chief = is_chief
        self._init_feed_dict, self._init_fn = init_feed_dict, init_fn
        self._stop_grace_secs = stop_grace_secs
        self._coord = Coordinator()
        self._logdir = logdir if is_chief else None
        self._save_summaries_secs = save_summaries_secs if is_chief else None
        self._save_model_secs = save_model_secs if is_chief else None
        self._save_path = os.path.join(self._logdir, checkpoint_basename) if self._logdir else None
        self._summary_writer = summary_writer if is_chief else None
        if self._summary_writer is Supervisor.USE_DEFAULT:
            self._summary_writer = FileWriter(self._logdir) if self._logdir else None
        self._is_graph_written = False
        self._session_manager = session_manager or SessionManager(
            local_init_op=self._local_init_op,
            ready_op=self._ready_op,
            ready_for_local_init_op=self._ready_for_local_init_op,
            graph=graph,
            recovery_wait_secs=recovery_wait_secs,
            local_init_run_options=local_init_run_options,
        )
        if not is_chief:
            for op in graph.get_operations():
                if op.type in ("Variable", "VariableV2") and not op.device:
                    raise ValueError(f"When using replicas, all Variables must have their device set: {op}")
        graph.finalize()

    @property
    def is_chief(self) -> bool:
        """Whether it initialises and saves."""
        return self._is_chief

    @property
    def session_manager(self) -> SessionManager:
        """What makes the sessions."""
        return self._session_manager

    @property
    def coord(self) -> Coordinator:
        """What stops the threads."""
        return self._coord

    @property
    def init_op(self) -> Any:
        """Initialises the variables, or None."""
        return self._init_op

    @property
    def init_feed_dict(self) -> Any:
        """What `init_op` is fed with."""
        return self._init_feed_dict

    @property
    def ready_op(self) -> Any:
        """Gives the names of variables that have no value, or None."""
        return self._ready_op

    @property
    def ready_for_local_init_op(self) -> Any:
        """Gives the names of those that have none before the local initialisation, or None."""
        return self._ready_for_local_init_op

    @property
    def summary_writer(self) -> Any:
        """Writes the events, or None."""
        return self._summary_writer

    @property
    def summary_op(self) -> Any:
        """All summaries as one, or None."""
        return self._summary_op

    @property
    def save_summaries_secs(self) -> Any:
        """The seconds between summaries; None where it is no chief."""
        return self._save_summaries_secs

    @property
    def global_step(self) -> Any:
        """Counts the steps, or None."""
        return self._global_step

    @property
    def saver(self) -> Any:
        """Saves and restores, or None."""
        return self._saver

    @property
    def save_model_secs(self) -> Any:
        """The seconds between checkpoints; None where it is no chief."""
        return self._save_model_secs

    @property
    def save_path(self) -> str | None:
        """The checkpoints' prefix, without the step; None without a folder."""
        return self._save_path

    # ---- sessions

    def prepare_or_wait_for_session(
        self,
        master: str = "",
        config: Any = None,
        wait_for_checkpoint: bool = False,
        max_wait_secs: float = 7200,
        start_standard_services: bool = True,
    ) -> Session:
        """A session that is ready, restored from the newest checkpoint of the folder, or initialised; queue runners and services are started.

        Args:
            master: the session's target.
            config: of the session.
            wait_for_checkpoint: whether to wait for a checkpoint to come.
            max_wait_secs: how long.
            start_standard_services: whether queue runners and services are started.

        Raises:
            RuntimeError: variables have no values after all this.
        """
        self._coord.clear_stop()
        if self._summary_writer:
            self._summary_writer.reopen()
        if not self._is_chief:
            sess = self._session_manager.wait_for_session(master, config=config, max_wait_secs=max_wait_secs)
        else:
            sess = self._session_manager.prepare_session(
                master,
                init_op=self._init_op,
                saver=self._saver,
                checkpoint_dir=self._logdir,
                wait_for_checkpoint=wait_for_checkpoint,
                max_wait_secs=max_wait_secs,
                config=config,
                init_feed_dict=self._init_feed_dict,
                init_fn=self._init_fn,
            )
            self._write_graph()
            if start_standard_services:
                _LOG.info("Starting standard services.")
                self.start_standard_services(sess)
        if start_standard_services:
            _LOG.info("Starting queue runners.")
            self.start_queue_runners(sess)
        return sess

    @contextlib.contextmanager
    def managed_session(
        self, master: str = "", config: Any = None, start_standard_services: bool = True, close_summary_writer: bool = True
    ) -> Iterator[Session]:
        """A session as of `prepare_or_wait_for_session`, closed at the end, when the threads have stopped.

        The end of data, OutOfRangeError, is no error.

        Raises:
            Exception: what was raised within, or in one of the threads.
        """
        sess = None
        try:
            sess = self.prepare_or_wait_for_session(master=master, config=config, start_standard_services=start_standard_services)
            yield sess
        except Exception as error:
            self.request_stop(error)
        finally:
            try:
                self.stop(close_summary_writer=close_summary_writer)
            finally:
                if sess is not None:
                    sess.close()

    def _write_graph(self) -> None:
        if self._logdir:
            write_graph(self._graph.as_graph_def(add_shapes=True), self._logdir, "graph.pbtxt")
        if self._summary_writer and not self._is_graph_written:
            self._summary_writer.add_graph(self._graph)
            self._summary_writer.add_meta_graph(self._meta_graph_def)
            self._is_graph_written = True

    # ---- threads

    def start_standard_services(self, sess: BaseSession) -> list[LooperThread] | None:
        """Starts the threads that write summaries, the rate of steps and checkpoints; None without a folder.

        Raises:
            RuntimeError: it is no chief.
        """
        if not self._is_chief:
            raise RuntimeError("Only chief supervisor can start standard services. Because only chief supervisors can write events.")
        if not self._logdir:
            _LOG.warning("Standard services need a 'logdir' passed to the SessionManager")
            return None
        if self._global_step is not None and self._summary_writer:
            self._summary_writer.add_session_log(protos.SessionLog(status=protos.SessionLog.START), value_of_step(sess, self._global_step))
        threads: list[LooperThread] = []
        if self._save_summaries_secs and self._summary_writer:
            if self._summary_op is not None:
                threads.append(SummaryThread(self, sess))
            if self._global_step is not None:
                threads.append(StepCounterThread(self, sess))
        if self._saver and self._save_model_secs:
            threads.append(CheckpointThread(self, sess))
        for thread in threads:
            thread.start()
        return threads

    def start_queue_runners(self, sess: Session, queue_runners: Iterable[QueueRunner] | None = None) -> list[Any]:
        """Starts the threads of queue runners, by default of all in the graph; gives the threads."""
        runners = self._graph.get_collection(GraphKeys.QUEUE_RUNNERS) if queue_runners is None else queue_runners
        return [thread for runner in runners for thread in runner.create_threads(sess, coord=self._coord, daemon=True, start=True)]

    def loop(
        self,
        timer_interval_secs: float | None,
        target: Callable[..., Any],
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> LooperThread:
        """Calls a function every so many seconds in a thread, until it is stopped; gives the thread."""
        return LooperThread.loop(self._coord, timer_interval_secs, target, args, kwargs)

    def stop(self, threads: Iterable[Any] | None = None, close_summary_writer: bool = True, ignore_live_threads: bool = False) -> None:
        """Stops the threads and waits for them; the session stays open.

        Args:
            threads: to be waited for besides.
            close_summary_writer: whether the end is noted in the events, and their file closed.
            ignore_live_threads: whether threads that don't stop in time are no error.

        Raises:
            RuntimeError: threads have not stopped in time.
            Exception: the error that a thread reported.
        """
        self._coord.request_stop()
        try:
            self._coord.join(threads, stop_grace_period_secs=self._stop_grace_secs, ignore_live_threads=ignore_live_threads)
        finally:
            if close_summary_writer and self._summary_writer:
                self._summary_writer.add_session_log(protos.SessionLog(status=protos.SessionLog.STOP))
                self._summary_writer.close()
                self._is_graph_written = False

    def request_stop(self, ex: Any = None) -> None:
        """Asks all threads to stop; see `Coordinator.request_stop`."""
        self._coord.request_stop(ex=ex)

    def should_stop(self) -> bool:
        """Whether somebody has asked to stop."""
        return self._coord.should_stop()

    def stop_on_exception(self) -> AbstractContextManager[None]:
        """Makes an error that is raised within stop all threads."""
        return self._coord.stop_on_exception()

    def wait_for_stop(self) -> None:
        """Waits until somebody asks to stop."""
        self._coord.wait_for_stop()

    def summary_computed(self, sess: BaseSession, summary: Any, global_step: int | None = None) -> None:
        """Writes a summary that the program has computed, by default as of the present step.

        Raises:
            RuntimeError: there is no writer.
        """
        if not self._summary_writer:
            raise RuntimeError("Writing a summary requires a summary writer.")
        if global_step is None and self._global_step is not None:
            global_step = value_of_step(sess, self._global_step)
        self._summary_writer.add_summary(summary, global_step)

    PrepareSession = prepare_or_wait_for_session
    StartQueueRunners = start_queue_runners
    StartStandardServices = start_standard_services
    Stop = stop
    RequestStop = request_stop
    Loop = loop
    ShouldStop = should_stop
    StopOnException = stop_on_exception
    WaitForStop = wait_for_stop
    SummaryComputed = summary_computed


def basic_train_loop(
    supervisor: Supervisor,
    train_step_fn: Callable[..., Any],
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    master: str = "",
) -> None:
    """Calls `train_step_fn(session, *args, **kwargs)` until the supervisor stops; in a new session after AbortedError (`tf.train.basic_train_loop`).

    Raises:
        Exception: what the function raised, OutOfRangeError apart, which ends the training.
    """
    while True:
        try:
            with supervisor.managed_session(master) as sess:
                while not supervisor.should_stop():
                    train_step_fn(sess, *(args or ()), **(kwargs or {}))
        except AbortedError:
            continue
        return


def _found_or_made(given: Any, collection: str, make: Callable[[], Any]) -> Any:
    """What was given; or the first element of a collection; or what a function makes, which is put there."""
    if given is not Supervisor.USE_DEFAULT:
        return given
    graph = get_default_graph()
    found = graph.get_collection(collection)
    if len(found) > 1:
        _LOG.info("Found %d %s operations. Returning the first one.", len(found), collection)
    if found:
        return found[0]
    made = make()
    if made is not None:
        graph.add_to_collection(collection, made)
    return made


def _default_local_init_op() -> Any:
    return group(local_variables_initializer(), tables_initializer())


def _default_global_step() -> Any:
    try:
        step = get_default_graph().get_tensor_by_name("global_step:0")
    except KeyError:
        return None
    if step.dtype.base_dtype in (int32, int64):
        return step
    _LOG.warning("Found 'global_step' is not an int type: %s", step.dtype)
    return None
