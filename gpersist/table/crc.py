"""CRC-32C (Castagnoli, RFC 3720), LevelDB's masking of it, and the checksum of a whole from those of its parts.

A stored checksum is masked, since the checksum of bytes that hold their own checksum is a poor one (LevelDB `util/crc32c.h`):

    masked := rotate_right(crc, 15) + 0xa282ead8      modulo 2**32
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import crc32c as _crc32c
import numpy as np
from numpy.typing import NDArray

_MASK_DELTA = 0xA282EAD8
_POLYNOMIAL = 0x82F63B78  # bit-reversed: the highest bit is the coefficient of x**0
_BITS_32 = 0xFFFFFFFF


crc32c: Callable[..., int] = _crc32c.crc32c
"""`crc32c(data, value=0)`: the checksum of a C-contiguous buffer, continued from that of what came before it. Lets other threads run meanwhile."""


def mask(crc: int) -> int:
    """The form in which a checksum is stored."""
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & _BITS_32


def unmask(masked: int) -> int:
    """The checksum from its stored form."""
    rotated = (masked - _MASK_DELTA) & _BITS_32
    return (rotated >> 17 | rotated << 15) & _BITS_32


def mask_many(crcs: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """`mask` of every element of a uint32 array of any shape."""
    return (crcs >> np.uint32(15) | crcs << np.uint32(17)) + np.uint32(_MASK_DELTA)


def unmask_many(masked: NDArray[np.int64]) -> NDArray[np.int64]:
    """`unmask` of every element of an int64 array of any shape; of a number that is no checksum, some checksum."""
    rotated = (masked - _MASK_DELTA) & _BITS_32
    return (rotated >> 17 | rotated << 15) & _BITS_32


def combine(crc_a: int, crc_b: int, size_b: int) -> int:
    """The checksum of `a + b` from `crc32c(a)`, `crc32c(b)` and the size of b in bytes.

    crc32c(a + b) is crc32c(a) * x**(8 * size_b) + crc32c(b), modulo the polynomial, in GF(2). The factor is applied as one look-up in cached tables
    for each bit set in `size_b`, half a microsecond each: where there is a choice, let parts be a power of two long.

    REQUIRES: size_b >= 0.
    """
    while size_b:
        lowest = size_b & -size_b
        t0, t1, t2, t3 = _shift_tables(lowest.bit_length() - 1)
        crc_a = t0[crc_a & 255] ^ t1[crc_a >> 8 & 255] ^ t2[crc_a >> 16 & 255] ^ t3[crc_a >> 24]
        size_b ^= lowest
    return crc_a ^ crc_b


@functools.cache
def _shift_tables(power: int) -> tuple[list[int], ...]:
    """Multiplication by x**(8 * 2**power), of each byte of a checksum: four tables of 256."""
    images = [0] * 32  # of each single bit
    factor = _shift_factor(power)
    for bit in reversed(range(32)):
        images[bit] = factor
        factor = _times_x(factor)
    tables = []
    for low in range(0, 32, 8):
        table = [0]
        for image in images[low : low + 8]:
            table += [entry ^ image for entry in table]
        tables.append(table)
    return tuple(tables)


def _shift_factor(power: int) -> int:
    """x**(8 * 2**power) modulo the polynomial."""
    if power == 0:
        return 1 << 31 - 8
    root = _shift_factor(power - 1)
    square, term = 0, root
    for bit in reversed(range(32)):
        if root >> bit & 1:
            square ^= term
        term = _times_x(term)
    return square


def _times_x(value: int) -> int:
    return value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
