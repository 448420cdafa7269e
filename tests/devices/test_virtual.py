from __future__ import annotations

import gc
import pickle
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from gpersist.devices import Device, PinnedBuffer, device_of, use_virtual, virtual
from gpersist.devices.virtual import VirtualDevice
from gpersist.errors import DeviceMemoryError, FailedPreconditionError, InvalidArgumentError, UnavailableError

from .contract import F4, DeviceContract, put, take


def stream_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("gpersist-GPU")]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert stream_threads() == []


class TestVirtualDevice(DeviceContract):
    backend = "virtual"

    @pytest.fixture
    def device(self) -> Device:
        return VirtualDevice(0, 1 << 30)


class TestVirtualDeviceOfTheHostsSize(DeviceContract):
    backend = "virtual"

    @pytest.fixture
    def device(self) -> Device:
        return VirtualDevice(3)


class TestLazyVirtualDevice(DeviceContract):
    backend = "virtual"

    @pytest.fixture
    def device(self) -> Device:
        return VirtualDevice(1, 1 << 30, is_lazy=True)


@pytest.fixture
def two() -> Iterator[list[Device]]:
    with use_virtual(2, 1 << 20) as found:
        yield found


OPERATIONS: dict[str, Any] = {
    "slice": lambda x: x[1:, ::2],
    "index": lambda x: x[[0, 2]],
    "mask": lambda x: x[x > 0],
    "transpose": lambda x: x.T,
    "reshape": lambda x: x.reshape(-1)[3:],
    "view": lambda x: x.view(np.uint32),
    "copy": lambda x: x.copy(),
    "astype": lambda x: x.astype(np.float64),
    "add": lambda x: x + 1,
    "radd": lambda x: 1 + x,
    "add host": lambda x: np.ones((3, 4), np.float32) + x,
    "negate": lambda x: -x,
    "compare": lambda x: x > 2,
    "matmul": lambda x: x @ x.T,
    "dot": lambda x: x.dot(x.T),
    "outer": lambda x: np.add.outer(x, x),
    "accumulate": lambda x: np.cumsum(x, axis=0),
    "sum": lambda x: x.sum(axis=0),
    "mean": lambda x: x.mean(axis=1),
    "var": lambda x: np.var(x, axis=0),
    "argmax": lambda x: x.argmax(axis=0),
    "max keeps": lambda x: x.max(keepdims=True),
    "concatenate": lambda x: np.concatenate([x, x]),
    "stack": lambda x: np.stack([x, x]),
    "where": lambda x: np.where(x > 0, x, 0),
    "einsum": lambda x: np.einsum("ij->j", x),
    "zeros_like": np.zeros_like,
    "empty_like": np.empty_like,
    "sort": lambda x: np.sort(x, axis=0),
    "split": lambda x: np.split(x, 3)[1],
    "modf": lambda x: np.modf(x)[1],
    "svd": lambda x: np.linalg.svd(x).S,
    "qr": lambda x: np.linalg.qr(x)[0],
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_what_numpy_makes_of_an_array_stays_on_its_device(two: list[Device], operation: Any) -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    array = put(two[1], values)
    result = operation(array)
    assert device_of(result) is two[1]
    if operation is not np.empty_like:
        assert np.array_equal(np.asarray(result), operation(values))


def test_operations_in_place_stay_in_place(two: list[Device]) -> None:
    array = put(two[0], np.zeros((3, 4), np.float32))
    same = array
    array += 2
    assert np.add(array, array, out=array) is array
    assert np.divmod(array, 3, out=(array, None))[0] is array
    np.add.at(array, 0, 1)
    assert array is same
    assert np.asarray(array).tolist() == [[2] * 4, [1] * 4, [1] * 4]


@pytest.mark.parametrize(
    "operation",
    [
        lambda x, y: x + y,
        lambda x, y: np.add(x, x, out=y),
        lambda x, y: np.add(x, x, where=y > 0),
        lambda x, y: x @ y,
        lambda x, y: np.concatenate([x, y]),
        lambda x, y: np.where(x > 0, x, y),
        lambda x, y: np.copyto(x, y),
    ],
)
def test_arrays_of_two_devices_do_not_mix(two: list[Device], operation: Any) -> None:
    first, second = (put(device, np.ones((3, 3), np.float32)) for device in two)
    with pytest.raises(InvalidArgumentError, match=r"/device:GPU:0 and of /device:GPU:1 \(virtual\)"):
        operation(first, second)


def test_arrays_move_between_devices_through_the_host(two: list[Device]) -> None:
    first = put(two[0], np.ones(3, np.float32))
    second = two[1].empty((3,), F4)
    second[...] = np.asarray(first)
    assert device_of(second) is two[1]
    assert second.tolist() == [1, 1, 1]


def test_memory_is_counted_until_the_last_view_is_gone(two: list[Device]) -> None:
    device = two[0]

    def used_bytes() -> int:
        return device.memory().total_bytes - device.memory().free_bytes

    array = device.empty((1000,), np.dtype(np.uint8))
    view = array[10:].reshape(-1, 2)
    assert used_bytes() == 1000
    more = array + array
    copied = view.copy()
    assert used_bytes() == 2990
    del array, more
    assert used_bytes() == 1990
    del view
    assert used_bytes() == 990
    del copied
    assert used_bytes() == 0
    assert two[1].memory().free_bytes == 1 << 20


def test_results_count_against_the_limit(two: list[Device]) -> None:
    array = two[0].empty((700_000,), np.dtype(np.uint8))
    for operation in (array.copy, lambda: array + 1, lambda: np.concatenate([array, array]), lambda: two[0].empty((348_577,), np.dtype(np.uint8))):
        with pytest.raises(DeviceMemoryError, match=r"/device:GPU:0 \(virtual\): \d+ bytes wanted, 348576 bytes free"):
            operation()
    two[0].empty((348_576,), np.dtype(np.uint8))
    assert two[0].memory().free_bytes == 348_576


def test_memory_is_counted_right_from_many_threads(two: list[Device]) -> None:
    def work() -> None:
        for _ in range(200):
            array = two[0].empty((100,), np.dtype(np.uint8))
            assert (array + 1).shape == array.shape

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gc.collect()
    assert two[0].memory().free_bytes == two[0].memory().total_bytes


def test_a_stream_takes_only_arrays_of_its_device(two: list[Device]) -> None:
    stream, host = two[0].stream(), two[0].pinned(64)
    for stranger in (two[1].empty((4,), F4), np.zeros(4, np.float32)):
        with pytest.raises(InvalidArgumentError, match=r"stream of /device:GPU:0 \(virtual\)"):
            stream.copy_to_host(host, 0, stranger, 0, 16)
    stream.close()


def blocked(stream: virtual.Stream, until: threading.Event) -> None:
    """Enqueues something that takes its time."""
    stream._worker.enqueue(until.wait)  # type: ignore[attr-defined]


def test_copies_are_asynchronous(two: list[Device]) -> None:
    stream, host, go = two[0].stream(), two[0].pinned(16), threading.Event()
    array = put(two[0], np.full(16, 1, np.uint8))
    blocked(stream, go)
    stream.copy_to_host(host, 0, array, 0, 16)
    event = stream.record()
    array += 1  # too early: nobody waited
    assert not event.is_done()
    assert not host.array.any()
    go.set()
    event.synchronize()
    assert (host.array == 2).all()
    stream.close()


def test_a_stream_that_waits_does_not_stop_others(two: list[Device]) -> None:
    slow, quick, go = two[0].stream(), two[1].stream(), threading.Event()
    blocked(slow, go)
    waiting = two[0].stream()
    waiting.wait(slow.record())
    behind = waiting.record()
    host = two[1].pinned(16)
    quick.copy_to_host(host, 0, put(two[1], np.ones(16, np.uint8)), 0, 16)
    quick.record().synchronize()
    assert not behind.is_done()
    go.set()
    behind.synchronize()
    for stream in (slow, quick, waiting):
        stream.close()


class TestLazy:
    @pytest.fixture
    def device(self) -> Iterator[Device]:
        with use_virtual(1, is_lazy=True) as (device,):
            yield device

    @pytest.fixture
    def host(self, device: Device) -> PinnedBuffer:
        return device.pinned(16)

    def test_a_missing_wait_gives_wrong_bytes_every_time(self, device: Device, host: PinnedBuffer) -> None:
        array, stream = put(device, np.ones(16, np.uint8)), device.stream()
        stream.copy_to_host(host, 0, array, 0, 16)
        event = stream.record()
        array[...] = 2
        event.synchronize()
        assert (host.array == 2).all()
        stream.close()

    def test_an_event_asked_for_brings_what_is_before_it_and_no_more(self, device: Device, host: PinnedBuffer) -> None:
        array, stream = put(device, np.ones(16, np.uint8)), device.stream()
        stream.copy_to_host(host, 0, array, 0, 8)
        first = stream.record()
        stream.copy_to_host(host, 8, array, 8, 8)
        while not first.is_done():
            pass
        assert host.array.tolist() == [1] * 8 + [0] * 8
        stream.close()
        assert host.array.tolist() == [1] * 16

    def test_a_wait_across_streams_reaches_back(self, device: Device, host: PinnedBuffer) -> None:
        array, first, second = put(device, np.ones(16, np.uint8)), device.stream(), device.stream()
        first.copy_to_host(host, 0, array, 0, 16)
        second.wait(first.record())
        assert not host.array.any()
        second.record().synchronize()
        assert host.array.all()
        first.close()
        second.close()


class TestFailure:
    @pytest.fixture(autouse=True)
    def every_second_copy_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real, calls = virtual.copy, iter(range(1, 100))

        def copy(target: Any, source: Any) -> None:
            if next(calls) % 2 == 0:
                raise OSError("the bus is on fire")
            real(target, source)

        monkeypatch.setattr(virtual, "copy", copy)

    def test_stays_with_its_stream(self, two: list[Device]) -> None:
        stream, host, array = two[0].stream(), two[0].pinned(16), two[0].empty((16,), np.dtype(np.uint8))
        array[...] = 1
        stream.copy_to_host(host, 0, array, 0, 4)
        before = stream.record()
        stream.copy_to_host(host, 4, array, 4, 4)
        stream.copy_to_host(host, 8, array, 8, 4)
        after = stream.record()
        before.synchronize()
        for _ in range(2):
            with pytest.raises(UnavailableError, match=r"/device:GPU:0 \(virtual\).*the bus is on fire") as caught:
                after.synchronize()
            assert isinstance(caught.value.__cause__, OSError)
        with pytest.raises(UnavailableError):
            after.is_done()
        with pytest.raises(UnavailableError):
            stream.record().synchronize()
        assert host.array.tolist() == [1] * 4 + [0] * 12  # nothing runs behind a failure
        stream.close()

    def test_reaches_streams_that_waited_for_it_and_no_others(self, two: list[Device]) -> None:
        streams = [two[0].stream() for _ in range(3)]
        host, array = two[0].pinned(16), two[0].empty((16,), np.dtype(np.uint8))
        for _ in range(2):
            streams[0].copy_to_host(host, 0, array, 0, 4)
        streams[1].wait(streams[0].record())
        with pytest.raises(UnavailableError, match="the bus is on fire"):
            streams[1].record().synchronize()
        streams[2].record().synchronize()
        for stream in streams:
            stream.close()


def test_a_closed_stream_takes_nothing_more() -> None:
    stream = VirtualDevice(2).stream()
    stream.close()
    with pytest.raises(FailedPreconditionError, match="/device:GPU:2"):
        stream.wait(VirtualDevice(0).record_current())


def test_a_forgotten_stream_ends_its_thread() -> None:
    stream = VirtualDevice(0).stream()
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "gpersist-GPU:0-stream-0")
    del stream
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()


def test_a_stream_lets_go_of_arrays_before_its_event_passes(two: list[Device]) -> None:
    stream, target = two[0].stream(), two[0].empty((1000,), np.dtype(np.uint8))
    stream.copy_array(target, put(two[0], np.ones(1000, np.uint8)))
    stream.record().synchronize()
    assert two[0].memory().total_bytes - two[0].memory().free_bytes == 1000
    assert take(two[0], target).all()
    stream.close()


def test_pickled_arrays_come_back_to_the_host(two: list[Device]) -> None:
    array = pickle.loads(pickle.dumps(put(two[0], np.ones(3, np.float32))))
    assert device_of(array).is_host
    assert array.tolist() == [1, 1, 1]
