"""RaggedTensor: rows that differ in length, as values in one piece and where each row ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpersist.dtypes import DType, as_dtype
from gpersist.graph import Graph, Operation, Tensor, apply, apply_op, constant_value, convert_to_tensor, name_scope, register_fetch
from gpersist.ops.arithmetic import maximum
from gpersist.ops.casting import cast
from gpersist.ops.constants import constant
from gpersist.ops.counting import bincount
from gpersist.ops.filling import zeros
from gpersist.ops.joining import concat, stack
from gpersist.ops.ragged_items import item
from gpersist.ops.ragged_merging import merged
from gpersist.ops.ragged_places import aligned, row_splits_to_numbers
from gpersist.ops.ragged_tensor_value import RaggedTensorValue
from gpersist.ops.reductions import reduce_max
from gpersist.ops.scans import cumsum
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import reshape, shape_of
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.shapes import TensorShape

__all__ = ["RaggedTensor"]


class RaggedTensor:
    """A tensor whose rows differ in length (`tf.RaggedTensor`); made by its `from_...` methods.

    Args:
        values: a tensor, or another ragged one: the rows in one piece.
        row_splits: where rows end: int32 or int64 [rows + 1].
    """

    def __init__(self, values: Any, row_splits: Tensor) -> None:
        self._values, self._row_splits = values, row_splits

    @classmethod
    def from_row_splits(cls, values: Any, row_splits: Any, name: str | None = None, validate: bool = True) -> RaggedTensor:
        """Rows by their ends (`tf.RaggedTensor.from_row_splits`).

        Args:
            values: the rows in one piece.
            row_splits: integers [rows + 1]: where rows end, from 0 on.
            name: of the scope.
            validate: whether the ends are held against the values where both are known.

        Raises:
            ValueError: they don't go together.
        """
        with name_scope(name, "RaggedFromRowSplits", []):
            with name_scope(None, "RowPartitionFromRowSplits", []):
                splits = _integers(row_splits, "row_splits")
                splits.shape.assert_has_rank(1)
            return cls(_given(values), _checked(splits) if validate else splits)

    @classmethod
    def from_row_lengths(cls, values: Any, row_lengths: Any, name: str | None = None, validate: bool = True) -> RaggedTensor:
        """Rows by their lengths; see `from_row_splits`."""
        with name_scope(name, "RaggedFromRowLengths", []) as scope, name_scope(None, "RowPartitionFromRowLengths", []):
            lengths = _integers(row_lengths, "row_lengths")
            splits = concat([[0], cumsum(lengths)], 0)
        with name_scope(scope):
            return cls(_given(values), splits)

    @classmethod
    def from_row_starts(cls, values: Any, row_starts: Any, name: str | None = None, validate: bool = True) -> RaggedTensor:
        """Rows by where they begin; see `from_row_splits`."""
        with name_scope(name, "RaggedFromRowStarts", []):
            given = _given(values)
            count = shape_of(given)[0]
            with name_scope(None, "RowPartitionFromRowStarts", []):
                starts = _integers(row_starts, "row_starts")
                return cls(given, concat([starts, [cast(count, starts.dtype)]], 0))

    @classmethod
    def from_row_limits(cls, values: Any, row_limits: Any, name: str | None = None, validate: bool = True) -> RaggedTensor:
        """Rows by where they end, without the 0 before the first; see `from_row_splits`."""
        with name_scope(name, "RaggedFromRowLimits", []):
            given = _given(values)
            with name_scope(None, "RowPartitionFromRowLimits", []):
                limits = _integers(row_limits, "row_limits")
                return cls(given, concat([zeros([1], limits.dtype), limits], 0))

    @classmethod
    def from_value_rowids(cls, values: Any, value_rowids: Any, nrows: Any = None, name: str | None = None, validate: bool = True) -> RaggedTensor:
        """Rows by the number of the row that each value is in; see `from_row_splits`."""
        with name_scope(name, "RaggedFromValueRowIds", []) as scope, name_scope(None, "RowPartitionFromValueRowIds", []):
            numbers = _integers(value_rowids, "value_rowids")
            if nrows is None:
                known = constant_value(numbers)
                last = numbers[-1:] if known is None else None
                rows: Any = (int(known[-1]) + 1 if known.size else 0) if known is not None else concat([last, [-1]], 0)[0] + 1
                rows = convert_to_tensor(rows, numbers.dtype, "nrows") if not isinstance(rows, Tensor) else rows
            else:
                rows = convert_to_tensor(nrows, numbers.dtype, "nrows")
            small, count = cast(numbers, "int32"), cast(rows, "int32")
            lengths = bincount(small, minlength=count, maxlength=count, dtype=numbers.dtype)
            splits = concat([[0], cumsum(lengths)], 0)
            known_rows = constant_value(rows)
            if known_rows is not None:
                splits.set_shape([int(known_rows) + 1])
        with name_scope(scope):
            return cls(_given(values), splits)

    @classmethod
    def from_uniform_row_length(
        cls, values: Any, uniform_row_length: Any, nrows: Any = None, validate: bool = True, name: str | None = None
    ) -> RaggedTensor:
        """Rows of one length; see `from_row_splits`."""
        with name_scope(name, "RaggedFromUniformRowLength", []):
            given = _given(values)
            length = _integers(uniform_row_length, "uniform_row_length")
            count = given.shape.as_list()[0]
            total = shape_of(given, out_type=length.dtype)[0] if count is None else constant(count, length.dtype)
            with name_scope(None, "RowPartitionFromUniformRowLength", []):
                rows = total // length if nrows is None else _integers(nrows, "nrows")
                known_rows, known_length = constant_value(rows), constant_value(length)
                if known_rows is not None and known_length is not None:
                    return cls(given, constant(np.arange(int(known_rows) + 1) * int(known_length), length.dtype))
                return cls(given, number_range(rows + 1) * length)

    @classmethod
    def from_nested_row_splits(cls, flat_values: Any, nested_row_splits: Any, name: str | None = None, validate: bool = True) -> RaggedTensor:
        """Rows of rows, by the ends at each level, outermost first.

        Raises:
            TypeError: the ends are one tensor.
        """
        if isinstance(nested_row_splits, Tensor):
            raise TypeError(f"Argument `nested_row_splits` must be a list of Tensors. Received {nested_row_splits}.")
        with name_scope(name, "RaggedFromNestedRowSplits", []):
            found = flat_values
            for splits in reversed(list(nested_row_splits)):
                found = cls.from_row_splits(found, splits, validate=validate)
            return found  # type: ignore[no-any-return]

    @classmethod
    def from_tensor(
        cls,
        tensor: Any,
        lengths: Any = None,
        padding: Any = None,
        ragged_rank: int = 1,
        name: str | None = None,
        row_splits_dtype: Any = "int64",
    ) -> RaggedTensor:
        """A dense tensor's rows, whole, as long as `lengths` says, or without the `padding` at their ends (`tf.RaggedTensor.from_tensor`).

        Raises:
            ValueError: both, or either with several levels.
        """
        if padding is not None and lengths is not None:
            raise ValueError("Specify argument `lengths` or `padding`, but not both.")
        if ragged_rank != 1 and (padding is not None or lengths is not None):
            raise ValueError("from_tensor takes neither padding nor lengths with several levels: make the tensor by from_row_lengths")
        kind = as_dtype(row_splits_dtype)
        with name_scope(name, "RaggedFromTensor", []):
            given = convert_to_tensor(tensor, name="tensor")
            given.shape.with_rank_at_least(ragged_rank + 1)
            sizes = shape_of(given, out_type=kind)
            sizes[1]  # TensorFlow's graph has this node, too
            if padding is not None:
                lengths = _without_padding(given, padding, kind)
            if lengths is not None:
                counts = cast(lengths, kind)
                places = number_range(sizes[1])
                flat = apply("GatherNd", given, apply("Where", apply("Less", places, apply("ExpandDims", counts, 1))))
                return cls.from_row_lengths(flat, counts, validate=False)
            inner = given
            if ragged_rank > 1:
                rows = [apply("Prod", sizes[: level + 1], 0) for level in range(ragged_rank)]
                inner = reshape(given, concat([[rows[-1]], sizes[ragged_rank:]], 0))
            found = _rows_of_matrix(inner, sizes if ragged_rank == 1 else shape_of(inner, out_type=kind), kind)
            for level in range(ragged_rank - 1, 0, -1):
                known = given.shape.as_list()[level]
                length = sizes[level] if known is None else constant(known, kind)
                found = cls.from_uniform_row_length(found, length, nrows=rows[level - 1], validate=False)
            return found

    @property
    def values(self) -> Any:
        """The rows in one piece: a tensor, or another ragged one."""
        return self._values

    @property
    def row_splits(self) -> Tensor:
        """Where rows end: [rows + 1]."""
        return self._row_splits

    @property
    def flat_values(self) -> Tensor:
        """The innermost values."""
        found = self._values
        while isinstance(found, RaggedTensor):
            found = found.values
        return found  # type: ignore[no-any-return]

    def _components(self) -> list[Any]:
        """The tensors that it is made of, for `gpersist.ops.nest`."""
        return [self.flat_values, *self.nested_row_splits]

    @classmethod
    def _of_components(cls, parts: Sequence[Any]) -> RaggedTensor:
        made, *splits = parts
        for each in reversed(splits):
            made = cls(made, each)
        return made  # type: ignore[no-any-return]

    @property
    def nested_row_splits(self) -> tuple[Tensor, ...]:
        """The ends of rows at all levels."""
        inner = self._values.nested_row_splits if isinstance(self._values, RaggedTensor) else ()
        return (self._row_splits, *inner)

    @property
    def ragged_rank(self) -> int:
        """How many levels of rows there are."""
        return len(self.nested_row_splits)

    @property
    def dtype(self) -> DType:
        """The type of the values."""
        return self.flat_values.dtype

    @property
    def op(self) -> Operation:
        """The operation that gives the values."""
        return self.flat_values.op

    @property
    def graph(self) -> Graph:
        """The graph that it is in."""
        return self.flat_values.graph

    @property
    def shape(self) -> TensorShape:
        """What is known of the shape; ragged dimensions are not."""
        rows = self._row_splits.shape.as_list()[0]
        inner = self._values.shape
        return TensorShape([None if rows is None else rows - 1, None]).concatenate(inner[1:] if inner.rank is not None else TensorShape(None))

    def get_shape(self) -> TensorShape:
        """What is known of the shape."""
        return self.shape

    def nrows(self, out_type: Any = None, name: str | None = None) -> Tensor:
        """How many rows there are."""
        with name_scope(name, "RaggedNRows", []):
            known = self._row_splits.shape.as_list()[0]
            kind = as_dtype(out_type or self._row_splits.dtype)
            return shape_of(self._row_splits, out_type=kind)[0] - 1 if known is None else apply("Const", value=kind.numpy.type(known - 1), dtype=kind)  # type: ignore[union-attr]

    def row_starts(self, name: str | None = None) -> Tensor:
        """Where each row begins."""
        with name_scope(name, "RaggedRowStarts", []):
            return self._row_splits[:-1]

    def row_limits(self, name: str | None = None) -> Tensor:
        """Where each row ends."""
        with name_scope(name, "RaggedRowLimits", []):
            return self._row_splits[1:]

    def row_lengths(self, axis: int = 1, name: str | None = None) -> Any:
        """How long each row is, or those of an inner axis: ragged, then."""
        if axis > 1:
            return self.with_values(self._values.row_lengths(axis - 1, name))
        return self._row_splits[1:] - self._row_splits[:-1]

    def value_rowids(self, name: str | None = None) -> Tensor:
        """The number of the row that each value is in."""
        with name_scope(name, "RaggedValueRowIds", []):
            return row_splits_to_numbers(self._row_splits)

    def bounding_shape(self, axis: int | None = None, name: str | None = None, out_type: Any = None) -> Tensor:
        """The smallest dense shape that holds all rows."""
        with name_scope(name, "RaggedBoundingBox", []):
            kind = as_dtype(out_type or self._row_splits.dtype)
            rows, inner = shape_of(self._row_splits, out_type=kind), shape_of(self.flat_values, out_type=kind)
            sizes: list[Any] = [rows[0] - 1]
            sizes += [maximum(reduce_max(splits[1:] - splits[:-1]), 0) for splits in self.nested_row_splits]
            behind = inner[1:]
            whole = concat([stack([cast(size, kind) for size in sizes]), behind], 0)
            return whole if axis is None else whole[axis]

    def to_tensor(self, default_value: Any = None, name: str | None = None, shape: Any = None) -> Tensor:
        """A dense tensor, its rows filled up to the longest, or to a shape (`RaggedTensor.to_tensor`)."""
        with name_scope(name, "RaggedToTensor", []):
            values = self.flat_values
            default = zeros([], values.dtype) if default_value is None else convert_to_tensor(default_value, values.dtype, "default_value")
            sizes = -1 if shape is None else [-1 if size is None else size for size in TensorShape(shape).as_list()]
            parts = [values, default, list(self.nested_row_splits)]
            kinds = ["ROW_SPLITS"] * self.ragged_rank
            found = apply("RaggedTensorToTensor", constant(sizes, self._row_splits.dtype), *parts, row_partition_types=kinds)
            mine, wanted = self.shape, TensorShape(shape)
            if mine.rank is not None:
                known = (
                    mine.as_list() if wanted.rank is None else [a if b is None else b for a, b in zip(mine.as_list(), wanted.as_list(), strict=True)]
                )
                found.set_shape(known)
            return found

    def to_sparse(self, name: str | None = None) -> SparseTensor:
        """A sparse tensor of the same values (`RaggedTensor.to_sparse`)."""
        with name_scope(name, "RaggedToSparse", []):
            return SparseTensor(*apply_op("RaggedTensorToSparse", list(self.nested_row_splits), self.flat_values).outputs)

    @classmethod
    def from_sparse(cls, st_input: Any, name: str | None = None, row_splits_dtype: Any = "int64") -> RaggedTensor:
        """The rows of a sparse matrix, which has values at their beginnings only (`tf.RaggedTensor.from_sparse`)."""
        with name_scope(name, "RaggedFromSparse", []):
            kind = as_dtype(row_splits_dtype)
            return cls.from_value_rowids(st_input.values, cast(st_input.indices[:, 0], kind), cast(st_input.dense_shape[0], kind), validate=False)

    @classmethod
    def from_nested_row_lengths(cls, flat_values: Any, nested_row_lengths: Any, name: str | None = None, validate: bool = True) -> RaggedTensor:
        """Rows of rows, by their lengths at each level, outermost first; see `from_nested_row_splits`."""
        return _nested(cls.from_row_lengths, flat_values, nested_row_lengths, "nested_row_lengths", name)

    @classmethod
    def from_nested_value_rowids(
        cls, flat_values: Any, nested_value_rowids: Any, nested_nrows: Any = None, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Rows of rows, by the number of the row that each part is in, at each level, outermost first; see `from_nested_row_splits`."""
        counts = [None] * len(nested_value_rowids) if nested_nrows is None else list(nested_nrows)
        levels = list(zip(nested_value_rowids, counts, strict=True))
        return _nested(lambda values, level: cls.from_value_rowids(values, *level), flat_values, levels, "nested_value_rowids", name)

    def nested_row_lengths(self, name: str | None = None) -> tuple[Tensor, ...]:
        """How long the rows are, at each level."""
        return tuple(splits[1:] - splits[:-1] for splits in self.nested_row_splits)

    def nested_value_rowids(self, name: str | None = None) -> tuple[Tensor, ...]:
        """The number of the row that each part is in, at each level."""
        return tuple(map(row_splits_to_numbers, self.nested_row_splits))

    @property
    def uniform_row_length(self) -> Tensor | None:
        """None: rows may differ in length."""
        return None

    def with_row_splits_dtype(self, dtype: Any) -> RaggedTensor:
        """The same with ends of rows of another type: int32 or int64.

        Raises:
            ValueError: it is neither.
        """
        kind = as_dtype(dtype)
        if kind.name not in ("int32", "int64"):
            raise ValueError(f"Argument `row_splits` dtype must be int32 or int64. Received {kind!r}.")
        inner = self._values.with_row_splits_dtype(kind) if isinstance(self._values, RaggedTensor) else self._values
        return RaggedTensor(inner, cast(self._row_splits, kind))

    def to_list(self) -> Any:
        """Not in a graph: its value is computed in a session.

        Raises:
            ValueError: always.
        """
        raise ValueError("to_list can only be used in eager mode.")

    def numpy(self) -> Any:
        """Not in a graph: its value is computed in a session.

        Raises:
            ValueError: always.
        """
        raise ValueError("RaggedTensor.numpy() is only supported in eager mode.")

    def __bool__(self) -> bool:
        raise TypeError("RaggedTensor may not be used as a boolean.")

    def merge_dims(self, outer_axis: int, inner_axis: int) -> Any:
        """Neighbouring axes, from one to another, as one: a ragged tensor, or a tensor if none is left of the ragged ones.

        Raises:
            ValueError: there are no such axes.
        """
        with name_scope(None, "RaggedMergeDims", []):
            return merged(self, outer_axis, inner_axis)

    def with_values(self, new_values: Any) -> RaggedTensor:
        """The same rows with other values."""
        return RaggedTensor(_given(new_values), self._row_splits)

    def with_flat_values(self, new_values: Any) -> RaggedTensor:
        """The same rows with other innermost values."""
        inner = self._values.with_flat_values(new_values) if isinstance(self._values, RaggedTensor) else _given(new_values)
        return RaggedTensor(inner, self._row_splits)

    def consumers(self) -> list[Operation]:
        """The operations that take one of its tensors."""
        return list(dict.fromkeys(op for tensor in (self.flat_values, *self.nested_row_splits) for op in tensor.consumers()))

    def eval(self, feed_dict: Any = None, session: Any = None) -> RaggedTensorValue:
        """Its value, computed in a session; see `Tensor.eval`."""
        found: Any = self.flat_values.eval(feed_dict, session)
        for splits in reversed(self.nested_row_splits):
            found = RaggedTensorValue(found, splits.eval(feed_dict, session))
        return found  # type: ignore[no-any-return]  # there is a level

    def __getitem__(self, key: Any) -> Any:
        """A row (`ragged[3]`), some rows (`ragged[1:3]`), parts of each row (`ragged[:, :2]`), new axes; as of tensors.

        Raises:
            ValueError: a key picks one place of an axis whose rows differ in length.
        """
        with name_scope(None, "RaggedGetItem", []):
            return item(self, list(key) if isinstance(key, tuple) else [key])

    def __str__(self) -> str:
        return f"tf.RaggedTensor(values={self._values}, row_splits={self._row_splits})"

    __repr__ = __str__


