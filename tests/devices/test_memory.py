from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from gpersist.devices.memory import PageBuffer, array_bytes, host_memory
from gpersist.errors import DeviceMemoryError, InvalidArgumentError

GIB = 1 << 30
NO_LIMIT_V1 = "9223372036854771712\n"  # what version 1 shows for none


def machine(root: Path, files: dict[str, str]) -> Path:
    """A machine of 16 GiB with 12 available, and what else its /proc and /sys say."""
    meminfo = f"MemTotal:       {16 * GIB >> 10} kB\nMemFree:         1000 kB\nMemAvailable:   {12 * GIB >> 10} kB\nHugePages_Total:       0\n"
    for path, text in {"proc/meminfo": meminfo, **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def group_v2(path: str, limit: str, used_bytes: int, inactive: int = 0, active: int = 0) -> dict[str, str]:
    stat = f"anon 4096\nfile 999999999\ninactive_file {inactive}\nactive_file {active}\n"
    return {f"{path}/memory.max": limit, f"{path}/memory.current": f"{used_bytes}\n", f"{path}/memory.stat": stat}


def group_v1(path: str, limit: str, used_bytes: int, inactive: int = 0) -> dict[str, str]:
    stat = f"cache 999999999\ntotal_inactive_file {inactive}\ntotal_active_file 0\n"
    return {f"{path}/memory.limit_in_bytes": limit, f"{path}/memory.usage_in_bytes": f"{used_bytes}\n", f"{path}/memory.stat": stat}


@pytest.mark.parametrize(
    ("files", "free_gib", "total_gib"),
    [
        pytest.param({}, 12, 16, id="no groups"),
        pytest.param({"proc/self/cgroup": "0::/\n"}, 12, 16, id="root group has no files"),
        pytest.param({"proc/self/cgroup": "0::/\n", **group_v2("sys/fs/cgroup", f"{4 * GIB}\n", GIB)}, 3, 4, id="v2 in a container"),
        pytest.param(
            {"proc/self/cgroup": "0::/\n", **group_v2("sys/fs/cgroup", f"{4 * GIB}\n", 4 * GIB, 2 * GIB, GIB)}, 3, 4, id="v2 page cache is free"
        ),
        pytest.param({"proc/self/cgroup": "0::/\n", **group_v2("sys/fs/cgroup", "max\n", GIB)}, 12, 16, id="v2 without limit"),
        pytest.param({"proc/self/cgroup": "0::/\n", **group_v2("sys/fs/cgroup", f"{64 * GIB}\n", GIB)}, 12, 16, id="v2 limit beyond the machine"),
        pytest.param({"proc/self/cgroup": "0::/\n", **group_v2("sys/fs/cgroup", f"{GIB}\n", 2 * GIB)}, 0, 1, id="v2 over its limit"),
        pytest.param(
            {
                "proc/self/cgroup": "0::/user.slice/job\n",
                **group_v2("sys/fs/cgroup/user.slice", f"{8 * GIB}\n", 7 * GIB),
                **group_v2("sys/fs/cgroup/user.slice/job", f"{6 * GIB}\n", GIB),
            },
            1,
            6,
            id="v2 a group above is tighter",
        ),
        pytest.param(
            {"proc/self/cgroup": "0::/docker/abc\n", **group_v2("sys/fs/cgroup", f"{4 * GIB}\n", GIB)},
            3,
            4,
            id="path as seen from outside",
        ),
        pytest.param(
            {"proc/self/cgroup": "4:memory:/docker/abc\n0::/\n", **group_v1("sys/fs/cgroup/memory/docker/abc", f"{4 * GIB}\n", 2 * GIB, GIB)},
            3,
            4,
            id="v1",
        ),
        pytest.param(
            {"proc/self/cgroup": "4:cpu,memory:/\n", **group_v1("sys/fs/cgroup/memory", NO_LIMIT_V1, 2 * GIB, GIB)}, 12, 16, id="v1 without limit"
        ),
        pytest.param({"proc/self/cgroup": "4:cpuset:/\n", **group_v1("sys/fs/cgroup/memory", f"{GIB}\n", 0)}, 12, 16, id="v1 of another controller"),
        pytest.param({"proc/self/cgroup": "0::/\n", **group_v2("sys/fs/cgroup", "nonsense\n", 0)}, 12, 16, id="not understood"),
    ],
)
def test_memory_is_the_machines_or_the_groups(tmp_path: Path, files: dict[str, str], free_gib: int, total_gib: int) -> None:
    memory = host_memory(machine(tmp_path, files))
    assert (memory.free_bytes / GIB, memory.total_bytes / GIB) == (free_gib, total_gib)


def test_memory_of_this_machine_is_plausible() -> None:
    memory = host_memory()
    physical_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 1 << 24 < memory.free_bytes <= memory.total_bytes <= physical_bytes


def test_memory_goes_back_to_the_system() -> None:
    def resident_bytes() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    before = resident_bytes()
    buffer = PageBuffer(64 << 20)
    buffer.array[:] = 1
    assert resident_bytes() - before > 60 << 20
    buffer.close()
    assert resident_bytes() - before < 8 << 20


def test_what_no_address_reaches_is_refused() -> None:
    for size_bytes in (1 << 50, 1 << 63, 1 << 70):
        told = rf"{size_bytes} bytes wanted, \d+ bytes free \({size_bytes / 2**20:,.1f} MiB wanted, [0-9,.]+ MiB free\); .*ring_bytes="
        with pytest.raises(DeviceMemoryError, match=told):
            PageBuffer(size_bytes)


def test_bytes_are_the_arrays_own() -> None:
    array = np.zeros((2, 3), np.uint16)
    array_bytes(array)[:] = 1
    assert (array == 257).all()
    assert array_bytes(np.zeros((), np.complex128)).shape == (16,)
    assert array_bytes(np.zeros((0, 3))).shape == (0,)


@pytest.mark.parametrize("array", [np.zeros((2, 3)).T, np.zeros(4)[::2], np.array([b"text"], object)], ids=["F order", "strided", "objects"])
def test_bytes_of_no_single_run_are_refused(array: np.ndarray) -> None:
    with pytest.raises(InvalidArgumentError, match="not one run of bytes"):
        array_bytes(array)
