"""Several processes at one prefix or in one folder: nobody harms anybody, and a reader sees whole checkpoints of one save only."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpersist
from gpersist import AbortedError, CheckpointManager, CheckpointNotFoundError, files
from gpersist.bundle import ShardReader
from gpersist.train.checkpoint_state import latest_checkpoint

from . import writing
from .intercepted import InterceptedFiles

ROOT = Path(__file__).parents[2]
LONGEST_S = 60.0


@contextlib.contextmanager
def writers(kind: str, target: str, count: int, folder: Path) -> Iterator[None]:
    """Runs writers beside the test; checks at the end that all of them have saved and met no error."""
    stop = folder / "stop"
    command = [sys.executable, "-m", "tests.faults.writing", kind, target]
    processes = [
        subprocess.Popen([*command, str(writer), str(stop)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for writer in range(count)
    ]
    try:
        yield
    finally:
        stop.touch()
        outputs = [process.communicate(timeout=LONGEST_S) for process in processes]
    for process, (output, errors) in zip(processes, outputs, strict=True):
        assert process.returncode == 0, errors
        assert int(output) >= writing.ENOUGH


def read_until(read: Callable[[], int | None], enough: int, writer_count: int = 1) -> set[int]:
    """Reads until it has seen so many different saves, of so many writers."""
    seen: set[int] = set()
    deadline = time.monotonic() + LONGEST_S
    while (len(seen) < enough or len({value % 10 for value in seen}) < writer_count) and time.monotonic() < deadline:
        value = read()
        if value is not None:
            seen.add(value)
    assert len(seen) >= enough
    return seen


def test_two_processes_save_to_one_prefix(tmp_path: Path) -> None:
    prefix = str(tmp_path / "run" / "ckpt")

    def read() -> int | None:
        try:
            gpersist.verify(prefix)
            return writing.check(gpersist.load(prefix))
        except CheckpointNotFoundError:
            assert not seen, "a checkpoint that stood is gone"
            return None

    seen: set[int] = set()
    with writers("prefix", prefix, 2, tmp_path):
        seen |= read_until(read, 1)
        seen |= read_until(read, 40, writer_count=2)
    assert {value % 10 for value in seen} == {0, 1}
    assert writing.check(gpersist.load(prefix))
    gpersist.save(prefix, writing.arrays(0, 0), durable=False)
    assert len(os.listdir(tmp_path / "run")) == 3


def test_an_open_checkpoint_is_that_of_the_moment_or_says_so(tmp_path: Path) -> None:
    """Slices have no checksum: a reader must not take another save's bytes for those of its index."""
    prefix = str(tmp_path / "ckpt")

    def read() -> int | None:
        try:
            with gpersist.open(prefix) as checkpoint:
                value = int(checkpoint["value"].read())
                time.sleep(0.001)
                for name, expected in writing.arrays(value % 10, value // 10).items():
                    if np.shape(expected):
                        assert np.array_equal(checkpoint[name][1:-1], expected[1:-1])
                return value
        except (AbortedError, CheckpointNotFoundError):
            return None

    with writers("prefix", prefix, 1, tmp_path):
        read_until(read, 20)


def test_readers_while_checkpoints_are_deleted(tmp_path: Path) -> None:
    prefix = str(tmp_path / "ckpt")

    def read() -> int | None:
        try:
            return writing.check(gpersist.load(prefix))
        except CheckpointNotFoundError:
            return None

    with writers("deletion", prefix, 1, tmp_path):
        read_until(read, 10)


def test_two_managers_in_one_folder(tmp_path: Path) -> None:
    folder = str(tmp_path / "run")

    def read(prefix: str) -> int | None:
        try:
            value = writing.check(CheckpointManager(folder, prefix=prefix).restore())
        except CheckpointNotFoundError:
            assert prefix not in seen, "a checkpoint that stood is gone"
            return None
        assert value % 10 == "ab".index(prefix)
        seen.add(prefix)
        return value

    seen: set[str] = set()
    with writers("folder", folder, 2, tmp_path):
        for prefix in "ab":
            read_until(lambda prefix=prefix: read(prefix), 15)  # type: ignore[misc]
    for prefix in "ab":
        manager = CheckpointManager(folder, prefix=prefix)
        assert len(manager.all_steps()) == 1
        assert manager.latest() is not None
    assert len(os.listdir(folder)) == 2 * 3 + 1


def test_two_managers_of_one_name_leave_a_checkpoint(tmp_path: Path) -> None:
    """What one has committed, and not entered yet, is not lost to the retention of the other together with all that the first then deletes."""
    managers = [CheckpointManager(tmp_path, max_to_keep=1, durable=False) for _ in range(2)]
    gpersist.save(tmp_path / "ckpt-1", writing.arrays(0, 1), durable=False)
    managers[1].save(2, writing.arrays(0, 2))
    managers[0]._ledger.enter(str(tmp_path / "ckpt-1"))
    assert managers[0].latest() is not None


@pytest.mark.parametrize("read", [gpersist.load, gpersist.verify], ids=["load", "verify"])
def test_a_save_between_the_index_and_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Callable[[str], object]) -> None:
    """The reader looks again. Two saves come between, so that data files of the old names are there, with other content."""
    prefix = str(tmp_path / "ckpt")
    gpersist.save(prefix, writing.arrays(0, 1), durable=False)
    opened = ShardReader.__init__
    numbers = [2, 3]

    def open_late(self: ShardReader, path: str) -> None:
        while numbers:
            gpersist.save(prefix, writing.arrays(0, numbers.pop(0)), durable=False)
        opened(self, path)

    monkeypatch.setattr(ShardReader, "__init__", open_late)
    found = read(prefix)
    if isinstance(found, dict):
        assert writing.check(found) == 30


class BusyFiles(InterceptedFiles):
    """A run saves a step, and deletes the one before, right before the Nth call of somebody who looks at its folder."""

    def __init__(self, at: int, save: Callable[[], object]) -> None:
        self.left, self.save = at, save

    def around(self, call: str, do: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        self.left -= 1
        if not self.left:
            with files.substituted(files.PosixFiles()):
                self.save()
        return do()


@pytest.mark.parametrize(
    "read",
    [
        gpersist.load,
        gpersist.verify,
        lambda folder: gpersist.open(folder).close(),
        lambda folder: os.stat(f"{latest_checkpoint(folder)}.index"),
    ],
    ids=["load", "verify", "open", "latest"],
)
def test_the_newest_goes_while_its_folder_is_looked_at(tmp_path: Path, read: Callable[[str], object]) -> None:
    """What the state file named a moment ago is no more, and the next one is there: a folder means that one then."""
    with CheckpointManager(tmp_path, max_to_keep=1, durable=False) as manager:
        step = 1
        manager.save(step, writing.arrays(0, step))
        busy = BusyFiles(0, lambda: manager.save(step, writing.arrays(0, step)))
        while busy.left <= 0:
            step += 1
            busy = BusyFiles(step - 1, busy.save)
            with files.substituted(busy):
                read(str(tmp_path))
    assert step > 5
