"""How fast bytes go between a CUDA device and host memory: bare copies through pinned slots, and gpersist's pipelines and files."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import gpersist
from benchmarks.rounds import Measured
from gpersist.devices import device_of
from gpersist.staging import DEFAULT_RING_BYTES, UNCHECKED, Incoming, Layout, Outgoing, receive, ring_for, send

Step = Callable[[], dict[str, float]]


def interleave(steps: Mapping[str, Step], rounds: int) -> dict[str, Measured]:
    """Measures steps of this process, in turns, after one round that is not counted."""
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, step in steps.items():
            sample = step()
            if number:
                taken[name].append(sample)
    return {name: Measured(samples) for name, samples in taken.items()}


class _Discard:
    """A file that forgets: what is written costs nothing."""

    def write(self, buffers: Sequence[Any], size_bytes: int, offset: int) -> None:
        pass


class _Nothing:
    """A file that is read at no cost: buffers stay as they are."""

    path = "memory"

    def read(self, buffers: Sequence[Any], size_bytes: int, offset: int) -> None:
        pass


class PinnedCopies:
    """The device's limit: `cudaMemcpyAsync` between it and as many pinned slots as gpersist's ring has, all of them in flight on one stream."""

    def __init__(self, cupy: Any, size_bytes: int) -> None:
        """Allocates; `size_bytes` is what one measurement copies."""
        self._cupy, self.size_bytes = cupy, size_bytes
        ring = ring_for(device_of(cupy.empty(1)), DEFAULT_RING_BYTES)
        self._slot_bytes = min(ring.slot_bytes, size_bytes)
        self._slots = [cupy.cuda.alloc_pinned_memory(self._slot_bytes) for _ in range(ring.num_slots)]
        self._array = cupy.zeros(size_bytes, np.uint8)
        self._stream = cupy.cuda.Stream(non_blocking=True)

    def out(self) -> dict[str, float]:
        return self._copy(self._cupy.cuda.runtime.memcpyDeviceToHost)

    def back(self) -> dict[str, float]:
        return self._copy(self._cupy.cuda.runtime.memcpyHostToDevice)

    def _copy(self, kind: int) -> dict[str, float]:
        runtime, start = self._cupy.cuda.runtime, self._array.data.ptr
        self._cupy.cuda.Device().synchronize()
        began = time.perf_counter()
        for offset, slot in zip(range(0, self._array.nbytes, self._slot_bytes), itertools.cycle(self._slots)):
            length = min(self._slot_bytes, self._array.nbytes - offset)
            pair = (slot.ptr, start + offset) if kind == runtime.memcpyDeviceToHost else (start + offset, slot.ptr)
            runtime.memcpyAsync(*pair, length, kind, self._stream.ptr)
        self._stream.synchronize()
        return {"wall_s": time.perf_counter() - began}


class Pipelines:
    """gpersist's two pipelines, with checksums, between the device and a file that costs nothing."""

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        names, buffers = list(arrays), list(arrays.values())
        sizes = np.array([array.nbytes for array in buffers], np.int64)
        layout = Layout(np.zeros(len(sizes), np.int64), np.cumsum(sizes) - sizes, sizes)
        devices = [device_of(array) for array in buffers]
        ready = {device: device.record_current() for device in set(devices)}
        self._outgoing = Outgoing(names, buffers, devices, layout, ready)
        self._incoming = Incoming(names, buffers, devices, layout, [UNCHECKED] * len(names), ready)

    def send(self) -> dict[str, float]:
        began = time.perf_counter()
        send(self._outgoing, [_Discard()])
        return {"wall_s": time.perf_counter() - began}

    def receive(self) -> dict[str, float]:
        began = time.perf_counter()
        receive(self._incoming, [_Nothing()])
        return {"wall_s": time.perf_counter() - began}


class Files:
    """gpersist's saves into, and loads from, a folder."""

    def __init__(self, arrays: Mapping[str, Any], folder: Path) -> None:
        self._arrays, self._folder = arrays, folder
        gpersist.save(folder / "stored", arrays)

    def save(self, *, durable: bool = False) -> dict[str, float]:
        with temporary(self._folder) as folder:
            began = time.perf_counter()
            gpersist.save(folder / "model", self._arrays, durable=durable)
            return {"wall_s": time.perf_counter() - began}

    def load(self) -> dict[str, float]:
        began = time.perf_counter()
        gpersist.load(self._folder / "stored", into=self._arrays)
        return {"wall_s": time.perf_counter() - began}


@contextlib.contextmanager
def temporary(above: Path | None) -> Iterator[Path]:
    """A folder for the duration of a `with`."""
    folder = Path(tempfile.mkdtemp(prefix="gpersist-bench-", dir=above))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
