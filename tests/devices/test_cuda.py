"""The CUDA backend on CuPy, be it on a GPU or on the emulated runtime; faults on order are the emulator's alone."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from gpersist.devices import Device, MemoryInfo, PinnedBuffer, adopt, cuda, device_of, nvml, registry
from gpersist.errors import DeviceMemoryError, FailedPreconditionError, UnavailableError

from .contract import F4, DeviceContract, assert_same_bytes, pattern, put, take

cupy = pytest.importorskip("cupy")
pytestmark = pytest.mark.cuda

IS_EMULATED = "CUDASIM_LIBRARY" in os.environ
emulated_only = pytest.mark.skipif(not IS_EMULATED, reason="orders faults of the emulated runtime")
GPUS = cuda.devices()
if not GPUS:
    pytest.skip("CuPy sees no device", allow_module_level=True)
if IS_EMULATED:
    from tests.cudasim import control


@pytest.fixture(autouse=True)
def only_real_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_cuda", GPUS)
    monkeypatch.setattr(registry, "_virtual", [])


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    """Streams, events and memory, pinned or not, are given back: the emulator counts them."""
    if not IS_EMULATED:
        yield
        return

    def counts() -> dict[str, int]:
        for gpu in GPUS:
            with gpu.activate():
                cupy.cuda.Stream.ptds.synchronize()  # makes it, so that it does not count as new
                cupy.get_default_memory_pool().free_all_blocks()
        return {name: count for name, count in control.counts().items() if name != "workers"}

    def grown() -> dict[str, int]:
        return {name: count for name, count in counts().items() if count > before[name]}

    before = counts()
    yield
    if grown():
        gc.collect()
    deadline = time.monotonic() + 60
    while grown() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert grown() == {}


@pytest.fixture(params=[False, True], ids=["eager", "lazy"])
def laziness(request: pytest.FixtureRequest) -> Iterator[None]:
    """Runs a test a second time where work is done only when somebody waits for it."""
    if request.param and not IS_EMULATED:
        pytest.skip("only the emulated runtime is lazy")
    if request.param:
        with control.lazy(2000):
            yield
    else:
        yield


@pytest.mark.usefixtures("laziness")
class TestCudaDevice(DeviceContract):
    backend = "cuda"

    @pytest.fixture
    def device(self) -> Device:
        return GPUS[0]


@pytest.mark.skipif(len(GPUS) < 2, reason="one device only")
class TestLastCudaDevice(DeviceContract):
    backend = "cuda"

    @pytest.fixture
    def device(self) -> Device:
        return GPUS[-1]


@pytest.fixture
def device() -> Device:
    return GPUS[0]


@pytest.fixture
def host(device: Device) -> Iterator[PinnedBuffer]:
    host = device.pinned(1 << 16)
    yield host
    host.close()


def in_process(program: str, **variables: str) -> str:
    """What a program prints in a process of its own."""
    prelude = "import numpy as np\nfrom gpersist.devices import devices\ngpus = devices()[1:]\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", prelude + program],
        env=os.environ | variables,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr  # of a destructor
    return done.stdout


@pytest.mark.usefixtures("laziness")
@pytest.mark.parametrize("kind", ["null", "ptds", "blocking", "non-blocking"])
def test_streams_follow_and_hold_the_callers_current_stream(device: Device, host: PinnedBuffer, kind: str) -> None:
    array, released = put(device, np.zeros(4000, np.float32)), threading.Event()
    with device.activate(), getattr(cupy.cuda.Stream, kind, None) or cupy.cuda.Stream(non_blocking=kind == "non-blocking"):
        array += 1
        copied = device.stream()
        copied.wait(device.record_current())
        copied.copy_to_host(host, 0, array, 0, 16000)
        event = copied.record()
        device.hold_current(lambda: released.wait(100))
        array += 1  # held, on the device, until the copy is out
        after = device.record_current()
        event.synchronize()
        assert not after.is_done()
        released.set()
        after.synchronize()
    assert (host.array[:16000].view(np.float32) == 1).all()
    assert (take(device, array) == 2).all()
    copied.close()


@pytest.mark.usefixtures("laziness")
def test_a_held_stream_does_not_stop_ours(device: Device, host: PinnedBuffer) -> None:
    array, released = put(device, pattern((1000,), F4)), threading.Event()
    with device.activate(), cupy.cuda.Stream(non_blocking=True):
        device.hold_current(lambda: released.wait(100))
        behind = device.record_current()
        stream = device.stream()
        stream.copy_to_host(host, 0, array, 0, 4000)
        stream.record().synchronize()
        assert not behind.is_done()
        released.set()
        behind.synchronize()
    assert_same_bytes(host.array[:4000].view(np.float32), pattern((1000,), F4))
    stream.close()


def test_a_hold_that_fails_is_logged_and_let_go(device: Device, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "gpersist"):
        device.hold_current(lambda: 1 / 0)
        device.record_current().synchronize()
    assert "/device:GPU:0: the wait that held the current stream failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_closed_stream_takes_nothing_more(device: Device, host: PinnedBuffer) -> None:
    stream, array = device.stream(), device.empty((4,), F4)
    stream.close()
    for use in (stream.record, lambda: stream.copy_to_host(host, 0, array, 0, 16), lambda: stream.copy_array(array, array)):
        with pytest.raises(FailedPreconditionError, match="/device:GPU:0: the stream is closed"):
            use()


@pytest.mark.skipif(len(GPUS) < 2, reason="one device only")
@pytest.mark.usefixtures("laziness")
def test_events_reach_across_devices(host: PinnedBuffer) -> None:
    values = pattern((1000,), F4)
    first, second = put(GPUS[0], values), GPUS[1].empty((1000,), F4)
    out, back = GPUS[0].stream(), GPUS[1].stream()
    out.copy_to_host(host, 0, first, 0, 4000)
    back.wait(out.record())
    back.copy_to_device(second, 0, host, 0, 4000)
    GPUS[1].wait_current(back.record())
    assert_same_bytes(take(GPUS[1], second), values)
    assert [device_of(first), device_of(second)] == GPUS[:2]
    out.close()
    back.close()


@pytest.mark.skipif(len(GPUS) < 2, reason="one device only")
def test_activate_leaves_the_thread_as_it_was() -> None:
    def current() -> int:
        return int(cupy.cuda.runtime.getDevice())

    with GPUS[1].activate():
        assert current() == 1
        with pytest.raises(KeyError, match="mine"), GPUS[0].activate():
            assert current() == 0
            raise KeyError("mine")
        GPUS[0].stream().close()
        put(GPUS[0], np.zeros(3))
        assert current() == 1
    assert current() == 0


def test_info_takes_nvmls_word_first(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def ask(*arguments: Any) -> nvml.Facts:
        asked.append(arguments)
        return nvml.Facts("GPU-1", MemoryInfo(3, 4), 5, 16, "580")

    monkeypatch.setattr(nvml, "ask", ask)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    info = device.info()
    assert (info.uuid, info.memory, info.pcie_generation, info.pcie_width, info.driver_version) == ("GPU-1", MemoryInfo(3, 4), 5, 16, "580")
    ((_, pci_bus_id, visible),) = asked
    assert (pci_bus_id, visible) == (info.pci_bus_id, "0,1")
    assert info.compute_capability is not None
    assert ("mulated" in info.product) == IS_EMULATED


def test_what_the_pool_keeps_counts_as_free(device: Device) -> None:
    before = device.memory()
    array = device.empty((1 << 20,), F4)
    held = device.memory()
    assert before.free_bytes - held.free_bytes >= 4 << 20
    del array
    assert device.memory().free_bytes >= held.free_bytes + (4 << 20)


def test_memory_that_the_pool_keeps_is_given_out_again(device: Device) -> None:
    size_bytes = device.memory().total_bytes // 8 * 3
    device.empty((size_bytes,), np.dtype(np.uint8))
    array = device.empty((size_bytes * 2 // 4 * 3,), np.dtype(np.uint8))  # fits only where the first one's block was freed
    assert array.nbytes > size_bytes


def test_cuda_visible_devices_gives_the_ordinals() -> None:
    program = "print([gpu.info().pci_bus_id for gpu in gpus], [gpu.name for gpu in gpus])"
    buses = [gpu.info().pci_bus_id for gpu in GPUS]
    order = ",".join(str(index) for index in reversed(range(len(GPUS))))
    names = [f"/device:GPU:{index}" for index in range(len(GPUS))]
    if "CUDA_VISIBLE_DEVICES" not in os.environ:
        assert in_process(program, CUDA_VISIBLE_DEVICES=order) == f"{buses[::-1]} {names}\n"
    assert in_process(program, CUDA_VISIBLE_DEVICES="") == "[] []\n"


def test_a_fork_is_refused() -> None:
    program = """
