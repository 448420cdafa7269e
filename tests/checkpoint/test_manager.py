"""gpersist.checkpoint.manager and the ledger behind it."""

import concurrent.futures
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpersist import files
from gpersist.checkpoint import ledger as ledger_module
from gpersist.checkpoint import manager as manager_module
from gpersist.checkpoint.manager import CheckpointManager
from gpersist.checkpoint.state import read_state
from gpersist.errors import (
    CancelledError,
    CheckpointNotFoundError,
    DataLossError,
    FailedPreconditionError,
    FileError,
    InvalidArgumentError,
    MismatchError,
    OutOfSpaceError,
)
from tests.faults.intercepted import InterceptedFiles

START = 1_700_000_000.0


class Clock:
    now = START

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(ledger_module, "time", clock)
    return clock


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "run")


def arrays(step: int) -> dict[str, Any]:
    return {"w": np.full(1000, step, np.float32), "step": np.int64(step)}


def make(folder: str, *arguments: Any, **options: Any) -> CheckpointManager:
    return CheckpointManager(folder, *arguments, durable=False, **options)


def prefix(folder: str, step: int, base: str = "ckpt") -> str:
    return os.path.join(folder, f"{base}-{step}")


def listed(folder: str) -> list[str]:
    state = read_state(folder)
    assert state is not None
    assert state.all_model_checkpoint_paths[-1] == state.model_checkpoint_path
    return list(state.all_model_checkpoint_paths)


def damage(folder: str, step: int) -> None:
    path = Path(prefix(folder, step) + ".data-00000-of-00001")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


# ---- save and restore


def test_round_trip(folder: str) -> None:
    with make(folder) as manager:
        assert manager.latest() is None
        assert manager.all_steps() == []
        assert manager.save(np.int32(3), arrays(3)) == prefix(folder, 3)
        handle = manager.save_async(10, arrays(10))
        assert handle.result().prefix == prefix(folder, 10)
        assert manager.all_steps() == [3, 10]
        assert manager.latest() == prefix(folder, 10)
        assert int(manager.restore()["step"]) == 10
        assert int(manager.restore(3)["step"]) == 3
        into = arrays(0)["w"]
        manager.restore(into={"w": into})
        assert into[0] == 10
    assert listed(folder) == ["ckpt-3", "ckpt-10"]


@pytest.mark.parametrize("step", [-1, 2**63, 1.0, "1", None, True])
def test_steps_refused(step: Any, folder: str) -> None:
    with pytest.raises(InvalidArgumentError, match="step"):
        make(folder).save(step, arrays(0))
    assert not os.path.exists(folder)


@pytest.mark.parametrize("base", ["", "a/b", "/a", "a\n", "a\0", "a/"])
def test_prefixes_refused(base: str, folder: str) -> None:
    with pytest.raises(InvalidArgumentError, match="prefix"):
        make(folder, prefix=base)


def test_a_misspelt_option_is_told_at_once(folder: str) -> None:
    with pytest.raises(TypeError, match="max_keep"):
        CheckpointManager(folder, max_keep=3)


