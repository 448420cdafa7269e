"""Power is lost at every step of a save, and the disk keeps what it likes of all that was not synced: see `journal` for how harsh that is."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import gpersist
from gpersist import files

from .checkpoints import EACH, SCENARIOS, Scenario, arrays, check_tidy, whole
from .intercepted import InterceptedFiles
from .journal import Change, Disk, DyingJournalFiles, JournalFiles, Killed, State, Sync, Write

FIRST_LOSSES, SECOND_LOSSES = 20, 60
"""Of two losses one after the other, so many states of the first are gone on with, and of each so many of the second are looked at."""


def crashes(journal: JournalFiles, begin: int, limit: int) -> set[State]:
    """Every state that a power failure from step `begin` on may leave."""
    disk = Disk()
    for step in journal.steps[:begin]:
        disk.do(step)
    states: set[State] = set()
    for step in journal.steps[begin:]:
        states.update(disk.states(limit))
        disk.do(step)
    return states | finals(journal, limit)


def finals(journal: JournalFiles, limit: int) -> set[State]:
    """Every state that a power failure after the last step may leave."""
    disk = Disk()
    for step in journal.steps:
        disk.do(step)
    return set(disk.states(limit))


def some(states: set[State], count: int) -> list[State]:
    """A choice of states, the same each time."""
    return random.Random(0).sample(sorted(states, key=repr), min(count, len(states)))


def journalled(scenario: Scenario, folder: str) -> tuple[JournalFiles, int]:
    os.mkdir(folder)
    journal = JournalFiles(folder)
    with files.substituted(journal):
        for number in range(1, scenario.before + 1):
            scenario.save(folder, number)
        begin = len(journal.steps)
        scenario.save(folder, scenario.before + 1)
    return journal, begin


def folders(scratch: Path) -> Iterator[str]:
    return (str(scratch / str(number)) for number in itertools.count())


def allowed(scenario: Scenario, new: int) -> list[list[int]]:
    return [scenario.old, [*scenario.old, new], [*scenario.old, new][-2:], [new]]


def check(scenario: Scenario, folder: str, is_new: bool) -> None:
    new = scenario.before + 1
    found = scenario.found(folder)
    assert found in allowed(scenario, new)
    assert new in found or not is_new
    scenario.save(folder, new)
    found = scenario.found(folder)
    assert found[-1] == new
    # A disk that keeps the state file's rename and loses removals before it has forgotten who owned the files: one fsync a deletion would tell it.
    check_tidy(folder, found, passing_over="ckpt-1" if found == [2, 3] else None)


@pytest.mark.parametrize("scenario", EACH, ids=str)
def test_power_is_lost(scenario: Scenario, tmp_path: Path) -> None:
    """The old checkpoint or the new one, whole; the new one once the save has returned; and the next save works and leaves no litter."""
    free = folders(tmp_path)
    journal, begin = journalled(scenario, next(free))
    after = finals(journal, 64)
    states = crashes(journal, begin, 64)
    assert len(states) > 20
    with files.substituted(InterceptedFiles()):
        for state in states:
            folder = next(free)
            state.write(folder)
            check(scenario, folder, state in after)


@pytest.mark.parametrize("scenario", SCENARIOS[:2], ids=str)
def test_a_save_is_killed_and_power_is_lost_after_the_next(scenario: Scenario, tmp_path: Path) -> None:
    """What the dead save did, and never synced, must not take the next one's checkpoint with it: such as a folder that it made."""
    free = folders(tmp_path)
    new, died, at = scenario.before + 1, True, 0
    while died:
        at += 1
        folder = next(free)
        os.mkdir(folder)
        journal = DyingJournalFiles(folder)
        with files.substituted(journal):
            for number in range(1, new):
                scenario.save(folder, number)
            journal.die_at(at)
            with suppress(Killed):
                scenario.save(folder, new)
            died = journal.bury()
            scenario.save(folder, new)
        with files.substituted(InterceptedFiles()):
            for state in finals(journal, 64):
                after = next(free)
                state.write(after)
                assert scenario.found(after) == [new]
    assert at > 10


def test_a_durable_save_after_one_that_was_not(tmp_path: Path) -> None:
    """It takes over the `.meta` that is there, and puts it on the disk."""
    free = folders(tmp_path)
    folder = next(free)
    os.mkdir(folder)
    prefix = os.path.join(folder, "ckpt")
    journal = JournalFiles(folder)
    with files.substituted(journal):
        gpersist.save(prefix, arrays(1), durable=False)
        gpersist.save(prefix, arrays(1), durable=True)
    meta = Path(prefix + ".meta").read_bytes()
    for state in finals(journal, 256):
        folder = next(free)
        state.write(folder)
        assert whole(os.path.join(folder, "ckpt")) == 1
        assert Path(folder, "ckpt.meta").read_bytes() == meta


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_power_is_lost_twice(scenario: Scenario, tmp_path: Path) -> None:
    """Once in a save, and again in the save after it."""
    free = folders(tmp_path)
    journal, begin = journalled(scenario, next(free))
    seen: set[State] = set()
    for first in some(crashes(journal, begin, 1024), FIRST_LOSSES):
        folder = next(free)
        first.write(folder)
        again = JournalFiles(folder)
        again.steps += [Change(path, -1) for path in sorted(first.folders)]
        for path, _, content in sorted(first.files, key=lambda file: file[1]):
            if os.path.exists(os.path.join(folder, path)):
                again.adopt(content, os.path.join(folder, path))
        again.steps += [Sync(None, path) for path in ("", *sorted(first.folders))]
        begin = len(again.steps)
        with files.substituted(again):
            scenario.save(folder, scenario.before + 1)
        after = finals(again, 64)
        for second in some(crashes(again, begin, 64), SECOND_LOSSES):
            if second not in seen:
                seen.add(second)
                folder = next(free)
                second.write(folder)
                with files.substituted(InterceptedFiles()):
                    check(scenario, folder, second in after)


def test_the_model_loses_what_was_not_synced() -> None:
    """Without any fsync, the model leaves an index without its data, and a file without its content."""
    disk = Disk()
    for step in (Change("tmp", 0), Write(0, b"data"), Change("x.data", 0, "tmp"), Change("x.index", 1), Write(1, b"index")):
        disk.do(step)
    left = {frozenset((path, content) for path, _, content in state.files) for state in disk.states(64)}
    assert frozenset({("x.index", b"index")}) in left
    assert frozenset({("x.index", b"index"), ("x.data", b"")}) in left
    disk.do(Sync(0, None))
    disk.do(Sync(None, ""))
    left = {frozenset((path, content) for path, _, content in state.files) for state in disk.states(64)}
    assert left == {frozenset({("x.index", content), ("x.data", b"data")}) for content in (b"", bytes(5), b"in", b"index")}
