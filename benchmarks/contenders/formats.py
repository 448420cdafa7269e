"""Peers with formats of their own, on host memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.contenders.contender import Action, Contender
from benchmarks.stopwatch import Stopwatch
from benchmarks.workloads import Array, Workload


class Safetensors(Contender):
    """`safetensors.numpy`: save_file, load_file."""

    def __init__(self, workload: Workload, folder: Path) -> None:
        import safetensors
        import safetensors.numpy

        super().__init__(workload, folder)
        self.numpy, self.version = safetensors.numpy, f"safetensors {safetensors.__version__}"
        self.arrays = workload.make()

    def actions(self) -> dict[str, dict[str, Action]]:
        return {"save": {"save": self.save}, "load": {"load": self.load}}

    def store(self, folder: Path) -> None:
        self.numpy.save_file(self.arrays, folder / "model.safetensors")

    def save(self, stopwatch: Stopwatch) -> None:
        with self.fresh_folder() as folder, stopwatch:
            self.store(folder)

    def load(self, stopwatch: Stopwatch) -> dict[str, Array]:
        path = self.stored / "model.safetensors"
        stopwatch.new_bytes = self.workload.total_bytes
        with stopwatch:
            return self.numpy.load_file(path)


class Torch(Contender):
    """torch.save, and torch.load of weights only."""

    def __init__(self, workload: Workload, folder: Path) -> None:
        import torch

        super().__init__(workload, folder)
        self.torch, self.version = torch, f"torch {torch.__version__}"
        self.tensors = {name: torch.from_numpy(np.atleast_1d(array)).reshape(array.shape) for name, array in workload.make().items()}

    def actions(self) -> dict[str, dict[str, Action]]:
        return {"save": {"save": self.save}, "load": {"load": self.load}}

    def store(self, folder: Path) -> None:
        self.torch.save(self.tensors, folder / "model.pt")

    def save(self, stopwatch: Stopwatch) -> None:
        with self.fresh_folder() as folder, stopwatch:
            self.store(folder)

    def load(self, stopwatch: Stopwatch) -> dict[str, Array]:
        path = self.stored / "model.pt"
        stopwatch.new_bytes = self.workload.total_bytes
        with stopwatch:
            loaded = self.torch.load(path, weights_only=True)
        return {name: tensor.numpy() for name, tensor in loaded.items()}
