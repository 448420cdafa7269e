"""A bias for each channel: adding it, and its gradient."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, convert_to_tensor, name_scope, sample
from gpersist.ops.array import reshape, shape_of
from gpersist.ops.kernels import combined
from gpersist.ops.matrix_product import matmul
from gpersist.ops.shaping import rank
from gpersist.ops.windows import is_channels_first
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["bias_add"]

_TYPES = (
    "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, quint16, uint16, complex128, half, "
    "uint32, uint64}"
)
_FORMAT = "data_format: {'NHWC', 'NCHW'} = 'NHWC'"


class BiasAdd(OpType):
    """A bias added to each channel."""

    inputs = "value: T, bias: T"
    outputs = "output: T"
    attrs = f"{_TYPES}, {_FORMAT}"
    samples = (
        sample("float[2,3]", "float[3]"),
        sample("double[1,2,2,3]", "double[3]"),
        sample("float[2,3,2]", "float[3]", data_format="NCHW"),
        sample("int32[2,3]", "int32[3]"),
        sample("float[0,3]", "float[3]"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [_biased_shape(op, op.attr("data_format"))]

    @staticmethod
    def run(xp: Any, value: Array, bias: Array, *, data_format: bytes) -> Array:
        spread = _spread_bias(value, bias, data_format)
        return combined(np.add, value, spread) if xp is np else value + spread

    @staticmethod
    def run_into(value: Array, bias: Array, out: Array, *, data_format: bytes) -> Array:
        return combined(np.add, value, _spread_bias(value, bias, data_format), out)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [grad, apply("BiasAddGrad", grad, data_format=op.attr("data_format"))]


class BiasAddV1(OpType):
    """A bias added to each channel, which are the last axis."""

    inputs = "value: T, bias: T"
    outputs = "output: T"
    attrs = _TYPES
    samples = (sample("float[2,3]", "float[3]"), sample("double[1,2,2,3]", "double[3]"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [_biased_shape(op, b"NHWC")]

    @staticmethod
    def run(xp: Any, value: Array, bias: Array) -> Array:
        return BiasAdd.run(xp, value, bias, data_format=b"NHWC")

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [grad, apply("Sum", grad, apply("Range", 0, rank(grad) - 1, 1, name="range"))]


class BiasAddGrad(OpType):
    """The gradient of a bias: the sum over all axes but the channels."""

    inputs = "out_backprop: T"
    outputs = "output: T"
    attrs = f"{_TYPES}, {_FORMAT}"
    samples = (
        sample("float[2,3]"),
        sample("double[1,2,2,3]"),
        sample("float[2,3,2]", data_format="NCHW"),
        sample("float[0,3]", has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape, data_format = op._inputs[0].shape, op.attr("data_format")
        if shape.sizes is None:
            return [unknown_shape(1)]
        shape.with_rank_at_least(3 if data_format == b"NCHW" else 2)
        return [TensorShape([shape.sizes[_channel_axis(len(shape.sizes), data_format)]])]

    @staticmethod
    def run(xp: Any, grad: Array, *, data_format: bytes) -> Array:
        if grad.ndim < 2:
            raise InvalidArgumentError(f"Input tensor must be at least 2D: {list(grad.shape)}")
        axis = _channel_axis(grad.ndim, data_format)
        if axis == grad.ndim - 1:
            return channel_sums(xp, grad)
        return grad.sum(axis=tuple(other for other in range(grad.ndim) if other != axis), dtype=grad.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        shape, bias_shape = shape_of(op.inputs[0]), shape_of(grad)
        if is_channels_first(op.attr("data_format")):
            ahead, behind = shape[:1], [shape[2:]]
        else:
            ahead, behind = shape[:-1], []
        ones = [apply("OnesLike", part, name="ones_like") for part in (ahead, *behind)]
        expanded = apply("ConcatV2", [ones[0], bias_shape, *ones[1:]], 0, name="concat")
        multiples = apply("ConcatV2", [ahead, [1], *behind], 0, name="concat")
        return apply("Tile", reshape(grad, expanded), multiples)


def _spread_bias(value: Array, bias: Array, data_format: bytes) -> Array:
    """The bias in a shape that is broadcast over the value's channels."""
    if value.ndim < 2:
        raise InvalidArgumentError(f"Input tensor must be at least 2D: {list(value.shape)}")
    if bias.ndim != 1:
        raise InvalidArgumentError(f"Biases must be 1D: {list(bias.shape)}")
    axis = _channel_axis(value.ndim, data_format)
    if bias.shape[0] != value.shape[axis]:
        which = "channel" if axis == 1 and is_channels_first(data_format) else "last"
        raise InvalidArgumentError(
            f"Must provide as many biases as the {which} dimension of the input tensor: {list(bias.shape)} vs. {list(value.shape)}"
        )
    return bias if axis == value.ndim - 1 else bias.reshape(-1, *(1,) * (value.ndim - 2))


