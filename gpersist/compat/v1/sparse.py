"""TensorFlow 1's `tf.sparse`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.sparse",
    "",
    {
        "gpersist.ops.accumulators": "SparseConditionalAccumulator",
        "gpersist.ops.math": "segment_mean=sparse_segment_mean segment_sqrt_n=sparse_segment_sqrt_n segment_sum=sparse_segment_sum",
        "gpersist.ops.sparse_arithmetic": (
            "add=sparse_add matmul=sparse_tensor_dense_matmul maximum=sparse_maximum minimum=sparse_minimum "
            "reduce_max=sparse_reduce_max reduce_max_sparse=sparse_reduce_max_sparse reduce_sum=sparse_reduce_sum "
            "reduce_sum_sparse=sparse_reduce_sum_sparse softmax=sparse_softmax "
            "sparse_dense_matmul=sparse_tensor_dense_matmul"
        ),
        "gpersist.ops.sparse_arranging": (
            "concat=sparse_concat expand_dims=sparse_expand_dims fill_empty_rows=sparse_fill_empty_rows "
            "reorder=sparse_reorder reset_shape=sparse_reset_shape reshape=sparse_reshape retain=sparse_retain "
            "slice=sparse_slice split=sparse_split transpose=sparse_transpose"
        ),
        "gpersist.ops.sparse_conversions": (
            "eye=sparse_eye from_dense mask=sparse_mask merge=sparse_merge to_dense=sparse_tensor_to_dense to_indicator=sparse_to_indicator"
        ),
        "gpersist.ops.sparse_counts": "bincount=sparse_bincount",
        "gpersist.ops.sparse_crossing": "cross=sparse_cross cross_hashed=sparse_cross_hashed",
        "gpersist.ops.sparse_tensor": "SparseTensor placeholder=sparse_placeholder",
    },
)
