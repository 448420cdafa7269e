"""Batch normalisation, fused and not, and normalisation across neighbouring channels; with their derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, apply_op, sample
from gpersist.ops import shape_functions
from gpersist.ops.bias import channel_sums
from gpersist.ops.kernels import combined
from gpersist.ops.normalization_gradients import of_fused_gradient
from gpersist.ops.windows import as_format, channel_axis, channels_last, is_channels_first
from gpersist.shapes import TensorShape, unknown_shape

_ANY = (
    "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, quint16, uint16, complex128, half, "
    "uint32, uint64}"
)
_FORMAT_2D = "data_format: {'NHWC', 'NCHW'} = 'NHWC'"
_FORMAT_3D = "data_format: {'NHWC', 'NCHW', 'NDHWC', 'NCDHW'} = 'NHWC'"
_EPSILON = "epsilon: float = 9.999999747378752e-05"
_MIXED = "T: {half, bfloat16, float}, U: {float}"
_MIXED_V3 = "T: {half, bfloat16, float}, U: {bfloat16, float}"
_TRAINED = ("float[2,3,2,2]", "float[2]", "float[2]", "float[0]", "float[0]")
_FIXED = ("float[2,3,2,2]", "float[2]", "float[2]", "float[2]", "float[2] in 0.5..2")


class _Fused(OpType, abstract=True):
    """(x - mean) / sqrt(variance + epsilon) * scale + offset, in training with the batch's own mean and variance, which it gives as well."""

    inputs = "x: T, scale: U, offset: U, mean: U, variance: U"
    outputs = "y: T, batch_mean: U, batch_variance: U, reserve_space_1: U, reserve_space_2: U"
    samples: ClassVar[tuple[Sample, ...]] = (
        sample(*_TRAINED, has_gradient=False),  # gradients of the other outputs are left out, as TensorFlow does
        sample(*_FIXED, is_training=False, has_gradient=False),
        sample("float[2,2,3,1]", *_FIXED[1:], data_format="NCHW", has_gradient=False),
        sample("float[0,3,2,2]", *_TRAINED[1:], has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        x, data_format = op._inputs[0].shape, op.attr("data_format")
        rank = len(data_format)
        if x.rank not in (None, rank):
            raise ValueError(f"Shape must be rank {rank} but is rank {x.rank}")
        axis = channel_axis(data_format, rank)
        channels = TensorShape([None if x.sizes is None else x.sizes[axis]])
        others = op._inputs[1:3] if op.attr("is_training") else op._inputs[1:5]
        for tensor in others:
            if None not in (tensor.shape.rank, 1) and tensor.shape.rank != 1:
                raise ValueError(f"Shape must be rank 1 but is rank {tensor.shape.rank}")
            mine, theirs = channels.sizes, tensor.shape.sizes
            if mine is not None and theirs is not None and None not in (mine[0], theirs[0]) and mine[0] != theirs[0]:
                raise ValueError(f"Dimensions must be equal, but are {mine[0]} and {theirs[0]}")
            channels = channels.merge_with(tensor.shape)
        assert channels.sizes is not None
        sizes = list(x.sizes or (None,) * rank)
        sizes[axis] = channels.sizes[0]
        extra = [unknown_shape()] * (len(op.output_types) - 5)
        return [TensorShape(sizes), channels, channels, channels, channels, *extra]

    @staticmethod
    def run(
        xp: Any,
        x: Array,
        scale: Array,
        offset: Array,
        mean: Array,
        variance: Array,
        *,
        epsilon: float,
        data_format: bytes,
        is_training: bool,
        exponential_avg_factor: float = 1.0,
    ) -> list[Array]:
        return _fused(xp, x, (scale, offset, mean, variance), epsilon, exponential_avg_factor, data_format, is_training)

    @staticmethod
    def run_into(
        x: Array, *parameters: Array, out: Array, epsilon: float, data_format: bytes, is_training: bool, exponential_avg_factor: float = 1.0
    ) -> list[Array]:
        target = None if is_channels_first(data_format) else out
        return _fused(np, x, parameters, epsilon, exponential_avg_factor, data_format, is_training, target)

    @staticmethod
    def gradient(op: Operation, grad: Tensor, *grads: Tensor | None) -> list[Tensor | None]:
        return _fused_gradient(op, grad)


class FusedBatchNorm(_Fused):
    """Batch normalisation in float."""

    inputs = "x: T, scale: T, offset: T, mean: T, variance: T"
    outputs = "y: T, batch_mean: T, batch_variance: T, reserve_space_1: T, reserve_space_2: T"
    attrs = f"T: {{float}}, {_EPSILON}, {_FORMAT_2D}, is_training: bool = true"


class FusedBatchNormV2(_Fused):
    """Batch normalisation whose statistics are in float, whatever the type of the data."""

    attrs = f"{_MIXED}, {_EPSILON}, {_FORMAT_2D}, is_training: bool = true"
    samples = (*_Fused.samples, sample("half[2,3,2,2]", *_TRAINED[1:], has_gradient=False))


class FusedBatchNormV3(_Fused):
    """`FusedBatchNormV2` with one more output, which only a GPU of TensorFlow's fills."""

    outputs = f"{_Fused.outputs}, reserve_space_3: U"
    attrs = f"{_MIXED_V3}, {_EPSILON}, {_FORMAT_3D}, is_training: bool = true"
    samples = (*_Fused.samples, sample("float[1,2,3,1,2]", *_TRAINED[1:], data_format="NDHWC", has_gradient=False))

    @staticmethod
    def run(
        xp: Any,
        x: Array,
        scale: Array,
        offset: Array,
        mean: Array,
        variance: Array,
        *,
        epsilon: float,
        data_format: bytes,
        is_training: bool,
        exponential_avg_factor: float = 1.0,
    ) -> list[Array]:
        found = _fused(xp, x, (scale, offset, mean, variance), epsilon, exponential_avg_factor, data_format, is_training)
        return [*found, xp.zeros((), scale.dtype)]

    @classmethod
    def run_into(cls, *inputs: Array, **attrs: Any) -> list[Array]:
        return [*super().run_into(*inputs, **attrs), np.zeros((), inputs[1].dtype)]


class _FusedGrad(OpType, abstract=True):
    """The gradient of a fused batch normalisation, given the mean and the variance that it used."""

    inputs = "y_backprop: T, x: T, scale: float, reserve_space_1: U, reserve_space_2: U"
    outputs = "x_backprop: T, scale_backprop: U, offset_backprop: U, reserve_space_3: U, reserve_space_4: U"
    samples: ClassVar[tuple[Sample, ...]] = (
        # in training the gradient takes mean and variance for those of x, which random ones are not
        sample("float[2,3,2,2]", "float[2,3,2,2]", "float[2]", "float[2]", "float[2] in 0.5..2", has_gradient=False),
        sample("float[2,3,2,2]", "float[2,3,2,2]", "float[2]", "float[2]", "float[2] in 0.5..2", is_training=False),
        sample("float[2,2,3,1]", "float[2,2,3,1]", "float[2]", "float[2]", "float[2] in 0.5..2", data_format="NCHW", has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        data_format = op.attr("data_format")
        rank = len(data_format)
        axis = channel_axis(data_format, rank)
        sizes, others = (tensor.shape.with_rank(rank).as_list() for tensor in op._inputs[:2])
        channels = TensorShape([sizes[axis]]).merge_with(others[axis : axis + 1])
        for tensor in op._inputs[2:5]:
            channels = channels.merge_with(tensor.shape)
        sizes[axis] = channels.as_list()[0]
        return [TensorShape(sizes), channels, channels, TensorShape([0]), TensorShape([0])]

    @staticmethod
    def run(xp: Any, *inputs: Array, epsilon: float, data_format: bytes, is_training: bool) -> list[Array]:
        grad, x, scale, mean, variance = inputs[:5]
        return _fused_backprop(xp, grad, x, scale, mean, variance, epsilon, data_format, is_training)

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return of_fused_gradient(op, *grads)


class FusedBatchNormGrad(_FusedGrad):
    """The gradient of `FusedBatchNorm`."""

    inputs = "y_backprop: T, x: T, scale: T, reserve_space_1: T, reserve_space_2: T"
    outputs = "x_backprop: T, scale_backprop: T, offset_backprop: T, reserve_space_3: T, reserve_space_4: T"
    attrs = f"T: {{float}}, {_EPSILON}, {_FORMAT_2D}, is_training: bool = true"


class FusedBatchNormGradV2(_FusedGrad):
    """The gradient of `FusedBatchNormV2`."""

    attrs = f"{_MIXED}, {_EPSILON}, {_FORMAT_2D}, is_training: bool = true"


class FusedBatchNormGradV3(_FusedGrad):
    """The gradient of `FusedBatchNormV3`."""

    inputs = f"{_FusedGrad.inputs}, reserve_space_3: U"
    outputs = "x_backprop: T, scale_backprop: U, offset_backprop: U, reserve_space_4: U, reserve_space_5: U"
    attrs = f"{_MIXED}, {_EPSILON}, {_FORMAT_3D}, is_training: bool = true"
    samples = tuple(Sample((*found.inputs, "float[0]"), found.attrs, found.has_gradient) for found in _FusedGrad.samples)


class BatchNormWithGlobalNormalization(OpType):
    """(t - m) / sqrt(v + epsilon), times gamma where wanted, plus beta: batch normalisation as graphs of version 8 and older have it."""

    inputs = "t: T, m: T, v: T, beta: T, gamma: T"
    outputs = "result: T"
    attrs = f"{_ANY}, variance_epsilon: float, scale_after_normalization: bool"
    samples = (
        sample("float[2,3,2,2]", "float[2]", "float[2] in 0.5..2", "float[2]", "float[2]", variance_epsilon=0.01, scale_after_normalization=True),
        sample(
            "double[2,3,2,2]", "double[2]", "double[2] in 0.5..2", "double[2]", "double[2]", variance_epsilon=0.01, scale_after_normalization=False
        ),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        sizes = list(op._inputs[0].shape.with_rank(4).sizes or (None,) * 4)
        for tensor in op._inputs[1:]:
            sizes[3] = TensorShape([sizes[3]]).merge_with(tensor.shape.with_rank(1)).as_list()[0]
        return [TensorShape(sizes)]

    @staticmethod
    def run(xp: Any, t: Array, m: Array, v: Array, beta: Array, gamma: Array, *, variance_epsilon: float, scale_after_normalization: bool) -> Array:
        factor = 1 / xp.sqrt(v + v.dtype.type(variance_epsilon))
        if scale_after_normalization:
            factor = factor * gamma
        return (t - m) * factor + beta

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        t, m, v, _, gamma = op.inputs
        attrs = {name: op.attr(name) for name in ("variance_epsilon", "scale_after_normalization")}
        return list(apply_op("BatchNormWithGlobalNormalizationGrad", t, m, v, gamma, grad, **attrs).outputs)


class BatchNormWithGlobalNormalizationGrad(OpType):
    """The gradients of `BatchNormWithGlobalNormalization`."""

    inputs = "t: T, m: T, v: T, gamma: T, backprop: T"
    outputs = "dx: T, dm: T, dv: T, db: T, dg: T"
    attrs = f"{_ANY}, variance_epsilon: float, scale_after_normalization: bool"
    samples = (
        sample(
            "float[2,3,2,2]", "float[2]", "float[2] in 0.5..2", "float[2]", "float[2,3,2,2]", variance_epsilon=0.01, scale_after_normalization=True
        ),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape, *[op._inputs[1].shape.merge_with(unknown_shape(1))] * 4]

    @staticmethod
    def run(
        xp: Any, t: Array, m: Array, v: Array, gamma: Array, backprop: Array, *, variance_epsilon: float, scale_after_normalization: bool
    ) -> list[Array]:
        root = 1 / xp.sqrt(v + v.dtype.type(variance_epsilon))
        factor = gamma if scale_after_normalization else xp.ones_like(gamma)
        sums, products = channel_sums(xp, backprop), channel_sums(xp, backprop * (t - m))
        scaled = products * root if scale_after_normalization else xp.zeros_like(gamma)
        return [backprop * (root * factor), -sums * root * factor, products * factor * root**3 * v.dtype.type(-0.5), sums, scaled]


class LRN(OpType):
    """Each element divided by (bias + alpha * the sum of the squares of its neighbours along the channels) ** beta."""

    inputs = "input: T"
    outputs = "output: T"
    attrs = "depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5, T: {half, bfloat16, float} = float"
    samples = (sample("float[1,2,1,6]", depth_radius=2), sample("float[2,1,1,3]", bias=2.0, alpha=0.5, beta=0.75))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape.merge_with(unknown_shape(4)) if op._inputs[0].shape.rank in (None, 4) else op._inputs[0].shape.with_rank(4)]

    @staticmethod
    def run(xp: Any, value: Array, *, depth_radius: int, bias: float, alpha: float, beta: float) -> Array:
        if value.ndim != 4:
            raise InvalidArgumentError("in must be 4-dimensional")
        wide = value.astype(np.float32, copy=False)
        return (wide * _norms(xp, wide, depth_radius, bias, alpha) ** np.float32(-beta)).astype(value.dtype, copy=False)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        attrs = {name: op.attr(name) for name in ("depth_radius", "bias", "alpha", "beta")}
        return apply("LRNGrad", grad, op.inputs[0], op.outputs[0], **attrs)


class LRNGrad(OpType):
    """The gradient of `LRN`."""

    inputs = "input_grads: T, input_image: T, output_image: T"
    outputs = "output: T"
    attrs = LRN.attrs
    samples = (sample("float[1,2,1,6]", "float[1,2,1,6]", "float[1,2,1,6]", depth_radius=2),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [shape_functions.merged_shapes(tensor.shape for tensor in op._inputs).with_rank(4)]

    @staticmethod
    def run(xp: Any, grad: Array, value: Array, output: Array, *, depth_radius: int, bias: float, alpha: float, beta: float) -> Array:
        if value.ndim != 4 or not grad.shape == value.shape == output.shape:
            raise InvalidArgumentError("input_grads, input_image, and out_image should be 4-dimensional and have the same shape")
        wide, grads = value.astype(np.float32, copy=False), grad.astype(np.float32, copy=False)
        norms = _norms(xp, wide, depth_radius, bias, alpha)
        shares = _neighbour_sums(xp, grads * output.astype(np.float32, copy=False) / norms, depth_radius)
        result = grads * norms ** np.float32(-beta) - np.float32(2 * alpha * beta) * wide * shares
        return result.astype(value.dtype, copy=False)


def _neighbour_sums(xp: Any, value: Array, radius: int) -> Array:
    """For each channel the sum of those at most `radius` away."""
    depth = value.shape[-1]
    total = value.copy()
    for distance in range(1, min(radius, depth - 1) + 1):
        total[..., distance:] += value[..., : depth - distance]
        total[..., : depth - distance] += value[..., distance:]
    return total


def _norms(xp: Any, value: Array, radius: int, bias: float, alpha: float) -> Array:
    return _neighbour_sums(xp, value * value, radius) * np.float32(alpha) + np.float32(bias)


def _fused(
    xp: Any,
    x: Array,
    parameters: Sequence[Array],
    epsilon: float,
    factor: float,
    data_format: bytes,
    is_training: bool,
    out: Array | None = None,
) -> list[Array]:
    """The outputs; where `out` is given, which may be `x`, the first one is in it if it can be."""
    scale, offset, mean, variance = parameters
    if x.ndim != len(data_format):
        raise InvalidArgumentError(f"input must be {len(data_format)}-dimensional: {list(x.shape)}")
    for name, array in zip(("scale", "offset", "estimated_mean", "estimated_variance"), parameters, strict=True):
        if array.ndim != 1:
            raise InvalidArgumentError(f"{name} must be 1-dimensional{list(array.shape)}")
    value = channels_last(xp, x, data_format)
    channels = value.shape[-1]
    needed = {"scale": scale, "offset": offset} | ({} if is_training and factor == 1 else {"mean": mean, "variance": variance})
    for name, array in needed.items():
        if array.shape != (channels,):
            raise InvalidArgumentError(f"{name} must have the same number of elements as the channels of x, got {list(array.shape)} and {channels}")
    value = value.astype(scale.dtype, copy=False)
    if is_training:
        count = value.size // channels if channels else 0
        if not count:
            nan, zero = xp.full(channels, np.nan, scale.dtype), xp.zeros(channels, scale.dtype)
            return [x, nan, nan, zero, zero]
        used_mean = channel_sums(xp, value) / scale.dtype.type(count)
        centred = value - used_mean
        used_variance = channel_sums(xp, centred * centred) / scale.dtype.type(count)
        batch_mean, batch_variance = used_mean, used_variance * scale.dtype.type(count / max(count - 1, 1))
        if factor != 1:
            keep, take = scale.dtype.type(1 - factor), scale.dtype.type(factor)
            batch_mean, batch_variance = keep * mean + take * batch_mean, keep * variance + take * batch_variance
        centred *= scale / xp.sqrt(used_variance + scale.dtype.type(epsilon))
        centred += offset
        result = centred
    else:
        used_mean = batch_mean = mean
        used_variance = batch_variance = variance
        factors = scale / xp.sqrt(variance + scale.dtype.type(epsilon))
        shift = offset - mean * factors
        if xp is np:
            result = combined(np.multiply, value, factors, out)
            combined(np.add, result, shift, result)
        else:
            result = value * factors
            result += shift
    result = as_format(xp, result, data_format).astype(x.dtype, copy=False)
    return [result, batch_mean, batch_variance, used_mean, used_variance]


def _fused_gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
    x, scale = op.inputs[:2]
    data_format, is_training = op.attr("data_format"), op.attr("is_training")
    is_moved = is_channels_first(data_format) and not is_training
    rank = len(data_format)
    if is_training:
        mean, variance = op.outputs[3:5]
    else:
        mean, variance = op.inputs[3:5]
        if is_moved:
            last = [0, *range(2, rank), 1]
            x, grad = apply("Transpose", x, last, name="transpose"), apply("Transpose", grad, last, name="transpose")
        data_format = b"NHWC" if rank == 4 else b"NDHWC"
    suffix = op.type.removeprefix("FusedBatchNorm")
    reserved = op.outputs[5:6] if suffix == "V3" else []
    attrs = {"epsilon": op.attr("epsilon"), "data_format": data_format, "is_training": is_training}
    x_grad, scale_grad, offset_grad, *_ = apply_op(f"FusedBatchNormGrad{suffix}", grad, x, scale, mean, variance, *reserved, **attrs).outputs
    if is_moved:
        x_grad = apply("Transpose", x_grad, [0, rank - 1, *range(1, rank - 1)], name="transpose")
    return [x_grad, scale_grad, offset_grad, None, None]


def _fused_backprop(
    xp: Any,
    grad: Array,
    x: Array,
    scale: Array,
    mean: Array,
    variance: Array,
    epsilon: float,
    data_format: bytes,
    is_training: bool,
) -> list[Array]:
    if grad.shape != x.shape or x.ndim != len(data_format):
        raise InvalidArgumentError(f"x and y_backprop must have the same shape, found {list(x.shape)} and {list(grad.shape)}")
    value = channels_last(xp, x, data_format).astype(scale.dtype, copy=False)
    grads = channels_last(xp, grad, data_format).astype(scale.dtype, copy=False)
    channels = value.shape[-1]
    for name, array in {"scale": scale, "reserve_space_1": mean, "reserve_space_2": variance}.items():
        if array.shape != (channels,):
            raise InvalidArgumentError(f"{name} must have the same number of elements as the channels of x, got {list(array.shape)} and {channels}")
    nothing = xp.zeros(0, scale.dtype)
    root = 1 / xp.sqrt(variance + scale.dtype.type(epsilon))
    count = value.size // channels if channels else 0
    if not count:
        return [x, xp.zeros_like(scale), xp.zeros_like(scale), nothing, nothing]
    centred = value - mean
    offset_grad = channel_sums(xp, grads)
    products = channel_sums(xp, grads * centred)
    if is_training:
        result = grads - offset_grad / scale.dtype.type(count)
        centred *= products * root * root / scale.dtype.type(count)
        result -= centred
        result *= scale * root
    else:
        result = grads * (scale * root)
    return [as_format(xp, result, data_format).astype(x.dtype, copy=False), products * root, offset_grad, nothing, nothing]
