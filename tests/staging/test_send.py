from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpersist.devices import Device, use_virtual, virtual
from gpersist.errors import CancelledError, InvalidArgumentError, OutOfSpaceError, UnavailableError
from gpersist.staging import Layout, Outgoing, ring, send
from gpersist.staging.ring import SlotRing

from .conftest import FirstFailure
from .transfers import (
    HOST,
    MemoryFile,
    assert_all_slots_are_back,
    contents,
    crcs_of,
    everything_is_given_back,
    layout_of,
    names_of,
    on,
    random_arrays,
    soil,
    transfers,
)

SEND = sys.modules[send.__module__]  # the package's attribute of that name is the function
RING_BYTES = 8192
WAIT_S = 60


@pytest.fixture(autouse=True)
def small(monkeypatch) -> None:
    """Blocks so small that small arrays are cut, and several threads have something to do; rings that nobody else uses."""
    monkeypatch.setattr(SEND, "CACHED_BYTES", 256)
    monkeypatch.setattr(SEND, "LONG_BYTES", 1024)
    monkeypatch.setattr(ring, "_rings", {})


def outgoing(arrays: Sequence[np.ndarray], devices: Sequence[Device], layout: Layout) -> Outgoing:
    placed = [on(device, array) for array, device in zip(arrays, devices, strict=True)]
    ready = {device: device.record_current() for device in set(devices) if not device.is_host}
    return Outgoing(names_of(arrays), placed, devices, layout, ready)


# ---- what arrives


@settings(max_examples=40, deadline=None)
@given(transfers(), st.booleans(), st.integers(1, 4), st.sampled_from([RING_BYTES, 3 * 4096, 1 << 16]))
def test_files_hold_what_the_plain_way_writes(transfer, is_lazy: bool, threads: int, ring_bytes: int) -> None:
    arrays, layout, places = transfer
    with use_virtual(2, is_lazy=is_lazy) as gpus:
        devices = [[HOST, *gpus][place] for place in places]
        soil(gpus[0], ring_bytes)
        files = [MemoryFile() for _ in contents(layout, arrays)]
        progress: list[int] = []
        crcs = send(outgoing(arrays, devices, layout), files, ring_bytes=ring_bytes, threads=threads, on_progress=progress.append)
    assert crcs == crcs_of(arrays)
    assert [bytes(file.content) for file in files] == contents(layout, arrays)
    assert all(set(file.times_written) <= {0, 1} for file in files)
    assert sum(progress) == layout.total_bytes
    assert_all_slots_are_back()


@settings(max_examples=30, deadline=None)
@given(transfers(), st.booleans(), st.integers(1, 4), st.sampled_from([RING_BYTES, 3 * 4096, 1 << 16]))
def test_direct_writes_whole_blocks_with_nothing_stale_in_them(transfer, is_lazy: bool, threads: int, ring_bytes: int) -> None:
    arrays, layout, places = transfer
    with use_virtual(2, is_lazy=is_lazy) as gpus:
        devices = [[HOST, *gpus][place] for place in places]
        for device in (HOST, gpus[0]):
            soil(device, ring_bytes)
        files = [MemoryFile(alignment_bytes=4096) for _ in contents(layout, arrays)]
        crcs = send(outgoing(arrays, devices, layout), files, direct=True, ring_bytes=ring_bytes, threads=threads)
    assert crcs == crcs_of(arrays)
    for file, expected in zip(files, contents(layout, arrays), strict=True):
        assert bytes(file.content) == expected + bytes(-len(expected) % 4096)  # the last block is padded
        assert set(file.times_written) <= {0, 1}
    assert_all_slots_are_back()


