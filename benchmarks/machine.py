"""On what the figures were measured: the kind of machine, never its name."""

from __future__ import annotations

import datetime
import os
import platform
import re
from pathlib import Path
from typing import Any


def cpu_model() -> str:
    """As /proc/cpuinfo names it."""
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def cores() -> int:
    """Processors that this process may run on."""
    return len(os.sched_getaffinity(0))


def slug(text: str) -> str:
    """Letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower().replace("(r)", "").replace("(tm)", "")).strip("-")


def describe(folder: Path) -> dict[str, Any]:
    """The machine, what it runs, how busy it is, and what kind of file system a folder is on."""
    return {
        "cpu": cpu_model(),
        "cores": cores(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "kernel": platform.release().split("-")[0],
        "python": platform.python_version(),
        "file_system": file_system(folder),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "load_average_before": os.getloadavg()[0],
    }


def file_system(folder: Path) -> str:
    """The type of the mount that a folder is in, such as `ext4`."""
    path, best, kind = str(folder.resolve()), -1, "unknown"
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mount, mount_kind, *_ = line.split(" ")
        if len(mount) >= best and (path + "/").startswith(mount.rstrip("/") + "/"):
            best, kind = len(mount), mount_kind
    return kind
