"""Devices: their names, which of them there are, and how memory is allocated and copied on each.

Owns everything that knows what a device is made of: device strings (`DeviceSpec`), the list of devices, and three backends behind one contract
(`Device`, `Stream`, `Event`, `PinnedBuffer`): the host (NumPy), virtual devices on host memory, and CUDA (CuPy, imported only when a device is asked
for), with NVML's figures. `adopt` takes other libraries' arrays.
"""

from gpersist.devices.backend import Array, Device, DeviceInfo, Event, MemoryInfo, PinnedBuffer, Stream
from gpersist.devices.foreign import adopt
from gpersist.devices.heap import keep_freed_memory
from gpersist.devices.memory import array_bytes
from gpersist.devices.registry import default_device, device_of, devices, get, use_virtual
from gpersist.devices.spec import DeviceSpec
from gpersist.devices.virtual import VirtualDevice

__all__ = [
    "Array",
    "Device",
    "DeviceInfo",
    "DeviceSpec",
    "Event",
    "MemoryInfo",
    "PinnedBuffer",
    "Stream",
    "VirtualDevice",
    "adopt",
    "array_bytes",
    "default_device",
    "device_of",
    "devices",
    "get",
    "keep_freed_memory",
    "use_virtual",
]
