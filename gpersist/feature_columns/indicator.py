"""Columns of vectors with a 1, or a weight, for each category that an example has."""

from __future__ import annotations

from typing import Any, NamedTuple

from gpersist.feature_columns.column import CategoricalColumn, DenseColumn, SequenceDenseColumn, TensorSequenceLengthPair
from gpersist.feature_columns.features import Features
from gpersist.feature_columns.sequence_length import check_no_sequence, check_sequence, sequence_length
from gpersist.graph import Tensor, apply
from gpersist.ops.gathering import one_hot
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.sparse_arranging import sparse_slice
from gpersist.ops.sparse_conversions import sparse_merge, sparse_tensor_to_dense
from gpersist.shapes import TensorShape


class _Indicator(NamedTuple):
    categorical_column: CategoricalColumn


class IndicatorColumn(DenseColumn, SequenceDenseColumn, _Indicator):
    """Which categories an example has; see `indicator_column`."""

    @property
    def name(self) -> str:
        """That of the categories, and what was done."""
        return f"{self.categorical_column.name}_indicator"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """That of the categories."""
        return self.categorical_column.parse_example_spec

    @property
    def parents(self) -> list[Any]:
        """The column of the categories."""
        return [self.categorical_column]

    @property
    def variable_shape(self) -> TensorShape:
        """A vector of the categories."""
        return TensorShape([1, self.categorical_column.num_buckets])

    def transform_feature(self, features: Features) -> Tensor:
        """How often, or with which weight, an example has each category."""
        ids, weights = self.categorical_column.get_sparse_tensors(features)
        depth = self.categorical_column.num_buckets
        if weights is not None:
            merged = sparse_merge(ids, weights, vocab_size=depth)
            merged = sparse_slice(merged, [0, 0], merged.dense_shape)
            return apply("ScatterNd", merged.indices, merged.values, merged.dense_shape)
        dense = sparse_tensor_to_dense(ids, default_value=-1)
        return reduce_sum(one_hot(dense, depth, on_value=1.0, off_value=0.0), axis=[-2])

    def get_dense_tensor(self, features: Features, weight_collections: Any = None, trainable: bool = True) -> Tensor:
        """The vectors.

        Raises:
            ValueError: the categories are those of a sequence.
        """
        check_no_sequence("indicator_column", self.name, self.categorical_column)
        return features.get(self)  # type: ignore[no-any-return]

    def get_sequence_dense_tensor(self, features: Features, weight_collections: Any = None, trainable: bool = True) -> TensorSequenceLengthPair:
        """The vectors for each place.

        Raises:
            ValueError: the categories are not those of a sequence.
        """
        check_sequence("indicator_column", self.name, self.categorical_column)
        dense = features.get(self)
        return TensorSequenceLengthPair(dense, sequence_length(self.categorical_column.get_sparse_tensors(features).id_tensor))


def indicator_column(categorical_column: CategoricalColumn) -> IndicatorColumn:
    """A column of vectors with a 1, or a weight, for each category that an example has (`tf.feature_column.indicator_column`).

    Raises:
        ValueError: another column.
    """
    if not isinstance(categorical_column, CategoricalColumn):
        raise ValueError(f"Unsupported input type. Input must be a column of categories. Given: {categorical_column}")
    return IndicatorColumn(categorical_column)
