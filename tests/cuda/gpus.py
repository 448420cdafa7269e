"""The GPUs that the suite runs on, real or emulated, and what its tests do with them. Importing it skips a module where there are none."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpersist
from gpersist.devices import Device, cuda

cupy = pytest.importorskip("cupy")

IS_EMULATED = "CUDASIM_LIBRARY" in os.environ
GPUS: list[Device] = list(cuda.devices())
if not GPUS:
    pytest.skip("CuPy sees no device", allow_module_level=True)
if IS_EMULATED:
    from tests.cudasim import control

emulated_only = pytest.mark.skipif(not IS_EMULATED, reason="asks of the emulated runtime what no real one does")
several_gpus = pytest.mark.skipif(len(GPUS) < 2, reason="one device only")

STREAMS = ("null", "ptds", "blocking", "non-blocking")
"""The legacy default stream, the thread's own default stream, and streams that do and do not wait for the former."""

_HELD_S = 100.0


def stream_of(kind: str) -> Any:
    """One of `STREAMS`, of the current device."""
    return getattr(cupy.cuda.Stream, kind, None) or cupy.cuda.Stream(non_blocking=kind == "non-blocking")


def hold(stream: Any) -> threading.Event:
    """Stops a stream until the event is set."""
    released = threading.Event()
    stream.launch_host_func(lambda _: released.wait(_HELD_S), None)
    return released


def numbers(first: float, count: int = 50_000) -> np.ndarray[Any, Any]:
    """float32 values that tell which array they are of."""
    return np.arange(first, first + count, dtype=np.float32)


def stored(prefix: object) -> dict[str, np.ndarray[Any, Any]]:
    """What a checkpoint holds, by way of the host alone."""
    found: dict[str, np.ndarray[Any, Any]] = gpersist.load(str(prefix), placement="host")
    return found


def error_of(kind: type[BaseException], call: Callable[[], object]) -> str:
    """The text of the error that a call raises; the error itself would keep alive what its traceback passed by: arrays, streams, events."""
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def files(folder: Path) -> list[str]:
    """The names of all files of a folder."""
    return sorted(path.name for path in folder.iterdir())


def in_process(program: str, **variables: str) -> str:
    """What a program prints in a process of its own, where no warning is given and no destructor complains."""
    prelude = "import cupy, numpy as np, gpersist\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", prelude + program],
        env=os.environ | variables,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout.strip()


@contextlib.contextmanager
def nothing_leaks(within_s: float = 60.0) -> Iterator[None]:
    """Streams, events, threads of streams, memory of devices and pinned memory are given back by the end of the `with`, or soon after it: the
    emulator counts them.
    """
    _tidy_up()
    before = control.settled_counts()
    yield
    _tidy_up()
    deadline, left = time.monotonic() + within_s, _grown(before)
    if left:
        gc.collect()
        _tidy_up()
    while left and time.monotonic() < deadline:
        time.sleep(0.005)
        left = _grown(before)
    assert not left, f"not given back: {left}"


def _tidy_up() -> None:
    """Gives back what is kept on purpose, by us and by CuPy."""
    gpersist.release_memory()
    for gpu in GPUS:
        with gpu.activate():
            cupy.cuda.Stream.ptds.synchronize()  # makes it, so that it does not count as new
            cupy.get_default_memory_pool().free_all_blocks()


def _grown(before: dict[str, int]) -> dict[str, int]:
    return {name: count - before[name] for name, count in control.counts().items() if count > before[name]}
