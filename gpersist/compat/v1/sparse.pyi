"""TensorFlow 1's `tf.sparse`. Written by tests/compat/write_face.py."""

from gpersist.ops.math import (
    sparse_segment_mean as segment_mean,
)
from gpersist.ops.math import (
    sparse_segment_sqrt_n as segment_sqrt_n,
)
from gpersist.ops.math import (
    sparse_segment_sum as segment_sum,
)
from gpersist.ops.sparse_tensor import (
    SparseTensor,
)
from gpersist.ops.sparse_tensor import (
    sparse_placeholder as placeholder,
)

__all__ = [
    "SparseTensor",
    "placeholder",
    "segment_mean",
    "segment_sqrt_n",
    "segment_sum",
]
