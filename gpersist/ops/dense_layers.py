"""Layers of `tf.layers` without windows: dense, dropout, flatten."""

from __future__ import annotations

import math
from typing import Any

from gpersist.graph import Tensor, apply, convert_to_tensor
from gpersist.ops.array import reshape, shape_of
from gpersist.ops.bias import bias_add
from gpersist.ops.constants import constant
from gpersist.ops.contraction import tensordot
from gpersist.ops.dropout import dropout as drop
from gpersist.ops.initializers import zeros_initializer
from gpersist.ops.layer import Layer, applied, check_rank, in_training, known_size
from gpersist.ops.matmul import matmul
from gpersist.ops.passing import identity
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
    """

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
        self.activation = activation
        self.use_bias = use_bias
        self._kernel = {"initializer": kernel_initializer, "regularizer": kernel_regularizer, "constraint": kernel_constraint}
        self._bias = {"initializer": bias_initializer or zeros_initializer(), "regularizer": bias_regularizer, "constraint": bias_constraint}

    def build(self, input_shape: TensorShape) -> None:
        """Makes `kernel` and `bias`."""
        check_rank(input_shape, 2, self, is_least=True)
        self.kernel = self.add_weight("kernel", [known_size(input_shape, -1, self), self.units], **self._kernel)
        self.bias = self.add_weight("bias", [self.units], **self._bias) if self.use_bias else None

    def call(self, inputs: Tensor) -> Tensor:
        """The product along the last axis."""
        rank = inputs.shape.rank
        if rank == 2:
            outputs = matmul(inputs, self.kernel)
        else:
            outputs = tensordot(inputs, self.kernel, [[(rank or 0) - 1], [0]])
            if rank is not None:
                outputs.set_shape([*inputs.shape.as_list()[:-1], self.units])
        if self.bias is not None:
            outputs = bias_add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)


class Dropout(Layer):
    """Elements set to 0 at random in training (`tf.layers.Dropout`); arguments as of `tf.nn.dropout`."""

    def __init__(self, rate: Any = 0.5, noise_shape: Any = None, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed

    def call(self, inputs: Tensor, training: Any = False) -> Tensor:
        """The inputs, in training with holes."""
        return in_training(training, lambda: self._dropped(inputs), lambda: identity(inputs))  # type: ignore[no-any-return]

    def _dropped(self, inputs: Tensor) -> Tensor:
        noise_shape = self.noise_shape
        if noise_shape is not None:
            known = shape_of(inputs)
            noise_shape = convert_to_tensor([known[axis] if size is None else size for axis, size in enumerate(noise_shape)])
        return drop(inputs, noise_shape=noise_shape, seed=self.seed, rate=self.rate)


class Flatten(Layer):
    """All axes but the first made one (`tf.layers.Flatten`)."""

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.is_channels_first = data_format == "channels_first"

    def call(self, inputs: Tensor) -> Tensor:
        """The same elements, [batch, rest]."""
        rank = inputs.shape.rank
        if self.is_channels_first and rank is not None and rank > 2:
            inputs = apply("Transpose", inputs, [0, *range(2, rank), 1], name="transpose")
        sizes = inputs.shape.sizes
        if sizes is not None and len(sizes) > 1 and None not in sizes[1:]:
            return reshape(inputs, constant([-1, math.prod(size or 0 for size in sizes[1:])]))
        result = reshape(inputs, [shape_of(inputs)[0], -1])
        if sizes is not None:
            result.set_shape([sizes[0], None if None in sizes[1:] else result.shape.as_list()[1]])
        return result


def dense(inputs: Any, units: int, activation: Any = None, *args: Any, reuse: Any = None, **kwargs: Any) -> Tensor:
    """A dense layer of some inputs (`tf.layers.dense`); arguments as of `Dense`, and `reuse`, whether the variables are there already."""
    return applied(Dense, inputs, (units, activation, *args), reuse, kwargs)


def dropout(inputs: Any, rate: Any = 0.5, noise_shape: Any = None, seed: int | None = None, training: Any = False, name: str | None = None) -> Tensor:
    """Elements set to 0 at random in training (`tf.layers.dropout`)."""
    return Dropout(rate, noise_shape, seed, name)(inputs, training=training)  # type: ignore[no-any-return]


def flatten(inputs: Any, name: str | None = None, data_format: str = "channels_last") -> Tensor:
    """All axes but the first made one (`tf.layers.flatten`)."""
    return Flatten(data_format, name=name)(inputs)  # type: ignore[no-any-return]
