"""Sparse tensors added to others, and calculated with element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, apply_op, sample
from gpersist.ops.gathering import gather_nd
from gpersist.ops.kernels import shown
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.sparse_structure import INDICES, SHAPE, check
from gpersist.shapes import TensorShape

__all__: list[str] = []


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
    rank = op._inputs[2].shape.with_rank(1)
    return [TensorShape([None, rank.as_list()[0]]), TensorShape([None]), rank]


def _union(a: Any, b: Any) -> tuple[Any, Any, Any]:
    """The places that either has, in order: indices, and for each of `a` and of `b` its position among them.

    Where those of one are not in order, or twice there, they are taken as they come, as TensorFlow does.
    """
    if not (_is_in_order(a) and _is_in_order(b)):
        return _merged(a, b)
    places, inverse = np.unique(np.concatenate([a, b]), axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    return places, inverse[: len(a)], inverse[len(a) :]


def _is_in_order(indices: Any) -> bool:
    """Whether each row comes behind the one before it."""
    if not indices.shape[1]:
        return len(indices) < 2
    later, earlier = indices[1:], indices[:-1]
    first = (np.arange(len(later)), np.argmax(later != earlier, axis=1))
    return bool((later[first] > earlier[first]).all())


def _merged(a: Any, b: Any) -> tuple[Any, Any, Any]:
    """The same by going through both at once."""
    ours, theirs = list(map(tuple, a.tolist())), list(map(tuple, b.tolist()))
    places: list[tuple[int, ...]] = []
    of_a: list[int] = []
    of_b: list[int] = []
    while len(of_a) < len(ours) or len(of_b) < len(theirs):
        mine = ours[len(of_a)] if len(of_a) < len(ours) else None
        other = theirs[len(of_b)] if len(of_b) < len(theirs) else None
        place = mine if other is None or (mine is not None and mine <= other) else other
        if mine == place:
            of_a.append(len(places))
        if other == place:
            of_b.append(len(places))
        places.append(place)  # type: ignore[arg-type]  # one of both is there
    return np.array(places, np.int64).reshape(-1, a.shape[1]), np.array(of_a, np.int64), np.array(of_b, np.int64)


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
    for indices in (parts[0], parts[3]):
        wrong = np.flatnonzero(((indices < 0) | (indices >= parts[2])).any(1))
        if wrong.size:
            raise InvalidArgumentError(f"Sparse index tuple indices[{wrong[0]}, :] = {indices[wrong[0]].tolist()} is out of bounds")
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
        if (others == 0).any():
            raise InvalidArgumentError("SparseDenseCwiseDiv cannot divide by zero,but input dense tensor contains zero ")
        if values.dtype.kind in "iu":
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