def _operator(method: str) -> Callable[[RaggedTensor, Any], RaggedTensor]:
    def operate(self: RaggedTensor, other: Any) -> RaggedTensor:
        rows, (mine, others) = aligned([self, other])
        return rows.with_flat_values(getattr(mine, method)(others))

    return operate


def _unary(method: str) -> Callable[[RaggedTensor], RaggedTensor]:
    return lambda self: self.with_flat_values(getattr(self.flat_values, method)())


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor"):
    setattr(RaggedTensor, f"__{_name}__", _operator(f"__{_name}__"))
    setattr(RaggedTensor, f"__r{_name}__", _operator(f"__r{_name}__"))
for _name in ("lt", "le", "gt", "ge"):
    setattr(RaggedTensor, f"__{_name}__", _operator(f"__{_name}__"))
for _name in ("neg", "abs", "invert"):
    setattr(RaggedTensor, f"__{_name}__", _unary(f"__{_name}__"))


def rows_of(parts: Sequence[Tensor]) -> RaggedTensor:
    """Indices, values and shape of a sparse matrix that has values at the beginnings of its rows only, as a ragged tensor."""
    indices, values, shape = parts
    return RaggedTensor.from_value_rowids(values, indices[:, 0], nrows=shape[0], validate=False)


def _without_padding(tensor: Tensor, padding: Any, kind: DType) -> Tensor:
    """How long rows are, up to the last element that is no padding."""
    is_own = apply("NotEqual", tensor, convert_to_tensor(padding, tensor.dtype))
    inner = list(range(2, tensor.shape.rank or 2))
    found = apply("Any", is_own, constant(inner, "int32")) if inner else is_own
    ends = number_range(shape_of(found, out_type=kind)[1]) + 1
    return apply("Max", cast(found, kind) * ends, 1)


