"""Serialized `SequenceExample` messages taken apart into tensors; `sequence_parsing` has the functions that add these operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.message import DecodeError

from gpersist import protos
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, sample
from gpersist.ops.examples import Dense, dense_of, ragged_of, sparse_of, values_of
from gpersist.ops.kernels import shown
from gpersist.ops.texts import TextOpType, scalar, text_vector
from gpersist.shapes import TensorShape, element_count

_SAMPLE = (
    b"\n\x19\n\x0b\n\x01a\x12\x06\x1a\x04\n\x02\x01\x02\n\n\n\x01s\x12\x05\n\x03\n\x01x\x12:\n\x15\n\x01d\x12\x10\n\x06\x1a\x04\n\x02\x01\x02\n\x06"
    b"\x1a\x04\n\x02\x03\x04\n!\n\x01f\x12\x1c\n\x0c\x12\n\n\x08\x00\x00\x80?\x00\x00\x00@\n\x08\x12\x06\n\x04\x00\x00@@\n\x02\x12\x00"
)
"""A SequenceExample of a = [1, 2], s = ["x"] and the lists d = [[1, 2], [3, 4]], f = [[1, 2], [3], []]."""

_KINDS = "list({float, int64, string}) >= 0 = []"
_SHAPES = "list(shape) >= 0 = []"


class _Keys(NamedTuple):
    """What is asked for, by kind: keys and types."""

    sparse: Sequence[tuple[bytes, DType]]
    dense: Sequence[tuple[bytes, DType, TensorShape]]
    ragged: Sequence[tuple[bytes, DType, DType]] = ()


def _read(serialized: Any, names: Any) -> tuple[list[Any], list[str]]:
    texts = scalar(serialized)
    if texts.ndim > 1:
        raise InvalidArgumentError(f"Expected serialized to be a scalar or vector, got shape: {shown(texts.shape)}")
    called = [name.decode("utf-8", "replace") for name in scalar(names).reshape(-1).tolist()] or ["<unknown>"] * texts.size
    if len(called) != texts.size:
        raise InvalidArgumentError(f"Expected len(debug_name) == len(serialized), but got: {len(called)} vs. {texts.size}")
    found = []
    for text, name in zip(texts.reshape(-1).tolist(), called, strict=True):
        try:
            found.append(protos.SequenceExample.FromString(text))
        except DecodeError:
            raise InvalidArgumentError(f"Name: {name}: could not parse example input of {len(text)} bytes: they are no SequenceExample") from None
    return found, called


def _lists(messages: Sequence[Any], names: Sequence[str], key: bytes, dtype: DType) -> list[list[Any] | None]:
    """The values of a feature list of each example, step by step; None where it has none."""
    text = key.decode("utf-8", "replace")
    found: list[list[Any] | None] = []
    for message, name in zip(messages, names, strict=True):
        lists = message.feature_lists.feature_list
        if text not in lists:
            found.append(None)
            continue
        steps = [values_of({text: step}, key, dtype, f"{name}, Index: {number}") for number, step in enumerate(lists[text].feature)]
        found.append([() if step is None else step for step in steps])
    return found


def _flat(rows: Sequence[Any], dtype: DType) -> Any:
    values = [value for row in rows for value in row]
    found = np.empty(len(values), object if dtype.is_string else dtype.numpy)
    found[:] = values
    return found


def _sparse_lists(lists: Sequence[Any], dtype: DType, is_batch: bool) -> tuple[Any, Any, Any]:
    places: list[tuple[int, ...]] = []
    for number, steps in enumerate(lists):
        for step, values in enumerate(steps or ()):
            places += [(number, step, column) if is_batch else (step, column) for column in range(len(values))]
    values = _flat([step for steps in lists for step in steps or ()], dtype)
    longest = [max((len(steps or ()) for steps in lists), default=0), max((len(step) for steps in lists for step in steps or ()), default=0)]
    rank = 3 if is_batch else 2
    return np.array(places, np.int64).reshape(-1, rank), values, np.array([len(lists), *longest] if is_batch else longest, np.int64)


def _dense_lists(
    lists: Sequence[Any], names: Sequence[str], key: bytes, dtype: DType, shape: TensorShape, may_miss: bool, is_batch: bool
) -> tuple[Any, Any]:
    sizes = [size or 0 for size in shape.as_list()]
    count, text = element_count(sizes), key.decode("utf-8", "replace")
    longest = max((len(steps or ()) for steps in lists), default=0)
    found = np.zeros((len(lists), longest, count), object if dtype.is_string else dtype.numpy)
    if dtype.is_string:
        found[...] = b""
    lengths = np.zeros(len(lists), np.int64)
    for number, (steps, name) in enumerate(zip(lists, names, strict=True)):
        if steps is None and not may_miss:
            raise InvalidArgumentError(
                f"Name: {name}, Feature list '{text}' is required but could not be found.  Did you mean to include it in "
                "feature_list_dense_missing_assumed_empty or feature_list_dense_defaults?"
            )
        lengths[number] = len(steps or ())
        for step, values in enumerate(steps or ()):
            if len(values) != count:
                raise InvalidArgumentError(
                    f"Name: {name}, Key: {text}, Index: {step}.  Number of values != expected.  values size: {len(values)} but output shape: "
                    f"{shown(sizes)}"
                )
            found[number, step] = list(values)
    found = found.reshape(len(lists), longest, *sizes)
    return (found, lengths) if is_batch else (found[0], lengths[0])


def _ragged_lists(lists: Sequence[Any], dtype: DType, splits: DType) -> tuple[Any, Any, Any]:
    inner = np.cumsum([0, *(len(step) for steps in lists for step in steps or ())]).astype(splits.numpy)
    outer = np.cumsum([0, *(len(steps or ()) for steps in lists)]).astype(splits.numpy)
    return _flat([step for steps in lists for step in steps or ()], dtype), outer, inner


def _parsed(
    serialized: Any, names: Any, context: _Keys, defaults: Sequence[Any], lists: _Keys, missing: Sequence[bool], *, has_lengths: bool
) -> list[Any]:
    messages, called = _read(serialized, names)
    shape = scalar(serialized).shape
    is_batch = bool(shape)
    features = [message.context.feature for message in messages]
    sparse = [sparse_of(features, called, key, dtype, len(shape)) for key, dtype in context.sparse]
    dense = [dense_of(features, called, Dense(*parts, default), shape) for parts, default in zip(context.dense, defaults, strict=True)]
    ragged = [ragged_of(features, called, *parts, is_batch) for parts in context.ragged]
    of_lists = [_sparse_lists(_lists(messages, called, key, dtype), dtype, is_batch) for key, dtype in lists.sparse]
    dense_lists = [
        _dense_lists(_lists(messages, called, key, dtype), called, key, dtype, size, may_miss, is_batch)
        for (key, dtype, size), may_miss in zip(lists.dense, missing, strict=True)
    ]
    ragged_lists = [_ragged_lists(_lists(messages, called, key, dtype), dtype, splits) for key, dtype, splits in lists.ragged]
    empty = np.zeros(0, np.int64)
    return [
        *_columns(sparse, 3),
        *dense,
        *(part for part in _columns(ragged, 2)),
        *_columns(of_lists, 3),
        *(values for values, _ in dense_lists),
        *((lengths for _, lengths in dense_lists) if has_lengths else ()),
        *(values for values, _, _ in ragged_lists),
        *(outer if is_batch else empty.astype(outer.dtype) for _, outer, _ in ragged_lists),
        *(inner for _, _, inner in ragged_lists),
    ]


def _columns(rows: Sequence[Sequence[Any]], count: int) -> list[Any]:
    return [row[column] for column in range(count) for row in rows]


def _shapes(op: Operation, batch: TensorShape, *, ragged: Sequence[int] = (0, 0), has_lengths: bool = True) -> list[TensorShape]:
    """The shapes of what is found for examples in a shape."""
    known = batch.rank
    rank = None if known is None else known + 1
    inner = None if known is None else known + 2
    sparse, lists = len(op.attr("context_sparse_types")), len(op.attr("feature_list_sparse_types"))
    rows = batch.as_list()[0] if known else None
    splits = TensorShape([rows + 1]) if rows is not None else TensorShape([None])
    steps = batch.concatenate([None])
    return [
        *[TensorShape([None, rank])] * sparse,
        *[TensorShape([None])] * sparse,
        *[TensorShape([rank])] * sparse,
        *[batch.concatenate(shape) for shape in op.attr("context_dense_shapes")],
        *[TensorShape([None])] * ragged[0],
        *[splits] * ragged[0],
        *[TensorShape([None, inner])] * lists,
        *[TensorShape([None])] * lists,
        *[TensorShape([inner])] * lists,
        *[steps.concatenate(shape) for shape in op.attr("feature_list_dense_shapes")],
        *[batch] * (len(op.attr("feature_list_dense_shapes")) if has_lengths else 0),
        *[TensorShape([None])] * ragged[1],
        *[splits] * ragged[1],
        *[TensorShape([None])] * ragged[1],
    ]


def _batch_of(op: Operation) -> TensorShape:
    batch = op._inputs[0].shape
    if batch.rank is not None and batch.rank > 1:
        raise ValueError(f"Shape must be at most rank 1 but is rank {batch.rank}")
    return batch


def _check_counts(op: Operation) -> None:
    """Holds the numbers of features against the keys, the types and the shapes that are given for them."""
    lists = {
        "context_sparse": ["context_sparse_keys", "context_sparse_types"],
        "context_dense": ["context_dense_keys", "Tcontext_dense", "context_dense_shapes"],
        "feature_list_sparse": ["feature_list_sparse_keys", "feature_list_sparse_types"],
        "feature_list_dense": ["feature_list_dense_keys", "feature_list_dense_types", "feature_list_dense_shapes"],
    }
    for kind, names in lists.items():
        for name in names:
            count, given = op.attr(f"N{kind}"), len(op.attr(name))
            if count != given:
                raise ValueError(f"num_{kind} ({count}) must match the size of {name.replace('Tcontext_dense', 'context_dense_types')} ({given})")


class ParseSequenceExample(TextOpType):
    """A batch of sequence examples as tensors."""

    inputs = "serialized: string, debug_name: string, context_dense_defaults: Tcontext_dense"
    outputs = (
        "context_sparse_indices: Ncontext_sparse * int64, context_sparse_values: context_sparse_types, "
        "context_sparse_shapes: Ncontext_sparse * int64, context_dense_values: Tcontext_dense, "
        "feature_list_sparse_indices: Nfeature_list_sparse * int64, feature_list_sparse_values: feature_list_sparse_types, "
        "feature_list_sparse_shapes: Nfeature_list_sparse * int64, feature_list_dense_values: feature_list_dense_types, "
        "feature_list_dense_lengths: Nfeature_list_dense * int64"
    )
    attrs = (
        "feature_list_dense_missing_assumed_empty: list(string) >= 0, context_sparse_keys: list(string) >= 0, "
        "context_dense_keys: list(string) >= 0, feature_list_sparse_keys: list(string) >= 0, feature_list_dense_keys: list(string) >= 0, "
        "Ncontext_sparse: int >= 0 = 0, Ncontext_dense: int >= 0 = 0, Nfeature_list_sparse: int >= 0 = 0, Nfeature_list_dense: int >= 0 = 0, "
        f"context_sparse_types: {_KINDS}, Tcontext_dense: {_KINDS}, feature_list_dense_types: {_KINDS}, context_dense_shapes: {_SHAPES}, "
        f"feature_list_sparse_types: {_KINDS}, feature_list_dense_shapes: {_SHAPES}"
    )
    samples = (
        sample(
            text_vector(_SAMPLE, b""),
            text_vector(),
            [np.array([7, 8])],
            feature_list_dense_missing_assumed_empty=["d"],
            context_sparse_keys=["s"],
            context_dense_keys=["a"],
            feature_list_sparse_keys=["f"],
            feature_list_dense_keys=["d"],
            Ncontext_sparse=1,
            Ncontext_dense=1,
            Nfeature_list_sparse=1,
            Nfeature_list_dense=1,
            context_sparse_types=["string"],
            feature_list_dense_types=["int64"],
            context_dense_shapes=[[2]],
            feature_list_sparse_types=["float32"],
            feature_list_dense_shapes=[[2]],
        ),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _check_counts(op)
        op._inputs[1].shape.with_rank(1)
        return _shapes(op, _batch_of(op).with_rank(1))

    @staticmethod
    def run(
        xp: Any,
        serialized: Any,
        debug_name: Any,
        defaults: list[Any],
        *,
        feature_list_dense_missing_assumed_empty: list[bytes],
        context_sparse_keys: list[bytes],
        context_dense_keys: list[bytes],
        feature_list_sparse_keys: list[bytes],
        feature_list_dense_keys: list[bytes],
        context_sparse_types: list[DType],
        Tcontext_dense: list[DType],  # noqa: N803  # TensorFlow's attribute
        feature_list_dense_types: list[DType],
        context_dense_shapes: list[TensorShape],
        feature_list_sparse_types: list[DType],
        feature_list_dense_shapes: list[TensorShape],
    ) -> Any:
        context = _Keys(
            list(zip(context_sparse_keys, context_sparse_types, strict=True)),
            list(zip(context_dense_keys, Tcontext_dense, context_dense_shapes, strict=True)),
        )
        lists = _Keys(
            list(zip(feature_list_sparse_keys, feature_list_sparse_types, strict=True)),
            list(zip(feature_list_dense_keys, feature_list_dense_types, feature_list_dense_shapes, strict=True)),
        )
        missing = [key in feature_list_dense_missing_assumed_empty for key in feature_list_dense_keys]
        return _parsed(serialized, debug_name, context, defaults, lists, missing, has_lengths=True)


class ParseSingleSequenceExample(TextOpType):
    """One sequence example as tensors."""

    inputs = (
        "serialized: string, feature_list_dense_missing_assumed_empty: string, context_sparse_keys: Ncontext_sparse * string, "
        "context_dense_keys: Ncontext_dense * string, feature_list_sparse_keys: Nfeature_list_sparse * string, "
        "feature_list_dense_keys: Nfeature_list_dense * string, context_dense_defaults: Tcontext_dense, debug_name: string"
    )
    outputs = ParseSequenceExample.outputs.removesuffix(", feature_list_dense_lengths: Nfeature_list_dense * int64")
    attrs = (
        "Ncontext_sparse: int >= 0 = 0, Ncontext_dense: int >= 0 = 0, Nfeature_list_sparse: int >= 0 = 0, Nfeature_list_dense: int >= 0 = 0, "
        f"context_sparse_types: {_KINDS}, Tcontext_dense: {_KINDS}, feature_list_dense_types: {_KINDS}, context_dense_shapes: {_SHAPES}, "
        f"feature_list_sparse_types: {_KINDS}, feature_list_dense_shapes: {_SHAPES}"
    )
    samples = (
        sample(
            scalar(_SAMPLE),
            text_vector(b"d"),
            [scalar(b"s")],
            [scalar(b"a")],
            [scalar(b"f")],
            [scalar(b"d")],
            [np.zeros(0, np.int64)],
            scalar(b""),
            context_sparse_types=["string"],
            feature_list_dense_types=["int64"],
            context_dense_shapes=[[2]],
            feature_list_sparse_types=["float32"],
            feature_list_dense_shapes=[[2]],
        ),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(0)
        return _shapes(op, TensorShape([]), has_lengths=False)

    @staticmethod
    def run(
        xp: Any,
        serialized: Any,
        missing_assumed_empty: Any,
        context_sparse_keys: list[Any],
        context_dense_keys: list[Any],
        feature_list_sparse_keys: list[Any],
        feature_list_dense_keys: list[Any],
        defaults: list[Any],
        debug_name: Any,
        *,
        context_sparse_types: list[DType],
        Tcontext_dense: list[DType],  # noqa: N803  # TensorFlow's attribute
        feature_list_dense_types: list[DType],
        context_dense_shapes: list[TensorShape],
        feature_list_sparse_types: list[DType],
        feature_list_dense_shapes: list[TensorShape],
    ) -> Any:
        for what, keys in zip(("feature_list_dense", "feature_list_sparse"), (feature_list_dense_keys, feature_list_sparse_keys), strict=True):
            for number, key in enumerate(keys):
                if np.ndim(key):
                    raise InvalidArgumentError(f"Expected {what}_keys[{number}] to be a scalar, got shape: {shown(np.shape(key))}")
        sparse, dense, sparse_lists, dense_lists = (
            [scalar(key)[()] for key in keys] for keys in (context_sparse_keys, context_dense_keys, feature_list_sparse_keys, feature_list_dense_keys)
        )
        context = _Keys(list(zip(sparse, context_sparse_types, strict=True)), list(zip(dense, Tcontext_dense, context_dense_shapes, strict=True)))
        lists = _Keys(
            list(zip(sparse_lists, feature_list_sparse_types, strict=True)),
            list(zip(dense_lists, feature_list_dense_types, feature_list_dense_shapes, strict=True)),
        )
        empty = scalar(missing_assumed_empty).reshape(-1).tolist()
        return _parsed(serialized, debug_name, context, defaults, lists, [key in empty for key in dense_lists], has_lengths=False)


class ParseSequenceExampleV2(TextOpType):
    """A batch of sequence examples, or one, as tensors."""

    inputs = (
        "serialized: string, debug_name: string, context_sparse_keys: string, context_dense_keys: string, context_ragged_keys: string, "
        "feature_list_sparse_keys: string, feature_list_dense_keys: string, feature_list_ragged_keys: string, "
        "feature_list_dense_missing_assumed_empty: bool, context_dense_defaults: Tcontext_dense"
    )
    outputs = (
        "context_sparse_indices: Ncontext_sparse * int64, context_sparse_values: context_sparse_types, "
        "context_sparse_shapes: Ncontext_sparse * int64, context_dense_values: Tcontext_dense, "
        "context_ragged_values: context_ragged_value_types, context_ragged_row_splits: context_ragged_split_types, "
        "feature_list_sparse_indices: Nfeature_list_sparse * int64, feature_list_sparse_values: feature_list_sparse_types, "
        "feature_list_sparse_shapes: Nfeature_list_sparse * int64, feature_list_dense_values: feature_list_dense_types, "
        "feature_list_dense_lengths: Nfeature_list_dense * int64, feature_list_ragged_values: feature_list_ragged_value_types, "
        "feature_list_ragged_outer_splits: feature_list_ragged_split_types, feature_list_ragged_inner_splits: feature_list_ragged_split_types"
    )
    attrs = (
        f"Ncontext_sparse: int >= 0 = 0, Tcontext_dense: {_KINDS}, context_sparse_types: {_KINDS}, context_ragged_value_types: {_KINDS}, "
        f"context_ragged_split_types: list({{int32, int64}}) >= 0 = [], context_dense_shapes: {_SHAPES}, Nfeature_list_sparse: int >= 0 = 0, "
        f"Nfeature_list_dense: int >= 0 = 0, feature_list_dense_types: {_KINDS}, feature_list_sparse_types: {_KINDS}, "
        f"feature_list_ragged_value_types: {_KINDS}, feature_list_ragged_split_types: list({{int32, int64}}) >= 0 = [], "
        f"feature_list_dense_shapes: {_SHAPES}"
    )
    samples = tuple(
        sample(
            serialized,
            text_vector(),
            text_vector(b"s"),
            text_vector(b"a"),
            text_vector(b"a2"),
            text_vector(b"f"),
            text_vector(b"d"),
            text_vector(b"f2"),
            np.array([True]),
            [np.array([7, 8])],
            Ncontext_sparse=1,
            Nfeature_list_sparse=1,
            Nfeature_list_dense=1,
            context_sparse_types=["string"],
            context_ragged_value_types=["int64"],
            context_ragged_split_types=["int32"],
            feature_list_dense_types=["int64"],
            context_dense_shapes=[[2]],
            feature_list_sparse_types=["float32"],
            feature_list_ragged_value_types=["float32"],
            feature_list_ragged_split_types=["int64"],
            feature_list_dense_shapes=[[2]],
        )
        for serialized in (text_vector(_SAMPLE, b""), scalar(_SAMPLE))
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        counts = len(op.attr("context_ragged_value_types")), len(op.attr("feature_list_ragged_value_types"))
        return _shapes(op, _batch_of(op), ragged=counts)

    @staticmethod
    def run(
        xp: Any,
        serialized: Any,
        debug_name: Any,
        context_sparse_keys: Any,
        context_dense_keys: Any,
        context_ragged_keys: Any,
        feature_list_sparse_keys: Any,
        feature_list_dense_keys: Any,
        feature_list_ragged_keys: Any,
        missing: Any,
        defaults: list[Any],
        *,
        context_sparse_types: list[DType],
        Tcontext_dense: list[DType],  # noqa: N803  # TensorFlow's attribute
        context_ragged_value_types: list[DType],
        context_ragged_split_types: list[DType],
        context_dense_shapes: list[TensorShape],
        feature_list_dense_types: list[DType],
        feature_list_sparse_types: list[DType],
        feature_list_ragged_value_types: list[DType],
        feature_list_ragged_split_types: list[DType],
        feature_list_dense_shapes: list[TensorShape],
    ) -> Any:
        context = _Keys(
            list(zip(context_sparse_keys.tolist(), context_sparse_types, strict=True)),
            list(zip(context_dense_keys.tolist(), Tcontext_dense, context_dense_shapes, strict=True)),
            list(zip(context_ragged_keys.tolist(), context_ragged_value_types, context_ragged_split_types, strict=True)),
        )
        lists = _Keys(
            list(zip(feature_list_sparse_keys.tolist(), feature_list_sparse_types, strict=True)),
            list(zip(feature_list_dense_keys.tolist(), feature_list_dense_types, feature_list_dense_shapes, strict=True)),
            list(zip(feature_list_ragged_keys.tolist(), feature_list_ragged_value_types, feature_list_ragged_split_types, strict=True)),
        )
        return _parsed(serialized, debug_name, context, defaults, lists, missing.tolist(), has_lengths=True)
