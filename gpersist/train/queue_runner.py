"""QueueRunner: threads that fill a queue, as input pipelines of queues have them (`tf.train.QueueRunner`)."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from gpersist import errors, protos
from gpersist.graph import GraphKeys, Session, get_default_graph, get_default_session, prepend_name_scope, register_proto_function, strip_name_scope
from gpersist.train.coordinator import Coordinator

__all__ = ["QueueRunner", "add_queue_runner", "start_queue_runners"]

_LOG = logging.getLogger("gpersist")
_ERRORS = {
    kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.GPersistError) and "code" in vars(kind)
}


class QueueRunner:
    """Runs the operations that fill a queue, each in a thread of its own, until they say that there is no more.

    Args:
        queue: the queue.
        enqueue_ops: what the threads run.
        close_op: run when all have ended; by default the queue's `close()`.
        cancel_op: run when a coordinator stops; by default its `close(cancel_pending_enqueues=True)`.
        queue_closed_exception_types: errors that say that there is no more; by default OutOfRangeError.
        queue_runner_def: a message instead of all these.
        import_scope: for its names.

    Raises:
        ValueError: neither a queue and operations nor a message, or both.
        TypeError: `queue_closed_exception_types` is no tuple of errors.
    """

    def __init__(
        self,
        queue: Any = None,
        enqueue_ops: Sequence[Any] | None = None,
        close_op: Any = None,
        cancel_op: Any = None,
        queue_closed_exception_types: tuple[type[BaseException], ...] | None = None,
        queue_runner_def: protos.QueueRunnerDef | None = None,
        import_scope: str | None = None,
    ) -> None:
        if queue_runner_def:
            if queue or enqueue_ops:
                raise ValueError("queue_runner_def and queue are mutually exclusive.")
            self._read(queue_runner_def, import_scope)
        else:
            if not queue or not enqueue_ops:
                raise ValueError("Must provide queue and enqueue_ops.")
            kinds = queue_closed_exception_types
            if kinds is not None and (not isinstance(kinds, tuple) or not kinds or not all(issubclass(kind, errors.GPersistError) for kind in kinds)):
                raise TypeError(f"queue_closed_exception_types, when provided, must be a tuple of tf.error types, but saw: {kinds}")
            self._queue, self._enqueue_ops = queue, enqueue_ops
            self._close_op = queue.close() if close_op is None else close_op
            self._cancel_op = queue.close(cancel_pending_enqueues=True) if cancel_op is None else cancel_op
            self._ends = kinds or (errors.OutOfRangeError,)
        self._lock = threading.Lock()
        self._running: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self._raised: list[BaseException] = []

    def _read(self, message: protos.QueueRunnerDef, import_scope: str | None) -> None:
        graph = get_default_graph()

        def named(name: str) -> Any:
            return graph.as_graph_element(prepend_name_scope(name, import_scope))

        self._queue = named(message.queue_name)
        self._enqueue_ops = [named(name) for name in message.enqueue_op_name]
        self._close_op, self._cancel_op = named(message.close_op_name), named(message.cancel_op_name)
        self._ends = tuple(_ERRORS[code] for code in message.queue_closed_exception_types) or (errors.OutOfRangeError,)

    @property
    def queue(self) -> Any:
        """The queue."""
        return self._queue

    @property
    def enqueue_ops(self) -> Sequence[Any]:
        """What the threads run."""
        return self._enqueue_ops

    @property
    def close_op(self) -> Any:
        """What is run when all threads have ended."""
        return self._close_op

    @property
    def cancel_op(self) -> Any:
        """What is run when a coordinator stops."""
        return self._cancel_op

    @property
    def queue_closed_exception_types(self) -> tuple[type[BaseException], ...]:
        """The errors that say that there is no more."""
        return self._ends

    @property
    def exceptions_raised(self) -> list[BaseException]:
        """Errors of threads that have no coordinator to pass them on."""
        return self._raised

    @property
    def name(self) -> str:
        """The queue's name."""
        return self._queue.name  # type: ignore[no-any-return]

    def create_threads(self, sess: Session, coord: Coordinator | None = None, daemon: bool = False, start: bool = False) -> list[threading.Thread]:
        """The threads for a session; none if those that it has still run.

        Args:
            sess: the session.
            coord: stops them, and is told their errors.
            daemon: whether the program ends while they run.
            start: whether they are started.
        """
        with self._lock:
            if self._running.get(sess, 0) > 0:
                return []
            self._running[sess] = len(self._enqueue_ops)
            self._raised = []
        prefix = f"QueueRunnerThread-{self.name}"
        threads = [threading.Thread(target=self._run, args=(sess, op, coord), name=f"{prefix}-{op.name}") for op in self._enqueue_ops]
        if coord:
            threads.append(threading.Thread(target=self._cancel, args=(sess, coord), name=f"{prefix}-close_on_stop"))
        for thread in threads:
            if coord:
                coord.register_thread(thread)
            if daemon:
                thread.daemon = True
            if start:
                thread.start()
        return threads

    def _enqueuer(self, sess: Session, enqueue_op: Any) -> Callable[[], Any]:
        """What a thread calls again and again."""
        return sess.make_callable(enqueue_op)

    def _run(self, sess: Session, enqueue_op: Any, coord: Coordinator | None) -> None:
        is_counted = True
        try:
            enqueue = self._enqueuer(sess, enqueue_op)
            while not (coord and coord.should_stop()):
                try:
                    enqueue()
                except self._ends:
                    with self._lock:
                        self._running[sess] -= 1
                        is_counted = False
                        if not self._running[sess]:
                            self._try(sess, self._close_op)
                    return
        except Exception as error:
            if coord:
                coord.request_stop(error)
                return
            _LOG.error("Exception in QueueRunner: %s", error)
            with self._lock:
                self._raised.append(error)
            raise
        finally:
            if is_counted:
                with self._lock:
                    self._running[sess] -= 1

    def _cancel(self, sess: Session, coord: Coordinator) -> None:
        coord.wait_for_stop()
        self._try(sess, self._cancel_op)

    @staticmethod
    def _try(sess: Session, op: Any) -> None:
        """Runs what ends a queue: where it has ended already, or the session has, nothing is lost."""
        try:
            sess.run(op)
        except Exception as error:
            _LOG.debug("Ignored exception: %s", error)

    def to_proto(self, export_scope: str | None = None) -> protos.QueueRunnerDef | None:
        """The message; None outside of the scope that is exported."""
        if export_scope and not self.name.startswith(export_scope):
            return None
        return protos.QueueRunnerDef(
            queue_name=strip_name_scope(self.name, export_scope),
            enqueue_op_name=[strip_name_scope(op.name, export_scope) for op in self._enqueue_ops],
            close_op_name=strip_name_scope(self._close_op.name, export_scope),
            cancel_op_name=strip_name_scope(self._cancel_op.name, export_scope),
            queue_closed_exception_types=[kind.code for kind in self._ends],  # type: ignore[attr-defined]
        )

    @staticmethod
    def from_proto(queue_runner_def: protos.QueueRunnerDef, import_scope: str | None = None) -> QueueRunner:
        """The queue runner of a message."""
        return QueueRunner(queue_runner_def=queue_runner_def, import_scope=import_scope)


