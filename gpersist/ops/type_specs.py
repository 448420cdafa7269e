"""What is known of a value before it is there (`tf.TypeSpec`): type and shape of tensors, and of what is made of several."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from typing import Any

from gpersist.dtypes import DType, as_dtype
from gpersist.errors import UnimplementedError
from gpersist.graph import Tensor, convert_to_tensor
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.ragged_tensor import RaggedTensor
from gpersist.ops.ragged_tensor_value import RaggedTensorValue
from gpersist.ops.sparse_tensor import SparseTensor, SparseTensorValue
from gpersist.ops.tensor_array import TensorArray
from gpersist.shapes import ShapeLike, TensorShape

__all__ = [
    "IndexedSlicesSpec",
    "NoneTensorSpec",
    "RaggedTensorSpec",
    "SparseTensorSpec",
    "TensorArraySpec",
    "TensorSpec",
    "TypeSpec",
    "type_spec_from_value",
]


class TypeSpec(ABC):
    """What is known of a value (`tf.TypeSpec`); never changed. Two are equal if they are of one class and say the same."""

    __slots__ = ()

    @property
    @abstractmethod
    def value_type(self) -> type:
        """The class of the values."""

    @abstractmethod
    def _serialize(self) -> tuple[Any, ...]:
        """What its class's constructor takes, in order."""

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether a value, or one of another spec, could be of this one."""
        other = spec_or_value if isinstance(spec_or_value, TypeSpec) else type_spec_from_value(spec_or_value)
        return type(self) is type(other) and all(map(_fits, self._serialize(), other._serialize()))

    def is_subtype_of(self, other: Any) -> bool:
        """Whether all values of this spec are of another one."""
        return type(self) is type(other) and all(map(_is_within, self._serialize(), other._serialize()))

    def most_specific_compatible_type(self, other: TypeSpec) -> TypeSpec:
        """What is true of the values of both.

        Raises:
            ValueError: they differ in more than sizes.
        """
        if type(self) is type(other):
            pairs = list(zip(self._serialize(), other._serialize(), strict=True))
            if all(isinstance(one, TensorShape) or one == another for one, another in pairs):
                found = [one.most_specific_compatible_shape(another) if isinstance(one, TensorShape) else one for one, another in pairs]
                return type(self)(*found)
        raise ValueError(f"No TypeSpec is compatible with both {self} and {other}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._serialize() == other._serialize()

    def __hash__(self) -> int:
        return hash((type(self), self._serialize()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self._serialize()!r}"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._serialize()


class TensorSpec(TypeSpec):
    """Of a tensor (`tf.TensorSpec`).

    Args:
        shape: what is known of it.
        dtype: its type.
        name: of the tensor, or None.

    Raises:
        TypeError: no shape, no type.
    """

    __slots__ = ("_dtype", "_name", "_shape")

    def __init__(self, shape: ShapeLike, dtype: Any = "float32", name: str | None = None) -> None:
        self._shape, self._dtype, self._name = TensorShape(shape), as_dtype(dtype), name

    shape = property(operator.attrgetter("_shape"), doc="What is known of the shape.")
    dtype = property(operator.attrgetter("_dtype"), doc="The type.")
    name = property(operator.attrgetter("_name"), doc="The tensor's name, or None.")
    value_type = property(lambda self: Tensor, doc="The class of the values.")

    @classmethod
    def from_tensor(cls, tensor: Any, name: str | None = None) -> TensorSpec:
        """What is known of a tensor.

        Raises:
            ValueError: it is none.
        """
        if not isinstance(tensor, Tensor):
            raise ValueError(f"`tensor` should be a tf.Tensor, but got type {type(tensor)}.")
        return cls(tensor.shape, tensor.dtype, name or tensor.op.name)

    @classmethod
    def from_spec(cls, spec: Any, name: str | None = None) -> TensorSpec:
        """The same of anything that has a shape and a type."""
        return cls(spec.shape, spec.dtype, name or getattr(spec, "name", None))

    def is_compatible_with(self, spec_or_tensor: Any) -> bool:
        """Whether a tensor, or one of another spec, could be of this one; whatever their names."""
        if not isinstance(spec_or_tensor, (TensorSpec, Tensor)):
            return False
        return self._dtype.is_compatible_with(spec_or_tensor.dtype) and self._shape.is_compatible_with(spec_or_tensor.shape)

    def _serialize(self) -> tuple[Any, ...]:
        return self._shape, self._dtype, self._name

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self._shape}, dtype={self._dtype!r}, name={self._name!r})"


class SparseTensorSpec(TypeSpec):
    """Of a sparse tensor (`tf.SparseTensorSpec`).

    Args:
        shape: what is known of its dense shape.
        dtype: of its values.
    """

    __slots__ = ("_dtype", "_shape")

    def __init__(self, shape: ShapeLike = None, dtype: Any = "float32") -> None:
        self._shape, self._dtype = TensorShape(shape), as_dtype(dtype)

    shape = property(operator.attrgetter("_shape"), doc="What is known of the dense shape.")
    dtype = property(operator.attrgetter("_dtype"), doc="The type of the values.")
    value_type = property(lambda self: SparseTensor, doc="The class of the values.")

    @classmethod
    def from_value(cls, value: Any) -> SparseTensorSpec:
        """What is known of a sparse tensor.

        Raises:
            TypeError: it is none.
        """
        if isinstance(value, SparseTensorValue):
            return cls(
                list(map(int, value.dense_shape)), convert_to_tensor(value.values).dtype if isinstance(value.values, list) else value.values.dtype
            )
        if not isinstance(value, SparseTensor):
            raise TypeError(f"Expected SparseTensor or SparseTensorValue. Received: {value} of type {type(value).__name__}.")
        return cls(value.shape, value.dtype)

    def _serialize(self) -> tuple[Any, ...]:
        return self._shape, self._dtype


class RaggedTensorSpec(TypeSpec):
    """Of a ragged tensor, or of a row of one, which may be a plain tensor (`tf.RaggedTensorSpec`).

    Args:
        shape: what is known of it.
        dtype: of its values.
        ragged_rank: how many levels of rows it has; by default, all but the first of the shape's dimensions are ragged.
        row_splits_dtype: of the ends of its rows: int32 or int64.
        flat_values_spec: None; TensorFlow knows ragged tensors of other things than tensors.

    Raises:
        ValueError: nothing tells how many levels it has, or there are more than dimensions.
        TypeError: `ragged_rank` is no integer.
    """

    __slots__ = ("_dtype", "_ragged_rank", "_row_splits_dtype", "_shape")

    def __init__(
        self,
        shape: ShapeLike = None,
        dtype: Any = "float32",
        ragged_rank: int | None = None,
        row_splits_dtype: Any = "int64",
        flat_values_spec: None = None,
    ) -> None:
        if flat_values_spec is not None:
            raise UnimplementedError(f"flat_values_spec={flat_values_spec!r}: expected None, for innermost values that are a tensor")
        self._shape, self._dtype, self._row_splits_dtype = TensorShape(shape), as_dtype(dtype), as_dtype(row_splits_dtype)
        rank = self._shape.rank
        if ragged_rank is None:
            if rank is None:
                raise ValueError("Must specify ragged_rank or a shape with a known rank.")
            ragged_rank = rank - 1
        if not isinstance(ragged_rank, int):
            raise TypeError(f"Argument `ragged_rank` must be an int. Received {ragged_rank}.")
        if rank is not None and ragged_rank >= rank:
            raise ValueError(f"Argument `ragged_rank` ({ragged_rank}) must be less than rank ({rank}).")
        self._ragged_rank: int = ragged_rank

    shape = property(operator.attrgetter("_shape"), doc="What is known of the shape.")
    dtype = property(operator.attrgetter("_dtype"), doc="The type of the values.")
    ragged_rank = property(operator.attrgetter("_ragged_rank"), doc="How many levels of rows there are; 0 for a tensor.")
    row_splits_dtype = property(operator.attrgetter("_row_splits_dtype"), doc="The type of the ends of rows.")
    flat_values_spec = property(lambda self: None, doc="None: the innermost values are a tensor.")
    value_type = property(lambda self: RaggedTensor if self._ragged_rank > 0 else Tensor, doc="The class of the values.")

    @classmethod
    def from_value(cls, value: Any) -> RaggedTensorSpec:
        """What is known of a ragged tensor."""
        return cls(TensorShape(value.shape), value.flat_values.dtype, value.ragged_rank, value.nested_row_splits[0].dtype)

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether a ragged tensor, or one of another spec, could be of this one; a tensor, if this one has no levels."""
        if self._ragged_rank == 0 and isinstance(spec_or_value, (TensorSpec, Tensor)):
            return self._dtype.is_compatible_with(spec_or_value.dtype) and self._shape.is_compatible_with(spec_or_value.shape)
        return super().is_compatible_with(spec_or_value)

    def _serialize(self) -> tuple[Any, ...]:
        return self._shape, self._dtype, self._ragged_rank, self._row_splits_dtype


