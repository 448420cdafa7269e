"""A save is killed at every file call in turn: the old checkpoint or the new one stands whole, and the next save works and leaves no litter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .checkpoints import QUICK, SCENARIOS, Scenario

ROOT = Path(__file__).parents[2]


def kill(folder: Path, calls: str, scenarios: list[Scenario]) -> None:
    command = [sys.executable, "-m", "tests.faults.killed_saves", str(folder), calls, *map(str, scenarios)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    outcomes = dict(map(json.loads, done.stdout.splitlines()))
    assert list(outcomes) == list(map(str, scenarios))
    for found in outcomes.values():
        assert found["old"] > 10
        assert found["new"] > 1


def test_killed_after_every_change(tmp_path: Path) -> None:
    kill(tmp_path, "changes", QUICK)


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_killed_before_and_after_every_call(tmp_path: Path) -> None:
    kill(tmp_path, "all", SCENARIOS)
