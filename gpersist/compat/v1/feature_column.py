"""TensorFlow 1's `tf.feature_column`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.feature_column",
    "",
    {
        "gpersist.feature_columns": (
            "bucketized_column categorical_column_with_hash_bucket categorical_column_with_identity "
            "categorical_column_with_vocabulary_file categorical_column_with_vocabulary_list crossed_column "
            "embedding_column indicator_column input_layer linear_model make_parse_example_spec numeric_column "
            "sequence_categorical_column_with_hash_bucket sequence_categorical_column_with_identity "
            "sequence_categorical_column_with_vocabulary_file sequence_categorical_column_with_vocabulary_list "
            "sequence_numeric_column shared_embedding_columns weighted_categorical_column"
        ),
    },
)
