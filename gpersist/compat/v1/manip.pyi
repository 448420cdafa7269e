"""TensorFlow 1's `tf.manip`. Written by tests/compat/write_face.py."""

from gpersist.ops.arranging import (
    reverse,
    roll,
    tile,
)
from gpersist.ops.array import (
    batch_to_space_nd,
    gather_nd,
    reshape,
    scatter_nd,
    space_to_batch_nd,
)

__all__ = [
    "batch_to_space_nd",
    "gather_nd",
    "reshape",
    "reverse",
    "roll",
    "scatter_nd",
    "space_to_batch_nd",
    "tile",
]
