"""TensorFlow 1's `Saver`, in a session, as programs use it."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from benchmarks.contenders.contender import Action, Contender
from benchmarks.stopwatch import Stopwatch
from benchmarks.workloads import Array, Workload

v1 = tf.compat.v1

_MAX_VARIABLES = 10_000


class Saver(Contender):
    """`Saver.save` with its MetaGraph, and `Saver.restore` into the session's variables; making graph and session is not measured."""

    version = f"tensorflow {tf.__version__}"

    def __init__(self, workload: Workload, folder: Path) -> None:
        super().__init__(workload, folder)
        if len(workload.shapes) > _MAX_VARIABLES:
            raise ImportError(f"a graph of {len(workload.shapes):,} variables takes TensorFlow minutes to make")
        v1.disable_eager_execution()
        self.variables, feeds = {}, {}
        for name, array in workload.make().items():
            value = v1.placeholder(tf.float32, array.shape)
            self.variables[name] = v1.get_variable(name, initializer=value, use_resource=True)
            feeds[value] = array
        self.session = v1.Session()
        self.session.run([variable.initializer for variable in self.variables.values()], feeds)
        self.saver = v1.train.Saver(max_to_keep=None)

    def actions(self) -> dict[str, dict[str, Action]]:
        return {"save": {"save": self.save}, "load": {"load": self.load}}

    def store(self, folder: Path) -> None:
        self.saver.save(self.session, str(folder / "model"))

    def save(self, stopwatch: Stopwatch) -> None:
        with self.fresh_folder() as folder, stopwatch:
            self.store(folder)

    def load(self, stopwatch: Stopwatch) -> dict[str, Array]:
        prefix = str(self.stored / "model")
        with stopwatch:
            self.saver.restore(self.session, prefix)
        fetched: dict[str, Array] = self.session.run(self.variables)
        return fetched
