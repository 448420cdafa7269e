"""Columns of numbers, and of the buckets that numbers fall into."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from gpersist.dtypes import DType
from gpersist.feature_columns.column import CategoricalColumn, DenseColumn, IdWeightPair, checked_key, checked_number_type
from gpersist.feature_columns.features import Features
from gpersist.graph import Tensor, apply
from gpersist.ops.arranging import tile, transpose
from gpersist.ops.casting import cast
from gpersist.ops.gathering import one_hot
from gpersist.ops.joining import stack
from gpersist.ops.parsing import FixedLenFeature
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import expand_dims, reshape, shape_of
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.shapes import TensorShape

__all__: list[str] = []


class _Numeric(NamedTuple):
    key: str
    shape: tuple[int, ...]
    default_value: Any
    dtype: DType
    normalizer_fn: Callable[[Any], Any] | None


class NumericColumn(DenseColumn, _Numeric):
    """Numbers as they are; see `numeric_column`."""

    @property
    def name(self) -> str:
        """The feature's key."""
        return self.key

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """Its feature."""
        return {self.key: FixedLenFeature(self.shape, self.dtype, self.default_value)}

    @property
    def parents(self) -> list[Any]:
        """The feature's key."""
        return [self.key]

    @property
    def variable_shape(self) -> TensorShape:
        """The shape of an example's numbers."""
        return TensorShape(self.shape)

    def transform_feature(self, features: Features) -> Tensor:
        """The numbers, normalised, as float32."""
        tensor = features.get(self.key)
        if isinstance(tensor, SparseTensor):
            raise ValueError(f"The corresponding Tensor of numerical column must be a Tensor. SparseTensor is not supported. key: {self.key}")
        return cast(tensor if self.normalizer_fn is None else self.normalizer_fn(tensor), "float32")

    def get_dense_tensor(self, features: Features, weight_collections: Any = None, trainable: bool = True) -> Tensor:
        """The numbers."""
        return features.get(self)  # type: ignore[no-any-return]


class _Bucketized(NamedTuple):
    source_column: NumericColumn
    boundaries: tuple[float, ...]


class BucketizedColumn(DenseColumn, CategoricalColumn, _Bucketized):
    """Which bucket each number falls into; see `bucketized_column`."""

    @property
    def name(self) -> str:
        """That of the numbers, and what was done."""
        return f"{self.source_column.name}_bucketized"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """That of the numbers."""
        return self.source_column.parse_example_spec

    @property
    def parents(self) -> list[Any]:
        """The column of the numbers."""
        return [self.source_column]

    @property
    def variable_shape(self) -> TensorShape:
        """For each number a vector with a 1 for its bucket."""
        return TensorShape((*self.source_column.shape, len(self.boundaries) + 1))

    @property
    def num_buckets(self) -> int:
        """The buckets of all of an example's numbers."""
        return (len(self.boundaries) + 1) * self.source_column.shape[0]

    def transform_feature(self, features: Features) -> Tensor:
        """The buckets' numbers: int32."""
        return apply("Bucketize", features.get(self.source_column), boundaries=list(map(float, self.boundaries)))

    def get_dense_tensor(self, features: Features, weight_collections: Any = None, trainable: bool = True) -> Tensor:
        """For each number a vector with a 1 for its bucket."""
        return one_hot(cast(features.get(self), "int64"), len(self.boundaries) + 1, on_value=1.0, off_value=0.0)

    def get_sparse_tensors(self, features: Features) -> IdWeightPair:
        """Each number's bucket, those of the second number after those of the first."""
        buckets = features.get(self)
        batch_size = shape_of(buckets)[0]
        size = self.source_column.shape[0]
        rows = reshape(tile(expand_dims(number_range(0, batch_size), 1), [1, size]), (-1,))
        places = tile(number_range(0, size), [batch_size])
        numbers = reshape(buckets, (-1,)) + (len(self.boundaries) + 1) * places
        indices = cast(transpose(stack((rows, places))), "int64")
        return IdWeightPair(SparseTensor(indices, numbers, cast(stack([batch_size, size]), "int64")), None)


