"""TensorFlow 1's `tf.ragged`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.ragged",
    "",
    {
        "gpersist.ops.ragged": (
            "RaggedTensorValue boolean_mask constant constant_value cross cross_hashed map_flat_values "
            "placeholder range row_splits_to_segment_ids segment_ids_to_row_splits stack stack_dynamic_partitions"
        ),
    },
)
