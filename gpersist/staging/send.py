"""Out: device -> pinned slot -> file. Host arrays need no slot: they are written from where they are.

A worker takes an extent and sees it through: slot, copies on its own stream of the device, event, checksum, write, slot back. While one worker
waits for its event, others checksum and write, so copy, checksum and write overlap with no queue between them; how far ahead copies may run is what
the ring allows.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from gpersist.devices import Array, Device, Event, PinnedBuffer, Stream
from gpersist.errors import GPersistError
from gpersist.files import Buffer
from gpersist.staging.crew import default_threads, run
from gpersist.staging.layout import Extent, Layout, Piece, cut, cut_blocks, pieces, tensor_bytes
from gpersist.staging.pulled import Pulled
from gpersist.staging.ring import DEFAULT_RING_BYTES, SlotRing, ring_for
from gpersist.table import combine, crc32c

CACHED_BYTES = 512 << 10
"""A block that is still in a core's cache when its checksum is done: larger ones made saves of 1 GiB up to 1.6 times slower (two cores)."""

LONG_BYTES = 16 * CACHED_BYTES
"""What a worker takes of a large host array at once, and then goes through block by block."""

BRIDGED_GAP_BYTES = 4096
"""Padding up to this is written (as zeros) with its neighbours; a new file has zeros wherever nothing is written."""

_ZEROS = memoryview(bytes(BRIDGED_GAP_BYTES))


class Writer(Protocol):
    """What `send` writes to: one file."""

    def write(self, buffers: Sequence[Buffer], size_bytes: int, offset: int) -> None:
        """Writes all buffers, in order, at an offset. Called by several threads at once."""


@dataclasses.dataclass(frozen=True, eq=False)
class Outgoing:
    """What to send, in the order of its layout.

    Attributes:
        names: of the tensors, for messages.
        arrays: C-contiguous; with a host device, anything that has the buffer protocol, or a `Pulled`.
        devices: where each array lives.
        layout: where its bytes go.
        ready: for each device that is not the host, an event behind which its arrays hold what is to be sent.
    """

    names: Sequence[str]
    arrays: Sequence[Array]
    devices: Sequence[Device]
    layout: Layout
    ready: Mapping[Device, Event]


