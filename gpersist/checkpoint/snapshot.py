"""The values of one moment, while training goes on.

Host arrays are copied before `save_async` returns, by several threads, into memory that is kept for the next snapshot (memory never touched before
costs three times as much). Arrays of a device are copied there, ordered by streams: the copy waits for what the caller's stream has in its queue,
and the caller's stream waits for the copy; the host thread waits for neither. Where the device has no room for a copy, the caller's stream is held,
on the device, until the save has read the arrays. Buffers that the save itself made (strings, conversions) need nothing.
"""

from __future__ import annotations

import logging
import mmap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from gpersist.checkpoint.source import Source
from gpersist.devices import Array, Device, Event
from gpersist.errors import DeviceMemoryError
from gpersist.staging import DEFAULT_RING_BYTES, Scattered, default_threads, release_rings, ring_for, run

_log = logging.getLogger("gpersist")

_Bytes = np.ndarray[Any, np.dtype[np.uint8]]
_Copy = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]

_ALIGNMENT = 64
_TASK_BYTES = 4 << 20
"""Copies handed to a thread at once; each costs it some 20 us besides."""

_SMALL_BYTES = 4096
"""Arrays so small get memory of their own: a copy of 20,000 of them costs a tenth of what finding places for them does."""
_MEDIUM_BYTES = 256 << 10
"""Arrays up to this are copied where they are met: preparing a task costs as much."""
_RESERVE = 1.1
"""Free device memory, as a multiple of a copy, below which none is made: training needs some, too."""


