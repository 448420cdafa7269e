"""The emulator's own tests: they run on the emulated runtime only, with `DIR/python -m pytest tests/cudasim`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

if "CUDASIM_LIBRARY" not in os.environ:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """Fails every test that leaves a stream, an event, an allocation or a worker thread which was not there before."""
    import cupy

    from tests.cudasim import control

    def counts() -> dict[str, int]:
        for ordinal in range(cupy.cuda.runtime.getDeviceCount()):
            with cupy.cuda.Device(ordinal):
                cupy.cuda.Stream.ptds.synchronize()  # makes it: this thread's stays as long as the thread
                cupy.get_default_memory_pool().free_all_blocks()
        cupy.get_default_pinned_memory_pool().free_all_blocks()
        return control.settled_counts()

    before = counts()
    yield
    deadline = time.monotonic() + 60  # a thread takes its streams with it a little after it was joined
    while counts() != before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert counts() == before


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