def channel_sums(xp: Any, value: Array) -> Array:
    """The sums over all axes but the last, one axis after the other: so the rounding errors of long sums stay small.

    The sum over the longest contiguous part is a product with ones where a BLAS does that.
    """
    channels = value.shape[-1]
    rows = value.reshape(math.prod(value.shape[:-1]), channels)
    if value.dtype.char in "fd" and rows.size:
        block = 1 << 12
        if len(rows) <= block:
            return matmul(xp, xp.ones((1, len(rows)), value.dtype), rows)[0]
        whole = len(rows) // block * block
        ones = xp.ones((1, block), value.dtype)
        sums = [matmul(xp, ones, rows[start : start + block])[0] for start in range(0, whole, block)]
        return sum(sums, matmul(xp, ones[:, : len(rows) - whole], rows[whole:])[0])
    return rows.sum(axis=0, dtype=_wide(value.dtype)).astype(value.dtype, copy=False)


def _wide(dtype: Any) -> Any:
    """The type in which numbers of a type are summed: float32 for narrower floats."""
    return "float32" if dtype.itemsize == 2 and dtype.kind in "fV" else dtype


def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Tensor:
    """A bias added to each channel (`tf.nn.bias_add`).

    Args:
        value: [..., channels], or [batch, channels, ...] for "NC...".
        bias: [channels], of the same type.
        data_format: "N...C" or "NC..."; None for the former.
        name: of the operation.

    Raises:
        ValueError: the format is neither.
    """
    with name_scope(name, "BiasAdd", [value, bias]) as scope:
        if data_format is not None:
            if data_format.startswith("NC"):
                data_format = "NCHW"
            elif data_format.startswith("N") and data_format.endswith("C"):
                data_format = "NHWC"
            else:
                raise ValueError(f"`data_format` must be of the form `N...C` or `NC...`. Received: data_format={data_format}")
        tensor = convert_to_tensor(value, name="input")
        biases = convert_to_tensor(bias, dtype=tensor.dtype.base_dtype, name="bias")
        return apply("BiasAdd", tensor, biases, data_format=data_format, name=scope)


def _channel_axis(rank: int, data_format: bytes) -> int:
    return 1 if is_channels_first(data_format) else rank - 1


def _biased_shape(op: Operation, data_format: bytes) -> TensorShape:
    shape, bias = op._inputs[0].shape, op._inputs[1].shape.with_rank(1)
    least = 3 if is_channels_first(data_format) else 2
    if shape.sizes is None:
        return unknown_shape()
    if len(shape.sizes) < least:
        raise ValueError(f"Shape must be at least rank {least} but is rank {len(shape.sizes)}")
    sizes, axis = list(shape.sizes), _channel_axis(len(shape.sizes), data_format)
    known = bias.sizes[0] if bias.sizes is not None else None
    if None not in (sizes[axis], known) and sizes[axis] != known:
        raise ValueError(f"Dimensions must be equal, but are {sizes[axis]} and {known}")
    sizes[axis] = known if sizes[axis] is None else sizes[axis]
    return TensorShape(sizes)
