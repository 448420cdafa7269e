"""A few threads that share a list of work: the first error wins, stops the others, and is raised where the work was given out."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import TypeVar

from gpersist.errors import CancelledError

Task = TypeVar("Task")


def default_threads() -> int:
    """As many threads as a transfer uses when nobody says: the processors this process may run on, from 2 to 8."""
    return max(2, min(8, len(os.sched_getaffinity(0))))


def run(
    tasks: Iterable[Task],
    worker: Callable[[], AbstractContextManager[Callable[[Task], None]]],
    *,
    threads: int,
    name: str,
    cancel: threading.Event | None = None,
) -> None:
    """Does every task, by up to `threads` threads, of which the caller's is one.

    Args:
        tasks: taken in order.
        worker: called once a thread, there; the function that its context gives does one task, and the context's end tidies up after the thread.
        threads: at least 1.
        name: of the threads, for whoever looks at a stuck process.
        cancel: when set, no further task is begun.

    Raises:
        CancelledError: `cancel` was set before all tasks were done.
        BaseException: the first one that a task raised.
    """
    source = iter(tasks)
    lock = threading.Lock()
    errors: list[BaseException] = []
    drained = False

    def work() -> None:
        nonlocal drained
        try:
            with worker() as do:
                while not errors and not (cancel and cancel.is_set()):
                    with lock:
                        task = next(source, None)
                    if task is None:
                        drained = True
                        return
                    do(task)
        except BaseException as error:
            errors.append(error)

    others: list[threading.Thread] = []
    try:
        for number in range(1, threads):
            thread = threading.Thread(target=work, name=f"{name}-{number}", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the system has no more threads; those there are will do
                break
            others.append(thread)
        work()
    except BaseException as error:
        errors.append(error)
    while others:  # whatever happens: nobody may touch arrays and files once this has returned
        try:
            others[-1].join()
            others.pop()
        except BaseException as error:  # an interrupt
            errors.append(error)
    if errors:
        try:
            raise errors[0]
        finally:
            errors.clear()  # an error refers to this frame: break the circle, or the arrays live until the next collection
    if not drained:
        raise CancelledError(f"{name} was cancelled")
