"""Errors on order, errors that lose a device, and what the environment says to a process of its own."""

from __future__ import annotations

from collections.abc import Callable

import cupy
import numpy as np
import pytest
from cupy.cuda import runtime

from tests.cudasim import control

pytestmark = pytest.mark.cuda

Run = Callable[..., str]


def test_the_nth_call_fails_and_no_other() -> None:
    with control.faults("cudaMalloc:2:2"):
        kept = [runtime.malloc(64)]
        with pytest.raises(runtime.CUDARuntimeError, match="cudaErrorMemoryAllocation"):
            runtime.malloc(64)
        kept.append(runtime.malloc(64))
    for address in kept:
        runtime.free(address)


def test_zero_means_every_call() -> None:
    with control.faults("cudaHostAlloc:0:2"):
        for _ in range(3):
            with pytest.raises(runtime.CUDARuntimeError, match="cudaErrorMemoryAllocation"):
                runtime.hostAlloc(64, 0)
    runtime.freeHost(runtime.hostAlloc(64, 0))


def test_copies_are_also_counted_by_direction() -> None:
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        array = cupy.zeros(10, "i8")
    with control.faults("cudaMemcpyAsync.DtoH:1:1"):
        array.set(np.ones(10, "i8"), stream=stream)
        with pytest.raises(runtime.CUDARuntimeError, match="InvalidValue"):
            array.get(stream=stream)
        assert array.get(stream=stream).tolist() == [1] * 10


@pytest.mark.parametrize("specification", ["nonsense", "cudaMalloc:x:2", "cudaMalloc:1:2:3", "cudaMalloc:1"])
def test_malformed_specifications_are_refused(specification: str) -> None:
    with pytest.raises(ValueError, match="not a list"), control.faults(specification):
        pass


def test_an_error_on_the_stream_is_sticky_and_stays_on_its_device() -> None:
    stream = cupy.cuda.Stream(non_blocking=True)
    seen: list[str] = []
    with control.faults("async/cudaLaunchHostFunc:2:719"):
        for name in ("first", "second", "third"):
            stream.launch_host_func(seen.append, name)
        for _ in range(2):
            with pytest.raises(runtime.CUDARuntimeError, match="cudaErrorLaunchFailure"):
                stream.synchronize()
        with pytest.raises(runtime.CUDARuntimeError, match="cudaErrorLaunchFailure"):
            runtime.malloc(1)
        assert runtime.getDeviceProperties(0)["name"].startswith(b"Emulated")
        runtime.setDevice(1)
        runtime.free(runtime.malloc(1))
        with pytest.raises(runtime.CUDARuntimeError, match="cudaErrorLaunchFailure"):
            runtime.setDevice(0)
    assert seen == ["first"]
    stream.synchronize()


def test_a_synchronous_error_of_that_kind_is_sticky_too() -> None:
    with control.faults("cudaMemcpy:1:700"):
        for _ in range(2):
            with pytest.raises(runtime.CUDARuntimeError, match="cudaErrorIllegalAddress"):
                runtime.memcpy(0, 0, 0, runtime.memcpyDefault)


def test_faults_from_the_environment(in_process: Run) -> None:
    program = """
from cupy.cuda import runtime
runtime.free(runtime.malloc(1))
try:
    runtime.malloc(1)
except runtime.CUDARuntimeError as error:
    print(error.status)
"""
    assert in_process(program, CUDASIM_FAIL="cudaMalloc:2:2") == "2"


def test_devices_from_the_environment(in_process: Run) -> None:
    program = """
from cupy.cuda import runtime
for i in range(runtime.getDeviceCount()):
    properties = runtime.getDeviceProperties(i)
    print(properties["name"].decode()[-1], properties["totalGlobalMem"] >> 20, properties["pciBusID"], end="; ")
"""
    four = {"CUDASIM_DEVICES": "4", "CUDASIM_MEM_MB": "64,32"}
    assert in_process(program, **four) == "0 64 1; 1 32 2; 2 32 3; 3 32 4;"
    assert in_process(program, **four, CUDA_VISIBLE_DEVICES="3,0") == "3 32 4; 0 64 1;"
    uuid = "GPU-63756461-7369-6d65-6d75-6c6174656402"
    assert in_process(program, **four, CUDA_VISIBLE_DEVICES=f"{uuid},1,nonsense,0") == "2 32 3; 1 32 2;"


@pytest.mark.parametrize("variables", [{"CUDASIM_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": ""}, {"CUDA_VISIBLE_DEVICES": "1,1"}])
def test_no_devices(in_process: Run, variables: dict[str, str]) -> None:
    program = """
import cupy
print(cupy.cuda.is_available())
try:
    cupy.cuda.runtime.getDeviceCount()
except cupy.cuda.runtime.CUDARuntimeError as error:
    print(error.status)
"""
    assert in_process(program, **variables) == "False\n100"


def test_a_fork_is_refused_everything(in_process: Run) -> None:
    program = """
import os, cupy
array = cupy.zeros(3)
if os.fork() == 0:
    try:
        cupy.cuda.runtime.malloc(1)
    except cupy.cuda.runtime.CUDARuntimeError as error:
        print(error, flush=True)
    os._exit(0)
os.wait()
print(array.get().tolist())
"""
    assert in_process(program) == "cudaErrorInitializationError: initialization error\n[0.0, 0.0, 0.0]"


def test_what_is_not_emulated_says_so(in_process: Run) -> None:
    program = """
import cupy
for use in (lambda: cupy.sort(cupy.arange(3)), lambda: cupy.random.rand(3), lambda: cupy.cuda.Stream().begin_capture()):
    try:
        use()
    except Exception as error:
        print(type(error).__name__)
"""
    assert in_process(program).split() == ["RuntimeError", "ImportError", "CUDARuntimeError"]
