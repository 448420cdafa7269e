"""TensorFlow 1's `tf.sparse`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__ = [
    "SparseTensor",
    "placeholder",
    "segment_mean",
    "segment_sqrt_n",
    "segment_sum",
]

__getattr__, __dir__ = _lazily(
    __name__,
    "tf.sparse",
    "",
    {
        "gpersist.ops.math": "segment_mean=sparse_segment_mean segment_sqrt_n=sparse_segment_sqrt_n segment_sum=sparse_segment_sum",
        "gpersist.ops.sparse_tensor": "SparseTensor placeholder=sparse_placeholder",
    },
)
