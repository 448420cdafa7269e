"""The values of the moment of `save_async`, whatever is done to the arrays next, on both paths: a copy on the device, and the stream held."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import gpersist
from gpersist.devices import Device
from gpersist.errors import CancelledError
from gpersist.staging import ring_for
from tests.cuda.gpus import GPUS, STREAMS, cupy, emulated_only, hold, in_process, nothing_leaks, numbers, stored, stream_of
from tests.devices.contract import assert_same_bytes, put, take

pytestmark = pytest.mark.cuda

HELD = "its stream waits until they are read"


@pytest.fixture(params=["copied", "held"])
def way(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    """Each test runs once with room for a copy on the device and once without; the log says that the path was the one meant."""
    if request.param == "held":
        request.getfixturevalue("no_room")
    with caplog.at_level(logging.INFO, "gpersist"):
        yield request.param
    assert any(HELD in record.getMessage() for record in caplog.get_records("call")) == (request.param == "held")


@pytest.fixture
def arrays(device: Device) -> Iterator[dict[str, Any]]:
    """To be asked for before `way`, which takes the room away."""
    arrays = {"a": put(device, numbers(0)), "b": put(device, numbers(7, 11)), "c": put(device, numbers(100_000, 1_000_000))}
    yield arrays
    arrays.clear()


def assert_as_they_were(prefix: str) -> None:
    found = stored(prefix)
    assert_same_bytes(found["a"], numbers(0))
    assert_same_bytes(found["b"], numbers(7, 11))
    assert_same_bytes(found["c"], numbers(100_000, 1_000_000))


@pytest.mark.parametrize("kind", STREAMS)
def test_an_update_in_place_right_behind_is_not_saved(device: Device, prefix: str, arrays: dict[str, Any], way: str, kind: str) -> None:
    ring_for(device)
    with stream_of(kind) as stream:
        released = hold(stream)  # so that nothing of the caller's has been done when save_async returns
        handle = gpersist.save_async(prefix, arrays)
        for array in arrays.values():
            array += 1
        behind = device.record_current()
        assert not behind.is_done()
        assert not handle.done()
        released.set()
        handle.wait_staged(20)
        handle.result(20)
        behind.synchronize()
    assert_as_they_were(prefix)
    assert_same_bytes(take(device, arrays["c"]), numbers(100_001, 1_000_000))


@pytest.mark.parametrize("kind", STREAMS)
def test_work_under_way_is_saved(device: Device, prefix: str, arrays: dict[str, Any], way: str, kind: str) -> None:
    with stream_of(kind) as stream:
        hold(stream).set()
        for array in arrays.values():
            array += 1
            array -= 1
            array += 2
        handle = gpersist.save_async(prefix, arrays)
        for array in arrays.values():
            array -= 2
        gpersist.save(f"{prefix}-after", arrays)
        handle.result()
    found = stored(prefix)
    assert_same_bytes(found["a"], numbers(2))
    assert_same_bytes(found["c"], numbers(100_002, 1_000_000))
    assert_as_they_were(f"{prefix}-after")


def test_save_after_save_of_a_loop_that_trains(device: Device, prefix: str, arrays: dict[str, Any], way: str) -> None:
    handles = []
    with stream_of("non-blocking") as stream:
        for step in range(4):
            handles.append(gpersist.save_async(f"{prefix}-{step}", arrays))
            for array in arrays.values():
                array += 1
        for handle in handles:
            handle.result()
        stream.synchronize()
    for step in range(4):
        found = stored(f"{prefix}-{step}")
        assert_same_bytes(found["a"], numbers(step))
        assert_same_bytes(found["c"], numbers(100_000 + step, 1_000_000))


def test_arrays_dropped_right_behind_are_saved(device: Device, prefix: str, arrays: dict[str, Any], way: str) -> None:
    """What CuPy's pool makes of their memory next is ordered behind the copy."""
    with stream_of("non-blocking") as stream:
        hold(stream).set()
        handle = gpersist.save_async(prefix, arrays)
        arrays.clear()
        if way == "copied":
            reused = [cupy.empty(1_000_000, cupy.float32) for _ in range(3)]
            for array in reused:
                array.data.memset_async(0xEE, array.nbytes)
        handle.result()
        stream.synchronize()
    assert_as_they_were(prefix)


