"""Random numbers: with the same seeds those of TensorFlow's CPU kernels, whatever the device.

Each operation has a generator in each session, which goes on from run to run.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType, as_dtype
from gpersist.errors import InvalidArgumentError
from gpersist.graph import (
    Context,
    Operation,
    SessionOpType,
    Tensor,
    apply,
    constant_shape,
    constant_value,
    convert_to_tensor,
    name_scope,
)
from gpersist.ops import distributions
from gpersist.ops.math import add, multiply
from gpersist.ops.philox import WORDS, Generator
from gpersist.ops.random_seed import get_seed, set_random_seed
from gpersist.shapes import Dimension, TensorShape

__all__ = [
    "categorical",
    "get_seed",
    "multinomial",
    "random_normal",
    "random_shuffle",
    "random_uniform",
    "set_random_seed",
    "truncated_normal",
]

_FLOATS = "{half, bfloat16, float, double}"


def shape_from_input(op: Operation, place: int = 0) -> list[TensorShape]:
    """The output has the shape that the value of the first input, or of another one, says."""
    shape = op._inputs[place]
    if shape.shape.rank not in (None, 1):
        raise ValueError(f"Shape must be rank 1 but is rank {shape.shape.rank}")
    known = constant_value(shape)
    if known is not None and known.size and known.min() < -1:
        raise ValueError(f"Dimension {known.min()} must be >= 0")
    return [constant_shape(shape)]


def checked_shape(shape: Any) -> tuple[int, ...]:
    """The sizes that an operation's input holds.

    Raises:
        InvalidArgumentError: it is no vector, or one is below zero.
    """
    if shape.ndim != 1:
        raise InvalidArgumentError(f"shape must be a vector of {{int32,int64}}, got shape {list(shape.shape)}")
    for size in shape:
        if size < 0:
            raise InvalidArgumentError(f"Dimension {int(size)} must be >= 0")
    return tuple(shape.tolist())


def checked_range(low: Any, high: Any) -> tuple[int, int]:
    """The two ends of a range of integers.

    Raises:
        InvalidArgumentError: one is no scalar.
    """
    for name, value in (("minval", low), ("maxval", high)):
        if np.ndim(value):
            raise InvalidArgumentError(f"{name} must be 0-D, got shape {list(np.shape(value))}")
    return int(low), int(high)


class _Random(SessionOpType, abstract=True):
    """Numbers of a distribution, in a tensor of a shape that is its input."""

    inputs = "shape: T"
    outputs = "output: dtype"
    attrs = f"seed: int = 0, seed2: int = 0, dtype: {_FLOATS}, T: {{int32, int64}}"
    is_stateful = True
    host_inputs = ("shape",)
    shapes = staticmethod(shape_from_input)
    distribution: ClassVar[Any] = None

    @classmethod
    def run(cls, ctx: Context, shape: Any, *, dtype: DType) -> Array:
        sizes = checked_shape(shape)
        count = int(np.prod(sizes, dtype=np.int64))
        start = _generator(ctx).reserve(count * distributions.RESERVED)
        found: Array = cls.distribution(ctx.xp, start, count, dtype).reshape(sizes)
        return found

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]


class RandomUniform(_Random):
    """Numbers of [0, 1)."""

    distribution = staticmethod(distributions.uniform)


class RandomStandardNormal(_Random):
    """Numbers of the standard normal distribution."""

    distribution = staticmethod(distributions.normal)


class TruncatedNormal(_Random):
    """Numbers of the standard normal distribution that are less than two deviations from its mean."""

    distribution = staticmethod(distributions.truncated_normal)


class RandomUniformInt(SessionOpType):
    """Integers of [minval, maxval)."""

    inputs = "shape: T, minval: Tout, maxval: Tout"
    outputs = "output: Tout"
    attrs = "seed: int = 0, seed2: int = 0, Tout: {int32, int64}, T: {int32, int64}"
    is_stateful = True
    host_inputs = ("shape", "minval", "maxval")

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        for tensor in op._inputs[1:]:
            if tensor.shape.rank not in (None, 0):
                raise ValueError(f"Shape must be rank 0 but is rank {tensor.shape.rank}")
        return shape_from_input(op)

    @staticmethod
    def run(ctx: Context, shape: Any, minval: Any, maxval: Any, *, Tout: DType) -> Array:  # noqa: N803  # TensorFlow's attribute
        low, high = checked_range(minval, maxval)
        sizes = checked_shape(shape)
        count = int(np.prod(sizes, dtype=np.int64))
        if count and low >= high:
            raise InvalidArgumentError(f"Need minval < maxval, got {low} >= {high}")
        start = _generator(ctx).reserve(count * distributions.RESERVED)
        if not count:
            return ctx.xp.empty(sizes, Tout.numpy)
        return distributions.uniform_integers(ctx.xp, start, count, Tout, low, high).reshape(sizes)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None, None]


class RandomShuffle(SessionOpType):
    """Its input, the parts along the first axis in another order."""

    inputs = "value: T"
    outputs = "output: T"
    attrs = "seed: int = 0, seed2: int = 0, T: type"
    is_stateful = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape]

    @staticmethod
    def run(ctx: Context, value: Any) -> Any:
        count = np.shape(value)[0] if np.ndim(value) else 0
        if count <= 1 or not value.size:
            return value
        words = _generator(ctx).reserve(-(-(count - 1) // WORDS)).blocks(np, -(-(count - 1) // WORDS)).reshape(-1)[: count - 1]
        steps = (words % np.arange(count, 1, -1, dtype=np.uint32)).tolist()
        order = list(range(count))
        for place, step in enumerate(steps):
            other = place + step
            order[place], order[other] = order[other], order[place]
        return value[order if isinstance(value, np.ndarray) else ctx.xp.asarray(order)]


class Multinomial(SessionOpType):
    """Numbers of classes, as likely as the logits of a row say."""

    inputs = "logits: T, num_samples: int32"
    outputs = "output: output_dtype"
    attrs = "seed: int = 0, seed2: int = 0, T: realnumbertype, output_dtype: {int32, int64} = int64"
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(lambda op: samples_of_rows(op))

    @staticmethod
    def run(ctx: Context, logits: Any, num_samples: Any, *, output_dtype: DType) -> Any:
        check_logits(logits, num_samples)
        rows, per_row = len(logits), int(num_samples)
        start = _generator(ctx).reserve(2 * rows * -(-per_row // 4) * 4 * distributions.RESERVED)  # a double takes two words
        return draw_classes(logits, distributions.unit_doubles(start, rows * per_row).reshape(rows, per_row), output_dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None]


def samples_of_rows(op: Operation) -> list[TensorShape]:
    """The shape of as many samples of each row of logits as the second input says."""
    logits, samples = op._inputs[0].shape, op._inputs[1]
    if logits.rank not in (None, 2):
        raise ValueError(f"Shape must be rank 2 but is rank {logits.rank}")
    if samples.shape.rank not in (None, 0):
        raise ValueError(f"Shape must be rank 0 but is rank {samples.shape.rank}")
    known = constant_value(samples)
    return [TensorShape([logits.sizes[0] if logits.sizes else None, None if known is None else int(known)])]


def check_logits(logits: Any, num_samples: Any) -> None:
    """Raises InvalidArgumentError for what no class can be drawn from."""
    if np.ndim(logits) != 2:
        raise InvalidArgumentError(f"logits should be a matrix, got shape {list(np.shape(logits))}")
    if np.ndim(num_samples):
        raise InvalidArgumentError(f"num_samples should be a scalar, got shape {list(np.shape(num_samples))}")
    if num_samples < 0:
        raise InvalidArgumentError(f"num_samples should be nonnegative, got {int(num_samples)}")
    if len(logits) and num_samples and not logits.shape[1]:
        raise InvalidArgumentError("num_classes should be positive, got 0")


def draw_classes(logits: Any, units: Any, dtype: DType) -> Any:
    """The classes that numbers of [0, 1) fall on: for logits of shape [rows, classes] and units of shape [rows, samples]."""
    finite = np.isfinite(logits)
    lowest = np.finfo(np.float64).min
    values = np.where(finite, logits, lowest).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        weights = np.where(finite, np.exp(values - values.max(1, keepdims=True, initial=lowest)), 0.0)
    sums = np.cumsum(weights, 1)
    found = np.empty(units.shape, dtype.numpy)
    for row, (edges, numbers) in enumerate(zip(sums, units, strict=True)):
        found[row] = np.searchsorted(edges, numbers * edges[-1], side="right")
    return found


def random_uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", seed: int | None = None, name: str | None = None
) -> Tensor:
    """Numbers of [minval, maxval), each as likely as any other (`tf.random_uniform`).

    Args:
        shape: of the result; may be a tensor.
        minval: the lower end.
        maxval: the upper end, not reached; 1 by default for floats.
        dtype: float16, bfloat16, float32, float64, int32 or int64.
        seed: the operation's; see `set_random_seed`.
        name: of the node.

    Raises:
        ValueError: another type, or no `maxval` for integers.
    """
    dtype = as_dtype(dtype)
    if dtype.name not in ("float16", "bfloat16", "float32", "float64", "int32", "int64"):
        raise ValueError(
            f"Argument `dtype` got invalid value {dtype}. Accepted dtypes are (tf.float16, tf.bfloat16, tf.float32, tf.float64, tf.int32, tf.int64)."
        )
    if maxval is None:
        if dtype.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {dtype!r}")
        maxval = 1
    with name_scope(name, "random_uniform", _tensors(shape, minval, maxval)) as scope:
        sizes = shape_tensor(shape)
        from_zero, to_one = (isinstance(end, int) and end == wanted for end, wanted in ((minval, 0), (maxval, 1)))
        if not from_zero or not to_one or dtype.is_integer:
            minval = convert_to_tensor(minval, dtype, "min")
            maxval = convert_to_tensor(maxval, dtype, "max")
        seed1, seed2 = get_seed(seed)
        if dtype.is_integer:
            return apply("RandomUniformInt", sizes, minval, maxval, seed=seed1, seed2=seed2, name=scope)
        result = apply("RandomUniform", sizes, dtype=dtype, seed=seed1, seed2=seed2)
        if from_zero:
            return result if to_one else multiply(result, maxval)
        return add(result * (maxval - minval), minval, name=scope)


def random_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: int | None = None, name: str | None = None) -> Tensor:
    """Numbers of a normal distribution (`tf.random_normal`); arguments as in `random_uniform`."""
    return _scaled("RandomStandardNormal", "random_normal", shape, mean, stddev, dtype, seed, name)


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: int | None = None, name: str | None = None
) -> Tensor:
    """Numbers of a normal distribution, less than two deviations from its mean (`tf.truncated_normal`); arguments as in `random_uniform`."""
    return _scaled("TruncatedNormal", "truncated_normal", shape, mean, stddev, dtype, seed, name)


def random_shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """A tensor whose parts along the first axis are in another order (`tf.random_shuffle`)."""
    seed1, seed2 = get_seed(seed)
    return apply("RandomShuffle", value, seed=seed1, seed2=seed2, name=name)


def multinomial(logits: Any, num_samples: Any, seed: int | None = None, name: str | None = None, output_dtype: Any = None) -> Tensor:
    """Numbers of classes drawn by unnormalised log-probabilities, `num_samples` for each row (`tf.multinomial`)."""
    with name_scope(name, "multinomial", _tensors(logits)):
        return _draw(logits, num_samples, output_dtype, seed)


def categorical(logits: Any, num_samples: Any, dtype: Any = None, seed: int | None = None, name: str | None = None) -> Tensor:
    """The same as `multinomial`, under its newer name (`tf.random.categorical`)."""
    with name_scope(name, "categorical", _tensors(logits)):
        return _draw(logits, num_samples, dtype, seed)


def _draw(logits: Any, num_samples: Any, dtype: Any, seed: int | None) -> Tensor:
    logits = convert_to_tensor(logits, name="logits")
    dtype = as_dtype(dtype or "int64")
    if dtype.name not in ("int32", "int64"):
        raise ValueError(f"Argument `dtype` got invalid value {dtype}. Accepted are int32 and int64.")
    seed1, seed2 = get_seed(seed)
    return apply("Multinomial", logits, num_samples, seed=seed1, seed2=seed2, output_dtype=dtype)


def _scaled(op_type: str, default_name: str, shape: Any, mean: Any, stddev: Any, dtype: Any, seed: int | None, name: str | None) -> Tensor:
    dtype = as_dtype(dtype)
    with name_scope(name, default_name, _tensors(shape, mean, stddev)) as scope:
        sizes = shape_tensor(shape)
        mean = convert_to_tensor(mean, dtype, "mean")
        stddev = convert_to_tensor(stddev, dtype, "stddev")
        seed1, seed2 = get_seed(seed)
        numbers = apply(op_type, sizes, dtype=dtype, seed=seed1, seed2=seed2)
        return add(numbers * stddev, mean, name=scope)


def shape_tensor(shape: Any) -> Tensor:
    """The shape of a result as a tensor; an empty list is one of integers."""
    if isinstance(shape, (list, tuple)):
        sizes = [size.value if isinstance(size, Dimension) else size for size in shape]
        return convert_to_tensor(sizes, None if sizes else "int32", "shape")
    return convert_to_tensor(shape, name="shape")


def _tensors(*values: Any) -> list[Tensor]:
    return [value for value in values if isinstance(value, Tensor)]


def _generator(ctx: Context) -> Generator:
    found: Generator = ctx.state.get("generator") or ctx.state.setdefault("generator", Generator(ctx.op.attr("seed"), ctx.op.attr("seed2")))
    return found