class IndexedSlicesSpec(TypeSpec):
    """Of rows of a tensor (`tf.IndexedSlicesSpec`).

    Args:
        shape: what is known of the whole.
        dtype: of the rows.
        indices_dtype: of their places.
        dense_shape_dtype: of the tensor of the whole's shape; None if there is none.
        indices_shape: of the places.
    """

    __slots__ = ("_fields",)

    def __init__(
        self,
        shape: ShapeLike = None,
        dtype: Any = "float32",
        indices_dtype: Any = "int64",
        dense_shape_dtype: Any = None,
        indices_shape: ShapeLike = None,
    ) -> None:
        places = TensorShape([None]) if indices_shape is None else TensorShape(indices_shape).with_rank(1)
        whole = None if dense_shape_dtype is None else as_dtype(dense_shape_dtype)
        self._fields = (TensorShape(shape), as_dtype(dtype), as_dtype(indices_dtype), whole, places)

    value_type = property(lambda self: IndexedSlices, doc="The class of the values.")

    def _serialize(self) -> tuple[Any, ...]:
        return self._fields


class TensorArraySpec(TypeSpec):
    """Of a TensorArray (`tf.TensorArraySpec`).

    Args:
        element_shape: what is known of its elements' shape.
        dtype: of its elements.
        dynamic_size: whether it grows.
        infer_shape: whether its elements are of one shape.
    """

    __slots__ = ("_fields",)

    def __init__(self, element_shape: ShapeLike = None, dtype: Any = "float32", dynamic_size: bool = False, infer_shape: bool = True) -> None:
        self._fields = (TensorShape(element_shape), as_dtype(dtype), dynamic_size, infer_shape)

    value_type = property(lambda self: TensorArray, doc="The class of the values.")

    @staticmethod
    def from_value(value: Any) -> TensorArraySpec:
        """What is known of a TensorArray.

        Raises:
            TypeError: it is none.
        """
        if not isinstance(value, TensorArray):
            raise TypeError(f"Expected value to be a TensorArray, but got: `{type(value)}`")
        return TensorArraySpec(value.element_shape, value.dtype, value.dynamic_size, value._infer_shape)

    def is_compatible_with(self, other: Any) -> bool:
        """Whether a TensorArray, or one of another spec, has such elements; whether they grow makes no difference."""
        other = other if isinstance(other, TypeSpec) else type_spec_from_value(other)
        return type(self) is type(other) and all(map(_fits, self._fields[:2], other._serialize()))

    def _serialize(self) -> tuple[Any, ...]:
        return self._fields