class Arena:
    """Host memory for one snapshot, kept for the next one. One snapshot at a time holds it; another one meanwhile gets memory of its own."""

    def __init__(self) -> None:
        """An arena without memory."""
        self._memory: _Bytes | None = None
        self._lock = threading.Lock()

    def take(self, size_bytes: int) -> _Bytes:
        """Memory of at least so many bytes, aligned to pages.

        Raises:
            DeviceMemoryError: there is none.
        """
        with self._lock:
            kept, self._memory = self._memory, None
        if kept is not None and size_bytes <= kept.nbytes <= max(2 * size_bytes, 64 << 20):
            return kept
        del kept
        try:
            pages = mmap.mmap(-1, max(size_bytes, 1), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        except OSError as error:
            raise DeviceMemoryError(
                f"host memory: {size_bytes} bytes wanted for a copy of the arrays, to save them in the background: {error.strerror}; save makes none"
            ) from error
        if size_bytes >= 2 << 20 and hasattr(mmap, "MADV_HUGEPAGE"):
            try:
                pages.madvise(mmap.MADV_HUGEPAGE)
            except OSError:
                pass  # a kernel without huge pages
        return np.frombuffer(pages, np.uint8)

    def give_back(self, memory: _Bytes) -> None:
        """Keeps memory for the next snapshot. REQUIRES: nobody reads it any more."""
        with self._lock:
            if self._memory is None or self._memory.nbytes < memory.nbytes:
                self._memory = memory

    def release(self) -> int:
        """Gives the memory that is kept to the operating system; returns the bytes."""
        with self._lock:
            memory, self._memory = self._memory, None
        return 0 if memory is None else memory.nbytes


ARENA = Arena()
"""The process's own."""


def release_memory() -> int:
    """Gives back to the operating system what is kept for the next transfer: pinned slots and the memory of snapshots; returns the bytes.

    Nothing in use is touched, and the next transfer takes new memory.
    """
    return ARENA.release() + release_rings()


class Snapshot:
    """A source whose buffers nobody changes any more, and what to do when it is over."""

    def __init__(self) -> None:
        """A snapshot of nothing."""
        self.ready: dict[Device, Event] = {}
        self._over: list[Callable[[], None]] = []

    def release(self) -> None:
        """Lets go of memory and of held streams. Called once the buffers have been read, or the save has failed; again, does nothing."""
        over, self._over = self._over, []
        for do in over:
            do()

    def then(self, do: Callable[[], None]) -> None:
        """Adds something to do at the release."""
        self._over.append(do)


def current(source: Source) -> Snapshot:
    """For a save that the caller waits for: no copies, only the order of streams."""
    snapshot = Snapshot()
    for device in {device for device in source.devices if not device.is_host}:
        snapshot.ready[device] = device.record_current()
    return snapshot


def take(source: Source, ring_bytes: int = DEFAULT_RING_BYTES) -> Snapshot:
    """Makes a source independent of what the caller does next, replacing buffers in it.

    Args:
        source: what will be saved.
        ring_bytes: pinned host memory that the save will use.

    Raises:
        DeviceMemoryError: neither a copy nor holding the stream is possible.
    """
    snapshot = Snapshot()
    by_device: dict[Device, list[int]] = {}
    for row, device in enumerate(source.devices):
        if row not in source.owned:
            by_device.setdefault(device, []).append(row)
    for device in {device for device in source.devices if not device.is_host} - set(by_device):
        snapshot.ready[device] = device.record_current()
    try:
        for device, rows in by_device.items():
            if device.is_host:
                _copy_host(source, rows, snapshot)
            else:
                _copy_device(source, device, rows, snapshot, ring_bytes)
    except BaseException:
        snapshot.release()
        raise
    return snapshot


# ---- host


def _copy_host(source: Source, rows: list[int], snapshot: Snapshot) -> None:
    large: list[int] = []
    for row in rows:
        if source.sizes[row] > _SMALL_BYTES or isinstance(source.buffers[row], Scattered):
            large.append(row)
        else:
            source.buffers[row] = memoryview(source.buffers[row]).tobytes()
    sizes = np.array([source.sizes[row] for row in large], np.int64)
    padded = -(-sizes // _ALIGNMENT) * _ALIGNMENT
    ends = np.cumsum(padded)
    if not len(ends):
        return
    memory = ARENA.take(int(ends[-1]))
    snapshot.then(lambda: ARENA.give_back(memory))
    view = memoryview(memory.data)
    threads = min(default_threads(), 4)
    share = max(_TASK_BYTES, -(-int(ends[-1]) // threads))
    tasks: list[list[_Copy]] = [[]]
    task_bytes = 0
    for row, start, size in zip(large, (ends - padded).tolist(), sizes.tolist(), strict=True):
        original = source.buffers[row]
        source.buffers[row] = view[start : start + size]
        if size <= _MEDIUM_BYTES and not isinstance(original, Scattered):
            view[start : start + size] = memoryview(original).cast("B")
            continue
        target = memory[start : start + size]
        if isinstance(original, Scattered):
            pair = target.view(original.dtype).reshape(original.array.shape), original.array
        else:
            pair = target, original.reshape(-1).view(np.uint8)
        for part in _parts(*pair, share):
            tasks[-1].append(part)
            task_bytes += part[0].nbytes
            if task_bytes >= _TASK_BYTES:
                tasks.append([])
                task_bytes = 0

    @contextmanager
    def worker() -> Iterator[Callable[[list[_Copy]], None]]:
        yield _copy_all

    if tasks[0]:
        run(tasks, worker, threads=min(threads, len(tasks)), name="gpersist-snapshot")


def _copy_all(task: list[_Copy]) -> None:
    for target, original in task:
        np.copyto(target, original)


def _parts(target: np.ndarray[Any, Any], original: np.ndarray[Any, Any], share: int) -> Iterator[_Copy]:
    """A copy in parts of at most a thread's share, along the first dimension: as large as can be, for then memcpy goes past the caches."""
    count = -(-target.nbytes // share)
    if count <= 1 or not target.ndim:
        yield target, original
        return
    step = -(-len(target) // count)
    for at in range(0, len(target), step):
        yield target[at : at + step], original[at : at + step]


# ---- devices


def _copy_device(source: Source, device: Device, rows: list[int], snapshot: Snapshot, ring_bytes: int) -> None:
    wanted = sum(source.sizes[row] for row in rows)
    copies: list[Array] | None = None
    if wanted * _RESERVE <= device.memory().free_bytes or not device.can_hold:
        try:
            copies = [device.empty(source.shapes[row], source.buffers[row].dtype) for row in rows]
        except DeviceMemoryError:
            if not device.can_hold:
                raise
    if copies is None:
        _log.info("%s: no room for a copy of %d bytes; its stream waits until they are read", device.name, wanted)
        # CUDA may make an allocation of pinned memory wait for the device, of whose work the hold is a part, which waits for the save.
        ring_for(device, ring_bytes).fill()
        read = threading.Event()
        snapshot.then(read.set)
        snapshot.ready[device] = device.record_current()
        device.hold_current(read.wait)
        return
    stream = device.stream()
    try:
        stream.wait(device.record_current())
        for row, copy in zip(rows, copies, strict=True):
            stream.copy_array(copy, source.buffers[row])
            source.buffers[row] = copy
        done = stream.record()
        device.wait_current(done)
        snapshot.ready[device] = done
    finally:
        stream.close()