import os, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12's, of forking a process that has threads
array, stream, host = gpus[0].empty((4,), np.dtype("f4")), gpus[0].stream(), gpus[0].pinned(64)
event = stream.record()
child = os.fork()
if child == 0:
    for use in (gpus[0].stream, gpus[0].memory, gpus[0].info, event.synchronize, stream.record, lambda: gpus[0].empty((4,), np.dtype("f4"))):
        try:
            use()
        except RuntimeError as error:
            print(type(error).__name__, "forked from it; start the child with" in str(error), flush=True)
    stream.close()
    del stream, event, host
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
stream.close()
"""
    assert in_process(program) == "FailedPreconditionError True\n" * 6


class TestForeign:
    def test_cupy_arrays_are_taken_as_they_are(self) -> None:
        array = cupy.zeros((3, 4))[:, ::2]
        assert adopt(array) is array
        assert device_of(array) is GPUS[0]

    @pytest.mark.parametrize("protocol", ["__cuda_array_interface__", "__dlpack__"])
    @pytest.mark.usefixtures("laziness")
    def test_what_speaks_cuda_is_taken_without_a_copy_and_in_order(self, device: Device, protocol: str) -> None:
        producing = cupy.cuda.Stream(non_blocking=True)
        with device.activate():
            array = cupy.zeros((8, 6), np.float32)
            device.record_current().synchronize()
            with producing:
                array += 3

            class Tensor:
                if protocol == "__dlpack__":

                    def __dlpack__(self, **options: Any) -> Any:
                        with producing:
                            return array.T.__dlpack__(**options)

                    def __dlpack_device__(self) -> tuple[int, int]:
                        return tuple(map(int, array.__dlpack_device__()))  # type: ignore[return-value]

                else:
                    __cuda_array_interface__ = array.T.__cuda_array_interface__ | {"stream": producing.ptr}

            taken = adopt(Tensor())
            assert (taken.data.ptr, taken.shape) == (array.data.ptr, (6, 8))
            taken += 1
        assert (take(device, array) == 4).all()

    def test_bfloat16_by_dlpack(self, device: Device) -> None:
        values = np.arange(5).astype(ml_dtypes.bfloat16)
        array = put(device, values)
        tensor = type("Tensor", (), {"__dlpack__": lambda _, **options: array.__dlpack__(**options), "__dlpack_device__": lambda _: (2, 0)})()
        taken = adopt(tensor)
        assert taken.data.ptr == array.data.ptr
        assert_same_bytes(take(device, taken), values)


@emulated_only
class TestFaults:
    def test_pinning_refused_is_said_once_and_copies_are_right(self, device: Device, caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
        monkeypatch.setattr(cuda, "_has_warned", False)
        values = pattern((3000,), F4)
        with control.faults("cudaHostAlloc:0:2"):
            found = take(device, put(device, values))
            assert not device.pinned(10).is_pinned
        assert_same_bytes(found, values)
        assert device.pinned(10).is_pinned
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "/device:GPU:0: the driver refused to pin 12000 bytes (cudaErrorMemoryAllocation" in caplog.text

    def test_out_of_memory_once_is_overcome(self, device: Device) -> None:
        with control.faults("cudaMalloc:1:2"):
            assert device.empty((1 << 20,), F4).shape == (1 << 20,)

    @pytest.mark.parametrize("allocator", [None, "pool"])
    def test_out_of_memory_for_good(self, device: Device, allocator: str | None) -> None:
        before = cupy.cuda.get_allocator()
        if allocator is None:
            cupy.cuda.set_allocator(None)
        try:
            with control.faults("cudaMalloc:0:2"), pytest.raises(DeviceMemoryError, match=r"/device:GPU:0: 4194304 bytes wanted, \d+ bytes free"):
                device.empty((1 << 20,), F4)
        finally:
            cupy.cuda.set_allocator(before)

    @pytest.mark.parametrize(
        "fault", ["cudaMemcpyAsync.DtoH:1:1", "cudaStreamCreateWithPriority:1:2", "cudaEventRecord:1:1", "cudaEventCreateWithFlags:1:2"]
    )
    def test_a_call_that_fails_names_the_device(self, device: Device, fault: str) -> None:
        values = pattern((10,), F4)
        array = put(device, values)
        with control.faults(fault), pytest.raises(UnavailableError, match="/device:GPU:0: cudaError"):
            take(device, array)
        assert_same_bytes(take(device, array), values)

    @pytest.mark.parametrize("code", [700, 719])
    @pytest.mark.parametrize("laziness_ms", [0, 2000])
    def test_a_sticky_error_comes_up_at_every_call(self, device: Device, host: PinnedBuffer, code: int, laziness_ms: int) -> None:
        array, stream = device.empty((10,), F4), device.stream()
        with control.setting("LAZY_MS", laziness_ms), control.faults(f"async/cudaMemcpyAsync.DtoH:1:{code}"):
            event = None
            for use in (
                lambda: stream.copy_to_host(host, 0, array, 0, 40),
                lambda: stream.record().synchronize(),
                lambda: stream.copy_to_host(host, 0, array, 0, 40),
                lambda: stream.record().is_done(),
                device.stream,
                device.memory,
            ):
                try:
                    event = use()
                except UnavailableError as error:
                    assert "/device:GPU:0: cudaError" in str(error)
                    assert "the CUDA context is lost, so that this process must be started again" in str(error)
                else:
                    assert use.__code__.co_firstlineno and event is None  # only the copy itself may return: it is asynchronous
            stream.close()
            with pytest.raises(UnavailableError):
                device.empty((1 << 22,), F4)

    def test_no_destructor_prints_on_a_lost_context(self) -> None:
        program = """
array, stream, host = gpus[0].empty((4,), np.dtype("f4")), gpus[0].stream(), gpus[0].pinned(64)
event = stream.record()
try:
    stream.copy_to_host(host, 0, array, 0, 16)
    stream.record().synchronize()
except OSError as error:
    print(error)
del event, host, stream
"""
        assert "cudaErrorLaunchFailure" in in_process(program, CUDASIM_FAIL="async/cudaMemcpyAsync.DtoH:1:719")
