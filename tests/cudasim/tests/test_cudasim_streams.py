"""The order of operations in and across streams, events, host functions; and that lazy mode shows what is not ordered."""

from __future__ import annotations

import threading

import cupy
import numpy as np
import pytest
from cupy.cuda import runtime

from tests.cudasim import control

pytestmark = pytest.mark.cuda

N = 1000


class Pinned:
    """Pinned memory as a NumPy array, freed with the context."""

    def __init__(self, size: int = N) -> None:
        self.memory = cupy.cuda.PinnedMemory(8 * size)
        self.array = np.frombuffer(cupy.cuda.PinnedMemoryPointer(self.memory, 0), "i8", size)
        self.array[:] = 0


def upload(target: cupy.ndarray, source: Pinned, stream: cupy.cuda.Stream) -> None:
    runtime.memcpyAsync(target.data.ptr, source.array.ctypes.data, target.nbytes, runtime.memcpyHostToDevice, stream.ptr)


def download(target: Pinned, source: cupy.ndarray, stream: cupy.cuda.Stream) -> None:
    runtime.memcpyAsync(target.array.ctypes.data, source.data.ptr, source.nbytes, runtime.memcpyDeviceToHost, stream.ptr)


class Gate:
    """A host function that holds a stream until it is opened."""

    def __init__(self, stream: cupy.cuda.Stream) -> None:
        self.is_open = threading.Event()
        self.is_reached = threading.Event()
        stream.launch_host_func(self.hold, None)

    def hold(self, _: None) -> None:
        self.is_reached.set()
        assert self.is_open.wait(20)


def test_a_held_stream_holds_no_other() -> None:
    held, free = cupy.cuda.Stream(non_blocking=True), cupy.cuda.Stream(non_blocking=True)
    gate = Gate(held)
    assert gate.is_reached.wait(20)
    event = free.record()
    event.synchronize()
    assert free.done
    assert not held.done
    gate.is_open.set()
    held.synchronize()
    assert held.done


@pytest.mark.parametrize("kind", ["blocking", "non_blocking", "per_thread"])
def test_only_blocking_streams_wait_for_the_legacy_stream(kind: str) -> None:
    stream = cupy.cuda.Stream.ptds if kind == "per_thread" else cupy.cuda.Stream(non_blocking=kind == "non_blocking")
    gate = Gate(cupy.cuda.Stream.null)
    assert gate.is_reached.wait(20)
    event = stream.record()
    if kind == "non_blocking":
        event.synchronize()
    else:
        assert not event.done
    gate.is_open.set()
    event.synchronize()


def test_the_legacy_stream_waits_for_blocking_streams_even_destroyed_ones() -> None:
    seen: list[str] = []
    stream = cupy.cuda.Stream()
    gate = Gate(stream)
    stream.launch_host_func(seen.append, "stream")
    cupy.cuda.Stream.null.launch_host_func(seen.append, "legacy")
    del stream
    gate.is_open.set()
    cupy.cuda.Stream.null.synchronize()
    assert seen == ["stream", "legacy"]


def test_priorities_and_flags_are_kept() -> None:
    stream = cupy.cuda.Stream(non_blocking=True, priority=-3)
    assert runtime.streamGetPriority(stream.ptr) == -3
    assert runtime.streamGetFlags(stream.ptr) == runtime.streamNonBlocking


def test_destroyed_handles_are_refused() -> None:
    stream = runtime.streamCreate()
    event = runtime.eventCreate()
    runtime.streamDestroy(stream)
    runtime.eventDestroy(event)
    for use in (lambda: runtime.streamSynchronize(stream), lambda: runtime.eventRecord(event, 0), lambda: runtime.streamDestroy(stream)):
        with pytest.raises(runtime.CUDARuntimeError, match="InvalidResourceHandle"):
            use()


def test_events_measure_time_in_order() -> None:
    stream = cupy.cuda.Stream()
    start, end = cupy.cuda.Event(), cupy.cuda.Event()
    assert start.done  # never recorded
    start.record(stream)
    gate = Gate(stream)
    end.record(stream)
    assert not end.done
    with pytest.raises(runtime.CUDARuntimeError, match="NotReady"):
        cupy.cuda.get_elapsed_time(start, end)
    threading.Timer(0.05, gate.is_open.set).start()
    end.synchronize()
    assert 40 < cupy.cuda.get_elapsed_time(start, end) < 10_000


