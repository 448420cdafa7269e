"""Preemption: a signal that asks the program to end, honoured at a step boundary."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

from gpersist.errors import FailedPreconditionError, InvalidArgumentError

_Handler = Callable[[int, FrameType | None], Any] | int | None


class PreemptionGuard:
    """Turns the first signal into a flag, so that a step is finished and saved before the program ends.

        with PreemptionGuard() as guard, CheckpointManager("run") as manager:
            for step in range(first, last):
                train(arrays)
                if guard.requested:
                    manager.save(step, arrays)
                    break

    Any signal after it does what it did before the guard: SIGTERM ends the process. What was set before is set again at the end. Schedulers send
    SIGTERM and, after a grace period (30 s is usual), SIGKILL: a step and a save together must take less. A process that is forked meanwhile, such
    as a worker that reads data, is not guarded: signals do there what they did before, and a worker that saves enters a guard of its own.
    """

    def __init__(self, *signals: int) -> None:
        """A guard that is not yet in force.

        Args:
            *signals: numbers of signals; default: SIGTERM.
        """
        self._signals = signals or (signal.SIGTERM,)
        self._before: dict[int, _Handler] = {}
        self._received: int | None = None
        self._process = os.getpid()

    @property
    def requested(self) -> bool:
        """Whether a signal has come. May be asked from any thread."""
        return self._received is not None

    @property
    def received(self) -> signal.Signals | None:
        """The first signal that came."""
        return None if self._received is None else signal.Signals(self._received)

    def __enter__(self) -> Self:
        """Puts the guard in force.

        Raises:
            FailedPreconditionError: not in the main thread, where alone Python sets signal handlers; or the guard is in force already.
            InvalidArgumentError: a signal that nobody can catch, or none.
        """
        if threading.current_thread() is not threading.main_thread():
            raise FailedPreconditionError(
                "a PreemptionGuard is entered in a thread; enter it in the main thread, and ask `requested` wherever you like"
            )
        if self._before:
            raise FailedPreconditionError("this PreemptionGuard is in force already; make another one")
        self._process = os.getpid()
        try:
            for number in self._signals:
                self._before[number] = signal.signal(number, self._receive)
        except (OSError, ValueError, TypeError) as error:
            self._put_back()
            raise InvalidArgumentError(f"signal {number!r} cannot be caught: {error}; expected numbers, such as signal.SIGTERM") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._put_back()

    def _receive(self, number: int, frame: FrameType | None) -> None:
        # Between two instructions of whatever runs: nothing here may take a lock, so nothing is logged.
        if os.getpid() != self._process:  # a forked child, which nobody asks `requested`: whoever terminates it and waits would wait for ever
            self._put_back()
            os.kill(os.getpid(), number)
            return
        self._received = number
        self._put_back()

    def _put_back(self) -> None:
        while self._before:
            number, before = self._before.popitem()
            if signal.getsignal(number) == self._receive:  # else someone has set another since: theirs stays
                signal.signal(number, signal.SIG_DFL if before is None else before)  # None: it was set in C, and cannot be set from here
