"""The contract of a device, as tests: a backend's test class inherits them and says which device to use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from gpersist.devices import Device, PinnedBuffer, Stream
from gpersist.dtypes import DType, all_dtypes
from gpersist.errors import DeviceMemoryError, InvalidArgumentError, UnimplementedError

F4 = np.dtype(np.float32)
NUMERIC = [dtype for dtype in all_dtypes() if dtype.numpy is not None and not dtype.is_string]


def put(device: Device, values: np.ndarray[Any, Any]) -> Any:
    """A new array on a device with these values, by the contract's own means."""
    array = device.empty(values.shape, values.dtype)
    stream, host = device.stream(), device.pinned(values.nbytes)
    host.array[:] = np.frombuffer(values.tobytes(), np.uint8)
    stream.wait(device.record_current())
    stream.copy_to_device(array, 0, host, 0, values.nbytes)
    stream.record().synchronize()
    stream.close()
    return array


def take(device: Device, array: Any) -> np.ndarray[Any, Any]:
    """A contiguous array's values, behind what the calling thread did to it."""
    stream, host = device.stream(), device.pinned(array.nbytes)
    stream.wait(device.record_current())
    stream.copy_to_host(host, 0, array, 0, array.nbytes)
    stream.record().synchronize()
    stream.close()
    return np.frombuffer(host.array.tobytes(), array.dtype).reshape(array.shape)


