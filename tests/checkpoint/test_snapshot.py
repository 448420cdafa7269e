"""gpersist.checkpoint.snapshot: the values of the moment of the call, whatever is done to the arrays next.

A gate in the file layer keeps every save from writing before the arrays were overwritten, so a missing copy gives wrong bytes every time.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import gpersist
from gpersist import files
from gpersist.checkpoint import snapshot
from gpersist.checkpoint.snapshot import Arena
from gpersist.checkpoint.source import collect
from gpersist.devices import MemoryInfo, use_virtual
from gpersist.devices.virtual import VirtualDevice
from gpersist.errors import DeviceMemoryError

from .strict_device import StrictDevice

TIMEOUT_S = 100


class Gate(files.PosixFiles):
    """A save does nothing until it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()

    def create(self, path: str, *, direct: bool = False) -> int:
        assert self.opened.wait(TIMEOUT_S)
        return super().create(path, direct=direct)

    def pwritev(self, *arguments: Any) -> None:
        assert self.opened.wait(TIMEOUT_S)
        super().pwritev(*arguments)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    with files.substituted(gate):
        yield gate
        gate.opened.set()


@pytest.fixture(params=[True, False], ids=["lazy", "slow"])
def strict_device(request: pytest.FixtureRequest) -> Iterator[StrictDevice]:
    with StrictDevice(is_lazy=request.param) as device:
        yield device


@pytest.fixture(autouse=True)
def own_arena(monkeypatch: pytest.MonkeyPatch) -> Arena:
    arena = Arena()
    monkeypatch.setattr(snapshot, "ARENA", arena)
    return arena


def host_arrays() -> dict[str, np.ndarray[Any, Any]]:
    random = np.random.default_rng(3)
    return {
        "tiny": random.random(3),
        "scalar": np.array(7.5),
        "count": np.array(7),
        "large": random.random(500_001).astype(np.float32),
        "fortran": np.asfortranarray(random.random((1001, 700))),
        "strided": random.random((300, 300))[::3, ::2],
        "big_endian": random.random(100).astype(">f8"),
        "half": random.random((70, 100)).astype(ml_dtypes.bfloat16),
        "complex": random.random(700).astype(np.complex64),
        "bool": random.random(5000) > 0.5,
        "text": np.array([b"one", b"two"], object),
        "matrix": random.random((100, 100)).view(type("Sub", (np.ndarray,), {})),
        "empty": np.zeros((0, 4)),
    }


def overwrite(arrays: dict[str, Any]) -> None:
    for array in arrays.values():
        array[...] = b"changed" if array.dtype == object else array.dtype.type(1)


def check(prefix: Path, expected: dict[str, np.ndarray[Any, Any]]) -> None:
    for name, found in gpersist.load(prefix, placement="host").items():
        assert np.array_equal(found, expected[name]), name


@pytest.mark.parametrize("options", [{}, {"direct_io": True}, {"threads": 1}], ids=str)
def test_host_arrays(tmp_path: Path, gate: Gate, options: dict[str, Any]) -> None:
    arrays = host_arrays()
    expected = {name: array.copy() for name, array in arrays.items()}
    handle = gpersist.save_async(tmp_path / "x", arrays, durable=False, **options)
    overwrite(arrays)
    gate.opened.set()
    handle.result(TIMEOUT_S)
    check(tmp_path / "x", expected)


@pytest.mark.parametrize("is_lazy", [False, True])
def test_virtual_arrays(tmp_path: Path, gate: Gate, is_lazy: bool) -> None:
    with use_virtual(2, is_lazy=is_lazy) as devices:
        arrays = {}
        for number, (name, array) in enumerate(host_arrays().items()):
            if array.dtype != object and array.dtype.isnative:
                arrays[name] = devices[number % 2].empty(array.shape, array.dtype)
                arrays[name][...] = array
        arrays["column"] = arrays["large"][::2]
        expected = {name: np.array(array) for name, array in arrays.items()}
        handle = gpersist.save_async(tmp_path / "x", arrays, durable=False)
        overwrite(arrays)
        gate.opened.set()
        handle.result(TIMEOUT_S)
        check(tmp_path / "x", expected)


