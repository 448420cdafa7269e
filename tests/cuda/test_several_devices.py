"""Several devices at once, some that are not there, and none touched that is not meant."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

import gpersist
from gpersist.devices import device_of, registry
from gpersist.errors import DeviceMemoryError, DeviceNotFoundError
from tests.cuda.gpus import GPUS, IS_EMULATED, cupy, hold, in_process, numbers, several_gpus, stored
from tests.devices.contract import assert_same_bytes, put, take

pytestmark = pytest.mark.cuda

CONTEXTS = """
import ctypes
def contexts():
    driver, active = ctypes.CDLL("libcuda.so.1"), []
    for ordinal in range(cupy.cuda.runtime.getDeviceCount()):
        flags, is_active = ctypes.c_uint(), ctypes.c_int()
        assert driver.cuDevicePrimaryCtxGetState(ordinal, ctypes.byref(flags), ctypes.byref(is_active)) == 0
        active += [ordinal] * is_active.value
    return active
"""


@pytest.mark.skipif(len(GPUS) > 2 or not IS_EMULATED, reason="there are many already, or no more to be had")
def test_all_of_this_on_four_devices() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not Contexts and not VisibleDevices", __file__],
        env=os.environ | {"CUDASIM_DEVICES": "4"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout
    assert "emulated CUDA, 4 devices" in done.stdout


@several_gpus
@pytest.mark.parametrize("count", range(2, len(GPUS) + 1))
def test_arrays_of_several_devices_in_one_checkpoint(prefix: str, count: int) -> None:
    gpus = GPUS[:count]
    arrays: dict[str, Any] = {f"{index}/{number}": put(gpu, numbers(10 * index + number)) for index, gpu in enumerate(gpus) for number in range(3)}
    arrays["host"] = numbers(1000)
    held = []
    for gpu in gpus:
        with gpu.activate():
            held.append(hold(cupy.cuda.Stream.null))
    handle = gpersist.save_async(prefix, arrays, ring_bytes=65536, threads=4)
    for index, gpu in enumerate(gpus):
        with gpu.activate():
            for number in range(3):
                arrays[f"{index}/{number}"] += 1
    arrays["host"] += 1
    for released in reversed(held):
        released.set()
    handle.result()
    found = gpersist.load(prefix)
    assert_same_bytes(found["host"], numbers(1000))
    for index, gpu in enumerate(gpus):
        for number in range(3):
            name = f"{index}/{number}"
            assert device_of(found[name]) is gpu
            assert_same_bytes(take(gpu, found[name]), numbers(10 * index + number))
            assert_same_bytes(take(gpu, arrays[name]), numbers(10 * index + number) + 1)
    gpersist.load(prefix, into=arrays)
    for index, gpu in enumerate(gpus):
        assert_same_bytes(take(gpu, arrays[f"{index}/0"]), numbers(10 * index))


@several_gpus
def test_a_thread_for_each_device(prefix: str) -> None:
    arrays = [put(gpu, numbers(index)) for index, gpu in enumerate(GPUS)]
    errors: list[BaseException] = []

    def work(index: int) -> None:
        try:
            with GPUS[index].activate():
                for step in range(3):
                    handle = gpersist.save_async(f"{prefix}-{index}", {"x": arrays[index]})
                    arrays[index] += 1
                    handle.result()
                    gpersist.load(f"{prefix}-{index}", into={"x": arrays[index]})
                    arrays[index] += 1
                    assert_same_bytes(stored(f"{prefix}-{index}")["x"], numbers(index + step))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(GPUS))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    for index, gpu in enumerate(GPUS):
        assert_same_bytes(take(gpu, arrays[index]), numbers(index + 3))


@several_gpus
def test_moved_to_other_devices(prefix: str) -> None:
    first, last = GPUS[0], GPUS[-1]
    gpersist.save(prefix, {"a": put(first, numbers(1)), "b": put(last, numbers(2)), "c": numbers(3)})
    for placement, places in (
        (last.name, [last, last, last]),
        ({"a": last.name, "c": first.name}, [last, last, first]),
        ("single", [first, first, first]),
        ("strict", [first, last, device_of(numbers(0))]),
    ):
        found = gpersist.load(prefix, placement=placement)
        assert [device_of(array) for array in found.values()] == places
        for number, (array, gpu) in enumerate(zip(found.values(), places, strict=True)):
            assert_same_bytes(array if gpu.is_host else take(gpu, array), numbers(number + 1))
    target = {"a": put(last, numbers(0)), "b": put(first, numbers(0)), "c": put(last, numbers(0))}
    gpersist.load(prefix, into=target)
    assert_same_bytes(take(last, target["c"]), numbers(3))


class TestMissing:
    @pytest.fixture
    def wanted(self, prefix: str) -> str:
        """A checkpoint whose `.meta` names a device that nobody has."""
        gpersist.save(prefix, {"x": put(GPUS[0], numbers(4)), "y": numbers(5)}, devices={"x": "/device:GPU:77"})
        return prefix

    def test_is_an_error_that_names_it_and_those_there(self, wanted: str) -> None:
        with pytest.raises(DeviceNotFoundError) as caught:
            gpersist.load(wanted, placement="strict")
        for part in ("/device:GPU:77", "x", *(gpu.name for gpu in GPUS), "clear_devices=True", "placement="):
            assert part in str(caught.value)
        with pytest.raises(DeviceNotFoundError, match="/device:GPU:99"):
            gpersist.load(wanted, placement="/device:GPU:99")

    def test_is_replaced_with_one_warning(self, wanted: str, caplog: pytest.LogCaptureFixture) -> None:
        found = gpersist.load(wanted)
        assert device_of(found["x"]) is GPUS[77 % len(GPUS)]
        assert isinstance(found["y"], np.ndarray)
        (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        assert "/device:GPU:77" in warning

    def test_is_forgotten_when_devices_are_cleared(self, wanted: str) -> None:
        found = gpersist.load(wanted, clear_devices=True)
        assert [device_of(array) for array in found.values()] == [GPUS[0], GPUS[0]]

    def test_does_not_matter_to_who_reads_on_the_host(self, wanted: str) -> None:
        with gpersist.open(wanted) as checkpoint:
            assert_same_bytes(checkpoint["x"][:], numbers(4))
        assert_same_bytes(stored(wanted)["x"], numbers(4))

    def test_goes_to_the_host_where_there_is_no_gpu(self, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(registry, "_cuda", [])
        assert_same_bytes(gpersist.load(wanted)["x"], numbers(4))


def test_one_device_without_room_is_found_before_a_byte_moves(prefix: str) -> None:
    gpersist.save(prefix, {"small": numbers(1), "large": np.zeros(1 << 20, np.uint8)})
    last, pool = GPUS[-1], cupy.get_default_memory_pool()
    with last.activate():
        pool.set_limit(size=pool.total_bytes() + (1 << 19))
    try:
        with pytest.raises(DeviceMemoryError) as caught:
            gpersist.load(prefix, placement={"large": last.name, "small": GPUS[0].name})
        with last.activate():
            assert pool.used_bytes() == 0
    finally:
        with last.activate():
            pool.set_limit(size=0)
    for part in (last.name, "1.2 MiB" if last is GPUS[0] else "1.0 MiB", "512.0 KiB"):
        assert part in str(caught.value)


@several_gpus
class TestContexts:
    """From CUDA 12 on, making a device current makes a context on it, half a GiB, also where that is only to restore what was before."""

    def test_none_on_a_device_that_is_not_used(self, prefix: str) -> None:
        program = f"""{CONTEXTS}