def pattern(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    size_bytes = int(np.prod(shape)) * dtype.itemsize
    data = np.random.default_rng(size_bytes).integers(0, 2 if dtype.kind == "b" else 256, size_bytes, np.uint8)
    return data.view(dtype).reshape(shape)


def assert_same_bytes(found: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> None:
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    assert found.tobytes() == expected.tobytes()


class DeviceContract:
    backend: str

    @pytest.fixture
    def device(self) -> Iterator[Device]:
        raise NotImplementedError

    @pytest.fixture
    def stream(self, device: Device) -> Iterator[Stream]:
        stream = device.stream()
        yield stream
        stream.close()

    @pytest.fixture
    def host(self, device: Device) -> Iterator[PinnedBuffer]:
        host = device.pinned(1 << 16)
        yield host
        host.close()

    def test_says_what_it_is(self, device: Device) -> None:
        info = device.info()
        assert (info.name, info.backend) == (device.name, device.backend) == (device.spec.to_string(), self.backend)
        assert info.product
        assert 0 < info.memory.free_bytes <= info.memory.total_bytes
        assert 0 < device.memory().free_bytes <= device.memory().total_bytes
        assert device.name in repr(device)

    @pytest.mark.parametrize("dtype", NUMERIC, ids=lambda dtype: dtype.name)
    def test_every_dtype_there_and_back(self, device: Device, dtype: DType) -> None:
        assert dtype.numpy is not None
        values = pattern((3, 5), dtype.numpy)
        array = put(device, values)
        assert array.dtype == dtype.numpy
        assert_same_bytes(take(device, array), values)

    @pytest.mark.parametrize("shape", [(), (0,), (4, 0, 2), (1,), (7,), (3, 4, 5)], ids=str)
    def test_every_shape_there_and_back(self, device: Device, shape: tuple[int, ...]) -> None:
        values = pattern(shape, F4)
        array = put(device, values)
        assert array.shape == shape
        assert_same_bytes(take(device, array), values)

    def test_owns_its_own_arrays_only(self, device: Device) -> None:
        array = device.empty((2,), F4)
        assert device.owns(array)
        assert device.owns(array[1:])
        assert not device.owns([1, 2])
        assert device.owns(np.zeros(2)) == device.is_host

    def test_copies_pieces_at_any_offset(self, device: Device, stream: Stream, host: PinnedBuffer) -> None:
        values = pattern((1000,), np.dtype(np.uint8))
        array = put(device, values)
        host.array[:] = 0
        stream.copy_to_host(host, 17, array, 300, 333)
        stream.record().synchronize()
        assert_same_bytes(host.array[17:350], values[300:633])
        assert not host.array[:17].any()
        assert not host.array[350:].any()
        stream.copy_to_device(array, 1, host, 17, 333)
        stream.record().synchronize()
        assert_same_bytes(take(device, array), np.concatenate([values[:1], values[300:633], values[334:]]))

    @pytest.mark.parametrize(
        ("host_offset", "array_offset", "size_bytes"), [(65530, 0, 10), (0, 95, 6), (-1, 0, 4), (0, -1, 4), (0, 0, -4), (0, 101, 0)]
    )
    def test_a_copy_beyond_either_end_is_refused(
        self, device: Device, stream: Stream, host: PinnedBuffer, host_offset: int, array_offset: int, size_bytes: int
    ) -> None:
        array = device.empty((25,), F4)
        with pytest.raises(InvalidArgumentError, match="leaves the"):
            stream.copy_to_host(host, host_offset, array, array_offset, size_bytes)
        with pytest.raises(InvalidArgumentError, match="leaves the"):
            stream.copy_to_device(array, array_offset, host, host_offset, size_bytes)

    def test_bytes_of_a_strided_array_are_refused(self, device: Device, stream: Stream, host: PinnedBuffer) -> None:
        with pytest.raises(InvalidArgumentError, match="not one run of bytes"):
            stream.copy_to_host(host, 0, device.empty((4, 4), F4)[:, ::2], 0, 8)

    @pytest.mark.parametrize("dtype", NUMERIC, ids=lambda dtype: dtype.name)
    def test_copies_arrays_of_every_dtype(self, device: Device, stream: Stream, dtype: DType) -> None:
        assert dtype.numpy is not None
        values = pattern((6, 4), dtype.numpy)
        source, target = put(device, values), device.empty((4, 6), dtype.numpy)
        stream.wait(device.record_current())
        stream.copy_array(target, source.T)
        stream.record().synchronize()
        assert_same_bytes(take(device, target), np.ascontiguousarray(values.T))

    @pytest.mark.parametrize(
        "layout",
        [np.s_[:], np.s_[::2], np.s_[:, 1::3], np.s_[::-1, ::-2], np.s_[2:3, 4:5], np.s_[5:5], np.s_[:, None, 3]],
        ids=str,
    )
    def test_copies_arrays_of_every_layout(self, device: Device, stream: Stream, layout: Any) -> None:
        values = pattern((8, 9), F4)
        source = put(device, values)[layout]
        target = device.empty(source.shape, F4)
        stream.wait(device.record_current())
        stream.copy_array(target, source)
        stream.record().synchronize()
        assert_same_bytes(take(device, target), np.ascontiguousarray(values[layout]))

    def test_a_stream_keeps_its_order(self, device: Device, stream: Stream, host: PinnedBuffer) -> None:
        array = put(device, np.zeros(64, np.uint8))
        for offset in range(64):  # each step reads what the one before wrote
            host.array[:] = 0
            stream.copy_to_host(host, 0, array, 0, 64)
            stream.record().synchronize()
            host.array[offset] = offset + 1
            stream.copy_to_device(array, 0, host, 0, 64)
            stream.copy_to_host(host, 64, array, 0, 64)
            stream.record().synchronize()
            assert host.array[64 + offset] == offset + 1
        assert take(device, array).tolist() == list(range(1, 65))

    def test_one_stream_waits_for_another(self, device: Device, stream: Stream, host: PinnedBuffer) -> None:
        values, other = pattern((4096,), np.dtype(np.uint8)), device.stream()
        array = put(device, np.zeros(4096, np.uint8))
        host.array[:4096] = values
        stream.copy_to_device(array, 0, host, 0, 4096)
        other.wait(stream.record())
        other.copy_to_host(host, 8192, array, 0, 4096)
        other.record().synchronize()
        assert_same_bytes(host.array[8192:12288], values)
        other.close()

    def test_an_event_is_done_once_its_stream_is_there(self, device: Device, stream: Stream, host: PinnedBuffer) -> None:
        stream.copy_to_host(host, 0, put(device, np.zeros(16, np.uint8)), 0, 16)
        event = stream.record()
        event.synchronize()
        assert event.is_done()

    def test_streams_follow_the_callers_own_work(self, device: Device, stream: Stream, host: PinnedBuffer) -> None:
        array = put(device, np.zeros(1000, np.float32))
        with device.activate():
            array += 3
        stream.wait(device.record_current())
        stream.copy_to_host(host, 0, array, 0, 4000)
        stream.record().synchronize()
        assert (host.array[:4000].view(np.float32) == 3).all()

    def test_the_callers_own_work_follows_a_stream(self, device: Device, stream: Stream, host: PinnedBuffer) -> None:
        array = put(device, np.zeros(1000, np.float32))
        host.array[:4000] = np.full(1000, 5, np.float32).view(np.uint8)
        stream.copy_to_device(array, 0, host, 0, 4000)
        device.wait_current(stream.record())
        with device.activate():
            array += 1
        assert (take(device, array) == 6).all()

    def test_holds_the_callers_stream_and_not_the_caller(self, device: Device) -> None:
        released = threading.Event()
        if not device.can_hold:
            with pytest.raises(UnimplementedError, match=device.name):
                device.hold_current(released.wait)
            return
        array = put(device, np.zeros(4, np.float32))
        device.hold_current(released.wait)
        with device.activate():
            array += 1
        behind = device.record_current()
        assert not behind.is_done()
        released.set()
        behind.synchronize()
        assert (take(device, array) == 1).all()

    @pytest.mark.parametrize("size_bytes", [0, 1, 4096, (3 << 20) + 5])
    def test_pinned_memory_is_aligned_and_writable(self, device: Device, size_bytes: int) -> None:
        host = device.pinned(size_bytes)
        assert host.is_pinned
        assert (host.array.shape, host.array.dtype) == ((size_bytes,), np.uint8)
        assert size_bytes == 0 or host.array.ctypes.data % 4096 == 0
        host.array[:] = 7
        kept = host.array
        host.close()
        host.close()
        assert (kept == 7).all()  # memory outlives close as long as somebody looks at it

    def test_a_negative_size_is_refused(self, device: Device) -> None:
        with pytest.raises(InvalidArgumentError, match="-1"):
            device.pinned(-1)

    @pytest.mark.parametrize("size_bytes", [1 << 45, (1 << 63) - 1])
    def test_what_does_not_fit_is_refused_with_figures(self, device: Device, size_bytes: int) -> None:
        with pytest.raises(DeviceMemoryError, match=rf"{device.name}.*: {size_bytes} bytes wanted, \d+ bytes free"):
            device.empty((size_bytes,), np.dtype(np.uint8))
        assert_same_bytes(take(device, put(device, pattern((9,), F4))), pattern((9,), F4))

    def test_closing_twice_is_the_same_as_once(self, device: Device) -> None:
        stream = device.stream()
        stream.close()
        stream.close()

    def test_what_was_enqueued_runs_though_the_stream_is_closed(self, device: Device, host: PinnedBuffer) -> None:
        values = pattern((60000,), np.dtype(np.uint8))
        array, stream = put(device, values), device.stream()
        stream.copy_to_host(host, 0, array, 0, 60000)
        event = stream.record()
        stream.close()
        event.synchronize()
        assert_same_bytes(host.array[:60000], values)
