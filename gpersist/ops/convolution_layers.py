"""Convolutions of `tf.layers`."""

from __future__ import annotations

from typing import Any, ClassVar

from gpersist.graph import Tensor
from gpersist.ops.array import shape_of
from gpersist.ops.bias import bias_add
from gpersist.ops.convolutions import conv1d as convolve_sequences
from gpersist.ops.convolutions import conv2d_transpose as transposed
from gpersist.ops.convolutions import conv3d_transpose as transposed_volumes
from gpersist.ops.convolutions import convolution
from gpersist.ops.depthwise_convolutions import separable_conv2d as separable
from gpersist.ops.initializers import zeros_initializer
from gpersist.ops.joining import stack
from gpersist.ops.layer import Layer, applied, check_rank, known_size
from gpersist.ops.shaping import expand_dims, squeeze
from gpersist.shapes import TensorShape

__all__ = [
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "SeparableConv1D",
    "SeparableConv2D",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "separable_conv1d",
    "separable_conv2d",
]


class _Convolution(Layer):
    """A convolution with a kernel and a bias.

    Args:
        filters: how many outputs there are for each window.
        kernel_size: one number, or one for each spatial axis.
        strides: likewise.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".
        dilation_rate: as `strides`.
        activation: a function of the output.
        use_bias: whether there is a bias.
        kernel_initializer: as of `tf.get_variable`, whose default it has.
        bias_initializer: likewise; zeros by default.
        kernel_regularizer: a function of the kernel that gives a loss.
        bias_regularizer: likewise.
        activity_regularizer: a function of the output that gives a loss.
        kernel_constraint: a function that an optimizer applies to the kernel.
        bias_constraint: likewise.
        trainable: whether the variables are.
        name: of the layer.
        kwargs: `dtype`, `_scope`, `_reuse`; see `Layer`.
    """

    spatial_rank: ClassVar[int] = 2

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable, name, activity_regularizer=activity_regularizer, **kwargs)
        self.filters = filters
        self.kernel_size = spatial_tuple(kernel_size, self.spatial_rank, "kernel_size")
        self.strides = spatial_tuple(strides, self.spatial_rank, "strides")
        self.padding = checked_padding(padding)
        self.is_channels_first = checked_format(data_format)
        self.dilation_rate = spatial_tuple(dilation_rate, self.spatial_rank, "dilation_rate")
        self.activation = activation
        self.use_bias = use_bias
        self._kernel = {"initializer": kernel_initializer, "regularizer": kernel_regularizer, "constraint": kernel_constraint}
        self._bias = {"initializer": bias_initializer or zeros_initializer(), "regularizer": bias_regularizer, "constraint": bias_constraint}

    def build(self, input_shape: TensorShape) -> None:
        """Makes `kernel` and `bias`."""
        check_rank(input_shape, self.spatial_rank + 2, self)
        channels = known_size(input_shape, self.channel_axis, self)
        self.kernel = self.add_weight("kernel", [*self.kernel_size, *self._kernel_channels(channels)], **self._kernel)
        self._add_bias()

    def call(self, inputs: Tensor) -> Tensor:
        """The output of each window, plus the bias."""
        name = f"Conv{self.spatial_rank}D"
        if self.spatial_rank == 1 and self.dilation_rate == (1,):
            data_format = "NCW" if self.is_channels_first else "NWC"
            outputs = convolve_sequences(inputs, self.kernel, self.strides[0], self.padding, data_format=data_format, name=name)
        else:
            rates = None if all(rate == 1 for rate in self.dilation_rate) else list(self.dilation_rate)
            data_format = data_format_of(self.spatial_rank, self.is_channels_first)
            outputs = convolution(inputs, self.kernel, self.padding, list(self.strides), rates, name, data_format)
        return self._finished(outputs)

    @property
    def channel_axis(self) -> int:
        """Which axis of the input is the channels."""
        return 1 if self.is_channels_first else -1

    def _kernel_channels(self, channels: int) -> tuple[int, int]:
        return channels, self.filters

    def _add_bias(self) -> None:
        self.bias = self.add_weight("bias", [self.filters], **self._bias) if self.use_bias else None

    def _biased(self, outputs: Tensor) -> Tensor:
        return outputs if self.bias is None else bias_add(outputs, self.bias, data_format="NCHW" if self.is_channels_first else "NHWC")

    def _finished(self, outputs: Tensor) -> Tensor:
        outputs = self._biased(outputs)
        return outputs if self.activation is None else self.activation(outputs)


class Conv1D(_Convolution):
    """A convolution of sequences (`tf.layers.Conv1D`); arguments as of `Conv2D`."""

    spatial_rank = 1


class Conv2D(_Convolution):
    """A convolution of images (`tf.layers.Conv2D`); arguments as of its base."""


class Conv3D(_Convolution):
    """A convolution of volumes (`tf.layers.Conv3D`); arguments as of `Conv2D`."""

    spatial_rank = 3


