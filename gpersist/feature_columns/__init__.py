"""Feature columns: descriptions of how features become tensors, and models made of them (`tf.feature_column`)."""

from gpersist.feature_columns.categorical import (
    categorical_column_with_hash_bucket,
    categorical_column_with_identity,
    weighted_categorical_column,
)
from gpersist.feature_columns.crossed import crossed_column
from gpersist.feature_columns.embedding import embedding_column, shared_embedding_columns
from gpersist.feature_columns.indicator import indicator_column
from gpersist.feature_columns.input_layer import input_layer
from gpersist.feature_columns.linear_model import linear_model
from gpersist.feature_columns.numeric import bucketized_column, numeric_column
from gpersist.feature_columns.parse_spec import make_parse_example_spec
from gpersist.feature_columns.sequence import (
    sequence_categorical_column_with_hash_bucket,
    sequence_categorical_column_with_identity,
    sequence_categorical_column_with_vocabulary_file,
    sequence_categorical_column_with_vocabulary_list,
    sequence_numeric_column,
)
from gpersist.feature_columns.sequence_input_layer import sequence_input_layer
from gpersist.feature_columns.vocabulary import categorical_column_with_vocabulary_file, categorical_column_with_vocabulary_list

__all__ = [
    "bucketized_column",
    "categorical_column_with_hash_bucket",
    "categorical_column_with_identity",
    "categorical_column_with_vocabulary_file",
    "categorical_column_with_vocabulary_list",
    "crossed_column",
    "embedding_column",
    "indicator_column",
    "input_layer",
    "linear_model",
    "make_parse_example_spec",
    "numeric_column",
    "sequence_categorical_column_with_hash_bucket",
    "sequence_categorical_column_with_identity",
    "sequence_categorical_column_with_vocabulary_file",
    "sequence_categorical_column_with_vocabulary_list",
    "sequence_input_layer",
    "sequence_numeric_column",
    "shared_embedding_columns",
    "weighted_categorical_column",
]
