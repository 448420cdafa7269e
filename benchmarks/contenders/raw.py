"""The unit: the same bytes through bare system calls and a bare memcpy, from and into buffers that have been used before, in one thread."""

from __future__ import annotations

import functools
import importlib.metadata
import os
from collections.abc import Iterator
from pathlib import Path

import crc32c
import numpy as np

from benchmarks.contenders.contender import Action, Contender
from benchmarks.stopwatch import Stopwatch
from benchmarks.workloads import Array, Workload

_BLOCK_BYTES = 8 << 20
_CACHED_BYTES = 512 << 10
_IOV_MAX = os.sysconf("SC_IOV_MAX")


class Raw(Contender):
    """write(2) and read(2), of up to 8 MiB and up to IOV_MAX arrays a call; memcpy array by array."""

    version = f"crc32c {importlib.metadata.version('crc32c')}"

    def __init__(self, workload: Workload, folder: Path) -> None:
        super().__init__(workload, folder)
        self.arrays = workload.make()
        self.blocks = list(_gather(self._cut(_BLOCK_BYTES), _BLOCK_BYTES))
        self.cached = list(_gather(self._cut(_CACHED_BYTES), _CACHED_BYTES))

    def actions(self) -> dict[str, dict[str, Action]]:
        return {
            "save": {"write": self.write, "write + crc": functools.partial(self.write, crc=True)},
            "load": {"read": self.read, "read + crc": functools.partial(self.read, crc=True)},
            "durable": {"write + fsync": functools.partial(self.write, fsync=True)},
            "async": {"memcpy": self.memcpy},
        }

    def store(self, folder: Path) -> None:
        self._write(folder / "data", crc=False, fsync=False)

    def write(self, stopwatch: Stopwatch, *, crc: bool = False, fsync: bool = False) -> None:
        with self.fresh_folder() as folder, stopwatch:
            self._write(folder / "data", crc=crc, fsync=fsync)

    def read(self, stopwatch: Stopwatch, *, crc: bool = False) -> dict[str, Array]:
        path = self.stored / "data"
        with stopwatch:
            fd = os.open(path, os.O_RDONLY)
            for buffers in self.cached if crc else self.blocks:
                os.readv(fd, buffers)
                if crc:
                    _checksum(buffers)
            os.close(fd)
        return self.arrays

    def memcpy(self, stopwatch: Stopwatch) -> None:
        pairs = list(zip(self._copies, self.arrays.values(), strict=True))
        with stopwatch:
            for target, source in pairs:
                np.copyto(target, source)

    @functools.cached_property
    def _copies(self) -> list[Array]:
        return [array.copy() for array in self.arrays.values()]

    def _write(self, path: Path, *, crc: bool, fsync: bool) -> None:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        for buffers in self.cached if crc else self.blocks:
            if crc:
                _checksum(buffers)
            os.writev(fd, buffers)
        if fsync:
            os.fsync(fd)
        os.close(fd)

    def _cut(self, size_bytes: int) -> Iterator[memoryview]:
        """The arrays' bytes, in order, in pieces of at most so many bytes."""
        for array in self.arrays.values():
            view = memoryview(array.data).cast("B")
            for start in range(0, len(view), size_bytes):
                yield view[start : start + size_bytes]


def _gather(pieces: Iterator[memoryview], size_bytes: int) -> Iterator[list[memoryview]]:
    """Pieces in groups that one system call takes."""
    group: list[memoryview] = []
    total = 0
    for piece in pieces:
        if group and (total + len(piece) > size_bytes or len(group) == _IOV_MAX):
            yield group
            group, total = [], 0
        group.append(piece)
        total += len(piece)
    if group:
        yield group


def _checksum(buffers: list[memoryview]) -> None:
    for buffer in buffers:
        crc32c.crc32c(buffer)