class NoneTensorSpec(TypeSpec):
    """Of None (`tf.NoneTensorSpec`)."""

    __slots__ = ()

    value_type = property(lambda self: type(None), doc="The class of the values.")

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether it is None, or its spec."""
        return spec_or_value is None or type(self) is type(spec_or_value)

    def _serialize(self) -> tuple[Any, ...]:
        return ()


def type_spec_from_value(value: Any) -> TypeSpec:
    """What is known of a value (`tf.type_spec_from_value`); what can be made a tensor counts as one.

    Raises:
        TypeError: nothing can tell.
    """
    if value is None:
        return NoneTensorSpec()
    if isinstance(value, (SparseTensor, SparseTensorValue)):
        return SparseTensorSpec.from_value(value)
    if isinstance(value, (RaggedTensor, RaggedTensorValue)):
        return RaggedTensorSpec.from_value(value)
    if isinstance(value, IndexedSlices):
        rows, places = value.values, value.indices
        whole = None if value.dense_shape is None else value.dense_shape.dtype
        return IndexedSlicesSpec(TensorShape([None]).concatenate(rows.shape[1:]), rows.dtype, places.dtype, whole, places.shape)
    if isinstance(value, TensorArray):
        return TensorArraySpec.from_value(value)
    if isinstance(found := getattr(value, "_type_spec", None), TypeSpec):
        return found
    if not isinstance(value, TypeSpec):
        try:
            tensor = convert_to_tensor(value)
        except (TypeError, ValueError):
            pass
        else:
            return TensorSpec(tensor.shape, tensor.dtype.base_dtype)
    raise TypeError(f"Could not build a TypeSpec for {value} of unsupported type {type(value)}.")


def _fits(one: Any, other: Any) -> bool:
    if isinstance(one, (TensorShape, DType)):
        return isinstance(other, (TensorShape, DType)) and one.is_compatible_with(other)
    if isinstance(one, TypeSpec):
        return one.is_compatible_with(other)
    return bool(one == other)


def _is_within(one: Any, other: Any) -> bool:
    if not isinstance(one, TensorShape) or other.rank is None:
        return bool(one == other) or isinstance(one, TensorShape)
    return one.rank == other.rank and all(theirs in (None, mine) for mine, theirs in zip(one.as_list(), other.as_list(), strict=True))
