"""Coordinator: several threads that stop together, and pass on what one of them raises (`tf.train.Coordinator`)."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from gpersist.errors import OutOfRangeError

__all__ = ["Coordinator", "LooperThread"]

_LOG = logging.getLogger("gpersist")

_POLL_SECS = 1.0


class Coordinator:
    """Stops several threads together (`tf.train.Coordinator`).

    Args:
        clean_stop_exception_types: errors that stop the threads without being raised again; by default OutOfRangeError, with which data end.
    """

    def __init__(self, clean_stop_exception_types: Sequence[type[BaseException]] | None = None) -> None:
        self._clean = (OutOfRangeError,) if clean_stop_exception_types is None else tuple(clean_stop_exception_types)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._joined = False
        self._threads: set[Any] = set()

    def request_stop(self, ex: Any = None) -> None:
        """Asks all threads to stop.

        Args:
            ex: an error, or what `sys.exc_info()` gives for it: the first one is raised by `join`.

        Raises:
            Exception: that error, if the threads have been joined already.
        """
        error = ex[1] if isinstance(ex, tuple) else ex
        if error is not None and isinstance(error, self._clean):
            error = None
        with self._lock:
            if self._joined and error is not None:
                raise error
            if self._stop.is_set():
                return
            if error is not None and self._error is None:
                if isinstance(ex, tuple):
                    _LOG.info("Error reported to Coordinator: %s", error, exc_info=ex)
                else:
                    _LOG.info("Error reported to Coordinator: %s, %s", type(error), error)
                self._error = error
            self._stop.set()

    def clear_stop(self) -> None:
        """Forgets that somebody has asked to stop, and why."""
        with self._lock:
            self._joined = False
            self._error = None
            self._stop.clear()

    def should_stop(self) -> bool:
        """Whether somebody has asked to stop."""
        return self._stop.is_set()

    @contextmanager
    def stop_on_exception(self) -> Iterator[None]:
        """Makes an error that is raised within stop all threads, rather than this one alone."""
        try:
            yield
        except BaseException:
            self.request_stop(sys.exc_info())

    def wait_for_stop(self, timeout: float | None = None) -> bool:
        """Waits until somebody asks to stop, or for so many seconds; gives whether somebody has asked."""
        return self._stop.wait(timeout)

    def register_thread(self, thread: Any) -> None:
        """Has `join` wait for a thread."""
        with self._lock:
            self._threads.add(thread)

    def join(self, threads: Iterable[Any] | None = None, stop_grace_period_secs: float = 120, ignore_live_threads: bool = False) -> None:
        """Waits until all threads have ended; when somebody has asked to stop, for some time only.

        Args:
            threads: besides those that were registered.
            stop_grace_period_secs: how long they may take after that.
            ignore_live_threads: whether those that have not ended by then are logged, rather than an error.

        Raises:
            RuntimeError: threads have not ended in time.
            Exception: the error that a thread reported.
        """
        with self._lock:
            joined = list(self._threads.union(threads or ()))
        while any(thread.is_alive() for thread in joined) and not self.wait_for_stop(_POLL_SECS):
            pass
        deadline = time.monotonic() + stop_grace_period_secs
        for thread in joined:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
        stragglers = " ".join(thread.name for thread in joined if thread.is_alive())
        with self._lock:
            self._joined = True
            self._threads = set()
            if self._error is not None:
                raise self._error
        if stragglers:
            if not ignore_live_threads:
                raise RuntimeError(f"Coordinator stopped with threads still running: {stragglers}")
            _LOG.info("Coordinator stopped with threads still running: %s", stragglers)

    @property
    def joined(self) -> bool:
        """Whether `join` has been called."""
        return self._joined

    def raise_requested_exception(self) -> None:
        """Raises the error that a thread reported, if one has."""
        with self._lock:
            if self._error is not None:
                raise self._error


class LooperThread(threading.Thread):
    """A thread that does the same again and again until its coordinator stops (`tf.train.LooperThread`).

    Args:
        coord: the coordinator.
        timer_interval_secs: how many seconds there are from one time to the next; None for none.
        target: what is done, unless `run_loop` is overridden.
        args: its arguments.
        kwargs: its arguments by name.

    Raises:
        ValueError: `coord` is no Coordinator, or there are arguments but no `target`.
    """

    def __init__(
        self,
        coord: Coordinator,
        timer_interval_secs: float | None,
        target: Callable[..., Any] | None = None,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(coord, Coordinator):
            raise ValueError(f"'coord' argument must be a Coordinator: {coord}")
        if target is None and (args or kwargs):
            raise ValueError("'args' and 'kwargs' argument require that you also pass 'target'")
        super().__init__(daemon=True)
        self._coord = coord
        self._timer_interval_secs = timer_interval_secs
        self._target_called = None if target is None else (target, tuple(args or ()), dict(kwargs or {}))
        coord.register_thread(self)

    @staticmethod
    def loop(
        coord: Coordinator,
        timer_interval_secs: float | None,
        target: Callable[..., Any],
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> LooperThread:
        """Makes such a thread and starts it."""
        looper = LooperThread(coord, timer_interval_secs, target, args, kwargs)
        looper.start()
        return looper

    def run(self) -> None:
        """Called in the thread."""
        with self._coord.stop_on_exception():
            self.start_loop()
            if self._timer_interval_secs is None:
                while not self._coord.should_stop():
                    self.run_loop()
            else:
                next_time = time.time()
                while not self._coord.wait_for_stop(next_time - time.time()):
                    next_time += self._timer_interval_secs
                    self.run_loop()
            self.stop_loop()

    def start_loop(self) -> None:
        """Called once in the thread, before all else."""

    def stop_loop(self) -> None:
        """Called once in the thread, when the coordinator has stopped."""

    def run_loop(self) -> None:
        """Called again and again."""
        if self._target_called is not None:
            target, args, kwargs = self._target_called
            target(*args, **kwargs)