def _nested(make: Callable[[Any, Any], RaggedTensor], flat_values: Any, levels: Any, what: str, name: str | None) -> RaggedTensor:
    if isinstance(levels, Tensor):
        raise TypeError(f"Argument `{what}` must be a list of Tensors. Received {levels}.")
    with name_scope(name, "RaggedFromN" + what[1:].title().replace("_", ""), []):
        found = flat_values
        for level in reversed(list(levels)):
            found = make(found, level)
        return found  # type: ignore[no-any-return]


def _rows_of_matrix(matrix: Tensor, sizes: Tensor, kind: DType) -> RaggedTensor:
    rows, columns = matrix.shape.as_list()[:2]
    flat = reshape(matrix, concat([[sizes[0] * sizes[1]], sizes[2:]], 0))
    count = sizes[0] if rows is None else constant(rows, kind)
    length = sizes[1] if columns is None else constant(columns, kind)
    return RaggedTensor.from_uniform_row_length(flat, length, nrows=count, validate=False)


def _given(values: Any) -> Any:
    return values if isinstance(values, RaggedTensor) else convert_to_tensor(values, name="values")


def _integers(value: Any, name: str) -> Tensor:
    if isinstance(value, Tensor):
        return value if value.dtype.name == "int32" else cast(value, "int64")
    if isinstance(value, (list, tuple)) and any(isinstance(each, Tensor) for each in value):
        return cast(convert_to_tensor(value, name=name), "int64")
    array = np.asarray(value)
    return convert_to_tensor(array, "int32" if array.dtype == np.int32 else "int64", name)


def _checked(splits: Tensor) -> Tensor:
    known = constant_value(splits)
    if known is not None and (not known.size or known[0] != 0 or (np.diff(known) < 0).any()):
        raise ValueError(f"row_splits must begin with 0, and not decrease; they are {known.tolist()}")
    return splits


def _parts(value: RaggedTensor) -> tuple[list[Any], Any]:
    def joined(found: list[Any]) -> Any:
        values = found[0]
        for splits in reversed(found[1:]):
            values = RaggedTensorValue(values, splits)
        return values

    return [value.flat_values, *value.nested_row_splits], joined


register_fetch(RaggedTensor, _parts)
