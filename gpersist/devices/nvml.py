"""What NVIDIA's management library (NVML, through nvidia-ml-py) knows of a GPU; silent where it is absent or declines.

NVML counts a machine's GPUs in its own order and knows nothing of `CUDA_VISIBLE_DEVICES`, so a GPU is found by what CUDA says of it: its UUID, or
its PCI bus id. Under MIG that bus id is the whole GPU's, of which the process has a slice with a UUID of its own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import uuid as uuids
from collections.abc import Iterator
from typing import Any

from gpersist.devices.backend import MemoryInfo


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """What NVML said; None where it said nothing. The names are those of `DeviceInfo`."""

    uuid: str | None = None
    memory: MemoryInfo | None = None
    pcie_generation: int | None = None
    pcie_width: int | None = None
    driver_version: str | None = None


def ask(cuda_uuid: bytes, pci_bus_id: str, visible_devices: str) -> Facts:
    """Asks NVML about one of CUDA's devices; needs no CUDA context, and creates none.

    Args:
        cuda_uuid: `cudaDeviceProp.uuid`; of a MIG slice, the slice's. CuPy cuts it off at a zero byte: other than 16 bytes are not used.
        pci_bus_id: `cudaDeviceGetPCIBusId`.
        visible_devices: `CUDA_VISIBLE_DEVICES`, for the name of a MIG slice: CUDA uses only the first of those.

    Returns:
        Empty facts where NVML is absent, or knows no such device.
    """
    with _library() as nvml:
        if nvml is None:
            return Facts(uuid=_uuid_text("GPU", cuda_uuid))
        device, gpu = _find(nvml, cuda_uuid, pci_bus_id, visible_devices)
        memory = _call(nvml, "nvmlDeviceGetMemoryInfo", device)
        return Facts(
            uuid=_text(_call(nvml, "nvmlDeviceGetUUID", device)),
            memory=None if memory is None else MemoryInfo(int(memory.free), int(memory.total)),
            pcie_generation=_call(nvml, "nvmlDeviceGetCurrPcieLinkGeneration", gpu),
            pcie_width=_call(nvml, "nvmlDeviceGetCurrPcieLinkWidth", gpu),
            driver_version=_text(_call(nvml, "nvmlSystemGetDriverVersion")),
        )


@contextlib.contextmanager
def _library() -> Iterator[Any]:
    """The module pynvml, initialised; None without it, or without a driver."""
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        yield None
        return
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        yield None
        return
    try:
        yield nvml
    finally:
        with contextlib.suppress(nvml.NVMLError):
            nvml.nvmlShutdown()


def _find(nvml: Any, cuda_uuid: bytes, pci_bus_id: str, visible_devices: str) -> tuple[Any, Any]:
    """NVML's handles of the device and of the whole GPU that it is, or is a slice of; None for what is not found."""
    first_visible = visible_devices.split(",")[0].strip()
    names = [_uuid_text("GPU", cuda_uuid), _uuid_text("MIG", cuda_uuid), first_visible if first_visible.startswith("MIG-") else None]
    for name in names:
        device = _call(nvml, "nvmlDeviceGetHandleByUUID", name)
        if device is not None:
            return device, _call(nvml, "nvmlDeviceGetDeviceHandleFromMigDeviceHandle", device) or device
    gpu = _call(nvml, "nvmlDeviceGetHandleByPciBusId", pci_bus_id)
    mig_modes = _call(nvml, "nvmlDeviceGetMigMode", gpu)  # (current, pending)
    is_sliced = mig_modes is not None and mig_modes[0] == 1
    return (None if is_sliced else gpu), gpu


def _call(nvml: Any, name: str, *arguments: Any) -> Any:
    """A call's answer; None where an argument is None already, or NVML declines (not supported, no permission, not found)."""
    if None in arguments:
        return None
    try:
        return getattr(nvml, name)(*arguments)
    except nvml.NVMLError:
        return None


def _uuid_text(kind: str, cuda_uuid: bytes) -> str | None:
    return f"{kind}-{uuids.UUID(bytes=cuda_uuid)}" if len(cuda_uuid) == 16 else None


def _text(value: str | bytes | None) -> str | None:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
