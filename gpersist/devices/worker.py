"""A thread that runs what is enqueued, in order: the queue under a virtual device's stream.

    task 1, task 2, ... : run, unless a task before it raised
    event behind task n : passes once n tasks have ended; fails if one of them raised

A lazy worker runs task n only when somebody has asked for an event behind it, or it is closed.
"""

from __future__ import annotations

import collections
import math
import threading
from collections.abc import Callable

from gpersist.devices.backend import Event
from gpersist.errors import FailedPreconditionError, UnavailableError


class Worker:
    """The queue of a stream and what its thread does; knows nothing of the stream, so that a forgotten stream can be noticed.

    Tasks are numbered from 1; a ticket is the number of the last task that an event waits for.

    Args:
        name: the device's, for errors.
        is_lazy: whether tasks wait until somebody asks for an event behind them.
    """

    def __init__(self, name: str, *, is_lazy: bool = False) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._tasks: collections.deque[Callable[[], object]] = collections.deque()
        self._enqueued = 0
        self._ended = 0
        self._demanded: float = 0 if is_lazy else math.inf
        self._is_closed = False
        self._error: BaseException | None = None
        self._failed: float = math.inf  # the number of the task that raised `_error`; those behind it are not run

    def run(self) -> None:
        """What the thread does, until `close` was called and the queue is empty."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed or (self._tasks and self._ended < self._demanded))
                if not self._tasks:
                    return
                task: Callable[[], object] | None = self._tasks.popleft()
            if self._error is None:
                try:
                    task()  # type: ignore[misc]  # a task until it has run
                except BaseException as error:
                    self._error, self._failed = error, self._ended + 1
            task = None  # its arrays are let go before its event passes
            with self._changed:
                self._ended += 1
                self._changed.notify_all()

    def enqueue(self, task: Callable[[], object]) -> None:
        """Adds a task.

        Raises:
            FailedPreconditionError: the worker is closed.
        """
        with self._changed:
            if self._is_closed:
                raise FailedPreconditionError(f"{self._name}: the stream is closed")
            self._tasks.append(task)
            self._enqueued += 1
            self._changed.notify_all()

    def record(self) -> Event:
        """An event behind the tasks so far."""
        with self._changed:
            return _WorkerEvent(self, self._enqueued)

    def demand(self, ticket: int, *, until_done: bool) -> bool:
        """Whether all tasks up to `ticket` have ended, after waiting for them if `until_done`. Makes a lazy worker run them either way.

        Raises:
            UnavailableError: one of them raised.
        """
        with self._changed:
            self._demanded = max(self._demanded, ticket)
            self._changed.notify_all()
            if until_done:
                self._changed.wait_for(lambda: self._ended >= ticket)
            if self._ended >= ticket and self._failed <= ticket:
                raise UnavailableError(f"{self._name}: work enqueued on a stream failed: {self._error!r}") from self._error
            return self._ended >= ticket

    def close(self) -> None:
        """Takes no more tasks; the thread ends after those it has."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()


class _WorkerEvent(Event):
    def __init__(self, worker: Worker, ticket: int) -> None:
        self._worker, self._ticket = worker, ticket

    def is_done(self) -> bool:
        return self._worker.demand(self._ticket, until_done=False)

    def synchronize(self) -> None:
        self._worker.demand(self._ticket, until_done=True)