def test_host_and_device_arrays_never_share_an_extent(monkeypatch) -> None:
    """Where a slot is as large as a block for the cache, a device's array must not be taken for the host's."""
    monkeypatch.setattr(SEND, "CACHED_BYTES", 4096)
    arrays = random_arrays([100, 100, 100, 100])
    layout = layout_of([100] * 4)
    with use_virtual(1, is_lazy=True) as (gpu,):
        seen: list[Any] = []
        monkeypatch.setattr(SEND, "crc32c", lambda data: (seen.append(data), crcs_of([np.frombuffer(data, np.uint8)])[0])[1])
        file = MemoryFile()
        send(outgoing(arrays, [HOST, gpu, HOST, gpu], layout), [file], ring_bytes=RING_BYTES)
    assert not any(isinstance(data, virtual.VirtualArray) for data in seen)
    assert bytes(file.content) == contents(layout, arrays)[0]
    assert len(file.calls) == 4


def test_one_file_of_many_blocks_with_real_sizes(monkeypatch) -> None:
    monkeypatch.undo()
    arrays = random_arrays([3 << 20, 5, (1 << 20) + 1, 700 << 10])
    layout = layout_of([array.nbytes for array in arrays], [0, 64, 59, 4000])
    with use_virtual(2) as gpus:
        for devices in ([HOST] * 4, [gpus[0]] * 4, [HOST, gpus[1], gpus[0], HOST]):
            for direct in (False, True):
                file = MemoryFile(alignment_bytes=4096 if direct else 1)
                crcs = send(outgoing(arrays, devices, layout), [file], threads=4, ring_bytes=1 << 20, direct=direct)
                assert crcs == crcs_of(arrays)
                assert bytes(file.content).rstrip(b"\0") == contents(layout, arrays)[0].rstrip(b"\0")


def test_scalars_of_every_layout() -> None:
    """0-d arrays are tensors of one element."""
    arrays = [np.array(3.5), np.array(True), np.array(1j), np.array(7, np.int8)]
    layout = layout_of([8, 1, 16, 1], [0, 56, 63, 48])
    file = MemoryFile()
    assert send(outgoing(arrays, [HOST] * 4, layout), [file]) == crcs_of(arrays)
    assert bytes(file.content) == contents(layout, arrays)[0]


def test_nothing_to_send() -> None:
    staged: list[bool] = []
    assert send(Outgoing([], [], [], layout_of([]), {}), [], on_staged=lambda: staged.append(True)) == []
    assert send(Outgoing([], [], [], layout_of([]), {}), [], direct=True) == []
    assert staged == [True]


@pytest.mark.parametrize("is_lazy", [False, True])
def test_waits_for_what_the_caller_has_enqueued(is_lazy: bool) -> None:
    """The arrays hold their values only behind the event in `ready`."""
    value = np.arange(1000, dtype=np.int32)
    with use_virtual(1, is_lazy=is_lazy) as (gpu,):
        array = on(gpu, np.zeros(1000, np.int32))
        pinned = gpu.pinned(4000)
        pinned.array[:] = value.view(np.uint8)
        stream = gpu.stream()
        slow = threading.Event()
        if not is_lazy:
            stream._worker.enqueue(lambda: slow.wait(0.05))
        stream.copy_to_device(array, 0, pinned, 0, 4000)
        file = MemoryFile()
        job = Outgoing(["a"], [array], [gpu], layout_of([4000]), {gpu: stream.record()})
        send(job, [file], ring_bytes=RING_BYTES)
        stream.close()
    assert bytes(file.content) == value.tobytes()


@pytest.mark.parametrize("place", ["host", "virtual"])
def test_staged_is_told_once_and_not_before_every_array_was_read(place: str) -> None:
    arrays = random_arrays([3000] * 8)
    told: list[int] = []
    with use_virtual(1) as (gpu,):
        device = HOST if place == "host" else gpu
        job = outgoing(arrays, [device] * 8, layout_of([3000] * 8))

        def overwrite() -> None:
            told.append(1)
            for array in job.arrays:
                array[...] = 0

        file = MemoryFile()
        crcs = send(job, [file], ring_bytes=RING_BYTES, threads=3, on_staged=overwrite)
    assert told == [1]
    assert crcs == crcs_of(arrays)
    assert bytes(file.content) == b"".join(array.tobytes() for array in arrays)


