"""How often each number comes in each row: of dense, sparse and ragged tensors (`tf.sparse.bincount`)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply_op, constant_value, convert_to_tensor, name_scope, sample
from gpersist.ops.constants import constant
from gpersist.ops.kernels import shown
from gpersist.ops.shaping import reshape
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["sparse_bincount"]

_NONE = np.zeros(0, np.float32)


class _SparseCounts(OpType, abstract=True):
    """Counts, or sums of weights, as a sparse tensor with a column for each number."""

    outputs = "output_indices: int64, output_values: output_type, output_dense_shape: int64"
    attrs = "T: {int32, int64}, minlength: int >= -1 = -1, maxlength: int >= -1 = -1, binary_output: bool, output_type: {int32, int64, float, double}"
    is_host_only = True

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None] * len(op.inputs)


def _counted(rows: Any, values: Any, weights: Any, count: int | None, minlength: int, maxlength: int, is_binary: bool) -> tuple[Any, Any, Any]:
    """The counts of `values`, each in its row; `count` rows, or None for a result of one axis."""
    if (values < 0).any():
        raise InvalidArgumentError("Input values must all be non-negative")
    kept = np.ones(len(values), bool) if maxlength < 0 else values < maxlength
    width = maxlength if maxlength >= 0 else max(int(values[kept].max(initial=0)) + 1, minlength)
    keys, places = np.unique(rows[kept] * max(width, 1) + values[kept], return_inverse=True)
    if is_binary:
        found = np.ones(len(keys), weights.dtype)
    elif weights.size:
        found = np.zeros(len(keys), weights.dtype)
        np.add.at(found, places, weights[kept])
    else:
        found = np.bincount(places, minlength=len(keys)).astype(weights.dtype)
    columns = keys % max(width, 1)
    if count is None:
        return columns[:, None].astype(np.int64), found, np.array([width], np.int64)
    return np.stack([keys // max(width, 1), columns], 1).astype(np.int64), found, np.array([count, width], np.int64)


def _check_weights(weights: Any, values: Any) -> None:
    if weights.size and weights.shape != values.shape:
        raise InvalidArgumentError(
            f"Weights and values must have the same shape. Weight shape: {shown(weights.shape)}; values shape: {shown(values.shape)}"
        )


class DenseCountSparseOutput(_SparseCounts):
    """Counts of each row of a matrix, or of a vector."""

    inputs = "values: T, weights: output_type"
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("int32[2,4] in 0..5", _NONE, binary_output=False),
        sample("int64[5] in 0..5", "float[5]", binary_output=False, minlength=9, maxlength=4),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        values, weights = op._inputs[0].shape, op._inputs[1].shape
        if weights.num_elements() != 0:
            values = values.merge_with(weights)
        return [TensorShape([None, values.rank]), TensorShape([None]), TensorShape([values.rank])]

    @staticmethod
    def run(xp: Any, values: Any, weights: Any, *, minlength: int, maxlength: int, binary_output: bool) -> tuple[Any, Any, Any]:
        if values.ndim not in (1, 2):
            raise InvalidArgumentError(f"Input must be a 1 or 2-dimensional tensor. Got: {shown(values.shape)}")
        _check_weights(weights, values)
        rows = np.repeat(np.arange(len(values) if values.ndim == 2 else 1), values.shape[-1])
        count = len(values) if values.ndim == 2 else None
        return _counted(rows, values.reshape(-1), weights.reshape(-1), count, minlength, maxlength, binary_output)


def _check_sparse(indices: Any, values: Any, dense_shape: Any) -> None:
    if indices.ndim != 2 or values.ndim != 1 or dense_shape.ndim != 1 or indices.shape != (len(values), len(dense_shape)):
        raise InvalidArgumentError(
            f"Input indices {shown(indices.shape)}, values {shown(values.shape)} and shape {shown(dense_shape.shape)} do not go together"
        )
    wrong = np.flatnonzero(((indices < 0) | (indices >= dense_shape)).any(1))
    if wrong.size:
        at = int(wrong[0])
        raise InvalidArgumentError(f"Sparse index tuple indices[{at}, :] = {indices[at].tolist()} is out of bounds")


class SparseCountSparseOutput(_SparseCounts):
    """Counts of each row of a sparse matrix, or of a sparse vector."""

    inputs = "indices: int64, values: T, dense_shape: int64, weights: output_type"
    samples = (
        sample("int64: [[0, 1], [1, 0], [1, 2]]", "int32: [3, 1, 1]", "int64: [3, 3]", _NONE, binary_output=False),
        sample("int64: [[0], [1]]", "int64: [3, 1]", "int64: [3]", "float[2]", binary_output=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        rank = op._inputs[0].shape.as_list()[1] if op._inputs[0].shape.rank == 2 else None
        return [TensorShape([None, rank]), TensorShape([None]), TensorShape([rank])]

    @staticmethod
    def run(
        xp: Any, indices: Any, values: Any, dense_shape: Any, weights: Any, *, minlength: int, maxlength: int, binary_output: bool
    ) -> tuple[Any, Any, Any]:
        _check_sparse(indices, values, dense_shape)
        _check_weights(weights, values)
        is_vector = len(dense_shape) == 1
        rows = np.zeros(len(values), np.int64) if is_vector else indices[:, 0]
        return _counted(rows, values, weights, None if is_vector else int(dense_shape[0]), minlength, maxlength, binary_output)


def _check_splits(splits: Any, values: Any) -> None:
    if not splits.size or splits[0] != 0:
        raise InvalidArgumentError(f"Splits must start with 0, not with {splits.reshape(-1)[:1].tolist()}")
    if splits[-1] != len(values):
        raise InvalidArgumentError(f"Splits must end with the number of values, got {splits[-1]} instead of {len(values)}")
    if (np.diff(splits) < 0).any():
        raise InvalidArgumentError("Splits must not decrease")


class RaggedCountSparseOutput(_SparseCounts):
    """Counts of each row of a ragged tensor."""

    inputs = "splits: int64, values: T, weights: output_type"
    samples = (sample("int64: [0, 2, 2, 3]", "int32: [3, 1, 1]", _NONE, binary_output=False),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        rank = op._inputs[1].shape.rank
        wanted = None if rank is None else rank + 1
        return [TensorShape([None, wanted]), TensorShape([None]), TensorShape([wanted])]

    @staticmethod
    def run(xp: Any, splits: Any, values: Any, weights: Any, *, minlength: int, maxlength: int, binary_output: bool) -> tuple[Any, Any, Any]:
        _check_splits(splits, values)
        _check_weights(weights, values)
        rows = np.repeat(np.arange(len(splits) - 1), np.diff(splits))
        return _counted(rows, values, weights, len(splits) - 1, minlength, maxlength, binary_output)


def _bins(rows: Any, values: Any, weights: Any, count: int | None, width: int, is_binary: bool) -> Any:
    """The counts of `values` below `width`, each in its row."""
    if width < 0:
        raise InvalidArgumentError(f"size ({width}) must be non-negative")
    if (values < 0).any():
        raise InvalidArgumentError("Input must be non-negative")
    kept = values < width
    found = np.zeros((count or 1) * width if count != 0 else 0, weights.dtype)
    places = rows[kept] * width + values[kept]
    if is_binary:
        found[places] = 1
    else:
        np.add.at(found, places, weights[kept] if weights.size else 1)
    return found if count is None else found.reshape(count, width)


class SparseBincount(OpType):
    """Counts of each row of a sparse matrix, or of a sparse vector, as a dense tensor."""

    inputs = "indices: int64, values: Tidx, dense_shape: int64, size: Tidx, weights: T"
    outputs = "output: T"
    attrs = "Tidx: {int32, int64}, T: {int32, int64, float, double}, binary_output: bool = false"
    is_host_only = True
    samples = (
        sample("int64: [[0, 1], [1, 0]]", "int32: [3, 1]", "int64: [3, 3]", "int32: 4", "float[2]", has_gradient=False),
        sample("int64: [[0], [1]]", "int64: [3, 9]", "int64: [3]", "int64: 4", np.zeros(0, np.int32), binary_output=True),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        size, shape = constant_value(op._inputs[3]), constant_value(op._inputs[2])
        if size is None:
            return [unknown_shape()]
        op._inputs[3].shape.with_rank(0)
        if shape is None:
            return [unknown_shape()]
        if shape.size not in (1, 2):
            raise ValueError("Input must be less than rank 2")
        count = None if size < 0 else int(size)
        return [TensorShape([count]) if shape.size == 1 else TensorShape([int(shape[0]), count])]

    @staticmethod
    def run(xp: Any, indices: Any, values: Any, dense_shape: Any, size: Any, weights: Any, *, binary_output: bool) -> Any:
        _check_sparse(indices, values, dense_shape)
        _check_weights(weights, values)
        is_vector = len(dense_shape) == 1
        rows = np.zeros(len(values), np.int64) if is_vector else indices[:, 0]
        return _bins(rows, values, weights, None if is_vector else int(dense_shape[0]), int(size), binary_output)


class RaggedBincount(OpType):
    """Counts of each row of a ragged tensor, as a dense one."""

    inputs = "splits: int64, values: Tidx, size: Tidx, weights: T"
    outputs = "output: T"
    attrs = SparseBincount.attrs
    is_host_only = True
    samples = (sample("int64: [0, 2, 2, 3]", "int32: [3, 1, 1]", "int32: 3", np.zeros(0, np.float32)),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape()]

    @staticmethod
    def run(xp: Any, splits: Any, values: Any, size: Any, weights: Any, *, binary_output: bool) -> Any:
        _check_splits(splits, values)
        _check_weights(weights, values)
        rows = np.repeat(np.arange(len(splits) - 1), np.diff(splits))
        return _bins(rows, values.reshape(-1), weights.reshape(-1), len(splits) - 1, int(size), binary_output)


def sparse_bincount(
    values: Any,
    weights: Any = None,
    axis: int | None = 0,
    minlength: int | None = None,
    maxlength: int | None = None,
    binary_output: bool = False,
    name: str | None = None,
) -> SparseTensor:
    """How often each number comes, or the sum of its weights, as a sparse tensor (`tf.sparse.bincount`).

    Args:
        values: integers, a vector or a matrix, dense or sparse.
        weights: of the values, in the same places.
        axis: 0 or None for all together, -1 for each row.
        minlength: how many counts there are at least.
        maxlength: how many there are at most.
        binary_output: whether only whether a number comes is told, by 1.
        name: of the scope.

    Raises:
        ValueError: another axis, a negative length, or weights together with `binary_output`.
    """
    with name_scope(name, "count", [each for each in (values, weights) if isinstance(each, Tensor)]):
        given = values if isinstance(values, SparseTensor) else convert_to_tensor(values, name="values")
        if weights is not None and not isinstance(weights, SparseTensor):
            weights = convert_to_tensor(weights, name="weights")
        if weights is not None and binary_output:
            raise ValueError("Arguments `binary_output` and `weights` are mutually exclusive. Please specify only one.")
        axis = 0 if axis is None else axis
        if axis not in (0, -1):
            raise ValueError(f"Unsupported value for argument axis={axis}. Only 0 and -1 are currently supported.")
        lengths: dict[str, Any] = {"minlength": -1 if minlength is None else minlength, "maxlength": -1 if maxlength is None else maxlength}
        for what, length in (("minlength", minlength), ("maxlength", maxlength)):
            if length is not None and length < 0:
                raise ValueError(f"{what} must be at least 0, but is {length}")
        if axis == 0:
            if isinstance(given, SparseTensor):
                if weights is not None:
                    weights = weights.values if isinstance(weights, SparseTensor) else weights
                given = given.values
            else:
                if weights is not None:
                    weights = reshape(weights, [-1])
                given = reshape(given, [-1])
        if isinstance(given, SparseTensor):
            numbers = weights.values if isinstance(weights, SparseTensor) else constant([], given.dtype) if weights is None else weights
            parts = [given.indices, given.values, given.dense_shape, numbers]
            return SparseTensor(*apply_op("SparseCountSparseOutput", *parts, binary_output=binary_output, **lengths).outputs)
        numbers = constant([], given.dtype) if weights is None else weights
        return SparseTensor(*apply_op("DenseCountSparseOutput", given, numbers, binary_output=binary_output, **lengths).outputs)
