"""`tf.config`: which devices there are, and what sessions do that are made without a `ConfigProto`.

The settings are the process's. Those that tune TensorFlow's own machinery are kept and told again, and change nothing here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from gpersist import protos
from gpersist.devices import Device, devices
from gpersist.errors import FailedPreconditionError, UnimplementedError
from gpersist.graph import set_default_config

__all__ = [
    "LogicalDevice",
    "LogicalDeviceConfiguration",
    "PhysicalDevice",
    "functions_run_eagerly",
    "get_logical_device_configuration",
    "get_soft_device_placement",
    "get_visible_devices",
    "list_logical_devices",
    "list_physical_devices",
    "run_functions_eagerly",
    "set_logical_device_configuration",
    "set_soft_device_placement",
    "set_visible_devices",
]


class PhysicalDevice(NamedTuple):
    """A device of the machine (`tf.config.PhysicalDevice`).

    Attributes:
        name: `/physical_device:GPU:0`.
        device_type: `CPU` or `GPU`.
    """

    name: str
    device_type: str


class LogicalDevice(NamedTuple):
    """A device as graphs name it (`tf.config.LogicalDevice`).

    Attributes:
        name: `/device:GPU:0`.
        device_type: `CPU` or `GPU`.
    """

    name: str
    device_type: str


class LogicalDeviceConfiguration(NamedTuple):
    """How much of a device is to be used (`tf.config.LogicalDeviceConfiguration`); a limit is kept, and not held to.

    Attributes:
        memory_limit: in MiB.
        experimental_priority: not heeded.
        experimental_device_ordinal: not heeded.
    """

    memory_limit: int | None = None
    experimental_priority: int | None = None
    experimental_device_ordinal: int | None = None


class _Settings:
    """What has been set."""

    def __init__(self) -> None:
        self.is_soft = False
        self.visible: list[PhysicalDevice] | None = None
        self.limits: dict[PhysicalDevice, list[LogicalDeviceConfiguration]] = {}
        self.growth: dict[PhysicalDevice, bool] = {}


_SETTINGS = _Settings()


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The machine's devices, or those of a type."""
    found = [PhysicalDevice(f"/physical_device:{_kind(device)}:{device.spec.device_index}", _kind(device)) for device in devices()]
    return [device for device in found if device_type in (None, device.device_type)]


def list_logical_devices(device_type: str | None = None) -> list[LogicalDevice]:
    """The devices that graphs can name, or those of a type."""
    return [LogicalDevice(device.name.replace("physical_", ""), device.device_type) for device in get_visible_devices(device_type)]


def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices that sessions use, or those of a type."""
    found = list_physical_devices() if _SETTINGS.visible is None else _SETTINGS.visible
    return [device for device in found if device_type in (None, device.device_type)]


def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
    """Which devices sessions use that are made from now on: the first GPUs, or none.

    Args:
        devices: some of `list_physical_devices()`, or one.
        device_type: the type that they are of; the other type's stay as they are. None for all types.

    Raises:
        ValueError: there is no such device, or it is of another type.
        UnimplementedError: they are other GPUs than the first ones.
    """
    given = list(devices) if isinstance(devices, (list, tuple)) and not isinstance(devices, PhysicalDevice) else [devices]
    for device in given:
        _check(device)
        if device_type is not None and device.device_type != device_type:
            raise ValueError(f"Unrecognized device: {device!r}")
    others = [device for device in get_visible_devices() if device_type is not None and device.device_type != device_type]
    gpus = [device for device in given if device.device_type == "GPU"]
    if gpus != list_physical_devices("GPU")[: len(gpus)]:
        raise UnimplementedError(
            f"only {[device.name for device in gpus]}: sessions number GPUs as the process does, so that the first can be used by themselves, "
            "and no others; start the program with CUDA_VISIBLE_DEVICES"
        )
    _SETTINGS.visible = [device for device in list_physical_devices() if device in others or device in given]
    _apply()


def get_soft_device_placement() -> bool:
    """Whether operations on devices that are not there go to others."""
    return _SETTINGS.is_soft


def set_soft_device_placement(enabled: bool) -> None:
    """Whether operations on devices that are not there go to others, in sessions that are made from now on without a `ConfigProto`."""
    _SETTINGS.is_soft = bool(enabled)
    _apply()


def get_logical_device_configuration(device: PhysicalDevice) -> list[LogicalDeviceConfiguration] | None:
    """What `set_logical_device_configuration` has set; None if nothing.

    Raises:
        ValueError: there is no such device.
    """
    _check(device)
    return _SETTINGS.limits.get(device)


def set_logical_device_configuration(device: PhysicalDevice, logical_devices: list[LogicalDeviceConfiguration]) -> None:
    """Keeps how much of a device is to be used.

    Raises:
        ValueError: there is no such device.
        UnimplementedError: a device is to be parted into several.
    """
    _check(device)
    if len(logical_devices) > 1:
        raise UnimplementedError(
            f"{device.name} parted into {len(logical_devices)} logical devices: expected one. To try programs for several GPUs, use virtual devices "
            "(gpersist.devices.use_virtual)"
        )
    _SETTINGS.limits[device] = list(logical_devices)


def functions_run_eagerly() -> bool:
    """False: nothing runs eagerly."""
    return False


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Does nothing, if nothing is to run eagerly.

    Raises:
        FailedPreconditionError: something is.
    """
    if run_eagerly:
        raise FailedPreconditionError("there is no eager execution: build a graph, and run it in a session")


def _apply() -> None:
    config = protos.ConfigProto(allow_soft_placement=_SETTINGS.is_soft)
    if _SETTINGS.visible is not None:
        config.device_count["GPU"] = sum(device.device_type == "GPU" for device in _SETTINGS.visible)
    set_default_config(config)


def _check(device: Any) -> None:
    if device not in list_physical_devices():
        raise ValueError(f"Unrecognized device: {device!r}")


def _kind(device: Device) -> str:
    return str(device.spec.device_type)