def send(
    outgoing: Outgoing,
    writers: Sequence[Writer],
    *,
    direct: bool = False,
    ring_bytes: int = DEFAULT_RING_BYTES,
    threads: int | None = None,
    cancel: threading.Event | None = None,
    on_staged: Callable[[], None] | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> list[int]:
    """Writes arrays' bytes to files and returns each one's crc32c (not masked).

    Args:
        outgoing: what.
        writers: the layout's files, by number.
        direct: every write is of whole 4 KiB blocks, from aligned memory.
        ring_bytes: pinned host memory at most.
        threads: default: the processors, at most 8; one where there is little to do.
        cancel: when set, the transfer stops at the next extent.
        on_staged: called once, from some thread, when no array is read any more.
        on_progress: called with the bytes of tensors in each extent that is written, from any thread.

    Raises:
        CancelledError: `cancel` was set.
        GPersistError: the first error that a worker met; its message names the tensor.
    """
    layout = outgoing.layout
    others = [device for device in set(outgoing.devices) if not device.is_host]
    has_pulled = any(issubclass(kind, Pulled) for kind in set(map(type, outgoing.arrays)))
    job = _Send(outgoing, writers, on_progress, [0] * len(layout.sizes), has_pulled)
    if outgoing.devices and (direct or others):
        job.ring = ring_for((others or outgoing.devices)[0], ring_bytes)
    if job.ring and direct:
        extents = list(cut_blocks(layout, job.ring.slot_bytes))
    else:
        extents = extents_of(layout, outgoing.devices, job.ring)
    job.direct = direct
    job.staged = _Countdown(len(extents), on_staged)
    run(extents, job.worker, threads=threads_for(layout, extents, threads), name="gpersist-save", cancel=cancel)
    for tensor, parts in job.parts.items():
        crc = 0
        for _, part_crc, size in sorted(parts):
            crc = combine(crc, part_crc, size)
        job.crcs[tensor] = crc
    return job.crcs


class _Countdown:
    """Calls a function when as many extents as there are have been staged."""

    def __init__(self, count: int, then: Callable[[], None] | None) -> None:
        self._left, self._then, self._lock = count, then, threading.Lock()
        if not count and then:
            then()

    def __call__(self) -> None:
        if self._then:
            with self._lock:
                self._left -= 1
                over = self._left == 0
            if over:
                self._then()


@dataclasses.dataclass(eq=False)
class _Send:
    outgoing: Outgoing
    writers: Sequence[Writer]
    on_progress: Callable[[int], None] | None
    crcs: list[int]
    has_pulled: bool
    ring: SlotRing | None = None
    direct: bool = False
    staged: _Countdown = dataclasses.field(default_factory=lambda: _Countdown(0, None))
    parts: dict[int, list[tuple[int, int, int]]] = dataclasses.field(default_factory=dict)
    """Of a tensor that several extents share: (offset in the tensor, crc, bytes), in any order. `dict.setdefault` and `list.append` are atomic."""

    @contextmanager
    def worker(self) -> Iterator[Callable[[Extent], None]]:
        streams: dict[Device, Stream] = {}

        def do(extent: Extent) -> None:
            try:
                if self.direct or not self.outgoing.devices[extent.first].is_host:
                    self._through_slot(extent, streams)
                else:
                    self._from_host(extent)
            except GPersistError as error:
                name_tensors(error, self.outgoing.names[extent.first : extent.last], "saving")
                raise
            if self.on_progress:
                self.on_progress(tensor_bytes(self.outgoing.layout, extent))

        try:
            yield do
        finally:
            for stream in streams.values():
                stream.close()

    # ---- host arrays: straight from their memory

    def _from_host(self, extent: Extent) -> None:
        layout, first, last = self.outgoing.layout, extent.first, extent.last
        offset, size = int(layout.offsets[first]), int(layout.sizes[first])
        if last == first + 1 and size > extent.end - extent.begin:
            crc = 0
            for begin in range(extent.begin, extent.end, CACHED_BYTES):
                view = part_of(self.outgoing.arrays[first], begin - offset, min(begin + CACHED_BYTES, extent.end) - offset)
                crc = crc32c(view, crc)
                self.writers[extent.file].write([view], len(view), begin)
            self.parts.setdefault(first, []).append((extent.begin - offset, crc, extent.end - extent.begin))
        else:
            arrays = list(self.outgoing.arrays[first:last])
            inner = extent.begin - offset
            is_tail = inner > 0  # of a tensor that began in an extent before
            if is_tail:
                arrays[0] = part_of(arrays[0], inner, size)
            if self.has_pulled:
                arrays = [array.read(0, array.nbytes) if isinstance(array, Pulled) else array for array in arrays]
            crcs = list(map(crc32c, arrays))
            if is_tail:
                self.parts.setdefault(first, []).append((inner, crcs[0], size - inner))
            self.crcs[first + is_tail : last] = crcs[is_tail:]
            self.writers[extent.file].write(with_padding(arrays, layout, extent, _ZEROS), extent.end - extent.begin, extent.begin)
        self.staged()

    # ---- device arrays, and all arrays with direct I/O: by way of a slot

    def _through_slot(self, extent: Extent, streams: dict[Device, Stream]) -> None:
        assert self.ring is not None
        with self.ring.slot() as slot:
            parts = pieces(self.outgoing.layout, extent)
            used: dict[Device, Stream] = {}
            try:
                self._fill(slot, parts, streams, used)
                for stream in used.values():
                    stream.record().synchronize()
            except BaseException:
                settle(used.values())  # the slot goes back to the ring: nothing may still be copied into it
                raise
            self.staged()
            length = extent.end - extent.begin
            if self.direct:
                length = -(-length // 4096) * 4096
            _clear_padding(slot.array, parts, length)
            view = memoryview(slot.array.data)
            for part in parts:
                self._checksum(part, view[part.extent_offset : part.extent_offset + part.size_bytes])
            self.writers[extent.file].write([view[:length]], length, extent.begin)

    def _fill(self, slot: PinnedBuffer, parts: Sequence[Piece], streams: dict[Device, Stream], used: dict[Device, Stream]) -> None:
        for part in parts:
            array, device = self.outgoing.arrays[part.tensor], self.outgoing.devices[part.tensor]
            if device.is_host:
                view = part_of(array, part.tensor_offset, part.tensor_offset + part.size_bytes)
                slot.array[part.extent_offset : part.extent_offset + part.size_bytes] = np.frombuffer(view, np.uint8)
                continue
            stream = streams.get(device)
            if stream is None:
                stream = streams[device] = device.stream()
                if device in self.outgoing.ready:
                    stream.wait(self.outgoing.ready[device])
            used[device] = stream
            stream.copy_to_host(slot, part.extent_offset, array, part.tensor_offset, part.size_bytes)

    def _checksum(self, part: Piece, view: memoryview) -> None:
        if part.size_bytes == self.outgoing.layout.sizes[part.tensor]:
            self.crcs[part.tensor] = crc32c(view)
        else:
            self.parts.setdefault(part.tensor, []).append((part.tensor_offset, crc32c(view), part.size_bytes))


def extents_of(layout: Layout, devices: Sequence[Device], ring: SlotRing | None) -> list[Extent]:
    """Cuts a layout: host arrays into blocks for a core's cache, those of other devices into slots of the ring; without one, all are the host's."""
    if ring is None:
        return list(cut(layout, np.zeros(len(layout.sizes), np.int64), [CACHED_BYTES], BRIDGED_GAP_BYTES, [LONG_BYTES]))
    kinds = np.array([not device.is_host for device in devices], np.int64)
    return list(cut(layout, kinds, [CACHED_BYTES, ring.slot_bytes], BRIDGED_GAP_BYTES, [LONG_BYTES, ring.slot_bytes]))


def threads_for(layout: Layout, extents: Sequence[Extent], threads: int | None) -> int:
    """As many as were asked for, or as there are processors; fewer where there is little to do."""
    return max(1, min(threads or default_threads(), layout.total_bytes // CACHED_BYTES, len(extents)))


def part_of(array: Buffer | Pulled, begin: int, end: int) -> memoryview:
    """Bytes `begin` to `end` of a host array: its own, or those that a `Pulled` reads."""
    return array.read(begin, end) if isinstance(array, Pulled) else memoryview(array).cast("B")[begin:end]


def with_padding(arrays: Sequence[Buffer], layout: Layout, extent: Extent, filler: memoryview) -> list[Buffer]:
    """An extent's buffers, with a piece of `filler` wherever there is padding between two tensors."""
    gaps = layout.gaps[extent.first : extent.last - 1]
    if not any(gaps):
        return list(arrays)
    buffers: list[Buffer] = []
    for array, gap in zip(arrays, gaps, strict=False):
        buffers.append(array)
        if gap:
            buffers.append(filler[:gap])
    buffers.append(arrays[-1])
    return buffers


def settle(streams: Iterable[Stream]) -> None:
    """Waits until streams have done what was enqueued, whatever comes of it, so that memory they use may be given away."""
    for stream in streams:
        try:
            stream.record().synchronize()
        except GPersistError:
            pass  # the device failed: it copies nothing any more


def _clear_padding(slot: np.ndarray[Any, Any], parts: Sequence[Piece], length: int) -> None:
    """Zeros between and behind pieces: a slot holds what it held before, and that is nobody's business."""
    at = 0
    for part in parts:
        if part.extent_offset > at:
            slot[at : part.extent_offset] = 0
        at = part.extent_offset + part.size_bytes
    slot[at:length] = 0


def name_tensors(error: GPersistError, names: Sequence[str], doing: str) -> None:
    """Adds the tensors to an error that knows only of files or devices."""
    if not any(repr(name) in error.message for name in names):
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        error.message = f"{error.message} (while {doing} tensor {names[0]!r}{more})"
