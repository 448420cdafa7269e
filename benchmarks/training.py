"""What a training loop on a CUDA device notices of a save in the background."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gpersist
from benchmarks.transfers import temporary

_BASE_STEPS = 30


class HoldUp:
    """How long a save in the background holds the calling thread and its stream, against one copy of the arrays on the device."""

    def __init__(self, cupy: Any, arrays: Mapping[str, Any], folder: Path, *, quick: bool) -> None:
        """Makes the arrays for the copy, and work that keeps the stream busy meanwhile."""
        self._cupy, self._arrays, self._folder = cupy, arrays, folder
        self._copies = {name: cupy.empty_like(array) for name, array in arrays.items()}
        side = 64 if quick else 8192
        self._factors = [cupy.ones((side, side), cupy.float32) for _ in range(3)]
        self._products = 1 if quick else 10

    def save_async(self) -> dict[str, float]:
        """`wall_s`: the stream's; `blocked_s`: the thread's; `hidden`: 1 if the stream was busy until the call had returned, as it has to be."""
        with temporary(self._folder) as folder:
            before, after = self._cupy.cuda.Event(), self._cupy.cuda.Event()
            self._be_busy()
            before.record()
            began = time.perf_counter()
            handle = gpersist.save_async(folder / "model", self._arrays, durable=False)
            blocked_s = time.perf_counter() - began
            after.record()
            hidden = not before.done
            held_s = self._elapsed(before, after)
            whole_s = handle.result().duration_s
        return {"wall_s": held_s, "blocked_s": blocked_s, "whole_s": whole_s, "hidden": float(hidden)}

    def copy(self) -> dict[str, float]:
        before, after = self._cupy.cuda.Event(), self._cupy.cuda.Event()
        self._be_busy()
        before.record()
        for name, array in self._arrays.items():
            self._cupy.copyto(self._copies[name], array)
        after.record()
        return {"wall_s": self._elapsed(before, after)}

    def _be_busy(self) -> None:
        left, right, product = self._factors
        for _ in range(self._products):
            self._cupy.matmul(left, right, out=product)

    def _elapsed(self, before: Any, after: Any) -> float:
        after.synchronize()
        return float(self._cupy.cuda.get_elapsed_time(before, after)) / 1e3


class Training:
    """Steps of two matrix products and an update in place, each waited for, as a loop does that looks at its loss."""

    def __init__(self, cupy: Any, arrays: Mapping[str, Any], folder: Path, *, quick: bool) -> None:
        self._cupy, self._folder = cupy, folder
        side, dtype = (64, cupy.float32) if quick else (8192, cupy.float16)
        self._inputs = cupy.full((side, side), 1 / side, dtype)
        self._weights = cupy.ones((side, side), dtype)
        self._arrays = {**arrays, "training/weights": self._weights}

    def alone(self) -> dict[str, float]:
        return {"wall_s": statistics.median(self._step() for _ in range(_BASE_STEPS))}

    def with_save(self) -> dict[str, float]:
        """`wall_s`: the median step with a save in flight; `steps`: of them; `held_s`: by how much the loop came later than without the save."""
        with temporary(self._folder) as folder:
            alone_s = self.alone()["wall_s"]
            began = time.perf_counter()
            handle = gpersist.save_async(folder / "model", self._arrays, durable=False)
            steps = [self._step()]
            while not handle.done():
                steps.append(self._step())
            passed_s = time.perf_counter() - began
            handle.result()
        return {"wall_s": statistics.median(steps), "steps": len(steps), "held_s": passed_s - len(steps) * alone_s}

    def _step(self) -> float:
        began = time.perf_counter()
        outputs = self._cupy.matmul(self._inputs, self._weights)
        gradient = self._cupy.matmul(self._inputs, outputs)
        self._weights -= gradient * 1e-4
        self._cupy.cuda.get_current_stream().synchronize()
        return time.perf_counter() - began
