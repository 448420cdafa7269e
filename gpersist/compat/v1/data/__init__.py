"""TensorFlow 1's `tf.data`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.data",
    "experimental",
    {
        "gpersist.ops.dataset_iterators": (
            "Iterator get_output_classes get_output_shapes get_output_types make_initializable_iterator make_one_shot_iterator"
        ),
        "gpersist.ops.dataset_options": "Options",
        "gpersist.ops.dataset_structure": "DatasetSpec",
        "gpersist.ops.datasets": "AUTOTUNE Dataset INFINITE_CARDINALITY UNKNOWN_CARDINALITY",
        "gpersist.ops.file_datasets": "FixedLengthRecordDataset TFRecordDataset TextLineDataset",
    },
)
