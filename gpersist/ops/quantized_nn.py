"""Convolutions, pooling and normalisation of quantised images."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.graph import Operation, OpType, Tensor, apply_op, sample
from gpersist.ops import shape_functions
from gpersist.ops.convolution import Conv2D, convolved_shape
from gpersist.ops.pooling import AvgPool
from gpersist.ops.quantization import float_to_first, kind_of, plain, quantized, quantized_sample
from gpersist.ops.quantized_fused import QuantizedConv2DPerChannel
from gpersist.ops.quantized_ranges import KINDS, check_scalar_shapes, front, limits, product_range, to_number, to_real, unclamped
from gpersist.ops.window_reduction import max_pool, mean_pool
from gpersist.shapes import TensorShape

__all__ = ["quantized_avg_pool", "quantized_conv2d", "quantized_max_pool", "quantized_relu_x"]

_IMAGES: Any = quantized_sample([(7 * number) % 256 for number in range(2 * 4 * 5 * 2)], "quint8", (2, 4, 5, 2))
_FILTERS: Any = quantized_sample([(11 * number) % 256 for number in range(3 * 2 * 2 * 3)], "quint8", (3, 2, 2, 3))
_SIGNED_FILTERS: Any = quantized_sample([(11 * number) % 256 - 128 for number in range(3 * 2 * 2 * 3)], "qint8", (3, 2, 2, 3))
_RANGES = ("float: -1.0", "float: 2.0", "float: -3.0", "float: 1.5")


class QuantizedConv2D(OpType):
    """A convolution of images."""

    inputs = "input: Tinput, filter: Tfilter, min_input: float, max_input: float, min_filter: float, max_filter: float"
    outputs = "output: out_type, min_output: float, max_output: float"
    attrs = (
        f"Tinput: {KINDS}, Tfilter: {KINDS}, out_type: {KINDS} = qint32, strides: list(int), padding: {{'SAME', 'VALID'}}, "
        "dilations: list(int) = [1, 1, 1, 1]"
    )
    is_host_only = True
    samples = (
        sample(_IMAGES, _FILTERS, *_RANGES, strides=[1, 1, 1, 1], padding="SAME"),
        sample(_IMAGES, _FILTERS, *_RANGES, strides=[1, 2, 2, 1], padding="VALID"),
        sample(_IMAGES, _FILTERS, "float: 0.0", "float: 2.0", "float: -3.0", "float: 1.5", strides=[1, 2, 2, 1], padding="SAME"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_scalar_shapes(op, 2)
        known: Any = front(op, 2, data_format=b"NHWC")
        return [convolved_shape(known, op._inputs[0].shape, op._inputs[1].shape), shape_functions.SCALAR, shape_functions.SCALAR]

    @staticmethod
    def run(
        xp: Any,
        values: Any,
        filters: Any,
        min_input: Any,
        max_input: Any,
        min_filter: Any,
        max_filter: Any,
        *,
        Tinput: DType,  # noqa: N803  # TensorFlow's attributes
        Tfilter: DType,  # noqa: N803
        out_type: DType,
        strides: Any,
        padding: bytes,
        dilations: Any,
    ) -> list[Any]:
        if len(strides) != 4 or strides[1] != strides[2]:
            raise InvalidArgumentError("Current implementation only supports equal length strides in the row and column dimensions.")
        if list(dilations) != [1, 1, 1, 1]:
            raise InvalidArgumentError("Current implementation only supports dilated rate as 1 in the row and column dimensions.")
        if Tfilter.name == "qint8":  # TensorFlow has a kernel for these by oneDNN alone
            kinds: dict[str, Any] = {"Tinput": Tinput, "Tfilter": Tfilter, "out_type": out_type}
            ranges = (min_input, max_input, min_filter, max_filter)
            return QuantizedConv2DPerChannel.run(xp, values, filters, *ranges, **kinds, strides=strides, padding=padding, dilations=dilations)
        low, high, filter_low, filter_high = limits(min_input=min_input, max_input=max_input, min_filter=min_filter, max_filter=max_filter)
        kind_in, kind_filter, kind = kind_of(Tinput), kind_of(Tfilter), kind_of(out_type)
        # In double precision, which holds every product and sum of numbers of 8 bits; what lies beyond the edges stands for 0.
        images = (plain(values) - unclamped(0.0, low, high, kind_in)).astype(np.float64)
        weights = (plain(filters) - unclamped(0.0, filter_low, filter_high, kind_filter)).astype(np.float64)
        if images.ndim == 4 and weights.ndim == 4 and images.shape[3] != weights.shape[2]:
            raise InvalidArgumentError(f"input and filter must have the same depth: {images.shape[3]} vs {weights.shape[2]}")
        how: dict[str, Any] = {"strides": strides, "padding": padding, "explicit_paddings": [], "data_format": b"NHWC", "dilations": dilations}
        found = Conv2D.run(np, images, weights, **how)
        return [quantized(found, kind), *product_range(low, high, kind_in, filter_low, filter_high, kind_filter, kind)]


class _Pool(OpType, abstract=True):
    """One number for each window and channel, in the range of the input."""

    inputs = "input: T, min_input: float, max_input: float"
    outputs = "output: T, min_output: float, max_output: float"
    attrs = f"T: {KINDS}, ksize: list(int), strides: list(int), padding: {{'SAME', 'VALID'}}"
    is_host_only = True
    samples = (
        sample(_IMAGES, *_RANGES[:2], ksize=[1, 2, 3, 1], strides=[1, 2, 1, 1], padding="SAME"),
        sample(_IMAGES, *_RANGES[:2], ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_scalar_shapes(op, 1)
        return [*AvgPool.shapes(front(op, 1)), shape_functions.SCALAR, shape_functions.SCALAR]


class QuantizedMaxPool(_Pool):
    """The largest number of each window."""

    @staticmethod
    def run(xp: Any, values: Any, min_input: Any, max_input: Any, *, T: DType, ksize: Any, strides: Any, padding: bytes) -> list[Any]:  # noqa: N803
        low, high = limits(min_input=min_input, max_input=max_input)
        return [quantized(max_pool(np, plain(values), ksize, strides, padding, b"NHWC"), kind_of(T)), low, high]


class QuantizedAvgPool(_Pool):
    """The mean of the numbers of each window, cut to a whole one."""

    @staticmethod
    def run(xp: Any, values: Any, min_input: Any, max_input: Any, *, T: DType, ksize: Any, strides: Any, padding: bytes) -> list[Any]:  # noqa: N803
        low, high = limits(min_input=min_input, max_input=max_input)
        if ksize[0] != 1 or strides[0] != 1:
            raise UnimplementedError("Pooling is not yet supported on the batch dimension.")
        found = mean_pool(np, plain(values).astype(np.float64), ksize, strides, padding, b"NHWC")
        return [quantized(np.trunc(found + np.copysign(1e-9, found)), kind_of(T)), low, high]


class QuantizedBatchNormWithGlobalNormalization(OpType):
    """Images normalised by given means and variances, in fixed point with 10 bits behind the point."""

    inputs = ", ".join(f"{name}: Tinput, {name}_min: float, {name}_max: float" for name in ("t", "m", "v", "beta", "gamma"))
    outputs = "result: out_type, result_min: float, result_max: float"
    attrs = f"Tinput: {KINDS}, out_type: {KINDS}, variance_epsilon: float, scale_after_normalization: bool"
    is_host_only = True
    samples = tuple(
        sample(
            _IMAGES,
            "float: -1.0",
            "float: 2.0",
            *(
                part
                for values, low, high in (([9, 130], -1.0, 1.0), ([200, 5], 0.0, 4.0), ([0, 255], -2.0, 2.0), ([77, 90], -3.0, 3.0))
                for part in (quantized_sample(values, "quint8"), f"float: {low}", f"float: {high}")
            ),
            out_type="qint32",
            variance_epsilon=0.001,
            scale_after_normalization=is_scaled,
        )
        for is_scaled in (True, False)
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        values = op._inputs[0].shape.with_rank(4)
        channels = values[3:]
        for place in range(3, 15, 3):
            channels = channels.merge_with(op._inputs[place].shape.with_rank(1))
        check_scalar_shapes(op, 1, 3)
        return [values[:3].concatenate(channels), shape_functions.SCALAR, shape_functions.SCALAR]

    @staticmethod
    def run(
        xp: Any,
        values: Any,
        low: Any,
        high: Any,
        *parameters: Any,
        Tinput: DType,  # noqa: N803  # TensorFlow's attribute
        out_type: DType,
        variance_epsilon: float,
        scale_after_normalization: bool,
    ) -> list[Any]:
        low, high = limits(t_min=low, t_max=high)
        if values.ndim != 4:
            raise InvalidArgumentError(f"input must be 4-dimensional, not of shape {list(values.shape)}")
        if any(parameters[place].shape != values.shape[3:] for place in range(0, 12, 3)):
            raise InvalidArgumentError("mean, var, beta and gamma must be 1-dimensional, one number for each channel")
        kind_in, kind = kind_of(Tinput), kind_of(out_type)
        reals = []
        for place in range(0, 12, 3):
            start, end = limits(low=parameters[place + 1], high=parameters[place + 2])
            reals.append(to_real(plain(parameters[place]), start, end, kind_in))
        mean, variance, beta, gamma = reals
        least, most = np.float32(-(1 << 20)), np.float32(1 << 20)
        scale = np.float32(1) / np.sqrt(variance + np.float32(variance_epsilon))
        scale = scale * gamma if scale_after_normalization else scale
        offsets = to_number(-mean * scale + beta, least, most, kind)
        scales = to_number(scale, least, most, kind)
        one = int(to_number(np.float32(1), least, most, kind))
        images = to_number(to_real(plain(values), low, high, kind_in), least, most, kind)
        products = (images * scales).astype(np.int32).astype(np.int64)  # of 32 bits, as the kernel's are
        found = np.sign(products) * (np.abs(products) // one) + offsets
        return [quantized(found, kind), least, most]


class QuantizedInstanceNorm(OpType):
    """Each channel of each image less its mean, by its deviation."""

    inputs = "x: T, x_min: float, x_max: float"
    outputs = "y: T, y_min: float, y_max: float"
    attrs = (
        f"T: {KINDS}, output_range_given: bool = false, given_y_min: float = 0.0, given_y_max: float = 0.0, "
        "variance_epsilon: float = 9.999999747378752e-06, min_separation: float = 0.0010000000474974513"
    )
    is_host_only = True
    samples = (
        sample(_IMAGES, "float: -1.0", "float: 2.0"),
        sample(_IMAGES, "float: -1.0", "float: 2.0", output_range_given=True, given_y_min=-1.0, given_y_max=1.5),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_scalar_shapes(op, 1)
        return [op._inputs[0].shape, shape_functions.SCALAR, shape_functions.SCALAR]

    @staticmethod
    def run(
        xp: Any,
        values: Any,
        x_min: Any,
        x_max: Any,
        *,
        T: DType,  # noqa: N803  # TensorFlow's attribute
        output_range_given: bool,
        given_y_min: float,
        given_y_max: float,
        variance_epsilon: float,
        min_separation: float,
    ) -> list[Any]:
        if output_range_given and not given_y_min < given_y_max:
            raise InvalidArgumentError(f"given_y_min must be less than given_y_max : {given_y_min} >= {given_y_max}")
        low, high = limits(x_min=x_min, x_max=x_max)
        if not low < high:
            raise InvalidArgumentError(f"input_min must be less than input_max : {low} >= {high}")
        if values.ndim != 4:
            raise UnimplementedError(f"images must be of rank 4, not {values.ndim}")
        numbers, scale = plain(values).astype(np.float32), np.float32(high - low) / np.float32(255)
        centred = numbers - numbers.mean((1, 2), keepdims=True, dtype=np.float32)
        variance = np.square(scale * centred).mean((1, 2), keepdims=True, dtype=np.float32)
        normed = scale * centred / np.sqrt(variance + np.float32(variance_epsilon))
        least = np.float32(given_y_min) if output_range_given else normed.min(initial=np.float32(np.inf))
        most = np.float32(given_y_max) if output_range_given else normed.max(initial=np.float32(-np.inf))
        if most - least < np.float32(min_separation):
            most = least + np.float32(min_separation)
        return [float_to_first(normed, least, most, kind_of(T)), np.float32(least), np.float32(most)]


class QuantizedConv2DResult(NamedTuple):
    """What `quantized_conv2d` gives."""

    output: Tensor
    min_output: Tensor
    max_output: Tensor


class QuantizedAvgPoolResult(NamedTuple):
    """What `quantized_avg_pool` gives."""

    output: Tensor
    min_output: Tensor
    max_output: Tensor


class QuantizedMaxPoolResult(NamedTuple):
    """What `quantized_max_pool` gives."""

    output: Tensor
    min_output: Tensor
    max_output: Tensor


class QuantizedReluXResult(NamedTuple):
    """What `quantized_relu_x` gives."""

    activations: Tensor
    min_activations: Tensor
    max_activations: Tensor


for _result in (QuantizedConv2DResult, QuantizedAvgPoolResult, QuantizedMaxPoolResult, QuantizedReluXResult):
    _result.__name__ = _result.__name__.removesuffix("Result")  # as it is printed


def quantized_conv2d(
    input: Any,  # TensorFlow's names
    filter: Any,
    min_input: Any,
    max_input: Any,
    min_filter: Any,
    max_filter: Any,
    strides: Any,
    padding: str,
    out_type: Any = "qint32",
    dilations: Any = (1, 1, 1, 1),
    name: str | None = None,
) -> QuantizedConv2DResult:
    """A convolution of quantised images, and the range of the result (`tf.nn.quantized_conv2d`)."""
    how: dict[str, Any] = {"strides": strides, "padding": padding, "out_type": out_type, "dilations": list(dilations)}
    return QuantizedConv2DResult(*apply_op("QuantizedConv2D", input, filter, min_input, max_input, min_filter, max_filter, name=name, **how).outputs)


def quantized_avg_pool(
    input: Any, min_input: Any, max_input: Any, ksize: Any, strides: Any, padding: str, name: str | None = None
) -> QuantizedAvgPoolResult:
    """The means of windows of quantised images, and their range (`tf.nn.quantized_avg_pool`)."""
    how: dict[str, Any] = {"ksize": ksize, "strides": strides, "padding": padding}
    return QuantizedAvgPoolResult(*apply_op("QuantizedAvgPool", input, min_input, max_input, name=name, **how).outputs)


def quantized_max_pool(
    input: Any, min_input: Any, max_input: Any, ksize: Any, strides: Any, padding: str, name: str | None = None
) -> QuantizedMaxPoolResult:
    """The largest numbers of windows of quantised images, and their range (`tf.nn.quantized_max_pool`)."""
    how: dict[str, Any] = {"ksize": ksize, "strides": strides, "padding": padding}
    return QuantizedMaxPoolResult(*apply_op("QuantizedMaxPool", input, min_input, max_input, name=name, **how).outputs)


def quantized_relu_x(
    features: Any, max_value: Any, min_features: Any, max_features: Any, out_type: Any = "quint8", name: str | None = None
) -> QuantizedReluXResult:
    """Quantised numbers cut to those from 0 to a limit, and their range (`tf.nn.quantized_relu_x`)."""
    found = apply_op("QuantizedReluX", features, max_value, min_features, max_features, out_type=out_type, name=name).outputs
    return QuantizedReluXResult(*found)