def test_threads_with_streams_of_their_own(device: Device, prefix: str, way: str) -> None:
    arrays = [put_with_room(device, number) for number in range(3)]

    def train(number: int) -> None:
        with device.activate(), stream_of("ptds") as stream:
            hold(stream).set()
            arrays[number] += 1
            handle = gpersist.save_async(f"{prefix}-{number}", {"x": arrays[number]})
            arrays[number] += 1
            handle.result()
            stream.synchronize()

    threads = [threading.Thread(target=train, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(3):
        assert_same_bytes(stored(f"{prefix}-{number}")["x"], numbers(number + 1, 300_000))
        assert_same_bytes(take(device, arrays[number]), numbers(number + 2, 300_000))


def put_with_room(device: Device, number: int) -> Any:
    pool = cupy.get_default_memory_pool()
    with device.activate():
        limit = pool.get_limit()
        pool.set_limit(size=0)
        array = put(device, numbers(number, 300_000))
        if limit:
            pool.set_limit(size=pool.total_bytes())
    return array


def test_each_device_goes_its_own_way(prefix: str, no_room: None, caplog: pytest.LogCaptureFixture) -> None:
    """The first device has room for a copy and the others have none."""
    pool = cupy.get_default_memory_pool()
    arrays, streams = {}, []
    for index, gpu in enumerate(GPUS):
        arrays[f"{index}"] = put_with_room(gpu, index)
    with GPUS[0].activate():
        pool.set_limit(size=0)
    for gpu in GPUS:
        with gpu.activate():
            streams.append(stream_of("non-blocking"))
            streams[-1].use()
            hold(streams[-1]).set()
    try:
        with caplog.at_level(logging.INFO, "gpersist"):
            handle = gpersist.save_async(prefix, arrays)
        for gpu, array in zip(GPUS, arrays.values(), strict=True):
            with gpu.activate():
                array += 1
        handle.result()
    finally:
        for gpu in GPUS:
            with gpu.activate():
                cupy.cuda.Stream.null.use()
    assert [record.getMessage().partition(":")[0] for record in caplog.records if HELD in record.getMessage()] == [
        gpu.name.partition(":")[0] for gpu in GPUS[1:]
    ]
    found = stored(prefix)
    for index, (gpu, stream) in enumerate(zip(GPUS, streams, strict=True)):
        with gpu.activate():
            stream.synchronize()
        assert_same_bytes(found[f"{index}"], numbers(index, 300_000))
        assert_same_bytes(take(gpu, arrays[f"{index}"]), numbers(index + 1, 300_000))


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_a_save_that_comes_to_nothing_lets_go(device: Device, prefix: str, arrays: dict[str, Any], way: str, is_cancelled: bool) -> None:
    with stream_of("non-blocking") as stream:
        released = hold(stream)
        handle = gpersist.save_async(prefix if is_cancelled else "/proc/nowhere/ckpt", arrays)
        arrays["a"] += 1
        if is_cancelled:
            handle.cancel()
        released.set()
        with pytest.raises(CancelledError if is_cancelled else OSError):
            handle.result(20)
        stream.synchronize()  # would take for ever behind a hold that nobody ends
    assert_same_bytes(take(device, arrays["a"]), numbers(1))


def test_pinned_slots_are_there_before_a_stream_is_held(
    device: Device, prefix: str, arrays: dict[str, Any], no_room: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CUDA may make an allocation of pinned memory wait for all work of the device, of which the hold is a part, for which the save would wait."""
    calls: list[str] = []

    def note(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def noted(*arguments: Any) -> Any:
            calls.append(name)
            return original(*arguments)

        monkeypatch.setattr(owner, name, noted)

    note(cupy.cuda.runtime, "hostAlloc")
    note(type(device), "hold_current")
    gpersist.save_async(prefix, arrays, threads=4).result()
    assert calls.count("hold_current") == 1
    assert calls[-1] == "hold_current"
    assert_as_they_were(prefix)


def test_memory_given_back_under_a_held_stream(prefix: str, arrays: dict[str, Any], no_room: None) -> None:
    """CUDA frees pinned memory only once the device is idle, for which the save has to get on."""
    for number in range(3):
        handle = gpersist.save_async(f"{prefix}-{number}", arrays)
        gpersist.release_memory()
        handle.result(20)
        assert_as_they_were(f"{prefix}-{number}")


def test_a_program_that_ends_first_loses_nothing(prefix: str) -> None:
    program = f"""
x = cupy.zeros(1_000_000, np.float32)
x += 1
with cupy.cuda.Stream(non_blocking=True) as stream:
    stream.wait_event(cupy.cuda.Stream.null.record(cupy.cuda.Event(disable_timing=True)))
    gpersist.save_async({prefix!r}, {{"x": x}})
    x += 1
"""
    in_process(program)
    assert (stored(prefix)["x"] == 1).all()


def test_a_second_snapshot_takes_no_more_memory_than_the_first(device: Device, prefix: str, arrays: dict[str, Any]) -> None:
    pool = cupy.get_default_memory_pool()
    gpersist.save_async(prefix, arrays).result()
    with device.activate():
        total = pool.total_bytes()
    for _ in range(3):
        gpersist.save_async(prefix, arrays).result()
    with device.activate():
        assert pool.total_bytes() == total


@emulated_only
def test_leaks_are_noticed() -> None:
    """The check that every test of this folder gets is one that can fail."""
    kept: list[Any] = []
    for leak in (lambda: cupy.cuda.Stream(non_blocking=True), cupy.cuda.Event, lambda: cupy.empty(1), lambda: GPUS[-1].pinned(10)):
        with pytest.raises(AssertionError, match="not given back"), nothing_leaks(within_s=0.1):
            kept.append(leak())
