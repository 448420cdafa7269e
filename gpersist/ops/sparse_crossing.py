"""Crosses of features: for each row, all combinations of one value of each column, as text or as a hash (`tf.sparse.cross`)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply_op, convert_to_tensor, sample
from gpersist.ops.casting import cast
from gpersist.ops.hashing import farm_fingerprint64, sip64
from gpersist.ops.kernels import shown
from gpersist.ops.ragged_rows import check_splits
from gpersist.ops.sparse_structure import INDICES, SHAPE
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.ops.texts import scalar, text_vector
from gpersist.shapes import TensorShape

__all__ = ["sparse_cross", "sparse_cross_hashed"]

HASH_KEY = 0xDECAFCAFFE
_ALL_BITS = (1 << 64) - 1
_MULTIPLIER = 0xC6A4A7935BD1E995
_LARGEST = (1 << 63) - 1

Rows = list[list[Any]]
"""The values of a column, row by row."""


def _joined_hashes(one: int, other: int) -> int:
    """Two fingerprints as one (`FingerprintCat64`)."""
    found = one ^ _MULTIPLIER
    found ^= _shift_mixed(other * _MULTIPLIER & _ALL_BITS) * _MULTIPLIER & _ALL_BITS
    found = found * _MULTIPLIER & _ALL_BITS
    return _shift_mixed(_shift_mixed(found) * _MULTIPLIER & _ALL_BITS)


def _shift_mixed(value: int) -> int:
    return value ^ value >> 47


def _number_of(value: Any) -> int:
    return farm_fingerprint64(value) if isinstance(value, bytes) else value & _ALL_BITS


def _bounded(value: int, buckets: int) -> int:
    return value % (buckets if buckets > 0 else _LARGEST)


def _hashed(key: int, buckets: int) -> Callable[[Sequence[Any]], int]:
    def hashed(values: Sequence[Any]) -> int:
        found = key & _ALL_BITS
        for value in values:
            found = _joined_hashes(found, _number_of(value))
        return _bounded(found, buckets)

    return hashed


def _hashed_by(number_of: Callable[[Any], int], buckets: int) -> Callable[[Sequence[Any]], int]:
    def hashed(values: Sequence[Any]) -> int:
        found = number_of(values[0])
        for value in values[1:]:
            found = _joined_hashes(found, number_of(value))
        return _bounded(found, buckets)

    return hashed


def _joined_by(separator: bytes) -> Callable[[Sequence[Any]], bytes]:
    return lambda values: separator.join(value if isinstance(value, bytes) else b"%d" % value for value in values)


def _sparse_rows(indices: Sequence[Any], values: Sequence[Any], shapes: Sequence[Any], rows: int) -> list[Rows]:
    found: list[Rows] = []
    for places, column in zip(indices, values, strict=True):
        texts: Rows = [[] for _ in range(rows)]
        for row, value in zip(places[:, 0].tolist(), column.tolist(), strict=True):
            if not 0 <= row < rows:
                raise InvalidArgumentError(f"row index {row} is outside of the batch, of {rows} rows")
            texts[row].append(value)
        found.append(texts)
    return found


def _check(indices: Sequence[Any], values: Sequence[Any], shapes: Sequence[Any], dense: Sequence[Any]) -> int:
    """Holds the columns against each other; gives the number of rows.

    Raises:
        InvalidArgumentError: they don't go together.
    """
    sizes: list[tuple[int, str]] = []
    for number, (places, column, shape) in enumerate(zip(indices, values, shapes, strict=True)):
        if places.ndim != 2:
            raise InvalidArgumentError(f"Input indices should be a matrix but received shape {shown(places.shape)} at position {number}")
        if places.shape[1] != 2:
            raise InvalidArgumentError(f"Expected D2 of index to be 2 got {places.shape[1]} at position {number}")
        if column.ndim != 1 or shape.ndim != 1 or len(shape) != 2:
            raise InvalidArgumentError(f"Input values should be a vector and shapes of 2 elements at position {number}")
        if len(places) != len(column):
            raise InvalidArgumentError(f"Expected size of values to be {len(places)} got {len(column)} at position {number}")
        sizes.append((int(shape[0]), f"input {number}"))
    for number, table in enumerate(dense):
        if table.ndim != 2:
            raise InvalidArgumentError(f"Dense inputs should be a matrix but received shape {shown(table.shape)} at position {number}")
        sizes.append((len(table), f"dense tensor {number}"))
    rows = sizes[0][0] if sizes else 0
    for size, where in sizes:
        if size != rows:
            raise InvalidArgumentError(f"Expected batch size {rows} got {size} at {where}")
    return rows


def _crossed(columns: Sequence[Rows], rows: int, made_of: Callable[[Sequence[Any]], Any], is_text: bool) -> tuple[Any, Any, Any]:
    found: list[Any] = []
    places: list[tuple[int, int]] = []
    for row in range(rows):
        crosses = [made_of(each) for each in itertools.product(*(column[row] for column in columns))]
        places += [(row, number) for number in range(len(crosses))]
        found += crosses
    longest = max((number + 1 for _, number in places), default=0)
    values = text_vector(*found) if is_text else np.array(found, np.int64)
    return np.array(places, np.int64).reshape(-1, 2), values, np.array([rows, longest], np.int64)


def _shapes(op: Operation) -> list[TensorShape]:
    return [TensorShape([None, 2]), TensorShape([None]), TensorShape([2])]


_INPUTS = "indices: N * int64, values: sparse_types, shapes: N * int64, dense_inputs: dense_types"
_TYPES = "sparse_types: list({int64, string}) >= 0, dense_types: list({int64, string}) >= 0"
_SAMPLE: Any = ([INDICES], [text_vector(b"a", b"b", b"c", b"d")], [SHAPE], [np.array([[5], [6], [7], [8]])])


class SparseCross(OpType):
    """Crosses of sparse and dense columns."""

    inputs = _INPUTS
    outputs = "output_indices: int64, output_values: out_type, output_shape: int64"
    attrs = (
        f"N: int >= 0, hashed_output: bool, num_buckets: int >= 0, hash_key: int, {_TYPES}, out_type: {{int64, string}}, "
        "internal_type: {int64, string}"
    )
    is_host_only = True
    samples = (
        sample(*_SAMPLE, hashed_output=True, num_buckets=100, hash_key=HASH_KEY, out_type="int64", internal_type="int64"),
        sample(*_SAMPLE, hashed_output=False, num_buckets=0, hash_key=HASH_KEY, out_type="string", internal_type="int64"),
    )
    shapes = staticmethod(_shapes)

    @staticmethod
    def run(
        xp: Any,
        indices: list[Any],
        values: list[Any],
        shapes: list[Any],
        dense_inputs: list[Any],
        *,
        hashed_output: bool,
        num_buckets: int,
        hash_key: int,
        internal_type: DType,
    ) -> tuple[Any, Any, Any]:
        if internal_type.is_string and any(column.dtype != object for column in (*values, *dense_inputs)):
            raise InvalidArgumentError("Dense inputs should be of internal type string but received int64")
        rows = _check(indices, values, shapes, dense_inputs)
        columns = _sparse_rows(indices, values, shapes, rows) + [table.tolist() for table in dense_inputs]
        return _crossed(columns, rows, _hashed(hash_key, num_buckets) if hashed_output else _joined_by(b"_X_"), not hashed_output)


class SparseCrossV2(OpType):
    """Crosses of sparse and dense columns, as text with a separator."""

    inputs = f"{_INPUTS}, sep: string"
    outputs = "output_indices: int64, output_values: string, output_shape: int64"
    attrs = f"N: int >= 0, {_TYPES}"
    is_host_only = True
    samples = (sample(*_SAMPLE, np.array(b"-", object)),)
    shapes = staticmethod(_shapes)

    @staticmethod
    def run(xp: Any, indices: list[Any], values: list[Any], shapes: list[Any], dense_inputs: list[Any], sep: Any) -> tuple[Any, Any, Any]:
        rows = _check(indices, values, shapes, dense_inputs)
        columns = _sparse_rows(indices, values, shapes, rows) + [table.tolist() for table in dense_inputs]
        return _crossed(columns, rows, _joined_by(scalar(sep)[()]), True)


class SparseCrossHashed(OpType):
    """Crosses of sparse and dense columns, as hashes."""

    inputs = f"{_INPUTS}, num_buckets: int64, strong_hash: bool, salt: int64"
    outputs = "output_indices: int64, output_values: int64, output_shape: int64"
    attrs = SparseCrossV2.attrs
    is_host_only = True
    samples = (sample(*_SAMPLE, np.int64(100), np.bool_(False), np.array([1, 2])),)
    shapes = staticmethod(_shapes)

    @staticmethod
    def run(
        xp: Any,
        indices: list[Any],
        values: list[Any],
        shapes: list[Any],
        dense_inputs: list[Any],
        num_buckets: Any,
        strong_hash: Any,
        salt: Any,
    ) -> tuple[Any, Any, Any]:
        rows = _check(indices, values, shapes, dense_inputs)
        columns = _sparse_rows(indices, values, shapes, rows) + [table.tolist() for table in dense_inputs]
        keys = [int(key) & _ALL_BITS for key in np.reshape(salt, -1)]

        def strong(value: Any) -> int:
            return sip64(value if isinstance(value, bytes) else b"%d" % value, keys[0], keys[1])

        return _crossed(columns, rows, _hashed_by(strong if strong_hash else _number_of, int(num_buckets)), False)


class RaggedCross(OpType):
    """Crosses of ragged, sparse and dense columns, as a ragged tensor."""

    inputs = (
        "ragged_values: ragged_values_types, ragged_row_splits: ragged_splits_types, sparse_indices: Nsparse * int64, "
        "sparse_values: sparse_values_types, sparse_shape: Nsparse * int64, dense_inputs: dense_types"
    )
    outputs = "output_values: out_values_type, output_row_splits: out_row_splits_type"
    attrs = (
        "Nsparse: int >= 0, input_order: string, hashed_output: bool, num_buckets: int >= 0, hash_key: int, "
        "ragged_values_types: list({int64, string}) >= 0, ragged_splits_types: list({int32, int64}) >= 0, "
        "sparse_values_types: list({int64, string}) >= 0, dense_types: list({int64, string}) >= 0, out_values_type: {int64, string}, "
        "out_row_splits_type: {int32, int64}"
    )
    is_host_only = True
    samples = (
        sample(
            [text_vector(b"a", b"b", b"c", b"d")],
            [np.array([0, 2, 3, 4, 4])],
            *_SAMPLE,
            input_order="RSD",
            hashed_output=True,
            num_buckets=0,
            hash_key=7,
            out_values_type="int64",
            out_row_splits_type="int64",
        ),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        ragged, sparse = len(op.attr("ragged_values_types")), op.attr("Nsparse")
        known: list[int | None] = []
        for tensor in op._inputs[ragged : 2 * ragged]:
            size = tensor.shape.with_rank(1).as_list()[0]
            known.append(size)
        for tensor in op._inputs[2 * ragged + 3 * sparse :]:
            rows = tensor.shape.with_rank(2).as_list()[0]
            known.append(None if rows is None else rows + 1)
        return [TensorShape([None]), TensorShape([next((size for size in known if size is not None), None)])]

    @staticmethod
    def run(
        xp: Any,
        ragged_values: list[Any],
        ragged_splits: list[Any],
        sparse_indices: list[Any],
        sparse_values: list[Any],
        sparse_shapes: list[Any],
        dense_inputs: list[Any],
        *,
        input_order: bytes,
        hashed_output: bool,
        num_buckets: int,
        hash_key: int,
        out_row_splits_type: DType,
    ) -> tuple[Any, Any]:
        for values, splits in zip(ragged_values, ragged_splits, strict=True):
            check_splits(splits, len(values))
        known = [*(len(splits) - 1 for splits in ragged_splits), *(int(shape[0]) for shape in sparse_shapes), *map(len, dense_inputs)]
        if len(set(known)) > 1:
            raise InvalidArgumentError(f"inputs must all have the same batch dimension size, not {known}")
        rows = _check(sparse_indices, sparse_values, sparse_shapes, dense_inputs) if sparse_indices or dense_inputs else (known or [0])[0]
        by_kind = {
            "R": [
                [values[start:end].tolist() for start, end in itertools.pairwise(splits.tolist())]
                for values, splits in zip(ragged_values, ragged_splits, strict=True)
            ],
            "S": _sparse_rows(sparse_indices, sparse_values, sparse_shapes, rows),
            "D": [table.tolist() for table in dense_inputs],
        }
        columns = [by_kind[kind].pop(0) for kind in input_order.decode()]
        places, values, _ = _crossed(columns, rows, _hashed(hash_key, num_buckets) if hashed_output else _joined_by(b"_X_"), not hashed_output)
        counts = np.bincount(places[:, 0], minlength=rows) if rows else np.zeros(0, np.int64)
        return values, np.concatenate([[0], np.cumsum(counts)]).astype(out_row_splits_type.numpy)


def columns_of(inputs: Any) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Indices, values and shapes of the sparse columns, and the dense columns; numbers as int64."""
    sparse = [each for each in inputs if isinstance(each, SparseTensor)]
    dense = [each for each in inputs if not isinstance(each, SparseTensor)]
    values = [each.values if each.dtype.is_string else cast(each.values, "int64") for each in sparse]
    tables = [each if each.dtype.is_string else cast(each, "int64") for each in dense]
    return [each.indices for each in sparse], values, [each.dense_shape for each in sparse], tables


