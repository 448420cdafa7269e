"""Values put into tensors at indices: scatter_nd, and tensor_scatter_* that change a copy of a tensor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, constant_shape, sample
from gpersist.ops.accumulating import combine_at
from gpersist.ops.filling import zeros_like
from gpersist.ops.gathering import flat_indices, outside
from gpersist.ops.kernels import as_array, shown
from gpersist.ops.passing import identity
from gpersist.ops.shaping import shape_of
from gpersist.shapes import TensorShape

__all__ = [
    "scatter_nd",
    "tensor_scatter_nd_add",
    "tensor_scatter_nd_max",
    "tensor_scatter_nd_min",
    "tensor_scatter_nd_sub",
    "tensor_scatter_nd_update",
]


def _checked_shape(shape: TensorShape, indices: TensorShape, updates: TensorShape) -> TensorShape:
    """The shape that is scattered into.

    Raises:
        ValueError: indices and updates don't fit it, or each other.
    """
    at, given = indices.with_rank_at_least(1).sizes, updates.sizes
    if shape.sizes is not None and 0 in shape.sizes and (indices.num_elements() or updates.num_elements()):
        raise ValueError("Indices and updates specified for empty input")
    if at is None or not given or shape.sizes is None:
        return shape
    batch = at[:-1]
    if not TensorShape(batch).is_compatible_with(given[: len(batch)]):
        raise ValueError(
            f"Dimensions [0,{len(batch)}) of indices[shape={shown(at)}] must match dimensions [0,{len(batch)}) of updates[shape={shown(given)}]"
        )
    if at[-1] is not None and not TensorShape(shape.sizes[at[-1] :]).is_compatible_with(given[len(batch) :]):
        raise ValueError(
            f"Dimensions [{at[-1]},{len(shape.sizes)}) of input[shape={shown(shape.sizes)}] must match dimensions [{len(batch)},{len(given)}) of "
            f"updates[shape={shown(given)}]"
        )
    return shape


def _scattered(xp: Any, target: Array, indices: Array, updates: Any, how: str) -> Array:
    """A copy of a tensor with values put into it. On a device, what lies outside is left out, as TensorFlow does there."""
    values = as_array(xp, updates)
    for name, array in (("Indices", indices), ("Updates", values)):
        if not array.ndim:
            raise InvalidArgumentError(f"{name} shape must have rank at least one. Found:[]")
    if (indices.size or values.size) and not (target.size and indices.size and values.size):
        raise InvalidArgumentError("Indices and updates specified for empty output shape")
    depth = indices.shape[-1]
    if indices.ndim == 1 or depth > target.ndim or values.shape != (*indices.shape[:-1], *target.shape[depth:]):
        raise InvalidArgumentError(
            f"indices of shape {shown(indices.shape)} and updates of shape {shown(values.shape)} do not fit a tensor of shape {shown(target.shape)}"
        )
    if not depth:
        raise InvalidArgumentError("Only indices.shape[-1] values between 1 and 5 are currently supported.  Requested rank: 0")
    flat, is_inside = flat_indices(xp, indices, target.shape[:depth])
    if xp is np and not is_inside.all():
        raise outside(indices, is_inside, target.shape)
    count, rest = math.prod(target.shape[:depth]), target.shape[depth:]
    rows = xp.empty((count + 1, *rest), target.dtype)  # the last one takes what lies outside
    rows[:count] = target.reshape(count, *rest)
    places = xp.where(is_inside, flat, count).reshape(-1)
    values = values.reshape(-1, *rest) if values.size else values.reshape(places.size, *rest)
    if how == "update":
        rows[places] = values
    elif places.size:
        rows[count:] = values.reshape(-1)[0] if values.size else 0
        combine_at(xp, how, rows, places, values)
    return rows[:count].reshape(target.shape)


class ScatterNd(OpType):
    """Zeros with values at places given by the last dimension of indices; values at one place are added up."""

    inputs = "indices: Tindices, updates: T, shape: Tindices"
    outputs = "output: T"
    attrs = "T: type, Tindices: {int16, int32, int64}"
    samples = (
        sample("int32: [[1], [3], [1]]", "float[3,2]", "int32: [4, 2]"),
        sample("int64: [[0, 1], [1, 0]]", "double[2]", "int64: [2, 2]"),
        sample("int32: [[1]]", "int32[1,2]", "int32: [3, 2]"),
        sample(np.zeros((0, 1), np.int32), np.zeros(0, np.float32), "int32: [3]"),
    )
    host_inputs = ("shape",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        indices, updates, shape = op._inputs
        return [_checked_shape(constant_shape(shape), indices.shape, updates.shape.with_rank_at_least(1))]

    @staticmethod
    def run(xp: Any, indices: Array, updates: Any, shape: Any) -> Array:
        values = as_array(xp, updates)
        wanted = tuple(shape.tolist())
        if min(wanted, default=0) < 0:
            raise InvalidArgumentError(f"Invalid shape {list(wanted)}")
        zeros = xp.full(wanted, b"", object) if values.dtype == object else xp.zeros(wanted, values.dtype)
        return _scattered(xp, zeros, indices, values, "add")

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, apply("GatherNd", grad, op.inputs[0]), None]


class _TensorScatter(OpType, abstract=True):
    """A tensor with values put into a copy of it."""

    inputs = "tensor: T, indices: Tindices, updates: T"
    outputs = "output: T"
    attrs = "T: type, Tindices: {int32, int64}"
    samples = (
        sample("float[4,2]", "int32: [[1], [3]]", "float[2,2]"),
        sample("double[2,2]", "int64: [[0, 1]]", "double[1]"),
        sample("int32[4]", "int32: [[1], [1]]", "int32[2]"),
        sample("float[3]", np.zeros((0, 1), np.int32), np.zeros(0, np.float32)),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        tensor, indices, updates = (tensor.shape for tensor in op._inputs)
        return [_checked_shape(tensor.with_rank_at_least(1), indices, updates)]


class TensorScatterUpdate(_TensorScatter):
    """A tensor in which values have taken the place of others."""

    attrs = "T: type, Tindices: {int16, int32, int64, uint16}"
    samples = (*_TensorScatter.samples[:2], *_TensorScatter.samples[3:], sample("string[2]", "int32: [[1]]", "string[1]"))

    @staticmethod
    def run(xp: Any, tensor: Array, indices: Array, updates: Array) -> Array:
        return _scattered(xp, as_array(xp, tensor), indices, updates, "update")

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        _, indices, updates = op.inputs
        put = apply("GatherNd", grad, indices)
        return [apply("TensorScatterUpdate", identity(grad), indices, zeros_like(updates, dtype=grad.dtype)), None, put]


class TensorScatterAdd(_TensorScatter):
    """A tensor to which values have been added."""

    @staticmethod
    def run(xp: Any, tensor: Array, indices: Array, updates: Array) -> Array:
        return _scattered(xp, as_array(xp, tensor), indices, updates, "add")

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        put = apply("GatherNd", grad, op.inputs[1])
        return [identity(grad), None, put]


class ScatterNdNonAliasingAdd(TensorScatterAdd):
    """A tensor to which values have been added."""

    inputs = "input: T, indices: Tindices, updates: T"
    attrs = (
        "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, quint16, uint16, complex128, half, "
        "uint32, uint64, bool}, Tindices: {int32, int64}"
    )

    @staticmethod
    def run(xp: Any, input: Array, indices: Array, updates: Array) -> Array:
        return _scattered(xp, as_array(xp, input), indices[:, None] if indices.ndim == 1 else indices, updates, "add")  # a vector is as many indices

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [grad, None, apply("GatherNd", grad, op.inputs[1])]


class TensorScatterSub(_TensorScatter):
    """A tensor from which values have been taken."""

    @staticmethod
    def run(xp: Any, tensor: Array, indices: Array, updates: Array) -> Array:
        return _scattered(xp, as_array(xp, tensor), indices, -as_array(xp, updates), "add")

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        put = apply("GatherNd", grad, op.inputs[1])
        return [identity(grad), None, -put]


def _extreme_gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
    """The gradient goes to what is the extreme, in equal shares."""
    tensor, indices, updates = op.inputs
    found = op.outputs[0]
    is_kept = apply("Cast", apply("Equal", tensor, found), DstT=grad.dtype)
    is_put = apply("Cast", apply("Equal", updates, apply("GatherNd", found, indices)), DstT=grad.dtype)
    shares = is_kept + apply("ScatterNd", indices, is_put, shape_of(tensor, out_type=indices.dtype))
    return [grad * is_kept / shares, None, apply("GatherNd", grad / shares, indices) * is_put]


class TensorScatterMin(_TensorScatter):
    """A tensor in which smaller values have taken the place of larger ones."""

    @staticmethod
    def run(xp: Any, tensor: Array, indices: Array, updates: Array) -> Array:
        return _scattered(xp, as_array(xp, tensor), indices, updates, "minimum")

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return _extreme_gradient(op, grad)


class TensorScatterMax(_TensorScatter):
    """A tensor in which larger values have taken the place of smaller ones."""

    @staticmethod
    def run(xp: Any, tensor: Array, indices: Array, updates: Array) -> Array:
        return _scattered(xp, as_array(xp, tensor), indices, updates, "maximum")

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return _extreme_gradient(op, grad)


def scatter_nd(indices: Any, updates: Any, shape: Any, name: str | None = None) -> Tensor:
    """Zeros of a shape with values at places given by the last dimension of `indices` (`tf.scatter_nd`)."""
    return apply("ScatterNd", indices, updates, shape, name=name)


def tensor_scatter_nd_update(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """A tensor in which values have taken the place of others (`tf.tensor_scatter_nd_update`)."""
    return apply("TensorScatterUpdate", tensor, indices, updates, name=name)


def tensor_scatter_nd_add(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """A tensor to which values have been added (`tf.tensor_scatter_nd_add`)."""
    return apply("TensorScatterAdd", tensor, indices, updates, name=name)


def tensor_scatter_nd_sub(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """A tensor from which values have been taken (`tf.tensor_scatter_nd_sub`)."""
    return apply("TensorScatterSub", tensor, indices, updates, name=name)


def tensor_scatter_nd_min(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """A tensor in which smaller values have taken the place of larger ones (`tf.tensor_scatter_nd_min`)."""
    return apply("TensorScatterMin", tensor, indices, updates, name=name)


def tensor_scatter_nd_max(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """A tensor in which larger values have taken the place of smaller ones (`tf.tensor_scatter_nd_max`)."""
    return apply("TensorScatterMax", tensor, indices, updates, name=name)
