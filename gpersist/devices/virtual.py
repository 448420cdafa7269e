"""Virtual devices: GPUs made of host memory, so that a placement on eight of them can be tried, and tested, on a machine with none.

An array knows its device through slicing, arithmetic and copies, and a device counts the bytes of its arrays against a limit. Streams are real: each
has a worker thread, which runs what is enqueued in order and long after the call has returned, so that a missing wait shows.

A lazy device, for tests, puts off every task until somebody waits for an event behind it: a missing wait then gives wrong bytes every time.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import itertools
import threading
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from gpersist.devices.backend import Array, Device, DeviceInfo, Event, MemoryInfo, PinnedBuffer, Stream
from gpersist.devices.memory import PageBuffer, array_bytes, check_copy, host_memory, out_of_memory
from gpersist.devices.spec import DeviceSpec
from gpersist.devices.worker import Worker
from gpersist.errors import DeviceMemoryError, InvalidArgumentError, UnimplementedError
from gpersist.shapes import Shape, element_count


class VirtualArray(np.ndarray[Any, Any]):
    """A NumPy array that lives on a virtual device: one of `VirtualDevice.empty`, or made by NumPy from such.

    Plain arrays may take part in its arithmetic; those of another device may not (`InvalidArgumentError`), as on CUDA without peer access.

    Attributes:
        owner: the device; None for an array that came about without one (by unpickling, say), which is the host's.
    """

    owner: VirtualDevice | None = None

    def __array_finalize__(self, origin: object) -> None:
        self.owner = getattr(origin, "owner", None)
        if self.owner is not None:
            self.owner._charge(self)

    @property
    def device(self) -> Any:
        """The owner; without one `"cpu"`, as NumPy says."""
        return "cpu" if self.owner is None else self.owner

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        device = _common_device((inputs, *kwargs.values()))
        targets = kwargs.get("out", ())
        results = getattr(ufunc, method)(*_plain(inputs), **{key: _plain(value) for key, value in kwargs.items()})
        if isinstance(results, tuple):
            return tuple(_placed(result, device, target) for result, target in itertools.zip_longest(results, targets))
        return _placed(results, device, *targets)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        device = _common_device((*args, *kwargs.values()))
        result = super().__array_function__(func, types, args, kwargs)
        if isinstance(result, tuple) and hasattr(result, "_make"):  # a named tuple, of numpy.linalg
            return result._make(_placed(item, device) for item in result)
        if isinstance(result, (tuple, list)):
            return type(result)(_placed(item, device) for item in result)
        return _placed(result, device)


def _common_device(values: Any) -> VirtualDevice | None:
    """The one virtual device of all arrays in nested tuples and lists; None where there is none."""
    found: VirtualDevice | None = None
    for value in values:
        if isinstance(value, VirtualArray):
            device = value.owner
        elif isinstance(value, (tuple, list)):
            device = _common_device(value)
        else:
            continue
        if found is not None and device is not None and device is not found:
            raise InvalidArgumentError(
                f"arrays of {found.name} and of {device.name} (virtual) in one operation; copy one of them to the other's device"
            )
        found = found or device
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, VirtualArray):
        return value.view(np.ndarray)
    return tuple(_plain(item) for item in value) if isinstance(value, tuple) else value


def _placed(result: Any, device: VirtualDevice | None, target: Any = None) -> Any:
    """What an operation returns: its `out`, if it had one, else the result as an array of `device`."""
    if target is not None:
        return target
    if device is None or not isinstance(result, np.ndarray) or (isinstance(result, VirtualArray) and result.owner is device):
        return result
    array = result.view(VirtualArray)
    array.owner = device
    device._charge(array)
    return array


class VirtualDevice(Device):
    """One of N devices made of host memory.

    Args:
        index: its number, as in `/device:GPU:0`.
        memory_bytes: how much its arrays may take together; None for as much as the host has.
        is_lazy: whether its streams put off their work until somebody waits for it.
    """

    backend = "virtual"
    is_host = False
    can_hold = False

    def __init__(self, index: int, memory_bytes: int | None = None, *, is_lazy: bool = False) -> None:
        self.spec = DeviceSpec(device_type="GPU", device_index=index)
        self._memory_bytes = memory_bytes
        self._is_lazy = is_lazy
        self._stream_count = itertools.count()
        self._lock = threading.Lock()
        self._charged: dict[int, int] = {}  # bytes by id of the array that owns them
        self._used_bytes = 0
        self._freed: collections.deque[int] = collections.deque()  # ids; a finalizer may run anywhere, so it takes no lock

    def info(self) -> DeviceInfo:
        """That it is virtual, and its memory."""
        return DeviceInfo(name=self.name, backend=self.backend, product="virtual device (host memory)", memory=self.memory())

    def memory(self) -> MemoryInfo:
        """What its arrays leave of its limit; of the host's memory, where it has none."""
        host = host_memory()
        if self._memory_bytes is None:
            return host
        with self._lock:
            self._settle()
            return MemoryInfo(max(self._memory_bytes - self._used_bytes, 0), self._memory_bytes)

    def owns(self, array: object) -> bool:
        """Whether it is an array of this device."""
        return isinstance(array, VirtualArray) and array.owner is self

    def empty(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """A new array with undefined content."""
        size_bytes = element_count(shape) * dtype.itemsize
        if self._memory_bytes is not None and size_bytes > self._memory_bytes:
            raise self._out_of_memory(size_bytes)
        try:
            return _placed(np.empty(shape, dtype), self)
        except (MemoryError, ValueError) as error:  # ValueError: more than an address can reach
            raise error if isinstance(error, DeviceMemoryError) else self._out_of_memory(size_bytes) from error

    def pinned(self, size_bytes: int) -> PinnedBuffer:
        """Page-aligned memory, which the streams' threads copy from and to."""
        return PageBuffer(size_bytes)

    def stream(self) -> Stream:
        """A new stream, with a thread of its own until it is closed or forgotten."""
        return _VirtualStream(self, f"gpersist-{self.spec.device_type}:{self.spec.device_index}-stream-{next(self._stream_count)}", self._is_lazy)

    def record_current(self) -> Event:
        """An event that has passed: NumPy works on the calling thread, which is this device's current stream."""
        return Worker(self.name).record()  # behind no task, so passed

    def wait_current(self, event: Event) -> None:
        """Blocks the calling thread, which is this device's current stream."""
        event.synchronize()

    def hold_current(self, wait: Callable[[], object]) -> None:
        """Not possible: the calling thread is this device's current stream, and cannot both stop and go on.

        Raises:
            UnimplementedError: always.
        """
        raise UnimplementedError(f"{self.name} (virtual): the calling thread cannot be held and go on; copy the arrays instead")

    def activate(self) -> AbstractContextManager[None]:
        """Does nothing: an array says itself where it lives."""
        return contextlib.nullcontext()

    def _charge(self, array: VirtualArray) -> None:
        """Counts the memory under an array, once, until it is freed.

        Raises:
            DeviceMemoryError: it goes beyond the limit.
        """
        owner: np.ndarray[Any, Any] = array
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        with self._lock:
            self._settle()
            if id(owner) in self._charged:
                return
            if self._memory_bytes is not None and self._used_bytes + owner.nbytes > self._memory_bytes:
                raise self._out_of_memory(owner.nbytes)
            self._charged[id(owner)] = owner.nbytes
            self._used_bytes += owner.nbytes
            weakref.finalize(owner, self._freed.append, id(owner)).atexit = False

    def _settle(self) -> None:
        """Takes off what was freed. REQUIRES: the lock is held."""
        while self._freed:
            self._used_bytes -= self._charged.pop(self._freed.popleft())

    def _out_of_memory(self, size_bytes: int) -> DeviceMemoryError:
        limit_bytes = self._memory_bytes
        free_bytes = host_memory().free_bytes if limit_bytes is None else limit_bytes - self._used_bytes
        cure = "free arrays, place some on other devices or on the host, or give virtual devices more: GPERSIST_VIRTUAL_DEVICES=4x2GiB"
        return out_of_memory(f"{self.name} (virtual)", size_bytes, free_bytes, cure)


class _VirtualStream(Stream):
    def __init__(self, device: VirtualDevice, name: str, is_lazy: bool) -> None:
        self._device = device
        self._worker = Worker(f"{device.name} (virtual)", is_lazy=is_lazy)
        self._thread = threading.Thread(target=self._worker.run, name=name, daemon=True)
        self._thread.start()
        weakref.finalize(self, self._worker.close).atexit = False

    def copy_to_host(self, host: PinnedBuffer, host_offset: int, source: Array, source_offset: int, size_bytes: int) -> None:
        self._check_owned(source)
        check_copy(host, host_offset, source, source_offset, size_bytes)
        self._copy(host.array[host_offset : host_offset + size_bytes], array_bytes(source)[source_offset : source_offset + size_bytes])

    def copy_to_device(self, target: Array, target_offset: int, host: PinnedBuffer, host_offset: int, size_bytes: int) -> None:
        self._check_owned(target)
        check_copy(host, host_offset, target, target_offset, size_bytes)
        self._copy(array_bytes(target)[target_offset : target_offset + size_bytes], host.array[host_offset : host_offset + size_bytes])

    def copy_array(self, target: Array, source: Array) -> None:
        self._check_owned(target, source)
        self._copy(target.view(np.ndarray), source.view(np.ndarray))

    def record(self) -> Event:
        return self._worker.record()

    def wait(self, event: Event) -> None:
        self._worker.enqueue(event.synchronize)

    def close(self) -> None:
        self._worker.close()
        self._thread.join()

    def _copy(self, target: np.ndarray[Any, Any], source: np.ndarray[Any, Any]) -> None:
        self._worker.enqueue(functools.partial(copy, target, source))

    def _check_owned(self, *arrays: Array) -> None:
        for array in arrays:
            if not self._device.owns(array):
                raise InvalidArgumentError(f"an array of {array.device} in a copy on a stream of {self._device.name} (virtual)")


def copy(target: np.ndarray[Any, Any], source: np.ndarray[Any, Any]) -> None:
    """Every copy of a virtual stream, on its thread; tests replace it to make one fail."""
    np.copyto(target, source, casting="no")
