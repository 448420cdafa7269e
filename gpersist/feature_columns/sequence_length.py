"""How long sequences are, and which columns may be sequences."""

from __future__ import annotations

from typing import Any, NamedTuple

from gpersist.feature_columns.column import CategoricalColumn, IdWeightPair
from gpersist.feature_columns.features import Features
from gpersist.graph import Tensor, name_scope
from gpersist.ops.casting import cast
from gpersist.ops.filling import ones_like, zeros
from gpersist.ops.joining import concat
from gpersist.ops.math import ceil, segment_max
from gpersist.ops.reductions import reduce_prod
from gpersist.ops.shaping import shape_of
from gpersist.ops.sparse_arranging import sparse_reshape
from gpersist.ops.sparse_tensor import SparseTensor


class _Sequence(NamedTuple):
    categorical_column: CategoricalColumn


class SequenceCategoricalColumn(CategoricalColumn, _Sequence):
    """A column of categories for each place of a sequence; see `sequence_categorical_column_with_identity`."""

    @property
    def name(self) -> str:
        """That of the categories."""
        return self.categorical_column.name

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """That of the categories."""
        return self.categorical_column.parse_example_spec

    @property
    def parents(self) -> list[Any]:
        """The column of the categories."""
        return [self.categorical_column]

    @property
    def num_buckets(self) -> int:
        """How many categories there are."""
        return self.categorical_column.num_buckets

    def transform_feature(self, features: Features) -> Any:
        """What the column of the categories makes of them."""
        return self.categorical_column.transform_feature(features)

    def get_sparse_tensors(self, features: Features) -> IdWeightPair:
        """The categories' numbers [batch, length, any]."""
        ids, weights = self.categorical_column.get_sparse_tensors(features)
        shape = shape_of(ids)
        target = [shape[0], shape[1], reduce_prod(shape[2:])]
        return IdWeightPair(sparse_reshape(ids, target), None if weights is None else sparse_reshape(weights, target))


def sequence_length(sequences: SparseTensor, num_elements: int = 1) -> Tensor:
    """How long each row's sequence is: int64[batch]. `num_elements` values are one element."""
    with name_scope(None, "sequence_length") as scope:
        rows, places = sequences.indices[:, 0], sequences.indices[:, 1]
        places = places + ones_like(places)
        lengths = cast(ceil(segment_max(places, segment_ids=rows) / num_elements), "int64")
        missing = shape_of(sequences)[:1] - shape_of(lengths)[:1]
        return concat([lengths, zeros(missing, dtype=lengths.dtype)], 0, name=scope)


def check_no_sequence(kind: str, name: str, column: CategoricalColumn) -> None:
    """Holds that a column is none of sequences.

    Raises:
        ValueError: it is.
    """
    if isinstance(column, SequenceCategoricalColumn):
        raise ValueError(
            f"In {kind}: {name}. categorical_column must not be of type SequenceCategoricalColumn in an input_layer: use a categorical_column_with_* "
            f"that is none of sequences. Given (type {type(column)}): {column}"
        )


def check_sequence(kind: str, name: str, column: CategoricalColumn) -> None:
    """Holds that a column is one of sequences.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(column, SequenceCategoricalColumn):
        raise ValueError(
            f"In {kind}: {name}. categorical_column must be of type SequenceCategoricalColumn: use a sequence_categorical_column_with_*. "
            f"Given (type {type(column)}): {column}"
        )