def test_an_event_belongs_to_its_device() -> None:
    event = cupy.cuda.Event()
    with cupy.cuda.Device(1):
        stream = cupy.cuda.Stream(non_blocking=True)
        with pytest.raises(runtime.CUDARuntimeError, match="InvalidResourceHandle"):
            event.record(stream)
        stream.wait_event(event)
        stream.synchronize()


def test_a_kernel_needs_a_stream_of_the_current_device() -> None:
    kernel = cupy.RawKernel('extern "C" __global__ void nothing() {}', "nothing")
    with cupy.cuda.Device(1):
        stream = cupy.cuda.Stream()
    with pytest.raises(cupy.cuda.driver.CUDADriverError, match="InvalidResourceHandle"):
        kernel((1,), (1,), (), stream=stream)


# What follows is wrong, or right only by synchronisation; in lazy mode each shows, every time.


@pytest.mark.parametrize("attempt", range(5))
def test_lazy_a_download_not_waited_for_has_not_arrived(attempt: int) -> None:
    stream, target = cupy.cuda.Stream(non_blocking=True), Pinned()
    array = cupy.asarray(np.arange(N))
    cupy.cuda.Device().synchronize()
    with control.lazy():
        download(target, array, stream)
        event = stream.record()
        assert (target.array == 0).all()
        event.synchronize()
        assert (target.array == np.arange(N)).all()


@pytest.mark.parametrize("attempt", range(5))
def test_lazy_a_source_reused_too_early_arrives_changed(attempt: int) -> None:
    stream, source = cupy.cuda.Stream(non_blocking=True), Pinned()
    array = cupy.zeros(N, "i8")
    cupy.cuda.Device().synchronize()
    with control.lazy():
        source.array[:] = 1
        upload(array, source, stream)
        source.array[:] = 2
        stream.synchronize()
        assert set(array.get()) == {2}
        upload(array, source, stream)
        stream.synchronize()
        source.array[:] = 3
        assert set(array.get()) == {2}


@pytest.mark.parametrize("is_ordered", [False, True])
def test_lazy_two_streams_are_ordered_by_an_event_only(is_ordered: bool) -> None:
    producer, consumer = cupy.cuda.Stream(non_blocking=True), cupy.cuda.Stream(non_blocking=True)
    source, target = Pinned(), Pinned()
    source.array[:] = 7
    array = cupy.zeros(N, "i8")
    cupy.cuda.Device().synchronize()
    with control.lazy():
        upload(array, source, producer)
        if is_ordered:
            consumer.wait_event(producer.record())
        download(target, array, consumer)
        consumer.synchronize()
        assert set(target.array) == ({7} if is_ordered else {0})
        producer.synchronize()


def test_lazy_a_wait_reaches_through_several_streams() -> None:
    streams = [cupy.cuda.Stream(non_blocking=True) for _ in range(6)]
    seen: list[int] = []
    with control.lazy(60_000):
        event = None
        for number, stream in enumerate(streams):
            if event is not None:
                stream.wait_event(event)
            stream.launch_host_func(seen.append, number)
            event = stream.record()
        assert seen == []
        streams[-1].synchronize()
    assert seen == [0, 1, 2, 3, 4, 5]


def test_lazy_polling_counts_as_waiting() -> None:
    stream = cupy.cuda.Stream(non_blocking=True)
    with control.lazy(60_000):
        event = stream.record()
        while not event.done:
            pass


def test_lazy_ends_by_itself() -> None:
    stream, ran = cupy.cuda.Stream(non_blocking=True), threading.Event()
    with control.lazy(30):
        stream.launch_host_func(lambda _: ran.set(), None)
    assert ran.wait(100)


def test_random_delays_break_no_order() -> None:
    results: list[bool] = []

    def train(number: int) -> None:
        with cupy.cuda.Device(number % 2), cupy.cuda.Stream(non_blocking=True):
            for step in range(20):
                array = cupy.asarray(np.full(N, step))
                results.append(bool((array.get() == step).all()))

    with control.setting("DELAY_US", 300):
        threads = [threading.Thread(target=train, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == [True] * 80


def test_a_thread_takes_its_default_stream_with_it() -> None:
    before = control.count("streams")
    inside: list[int] = []

    def use() -> None:
        with cupy.cuda.Stream.ptds:
            assert cupy.asarray(np.arange(3)).get().tolist() == [0, 1, 2]
        inside.append(control.count("streams"))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert inside == [before + 1]  # and that it goes is seen by the fixture that looks for leaks
