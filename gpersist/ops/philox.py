"""Philox4x32-10, the counter-based generator of TensorFlow's random operations, many blocks at a time, in NumPy and CuPy.

    block = 4 words of 32 bits = ten rounds over (counter of 128 bits, key of 64 bits)

The n-th block of a sequence is the one of counter + n, so that any part of it can be made without the parts before.
(Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011; `tensorflow/core/lib/random/philox_random.h`.)
"""

from __future__ import annotations

import secrets
import threading
from typing import Any, NamedTuple

import numpy as np

from gpersist.devices import Array

WORDS = 4
"""Words of a block."""

_MASK_32, _MASK_64, _MASK_128 = (1 << 32) - 1, (1 << 64) - 1, (1 << 128) - 1
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10

_CHUNK_BLOCKS = 1 << 13
"""As many blocks as NumPy makes at once: what ten rounds work on stays in the second-level cache."""


class Philox(NamedTuple):
    """A position in a sequence of blocks.

    Attributes:
        key: 64 bits.
        counter: 128 bits: that of the next block.
    """

    key: int
    counter: int

    @classmethod
    def of_seeds(cls, seed: int, seed2: int) -> Philox:
        """The start of the sequence that an operation's two seeds choose; of a random one if both are 0."""
        if not seed and not seed2:
            seed, seed2 = secrets.randbits(64), secrets.randbits(64)
        return cls(seed & _MASK_64, (seed2 & _MASK_64) << 64)

    @classmethod
    def of_stateless_seed(cls, seed: Any) -> Philox:
        """The start of the sequence that the two numbers of a stateless operation's seed choose."""
        low, high = (int(part) & _MASK_64 for part in seed)
        mixed = [int(word) for word in cls(0x02461E293EC8F720, low | high << 64).blocks(np, 1)[0]]
        return cls(mixed[0] | mixed[1] << 32, mixed[2] << 64 | mixed[3] << 96)

    def skip(self, blocks: int) -> Philox:
        """The position so many blocks on."""
        return Philox(self.key, (self.counter + blocks) & _MASK_128)

    def blocks(self, xp: Any, count: int) -> Array:
        """The next blocks: words as uint32[count, 4]."""
        if xp is not np:
            return self.blocks_at(xp, xp.arange(count, dtype=np.uint64))
        result = np.empty((count, WORDS), np.uint32)
        for start in range(0, count, _CHUNK_BLOCKS):
            stop = min(start + _CHUNK_BLOCKS, count)
            self._host_blocks(np.arange(start, stop, dtype=np.uint64), result[start:stop])
        return result

    def blocks_at(self, xp: Any, numbers: Array) -> Array:
        """The blocks so many behind the next one: uint64[n] to words, uint32[n, 4]."""
        result = xp.empty((len(numbers), WORDS), np.uint32)
        if xp is not np:
            words = [np.uint32(self.counter >> shift & _MASK_32) for shift in (0, 32, 64, 96)]
            _kernel(xp)(numbers, *words, np.uint32(self.key & _MASK_32), np.uint32(self.key >> 32), result)
            return result
        for start in range(0, len(numbers), _CHUNK_BLOCKS):
            part = slice(start, start + _CHUNK_BLOCKS)
            self._host_blocks(numbers[part], result[part])
        return result

    def _host_blocks(self, numbers: np.ndarray[Any, Any], result: np.ndarray[Any, Any]) -> None:
        mask, half = np.uint64(_MASK_32), np.uint64(32)
        low = numbers + np.uint64(self.counter & _MASK_64)
        carry = (low < numbers).astype(np.uint64)
        high = carry + np.uint64(self.counter >> 64)
        # Words of 32 bits in uint64, so that products need no conversion.
        a, b, c, d = low & mask, low >> half, high & mask, high >> half
        product_a, product_c = np.empty_like(a), np.empty_like(a)
        key = [self.key & _MASK_32, self.key >> 32]
        for _ in range(_ROUNDS):
            np.multiply(a, np.uint64(_MULTIPLIERS[0]), out=product_a)
            np.multiply(c, np.uint64(_MULTIPLIERS[1]), out=product_c)
            np.right_shift(product_c, half, out=a)
            np.bitwise_xor(a, b, out=a)
            np.bitwise_xor(a, np.uint64(key[0]), out=a)
            np.bitwise_and(product_c, mask, out=b)
            np.right_shift(product_a, half, out=c)
            np.bitwise_xor(c, d, out=c)
            np.bitwise_xor(c, np.uint64(key[1]), out=c)
            np.bitwise_and(product_a, mask, out=d)
            key = [(part + step) & _MASK_32 for part, step in zip(key, _WEYL, strict=True)]
        for column, word in enumerate((a, b, c, d)):
            result[:, column] = word


class Generator:
    """An operation's own sequence in a session: what one run has taken, the next one does not get. Safe for threads."""

    def __init__(self, seed: int, seed2: int) -> None:
        self._position = Philox.of_seeds(seed, seed2)
        self._lock = threading.Lock()

    def reserve(self, blocks: int) -> Philox:
        """The position, which goes on by so many blocks."""
        with self._lock:
            found = self._position
            self._position = found.skip(blocks)
        return found


def _kernel(xp: Any) -> Any:
    """The ten rounds as one CuPy kernel; CuPy keeps what it has compiled."""
    return xp.ElementwiseKernel(
        "uint64 number, uint32 c0, uint32 c1, uint32 c2, uint32 c3, uint32 key0, uint32 key1",
        "raw uint32 words",
        f"""
        unsigned long long low = ((unsigned long long)c1 << 32 | c0) + number;
        unsigned long long high = ((unsigned long long)c3 << 32 | c2) + (low < number ? 1 : 0);
        unsigned int a = (unsigned int)low, b = (unsigned int)(low >> 32), c = (unsigned int)high, d = (unsigned int)(high >> 32);
        unsigned int k = key0, l = key1;
        for (int round = 0; round < {_ROUNDS}; ++round) {{
            unsigned long long pa = (unsigned long long){_MULTIPLIERS[0]}u * a, pc = (unsigned long long){_MULTIPLIERS[1]}u * c;
            a = (unsigned int)(pc >> 32) ^ b ^ k;
            b = (unsigned int)pc;
            c = (unsigned int)(pa >> 32) ^ d ^ l;
            d = (unsigned int)pa;
            k += {_WEYL[0]}u;
            l += {_WEYL[1]}u;
        }}
        words[4 * i] = a;
        words[4 * i + 1] = b;
        words[4 * i + 2] = c;
        words[4 * i + 3] = d;
        """,
        "gpersist_philox",
    )
