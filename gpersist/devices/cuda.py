"""CUDA devices, through CuPy: the only module that imports it, and only when a device is asked for.

Ordinals are those of this process: what `CUDA_VISIBLE_DEVICES` leaves, in its order. Listing devices creates no context on any. Every call of the
runtime goes through `CudaDevice._calling`, which refuses to work in a forked child, makes the device current and puts CUDA's errors into ours.
Streams, events and pinned memory are the runtime's own, not CuPy's objects: those print a traceback from their destructors once a context is
broken, and CuPy's pinned pool rounds sizes up to powers of two and never gives them back.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import logging
import os
import sys
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from gpersist.devices import nvml
from gpersist.devices.backend import Array, Device, DeviceInfo, Event, MemoryInfo, PinnedBuffer, Stream
from gpersist.devices.memory import PageBuffer, check_copy, out_of_memory
from gpersist.devices.spec import DeviceSpec
from gpersist.errors import FailedPreconditionError, InvalidArgumentError, UnavailableError
from gpersist.shapes import Shape, element_count

_log = logging.getLogger("gpersist")

_NOT_READY = 600
_OUT_OF_MEMORY = 2
_PINNING_REFUSED = frozenset({_OUT_OF_MEMORY, 304, 801})  # and: the operating system's call failed; not supported
_STICKY = frozenset({214, 220, 700, 702, 710, 714, 715, 716, 717, 718, 719})  # cudaError: "the process must be terminated and relaunched"

_first_pid: int | None = None
_has_warned = False


@functools.cache
def _cupy() -> Any:
    import cupy

    return cupy


def devices() -> list[CudaDevice]:
    """The CUDA devices that this process sees, by ordinal; empty without CuPy, driver or GPU. Imports CuPy if it is installed."""
    global _first_pid
    if importlib.util.find_spec("cupy") is None:
        return []
    try:
        runtime = _cupy().cuda.runtime
        count = runtime.getDeviceCount()
    except Exception as error:  # an ImportError of a library, or CUDARuntimeError: no driver, too old a driver, no device
        _log.info("no CUDA devices: %s", str(error))
        return []
    _first_pid = os.getpid()
    return [CudaDevice(index) for index in range(count)]


def is_array(value: object) -> bool:
    """Whether it is a CuPy array. Imports nothing: with CuPy not imported there is none."""
    cupy = sys.modules.get("cupy")
    return cupy is not None and isinstance(value, getattr(cupy, "ndarray", ()))


def from_dlpack(value: Any) -> Array:
    """A CuPy array on the memory of a DLPack producer, ordered behind its work on CuPy's current stream of the device."""
    with CudaDevice(int(value.__dlpack_device__()[1]))._calling() as cupy:
        return cupy.from_dlpack(value)


def from_interface(value: Any) -> Array:
    """A CuPy array on the memory of an object with `__cuda_array_interface__`; what the stream that it names was doing has ended."""
    runtime = _cupy().cuda.runtime
    try:
        pointer = value.__cuda_array_interface__["data"][0]
        index = runtime.pointerGetAttributes(pointer).device if pointer else -1  # an empty array may have no address
        with CudaDevice(index if index >= 0 else runtime.getDevice())._calling() as cupy:  # stream 1 or 2 means a default one of this device
            return cupy.asarray(value)
    except LookupError as error:
        raise TypeError(f"the interface lacks {error}") from error


