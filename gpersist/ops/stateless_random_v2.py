"""The stateless random operations of TensorFlow 2, which take a key and a counter rather than a seed; gamma, Poisson and binomial ones as well."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, apply_op, convert_to_tensor, name_scope, sample
from gpersist.ops import distributions, rejection_sampling, shape_functions
from gpersist.ops.arithmetic import maximum
from gpersist.ops.filling import ones
from gpersist.ops.joining import concat
from gpersist.ops.kernels import shown
from gpersist.ops.philox import Philox
from gpersist.ops.random import checked_range, checked_shape, shape_from_input, shape_tensor
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import rank, reshape, shape_of
from gpersist.ops.stateless_random import check_seed, start_of
from gpersist.shapes import TensorShape

__all__ = ["stateless_random_binomial", "stateless_random_gamma", "stateless_random_poisson"]

_PHILOX = (1, 3)
"""The numbers of the algorithm, and of whichever is best for the device."""

_MASK_64 = (1 << 64) - 1


def of_key(key: Any, counter: Any, alg: Any) -> Philox:
    """The start of the sequence that a key and a counter choose.

    Raises:
        InvalidArgumentError: they are not of their shapes, or there is no such algorithm.
    """
    for name, value, wanted in (("key", key, 1), ("counter", counter, 1), ("alg", alg, 0)):
        if np.ndim(value) != wanted:
            raise InvalidArgumentError(f"{name} must have rank {wanted}, not {np.ndim(value)}")
    if int(alg) not in _PHILOX:
        raise InvalidArgumentError(f"Unsupported algorithm id: {int(alg)}")
    if len(key) != 1:
        raise InvalidArgumentError(f"key must have shape [1], not {shown(key.shape)}")
    if len(counter) < 2:
        raise InvalidArgumentError(f"counter must be a vector of at least 2 elements, not of shape {shown(counter.shape)}")
    return Philox(int(key[0]), int(counter[0]) | int(counter[1]) << 64)


def check_key(op: Operation, place: int) -> None:
    """Raises ValueError where a node's key, counter or algorithm, from this input on, are known to be of other shapes."""
    key, counter, alg = (tensor.shape for tensor in op._inputs[place : place + 3])
    key.with_rank(1).merge_with([1])
    counter.with_rank(1)
    alg.with_rank(0)


class _Keyed(OpType, abstract=True):
    """Numbers of a distribution, in a tensor of a shape that is its input."""

    inputs = "shape: Tshape, key: uint64, counter: uint64, alg: int32"
    outputs = "output: dtype"
    attrs = "dtype: {half, bfloat16, float, double} = float, Tshape: {int32, int64} = int32"
    host_inputs: ClassVar[tuple[str, ...]] = ("shape", "key", "counter", "alg")
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("int32: [3, 5]", "uint64: [5]", "uint64: [7, 8]", "int32: 1", has_gradient=False),
        sample("int64: []", "uint64: [5]", "uint64: [7, 8]", "int32: 3", dtype="double", has_gradient=False),
        sample("int32: [2, 0]", "uint64: [5]", "uint64: [7, 8]", "int32: 1", dtype="half", has_gradient=False),
    )
    distribution: ClassVar[Any] = None

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_key(op, 1)
        return shape_from_input(op)

    @classmethod
    def run(cls, xp: Any, shape: Any, key: Any, counter: Any, alg: Any, *, dtype: DType) -> Array:
        start, sizes = of_key(key, counter, alg), checked_shape(shape)
        found: Array = cls.distribution(xp, start, int(np.prod(sizes, dtype=np.int64)), dtype).reshape(sizes)
        return found

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None] * len(op.inputs)


class StatelessRandomUniformV2(_Keyed):
    """Numbers of [0, 1)."""

    distribution = staticmethod(distributions.uniform)


class StatelessRandomNormalV2(_Keyed):
    """Numbers of the standard normal distribution."""

    distribution = staticmethod(distributions.normal)


