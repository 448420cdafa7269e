"""The emulator's own tests: they run on the emulated runtime only, with `DIR/python -m pytest tests/cudasim`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cudasim import control

if not control.is_emulated():
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture
def leak_free() -> Iterator[None]:
    """Fails the test if a stream, an event, an allocation or a worker thread is left that was not there before."""
    before = control.settled_counts()
    yield
    assert control.settled_counts() == before


@pytest.fixture
def in_process() -> Callable[..., str]:
    """Runs a program in a process of its own, with these variables set, and returns what it prints."""

    def run(program: str, **variables: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, **variables},
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    return run
