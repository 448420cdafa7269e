"""The Python functions of convolutions: `tf.nn.conv2d` and its relatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.graph import Tensor, apply, convert_to_tensor, name_scope
from gpersist.ops.builders import renamed_argument
from gpersist.ops.dilation import with_space_to_batch
from gpersist.ops.window_arguments import per_axis, split_padding

__all__ = [
    "atrous_conv2d",
    "atrous_conv2d_transpose",
    "conv1d",
    "conv1d_transpose",
    "conv2d",
    "conv2d_backprop_filter",
    "conv2d_backprop_input",
    "conv2d_transpose",
    "conv3d",
    "conv3d_backprop_filter",
    "conv3d_backprop_filter_v2",
    "conv3d_transpose",
    "conv_transpose",
    "convolution",
]

_ONES = (1, 1, 1, 1)


def conv2d(
    input: Any,  # TensorFlow's names
    filter: Any = None,
    strides: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool = True,
    data_format: str | None = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    """A convolution of images (`tf.nn.conv2d`).

    Args:
        input: [batch, height, width, channels], or [batch, channels, height, width] for "NCHW".
        filter: [height, width, channels, out channels].
        strides: one number, one for each spatial axis, or one for each axis.
        padding: "SAME", "VALID", or a pair for each axis.
        use_cudnn_on_gpu: kept as an attribute.
        data_format: "NHWC" or "NCHW".
        dilations: as `strides`.
        name: of the operation.
        filters: another name of `filter`.

    Raises:
        ValueError: the arguments don't go together.
    """
    filter = renamed_argument("filter", filter, "filters", filters)
    padding, explicit = split_padding(padding)
    data_format, axis = _format(data_format, "NHWC")
    strides, dilations = per_axis(strides, 2, axis, "strides"), per_axis(dilations, 2, axis, "dilations")
    attrs = {"use_cudnn_on_gpu": use_cudnn_on_gpu, "explicit_paddings": explicit, "data_format": data_format, "dilations": dilations}
    return apply("Conv2D", input, filter, strides=strides, padding=padding, name=name, **attrs)


def conv2d_backprop_input(
    input_sizes: Any,
    filter: Any = None,
    out_backprop: Any = None,
    strides: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    """The gradient of a convolution with respect to its input (`tf.nn.conv2d_backprop_input`)."""
    filter = renamed_argument("filter", filter, "filters", filters)
    padding, explicit = split_padding(padding)
    attrs = {"use_cudnn_on_gpu": use_cudnn_on_gpu, "explicit_paddings": explicit, "data_format": data_format, "dilations": list(dilations)}
    return apply("Conv2DBackpropInput", input_sizes, filter, out_backprop, strides=strides, padding=padding, name=name, **attrs)


def conv2d_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
) -> Tensor:
    """The gradient of a convolution with respect to its filters (`tf.nn.conv2d_backprop_filter`)."""
    padding, explicit = split_padding(padding)
    attrs = {"use_cudnn_on_gpu": use_cudnn_on_gpu, "explicit_paddings": explicit, "data_format": data_format, "dilations": list(dilations)}
    return apply("Conv2DBackpropFilter", input, filter_sizes, out_backprop, strides=strides, padding=padding, name=name, **attrs)


def conv2d_transpose(
    value: Any = None,
    filter: Any = None,
    output_shape: Any = None,
    strides: Any = None,
    padding: Any = "SAME",
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """The transposed convolution (`tf.nn.conv2d_transpose`): the gradient of `conv2d` with respect to an input of shape `output_shape`.

    `value`, or `input`, is [batch, height, width, channels], `filter`, or `filters`, [height, width, out channels, channels]; the others are as of
    `conv2d`.
    """
    value = renamed_argument("value", value, "input", input)
    filter = renamed_argument("filter", filter, "filters", filters)
    with name_scope(name, "conv2d_transpose", [value, filter, output_shape]) as scope:
        data_format, axis = _format(data_format, "NHWC")
        strides, dilations = per_axis(strides, 2, axis, "strides"), per_axis(dilations, 2, axis, "dilations")
        padding, explicit = split_padding(padding)
        attrs = {"explicit_paddings": explicit, "data_format": data_format, "dilations": dilations}
        return apply("Conv2DBackpropInput", output_shape, filter, value, strides=strides, padding=padding, name=scope, **attrs)


def conv1d(
    value: Any = None,
    filters: Any = None,
    stride: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool | None = None,
    data_format: str | None = None,
    name: str | None = None,
    input: Any = None,
    dilations: Any = None,
) -> Tensor:
    """A convolution of sequences (`tf.nn.conv1d`): `conv2d` of images that are one row high.

    `value`, or `input`, is [batch, width, channels], or [batch, channels, width] for "NCW", `filters` [width, channels, out channels].
    """
    value = renamed_argument("value", value, "input", input)
    with name_scope(name, "conv1d", [value, filters]) as scope:
        data_format, row, axis = _format_1d(data_format)
        strides, dilations = [1, *per_axis(stride, 1, axis, "stride")], [1, *per_axis(dilations, 1, axis, "dilations")]
        images = apply("ExpandDims", value, row - 4)
        kernels = apply("ExpandDims", filters, 0)
        attrs = {"use_cudnn_on_gpu": use_cudnn_on_gpu, "data_format": data_format, "dilations": dilations}
        result = apply("Conv2D", images, kernels, strides=strides, padding=padding, name=scope, **attrs)
        return apply("Squeeze", result, squeeze_dims=[row - 4])


def conv1d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str | None = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transposed convolution of sequences (`tf.nn.conv1d_transpose`)."""
    with name_scope(name, "conv1d_transpose", [input, filters, output_shape]) as scope:
        data_format, row, axis = _format_1d(data_format)
        strides, dilations = [1, *per_axis(strides, 1, axis, "stride")], [1, *per_axis(dilations, 1, axis, "dilations")]
        images, kernels = apply("ExpandDims", input, row), apply("ExpandDims", filters, 0)
        sizes = output_shape if isinstance(output_shape, Tensor) else list(output_shape)
        sizes = apply("ConcatV2", [sizes[:row], [1], sizes[row:]], 0, name="concat")
        attrs = {"data_format": data_format, "dilations": dilations}
        result = apply("Conv2DBackpropInput", sizes, kernels, images, strides=strides, padding=padding, name=scope, **attrs)
        return apply("Squeeze", result, squeeze_dims=[row])


