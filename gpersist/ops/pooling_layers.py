"""Pooling of `tf.layers`."""

from __future__ import annotations

from typing import Any, ClassVar

from gpersist.graph import Tensor, apply
from gpersist.ops.input_spec import InputSpec
from gpersist.ops.layer import Layer
from gpersist.ops.layer_windows import checked_format, checked_padding, data_format_of, spatial_tuple, window_count
from gpersist.shapes import TensorShape

__all__ = [
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "average_pooling1d",
    "average_pooling2d",
    "average_pooling3d",
    "max_pooling1d",
    "max_pooling2d",
    "max_pooling3d",
]


class _Pooling(Layer):
    """One number for each window: `pool_size` and `strides` are one number, or one for each spatial axis."""

    op_name: ClassVar[str]
    spatial_rank: ClassVar[int]
    config_names: ClassVar[tuple[str, ...]] = ("pool_size", "padding", "strides", "data_format")

    def __init__(
        self, pool_size: Any, strides: Any, padding: str = "valid", data_format: str = "channels_last", name: str | None = None, **kwargs: Any
    ) -> None:
        if strides is None:
            raise ValueError("Argument `strides` must not be None.")
        super().__init__(name=name, **kwargs)
        self.pool_size = spatial_tuple(pool_size, self.spatial_rank, "pool_size")
        self.strides = spatial_tuple(strides, self.spatial_rank, "strides")
        self.padding = checked_padding(padding)
        self.data_format = data_format
        self.is_channels_first = checked_format(data_format)
        self.input_spec = InputSpec(ndim=self.spatial_rank + 2)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape of the output for an input of this shape."""
        sizes = TensorShape(input_shape).as_list()
        for axis, (size, stride) in enumerate(zip(self.pool_size, self.strides, strict=True), 2 if self.is_channels_first else 1):
            sizes[axis] = window_count(sizes[axis], size, self.padding, stride)
        return TensorShape(sizes)

    def call(self, inputs: Tensor) -> Tensor:
        """The pooled input."""
        sizes, steps = list(self.pool_size), list(self.strides)
        value = inputs
        if self.spatial_rank == 1:  # an image of one column
            column = 3 if self.is_channels_first else 2
            value = apply("ExpandDims", inputs, column)
            sizes, steps = [*sizes, 1], [*steps, 1]
        ksize, strides = ([1, 1, *sizes], [1, 1, *steps]) if self.is_channels_first else ([1, *sizes, 1], [1, *steps, 1])
        data_format = data_format_of(max(self.spatial_rank, 2), self.is_channels_first)
        output = apply(self.op_name, value, ksize=ksize, strides=strides, padding=self.padding.upper(), data_format=data_format)
        return apply("Squeeze", output, squeeze_dims=[column]) if self.spatial_rank == 1 else output


class MaxPooling1D(_Pooling):
    """The largest element of each window of sequences (`tf.layers.MaxPooling1D`)."""

    op_name = "MaxPool"
    spatial_rank = 1
    config_names: ClassVar[tuple[str, ...]] = ("strides", "pool_size", "padding", "data_format")


class MaxPooling2D(_Pooling):
    """The largest element of each window of images (`tf.layers.MaxPooling2D`)."""

    op_name = "MaxPool"
    spatial_rank = 2


class MaxPooling3D(_Pooling):
    """The largest element of each window of volumes (`tf.layers.MaxPooling3D`)."""

    op_name = "MaxPool3D"
    spatial_rank = 3


class AveragePooling1D(_Pooling):
    """The mean of each window of sequences (`tf.layers.AveragePooling1D`)."""

    op_name = "AvgPool"
    spatial_rank = 1
    config_names: ClassVar[tuple[str, ...]] = ("strides", "pool_size", "padding", "data_format")


class AveragePooling2D(_Pooling):
    """The mean of each window of images (`tf.layers.AveragePooling2D`)."""

    op_name = "AvgPool"
    spatial_rank = 2


class AveragePooling3D(_Pooling):
    """The mean of each window of volumes (`tf.layers.AveragePooling3D`)."""

    op_name = "AvgPool3D"
    spatial_rank = 3


def _function(layer: type[_Pooling], name: str) -> Any:
    def pool(
        inputs: Any, pool_size: Any, strides: Any, padding: str = "valid", data_format: str = "channels_last", name: str | None = None
    ) -> Tensor:
        return layer(pool_size, strides, padding, data_format, name)(inputs)  # type: ignore[no-any-return]

    pool.__name__ = pool.__qualname__ = name
    pool.__doc__ = f"`{layer.__name__}` of some inputs (`tf.layers.{name}`)."
    return pool


max_pooling1d = _function(MaxPooling1D, "max_pooling1d")
max_pooling2d = _function(MaxPooling2D, "max_pooling2d")
max_pooling3d = _function(MaxPooling3D, "max_pooling3d")
average_pooling1d = _function(AveragePooling1D, "average_pooling1d")
average_pooling2d = _function(AveragePooling2D, "average_pooling2d")
average_pooling3d = _function(AveragePooling3D, "average_pooling3d")
