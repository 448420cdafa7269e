"""gpersist."""

from __future__ import annotations

import functools
import itertools
from pathlib import Path

import gpersist
from benchmarks.contenders.contender import Action, Contender
from benchmarks.stopwatch import Stopwatch
from benchmarks.workloads import Array, Workload


class Ours(Contender):
    """gpersist with its defaults, but for `durable`, which nobody else is."""

    version = f"gpersist {gpersist.__version__}"

    def __init__(self, workload: Workload, folder: Path) -> None:
        super().__init__(workload, folder)
        self.arrays = workload.make()
        self._rounds = itertools.count()

    def actions(self) -> dict[str, dict[str, Action]]:
        return {
            "save": {"save first": self.save_first, "save repeated": self.save_repeated},
            "load": {"load into": self.load_into, "load new": self.load_new},
            "durable": {"save durable": functools.partial(self.save_repeated, durable=True)},
            "async": {"save_async": self.save_async},
        }

    def store(self, folder: Path) -> None:
        gpersist.save(folder / "model", self.arrays)

    def save_first(self, stopwatch: Stopwatch) -> None:
        """Under names that this process has not saved before, so that it remembers no plan of them."""
        number = next(self._rounds)
        renamed = {f"round_{number}/{name}": array for name, array in self.arrays.items()}
        with self.fresh_folder() as folder, stopwatch:
            gpersist.save(folder / "model", renamed, durable=False)

    def save_repeated(self, stopwatch: Stopwatch, *, durable: bool = False) -> None:
        with self.fresh_folder() as folder, stopwatch:
            gpersist.save(folder / "model", self.arrays, durable=durable)

    def load_into(self, stopwatch: Stopwatch) -> dict[str, Array]:
        prefix = self.stored / "model"
        for array in self.arrays.values():
            array.reshape(-1)[:1] = -1  # a load that does nothing is found out
        with stopwatch:
            gpersist.load(prefix, into=self.arrays)
        return self.arrays

    def load_new(self, stopwatch: Stopwatch) -> dict[str, Array]:
        prefix = self.stored / "model"
        stopwatch.new_bytes = self.workload.total_bytes
        with stopwatch:
            loaded: dict[str, Array] = gpersist.load(prefix)
        return loaded

    def save_async(self, stopwatch: Stopwatch) -> None:
        with self.fresh_folder() as folder:
            with stopwatch:
                handle = gpersist.save_async(folder / "model", self.arrays, durable=False)
            stopwatch.figures["whole_s"] = handle.result().duration_s
