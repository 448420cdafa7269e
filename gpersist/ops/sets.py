"""Which values there are, and where: unique, setdiff1d, searchsorted, unravel_index. What needs a table of values runs on the host."""

from __future__ import annotations

from collections import namedtuple
from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType, as_dtype
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, apply_op, constant_value, sample
from gpersist.ops import shape_functions
from gpersist.ops.kernels import axis_within, shown
from gpersist.ops.shaping import reshape, shape_inside
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["searchsorted", "setdiff1d", "unique", "unique_with_counts", "unravel_index"]


def _distinct(x: Array, axis: int | None) -> tuple[Array, Array, Array]:
    """The values of an array, or its slices along an axis, in the order in which they come first; for each element which it is; and how often."""
    if axis is not None and x.dtype == object:  # which NumPy has no order of slices for
        slices = np.moveaxis(x, axis, 0)
        places: dict[tuple[bytes, ...], int] = {}
        numbers = np.array([places.setdefault(tuple(part.reshape(-1)), len(places)) for part in slices], np.int64)
        return np.take(x, np.unique(numbers, return_index=True)[1], axis), numbers, np.bincount(numbers, minlength=len(places))
    options: Any = {"return_index": True, "return_inverse": True, "return_counts": True, "equal_nan": False}
    _, first, inverse, counts = np.unique(x, axis=axis, **options)
    order = np.argsort(first, kind="stable")
    position = np.empty_like(order)
    position[order] = np.arange(order.size)
    return np.take(x, first[order], axis or 0), position[inverse.reshape(-1)], counts[order]


class _Unique(OpType, abstract=True):
    """The distinct elements of a vector."""

    inputs = "x: T"
    outputs = "y: T, idx: out_idx"
    attrs = "T: type, out_idx: {int32, int64} = int32"
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("int32: [3, 1, 3, 2, 1]"),
        sample("float[4]", out_idx="int64"),
        sample("string[3]"),
        sample("float[0]"),
    )
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        found = op._inputs[0].shape
        if len(op.output_types) == 2:  # TensorFlow leaves it to the run where there are counts, too
            found.with_rank(1)
        return [unknown_shape(1), found, unknown_shape(1)][: len(op.output_types)]


def _vector(x: Any) -> Any:
    if np.ndim(x) != 1:
        raise InvalidArgumentError(f"unique expects a 1D vector, got shape {shown(np.shape(x))}")
    return x


class Unique(_Unique):
    """The distinct elements of a vector, and for each of its elements which it is."""

    is_foldable = True

    @staticmethod
    def run(xp: Any, x: Array, *, out_idx: DType) -> list[Array]:
        values, places, _ = _distinct(_vector(x), None)
        return [values, places.astype(out_idx.numpy)]


class UniqueWithCounts(_Unique):
    """The distinct elements of a vector, for each of its elements which it is, and how often each comes."""

    outputs = "y: T, idx: out_idx, count: out_idx"
    is_foldable = True

    @staticmethod
    def run(xp: Any, x: Array, *, out_idx: DType) -> list[Array]:
        values, places, counts = _distinct(_vector(x), None)
        return [values, places.astype(out_idx.numpy), counts.astype(out_idx.numpy)]


