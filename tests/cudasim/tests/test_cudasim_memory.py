"""Device, managed, pinned and registered memory; what a device says of itself; copies of every kind."""

from __future__ import annotations

import cupy
import numpy as np
import pytest
from cupy.cuda import runtime

pytestmark = pytest.mark.cuda

MIB = 1 << 20


def bytes_at(address: int, size: int) -> bytes:
    out = np.empty(size, "u1")
    runtime.memcpy(out.ctypes.data, address, size, runtime.memcpyDefault)
    return out.tobytes()


def test_allocation_counts_against_its_device_until_freed() -> None:
    before, total = runtime.memGetInfo()
    address = runtime.malloc(3 * MIB)
    assert runtime.memGetInfo() == (before - 3 * MIB, total)
    with cupy.cuda.Device(1):
        assert runtime.memGetInfo() == (total, total)
    runtime.free(address)
    assert runtime.memGetInfo() == (before, total)


def test_fresh_memory_is_poisoned() -> None:
    address = runtime.malloc(600)
    assert set(bytes_at(address, 600)) == {0xCD}
    runtime.free(address)
    pinned = runtime.hostAlloc(600, 0)
    assert set(bytes_at(pinned, 600)) == {0xCE}
    runtime.freeHost(pinned)


def test_more_than_the_device_has() -> None:
    free = runtime.memGetInfo()[0]
    with pytest.raises(runtime.CUDARuntimeError, match="cudaErrorMemoryAllocation"):
        runtime.malloc(free + 512)
    address = runtime.malloc(free)
    with pytest.raises(cupy.cuda.memory.OutOfMemoryError):
        cupy.empty(1, "u1")
    runtime.free(address)


@pytest.mark.parametrize(("allocate", "free", "kind"), [("malloc", "free", 2), ("mallocManaged", "free", 3), ("hostAlloc", "freeHost", 1)])
def test_pointer_attributes(allocate: str, free: str, kind: int) -> None:
    with cupy.cuda.Device(1):
        address = getattr(runtime, allocate)(1024, *([0] if allocate == "hostAlloc" else []))
        attributes = runtime.pointerGetAttributes(address + 1023)
        assert (attributes.type, attributes.device) == (kind, 1)
        getattr(runtime, free)(address)
    assert runtime.pointerGetAttributes(address).type == 0


def test_registered_memory_is_pinned_until_unregistered() -> None:
    array = np.zeros(5000, "u1")
    runtime.hostRegister(array.ctypes.data, array.nbytes, 0)
    assert runtime.pointerGetAttributes(array.ctypes.data + 4999).type == 1
    for offset in (0, 4999, -10):
        with pytest.raises(runtime.CUDARuntimeError, match="AlreadyRegistered"):
            runtime.hostRegister(array.ctypes.data + offset, 100, 0)
    runtime.hostUnregister(array.ctypes.data)
    with pytest.raises(runtime.CUDARuntimeError, match="NotRegistered"):
        runtime.hostUnregister(array.ctypes.data)


def test_wrong_frees_are_refused() -> None:
    address, pinned = runtime.malloc(100), runtime.hostAlloc(100, 0)
    for free, wrong in ((runtime.free, address + 1), (runtime.freeHost, address), (runtime.freeHost, pinned + 8)):
        with pytest.raises(runtime.CUDARuntimeError, match="InvalidValue"):
            free(wrong)
    runtime.free(address)
    runtime.freeHost(pinned)
    with pytest.raises(runtime.CUDARuntimeError, match="InvalidValue"):
        runtime.free(address)


@pytest.mark.parametrize("is_async", [False, True])
def test_copies_in_every_direction(is_async: bool) -> None:
    stream = cupy.cuda.Stream(non_blocking=True)

    def copy(target: int, source: int, kind: int) -> None:
        if is_async:
            runtime.memcpyAsync(target, source, 1000, kind, stream.ptr)
            stream.synchronize()
        else:
            runtime.memcpy(target, source, 1000, kind)

    source, target = np.arange(1000, dtype="u1"), np.zeros(1000, "u1")
    pinned, first, second = runtime.hostAlloc(1000, 0), runtime.malloc(1000), runtime.malloc(1000)
    copy(pinned, source.ctypes.data, runtime.memcpyHostToHost)
    copy(first, pinned, runtime.memcpyHostToDevice)
    copy(second, first, runtime.memcpyDeviceToDevice)
    copy(target.ctypes.data, second, runtime.memcpyDeviceToHost)
    assert (target == source).all()
    if is_async:
        runtime.memsetAsync(first, 7, 1000, stream.ptr)
    else:
        runtime.memset(first, 7, 1000)
    copy(target.ctypes.data, first, runtime.memcpyDefault)
    assert set(target) == {7}
    runtime.free(first)
    runtime.free(second)
    runtime.freeHost(pinned)


def test_copies_that_leave_an_allocation_are_refused() -> None:
    address, host = runtime.malloc(100), np.empty(200, "u1")
    for target, source, size, kind in (
        (host.ctypes.data, address, 101, runtime.memcpyDeviceToHost),
        (address + 50, host.ctypes.data, 51, runtime.memcpyHostToDevice),
        (host.ctypes.data, host.ctypes.data + 100, 50, runtime.memcpyDeviceToHost),
    ):
        with pytest.raises(runtime.CUDARuntimeError, match="InvalidValue"):
            runtime.memcpy(target, source, size, kind)
    runtime.free(address)


def test_peer_copies() -> None:
    with cupy.cuda.Device(1):
        there = cupy.asarray(np.arange(10))
    here = cupy.zeros(10, there.dtype)
    runtime.memcpyPeer(here.data.ptr, 0, there.data.ptr, 1, there.nbytes)
    assert here.get().tolist() == list(range(10))
    here.fill(0)
    stream = cupy.cuda.Stream()
    runtime.memcpyPeerAsync(here.data.ptr, 0, there.data.ptr, 1, there.nbytes, stream.ptr)
    stream.synchronize()
    assert here.get().tolist() == list(range(10))
    assert cupy.asarray(there).device.id == 0
    assert runtime.deviceCanAccessPeer(0, 1) == 1


def test_stream_ordered_pool() -> None:
    pool = cupy.cuda.MemoryAsyncPool()
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream, cupy.cuda.using_allocator(pool.malloc):
        array = cupy.asarray(np.arange(1000))
        assert array.get().sum() == 499500
        del array
    stream.synchronize()


def test_devices_say_that_they_are_emulated() -> None:
    assert runtime.getDeviceCount() == 2
    properties = [runtime.getDeviceProperties(i) for i in range(2)]
    assert [p["name"] for p in properties] == [b"Emulated CUDA device 0", b"Emulated CUDA device 1"]
    assert properties[0]["uuid"] != properties[1]["uuid"]
    assert runtime.deviceGetPCIBusId(1) == "0000:02:00.0"
    assert runtime.deviceGetByPCIBusId("0000:02:00.0") == 1
    assert cupy.cuda.Device(1).compute_capability == "80"
    for ordinal in (-1, 2):
        with pytest.raises(runtime.CUDARuntimeError, match="InvalidDevice"):
            runtime.getDeviceProperties(ordinal)
