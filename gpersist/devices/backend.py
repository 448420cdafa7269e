"""What a device is to the rest of the house: memory, pinned memory, streams, events.

A backend is one module with one `Device` class: `host` (NumPy), `virtual` (N of them on host memory, with a worker thread a stream) and `cuda`
(CuPy). Nothing above this layer knows which one it talks to, and none of the three knows the others.

Asynchronous calls are those of `Stream`: they return at once, run in the order of their stream, and whoever touches the memory that they read or
write waits for an `Event` recorded behind them. Host memory handed to an asynchronous copy comes from `Device.pinned`, and must outlive the event.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from gpersist.devices.spec import DeviceSpec
from gpersist.shapes import Shape

Array = Any
"""An array of some device: numpy.ndarray, cupy.ndarray, or the virtual devices' subclass of ndarray."""


@dataclasses.dataclass(frozen=True, slots=True)
class MemoryInfo:
    """Free and total memory of a device, in bytes."""

    free_bytes: int
    total_bytes: int


@dataclasses.dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What is known of a device; None where nobody could say.

    Attributes:
        name: canonical TensorFlow name within this process, `/device:GPU:0`.
        backend: `"cuda"`, `"virtual"` or `"host"`; a virtual device is never called anything else.
        product: the maker's name (`"NVIDIA H100 80GB HBM3"`); for a virtual device, that it is one.
        memory: free and total bytes.
        uuid: NVML's or the runtime's UUID, `GPU-...` or `MIG-...`.
        pci_bus_id: `0000:17:00.0`.
        pcie_generation: the link's current generation, by NVML.
        pcie_width: the link's current lanes, by NVML.
        driver_version: of the NVIDIA driver, by NVML.
        compute_capability: (major, minor).
    """

    name: str
    backend: str
    product: str
    memory: MemoryInfo
    uuid: str | None = None
    pci_bus_id: str | None = None
    pcie_generation: int | None = None
    pcie_width: int | None = None
    driver_version: str | None = None
    compute_capability: tuple[int, int] | None = None


class PinnedBuffer(abc.ABC):
    """Page-aligned host memory that the device copies from and to on its own; freed by `close`, or with the last reference.

    Attributes:
        array: all of it, a one-dimensional uint8 NumPy array.
        is_pinned: False where the driver refused to pin it and pageable memory serves instead.
    """

    array: np.ndarray[Any, np.dtype[np.uint8]]
    is_pinned: bool

    @abc.abstractmethod
    def close(self) -> None:
        """Frees the memory. REQUIRES: every copy from or to it has ended. Calling it again does nothing."""


class Event(abc.ABC):
    """A point in a stream."""

    @abc.abstractmethod
    def is_done(self) -> bool:
        """Whether everything before the point has run. Raises what went wrong on the stream, as `synchronize` does."""

    @abc.abstractmethod
    def synchronize(self) -> None:
        """Blocks this thread, with the GIL released, until everything before the point has run.

        Raises:
            UnavailableError: the device failed (a sticky CUDA error, say); the message names the device and the runtime's error.
        """


class Stream(abc.ABC):
    """An in-order queue of work of one device. Not for use by two threads at once."""

    @abc.abstractmethod
    def copy_to_host(self, host: PinnedBuffer, host_offset: int, source: Array, source_offset: int, size_bytes: int) -> None:
        """Enqueues a copy of `size_bytes` bytes out of a contiguous array of this device, from byte `source_offset` on, into `host`."""

    @abc.abstractmethod
    def copy_to_device(self, target: Array, target_offset: int, host: PinnedBuffer, host_offset: int, size_bytes: int) -> None:
        """Enqueues a copy of `size_bytes` bytes out of `host` into a contiguous array of this device."""

    @abc.abstractmethod
    def copy_array(self, target: Array, source: Array) -> None:
        """Enqueues `target[...] = source`, both on this device, same shape and dtype; `source` may have any layout."""

    @abc.abstractmethod
    def record(self) -> Event:
        """A new event behind all that was enqueued so far."""

    @abc.abstractmethod
    def wait(self, event: Event) -> None:
        """Makes what is enqueued from now on run after `event`, on the device: the host is not blocked."""

    @abc.abstractmethod
    def close(self) -> None:
        """Gives the stream up; what was enqueued still runs, and on CUDA nobody waits for it here. Calling it again does nothing."""


class Device(abc.ABC):
    """One device of this process. Instances are shared, safe for threads, and compare by identity.

    Attributes:
        spec: its name taken apart: type `CPU` or `GPU`, index among this process's devices of the type.
        backend: `"cuda"`, `"virtual"` or `"host"`.
        is_host: whether its arrays can be read and written by the CPU as they are, with no copy, as `numpy.ndarray`.
        can_hold: whether `hold_current` works: only where the current stream is another than the calling thread (CUDA).
    """

    spec: DeviceSpec
    backend: str
    is_host: bool
    can_hold: bool

    @property
    def name(self) -> str:
        """`/device:GPU:0`."""
        return self.spec.to_string()

    def __repr__(self) -> str:
        return f"<{self.backend} {self.name}>"

    @abc.abstractmethod
    def info(self) -> DeviceInfo:
        """Everything known of the device. Creates no CUDA context on a device that has none, unless NVML is absent."""

    @abc.abstractmethod
    def memory(self) -> MemoryInfo:
        """Free and total bytes now; what CuPy's pool holds but does not use counts as free."""

    @abc.abstractmethod
    def owns(self, array: object) -> bool:
        """Whether an array lives here."""

    @abc.abstractmethod
    def empty(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """A new C-contiguous array with undefined content.

        Its memory may have been another array's a moment ago, which work on the caller's current stream still reads or writes: a stream of ours
        waits for `record_current()` before it touches the array, and the current stream for ours (`wait_current`) before the caller does.

        Raises:
            DeviceMemoryError: it does not fit; the message names the device, the bytes wanted and the bytes free.
        """

    @abc.abstractmethod
    def pinned(self, size_bytes: int) -> PinnedBuffer:
        """New host memory for asynchronous copies; where pinning is refused, pageable memory and one warning."""

    @abc.abstractmethod
    def stream(self) -> Stream:
        """A new stream that does not synchronise with any other (CUDA: non-blocking)."""

    @abc.abstractmethod
    def record_current(self) -> Event:
        """An event behind what the caller's thread has enqueued on its current stream of this device."""

    @abc.abstractmethod
    def wait_current(self, event: Event) -> None:
        """Makes the caller's current stream wait for `event`, on the device. Host and virtual devices: blocks the caller, who is that stream."""

    @abc.abstractmethod
    def hold_current(self, wait: Callable[[], object]) -> None:
        """Stops the caller's current stream, on the device, until `wait()` returns; the calling thread goes on.

        `wait` runs on a thread of the runtime and must not call into the device (CUDA: `cudaLaunchHostFunc`); what it raises is logged.

        Raises:
            UnimplementedError: not `can_hold`: on host and virtual devices the calling thread itself is the current stream. Copy the arrays instead.
        """

    @abc.abstractmethod
    def activate(self) -> AbstractContextManager[None]:
        """Makes this the current device of the calling thread for the duration of a `with`."""
