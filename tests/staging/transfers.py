"""Files in memory, arrays on devices, and layouts, for the tests of both directions."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from gpersist.devices import Device, get
from gpersist.errors import DataLossError
from gpersist.files import Buffer
from gpersist.staging import Layout, ring, ring_for
from gpersist.table import crc32c

HOST = get("/device:CPU:0")
STALE = 0xA5
"""What memory holds before a transfer: padding that shows it was not written."""


class MemoryFile:
    """A file that counts how often each byte was written. Stands in for both a writer and a reader."""

    def __init__(self, content: bytes = b"", *, path: str = "memory", alignment_bytes: int = 1) -> None:
        self.path, self.alignment_bytes = path, alignment_bytes
        self.content = bytearray(content)
        self.times_written = bytearray()
        self.calls: list[tuple[int, int]] = []
        self._lock = threading.Lock()

    def write(self, buffers: Sequence[Buffer], size_bytes: int, offset: int) -> None:
        views = [memoryview(buffer).cast("B") for buffer in buffers]
        assert sum(view.nbytes for view in views) == size_bytes > 0
        if self.alignment_bytes > 1:
            (view,) = views
            address = np.frombuffer(view, np.uint8).__array_interface__["data"][0]
            assert address % self.alignment_bytes == size_bytes % self.alignment_bytes == offset % self.alignment_bytes == 0
        with self._lock:
            self.calls.append((offset, size_bytes))
            for view in views:
                end = offset + view.nbytes
                for array in (self.content, self.times_written):
                    array.extend(bytes(max(0, end - len(array))))
                self.content[offset:end] = view
                times = np.frombuffer(self.times_written, np.uint8)[offset:end]
                times += 1
                del times
                offset = end

    def read(self, buffers: Sequence[Buffer], size_bytes: int, offset: int) -> None:
        views = [memoryview(buffer).cast("B") for buffer in buffers]
        assert sum(view.nbytes for view in views) == size_bytes > 0
        with self._lock:
            self.calls.append((offset, size_bytes))
        if offset + size_bytes > len(self.content):
            raise DataLossError(f"{self.path!r} ended at byte {len(self.content)}")
        for view in views:
            view[:] = self.content[offset : offset + view.nbytes]
            offset += view.nbytes


def on(device: Device, array: np.ndarray[Any, Any]) -> Any:
    """A copy of an array, on a device."""
    if device.is_host:
        return array.copy()
    copy = device.empty(array.shape, array.dtype)
    copy[...] = array
    return copy


def random_arrays(sizes: Sequence[int], seed: int = 7) -> list[np.ndarray[Any, Any]]:
    """One array of bytes of each size, of random content and of dtypes that fit; the smallest ones are scalars."""
    random = np.random.default_rng(seed)
    arrays = []
    for size in sizes:
        raw = random.integers(0, 256, size, np.uint8)
        arrays.append(raw.view(np.int32).reshape(() if size == 4 else (-1, 1)) if size % 4 == 0 else raw)
    return arrays


def layout_of(sizes: Sequence[int], gaps: Sequence[int] | None = None, files: Sequence[int] | None = None) -> Layout:
    """Tensors one behind the other, `gaps[i]` bytes of padding before each; a new file begins at byte `gaps[i]`."""
    files = files or [0] * len(sizes)
    gaps = gaps or [0] * len(sizes)
    offsets, end = [], 0
    for number, (size, gap) in enumerate(zip(sizes, gaps, strict=True)):
        if number and files[number] != files[number - 1]:
            end = 0
        offsets.append(end + gap)
        end = offsets[-1] + size
    return Layout(*(np.array(column, np.int64) for column in (files, offsets, list(sizes))))


def contents(layout: Layout, arrays: Sequence[np.ndarray[Any, Any]]) -> list[bytes]:
    """What the files hold, by the plainest way: padding is zeros."""
    count = int(layout.files.max()) + 1 if len(layout.files) else 0
    files = [bytearray() for _ in range(count)]
    for file, offset, array in zip(layout.files.tolist(), layout.offsets.tolist(), arrays, strict=True):
        files[file].extend(bytes(offset - len(files[file])))
        files[file].extend(array.tobytes())
    return [bytes(file) for file in files]


def crcs_of(arrays: Sequence[np.ndarray[Any, Any]]) -> list[int]:
    return [crc32c(array.tobytes()) for array in arrays]


def names_of(arrays: Sequence[object]) -> list[str]:
    return [f"tensor/{number}" for number in range(len(arrays))]


def our_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("gpersist-")]


def soil(device: Device, ring_bytes: int) -> None:
    """Leaves bytes in every slot, as an earlier transfer does."""
    slots = ring_for(device, ring_bytes)
    with contextlib.ExitStack() as stack:
        for _ in range(slots.num_slots):
            stack.enter_context(slots.slot()).array[:] = STALE


def assert_all_slots_are_back() -> None:
    for slots in ring._rings.values():
        assert len(slots._free) == slots._allocated <= slots.num_slots


@st.composite
def transfers(draw) -> tuple[list[np.ndarray], Layout, list[int]]:
    count = draw(st.integers(1, 12))
    sizes = [draw(st.sampled_from([1, 3, 4, 255, 256, 257, 4095, 4096, 9000]) | st.integers(1, 600)) for _ in range(count)]
    gaps = [draw(st.sampled_from([0, 0, 0, 1, 60, 4096, 4097])) for _ in range(count)]
    files = np.cumsum([0] + [draw(st.sampled_from([0, 0, 1])) for _ in range(count - 1)]).tolist()
    return random_arrays(sizes, seed=sum(sizes)), layout_of(sizes, gaps, files), [draw(st.integers(0, 2)) for _ in range(count)]


@contextlib.contextmanager
def everything_is_given_back() -> Iterator[None]:
    before = our_threads()
    yield
    assert our_threads() == before
    assert_all_slots_are_back()
