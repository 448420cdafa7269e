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
from gpersist.ops.input_spec import InputSpec
from gpersist.ops.joining import stack
from gpersist.ops.layer import Layer, layer_function
from gpersist.ops.layer_arguments import activation_of, initializer_of
from gpersist.ops.layer_windows import checked_format, checked_padding, data_format_of, spatial_tuple, transposed_size, window_count
from gpersist.ops.padding import pad
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
    config_names: ClassVar[tuple[str, ...]] = (
        "filters",
        "kernel_size",
        "strides",
        "padding",
        "data_format",
        "dilation_rate",
        "groups",
        "activation",
        "use_bias",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
    )

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
        self.groups = kwargs.pop("groups", 1)
        if self.groups != 1:
            raise ValueError(f"Layers convolve all channels at once: expected groups=1, found groups={self.groups}")
        super().__init__(trainable, name, activity_regularizer=activity_regularizer, **kwargs)
        self.rank = self.spatial_rank
        self.filters = int(filters) if isinstance(filters, float) else filters
        if self.filters <= 0:
            raise ValueError(f"Invalid value for argument `filters`. Expected a strictly positive value. Received filters={self.filters}.")
        self.kernel_size = spatial_tuple(kernel_size, self.spatial_rank, "kernel_size")
        self.strides = spatial_tuple(strides, self.spatial_rank, "strides")
        self.padding = checked_padding(padding, is_causal_known=self.spatial_rank == 1)
        self.data_format = data_format
        self.is_channels_first = checked_format(data_format)
        self.dilation_rate = spatial_tuple(dilation_rate, self.spatial_rank, "dilation_rate")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: strides={self.strides} and "
                f"dilation_rate={self.dilation_rate}"
            )
        self.activation = activation_of(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializer_of(kernel_initializer)
        self.bias_initializer = initializer_of(bias_initializer) or zeros_initializer()
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_constraint = bias_constraint
        self.input_spec = InputSpec(min_ndim=self.spatial_rank + 2)

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` and `bias`."""
        channels = self._channels(TensorShape(input_shape))
        self.compute_output_shape(input_shape)
        self._add_kernels(channels)
        self.bias = self.add_weight_of("bias", [self.filters]) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=self.spatial_rank + 2, axes={self.channel_axis: channels})
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape of the output for an input of this shape.

        Raises:
            ValueError: there is no window in it.
        """
        sizes = TensorShape(input_shape).as_list()
        first = len(sizes) - self.spatial_rank - (0 if self.is_channels_first else 1)
        for axis, given in enumerate(zip(self.kernel_size, self.strides, self.dilation_rate, strict=True), first):
            sizes[axis] = self._output_size(sizes[axis], *given)
        if any(size is not None and size < 0 for size in sizes):
            raise ValueError(
                f"One of the dimensions in the output is <= 0 due to downsampling in {self.name}. Consider increasing the input size. Received input "
                f"shape {TensorShape(input_shape).as_list()} which would produce output shape with a zero or negative value in a dimension."
            )
        sizes[self.channel_axis] = self.filters
        return TensorShape(sizes)

    def call(self, inputs: Tensor) -> Tensor:
        """The output of each window, plus the bias."""
        padding = self.padding.upper()
        if self.padding == "causal":
            inputs, padding = self._causal(inputs), "VALID"
        name = f"Conv{self.spatial_rank}D"
        if self.spatial_rank == 1 and self.dilation_rate == (1,):
            data_format = "NCW" if self.is_channels_first else "NWC"
            outputs = convolve_sequences(inputs, self.kernel, self.strides[0], padding, data_format=data_format, name=name)
        else:
            rates = None if all(rate == 1 for rate in self.dilation_rate) else list(self.dilation_rate)
            data_format = data_format_of(self.spatial_rank, self.is_channels_first)
            outputs = convolution(inputs, self.kernel, padding, list(self.strides), rates, name, data_format)
        return self._finished(outputs)

    @property
    def channel_axis(self) -> int:
        """Which axis of the input is the channels."""
        return -1 - self.spatial_rank if self.is_channels_first else -1

    def _channels(self, shape: TensorShape) -> int:
        """How many there are.

        Raises:
            ValueError: that is not known.
        """
        channels = None if shape.rank is None else shape.as_list()[self.channel_axis]
        if channels is None:
            raise ValueError(
                f"The channel dimension of the inputs should be defined. The input_shape received is {shape}, where axis {self.channel_axis} "
                "(0-based) is the channel dimension, which found to be `None`."
            )
        return channels

    def _add_kernels(self, channels: int) -> None:
        self.kernel = self.add_weight_of("kernel", [*self.kernel_size, *self._kernel_channels(channels)])

    def _output_size(self, size: int | None, kernel: int, stride: int, dilation: int) -> int | None:
        return window_count(size, kernel, self.padding, stride, dilation)

    def _causal(self, inputs: Tensor) -> Tensor:
        """The inputs after zeros, so that no window looks ahead."""
        before = self.dilation_rate[0] * (self.kernel_size[0] - 1)
        return pad(inputs, [[0, 0], [0, 0], [before, 0]] if self.is_channels_first else [[0, 0], [before, 0], [0, 0]])

    def _kernel_channels(self, channels: int) -> tuple[int, int]:
        return channels, self.filters

    def _biased(self, outputs: Tensor) -> Tensor:
        return outputs if self.bias is None else bias_add(outputs, self.bias, data_format="NCHW" if self.is_channels_first else "NHWC")

    def _finished(self, outputs: Tensor) -> Tensor:
        return self.activation(self._biased(outputs))  # type: ignore[no-any-return]


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

    config_names: ClassVar[tuple[str, ...]] = (*_Convolution.config_names, "output_padding")

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
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
        dilation_rate, self.output_padding = kwargs.pop("dilation_rate", 1), kwargs.pop("output_padding", None)
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            trainable,
            name,
            **kwargs,
        )
        if max(self.dilation_rate) > 1 or self.output_padding is not None:
            raise ValueError(
                f"Transposed layers take windows as they are: expected dilation_rate=1 and output_padding=None, found {dilation_rate} and "
                f"{self.output_padding}"
            )

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` and `bias`."""
        shape = TensorShape(input_shape)
        rank = self.spatial_rank + 2
        if len(shape) != rank:
            raise ValueError(f"Inputs should have rank {rank}. Received input_shape={shape}.")
        super().build(shape)
        self.input_spec = InputSpec(ndim=rank, axes=self.input_spec.axes)

    def call(self, inputs: Tensor) -> Tensor:
        """The output, `strides` times as large as the input."""
        padding = self.padding.upper()
        known = inputs.shape.as_list()
        shape = shape_of(inputs)
        rows = 2 if self.is_channels_first else 1
        batch = shape[0]
        found = [shape[axis] if known[axis] is None else known[axis] for axis in (rows, rows + 1)]
        sizes = [transposed_size(*each, padding) for each in zip(found, self.kernel_size, self.strides, strict=True)]
        wanted = [batch, self.filters, *sizes] if self.is_channels_first else [batch, *sizes, self.filters]
        steps = [1, 1, *self.strides] if self.is_channels_first else [1, *self.strides, 1]
        data_format = data_format_of(2, self.is_channels_first)
        shape = stack(wanted)
        shape[0]  # a node that TensorFlow's layer has, too: it looks whether the batch is None
        outputs = transposed(inputs, self.kernel, shape, steps, padding, data_format)
        outputs.set_shape(self.compute_output_shape(inputs.shape))
        return self._finished(outputs)

    def _kernel_channels(self, channels: int) -> tuple[int, int]:
        return self.filters, channels

    def _output_size(self, size: int | None, kernel: int, stride: int, dilation: int) -> int | None:
        return None if size is None else transposed_size(size, kernel, stride, self.padding.upper())


class Conv3DTranspose(Conv2DTranspose):
    """The transposed convolution of volumes (`tf.layers.Conv3DTranspose`); arguments as of `Conv2DTranspose`."""

    spatial_rank = 3
    config_names: ClassVar[tuple[str, ...]] = tuple(name for name in Conv2DTranspose.config_names if name != "dilation_rate")

    def call(self, inputs: Tensor) -> Tensor:
        """The output, `strides` times as large as the input."""
        padding = self.padding.upper()
        shape = shape_of(inputs)
        first = 2 if self.is_channels_first else 1
        batch, *found = shape[0], *(shape[first + axis] for axis in range(3))
        sizes = [transposed_size(*each, padding) for each in zip(found, self.kernel_size, self.strides, strict=True)]
        wanted = [batch, self.filters, *sizes] if self.is_channels_first else [batch, *sizes, self.filters]
        steps = [1, 1, *self.strides] if self.is_channels_first else [1, *self.strides, 1]
        outputs = transposed_volumes(inputs, self.kernel, stack(wanted), steps, padding, data_format_of(3, self.is_channels_first))
        outputs.set_shape(self.compute_output_shape(inputs.shape))
        return self._finished(outputs)


class SeparableConv2D(_Convolution):
    """A depthwise convolution, then one of single pixels (`tf.layers.SeparableConv2D`).

    Arguments as of `Conv2D`, with `depth_multiplier`, and with `depthwise_...` and `pointwise_...` instead of `kernel_...`.
    """

    config_names: ClassVar[tuple[str, ...]] = (
        *_Convolution.config_names,
        "depth_multiplier",
        "depthwise_initializer",
        "pointwise_initializer",
        "depthwise_regularizer",
        "pointwise_regularizer",
        "depthwise_constraint",
        "pointwise_constraint",
    )

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
        self.kernel_initializer = initializer_of(kwargs.get("kernel_initializer", "glorot_uniform"))
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = initializer_of(depthwise_initializer)
        self.pointwise_initializer = initializer_of(pointwise_initializer)
        self.depthwise_regularizer = depthwise_regularizer
        self.pointwise_regularizer = pointwise_regularizer
        self.depthwise_constraint = depthwise_constraint
        self.pointwise_constraint = pointwise_constraint

    def build(self, input_shape: Any) -> None:
        """Makes `depthwise_kernel`, `pointwise_kernel` and `bias`."""
        super().build(input_shape)
        self.input_spec = InputSpec(ndim=self.spatial_rank + 2, axes=self.input_spec.axes)

    def _add_kernels(self, channels: int) -> None:
        inner = self.depth_multiplier * channels
        self.depthwise_kernel = self.add_weight_of("depthwise_kernel", [*self.kernel_size, channels, self.depth_multiplier], "depthwise")
        self.pointwise_kernel = self.add_weight_of("pointwise_kernel", [*[1] * self.spatial_rank, inner, self.filters], "pointwise")

    def call(self, inputs: Tensor) -> Tensor:
        """The output of each window, plus the bias."""
        steps = [1, 1, *self.strides] if self.is_channels_first else [1, *self.strides, 1]
        data_format = data_format_of(2, self.is_channels_first)
        rates = list(self.dilation_rate)
        return self._finished(
            separable(inputs, self.depthwise_kernel, self.pointwise_kernel, steps, self.padding.upper(), rates, data_format=data_format)
        )


class SeparableConv1D(SeparableConv2D):
    """The same of sequences, as images of one row (`tf.layers.SeparableConv1D`); arguments as of `SeparableConv2D`."""

    spatial_rank = 1

    def call(self, inputs: Tensor) -> Tensor:
        """The output of each window, plus the bias."""
        padding = self.padding.upper()
        if self.padding == "causal":
            inputs, padding = self._causal(inputs), "VALID"
        row = 2 if self.is_channels_first else 1
        steps = [1, 1, *self.strides * 2] if self.is_channels_first else [1, *self.strides * 2, 1]
        value, depthwise, pointwise = expand_dims(inputs, row), expand_dims(self.depthwise_kernel, 0), expand_dims(self.pointwise_kernel, 0)
        data_format = data_format_of(2, self.is_channels_first)
        outputs = separable(value, depthwise, pointwise, steps, padding, [1, *self.dilation_rate], data_format=data_format)
        return self.activation(squeeze(self._biased(outputs), [row]))  # type: ignore[no-any-return]


conv1d = layer_function(Conv1D, "conv1d")
conv2d = layer_function(Conv2D, "conv2d")
conv3d = layer_function(Conv3D, "conv3d")
conv2d_transpose = layer_function(Conv2DTranspose, "conv2d_transpose")
conv3d_transpose = layer_function(Conv3DTranspose, "conv3d_transpose")
separable_conv1d = layer_function(SeparableConv1D, "separable_conv1d")
separable_conv2d = layer_function(SeparableConv2D, "separable_conv2d")
