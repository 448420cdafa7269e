"""Keras's convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpersist.errors import DataLossError, UnimplementedError
from gpersist.graph import Tensor
from gpersist.keras.activations import activated, activation
from gpersist.keras.layer import as_tensor, channels, sizes
from gpersist.keras.spatial import Spatial, around
from gpersist.ops.bias import bias_add
from gpersist.ops.convolutions import atrous_conv2d_transpose, conv1d, conv1d_transpose, conv2d, conv2d_transpose, conv3d, conv3d_transpose
from gpersist.ops.depthwise_convolutions import depthwise_conv2d
from gpersist.ops.padding import pad
from gpersist.ops.shaping import expand_dims, squeeze


class _Convolution(Spatial, abstract=True):
    def prepare(self) -> None:
        super().prepare()
        self.kernel_size = self.integers("kernel_size", self.count)
        self.strides = self.integers("strides", self.count)
        self.rates = self.integers("dilation_rate", self.count)
        self.activation = activation(self.get("activation"), self.building)
        self.has_bias = self.get("use_bias", True)
        self.refuse("lora_rank", "quantization_config")

    def weights(self) -> list[str]:
        return ["kernel", "bias"] if self.has_bias else ["kernel"]

    def finished(self, x: Tensor, size: int | None) -> Any:
        """After bias and activation."""
        return activated(bias_add(x, self.weight("bias", (size,))) if self.has_bias else x, self.activation)


class _Forward(_Convolution, abstract=True):
    def compute(self, x: Tensor) -> Any:
        filters = self.integer("filters")
        groups = self.integer("groups", 1)
        depth = channels(x)
        if groups < 1 or depth % groups:
            raise DataLossError(f"has {groups} groups, and its input {depth} channels")
        kernel = self.weight("kernel", (*self.kernel_size, depth // groups, filters))
        if self.get("padding") == "causal":
            left = self.rates[0] * (self.kernel_size[0] - 1)
            return self.finished(self.convolve(pad(x, [[0, 0], [left, 0], [0, 0]]), kernel, "VALID"), filters)
        return self.finished(self.convolve(x, kernel, self.padding()), filters)

    def convolve(self, x: Tensor, kernel: Any, padding: str) -> Tensor:
        """The convolution alone."""
        raise NotImplementedError


class Conv1D(_Forward, names=("Convolution1D",)):
    """Convolution of a sequence."""

    count = 1

    def convolve(self, x: Tensor, kernel: Any, padding: str) -> Tensor:
        return conv1d(x, kernel, self.strides[0], padding, dilations=self.rates[0])


class Conv2D(_Forward, names=("Convolution2D",)):
    """Convolution of an image."""

    count = 2

    def convolve(self, x: Tensor, kernel: Any, padding: str) -> Tensor:
        return conv2d(x, kernel, around(self.strides), padding, dilations=around(self.rates))


class Conv3D(_Forward, names=("Convolution3D",)):
    """Convolution of a volume."""

    count = 3

    def convolve(self, x: Tensor, kernel: Any, padding: str) -> Tensor:
        return conv3d(x, kernel, around(self.strides), padding, dilations=around(self.rates))


class _Transposed(_Convolution, abstract=True):
    def compute(self, x: Tensor) -> Any:
        filters = self.integer("filters")
        kernel = self.weight("kernel", (*self.kernel_size, filters, channels(x)))
        extra = None if self.config.get("output_padding") is None else self.integers("output_padding", self.count)
        shape: list[Any] = sizes(x)
        for axis in range(self.count):
            more = None if extra is None else extra[axis]
            shape[axis + 1] = self._size(shape[axis + 1], self.kernel_size[axis], self.strides[axis], self.rates[axis], more)
        shape[-1] = filters
        return self.finished(self.convolve(x, kernel, shape, self.padding()), filters)

    def _size(self, size: Any, kernel: int, stride: int, rate: int, extra: int | None) -> Any:
        kernel += (kernel - 1) * (rate - 1)
        is_same = self.padding() == "SAME"
        if extra is None:
            return size * stride + (0 if is_same else max(kernel - stride, 0))
        return (size - 1) * stride + kernel - (2 * (kernel // 2) if is_same else 0) + extra

    def convolve(self, x: Tensor, kernel: Any, shape: Sequence[Any], padding: str) -> Tensor:
        """The convolution alone."""
        raise NotImplementedError


class Conv1DTranspose(_Transposed, names=("Convolution1DTranspose",)):
    """Convolution's transpose, of a sequence."""

    count = 1

    def convolve(self, x: Tensor, kernel: Any, shape: Sequence[Any], padding: str) -> Tensor:
        if self.rates != [1]:
            raise UnimplementedError(f"has dilation_rate={self.rates}, which is not read")
        return conv1d_transpose(x, kernel, shape, self.strides[0], padding)


