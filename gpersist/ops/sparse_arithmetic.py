"""Sparse tensors calculated with: made dense, added, multiplied, reduced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, apply_op, constant_shape, constant_value, sample
from gpersist.ops.gathering import gather, gather_nd
from gpersist.ops.kernels import shown
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.sparse_structure import INDICES, SHAPE, check, flat_places, split_places
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []


class SparseToDense(OpType):
    """A tensor of one value, with others at some places."""

    inputs = "sparse_indices: Tindices, output_shape: Tindices, sparse_values: T, default_value: T"
    outputs = "dense: T"
    attrs = "validate_indices: bool = true, T: type, Tindices: {int32, int64}"
    host_inputs = ("output_shape",)
    samples = (
        sample(INDICES, SHAPE, "float[4]", "float: 7.0"),
        sample("int32: [1, 3]", "int32: [5]", "float: 2.0", "float: 0.0", has_gradient=False),
        sample("int32: 2", "int32: [4]", "int32: 3", "int32: 0"),
        sample("int64: [[3], [1]]", "int64: [4]", "double[2]", "double: 0.0", validate_indices=False),
        sample("int32: [1, 3]", "int32: [5]", "string[2]", np.array(b"-", object)),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[1].shape.with_rank(1)
        known = constant_value(op._inputs[1])
        if known is not None and (known < -1).any():
            raise ValueError(f"Invalid value in tensor used for shape: {known.min()}")
        return [constant_shape(op._inputs[1])]

    @staticmethod
    def run(xp: Any, indices: Array, output_shape: Any, values: Array, default_value: Any, *, validate_indices: bool) -> Array:
        if indices.ndim > 2:
            raise InvalidArgumentError(f"sparse_indices should be a scalar, vector, or matrix, got shape {shown(indices.shape)}")
        if output_shape.ndim != 1:
            raise InvalidArgumentError(f"output_shape must be rank 1, got shape {shown(output_shape.shape)}")
        if np.ndim(values) > 1 or np.ndim(default_value):
            raise InvalidArgumentError(f"sparse_values should be a scalar or a vector, default_value a scalar; they are {shown(np.shape(values))}, ...")
        table = indices.reshape(-1, 1) if indices.ndim < 2 else indices
        shape = tuple(output_shape.tolist())
        if table.shape[1] != len(shape):
            raise InvalidArgumentError(f"output_shape has incorrect number of elements: {len(shape)} should be: {table.shape[1]}")
        if np.ndim(values) and len(values) != len(table):
            raise InvalidArgumentError(f"sparse_values has incorrect shape {shown(values.shape)}, should be [] or [{len(table)}]")
        if xp is np:
            _check_places(table, shape, validate_indices)
        if min(shape, default=0) < 0:
            raise InvalidArgumentError(f"output_shape {shown(shape)} has a negative dimension")
        found = xp.empty(shape, object if isinstance(values, bytes) else values.dtype)
        found[...] = default_value
        found[tuple(table.T)] = values
        return found

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        found = gather_nd(grad, op.inputs[0])
        return [None, None, found, reduce_sum(grad) - reduce_sum(found)]


def _check_places(table: Any, shape: tuple[int, ...], is_strict: bool) -> None:
    """Holds indices against a shape, and, if wanted, against the order that they should have.

    Raises:
        InvalidArgumentError: one is outside, out of order, or there again.
    """
    wrong = np.flatnonzero(((table < 0) | (table >= np.array(shape))).any(1))
    if wrong.size:
        raise InvalidArgumentError(f"indices[{wrong[0]}] = {shown(table[wrong[0]].tolist())} is out of bounds: need 0 <= index < {shown(shape)}")
    if not is_strict or len(table) < 2:
        return
    steps = np.diff(flat_places(table.astype(np.int64), shape))
    wrong = np.flatnonzero(steps <= 0)
    if wrong.size:
        at = int(wrong[0]) + 1
        what = "is repeated" if steps[at - 1] == 0 else "is out of order. Many sparse ops require sorted indices.\n  Use `tf.sparse.reorder` to create a correctly ordered copy.\n\n"
        raise InvalidArgumentError(f"indices[{at}] = {shown(table[at].tolist())} {what}")


class SparseTensorDenseMatMul(OpType):
    """A sparse matrix times a dense one."""

    inputs = "a_indices: Tindices, a_values: T, a_shape: int64, b: T"
    outputs = "product: T"
    attrs = "T: type, Tindices: {int32, int64} = int64, adjoint_a: bool = false, adjoint_b: bool = false"
    host_inputs = ("a_shape",)
    samples = (
        sample(INDICES, "float[4]", SHAPE, "float[3,2]"),
        sample(INDICES, "float[4]", SHAPE, "float[4,2]", adjoint_a=True),
        sample(INDICES, "double[4]", SHAPE, "double[2,3]", adjoint_b=True),
        sample(INDICES[:0], "float[0]", SHAPE, "float[3,2]"),
        sample(INDICES, "complex64[4]", SHAPE, "complex64[2,4]", adjoint_a=True, adjoint_b=True),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        indices, values, _, b = (tensor.shape for tensor in op._inputs)
        indices.with_rank(2)[:1].merge_with(values.with_rank(1))
        known = constant_shape(op._inputs[2]).with_rank(2)
        rows, inner = known.as_list()[::-1] if op.attr("adjoint_a") else known.as_list()
        b = b.with_rank(2)
        others, columns = b.as_list()[::-1] if op.attr("adjoint_b") else b.as_list()
        TensorShape([inner]).merge_with([others])
        return [TensorShape([rows, columns])]

    @staticmethod
    def run(xp: Any, indices: Array, values: Array, a_shape: Any, b: Array, *, adjoint_a: bool, adjoint_b: bool) -> Array:
        if b.ndim != 2:
            raise InvalidArgumentError("Tensor 'b' is not a matrix")
        if a_shape.ndim != 1 or len(a_shape) != 2:
            raise InvalidArgumentError("Tensor 'a_shape' is not a vector of 2 elements")
        check(indices, values, a_shape, "a")
        right = b.conj().T if adjoint_b else b
        rows, inner = map(int, a_shape[::-1] if adjoint_a else a_shape)
        row, column = indices.T[::-1] if adjoint_a else indices.T
        if inner != right.shape[0]:
            raise InvalidArgumentError(f"Cannot multiply A and B because inner dimension does not match: {inner} vs. {right.shape[0]}.")
        if xp is np and indices.size and ((row < 0) | (row >= rows) | (column < 0) | (column >= inner)).any():
            raise InvalidArgumentError(f"an index of A is outside of {shown(a_shape.tolist())}")
        found = xp.zeros((rows, right.shape[1]), b.dtype)
        scale = values.conj() if adjoint_a else values
        if xp is np:
            return _summed_rows(found, row, scale[:, None] * right[column])
        xp.add.at(found, row, scale[:, None] * right[column])
        return found

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        indices, values, shape, b = op.inputs
        is_a, is_b = op.attr("adjoint_a"), op.attr("adjoint_b")
        to_b = apply("SparseTensorDenseMatMul", indices, values, shape, grad, adjoint_a=not is_a)
        if is_b:
            to_b = apply("Transpose", apply("Conj", to_b) if to_b.dtype.is_complex else to_b, apply("Const", value=np.int32([1, 0]), dtype="int32"))
        rows, columns = indices[:, 0], indices[:, 1]
        to_grad = gather(grad, columns if is_a else rows)
        if is_b:
            other = gather(apply("Transpose", b, apply("Const", value=np.int32([1, 0]), dtype="int32")), rows if is_a else columns)
        else:
            other = gather(b, rows if is_a else columns)
        product = to_grad * (apply("Conj", other) if other.dtype.is_complex else other)
        return [None, reduce_sum(product, 1), None, to_b]


def _summed_rows(found: Any, rows: Any, parts: Any) -> Any:
    """Adds each part to a row of what was found."""
    if len(rows):
        if (np.diff(rows) < 0).any():
            order = np.argsort(rows, kind="stable")
            rows, parts = rows[order], parts[order]
        starts = np.flatnonzero(np.concatenate([[True], np.diff(rows) != 0]))
        found[rows[starts]] = np.add.reduceat(parts, starts, 0)
    return found


class SparseTensorDenseAdd(OpType):
    """A sparse tensor and a dense one of the same shape."""

    inputs = "a_indices: Tindices, a_values: T, a_shape: Tindices, b: T"
    outputs = "output: T"
    attrs = "T: numbertype, Tindices: {int32, int64}"
    is_host_only = True
    samples = (sample(INDICES, "float[4]", SHAPE, "float[4,3]"),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[3].shape]

    @staticmethod
    def run(xp: Any, indices: Any, values: Any, shape: Any, b: Any) -> Any:
        check(indices, values, shape, "a")
        if b.ndim != len(shape):
            raise InvalidArgumentError(f"Two operands have different ranks; received: {len(shape)} and {b.ndim}")
        if tuple(shape.tolist()) != b.shape:
            raise InvalidArgumentError(f"Dimensions of the operands do not equal: {shown(shape.tolist())} vs. {shown(b.shape)}")
        if ((indices < 0) | (indices >= shape)).any():
            raise InvalidArgumentError("Sparse tensor has an invalid index")
        found = b.copy()
        np.add.at(found, tuple(indices.T), values)
        return found

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, gather_nd(grad, op.inputs[0]), None, grad]


_TWO = (INDICES, "float[4]", SHAPE, np.array([[0, 1], [2, 2], [3, 1]], np.int64), "float[3]", SHAPE)


def _two_shapes(op: Operation) -> list[TensorShape]:
    rank = op._inputs[2].shape.merge_with(op._inputs[5].shape).with_rank(1)
    return [TensorShape([None, rank.as_list()[0]]), TensorShape([None]), rank]


def _union(a: Any, b: Any) -> tuple[Any, Any, Any]:
    """The places that either has, in order: indices, and for each of `a` and of `b` its position among them."""
    places, inverse = np.unique(np.concatenate([a, b]), axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    return places, inverse[: len(a)], inverse[len(a) :]


class SparseAdd(OpType):
    """The sum of two; where both have values, sums nearer to 0 than `thresh` are left out."""

    inputs = "a_indices: int64, a_values: T, a_shape: int64, b_indices: int64, b_values: T, b_shape: int64, thresh: Treal"
    outputs = "sum_indices: int64, sum_values: T, sum_shape: int64"
    attrs = "T: numbertype, Treal: realnumbertype"
    is_host_only = True
    samples = (sample(*_TWO, "float: 0.0", has_gradient=False), sample(*_TWO, "float: 0.5", has_gradient=False))
    shapes = staticmethod(_two_shapes)

    @staticmethod
    def run(xp: Any, a: Any, a_values: Any, a_shape: Any, b: Any, b_values: Any, b_shape: Any, thresh: Any) -> tuple[Any, Any, Any]:
        _check_two(a, a_values, a_shape, b, b_values, b_shape)
        if np.ndim(thresh):
            raise InvalidArgumentError(f"The magnitude threshold must be a scalar: got shape {shown(np.shape(thresh))}")
        indices, of_a, of_b = _union(a, b)
        found = np.zeros(len(indices), a_values.dtype)
        np.add.at(found, of_a, a_values)
        np.add.at(found, of_b, b_values)
        is_sum = np.bincount(of_a, minlength=len(indices)) + np.bincount(of_b, minlength=len(indices)) > 1
        kept = ~is_sum | (np.abs(found) >= thresh)
        return indices[kept], found[kept], a_shape

    @staticmethod
    def gradient(op: Operation, _: Tensor, grad: Tensor, __: Tensor) -> list[Tensor | None]:
        found = apply_op("SparseAddGrad", grad, op.inputs[0], op.inputs[3], op.outputs[0]).outputs
        return [None, found[0], None, None, found[1], None, None]


def _check_two(a: Any, a_values: Any, a_shape: Any, b: Any, b_values: Any, b_shape: Any) -> None:
    check(a, a_values, a_shape, "a")
    check(b, b_values, b_shape, "b")
    if a_shape.shape != b_shape.shape:
        raise InvalidArgumentError(f"Ranks of input tensors must match, but saw ranks: {len(a_shape)} and {len(b_shape)}")
    if (a_shape != b_shape).any():
        raise InvalidArgumentError(f"Operands' shapes do not match: got {shown(a_shape.tolist())} and {shown(b_shape.tolist())}")


class SparseAddGrad(OpType):
    """The gradient of `SparseAdd` with respect to the values of both."""

    inputs = "backprop_val_grad: T, a_indices: int64, b_indices: int64, sum_indices: int64"
    outputs = "a_val_grad: T, b_val_grad: T"
    attrs = "T: numbertype"
    is_host_only = True
    samples = (sample("float[2]", "int64: [[0, 1], [1, 0]]", "int64: [[1, 0], [1, 2]]", "int64: [[0, 1], [1, 0]]"),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[1].shape.with_rank(2)[:1], op._inputs[2].shape.with_rank(2)[:1]]

    @staticmethod
    def run(xp: Any, grad: Any, a: Any, b: Any, total: Any) -> list[Any]:
        if grad.ndim != 1 or a.ndim != 2 or b.ndim != 2 or total.ndim != 2:
            raise InvalidArgumentError("the gradient must be a vector, and indices must be matrices")
        if len(grad) != len(total):
            raise InvalidArgumentError(f"# elements in backprop_val_grad and # rows in sum_indices must match: got {len(grad)} vs. {len(total)}")
        places = {tuple(index): number for number, index in enumerate(total.tolist())}
        found = []
        for indices in (a, b):
            at = [places.get(tuple(index), -1) for index in indices.tolist()]
            found.append(np.array([grad[number] if number >= 0 else 0 for number in at], grad.dtype))
        return found


class _Extreme(OpType, abstract=True):
    """Of two, element by element, one; where one has no value, 0 takes its place."""

    inputs = "a_indices: int64, a_values: T, a_shape: int64, b_indices: int64, b_values: T, b_shape: int64"
    outputs = "output_indices: int64, output_values: T"
    is_host_only = True
    samples: ClassVar[tuple[Sample, ...]] = (sample(*_TWO, has_gradient=False),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [TensorShape([None, None]), TensorShape([None])]


def _extreme(choose: Callable[..., Any], *parts: Any) -> tuple[Any, Any]:
    _check_two(*parts)
    indices, of_a, of_b = _union(parts[0], parts[3])
    a, b = (np.zeros(len(indices), parts[1].dtype) for _ in range(2))
    a[of_a], b[of_b] = parts[1], parts[4]
    return indices, choose(a, b)


class SparseSparseMaximum(_Extreme):
    """The larger of two."""

    attrs = "T: realnumbertype"

    @staticmethod
    def run(xp: Any, a: Any, a_values: Any, a_shape: Any, b: Any, b_values: Any, b_shape: Any) -> tuple[Any, Any]:
        return _extreme(np.maximum, a, a_values, a_shape, b, b_values, b_shape)


class SparseSparseMinimum(_Extreme):
    """The smaller of two."""

    attrs = "T: numbertype"

    @staticmethod
    def run(xp: Any, a: Any, a_values: Any, a_shape: Any, b: Any, b_values: Any, b_shape: Any) -> tuple[Any, Any]:
        return _extreme(np.minimum, a, a_values, a_shape, b, b_values, b_shape)


class _Elementwise(OpType, abstract=True):
    """The values of a sparse tensor and those that a dense one, broadcast, has there."""

    inputs = "sp_indices: int64, sp_values: T, sp_shape: int64, dense: T"
    outputs = "output: T"
    attrs = "T: numbertype"
    is_host_only = True
    samples: ClassVar[tuple[Sample, ...]] = (
        sample(INDICES, "float[4]", SHAPE, "float[4,3] in 0.5..2"),
        sample(INDICES, "float[4]", SHAPE, "float[3] in 0.5..2", has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape.with_rank(2)[:1]]


def _at(indices: Any, values: Any, shape: Any, dense: Any) -> Any:
    check(indices, values, shape, "sp")
    sizes = tuple(shape.tolist())
    if dense.ndim > len(sizes) or any(have not in (1, want) for have, want in zip(dense.shape[::-1], sizes[::-1], strict=False)):
        raise InvalidArgumentError(
            "SparseDenseBinaryOpShared broadcasts dense to sparse only; got incompatible shapes: "
            f"[{','.join(map(str, sizes))}] vs. [{','.join(map(str, dense.shape))}]"
        )
    if ((indices < 0) | (indices >= shape)).any():
        raise InvalidArgumentError("an index of the sparse tensor is outside of its shape")
    return np.broadcast_to(dense, sizes)[tuple(indices.T)]


class SparseDenseCwiseMul(_Elementwise):
    """Their products."""

    @staticmethod
    def run(xp: Any, indices: Any, values: Any, shape: Any, dense: Any) -> Any:
        return values * _at(indices, values, shape, dense)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        indices, values, shape, dense = op.inputs
        return [None, grad * _dense_at(indices, shape, dense), None, _to_dense(op, grad * values)]


class SparseDenseCwiseDiv(_Elementwise):
    """Their quotients."""

    @staticmethod
    def run(xp: Any, indices: Any, values: Any, shape: Any, dense: Any) -> Any:
        others = _at(indices, values, shape, dense)
        if values.dtype.kind in "iu":
            if (others == 0).any():
                raise InvalidArgumentError("Integer division by zero")
            return ((values - np.fmod(values, others)) // others).astype(values.dtype)
        return (values / others).astype(values.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        indices, values, shape, dense = op.inputs
        others = _dense_at(indices, shape, dense)
        return [None, grad / others, None, _to_dense(op, -grad * values / (others * others))]


class SparseDenseCwiseAdd(_Elementwise):
    """Their sums."""

    samples = tuple(found._replace(has_gradient=False) for found in _Elementwise.samples)

    @staticmethod
    def run(xp: Any, indices: Any, values: Any, shape: Any, dense: Any) -> Any:
        return values + _at(indices, values, shape, dense)


def _dense_at(indices: Tensor, shape: Tensor, dense: Tensor) -> Tensor:
    return gather_nd(apply("BroadcastTo", dense, shape), indices)


def _to_dense(op: Operation, values: Tensor) -> Tensor:
    indices, _, shape, dense = op.inputs
    spread = apply("ScatterNd", indices, values, shape)
    own, _ = apply_op("BroadcastGradientArgs", apply("Shape", dense, out_type="int64"), shape).outputs
    return apply("Reshape", reduce_sum(spread, own), apply("Shape", dense, out_type="int64"))


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
    flat = apply("Reshape", apply("FloorMod", apply("AddV2", axes, rank), rank), apply("Const", value=np.int32([-1]), dtype="int32"))
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
        last = apply("Const", value=np.int32([-1]), dtype="int32")
        sums = apply("SparseReduceSum", indices, output * grad, shape, last, keep_dims=True)
        return [None, (grad - apply("SparseDenseCwiseMul", indices, apply("OnesLike", output), shape, sums)) * output, None]


class SparseMatMul(OpType):
    """The product of two matrices, of which one may be mostly zeros."""

    inputs = "a: Ta, b: Tb"
    outputs = "product: float"
    attrs = (
        "transpose_a: bool = false, transpose_b: bool = false, a_is_sparse: bool = false, b_is_sparse: bool = false, Ta: {float, bfloat16} = float, "
        "Tb: {float, bfloat16} = float"
    )
    samples = (sample("float[2,3]", "float[3,4]"), sample("float[3,2]", "float[4,3]", transpose_a=True, transpose_b=True, a_is_sparse=True))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        a, b = (tensor.shape.with_rank(2).as_list() for tensor in op._inputs)
        a, b = (a[::-1] if op.attr("transpose_a") else a), (b[::-1] if op.attr("transpose_b") else b)
        TensorShape([a[1]]).merge_with([b[0]])
        return [TensorShape([a[0], b[1]])]

    @staticmethod
    def run(xp: Any, a: Array, b: Array, *, transpose_a: bool, transpose_b: bool) -> Array:
        if a.ndim != 2 or b.ndim != 2:
            raise InvalidArgumentError(f"{'a' if a.ndim != 2 else 'b'} is not a matrix")
        left, right = (a.T if transpose_a else a), (b.T if transpose_b else b)
        if left.shape[1] != right.shape[0]:
            raise InvalidArgumentError(f"Matrix size incompatible: a: {shown(a.shape)}, b: {shown(b.shape)}")
        return left.astype(np.float32) @ right.astype(np.float32)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        a, b = op.inputs
        ta, tb = op.attr("transpose_a"), op.attr("transpose_b")
        to_a = apply("MatMul", b, grad, transpose_a=tb, transpose_b=True) if ta else apply("MatMul", grad, b, transpose_b=not tb)
        to_b = apply("MatMul", grad, a, transpose_a=True, transpose_b=ta) if tb else apply("MatMul", a, grad, transpose_a=not ta)
        return [to_a, to_b]

