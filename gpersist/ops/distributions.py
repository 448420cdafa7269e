"""From random words to numbers as TensorFlow's CPU kernels make them: bit for bit for uniform ones, to the last place or two for normal ones.

A block of 4 words gives a group: 4 numbers of up to 32 bits, or 2 of 64. (`tensorflow/core/lib/random/random_distributions.h`.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType
from gpersist.ops.philox import WORDS, Philox

RESERVED = 256
"""The words that TensorFlow reserves for each number, however many of them it takes; a normal number that is too large costs two more."""

_SMALLEST = 1e-7
_TRUNCATE_AT = 2.0
_HOST_GROUPS, _DEVICE_GROUPS = 1 << 13, 1 << 21
"""As many groups as are made at once: intermediate values stay in the cache of a CPU, or in a modest part of a GPU's memory."""


def uniform(xp: Any, start: Philox, count: int, dtype: DType) -> Array:
    """Numbers of [0, 1): dtype[count]."""
    return _in_chunks(xp, start, count, dtype, lambda words: unit(xp, words, dtype))


def uniform_integers(xp: Any, start: Philox, count: int, dtype: DType, low: int, high: int) -> Array:
    """Integers of [low, high): dtype[count]. REQUIRES: low < high."""
    unsigned = np.dtype(f"u{dtype.size}").type
    span, base = unsigned(high - low), unsigned(low & (1 << 8 * dtype.size) - 1)
    return _in_chunks(xp, start, count, dtype, lambda words: (_integers(words, dtype.size) % span + base).view(dtype.numpy))


def all_integers(xp: Any, start: Philox, count: int, dtype: DType) -> Array:
    """Integers, each that the type has as likely as any other: dtype[count]."""
    return _in_chunks(xp, start, count, dtype, lambda words: _integers(words, dtype.size).view(dtype.numpy))


def normal(xp: Any, start: Philox, count: int, dtype: DType) -> Array:
    """Numbers of the standard normal distribution: dtype[count]."""
    return _in_chunks(xp, start, count, dtype, lambda words: gauss(xp, words, dtype).astype(dtype.numpy).reshape(-1))


def truncated_normal(xp: Any, start: Philox, count: int, dtype: DType) -> Array:
    """Numbers of the standard normal distribution, those from 2 up and from -2 down drawn anew: dtype[count].

    Each group has a stretch of blocks of its own, from which it takes until it is full.
    """
    size = group_size(dtype)
    groups = -(-count // size)
    stride = size * RESERVED // WORDS
    result = xp.empty((groups, size), dtype.numpy)
    step = _HOST_GROUPS if xp is np else _DEVICE_GROUPS
    for first in range(0, groups, step):
        numbers = xp.arange(first, min(first + step, groups), dtype=np.uint64) * np.uint64(stride)
        result[first : first + step] = _truncated(xp, start, numbers, size, dtype)
    return result.reshape(-1)[:count]


def unit_doubles(start: Philox, count: int) -> np.ndarray[Any, Any]:
    """Numbers of [0, 1) in double precision, each of two words: float64[count], on the host."""
    words = start.blocks(np, -(-2 * count // WORDS))
    found: np.ndarray[Any, Any] = _unit_double(np, words.reshape(-1, 2))[:count]
    return found


def group_size(dtype: DType) -> int:
    """How many numbers of a type one block gives."""
    return 2 if dtype.size == 8 else WORDS


def _in_chunks(xp: Any, start: Philox, count: int, dtype: DType, numbers_of: Callable[[Array], Array]) -> Array:
    size, step = group_size(dtype), _HOST_GROUPS if xp is np else _DEVICE_GROUPS
    groups = -(-count // size)
    if groups <= step:
        return numbers_of(start.blocks(xp, groups)).reshape(-1)[:count]
    result = xp.empty(count, dtype.numpy)
    for first in range(0, groups, step):
        numbers = numbers_of(start.skip(first).blocks(xp, min(step, groups - first))).reshape(-1)
        part = result[first * size : first * size + len(numbers)]
        part[...] = numbers[: len(part)]
    return result


def unit(xp: Any, words: Array, dtype: DType) -> Array:
    """Numbers of [0, 1), those of a block in a row, as a flat array."""
    if dtype.size == 8:
        return _unit_double(xp, words.reshape(-1, 2))
    if dtype.name == "float16":
        return ((words & 0x3FF | 0x3C00).astype(np.uint16)).view(np.float16) - np.float16(1)
    if dtype.name == "bfloat16":
        return ((words & 0x7F | 0x3F80) << 16).view(np.float32).__sub__(np.float32(1)).astype(dtype.numpy)
    return _unit_float(words)


def _unit_float(words: Array) -> Array:
    """The low 23 bits behind the point of a number of [1, 2), less 1."""
    return (words & 0x7FFFFF | 0x3F800000).view(np.float32) - np.float32(1)


def _unit_double(xp: Any, pairs: Array) -> Array:
    bits = (pairs[:, 0] & 0xFFFFF | 0x3FF00000).astype(np.uint64) << np.uint64(32) | pairs[:, 1]
    return bits.view(np.float64) - 1.0


def _integers(words: Array, size_bytes: int) -> Array:
    return words.reshape(-1).view(np.uint64 if size_bytes == 8 else np.uint32)  # the first word of two is the low one


def gauss(xp: Any, words: Array, dtype: DType) -> Array:
    """Normal numbers by Box and Muller, those of a block in a row: float64[n, 2], or float32[n, 4]."""
    if dtype.size == 8:
        units = _unit_double(xp, words.reshape(-1, 2)).reshape(-1, 2)
        radius = xp.sqrt(-2.0 * xp.log(xp.maximum(units[:, 0], _SMALLEST)))
        angle = 2.0 * math.pi * units[:, 1]
        return xp.stack([xp.sin(angle) * radius, xp.cos(angle) * radius], 1)
    units = _unit_float(words).reshape(-1, 2)
    # In double precision and rounded where the kernel has a float: its functions of floats are right to the last place, NumPy's are not.
    logarithm = xp.log(xp.maximum(units[:, 0], np.float32(_SMALLEST)).astype(np.float64)).astype(np.float32)
    radius = xp.sqrt(np.float32(-2) * logarithm)
    angle = (2.0 * math.pi * units[:, 1].astype(np.float64)).astype(np.float32).astype(np.float64)
    sine, cosine = xp.sin(angle).astype(np.float32), xp.cos(angle).astype(np.float32)
    return xp.stack([sine * radius, cosine * radius], 1).reshape(-1, WORDS)


def _truncated(xp: Any, start: Philox, numbers: Array, size: int, dtype: DType) -> Array:
    """One group from each of the blocks of these numbers on."""
    values = gauss(xp, start.blocks_at(xp, numbers), dtype)
    result = values.astype(dtype.numpy)
    (rows,) = xp.nonzero(xp.any(xp.absolute(values) >= _TRUNCATE_AT, 1))  # for most groups the first block will do
    flat, numbers, taken = result.reshape(-1), numbers[rows], xp.zeros(len(rows), np.int64)
    while len(rows):
        values = gauss(xp, start.blocks_at(xp, numbers), dtype)
        fits = xp.absolute(values) < _TRUNCATE_AT
        places = xp.cumsum(fits, 1) - 1 + taken[:, None]
        fits &= places < size
        flat[(rows[:, None] * size + places)[fits]] = values[fits].astype(dtype.numpy)
        taken = taken + xp.sum(fits, 1)
        lacks = taken < size
        rows, taken, numbers = rows[lacks], taken[lacks], numbers[lacks] + np.uint64(1)
    return result
