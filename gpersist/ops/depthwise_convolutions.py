"""The Python functions of depthwise convolutions: `tf.nn.depthwise_conv2d` and its relatives."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Tensor, apply, convert_to_tensor, name_scope
from gpersist.ops.array import shape_of
from gpersist.ops.builders import renamed_argument
from gpersist.ops.convolutions import conv2d
from gpersist.ops.dilation import with_space_to_batch
from gpersist.ops.window_arguments import split_padding

__all__ = [
    "depthwise_conv2d",
    "depthwise_conv2d_backprop_filter",
    "depthwise_conv2d_backprop_input",
    "depthwise_conv2d_native",
    "depthwise_conv2d_native_backprop_filter",
    "depthwise_conv2d_native_backprop_input",
    "separable_conv2d",
]

_ONES = (1, 1, 1, 1)


def depthwise_conv2d_native(
    input: Any,
    filter: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
) -> Tensor:
    """A convolution of each channel with filters of its own (`tf.nn.depthwise_conv2d_native`), [height, width, channels, multiplier]."""
    if isinstance(padding, (list, tuple)):
        split_padding(padding)
        input, padding = apply("Pad", input, [list(pair) for pair in padding]), "VALID"  # TensorFlow 1.15's operation has no explicit paddings
    return _depthwise("DepthwiseConv2dNative", (input, filter), strides, padding, data_format, dilations, name)


def depthwise_conv2d_native_backprop_input(
    input_sizes: Any,
    filter: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
) -> Tensor:
    """The gradient of a depthwise convolution with respect to its input (`tf.nn.depthwise_conv2d_native_backprop_input`)."""
    return _depthwise("DepthwiseConv2dNativeBackpropInput", (input_sizes, filter, out_backprop), strides, padding, data_format, dilations, name)


def depthwise_conv2d_native_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
) -> Tensor:
    """The gradient of a depthwise convolution with respect to its filters (`tf.nn.depthwise_conv2d_native_backprop_filter`)."""
    return _depthwise("DepthwiseConv2dNativeBackpropFilter", (input, filter_sizes, out_backprop), strides, padding, data_format, dilations, name)


depthwise_conv2d_backprop_input = depthwise_conv2d_native_backprop_input
depthwise_conv2d_backprop_filter = depthwise_conv2d_native_backprop_filter


def depthwise_conv2d(
    input: Any,
    filter: Any,
    strides: Any,
    padding: Any,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """A convolution of each channel with filters of its own (`tf.nn.depthwise_conv2d`).

    `input` is [batch, height, width, channels], `filter` [height, width, channels, multiplier]; strides are of all four axes, `rate`, or `dilations`,
    is of height and width.
    """
    rate = renamed_argument("rate", rate, "dilations", dilations)
    with name_scope(name, "depthwise", [input, filter]) as scope:
        value, kernel = convert_to_tensor(input, name="tensor_in"), convert_to_tensor(filter, name="filter_in")
        sizes = shape_of(kernel)

        def convolve(batch: Tensor, inner_padding: Any) -> Tensor:
            return depthwise_conv2d_native(batch, kernel, strides, inner_padding, data_format, name=scope)

        return with_space_to_batch(value, rate or [1, 1], padding, convolve, sizes, data_format)


def separable_conv2d(
    input: Any,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: Any,
    padding: Any,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """A depthwise convolution, then one of single pixels across the channels (`tf.nn.separable_conv2d`)."""
    rate = renamed_argument("rate", rate, "dilations", dilations)
    with name_scope(name, "separable_conv2d", [input, depthwise_filter, pointwise_filter]) as scope:
        value = convert_to_tensor(input, name="tensor_in")
        kernel = convert_to_tensor(depthwise_filter, name="depthwise_filter")
        pointwise = convert_to_tensor(pointwise_filter, name="pointwise_filter")
        pointwise.shape.with_rank(4)[:2].assert_is_compatible_with([1, 1])
        sizes = shape_of(kernel)

        def convolve(batch: Tensor, inner_padding: Any) -> Tensor:
            return depthwise_conv2d_native(batch, kernel, strides, inner_padding, data_format, name="depthwise")

        depthwise = with_space_to_batch(value, rate or [1, 1], padding, convolve, sizes, data_format)
        return conv2d(depthwise, pointwise, [1, 1, 1, 1], "VALID", data_format=data_format, name=scope)


def _depthwise(op_name: str, inputs: Any, strides: Any, padding: Any, data_format: str | None, dilations: Any, name: str | None) -> Tensor:
    attrs = {"strides": list(strides), "padding": padding, "data_format": data_format, "dilations": list(dilations)}
    return apply(op_name, *inputs, name=name, **attrs)
