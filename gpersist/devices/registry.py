"""Which devices this process has: the host, and CUDA's GPUs or, in their place, virtual ones.

Virtual devices are switched on by `use_virtual`, or by the environment: `GPERSIST_VIRTUAL_DEVICES=4`, `4x2GiB`; they hide real GPUs.
"""

from __future__ import annotations

import os
import re
import threading
from contextlib import AbstractContextManager

from gpersist.devices import cuda
from gpersist.devices.backend import Array, Device
from gpersist.devices.host import HostDevice
from gpersist.devices.spec import DeviceSpec
from gpersist.devices.virtual import VirtualArray, VirtualDevice
from gpersist.errors import DeviceNotFoundError, FailedPreconditionError, InvalidArgumentError

VIRTUAL_DEVICES_VARIABLE = "GPERSIST_VIRTUAL_DEVICES"

_HOST = HostDevice()
_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}

_lock = threading.Lock()
_cuda: list[Device] | None = None  # found once: a GPU stays what it is as long as the process lives
_virtual: list[Device] | None = None  # None: the environment was not asked yet; empty: none


def devices() -> list[Device]:
    """The devices of this process in TensorFlow's order: `/device:CPU:0`, then the GPUs by index. The objects are always the same ones.

    Raises:
        InvalidArgumentError: `GPERSIST_VIRTUAL_DEVICES` makes no sense.
    """
    with _lock:
        return [_HOST, *(_virtual_devices() or _cuda_devices())]


def get(wanted: str | DeviceSpec) -> Device:
    """The device of a name in any of TensorFlow's spellings. A partial name gives the default device if that fits, else the first that fits.

    Raises:
        DeviceNotFoundError: there is none; the message lists those that are there.
        InvalidArgumentError: the text is no device string.
    """
    if wanted == _HOST.name:
        return _HOST  # whoever needs no GPU shall not wait for CuPy
    spec = wanted if isinstance(wanted, DeviceSpec) else DeviceSpec.from_string(wanted)
    for device in (default_device(), *devices()):
        if device.spec.matches(spec):
            return device
    available = ", ".join(f"{device.name} ({device.backend})" for device in devices())
    raise DeviceNotFoundError(f"no device {str(wanted)!r} in this process; available: {available}")


def default_device() -> Device:
    """Where things go that nobody placed: the first GPU, CUDA's or virtual, else the host."""
    return next((device for device in devices() if not device.is_host), _HOST)


def device_of(array: Array) -> Device:
    """Where an array lives.

    Raises:
        InvalidArgumentError: it is no array of any device (see `adopt`).
    """
    if _HOST.owns(array):
        return _HOST
    if isinstance(array, VirtualArray):  # whose device may be one of an earlier use_virtual
        owner: Device = array.device
        return owner
    if cuda.is_array(array):
        with _lock:
            found = _cuda_devices()  # hidden behind virtual devices or not
        ordinal = int(array.device.id)
        if ordinal >= len(found):
            raise FailedPreconditionError(
                f"an array lives on CUDA device {ordinal}, but this process has {len(found)} of them: if it was forked after CUDA was initialised, "
                "it cannot use CUDA; start it by 'spawn'"
            )
        return found[ordinal]
    raise InvalidArgumentError(f"a {type(array).__module__}.{type(array).__qualname__} is no array of any device here")


def use_virtual(count: int, memory_bytes: int | None = None, *, is_lazy: bool = False) -> AbstractContextManager[list[Device]]:
    """Puts `count` virtual GPUs in the place of real ones, from now on or for the duration of a `with`, which gets them.

    Args:
        count: how many; with 0, the real ones are back.
        memory_bytes: how much the arrays of each may take; None for as much as the host has.
        is_lazy: for tests: streams put off their work until somebody waits for it, so that a missing wait gives wrong bytes every time.
    """
    if count < 0 or (memory_bytes is not None and memory_bytes < 0):
        raise InvalidArgumentError(f"{count} virtual devices of {memory_bytes} bytes: neither may be negative")
    global _virtual
    with _lock:
        switched = _Switched(_virtual)
        _virtual = [VirtualDevice(index, memory_bytes, is_lazy=is_lazy) for index in range(count)]
        return switched


class _Switched(AbstractContextManager["list[Device]"]):
    """The end of a `with use_virtual(...)`: what was there before is there again."""

    def __init__(self, previous: list[Device] | None) -> None:
        self._previous = previous

    def __enter__(self) -> list[Device]:
        return devices()[1:]

    def __exit__(self, *_: object) -> None:
        global _virtual
        with _lock:
            _virtual = self._previous


def _cuda_devices() -> list[Device]:
    """The real ones, looked for once: a GPU stays what it is as long as the process lives. REQUIRES: the lock is held."""
    global _cuda
    if _cuda is None:
        _cuda = list(cuda.devices())
    return _cuda


def _virtual_devices() -> list[Device]:
    """Those switched on; by the environment, where nobody has called `use_virtual`. REQUIRES: the lock is held."""
    global _virtual
    if _virtual is None:
        _virtual = _from_environment(os.environ.get(VIRTUAL_DEVICES_VARIABLE, ""))
    return _virtual


def _from_environment(text: str) -> list[Device]:
    found = re.fullmatch(r"(\d+)(?:x(\d+)([KMGT]iB|B)?)?", text.strip() or "0", re.ASCII)
    if found is None:
        raise InvalidArgumentError(
            f"{VIRTUAL_DEVICES_VARIABLE}={text!r}: expected a number of devices, and perhaps the memory of each: '4', '4x2GiB'"
        )
    count, size, unit = found.groups()
    memory_bytes = None if size is None else int(size) * _UNITS[unit or "B"]
    return [VirtualDevice(index, memory_bytes) for index in range(int(count))]
