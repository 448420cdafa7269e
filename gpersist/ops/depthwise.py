"""Depthwise convolution: each channel has filters of its own; and its derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, constant_shape, sample
from gpersist.ops.array import shape_of
from gpersist.ops.convolution import convolved_shape, windows_of
from gpersist.ops.depthwise_correlation import correlate_each
from gpersist.ops.windows import Windows, as_format, channel_axis, channels_last, positions, seen_by, spatial
from gpersist.shapes import TensorShape, unknown_shape

_ATTRS = (
    "T: {half, bfloat16, float, double}, strides: list(int), padding: {'SAME', 'VALID', 'EXPLICIT'}, data_format: {'NHWC', 'NCHW'} = 'NHWC', "
    "dilations: list(int) = [1, 1, 1, 1]"
)
_SAME: dict[str, Any] = {"strides": [1, 1, 1, 1], "padding": "SAME"}
_VALID: dict[str, Any] = {"strides": [1, 2, 2, 1], "padding": "VALID"}
_DILATED: dict[str, Any] = {"strides": [1, 1, 1, 1], "padding": "SAME", "dilations": [1, 2, 2, 1]}
_NCHW: dict[str, Any] = {"strides": [1, 1, 2, 2], "padding": "SAME", "data_format": "NCHW"}


class DepthwiseConv2dNative(OpType):
    """A convolution of each channel with its own filters, [height, width, channels, multiplier]."""

    inputs = "input: T, filter: T"
    outputs = "output: T"
    attrs = _ATTRS
    samples = (
        sample("float[2,4,5,3]", "float[3,3,3,1]", **_SAME),
        sample("double[1,5,5,2]", "double[2,3,2,3]", **_VALID),
        sample("float[1,5,4,2]", "float[2,2,2,1]", **_DILATED),
        sample("float[1,2,4,5]", "float[3,3,2,2]", **_NCHW),
        sample("half[1,3,3,2]", "half[2,2,2,1]", has_gradient=False, **_SAME),
        sample("float[0,3,3,2]", "float[2,2,2,1]", has_gradient=False, **_SAME),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [convolved_shape(op, op._inputs[0].shape, op._inputs[1].shape, is_depthwise=True)]

    @staticmethod
    def run(
        xp: Any, value: Array, filters: Array, *, strides: Any, padding: bytes, data_format: bytes, dilations: Any, explicit_paddings: Any = ()
    ) -> Array:
        _check_ranks(input=value, filter=filters)
        value = channels_last(xp, value, data_format)
        if value.shape[-1] != filters.shape[2]:
            raise InvalidArgumentError(f"input and filter must have the same depth: {value.shape[-1]} vs {filters.shape[2]}")
        axes = windows_of(value.shape[1:-1], filters.shape[:2], strides, padding, explicit_paddings, data_format, dilations)
        wide = _wide(value.dtype)
        result = correlate_each(xp, value.astype(wide, copy=False), filters.astype(wide, copy=False), axes)
        return as_format(xp, result.astype(value.dtype, copy=False), data_format)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        (value, filters), attrs = op.inputs, _attrs_of(op)
        return [
            apply("DepthwiseConv2dNativeBackpropInput", shape_of(value), filters, grad, **attrs),
            apply("DepthwiseConv2dNativeBackpropFilter", value, shape_of(filters), grad, **attrs),
        ]


class DepthwiseConv2dNativeBackpropInput(OpType):
    """The gradient of `DepthwiseConv2dNative` with respect to its input."""

    inputs = "input_sizes: int32, filter: T, out_backprop: T"
    outputs = "output: T"
    attrs = _ATTRS
    samples = (
        sample("int32: [2, 4, 5, 3]", "float[3,3,3,1]", "float[2,4,5,3]", **_SAME),
        sample("int32: [1, 5, 5, 2]", "double[2,3,2,3]", "double[1,2,2,6]", **_VALID),
        sample("int32: [1, 5, 4, 2]", "float[2,2,2,1]", "float[1,5,4,2]", **_DILATED),
        sample("int32: [1, 2, 4, 5]", "float[3,3,2,2]", "float[1,4,2,3]", **_NCHW),
    )
    host_inputs = ("input_sizes",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [constant_shape(op._inputs[0]).merge_with(unknown_shape(4))]

    @staticmethod
    def run(
        xp: Any,
        sizes: Any,
        filters: Array,
        grad: Array,
        *,
        strides: Any,
        padding: bytes,
        data_format: bytes,
        dilations: Any,
        explicit_paddings: Any = (),
    ) -> Array:
        _check_ranks(filter=filters, out_backprop=grad)
        shape = [int(size) for size in sizes]
        grad = channels_last(xp, grad, data_format)
        inner, wide = spatial(shape, data_format), _wide(grad.dtype)
        channels, multiplier = filters.shape[2:]
        axes = windows_of(inner, filters.shape[:2], strides, padding, explicit_paddings, data_format, dilations)
        _check_gradient(grad, axes, shape[0], channels * multiplier)
        if shape[channel_axis(data_format, 4)] != channels:
            raise InvalidArgumentError(f"input and filter must have the same depth: {shape[channel_axis(data_format, 4)]} vs {channels}")
        split = grad.astype(wide, copy=False).reshape(*grad.shape[:3], channels, multiplier)
        result = xp.zeros((shape[0], *inner, channels), wide)
        for place in positions(axes):
            source, target = seen_by(axes, place)
            seen = result[source]
            seen += (split[target] * filters[place]).sum(axis=-1) if multiplier > 1 else split[(*target, slice(None), 0)] * filters[place][:, 0]
        return as_format(xp, result.astype(grad.dtype, copy=False), data_format)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        attrs = _attrs_of(op)
        filter_grad = apply("DepthwiseConv2dNativeBackpropFilter", grad, shape_of(op.inputs[1]), op.inputs[2], **attrs)
        return [None, filter_grad, apply("DepthwiseConv2dNative", grad, op.inputs[1], **attrs)]


class DepthwiseConv2dNativeBackpropFilter(OpType):
    """The gradient of `DepthwiseConv2dNative` with respect to its filters."""

    inputs = "input: T, filter_sizes: int32, out_backprop: T"
    outputs = "output: T"
    attrs = _ATTRS
    samples = (
        sample("float[2,4,5,3]", "int32: [3, 3, 3, 1]", "float[2,4,5,3]", **_SAME),
        sample("double[1,5,5,2]", "int32: [2, 3, 2, 3]", "double[1,2,2,6]", **_VALID),
        sample("float[1,5,4,2]", "int32: [2, 2, 2, 1]", "float[1,5,4,2]", **_DILATED),
        sample("float[1,2,4,5]", "int32: [3, 3, 2, 2]", "float[1,4,2,3]", **_NCHW),
    )
    host_inputs = ("filter_sizes",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [constant_shape(op._inputs[1]).merge_with(unknown_shape(4))]

    @staticmethod
    def run(
        xp: Any,
        value: Array,
        sizes: Any,
        grad: Array,
        *,
        strides: Any,
        padding: bytes,
        data_format: bytes,
        dilations: Any,
        explicit_paddings: Any = (),
    ) -> Array:
        _check_ranks(input=value, out_backprop=grad)
        value, grad = channels_last(xp, value, data_format), channels_last(xp, grad, data_format)
        height, width, channels, multiplier = (int(size) for size in sizes)
        if value.shape[-1] != channels:
            raise InvalidArgumentError(f"input and filter must have the same depth: {value.shape[-1]} vs {channels}")
        axes = windows_of(value.shape[1:-1], (height, width), strides, padding, explicit_paddings, data_format, dilations)
        _check_gradient(grad, axes, len(value), channels * multiplier)
        wide = _wide(value.dtype)
        split = grad.astype(wide, copy=False).reshape(*grad.shape[:3], channels, multiplier)
        result = xp.empty((height, width, channels, multiplier), wide)
        for place in positions(axes):
            source, target = seen_by(axes, place)
            result[place] = (value[source][..., None] * split[target]).sum(axis=2).sum(axis=(0, 1))
        return result.astype(value.dtype, copy=False)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        attrs = _attrs_of(op)
        input_grad = apply("DepthwiseConv2dNativeBackpropInput", shape_of(op.inputs[0]), grad, op.inputs[2], **attrs)
        return [input_grad, None, apply("DepthwiseConv2dNative", op.inputs[0], grad, **attrs)]


def _wide(dtype: Any) -> Any:
    return np.float32 if dtype.itemsize == 2 else dtype


def _attrs_of(op: Operation) -> dict[str, Any]:
    return {name: op.attr(name) for name in ("dilations", "strides", "padding", "data_format")}


def _check_ranks(**arrays: Array) -> None:
    for name, array in arrays.items():
        if array.ndim != 4:
            raise InvalidArgumentError(f"{name} must be 4-dimensional, found shape {list(array.shape)}")


def _check_gradient(grad: Array, axes: Sequence[Windows], batch: int, depth: int) -> None:
    wanted = (batch, *(axis.number for axis in axes), depth)
    if grad.shape != wanted:
        raise InvalidArgumentError(f"out_backprop must have shape {list(wanted)}, found {list(grad.shape)}")