class _UniqueV2(_Unique, abstract=True):
    """The distinct elements of a vector, or slices of a tensor along an axis."""

    inputs = "x: T, axis: Taxis"
    attrs = "T: type, Taxis: {int32, int64} = int64, out_idx: {int32, int64} = int32"
    samples = (
        sample("int32: [3, 1, 3, 2, 1]", np.zeros(0, np.int64)),
        sample("int32: [[1, 0], [2, 0], [1, 0]]", "int32: [0]", out_idx="int64"),
        sample("int32: [[1, 1, 0], [2, 2, 0]]", "int64: [-1]"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        sizes, axis = op._inputs[0].shape.sizes, constant_value(op._inputs[1])
        if axis is not None and axis.ndim != 1:
            raise ValueError("axis expects a 1D vector.")
        if axis is not None and axis.size > 1:
            raise ValueError("axis does not support input tensors larger than 1 elements.")
        size = None
        if sizes is not None and axis is not None and axis.size <= 1:
            if not axis.size:
                op._inputs[0].shape.with_rank(1)
            size = sizes[shape_functions.axis(int(axis[0]) if axis.size else 0, len(sizes))]
        return [unknown_shape(op._inputs[0].shape.rank), TensorShape([size]), unknown_shape(1)][: len(op.output_types)]


def _distinct_along(x: Any, axis: Any) -> tuple[Array, Array, Array]:
    if np.ndim(axis) != 1:
        raise InvalidArgumentError("axis expects a 1D vector.")
    if np.size(axis) > 1:
        raise InvalidArgumentError(f"axis tensor should be empty or have one element, got {np.size(axis)}")
    if not np.size(axis):
        return _distinct(_vector(x), None)
    along = axis_within(int(np.ravel(axis)[0]), np.ndim(x))
    return _distinct(x, None if np.ndim(x) == 1 else along)


class UniqueV2(_UniqueV2):
    """The distinct slices of a tensor along an axis, and for each slice which it is."""

    @staticmethod
    def run(xp: Any, x: Array, axis: Any, *, out_idx: DType) -> list[Array]:
        values, places, _ = _distinct_along(x, axis)
        return [values, places.astype(out_idx.numpy)]


class UniqueWithCountsV2(_UniqueV2):
    """The distinct slices of a tensor along an axis, for each slice which it is, and how often each comes."""

    outputs = "y: T, idx: out_idx, count: out_idx"

    @staticmethod
    def run(xp: Any, x: Array, axis: Any, *, out_idx: DType) -> list[Array]:
        values, places, counts = _distinct_along(x, axis)
        return [values, places.astype(out_idx.numpy), counts.astype(out_idx.numpy)]


class ListDiff(OpType):
    """What is in the one vector and not in the other, and where it is there."""

    inputs = "x: T, y: T"
    outputs = "out: T, idx: out_idx"
    attrs = "T: type, out_idx: {int32, int64} = int32"
    samples = (sample("int32: [1, 2, 3, 2, 5]", "int32: [1, 3]"), sample("float[3]", "float[0]", out_idx="int64"), sample("string[3]", "string[1]"))
    is_host_only = True
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        for tensor in op._inputs:
            tensor.shape.with_rank(1)
        return [unknown_shape(1)] * 2

    @staticmethod
    def run(xp: Any, x: Array, y: Array, *, out_idx: DType) -> list[Array]:
        for name, value in (("x", x), ("y", y)):
            if value.ndim != 1:
                raise InvalidArgumentError(f"{name} should be a 1D vector.")
        plain = (x, y) if x.dtype.kind != "V" else (x.astype(np.float32), y.astype(np.float32))  # NumPy cannot sort the small floats
        kept = np.flatnonzero(~np.isin(*plain))
        return [x[kept], kept.astype(out_idx.numpy)]


class _Bound(OpType, abstract=True):
    """For each row of values where they would go into a sorted row."""

    inputs = "sorted_inputs: T, values: T"
    outputs = "output: out_type"
    attrs = "T: type, out_type: {int32, int64} = int32"
    samples = (
        sample("int32: [[0, 3, 9], [1, 1, 1]]", "int32: [[3, 4, 0], [0, 1, 2]]"),
        sample("float: [[0.0, 1.0]]", "float[1,3]", out_type="int64"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        for tensor in op._inputs:
            tensor.shape.with_rank(2)
        return [op._inputs[1].shape]

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None]


def _bounds(xp: Any, rows: Array, values: Array, side: str, dtype: DType) -> Array:
    if rows.ndim != 2 or values.ndim != 2 or rows.shape[0] != values.shape[0]:
        raise InvalidArgumentError(f"Leading dim_size of both tensors must match, got {shown(rows.shape)} and {shown(values.shape)}")
    result = xp.empty(values.shape, dtype.numpy)
    for number in range(rows.shape[0]):
        result[number] = xp.searchsorted(rows[number], values[number], side)
    return result


class LowerBound(_Bound):
    """For each row of values the place of the first element that is not less."""

    @staticmethod
    def run(xp: Any, rows: Array, values: Array, *, out_type: DType) -> Array:
        return _bounds(xp, rows, values, "left", out_type)


class UpperBound(_Bound):
    """For each row of values the place of the first element that is greater."""

    @staticmethod
    def run(xp: Any, rows: Array, values: Array, *, out_type: DType) -> Array:
        return _bounds(xp, rows, values, "right", out_type)


class UnravelIndex(OpType):
    """The coordinates of flat indices into an array of some dimensions."""

    inputs = "indices: Tidx, dims: Tidx"
    outputs = "output: Tidx"
    attrs = "Tidx: {int32, int64} = int32"
    samples = (sample("int32: [2, 5, 7]", "int32: [3, 3]"), sample("int64: 5", "int64: [2, 3]"))
    host_inputs = ("dims",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        indices, dims = (tensor.shape for tensor in op._inputs)
        count = dims.with_rank(1).as_list()[0]
        if indices.rank is None:
            return [unknown_shape()]
        return [TensorShape([count] if indices.rank == 0 else [count, indices.num_elements()])]

    @staticmethod
    def run(xp: Any, indices: Any, dims: Any) -> Array:
        sizes = dims.tolist()
        if np.ndim(indices) > 1:
            raise InvalidArgumentError(f"The indices can only be scalar or vector, got {list(np.shape(indices))}")
        if 0 in sizes:
            raise InvalidArgumentError(f"Input dims cannot contain a dim of zero, but dims contains {sizes}")
        if xp is np and np.size(indices) and (np.max(indices) >= np.prod(dims, dtype=np.int64) or np.min(indices) < 0):
            raise InvalidArgumentError(f"index is out of bound as with dims {sizes}")
        rest, found = xp.asarray(indices), []
        for size in reversed(sizes):
            found.append(rest % size)
            rest = rest // size
        return xp.stack(found[::-1]).astype(dims.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None]


def unique(x: Any, out_idx: Any = "int32", name: str | None = None) -> Any:
    """The distinct elements of a vector in the order in which they come first, and for each element which it is (`tf.unique`)."""
    return _results("Unique", "y idx", x, out_idx=as_dtype(out_idx), name=name)


def unique_with_counts(x: Any, out_idx: Any = "int32", name: str | None = None) -> Any:
    """The same, and how often each comes (`tf.unique_with_counts`)."""
    return _results("UniqueWithCounts", "y idx count", x, out_idx=as_dtype(out_idx), name=name)


def setdiff1d(x: Any, y: Any, index_dtype: Any = "int32", name: str | None = None) -> Any:
    """What is in `x` and not in `y`, and where it is there (`tf.setdiff1d`)."""
    return _results("ListDiff", "out idx", x, y, out_idx=as_dtype(index_dtype), name=name)


def searchsorted(sorted_sequence: Any, values: Any, side: str = "left", out_type: Any = "int32", name: str | None = None) -> Tensor:
    """Where values would go into sequences that are sorted along the last dimension (`tf.searchsorted`).

    Raises:
        ValueError: `side` is neither left nor right.
    """
    lengths = shape_inside(sorted_sequence)[-1], shape_inside(values)[-1]
    rows, flat = reshape(sorted_sequence, [-1, lengths[0]]), reshape(values, [-1, lengths[1]])
    if side not in ("left", "right"):
        raise ValueError(f"Argument `side` must be either 'right' or 'left'. Received: `side` = '{side}'.")
    found = apply("LowerBound" if side == "left" else "UpperBound", rows, flat, out_type=as_dtype(out_type), name=name)
    return reshape(found, shape_inside(values))


def unravel_index(indices: Any, dims: Any, name: str | None = None) -> Tensor:
    """The coordinates of flat indices into an array of some dimensions (`tf.unravel_index`)."""
    return apply("UnravelIndex", indices, dims, name=name)


def _results(op_type: str, fields: str, *inputs: Any, **attrs: Any) -> Any:
    return namedtuple(op_type, fields)(*apply_op(op_type, *inputs, **attrs).outputs)
