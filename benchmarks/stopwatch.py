"""Time, processor time and peak memory of a piece of work in this process."""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import Self

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


class Stopwatch:
    """Measures what runs within `with stopwatch:`, once.

    Attributes:
        wall_s: time that passed.
        cpu_s: processor time of all threads of this process, user and system.
        new_bytes: of arrays that the caller asked for, which do not count as extra; set by the action.
        peak_bytes: by how much the resident memory's peak (VmHWM) rose above what was resident before (VmRSS), without `new_bytes`.
        figures: whatever else the action measured, by name.
    """

    def __init__(self) -> None:
        self.wall_s = self.cpu_s = 0.0
        self.peak_bytes = self.new_bytes = 0
        self.figures: dict[str, float] = {}

    def __enter__(self) -> Self:
        gc.collect()
        _CLEAR_REFS.write_text(_RESET_PEAK)
        self._resident = _status_bytes("VmRSS")
        self._cpu = time.process_time()
        self._wall = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_s = time.perf_counter() - self._wall
        self.cpu_s = time.process_time() - self._cpu
        self.peak_bytes = max(0, _status_bytes("VmHWM") - self._resident - self.new_bytes)

    def sample(self) -> dict[str, float]:
        """What was measured, to be sent."""
        return {"wall_s": self.wall_s, "cpu_s": self.cpu_s, "peak_bytes": self.peak_bytes, **self.figures}


def _status_bytes(field: str) -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(field + ":"))
    return int(line.split()[1]) << 10
