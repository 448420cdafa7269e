"""Host memory under every backend: how much there is, page-aligned buffers, and arrays seen as bytes."""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gpersist.devices.backend import Array, MemoryInfo, PinnedBuffer
from gpersist.errors import DeviceMemoryError, InvalidArgumentError

_HUGE_PAGE_BYTES = 2 << 20

Bytes = np.ndarray[Any, np.dtype[np.uint8]]


class PageBuffer(PinnedBuffer):
    """A mapping of its own: page-aligned, in huge pages where the kernel has them, and given back to the system with its last reference."""

    def __init__(self, size_bytes: int, *, is_pinned: bool = True) -> None:
        if size_bytes < 0:
            raise InvalidArgumentError(f"size_bytes must not be negative, found {size_bytes}")
        try:
            mapping = mmap.mmap(-1, max(size_bytes, 1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        except (OSError, OverflowError) as error:
            cure = "give the process, or its container, more memory, or have it stage less at a time (ring_bytes=)"
            raise out_of_memory("host memory", size_bytes, host_memory().free_bytes, cure) from error
        if size_bytes >= _HUGE_PAGE_BYTES:
            with contextlib.suppress(OSError):  # a kernel built without them
                mapping.madvise(mmap.MADV_HUGEPAGE)
        self.array = np.frombuffer(mapping, np.uint8, size_bytes)
        self.is_pinned = is_pinned

    def close(self) -> None:
        """Drops the reference; a view that is still held keeps the mapping alive."""
        self.array = np.empty(0, np.uint8)


def out_of_memory(name: str, size_bytes: int, free_bytes: int, cure: str) -> DeviceMemoryError:
    """The error of a device, called `name`, that has no room; `cure` says what to do."""
    readable = f" ({size_bytes / 2**20:,.1f} MiB wanted, {free_bytes / 2**20:,.1f} MiB free)" if size_bytes >= 2**20 else ""
    return DeviceMemoryError(f"{name}: {size_bytes} bytes wanted, {free_bytes} bytes free{readable}; {cure}")


def array_bytes(array: np.ndarray[Any, Any]) -> Bytes:
    """A host array's bytes, in order and without a copy; writing to them writes to the array.

    Raises:
        InvalidArgumentError: the array is not C-contiguous, or holds Python objects.
    """
    if not array.flags.c_contiguous or array.dtype.hasobject:
        raise InvalidArgumentError(f"an array of shape {array.shape}, strides {array.strides} and dtype {array.dtype} is not one run of bytes")
    return array.view(np.ndarray).reshape(-1).view(np.uint8)


def check_copy(host: PinnedBuffer, host_offset: int, array: Array, array_offset: int, size_bytes: int) -> None:
    """Holds a copy's ranges against both sides, since a device would read and write beyond them without a word.

    Raises:
        InvalidArgumentError: the range leaves the buffer or the array.
    """
    for what, offset, limit in (("pinned buffer", host_offset, host.array.nbytes), ("array", array_offset, array.nbytes)):
        if size_bytes < 0 or not 0 <= offset <= limit - size_bytes:
            raise InvalidArgumentError(f"a copy of {size_bytes} bytes at byte {offset} leaves the {what} of {limit} bytes")


def host_memory(root: Path = Path("/")) -> MemoryInfo:
    """Memory that this process can still take, and in all: the machine's, or less where a control group (a container) has a limit.

    Page cache counts as free, since the kernel drops it when memory is wanted.

    Args:
        root: the folder that holds `proc` and `sys`.
    """
    lines = (root / "proc/meminfo").read_text("ascii").splitlines()
    kibibytes = {key: int(value.split()[0]) for key, _, value in (line.partition(":") for line in lines)}
    free_bytes, total_bytes = kibibytes["MemAvailable"] << 10, kibibytes["MemTotal"] << 10
    for limit_bytes, used_bytes in _group_limits(root):
        total_bytes = min(total_bytes, limit_bytes)
        free_bytes = min(free_bytes, max(limit_bytes - used_bytes, 0))
    return MemoryInfo(free_bytes, total_bytes)


_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file", "total_active_file")
_V2 = ("memory.max", "memory.current", "inactive_file", "active_file")


def _group_limits(root: Path) -> Iterator[tuple[int, int]]:
    """(limit, used without page cache), in bytes, of this process's control group and of each above it that has a limit."""
    mounts = root / "sys/fs/cgroup"
    try:
        memberships = (root / "proc/self/cgroup").read_text("utf-8").splitlines()
    except OSError:
        return
    for membership in memberships:
        _, controllers, path = membership.split(":", 2)
        if controllers == "":
            names, mount = _V2, mounts
        elif "memory" in controllers.split(","):
            names, mount = _V1, mounts / "memory"
        else:
            continue
        group = mount / path.strip("/")
        for folder in (group, *group.parents):
            if found := _group_limit(folder, *names):
                yield found
            if folder == mount:
                break


def _group_limit(folder: Path, limit_name: str, used_name: str, *cache_names: str) -> tuple[int, int] | None:
    try:  # a folder may be missing: in a container, /proc shows the path outside of it
        limit = (folder / limit_name).read_text("ascii").strip()
        used_bytes = int((folder / used_name).read_text("ascii"))
        stat = dict(line.split(maxsplit=1) for line in (folder / "memory.stat").read_text("ascii").splitlines())
        return None if limit == "max" else (int(limit), used_bytes - sum(int(stat.get(name, 0)) for name in cache_names))
    except (OSError, ValueError):
        return None
