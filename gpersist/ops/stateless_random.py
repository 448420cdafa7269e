"""Random numbers that follow from a seed given as a tensor alone: the same in each run (`tf.random.stateless_*`)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType, as_dtype
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, convert_to_tensor, name_scope, sample
from gpersist.ops import distributions
from gpersist.ops.math import add
from gpersist.ops.philox import Philox
from gpersist.ops.random import check_logits, checked_range, checked_shape, draw_classes, samples_of_rows, shape_from_input, shape_tensor
from gpersist.shapes import TensorShape

__all__ = [
    "stateless_categorical",
    "stateless_multinomial",
    "stateless_random_normal",
    "stateless_random_uniform",
    "stateless_truncated_normal",
]


def start_of(seed: Any) -> Philox:
    """The start of the sequence that a seed chooses.

    Raises:
        InvalidArgumentError: it is not two numbers.
    """
    if seed.shape != (2,):
        raise InvalidArgumentError(f"seed must have shape [2], not {list(seed.shape)}")
    if seed.dtype.kind != "i":
        raise InvalidArgumentError(f"Invalid seed type: {seed.dtype}")
    return Philox.of_stateless_seed(seed)


def check_seed(tensor: Tensor) -> None:
    """Raises ValueError where a seed is known to be something else than two numbers."""
    if tensor.shape.rank not in (None, 1):
        raise ValueError(f"Shape must be rank 1 but is rank {tensor.shape.rank}")
    if tensor.shape.sizes not in (None, (2,), (None,)):
        raise ValueError(f"Dimension must be 2 but is {tensor.shape.sizes[0]}")


class _Stateless(OpType, abstract=True):
    """Numbers of a distribution, in a tensor of a shape that is its input."""

    inputs = "shape: T, seed: Tseed"
    outputs = "output: dtype"
    attrs = "dtype: {half, bfloat16, float, double} = float, T: {int32, int64} = int32, Tseed: {int32, int64} = int64"
    host_inputs = ("shape", "seed")
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("int32: [3, 5]", "int64: [1, 2]"),
        sample("int64: []", "int32: [-1, 7]", dtype="double"),
        sample("int32: [2, 0]", "int64: [0, 0]", dtype="half"),
    )
    distribution: ClassVar[Any] = None

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_seed(op._inputs[1])
        return shape_from_input(op)

    @classmethod
    def run(cls, xp: Any, shape: Any, seed: Any, *, dtype: DType) -> Array:
        sizes = checked_shape(shape)
        found: Array = cls.distribution(xp, start_of(seed), int(np.prod(sizes, dtype=np.int64)), dtype).reshape(sizes)
        return found

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None]


class StatelessRandomUniform(_Stateless):
    """Numbers of [0, 1)."""

    distribution = staticmethod(distributions.uniform)


class StatelessRandomNormal(_Stateless):
    """Numbers of the standard normal distribution."""

    distribution = staticmethod(distributions.normal)


class StatelessTruncatedNormal(_Stateless):
    """Numbers of the standard normal distribution that are less than two deviations from its mean."""

    distribution = staticmethod(distributions.truncated_normal)


class StatelessRandomUniformFullInt(_Stateless):
    """Integers, each that the type has as likely as any other."""

    attrs = "dtype: {int32, int64, uint32, uint64} = uint64, T: {int32, int64} = int32, Tseed: {int32, int64, uint32, uint64} = int64"
    samples = (sample("int32: [3, 5]", "int64: [1, 2]"), sample("int64: [3]", "int32: [-1, 7]", dtype="int32"))
    distribution = staticmethod(distributions.all_integers)


class StatelessRandomUniformInt(OpType):
    """Integers of [minval, maxval)."""

    inputs = "shape: T, seed: Tseed, minval: dtype, maxval: dtype"
    outputs = "output: dtype"
    attrs = "dtype: {int32, int64}, T: {int32, int64}, Tseed: {int32, int64} = int64"
    host_inputs = ("shape", "seed", "minval", "maxval")
    scalars = ("minval", "maxval")
    samples = (
        sample("int32: [3, 5]", "int64: [1, 2]", "int32: -3", "int32: 10"),
        sample("int64: [0]", "int32: [-1, 7]", "int64: 5", "int64: 5"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_seed(op._inputs[1])
        return shape_from_input(op)

    @staticmethod
    def run(xp: Any, shape: Any, seed: Any, minval: Any, maxval: Any, *, dtype: DType) -> Array:
        low, high = checked_range(minval, maxval)
        sizes = checked_shape(shape)
        count = int(np.prod(sizes, dtype=np.int64))
        if not count:
            return xp.empty(sizes, dtype.numpy)
        if low >= high:
            raise InvalidArgumentError(f"Need minval < maxval, got {low} >= {high}")
        return distributions.uniform_integers(xp, start_of(seed), count, dtype, low, high).reshape(sizes)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None, None, None]


class StatelessMultinomial(OpType):
    """Numbers of classes, as likely as the logits of a row say."""

    inputs = "logits: T, num_samples: int32, seed: Tseed"
    outputs = "output: output_dtype"
    attrs = "T: realnumbertype, Tseed: {int32, int64} = int64, output_dtype: {int32, int64} = int64"
    is_host_only = True
    samples = (sample("float[2,3]", "int32: 5", "int64: [1, 2]"), sample("double[2,3]", "int32: 0", "int32: [1, 2]", output_dtype="int32"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_seed(op._inputs[2])
        return samples_of_rows(op)

    @staticmethod
    def run(xp: Any, logits: Any, num_samples: Any, seed: Any, *, output_dtype: DType) -> Any:
        check_logits(logits, num_samples)
        rows, per_row = len(logits), int(num_samples)
        return draw_classes(logits, distributions.unit_doubles(start_of(seed), rows * per_row).reshape(rows, per_row), output_dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None, None]


def stateless_random_uniform(shape: Any, seed: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """Numbers of [minval, maxval) that follow from `seed`, two integers (`tf.random.stateless_uniform`).

    Integers with neither end given are of the type's whole range.

    Raises:
        ValueError: another type, or only one end given for integers.
    """
    dtype = as_dtype(dtype)
    if dtype.name not in ("float16", "bfloat16", "float32", "float64", "int32", "int64", "uint32", "uint64"):
        raise ValueError(f"Argument `dtype` got invalid value {dtype}. Accepted are floats and int32, int64, uint32, uint64.")
    if dtype.is_integer:
        if (minval is None) != (maxval is None):
            raise ValueError(f"For integer `dtype` argument {dtype}, argument `minval` and `maxval` must be both None or not None.")
        if minval is not None and dtype.is_unsigned:
            raise ValueError(
                f"Argument `dtype` got invalid value {dtype}: unsigned integers are of their whole range, give neither minval nor maxval."
            )
    elif maxval is None:
        maxval = 1
    with name_scope(name, "stateless_random_uniform", [value for value in (shape, seed, minval, maxval) if isinstance(value, Tensor)]) as scope:
        sizes = shape_tensor(shape)
        if dtype.is_integer and minval is None:
            return apply("StatelessRandomUniformFullInt", sizes, seed, dtype=dtype, name=scope)
        minval = convert_to_tensor(minval, dtype, "min")
        maxval = convert_to_tensor(maxval, dtype, "max")
        if dtype.is_integer:
            return apply("StatelessRandomUniformInt", sizes, seed, minval, maxval, name=scope)
        numbers = apply("StatelessRandomUniform", sizes, seed, dtype=dtype)
        return add(numbers * (maxval - minval), minval, name=scope)


def stateless_random_normal(shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """Numbers of a normal distribution that follow from `seed`, two integers (`tf.random.stateless_normal`)."""
    return _scaled("StatelessRandomNormal", "stateless_random_normal", shape, seed, mean, stddev, dtype, name)


def stateless_truncated_normal(shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """Numbers of a normal distribution, less than two deviations from its mean, that follow from `seed` (`tf.random.stateless_truncated_normal`)."""
    return _scaled("StatelessTruncatedNormal", "stateless_truncated_normal", shape, seed, mean, stddev, dtype, name)


def stateless_multinomial(logits: Any, num_samples: Any, seed: Any, output_dtype: Any = "int64", name: str | None = None) -> Tensor:
    """Numbers of classes drawn by unnormalised log-probabilities, which follow from `seed` (`tf.random.stateless_multinomial`)."""
    with name_scope(name, "stateless_multinomial", [value for value in (logits, seed) if isinstance(value, Tensor)]):
        return _draw(logits, num_samples, seed, output_dtype)


def stateless_categorical(logits: Any, num_samples: Any, seed: Any, dtype: Any = "int64", name: str | None = None) -> Tensor:
    """The same as `stateless_multinomial`, under its newer name (`tf.random.stateless_categorical`)."""
    with name_scope(name, "stateless_categorical", [value for value in (logits, seed) if isinstance(value, Tensor)]):
        return _draw(logits, num_samples, seed, dtype)


def _draw(logits: Any, num_samples: Any, seed: Any, dtype: Any) -> Tensor:
    logits = convert_to_tensor(logits, name="logits")
    return apply("StatelessMultinomial", logits, num_samples, seed, output_dtype=dtype or "int64")


def _scaled(op_type: str, default_name: str, shape: Any, seed: Any, mean: Any, stddev: Any, dtype: Any, name: str | None) -> Tensor:
    dtype = as_dtype(dtype)
    with name_scope(name, default_name, [value for value in (shape, seed, mean, stddev) if isinstance(value, Tensor)]) as scope:
        sizes = shape_tensor(shape)
        mean = convert_to_tensor(mean, dtype, "mean")
        stddev = convert_to_tensor(stddev, dtype, "stddev")
        numbers = apply(op_type, sizes, seed, dtype=dtype)
        return add(numbers * stddev, mean, name=scope)
