"""Ragged tensors, whose rows differ in length: values, and where each row ends ("splits"), for each level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, constant_shape, constant_value, sample
from gpersist.ops.kernels import shown
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []


def check_splits(splits: Any, count: int, what: str = "splits") -> None:
    """Holds the ends of rows against each other, and against how many values there are.

    Raises:
        InvalidArgumentError: they don't begin at 0, decrease, or don't end with the last value.
    """
    if splits.ndim != 1 or not splits.size:
        raise InvalidArgumentError(f"Invalid {what}: must be a vector of at least one element, not of shape {shown(splits.shape)}")
    if splits[0] != 0:
        raise InvalidArgumentError(f"Invalid {what}: the first element must be 0, not {splits[0]}")
    if (np.diff(splits) < 0).any():
        raise InvalidArgumentError(f"Invalid {what}: values must be monotonically increasing")
    if splits[-1] != count:
        raise InvalidArgumentError(f"Invalid {what}: the last one is {splits[-1]}, and there are {count} values")


def places_of(levels: Sequence[Any]) -> list[Any]:
    """The coordinates of each innermost value, one array for each level of rows and one for the place in the last row."""
    found = [np.arange(len(levels[0]) - 1)]
    for splits in levels:
        lengths = np.diff(splits)
        within = np.arange(int(splits[-1])) - np.repeat(splits[:-1], lengths)
        found = [np.repeat(part, lengths) for part in found] + [within]
    return found


class RaggedRange(OpType):
    """Rows of numbers, each from a start to a limit in steps."""

    inputs = "starts: T, limits: T, deltas: T"
    outputs = "rt_nested_splits: Tsplits, rt_dense_values: T"
    attrs = "T: {bfloat16, float, double, int32, int64} = int32, Tsplits: {int32, int64} = int64"
    is_host_only = True
    samples = (
        sample("int32: [2, 5, 8]", "int32: [3, 5, 12]", "int32: 1", has_gradient=False),
        sample("float: 0.0", "float: [1.0, 2.0]", "float: [0.3, -1.0]", Tsplits="int32", has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        size = unknown_shape()
        for tensor in op._inputs:
            shape = tensor.shape.with_rank_at_most(1)
            if shape.rank == 1:
                size = size.merge_with(shape)
        known = size.as_list()[0] if size.rank == 1 else 1 if all(tensor.shape.rank == 0 for tensor in op._inputs) else None
        return [TensorShape([None if known is None else known + 1]), TensorShape([None])]

    @staticmethod
    def run(xp: Any, starts: Any, limits: Any, deltas: Any, *, Tsplits: Any) -> tuple[Any, Any]:  # noqa: N803  # TensorFlow's
        for value, what in ((starts, "starts"), (limits, "limits"), (deltas, "deltas")):
            if value.ndim > 1:
                raise InvalidArgumentError(f"{what} must be a scalar or vector")
        if len({value.shape for value in (starts, limits, deltas) if value.ndim}) > 1:
            raise InvalidArgumentError("starts, limits, and deltas must have the same shape")
        first, last, step = (part.reshape(-1) for part in np.broadcast_arrays(starts, limits, deltas))
        if (step == 0).any():
            raise InvalidArgumentError("Requires delta != 0")
        wide = np.float64 if starts.dtype.kind != "i" else np.int64
        distance, stride = last.astype(wide) - first.astype(wide), step.astype(wide)
        is_empty = ((stride > 0) & (distance <= 0)) | ((stride < 0) & (distance >= 0))
        sizes = np.ceil(distance / stride) if wide is np.float64 else -(-np.abs(distance) // np.abs(stride))
        sizes = np.where(is_empty, 0, sizes).astype(np.int64)
        splits = np.concatenate([[0], np.cumsum(sizes)])
        within = np.arange(int(splits[-1])) - np.repeat(splits[:-1], sizes)
        values = np.repeat(first, sizes) + within.astype(starts.dtype) * np.repeat(step, sizes)
        return splits.astype(Tsplits.numpy), values.astype(starts.dtype)

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None, None, None]


class RaggedGather(OpType):
    """Rows of a ragged tensor."""

    inputs = "params_nested_splits: PARAMS_RAGGED_RANK * Tsplits, params_dense_values: Tvalues, indices: Tindices"
    outputs = "output_nested_splits: OUTPUT_RAGGED_RANK * Tsplits, output_dense_values: Tvalues"
    attrs = "Tvalues: type, Tindices: {int32, int64}, Tsplits: {int32, int64} = int64, PARAMS_RAGGED_RANK: int >= 1, OUTPUT_RAGGED_RANK: int >= 0"
    is_host_only = True
    samples = (
        sample(["int64: [0, 2, 2, 5]"], "float[5]", "int32: [2, 0, 2]", OUTPUT_RAGGED_RANK=1, has_gradient=False),
        sample(["int64: [0, 1, 3]", "int64: [0, 2, 2, 5]"], "float[5,2]", "int32: [[1, 0], [0, 0]]", OUTPUT_RAGGED_RANK=3, has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        depth, wanted = op.attr("PARAMS_RAGGED_RANK"), op.attr("OUTPUT_RAGGED_RANK")
        for splits in op._inputs[:depth]:
            splits.shape.with_rank(1)
        values, indices = op._inputs[depth].shape.with_rank_at_least(1), op._inputs[depth + 1].shape
        if indices.rank is not None and indices.rank + depth - 1 != wanted:
            raise ValueError(
                f"Requires OUTPUT_RAGGED_RANK = indices.shape.ndims + PARAMS_RAGGED_RANK - 1, got {wanted} of {indices.rank} and {depth}"
            )
        inner = unknown_shape() if values.sizes is None else TensorShape([None, *values.sizes[1:]])
        return [*[TensorShape([None])] * wanted, inner]

    @staticmethod
    def run(xp: Any, splits: list[Any], values: Any, indices: Any) -> list[Any]:
        for level, inner in zip(splits, [*(len(each) - 1 for each in splits[1:]), len(values)], strict=True):
            if not level.size:
                raise InvalidArgumentError("Row splits must have at least one element")
            check_splits(level, inner)
        count = len(splits[0]) - 1
        flat = indices.reshape(-1).astype(np.int64)
        wrong = np.flatnonzero((flat < 0) | (flat >= count))
        if wrong.size:
            raise InvalidArgumentError(f"indices[{wrong[0]}] = {flat[wrong[0]]} is not in [0, {count})")
        found = []
        outer = 1
        for size, inner in zip(indices.shape[:-1], indices.shape[1:], strict=True):
            outer *= size
            found.append((np.arange(outer + 1) * inner).astype(splits[0].dtype))
        chosen = flat
        for level in splits:
            lengths = level[1:][chosen] - level[:-1][chosen]
            ends = np.concatenate([[0], np.cumsum(lengths)])
            found.append(ends.astype(level.dtype))
            chosen = np.repeat(level[:-1][chosen] - ends[:-1], lengths) + np.arange(int(ends[-1]))
        return [*found[len(found) - (indices.ndim + len(splits) - 1) :], values[chosen]]  # one row alone has no ends


class RaggedTensorToSparse(OpType):
    """A ragged tensor as a sparse one."""

    inputs = "rt_nested_splits: RAGGED_RANK * Tsplits, rt_dense_values: T"
    outputs = "sparse_indices: int64, sparse_values: T, sparse_dense_shape: int64"
    attrs = "RAGGED_RANK: int >= 1, T: type, Tsplits: {int32, int64} = int64"
    is_host_only = True
    samples = (
        sample(["int64: [0, 2, 2, 5]"], "float[5]", has_gradient=False),
        sample(["int32: [0, 1, 3]", "int32: [0, 2, 2, 5]"], "float[5,2]", has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        depth = op.attr("RAGGED_RANK")
        values = op._inputs[depth].shape.with_rank_at_least(1)
        for splits in op._inputs[:depth]:
            splits.shape.with_rank(1)
        count = None if values.sizes is None or None in values.sizes else int(np.prod(values.sizes))
        rank = None if values.rank is None else depth + values.rank
        return [TensorShape([count, rank]), TensorShape([count]), TensorShape([rank])]

    @staticmethod
    def run(xp: Any, splits: list[Any], values: Any) -> tuple[Any, Any, Any]:
        for level, inner in zip(splits, [*(len(each) - 1 for each in splits[1:]), len(values)], strict=True):
            check_splits(level, inner, "ragged splits")
        places = np.stack(places_of(splits), 1)
        longest = [max(np.diff(level).max(initial=0), 0) for level in splits]
        inner_shape = values.shape[1:]
        within = np.indices(inner_shape).reshape(len(inner_shape), int(np.prod(inner_shape))).T
        indices = np.concatenate([np.repeat(places, len(within), 0), np.tile(within, (len(places), 1))], 1).astype(np.int64)
        return indices, values.reshape(-1), np.array([len(splits[0]) - 1, *longest, *inner_shape], np.int64)


class RaggedTensorToTensor(OpType):
    """A ragged tensor as one whose rows are filled up, or cut."""

    inputs = "shape: Tshape, values: T, default_value: T, row_partition_tensors: num_row_partition_tensors * Tindex"
    outputs = "result: T"
    attrs = "T: type, Tindex: {int64, int32}, Tshape: {int64, int32}, num_row_partition_tensors: int >= 1, row_partition_types: list(string)"
    is_host_only = True
    samples = (
        sample("int64: -1", "float[5]", "float: 0.0", ["int64: [0, 2, 2, 5]"], row_partition_types=["ROW_SPLITS"], has_gradient=False),
        sample("int64: [4, 2]", "float[5]", "float: 7.0", ["int64: [0, 2, 2, 5]"], row_partition_types=["ROW_SPLITS"], has_gradient=False),
        sample(
            "int32: [-1, -1, 2]",
            "float[4,2]",
            "float: [1, 2]",
            ["int32: 3", "int32: [0, 0, 2, 2]"],
            row_partition_types=["FIRST_DIM_SIZE", "VALUE_ROWIDS"],
            has_gradient=False,
        ),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        kinds = op.attr("row_partition_types")
        depth = len(kinds) - (kinds[:1] == [b"FIRST_DIM_SIZE"])
        known, values, default = constant_value(op._inputs[0]), op._inputs[1].shape, op._inputs[2].shape
        if kinds[:1] == [b"VALUE_ROWIDS"]:
            raise ValueError("VALUE_ROWIDS cannot be first")
        if known is not None and known.ndim == 0 and known != -1:
            raise ValueError(f"Received an invalid shape scalar with a static value that is not '-1': {known}")
        if default.rank is not None and values.rank is not None and default.rank >= values.rank:
            raise ValueError(f"default_value.shape={default} and rt_input.flat_values.shape={values} are incompatible: too many dimensions")
        shape = unknown_shape()
        if op._inputs[0].shape.rank != 0:
            shape = constant_shape(op._inputs[0]) if known is not None or op._inputs[0].shape.rank == 1 else unknown_shape()
        if values.sizes is None:
            return [shape]
        inner = values.sizes[1:]
        return [shape.merge_with(TensorShape([None] * (depth + 1) + list(inner)))]

    @staticmethod
    def run(xp: Any, shape: Any, values: Any, default_value: Any, partitions: list[Any], *, row_partition_types: list[bytes]) -> Any:
        levels = _levels(partitions, row_partition_types, len(values))
        depth = len(levels)
        sizes = [len(levels[0]) - 1, *(int(np.diff(level).max(initial=0)) for level in levels), *values.shape[1:]]
        if shape.ndim == 1:
            if len(shape) != len(sizes):
                raise InvalidArgumentError(f"shape has {len(shape)} dimensions, and the ragged tensor {len(sizes)}")
            sizes = [size if wanted < 0 else int(wanted) for size, wanted in zip(sizes, shape.tolist(), strict=True)]
        elif shape.ndim > 1 or int(shape) != -1:
            raise InvalidArgumentError("The only valid scalar shape tensor is the fully unknown shape specified as -1.")
        if tuple(sizes[depth + 1 :]) != values.shape[1:]:
            raise InvalidArgumentError(f"shape {sizes} does not go with values of shape {shown(values.shape)}")
        default = default_value if hasattr(default_value, "shape") else np.asarray(default_value, values.dtype)
        try:
            found = np.broadcast_to(np.broadcast_to(default, values.shape[1:]), sizes).astype(values.dtype)
        except ValueError:
            raise InvalidArgumentError(
                f"default_value.shape={shown(default.shape)} and rt_input.flat_values.shape={shown(values.shape)} are incompatible"
            ) from None
        places = places_of(levels)
        kept = np.logical_and.reduce([place < size for place, size in zip(places, sizes, strict=False)])
        found[tuple(place[kept] for place in places)] = values[: len(kept)][kept]
        return found


def _levels(partitions: list[Any], kinds: Sequence[bytes], count: int) -> list[Any]:
    """The ends of rows at each level."""
    found: list[Any] = []
    rows: int | None = None
    for number, (partition, kind) in enumerate(zip(partitions, kinds, strict=True)):
        if kind == b"FIRST_DIM_SIZE":
            if number:
                raise InvalidArgumentError("FIRST_DIM_SIZE only supported for first dimension")
            rows = int(partition)
        elif kind == b"ROW_SPLITS":
            if partition.ndim != 1 or not partition.size:
                raise InvalidArgumentError("row_splits must be a vector of at least one element")
            if partition[0] != 0 or (np.diff(partition) < 0).any():
                raise InvalidArgumentError("row_splits must begin with 0, and not decrease")
            found.append(partition)
            rows = int(partition[-1])
        elif kind == b"VALUE_ROWIDS":
            if rows is None:
                raise InvalidArgumentError("Cannot handle VALUE_ROWIDS in first dimension.")
            if partition.size and (partition.min() < 0 or partition.max() >= rows or (np.diff(partition) < 0).any()):
                raise InvalidArgumentError(f"value_rowids must be in 0..{rows - 1}, and not decrease")
            found.append(np.concatenate([[0], np.cumsum(np.bincount(partition, minlength=rows))]))
            rows = len(partition)
        else:
            raise InvalidArgumentError(f"Unsupported row partition type: {kind.decode('utf-8', 'replace')}")
    if not found:
        raise InvalidArgumentError("there are no row partitions")
    if int(found[-1][-1]) > count:
        raise InvalidArgumentError(f"the last level has {found[-1][-1]} values, but there are {count}")
    return found
