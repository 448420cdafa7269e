"""Random numbers of gamma, Poisson and cut normal distributions whose parameters are tensors, with TensorFlow's numbers for the same seeds."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.dtypes import DType, as_dtype
from gpersist.errors import InternalError, InvalidArgumentError
from gpersist.graph import Context, Operation, SessionOpType, Tensor, apply, constant_shape, convert_to_tensor, name_scope
from gpersist.ops import rejection_sampling
from gpersist.ops.arithmetic import maximum
from gpersist.ops.array import shape_of
from gpersist.ops.distributions import RESERVED, gauss, unit
from gpersist.ops.filling import ones
from gpersist.ops.joining import concat
from gpersist.ops.kernels import shown
from gpersist.ops.philox import Generator, Philox
from gpersist.ops.random import checked_shape, shape_from_input, shape_tensor
from gpersist.ops.random_seed import get_seed
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import reshape
from gpersist.shapes import TensorShape

__all__ = ["random_gamma", "random_poisson"]


def generator_of(ctx: Context) -> Generator:
    """The generator of an operation in a session, which its two seeds start."""
    found: Generator = ctx.state.get("generator") or ctx.state.setdefault("generator", Generator(ctx.op.attr("seed"), ctx.op.attr("seed2")))
    return found


def _shape_and_parameter(op: Operation) -> list[TensorShape]:
    if op._inputs[0].shape.rank not in (None, 1):
        raise ValueError(f"Shape must be rank 1 but is rank {op._inputs[0].shape.rank}")
    return [constant_shape(op._inputs[0]).concatenate(op._inputs[1].shape)]


class RandomGamma(SessionOpType):
    """Numbers of gamma distributions: as many as a shape says for each of `alpha`."""

    inputs = "shape: S, alpha: T"
    outputs = "output: T"
    attrs = "seed: int = 0, seed2: int = 0, S: {int32, int64}, T: {half, float, double}"
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(_shape_and_parameter)

    @staticmethod
    def run(ctx: Context, shape: Any, alpha: Any) -> Any:
        sizes = checked_shape(shape)
        samples = int(np.prod(sizes, dtype=np.int64))
        found = np.zeros((samples, alpha.size), alpha.dtype)
        if samples and not alpha.size:
            raise InvalidArgumentError("Input alpha should have non-zero element count, got: 0")
        if samples:
            start = generator_of(ctx).reserve(found.size * RESERVED)
            found = rejection_sampling.gamma(start, np.ravel(alpha).astype(np.float64), samples).astype(alpha.dtype)
        return found.reshape((*sizes, *np.shape(alpha)))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        drawn, alpha = op.outputs[0], op.inputs[1]
        with op.graph.control_dependencies([grad]):
            count = shape_of(op.inputs[0])[0]
            shaped = reshape(alpha, concat([ones([count], "int32"), shape_of(alpha)], 0))
            return [None, reduce_sum(grad * apply("RandomGammaGrad", shaped, drawn), number_range(count))]


class _Poisson(SessionOpType, abstract=True):
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(_shape_and_parameter)

    @staticmethod
    def run(ctx: Context, shape: Any, rate: Any, *, dtype: DType) -> Any:
        sizes = checked_shape(shape)
        samples = int(np.prod(sizes, dtype=np.int64))
        found = np.zeros((samples, rate.size), dtype.numpy)
        if samples and not rate.size:
            raise InvalidArgumentError("Input rate should have non-zero element count, got: 0")
        if samples:
            start = generator_of(ctx).reserve(found.size * RESERVED)
            found = rejection_sampling.poisson(start, np.ravel(rate).astype(np.float64), samples, dtype)
        return found.reshape((*sizes, *np.shape(rate)))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None]


class RandomPoisson(_Poisson):
    """Numbers of Poisson distributions: as many as a shape says for each rate."""

    inputs = "shape: S, rate: dtype"
    outputs = "output: dtype"
    attrs = "seed: int = 0, seed2: int = 0, S: {int32, int64}, dtype: {half, float, double}"


class RandomPoissonV2(_Poisson):
    """The same, of another type than the rates."""

    inputs = "shape: S, rate: R"
    outputs = "output: dtype"
    attrs = (
        "seed: int = 0, seed2: int = 0, S: {int32, int64}, R: {half, float, double, int32, int64} = double, "
        "dtype: {half, float, double, int32, int64} = int64"
    )


_BATCH = 100
_TRIES = 1000


class ParameterizedTruncatedNormal(SessionOpType):
    """Numbers of normal distributions between two limits; of each parameter there is one, or one for each part along the first axis."""

    inputs = "shape: T, means: dtype, stdevs: dtype, minvals: dtype, maxvals: dtype"
    outputs = "output: dtype"
    attrs = "seed: int = 0, seed2: int = 0, dtype: {half, bfloat16, float, double}, T: {int32, int64}"
    is_stateful = True
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        for tensor in op._inputs[1:]:
            if (tensor.shape.rank or 0) > 1:
                raise ValueError(f"Shape must be at most rank 1 but is rank {tensor.shape.rank}")
        return shape_from_input(op)

    @staticmethod
    def run(ctx: Context, shape: Any, means: Any, stdevs: Any, minvals: Any, maxvals: Any, *, dtype: DType) -> Any:
        sizes = checked_shape(shape)
        if not sizes:
            raise InvalidArgumentError("Shape tensor must not be empty")
        batches, each = sizes[0], int(np.prod(sizes[1:], dtype=np.int64))
        count = batches * each
        parameters = {"means": means, "stdevs": stdevs, "minvals": minvals, "maxvals": maxvals}
        for name, value in parameters.items():
            if np.ndim(value) > 1 or np.size(value) not in (1, batches):
                raise InvalidArgumentError(f"Input {name} should have length 1 or shape[0], got shape: {shown(np.shape(value))}")
        if np.size(means) == np.size(stdevs) == 1 and not np.ndim(minvals) and not np.ndim(maxvals):
            batches, each = -(-count // _BATCH), _BATCH
        start = generator_of(ctx).reserve(batches * 2 * _TRIES * (each + 3) // 4)
        draw = CutNormal(start, dtype)
        found = np.empty(count, dtype.numpy)
        for batch in range(batches):
            part = found[batch * each : (batch + 1) * each]
            mean, deviation, low, high = (np.ravel(value)[0 if np.size(value) == 1 else batch] for value in parameters.values())
            draw.fill(part, mean, deviation, low, high)
        return found.reshape(sizes)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None] * 5


class _Words:
    """A sequence of blocks, as groups of uniform or normal numbers."""

    def __init__(self, start: Philox, dtype: DType) -> None:
        self._position, self._dtype = start, dtype

    def groups(self, count: int) -> Any:
        found = self._position.blocks(np, count)
        self._position = self._position.skip(count)
        return found

    def uniform(self, groups: Any) -> Any:
        return unit(np, groups, self._dtype).reshape(len(groups), -1)

    def normal(self, groups: Any) -> Any:
        return gauss(np, groups, self._dtype).astype(self._dtype.numpy).reshape(len(groups), -1)


class CutNormal:
    """Draws numbers of normal distributions between two limits, from one sequence of blocks."""

    def __init__(self, start: Philox, dtype: DType) -> None:
        self._words = _Words(start, dtype)

    def fill(self, out: Any, mean: Any, deviation: Any, low: Any, high: Any) -> None:
        """Draws until all numbers are there: from the normal distribution, a uniform or an exponential one, whichever is accepted most often.

        Raises:
            InvalidArgumentError: there is no such distribution.
        """
        if not (deviation > 0 and low < high and (np.isfinite(low) or np.isfinite(high))):
            raise InvalidArgumentError("Invalid parameters")
        real = out.dtype.type
        if (np.isinf(low) and low < 0) or high < mean:
            low, high, deviation = high, low, -deviation
        with np.errstate(all="ignore"):
            least, most = real((low - mean) / deviation), real((high - mean) / deviation)
            root = real(np.sqrt(least * least + real(4)))
            cutoff = real(2) * np.exp(real(0.5) + (least * (least - root)) / real(4)) / (least + root)
            span, enough = most - least, real(1.3)
            if (least < -enough and most >= 0) or (most > enough and least <= 0):
                propose, per_try = _from_normal, 1
            elif span < cutoff:
                propose, per_try = _from_uniform, 2
            else:
                propose, per_try = _from_exponential, 1
            filled = 0
            misses = 0
            while filled < len(out):
                groups = self._words.groups(per_try)
                for value, is_kept in zip(*propose(self._words, groups, least, most, real), strict=True):
                    if is_kept:
                        out[filled] = value * deviation + mean
                        filled, misses = filled + 1, 0
                        if filled == len(out):
                            break
                    else:
                        misses += 1
                        if misses > _TRIES:
                            raise InternalError("TruncatedNormal rejection sampler failed to accept a sample.")


def _from_normal(words: _Words, groups: Any, least: Any, most: Any, real: Any) -> tuple[Any, Any]:
    (values,) = words.normal(groups)
    return values, (values >= least) & (values <= most)


def _from_uniform(words: _Words, groups: Any, least: Any, most: Any, real: Any) -> tuple[Any, Any]:
    first, second = words.uniform(groups)
    plus = real(0) if least < 0 else least * least
    values = first * (most - least) + least
    return values, second <= np.exp((plus - values * values) / real(2))


def _from_exponential(words: _Words, groups: Any, least: Any, most: Any, real: Any) -> tuple[Any, Any]:
    alpha = (least + np.sqrt(least * least + real(4))) / real(2)
    (drawn,) = words.uniform(groups)
    values = -np.log(drawn[::2]) / alpha + least
    x = alpha - values if least < alpha else least - alpha
    return values, (drawn[1::2] <= np.exp(-x * x / real(2))) & (values < most)


def random_gamma(shape: Any, alpha: Any, beta: Any = None, dtype: Any = "float32", seed: int | None = None, name: str | None = None) -> Tensor:
    """Numbers of gamma distributions (`tf.random_gamma`).

    Args:
        shape: how many for each pair of `alpha` and `beta`; may be a tensor.
        alpha: the shape parameters.
        beta: the inverse scales, 1 by default; broadcast with `alpha`.
        dtype: float16, float32 or float64.
        seed: the operation's; see `set_random_seed`.
        name: of the node.

    Returns:
        A tensor of `shape`, and then the shape of `alpha` and `beta` together.
    """
    with name_scope(name, "random_gamma", [value for value in (shape, alpha, beta) if isinstance(value, Tensor)]):
        sizes = convert_to_tensor(shape, "int32", "shape") if not isinstance(shape, Tensor) else shape
        dtype = as_dtype(dtype)
        alpha = convert_to_tensor(alpha, dtype, "alpha")
        beta = convert_to_tensor(beta if beta is not None else 1, dtype, "beta")
        both = apply("BroadcastArgs", shape_of(alpha), shape_of(beta))
        alpha = apply("BroadcastTo", alpha, both)
        seed1, seed2 = get_seed(seed)
        drawn = apply("RandomGamma", sizes, alpha, seed=seed1, seed2=seed2)
        return maximum(np.finfo(alpha.dtype.numpy).tiny, drawn / beta)


def random_poisson(lam: Any, shape: Any, dtype: Any = "float32", seed: int | None = None, name: str | None = None) -> Tensor:
    """Numbers of Poisson distributions (`tf.random_poisson`): as many as `shape` says for each of the rates `lam`."""
    return random_poisson_v2(shape, lam, dtype, seed, name)


def random_poisson_v2(shape: Any, lam: Any, dtype: Any = "float32", seed: int | None = None, name: str | None = None) -> Tensor:
    """`random_poisson` with its arguments in another order."""
    with name_scope(name, "random_poisson", [value for value in (lam, shape) if isinstance(value, Tensor)]):
        sizes = shape_tensor(shape)
        seed1, seed2 = get_seed(seed)
        return apply("RandomPoissonV2", sizes, lam, dtype=dtype, seed=seed1, seed2=seed2)
