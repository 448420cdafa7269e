"""Serialized `Example` messages taken apart into tensors; `parsing` has the functions that add these operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.message import DecodeError

from gpersist import protos
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, sample
from gpersist.ops.kernels import as_array, shown
from gpersist.ops.texts import TextOpType, scalar, text_vector
from gpersist.shapes import TensorShape, element_count

_LISTS = {"float32": "float_list", "int64": "int64_list", "string": "bytes_list"}
_SAMPLE = b"\x0a\x0f\x0a\x0d\x0a\x01x\x12\x08\x12\x06\x0a\x04\x00\x00\x80?"
"""An Example whose feature "x" is [1.0]."""


class Dense(NamedTuple):
    """A feature that each example has as many values of, or that is filled up."""

    key: bytes
    dtype: DType
    shape: TensorShape
    default: Any


class ParseExample(TextOpType):
    """A batch of examples as tensors."""

    inputs = "serialized: string, names: string, sparse_keys: Nsparse * string, dense_keys: Ndense * string, dense_defaults: Tdense"
    outputs = "sparse_indices: Nsparse * int64, sparse_values: sparse_types, sparse_shapes: Nsparse * int64, dense_values: Tdense"
    attrs = (
        "Nsparse: int >= 0, Ndense: int >= 0, sparse_types: list({float, int64, string}) >= 0, Tdense: list({float, int64, string}) >= 0, "
        "dense_shapes: list(shape) >= 0"
    )
    samples = (
        sample(
            text_vector(_SAMPLE, b""),
            text_vector(),
            [np.array(b"x", object)],
            [np.array(b"x", object)],
            [np.array([5.0], np.float32)],
            sparse_types=["float32"],
            dense_shapes=[[1]],
        ),
    )
    vectors = ("serialized", "names")

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return _shapes(op, op._inputs[0].shape)

    @staticmethod
    def run(
        xp: Any,
        serialized: Any,
        names: Any,
        sparse_keys: list[Any],
        dense_keys: list[Any],
        defaults: list[Any],
        *,
        sparse_types: list[DType],
        Tdense: list[DType],  # noqa: N803  # TensorFlow's attribute
        dense_shapes: list[TensorShape],
    ) -> Any:
        return _batch(
            serialized,
            names,
            [scalar(key)[()] for key in sparse_keys],
            sparse_types,
            [scalar(key)[()] for key in dense_keys],
            Tdense,
            dense_shapes,
            defaults,
        )


class ParseExampleV2(TextOpType):
    """A batch of examples, or one, as tensors."""

    inputs = "serialized: string, names: string, sparse_keys: string, dense_keys: string, ragged_keys: string, dense_defaults: Tdense"
    outputs = (
        "sparse_indices: num_sparse * int64, sparse_values: sparse_types, sparse_shapes: num_sparse * int64, dense_values: Tdense, "
        "ragged_values: ragged_value_types, ragged_row_splits: ragged_split_types"
    )
    attrs = (
        "Tdense: list({float, int64, string}) >= 0, num_sparse: int >= 0, sparse_types: list({float, int64, string}) >= 0, "
        "ragged_value_types: list({float, int64, string}) >= 0, ragged_split_types: list({int32, int64}) >= 0, dense_shapes: list(shape) >= 0"
    )
    samples = (
        *(
            sample(
                serialized,
                text_vector(),
                text_vector(b"x"),
                text_vector(b"x"),
                text_vector(),
                [np.array([5.0], np.float32)],
                num_sparse=1,
                sparse_types=["float32"],
                ragged_value_types=[],
                ragged_split_types=[],
                dense_shapes=[[1]],
            )
            for serialized in (text_vector(_SAMPLE, b""), np.array(_SAMPLE, object))
        ),
        sample(
            text_vector(_SAMPLE, b""),
            text_vector(),
            text_vector(),
            text_vector(),
            text_vector(b"x"),
            [],
            num_sparse=0,
            sparse_types=[],
            Tdense=[],
            ragged_value_types=["float32"],
            ragged_split_types=["int32"],
            dense_shapes=[],
        ),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        serialized = op._inputs[0].shape
        count = len(op.attr("ragged_value_types"))
        rows = serialized.as_list()[0] if serialized.rank else None
        ends = TensorShape([None if rows is None else rows + 1])
        found = _shapes(op, serialized)
        if serialized.rank is None:
            sparse, dense = len(op.attr("sparse_types")), len(op.attr("dense_shapes"))
            found = [*[TensorShape([None, None])] * sparse, *[TensorShape([None])] * (2 * sparse), *[TensorShape(None)] * dense]
        return [*found, *[TensorShape([None])] * count, *[ends] * count]

    @staticmethod
    def run(
        xp: Any,
        serialized: Any,
        names: Any,
        sparse_keys: Any,
        dense_keys: Any,
        ragged_keys: Any,
        defaults: list[Any],
        *,
        sparse_types: list[DType],
        Tdense: list[DType],  # noqa: N803  # TensorFlow's attribute
        ragged_value_types: list[DType],
        ragged_split_types: list[DType],
        dense_shapes: list[TensorShape],
    ) -> Any:
        found = _batch(serialized, names, sparse_keys.tolist(), sparse_types, dense_keys.tolist(), Tdense, dense_shapes, defaults)
        texts = scalar(serialized)
        called = ["<unknown>"] * texts.size
        features = [_features(text, name) for text, name in zip(texts.reshape(-1).tolist(), called, strict=True)] if ragged_keys.size else []
        ragged = [
            ragged_of(features, called, *parts, bool(texts.ndim))
            for parts in zip(ragged_keys.tolist(), ragged_value_types, ragged_split_types, strict=True)
        ]
        return [*found, *(values for values, _ in ragged), *(splits for _, splits in ragged)]


class ParseSingleExample(TextOpType):
    """One example as tensors."""

    inputs = "serialized: string, dense_defaults: Tdense"
    outputs = "sparse_indices: num_sparse * int64, sparse_values: sparse_types, sparse_shapes: num_sparse * int64, dense_values: Tdense"
    attrs = (
        "num_sparse: int >= 0, sparse_keys: list(string) >= 0, dense_keys: list(string) >= 0, sparse_types: list({float, int64, string}) >= 0, "
        "Tdense: list({float, int64, string}) >= 0, dense_shapes: list(shape) >= 0"
    )
    samples = (
        sample(
            np.array(_SAMPLE, object),
            [np.array([5.0], np.float32)],
            num_sparse=1,
            sparse_keys=["x"],
            dense_keys=["x"],
            sparse_types=["float32"],
            dense_shapes=[[1]],
        ),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return _shapes(op, op._inputs[0].shape.with_rank(0))

    @staticmethod
    def run(
        xp: Any,
        serialized: Any,
        defaults: list[Any],
        *,
        sparse_keys: list[bytes],
        dense_keys: list[bytes],
        sparse_types: list[DType],
        Tdense: list[DType],  # noqa: N803  # TensorFlow's attribute
        dense_shapes: list[TensorShape],
    ) -> Any:
        return _batch(serialized, text_vector(), sparse_keys, sparse_types, dense_keys, Tdense, dense_shapes, defaults)


def _shapes(op: Operation, serialized: TensorShape) -> list[TensorShape]:
    count, rank = len(op.attr("sparse_types")), 2 if serialized.rank is None else serialized.rank + 1
    if serialized.rank not in (None, 0, 1):
        raise ValueError(f"Shape must be at most rank 1 but is rank {serialized.rank}")
    batch = TensorShape([None]) if serialized.rank is None else serialized
    return [
        *[TensorShape([None, rank])] * count,
        *[TensorShape([None])] * count,
        *[TensorShape([rank])] * count,
        *[batch.concatenate(shape) for shape in op.attr("dense_shapes")],
    ]


def _batch(
    serialized: Any,
    names: Any,
    sparse_keys: Sequence[bytes],
    sparse_types: Sequence[DType],
    dense_keys: Sequence[bytes],
    dense_types: Sequence[DType],
    dense_shapes: Sequence[TensorShape],
    defaults: Sequence[Any],
) -> list[Any]:
    texts = scalar(serialized)
    if texts.ndim > 1:
        raise InvalidArgumentError(f"Expected serialized to be a scalar or vector, got shape: {shown(texts.shape)}")
    called = [name.decode("utf-8", "replace") for name in scalar(names).reshape(-1).tolist()] or ["<unknown>"] * texts.size
    if len(called) != texts.size:
        raise InvalidArgumentError(f"Expected len(names) == len(serialized), but got: {len(called)} vs. {texts.size}")
    for number, (shape, default) in enumerate(zip(dense_shapes, defaults, strict=True)):
        _check_default(number, shape, np.asarray(default))
    features = [_features(text, name) for text, name in zip(texts.reshape(-1).tolist(), called, strict=True)]
    sparse = [sparse_of(features, called, key, dtype, texts.ndim) for key, dtype in zip(sparse_keys, sparse_types, strict=True)]
    dense = [dense_of(features, called, Dense(*parts), texts.shape) for parts in zip(dense_keys, dense_types, dense_shapes, defaults, strict=True)]
    return [*(found[0] for found in sparse), *(found[1] for found in sparse), *(found[2] for found in sparse), *dense]


def _check_default(number: int, shape: TensorShape, default: Any) -> None:
    is_variable = bool(shape.rank) and shape.as_list()[0] is None
    if is_variable and default.size != 1:
        raise InvalidArgumentError(
            f"dense_shape[{number}] is a variable length shape: {shown(shape.as_list())}, therefore def_value[{number}] must contain a single "
            f"element (the padding element).  But its shape is: {shown(default.shape)}"
        )
    if not is_variable and default.size and not shape.is_compatible_with(default.shape):
        raise InvalidArgumentError(
            f"def_value[{number}].shape() == {shown(default.shape)} is not compatible with dense_shapes_[{number}] == {shown(shape.as_list())}"
        )


def _features(text: bytes, name: str) -> Any:
    try:
        return protos.Example.FromString(text).features.feature
    except DecodeError:
        raise InvalidArgumentError(f"Name: {name}: could not parse example input of {len(text)} bytes: they are no tensorflow.Example") from None


def values_of(features: Any, key: bytes, dtype: DType, name: str) -> Any:
    """The values of a feature of one example; None where it has none."""
    text = key.decode("utf-8", "replace")
    if text not in features:
        return None
    feature = features[text]
    kind = feature.WhichOneof("kind")
    if kind is None:
        return None
    if kind != _LISTS[dtype.name]:
        found = next(type_name for type_name, list_name in _LISTS.items() if list_name == kind)
        raise InvalidArgumentError(f"Name: {name}, Key: {text}.  Data types don't match. Expected type: {dtype.name}, found: {found}")
    return getattr(feature, kind).value


def sparse_of(features: Sequence[Any], names: Sequence[str], key: bytes, dtype: DType, rank: int) -> tuple[Any, Any, Any]:
    """The values of a feature of all examples, as the parts of a sparse tensor."""
    rows = [values_of(each, key, dtype, name) or () for each, name in zip(features, names, strict=True)]
    counts = [len(row) for row in rows]
    values = _joined(rows, dtype)
    columns = np.array([column for count in counts for column in range(count)], np.int64)
    longest = max(counts, default=0)
    if not rank:
        return columns[:, None], values, np.array([longest], np.int64)
    return np.stack([np.repeat(np.arange(len(rows)), counts), columns], 1), values, np.array([len(rows), longest], np.int64)


def _joined(rows: Sequence[Sequence[Any]], dtype: DType) -> Any:
    found = np.empty(sum(map(len, rows)), object if dtype.is_string else dtype.numpy)
    found[:] = [value for row in rows for value in row]
    return found


def ragged_of(features: Sequence[Any], names: Sequence[str], key: bytes, dtype: DType, splits: DType, is_batch: bool) -> tuple[Any, Any]:
    """The values of a feature of all examples, and where those of each end; of one example, there are no ends."""
    rows = [values_of(each, key, dtype, name) or () for each, name in zip(features, names, strict=True)]
    ends = np.cumsum([0, *map(len, rows)]) if is_batch else np.zeros(0)
    return _joined(rows, dtype), ends.astype(splits.numpy)


def dense_of(features: Sequence[Any], names: Sequence[str], wanted: Dense, batch: tuple[int, ...]) -> Any:
    """The values of a feature that each example has as many of, or that is filled up."""
    rows = [values_of(each, wanted.key, wanted.dtype, name) for each, name in zip(features, names, strict=True)]
    sizes = wanted.shape.as_list()
    default = as_array(np, wanted.default).reshape(-1)
    key = wanted.key.decode("utf-8", "replace")
    is_variable = bool(sizes) and sizes[0] is None
    inner = element_count([size or 0 for size in (sizes[1:] if is_variable else sizes)])
    if is_variable:
        longest = max((len(row) for row in rows if row is not None), default=0)
        for row, name in zip(rows, names, strict=True):
            if row is not None and inner and len(row) % inner:
                raise InvalidArgumentError(f"Name: {name}, Key: {key}: {len(row)} values do not fill elements of shape {shown(sizes[1:])}")
        shape = (*batch, longest // inner if inner else 0, *(size or 0 for size in sizes[1:]))
    else:
        longest, shape = inner, (*batch, *(size or 0 for size in sizes))
    table = np.empty((len(rows), longest), object if wanted.dtype.is_string else wanted.dtype.numpy)
    for number, (row, name) in enumerate(zip(rows, names, strict=True)):
        if is_variable:
            table[number, :] = default[0] if default.size else (b"" if wanted.dtype.is_string else 0)
            table[number, : len(row or ())] = list(row or ())
        elif row is None:
            if default.size != longest:
                raise InvalidArgumentError(f"Name: {name}, Feature: {key} (data type: {wanted.dtype.name}) is required but could not be found.")
            table[number] = default
        elif len(row) != longest:
            raise InvalidArgumentError(
                f"Name: {name}, Key: {key}, Index: {number}.  Number of {wanted.dtype.name} values != expected.  values size: {len(row)} but "
                f"output shape: {shown(sizes)}"
            )
        else:
            table[number] = list(row)
    return table.reshape(shape)
