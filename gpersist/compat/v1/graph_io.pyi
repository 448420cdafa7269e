"""TensorFlow 1's `tf.graph_io`. Written by tests/compat/write_face.py."""

from gpersist.train.graph_io import (
    write_graph,
)

__all__ = [
    "write_graph",
]
