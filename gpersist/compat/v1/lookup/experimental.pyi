"""TensorFlow 1's `tf.lookup.experimental`. Written by tests/compat/write_face.py."""

from gpersist.train.hash_tables import (
    DenseHashTable,
    MutableHashTable,
)

__all__ = [
    "DenseHashTable",
    "MutableHashTable",
]
