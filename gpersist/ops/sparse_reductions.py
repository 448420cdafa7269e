"""Sparse tensors reduced along axes, and softmax of their rows."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, constant_shape, constant_value, sample
from gpersist.ops.gathering import gather_nd
from gpersist.ops.kernels import shown
from gpersist.ops.sparse_structure import INDICES, SHAPE, check, flat_places, split_places
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []


class _Reduction(OpType, abstract=True):
    """Axes of a sparse tensor reduced."""

    inputs = "input_indices: int64, input_values: T, input_shape: int64, reduction_axes: int32"
    attrs = "keep_dims: bool = false, T: numbertype"
    outputs = "output: T"
    is_host_only = True
    samples: ClassVar[tuple[Sample, ...]] = tuple(
        sample(INDICES, "float[4]", SHAPE, axes, keep_dims=keeps, has_gradient=False)
        for axes in ("int32: [0]", "int32: -1", "int32: [0, 1]", np.zeros(0, np.int32))
        for keeps in (False, True)
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape, axes = constant_shape(op._inputs[2]), constant_value(op._inputs[3])
        if not shape.is_fully_defined() or axes is None:
            return [unknown_shape()]
        sizes = shape.as_list()
        if any(not -len(sizes) <= axis < len(sizes) for axis in axes.reshape(-1)):
            return [unknown_shape()]
        reduced = _axes(axes, len(sizes))
        keeps = op.attr("keep_dims")
        return [TensorShape([1 if axis in reduced else size for axis, size in enumerate(sizes) if keeps or axis not in reduced])]


def _axes(axes: Any, rank: int) -> set[int]:
    found = np.reshape(axes, -1).tolist()
    wrong = next((axis for axis in found if not -rank <= axis < rank), None)
    if wrong is not None:
        raise InvalidArgumentError(f"Invalid reduction dimension {wrong}, for input with {rank} dimensions.")
    return {axis % rank for axis in found}


def _reduced(ufunc: Any, indices: Any, values: Any, shape: Any, axes: Any, keeps: bool) -> tuple[Any, Any, list[int]]:
    """The indices of what was found, in order, the values, and the shape."""
    check(indices, values, shape, "input")
    rank = len(shape)
    reduced = _axes(axes, rank)
    kept = [axis for axis in range(rank) if axis not in reduced]
    sizes = [int(shape[axis]) for axis in kept]
    places = flat_places(indices[:, kept], sizes)
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    starts = np.flatnonzero(np.concatenate([[True], np.diff(ordered) != 0])) if len(ordered) else np.zeros(0, np.int64)
    found = ufunc.reduceat(values[order], starts) if len(starts) else values[:0]
    found_indices = split_places(ordered[starts], sizes)
    if keeps:
        whole = np.zeros((len(starts), rank), np.int64)
        whole[:, kept] = found_indices
        found_indices, sizes = whole, [1 if axis in reduced else int(shape[axis]) for axis in range(rank)]
    return found_indices, found.astype(values.dtype), sizes


def _densely(ufunc: Any, indices: Any, values: Any, shape: Any, axes: Any, keeps: bool) -> Any:
    places, found, sizes = _reduced(ufunc, indices, values, shape, axes, keeps)
    result = np.zeros(sizes, values.dtype)
    result[tuple(places.T)] = found if sizes else found.reshape(-1)[:1].reshape(()) if len(found) else 0
    return result


class SparseReduceSum(_Reduction):
    """Sums, as a dense tensor."""

    @staticmethod
    def run(xp: Any, indices: Any, values: Any, shape: Any, axes: Any, *, keep_dims: bool) -> Any:
        return _densely(np.add, indices, values, shape, axes, keep_dims)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        indices, _, shape, axes = op.inputs
        kept_shape = apply("Cast", _shape_with_ones(shape, axes), DstT="int64")
        scale = apply("FloorDiv", shape, kept_shape)
        return [None, gather_nd(apply("Reshape", grad, kept_shape), apply("FloorDiv", indices, scale)), None, None]


def _shape_with_ones(shape: Tensor, axes: Tensor) -> Tensor:
    """A shape, 1 along the reduced axes."""
    sizes = apply("Cast", shape, DstT="int32")
    rank = apply("Size", sizes)
    zero, one = (apply("Const", value=np.int32(value), dtype="int32") for value in (0, 1))
    flat = apply("Reshape", apply("FloorMod", apply("AddV2", axes, rank), rank), apply("Const", value=np.array([-1], np.int32), dtype="int32"))
    ones = apply("Fill", apply("Shape", flat), one)
    return apply("DynamicStitch", [apply("Range", zero, rank, one), flat], [sizes, ones])


class SparseReduceMax(_Reduction):
    """The largest of those that are there, as a dense tensor."""

    attrs = "keep_dims: bool = false, T: realnumbertype"

    @staticmethod
    def run(xp: Any, indices: Any, values: Any, shape: Any, axes: Any, *, keep_dims: bool) -> Any:
        return _densely(np.maximum, indices, values, shape, axes, keep_dims)


class _SparseReduction(_Reduction, abstract=True):
    """Axes of a sparse tensor reduced, as a sparse one."""

    outputs = "output_indices: int64, output_values: T, output_shape: int64"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape()] * 3


class SparseReduceSumSparse(_SparseReduction):
    """Sums, as a sparse tensor."""

    @staticmethod
    def run(xp: Any, indices: Any, values: Any, shape: Any, axes: Any, *, keep_dims: bool) -> tuple[Any, Any, Any]:
        places, found, sizes = _reduced(np.add, indices, values, shape, axes, keep_dims)
        return places, found, np.array(sizes, np.int64)


class SparseReduceMaxSparse(_SparseReduction):
    """The largest of those that are there, as a sparse tensor."""

    attrs = "keep_dims: bool = false, T: realnumbertype"

    @staticmethod
    def run(xp: Any, indices: Any, values: Any, shape: Any, axes: Any, *, keep_dims: bool) -> tuple[Any, Any, Any]:
        places, found, sizes = _reduced(np.maximum, indices, values, shape, axes, keep_dims)
        return places, found, np.array(sizes, np.int64)


class SparseSoftmax(OpType):
    """Softmax over the values that each row has."""

    inputs = "sp_indices: int64, sp_values: T, sp_shape: int64"
    outputs = "output: T"
    attrs = "T: {half, float, double}"
    is_host_only = True
    samples = (sample(INDICES, "float[4]", SHAPE), sample("int64: [[0, 0, 1], [0, 1, 0], [0, 1, 2]]", "double[3]", "int64: [1, 2, 3]"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(2)
        op._inputs[2].shape.with_rank(1)
        return [op._inputs[1].shape.with_rank(1)]

    @staticmethod
    def run(xp: Any, indices: Any, values: Any, shape: Any) -> Any:
        check(indices, values, shape, "sp")
        if len(shape) < 2:
            raise InvalidArgumentError("Input should have rank >= 2, but received shape " + shown(shape.tolist()))
        if not len(values):
            return values
        rows = flat_places(indices[:, :-1], shape[:-1])
        order = np.argsort(rows, kind="stable")
        is_first = np.concatenate([[True], np.diff(rows[order]) != 0])
        starts, group = np.flatnonzero(is_first), np.cumsum(is_first) - 1
        ordered = values[order].astype(np.float64 if values.dtype == np.float64 else np.float32)
        powers = np.exp(ordered - np.maximum.reduceat(ordered, starts)[group])
        found = np.empty_like(values)
        found[order] = powers / np.add.reduceat(powers, starts)[group]
        return found

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        indices, shape = op.inputs[0], op.inputs[2]
        output = op.outputs[0]
        last = apply("Const", value=np.array([-1], np.int32), dtype="int32")
        sums = apply("SparseReduceSum", indices, output * grad, shape, last, keep_dims=True)
        return [None, (grad - apply("SparseDenseCwiseMul", indices, apply("OnesLike", output), shape, sums)) * output, None]
