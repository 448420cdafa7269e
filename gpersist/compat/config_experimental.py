"""`tf.config.experimental`: memory of GPUs, and older names of `tf.config`."""

from __future__ import annotations

from typing import Any

from gpersist.compat.config import (
    _SETTINGS,
    LogicalDeviceConfiguration,
    PhysicalDevice,
    _check,
    get_logical_device_configuration,
    get_visible_devices,
    list_logical_devices,
    list_physical_devices,
    set_logical_device_configuration,
    set_visible_devices,
)
from gpersist.devices import devices

__all__ = [
    "VirtualDeviceConfiguration",
    "get_device_details",
    "get_memory_growth",
    "get_virtual_device_configuration",
    "get_visible_devices",
    "list_logical_devices",
    "list_physical_devices",
    "set_memory_growth",
    "set_virtual_device_configuration",
    "set_visible_devices",
]

VirtualDeviceConfiguration = LogicalDeviceConfiguration
"""Older name of `tf.config.LogicalDeviceConfiguration`."""

get_virtual_device_configuration = get_logical_device_configuration
"""Older name of `tf.config.get_logical_device_configuration`."""

set_virtual_device_configuration = set_logical_device_configuration
"""Older name of `tf.config.set_logical_device_configuration`."""


def get_memory_growth(device: PhysicalDevice) -> bool:
    """What `set_memory_growth` has set; memory grows here in any case.

    Raises:
        ValueError: there is no such device.
    """
    _check(device)
    return _SETTINGS.growth.get(device, False)


def set_memory_growth(device: PhysicalDevice, enable: bool) -> None:
    """Keeps it: CuPy's pool takes memory as it is needed, in any case.

    Raises:
        ValueError: there is no such device, or it is no GPU.
    """
    _check(device)
    if device.device_type != "GPU":
        raise ValueError("Cannot set memory growth on non-GPU and non-Pluggable devices")
    _SETTINGS.growth[device] = bool(enable)


def get_device_details(device: PhysicalDevice) -> dict[str, Any]:
    """The maker's name of a GPU (`device_name`), and its `compute_capability`, where they are known; nothing for the CPU.

    Raises:
        ValueError: there is no such device.
    """
    _check(device)
    if device.device_type != "GPU":
        return {}
    info = next(each for each in devices() if device.name.endswith(f":{each.spec.device_type}:{each.spec.device_index}")).info()
    found = {"device_name": info.product, "compute_capability": info.compute_capability}
    return {key: value for key, value in found.items() if value is not None}
