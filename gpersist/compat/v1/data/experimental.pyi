"""TensorFlow 1's `tf.data.experimental`. Written by tests/compat/write_face.py."""

from gpersist.ops.dataset_experiments import (
    map_and_batch,
    shuffle_and_repeat,
    unbatch,
)
from gpersist.ops.datasets import (
    AUTOTUNE,
)

__all__ = [
    "AUTOTUNE",
    "map_and_batch",
    "shuffle_and_repeat",
    "unbatch",
]
