"""Columns of categories by number, by hash, and with weights."""

from __future__ import annotations

from typing import Any, NamedTuple

from gpersist.dtypes import DType, as_dtype
from gpersist.feature_columns.column import CategoricalColumn, IdWeightPair, check_category_type, check_same_kind, checked_key
from gpersist.feature_columns.features import Features, to_sparse
from gpersist.ops.casting import cast
from gpersist.ops.choosing import where_v2
from gpersist.ops.comparison import logical_or
from gpersist.ops.filling import fill
from gpersist.ops.hashing import string_to_hash_bucket_fast
from gpersist.ops.parsing import VarLenFeature
from gpersist.ops.shaping import shape_of
from gpersist.ops.sparse_tensor import SparseTensor, convert_to_tensor_or_sparse_tensor
from gpersist.ops.strings import as_string


class OneFeatureColumn(CategoricalColumn):
    """A column of the categories that one feature tells."""

    key: str

    @property
    def name(self) -> str:
        """The feature's key."""
        return self.key

    @property
    def parents(self) -> list[Any]:
        """The feature's key."""
        return [self.key]

    def get_sparse_tensors(self, features: Features) -> IdWeightPair:
        """The categories' numbers, without weights."""
        return IdWeightPair(features.get(self), None)


class _Identity(NamedTuple):
    key: str
    number_buckets: int
    default_value: int | None


class IdentityCategoricalColumn(OneFeatureColumn, _Identity):
    """Numbers of categories as they are; see `categorical_column_with_identity`."""

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """Its feature."""
        return {self.key: VarLenFeature(as_dtype("int64"))}

    @property
    def num_buckets(self) -> int:
        """How many categories there are."""
        return self.number_buckets

    def transform_feature(self, features: Features) -> SparseTensor:
        """The numbers; where there is a default, those out of range become it."""
        tensor = to_sparse(features.get(self.key))
        if not tensor.dtype.is_integer:
            raise ValueError(f"Invalid input, not integer. key: {self.key} dtype: {tensor.dtype}")
        values = tensor.values if tensor.dtype.name == "int64" else cast(tensor.values, "int64", name="values")
        if self.default_value is not None:
            values = cast(tensor.values, "int64", name="values")
            count = cast(self.num_buckets, "int64", name="num_buckets")
            zero = cast(0, "int64", name="zero")
            is_out = logical_or(values < zero, values >= count, name="out_of_range")
            values = where_v2(is_out, fill(shape_of(values), cast(self.default_value, "int64"), name="default_values"), values)
        return SparseTensor(tensor.indices, values, tensor.dense_shape)


class _Hashed(NamedTuple):
    key: str
    hash_bucket_size: int
    dtype: DType


class HashedCategoricalColumn(OneFeatureColumn, _Hashed):
    """Categories by their hash; see `categorical_column_with_hash_bucket`."""

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """Its feature."""
        return {self.key: VarLenFeature(self.dtype)}

    @property
    def num_buckets(self) -> int:
        """How many hashes there are."""
        return self.hash_bucket_size

    def transform_feature(self, features: Features) -> SparseTensor:
        """The hashes."""
        tensor = to_sparse(features.get(self.key))
        check_category_type(tensor.dtype, f"column_name: {self.key} input_tensor")
        check_same_kind(self.key, self.dtype, tensor.dtype)
        words = tensor.values if self.dtype.is_string else as_string(tensor.values)
        return SparseTensor(tensor.indices, string_to_hash_bucket_fast(words, self.hash_bucket_size, name="lookup"), tensor.dense_shape)


class _Weighted(NamedTuple):
    categorical_column: CategoricalColumn
    weight_feature_key: str
    dtype: DType


