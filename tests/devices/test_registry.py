from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from gpersist.devices import Device, DeviceSpec, cuda, default_device, device_of, devices, get, registry, use_virtual
from gpersist.errors import DeviceNotFoundError, InvalidArgumentError


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a new process with no GPU."""
    monkeypatch.delenv("GPERSIST_VIRTUAL_DEVICES", raising=False)
    monkeypatch.setattr(registry, "_virtual", None)
    monkeypatch.setattr(registry, "_cuda", [])
    yield


def names(found: list[Device]) -> list[str]:
    return [device.name for device in found]


def test_the_host_is_always_there() -> None:
    (host,) = devices()
    assert (host.name, host.backend, host.is_host) == ("/device:CPU:0", "host", True)
    assert default_device() is host is get("/cpu:0") is devices()[0]


def test_cpu_comes_first_then_gpus() -> None:
    with use_virtual(3) as found:
        assert names(devices()) == ["/device:CPU:0", "/device:GPU:0", "/device:GPU:1", "/device:GPU:2"]
        assert devices()[1:] == found
        assert default_device() is found[0]
    assert names(devices()) == ["/device:CPU:0"]


@pytest.mark.parametrize("wanted", ["/gpu:1", "/GPU:1", "GPU:1", "/device:GPU:1", "/job:localhost/replica:0/task:0/device:GPU:1"])
def test_get_takes_every_spelling(wanted: str) -> None:
    with use_virtual(2) as found:
        assert get(wanted) is get(DeviceSpec.from_string(wanted)) is found[1]


def test_a_partial_name_prefers_the_default_device() -> None:
    with use_virtual(2) as found:
        assert get("") is get("/gpu") is get("/device:*") is found[0]
        assert get("/cpu").is_host


@pytest.mark.parametrize("wanted", ["/gpu:7", "/device:TPU:0", "/job:worker/cpu:0", "/job:worker/task:1/device:GPU:0"])
def test_what_is_not_there_is_told_with_what_is(wanted: str) -> None:
    with (
        use_virtual(2),
        pytest.raises(DeviceNotFoundError, match=r"/device:CPU:0 \(host\), /device:GPU:0 \(virtual\), /device:GPU:1 \(virtual\)") as caught,
    ):
        get(wanted)
    assert wanted in str(caught.value)


@pytest.mark.parametrize(
    ("text", "count", "total_bytes"),
    [("2", 2, None), ("4x2GiB", 4, 2 << 30), ("1x512MiB", 1, 512 << 20), ("3x1000", 3, 1000), ("0", 0, None), ("", 0, None)],
)
def test_the_environment_switches_virtual_devices_on(monkeypatch: pytest.MonkeyPatch, text: str, count: int, total_bytes: int | None) -> None:
    monkeypatch.setenv("GPERSIST_VIRTUAL_DEVICES", text)
    gpus = devices()[1:]
    assert [gpu.backend for gpu in gpus] == ["virtual"] * count
    if total_bytes is not None:
        assert {gpu.memory().total_bytes for gpu in gpus} == {total_bytes}
    assert devices()[1:] == gpus  # the same objects
    with use_virtual(5):
        assert len(devices()) == 6
    assert devices()[1:] == gpus


@pytest.mark.parametrize("text", ["four", "4x", "x2GiB", "-1", "4x2GB", "4 x 2GiB", "\u0664", "4x-1"])
def test_an_environment_that_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("GPERSIST_VIRTUAL_DEVICES", text)
    with pytest.raises(InvalidArgumentError, match="GPERSIST_VIRTUAL_DEVICES"):
        devices()


def test_use_virtual_is_a_call_too() -> None:
    use_virtual(2)
    assert len(devices()) == 3
    use_virtual(0)
    assert len(devices()) == 1
    for count, memory_bytes in ((-1, None), (1, -1)):
        with pytest.raises(InvalidArgumentError, match="negative"):
            use_virtual(count, memory_bytes)
    assert len(devices()) == 1


def test_virtual_devices_hide_real_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    real = cuda.CudaDevice(0)
    monkeypatch.setattr(registry, "_cuda", [real])
    assert default_device() is get("/gpu:0") is real
    with use_virtual(1):
        assert get("/gpu:0").backend == "virtual"
    assert get("/gpu:0") is real


def test_device_of() -> None:
    assert device_of(np.zeros(3)).is_host
    with use_virtual(2) as found:
        array = found[1].empty((3,), np.dtype(np.float32))
        assert device_of(array) is found[1]
    assert device_of(array) is found[1]  # though it is no longer listed
    for value in ([1, 2], 3.0, None):
        with pytest.raises(InvalidArgumentError, match=type(value).__name__):
            device_of(value)


def test_is_asked_by_many_threads_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPERSIST_VIRTUAL_DEVICES", "2")
    found: list[list[Device]] = []
    threads = [threading.Thread(target=lambda: found.append(devices())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(one == found[0] for one in found)


def test_importing_and_naming_imports_no_cupy() -> None:
    program = """
import sys
from gpersist.devices import DeviceSpec, adopt, devices, use_virtual
DeviceSpec.from_string("/gpu:0"), adopt(1), use_virtual(1), devices()
print("cupy" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_face_is_sorted_and_whole() -> None:
    face = sys.modules["gpersist.devices"]  # the attribute of gpersist by that name is the function
    assert face.__all__ == sorted(face.__all__)
    assert all(hasattr(face, name) for name in face.__all__)
