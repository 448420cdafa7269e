"""Sets as the last axis of tensors (`tf.sets`): each row of a tensor, dense or sparse, is a set of what stands in it, whatever else is how often.

A result is a sparse tensor: for each row, its elements in order, from the left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, apply_op, sample
from gpersist.ops.kernels import shown
from gpersist.ops.sparse_products import check_places
from gpersist.ops.sparse_structure import flat_places, split_places
from gpersist.ops.sparse_tensor import SparseTensor, convert_to_tensor_or_sparse_tensor
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["set_difference", "set_intersection", "set_size", "set_union"]

_ATTRS = "set_operation: string, validate_indices: bool = true, T: {int8, int16, int32, int64, uint8, uint16, string}"
_KINDS = ("int32", "uint8", "int16", "int8", "string", "int64", "uint16")
_OPERATIONS: dict[bytes, Callable[[Any, Any], Any]] = {
    b"a-b": np.setdiff1d,
    b"b-a": lambda one, other: np.setdiff1d(other, one),
    b"intersection": np.intersect1d,
    b"union": np.union1d,
}
_INDICES = np.array([[0, 0], [0, 2], [1, 0]], np.int64)
_SHAPE = np.array([2, 3], np.int64)
_VALUES = np.array([4, 1, 2], np.int32)
_DENSE = np.array([[1, 3, 3], [2, 0, 5]], np.int32)


class SetSize(OpType):
    """How many different elements each row of a sparse tensor has."""

    inputs = "set_indices: int64, set_values: T, set_shape: int64"
    outputs = "size: int32"
    attrs = "validate_indices: bool = true, T: {int8, int16, int32, int64, uint8, uint16, string}"
    is_host_only = True
    samples = (
        sample(_INDICES, _VALUES, _SHAPE),
        sample(_INDICES, np.array([b"a", b"a", b"b"], object), _SHAPE),
        sample(_INDICES[::-1].copy(), _VALUES, _SHAPE, validate_indices=False),
        sample(_INDICES[:0], _VALUES[:0], _SHAPE),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape()]

    @staticmethod
    def run(xp: Any, indices: Any, values: Any, shape: Any, *, validate_indices: bool) -> Any:
        outer, rows = _sparse_rows(indices, values, shape, validate_indices)
        _, ranks = np.unique(values, return_inverse=True)
        keys = np.unique(rows * max(len(values), 1) + ranks)
        return np.bincount(keys // max(len(values), 1), minlength=math.prod(outer)).astype(np.int32).reshape(outer)


class _SetOperation(OpType, abstract=True):
    """A set made of two, for each row of tensors that agree in all but their last axis."""

    outputs = "result_indices: int64, result_values: T, result_shape: int64"
    attrs = _ATTRS
    is_host_only = True

    @classmethod
    def shapes(cls, op: Operation) -> list[TensorShape]:
        for place, arg in enumerate(cls.signature().inputs):  # what is sparse has indices of rank 2, values and a shape of rank 1
            if "_" in arg.name:
                op._inputs[place].shape.with_rank(2 if arg.name.endswith("indices") else 1)
        rank = cls._rank(op)
        return [TensorShape([None, rank]), TensorShape([None]), TensorShape([rank])]

    @staticmethod
    def _rank(op: Operation) -> int | None:
        raise NotImplementedError


class DenseToDenseSetOperation(_SetOperation):
    """A set made of two, for each row of dense tensors."""

    inputs = "set1: T, set2: T"
    samples = (
        sample(_DENSE, "int32: [[3], [2]]", set_operation="a-b"),
        sample(_DENSE, "int32: [[3], [2]]", set_operation="b-a"),
        sample("string[2,2]", "string[2,3]", set_operation="union"),
        sample("int64[2,0]", "int64[2,3]", set_operation="Intersection"),
        sample("int64[0,3]", "int64[0,2]", set_operation="union"),
    )

    @staticmethod
    def _rank(op: Operation) -> int | None:
        one, other = (tensor.shape.with_rank_at_least(2) for tensor in op._inputs)
        if one.rank is None or other.rank is None:
            return one.rank or other.rank
        if one.rank != other.rank:
            raise ValueError(f"Shapes must be equal rank, but are {one.rank} and {other.rank}")
        _merged(one.as_list()[:-1], other.as_list()[:-1])
        return one.rank

    @staticmethod
    def run(xp: Any, set1: Any, set2: Any, *, set_operation: bytes, validate_indices: bool) -> tuple[Any, Any, Any]:
        return _result(_dense_rows(set1), set1.reshape(-1), _dense_rows(set2), set2.reshape(-1), set_operation)


class DenseToSparseSetOperation(_SetOperation):
    """A set made of two, for each row of a dense and a sparse tensor."""

    inputs = "set1: T, set2_indices: int64, set2_values: T, set2_shape: int64"
    samples = tuple(sample(_DENSE, _INDICES, _VALUES, _SHAPE, set_operation=name) for name in ("a-b", "b-a", "intersection", "union"))

    @staticmethod
    def _rank(op: Operation) -> int | None:
        return _known_rank(op._inputs[0].shape.rank, op._inputs[3])

    @staticmethod
    def run(xp: Any, set1: Any, indices: Any, values: Any, shape: Any, *, set_operation: bytes, validate_indices: bool) -> tuple[Any, Any, Any]:
        return _result(_dense_rows(set1), set1.reshape(-1), _sparse_rows(indices, values, shape, validate_indices), values, set_operation)


class SparseToSparseSetOperation(_SetOperation):
    """A set made of two, for each row of sparse tensors."""

    inputs = "set1_indices: int64, set1_values: T, set1_shape: int64, set2_indices: int64, set2_values: T, set2_shape: int64"
    samples = tuple(
        sample(_INDICES, _VALUES, _SHAPE, "int64: [[0, 5], [1, 1]]", "int32: [1, 7]", "int64: [2, 8]", set_operation=name)
        for name in ("a-b", "b-a", "intersection", "union")
    )

    @staticmethod
    def _rank(op: Operation) -> int | None:
        return _known_rank(_size(op._inputs[2]), op._inputs[5])

    @staticmethod
    def run(xp: Any, *parts: Any, set_operation: bytes, validate_indices: bool) -> tuple[Any, Any, Any]:
        rows = [_sparse_rows(parts[first], parts[first + 1], parts[first + 2], validate_indices) for first in (0, 3)]
        return _result(rows[0], parts[1], rows[1], parts[4], set_operation)


_Rows = tuple[tuple[int, ...], np.ndarray[Any, Any]]
"""The shape without its last axis; and which row each value is in."""


def _size(shape: Tensor) -> int | None:
    return shape.shape.with_rank(1).as_list()[0]


def _known_rank(rank: int | None, shape: Tensor) -> int | None:
    other = _size(shape)
    if rank is not None and rank < 2:
        raise ValueError(f"Shape must be at least rank 2 but is rank {rank}")
    return rank if other is None else other


def _merged(one: list[int | None], other: list[int | None]) -> None:
    for axis, (size, same) in enumerate(zip(one, other, strict=True)):
        if None not in (size, same) and size != same:
            raise ValueError(f"Dimension {axis} in both shapes must be equal, but are {size} and {same}. Shapes are {shown(one)} and {shown(other)}.")


def _dense_rows(value: Any) -> _Rows:
    if value.ndim < 2:
        raise InvalidArgumentError(f"Shape {shown(value.shape)} has rank {value.ndim} < 2")
    outer = value.shape[:-1]
    return outer, np.repeat(np.arange(math.prod(outer)), value.shape[-1])


def _sparse_rows(indices: Any, values: Any, shape: Any, is_checked: bool) -> _Rows:
    if len(indices) != len(values):
        raise InvalidArgumentError(f"indices and values rows (indexing dimension) must match. (indices = {len(indices)}, values = {len(values)})")
    if len(shape) < 2:
        raise InvalidArgumentError(f"Invalid rank {len(shape)}.")
    if indices.shape[1] != len(shape):
        raise InvalidArgumentError("Order length must be SparseTensor rank.")
    check_places(indices, tuple(shape.tolist()), is_checked)
    outer = tuple(shape[:-1].tolist())
    return outer, flat_places(indices[:, :-1], outer)


def _result(one: _Rows, my_values: Any, other: _Rows, their_values: Any, operation: bytes) -> tuple[Any, Any, Any]:
    """The three parts of the sparse tensor: rows and values are made one number each, on which NumPy's set operations work."""
    outer = one[0]
    if outer != other[0]:
        raise InvalidArgumentError(f"Mismatched shapes {shown(outer)} vs {shown(other[0])}")
    try:
        made_of = _OPERATIONS[operation.lower()]
    except KeyError:
        raise InvalidArgumentError(f"Invalid set_operation {operation.decode('utf-8', 'replace')}.") from None
    values, ranks = np.unique(np.concatenate([my_values, their_values]), return_inverse=True)
    count = max(len(values), 1)
    keys = np.asarray(made_of(one[1] * count + ranks[: len(my_values)], other[1] * count + ranks[len(my_values) :]), np.int64)
    rows = keys // count
    sizes = np.bincount(rows, minlength=1)
    columns = np.arange(len(keys)) - (np.cumsum(sizes) - sizes)[rows]
    indices = np.concatenate([split_places(rows, outer), columns[:, None]], axis=1).astype(np.int64)
    return indices, values[keys % count], np.array([*outer, sizes.max()], np.int64)


