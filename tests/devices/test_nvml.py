"""NVML is played by a module of ours: there is no driver where these tests run."""

from __future__ import annotations

import sys
import types
import uuid
from typing import Any

import pytest

from gpersist.devices import MemoryInfo, nvml

FIRST, SECOND, SLICE = (uuid.UUID(int=number) for number in (0xAAAA0001 << 96 | 7, 0xBBBB0002 << 96 | 7, 0xCCCC0003 << 96 | 7))


class NVMLError(Exception):
    pass


class Gpu:
    """A whole GPU, or with a parent a slice of one."""

    def __init__(self, name: str, memory_bytes: int, parent: Gpu | None = None) -> None:
        self.name, self.memory_bytes, self.parent = name, memory_bytes, parent
        self.is_sliced = False


class FakeNvml(types.ModuleType):
    """Two GPUs, in PCI order: what CUDA_VISIBLE_DEVICES says does not change it."""

    NVMLError = NVMLError

    def __init__(self) -> None:
        super().__init__("pynvml")
        self.gpus = [Gpu(f"GPU-{FIRST}", 80), Gpu(f"GPU-{SECOND}", 40)]
        self.slices: list[Gpu] = []
        self.initialised = 0
        self.declines: set[str] = set()

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("nvml") and name in object.__getattribute__(self, "declines"):
            raise_error(name)
        return super().__getattribute__(name)

    def nvmlInit(self) -> None:
        self.initialised += 1

    def nvmlShutdown(self) -> None:
        self.initialised -= 1

    def nvmlDeviceGetHandleByUUID(self, name: str) -> Gpu:
        assert self.initialised == 1
        for gpu in [*self.gpus, *self.slices]:
            if gpu.name == name:
                return gpu
        raise NVMLError("not found")

    def nvmlDeviceGetHandleByPciBusId(self, pci_bus_id: str) -> Gpu:
        return self.gpus[{"0000:01:00.0": 0, "0000:02:00.0": 1}[pci_bus_id]]

    def nvmlDeviceGetDeviceHandleFromMigDeviceHandle(self, gpu: Gpu) -> Gpu:
        return gpu.parent or raise_error("not a slice")

    def nvmlDeviceGetMigMode(self, gpu: Gpu) -> list[int]:
        return [int(gpu.is_sliced), 0]

    def nvmlDeviceGetMemoryInfo(self, gpu: Gpu) -> Any:
        return types.SimpleNamespace(free=gpu.memory_bytes // 2, total=gpu.memory_bytes)

    def nvmlDeviceGetUUID(self, gpu: Gpu) -> str:
        return gpu.name

    def nvmlDeviceGetCurrPcieLinkGeneration(self, gpu: Gpu) -> int:
        return 5 if gpu is self.gpus[0] else 4 if gpu.parent is None else raise_error("not supported")

    def nvmlDeviceGetCurrPcieLinkWidth(self, gpu: Gpu) -> int:
        return 16 if gpu.parent is None else raise_error("not supported")

    def nvmlSystemGetDriverVersion(self) -> bytes:
        return b"580.159.04"


def raise_error(message: str) -> Any:
    raise NVMLError(message)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    module = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", module)
    return module


FACTS_OF_SECOND = nvml.Facts(f"GPU-{SECOND}", MemoryInfo(20, 40), 4, 16, "580.159.04")


@pytest.mark.parametrize("visible", ["", "1,0", "1", f"GPU-{SECOND},GPU-{FIRST}", "GPU-bbbb"])
def test_a_gpu_is_found_by_uuid_whatever_its_ordinal(fake: FakeNvml, visible: str) -> None:
    assert nvml.ask(SECOND.bytes, "0000:02:00.0", visible) == FACTS_OF_SECOND
    assert fake.initialised == 0


@pytest.mark.parametrize("cut_uuid", [b"", SECOND.bytes[:5]])
def test_a_gpu_is_found_by_bus_where_the_uuid_was_cut(fake: FakeNvml, cut_uuid: bytes) -> None:
    assert nvml.ask(cut_uuid, "0000:02:00.0", "1,0") == FACTS_OF_SECOND


@pytest.mark.parametrize(("cuda_uuid", "visible"), [(SLICE.bytes, "0"), (b"", f"MIG-{SLICE}"), (b"", f"MIG-{SLICE},MIG-{FIRST}")])
def test_a_slice_has_its_own_memory_and_its_gpus_link(fake: FakeNvml, cuda_uuid: bytes, visible: str) -> None:
    fake.slices = [Gpu(f"MIG-{SLICE}", 10, fake.gpus[0])]
    fake.gpus[0].is_sliced = True
    assert nvml.ask(cuda_uuid, "0000:01:00.0", visible) == nvml.Facts(f"MIG-{SLICE}", MemoryInfo(5, 10), 5, 16, "580.159.04")


def test_an_unknown_slice_is_not_taken_for_its_gpu(fake: FakeNvml) -> None:
    fake.gpus[0].is_sliced = True
    assert nvml.ask(b"", "0000:01:00.0", "") == nvml.Facts(pcie_generation=5, pcie_width=16, driver_version="580.159.04")


def test_what_is_declined_is_left_out(fake: FakeNvml) -> None:
    fake.declines = {"nvmlDeviceGetMemoryInfo", "nvmlDeviceGetCurrPcieLinkWidth", "nvmlDeviceGetMigMode"}
    assert nvml.ask(b"", "0000:02:00.0", "") == nvml.Facts(f"GPU-{SECOND}", None, 4, None, "580.159.04")


def test_without_a_driver_or_the_library_nothing_is_known(fake: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.declines = {"nvmlInit"}
    assert nvml.ask(FIRST.bytes, "0000:01:00.0", "") == nvml.Facts(uuid=f"GPU-{FIRST}")
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert nvml.ask(b"", "0000:01:00.0", "") == nvml.Facts()


def test_the_real_library_has_the_calls_that_are_made() -> None:
    pynvml = pytest.importorskip("pynvml")
    called = [name for name in vars(FakeNvml) if name.startswith("nvml")]
    assert all(callable(getattr(pynvml, name)) for name in called)
    assert issubclass(pynvml.NVMLError, Exception)
