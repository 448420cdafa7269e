"""What every test has: devices reset, no thread left behind; real models, real TensorFlow, NumPy and CuPy where there are any."""

from __future__ import annotations

import functools
import gc
import importlib
import importlib.util
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest

from gpersist.devices import registry

_MODELS = Path(os.environ.get("GPERSIST_MODELS", Path(__file__).parents[2] / "shared" / "models"))
_TF_PYTHON = os.environ.get("GPERSIST_TF_PYTHON")
_IS_EMULATED = "CUDASIM_LIBRARY" in os.environ
_THREADS_END_WITHIN_S = 60.0

# An example takes as long as a busy machine makes it take; the rest is as Hypothesis has it, which in CI takes the same examples each time.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")


@functools.cache
def _has_cuda() -> bool:
    if importlib.util.find_spec("cupy") is None:
        return False
    import cupy

    return bool(cupy.is_available())


def pytest_report_header() -> str:
    cuda = "emulated, tests/cudasim" if _IS_EMULATED else "CuPy is installed" if importlib.util.find_spec("cupy") else "no CuPy"
    return f"cuda: {cuda}; real TensorFlow: {_TF_PYTHON or 'none (make interop)'}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips what this machine cannot run, and says why; parallel runs leave it out: there thousands of skips cost as much as tests."""
    left_out = set()
    for item in items:
        reason = _why_not(item)
        if reason is not None:
            item.add_marker(pytest.mark.skip(reason=reason))
            left_out.add(item)
    if hasattr(config, "workerinput"):
        items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish() -> None:
    """Spares each collection of garbage the tests themselves: hundreds of thousands of objects that stay."""
    gc.freeze()


def _why_not(item: pytest.Item) -> str | None:
    """Why this machine cannot run a test."""
    if item.get_closest_marker("interop") and not _TF_PYTHON:
        return "GPERSIST_TF_PYTHON names no interpreter that has TensorFlow; make interop sets it"
    if item.get_closest_marker("cuda") and not _has_cuda():
        return "CuPy has no device here; make cuda-emulated runs it"
    if item.get_closest_marker("gpu") and (_IS_EMULATED or not _has_cuda()):
        return "there is no real GPU here"
    return None


@pytest.fixture(autouse=True)
def _devices_are_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    """No virtual devices at the start, whatever the environment says or the test before has switched on."""
    monkeypatch.delenv(registry.VIRTUAL_DEVICES_VARIABLE, raising=False)
    monkeypatch.setattr(registry, "_virtual", None)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    """Fails a test after which a thread of ours still runs. A stream that nobody holds any more may end a little later."""
    before = set(threading.enumerate())
    yield
    if _our_threads(before):
        gc.collect()
    deadline = time.monotonic() + _THREADS_END_WITHIN_S
    for thread in _our_threads(before):
        thread.join(max(0.0, deadline - time.monotonic()))
    left = _our_threads(before)
    assert not left, f"threads left running: {', '.join(sorted(thread.name for thread in left))}"


def _our_threads(before: set[threading.Thread]) -> list[threading.Thread]:
    """Those that were started since, but for those that stay for the next operations (`gpersist.ops.host_threads`)."""
    ours = [thread for thread in threading.enumerate() if thread.name.startswith("gpersist") and thread not in before]
    return [thread for thread in ours if not thread.name.startswith("gpersist.ops.host_threads")]


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of real models, of many origins."""
    if not _MODELS.is_dir():
        pytest.skip(f"no folder of real models at {_MODELS}; GPERSIST_MODELS names one")
    return _MODELS


@pytest.fixture(scope="session")
def tf_python() -> str:
    """The interpreter that has real TensorFlow; for tests marked `interop`."""
    if not _TF_PYTHON:
        pytest.skip("GPERSIST_TF_PYTHON names no interpreter that has TensorFlow")
    return _TF_PYTHON


@pytest.fixture(params=["numpy", pytest.param("cupy", marks=pytest.mark.cuda)])
def xp(request: pytest.FixtureRequest) -> ModuleType:
    """NumPy, and CuPy where it has a device."""
    return importlib.import_module(request.param)
