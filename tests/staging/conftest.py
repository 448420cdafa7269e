"""Whose error comes first, without a race: the others wait until it has been taken up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest


class FirstFailure:
    """Tells other threads when `crew.run` has taken up the error of the thread that was first to fail.

    A thread of the crew ends then; the caller's goes on to wait for the others.
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._is_joining = threading.Event()

    def is_mine(self) -> None:
        """Called by the thread that is about to fail."""
        self._thread = threading.current_thread()

    def wait(self) -> None:
        """Called by the others, before they fail."""
        while self._thread is None or (self._thread.is_alive() and not self._is_joining.is_set()):
            time.sleep(0.001)

    def joining(self, join: Callable[..., None]) -> Callable[..., None]:
        """`Thread.join`, noticed where the thread that was first to fail calls it."""

        def noticed(thread: threading.Thread, timeout: float | None = None) -> None:
            if threading.current_thread() is self._thread:
                self._is_joining.set()
            join(thread, timeout)

        return noticed


@pytest.fixture
def first_failure(monkeypatch: pytest.MonkeyPatch) -> FirstFailure:
    failure = FirstFailure()
    monkeypatch.setattr(threading.Thread, "join", failure.joining(threading.Thread.join))
    return failure
