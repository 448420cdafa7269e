"""ENOSPC and EIO at every call of a save: an error of ours, no temporary files, and the old checkpoint or the new one."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import gpersist
from gpersist import FileError, GPersistError, OutOfSpaceError, files
from gpersist.checkpoint import save_v1

from .checkpoints import EACH, SCENARIOS, Scenario, check_tidy, names, run, temporaries
from .intercepted import CALLS, WRITES, FailingFiles, InterceptedFiles

FITTING = {errno.ENOSPC: OutOfSpaceError, errno.EIO: FileError}


class Scratch:
    """Folders in which the saves before the disturbed one are done already."""

    def __init__(self, folder: Path, scenario: Scenario) -> None:
        self._template = str(folder / "template")
        self._numbers = itertools.count()
        with files.substituted(InterceptedFiles()):
            run(scenario, self._template)

    def folder(self) -> str:
        """A new one."""
        return shutil.copytree(self._template, f"{self._template}-{next(self._numbers)}")


@pytest.fixture
def scratch(tmp_path: Path, scenario: Scenario) -> Scratch:
    return Scratch(tmp_path, scenario)


def disturbed(scenario: Scenario, folder: str, failing: FailingFiles) -> GPersistError | None:
    """Does the scenario's save, which meets a fault; gives what it raised."""
    with files.substituted(failing):
        try:
            scenario.save(folder, scenario.before + 1)
        except GPersistError as error:
            return error
    return None


def open_files() -> set[str]:
    return {os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")}


def check_old_or_new(scenario: Scenario, folder: str, error: GPersistError | None) -> None:
    """What stands is whole, and the next save works and tidies up."""
    new = scenario.before + 1
    with files.substituted(InterceptedFiles()):
        found = scenario.found(folder)
        assert found in (scenario.old, [*scenario.old, new], [*scenario.old, new][-2:], [new])
        if error is None:
            assert new in found
        scenario.save(folder, new + 1)
        after = scenario.found(folder)
        assert after[-1] == new + 1
        check_tidy(folder, after)


@pytest.mark.parametrize("number", [errno.ENOSPC, pytest.param(errno.EIO, marks=pytest.mark.slow)], ids=["ENOSPC", "EIO"])
@pytest.mark.parametrize("scenario", EACH, ids=str)
def test_a_call_fails(scenario: Scenario, number: int, scratch: Scratch) -> None:
    """Once, at each call in turn: the save succeeds all the same, or raises what fits and leaves nothing behind."""
    at, raised = 0, 0
    while True:
        at += 1
        folder = scratch.folder()
        failing = FailingFiles(at, number)
        before = open_files()
        error = disturbed(scenario, folder, failing)
        assert open_files() <= before, failing.failed
        if failing.failed is None:
            assert error is None
            break
        if error is not None:
            raised += 1
            assert type(error) is FITTING[number]
        if failing.failed != "remove":
            assert not temporaries(folder), failing.failed
        check_old_or_new(scenario, folder, error)
    assert at > 20
    assert raised > 10


@pytest.mark.parametrize("scenario", EACH, ids=str)
def test_a_call_reports_failure_though_it_was_done(scenario: Scenario, scratch: Scratch) -> None:
    """As over a network: whether the index was renamed is looked up, not guessed."""
    at = 0
    while True:
        at += 1
        folder = scratch.folder()
        failing = FailingFiles(at, errno.EIO, only=("rename", "remove", "fsync", "fsync_folder", "pwritev", "truncate", "make_folders"), after=True)
        error = disturbed(scenario, folder, failing)
        if failing.failed is None:
            break
        check_old_or_new(scenario, folder, error)


@pytest.mark.parametrize("scenario", EACH, ids=str)
def test_the_disk_is_full(scenario: Scenario, scratch: Scratch) -> None:
    """From some call on, everything that takes room fails, and removing files works."""
    at = 0
    while True:
        at += 1
        folder = scratch.folder()
        failing = FailingFiles(at, errno.ENOSPC, only=WRITES, for_good=True)
        error = disturbed(scenario, folder, failing)
        if failing.failed is None:
            break
        assert error is None or type(error) is OutOfSpaceError
        assert not temporaries(folder)
        check_old_or_new(scenario, folder, error)


@pytest.mark.parametrize("scenario", EACH, ids=str)
def test_the_disk_is_gone(scenario: Scenario, scratch: Scratch) -> None:
    """From some call on, everything fails, tidying up too: once the disk is back, nothing in this process keeps litter alive."""
    at = 0
    while True:
        at += 1
        folder = scratch.folder()
        failing = FailingFiles(at, errno.EIO, only=CALLS, for_good=True)
        before = open_files()
        error = disturbed(scenario, folder, failing)
        if failing.failed is None:
            break
        assert open_files() <= before
        check_old_or_new(scenario, folder, error)


@pytest.mark.parametrize("scenario", SCENARIOS[1:2], ids=str)
def test_a_failed_save_leaves_the_names_that_were_there(scenario: Scenario, scratch: Scratch) -> None:
    for at in range(1, 200):
        folder = scratch.folder()
        failing = FailingFiles(at, errno.ENOSPC, only=("create", "pwritev", "allocate", "fsync"))
        error = disturbed(scenario, folder, failing)
        if failing.failed is None:
            return
        assert isinstance(error, OutOfSpaceError)
        assert names(folder) == {os.path.join("run", "of", f"ckpt.{end}") for end in ("index", "meta", "data-00000-of-00001")}
    raise AssertionError("the save never succeeded")


def test_a_call_of_a_v1_save_fails(tmp_path: Path) -> None:
    path = str(tmp_path / "v1.ckpt")
    arrays = [{"a": np.full(9, number, np.float32)} for number in range(2)]
    for at in itertools.count(1):
        with files.substituted(InterceptedFiles()):
            save_v1(path, arrays[0])
        before = open_files()
        failing = FailingFiles(at, errno.EIO)
        error: GPersistError | None = None
        with files.substituted(failing):
            try:
                save_v1(path, arrays[1])
            except FileError as raised:
                error = raised
        assert open_files() <= before
        assert os.listdir(tmp_path) == ["v1.ckpt"] or failing.failed == "remove"
        found = gpersist.load(path)["a"][0]
        assert found == 1 or error is not None
        if failing.failed is None:
            assert at > 10
            return
