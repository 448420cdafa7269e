"""Memory that runs out, on the device and for pinning: all or nothing, said with figures, and nothing kept."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import gpersist
from gpersist.devices import Device, cuda
from gpersist.errors import DeviceMemoryError
from tests.cuda.gpus import IS_EMULATED, cupy, emulated_only, error_of, files, nothing_leaks, numbers, stored
from tests.devices.contract import assert_same_bytes, put, take

if IS_EMULATED:
    from tests.cudasim import control

pytestmark = pytest.mark.cuda

SIZE = 300_000
NAMES = ["a", "b", "c", "d"]


@pytest.fixture
def saved(prefix: str, device: Device) -> str:
    """A checkpoint of four arrays that lived on the device, each large enough for an allocation of its own in CuPy's pool."""
    gpersist.save(prefix, {name: put(device, numbers(number, SIZE)) for number, name in enumerate(NAMES)})
    return prefix


def out_of_memory(nth: int) -> Any:
    """From the nth allocation on, CuPy, which tries three times, gets nothing."""
    return control.faults(",".join(f"cudaMalloc:{number}:2" for number in range(nth, 20)))


def assert_says_it_all(error: str, device: Device, wanted_bytes: int) -> None:
    assert re.search(rf"{device.name}: {wanted_bytes} bytes wanted, \d+ bytes free", error), error


@emulated_only
class TestOnTheNthAllocation:
    @pytest.mark.parametrize("nth", range(1, len(NAMES) + 1))
    def test_of_a_load(self, device: Device, saved: str, nth: int) -> None:
        for _ in range(2):
            with nothing_leaks(), out_of_memory(nth):
                assert_says_it_all(error_of(DeviceMemoryError, lambda: gpersist.load(saved)), device, SIZE * 4)
        found = gpersist.load(saved)
        assert_same_bytes(take(device, found["d"]), numbers(3, SIZE))

    @pytest.mark.parametrize("nth", [1, 2])
    def test_of_a_load_into_arrays_that_need_memory_beside_them(self, device: Device, saved: str, nth: int) -> None:
        """Arrays that are not one run of bytes are loaded beside, and copied; if there is no room for that, none is changed."""
        wide = {name: put(device, numbers(77, SIZE * 2)) for name in NAMES}
        into = {"a": wide["a"][:SIZE], "b": wide["b"][::2], "c": wide["c"][:SIZE], "d": wide["d"][::-2]}
        with nothing_leaks(), out_of_memory(nth):
            assert_says_it_all(error_of(DeviceMemoryError, lambda: gpersist.load(saved, into=into)), device, SIZE * 4)
        for array in wide.values():
            assert_same_bytes(take(device, array), numbers(77, SIZE * 2))
        gpersist.load(saved, into=into)
        assert_same_bytes(take(device, wide["d"])[::-2], numbers(3, SIZE))
        assert_same_bytes(take(device, wide["d"])[::2], numbers(77, SIZE * 2)[::2])

    @pytest.mark.parametrize("way", ["save", "save_async"])
    def test_of_a_save_of_strided_arrays(self, device: Device, prefix: str, way: str, tmp_path: Any) -> None:
        """They are made contiguous on their device first."""
        array = put(device, numbers(0, 2 * SIZE))
        save = getattr(gpersist, way)
        with nothing_leaks(), out_of_memory(2):
            assert_says_it_all(error_of(DeviceMemoryError, lambda: save(prefix, {"x": array[::2], "y": array[1::2]})), device, SIZE * 4)
        assert files(tmp_path) == []

    def test_of_a_snapshot_holds_the_stream_instead(self, device: Device, prefix: str, caplog: pytest.LogCaptureFixture) -> None:
        arrays = {name: put(device, numbers(number, SIZE)) for number, name in enumerate(NAMES)}
        with caplog.at_level(logging.INFO, "gpersist"), nothing_leaks(), out_of_memory(3):
            handle = gpersist.save_async(prefix, arrays)
            for array in arrays.values():
                array += 1
            handle.result()
        assert "its stream waits until they are read" in caplog.text
        for number, name in enumerate(NAMES):
            assert_same_bytes(stored(prefix)[name], numbers(number, SIZE))


