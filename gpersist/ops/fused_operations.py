"""Operations that TensorFlow's graph optimiser (grappler) makes of several: a convolution or a product with its bias and activation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.graph import Operation, OpType, constant_value, sample
from gpersist.ops import activations, unary
from gpersist.ops.bias import BiasAdd
from gpersist.ops.convolution import Conv2D, Conv3D, convolved_shape
from gpersist.ops.depthwise import DepthwiseConv2dNative
from gpersist.ops.image_resizing import ResizeBilinear
from gpersist.ops.matmul import MatMul
from gpersist.ops.normalization import FusedBatchNormV3
from gpersist.ops.padding import MirrorPad
from gpersist.ops.quantized_ranges import front
from gpersist.ops.special_functions import Erf
from gpersist.ops.windows import channel_axis, is_channels_first
from gpersist.shapes import TensorShape, unknown_shape

_FUSED = "fused_ops: list(string) = [], epsilon: float = 9.999999747378752e-05, leakyrelu_alpha: float = 0.20000000298023224"
_STEPS: dict[str, Any] = {"strides": [1, 1, 1, 1], "padding": "SAME"}
_MIRRORED: dict[str, Any] = {"mode": "REFLECT", "strides": [1, 1, 1, 1], "padding": "VALID"}
_EDGES = "int32: [[0, 0], [1, 1], [2, 0], [0, 0]]"


def _finished(xp: Any, value: Array, args: Sequence[Array], fused_ops: Sequence[bytes], data_format: bytes, epsilon: float, alpha: float) -> Array:
    """What comes after the main operation: a bias or a batch normalisation, and an activation."""
    names = [name.decode() for name in fused_ops]
    if not names:
        raise InvalidArgumentError("fused_ops must not be empty")
    if names[0] == "BiasAdd":
        (bias,) = args
        value = BiasAdd.run(xp, value, bias, data_format=data_format)
    elif names[0] == "FusedBatchNorm":
        scale, offset, mean, variance = (arg.astype(np.float32) for arg in args)
        factor = scale / xp.sqrt(variance + np.float32(epsilon))
        shape = (-1, 1, 1) if is_channels_first(data_format) else (-1,)
        value = (value * factor.reshape(shape) + (offset - mean * factor).reshape(shape)).astype(value.dtype)
    else:
        raise UnimplementedError(f"Fusion is not implemented: [{','.join(names)}]")
    for name in names[1:]:
        value = _activated(xp, value, name, alpha)
    return value


def _activated(xp: Any, value: Array, name: str, alpha: float) -> Array:
    if name == "LeakyRelu":
        found: Array = activations.LeakyRelu.run(xp, value, alpha=alpha)
        return found
    if name == "GeluApproximate":
        inner = value.dtype.type(np.sqrt(2 / np.pi)) * (value + value.dtype.type(0.044715) * value * value * value)
        return (value * value.dtype.type(0.5) * (value.dtype.type(1) + xp.tanh(inner))).astype(value.dtype)
    if name == "GeluExact":
        root = value.dtype.type(np.sqrt(0.5))
        return (value * value.dtype.type(0.5) * (value.dtype.type(1) + Erf.run(xp, value * root))).astype(value.dtype)
    known: dict[str, Any] = {
        "Relu": activations.Relu,
        "Relu6": activations.Relu6,
        "Elu": activations.Elu,
        "Tanh": unary.Tanh,
        "Sigmoid": unary.Sigmoid,
    }
    if name not in known:
        raise UnimplementedError(f"Fusion is not implemented: {name}")
    found = known[name].run(xp, value)
    return found


class _FusedConv2D(OpType):
    """A convolution of images, a bias or a batch normalisation, and an activation."""

    inputs = "input: T, filter: T, args: TArgs, host_args: num_host_args * float"
    outputs = "output: T"
    attrs = (
        "T: {half, float, double, int8, qint8}, TArgs: list(type) >= 1, num_args: int >= 0, num_host_args: int >= 0 = 0, strides: list(int), "
        "padding: {'SAME', 'VALID', 'EXPLICIT'}, explicit_paddings: list(int) = [], data_format: {'NHWC', 'NCHW', 'NCHW_VECT_C'} = 'NHWC', "
        "filter_format: {'HWIO', 'OIHW', 'OIHW_VECT_I'} = 'HWIO', dilations: list(int) = [1, 1, 1, 1], use_cudnn_on_gpu: bool = true, " + _FUSED
    )
    samples = (
        sample("float[1,4,4,2]", "float[2,3,2,3]", ["float[3]"], [], num_args=1, fused_ops=["BiasAdd"], **_STEPS),
        sample("float[1,4,4,2]", "float[2,3,2,3]", ["float[3]"], [], num_args=1, fused_ops=["BiasAdd", "Relu"], **_STEPS),
        sample("float[1,4,4,2]", "float[2,3,2,3]", ["float[3]"], [], num_args=1, fused_ops=["BiasAdd", "Relu6"], **_STEPS),
        sample("float[1,4,4,2]", "float[2,3,2,3]", ["float[3]"], [], num_args=1, fused_ops=["BiasAdd", "Elu"], **_STEPS),
        sample("float[1,4,4,2]", "float[2,3,2,3]", ["float[3]"], [], num_args=1, fused_ops=["BiasAdd", "LeakyRelu"], leakyrelu_alpha=0.3, **_STEPS),
        sample(
            "float[1,4,4,2]",
            "float[2,3,2,3]",
            ["float[3]", "float[3]", "float[3]", "float[3] in 0.5..2"],
            [],
            num_args=4,
            fused_ops=["FusedBatchNorm", "Relu"],
            strides=[1, 2, 2, 1],
            padding="VALID",
        ),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [convolved_shape(op, op._inputs[0].shape, op._inputs[1].shape)]

    @staticmethod
    def run(
        xp: Any,
        value: Array,
        filters: Array,
        args: Sequence[Array],
        host_args: Sequence[Array],
        *,
        strides: Any,
        padding: bytes,
        explicit_paddings: Any,
        data_format: bytes,
        filter_format: bytes,
        dilations: Any,
        fused_ops: Sequence[bytes],
        epsilon: float,
        leakyrelu_alpha: float,
    ) -> Array:
        if filter_format != b"HWIO" or data_format == b"NCHW_VECT_C":
            raise UnimplementedError("filters of a vectorised format are not supported")
        for what, values in (("strides", strides), ("dilations", dilations)):
            if len(values) == 4 and (values[0] != 1 or values[channel_axis(data_format, 4)] != 1):
                raise UnimplementedError(f"Current implementation does not yet support {what} in the batch and depth dimensions.")
        how = {"strides": strides, "padding": padding, "explicit_paddings": explicit_paddings, "data_format": data_format, "dilations": dilations}
        return _finished(xp, Conv2D.run(xp, value, filters, **how), args, fused_ops, data_format, epsilon, leakyrelu_alpha)


class _FusedDepthwiseConv2dNative(OpType):
    """A convolution of each channel by itself, a bias and an activation."""

    inputs = "input: T, filter: T, args: num_args * T"
    outputs = "output: T"
    attrs = (
        "T: {half, bfloat16, float, double}, num_args: int >= 0, strides: list(int), padding: {'SAME', 'VALID'}, "
        "data_format: {'NHWC', 'NCHW'} = 'NHWC', dilations: list(int) = [1, 1, 1, 1], " + _FUSED
    )
    samples = (sample("float[1,4,4,2]", "float[2,3,2,2]", ["float[4]"], fused_ops=["BiasAdd", "Relu"], **_STEPS),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [convolved_shape(op, op._inputs[0].shape, op._inputs[1].shape, is_depthwise=True)]

    @staticmethod
    def run(
        xp: Any,
        value: Array,
        filters: Array,
        args: Sequence[Array],
        *,
        strides: Any,
        padding: bytes,
        data_format: bytes,
        dilations: Any,
        fused_ops: Sequence[bytes],
        epsilon: float,
        leakyrelu_alpha: float,
    ) -> Array:
        found = DepthwiseConv2dNative.run(xp, value, filters, strides=strides, padding=padding, data_format=data_format, dilations=dilations)
        return _finished(xp, found, args, fused_ops, data_format, epsilon, leakyrelu_alpha)


class _FusedConv3D(OpType):
    """A convolution of volumes, a bias or a batch normalisation, and an activation (by oneDNN)."""

    inputs = "input: T, filter: T, args: num_args * T"
    outputs = "output: T"
    attrs = (
        "T: {bfloat16, float, half}, num_args: int >= 0, strides: list(int) >= 5, padding: {'SAME', 'VALID'}, "
        "data_format: {'NDHWC', 'NCDHW'} = 'NDHWC', dilations: list(int) = [1, 1, 1, 1, 1], padding_list: list(int) = [], " + _FUSED
    )
    samples = (
        sample("float[1,3,4,4,2]", "float[2,2,3,2,3]", ["float[3]"], fused_ops=["BiasAdd", "Relu"], strides=[1, 1, 1, 1, 1], padding="SAME"),
        sample("float[1,3,4,4,2]", "float[2,2,3,2,3]", ["float[3]"], fused_ops=["BiasAdd"], strides=[1, 1, 2, 2, 1], padding="VALID"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [convolved_shape(op, op._inputs[0].shape, op._inputs[1].shape)]

    @staticmethod
    def run(
        xp: Any,
        value: Array,
        filters: Array,
        args: Sequence[Array],
        *,
        strides: Any,
        padding: bytes,
        data_format: bytes,
        dilations: Any,
        fused_ops: Sequence[bytes],
        epsilon: float,
        leakyrelu_alpha: float,
    ) -> Array:
        found = Conv3D.run(xp, value, filters, strides=strides, padding=padding, data_format=data_format, dilations=dilations)
        return _finished(xp, found, args, fused_ops, data_format, epsilon, leakyrelu_alpha)


class _FusedMatMul(OpType):
    """The product of two matrices, a bias and an activation."""

    inputs = "a: T, b: T, args: num_args * T"
    outputs = "product: T"
    attrs = "transpose_a: bool = false, transpose_b: bool = false, T: {bfloat16, half, float}, num_args: int >= 0, " + _FUSED
    samples = (
        sample("float[2,3]", "float[3,4]", ["float[4]"], fused_ops=["BiasAdd"]),
        sample("float[3,2]", "float[4,3]", ["float[4]"], transpose_a=True, transpose_b=True, fused_ops=["BiasAdd", "Relu"]),
        sample("float[2,3]", "float[3,4]", ["float[4]"], fused_ops=["BiasAdd", "Tanh"]),
        sample("float[2,3]", "float[3,4]", ["float[4]"], fused_ops=["BiasAdd", "Sigmoid"]),
        sample("float[2,3]", "float[3,4]", ["float[4]"], fused_ops=["BiasAdd", "LeakyRelu"]),
        sample("float[2,3]", "float[3,4]", ["float[4]"], fused_ops=["BiasAdd", "GeluExact"]),
        sample("float[2,3]", "float[3,4]", ["float[4]"], fused_ops=["BiasAdd", "GeluApproximate"]),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return MatMul.shapes(front(op, 2))

    @staticmethod
    def run(
        xp: Any,
        a: Array,
        b: Array,
        args: Sequence[Array],
        *,
        transpose_a: bool,
        transpose_b: bool,
        fused_ops: Sequence[bytes],
        epsilon: float,
        leakyrelu_alpha: float,
    ) -> Array:
        product = MatMul.run(xp, a, b, transpose_a=transpose_a, transpose_b=transpose_b)
        return _finished(xp, product, args, fused_ops, b"NHWC", epsilon, leakyrelu_alpha)


class _FusedBatchNormEx(OpType):
    """A batch normalisation, plus another tensor where given, and an activation."""

    inputs = "x: T, scale: U, offset: U, mean: U, variance: U, side_input: num_side_inputs * T"
    outputs = "y: T, batch_mean: U, batch_variance: U, reserve_space_1: U, reserve_space_2: U, reserve_space_3: U"
    attrs = (
        "T: {half, float, bfloat16}, U: {float}, epsilon: float = 9.999999747378752e-05, exponential_avg_factor: float = 1.0, "
        "num_side_inputs: int >= 0 = 0, activation_mode: string = 'Identity', data_format: {'NHWC', 'NCHW'} = 'NHWC', is_training: bool = true"
    )
    samples = (
        sample("float[2,3,2,4]", "float[4]", "float[4]", "float[4]", "float[4] in 0.5..2", [], is_training=False, activation_mode="Relu"),
        sample("float[2,3,2,4]", "float[4]", "float[4]", "float[0]", "float[0]", [], activation_mode="Relu"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        found = FusedBatchNormV3.shapes(op)
        channels = found[1].as_list()[0]
        if channels is not None and channels % 4:
            raise ValueError("_FusedBatchNormEx channel dimension must be divisible by 4.")
        return found

    @staticmethod
    def run(
        xp: Any,
        x: Array,
        scale: Array,
        offset: Array,
        mean: Array,
        variance: Array,
        side_input: Sequence[Array],
        *,
        epsilon: float,
        exponential_avg_factor: float,
        activation_mode: bytes,
        data_format: bytes,
        is_training: bool,
    ) -> list[Array]:
        how: dict[str, Any] = {"epsilon": epsilon, "data_format": data_format, "is_training": is_training}
        found = FusedBatchNormV3.run(xp, x, scale, offset, mean, variance, exponential_avg_factor=exponential_avg_factor, **how)
        for other in side_input:
            found[0] = found[0] + other
        if activation_mode == b"Relu":
            found[0] = activations.Relu.run(xp, found[0])
        elif activation_mode != b"Identity":
            raise InvalidArgumentError(f"Unsupported activation mode: {activation_mode.decode()}")
        return found


class FusedPadConv2D(OpType):
    """A convolution of images that are padded by their own pixels."""

    inputs = "input: T, paddings: int32, filter: T"
    outputs = "output: T"
    attrs = "T: {half, bfloat16, float, double}, mode: {'REFLECT', 'SYMMETRIC'}, strides: list(int), padding: {'SAME', 'VALID'}"
    host_inputs = ("paddings",)
    samples = (
        sample("float[1,4,5,2]", _EDGES, "float[2,3,2,3]", **_MIRRORED),
        sample(
            "double[1,4,5,2]", "int32: [[0, 0], [0, 1], [2, 2], [0, 0]]", "double[2,3,2,3]", **_MIRRORED | {"mode": "SYMMETRIC", "padding": "SAME"}
        ),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [_mirrored_shape(op, op._inputs[0].shape.with_rank(4), 1)]

    @staticmethod
    def run(xp: Any, value: Array, paddings: Any, filters: Array, *, mode: bytes, strides: Any, padding: bytes) -> Array:
        return _mirrored(xp, value, paddings, filters, mode, strides, padding)


class FusedResizeAndPadConv2D(OpType):
    """A convolution of images that are resized (bilinear) and padded by their own pixels."""

    inputs = "input: T, size: int32, paddings: int32, filter: T"
    outputs = "output: T"
    attrs = (
        "T: {half, float, double}, resize_align_corners: bool = false, mode: {'REFLECT', 'SYMMETRIC'}, strides: list(int), padding: {'SAME', 'VALID'}"
    )
    host_inputs = ("size", "paddings")
    samples = (
        sample("float[1,4,5,2]", "int32: [7, 8]", _EDGES, "float[2,3,2,3]", **_MIRRORED),
        sample("float[1,4,5,2]", "int32: [3, 6]", _EDGES, "float[2,3,2,3]", resize_align_corners=True, **_MIRRORED),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        images, size = op._inputs[0].shape.with_rank(4), constant_value(op._inputs[1])
        op._inputs[1].shape.merge_with([2])
        sizes = [None, None] if size is None else [int(each) for each in size]
        return [_mirrored_shape(op, TensorShape([*images[:1].as_list(), *sizes, *images[3:].as_list()]), 2)]

    @staticmethod
    def run(
        xp: Any, value: Array, size: Any, paddings: Any, filters: Array, *, resize_align_corners: bool, mode: bytes, strides: Any, padding: bytes
    ) -> Array:
        resized = ResizeBilinear.run(xp, value, size, align_corners=resize_align_corners, half_pixel_centers=False).astype(value.dtype)
        return _mirrored(xp, resized, paddings, filters, mode, strides, padding)


def _mirrored(xp: Any, value: Array, paddings: Any, filters: Array, mode: bytes, strides: Any, padding: bytes) -> Array:
    if paddings.shape != (4, 2):
        raise InvalidArgumentError(f"paddings must be a matrix with 2 columns and 4 rows: {list(paddings.shape)}")
    if paddings[[0, 3]].any():
        raise InvalidArgumentError("The first and last dimensions of paddings must be 0")
    if strides[1] != strides[2]:
        raise InvalidArgumentError("Current implementation only supports equal length strides in the row and column dimensions.")
    padded = MirrorPad.run(xp, value, paddings, mode=mode)
    if padded.ndim == 4 and filters.ndim == 4 and padded.shape[3] != filters.shape[2]:
        raise InvalidArgumentError(f"input and filter must have the same depth: {padded.shape[3]} vs {filters.shape[2]}")
    how: dict[str, Any] = {"strides": strides, "padding": padding, "explicit_paddings": [], "data_format": b"NHWC", "dilations": [1, 1, 1, 1]}
    return Conv2D.run(xp, padded, filters, **how)


def _mirrored_shape(op: Operation, images: TensorShape, place: int) -> TensorShape:
    edges = op._inputs[place]
    edges.shape.merge_with([images.rank, 2])
    known = constant_value(edges)
    padded = unknown_shape(4)
    if known is not None and images.sizes is not None:
        padded = TensorShape([None if size is None else size + int(sum(edge)) for size, edge in zip(images.sizes, known, strict=True)])
    with_defaults: Any = front(op, 1, data_format=b"NHWC", dilations=[1, 1, 1, 1])
    return convolved_shape(with_defaults, padded, op._inputs[place + 1].shape)