def conv3d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: Any = None,
    data_format: str = "NDHWC",
    dilations: Any = (1, 1, 1, 1, 1),
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    """A convolution of volumes (`tf.nn.conv3d`), of filters [depth, height, width, channels, out channels]."""
    filter = renamed_argument("filter", filter, "filters", filters)
    return apply("Conv3D", input, filter, strides=strides, padding=padding, data_format=data_format, dilations=list(dilations), name=name)


def conv3d_transpose(
    value: Any,
    filter: Any = None,
    output_shape: Any = None,
    strides: Any = None,
    padding: Any = "SAME",
    data_format: str | None = "NDHWC",
    name: str | None = None,
    input: Any = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """The transposed convolution of volumes (`tf.nn.conv3d_transpose`)."""
    value = renamed_argument("value", value, "input", input)
    filter = renamed_argument("filter", filter, "filters", filters)
    with name_scope(name, "conv3d_transpose", [value, filter, output_shape]) as scope:
        data_format, axis = _format(data_format, "NDHWC")
        strides, dilations = per_axis(strides, 3, axis, "strides"), per_axis(dilations, 3, axis, "dilations")
        attrs = {"strides": strides, "padding": padding, "data_format": data_format, "dilations": dilations}
        return apply("Conv3DBackpropInputV2", output_shape, filter, value, name=scope, **attrs)


def conv3d_backprop_filter_v2(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NDHWC",
    dilations: Any = (1, 1, 1, 1, 1),
    name: str | None = None,
) -> Tensor:
    """The gradient of a convolution of volumes with respect to its filters (`tf.nn.conv3d_backprop_filter`)."""
    attrs = {"strides": strides, "padding": padding, "data_format": data_format, "dilations": list(dilations)}
    return apply("Conv3DBackpropFilterV2", input, filter_sizes, out_backprop, name=name, **attrs)


conv3d_backprop_filter = conv3d_backprop_filter_v2


def conv_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transposed convolution in one, two or three dimensions (`tf.nn.conv_transpose`).

    Raises:
        ValueError: `output_shape` has not three, four or five elements.
    """
    with name_scope(name, "conv_transpose", [input, filters, output_shape]) as scope:
        count = output_shape.shape.as_list()[0] if isinstance(output_shape, Tensor) else len(output_shape)
        options: dict[str, Any] = {"padding": padding, "data_format": data_format, "dilations": dilations, "name": scope}
        if count == 3:
            return conv1d_transpose(input, filters, output_shape, strides, **options)
        if count == 4:
            return conv2d_transpose(input, filters, output_shape, strides, **options)
        if count == 5:
            return conv3d_transpose(input, filters, output_shape, strides, **options)
        raise ValueError(f"`output_shape` must be of length 3, 4 or 5. Received: output_shape={output_shape} of length {count}.")


def convolution(
    input: Any,
    filter: Any,
    padding: Any,
    strides: Any = None,
    dilation_rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """A convolution in one, two or three dimensions (`tf.nn.convolution`); with dilations, one of the batch that `space_to_batch` makes.

    `input` is [batch, *spatial, channels], or [batch, channels, *spatial] for a format that begins with "NC"; `filter`, or `filters`, is
    [*spatial, channels, out channels]. There is a stride and a dilation for each spatial axis; padding is "SAME", "VALID", or a pair for each axis.

    Raises:
        ValueError: neither rank is known, or the arguments don't go together.
    """
    filter = renamed_argument("filter", filter, "filters", filters)
    rate = renamed_argument("dilation_rate", dilation_rate, "dilations", dilations)
    kernel, value = _made_tensor(filter, "filters"), _made_tensor(input, "input")
    rank = (kernel.shape.rank or value.shape.rank or 0) - 2
    if rank not in (1, 2, 3):
        raise ValueError(f"`num_spatial_dims` must be 1, 2, or 3. Received: num_spatial_dims={rank}.")
    axis = 1 if data_format is not None and data_format.startswith("NC") else rank + 1
    strides, rates = per_axis(strides, rank, axis, "strides"), per_axis(rate, rank, axis, "dilations")
    with name_scope(name, "convolution", [value, kernel]) as scope:
        if all(number == 1 for number in rates):
            return _plain(value, kernel, strides, padding, data_format, scope)
        inner = slice(2, None) if axis == 1 else slice(1, -1)
        spatial_strides, spatial_rates = strides[inner], rates[inner]
        if any(number > 1 for number in spatial_strides):
            raise ValueError(
                "`strides > 1` not supported in conjunction with `dilation_rate > 1`. "
                f"Received: strides={np.array(spatial_strides)} and dilation_rate={np.array(spatial_rates)}"
            )

        def convolve(batch: Tensor, inner_padding: Any) -> Tensor:
            return _plain(batch, kernel, strides, inner_padding, data_format, scope)

        return with_space_to_batch(value, spatial_rates, padding, convolve, kernel.shape, data_format)


def atrous_conv2d(value: Any, filters: Any, rate: Any, padding: Any, name: str | None = None) -> Tensor:
    """A convolution whose filters have holes: `rate` from one of their elements to the next (`tf.nn.atrous_conv2d`)."""
    return convolution(value, filters, padding, dilation_rate=[int(number) for number in np.broadcast_to(rate, (2,))], name=name)


def atrous_conv2d_transpose(value: Any, filters: Any, output_shape: Any, rate: int, padding: Any, name: str | None = None) -> Tensor:
    """The transposed convolution whose filters have holes (`tf.nn.atrous_conv2d_transpose`).

    Raises:
        ValueError: the rate is below one, or `padding` is no word.
    """
    with name_scope(name, "atrous_conv2d_transpose", [value, filters, output_shape]) as scope:
        if rate < 1:
            raise ValueError(f"`rate` cannot be less than one. Received: rate={rate}")
        if padding not in ("SAME", "VALID"):
            raise ValueError(f"`padding` must be either 'VALID' or 'SAME'. Received: padding={padding}")
        return conv2d_transpose(value, filters, output_shape, 1, padding, dilations=rate, name=scope)


def _made_tensor(value: Any, name: str) -> Tensor:
    if isinstance(value, Tensor) or hasattr(value, "_as_graph_element"):
        return convert_to_tensor(value)
    with name_scope("convolution_internal"):
        return convert_to_tensor(value, name=name)


def _plain(value: Tensor, kernel: Tensor, strides: Any, padding: Any, data_format: str | None, scope: str) -> Tensor:
    rank = len(strides) - 2
    if rank == 1:
        return conv1d(value, kernel, strides, padding, data_format=data_format, name=scope)
    if rank == 3:
        return apply("Conv3D", value, kernel, strides=strides, padding=padding, data_format=data_format, name=scope)
    word, explicit = split_padding(padding)
    return apply("Conv2D", value, kernel, strides=strides, padding=word, explicit_paddings=explicit, data_format=data_format, name=scope)


def _format(data_format: str | None, default: str) -> tuple[str, int]:
    """The format and which axis is the channels."""
    found = data_format or default
    return found, 1 if found.startswith("NC") else len(default) - 1


def _format_1d(data_format: str | None) -> tuple[str, int, int]:
    """For sequences: the format of the images that they become, the axis that these have more, and the sequences' channels."""
    if data_format in (None, "NHWC", "NWC"):
        return "NHWC", 1, 2
    if data_format in ("NCHW", "NCW"):
        return "NCHW", 2, 1
    raise ValueError(f"`data_format` must be 'NWC' or 'NCW'. Received: data_format={data_format}")
