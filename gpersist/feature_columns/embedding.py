"""Columns of vectors that are learned for categories, in a table of their own or in one that columns share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gpersist.feature_columns.categorical import WeightedCategoricalColumn
from gpersist.feature_columns.column import CategoricalColumn, DenseColumn, IdWeightPair, SequenceDenseColumn, TensorSequenceLengthPair
from gpersist.feature_columns.features import Features
from gpersist.feature_columns.sequence_length import SequenceCategoricalColumn, check_no_sequence, check_sequence, sequence_length
from gpersist.graph import GraphKeys, Tensor, get_default_graph, name_scope
from gpersist.ops.embedding import embedding_lookup_sparse
from gpersist.ops.get_variable import get_variable
from gpersist.ops.initializers import truncated_normal_initializer
from gpersist.ops.partitioned_variable import PartitionedVariable
from gpersist.ops.safe_embedding import safe_embedding_lookup_sparse
from gpersist.shapes import TensorShape
from gpersist.train.checkpoint_utils import init_from_checkpoint


class _TableColumn(DenseColumn, SequenceDenseColumn):
    """A column that looks categories up in a table of vectors."""

    categorical_column: CategoricalColumn
    dimension: int
    combiner: str
    initializer: Callable[..., Any]
    ckpt_to_load_from: str | None
    tensor_name_in_ckpt: str | None
    max_norm: float | None
    trainable: bool
    use_safe_embedding_lookup: bool

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
        """The shape of a vector."""
        return TensorShape([self.dimension])

    def transform_feature(self, features: Features) -> Any:
        """The categories."""
        return features.get(self.categorical_column)

    def get_dense_tensor(self, features: Features, weight_collections: Any = None, trainable: bool = True) -> Tensor:
        """The vectors of an example's categories, combined.

        Raises:
            ValueError: the categories are those of a sequence.
        """
        check_no_sequence("embedding_column", self.name, self.categorical_column)
        return self._combined(features, weight_collections, trainable)[0]

    def get_sequence_dense_tensor(self, features: Features, weight_collections: Any = None, trainable: bool = True) -> TensorSequenceLengthPair:
        """The vectors for each place, combined.

        Raises:
            ValueError: the categories are not those of a sequence.
        """
        check_sequence("embedding_column", self.name, self.categorical_column)
        dense, ids = self._combined(features, weight_collections, trainable)
        return TensorSequenceLengthPair(dense, sequence_length(ids.id_tensor))

    def _combined(self, features: Features, weight_collections: Any, trainable: bool) -> tuple[Tensor, IdWeightPair]:
        ids = self.categorical_column.get_sparse_tensors(features)
        return self._looked_up(ids, self._table(weight_collections, trainable)), ids

    def _table(self, weight_collections: Any, trainable: bool) -> Any:
        raise NotImplementedError

    def _new_table(self, weight_collections: Any, trainable: bool) -> Any:
        return get_variable(
            "embedding_weights",
            shape=(self.categorical_column.num_buckets, self.dimension),
            dtype="float32",
            initializer=self.initializer,
            trainable=self.trainable and trainable,
            collections=weight_collections,
        )

    def _looked_up(self, ids: IdWeightPair, table: Any) -> Tensor:
        if self.ckpt_to_load_from is not None:
            to_restore = list(table) if isinstance(table, PartitionedVariable) else table
            init_from_checkpoint(self.ckpt_to_load_from, {self.tensor_name_in_ckpt: to_restore})
        name = f"{self.name}_weights"
        rank = ids.id_tensor.dense_shape.shape.as_list()[0]
        if not self.use_safe_embedding_lookup and rank is not None and rank <= 2:
            return embedding_lookup_sparse(table, *ids, partition_strategy="div", name=name, combiner=self.combiner, max_norm=self.max_norm)
        return safe_embedding_lookup_sparse(table, *ids, combiner=self.combiner, name=name, max_norm=self.max_norm)


class _Embedding(NamedTuple):
    categorical_column: CategoricalColumn
    dimension: int
    combiner: str
    initializer: Callable[..., Any]
    ckpt_to_load_from: str | None
    tensor_name_in_ckpt: str | None
    max_norm: float | None
    trainable: bool
    use_safe_embedding_lookup: bool


class EmbeddingColumn(_TableColumn, _Embedding):
    """Vectors that are learned for categories; see `embedding_column`."""

    @property
    def name(self) -> str:
        """That of the categories, and what was done."""
        return f"{self.categorical_column.name}_embedding"

    def _table(self, weight_collections: Any, trainable: bool) -> Any:
        if weight_collections and GraphKeys.GLOBAL_VARIABLES not in weight_collections:
            weight_collections = [*weight_collections, GraphKeys.GLOBAL_VARIABLES]
        return self._new_table(weight_collections, trainable)


class _SharedEmbedding(NamedTuple):
    categorical_column: CategoricalColumn
    dimension: int
    combiner: str
    initializer: Callable[..., Any]
    shared_embedding_collection_name: str
    ckpt_to_load_from: str | None
    tensor_name_in_ckpt: str | None
    max_norm: float | None
    trainable: bool
    use_safe_embedding_lookup: bool


class SharedEmbeddingColumn(_TableColumn, _SharedEmbedding):
    """Vectors that are learned for the categories of several columns; see `shared_embedding_columns`."""

    @property
    def name(self) -> str:
        """That of the categories, and what was done."""
        return f"{self.categorical_column.name}_shared_embedding"

    @property
    def variable_scope_name(self) -> str:
        """That of all columns which share the table."""
        return self.shared_embedding_collection_name

    def _combined(self, features: Features, weight_collections: Any, trainable: bool) -> tuple[Tensor, IdWeightPair]:
        with name_scope(None, self.name):
            return super()._combined(features, weight_collections, trainable)

    def _table(self, weight_collections: Any, trainable: bool) -> Any:
        """The table, which is the only one in the graph's collection of this name.

        Raises:
            ValueError: something else is in there.
        """
        collection, graph = self.shared_embedding_collection_name, get_default_graph()
        there = graph.get_collection(collection)
        if not there:
            table = self._new_table(weight_collections, trainable)
            graph.add_to_collection(collection, table)
            return table
        if len(there) > 1:
            raise ValueError(f"Collection {there} can only contain one variable: add none yourself, or give {collection!r} another name.")
        wanted = (self.categorical_column.num_buckets, self.dimension)
        if there[0].get_shape() != TensorShape(wanted):
            raise ValueError(
                f"Shared embedding collection {collection} contains variable {there[0].name} of unexpected shape {there[0].get_shape()}. Expected "
                f"shape is {wanted}: give the collection another name."
            )
        return there[0]


def embedding_column(
    categorical_column: CategoricalColumn,
    dimension: int,
    combiner: str = "mean",
    initializer: Callable[..., Any] | None = None,
    ckpt_to_load_from: str | None = None,
    tensor_name_in_ckpt: str | None = None,
    max_norm: float | None = None,
    trainable: bool = True,
    use_safe_embedding_lookup: bool = True,
) -> EmbeddingColumn:
    """A column of vectors that are learned for categories (`tf.feature_column.embedding_column`).

    Args:
        categorical_column: of the categories.
        dimension: of the vectors.
        combiner: of the vectors of one example: "mean", "sqrtn" or "sum".
        initializer: of the table; by default a normal distribution cut off, of deviation 1 / sqrt(dimension).
        ckpt_to_load_from: a checkpoint that has the table.
        tensor_name_in_ckpt: its name there.
        max_norm: vectors longer than this are made that long.
        trainable: whether the table is.
        use_safe_embedding_lookup: whether examples without categories, and categories below 0, get zeros.

    Raises:
        ValueError: no dimension, one of the checkpoint's arguments without the other, or an initializer that is no function.
    """
    _check(dimension, ckpt_to_load_from, tensor_name_in_ckpt)
    if initializer is not None and not callable(initializer):
        raise ValueError(f"initializer must be callable if specified. Embedding of column_name: {categorical_column.name}")
    return EmbeddingColumn(
        categorical_column,
        dimension,
        combiner,
        initializer or truncated_normal_initializer(mean=0.0, stddev=1 / math.sqrt(dimension)),
        ckpt_to_load_from,
        tensor_name_in_ckpt,
        max_norm,
        trainable,
        use_safe_embedding_lookup,
    )


def shared_embedding_columns(
    categorical_columns: Sequence[CategoricalColumn],
    dimension: int,
    combiner: str = "mean",
    initializer: Callable[..., Any] | None = None,
    shared_embedding_collection_name: str | None = None,
    ckpt_to_load_from: str | None = None,
    tensor_name_in_ckpt: str | None = None,
    max_norm: float | None = None,
    trainable: bool = True,
    use_safe_embedding_lookup: bool = True,
) -> list[SharedEmbeddingColumn]:
    """Columns of vectors from one table (`tf.feature_column.shared_embedding_columns`).

    Args:
        categorical_columns: of as many categories each, in the same way.
        dimension: see `embedding_column`, as others.
        combiner: of the vectors of one example.
        initializer: of the table.
        shared_embedding_collection_name: of the collection that the table is in; by default of the columns' names.
        ckpt_to_load_from: a checkpoint that has the table.
        tensor_name_in_ckpt: its name there.
        max_norm: vectors longer than this are made that long.
        trainable: whether the table is.
        use_safe_embedding_lookup: whether examples without categories, and categories below 0, get zeros.

    Raises:
        ValueError: as `embedding_column`; or columns that differ.
    """
    _check(dimension, ckpt_to_load_from, tensor_name_in_ckpt)
    if initializer is not None and not callable(initializer):
        raise ValueError("initializer must be callable if specified.")
    in_order = sorted(categorical_columns, key=lambda column: column.name)
    count = in_order[0].num_buckets
    if not isinstance(in_order[0], CategoricalColumn):
        raise ValueError(f"All categorical_columns must be columns of categories. Given: {in_order[0]}, of type: {type(in_order[0])}")
    first = _innermost(in_order[0])
    for column in map(_innermost, in_order[1:]):
        if not isinstance(column, type(first)):
            raise ValueError(
                "To use shared_embedding_column, all categorical_columns must have the same type, whether weighted or of sequences or not. Given "
                f"column: {first} of type: {type(first)} does not match given column: {column} of type: {type(column)}"
            )
        if column.num_buckets != count:
            raise ValueError(
                "To use shared_embedding_column, all categorical_columns must have the same number of buckets. Given "
                f"column: {first} with buckets: {count} does not match column: {column} with buckets: {column.num_buckets}"
            )
    collection = shared_embedding_collection_name or "_".join(column.name for column in in_order) + "_shared_embedding"
    made = initializer or truncated_normal_initializer(mean=0.0, stddev=1 / math.sqrt(dimension))
    last = (ckpt_to_load_from, tensor_name_in_ckpt, max_norm, trainable, use_safe_embedding_lookup)
    return [SharedEmbeddingColumn(column, dimension, combiner, made, collection, *last) for column in categorical_columns]


def _innermost(column: Any) -> Any:
    while isinstance(column, (WeightedCategoricalColumn, SequenceCategoricalColumn)):
        column = column.categorical_column
    return column


def _check(dimension: int | None, checkpoint: str | None, name: str | None) -> None:
    if dimension is None or dimension < 1:
        raise ValueError(f"Invalid dimension {dimension}.")
    if (checkpoint is None) != (name is None):
        raise ValueError("Must specify both `ckpt_to_load_from` and `tensor_name_in_ckpt` or none of them.")