def _check_columns(inputs: Any, told: str) -> None:
    if not isinstance(inputs, (tuple, list)):
        raise TypeError("Inputs must be a list")
    if not all(isinstance(each, (SparseTensor, Tensor)) for each in inputs):
        raise TypeError(told)


def sparse_cross(inputs: Any, name: str | None = None, separator: Any = None) -> SparseTensor:
    """All combinations of the columns' values, row by row, as text (`tf.sparse.cross`).

    Args:
        inputs: columns, each a matrix, sparse or dense, of text or integers.
        name: of the node.
        separator: what stands between values; "_X_" by default.

    Raises:
        TypeError: no list, or something in it that is no tensor.
    """
    mark = convert_to_tensor("_X_" if separator is None else separator, "string")
    _check_columns(inputs, "All inputs must be Tensor or SparseTensor.")
    return SparseTensor(*apply_op("SparseCrossV2", *columns_of(inputs), mark, name=name).outputs)


def sparse_cross_hashed(inputs: Any, num_buckets: int = 0, hash_key: int | None = None, name: str | None = None) -> SparseTensor:
    """All combinations of the columns' values, row by row, as hashes (`tf.sparse.cross_hashed`): below `num_buckets`, if that is not 0.

    Raises:
        TypeError: no list, or something in it that is no tensor.
    """
    _check_columns(inputs, "All inputs must be SparseTensors")
    columns = columns_of(inputs)
    is_text = all(each.dtype.is_string for each in (*columns[1], *columns[3]))
    op = apply_op(
        "SparseCross",
        *columns,
        hashed_output=True,
        num_buckets=num_buckets,
        hash_key=hash_key or HASH_KEY,
        out_type="int64",
        internal_type="string" if is_text else "int64",
        name=name,
    )
    return SparseTensor(*op.outputs)
