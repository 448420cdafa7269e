"""TensorFlow 1's `tf.nest`. Written by tests/compat/write_face.py."""

from gpersist.ops.nest import (
    assert_same_structure,
    flatten,
    is_nested,
    map_structure,
    pack_sequence_as,
)

__all__ = [
    "assert_same_structure",
    "flatten",
    "is_nested",
    "map_structure",
    "pack_sequence_as",
]
