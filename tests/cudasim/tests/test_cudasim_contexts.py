"""Primary contexts: which call makes one, on which device, and what a thread's current one is."""

from __future__ import annotations

import threading
from collections.abc import Callable

import cupy
import pytest
from cupy.cuda import driver, runtime

pytestmark = pytest.mark.cuda

Run = Callable[..., str]

ACTIVE = """
import ctypes
import cupy
from cupy.cuda import driver, runtime
def active():
    flags, is_active = ctypes.c_uint(), ctypes.c_int()
    ask = ctypes.CDLL("libcuda.so.1").cuDevicePrimaryCtxGetState
    return [ordinal for ordinal in (0, 1) if ask(ordinal, ctypes.byref(flags), ctypes.byref(is_active)) == 0 and is_active.value]
"""


def test_setting_a_device_makes_its_context_and_asking_does_not(in_process: Run) -> None:
    program = f"""{ACTIVE}
runtime.getDeviceCount(), runtime.getDevice(), runtime.getDeviceProperties(0), driver.ctxGetCurrent()
print(active(), end=" ")
runtime.setDevice(1)
print(active(), runtime.getDevice(), end=" ")
runtime.memGetInfo()
print(active(), end=" ")
runtime.setDevice(0)
print(active())
"""
    assert in_process(program) == "[] [1] 1 [1] [0, 1]"


def test_the_first_work_makes_one(in_process: Run) -> None:
    assert in_process(f"{ACTIVE}\ncupy.empty(3)\nprint(active(), driver.ctxGetCurrent() != 0)") == "[0] True"


def test_a_bound_context_is_the_current_device() -> None:
    found: list[object] = []

    def work() -> None:
        found.append(driver.ctxGetCurrent())
        driver.ctxSetCurrent(contexts[1])
        found.append(runtime.getDevice())
        found.append(cupy.empty(3).device.id)
        driver.ctxSetCurrent(0)
        found.append(runtime.getDevice())
        found.append(driver.ctxGetCurrent())

    contexts = []
    for ordinal in (1, 0):
        with cupy.cuda.Device(ordinal):
            contexts.insert(0, driver.ctxGetCurrent())
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [0, 1, 1, 0, 0]
    with pytest.raises(driver.CUDADriverError):
        driver.ctxSetCurrent(4096)
