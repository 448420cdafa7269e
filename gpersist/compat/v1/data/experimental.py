"""TensorFlow 1's `tf.data.experimental`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.data.experimental",
    "",
    {
        "gpersist.ops.csv_datasets": "CsvDataset",
        "gpersist.ops.dataset_experiments": (
            "AUTOTUNE Counter INFINITE_CARDINALITY RandomDataset UNKNOWN_CARDINALITY assert_cardinality "
            "bucket_by_sequence_length cardinality choose_from_datasets dense_to_ragged_batch "
            "dense_to_sparse_batch enumerate_dataset get_single_element get_structure group_by_reducer "
            "group_by_window ignore_errors map_and_batch map_and_batch_with_legacy_function parallel_interleave "
            "parse_example_dataset prefetch_to_device sample_from_datasets scan shuffle_and_repeat take_while "
            "unbatch unique"
        ),
        "gpersist.ops.dataset_grouping": "Reducer",
        "gpersist.ops.dataset_makers": "make_batched_features_dataset make_csv_dataset",
    },
)
