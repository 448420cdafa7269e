"""Layers of `tf.layers` without windows: dense, dropout, flatten."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from gpersist.dtypes import as_dtype
from gpersist.graph import Tensor, apply, convert_to_tensor
from gpersist.ops.array import reshape, shape_of
from gpersist.ops.bias import bias_add
from gpersist.ops.casting import cast
from gpersist.ops.constants import constant
from gpersist.ops.contraction import tensordot
from gpersist.ops.dropout import dropout as drop
from gpersist.ops.initializers import zeros_initializer
from gpersist.ops.input_spec import InputSpec
from gpersist.ops.layer import Layer, layer_function
from gpersist.ops.layer_arguments import activation_of, in_training, initializer_of
from gpersist.ops.matmul import matmul
from gpersist.ops.passing import identity
from gpersist.ops.shaping import expand_dims
from gpersist.shapes import TensorShape

__all__ = ["Dense", "Dropout", "Flatten", "dense", "dropout", "flatten"]


class Dense(Layer):
    """inputs times `kernel`, plus `bias` (`tf.layers.Dense`).

    Args:
        units: how many outputs there are.
        activation: a function of them.
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

    Raises:
        ValueError: `units` is not positive.
    """

    config_names: ClassVar[tuple[str, ...]] = (
        "units",
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
    supports_masking = True

    def __init__(
        self,
        units: int,
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
        self.units = int(units)
        if self.units <= 0:
            raise ValueError(f"Received an invalid value for `units`, expected a positive integer. Received: units={units}")
        self.activation = activation_of(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializer_of(kernel_initializer)
        self.bias_initializer = initializer_of(bias_initializer) or zeros_initializer()
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_constraint = bias_constraint
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` and `bias`."""
        dtype = as_dtype(self.dtype or "float32")
        if not (dtype.is_floating or dtype.is_complex):
            raise TypeError(f"A Dense layer can only be built with a floating-point dtype. Received: dtype={dtype}")
        shape = TensorShape(input_shape)
        size = None if shape.rank is None else shape.as_list()[-1]
        if size is None:
            raise ValueError(f"The last dimension of the inputs to a Dense layer should be defined. Found None. Full input shape received: {shape}")
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})
        self.kernel = self.add_weight_of("kernel", [size, self.units])
        self.bias = self.add_weight_of("bias", [self.units]) if self.use_bias else None
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        """The product along the last axis."""
        if inputs.dtype.base_dtype.name != self.dtype:
            inputs = cast(inputs, self.dtype)
        rank = inputs.shape.rank
        if rank == 2:
            outputs = matmul(inputs, self.kernel)
        else:
            outputs = tensordot(inputs, self.kernel, [[(rank or 0) - 1], [0]])
            if rank is not None:
                outputs.set_shape([*inputs.shape.as_list()[:-1], self.units])
        if self.bias is not None:
            outputs = bias_add(outputs, self.bias)
        return self.activation(outputs)  # type: ignore[no-any-return]

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape of the output for an input of this shape."""
        shape = TensorShape(input_shape).with_rank_at_least(2)
        if shape.as_list()[-1] is None:
            raise ValueError(f"The last dimension of the input shape of a Dense layer should be defined. Found None. Received: input_shape={shape}")
        return TensorShape([*shape.as_list()[:-1], self.units])


class Dropout(Layer):
    """Elements set to 0 at random in training (`tf.layers.Dropout`); arguments as of `tf.nn.dropout`."""

    config_names: ClassVar[tuple[str, ...]] = ("rate", "noise_shape", "seed")
    supports_masking = True

    def __init__(self, rate: Any = 0.5, noise_shape: Any = None, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        if isinstance(rate, (int, float)) and not 0 <= rate <= 1:
            raise ValueError(f"Invalid value {rate} received for `rate`, expected a value between 0 and 1.")
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed

    def call(self, inputs: Tensor, training: Any = False) -> Tensor:
        """The inputs, in training with holes."""
        return in_training(training, lambda: self._dropped(inputs), lambda: identity(inputs))  # type: ignore[no-any-return]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of this shape."""
        return input_shape

    def _dropped(self, inputs: Tensor) -> Tensor:
        noise_shape = self.noise_shape
        if noise_shape is not None:
            known = shape_of(inputs)
            noise_shape = convert_to_tensor([known[axis] if size is None else size for axis, size in enumerate(noise_shape)])
        return drop(inputs, noise_shape=noise_shape, seed=self.seed, rate=self.rate)


class Flatten(Layer):
    """All axes but the first made one (`tf.layers.Flatten`)."""

    config_names: ClassVar[tuple[str, ...]] = ("data_format",)

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format or "channels_last"
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Tensor) -> Tensor:
        """The same elements, [batch, rest]."""
        rank = inputs.shape.rank
        if rank == 1:
            return expand_dims(inputs, 1)
        if self.data_format == "channels_first" and rank:
            inputs = apply("Transpose", inputs, [0, *range(2, rank), 1], name="transpose")
        sizes = inputs.shape.sizes
        if sizes is not None and len(sizes) > 1 and None not in sizes[1:]:
            return reshape(inputs, constant([-1, math.prod(size or 0 for size in sizes[1:])]))
        if sizes is not None and sizes[0] is not None:
            result = reshape(inputs, constant([sizes[0], -1]))
        else:
            result = reshape(inputs, [shape_of(inputs)[0], -1])
        if sizes is not None:
            result.set_shape([sizes[0], None if None in sizes[1:] else result.shape.as_list()[1]])
        return result

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape of the output for an input of this shape."""
        sizes = TensorShape(input_shape).as_list()
        return TensorShape([*sizes[:1], None if None in sizes[1:] else math.prod(size or 0 for size in sizes[1:])])


dense = layer_function(Dense, "dense")


def dropout(inputs: Any, rate: Any = 0.5, noise_shape: Any = None, seed: int | None = None, training: Any = False, name: str | None = None) -> Tensor:
    """Elements set to 0 at random in training (`tf.layers.dropout`)."""
    return Dropout(rate, noise_shape, seed, name)(inputs, training=training)  # type: ignore[no-any-return]


def flatten(inputs: Any, name: str | None = None, data_format: str = "channels_last") -> Tensor:
    """All axes but the first made one (`tf.layers.flatten`)."""
    return Flatten(data_format, name=name)(inputs)  # type: ignore[no-any-return]
