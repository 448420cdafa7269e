"""What feature columns are: descriptions, compared by value, of how features become tensors (`tf.feature_column`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from gpersist.dtypes import DType, as_dtype
from gpersist.feature_columns.features import Features
from gpersist.graph import Tensor
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.shapes import TensorShape

__all__: list[str] = []


class IdWeightPair(NamedTuple):
    """The numbers of categories, a `SparseTensor` [batch, any] of int64, and their weights, one of floats in the same places; None for 1."""

    id_tensor: SparseTensor
    weight_tensor: SparseTensor | None


class TensorSequenceLengthPair(NamedTuple):
    """Sequences, filled up to the longest [batch, length, ...], and how long each is: int64[batch]."""

    dense_tensor: Tensor
    sequence_length: Tensor


class FeatureColumn(ABC):
    """A description of how features become a tensor; the columns themselves are tuples of what was said of them."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called among columns: what it is made of, and how."""

    @property
    @abstractmethod
    def parse_example_spec(self) -> dict[str, Any]:
        """By key the features that `tf.parse_example` has to give for it."""

    @property
    @abstractmethod
    def parents(self) -> list[Any]:
        """Keys of features and columns that it is made of."""

    @property
    def variable_scope_name(self) -> str:
        """Of the scope that its variables are made in."""
        return self.name

    @abstractmethod
    def transform_feature(self, features: Features) -> Any:
        """Its feature, made of others; asked for once by `Features`."""

    def __lt__(self, other: Any) -> bool:
        return str(self) < str(other)

    def __gt__(self, other: Any) -> bool:
        return str(self) > str(other)


class DenseColumn(FeatureColumn):
    """A column that gives a dense tensor: what `input_layer` takes."""

    @property
    @abstractmethod
    def variable_shape(self) -> TensorShape:
        """The shape of an example's part."""

    @abstractmethod
    def get_dense_tensor(self, features: Features, weight_collections: Any = None, trainable: bool = True) -> Tensor:
        """The tensor [batch, ...]; its variables are made in the current variable scope, in these collections."""


class SequenceDenseColumn(FeatureColumn):
    """A column that gives dense tensors for each place in a sequence."""

    @property
    @abstractmethod
    def variable_shape(self) -> TensorShape:
        """The shape of an element's part."""

    @abstractmethod
    def get_sequence_dense_tensor(self, features: Features, weight_collections: Any = None, trainable: bool = True) -> TensorSequenceLengthPair:
        """The sequences and their lengths."""


class CategoricalColumn(FeatureColumn):
    """A column that gives numbers of categories: what embeddings, indicators and `linear_model` take."""

    @property
    @abstractmethod
    def num_buckets(self) -> int:
        """How many categories there are."""

    @abstractmethod
    def get_sparse_tensors(self, features: Features) -> IdWeightPair:
        """The categories' numbers."""


def normalized(feature_columns: Any) -> list[FeatureColumn]:
    """A list of columns, given as one or as some.

    Raises:
        ValueError: there are none, two are of one name, or something else is among them.
    """
    if isinstance(feature_columns, FeatureColumn):
        feature_columns = [feature_columns]
    if isinstance(feature_columns, Iterator):
        feature_columns = list(feature_columns)
    if isinstance(feature_columns, dict):
        raise ValueError("Expected feature_columns to be iterable, found dict.")
    by_name: dict[str, FeatureColumn] = {}
    for column in feature_columns:
        if not isinstance(column, FeatureColumn):
            raise ValueError(f"Items of feature_columns must be feature columns. Given (type {type(column)}): {column}.")
        if column.name in by_name:
            raise ValueError(
                f"Duplicate feature column name found for columns: {column} and {by_name[column.name]}. They are made of the same feature: leave "
                "one out, or give features a copy under another key."
            )
        by_name[column.name] = column
    if not by_name:
        raise ValueError("feature_columns must not be empty.")
    return list(by_name.values())


def check_batch_sizes(tensors: Iterable[Tensor], columns: list[Any]) -> None:
    """Holds that tensors may be of one batch.

    Raises:
        ValueError: they are not.
    """
    first: tuple[Any, int] | None = None
    for tensor, column in zip(tensors, columns, strict=True):
        shape = tensor.shape
        size = shape.as_list()[0] if shape.rank else None
        if size is None:
            continue
        if first is None:
            first = (column, size)
        elif size != first[1]:
            raise ValueError(
                f"Batch size (first dimension) of each feature must be same. Batch size of columns ({first[0].name}, {column.name}): "
                f"({first[1]}, {size})"
            )


def checked_key(key: Any) -> str:
    """A feature's key.

    Raises:
        ValueError: it is no text.
    """
    if not isinstance(key, str):
        raise ValueError(f"key must be a string. Got: type {type(key)}. Given key: {key}.")
    return key


def checked_number_type(dtype: Any, key: str) -> DType:
    """A type of numbers.

    Raises:
        ValueError: it is another.
    """
    found = as_dtype(dtype)
    if not (found.is_integer or found.is_floating):
        raise ValueError(f"dtype must be convertible to float. dtype: {found}, key: {key}")
    return found


def check_category_type(dtype: DType, what: str) -> None:
    """Holds that a type can be that of categories.

    Raises:
        ValueError: it is neither text nor integers.
    """
    if not (dtype.is_string or dtype.is_integer):
        raise ValueError(f"{what} dtype must be string or integer. dtype: {dtype}.")


def check_same_kind(key: str, dtype: DType, given: DType) -> None:
    """Holds that a feature's categories are text, or integers, as the column says.

    Raises:
        ValueError: they are not.
    """
    if dtype.is_integer != given.is_integer:
        raise ValueError(f"Column dtype and SparseTensors dtype must be compatible. key: {key}, column dtype: {dtype}, tensor dtype: {given}")