@pytest.mark.usefixtures("no_room")
class TestNoRoom:
    """The pool's limit keeps memory away on a real device, too."""

    def test_is_found_before_a_byte_moves(self, device: Device, prefix: str) -> None:
        gpersist.save(prefix, {name: numbers(0, SIZE) for name in NAMES})
        error = error_of(DeviceMemoryError, lambda: gpersist.load(prefix, placement=device.name))
        assert re.search(rf"{device.name} has .* B free .* would need 4.6 MiB \(4800000 bytes\)", error), error

    def test_a_save_needs_none(self, device: Device, prefix: str) -> None:
        pool = cupy.get_default_memory_pool()
        with device.activate():
            pool.set_limit(size=0)
            array = put(device, numbers(0, SIZE))
            pool.set_limit(size=pool.total_bytes())
        gpersist.save(prefix, {"x": array})
        gpersist.save_async(prefix, {"x": array}).result()
        gpersist.load(prefix, into={"x": array})
        assert_same_bytes(take(device, array), numbers(0, SIZE))


@emulated_only
class TestPinning:
    @pytest.fixture
    def refused(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setattr(cuda, "_has_warned", False)
        with control.faults("cudaHostAlloc:0:2"):
            yield
        gpersist.release_memory()

    def test_refused_is_said_once_and_the_values_are_right(
        self, device: Device, prefix: str, refused: None, caplog: pytest.LogCaptureFixture
    ) -> None:
        array = device.empty((SIZE,), np.dtype(np.float32))
        with device.activate():
            array.fill(5)
        for number in range(2):
            handle = gpersist.save_async(f"{prefix}-{number}", {"x": array, "y": array[::3]}, ring_bytes=65536, threads=4)
            with device.activate():
                array += 1
            handle.result()
            gpersist.save(f"{prefix}-now", {"x": array})
            assert (stored(f"{prefix}-{number}")["x"] == 5 + number).all()
            assert (stored(f"{prefix}-{number}")["y"] == 5 + number).all()
            assert (stored(f"{prefix}-now")["x"] == 6 + number).all()
        found = gpersist.load(f"{prefix}-0", ring_bytes=65536)
        gpersist.load(f"{prefix}-now", into={"x": array}, ring_bytes=65536)
        with device.activate():
            assert (found["x"].get() == 5).all()
            assert (array.get() == 7).all()
        (warning,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        assert "/device:GPU:0: the driver refused to pin" in warning

    def test_refused_in_the_middle_of_a_transfer(self, device: Device, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
        array = put(device, numbers(0, SIZE))
        monkeypatch.setattr(cuda, "_has_warned", False)
        with control.faults("cudaHostAlloc:2:2,cudaHostAlloc:3:2"):
            handle = gpersist.save_async(prefix, {"x": array}, ring_bytes=65536, threads=4)
            with device.activate():
                array += 1
            handle.result()
            gpersist.load(prefix, into={"x": array}, ring_bytes=65536, threads=4)
        assert_same_bytes(take(device, array), numbers(0, SIZE))
        gpersist.release_memory()

    def test_refused_for_another_reason_is_an_error(self, device: Device, prefix: str, tmp_path: Any) -> None:
        array = put(device, numbers(0, SIZE))
        with control.faults("cudaHostAlloc:1:1"), pytest.raises(gpersist.UnavailableError, match=r"/device:GPU:0: cudaErrorInvalidValue.*'x'"):
            gpersist.save(prefix, {"x": array})
        assert files(tmp_path) == []
        gpersist.save(prefix, {"x": array})
        assert_same_bytes(stored(prefix)["x"], numbers(0, SIZE))


def test_the_ring_is_all_the_pinned_memory_there_is(device: Device, prefix: str) -> None:
    if not IS_EMULATED:
        pytest.skip("only the emulated runtime counts pinned memory")
    array = put(device, numbers(0, 1_000_000))
    gpersist.release_memory()
    before = control.count("pinned_bytes")
    for _ in range(2):
        handles = [gpersist.save_async(f"{prefix}-{number}", {"x": array}, ring_bytes=1 << 18, threads=4) for number in range(3)]
        for handle in handles:
            handle.result()
        gpersist.load(f"{prefix}-0", into={"x": array}, ring_bytes=1 << 18, threads=4)
        assert control.count("pinned_bytes") - before <= 1 << 18
    assert gpersist.release_memory() > 0
    assert control.count("pinned_bytes") == before
