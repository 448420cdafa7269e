"""The host as a device: /device:CPU:0, its arrays NumPy's.

Its stream copies at once, on the calling thread: nobody beside the CPU could do it meanwhile. NumPy releases the GIL while it copies.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from gpersist.devices.backend import Array, Device, DeviceInfo, Event, MemoryInfo, PinnedBuffer, Stream
from gpersist.devices.memory import PageBuffer, array_bytes, check_copy, host_memory, out_of_memory
from gpersist.devices.spec import DeviceSpec
from gpersist.errors import UnimplementedError
from gpersist.shapes import Shape, element_count


class HostDevice(Device):
    """This machine's CPU and memory. Every NumPy array is its own, except those of a virtual device."""

    spec = DeviceSpec(device_type="CPU", device_index=0)
    backend = "host"
    is_host = True
    can_hold = False

    def info(self) -> DeviceInfo:
        """The processor's name, and memory."""
        return DeviceInfo(name=self.name, backend=self.backend, product=_processor_name(), memory=self.memory())

    def memory(self) -> MemoryInfo:
        """What the machine, or the container, has left; page cache counts as free."""
        return host_memory()

    def owns(self, array: object) -> bool:
        """Whether it is a NumPy array that is no other device's."""
        return isinstance(array, np.ndarray) and array.device == "cpu"

    def empty(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """A new NumPy array with undefined content."""
        try:
            return np.empty(shape, dtype)
        except (MemoryError, ValueError) as error:  # ValueError: more than an address can reach
            size_bytes = element_count(shape) * dtype.itemsize
            cure = "give the process, or its container, more memory, or load fewer arrays at once (names=)"
            raise out_of_memory(self.name, size_bytes, self.memory().free_bytes, cure) from error

    def pinned(self, size_bytes: int) -> PinnedBuffer:
        """Page-aligned memory; the CPU needs nothing pinned."""
        return PageBuffer(size_bytes)

    def stream(self) -> Stream:
        """A stream that does at once what it is told."""
        return _HostStream()

    def record_current(self) -> Event:
        """An event that has passed: the calling thread has done what it did."""
        return _Passed()

    def wait_current(self, event: Event) -> None:
        """Blocks the calling thread, which is the host's current stream."""
        event.synchronize()

    def hold_current(self, wait: Callable[[], object]) -> None:
        """Not possible: the calling thread is the host's current stream, and cannot both stop and go on.

        Raises:
            UnimplementedError: always.
        """
        raise UnimplementedError(f"{self.name}: the calling thread cannot be held and go on; copy the arrays instead")

    def activate(self) -> AbstractContextManager[None]:
        """Does nothing: there is one host."""
        return contextlib.nullcontext()


class _Passed(Event):
    def is_done(self) -> bool:
        return True

    def synchronize(self) -> None:
        pass


class _HostStream(Stream):
    def copy_to_host(self, host: PinnedBuffer, host_offset: int, source: Array, source_offset: int, size_bytes: int) -> None:
        check_copy(host, host_offset, source, source_offset, size_bytes)
        host.array[host_offset : host_offset + size_bytes] = array_bytes(source)[source_offset : source_offset + size_bytes]

    def copy_to_device(self, target: Array, target_offset: int, host: PinnedBuffer, host_offset: int, size_bytes: int) -> None:
        check_copy(host, host_offset, target, target_offset, size_bytes)
        array_bytes(target)[target_offset : target_offset + size_bytes] = host.array[host_offset : host_offset + size_bytes]

    def copy_array(self, target: Array, source: Array) -> None:
        np.copyto(target, source, casting="no")

    def record(self) -> Event:
        return _Passed()

    def wait(self, event: Event) -> None:
        event.synchronize()

    def close(self) -> None:
        pass


def _processor_name() -> str:
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return "CPU"
