"""In: file -> pinned slot -> device. Host arrays are read where they belong, with no slot.

The order of things is that of `send`, turned round: a worker takes an extent, reads it, holds every tensor's checksum against the index, and only
then starts the copies to the device; the slot goes back when their event is through.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np

from gpersist.devices import Array, Device, Event, Stream
from gpersist.errors import DataLossError, GPersistError
from gpersist.files import Buffer
from gpersist.staging.crew import run
from gpersist.staging.layout import Extent, Layout, blocks, pieces, tensor_bytes
from gpersist.staging.ring import DEFAULT_RING_BYTES, SlotRing, ring_for
from gpersist.staging.scattered import Scattered
from gpersist.staging.send import BRIDGED_GAP_BYTES, CACHED_BYTES, extents_of, name_tensors, part_of, settle, threads_for, with_padding
from gpersist.table import combine, crc32c, mask, unmask_many

UNCHECKED = -1


class Reader(Protocol):
    """What `receive` reads from: one file."""

    path: str

    def read(self, buffers: Sequence[Buffer], size_bytes: int, offset: int) -> None:
        """Fills all buffers, in order, from an offset on. Called by several threads at once."""


@dataclasses.dataclass(frozen=True, eq=False)
class Incoming:
    """What to receive, in the order of its layout.

    Attributes:
        names: of the tensors, for messages.
        arrays: C-contiguous targets; with a host device, anything writable that has the buffer protocol, or a `Scattered`.
        devices: where each target lives.
        layout: where its bytes come from.
        crcs: the masked crc32c that each tensor must have, as the index has it; `UNCHECKED` for one that whoever asked checks by itself.
        ready: for each device that is not the host, an event behind which its targets may be written.
    """

    names: Sequence[str]
    arrays: Sequence[Array]
    devices: Sequence[Device]
    layout: Layout
    crcs: Sequence[int]
    ready: Mapping[Device, Event] = dataclasses.field(default_factory=dict)


def receive(
    incoming: Incoming,
    readers: Sequence[Reader],
    *,
    ring_bytes: int = DEFAULT_RING_BYTES,
    threads: int | None = None,
    cancel: threading.Event | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> None:
    """Reads files' bytes into arrays. On return all copies have ended: any stream may use the arrays.

    Args:
        incoming: what.
        readers: the layout's files, by number.
        ring_bytes: pinned host memory at most.
        threads: default: the processors, at most 8; one where there is little to do.
        cancel: when set, the transfer stops at the next extent.
        on_progress: called with the bytes of tensors in each extent that has arrived, from any thread.

    Raises:
        DataLossError: a checksum does not hold, or a file ends early. Targets may hold part of what was read.
        CancelledError: `cancel` was set.
        GPersistError: the first error that a worker met; its message names the tensor.
    """
    layout = incoming.layout
    if not len(layout.sizes):
        return
    job = _Receive(incoming, readers, on_progress, layout.sizes.tolist(), unmask_many(np.array(incoming.crcs, np.int64)).tolist())
    job.has_scattered = Scattered in set(map(type, incoming.arrays))
    others = [device for device in set(incoming.devices) if not device.is_host]
    if others:
        job.ring = ring_for(others[0], ring_bytes)
    extents = extents_of(layout, incoming.devices, job.ring)
    run(extents, job.worker, threads=threads_for(layout, extents, threads), name="gpersist-load", cancel=cancel)


def check(
    incoming: Incoming,
    readers: Sequence[Reader],
    *,
    threads: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> None:
    """Reads files' bytes and holds their checksums against the index, keeping nothing; `incoming` needs no arrays and no devices.

    Raises:
        DataLossError: a checksum does not hold, or a file ends early: the first one met.
    """
    layout = incoming.layout
    job = _Receive(incoming, readers, on_progress, layout.sizes.tolist(), unmask_many(np.array(incoming.crcs, np.int64)).tolist())
    extents = extents_of(layout, (), None)
    run(extents, job.checker, threads=threads_for(layout, extents, threads), name="gpersist-verify")


@dataclasses.dataclass(eq=False)
class _Receive:
    incoming: Incoming
    readers: Sequence[Reader]
    on_progress: Callable[[int], None] | None
    missing: list[int]
    """Bytes of each tensor whose crc is not known yet; guarded by `lock` for tensors that several extents share."""
    expected: list[int]
    """The crc of each tensor, not masked; of an unchecked one, whatever."""
    has_scattered: bool = False
    ring: SlotRing | None = None
    runs: dict[int, dict[int, tuple[int, int]]] = dataclasses.field(default_factory=dict)
    """Of a tensor that several extents share: the runs of bytes that have arrived, by their ends: where each begins, and its crc."""
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    @contextmanager
    def worker(self) -> Iterator[Callable[[Extent], None]]:
        streams: dict[Device, Stream] = {}
        scratch = memoryview(bytearray(BRIDGED_GAP_BYTES))

        def do(extent: Extent) -> None:
            try:
                if self.incoming.devices[extent.first].is_host:
                    for block in blocks(extent, CACHED_BYTES):
                        self._to_host(block, scratch)
                else:
                    self._through_slot(extent, streams)
            except GPersistError as error:
                name_tensors(error, self.incoming.names[extent.first : extent.last], "loading")
                raise
            if self.on_progress:
                self.on_progress(tensor_bytes(self.incoming.layout, extent))

        try:
            yield do
        finally:
            for stream in streams.values():
                stream.close()

    @contextmanager
    def checker(self) -> Iterator[Callable[[Extent], None]]:
        scratch = memoryview(bytearray(CACHED_BYTES))

        def do(extent: Extent) -> None:
            try:
                for block in blocks(extent, CACHED_BYTES):
                    length = block.end - block.begin
                    self.readers[block.file].read([scratch[:length]], length, block.begin)
                    for part in pieces(self.incoming.layout, block):
                        crc = crc32c(scratch[part.extent_offset : part.extent_offset + part.size_bytes])
                        self._check_part(part.tensor, part.tensor_offset, crc, part.size_bytes)
            except GPersistError as error:
                name_tensors(error, self.incoming.names[extent.first : extent.last], "verifying")
                raise
            if self.on_progress:
                self.on_progress(tensor_bytes(self.incoming.layout, extent))

        yield do

    def _to_host(self, extent: Extent, scratch: memoryview) -> None:
        layout, first, last = self.incoming.layout, extent.first, extent.last
        offset, size = int(layout.offsets[first]), int(layout.sizes[first])
        length = extent.end - extent.begin
        arrays = list(self.incoming.arrays[first:last])
        inner = extent.begin - offset
        is_part = size > length or inner > 0
        if is_part and not isinstance(arrays[0], Scattered):
            arrays[0] = part_of(arrays[0], inner, min(size, inner + length))
        scattered: list[tuple[Scattered, int, memoryview]] = []  # the target, a byte of it, and what is read for it, beside it
        for number, piece in enumerate(pieces(layout, extent) if self.has_scattered else ()):
            target = arrays[number]
            if isinstance(target, Scattered):
                arrays[number] = memoryview(bytearray(piece.size_bytes))
                scattered.append((target, piece.tensor_offset, arrays[number]))
        self.readers[extent.file].read(with_padding(arrays, layout, extent, scratch), length, extent.begin)
        for target, begin, content in scattered:
            target.write(begin, content)
        if is_part:
            self._check_part(first, inner, crc32c(arrays[0]), len(arrays[0]))
        for tensor, crc in enumerate(map(crc32c, arrays[is_part:]), first + is_part):
            if crc != self.expected[tensor]:
                self._check(tensor, crc)

    def _through_slot(self, extent: Extent, streams: dict[Device, Stream]) -> None:
        assert self.ring is not None
        used: dict[Device, Stream] = {}
        with self.ring.slot() as slot:
            view = memoryview(slot.array.data)
            length = extent.end - extent.begin
            self.readers[extent.file].read([view[:length]], length, extent.begin)
            try:
                for part in pieces(self.incoming.layout, extent):
                    crc = crc32c(view[part.extent_offset : part.extent_offset + part.size_bytes])
                    self._check_part(part.tensor, part.tensor_offset, crc, part.size_bytes)
                    device = self.incoming.devices[part.tensor]
                    stream = streams.get(device)
                    if stream is None:
                        stream = streams[device] = device.stream()
                        if device in self.incoming.ready:
                            stream.wait(self.incoming.ready[device])
                    used[device] = stream
                    stream.copy_to_device(self.incoming.arrays[part.tensor], part.tensor_offset, slot, part.extent_offset, part.size_bytes)
                for stream in used.values():
                    stream.record().synchronize()
            except BaseException:
                settle(used.values())
                raise

    def _check_part(self, tensor: int, offset: int, crc: int, size_bytes: int) -> None:
        """Takes in the crc of a part of a tensor, and checks the whole when it was the last."""
        with self.lock:
            self.missing[tensor] -= size_bytes
            runs = self.runs.setdefault(tensor, {})
            begin, before = runs.pop(offset, (offset, 0))
            runs[offset + size_bytes] = begin, combine(before, crc, size_bytes)
            if self.missing[tensor]:
                return
        crc = 0
        for end, (begin, run_crc) in sorted(self.runs.pop(tensor).items()):
            crc = combine(crc, run_crc, end - begin)
        self._check(tensor, crc)

    def _check(self, tensor: int, crc: int) -> None:
        layout, expected = self.incoming.layout, self.incoming.crcs[tensor]
        if mask(crc) != expected != UNCHECKED:
            where = f"{self.readers[int(layout.files[tensor])].path!r} at byte {int(layout.offsets[tensor])}"
            raise DataLossError(
                f"tensor {self.incoming.names[tensor]!r} in {where}: crc32c expected 0x{expected:08x}, found 0x{mask(crc):08x}; the file is damaged, "
                "or of another save than its index: restore an older checkpoint"
            )
