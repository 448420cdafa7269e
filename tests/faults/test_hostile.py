"""Hostile files of every kind: each is an error of ours within seconds of the processor and 64 MiB of memory, or no harm at all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import gpersist

from . import hostile

pytestmark = pytest.mark.timeout(600)  # the first test waits for all cases

ROOT = Path(__file__).parents[2]
MAX_SECONDS = 5.0
"""Ten times what the slowest case took where it was measured; without a defence it would be hours."""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[hostile.Outcome]]:
    folder = tmp_path_factory.mktemp("hostile")
    command = [sys.executable, "-m", "tests.faults.hostile", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[hostile.Outcome]] = {name: [] for name in hostile.CASES}
    for line in done.stdout.splitlines():
        outcome = hostile.Outcome(*json.loads(line))
        found[outcome.name].append(outcome)
    return found


@pytest.mark.parametrize("name", hostile.CASES)
def test_hostile(name: str, outcomes: dict[str, list[hostile.Outcome]]) -> None:
    assert [outcome.way for outcome in outcomes[name]] == hostile.ways(name)
    for outcome in outcomes[name]:
        is_ours = issubclass(getattr(gpersist, outcome.result, int), gpersist.GPersistError)
        may_be_right = name in hostile.HARMLESS_CASES or outcome.way == "manager" or (name, outcome.way) in hostile.RIGHT
        assert is_ours or (outcome.result == "ok" and may_be_right), outcome
        assert outcome.seconds < MAX_SECONDS, outcome