class CudaDevice(Device):
    """One CUDA device of this process; made by `devices`."""

    backend = "cuda"
    is_host = False
    can_hold = True

    def __init__(self, index: int) -> None:
        self.spec = DeviceSpec(device_type="GPU", device_index=index)
        self._index = index

    def info(self) -> DeviceInfo:
        """The runtime's and NVML's figures. Creates no context, unless NVML is absent: then the runtime alone knows the memory in use."""
        properties, pci_bus_id = self._properties()
        uuid = bytes(properties.get("uuid", b""))
        facts = nvml.ask(uuid, pci_bus_id, os.environ.get("CUDA_VISIBLE_DEVICES", ""))
        return DeviceInfo(
            name=self.name,
            backend=self.backend,
            product=properties["name"].decode("utf-8", "replace"),
            memory=facts.memory or self.memory(),
            uuid=facts.uuid,
            pci_bus_id=pci_bus_id,
            pcie_generation=facts.pcie_generation,
            pcie_width=facts.pcie_width,
            driver_version=facts.driver_version,
            compute_capability=(properties["major"], properties["minor"]),
        )

    def _properties(self) -> tuple[dict[str, Any], str]:
        _check_not_forked(self.name)
        runtime = _cupy().cuda.runtime
        try:
            return runtime.getDeviceProperties(self._index), runtime.deviceGetPCIBusId(self._index)
        except runtime.CUDARuntimeError as error:
            raise UnavailableError(f"{self.name}: {error}") from error

    def memory(self) -> MemoryInfo:
        """What the device has left, and what CuPy's default pool holds of it without use; within the limit of the pool, if one is set."""
        with self._calling() as cupy:
            left_bytes, total_bytes = cupy.cuda.runtime.memGetInfo()
            pool = cupy.get_default_memory_pool()
            free_bytes = left_bytes + pool.free_bytes()
            if limit_bytes := pool.get_limit():
                free_bytes = max(0, min(free_bytes, limit_bytes - pool.used_bytes()))
            return MemoryInfo(free_bytes, total_bytes)

    def owns(self, array: object) -> bool:
        """Whether it is a CuPy array on this device."""
        return is_array(array) and array.device.id == self._index  # type: ignore[attr-defined]  # a cupy.ndarray

    def empty(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """A new array from CuPy's allocator, which frees what its pool holds without use before it gives up."""
        size_bytes = element_count(shape) * dtype.itemsize
        with self._calling() as cupy:
            try:
                return cupy.empty(shape, _bits(dtype)).view(dtype)
            except (MemoryError, OverflowError) as error:  # OverflowError: more than an address can reach
                cause: Exception = error
            except cupy.cuda.runtime.CUDARuntimeError as error:  # of an allocator without a pool
                if error.status != _OUT_OF_MEMORY:
                    raise
                cause = error
        raise out_of_memory(self.name, size_bytes, self.memory().free_bytes, "free arrays, or place some on other devices or on the host") from cause

    def pinned(self, size_bytes: int) -> PinnedBuffer:
        """Memory from the runtime, pinned for every device."""
        if size_bytes < 0:
            raise InvalidArgumentError(f"size_bytes must not be negative, found {size_bytes}")
        runtime = _cupy().cuda.runtime
        with self._calling():
            try:
                return _PinnedMemory(self, runtime.hostAlloc(max(size_bytes, 1), runtime.hostAllocPortable), size_bytes)
            except runtime.CUDARuntimeError as error:
                if error.status not in _PINNING_REFUSED:
                    raise
                _warn_unpinned(self.name, size_bytes, str(error))
        return PageBuffer(size_bytes, is_pinned=False)

    def stream(self) -> Stream:
        """A new non-blocking stream."""
        return _CudaStream(self)

    def record_current(self) -> Event:
        """An event on CuPy's current stream of this device in the calling thread."""
        with self._calling() as cupy:
            return _CudaEvent(self, cupy.cuda.get_current_stream(self._index).ptr)

    def wait_current(self, event: Event) -> None:
        """Makes CuPy's current stream of this device in the calling thread wait."""
        with self._calling() as cupy:
            _wait(cupy.cuda.get_current_stream(self._index).ptr, event)

    def hold_current(self, wait: Callable[[], object]) -> None:
        """Enqueues `wait` as a host function on CuPy's current stream. What it raises is logged: CUDA has no way to pass it on."""

        def hold(_: object) -> None:
            try:
                wait()
            except BaseException:
                _log.exception("%s: the wait that held the current stream failed; the stream goes on", self.name)

        with self._calling() as cupy:
            cupy.cuda.get_current_stream(self._index).launch_host_func(hold, None)

    def activate(self) -> AbstractContextManager[None]:
        """Makes this CUDA's current device in the calling thread."""
        return _Current(self.name, self._index)

    def _calling(self) -> _Calling:
        return _Calling(self.name, self._index)


class _Current:
    """While it is entered, a device's primary context is the calling thread's current one.

    Contexts are bound by the driver, as the runtime itself does it. `cudaSetDevice` is avoided, since from CUDA 12 on it makes a context, some
    500 MiB, on whatever device it is given: going back to device 0 would take memory on a GPU that this process has no business with.

    Args:
        name: the device's, for errors.
        index: CUDA's ordinal.
    """

    __slots__ = ("_context", "_index", "_name", "_previous")

    def __init__(self, name: str, index: int) -> None:
        self._name, self._index = name, index

    def __enter__(self) -> Any:
        _check_not_forked(self._name)
        cuda = _cupy().cuda
        try:
            self._context = _primary_context(self._index)
            # Context 0 is none, as in a thread that has called nothing yet; its device is then only a number.
            self._previous = cuda.driver.ctxGetCurrent(), cuda.runtime.getDevice()
            if self._previous[0] != self._context:
                cuda.driver.ctxSetCurrent(self._context)
        except (cuda.runtime.CUDARuntimeError, cuda.driver.CUDADriverError) as error:
            raise self._unavailable(error) from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        context, index = self._previous
        if context == self._context:
            return
        cuda = _cupy().cuda
        # What fails here is told by the next call on that device.
        with contextlib.suppress(cuda.runtime.CUDARuntimeError, cuda.driver.CUDADriverError):
            cuda.driver.ctxSetCurrent(context)
            if cuda.runtime.getDevice() != index:  # CuPy, which launches some kernels behind a cudaSetDevice, has moved that number
                cuda.runtime.setDevice(index)

    def _unavailable(self, error: Any) -> UnavailableError:
        cure = "; the CUDA context is lost, so that this process must be started again" if error.status in _STICKY else ""
        return UnavailableError(f"{self._name}: {error}{cure}")


class _Calling(_Current):
    """Around every call that concerns a device: makes it current, gives the module cupy, and puts CUDA's errors into ours."""

    __slots__ = ()

    def __enter__(self) -> Any:
        super().__enter__()
        return _cupy()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        super().__exit__(kind, error, trace)
        cuda = _cupy().cuda
        if isinstance(error, (cuda.runtime.CUDARuntimeError, cuda.driver.CUDADriverError)):
            raise self._unavailable(error) from error


@functools.cache
def _primary_context(index: int) -> int:
    """The context that the runtime uses on a device; made if need be, on a thread of its own, which is the one to keep it as its current one."""

    def make() -> int:
        cuda = _cupy().cuda
        cuda.runtime.setDevice(index)
        cuda.runtime.memGetInfo()  # before CUDA 12, setDevice alone makes no context
        return int(cuda.driver.ctxGetCurrent())

    with ThreadPoolExecutor(1, "gpersist-cuda") as thread:
        return thread.submit(make).result()


class _CudaEvent(Event):
    """A recorded event, without timing, that blocks instead of spinning."""

    def __init__(self, device: CudaDevice, stream_pointer: int) -> None:
        """Records on a stream of `device`. REQUIRES: called within `device._calling()`."""
        runtime = _cupy().cuda.runtime
        self._device = device
        self.pointer = runtime.eventCreateWithFlags(runtime.eventDisableTiming | runtime.eventBlockingSync)
        _free_later(self, device, runtime.eventDestroy, self.pointer)
        runtime.eventRecord(self.pointer, stream_pointer)

    def is_done(self) -> bool:
        with self._device._calling() as cupy:
            status = cupy.cuda.runtime.eventQuery(self.pointer)
            if status not in (0, _NOT_READY):
                raise cupy.cuda.runtime.CUDARuntimeError(status)
            return bool(status == 0)

    def synchronize(self) -> None:
        with self._device._calling() as cupy:
            cupy.cuda.runtime.eventSynchronize(self.pointer)


class _CudaStream(Stream):
    def __init__(self, device: CudaDevice) -> None:
        self._device = device
        with device._calling() as cupy:
            runtime = cupy.cuda.runtime
            self._handle: int = runtime.streamCreateWithFlags(runtime.streamNonBlocking)
            self._destroy = _free_later(self, device, runtime.streamDestroy, self._handle)

    @property
    def _pointer(self) -> int:
        """The `cudaStream_t`, as long as it is one: CUDA would take the address of a destroyed stream, too."""
        if not self._destroy.alive:
            raise FailedPreconditionError(f"{self._device.name}: the stream is closed")
        return self._handle

    def __cuda_stream__(self) -> tuple[int, int]:
        """NVIDIA's protocol for passing streams between libraries: version 0, and the `cudaStream_t`."""
        return (0, self._pointer)

    def copy_to_host(self, host: PinnedBuffer, host_offset: int, source: Array, source_offset: int, size_bytes: int) -> None:
        check_copy(host, host_offset, source, source_offset, size_bytes)
        self._copy(_host_address(host) + host_offset, _address(source) + source_offset, size_bytes, "memcpyDeviceToHost")

    def copy_to_device(self, target: Array, target_offset: int, host: PinnedBuffer, host_offset: int, size_bytes: int) -> None:
        check_copy(host, host_offset, target, target_offset, size_bytes)
        self._copy(_address(target) + target_offset, _host_address(host) + host_offset, size_bytes, "memcpyHostToDevice")

    def copy_array(self, target: Array, source: Array) -> None:
        if target.flags.c_contiguous and source.flags.c_contiguous:
            self._copy(target.data.ptr, source.data.ptr, target.nbytes, "memcpyDeviceToDevice")
            return
        with self._device._calling() as cupy, cupy.cuda.Stream.from_external(self):
            cupy.copyto(target.view(_bits(target.dtype)), source.view(_bits(source.dtype)))

    def record(self) -> Event:
        with self._device._calling():
            return _CudaEvent(self._device, self._pointer)

    def wait(self, event: Event) -> None:
        with self._device._calling():
            _wait(self._pointer, event)

    def close(self) -> None:
        self._destroy()  # CUDA lets what was enqueued run to its end, and does not wait for it

    def _copy(self, target: int, source: int, size_bytes: int, kind: str) -> None:
        if size_bytes == 0:
            return
        with self._device._calling() as cupy:
            runtime = cupy.cuda.runtime
            runtime.memcpyAsync(target, source, size_bytes, getattr(runtime, kind), self._pointer)


class _PinnedMemory(PinnedBuffer):
    """Memory of `cudaHostAlloc`; freed when the last array on it is gone, so that none can dangle."""

    def __init__(self, device: CudaDevice, pointer: int, size_bytes: int) -> None:
        block = _HostBlock(device, pointer, max(size_bytes, 1))
        self.array = np.asarray(block)[:size_bytes]
        self.is_pinned = True

    def close(self) -> None:
        self.array = np.empty(0, np.uint8)


class _HostBlock:
    """The owner of the memory under a pinned buffer's array."""

    def __init__(self, device: CudaDevice, pointer: int, size_bytes: int) -> None:
        self.__array_interface__ = {"version": 3, "data": (pointer, False), "shape": (size_bytes,), "typestr": "|u1"}
        _free_later(self, device, _cupy().cuda.runtime.freeHost, pointer)


def _wait(stream_pointer: int, event: Event) -> None:
    """Makes a stream wait for an event of any backend; one of another backend is waited for here and now."""
    if isinstance(event, _CudaEvent):
        _cupy().cuda.runtime.streamWaitEvent(stream_pointer, event.pointer)
    else:
        event.synchronize()


def _free_later(owner: object, device: CudaDevice, release: Callable[[int], object], pointer: int) -> weakref.finalize[..., Any]:
    """Has a handle of the runtime released when its owner is gone; without a word in a forked child, to which it does not belong, and on a
    broken context.
    """

    def free() -> None:
        with contextlib.suppress(Exception), device.activate():
            release(pointer)

    finalizer = weakref.finalize(owner, free)
    finalizer.atexit = False
    return finalizer


def _check_not_forked(name: str) -> None:
    if _first_pid is not None and os.getpid() != _first_pid:
        raise FailedPreconditionError(
            f"{name}: CUDA was initialised in process {_first_pid} and does not work in process {os.getpid()}, forked from it; "
            "start the child with multiprocessing's 'spawn' or 'forkserver', or use CUDA only after the fork"
        )


def _address(array: Array) -> int:
    if not array.flags.c_contiguous:
        raise InvalidArgumentError(f"an array of shape {array.shape} and strides {array.strides} is not one run of bytes")
    return int(array.data.ptr)


def _host_address(host: PinnedBuffer) -> int:
    return int(host.array.__array_interface__["data"][0])


def _bits(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """An unsigned dtype of the same size: CuPy allocates and copies no float8, int4 or quantised elements, but takes a view of that dtype."""
    return np.dtype(f"u{dtype.itemsize}") if dtype.itemsize in (1, 2, 4, 8) else dtype


def _warn_unpinned(name: str, size_bytes: int, error: str) -> None:
    """Says it once in a process: later refusals have the same cause."""
    global _has_warned
    if not _has_warned:
        _has_warned = True
        _log.warning("%s: the driver refused to pin %d bytes (%s); pageable memory serves instead, and copies are slower", name, size_bytes, error)
