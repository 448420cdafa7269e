"""The ring: a fixed number of equal pinned slots, the only host memory that a transfer takes, and its only back-pressure.

Slots are allocated when first wanted, straight from the backend (`Device.pinned`), and shared by all transfers of the process: two saves at once do
not take twice the memory. They are kept between transfers, for pinning 64 MiB costs about as long as sending it; `release_rings` gives them back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gpersist.devices import Device, PinnedBuffer
from gpersist.errors import InvalidArgumentError

DEFAULT_RING_BYTES = 64 << 20
SLOT_BYTES = 8 << 20
MIN_SLOTS = 2
MIN_RING_BYTES = MIN_SLOTS * 4096


class SlotRing:
    """Slots for the workers of all transfers. Safe for threads.

    A worker holds one slot at a time, and lets go of it without waiting for another one: so the ring cannot deadlock.
    """

    def __init__(self, allocate: Callable[[int], PinnedBuffer], slot_bytes: int, num_slots: int) -> None:
        """Makes an empty ring; `allocate(size_bytes)` is called at most `num_slots` times."""
        self.slot_bytes, self.num_slots = slot_bytes, num_slots
        self._allocate = allocate
        self._free: list[PinnedBuffer] = []
        self._allocated = 0
        self._changed = threading.Condition()

    @contextmanager
    def slot(self) -> Iterator[PinnedBuffer]:
        """A slot for the duration of a `with`; waits for one. REQUIRES: all copies from or to it have ended at the end of the `with`."""
        with self._changed:
            while not self._free and self._allocated == self.num_slots:
                self._changed.wait()
            slot = self._free.pop() if self._free else None
            if slot is None:
                self._allocated += 1
        if slot is None:
            slot = self._new()
        try:
            yield slot
        finally:
            with self._changed:
                self._free.append(slot)
                self._changed.notify()

    def fill(self) -> None:
        """Allocates all slots now, for transfers that must not allocate any."""
        while True:
            with self._changed:
                if self._allocated == self.num_slots:
                    return
                self._allocated += 1
            slot = self._new()
            with self._changed:
                self._free.append(slot)
                self._changed.notify()

    def _new(self) -> PinnedBuffer:
        """Allocates a slot that is counted already."""
        try:
            return self._allocate(self.slot_bytes)
        except BaseException:
            with self._changed:
                self._allocated -= 1
                self._changed.notify()
            raise

    def release(self) -> int:
        """Frees the slots that nobody holds; returns the bytes."""
        with self._changed:
            slots, self._free = self._free, []
            self._allocated -= len(slots)
            self._changed.notify_all()
        for slot in slots:
            slot.close()
        return len(slots) * self.slot_bytes


_rings: dict[tuple[str, int], SlotRing] = {}
_rings_lock = threading.Lock()


def ring_for(device: Device, ring_bytes: int = DEFAULT_RING_BYTES) -> SlotRing:
    """The process's ring of this size for a device's backend: pinned memory serves every device of one backend.

    Raises:
        InvalidArgumentError: fewer bytes than two slots of 4 KiB.
    """
    slot_bytes = min(SLOT_BYTES, ring_bytes // MIN_SLOTS) & ~4095
    if slot_bytes <= 0:
        raise InvalidArgumentError(f"a ring of {ring_bytes} bytes is too small; at least {MIN_RING_BYTES} are needed")
    with _rings_lock:
        key = (device.backend, ring_bytes)
        if key not in _rings:
            _rings[key] = SlotRing(device.pinned, slot_bytes, ring_bytes // slot_bytes)
        return _rings[key]


def release_rings() -> int:
    """Gives all pinned slots that are not in use back to the operating system; returns the bytes. The next transfer takes new ones."""
    with _rings_lock:
        rings = list(_rings.values())
    # Without the lock: CUDA frees pinned memory once the device is idle, and a save that holds a stream of it may be asking for its ring.
    return sum(ring.release() for ring in rings)
