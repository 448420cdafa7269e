"""gpersist.checkpoint.preemption, with real signals."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from gpersist.checkpoint.preemption import PreemptionGuard
from gpersist.errors import FailedPreconditionError, InvalidArgumentError


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def _send(number: int) -> None:
    os.kill(os.getpid(), number)


def test_first_signal_is_a_flag() -> None:
    with PreemptionGuard() as guard:
        assert not guard.requested
        assert guard.received is None
        _send(signal.SIGTERM)
        assert guard.requested
        assert guard.received is signal.SIGTERM
    assert guard.requested
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_next_signals_do_what_they_did_before() -> None:
    came: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, _: came.append(number))
    signal.signal(signal.SIGUSR2, lambda number, _: came.append(number))
    with PreemptionGuard(signal.SIGUSR1, signal.SIGUSR2) as guard:
        _send(signal.SIGUSR1)
        assert guard.received is signal.SIGUSR1
        assert came == []
        _send(signal.SIGUSR1)
        _send(signal.SIGUSR2)
        assert came == [signal.SIGUSR1, signal.SIGUSR2]


def test_second_sigterm_ends_the_process() -> None:
    program = (
        "import os, signal\n"
        "from gpersist.checkpoint.preemption import PreemptionGuard\n"
        "with PreemptionGuard() as guard:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print(guard.requested, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print('still here', flush=True)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (-signal.SIGTERM, "True\n"), ended.stderr


@pytest.mark.parametrize("handler", [signal.SIG_DFL, signal.SIG_IGN], ids=str)
def test_a_forked_child_is_not_guarded(handler: signal.Handlers) -> None:
    """Else `multiprocessing`'s `terminate` and `join` of a worker wait for ever."""
    program = (
        "import os, signal, sys, time\n"
        "from gpersist.checkpoint.preemption import PreemptionGuard\n"
        f"signal.signal(signal.SIGTERM, signal.{handler.name})\n"
        "with PreemptionGuard() as guard:\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        os._exit(7 if not guard.requested else 8)\n"
        "    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), guard.requested)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print(guard.requested)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    status = -signal.SIGTERM if handler is signal.SIG_DFL else 7
    assert (ended.returncode, ended.stdout) == (0, f"{status:d} False\nTrue\n"), ended.stderr


def test_everything_is_put_back() -> None:
    def mine(*_: object) -> None: ...

    signal.signal(signal.SIGUSR1, mine)
    guard = PreemptionGuard(signal.SIGUSR1)
    for _ in range(2):
        with guard:
            assert signal.getsignal(signal.SIGUSR1) is not mine
        assert signal.getsignal(signal.SIGUSR1) is mine
    with pytest.raises(ZeroDivisionError), guard:
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGUSR1) is mine


def test_guards_nest() -> None:
    with PreemptionGuard() as outer:
        with PreemptionGuard() as inner:
            _send(signal.SIGTERM)
            assert (inner.requested, outer.requested) == (True, False)
        _send(signal.SIGTERM)
        assert outer.requested


def test_handler_set_meanwhile_stays() -> None:
    def theirs(*_: object) -> None: ...

    with PreemptionGuard(signal.SIGUSR1):
        signal.signal(signal.SIGUSR1, theirs)
    assert signal.getsignal(signal.SIGUSR1) is theirs


def test_refused() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    for number in (signal.SIGKILL, 4711, "SIGTERM"):
        with pytest.raises(InvalidArgumentError, match="cannot be caught"), PreemptionGuard(signal.SIGUSR1, number):  # type: ignore[arg-type]
            pass
        assert signal.getsignal(signal.SIGUSR1) is before
    with PreemptionGuard() as guard, pytest.raises(FailedPreconditionError, match="already"), guard:
        pass
    errors: list[Exception] = []

    def enter() -> None:
        try:
            with PreemptionGuard():
                pass
        except FailedPreconditionError as error:
            errors.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert "main thread" in str(errors[0])
