from __future__ import annotations

import gpersist
from gpersist.cli import devices
from gpersist.devices import DeviceInfo, MemoryInfo

H100 = DeviceInfo(
    "/device:GPU:0", "cuda", "NVIDIA H100 80GB HBM3", MemoryInfo(70 << 30, 80 << 30), "GPU-0123", "0000:17:00.0", 5, 16, "580.65.06", (9, 0)
)


def test_virtual_devices_are_named_as_such(run):
    with gpersist.use_virtual_devices(2, 3 << 30):
        done = run("devices")
        found = run("devices", "--json").json["devices"]
    lines = done.out.splitlines()
    assert done.status == 0
    assert lines[2].split() == ["/device:GPU:0", "virtual", "virtual", "device", "(host", "memory)", "3.0", "GiB", "3.0", "GiB", "-"]
    assert "virtual devices are switched on; CUDA devices, if any, are hidden" in lines
    assert [(info["name"], info["backend"]) for info in found] == [
        ("/device:CPU:0", "host"),
        ("/device:GPU:0", "virtual"),
        ("/device:GPU:1", "virtual"),
    ]
    memory = {"free_bytes": 3 << 30, "total_bytes": 3 << 30}
    assert found[1] == {
        "name": "/device:GPU:0", "backend": "virtual", "product": "virtual device (host memory)", "memory": memory, "uuid": None, "pci_bus_id": None,
        "pcie_generation": None, "pcie_width": None, "driver_version": None, "compute_capability": None,
    }  # fmt: skip


class _Gpu:
    def info(self):
        return H100


def test_a_gpu(run, monkeypatch):
    monkeypatch.setattr(devices, "devices", lambda: [_Gpu()])
    lines = run("devices").out.splitlines()
    assert lines[1].split() == ["/device:GPU:0", "cuda", "NVIDIA", "H100", "80GB", "HBM3", "70.0", "GiB", "80.0", "GiB", "gen", "5", "x16"]
    assert "/device:GPU:0: GPU-0123, PCI 0000:17:00.0, compute capability 9.0, driver 580.65.06" in lines
    (found,) = run("devices", "--json").json["devices"]
    assert (found["uuid"], found["compute_capability"], found["memory"]["free_bytes"]) == ("GPU-0123", [9, 0], 70 << 30)


def test_none(run, monkeypatch):
    host = gpersist.devices()[0]
    monkeypatch.setattr(devices, "devices", lambda: [host])
    assert "no CUDA device: none is visible, or the driver or CuPy is missing" in run("devices").out


def test_a_wrong_number_of_virtual_devices(run, monkeypatch):
    def fail():
        raise gpersist.InvalidArgumentError("GPERSIST_VIRTUAL_DEVICES='x'")

    monkeypatch.setattr(devices, "devices", fail)
    assert run("devices") == (2, "", "gpersist: error: GPERSIST_VIRTUAL_DEVICES='x'\n")