class Conv2DTranspose(_Convolution):
    """The transposed convolution of images (`tf.layers.Conv2DTranspose`); arguments as of `Conv2D`, without `dilation_rate`."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        activation: Any = None,
        use_bias: bool = True,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, kernel_size, strides, padding, data_format, 1, activation, use_bias, *args, **kwargs)

    def call(self, inputs: Tensor) -> Tensor:
        """The output, `strides` times as large as the input."""
        known = inputs.shape.as_list()
        shape = shape_of(inputs)
        rows = 2 if self.is_channels_first else 1
        batch = shape[0]
        found = [shape[axis] if known[axis] is None else known[axis] for axis in (rows, rows + 1)]
        sizes = [_transposed_size(*each, self.padding) for each in zip(found, self.kernel_size, self.strides, strict=True)]
        wanted = [batch, self.filters, *sizes] if self.is_channels_first else [batch, *sizes, self.filters]
        steps = [1, 1, *self.strides] if self.is_channels_first else [1, *self.strides, 1]
        data_format = data_format_of(2, self.is_channels_first)
        shape = stack(wanted)
        shape[0]  # a node that TensorFlow's layer has, too: it looks whether the batch is None
        outputs = transposed(inputs, self.kernel, shape, steps, self.padding, data_format)
        outputs.set_shape([known[0], *(size if isinstance(size, int) else None for size in wanted[1:])])
        return self._finished(outputs)

    def _kernel_channels(self, channels: int) -> tuple[int, int]:
        return self.filters, channels


class Conv3DTranspose(Conv2DTranspose):
    """The transposed convolution of volumes (`tf.layers.Conv3DTranspose`); arguments as of `Conv2DTranspose`."""

    spatial_rank = 3

    def call(self, inputs: Tensor) -> Tensor:
        """The output, `strides` times as large as the input."""
        shape = shape_of(inputs)
        first = 2 if self.is_channels_first else 1
        batch, *found = shape[0], *(shape[first + axis] for axis in range(3))
        sizes = [_transposed_size(*each, self.padding) for each in zip(found, self.kernel_size, self.strides, strict=True)]
        wanted = [batch, self.filters, *sizes] if self.is_channels_first else [batch, *sizes, self.filters]
        steps = [1, 1, *self.strides] if self.is_channels_first else [1, *self.strides, 1]
        outputs = transposed_volumes(inputs, self.kernel, stack(wanted), steps, self.padding, data_format_of(3, self.is_channels_first))
        known = inputs.shape.as_list()
        for axis, (kernel, stride) in enumerate(zip(self.kernel_size, self.strides, strict=True), first):
            known[axis] = None if known[axis] is None else _transposed_size(known[axis], kernel, stride, self.padding)
        known[self.channel_axis] = self.filters
        outputs.set_shape(known)
        return self._finished(outputs)


class SeparableConv2D(_Convolution):
    """A depthwise convolution, then one of single pixels (`tf.layers.SeparableConv2D`).

    Arguments as of `Conv2D`, with `depth_multiplier`, and with `depthwise_...` and `pointwise_...` instead of `kernel_...`.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = None,
        pointwise_initializer: Any = None,
        bias_initializer: Any = None,
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            trainable=trainable,
            name=name,
            **kwargs,
        )
        self.depth_multiplier = depth_multiplier
        self._depthwise = {"initializer": depthwise_initializer, "regularizer": depthwise_regularizer, "constraint": depthwise_constraint}
        self._pointwise = {"initializer": pointwise_initializer, "regularizer": pointwise_regularizer, "constraint": pointwise_constraint}

    def build(self, input_shape: TensorShape) -> None:
        """Makes `depthwise_kernel`, `pointwise_kernel` and `bias`."""
        check_rank(input_shape, self.spatial_rank + 2, self)
        channels = known_size(input_shape, self.channel_axis, self)
        pixel = [1] * self.spatial_rank
        self.depthwise_kernel = self.add_weight("depthwise_kernel", [*self.kernel_size, channels, self.depth_multiplier], **self._depthwise)
        self.pointwise_kernel = self.add_weight("pointwise_kernel", [*pixel, self.depth_multiplier * channels, self.filters], **self._pointwise)
        self._add_bias()

    def call(self, inputs: Tensor) -> Tensor:
        """The output of each window, plus the bias."""
        steps = [1, 1, *self.strides] if self.is_channels_first else [1, *self.strides, 1]
        data_format = data_format_of(2, self.is_channels_first)
        rates = list(self.dilation_rate)
        return self._finished(separable(inputs, self.depthwise_kernel, self.pointwise_kernel, steps, self.padding, rates, data_format=data_format))