class WeightedCategoricalColumn(CategoricalColumn, _Weighted):
    """Categories with weights; see `weighted_categorical_column`."""

    @property
    def name(self) -> str:
        """That of the categories, and by what they are weighted."""
        return f"{self.categorical_column.name}_weighted_by_{self.weight_feature_key}"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """That of the categories, and the weights."""
        found = self.categorical_column.parse_example_spec
        if self.weight_feature_key in found:
            raise ValueError(f"Parse config {found[self.weight_feature_key]} already exists for {self.weight_feature_key}.")
        return {**found, self.weight_feature_key: VarLenFeature(self.dtype)}

    @property
    def parents(self) -> list[Any]:
        """The column of the categories, and the key of the weights."""
        return [self.categorical_column, self.weight_feature_key]

    @property
    def num_buckets(self) -> int:
        """How many categories there are."""
        return self.categorical_column.num_buckets

    def transform_feature(self, features: Features) -> tuple[SparseTensor, SparseTensor]:
        """The categories' numbers, and the weights as floats."""
        weights = convert_to_tensor_or_sparse_tensor(features.get(self.weight_feature_key))
        if weights.dtype.base_dtype is not self.dtype:
            raise ValueError(f"Bad dtype, expected {self.dtype}, but got {weights.dtype}.")
        if not isinstance(weights, SparseTensor):
            weights = to_sparse(weights, ignored=0.0)
        if not weights.dtype.is_floating:
            weights = cast(weights, "float32")
        return features.get(self.categorical_column), weights

    def get_sparse_tensors(self, features: Features) -> IdWeightPair:
        """The categories' numbers and their weights."""
        return IdWeightPair(*features.get(self))


def categorical_column_with_identity(key: str, num_buckets: int, default_value: int | None = None) -> IdentityCategoricalColumn:
    """A column of numbers that are those of categories already (`tf.feature_column.categorical_column_with_identity`).

    Args:
        key: of the feature, of integers; -1 in a dense one is none.
        num_buckets: how many categories there are: numbers are below.
        default_value: what numbers out of range become; without one they are an error where they are looked up.

    Raises:
        ValueError: no categories, or a default that is none of them.
    """
    if num_buckets < 1:
        raise ValueError(f"num_buckets {num_buckets} < 1, column_name {key}")
    if default_value is not None and not 0 <= default_value < num_buckets:
        raise ValueError(f"default_value {default_value} not in range [0, {num_buckets}), column_name {key}")
    return IdentityCategoricalColumn(checked_key(key), num_buckets, default_value)


def categorical_column_with_hash_bucket(key: str, hash_bucket_size: int, dtype: Any = "string") -> HashedCategoricalColumn:
    """A column of hashes of words or numbers (`tf.feature_column.categorical_column_with_hash_bucket`).

    Args:
        key: of the feature; "" or -1 in a dense one is none.
        hash_bucket_size: how many hashes there are.
        dtype: of the feature: text or integers.

    Raises:
        ValueError: no hashes, or another type.
    """
    if hash_bucket_size is None:
        raise ValueError(f"hash_bucket_size must be set. key: {key}")
    if hash_bucket_size < 1:
        raise ValueError(f"hash_bucket_size must be at least 1. hash_bucket_size: {hash_bucket_size}, key: {key}")
    checked_key(key)
    found = as_dtype(dtype)
    check_category_type(found, f"column_name: {key}")
    return HashedCategoricalColumn(key, hash_bucket_size, found)


def weighted_categorical_column(categorical_column: CategoricalColumn, weight_feature_key: str, dtype: Any = "float32") -> WeightedCategoricalColumn:
    """A column of categories with weights (`tf.feature_column.weighted_categorical_column`).

    Args:
        categorical_column: of the categories.
        weight_feature_key: of the feature with the weights, in the same places.
        dtype: of the weights.

    Raises:
        ValueError: a type that is none of numbers.
    """
    found = None if dtype is None else as_dtype(dtype)
    if found is None or not (found.is_integer or found.is_floating):
        raise ValueError(f"dtype {found} is not convertible to float.")
    return WeightedCategoricalColumn(categorical_column, weight_feature_key, found)
