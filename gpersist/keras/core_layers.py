"""Keras's layers that change values: products with matrices, activations, and those that do nothing in prediction."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.errors import DataLossError, UnimplementedError
from gpersist.graph import Tensor
from gpersist.keras.activations import activated, activation, relu_of, softmax_of
from gpersist.keras.layer import Flow, Layer, as_tensor, channels
from gpersist.ops.activations import elu, leaky_relu, relu
from gpersist.ops.array import identity
from gpersist.ops.bias import bias_add
from gpersist.ops.casting import cast
from gpersist.ops.comparison import logical_not, not_equal
from gpersist.ops.constants import constant
from gpersist.ops.contraction import einsum, tensordot
from gpersist.ops.embedding import embedding_lookup
from gpersist.ops.matmul import matmul
from gpersist.ops.reductions import reduce_any
from gpersist.ops.shaping import expand_dims


class Dense(Layer):
    """`activation(x @ kernel + bias)`, along the last dimension."""

    has_mask = True

    def prepare(self) -> None:
        self.units = self.integer("units")
        self.activation = activation(self.get("activation"), self.building)
        self.has_bias = self.get("use_bias", True)
        self.refuse("lora_rank", "quantization_config")

    def weights(self) -> list[str]:
        return ["kernel", "bias"] if self.has_bias else ["kernel"]

    def call(self, x: Tensor) -> Any:
        kernel = self.weight("kernel", (channels(x), self.units))
        rank = x.shape.rank or 0
        x = matmul(x, kernel) if rank == 2 else tensordot(x, kernel, [[rank - 1], [0]])
        if self.has_bias:
            x = bias_add(x, self.weight("bias", (self.units,)))
        return activated(x, self.activation)


class EinsumDense(Layer):
    """`activation(einsum(equation, x, kernel) + bias)`."""

    has_mask = True

    def prepare(self) -> None:
        self.equation = self.get("equation", "", str)
        self.activation = activation(self.get("activation"), self.building)
        self.has_bias = self.config.get("bias_axes") is not None
        self.refuse("lora_rank", "quantization_config", "gptq_unpacked_column_size")

    def weights(self) -> list[str]:
        return ["kernel", "bias"] if self.has_bias else ["kernel"]

    def call(self, x: Tensor) -> Any:
        found = einsum(self.equation, x, self.weight("kernel", self.stored["kernel"].value.shape))
        if self.has_bias:
            found = found + as_tensor(self.weight("bias", self.stored["bias"].value.shape))
        return activated(found, self.activation)


class Embedding(Layer):
    """Rows of a matrix by their numbers."""

    def prepare(self) -> None:
        self.rows, self.units = self.integer("input_dim"), self.integer("output_dim")
        self.is_masking = self.get("mask_zero", False)
        self.refuse("lora_rank", "quantization_config", "sparse")

    def weights(self) -> list[str]:
        return ["embeddings"]

    def flow(self, inputs: Any) -> list[Flow]:
        ids = inputs[0].tensor
        mask = not_equal(ids, constant(0, ids.dtype)) if self.is_masking else None
        if ids.dtype.name not in ("int32", "int64"):
            ids = cast(ids, "int32")
        found = embedding_lookup(self.variable("embeddings", (self.rows, self.units)), ids)
        return [Flow(found if found.dtype == self.dtype else cast(found, self.dtype), mask)]


class Masking(Layer):
    """Zeros where all of a step is one value, and a mask of these steps."""

    def flow(self, inputs: Any) -> list[Flow]:
        x = inputs[0].tensor
        differs = not_equal(x, constant(self.number("mask_value", 0.0), x.dtype))
        mask = reduce_any(differs, axis=-1)
        return [Flow(x * cast(expand_dims(mask, -1), x.dtype), mask)]


class Activation(Layer):
    """An activation by its name."""

    has_mask = True

    def prepare(self) -> None:
        self.activation = activation(self.get("activation"), self.building)

    def call(self, x: Tensor) -> Tensor:
        return identity(x) if self.activation is None else self.activation(x)


class ReLU(Layer):
    """What is above a threshold."""

    has_mask = True

    def call(self, x: Tensor) -> Tensor:
        limit = None if self.config.get("max_value") is None else self.number("max_value", 0.0)
        return relu_of(x, limit, self.number("negative_slope", 0.0), self.number("threshold", 0.0))


class LeakyReLU(Layer):
    """A small slope where it is negative."""

    has_mask = True

    def call(self, x: Tensor) -> Tensor:
        return leaky_relu(x, alpha=self.number("alpha", self.number("negative_slope", 0.3)))


class ELU(Layer):
    """Towards `-alpha` where it is negative."""

    has_mask = True

    def call(self, x: Tensor) -> Tensor:
        alpha = self.number("alpha", 1.0)
        found = elu(x)
        return found if alpha == 1 else relu(x) + alpha * (found - relu(x))


class PReLU(Layer):
    """A slope of its own, for each element or for all along the shared axes, where it is negative."""

    has_mask = True

    def weights(self) -> list[str]:
        return ["alpha"]

    def call(self, x: Tensor) -> Tensor:
        shared = self.get("shared_axes", [], list)
        shape = [1 if axis in shared else size for axis, size in enumerate(x.shape.as_list())][1:]
        alpha = as_tensor(self.weight("alpha", shape))
        return relu(x) - alpha * relu(-x)


class ThresholdedReLU(Layer):
    """Nothing at or below a threshold."""

    has_mask = True

    def call(self, x: Tensor) -> Tensor:
        return x * cast(x > self.number("theta", 1.0), x.dtype)


class Softmax(Layer):
    """Softmax along an axis."""

    has_mask = True

    def call(self, x: Tensor) -> Tensor:
        return softmax_of(x, self.get("axis", -1))

    def flow(self, inputs: Any) -> list[Flow]:
        if len(inputs) == 1 and inputs[0].mask is not None:
            x, mask = inputs[0]
            found = self.call(x + cast(logical_not(mask), x.dtype) * (-6.55e4 if x.dtype.name == "float16" else -1e9))
            return [Flow(found if self.building.major < 3 else found * cast(mask, found.dtype), mask)]
        return super().flow(inputs)


class Dropout(
    Layer,
    names=(
        "ActivityRegularization", "AlphaDropout", "GaussianDropout", "GaussianNoise", "Identity", "SpatialDropout1D", "SpatialDropout2D",
        "SpatialDropout3D",
    ),
):  # fmt: skip
    """What does nothing in prediction."""

    has_mask = True

    def call(self, x: Tensor) -> Tensor:
        return identity(x)


class Rescaling(Layer):
    """`x * scale + offset`."""

    def call(self, x: Tensor) -> Any:
        return cast(x, self.dtype) * self._factor("scale", 1.0) + self._factor("offset", 0.0)

    def _factor(self, key: str, default: float) -> Any:
        value = self.get(key, default)
        if isinstance(value, list):
            return constant(np.asarray(value, np.float64), self.dtype)
        return self.number(key, default)


class Normalization(Layer):
    """Mean 0 and variance 1 along the other axes, by what its `adapt` found."""

    def prepare(self) -> None:
        self.is_given = self.config.get("mean") is not None
        axes = self.get("axis", [-1])
        self.axes = [] if self.config.get("axis", [-1]) is None else [axes] if isinstance(axes, int) else list(axes)

    def states(self) -> list[str]:
        return [] if self.is_given else ["mean", "variance", "count"]

    def call(self, x: Tensor) -> Any:
        x = cast(x, self.dtype)
        rank = x.shape.rank or 0
        kept = [axis % rank for axis in self.axes]
        shape = [size if axis in kept else 1 for axis, size in enumerate(x.shape.as_list())]
        if None in shape:
            raise DataLossError(f"needs to know the sizes of dimensions {kept} of its input of shape {x.shape}")
        mean, variance = (self._moment(name, shape, kept) for name in ("mean", "variance"))
        spread = np.maximum(np.sqrt(variance), 1e-7)
        return x * spread + mean if self.get("invert", False) else (x - mean) / spread

    def _moment(self, name: str, shape: Any, kept: Any) -> np.ndarray[Any, Any]:
        value = np.asarray(self.config[name], np.float64) if self.is_given else self.stored[name].value
        wanted = [shape[axis] for axis in kept]
        if not self.is_given and list(value.shape) != wanted:
            raise DataLossError(f"its {name} has shape {value.shape}; expected {tuple(wanted)}")
        made: np.ndarray[Any, Any] = np.broadcast_to(value, shape) if self.is_given and value.ndim in (0, len(shape)) else np.reshape(value, shape)
        return made.astype(self.dtype.as_numpy_dtype)


class Lambda(Layer):
    """A Python function: code in a file is never run."""

    def prepare(self) -> None:
        raise UnimplementedError("holds Python code, and code in a file is never run: build the model without it, from layers that say what they do")