cupy.cuda.Device(1).use()
x = cupy.arange(100_000, dtype=np.float32)
strided = x[::2]
gpersist.save({prefix!r}, {{"x": x, "strided": strided}})
gpersist.save_async({prefix!r}, {{"x": x, "strided": strided}}, threads=3).result()
found = gpersist.load({prefix!r})
assert [array.device.id for array in found.values()] == [1, 1]
gpersist.load({prefix!r}, into={{"x": x, "strided": x[::2]}})
with gpersist.open({prefix!r}) as checkpoint:
    checkpoint["x"][:]
print(contexts(), cupy.cuda.runtime.getDevice())
"""
        assert in_process(program) == "[1] 1"

    def test_none_by_a_thread_that_never_used_one(self, prefix: str) -> None:
        program = f"""{CONTEXTS}
import threading
def in_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
gpersist.save({prefix!r}, {{"x": np.arange(100_000, dtype=np.float32)}})
found = gpersist.load({prefix!r}, placement="/device:GPU:1")
in_thread(lambda: gpersist.save_async({prefix!r}, found).result())
in_thread(lambda: gpersist.load({prefix!r}, into=found))
gpersist.release_memory()
print(contexts(), cupy.cuda.runtime.getDevice())
"""
        assert in_process(program) == "[1] 0"

    def test_the_current_device_stays_what_it_was(self, prefix: str) -> None:
        """CuPy launches the kernel that copies a strided array behind a cudaSetDevice of its own."""
        program = f"""
