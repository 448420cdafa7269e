"""A training program that is killed and started again ends with the same variables, bit for bit, as one that ran through."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]


def _train(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.train.resumed_training", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=_ROOT, timeout=100)


@pytest.mark.parametrize("step", [100, 137])
def test_killed_and_resumed(step: int, tmp_path: Path) -> None:
    """Killed at step 137 it resumes from the checkpoint of step 120, or 100 where that was still being written, and does the steps after it again."""
    whole = _train(str(tmp_path / "whole"))
    killed = _train(str(tmp_path / "killed"), str(step))
    assert killed.returncode == -signal.SIGKILL and not killed.stdout, killed.stderr
    resumed = _train(str(tmp_path / "killed"))
    assert "Restoring parameters from" in resumed.stderr
    assert "global_step:0 c800000000000000" in whole.stdout
    assert resumed.stdout == whole.stdout
