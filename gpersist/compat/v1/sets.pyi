"""TensorFlow 1's `tf.sets`. Written by tests/compat/write_face.py."""

from gpersist.ops.set_operations import (
    set_difference,
    set_intersection,
    set_size,
    set_union,
)
from gpersist.ops.set_operations import (
    set_difference as difference,
)
from gpersist.ops.set_operations import (
    set_intersection as intersection,
)
from gpersist.ops.set_operations import (
    set_size as size,
)
from gpersist.ops.set_operations import (
    set_union as union,
)

__all__ = [
    "difference",
    "intersection",
    "set_difference",
    "set_intersection",
    "set_size",
    "set_union",
    "size",
    "union",
]