def test_thousands_of_small_arrays_in_a_loop(tmp_path: Path) -> None:
    arrays = {f"w{n}": np.full(n % 7, 0.0) for n in range(3000)}
    for step in range(1, 4):
        for array in arrays.values():
            array[...] = step
        handle = gpersist.save_async(tmp_path / f"x{step}", arrays, durable=False)
        for array in arrays.values():
            array[...] = -1
        handle.result(TIMEOUT_S)
    for step in range(1, 4):
        assert all((array == step).all() for array in gpersist.load(tmp_path / f"x{step}").values())


def test_two_saves_in_flight_do_not_share_memory(tmp_path: Path, gate: Gate) -> None:
    array = np.zeros(300_000)
    handles = []
    for step in range(3):
        array[...] = step
        handles.append(gpersist.save_async(tmp_path / f"x{step}", {"w": array}, durable=False))
    array[...] = -1
    gate.opened.set()
    for step, handle in enumerate(handles):
        handle.result(TIMEOUT_S)
        assert (gpersist.load(tmp_path / f"x{step}")["w"] == step).all()


# ---- the order of streams


NOTHING, AFTER = "nothing follows", "it is overwritten"


@pytest.mark.parametrize("names", [["whole"], ["strided"], ["whole", "strided"]], ids=str)
@pytest.mark.parametrize("then", [None, NOTHING, AFTER])
def test_a_save_comes_after_what_was_enqueued_and_before_what_will_be(
    tmp_path: Path, gate: Gate, strict_device: StrictDevice, names: list[str], then: str | None
) -> None:
    device = strict_device
    array, before, after = (device.empty((1000,), np.dtype(np.float32)) for _ in range(3))
    array[...], before[...], after[...] = 1, 2, 3
    arrays = {name: {"whole": array, "strided": array[::2]}[name] for name in names}
    device.be_busy()
    device.current.copy_array(array, before)
    if then is None:
        gate.opened.set()
        gpersist.save(tmp_path / "x", arrays, durable=False)
    else:
        handle = gpersist.save_async(tmp_path / "x", arrays, durable=False)
        if then == AFTER:
            device.current.copy_array(array, after)
            device.record_current().synchronize()
        gate.opened.set()
        handle.result(TIMEOUT_S)
    found = gpersist.load(tmp_path / "x", placement="host")
    assert {name: set(array.tolist()) for name, array in found.items()} == {name: {2.0} for name in names}
    device.record_current().synchronize()
    assert set(array.tolist()) == {3.0 if then == AFTER else 2.0}


# ---- memory of host snapshots


def test_memory_is_used_again(own_arena: Arena, tmp_path: Path) -> None:
    array = np.zeros(1 << 20, np.uint8)
    gpersist.save_async(tmp_path / "x", {"w": array}, durable=False).result(TIMEOUT_S)
    kept = own_arena._memory
    assert kept is not None
    gpersist.save_async(tmp_path / "x", {"w": array}, durable=False).result(TIMEOUT_S)
    assert own_arena._memory is kept


def test_memory_comes_back_when_staged_not_before(own_arena: Arena, gate: Gate, tmp_path: Path) -> None:
    handle = gpersist.save_async(tmp_path / "x", {"w": np.zeros(1 << 16)}, durable=False)
    assert own_arena._memory is None
    gate.opened.set()
    handle.wait_staged(TIMEOUT_S)
    assert own_arena._memory is not None
    handle.result(TIMEOUT_S)


def test_an_arena_keeps_the_largest_and_gives_what_fits() -> None:
    arena = Arena()
    small, large = arena.take(1000), arena.take(200 << 20)
    assert (large.nbytes, large.ctypes.data % 4096) == (200 << 20, 0)
    arena.give_back(small)
    arena.give_back(large)
    arena.give_back(np.zeros(5, np.uint8))
    assert arena.take(150 << 20) is large
    arena.give_back(large)
    assert arena.take(1 << 20) is not large  # far too much for it: given back to the system
    assert arena.release() == 0
    arena.give_back(small)
    assert arena.release() == small.nbytes


def test_released_memory_is_taken_anew(tmp_path: Path, own_arena: Arena) -> None:
    gpersist.save_async(tmp_path / "x", {"w": np.zeros(1 << 20, np.uint8)}, durable=False).result(TIMEOUT_S)
    assert gpersist.release_memory() >= 1 << 20
    assert own_arena._memory is None
    gpersist.save_async(tmp_path / "x", {"w": np.ones(9)}, durable=False).result(TIMEOUT_S)
    assert gpersist.load(tmp_path / "x")["w"].sum() == 9


