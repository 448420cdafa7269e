"""Text taken apart (`tf.string_split`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, apply_op, convert_to_tensor, name_scope, sample
from gpersist.ops.builders import renamed_argument
from gpersist.ops.kernels import shown
from gpersist.ops.ragged_tensor import rows_of
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.ops.texts import TextOpType, scalar
from gpersist.shapes import TensorShape

__all__ = ["string_split"]


class _Split(TextOpType, abstract=True):
    """Each text taken apart: the parts, and where they would stand in a matrix with a row for each text."""

    outputs = "indices: int64, values: string, shape: int64"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        if op._inputs[0].shape.rank not in (None, 1):
            raise ValueError(f"Shape must be rank 1 but is rank {op._inputs[0].shape.rank}")
        if op._inputs[1].shape.rank not in (None, 0):
            raise ValueError(f"Shape must be rank 0 but is rank {op._inputs[1].shape.rank}")
        return [TensorShape([None, 2]), TensorShape([None]), TensorShape([2])]


class StringSplit(_Split):
    """Texts taken apart at any of some characters, or after each byte if there are none."""

    inputs = "input: string, delimiter: string"
    attrs = "skip_empty: bool = true"
    samples = (sample("string[3]", b" "), sample("string[3]", b"", skip_empty=False))

    @staticmethod
    def run(xp: Any, value: Any, delimiter: Any, *, skip_empty: bool) -> Any:
        texts, marks = _row(value), _only(delimiter, "delimiter")
        if not marks:
            return _ragged([[text[index : index + 1] for index in range(len(text))] for text in texts])
        table = bytes.maketrans(marks, marks[:1] * len(marks))
        parts = [text.translate(table).split(marks[:1]) if text else [] for text in texts]
        return _ragged([[part for part in found if part] for found in parts] if skip_empty else parts)


class StringSplitV2(_Split):
    """Texts taken apart at a separator, or at runs of white space if it is empty."""

    inputs = "input: string, sep: string"
    attrs = "maxsplit: int = -1"
    samples = (sample("string[3]", b""), sample("string[3]", b"x", maxsplit=1))

    @staticmethod
    def run(xp: Any, value: Any, sep: Any, *, maxsplit: int) -> Any:
        mark = _only(sep, "sep") or None
        rows = [text.split(mark, maxsplit) for text in _row(value)]
        if mark is None and maxsplit > 0:
            rows = [[*row, b""] if len(row) == maxsplit else row for row in rows]  # what is left, even if it is nothing
        return _ragged(rows)


def _row(value: Any) -> list[bytes]:
    array = scalar(value)
    if array.ndim != 1:
        raise InvalidArgumentError(f"input must be a vector, got shape: {shown(array.shape)}")
    found: list[bytes] = array.tolist()
    return found


def _only(value: Any, name: str) -> bytes:
    array = scalar(value)
    if array.ndim:
        raise InvalidArgumentError(f"{name} must be a scalar, got shape: {shown(array.shape)}")
    found: bytes = array[()]
    return found


def _ragged(rows: Sequence[Sequence[bytes]]) -> tuple[Any, Any, Any]:
    places = [(row, column) for row, parts in enumerate(rows) for column in range(len(parts))]
    values = np.empty(len(places), object)
    values[:] = [part for parts in rows for part in parts]
    shape = np.array([len(rows), max(map(len, rows), default=0)], np.int64)
    return np.array(places, np.int64).reshape(-1, 2), values, shape


def string_split(
    source: Any, sep: Any = None, skip_empty: bool = True, delimiter: Any = None, result_type: str = "SparseTensor", name: str | None = None
) -> Any:
    """Texts taken apart at any of the characters of `sep`, a space by default, or into bytes if it is empty (`tf.string_split`).

    Raises:
        ValueError: `sep` and its old name `delimiter` are both given, or another `result_type` than "SparseTensor" and "RaggedTensor".
    """
    mark = renamed_argument("delimiter", delimiter, "sep", sep)
    with name_scope(name, "StringSplit", [source]):
        separator = convert_to_tensor(" " if mark is None else mark, "string")
        texts = convert_to_tensor(source, "string")
        op = apply_op("StringSplit", texts, separator, skip_empty=skip_empty)
        if result_type == "SparseTensor":
            return SparseTensor(*op.outputs)
        if result_type != "RaggedTensor":
            raise ValueError("result_type must be 'RaggedTensor' or 'SparseTensor'.")
        return rows_of(op.outputs)
