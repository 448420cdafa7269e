"""The CUDA suite: the same tests on real devices, on emulated ones, on lazy ones (`CUDASIM_LAZY_MS`) and on slow ones (`CUDASIM_DELAY_US`)."""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Iterator

import pytest

from gpersist.devices import Device, registry


def pytest_report_collectionfinish() -> str:
    """Says what it ran on: a result of the emulator must not be taken for one of a GPU."""
    if importlib.util.find_spec("cupy") is None:
        return "tests/cuda: no CuPy, all skipped"
    from cupy.cuda import runtime

    try:
        names = [runtime.getDeviceProperties(index)["name"].decode() for index in range(runtime.getDeviceCount())]
    except runtime.CUDARuntimeError as error:
        return f"tests/cuda: {error}, all skipped"
    if "CUDASIM_LIBRARY" not in os.environ:
        return f"tests/cuda: {', '.join(names)}; leaks are not counted, which only the emulated runtime can"
    settings = "".join(f", {name}={value}" for name, value in sorted(os.environ.items()) if name.startswith("CUDASIM_") and name != "CUDASIM_LIBRARY")
    return f"tests/cuda: emulated CUDA, {len(names)} devices{settings}"


@pytest.fixture(autouse=True)
def _only_real_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.cuda.gpus import GPUS

    monkeypatch.setattr(registry, "_cuda", GPUS)
    monkeypatch.setattr(registry, "_virtual", [])


@pytest.fixture(autouse=True)
def _records_hold_text_only() -> Iterator[None]:
    """A record that pytest keeps must not keep alive the error that it tells of, and with it all that the error's traceback passed by."""

    def fix(record: logging.LogRecord) -> bool:
        record.msg, record.args = record.getMessage(), ()
        return True

    logger = logging.getLogger("gpersist")
    logger.addFilter(fix)
    yield
    logger.removeFilter(fix)


@pytest.fixture(autouse=True)
def _nothing_leaks(_only_real_devices: None, _records_hold_text_only: None) -> Iterator[None]:
    from tests.cuda.gpus import IS_EMULATED, nothing_leaks

    if not IS_EMULATED:
        yield
        return
    with nothing_leaks():
        yield


@pytest.fixture
def device() -> Device:
    """The first GPU."""
    from tests.cuda.gpus import GPUS

    return GPUS[0]


@pytest.fixture
def prefix(tmp_path: object) -> str:
    """Where a test's checkpoint goes: a folder of its own, with nothing else in it."""
    return f"{tmp_path}/ckpt"


@pytest.fixture
def no_room() -> Iterator[None]:
    """CuPy's pool gives out nothing more on any device, so that a snapshot cannot be copied and the caller's stream is held instead."""
    from tests.cuda.gpus import GPUS, cupy

    pool = cupy.get_default_memory_pool()
    for gpu in GPUS:
        with gpu.activate():
            pool.free_all_blocks()
            pool.set_limit(size=max(pool.total_bytes(), 1))
    yield
    for gpu in GPUS:
        with gpu.activate():
            pool.set_limit(size=0)