def test_a_snapshot_that_fails_gives_its_memory_back(own_arena: Arena, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with use_virtual(1, 1 << 20) as (device,):
        array = device.empty((1 << 19,), np.dtype(np.uint8))
        array[...] = 1
        filler = device.empty((1 << 18,), np.dtype(np.uint8))
        with pytest.raises(DeviceMemoryError, match="524288 bytes wanted"):
            gpersist.save_async(tmp_path / "x", {"host": np.zeros(1 << 20), "w": array}, durable=False)
        assert own_arena._memory is not None
        assert list(tmp_path.iterdir()) == []
        del filler
        gpersist.save_async(tmp_path / "x", {"host": np.zeros(1 << 20), "w": array}, durable=False).result(TIMEOUT_S)


# ---- devices without room for a copy


class Holding(VirtualDevice):
    """A device whose current stream can be held, as CUDA's can: here the stream is a list of things that are held."""

    can_hold = True
    free_bytes = 0

    def __init__(self) -> None:
        super().__init__(0)
        self.held: list[threading.Thread] = []

    def memory(self) -> MemoryInfo:
        return MemoryInfo(self.free_bytes, 1 << 30)

    def hold_current(self, wait: Callable[[], object]) -> None:
        thread = threading.Thread(target=wait)
        thread.start()
        self.held.append(thread)


def holding_array(device: Holding) -> Any:
    array = device.empty((1000,), np.dtype(np.float32))
    array[...] = 5
    return array


def test_a_stream_is_held_until_its_arrays_are_read(tmp_path: Path, gate: Gate) -> None:
    device = Holding()
    handle = gpersist.save_async(tmp_path / "x", {"w": holding_array(device)}, durable=False)
    (held,) = device.held
    assert held.is_alive()
    gate.opened.set()
    handle.wait_staged(TIMEOUT_S)
    held.join(TIMEOUT_S)
    assert not held.is_alive()
    handle.result(TIMEOUT_S)
    assert (gpersist.load(tmp_path / "x", placement="host")["w"] == 5).all()


def test_with_room_nothing_is_held(tmp_path: Path) -> None:
    device = Holding()
    device.free_bytes = 1 << 20
    gpersist.save_async(tmp_path / "x", {"w": holding_array(device)}, durable=False).result(TIMEOUT_S)
    assert device.held == []


def test_a_copy_that_fails_after_all_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = Holding()
    device.free_bytes = 1 << 20
    array = holding_array(device)

    def refuse(*arguments: Any) -> Any:
        raise DeviceMemoryError("fragmented")

    monkeypatch.setattr(device, "empty", refuse)
    gpersist.save_async(tmp_path / "x", {"w": array}, durable=False).result(TIMEOUT_S)
    (held,) = device.held
    held.join(TIMEOUT_S)
    assert not held.is_alive()


@pytest.mark.parametrize("how", ["fails", "cancelled", "other device"])
def test_a_held_stream_goes_on_whatever_happens(tmp_path: Path, how: str, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    device = Holding()
    arrays = {"w": holding_array(device)}
    if how == "other device":
        with use_virtual(1, 1 << 20) as (other,):
            arrays["v"] = other.empty((600 << 10,), np.dtype(np.uint8))
            with pytest.raises(DeviceMemoryError):
                gpersist.save_async(tmp_path / "x", arrays, durable=False)
    else:
        prefix = tmp_path / ("a file" if how == "fails" else "folder") / "x"
        (tmp_path / "a file").write_text("in the way")
        handle = gpersist.save_async(prefix, arrays, durable=False)
        if how == "cancelled":
            handle.cancel()
        gate.opened.set()
        assert isinstance(handle.exception(TIMEOUT_S), gpersist.GPersistError)
    for held in device.held:
        held.join(TIMEOUT_S)
        assert not held.is_alive()


def test_a_snapshot_needs_no_copy_of_what_was_made_for_it() -> None:
    source = collect({"s": "text", "w": np.ones(3)})
    before = source.buffers[0]
    held = snapshot.take(source)
    assert source.buffers[0] is before
    assert source.buffers[1] is not None
    held.release()
    held.release()


def test_no_memory_for_the_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: Any) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(snapshot.mmap, "mmap", none_left)
    with pytest.raises(DeviceMemoryError, match=r"bytes wanted for a copy of the arrays.*Cannot allocate memory; save makes none"):
        gpersist.save_async(tmp_path / "x", {"w": np.zeros(100_000)})
    gpersist.save(tmp_path / "x", {"w": np.zeros(100_000)})
