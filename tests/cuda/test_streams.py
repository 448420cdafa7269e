"""Saves and loads beside other work: kept in order with the streams that concern them, and held up by no other."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import gpersist
from gpersist.devices import Device
from gpersist.staging import ring_for
from tests.cuda.gpus import GPUS, STREAMS, cupy, emulated_only, hold, numbers, several_gpus, stored, stream_of
from tests.devices.contract import assert_same_bytes, put, take

pytestmark = pytest.mark.cuda


@pytest.mark.parametrize("other", STREAMS)
@pytest.mark.parametrize("way", ["save", "save_async", "load", "load into"])
def test_a_stream_that_does_not_concern_it_holds_nothing_up(device: Device, prefix: str, way: str, other: str) -> None:
    """No call waits for the whole device. The slots are there already: to pin memory may well mean to wait for it."""
    array = put(device, numbers(0))
    ring_for(device).fill()
    gpersist.save(f"{prefix}-0", {"x": array})
    busy = stream_of(other)
    busy_array = put(device, numbers(5))
    with stream_of("non-blocking"):
        released = hold(busy)
        if way == "save":
            gpersist.save(prefix, {"x": array})
        elif way == "save_async":
            gpersist.save_async(prefix, {"x": array}).result(20)
        elif way == "load":
            array = gpersist.load(f"{prefix}-0")["x"]
        else:
            gpersist.load(f"{prefix}-0", into={"x": array})
        assert not busy.done
        released.set()
    busy.synchronize()
    assert_same_bytes(take(device, array), numbers(0))
    assert_same_bytes(take(device, busy_array), numbers(5))
    if way.startswith("save"):
        assert_same_bytes(stored(prefix)["x"], numbers(0))


@pytest.mark.parametrize("current", STREAMS)
@pytest.mark.parametrize("way", ["save", "save_async"])
def test_saves_while_kernels_run_on_every_other_stream(device: Device, prefix: str, way: str, current: str) -> None:
    others = {kind: stream_of(kind) for kind in STREAMS if kind != current}
    arrays = {kind: put(device, numbers(number)) for number, kind in enumerate(STREAMS)}
    with stream_of(current):
        for _ in range(3):
            for kind, stream in others.items():
                with stream:
                    arrays[kind] += 1
            arrays[current] += 1
        save: Any = gpersist.save if way == "save" else gpersist.save_async
        result = save(prefix, {"x": arrays[current]})
        for kind, stream in others.items():
            with stream:
                arrays[kind] += 1
        if way == "save_async":
            arrays[current] += 1
            result.result()
    for number, kind in enumerate(STREAMS):
        with stream_of(kind) if kind in ("null", "ptds") else others.get(kind, cupy.cuda.Stream.null) as stream:
            stream.synchronize()
        steps = 3 if kind == current and way == "save" else 4
        assert_same_bytes(take(device, arrays[kind]), numbers(number + steps))
    assert_same_bytes(stored(prefix)["x"], numbers(STREAMS.index(current) + 3))


@pytest.mark.parametrize("producer", STREAMS)
@pytest.mark.parametrize("consumer", STREAMS)
def test_produced_on_one_stream_and_saved_on_another(device: Device, prefix: str, producer: str, consumer: str) -> None:
    """The caller orders its own streams, by an event; the save follows the one that is current."""
    array = put(device, numbers(0))
    with stream_of(producer) as produced_on:
        released = hold(produced_on)
        array += 1
        produced = produced_on.record(cupy.cuda.Event(disable_timing=True))
    with stream_of(consumer) as stream:
        stream.wait_event(produced)
        handle = gpersist.save_async(prefix, {"x": array})
        array += 1
        released.set()
        handle.result(20)
        stream.synchronize()
    assert_same_bytes(stored(prefix)["x"], numbers(1))
    assert_same_bytes(take(device, array), numbers(2))


@pytest.mark.parametrize("current", STREAMS)
def test_a_load_into_an_array_waits_for_who_reads_it(device: Device, prefix: str, current: str) -> None:
    gpersist.save(prefix, {"x": numbers(500)})
    array, seen = put(device, numbers(0)), put(device, numbers(-1))
    with stream_of(current) as stream:
        released = hold(stream)
        threading.Timer(0.15, released.set).start()
        seen += array
        gpersist.load(prefix, into={"x": array})
        assert released.is_set()
    other = cupy.cuda.Stream(non_blocking=True)
    with other:  # what was loaded is there for every stream
        array += 1
        other.synchronize()
    assert_same_bytes(take(device, array), numbers(501))
    assert_same_bytes(take(device, seen), numbers(0) + numbers(-1))


@pytest.mark.parametrize("current", STREAMS)
def test_new_arrays_take_over_memory_that_is_still_in_use(device: Device, prefix: str, current: str) -> None:
    """CuPy gives memory out again as soon as it is dropped: work that still reads it is ahead in the same stream."""
    gpersist.save(prefix, {"x": numbers(500, 1_000_000)})
    ring_for(device).fill()
    with stream_of(current) as stream:
        sums = cupy.zeros(1_000_000, cupy.float32)
        old = cupy.ones(1_000_000, cupy.float32)
        released = hold(stream)
        threading.Timer(0.15, released.set).start()
        sums += old
        address = old.data.ptr
        del old
        found = gpersist.load(prefix, placement=device.name)["x"]
        assert found.data.ptr == address
        stream.synchronize()
    assert (take(device, sums) == 1).all()
    assert_same_bytes(take(device, found), numbers(500, 1_000_000))


@several_gpus
def test_the_current_stream_is_that_of_the_arrays_device(prefix: str) -> None:
    """Whatever device is current, an array is ordered by the current stream of the device where it lives."""
    first, last = GPUS[0], GPUS[-1]
    array = put(last, numbers(0))
    with last.activate():
        stream = cupy.cuda.Stream(non_blocking=True).use()
    try:
        with first.activate(), cupy.cuda.Stream(non_blocking=True):
            with last.activate():
                released = hold(stream)
                array += 1
            handle = gpersist.save_async(prefix, {"x": array})
            with last.activate():
                array += 1
            released.set()
            handle.result(20)
            gpersist.load(prefix, into={"x": array})
    finally:
        with last.activate():
            cupy.cuda.Stream.null.use()
    assert_same_bytes(stored(prefix)["x"], numbers(1))
    assert_same_bytes(take(last, array), numbers(1))


@pytest.mark.parametrize("way", ["save_async", "hold"])
def test_the_caller_is_not_blocked(device: Device, prefix: str, way: str, request: pytest.FixtureRequest) -> None:
    """All that `save_async` does for device arrays is to put work into queues, though the stream stands still for as long as it likes."""
    array = put(device, numbers(0, 1_000_000))
    if way == "hold":
        request.getfixturevalue("no_room")
    with stream_of("non-blocking") as stream:
        released = hold(stream)
        handles = [gpersist.save_async(f"{prefix}-{number}", {"x": array}) for number in range(2)]
        assert not stream.done
        assert not any(handle.staged.is_set() for handle in handles)
        released.set()
        for handle in handles:
            assert handle.result(20).num_tensors == 1


@emulated_only
def test_every_copy_is_asynchronous_and_none_waits_for_a_stream(device: Device, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transfer waits for events: a synchronised stream would wait for whatever was enqueued since."""
    array, called = put(device, numbers(0, 1_000_000)), []
    for name in ("streamSynchronize", "deviceSynchronize", "memcpy"):
        monkeypatch.setattr(cupy.cuda.runtime, name, lambda *_, name=name: called.append(name))
    gpersist.save_async(prefix, {"x": array}).result()
    gpersist.load(prefix, into={"x": array})
    monkeypatch.undo()
    assert called == []
    assert_same_bytes(take(device, array), numbers(0, 1_000_000))