import threading
with cupy.cuda.Device(1):
    x = cupy.arange(100_000, dtype=np.float32)
def work():
    gpersist.save_async({prefix!r}, {{"x": x[::2]}}).result()
    print(cupy.cuda.runtime.getDevice(), end=" ")
thread = threading.Thread(target=work)
thread.start()
thread.join()
work()
"""
        assert in_process(program) == "0 0"

    def test_listing_and_reading_make_none(self, prefix: str) -> None:
        program = f"""{CONTEXTS}
gpersist.devices()
gpersist.save({prefix!r}, {{"x": np.arange(5)}}, devices={{"x": "/device:GPU:1"}})
gpersist.save_async({prefix!r}, {{"x": np.arange(5)}}).result()
gpersist.load({prefix!r})
with gpersist.open({prefix!r}) as checkpoint:
    checkpoint["x"][:]
gpersist.verify({prefix!r})
print(contexts())
"""
        assert in_process(program) == "[]"


@several_gpus
@pytest.mark.skipif("CUDA_VISIBLE_DEVICES" in os.environ, reason="CUDA_VISIBLE_DEVICES is set already")
class TestVisibleDevices:
    """A checkpoint names the process's own ordinals, whatever the machine calls the devices."""

    PROGRAM = """
x = gpersist.load({prefix!r})["x"]
print(x.device.id, x.device.pci_bus_id, float(x[0]))
"""

    @pytest.fixture
    def saved(self, prefix: str) -> str:
        gpersist.save(prefix, {"x": put(GPUS[1], numbers(6))})
        return prefix

    @pytest.fixture
    def buses(self) -> list[str]:
        return [str(cupy.cuda.runtime.deviceGetPCIBusId(index)) for index in range(len(GPUS))]

    def test_in_another_order(self, saved: str, buses: list[str]) -> None:
        program = self.PROGRAM.format(prefix=saved)
        assert in_process(program) == f"1 {buses[1]} 6.0"
        assert in_process(program, CUDA_VISIBLE_DEVICES="1,0") == f"1 {buses[0]} 6.0"

    def test_only_one_of_them(self, saved: str, buses: list[str]) -> None:
        program = self.PROGRAM.format(prefix=saved)
        assert in_process(program, CUDA_VISIBLE_DEVICES="1") == f"0 {buses[1]} 6.0"

    def test_by_uuid(self, saved: str, buses: list[str]) -> None:
        if IS_EMULATED:
            uuids = [f"GPU-{UUID(bytes=b'cudasimemulated' + bytes([ordinal]))}" for ordinal in range(2)]
        else:
            uuids = [str(gpu.info().uuid) for gpu in GPUS]
        program = self.PROGRAM.format(prefix=saved)
        assert in_process(program, CUDA_VISIBLE_DEVICES=f"{uuids[1]},{uuids[0]}") == f"1 {buses[0]} 6.0"

    def test_none_of_them(self, saved: str) -> None:
        program = f"x = gpersist.load({saved!r})['x']; print(type(x).__module__, x[0])"
        assert in_process(program, CUDA_VISIBLE_DEVICES="") == "numpy 6.0"