# ---- bounds


def test_memory_is_bounded_by_the_ring(monkeypatch) -> None:
    made: list[int] = []
    pinned = virtual.VirtualDevice.pinned
    monkeypatch.setattr(virtual.VirtualDevice, "pinned", lambda self, size: (made.append(size), pinned(self, size))[1])
    arrays = random_arrays([10_000] * 20)
    with use_virtual(2) as gpus:
        job = outgoing(arrays, [gpus[number % 2] for number in range(20)], layout_of([10_000] * 20))
        send(job, [MemoryFile()], ring_bytes=3 * 4096, threads=4)
        send(job, [MemoryFile()], ring_bytes=3 * 4096, threads=4)
    assert 1 <= len(made) <= 3
    assert set(made) == {4096}


def test_two_transfers_share_a_ring() -> None:
    arrays = random_arrays([50_000, 50_000])
    layout = layout_of([50_000] * 2)
    with use_virtual(2) as gpus:
        files = [MemoryFile(), MemoryFile()]
        jobs = [outgoing(arrays, [gpu, gpu], layout) for gpu in gpus]
        options = {"ring_bytes": RING_BYTES, "threads": 3}
        threads = [threading.Thread(target=send, args=(job, [file]), kwargs=options) for job, file in zip(jobs, files, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_S)
    assert [bytes(file.content) for file in files] == contents(layout, arrays) * 2
    (slots,) = ring._rings.values()
    assert slots._allocated <= 2


def test_too_small_a_ring() -> None:
    with use_virtual(1) as (gpu,), pytest.raises(InvalidArgumentError, match="a ring of 100 bytes is too small"):
        send(outgoing(random_arrays([8]), [gpu], layout_of([8])), [MemoryFile()], ring_bytes=100)


# ---- what goes wrong


class Failing(MemoryFile):
    """Fails at the write of a byte."""

    def __init__(self, at: int, error: BaseException) -> None:
        super().__init__()
        self.at, self.error = at, error

    def write(self, buffers, size_bytes, offset) -> None:
        if offset <= self.at < offset + size_bytes:
            raise self.error
        super().write(buffers, size_bytes, offset)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("mode", ["host", "virtual", "lazy", "direct"])
def test_a_failing_write_names_its_tensor(mode: str, threads: int) -> None:
    arrays = random_arrays([5000] * 6)
    with use_virtual(1, is_lazy=mode == "lazy") as (gpu,):
        device = HOST if mode in ("host", "direct") else gpu
        job = outgoing(arrays, [device] * 6, layout_of([5000] * 6))
        staged: list[bool] = []
        with everything_is_given_back(), pytest.raises(OutOfSpaceError) as caught:
            failing = Failing(12_000, OutOfSpaceError("cannot write 'x': no space left"))
            send(job, [failing], ring_bytes=RING_BYTES, threads=threads, direct=mode == "direct", on_staged=lambda: staged.append(True))
        named = 1 if mode == "direct" else 2  # a block for direct I/O begins where it must
        assert f"cannot write 'x': no space left (while saving tensor 'tensor/{named}'" in str(caught.value)
        send(job, [MemoryFile()], ring_bytes=RING_BYTES, threads=threads)  # and the ring still works
    assert not staged or mode != "host"  # by way of slots, the last array may have been read before the write failed


def test_an_error_that_names_its_tensor_is_left_alone() -> None:
    error = OutOfSpaceError("no room for 'tensor/0'")
    with pytest.raises(OutOfSpaceError) as caught:
        send(outgoing(random_arrays([8]), [HOST], layout_of([8])), [Failing(0, error)])
    assert str(caught.value) == "no room for 'tensor/0'"


def test_tensors_that_fail_together_are_counted() -> None:
    with pytest.raises(OutOfSpaceError, match=r"full \(while saving tensor 'tensor/0' and 2 more\)"):
        send(outgoing(random_arrays([8] * 3), [HOST] * 3, layout_of([8] * 3)), [Failing(0, OutOfSpaceError("full"))])


@pytest.mark.parametrize("is_lazy", [False, True])
def test_a_failing_device_names_its_tensor(is_lazy: bool, monkeypatch) -> None:
    def fail(target, source) -> None:
        raise RuntimeError("ECC error")

    arrays = random_arrays([3000] * 3)
    with use_virtual(1, is_lazy=is_lazy) as (gpu,):
        job = outgoing(arrays, [gpu] * 3, layout_of([3000] * 3))
        with monkeypatch.context() as patch:
            patch.setattr(virtual, "copy", fail)
            with everything_is_given_back(), pytest.raises(UnavailableError, match=r"ECC error.*while saving tensor 'tensor/"):
                send(job, [MemoryFile()], ring_bytes=RING_BYTES, threads=2)
        send(job, [MemoryFile()], ring_bytes=RING_BYTES)


def test_a_slot_goes_back_only_when_every_device_is_done_with_it(monkeypatch) -> None:
    """One device fails while another still copies into the same slot, which the next worker would get."""
    copied, when_given_back = threading.Event(), []
    copy, slot = virtual.copy, SlotRing.slot

    def copy_slowly(target, source) -> None:
        if source[0] == 1:
            raise RuntimeError("ECC error")
        time.sleep(0.1)
        copy(target, source)
        copied.set()

    @contextlib.contextmanager
    def watched(self):
        with slot(self) as found:
            try:
                yield found
            finally:
                when_given_back.append(copied.is_set())

    monkeypatch.setattr(virtual, "copy", copy_slowly)
    monkeypatch.setattr(SlotRing, "slot", watched)
    arrays = [np.full(8, 1, np.uint8), np.full(8, 2, np.uint8)]
    with use_virtual(2) as gpus, pytest.raises(UnavailableError, match="ECC error"):
        send(outgoing(arrays, gpus, layout_of([8, 8])), [MemoryFile()], ring_bytes=RING_BYTES)
    assert when_given_back == [True]


def test_the_first_error_wins(first_failure: FirstFailure) -> None:
    arrays = random_arrays([256] * 40)

    class All(MemoryFile):
        def write(self, buffers, size_bytes, offset) -> None:
            if offset:
                first_failure.wait()
            else:
                first_failure.is_mine()
            raise OutOfSpaceError(f"at {offset}")

    with pytest.raises(OutOfSpaceError, match=r"^at 0 \(while saving tensor 'tensor/0'\)"):
        send(outgoing(arrays, [HOST] * 40, layout_of([256] * 40)), [All()], threads=4)


def test_an_error_of_another_kind_comes_through_as_it_is() -> None:
    with use_virtual(1) as (gpu,), everything_is_given_back(), pytest.raises(KeyError, match="odd"):
        send(outgoing(random_arrays([8]), [gpu], layout_of([8])), [Failing(0, KeyError("odd"))], ring_bytes=RING_BYTES)


@pytest.mark.parametrize("place", ["host", "virtual"])
def test_cancelled_at_the_next_extent(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SEND, "LONG_BYTES", 256)
    cancel = threading.Event()
    arrays = random_arrays([3000] * 20)

    class Cancelling(MemoryFile):
        def write(self, buffers, size_bytes, offset) -> None:
            super().write(buffers, size_bytes, offset)
            cancel.set()

    with use_virtual(1) as (gpu,):
        job = outgoing(arrays, [HOST if place == "host" else gpu] * 20, layout_of([3000] * 20))
        file = Cancelling()
        with everything_is_given_back(), pytest.raises(CancelledError):
            send(job, [file], ring_bytes=RING_BYTES, threads=2, cancel=cancel)
    assert 1 <= len(file.calls) <= 2
