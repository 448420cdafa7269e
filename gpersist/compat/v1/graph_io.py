"""TensorFlow 1's `tf.graph_io`. Written by tests/compat/write_face.py."""

from __future__ import annotations

from gpersist.compat.missing import missing
from gpersist.train.graph_io import (
    write_graph,
)

__getattr__ = missing("tf.graph_io")

__all__ = [
    "write_graph",
]