register_proto_function(GraphKeys.QUEUE_RUNNERS, "QueueRunnerDef", QueueRunner.to_proto, QueueRunner.from_proto)


def add_queue_runner(qr: QueueRunner, collection: Any = GraphKeys.QUEUE_RUNNERS) -> None:
    """Has `start_queue_runners` start it (`tf.train.add_queue_runner`)."""
    get_default_graph().add_to_collection(collection, qr)


def start_queue_runners(
    sess: Any = None, coord: Coordinator | None = None, daemon: bool = True, start: bool = True, collection: Any = GraphKeys.QUEUE_RUNNERS
) -> list[threading.Thread]:
    """Starts the threads of all queue runners of a graph (`tf.train.start_queue_runners`).

    Args:
        sess: the session; by default the default one.
        coord: stops them.
        daemon: whether the program ends while they run.
        start: whether they are started.
        collection: that the queue runners are in.

    Returns:
        The threads. None for a monitored session, which starts them itself.

    Raises:
        ValueError: there is no session.
        TypeError: `sess` is none.
    """
    if sess is None:
        sess = get_default_session()
        if not sess:
            raise ValueError(
                "Cannot start queue runners: No default session is registered. Use `with sess.as_default()` or pass an explicit session to "
                "tf.start_queue_runners(sess=sess)"
            )
    if not isinstance(sess, Session):
        if type(sess).__name__ in ("MonitoredSession", "SingularMonitoredSession"):
            return []
        raise TypeError(f"sess must be a `tf.Session` object. Given class: {type(sess)}")
    runners = get_default_graph().get_collection(collection)
    if not runners:
        _LOG.warning("`tf.train.start_queue_runners()` was called when no queue runners were defined: there is nothing to start")
    with sess.graph.as_default():
        return [thread for runner in runners for thread in runner.create_threads(sess, coord=coord, daemon=daemon, start=start)]
