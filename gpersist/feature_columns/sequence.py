"""Columns of sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gpersist.dtypes import DType
from gpersist.feature_columns.categorical import categorical_column_with_hash_bucket, categorical_column_with_identity
from gpersist.feature_columns.column import SequenceDenseColumn, TensorSequenceLengthPair, checked_number_type
from gpersist.feature_columns.features import Features
from gpersist.feature_columns.numeric import checked_shape
from gpersist.feature_columns.sequence_length import SequenceCategoricalColumn, sequence_length
from gpersist.feature_columns.vocabulary import categorical_column_with_vocabulary_file, categorical_column_with_vocabulary_list
from gpersist.ops.joining import concat
from gpersist.ops.parsing import VarLenFeature
from gpersist.ops.shaping import reshape, shape_of
from gpersist.ops.sparse_conversions import sparse_tensor_to_dense
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.shapes import TensorShape


class _SequenceNumeric(NamedTuple):
    key: str
    shape: tuple[int, ...]
    default_value: float
    dtype: DType
    normalizer_fn: Callable[[Any], Any] | None


class SequenceNumericColumn(SequenceDenseColumn, _SequenceNumeric):
    """Sequences of numbers; see `sequence_numeric_column`."""

    @property
    def name(self) -> str:
        """The feature's key."""
        return self.key

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """Its feature."""
        return {self.key: VarLenFeature(self.dtype)}

    @property
    def parents(self) -> list[Any]:
        """The feature's key."""
        return [self.key]

    @property
    def variable_shape(self) -> TensorShape:
        """The shape of an element's numbers."""
        return TensorShape(self.shape)

    def transform_feature(self, features: Features) -> SparseTensor:
        """The numbers, normalised."""
        tensor = features.get(self.key)
        return tensor if self.normalizer_fn is None else self.normalizer_fn(tensor)  # type: ignore[no-any-return]

    def get_sequence_dense_tensor(self, features: Features, weight_collections: Any = None, trainable: bool = True) -> TensorSequenceLengthPair:
        """The numbers for each place."""
        sequences = features.get(self)
        dense = sparse_tensor_to_dense(sequences, default_value=self.default_value)
        shape = concat([shape_of(dense)[:1], [-1], list(self.shape)], 0)
        count = self.variable_shape.num_elements() or 1
        return TensorSequenceLengthPair(reshape(dense, shape), sequence_length(sequences, count if sequences.shape.rank == 2 else 1))


def sequence_numeric_column(
    key: str, shape: Any = (1,), default_value: float = 0.0, dtype: Any = "float32", normalizer_fn: Callable[[Any], Any] | None = None
) -> SequenceNumericColumn:
    """A column of sequences of numbers (`tf.feature_column.sequence_numeric_column`).

    Args:
        key: of the feature.
        shape: of an element's numbers.
        default_value: what stands after a sequence's end.
        dtype: of the feature.
        normalizer_fn: is applied to the sparse tensor.

    Raises:
        TypeError: the shape is of another type, or `normalizer_fn` no function.
        ValueError: a dimension below 1, or a type that is none of numbers.
    """
    found_shape = checked_shape(shape, key)
    found_dtype = checked_number_type(dtype, key)
    if normalizer_fn is not None and not callable(normalizer_fn):
        raise TypeError(f"normalizer_fn must be a callable. Given: {normalizer_fn}")
    return SequenceNumericColumn(key, found_shape, default_value, found_dtype, normalizer_fn)


def sequence_categorical_column_with_identity(key: str, num_buckets: int, default_value: int | None = None) -> SequenceCategoricalColumn:
    """`categorical_column_with_identity` for each place of a sequence (`tf.feature_column.sequence_categorical_column_with_identity`).

    Arguments are the same.
    """
    return SequenceCategoricalColumn(categorical_column_with_identity(key, num_buckets, default_value))


def sequence_categorical_column_with_hash_bucket(key: str, hash_bucket_size: int, dtype: Any = "string") -> SequenceCategoricalColumn:
    """`categorical_column_with_hash_bucket` for each place of a sequence (`tf.feature_column.sequence_categorical_column_with_hash_bucket`).

    Arguments are the same.
    """
    return SequenceCategoricalColumn(categorical_column_with_hash_bucket(key, hash_bucket_size, dtype))


def sequence_categorical_column_with_vocabulary_file(
    key: str,
    vocabulary_file: str,
    vocabulary_size: int | None = None,
    num_oov_buckets: int = 0,
    default_value: int | None = None,
    dtype: Any = "string",
) -> SequenceCategoricalColumn:
    """`categorical_column_with_vocabulary_file` for each place of a sequence (`tf.feature_column`).

    Arguments are the same.
    """
    return SequenceCategoricalColumn(
        categorical_column_with_vocabulary_file(key, vocabulary_file, vocabulary_size, num_oov_buckets, default_value, dtype)
    )


def sequence_categorical_column_with_vocabulary_list(
    key: str, vocabulary_list: Sequence[Any], dtype: Any = None, default_value: int = -1, num_oov_buckets: int = 0
) -> SequenceCategoricalColumn:
    """`categorical_column_with_vocabulary_list` for each place of a sequence (`tf.feature_column`).

    Arguments are the same.
    """
    return SequenceCategoricalColumn(categorical_column_with_vocabulary_list(key, vocabulary_list, dtype, default_value, num_oov_buckets))
