"""TensorFlow's own kernels, called directly: nothing but SaveV2 and RestoreV2, with no graph and no Python around them."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from benchmarks.contenders.contender import Action, Contender
from benchmarks.stopwatch import Stopwatch
from benchmarks.workloads import Array, Workload


class SaveV2(Contender):
    """The two ops, run eagerly on tensors that are there already."""

    version = f"tensorflow {tf.__version__}"

    def __init__(self, workload: Workload, folder: Path) -> None:
        super().__init__(workload, folder)
        self.names = sorted(workload.shapes)
        arrays = workload.make()
        self.tensors = [tf.constant(arrays.pop(name)) for name in self.names]
        self.whole = [""] * len(self.names)

    def actions(self) -> dict[str, dict[str, Action]]:
        return {"save": {"save": self.save}, "load": {"load": self.load}}

    def store(self, folder: Path) -> None:
        tf.raw_ops.SaveV2(prefix=str(folder / "model"), tensor_names=self.names, shape_and_slices=self.whole, tensors=self.tensors)

    def save(self, stopwatch: Stopwatch) -> None:
        with self.fresh_folder() as folder, stopwatch:
            self.store(folder)

    def load(self, stopwatch: Stopwatch) -> dict[str, Array]:
        prefix, dtypes = str(self.stored / "model"), [tf.float32] * len(self.names)
        stopwatch.new_bytes = self.workload.total_bytes
        with stopwatch:
            tensors = tf.raw_ops.RestoreV2(prefix=prefix, tensor_names=self.names, shape_and_slices=self.whole, dtypes=dtypes)
        return {name: tensor.numpy() for name, tensor in zip(self.names, tensors, strict=True)}