class Conv2DTranspose(_Transposed, names=("Convolution2DTranspose", "Deconvolution2D")):
    """Convolution's transpose, of an image."""

    count = 2

    def convolve(self, x: Tensor, kernel: Any, shape: Sequence[Any], padding: str) -> Tensor:
        if self.rates == [1, 1]:
            return conv2d_transpose(x, kernel, shape, around(self.strides), padding)
        if self.rates[0] != self.rates[1] or self.strides != [1, 1]:
            raise UnimplementedError(f"has dilation_rate={self.rates} with strides={self.strides}, which is not read")
        return atrous_conv2d_transpose(x, as_tensor(kernel), shape, self.rates[0], padding)


class Conv3DTranspose(_Transposed, names=("Convolution3DTranspose", "Deconvolution3D")):
    """Convolution's transpose, of a volume."""

    count = 3

    def convolve(self, x: Tensor, kernel: Any, shape: Sequence[Any], padding: str) -> Tensor:
        if self.rates != [1, 1, 1]:
            raise UnimplementedError(f"has dilation_rate={self.rates}, which is not read")
        return conv3d_transpose(x, kernel, shape, around(self.strides), padding)


class _Depthwise(_Convolution, abstract=True):
    """Both kinds see a sequence as an image of one row."""

    depthwise = "depthwise_kernel"

    def depthwise_convolved(self, x: Tensor) -> Tensor:
        """Each channel convolved by itself."""
        depth = channels(x)
        kernel = self.weight(self.depthwise, (*self.kernel_size, depth, self.integer("depth_multiplier", 1)))
        padding = str(self.get("padding", "valid")).upper()
        strides, rates = self.strides, self.rates
        if padding == "CAUSAL":
            x, padding = pad(x, [[0, 0], [rates[0] * (self.kernel_size[0] - 1), 0], [0, 0]]), "VALID"
        if self.count == 1:
            found = depthwise_conv2d(expand_dims(x, 1), expand_dims(kernel, 0), around(strides * 2), padding, [1, rates[0]] if rates != [1] else None)
            return squeeze(found, [1])
        return depthwise_conv2d(x, kernel, around(strides), padding, rates if rates != [1, 1] else None)


class DepthwiseConv2D(_Depthwise):
    """Convolution of each channel of an image by itself."""

    count = 2

    def weights(self) -> list[str]:
        return [self.depthwise, "bias"] if self.has_bias else [self.depthwise]

    def compute(self, x: Tensor) -> Any:
        return self.finished(self.depthwise_convolved(x), None)


class DepthwiseConv1D(DepthwiseConv2D):
    """The same, of a sequence."""

    count = 1


class SeparableConv2D(_Depthwise, names=("SeparableConvolution2D",)):
    """Convolution of each channel of an image by itself, and then of all of them at each place."""

    count = 2

    def weights(self) -> list[str]:
        return [self.depthwise, "pointwise_kernel", *(["bias"] if self.has_bias else [])]

    def compute(self, x: Tensor) -> Any:
        filters = self.integer("filters")
        x = self.depthwise_convolved(x)
        pointwise = self.weight("pointwise_kernel", (*[1] * self.count, channels(x), filters))
        found = conv1d(x, pointwise, 1, "VALID") if self.count == 1 else conv2d(x, pointwise, [1, 1, 1, 1], "VALID")
        return self.finished(found, filters)


class SeparableConv1D(SeparableConv2D, names=("SeparableConvolution1D",)):
    """The same, of a sequence."""

    count = 1