def numeric_column(
    key: str, shape: Any = (1,), default_value: Any = None, dtype: Any = "float32", normalizer_fn: Callable[[Any], Any] | None = None
) -> NumericColumn:
    """A column of numbers (`tf.feature_column.numeric_column`).

    Args:
        key: of the feature.
        shape: of an example's numbers.
        default_value: what parsing gives where there is none: a number, or numbers of that shape.
        dtype: of the feature; the tensor is float32 anyway.
        normalizer_fn: is applied to the tensor.

    Raises:
        TypeError: the shape or the default is of another type, or `normalizer_fn` is no function.
        ValueError: a dimension below 1, a default of another shape, or a type that is none of numbers.
    """
    found_shape = checked_shape(shape, key)
    found_dtype = checked_number_type(dtype, key)
    default = _checked_default(found_shape, default_value, found_dtype, key)
    if normalizer_fn is not None and not callable(normalizer_fn):
        raise TypeError(f"normalizer_fn must be a callable. Given: {normalizer_fn}")
    return NumericColumn(checked_key(key), found_shape, default, found_dtype, normalizer_fn)


def bucketized_column(source_column: NumericColumn, boundaries: Sequence[float]) -> BucketizedColumn:
    """A column of the buckets that numbers fall into (`tf.feature_column.bucketized_column`).

    Args:
        source_column: of vectors of numbers.
        boundaries: where buckets begin, in order; one more lies below the first.

    Raises:
        ValueError: another column, or boundaries that are not sorted.
    """
    if not isinstance(source_column, NumericColumn):
        raise ValueError(f"source_column must be a column generated with numeric_column(). Given: {source_column}")
    if len(source_column.shape) > 1:
        raise ValueError(f"source_column must be one-dimensional column. Given: {source_column}")
    if not boundaries:
        raise ValueError("boundaries must not be empty.")
    is_sorted = isinstance(boundaries, (list, tuple)) and all(one < other for one, other in pairwise(boundaries))
    if not is_sorted:
        raise ValueError(f"boundaries must be a sorted list. Given: {boundaries}")
    return BucketizedColumn(source_column, tuple(boundaries))


def checked_shape(shape: Any, key: Any) -> tuple[int, ...]:
    """The shape of numbers, given as one or as one dimension.

    Raises:
        TypeError: a dimension that is no integer.
        ValueError: one below 1.
    """
    found = tuple(shape) if isinstance(shape, Sequence) and not isinstance(shape, str) else (shape,)
    checked_key(key)
    for dimension in found:
        if not isinstance(dimension, int):
            raise TypeError(f"shape dimensions must be integer. shape: {shape}, key: {key}")
        if dimension < 1:
            raise ValueError(f"shape dimensions must be greater than 0. shape: {shape}, key: {key}")
    return found


def _checked_default(shape: tuple[int, ...], default: Any, dtype: DType, key: Any) -> Any:
    """A default as nested tuples of the shape."""
    if default is None:
        return None
    if isinstance(default, int) or (isinstance(default, float) and dtype.is_floating):
        return _filled(shape, default)
    values = default.tolist() if callable(getattr(default, "tolist", None)) else default
    if isinstance(values, (list, tuple)):
        if not _has_shape(values, shape):
            raise ValueError(f"The shape of default_value must be equal to given shape. default_value: {values}, shape: {shape}, key: {key}")
        leaves = list(_leaves(values))
        if all(isinstance(leaf, int) for leaf in leaves) or (dtype.is_floating and any(isinstance(leaf, float) for leaf in leaves)):
            return _tuples(values)
    raise TypeError(f"default_value must be compatible with dtype. default_value: {values}, dtype: {dtype}, key: {key}")


def _filled(shape: tuple[int, ...], value: Any) -> Any:
    return tuple(_filled(shape[1:], value) for _ in range(shape[0])) if shape else value


def _has_shape(values: Any, shape: tuple[int, ...]) -> bool:
    if isinstance(values, (list, tuple)) != bool(shape):
        return False
    return not shape or (len(values) == shape[0] and all(_has_shape(value, shape[1:]) for value in values))


def _leaves(values: Any) -> Any:
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _leaves(value)
        else:
            yield value


def _tuples(values: Any) -> Any:
    return tuple(map(_tuples, values)) if isinstance(values, (list, tuple)) else values
