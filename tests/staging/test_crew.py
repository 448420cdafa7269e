from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from gpersist.errors import CancelledError
from gpersist.staging import crew
from gpersist.staging.crew import default_threads, run

from .conftest import FirstFailure

WAIT_S = 60


def worker_of(do: Callable[[int], None]):
    @contextmanager
    def worker() -> Iterator[Callable[[int], None]]:
        yield do

    return worker


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_every_task_is_done_once(threads: int) -> None:
    done: list[int] = []
    run(iter(range(100)), worker_of(done.append), threads=threads, name="gpersist-test")
    assert sorted(done) == list(range(100))


def test_one_thread_is_the_callers_and_keeps_the_order() -> None:
    done: list[tuple[int, int]] = []
    run(range(5), worker_of(lambda task: done.append((task, threading.get_ident()))), threads=1, name="gpersist-test")
    assert done == [(task, threading.get_ident()) for task in range(5)]


def test_threads_are_named_and_work_at_the_same_time() -> None:
    names: set[str] = set()
    barrier = threading.Barrier(3, timeout=WAIT_S)

    def do(task: int) -> None:
        names.add(threading.current_thread().name)
        barrier.wait()

    run(range(3), worker_of(do), threads=3, name="gpersist-test")
    assert names == {threading.current_thread().name, "gpersist-test-1", "gpersist-test-2"}


def test_no_tasks() -> None:
    run([], worker_of(lambda task: pytest.fail("a task")), threads=2, name="gpersist-test")


@pytest.mark.parametrize("fails", [False, True])
def test_each_thread_tidies_up_after_itself(fails: bool) -> None:
    """The context is entered and left on the thread that works."""
    entered: list[int] = []
    left: list[int] = []
    barrier = threading.Barrier(2, timeout=WAIT_S)

    @contextmanager
    def worker() -> Iterator[Callable[[int], None]]:
        entered.append(threading.get_ident())
        barrier.wait()
        try:
            yield do
        finally:
            left.append(threading.get_ident())

    def do(task: int) -> None:
        if fails:
            raise KeyError(task)

    try:
        run(range(8), worker, threads=2, name="gpersist-test")
        assert not fails
    except KeyError:
        assert fails
    assert len(set(entered)) == 2
    assert sorted(entered) == sorted(left)


def test_the_first_error_wins_and_stops_the_others(first_failure: FirstFailure) -> None:
    done: list[int] = []

    def do(task: int) -> None:
        done.append(task)
        if task == 3:
            first_failure.is_mine()
            raise KeyError("the first")
        if task > 3:
            first_failure.wait()
            raise ValueError("a later one")

    with pytest.raises(KeyError, match="the first"):
        run(range(1000), worker_of(do), threads=3, name="gpersist-test")
    assert len(done) < 10


def test_an_error_of_another_thread_is_raised_here() -> None:
    caller = threading.get_ident()
    failed = threading.Event()

    def do(task: int) -> None:
        if threading.get_ident() != caller:
            failed.set()
            raise ValueError("there")
        assert failed.wait(WAIT_S)

    with pytest.raises(ValueError, match="there"):
        run(range(10), worker_of(do), threads=2, name="gpersist-test")


def test_a_worker_that_cannot_begin() -> None:
    @contextmanager
    def worker() -> Iterator[Callable[[int], None]]:
        raise ValueError("no stream")
        yield

    with pytest.raises(ValueError, match="no stream"):
        run(range(10), worker, threads=2, name="gpersist-test")


def test_tasks_that_fail_to_come() -> None:
    done: list[int] = []

    def tasks() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        run(tasks(), worker_of(done.append), threads=3, name="gpersist-test")
    assert sorted(done) in ([1], [2], [1, 2])


def test_an_interrupt_while_working_stops_the_others() -> None:
    caller = threading.get_ident()
    others: list[int] = []

    def do(task: int) -> None:
        if threading.get_ident() == caller:
            raise KeyboardInterrupt
        time.sleep(0.01)
        others.append(task)

    with pytest.raises(KeyboardInterrupt):
        run(range(10_000), worker_of(do), threads=3, name="gpersist-test")
    assert len(others) < 5_000  # which take 25 s, however late the caller's own thread begins


def test_an_interrupt_while_waiting_for_the_others_leaves_none_behind(monkeypatch) -> None:
    """The caller has run out of tasks and waits when Ctrl-C comes: files must not be given up while a thread still writes to them."""
    caller, interrupted, ended = threading.get_ident(), threading.Event(), threading.Event()
    join = threading.Thread.join

    def interrupted_join(thread: threading.Thread, timeout: float | None = None) -> None:
        if not interrupted.is_set():
            interrupted.set()
            raise KeyboardInterrupt
        join(thread, timeout)

    taken = threading.Barrier(2, timeout=WAIT_S)

    def do(task: int) -> None:
        taken.wait()
        if threading.get_ident() != caller:
            assert interrupted.wait(WAIT_S)
            time.sleep(0.05)
            ended.set()

    monkeypatch.setattr(threading.Thread, "join", interrupted_join)
    with pytest.raises(KeyboardInterrupt):
        run(range(2), worker_of(do), threads=2, name="gpersist-test")
    assert ended.is_set()


def test_fewer_threads_where_the_system_has_no_more(monkeypatch) -> None:
    """A container's limit of processes: the work is done by those there are."""
    start = threading.Thread.start
    started: list[str] = []

    def limited_start(thread: threading.Thread) -> None:
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited_start)
    done: list[int] = []
    run(range(50), worker_of(done.append), threads=4, name="gpersist-test")
    assert sorted(done) == list(range(50))


def test_cancelled_before_the_next_task() -> None:
    cancel = threading.Event()
    done: list[int] = []

    def do(task: int) -> None:
        done.append(task)
        if task == 4:
            cancel.set()

    with pytest.raises(CancelledError, match="gpersist-test was cancelled"):
        run(range(100), worker_of(do), threads=1, name="gpersist-test", cancel=cancel)
    assert done == [0, 1, 2, 3, 4]


def test_cancelled_before_it_began() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        run([1], worker_of(lambda task: pytest.fail("a task")), threads=2, name="gpersist-test", cancel=cancel)


def test_an_error_is_told_rather_than_the_cancellation() -> None:
    cancel = threading.Event()

    def do(task: int) -> None:
        cancel.set()
        raise KeyError("why")

    with pytest.raises(KeyError, match="why"):
        run(range(3), worker_of(do), threads=1, name="gpersist-test", cancel=cancel)


def test_an_error_keeps_nothing_alive() -> None:
    """Its traceback holds frames that hold arrays; they must go when it goes, and not wait for the collector."""

    class Big:
        pass

    def fail() -> weakref.ref[Big]:
        big = Big()

        def do(task: int) -> None:
            assert big
            raise KeyError(task)

        try:
            run(range(3), worker_of(do), threads=1, name="gpersist-test")
        except KeyError:
            pass
        return weakref.ref(big)

    gc.collect()
    gc.disable()
    try:
        assert fail()() is None
    finally:
        gc.enable()


def test_default_threads(monkeypatch) -> None:
    for processors, threads in ((1, 2), (2, 2), (5, 5), (64, 8)):
        monkeypatch.setattr(crew.os, "sched_getaffinity", lambda pid, processors=processors: set(range(processors)))
        assert default_threads() == threads
