"""The random operations of TensorFlow 2's generators, whose state is a variable of three 64-bit numbers: two of a counter, and a key."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

import numpy as np

from gpersist.dtypes import DType, int64
from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.graph import Buffer, Context, Operation, SessionOpType
from gpersist.ops import distributions, rejection_sampling
from gpersist.ops.kernels import shown
from gpersist.ops.philox import Philox
from gpersist.ops.random import checked_range, checked_shape, shape_from_input
from gpersist.shapes import TensorShape

__all__: list[str] = []

_PHILOX, _OTHERS, _ANY = 1, 2, 3
"""The numbers of algorithms; of the others TensorFlow has no kernels for hosts either."""

_NUMBERS = 256
"""How far the counter goes for each number that is drawn, whatever that takes."""

_MASK_64 = (1 << 64) - 1

_INTEGERS = frozenset(["int32", "int64", "uint32", "uint64"])


def _advanced(ctx: Context, buffer: Buffer, algorithm: Any, count: int) -> tuple[Philox, Any]:
    """Moves a generator on by `count` numbers. Without an algorithm the state begins with it.

    Returns:
        Where it was, and its state then.

    Raises:
        InvalidArgumentError: the variable is no state, or there is no such algorithm.
    """
    if algorithm is not None:
        _check_algorithm(algorithm)
    with buffer.lock:
        array = buffer.read()
        state: Any = array.get() if hasattr(array, "get") else np.array(array)
        if buffer.dtype is not int64:
            raise InvalidArgumentError(f"Trying to read variable with wrong dtype. Expected int64 got {buffer.dtype.name}")
        first = int(algorithm is None)
        if state.ndim != 1 or len(state) < 3 + first:
            raise InvalidArgumentError(f"The state must be a vector of at least {3 + first} numbers, not of shape {shown(state.shape)}")
        if first:
            _check_algorithm(state[0])
        low, high, key = (int(part) & _MASK_64 for part in state[first : first + 3])
        start = Philox(key, low | high << 64)
        if count:
            after = start.skip(count * _NUMBERS & _MASK_64).counter
            moved = state.view(np.uint64).copy()
            moved[first : first + 2] = after & _MASK_64, after >> 64
            buffer.assign(moved.view(np.int64) if buffer.device.is_host else ctx.xp.asarray(moved.view(np.int64)))
        return start, state[:3]


def _check_algorithm(algorithm: Any) -> None:
    if np.ndim(algorithm):
        raise InvalidArgumentError(f"algorithm must be of shape [], not {shown(np.shape(algorithm))}")
    number = int(algorithm)
    if number == _OTHERS:
        raise UnimplementedError("ThreeFry is only supported on XLA devices; Philox (1) is the algorithm of others")
    if number not in (_PHILOX, _ANY):
        raise InvalidArgumentError(f"Unsupported algorithm id: {number}")


class _Stateful(SessionOpType, abstract=True):
    """Numbers of a distribution, in a tensor of a shape that is an input."""

    inputs = "resource: resource, algorithm: int64, shape: shape_dtype"
    outputs = "output: dtype"
    attrs = "dtype: type = float, shape_dtype: type = int64"
    is_stateful = True
    host_inputs: ClassVar[tuple[str, ...]] = ("algorithm", "shape")
    scalars: ClassVar[tuple[str, ...]] = ("algorithm",)
    distribution: ClassVar[Any] = None
    takes_integers: ClassVar[bool] = False

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return shape_from_input(op, 2)

    @classmethod
    def run(cls, ctx: Context, buffer: Buffer, algorithm: Any, shape: Any, *limits: Any, dtype: DType) -> Any:
        if (dtype.name in _INTEGERS) is not cls.takes_integers or not (dtype.is_floating or cls.takes_integers):
            raise InvalidArgumentError(f"No OpKernel was registered to support Op '{cls.__name__}' with dtype {dtype.name}")
        sizes = checked_shape(shape)
        count = int(np.prod(sizes, dtype=np.int64))
        start, _ = _advanced(ctx, buffer, algorithm, count)
        return cls.distribution(ctx.xp, start, count, dtype).reshape(sizes)


class StatefulUniform(_Stateful):
    """Numbers of [0, 1)."""

    distribution = staticmethod(distributions.uniform)


class StatefulStandardNormalV2(_Stateful):
    """Numbers of the standard normal distribution."""

    distribution = staticmethod(distributions.normal)


class StatefulStandardNormal(SessionOpType):
    """The same of a generator whose state begins with the number of its algorithm."""

    inputs = "resource: resource, shape: shape_dtype"
    outputs = "output: dtype"
    attrs = "dtype: type = float, shape_dtype: type = int64"
    is_stateful = True
    host_inputs = ("shape",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return shape_from_input(op, 1)

    @staticmethod
    def run(ctx: Context, buffer: Buffer, shape: Any, *, dtype: DType) -> Any:
        if not dtype.is_floating:
            raise InvalidArgumentError(f"No OpKernel was registered to support Op 'StatefulStandardNormal' with dtype {dtype.name}")
        sizes = checked_shape(shape)
        count = int(np.prod(sizes, dtype=np.int64))
        start, _ = _advanced(ctx, buffer, None, count)
        return distributions.normal(ctx.xp, start, count, dtype).reshape(sizes)


class StatefulTruncatedNormal(_Stateful):
    """Numbers of the standard normal distribution that are less than two deviations from its mean."""

    distribution = staticmethod(distributions.truncated_normal)


class StatefulUniformFullInt(_Stateful):
    """Integers, each that the type has as likely as any other."""

    attrs = "dtype: type = uint64, shape_dtype: type = int64"
    distribution = staticmethod(distributions.all_integers)
    takes_integers = True


class StatefulUniformInt(_Stateful):
    """Integers of [minval, maxval)."""

    inputs = "resource: resource, algorithm: int64, shape: shape_dtype, minval: dtype, maxval: dtype"
    attrs = "dtype: type = int64, shape_dtype: type = int64"
    host_inputs = ("algorithm", "shape", "minval", "maxval")
    scalars = ("algorithm", "minval", "maxval")

    @classmethod
    def run(cls, ctx: Context, buffer: Buffer, algorithm: Any, shape: Any, *limits: Any, dtype: DType) -> Any:
        if dtype.name not in _INTEGERS:
            raise InvalidArgumentError(f"No OpKernel was registered to support Op '{cls.__name__}' with dtype {dtype.name}")
        sizes = checked_shape(shape)
        count = int(np.prod(sizes, dtype=np.int64))
        least, most = checked_range(*limits)
        if count and least >= most:
            raise InvalidArgumentError(f"Need minval < maxval, got {least} >= {most}")
        start, _ = _advanced(ctx, buffer, algorithm, count)
        return distributions.uniform_integers(ctx.xp, start, count, dtype, least, most).reshape(sizes)


class RngReadAndSkip(SessionOpType):
    """The state of a generator, which then goes on by so many numbers."""

    inputs = "resource: resource, alg: int32, delta: uint64"
    outputs = "value: int64"
    is_stateful = True
    host_inputs = ("alg", "delta")
    host_outputs = ("value",)
    scalars = ("alg", "delta")

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [TensorShape([3])]

    @staticmethod
    def run(ctx: Context, buffer: Buffer, alg: Any, delta: Any) -> Any:
        return _advanced(ctx, buffer, alg, int(delta))[1]


class RngSkip(SessionOpType):
    """Makes a generator go on by so many numbers."""

    inputs = "resource: resource, algorithm: int64, delta: int64"
    is_stateful = True
    host_inputs = ("algorithm", "delta")
    scalars = ("algorithm", "delta")

    @staticmethod
    def run(ctx: Context, buffer: Buffer, algorithm: Any, delta: Any) -> None:
        _advanced(ctx, buffer, algorithm, int(delta))


class StatefulRandomBinomial(SessionOpType):
    """Numbers of binomial distributions; TensorFlow's kernel does not move the generator on."""

    inputs = "resource: resource, algorithm: int64, shape: S, counts: T, probs: T"
    outputs = "output: dtype"
    attrs = "S: {int32, int64}, T: {half, float, double, int32, int64} = double, dtype: {half, float, double, int32, int64} = int64"
    is_stateful = True
    is_host_only = True
    scalars = ("algorithm",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return shape_from_input(op, 2)

    @staticmethod
    def run(ctx: Context, buffer: Buffer, algorithm: Any, shape: Any, counts: Any, probs: Any, *, dtype: DType) -> Any:
        sizes = checked_shape(shape)
        batch = np.broadcast_shapes(counts.shape, probs.shape)
        if sizes[len(sizes) - len(batch) :] != batch:
            raise InvalidArgumentError(f"Shape passed in must end with broadcasted shape: {shown(sizes)} does not end with {shown(batch)}")
        start, _ = _advanced(ctx, buffer, algorithm, 0)
        if not np.prod(sizes):
            return np.empty(sizes, dtype.numpy)
        count, chance = (np.ravel(np.broadcast_to(value, batch)).astype(np.float64) for value in (counts, probs))
        found = rejection_sampling.binomial(start, count, chance, int(np.prod(sizes, dtype=np.int64)) // len(count))
        return found.astype(dtype.numpy).reshape(sizes)


class NonDeterministicInts(SessionOpType):
    """Integers that nobody can foretell."""

    inputs = "shape: shape_dtype"
    outputs = "output: dtype"
    attrs = "dtype: type = int64, shape_dtype: type = int64"
    is_stateful = True
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return shape_from_input(op)

    @staticmethod
    def run(ctx: Context, shape: Any, *, dtype: DType) -> Any:
        if dtype.name not in _INTEGERS:
            raise InvalidArgumentError(f"Unsupported dtype: {dtype.name}")
        sizes = checked_shape(shape)
        count = int(np.prod(sizes, dtype=np.int64))
        return np.frombuffer(secrets.token_bytes(count * dtype.size), dtype.numpy).reshape(sizes)
