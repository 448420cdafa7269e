"""Orders, cut normal numbers and roundings that follow from a seed or a key alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, apply_op, convert_to_tensor, name_scope, sample
from gpersist.ops import distributions, shape_functions
from gpersist.ops.broadcasting import broadcast_dynamic_shape
from gpersist.ops.choosing import where
from gpersist.ops.clip import clip_by_value
from gpersist.ops.constants import constant
from gpersist.ops.filling import ones_like
from gpersist.ops.kernels import as_array, shown
from gpersist.ops.philox import WORDS, Philox
from gpersist.ops.random import checked_shape, shape_from_input, shape_tensor
from gpersist.ops.random_gamma import CutNormal
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import reshape, shape_of, size
from gpersist.ops.special_functions import erf, erfc
from gpersist.ops.stateless_random import check_seed, start_of
from gpersist.ops.stateless_random_v2 import check_key, of_key
from gpersist.ops.unary import exp, log, log1p
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["random_index_shuffle", "stateless_parameterized_truncated_normal"]

_KEY = ("uint64: [5]", "uint64: [7, 8]", "int32: 1")


class StatelessShuffle(OpType):
    """Its input, the parts along the first axis in another order."""

    inputs = "value: T, key: uint64, counter: uint64, alg: int32"
    outputs = "output: T"
    attrs = "T: type"
    host_inputs = ("key", "counter", "alg")
    samples = (sample("float[9,2]", *_KEY), sample("string[6]", *_KEY), sample("int32[1]", *_KEY), sample("double[0,3]", *_KEY))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_key(op, 1)
        return [op._inputs[0].shape]

    @staticmethod
    def run(xp: Any, value: Array, key: Any, counter: Any, alg: Any) -> Array:
        start, array = of_key(key, counter, alg), as_array(xp, value)
        count = array.shape[0] if array.ndim else 0
        if count <= 1 or not array.size:
            return array
        words = start.blocks(np, -(-(count - 1) // WORDS)).reshape(-1)[: count - 1]
        order = list(range(count))
        for place, step in enumerate((words % np.arange(count, 1, -1, dtype=np.uint32)).tolist()):
            order[place], order[place + step] = order[place + step], order[place]
        return array[xp.asarray(order)]

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None] * 4


class StatelessParameterizedTruncatedNormal(OpType):
    """Numbers of normal distributions between two limits; the parameters' shapes together are the end of the result's."""

    inputs = "shape: S, seed: Tseed, means: dtype, stddevs: dtype, minvals: dtype, maxvals: dtype"
    outputs = "output: dtype"
    attrs = "S: {int32, int64}, Tseed: {int32, int64} = int64, dtype: {half, float, double}"
    is_host_only = True
    samples = (
        sample(
            "int32: [5, 3]", "int64: [1, 2]", "float: [0.0, 1.0, -2.0]", "float: 1.5", "float: [-1.0, 2.0, -1.0]", "float: 4.0", has_gradient=False
        ),
        sample("int64: [7]", "int32: [1, 2]", "double: 0.0", "double: 1.0", "double: -0.5", "double: 0.25", has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_seed(op._inputs[1])
        together = op._inputs[2].shape
        for tensor in op._inputs[3:]:
            together = shape_functions.broadcast_shapes(together, tensor.shape)
        return shape_from_input(op)

    @staticmethod
    def run(xp: Any, shape: Any, seed: Any, means: Any, stddevs: Any, minvals: Any, maxvals: Any, *, dtype: DType) -> Any:
        start, sizes = start_of(seed), checked_shape(shape)
        parameters = (means, stddevs, minvals, maxvals)
        try:
            batch = np.broadcast_shapes(*(value.shape for value in parameters))
        except ValueError:
            raise InvalidArgumentError("means, stddevs, minvals and maxvals must have compatible batch dimensions") from None
        if sizes[len(sizes) - len(batch) :] != batch:
            raise InvalidArgumentError(f"Shape passed in must end with broadcasted shape {shown(batch)}: {shown(sizes)}")
        found = np.empty(sizes, dtype.numpy)
        if not found.size:
            return found
        batches = int(np.prod(batch, dtype=np.int64))
        rows, draw = found.reshape(-1, batches), CutNormal(start, dtype)
        for column, chosen in enumerate(zip(*(np.broadcast_to(value, batch).reshape(-1) for value in parameters), strict=True)):
            part = np.empty(len(rows), dtype.numpy)
            draw.fill(part, *chosen)
            rows[:, column] = part
        return found

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        """By implicit differentiation of the distribution function."""
        shape, (mean, deviation, low, high) = op.inputs[0], op.inputs[2:]
        limits = np.finfo(mean.dtype.numpy)
        with op.graph.control_dependencies([grad]):
            least, most, drawn = ((value - mean) / deviation for value in (low, high, op.outputs[0]))
            part = clip_by_value((_ndtr(drawn) - _ndtr(least)) / (_ndtr(most) - _ndtr(least)), limits.tiny, 1 - limits.eps)
            of_high = exp(0.5 * (drawn**2 - most**2) + log(part))
            of_low = exp(0.5 * (drawn**2 - least**2) + log1p(-part))
            shapes = [shape_of(value) for value in (mean, deviation, low, high)]
            together = shapes[0]
            for other in shapes[1:]:
                together = broadcast_dynamic_shape(together, other)
            extra = number_range(size(shape) - size(together))
            found: list[Tensor | None] = [None, None]
            slopes = (ones_like(drawn), drawn, of_low, of_high)
            for slope, own in zip(slopes, shapes, strict=True):
                total = reduce_sum(grad * slope, axis=extra)
                axes = apply_op("BroadcastGradientArgs", together, own).outputs[1]
                found.append(reshape(reduce_sum(total, axis=axes, keepdims=True), own))
            return found


def _ndtr(x: Tensor) -> Tensor:
    """The distribution function of the standard normal distribution."""
    half = constant(0.5 * np.sqrt(2.0), x.dtype)
    w = x * half
    z = abs(w)
    return 0.5 * where(z < half, 1.0 + erf(w), where(w > 0.0, 2.0 - erfc(z), erfc(z)))


class StochasticCastToInt(OpType):
    """Numbers rounded up or down, the likelier the nearer they are, and cut to what the type holds."""

    inputs = "input: Tin, key: uint64, counter: uint64, alg: int32"
    outputs = "output: Tout"
    attrs = "Tin: {half, bfloat16, float, double}, Tout: {int8, int16, int32}"
    host_inputs = ("key", "counter", "alg")
    is_host_only = True
    samples = (
        sample("float[3,5] in -9..9", *_KEY, Tout="int8", has_gradient=False),
        sample("double[7] in -300..300", *_KEY, Tout="int32", has_gradient=False),
        sample("float: [-1000.0, 4.0, 300.0, -2.0]", *_KEY, Tout="int8", has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_key(op, 1)
        return [op._inputs[0].shape]

    @staticmethod
    def run(xp: Any, value: Any, key: Any, counter: Any, alg: Any, *, Tin: DType, Tout: DType) -> Any:  # noqa: N803  # TensorFlow's
        given, flat, limits = of_key(key, counter, alg), np.ravel(value), np.iinfo(Tout.numpy)
        real, low, high = flat.dtype.type, *(flat.dtype.type(end) for end in (limits.min, limits.max))
        with np.errstate(invalid="ignore", over="ignore"):
            is_drawn = (flat > low) & (flat < high) & (np.floor(flat) != flat)
            # The kernel takes the low half of the counter for the key, and the key for the high half of the counter.
            units = _units(Philox(given.counter & ((1 << 64) - 1), given.key << 64), is_drawn, Tin, Tout)
            drawn = np.where(flat < 0, np.floor(flat + units), np.floor(flat + real(1) - units))
            found = np.where(is_drawn, drawn, np.where(np.isnan(flat), real(0), flat)).astype(np.float64)
        return np.clip(found, limits.min, limits.max).astype(Tout.numpy).reshape(np.shape(value))


def _units(start: Philox, is_drawn: Any, of: DType, to: DType) -> Any:
    """A number of [0, 1) for each element: a block's first one, in order, for each that needs one; or, as the kernel does where both types have
    vectors, those of a block for each vector."""
    result = np.zeros(len(is_drawn), of.numpy)
    size = distributions.group_size(of)
    width = {"float32": 8, "float64": 4}.get(of.name, 0) if to.name == "int32" else 0
    whole = len(is_drawn) // 8 * 8 if width else 0
    if whole:
        blocks = distributions.unit(np, start.blocks(np, whole // width), of).reshape(-1, size)
        result[:whole] = np.tile(blocks, (1, width // size)).reshape(-1)
        start = start.skip(whole // width)
    rest = is_drawn[whole:]
    result[whole:][rest] = distributions.unit(np, start.blocks(np, int(rest.sum())), of).reshape(-1, size)[:, 0]
    return result


class RandomIndexShuffle(OpType):
    """Where an index goes in an order of 0 to `max_index` that three numbers choose: a small block cipher, walked until it falls within."""

    inputs = "index: dtype, seed: Tseed, max_index: dtype"
    outputs = "output: dtype"
    attrs = "rounds: int = 4, dtype: {int32, uint32, int64, uint64}, Tseed: {int32, uint32, int64, uint64}"
    is_host_only = True
    samples = (
        sample("int32: 3", "int32: [1, 2, 3]", "int32: 10"),
        sample("int64: [0, 1, 2, 3, 4]", "int64: [1, 2, 3]", "int64: 4", rounds=8),
        sample("uint64: [7, 8]", "uint32: [[1, 2, 3], [4, 5, 6]]", "uint64: [1000000000000, 77]"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        index, seed, limit = (tensor.shape for tensor in op._inputs)
        for shape, least, most in ((index, 0, 1), (seed, 1, 2), (limit, 0, 1)):
            if shape.rank is not None and not least <= shape.rank <= most:
                raise ValueError(f"Shape must be of rank {least} to {most} but is rank {shape.rank}")
        if seed.sizes is not None and seed.sizes[-1] != 3:
            raise ValueError(f"Seed must have shape [3] or [n, 3] but got {[-1 if size is None else size for size in seed.sizes]}.")
        if index.rank == 0 and seed.rank == 1 and limit.rank == 0:
            return [shape_functions.SCALAR]
        for shape in (index, limit):
            if shape.rank == 1:
                return [shape]
        if seed.rank == 2:
            return [seed[:1]]
        return [unknown_shape()]

    @staticmethod
    def run(xp: Any, index: Any, seed: Any, max_index: Any, *, rounds: int) -> Any:
        count = max(np.size(index), np.size(max_index), np.size(seed) // 3)
        if np.shape(index) not in ((), (count,)):
            raise InvalidArgumentError("Index must be a scalar or vector.")
        if np.shape(seed) not in ((3,), (count, 3)):
            raise InvalidArgumentError(f"Seed must be a vector of size [3] or a matrix of size [{count}, 3] but got {shown(np.shape(seed))}.")
        if np.shape(max_index) not in ((), (count,)):
            raise InvalidArgumentError(f"Maxval must be a scalar or a vector of the same size as index but got {shown(np.shape(max_index))}")
        is_scalar = not np.ndim(index) and np.ndim(seed) == 1 and not np.ndim(max_index)
        indices, limits = (np.broadcast_to(value, (count,)).tolist() for value in (index, max_index))
        keys = np.broadcast_to(seed, (count, 3)).tolist()
        found = [_shuffled(*given, rounds) for given in zip(indices, keys, limits, strict=True)]
        return np.array(found[0] if is_scalar else found, np.asarray(index).dtype)


def _shuffled(index: int, key: list[int], limit: int, rounds: int) -> int:
    index, limit = index & (1 << 64) - 1, limit & (1 << 64) - 1
    if not limit:
        return 0
    bits = (limit - 1).bit_length()
    half = min(max(bits + bits % 2, 16), 64) // 2
    mask = (1 << half) - 1
    keys = _round_keys(key, half, rounds)
    while True:
        left, right = index >> half & mask, index & mask
        for first, second in zip(keys[::2], keys[1::2], strict=True):
            left ^= _mixed(right, half) ^ first
            right ^= _mixed(left, half) ^ second
        index = left << half | right
        if index <= limit:
            return index


def _round_keys(key: list[int], half: int, rounds: int) -> list[int]:
    """The keys of the rounds of the cipher Simon, cut to a few (R. Beaulieu et al., The Simon and Speck families of block ciphers, 2013)."""
    mask, pattern = (1 << half) - 1, 0x7369F885192C0EF5 & (1 << half) - 1
    keys = [part & 0xFFFFFFFF & mask for part in key]
    for place in range(3, rounds):
        turned = _rotated(keys[-1], half - 3, half) ^ _rotated(keys[-1], half - 4, half)
        keys.append((0xFFFFFFFC & mask) ^ (pattern & 1) ^ keys[place - 3] ^ turned)
        pattern >>= 1
    return keys


def _rotated(word: int, count: int, half: int) -> int:
    return (word << count | word >> half - count) & (1 << half) - 1


def _mixed(word: int, half: int) -> int:
    return _rotated(word, 1, half) & _rotated(word, 8 % half, half) ^ _rotated(word, 2, half)


def random_index_shuffle(index: Any, seed: Any, max_index: Any, rounds: int = 4, name: str | None = None) -> Tensor:
    """Where an index goes in an order of 0 to `max_index` that a seed chooses (`tf.random_index_shuffle`).

    Args:
        index: integers from 0 to `max_index`.
        seed: three integers, or three for each index.
        max_index: the last index.
        rounds: of the cipher; even, and at least 4.
        name: of the node.
    """
    return apply("RandomIndexShuffle", index, seed, max_index, rounds=rounds, name=name)


def stateless_parameterized_truncated_normal(
    shape: Any, seed: Any, means: Any = 0.0, stddevs: Any = 1.0, minvals: Any = -2.0, maxvals: Any = 2.0, name: str | None = None
) -> Tensor:
    """Numbers of normal distributions between two limits, that follow from a seed (`tf.random.stateless_parameterized_truncated_normal`).

    Args:
        shape: of the result; the parameters' shapes together are its end.
        seed: two integers.
        means: of the distributions before they are cut.
        stddevs: their deviations.
        minvals: the lower limits.
        maxvals: the upper limits.
        name: of the scope.
    """
    given = {"means": means, "stddevs": stddevs, "minvals": minvals, "maxvals": maxvals}
    with name_scope(name, "stateless_parameterized_truncated_normal", [shape, *given.values()]):
        sizes = shape_tensor(shape)
        parameters = [convert_to_tensor(value, name=key) for key, value in given.items()]
        return apply("StatelessParameterizedTruncatedNormal", sizes, seed, *parameters)