class StatelessTruncatedNormalV2(_Keyed):
    """Numbers of the standard normal distribution that are less than two deviations from its mean."""

    distribution = staticmethod(distributions.truncated_normal)


class StatelessRandomUniformFullIntV2(_Keyed):
    """Integers, each that the type has as likely as any other."""

    attrs = "dtype: {int32, int64, uint32, uint64} = uint64, Tshape: {int32, int64} = int32"
    samples = (
        sample("int32: [3, 5]", "uint64: [5]", "uint64: [7, 8]", "int32: 1"),
        sample("int32: [3]", "uint64: [5]", "uint64: [7, 8]", "int32: 1", dtype="int32"),
    )
    distribution = staticmethod(distributions.all_integers)


class StatelessRandomUniformIntV2(OpType):
    """Integers of [minval, maxval)."""

    inputs = "shape: Tshape, key: uint64, counter: uint64, alg: int32, minval: dtype, maxval: dtype"
    outputs = "output: dtype"
    attrs = "dtype: {int32, int64, uint32, uint64}, Tshape: {int32, int64} = int32"
    host_inputs = ("shape", "key", "counter", "alg", "minval", "maxval")
    scalars = ("minval", "maxval")
    samples = (
        sample("int32: [3, 5]", "uint64: [5]", "uint64: [7, 8]", "int32: 1", "int32: -3", "int32: 10"),
        sample("int64: [0]", "uint64: [5]", "uint64: [7, 8]", "int32: 1", "int64: 5", "int64: 5"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_key(op, 1)
        return shape_from_input(op)

    @staticmethod
    def run(xp: Any, shape: Any, key: Any, counter: Any, alg: Any, minval: Any, maxval: Any, *, dtype: DType) -> Array:
        start, sizes = of_key(key, counter, alg), checked_shape(shape)
        count = int(np.prod(sizes, dtype=np.int64))
        if not count:
            return xp.empty(sizes, dtype.numpy)
        low, high = checked_range(minval, maxval)
        if low >= high:
            raise InvalidArgumentError(f"Need minval < maxval, got {low} >= {high}")
        return distributions.uniform_integers(xp, start, count, dtype, low, high).reshape(sizes)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None] * 6


def _key_and_counter(seed: Any) -> list[Any]:
    start = start_of(seed)
    return [np.array([start.key], np.uint64), np.array([start.counter & _MASK_64, start.counter >> 64], np.uint64)]


class StatelessRandomGetKeyCounter(OpType):
    """The key and the counter that a seed chooses."""

    inputs = "seed: Tseed"
    outputs = "key: uint64, counter: uint64"
    attrs = "Tseed: {int32, int64} = int64"
    is_host_only = True
    samples = (sample("int64: [1, 2]"), sample("int32: [-1, 7]"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_seed(op._inputs[0])
        return [TensorShape([1]), TensorShape([2]), shape_functions.SCALAR][: len(op.output_types)]

    @staticmethod
    def run(xp: Any, seed: Any) -> list[Any]:
        return _key_and_counter(seed)


class StatelessRandomGetKeyCounterAlg(OpType):
    """The same, and the number of the algorithm."""

    inputs = "seed: Tseed"
    outputs = "key: uint64, counter: uint64, alg: int32"
    attrs = "Tseed: {int32, int64} = int64"
    is_host_only = True
    samples = (sample("int64: [1, 2]"),)
    shapes = staticmethod(StatelessRandomGetKeyCounter.shapes)

    @staticmethod
    def run(xp: Any, seed: Any) -> list[Any]:
        return [*_key_and_counter(seed), np.int32(1)]


class StatelessRandomGetAlg(OpType):
    """The number of the algorithm."""

    outputs = "alg: int32"
    is_stateful = True
    is_host_only = True
    samples = (sample(),)
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(xp: Any) -> Any:
        return np.int32(1)


def _batches(sizes: tuple[int, ...], *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of the parameters together, with which that of the result must end."""
    try:
        batch = np.broadcast_shapes(*shapes)
    except ValueError:
        raise InvalidArgumentError(f"the parameters must have compatible batch dimensions: {' vs. '.join(map(shown, shapes))}") from None
    if sizes[len(sizes) - len(batch) :] != batch or len(sizes) < len(batch):
        raise InvalidArgumentError("Shape passed in must end with broadcasted shape.")
    return batch


class _Seeded(OpType, abstract=True):
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_seed(op._inputs[1])
        return shape_from_input(op)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None] * len(op.inputs)


def _gammas(start: Philox, shape: Any, alpha: Any, dtype: DType) -> Any:
    sizes = checked_shape(shape)
    if not np.prod(sizes):
        return np.empty(sizes, dtype.numpy)
    _batches(sizes, alpha.shape)
    samples = int(np.prod(sizes, dtype=np.int64)) // max(alpha.size, 1)
    return rejection_sampling.gamma(start, np.ravel(alpha).astype(np.float64), samples).astype(dtype.numpy).reshape(sizes)


class StatelessRandomGammaV2(_Seeded):
    """Numbers of gamma distributions."""

    inputs = "shape: T, seed: Tseed, alpha: dtype"
    outputs = "output: dtype"
    attrs = "dtype: {half, float, double}, T: {int32, int64}, Tseed: {int32, int64} = int64"
    samples = (
        sample("int32: [50, 4]", "int64: [1, 2]", "double: [0.5, 1.0, 2.5, 30.0]", has_gradient=False),
        sample("int32: [3]", "int32: [1, 2]", "float: 2.5", has_gradient=False),
    )

    @staticmethod
    def run(xp: Any, shape: Any, seed: Any, alpha: Any, *, dtype: DType) -> Any:
        return _gammas(start_of(seed), shape, alpha, dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        drawn, alpha = op.outputs[0], op.inputs[2]
        with op.graph.control_dependencies([grad]):
            count = shape_of(op.inputs[0])[0] - rank(alpha)
            shaped = reshape(alpha, concat([ones([count], "int32"), shape_of(alpha)], 0))
            return [None, None, reduce_sum(grad * apply("RandomGammaGrad", shaped, drawn), number_range(count))]


class StatelessRandomGammaV3(OpType):
    """The same, of a key and a counter."""

    inputs = "shape: shape_dtype, key: uint64, counter: uint64, alg: int32, alpha: dtype"
    outputs = "output: dtype"
    attrs = "dtype: {half, float, double}, shape_dtype: {int32, int64} = int32"
    is_host_only = True
    samples = (sample("int32: [50, 4]", "uint64: [5]", "uint64: [7, 8]", "int32: 1", "double: [0.5, 1.0, 2.5, 30.0]", has_gradient=False),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_key(op, 1)
        return shape_from_input(op)

    @staticmethod
    def run(xp: Any, shape: Any, key: Any, counter: Any, alg: Any, alpha: Any, *, dtype: DType) -> Any:
        return _gammas(of_key(key, counter, alg), shape, alpha, dtype)


class StatelessRandomPoisson(_Seeded):
    """Numbers of Poisson distributions."""

    inputs = "shape: T, seed: Tseed, lam: Rtype"
    outputs = "output: dtype"
    attrs = "Rtype: {half, float, double, int32, int64}, dtype: {half, float, double, int32, int64}, T: {int32, int64}, Tseed: {int32, int64} = int64"
    samples = (
        sample("int32: [50, 4]", "int64: [1, 2]", "double: [0.5, 3.0, 12.0, 300.0]", dtype="int64"),
        sample("int32: [3]", "int32: [1, 2]", "float: 2.5", dtype="float"),
    )

    @staticmethod
    def run(xp: Any, shape: Any, seed: Any, lam: Any, *, dtype: DType) -> Any:
        start, sizes = start_of(seed), checked_shape(shape)
        if not np.prod(sizes):
            return np.empty(sizes, dtype.numpy)
        _batches(sizes, lam.shape)
        samples = int(np.prod(sizes, dtype=np.int64)) // max(lam.size, 1)
        return rejection_sampling.poisson(start, np.ravel(lam).astype(np.float64), samples, dtype).reshape(sizes)


class StatelessRandomBinomial(_Seeded):
    """Numbers of binomial distributions."""

    inputs = "shape: S, seed: Tseed, counts: T, probs: T"
    outputs = "output: dtype"
    attrs = (
        "S: {int32, int64}, Tseed: {int32, int64} = int64, T: {half, float, double, int32, int64} = double, "
        "dtype: {half, float, double, int32, int64} = int64"
    )
    samples = (
        sample("int32: [50, 4]", "int64: [1, 2]", "double: [10.0, 100.0, 1000.0, 5.0]", "double: [0.3, 0.7, 0.2, 1.5]"),
        sample("int32: [3, 2]", "int32: [1, 2]", "float: 40.0", "float: [0.4, 0.9]", dtype="float"),
    )

    @staticmethod
    def run(xp: Any, shape: Any, seed: Any, counts: Any, probs: Any, *, dtype: DType) -> Any:
        start, sizes = start_of(seed), checked_shape(shape)
        batch = _batches(sizes, counts.shape, probs.shape)
        if not np.prod(sizes):
            return np.empty(sizes, dtype.numpy)
        count, chance = (np.ravel(np.broadcast_to(value, batch)).astype(np.float64) for value in (counts, probs))
        samples = int(np.prod(sizes, dtype=np.int64)) // max(len(count), 1)
        return rejection_sampling.binomial(start, count, chance, samples).astype(dtype.numpy).reshape(sizes)


def stateless_random_gamma(shape: Any, seed: Any, alpha: Any, beta: Any = None, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """Numbers of gamma distributions that follow from `seed`, two integers (`tf.random.stateless_gamma`).

    `shape` is that of the result, and ends with that of `alpha` and `beta` together.
    """
    with name_scope(name, "stateless_random_gamma", [value for value in (shape, seed, alpha, beta) if isinstance(value, Tensor)]):
        sizes = shape_tensor(shape)
        alpha = convert_to_tensor(alpha, dtype, "alpha")
        beta = convert_to_tensor(beta if beta is not None else 1, dtype, "beta")
        both = apply("BroadcastArgs", shape_of(alpha), shape_of(beta))
        alpha = apply("BroadcastTo", alpha, both)
        key, counter = apply_op("StatelessRandomGetKeyCounter", seed).outputs
        drawn = apply("StatelessRandomGammaV3", sizes, key, counter, 3, alpha)  # by the algorithm that is best for the device
        return maximum(np.finfo(alpha.dtype.numpy).tiny, drawn / beta)


def stateless_random_poisson(shape: Any, seed: Any, lam: Any, dtype: Any = "int32", name: str | None = None) -> Tensor:
    """Numbers of Poisson distributions that follow from `seed`, two integers (`tf.random.stateless_poisson`)."""
    with name_scope(name, "stateless_random_poisson", [value for value in (shape, seed, lam) if isinstance(value, Tensor)]):
        return apply("StatelessRandomPoisson", shape_tensor(shape), seed, lam, dtype=dtype)


def stateless_random_binomial(shape: Any, seed: Any, counts: Any, probs: Any, output_dtype: Any = "int32", name: str | None = None) -> Tensor:
    """Numbers of binomial distributions that follow from `seed`, two integers (`tf.random.stateless_binomial`)."""
    with name_scope(name, "stateless_random_binomial", [value for value in (shape, seed, counts, probs) if isinstance(value, Tensor)]):
        sizes = shape_tensor(shape)
        probs = convert_to_tensor(probs, preferred_dtype="float32", name="probs")
        counts = convert_to_tensor(counts, probs.dtype, "counts")
        return apply("StatelessRandomBinomial", sizes, seed, counts, probs, dtype=output_dtype)
