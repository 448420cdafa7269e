"""What is saved in these tests, how, and what must be found afterwards."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import gpersist
from gpersist import CheckpointManager, CheckpointNotFoundError
from gpersist.bundle import is_temporary, read_index
from gpersist.checkpoint import read_state


def arrays(number: int) -> dict[str, Any]:
    """Values that tell which save they are of, all of them; one name is of this save only, so that `.meta` and index differ, too."""
    return {
        "a/kernel": np.arange(35, dtype=np.float32).reshape(5, 7) + number,
        "a/bias": np.full(3, number, ml_dtypes.bfloat16),
        "b/empty": np.zeros((0, 4), np.float64),
        "b/flags": np.arange(9) % (number + 2) == 0,
        "b/words": np.array([b"save", b"", b"%d" % number * 40], object),
        "number": np.int64(number),
        f"only/{number}": np.full((2, 2), number, np.complex64),
    }


def check_values(found: dict[str, Any], number: int) -> None:
    expected = arrays(number)
    assert list(found) == sorted(expected)
    for name, array in expected.items():
        array = np.asarray(array)
        assert found[name].dtype == array.dtype and found[name].shape == array.shape, name
        assert found[name].tobytes() == array.tobytes() if array.dtype != object else found[name].tolist() == array.tolist(), name


def whole(prefix: str) -> int | None:
    """The number of the save that stands under a prefix; None if there is no checkpoint. Anything in between fails the test."""
    try:
        found = gpersist.load(prefix)
    except CheckpointNotFoundError:
        assert not os.path.exists(prefix + ".index")
        return None
    number = int(found["number"])
    check_values(found, number)
    gpersist.verify(prefix)
    return number


@dataclasses.dataclass(frozen=True)
class Scenario:
    """A save to be disturbed, and those before it, which succeed.

    Attributes:
        name: for reports.
        before: number of saves before; they are numbered from 1.
        save: does save `number` in a folder.
        found: numbers of the saves that a reader finds, oldest first.
    """

    name: str
    before: int
    save: Callable[[str, int], Any]
    found: Callable[[str], list[int]]

    @property
    def old(self) -> list[int]:
        """What `found` says before."""
        return [self.before] if self.before else []

    def __str__(self) -> str:
        return self.name


@dataclasses.dataclass(frozen=True)
class ManagerScenario(Scenario):
    """The same with a CheckpointManager that keeps two."""

    @property
    def old(self) -> list[int]:
        return list(range(1, self.before + 1))[-2:]


PREFIX = os.path.join("run", "of", "ckpt")


def _save(folder: str, number: int, shards: int = 1) -> None:
    gpersist.save(os.path.join(folder, PREFIX), arrays(number), shards=shards)


def _found(folder: str) -> list[int]:
    number = whole(os.path.join(folder, PREFIX))
    return [] if number is None else [number]


def _manager_save(folder: str, number: int) -> None:
    with CheckpointManager(os.path.join(folder, "run", "of"), max_to_keep=2) as manager:
        manager.save(number, arrays(number))


def _manager_found(folder: str) -> list[int]:
    manager = CheckpointManager(os.path.join(folder, "run", "of"))
    steps = manager.all_steps()
    for step in steps:
        assert whole(os.path.join(manager.directory, f"ckpt-{step}")) == step
    assert (manager.latest() or "").endswith(f"ckpt-{steps[-1]}" if steps else "")
    if steps:
        check_values(manager.restore(), steps[-1])
    return steps


SCENARIOS = [
    Scenario("first save", 0, _save, _found),
    Scenario("second save", 1, _save, _found),
    Scenario("third save", 2, _save, _found),
    Scenario("three shards", 1, lambda folder, number: _save(folder, number, 3), _found),
    Scenario("fewer shards", 1, lambda folder, number: _save(folder, number, 3 if number == 1 else 2), _found),
    ManagerScenario("first step", 0, _manager_save, _manager_found),
    ManagerScenario("second step", 1, _manager_save, _manager_found),
    ManagerScenario("third step, the first goes", 2, _manager_save, _manager_found),
]


QUICK = [SCENARIOS[0], SCENARIOS[3], SCENARIOS[7]]
"""Those that every run of the tests has time for; between them they do all that the others do."""


EACH = [scenario if scenario in QUICK else pytest.param(scenario, marks=pytest.mark.slow, id=str(scenario)) for scenario in SCENARIOS]
"""All of them as a test's parameters."""


def run(scenario: Scenario, folder: str) -> None:
    """The saves before, in a new folder."""
    os.mkdir(folder)
    for number in range(1, scenario.before + 1):
        scenario.save(folder, number)


def names(folder: str) -> set[str]:
    """Paths of all files below a folder."""
    return {os.path.relpath(os.path.join(where, name), folder) for where, _, found in os.walk(folder) for name in found}


def temporaries(folder: str) -> set[str]:
    return {path for path in names(folder) if is_temporary(os.path.basename(path))}


def check_tidy(folder: str, found: list[int], *, passing_over: str | None = None) -> None:
    """Nothing is in a folder but whole checkpoints and the state file, passing over files of one base name."""
    left = {path for path in names(folder) if os.path.basename(path).partition(".")[0] != passing_over}
    for index in [path for path in left if path.endswith(".index")]:
        prefix = index.removesuffix(".index")
        stored = read_index(os.path.join(folder, prefix))
        for shard in range(int(stored.ranges().columns.shards.max()) + 1):
            left.remove(f"{prefix}.data-{shard:05d}-of-{stored.num_shards:05d}")
        left -= {index, prefix + ".meta"}
    state = os.path.join("run", "of", "checkpoint")
    if state in left:
        listed = read_state(os.path.join(folder, "run", "of"))
        assert listed is not None and [int(path.rpartition("-")[2]) for path in listed.all_model_checkpoint_paths] == found
        left.remove(state)
    assert not left, left


__all__ = ["EACH", "QUICK", "SCENARIOS", "Scenario", "arrays", "check_tidy", "names", "run", "temporaries", "whole"]
