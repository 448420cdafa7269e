"""TensorFlow 1's `tf.ragged`. Written by tests/compat/write_face.py."""

from gpersist.ops.ragged import (
    RaggedTensorValue,
    constant,
    constant_value,
    map_flat_values,
    placeholder,
    range,
    row_splits_to_segment_ids,
    segment_ids_to_row_splits,
)

__all__ = [
    "RaggedTensorValue",
    "constant",
    "constant_value",
    "map_flat_values",
    "placeholder",
    "range",
    "row_splits_to_segment_ids",
    "segment_ids_to_row_splits",
]
