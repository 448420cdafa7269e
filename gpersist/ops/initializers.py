"""Initializers: objects that give a variable its first value, called with its shape (`tf.zeros_initializer`, `tf.initializers.*`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from gpersist.dtypes import DType, as_dtype
from gpersist.graph import Tensor, apply, apply_op
from gpersist.ops.arranging import matrix_transpose
from gpersist.ops.constants import constant
from gpersist.ops.diagonal import diag_part, eye
from gpersist.ops.filling import ones, zeros
from gpersist.ops.random import random_normal, random_uniform, truncated_normal
from gpersist.ops.shaping import reshape
from gpersist.ops.unary import sign
from gpersist.shapes import TensorShape

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "Identity",
    "Initializer",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "UniformUnitScaling",
    "VarianceScaling",
    "Zeros",
    "constant_initializer",
    "glorot_normal_initializer",
    "glorot_uniform_initializer",
    "he_normal",
    "he_uniform",
    "identity_initializer",
    "lecun_normal",
    "lecun_uniform",
    "ones_initializer",
    "orthogonal_initializer",
    "random_normal_initializer",
    "random_uniform_initializer",
    "truncated_normal_initializer",
    "uniform_unit_scaling_initializer",
    "variance_scaling_initializer",
    "zeros_initializer",
]

_DEVIATION_OF_TRUNCATED = 0.87962566103423978
"""The standard deviation of a standard normal distribution that is cut off at two."""


class Initializer:
    """What makes a variable's first value (`tf.keras.initializers.Initializer`).

    `initializer(shape, dtype=None, partition_info=None)` adds that value to the default graph; `partition_info` tells of a part of a partitioned
    variable what the whole one's `full_shape` is and where in it the part is, `var_offset`.
    """

    _config: ClassVar[tuple[str, ...]] = ()
    dtype: DType

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        """The value, of `dtype` or else of the type that the initializer was made with."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another one like it."""
        return {name: self.dtype.name if name == "dtype" else getattr(self, name) for name in self._config}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """The initializer that these arguments make."""
        return cls(**config)


class Zeros(Initializer):
    """Zeros, False or empty texts (`tf.zeros_initializer`)."""

    _config = ("dtype",)

    def __init__(self, dtype: Any = "float32") -> None:
        self.dtype = as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return zeros(shape, self.dtype if dtype is None else dtype)


class Ones(Initializer):
    """Ones, or True (`tf.ones_initializer`)."""

    _config = ("dtype",)

    def __init__(self, dtype: Any = "float32") -> None:
        self.dtype = as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return ones(shape, self.dtype if dtype is None else dtype)


class Constant(Initializer):
    """A given value (`tf.constant_initializer`): a scalar for all elements, or one for each; the last of too few is repeated.

    Raises:
        TypeError: the value is no number, list or array; with `verify_shape`, when called, it is of another shape than wanted.
    """

    _config = ("value", "dtype")

    def __init__(self, value: Any = 0, dtype: Any = "float32", verify_shape: bool = False) -> None:
        if not (np.isscalar(value) or isinstance(value, (list, tuple, np.ndarray))):
            raise TypeError(
                f"Invalid type for initial value={value} of type: {type(value).__name__}. Expected Python scalar, list or tuple of values, or "
                "numpy.ndarray."
            )
        self.value = value
        self.dtype = as_dtype(dtype)
        self._verify_shape = verify_shape

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None, verify_shape: bool | None = None) -> Tensor:
        verify = self._verify_shape if verify_shape is None else verify_shape
        return constant(self.value, self.dtype if dtype is None else dtype, shape, verify_shape=verify)


class RandomUniform(Initializer):
    """Numbers of [minval, maxval) (`tf.random_uniform_initializer`)."""

    _config = ("minval", "maxval", "seed", "dtype")

    def __init__(self, minval: Any = 0.0, maxval: Any = None, seed: int | None = None, dtype: Any = "float32") -> None:
        self.minval, self.maxval, self.seed = minval, maxval, seed
        self.dtype = as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return random_uniform(shape, self.minval, self.maxval, self.dtype if dtype is None else dtype, self.seed)


