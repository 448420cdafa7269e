from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator

import pytest

from gpersist.devices import PinnedBuffer, get, use_virtual
from gpersist.devices.memory import PageBuffer
from gpersist.errors import DeviceMemoryError, InvalidArgumentError
from gpersist.staging import release_rings, ring, ring_for
from gpersist.staging.ring import DEFAULT_RING_BYTES, SLOT_BYTES, SlotRing

WAIT_S = 60


class Allocator:
    """Counts buffers that live."""

    def __init__(self) -> None:
        self.live, self.most, self.fails = 0, 0, False
        self._lock = threading.Lock()

    def __call__(self, size_bytes: int) -> PinnedBuffer:
        if self.fails:
            raise DeviceMemoryError("no memory")
        with self._lock:
            self.live += 1
            self.most = max(self.most, self.live)
        return Counted(size_bytes, self)


class Counted(PageBuffer):
    def __init__(self, size_bytes: int, allocator: Allocator) -> None:
        super().__init__(size_bytes)
        self.allocator = allocator

    def close(self) -> None:
        super().close()
        self.allocator.live -= 1


@pytest.fixture(autouse=True)
def rings_of_its_own(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(ring, "_rings", {})
    yield
    release_rings()


def test_slots_are_made_when_wanted_and_used_again() -> None:
    allocator = Allocator()
    slots = SlotRing(allocator, 4096, 3)
    assert allocator.live == 0
    with slots.slot() as first:
        with slots.slot() as second:
            assert allocator.live == 2
        assert second is not first
        with slots.slot() as third:
            assert third is second
    assert allocator.most == 2


def test_never_more_than_it_has() -> None:
    allocator = Allocator()
    slots = SlotRing(allocator, 4096, 3)
    held = []
    numbers, together = itertools.count(), threading.Barrier(3, timeout=WAIT_S)

    def work() -> None:
        for _ in range(20):
            with slots.slot() as slot:
                held.append(slot)
                if next(numbers) < 3:
                    together.wait()  # else it might never need more than one
                time.sleep(0.0002)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert len(held) == 160
    assert allocator.most == allocator.live == 3


def test_waits_for_a_slot() -> None:
    slots = SlotRing(Allocator(), 4096, 1)
    got = threading.Event()

    def work() -> None:
        with slots.slot():
            got.set()

    with slots.slot():
        thread = threading.Thread(target=work)
        thread.start()
        assert not got.wait(0.05)
    assert got.wait(WAIT_S)
    thread.join()


def test_a_slot_comes_back_after_an_error() -> None:
    slots = SlotRing(Allocator(), 4096, 1)
    with pytest.raises(KeyError), slots.slot() as first:
        raise KeyError
    with slots.slot() as second:
        assert second is first


def test_an_allocation_that_fails_takes_no_place() -> None:
    allocator = Allocator()
    slots = SlotRing(allocator, 4096, 1)
    allocator.fails = True
    for _ in range(3):
        with pytest.raises(DeviceMemoryError), slots.slot():
            pytest.fail("a slot")
    allocator.fails = False
    with slots.slot():
        assert allocator.live == 1


def test_who_waits_gets_the_place_of_an_allocation_that_fails() -> None:
    allocator, allocating, go_on = Allocator(), threading.Event(), threading.Event()
    got: list[str] = []

    def allocate(size_bytes: int) -> PinnedBuffer:
        if allocating.is_set():
            return allocator(size_bytes)
        allocating.set()
        assert go_on.wait(WAIT_S)
        raise DeviceMemoryError("no memory")

    slots = SlotRing(allocate, 4096, 1)

    def work(name: str) -> None:
        try:
            with slots.slot():
                got.append(name)
        except DeviceMemoryError:
            got.append("error")

    first = threading.Thread(target=work, args=("first",))
    first.start()
    assert allocating.wait(WAIT_S)
    second = threading.Thread(target=work, args=("second",))
    second.start()
    time.sleep(0.02)
    go_on.set()
    for thread in (first, second):
        thread.join(WAIT_S)
    assert sorted(got) == ["error", "second"]


def test_release_frees_what_nobody_holds() -> None:
    allocator = Allocator()
    slots = SlotRing(allocator, 4096, 2)
    with slots.slot() as held:
        with slots.slot():
            pass
        assert slots.release() == 4096
        assert allocator.live == 1
        assert held.array.nbytes == 4096
        with slots.slot():  # and the place of what was freed may be taken again
            assert allocator.live == 2
    assert slots.release() == 2 * 4096
    assert allocator.live == 0


@pytest.mark.parametrize(
    ("ring_bytes", "slot_bytes", "count"),
    [
        (DEFAULT_RING_BYTES, SLOT_BYTES, 8),
        (8192, 4096, 2),
        (8193, 4096, 2),
        (12288, 4096, 3),
        (1 << 20, 512 << 10, 2),
        (20 << 20, SLOT_BYTES, 2),
        (1 << 30, SLOT_BYTES, 128),
    ],
)
def test_slots_of_a_ring(ring_bytes: int, slot_bytes: int, count: int) -> None:
    found = ring_for(get("/device:CPU:0"), ring_bytes)
    assert (found.slot_bytes, found.num_slots) == (slot_bytes, count)
    assert found.slot_bytes % 4096 == 0
    assert found.slot_bytes * found.num_slots <= ring_bytes


@pytest.mark.parametrize("ring_bytes", [8191, 4096, 0, -1])
def test_too_small_a_ring(ring_bytes: int) -> None:
    with pytest.raises(InvalidArgumentError, match=f"a ring of {ring_bytes} bytes is too small; at least 8192 are needed"):
        ring_for(get("/device:CPU:0"), ring_bytes)


def test_one_ring_for_all_devices_of_a_backend() -> None:
    with use_virtual(2) as (a, b):
        assert ring_for(a) is ring_for(b)
        assert ring_for(a) is not ring_for(a, 1 << 20)
        assert ring_for(a) is not ring_for(get("/device:CPU:0"))


def test_rings_are_given_back() -> None:
    with use_virtual(1) as (device,), ring_for(device, 8192).slot() as slot:
        slot.array[:] = 1
    assert release_rings() == 4096
    assert release_rings() == 0
