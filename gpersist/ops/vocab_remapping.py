"""Matrices of a checkpoint whose rows and columns belong to words, for another list of words."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from gpersist import checkpoint
from gpersist.checkpoint import Wanted
from gpersist.dtypes import float32
from gpersist.errors import InvalidArgumentError, NotFoundError, UnimplementedError
from gpersist.graph import Context, Operation, SessionOpType
from gpersist.ops import shape_functions
from gpersist.ops.kernels import shown
from gpersist.ops.lookup_ops import lines_of
from gpersist.ops.save import existing_prefix
from gpersist.shapes import TensorShape

__all__: list[str] = []


def _text(value: Any, what: str) -> bytes:
    if np.size(value) != 1:
        raise InvalidArgumentError(f"{what} should be a single string, but got {shown(np.shape(value))}")
    found: bytes = np.asarray(value, object).reshape(-1)[0]
    return found


class GenerateVocabRemapping(SessionOpType):
    """For each word of a list its place in an older one, -1 where that lacks it; and how many it has."""

    inputs = "new_vocab_file: string, old_vocab_file: string"
    outputs = "remapping: int64, num_present: int32"
    attrs = "new_vocab_offset: int >= 0, num_new_vocab: int >= 0, old_vocab_size: int >= -1 = -1"
    path_inputs = ("new_vocab_file", "old_vocab_file")
    scalars = ("new_vocab_file", "old_vocab_file")

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [TensorShape([op.attr("num_new_vocab")]), shape_functions.SCALAR]

    @staticmethod
    def run(ctx: Context, new_file: Any, old_file: Any, *, new_vocab_offset: int, num_new_vocab: int, old_vocab_size: int) -> list[Any]:
        paths = [_text(new_file, "new_vocab_file"), _text(old_file, "old_vocab_file")]
        if not all(paths):
            raise InvalidArgumentError("new vocab filename cannot be empty.")
        words, old = lines_of(paths[0], -1), lines_of(paths[1], old_vocab_size)
        if new_vocab_offset + num_new_vocab > len(words):
            raise InvalidArgumentError("lookup table size must be larger than last new vocab entry's line")
        places = {word: place for place, word in enumerate(old)}
        chosen = words[new_vocab_offset : new_vocab_offset + num_new_vocab]
        found = np.array([places.get(word, -1) for word in chosen], np.int64)
        return [found, np.int32((found >= 0).sum())]


class LoadAndRemapMatrix(SessionOpType):
    """A matrix of a checkpoint with its rows and columns in other places; where it has none, given values, row by row."""

    inputs = "ckpt_path: string, old_tensor_name: string, row_remapping: int64, col_remapping: int64, initializing_values: float"
    outputs = "output_matrix: float"
    attrs = "num_rows: int >= 0, num_cols: int >= 1, max_rows_in_memory: int = -1"
    is_stateful = True
    is_host_only = True
    path_inputs = ("ckpt_path",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        rows = op._inputs[2].shape.with_rank(1)
        rows.merge_with([op.attr("num_rows")])
        return [TensorShape([op.attr("num_rows"), op.attr("num_cols")])]

    @staticmethod
    def run(
        ctx: Context, path: Any, tensor_name: Any, row_remapping: Any, col_remapping: Any, initializing_values: Any, *, num_rows: int, num_cols: int
    ) -> Any:
        for name, remapping, count in (("row_remapping", row_remapping, num_rows), ("col_remapping", col_remapping, num_cols)):
            if remapping.ndim != 1:
                raise InvalidArgumentError(f"The `{name}` tensor must be 1-D, got a tensor of shape {shown(remapping.shape)}")
            if remapping.size != count and (name == "row_remapping" or remapping.size):
                raise InvalidArgumentError(f"Size of {name} is {remapping.size} instead of being equal to {count}")
            _check_distinct(remapping)
        prefix, name = existing_prefix(os.fsdecode(_text(path, "ckpt_path"))), _text(tensor_name, "old_tensor_name").decode()
        with checkpoint.CheckpointReader(prefix) as reader:
            if name not in reader:
                raise NotFoundError(f"Key {name} not found in checkpoint {prefix}")
            stored = reader[name]
        if stored.dtype is not float32:
            raise InvalidArgumentError(f"Tensor {name} has invalid type {stored.dtype.name} instead of expected type float")
        if len(stored.shape) != 2:
            raise InvalidArgumentError(f"Tensor {name} has shape {shown(stored.shape)} of invalid rank {len(stored.shape)} instead of rank 2.")
        if not col_remapping.size and num_cols != stored.shape[1]:
            raise InvalidArgumentError(f"Tensor {name} has shape {shown(stored.shape)}, whose 2nd dimension is not equal to num_cols={num_cols}")
        columns = col_remapping if col_remapping.size else np.arange(num_cols)
        is_known = (row_remapping >= 0)[:, None] & (columns >= 0)
        if initializing_values.size != is_known.size - is_known.sum():
            raise InvalidArgumentError(
                f"initializing_values contained {initializing_values.size} elements, but {is_known.size - is_known.sum()} values are missing"
            )
        found = np.empty((num_rows, num_cols), np.float32)
        found[~is_known] = initializing_values.reshape(-1)
        if is_known.any():
            whole = _rows(ctx, prefix, name, int(row_remapping.max()), columns, stored.shape)
            found[is_known] = whole[np.ix_(np.maximum(row_remapping, 0), np.maximum(columns, 0))][is_known]
        return found


def _rows(ctx: Context, prefix: str, name: str, last: int, columns: Any, shape: Any) -> Any:
    if last >= shape[0] or columns.max() >= shape[1]:
        raise InvalidArgumentError(f"Tensor {name} has shape {shown(shape)}: there is no row {last}, or no column {int(columns.max())}")
    (found,) = checkpoint.fetch(prefix, [Wanted(name, float32, ctx.device, "")])
    return found


def _check_distinct(remapping: Any) -> None:
    kept = remapping[remapping >= 0]
    values, counts = np.unique(kept, return_counts=True)
    if (counts > 1).any():
        raise UnimplementedError(f"Old ID {int(values[counts > 1][0])} is mapped to several new IDs, which is not supported.")
