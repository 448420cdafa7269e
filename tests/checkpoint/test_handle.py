"""gpersist.checkpoint.handle: what may be waited for, asked, and cancelled while a save is under way."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpersist
from gpersist import files
from gpersist.errors import CancelledError, DeadlineExceededError, FailedPreconditionError, OutOfSpaceError

TIMEOUT_S = 100


class Gate(files.PosixFiles):
    """Writes wait until it is opened, or fail."""

    def __init__(self) -> None:
        self.opened, self.reached = threading.Event(), threading.Event()
        self.error: Exception | None = None

    def pwritev(self, *arguments: Any) -> None:
        self.reached.set()
        assert self.opened.wait(TIMEOUT_S)
        if self.error:
            raise self.error
        super().pwritev(*arguments)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    with files.substituted(gate):
        yield gate
        gate.opened.set()


def start(prefix: Path, **options: Any) -> gpersist.SaveHandle:
    return gpersist.save_async(prefix, {"w": np.arange(10)}, durable=False, **options)


def test_staged_comes_before_the_result(tmp_path: Path) -> None:
    class Slow(files.PosixFiles):
        may_rename = threading.Event()

        def rename(self, *arguments: Any) -> None:
            assert self.may_rename.wait(TIMEOUT_S)
            super().rename(*arguments)

    with files.substituted(Slow()):
        handle = start(tmp_path / "x")
        handle.wait_staged(TIMEOUT_S)
        assert not handle.done()
        assert repr(handle) == f"<SaveHandle of {str(tmp_path / 'x')!r}: staged>"
        Slow.may_rename.set()
        assert handle.result(TIMEOUT_S).prefix == handle.prefix == str(tmp_path / "x")
    handle.wait_staged(0)
    assert repr(handle).endswith("done>")
    assert (handle.done(), handle.cancelled(), handle.exception(), handle.cancel()) == (True, False, None, False)


def test_waiting_may_end(tmp_path: Path, gate: Gate) -> None:
    handle = start(tmp_path / "x")
    assert repr(handle).endswith("staging>")
    for wait in (handle.result, handle.exception, handle.wait_staged):
        with pytest.raises(DeadlineExceededError, match=r"within 0\.01 s"):
            wait(0.01)
    assert not handle.cancelled()
    gate.opened.set()
    assert handle.result(TIMEOUT_S).num_tensors == 1


def test_a_failure_is_raised_again_and_logged_once(tmp_path: Path, gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    gate.error = OutOfSpaceError("the disk is full")
    gate.opened.set()
    handle = start(tmp_path / "x")
    for wait in (handle.result, handle.result, handle.wait_staged):
        with pytest.raises(OutOfSpaceError, match="the disk is full"):
            wait(TIMEOUT_S)
    assert isinstance(handle.exception(), OutOfSpaceError)
    assert repr(handle).endswith(f"{handle.exception()!r}>")
    (record,) = caplog.records
    assert (record.levelno, record.name) == (logging.ERROR, "gpersist")
    assert "the disk is full" in record.getMessage()
    assert list(tmp_path.iterdir()) == []


def test_a_cancelled_save_leaves_nothing(tmp_path: Path, gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    handle = start(tmp_path / "x")
    assert gate.reached.wait(TIMEOUT_S)
    assert handle.cancel()
    gate.opened.set()
    with pytest.raises(CancelledError):
        handle.result(TIMEOUT_S)
    with pytest.raises(concurrent.futures.CancelledError):
        handle.wait_staged(TIMEOUT_S)
    assert handle.cancelled()
    assert not handle.cancel()
    assert list(tmp_path.iterdir()) == []
    assert caplog.records == []  # whoever cancels, knows


def test_a_cancelled_save_leaves_what_was_there(tmp_path: Path, gate: Gate) -> None:
    gate.opened.set()
    gpersist.save(tmp_path / "x", {"w": np.zeros(3)}, durable=False)
    before = sorted(tmp_path.iterdir())
    gate.opened.clear()
    gate.reached.clear()
    handle = start(tmp_path / "x")
    assert gate.reached.wait(TIMEOUT_S)
    handle.cancel()
    gate.opened.set()
    assert isinstance(handle.exception(TIMEOUT_S), CancelledError)
    assert sorted(tmp_path.iterdir()) == before
    assert gpersist.load(tmp_path / "x")["w"].tolist() == [0, 0, 0]


def test_a_save_may_be_cancelled_until_its_commit(tmp_path: Path) -> None:
    class Late(files.PosixFiles):
        def size(self, fd: int, path: str) -> int:  # asked for when everything is written
            handle.cancel()
            return super().size(fd, path)

    gate = Gate()
    with files.substituted(gate):
        handle = start(tmp_path / "x")
        assert gate.reached.wait(TIMEOUT_S)
        gate.size = Late().size  # type: ignore[method-assign]
        gate.opened.set()
        assert isinstance(handle.exception(TIMEOUT_S), CancelledError)
    assert list(tmp_path.iterdir()) == []


def test_it_is_a_future_of_the_standard_library(tmp_path: Path, gate: Gate) -> None:
    handle = start(tmp_path / "x")
    called: list[Any] = []
    handle.add_done_callback(called.append)
    assert concurrent.futures.wait([handle], 0).not_done == {handle}
    assert called == []
    gate.opened.set()
    assert concurrent.futures.wait([handle], TIMEOUT_S).done == {handle}
    assert next(concurrent.futures.as_completed([handle])) is handle
    handle.result()
    assert called == [handle]


def test_asyncio_waits_for_it(tmp_path: Path) -> None:
    async def main() -> gpersist.SaveResult:
        return await asyncio.wrap_future(start(tmp_path / "x"))

    assert asyncio.run(main()).prefix == str(tmp_path / "x")


def test_asyncio_cancels_it(tmp_path: Path, gate: Gate) -> None:
    handle = start(tmp_path / "x")

    async def main() -> None:
        waiting = asyncio.wrap_future(handle)
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.sleep(0)  # the cancellation is handed on by the loop
        gate.opened.set()

    asyncio.run(main())
    assert isinstance(handle.exception(TIMEOUT_S), CancelledError)


def test_asyncio_gets_its_failure(tmp_path: Path, gate: Gate) -> None:
    gate.error = OutOfSpaceError("the disk is full")
    gate.opened.set()

    async def main() -> None:
        await asyncio.wrap_future(start(tmp_path / "x"))

    with pytest.raises(OutOfSpaceError):
        asyncio.run(main())


def test_without_a_thread_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(FailedPreconditionError, match="can't start new thread; use save"):
        start(tmp_path / "x")
    monkeypatch.undo()
    assert start(tmp_path / "x").result(TIMEOUT_S).num_tensors == 1


def test_a_program_that_ends_waits_for_its_saves(tmp_path: Path) -> None:
    code = f"""
import numpy as np, time
import gpersist
from gpersist import files
class Slow(files.PosixFiles):
    def pwritev(self, *arguments):
        time.sleep(0.2)
        super().pwritev(*arguments)
files.substituted(Slow()).__enter__()
gpersist.save_async({str(tmp_path / "x")!r}, {{"w": np.arange(5.0)}})
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
    assert gpersist.load(tmp_path / "x")["w"].tolist() == [0, 1, 2, 3, 4]