class RandomNormal(Initializer):
    """Numbers of a normal distribution (`tf.random_normal_initializer`)."""

    _config = ("mean", "stddev", "seed", "dtype")

    def __init__(self, mean: Any = 0.0, stddev: Any = 1.0, seed: int | None = None, dtype: Any = "float32") -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed
        self.dtype = _floating(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return random_normal(shape, self.mean, self.stddev, self.dtype if dtype is None else dtype, self.seed)


class TruncatedNormal(Initializer):
    """Numbers of a normal distribution, less than two deviations from its mean (`tf.truncated_normal_initializer`)."""

    _config = ("mean", "stddev", "seed", "dtype")

    def __init__(self, mean: Any = 0.0, stddev: Any = 1.0, seed: int | None = None, dtype: Any = "float32") -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed
        self.dtype = _floating(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return truncated_normal(shape, self.mean, self.stddev, self.dtype if dtype is None else dtype, self.seed)


class UniformUnitScaling(Initializer):
    """Uniform numbers that keep the scale of a layer's input (`tf.uniform_unit_scaling_initializer`)."""

    _config = ("factor", "seed", "dtype")

    def __init__(self, factor: float = 1.0, seed: int | None = None, dtype: Any = "float32") -> None:
        self.factor, self.seed = factor, seed
        self.dtype = _floating(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        sizes = _whole(shape, partition_info)
        limit = math.sqrt(3 / max(float(math.prod(sizes[:-1])), 1.0)) * self.factor
        return random_uniform(shape, -limit, limit, self.dtype if dtype is None else dtype, self.seed)


class VarianceScaling(Initializer):
    """Numbers whose variance is `scale` over the number of inputs, of outputs, or the mean of both (`tf.variance_scaling_initializer`).

    Args:
        scale: above zero.
        mode: "fan_in", "fan_out" or "fan_avg".
        distribution: "truncated_normal" (or "normal"), "untruncated_normal" or "uniform".
        seed: of the operation.
        dtype: a type of floats.

    Raises:
        ValueError: an argument is none of these.
    """

    _config: ClassVar[tuple[str, ...]] = ("scale", "mode", "distribution", "seed", "dtype")

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        dtype: Any = "float32",
    ) -> None:
        if scale <= 0.0:
            raise ValueError(f"Argument `scale` must be a positive float. Received: {scale}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"Argument `mode` should be one of ('fan_in', 'fan_out', 'fan_avg'). Received: {mode}")
        distribution = distribution.lower()
        if distribution not in ("normal", "uniform", "truncated_normal", "untruncated_normal"):
            raise ValueError(
                f"Argument `distribution` should be one of ('normal', 'uniform', 'truncated_normal', 'untruncated_normal'). Received: {distribution}"
            )
        self.scale, self.mode, self.distribution, self.seed = scale, mode, distribution, seed
        self.dtype = _floating(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        inputs, outputs = _fans(_whole(shape, partition_info))
        fan = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2.0}[self.mode]
        scale, wanted = self.scale / max(1.0, fan), self.dtype if dtype is None else dtype
        if self.distribution in ("normal", "truncated_normal"):
            return truncated_normal(shape, 0.0, math.sqrt(scale) / _DEVIATION_OF_TRUNCATED, wanted, self.seed)
        if self.distribution == "untruncated_normal":
            return random_normal(shape, 0.0, math.sqrt(scale), wanted, self.seed)
        limit = math.sqrt(3.0 * scale)
        return random_uniform(shape, -limit, limit, wanted, self.seed)


class GlorotUniform(VarianceScaling):
    """Uniform numbers scaled by inputs and outputs (`tf.glorot_uniform_initializer`); what `tf.get_variable` takes unless told otherwise."""

    _config = ("seed", "dtype")

    def __init__(self, seed: int | None = None, dtype: Any = "float32") -> None:
        del dtype  # TensorFlow takes it and does not heed it
        super().__init__(1.0, "fan_avg", "uniform", seed)


class GlorotNormal(VarianceScaling):
    """Truncated normal numbers scaled by inputs and outputs (`tf.glorot_normal_initializer`)."""

    _config = ("seed", "dtype")

    def __init__(self, seed: int | None = None, dtype: Any = "float32") -> None:
        del dtype  # TensorFlow takes it and does not heed it
        super().__init__(1.0, "fan_avg", "truncated_normal", seed)


class Orthogonal(Initializer):
    """A random matrix with orthogonal columns, or rows, times `gain` (`tf.orthogonal_initializer`).

    Of more than two dimensions all but the last are taken for one.
    """

    _config = ("gain", "seed", "dtype")

    def __init__(self, gain: float = 1.0, seed: int | None = None, dtype: Any = "float32") -> None:
        self.gain, self.seed = gain, seed
        self.dtype = _floating(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        if len(shape) < 2:
            raise ValueError(f"The tensor to initialize, specified by argument `shape` must be at least two-dimensional. Received shape={shape}")
        sizes = [int(size) for size in shape]
        rows, columns = math.prod(sizes[:-1]), sizes[-1]
        numbers = random_normal((max(rows, columns), min(rows, columns)), dtype=self.dtype if dtype is None else dtype, seed=self.seed)
        q, r = apply_op("Qr", numbers, full_matrices=False).outputs
        q = q * sign(diag_part(r))
        if rows < columns:
            q = matrix_transpose(q)
        return self.gain * reshape(q, sizes if isinstance(shape, (list, tuple)) else shape)


class Identity(Initializer):
    """The identity matrix times `gain` (`tf.initializers.identity`)."""

    _config = ("gain", "dtype")

    def __init__(self, gain: float = 1.0, dtype: Any = "float32") -> None:
        self.gain = gain
        self.dtype = _floating(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        sizes = _whole(shape, partition_info)
        if len(sizes) != 2:
            raise ValueError(f"The tensor to initialize, specified by argument `shape` must be at least two-dimensional. Received shape={shape}")
        matrix = eye(sizes[0], sizes[1], dtype=self.dtype if dtype is None else dtype)
        if partition_info is not None:
            matrix = apply("Slice", matrix, partition_info.var_offset, shape)
        result: Tensor = self.gain * matrix
        return result


zeros_initializer = Zeros
ones_initializer = Ones
constant_initializer = Constant
random_uniform_initializer = RandomUniform
random_normal_initializer = RandomNormal
truncated_normal_initializer = TruncatedNormal
uniform_unit_scaling_initializer = UniformUnitScaling
variance_scaling_initializer = VarianceScaling
glorot_uniform_initializer = GlorotUniform
glorot_normal_initializer = GlorotNormal
orthogonal_initializer = Orthogonal
identity_initializer = Identity


def lecun_normal(seed: int | None = None) -> VarianceScaling:
    """Truncated normal numbers scaled by inputs (`tf.initializers.lecun_normal`)."""
    return VarianceScaling(1.0, "fan_in", "truncated_normal", seed)


def lecun_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform numbers scaled by inputs (`tf.initializers.lecun_uniform`)."""
    return VarianceScaling(1.0, "fan_in", "uniform", seed)


def he_normal(seed: int | None = None) -> VarianceScaling:
    """Truncated normal numbers scaled by inputs, for layers with relu (`tf.initializers.he_normal`)."""
    return VarianceScaling(2.0, "fan_in", "truncated_normal", seed)


def he_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform numbers scaled by inputs, for layers with relu (`tf.initializers.he_uniform`)."""
    return VarianceScaling(2.0, "fan_in", "uniform", seed)


def _floating(dtype: Any) -> DType:
    found = as_dtype(dtype)
    if not found.is_floating:
        raise ValueError(f"Argument `dtype` is expected to be floating point. Received: {found}.")
    return found


def _whole(shape: Any, partition_info: Any) -> list[int]:
    """The sizes of the variable, or of the whole that it is a part of."""
    whole: Any = shape if partition_info is None else partition_info.full_shape
    sizes: list[Any] = whole.as_list() if isinstance(whole, TensorShape) else list(whole)
    return [int(size) for size in sizes]


def _fans(sizes: Sequence[int]) -> tuple[int, int]:
    """The inputs and outputs of a unit, for weights of this shape."""
    if len(sizes) < 2:
        return (sizes[0], sizes[0]) if sizes else (1, 1)
    field = math.prod(sizes[:-2])
    return sizes[-2] * field, sizes[-1] * field
