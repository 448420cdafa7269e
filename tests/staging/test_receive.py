from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpersist.devices import Device, use_virtual, virtual
from gpersist.errors import CancelledError, DataLossError, UnavailableError
from gpersist.staging import UNCHECKED, Incoming, Layout, Outgoing, check, receive, ring, send
from gpersist.staging.ring import SlotRing
from gpersist.table import mask

from .transfers import (
    HOST,
    STALE,
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

SEND, RECEIVE = (sys.modules[function.__module__] for function in (send, receive))
RING_BYTES = 8192
WAIT_S = 60


@pytest.fixture(autouse=True)
def small(monkeypatch) -> None:
    """Blocks so small that small arrays are cut, and several threads have something to do; rings that nobody else uses."""
    for module in (SEND, RECEIVE):
        monkeypatch.setattr(module, "CACHED_BYTES", 256)
    monkeypatch.setattr(SEND, "LONG_BYTES", 1024)
    monkeypatch.setattr(ring, "_rings", {})


def incoming(arrays: Sequence[np.ndarray], devices: Sequence[Device], layout: Layout, crcs: Sequence[int] | None = None) -> Incoming:
    """Targets of the shapes of `arrays`, which hold something else, and the checksums of `arrays`."""
    stale = [np.full(array.nbytes, STALE, np.uint8).view(array.dtype).reshape(array.shape) for array in arrays]
    targets = list(map(on, devices, stale))
    ready = {device: device.record_current() for device in set(devices) if not device.is_host}
    return Incoming(names_of(arrays), targets, devices, layout, list(map(mask, crcs_of(arrays))) if crcs is None else crcs, ready)


def files_of(arrays: Sequence[np.ndarray], layout: Layout) -> list[MemoryFile]:
    """The files; their padding is no zeros, for nobody said that it is."""
    files = [MemoryFile(content, path=f"dir/x.data-{number}") for number, content in enumerate(contents(layout, arrays))]
    taken = [bytearray(len(file.content)) for file in files]
    for file, offset, size in zip(layout.files.tolist(), layout.offsets.tolist(), layout.sizes.tolist(), strict=True):
        taken[file][offset : offset + size] = b"\1" * size
    for file, mine in zip(files, taken, strict=True):
        for at in range(len(mine)):
            if not mine[at]:
                file.content[at] = STALE
    return files


def assert_arrived(job: Incoming, arrays: Sequence[np.ndarray]) -> None:
    for target, array in zip(job.arrays, arrays, strict=True):
        assert np.asarray(target).tobytes() == array.tobytes()


# ---- what arrives


@settings(max_examples=40, deadline=None)
@given(transfers(), st.booleans(), st.integers(1, 4), st.sampled_from([RING_BYTES, 3 * 4096, 1 << 16]))
def test_targets_hold_what_stands_in_the_files(transfer, is_lazy: bool, threads: int, ring_bytes: int) -> None:
    arrays, layout, places = transfer
    with use_virtual(2, is_lazy=is_lazy) as gpus:
        devices = [[HOST, *gpus][place] for place in places]
        soil(gpus[0], ring_bytes)
        job = incoming(arrays, devices, layout)
        progress: list[int] = []
        receive(job, files_of(arrays, layout), ring_bytes=ring_bytes, threads=threads, on_progress=progress.append)
        assert_arrived(job, arrays)
    assert sum(progress) == layout.total_bytes
    assert_all_slots_are_back()


@settings(max_examples=30, deadline=None)
@given(transfers(), st.integers(1, 4), st.data())
def test_one_wrong_bit_is_noticed_wherever_it_is(transfer, threads: int, data) -> None:
    arrays, layout, places = transfer
    files = files_of(arrays, layout)
    wrong = data.draw(st.integers(0, len(arrays) - 1))
    at = data.draw(st.integers(0, arrays[wrong].nbytes - 1))
    offset = int(layout.offsets[wrong])
    file = files[int(layout.files[wrong])]
    file.content[offset + at] ^= 1 << data.draw(st.integers(0, 7))
    with use_virtual(2) as gpus:
        devices = [[HOST, *gpus][place] for place in places]
        for do in (receive, check):
            with pytest.raises(DataLossError) as caught:
                do(incoming(arrays, devices, layout), files, threads=threads)
            expected = f"0x{mask(crcs_of(arrays)[wrong]):08x}"
            assert f"tensor 'tensor/{wrong}' in '{file.path}' at byte {offset}: crc32c expected {expected}, found 0x" in str(caught.value)
    assert_all_slots_are_back()


@settings(max_examples=20, deadline=None)
@given(transfers(), st.integers(1, 4))
def test_check_reads_every_tensor_and_keeps_nothing(transfer, threads: int) -> None:
    arrays, layout, _ = transfer
    job = Incoming(names_of(arrays), (), (), layout, list(map(mask, crcs_of(arrays))))
    progress: list[int] = []
    check(job, files_of(arrays, layout), threads=threads, on_progress=progress.append)
    assert sum(progress) == layout.total_bytes


def test_real_sizes(monkeypatch) -> None:
    monkeypatch.undo()
    arrays = random_arrays([3 << 20, 5, (1 << 20) + 1, 700 << 10])
    layout = layout_of([array.nbytes for array in arrays], [0, 64, 59, 4000])
    files = files_of(arrays, layout)
    with use_virtual(2) as gpus:
        for devices in ([HOST] * 4, [gpus[0]] * 4, [HOST, gpus[1], gpus[0], HOST]):
            job = incoming(arrays, devices, layout)
            receive(job, files, threads=4, ring_bytes=1 << 20)
            assert_arrived(job, arrays)
    check(job, files, threads=4)


def test_host_and_device_targets_never_share_an_extent(monkeypatch) -> None:
    """Where a slot is as large as a block for the cache, bytes for a device must not be read past its streams."""
    monkeypatch.setattr(SEND, "CACHED_BYTES", 4096)
    arrays = random_arrays([100] * 4)
    layout = layout_of([100] * 4)
    with use_virtual(1) as (gpu,):
        for devices in ([HOST, gpu, HOST, gpu], [gpu, HOST, gpu, HOST]):
            job = incoming(arrays, devices, layout)
            (file,) = files_of(arrays, layout)
            receive(job, [file], ring_bytes=RING_BYTES)
            assert_arrived(job, arrays)
            assert len(file.calls) == 4


def test_scalars_and_whatever_lends_its_buffer() -> None:
    arrays = [np.array(3.5), np.array(True), np.array(1j), np.array(7, np.int8)]
    layout = layout_of([8, 1, 16, 1], [0, 56, 63, 48])
    job = incoming(arrays, [HOST] * 4, layout)
    targets = [bytearray(array.nbytes) for array in arrays]
    for some in (job, Incoming(job.names, targets, job.devices, layout, job.crcs)):
        receive(some, files_of(arrays, layout))
    assert_arrived(job, arrays)
    assert targets == [array.tobytes() for array in arrays]


def test_nothing_to_receive() -> None:
    nothing = Incoming([], [], [], layout_of([]), [])
    receive(nothing, [])
    check(nothing, [])


@pytest.mark.parametrize("place", ["host", "virtual"])
def test_what_is_unchecked_is_taken_as_it_is(place: str) -> None:
    arrays = random_arrays([1000, 50, 50])
    layout = layout_of([1000, 50, 50])
    with use_virtual(1) as (gpu,):
        devices = [HOST if place == "host" else gpu] * 3
        receive(incoming(arrays, devices, layout, [UNCHECKED] * 3), files_of(arrays, layout))
        check(incoming(arrays, devices, layout, [UNCHECKED] * 3), files_of(arrays, layout))
        with pytest.raises(DataLossError, match=r"tensor 'tensor/1'.*crc32c expected 0x00000000"):
            receive(incoming(arrays, devices, layout, [UNCHECKED, 0, UNCHECKED]), files_of(arrays, layout))


@pytest.mark.parametrize("is_lazy", [False, True])
def test_waits_for_what_still_uses_the_targets(is_lazy: bool) -> None:
    """Memory of a new array may be another's a moment ago: what is enqueued before `ready` must not overwrite what arrives."""
    array = random_arrays([4000])[0]
    with use_virtual(1, is_lazy=is_lazy) as (gpu,):
        target = on(gpu, np.zeros_like(array))
        pinned = gpu.pinned(4000)
        pinned.array[:] = STALE
        stream = gpu.stream()
        if not is_lazy:
            stream._worker.enqueue(lambda: time.sleep(0.05))
        stream.copy_to_device(target, 0, pinned, 0, 4000)
        job = Incoming(["a"], [target], [gpu], layout_of([4000]), [mask(crcs_of([array])[0])], {gpu: stream.record()})
        receive(job, [MemoryFile(array.tobytes())], ring_bytes=RING_BYTES)
        stream.close()
        assert np.array_equal(np.asarray(target), array)


# ---- bounds


def test_memory_is_bounded_by_the_ring(monkeypatch) -> None:
    made: list[int] = []
    pinned = virtual.VirtualDevice.pinned
    monkeypatch.setattr(virtual.VirtualDevice, "pinned", lambda self, size: (made.append(size), pinned(self, size))[1])
    arrays = random_arrays([10_000] * 20)
    layout = layout_of([10_000] * 20)
    with use_virtual(2) as gpus:
        for _ in range(2):
            receive(incoming(arrays, [gpus[number % 2] for number in range(20)], layout), files_of(arrays, layout), ring_bytes=3 * 4096, threads=4)
    assert 1 <= len(made) <= 3
    assert set(made) == {4096}


def test_host_targets_take_no_slot() -> None:
    arrays = random_arrays([10_000] * 3)
    receive(incoming(arrays, [HOST] * 3, layout_of([10_000] * 3)), files_of(arrays, layout_of([10_000] * 3)))
    assert ring._rings == {}


def test_a_file_of_terabytes_is_read_where_it_must_be() -> None:
    """Offsets that no int32 holds."""
    array = random_arrays([600])[0]
    offset = (6 << 40) + 12345

    class Sparse(MemoryFile):
        def read(self, buffers, size_bytes, at) -> None:
            super().read(buffers, size_bytes, at - offset)

    layout = Layout(*(np.array([number], np.int64) for number in (0, offset, 600)))
    for device in ("host", "virtual"):
        with use_virtual(1) as (gpu,):
            job = incoming([array], [HOST if device == "host" else gpu], layout)
            receive(job, [Sparse(array.tobytes())], ring_bytes=RING_BYTES)
            assert_arrived(job, [array])


# ---- what goes wrong


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("mode", ["host", "virtual", "lazy", "check"])
def test_a_file_that_ends_early_is_told_with_the_tensor(mode: str, threads: int) -> None:
    arrays = random_arrays([5000] * 6)
    layout = layout_of([5000] * 6)
    with use_virtual(1, is_lazy=mode == "lazy") as (gpu,):
        job = incoming(arrays, [gpu if mode in ("virtual", "lazy") else HOST] * 6, layout)
        (file,) = files_of(arrays, layout)
        del file.content[29_999:]
        doing = "verifying" if mode == "check" else "loading"
        with everything_is_given_back(), pytest.raises(DataLossError, match=rf"'dir/x.data-0' ended at byte 29999 \(while {doing} tensor 'tensor/5'"):
            if mode == "check":
                check(job, [file], threads=threads)
            else:
                receive(job, [file], ring_bytes=RING_BYTES, threads=threads)


@pytest.mark.parametrize("is_lazy", [False, True])
def test_a_failing_device_names_its_tensor(is_lazy: bool, monkeypatch) -> None:
    def fail(target, source) -> None:
        raise RuntimeError("ECC error")

    arrays = random_arrays([3000] * 3)
    layout = layout_of([3000] * 3)
    with use_virtual(1, is_lazy=is_lazy) as (gpu,):
        job = incoming(arrays, [gpu] * 3, layout)
        with monkeypatch.context() as patch:
            patch.setattr(virtual, "copy", fail)
            with everything_is_given_back(), pytest.raises(UnavailableError, match=r"ECC error.*while loading tensor 'tensor/"):
                receive(job, files_of(arrays, layout), ring_bytes=RING_BYTES, threads=2)
        receive(job, files_of(arrays, layout), ring_bytes=RING_BYTES)
        assert_arrived(job, arrays)


@pytest.mark.parametrize("fault", ["device", "crc"])
def test_a_slot_goes_back_only_when_every_device_is_done_with_it(fault: str, monkeypatch) -> None:
    """A copy out of the slot is under way when something else about the extent turns out wrong."""
    copied, when_given_back = threading.Event(), []
    copy, slot = virtual.copy, SlotRing.slot

    def copy_slowly(target, source) -> None:
        if fault == "device" and source[0] == 2:
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
    layout = layout_of([8, 8])
    crcs = [mask(crc) for crc in crcs_of(arrays)]
    if fault == "crc":
        crcs[1] ^= 1
    with use_virtual(2) as gpus, pytest.raises((UnavailableError, DataLossError), match=r"ECC error|crc32c expected"):
        receive(incoming(arrays, [gpus[0], gpus[1]], layout, crcs), files_of(arrays, layout), ring_bytes=RING_BYTES)
    assert when_given_back == [True]


@pytest.mark.parametrize("place", ["host", "virtual"])
def test_cancelled_at_the_next_extent(place: str, monkeypatch) -> None:
    monkeypatch.setattr(SEND, "LONG_BYTES", 256)
    cancel = threading.Event()
    arrays = random_arrays([3000] * 20)
    layout = layout_of([3000] * 20)

    class Cancelling(MemoryFile):
        def read(self, buffers, size_bytes, offset) -> None:
            super().read(buffers, size_bytes, offset)
            cancel.set()

    with use_virtual(1) as (gpu,):
        job = incoming(arrays, [HOST if place == "host" else gpu] * 20, layout)
        file = Cancelling(contents(layout, arrays)[0])
        with everything_is_given_back(), pytest.raises(CancelledError):
            receive(job, [file], ring_bytes=RING_BYTES, threads=2, cancel=cancel)
    assert 1 <= len(file.calls) <= 2


def test_the_bytes_come_back() -> None:
    """Out and in again, over two devices."""
    arrays = random_arrays([1000, 4, 4097, 77])
    layout = layout_of([1000, 4, 4097, 77], [0, 24, 60, 63])
    with use_virtual(2, is_lazy=True) as (a, b):
        there, back = [a, HOST, b, a], [b, a, HOST, HOST]
        placed = [on(device, array) for device, array in zip(there, arrays, strict=True)]
        file = MemoryFile()
        crcs = send(Outgoing(names_of(arrays), placed, there, layout, {}), [file], ring_bytes=RING_BYTES, threads=2)
        job = incoming(arrays, back, layout, list(map(mask, crcs)))
        receive(job, [file], ring_bytes=RING_BYTES, threads=2)
        assert_arrived(job, arrays)
