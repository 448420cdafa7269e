"""Parts of work on several threads: each once, errors, settings, and what is left behind."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gpersist.ops import blas_threads, host_threads
from gpersist.ops.host_threads import even_parts, for_each


@pytest.fixture(autouse=True)
def three_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas_threads, "most", lambda: 3)


@pytest.mark.parametrize(
    ("size", "most", "lengths"), [(10, 4, [2, 3, 2, 3]), (10, 10, [10]), (3, 1, [1, 1, 1]), (7, 3, [1, 2, 2, 2]), (0, 4, []), (5, 0, [1] * 5)]
)
def test_parts_are_even(size: int, most: int, lengths: list[int]) -> None:
    parts = even_parts(size, most)
    assert [part.stop - part.start for part in parts] == lengths
    assert [number for part in parts for number in range(part.start, part.stop)] == list(range(size))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_each_part_is_done_once(count: int) -> None:
    done: list[int] = []
    for_each(done.append, range(count))
    assert sorted(done) == list(range(count))


def test_several_at_a_time() -> None:
    together = threading.Barrier(3, timeout=10)

    def wait(_: int) -> None:
        together.wait()

    for_each(wait, range(3))


def test_within_a_part_its_thread_does_everything() -> None:
    threads: dict[int, set[int]] = {}

    def outer(number: int) -> None:
        assert host_threads.count() == 1
        threads[number] = set()
        for_each(lambda _: threads[number].add(threading.get_ident()), range(5))

    for_each(outer, range(3))
    assert [len(found) for found in threads.values()] == [1] * 3
    assert host_threads.count() == 3


@pytest.mark.parametrize("kind", [KeyError, KeyboardInterrupt])
def test_raises_what_a_part_raised(kind: type[BaseException]) -> None:
    def fail(number: int) -> None:
        if number == 2:
            raise kind("two")

    with pytest.raises(kind, match="two"):
        for_each(fail, range(4))
    assert host_threads.count() == 3
    test_several_at_a_time()


def test_settings_are_the_callers(recwarn: pytest.WarningsRecorder) -> None:
    found: list[Any] = []
    with np.errstate(divide="ignore"):
        for_each(lambda _: found.append(np.geterr()["divide"]), range(20))
    assert set(found) == {"ignore"}


def test_keeps_nothing_alive() -> None:
    array = np.zeros(10)
    seen = weakref.ref(array)

    def work(owned: np.ndarray[Any, Any]) -> Callable[[int], None]:
        return lambda number: owned.__setitem__(number, 1.0)

    for_each(work(array), range(10))
    assert array.sum() == 10
    del array
    gc.collect()
    assert seen() is None


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_computes() -> None:
    for_each(lambda _: None, range(3))
    child = os.fork()
    if not child:
        done: list[int] = []
        try:
            for_each(done.append, range(20))
        finally:
            os._exit(0 if sorted(done) == list(range(20)) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_goes_on_alone_where_no_thread_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(host_threads, "_CREW", host_threads._Crew())
    monkeypatch.setattr(threading.Thread, "start", refuse)
    test_each_part_is_done_once(5)
