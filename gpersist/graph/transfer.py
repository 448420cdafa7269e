"""Arrays moved between the host and the devices of a session, through pinned memory and streams of `gpersist.devices`."""

from __future__ import annotations

import sys
import threading
from types import ModuleType
from typing import Any

import numpy as np

from gpersist.devices import Array, Device, Event, PinnedBuffer, Stream, array_bytes, device_of

_CHUNK_BYTES = 4 << 20


def array_module(device: Device) -> ModuleType:
    """The module whose functions work on a device's arrays: NumPy, or CuPy, which its backend has imported."""
    return sys.modules["cupy"] if device.backend == "cuda" else np


class Transfers:
    """Moves arrays; each device gets a stream and pinned memory of its own when it is first used. Safe for threads."""

    def __init__(self) -> None:
        self._lanes: dict[Device, _Lane] = {}
        self._lock = threading.Lock()

    def move(self, value: Any, device: Device) -> Any:
        """The same value in a device's memory; as it is, if it lives there, or is a NumPy scalar for the host."""
        if device.owns(value):
            return value
        if isinstance(value, np.generic):
            value = np.asarray(value)
            if device.is_host:
                return value
        if not device_of(value).is_host:
            value = self._lane(device_of(value)).to_host(value)
        return value if device.is_host else self._lane(device).to_device(value)

    def close(self) -> None:
        """Gives streams and pinned memory up."""
        with self._lock:
            lanes, self._lanes = list(self._lanes.values()), {}
        for lane in lanes:
            lane.close()

    def _lane(self, device: Device) -> _Lane:
        with self._lock:
            found = self._lanes.get(device)
            if found is None:
                found = self._lanes[device] = _Lane(device)
            return found


class _Lane:
    """The way to and from one device."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._stream: Stream = device.stream()
        self._pinned: PinnedBuffer = device.pinned(0)
        self._busy: Event | None = None  # behind the last copy out of the pinned memory
        self._lock = threading.Lock()

    def to_device(self, value: np.ndarray[Any, Any]) -> Array:
        source = value if value.flags.c_contiguous else value.copy()
        target = self._device.empty(value.shape, value.dtype)
        if not source.nbytes:
            return target
        flat = array_bytes(source)
        with self._lock:
            self._stream.wait(self._device.record_current())
            for start in range(0, flat.nbytes, _CHUNK_BYTES):
                chunk = flat[start : start + _CHUNK_BYTES]
                pinned = self._free_pinned(chunk.nbytes)
                pinned.array[: chunk.nbytes] = chunk
                self._stream.copy_to_device(target, start, pinned, 0, chunk.nbytes)
                self._busy = self._stream.record()
            if self._busy is not None:
                self._device.wait_current(self._busy)
        return target

    def to_host(self, array: Array) -> np.ndarray[Any, Any]:
        with self._device.activate():
            source = array if array.flags.c_contiguous else array.copy()
        target = np.empty(array.shape, array.dtype)
        if not target.nbytes:
            return target
        flat = array_bytes(target)
        with self._lock:
            self._stream.wait(self._device.record_current())
            for start in range(0, flat.nbytes, _CHUNK_BYTES):
                size_bytes = min(_CHUNK_BYTES, flat.nbytes - start)
                pinned = self._free_pinned(size_bytes)
                self._stream.copy_to_host(pinned, 0, source, start, size_bytes)
                self._stream.record().synchronize()
                flat[start : start + size_bytes] = pinned.array[:size_bytes]
        return target

    def close(self) -> None:
        with self._lock:
            if self._busy is not None:
                self._busy.synchronize()
            self._stream.close()
            self._pinned.close()

    def _free_pinned(self, size_bytes: int) -> PinnedBuffer:
        """The pinned memory, of at least so many bytes, once no copy reads it any more."""
        if self._busy is not None:
            self._busy.synchronize()
            self._busy = None
        if self._pinned.array.nbytes < size_bytes:
            self._pinned.close()
            self._pinned = self._device.pinned(size_bytes)
        return self._pinned
