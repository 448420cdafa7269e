"""TensorFlow 1's `tf.sparse`. Written by tests/compat/write_face.py."""

from gpersist.ops.accumulators import (
    SparseConditionalAccumulator,
)
from gpersist.ops.math import (
    sparse_segment_mean as segment_mean,
)
from gpersist.ops.math import (
    sparse_segment_sqrt_n as segment_sqrt_n,
)
from gpersist.ops.math import (
    sparse_segment_sum as segment_sum,
)
from gpersist.ops.sparse_arithmetic import (
    sparse_add as add,
)
from gpersist.ops.sparse_arithmetic import (
    sparse_maximum as maximum,
)
from gpersist.ops.sparse_arithmetic import (
    sparse_minimum as minimum,
)
from gpersist.ops.sparse_arithmetic import (
    sparse_reduce_max as reduce_max,
)
from gpersist.ops.sparse_arithmetic import (
    sparse_reduce_max_sparse as reduce_max_sparse,
)
from gpersist.ops.sparse_arithmetic import (
    sparse_reduce_sum as reduce_sum,
)
from gpersist.ops.sparse_arithmetic import (
    sparse_reduce_sum_sparse as reduce_sum_sparse,
)
from gpersist.ops.sparse_arithmetic import (
    sparse_softmax as softmax,
)
from gpersist.ops.sparse_arithmetic import (
    sparse_tensor_dense_matmul as matmul,
)
from gpersist.ops.sparse_arithmetic import (
    sparse_tensor_dense_matmul as sparse_dense_matmul,
)
from gpersist.ops.sparse_arranging import (
    sparse_concat as concat,
)
from gpersist.ops.sparse_arranging import (
    sparse_expand_dims as expand_dims,
)
from gpersist.ops.sparse_arranging import (
    sparse_fill_empty_rows as fill_empty_rows,
)
from gpersist.ops.sparse_arranging import (
    sparse_reorder as reorder,
)
from gpersist.ops.sparse_arranging import (
    sparse_reset_shape as reset_shape,
)
from gpersist.ops.sparse_arranging import (
    sparse_reshape as reshape,
)
from gpersist.ops.sparse_arranging import (
    sparse_retain as retain,
)
from gpersist.ops.sparse_arranging import (
    sparse_slice as slice,
)
from gpersist.ops.sparse_arranging import (
    sparse_split as split,
)
from gpersist.ops.sparse_arranging import (
    sparse_transpose as transpose,
)
from gpersist.ops.sparse_conversions import (
    from_dense,
)
from gpersist.ops.sparse_conversions import (
    sparse_eye as eye,
)
from gpersist.ops.sparse_conversions import (
    sparse_mask as mask,
)
from gpersist.ops.sparse_conversions import (
    sparse_merge as merge,
)
from gpersist.ops.sparse_conversions import (
    sparse_tensor_to_dense as to_dense,
)
from gpersist.ops.sparse_conversions import (
    sparse_to_indicator as to_indicator,
)
from gpersist.ops.sparse_counts import (
    sparse_bincount as bincount,
)
from gpersist.ops.sparse_crossing import (
    sparse_cross as cross,
)
from gpersist.ops.sparse_crossing import (
    sparse_cross_hashed as cross_hashed,
)
from gpersist.ops.sparse_tensor import (
    SparseTensor,
)
from gpersist.ops.sparse_tensor import (
    sparse_placeholder as placeholder,
)

__all__ = [
    "SparseConditionalAccumulator",
    "SparseTensor",
    "add",
    "bincount",
    "concat",
    "cross",
    "cross_hashed",
    "expand_dims",
    "eye",
    "fill_empty_rows",
    "from_dense",
    "mask",
    "matmul",
    "maximum",
    "merge",
    "minimum",
    "placeholder",
    "reduce_max",
    "reduce_max_sparse",
    "reduce_sum",
    "reduce_sum_sparse",
    "reorder",
    "reset_shape",
    "reshape",
    "retain",
    "segment_mean",
    "segment_sqrt_n",
    "segment_sum",
    "slice",
    "softmax",
    "sparse_dense_matmul",
    "split",
    "to_dense",
    "to_indicator",
    "transpose",
]
