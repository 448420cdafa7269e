"""One operation's work on the host, shared out over the cores: NumPy lets other threads run while it computes.

The calling thread takes parts just as the helpers do. So it never waits for a helper that gets no core, but for a part that one has begun; and where
there are no helpers, as in a process that was forked a moment ago, it does everything itself.
"""

from __future__ import annotations

import contextvars
import os
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from gpersist.ops import blas_threads

_MOST = 8
"""Threads that take part: with more, all of them wait for memory, or for Python."""


def for_each(work: Callable[[Any], None], parts: Sequence[Any]) -> None:
    """Calls `work` for each of some parts, in any order, several at a time.

    Each should take a tenth of a millisecond or more, and leave to the others what they write. Settings that belong to a context, such as
    `numpy.errstate`, are the caller's.

    Raises:
        BaseException: what the first one of them raised; then some may not have been called.
    """
    helpers = min(len(parts), count()) - 1
    if helpers < 1:
        for part in parts:
            work(part)
        return
    job = _Job(work, parts)
    _CREW.help(job, helpers)
    job.take_parts()
    job.wait()


def count() -> int:
    """Threads that may compute for the caller, itself among them: as many as NumPy's BLAS takes, if that is known. In a part of some work, one."""
    return 1 if _HERE.is_in_part else min(_MOST, blas_threads.most() or os.cpu_count() or 1)


def parts_for_all(size: int) -> list[slice]:
    """So many elements as a part for each thread."""
    return even_parts(size, -(-size // count()))


def even_parts(size: int, most: int) -> list[slice]:
    """So many elements as parts of nearly one length, which is `most` or less: one part, or an even number of them if that can be."""
    number = -(-size // max(1, most))
    number = min(size, number + (number > 1 and number % 2))
    return [slice(size * index // number, size * (index + 1) // number) for index in range(number)]


class _Here(threading.local):
    is_in_part = False


_HERE = _Here()


class _Job:
    """Parts of work, of which each thread takes the next one that is left."""

    def __init__(self, work: Callable[[Any], None], parts: Sequence[Any]) -> None:
        self._work: Callable[[Any], None] | None = work
        self._left = iter(parts)  # taking from it needs no lock: nothing in Python runs meanwhile
        self._count = len(parts)
        self._ended: list[BaseException | None] = []
        self._all_ended = threading.Event()

    def take_parts(self) -> None:
        _HERE.is_in_part = True
        try:
            for part in self._left:
                self._ended.append(self._error_of(part))
                if len(self._ended) == self._count:
                    self._all_ended.set()
        finally:
            _HERE.is_in_part = False

    def _error_of(self, part: Any) -> BaseException | None:
        if not any(self._ended):
            try:
                self._work(part)  # type: ignore[misc]  # there as long as parts are left
            except BaseException as error:
                return error
        return None

    def wait(self) -> None:
        """Returns when all parts are done; raises what one of them raised. Keeps nothing alive after that, whatever helper still holds it."""
        if len(self._ended) < self._count:
            self._all_ended.wait()
        self._work = None
        for error in self._ended:
            if error is not None:
                self._ended = []
                raise error


class _Crew:
    """The helpers: a thread for each further core, made when they are first called for."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[tuple[contextvars.Context, _Job]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0

    def help(self, job: _Job, count: int) -> None:
        """Calls for so many helpers; there may be fewer."""
        if self._threads < count:
            with self._lock, suppress(RuntimeError):  # there are no more threads to be had, or the interpreter ends
                while self._threads < count:
                    threading.Thread(target=self._serve, args=(self._jobs,), name=f"{__name__}-{self._threads}", daemon=True).start()
                    self._threads += 1
        for _ in range(min(count, self._threads)):
            self._jobs.put((contextvars.copy_context(), job))

    @staticmethod
    def _serve(jobs: queue.SimpleQueue[tuple[contextvars.Context, _Job]]) -> None:
        while True:
            context, job = jobs.get()
            context.run(job.take_parts)
            del context, job


_CREW = _Crew()


def _renew() -> None:
    global _CREW
    _CREW = _Crew()


os.register_at_fork(after_in_child=_renew)  # threads stay behind