def test_directories_in_bytes_that_are_files_and_none(folder: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    with make(os.fsencode(folder)) as manager:  # type: ignore[arg-type]
        assert manager.save(1, arrays(1)) == prefix(folder, 1)
    with pytest.raises(InvalidArgumentError, match="directory is 3; expected a path"):
        make(3)  # type: ignore[arg-type]
    Path(folder + "2").touch()
    for call in (lambda manager: manager.all_steps(), lambda manager: manager.save(1, arrays(1)), lambda manager: manager.restore()):
        with pytest.raises(FailedPreconditionError, match="run2' is a file; expected a folder"):
            call(make(folder + "2"))
    monkeypatch.chdir(folder)
    make("~/run").save(1, arrays(1))
    assert "expanduser" in warnings(caplog)[-1]
    assert Path(folder, "~/run/ckpt-1.index").exists()


def test_a_folder_made_while_it_is_listed(folder: str) -> None:
    class Late(InterceptedFiles):
        """Another process makes the folder, and saves there, right after we found none."""

        def around(self, call: str, do: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
            try:
                return do()
            except CheckpointNotFoundError:
                if call == "names":
                    with files.substituted(files.PosixFiles()):
                        make(folder).save(3, arrays(3))
                raise

    with files.substituted(Late()):
        assert make(folder).all_steps() == [3]


def test_nothing_to_restore(folder: str) -> None:
    manager = make(folder)
    with pytest.raises(CheckpointNotFoundError, match="save one first"):
        manager.restore()
    with pytest.raises(CheckpointNotFoundError):
        manager.restore(5)
    with pytest.raises(InvalidArgumentError, match="verify"):
        manager.latest(verify="all")  # type: ignore[arg-type]
    assert not os.path.exists(folder)


# ---- damage


def test_what_is_damaged_pushes_out_nothing_whole(folder: str) -> None:
    with make(folder, max_to_keep=2) as manager:
        for step in (1, 2, 3):
            manager.save(step, arrays(step))
    damage(folder, 3)
    manager = make(folder, max_to_keep=2)
    assert int(manager.restore()["step"]) == 2
    manager.save(4, arrays(4))
    assert manager.all_steps() == [2, 3, 4], "two whole ones"
    damage(folder, 4)
    with pytest.raises(DataLossError):
        manager.restore(4)
    manager.save(5, arrays(5))
    assert manager.all_steps() == [2, 3, 4, 5]
    manager.save(4, arrays(4))  # whole again
    assert manager.all_steps() == [4, 5]


def test_falls_back_and_says_why(folder: str, caplog: pytest.LogCaptureFixture) -> None:
    manager = make(folder)
    for step in (1, 2, 3):
        manager.save(step, arrays(step))
    damage(folder, 3)
    os.remove(prefix(folder, 2) + ".data-00000-of-00001")
    assert manager.latest() == prefix(folder, 1), "what this manager wrote has been changed since"
    caplog.clear()
    with caplog.at_level(logging.WARNING, "gpersist"):
        assert int(manager.restore()["step"]) == 1
    said = warnings(caplog)
    assert len(said) == 2
    assert f"'{prefix(folder, 3)}' is passed over" in said[0]
    assert "crc32c" in said[0]
    assert "missing" in said[1]
    with pytest.raises(DataLossError):
        manager.restore(3)
    assert make(folder).latest() == prefix(folder, 1)
    assert make(folder).latest(verify="structure") == prefix(folder, 3)
    assert manager.all_steps() == [1, 2, 3]
    damage(folder, 1)
    assert make(folder).latest() is None
    with pytest.raises(DataLossError, match=r"(?s)none of the 3 checkpoints.*to begin anew, move them away") as caught:
        make(folder).restore()
    assert all(prefix(folder, step) in str(caught.value) for step in (1, 2, 3))


def test_newer_one_comes_while_the_old_ones_go(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = manager_module.load

    def load(prefix: str, **options: Any) -> Any:
        if prefix.endswith("-1"):
            make(folder, 1).save(2, arrays(2))
        return real(prefix, **options)

    make(folder).save(1, arrays(1))
    monkeypatch.setattr(manager_module, "load", load)
    assert int(make(folder).restore()["step"]) == 2


def test_mismatch_is_no_damage(folder: str) -> None:
    manager = make(folder)
    manager.save(1, arrays(1))
    manager.save(2, {"other": np.zeros(2)})
    with pytest.raises(MismatchError):
        manager.restore(into={"w": np.zeros(1000, np.float32)})


def test_reads_only_once_what_it_knows(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[str, bool]] = []
    real = manager_module.verify_checkpoint

    def verify(prefix: str, *, contents: bool) -> None:
        read.append((prefix, contents))
        real(prefix, contents=contents)

    monkeypatch.setattr(manager_module, "verify_checkpoint", verify)
    monkeypatch.setattr(manager_module, "_CLOCK_TICK_NS", 0)
    manager = make(folder)
    manager.save(1, arrays(1))
    manager.latest()
    other = make(folder)
    other.latest()
    other.latest()
    make(folder).save(1, arrays(1))  # another process's, for all that these two know
    manager.latest()
    assert [contents for _, contents in read] == [False, True, False, True]


# ---- in the background


class Gate:
    """Holds background saves until it is opened, or fails them."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.error: Exception | None = None

    def __call__(self, size_bytes: int) -> None:
        self.open.wait(100)
        if self.error:
            raise self.error


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


def test_one_save_at_a_time(folder: str, gate: Gate) -> None:
    manager = make(folder)
    first = manager.save_async(1, arrays(1), on_progress=gate)
    second: list[Any] = []
    thread = threading.Thread(target=lambda: second.append(manager.save_async(2, arrays(2))))
    thread.start()
    thread.join(0.1)
    assert thread.is_alive()
    assert not first.done()
    gate.open.set()
    thread.join()
    assert first.done()
    manager.wait()
    assert second[0].done()
    assert listed(folder) == ["ckpt-1", "ckpt-2"]


def test_waiting_for_the_save_before_is_time_blocked(folder: str, gate: Gate) -> None:
    manager = make(folder)
    manager.save_async(1, arrays(1), on_progress=gate)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        before = time.perf_counter()
        second = pool.submit(manager.save_async, 2, arrays(2))
        while not manager._turn.locked():
            time.sleep(0.001)
        waits = time.perf_counter()
        time.sleep(0.1)
        held_s = time.perf_counter() - waits
        gate.open.set()
        result = second.result().result()
        assert held_s <= result.blocked_s <= min(time.perf_counter() - before, result.duration_s)


def test_fork_while_a_save_is_under_way(folder: str) -> None:
    """The child neither waits for the parent's save nor hides that it cannot."""
    program = (
        "import os, sys, threading\n"
        "import numpy as np, gpersist\n"
        "opened = threading.Event()\n"
        "manager = gpersist.CheckpointManager(sys.argv[1], durable=False)\n"
        "manager.save(1, {'w': np.ones(3)})\n"
        "handle = manager.save_async(2, {'w': np.ones(3)}, on_progress=lambda _: opened.wait(100))\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    status = 1\n"
        "    try:\n"
        "        for wait in handle.result, handle.exception, handle.wait_staged:\n"
        "            try:\n"
        "                wait()\n"
        "            except gpersist.FailedPreconditionError as error:\n"
        "                assert 'forked' in str(error), error\n"
        "        assert manager.restore()['w'].sum() == 3\n"
        "        manager.save(3, {'w': np.ones(3)})\n"
        "        manager.close()\n"
        "        status = 0\n"
        "    finally:\n"
        "        os._exit(status)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), manager.all_steps())\n"
        "opened.set()\n"
        "manager.close()\n"
        "print(manager.all_steps())\n"
    )
    ended = subprocess.run([sys.executable, "-W", "ignore", "-c", program, folder], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (0, "0 [1, 3]\n[1, 2, 3]\n"), ended.stderr


def test_result_comes_after_state_and_retention(folder: str) -> None:
    manager = make(folder, 1)
    for step in range(3):
        manager.save_async(step, arrays(step)).result()
        assert listed(folder) == [f"ckpt-{step}"]
        assert manager.all_steps() == [step]


@pytest.mark.parametrize("call", ["save_async", "wait", "close"])
def test_background_failure_is_raised_once_by_the_next_call(call: str, folder: str, gate: Gate) -> None:
    gate.error = FileError("the disk is gone")
    manager = make(folder)
    manager.save(0, arrays(0))
    manager.save_async(1, arrays(1), on_progress=gate)
    gate.open.set()
    manager.restore()  # waits, and leaves the failure to those who save
    with pytest.raises(FileError, match="the disk is gone") as caught:
        getattr(manager, call)(*((2, arrays(2)) if call == "save_async" else ()))
    manager.wait()
    if call == "save_async":
        assert "that of '" + prefix(folder, 2) + "' has begun all the same" in caught.value.__notes__[0]
        assert listed(folder) == ["ckpt-0", "ckpt-2"]
    else:
        assert listed(folder) == ["ckpt-0"]


def test_the_last_save_of_a_loop_is_made_whatever_became_of_the_one_before(folder: str, gate: Gate) -> None:
    gate.error = FileError("the disk was gone")
    gate.open.set()
    with pytest.raises(FileError, match="the disk was gone"), make(folder) as manager:
        for step in (1, 2):
            manager.save_async(step, arrays(step), on_progress=gate if step == 1 else None)
    assert listed(folder) == ["ckpt-2"]


def test_a_save_that_stands_makes_up_for_the_one_before(folder: str, gate: Gate) -> None:
    gate.error = FileError("the disk was gone")
    gate.open.set()
    with make(folder) as manager:
        manager.save_async(1, arrays(1), on_progress=gate)
        manager.save(2, arrays(2))
        manager.save_async(3, arrays(3), on_progress=gate)
        with pytest.raises(InvalidArgumentError) as caught:
            manager.save(4, {"": np.zeros(1)})
        assert "failed as well: the disk was gone" in caught.value.__notes__[0]
        manager.save_async(5, arrays(5), on_progress=gate)
        with pytest.raises(InvalidArgumentError):
            manager.save_async(6, {"": np.zeros(1)})
        with pytest.raises(FileError, match="the disk was gone"):
            manager.wait()
    assert listed(folder) == ["ckpt-2"]


class Full(files.PosixFiles):
    """Has room for so many data files."""

    def __init__(self, folder: str, room: int) -> None:
        self.folder, self.room = folder, room

    def allocate(self, fd: int, size_bytes: int, path: str) -> None:
        if sum(".data-" in name for name in self.names(self.folder)) >= self.room:
            raise OutOfSpaceError("no space left")


@pytest.mark.parametrize("call", ["save", "save_async"])
def test_a_full_disk_has_what_exceeds_max_to_keep_deleted_first(call: str, folder: str, caplog: pytest.LogCaptureFixture) -> None:
    for step in range(1, 6):
        make(folder, None).save(step, arrays(step))
    damage(folder, 5)
    with files.substituted(Full(folder, 5)):
        manager = make(folder, 2)
        getattr(manager, call)(6, arrays(6))
        manager.wait()
    assert any("'ckpt-5' is passed over" in text.replace(folder + os.sep, "") for text in warnings(caplog))
    assert manager.all_steps() == [4, 5, 6], "two whole ones"
    assert listed(folder) == ["ckpt-4", "ckpt-5", "ckpt-6"]


def test_a_full_disk_costs_no_checkpoint_that_is_to_be_kept(folder: str) -> None:
    for step in (1, 2, 3):
        make(folder).save(step, arrays(step))
    with files.substituted(Full(folder, 3)):
        for keep in (None, 3, 5):
            with pytest.raises(OutOfSpaceError):
                make(folder, keep).save(4, arrays(4))
    damage(folder, 3)
    damage(folder, 2)
    with files.substituted(Full(folder, 3)), pytest.raises(OutOfSpaceError):
        make(folder, 2).save(4, arrays(4))
    assert make(folder).all_steps() == [1, 2, 3]
    with files.substituted(Full(folder, 2)), pytest.raises(OutOfSpaceError):  # too little even so: what was kept before the save is whole
        make(folder, 1).save(4, arrays(4))
    assert make(folder).all_steps() == [1, 2, 3]


def test_failure_that_the_handle_raised_is_not_raised_again(folder: str, gate: Gate) -> None:
    gate.error = FileError("the disk is gone")
    manager = make(folder)
    handle = manager.save_async(1, arrays(1), on_progress=gate)
    with pytest.raises(TimeoutError):
        handle.result(0.01)
    gate.open.set()
    with pytest.raises(FileError):
        handle.result()
    manager.save(2, arrays(2))


def test_failure_that_came_after_a_timeout_is_raised(folder: str, gate: Gate) -> None:
    gate.error = FileError("the disk is gone")
    manager = make(folder)
    handle = manager.save_async(1, arrays(1), on_progress=gate)
    with pytest.raises(TimeoutError):
        handle.result(0.01)
    gate.open.set()
    with pytest.raises(FileError):
        manager.wait()


def test_failure_after_the_commit_is_the_handles(folder: str) -> None:
    class NoState(files.PosixFiles):
        def rename(self, source: str, target: str) -> None:
            if os.path.basename(target) == "checkpoint":
                raise FileError("no state file today")
            super().rename(source, target)

    manager = make(folder)
    with files.substituted(NoState()):
        handle = manager.save_async(1, arrays(1))
        with pytest.raises(FileError, match="no state file today"):
            handle.result()
    assert manager.latest() == prefix(folder, 1)  # the commit had been done


def test_cancelled_save_is_no_failure(folder: str, gate: Gate) -> None:
    manager = make(folder)
    handle = manager.save_async(1, arrays(1), on_progress=gate)
    assert handle.cancel()
    gate.open.set()
    manager.close()
    with pytest.raises(CancelledError):
        handle.result()
    assert manager.all_steps() == []


def test_wait_staged(folder: str) -> None:
    with make(folder) as manager:
        handle = manager.save_async(1, arrays(1))
        handle.wait_staged(20)


def test_closing(folder: str, gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    manager = make(folder)
    with manager:
        threading.Timer(0.1, gate.open.set).start()
        handle = manager.save_async(1, arrays(1), on_progress=gate)
    assert handle.done()
    manager.close()
    for save in (manager.save, manager.save_async):
        with pytest.raises(FailedPreconditionError, match="closed"):
            save(2, arrays(2))
    gate.error = FileError("the disk is gone")
    with pytest.raises(FileError), make(folder) as manager:
        manager.save_async(3, arrays(3), on_progress=gate)
    with pytest.raises(ZeroDivisionError), make(folder) as manager:
        manager.save_async(4, arrays(4), on_progress=gate)
        raise ZeroDivisionError
    assert any("the disk is gone" in text for text in warnings(caplog))


# ---- retention


def test_keeps_the_newest_across_restarts(folder: str) -> None:
    for step in range(8):
        make(folder, 3).save(step, arrays(step))
    assert make(folder).all_steps() == [5, 6, 7]
    assert listed(folder) == ["ckpt-5", "ckpt-6", "ckpt-7"]
    assert len(os.listdir(folder)) == 3 * 3 + 1


@pytest.mark.parametrize("restart", [False, True])
def test_keeps_one_every_n_hours(restart: bool, folder: str, clock: Clock) -> None:
    manager = make(folder, 2, 1.0)
    for step in range(12):
        clock.now = START + 1200 * (step + 1)
        if restart:
            manager = make(folder, 2, 1.0)
        manager.save(step, arrays(step))
    # as TensorFlow's Saver: the first one after each hour, once it leaves the newest two; it began at START, or at the first save
    assert manager.all_steps() == ([4, 7, 10, 11] if restart else [3, 6, 9, 10, 11])


def test_keeping_all(folder: str) -> None:
    for step in range(7):
        make(folder, step and None).save(step, arrays(step))
    assert make(folder).all_steps() == list(range(7))
    assert listed(folder) == [f"ckpt-{step}" for step in range(7)]
    make(folder, 2).save(7, arrays(7))
    assert make(folder).all_steps() == [6, 7]


def test_found_by_name_without_a_state_file(folder: str, caplog: pytest.LogCaptureFixture) -> None:
    for step in (9, 10, 100):
        make(folder).save(step, arrays(step))
    state = Path(folder, "checkpoint")
    state.unlink()
    assert make(folder).latest() == prefix(folder, 100)
    state.write_bytes(b"\0" * 40)
    assert make(folder).latest() == prefix(folder, 100)
    assert any("found by their names" in text for text in warnings(caplog))
    make(folder, 2).save(101, arrays(101))
    assert make(folder).all_steps() == [100, 101]
    assert listed(folder) == ["ckpt-100", "ckpt-101"]


def test_saved_again_and_steps_set_back(folder: str) -> None:
    manager = make(folder, 3)
    for step in (1, 2, 3, 1, 2):
        manager.save(step, arrays(step))
    assert listed(folder) == ["ckpt-3", "ckpt-1", "ckpt-2"]
    assert manager.latest() == prefix(folder, 2)
    manager.save(0, arrays(0))
    assert manager.latest() == prefix(folder, 0)
    assert manager.all_steps() == [0, 1, 2]


def test_what_others_wrote_stays(folder: str) -> None:
    Path(folder).mkdir()
    theirs = [
        "ckpt-007.index",
        "ckpt-1.index.bak",
        "ckpt-x.index",
        "ckpt.index",
        "xckpt-1.index",
        "ckpt--1.index",
        "ckpt-1",
        "notes.txt",
        "ckpt-٣.index",
    ]
    for name in theirs:
        Path(folder, name).write_bytes(b"x")
    with make(folder, 1, prefix="model.ckpt") as other:
        other.save(1, arrays(1))
    with make(folder, 1) as manager:
        for step in range(3):
            manager.save(step, arrays(step))
        assert manager.all_steps() == [2]
    assert other.all_steps() == [1]
    assert other.latest() == prefix(folder, 1, "model.ckpt")
    assert listed(folder) == ["model.ckpt-1", "ckpt-2"]
    assert all(Path(folder, name).exists() for name in theirs)


def test_state_file_from_hell(folder: str, tmp_path: Path) -> None:
    outside = make(str(tmp_path / "elsewhere"))
    outside.save(1, arrays(1))
    manager = make(folder, 1)
    manager.save(1, arrays(1))
    below = make(os.path.join(folder, "below"))
    below.save(1, arrays(1))
    paths = [
        f"{tmp_path}/elsewhere/ckpt-1",
        "../elsewhere/ckpt-1",
        "below/ckpt-1",
        "ckpt-*",
        "*",
        "../../etc/x",
        "ckpt-1\\000",
        "/",
        "..",
        "x" * 5000,
    ]
    text = "".join(f'all_model_checkpoint_paths: "{path}"\n' for path in paths)
    Path(folder, "checkpoint").write_text(f'model_checkpoint_path: "{paths[0]}"\n{text}')
    assert manager.latest() == prefix(folder, 1)
    manager.save(2, arrays(2))
    manager.save(3, arrays(3))
    assert manager.all_steps() == [3]
    assert outside.all_steps() == below.all_steps() == [1]


def test_deletion_that_fails_is_tried_again(folder: str, caplog: pytest.LogCaptureFixture) -> None:
    class NoRemoving(files.PosixFiles):
        def remove(self, path: str) -> None:
            raise FileError("not today")

    manager = make(folder, 1)
    manager.save(1, arrays(1))
    with files.substituted(NoRemoving()):
        manager.save(2, arrays(2))
    assert any("not today" in text and prefix(folder, 1) in text for text in warnings(caplog))
    assert listed(folder) == ["ckpt-1", "ckpt-2"]
    manager.save(3, arrays(3))
    assert manager.all_steps() == [3]


# ---- crashes


class Crash(BaseException):
    pass


def test_crash_before_the_state_file(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new checkpoint is the newest nevertheless, and retention knows it."""
    make(folder, 2).save(1, arrays(1))
    with monkeypatch.context() as patch, pytest.raises(Crash):

        def crash(*_: Any, **__: Any) -> None:
            raise Crash

        patch.setattr(ledger_module, "write_state", crash)
        make(folder, 2).save(2, arrays(2))
    assert listed(folder) == ["ckpt-1"]
    assert make(folder).latest() == prefix(folder, 2)
    make(folder, 2).save(3, arrays(3))
    assert listed(folder) == ["ckpt-2", "ckpt-3"]
    assert make(folder).all_steps() == [2, 3]


def test_crash_within_a_deletion(folder: str) -> None:
    """What is left of a checkpoint goes with the next save."""

    class Dying(files.PosixFiles):
        def remove(self, path: str) -> None:
            super().remove(path)
            if path.endswith(".index"):
                raise Crash

    make(folder, 1).save(1, arrays(1))
    with files.substituted(Dying()), pytest.raises(Crash):
        make(folder, 1).save(2, arrays(2))
    assert Path(prefix(folder, 1) + ".meta").exists()
    assert make(folder).latest() == prefix(folder, 2)
    make(folder, 1).save(3, arrays(3))
    assert sorted(os.listdir(folder)) == ["checkpoint", "ckpt-3.data-00000-of-00001", "ckpt-3.index", "ckpt-3.meta"]


def test_kept_for_good_stays_kept(folder: str, clock: Clock) -> None:
    """Not in the state file, and yet neither deleted nor taken for the newest."""
    manager = make(folder, 1, 1.0)
    for step in (1, 2, 3):
        clock.now += 3601
        manager.save(step, arrays(step))
    assert listed(folder) == ["ckpt-3"]
    os.utime(prefix(folder, 1) + ".index")  # the folder was copied
    later = make(folder, 1)
    assert later.latest() == prefix(folder, 3)
    later.save(4, arrays(4))
    assert later.all_steps() == [1, 2, 4]


def test_newest_by_hand(folder: str) -> None:
    for step in (1, 2, 3):
        make(folder).save(step, arrays(step))
    every = "".join(f'all_model_checkpoint_paths: "ckpt-{step}"\n' for step in (1, 2, 3))
    for text in ("", every):
        Path(folder, "checkpoint").write_text('model_checkpoint_path: "ckpt-2"\n' + text)
        assert make(folder).latest() == prefix(folder, 2)
    assert int(make(folder).restore()["step"]) == 2


# ---- company

_SAVER = """
import sys, numpy as np
from gpersist.checkpoint.manager import CheckpointManager
folder, first = sys.argv[1], int(sys.argv[2])
with CheckpointManager(folder, 3, durable=False) as manager:
    for step in range(first, first + 40, 2):
        manager.save_async(step, {"w": np.full(500, step, np.float32)})
"""


def test_two_processes(folder: str) -> None:
    reader = make(folder)
    seen = 0
    with ExitStack() as stack:  # which waits for them, whatever comes
        savers = [stack.enter_context(subprocess.Popen([sys.executable, "-c", _SAVER, folder, str(first)])) for first in (0, 1)]
        while any(saver.poll() is None for saver in savers):
            try:
                values = reader.restore()["w"]
            except CheckpointNotFoundError:
                assert not seen
            else:
                seen += 1
                assert (values == values[0]).all()
    assert [saver.returncode for saver in savers] == [0, 0]
    assert seen
    assert len(reader.all_steps()) == 3
    assert sorted(listed(folder)) == sorted(f"ckpt-{step}" for step in reader.all_steps())
    assert sorted(os.listdir(folder)) == sorted(
        ["checkpoint"] + [f"ckpt-{step}.{part}" for step in reader.all_steps() for part in ("data-00000-of-00001", "index", "meta")]
    )


def test_two_runs_in_one_folder_are_told_once(folder: str, caplog: pytest.LogCaptureFixture) -> None:
    mine, other = make(folder), make(folder)
    mine.save(1, arrays(1))
    make(folder, prefix="best").save(9, arrays(9))
    mine.save(2, arrays(2))
    other.save(1, arrays(1))
    assert not caplog.records
    for step in (3, 4):
        mine.save(step, arrays(step))
        other.save(step, arrays(step))
    mine.save(4, arrays(4))
    start = f"another manager, perhaps another program, has saved {prefix(folder, 1)!r} since {prefix(folder, 2)!r}"
    assert [text.startswith(start) for text in warnings(caplog)] == [True, False]  # one a manager


def test_two_threads(folder: str) -> None:
    with make(folder, None) as manager:
        threads = [threading.Thread(target=manager.save_async, args=(step, arrays(step))) for step in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert manager.all_steps() == list(range(8))
    assert len(listed(folder)) == 8


_TENSORFLOW = """
import os, sys
import tensorflow.compat.v1 as tf
folder = sys.argv[1]
state = tf.train.get_checkpoint_state(folder)
print([os.path.basename(path) for path in state.all_model_checkpoint_paths], os.path.basename(tf.train.latest_checkpoint(folder)))
print(tf.train.load_variable(tf.train.latest_checkpoint(folder), "w")[0])
with tf.Graph().as_default(), tf.Session() as session:
    variable = tf.Variable([7.0], name="w", use_resource=False)
    session.run(variable.initializer)
    saver = tf.train.Saver(max_to_keep=2, save_relative_paths=True)
    saver.recover_last_checkpoints(state.all_model_checkpoint_paths)
    saver.save(session, os.path.join(folder, "ckpt"), global_step=7)
"""


@pytest.mark.interop
def test_tensorflow_takes_over_and_gives_back(folder: str) -> None:
    python = os.environ.get("GPERSIST_TF_PYTHON")
    if not python:
        pytest.skip("GPERSIST_TF_PYTHON names no interpreter that has TensorFlow")
    for step in (4, 5, 6):
        make(folder, 2).save(step, arrays(step))
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    ended = subprocess.run([python, "-c", _TENSORFLOW, folder], capture_output=True, text=True, timeout=100, env=environment, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "['ckpt-5', 'ckpt-6'] ckpt-6\n6.0\n"
    manager = make(folder, 2)
    assert manager.all_steps() == [6, 7]
    assert manager.latest() == prefix(folder, 7)
    assert manager.restore()["w"] == [7.0]
    manager.save(8, arrays(8))
    assert manager.all_steps() == [7, 8]