def set_size(a: Any, validate_indices: bool = True) -> Tensor:
    """How many different elements each row of a sparse tensor has (`tf.sets.size`): int32[...], one axis less.

    Raises:
        TypeError: no SparseTensor, or one of floats.
    """
    found = convert_to_tensor_or_sparse_tensor(a, name="a")
    if not isinstance(found, SparseTensor):
        raise TypeError(f"Expected `SparseTensor`, got {found}.")
    if found.values.dtype.base_dtype.name not in _KINDS:
        raise TypeError(f"Invalid dtype `{found.values.dtype}` not in supported dtypes: `{_kinds()}`.")
    return apply("SetSize", found.indices, found.values, found.dense_shape, validate_indices=validate_indices)


def set_intersection(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """What rows of two tensors have in common (`tf.sets.intersection`); each is dense or sparse, and they agree in all but their last axis."""
    return _apply(a, b, "intersection", validate_indices)


def set_difference(a: Any, b: Any, aminusb: bool = True, validate_indices: bool = True) -> SparseTensor:
    """What rows of `a` have that those of `b` have not, or the other way (`tf.sets.difference`)."""
    return _apply(a, b, "a-b" if aminusb else "b-a", validate_indices)


def set_union(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """What rows of two tensors have together (`tf.sets.union`)."""
    return _apply(a, b, "union", validate_indices)


_FLIPPED: dict[str, str] = {"a-b": "b-a", "b-a": "a-b"}


def _apply(a: Any, b: Any, operation: str, validate_indices: bool) -> SparseTensor:
    one = convert_to_tensor_or_sparse_tensor(a, name="a")
    if one.dtype.base_dtype.name not in _KINDS:
        raise TypeError(f"'a' has invalid dtype `{one.dtype}` not in supported dtypes: `{_kinds()}`.")
    other = convert_to_tensor_or_sparse_tensor(b, name="b")
    if other.dtype.base_dtype is not one.dtype.base_dtype:
        raise TypeError(f"Types don't match, {one.dtype} vs {other.dtype}.")
    if isinstance(one, SparseTensor) and not isinstance(other, SparseTensor):  # there is only dense with sparse
        one, other, operation = other, one, _FLIPPED.get(operation, operation)
    op_type = "".join(("Sparse" if isinstance(one, SparseTensor) else "Dense", "To", "Sparse" if isinstance(other, SparseTensor) else "Dense"))
    parts = [part for each in (one, other) for part in ((each.indices, each.values, each.dense_shape) if isinstance(each, SparseTensor) else (each,))]
    made = apply_op(f"{op_type}SetOperation", *parts, set_operation=operation, validate_indices=validate_indices)
    return SparseTensor(*made.outputs)


def _kinds() -> str:
    return f"frozenset({{{', '.join(f'tf.{name}' for name in _KINDS)}}})"