class SeparableConv1D(SeparableConv2D):
    """The same of sequences, as images of one row (`tf.layers.SeparableConv1D`); arguments as of `SeparableConv2D`."""

    spatial_rank = 1

    def call(self, inputs: Tensor) -> Tensor:
        """The output of each window, plus the bias."""
        row = 2 if self.is_channels_first else 1
        steps = [1, 1, *self.strides * 2] if self.is_channels_first else [1, *self.strides * 2, 1]
        value, depthwise, pointwise = expand_dims(inputs, row), expand_dims(self.depthwise_kernel, 0), expand_dims(self.pointwise_kernel, 0)
        data_format = data_format_of(2, self.is_channels_first)
        outputs = separable(value, depthwise, pointwise, steps, self.padding, [1, *self.dilation_rate], data_format=data_format)
        outputs = squeeze(self._biased(outputs), [row])
        return outputs if self.activation is None else self.activation(outputs)


def conv1d(inputs: Any, filters: int, kernel_size: Any, *args: Any, reuse: Any = None, **kwargs: Any) -> Tensor:
    """A convolution layer of sequences (`tf.layers.conv1d`); arguments as of `Conv1D`, and `reuse`."""
    return applied(Conv1D, inputs, (filters, kernel_size, *args), reuse, kwargs)


def conv2d(inputs: Any, filters: int, kernel_size: Any, *args: Any, reuse: Any = None, **kwargs: Any) -> Tensor:
    """A convolution layer of images (`tf.layers.conv2d`); arguments as of `Conv2D`, and `reuse`."""
    return applied(Conv2D, inputs, (filters, kernel_size, *args), reuse, kwargs)


def conv3d(inputs: Any, filters: int, kernel_size: Any, *args: Any, reuse: Any = None, **kwargs: Any) -> Tensor:
    """A convolution layer of volumes (`tf.layers.conv3d`); arguments as of `Conv3D`, and `reuse`."""
    return applied(Conv3D, inputs, (filters, kernel_size, *args), reuse, kwargs)


def conv2d_transpose(inputs: Any, filters: int, kernel_size: Any, *args: Any, reuse: Any = None, **kwargs: Any) -> Tensor:
    """A transposed convolution layer (`tf.layers.conv2d_transpose`); arguments as of `Conv2DTranspose`, and `reuse`."""
    return applied(Conv2DTranspose, inputs, (filters, kernel_size, *args), reuse, kwargs)


def conv3d_transpose(inputs: Any, filters: int, kernel_size: Any, *args: Any, reuse: Any = None, **kwargs: Any) -> Tensor:
    """A transposed convolution layer of volumes (`tf.layers.conv3d_transpose`); arguments as of `Conv3DTranspose`, and `reuse`."""
    return applied(Conv3DTranspose, inputs, (filters, kernel_size, *args), reuse, kwargs)


def separable_conv1d(inputs: Any, filters: int, kernel_size: Any, *args: Any, reuse: Any = None, **kwargs: Any) -> Tensor:
    """A separable convolution layer of sequences (`tf.layers.separable_conv1d`); arguments as of `SeparableConv1D`, and `reuse`."""
    return applied(SeparableConv1D, inputs, (filters, kernel_size, *args), reuse, kwargs)


def separable_conv2d(inputs: Any, filters: int, kernel_size: Any, *args: Any, reuse: Any = None, **kwargs: Any) -> Tensor:
    """A separable convolution layer (`tf.layers.separable_conv2d`); arguments as of `SeparableConv2D`, and `reuse`."""
    return applied(SeparableConv2D, inputs, (filters, kernel_size, *args), reuse, kwargs)


def spatial_tuple(value: Any, count: int, name: str) -> tuple[int, ...]:
    """One number, or one for each spatial axis, as the latter.

    Raises:
        ValueError: there are too few or too many.
    """
    found = (value,) * count if isinstance(value, int) else tuple(value)
    if len(found) != count:
        raise ValueError(f"The `{name}` argument must be a tuple of {count} integers. Received: {value}")
    return found


def checked_padding(padding: str) -> str:
    """The word for `padding` that operations know.

    Raises:
        ValueError: it is neither "valid" nor "same".
    """
    if str(padding).lower() not in ("valid", "same"):
        raise ValueError(f'The `padding` argument must be a list/tuple or one of "valid", "same". Received: {padding}')
    return str(padding).upper()


def checked_format(data_format: str) -> bool:
    """Whether the channels come first.

    Raises:
        ValueError: it is neither "channels_first" nor "channels_last".
    """
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(f'The `data_format` argument must be one of "channels_first", "channels_last". Received: {data_format}')
    return data_format == "channels_first"


def data_format_of(spatial_rank: int, is_channels_first: bool) -> str:
    """The format under the name that operations know."""
    axes = {1: "W", 2: "HW", 3: "DHW"}[spatial_rank]
    return f"NC{axes}" if is_channels_first else f"N{axes}C"


def _transposed_size(size: Any, kernel: int, stride: int, padding: str) -> Any:
    return size * stride + max(kernel - stride, 0) if padding == "VALID" else size * stride
