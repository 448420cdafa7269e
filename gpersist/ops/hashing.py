"""Texts spread over buckets by their hashes: MurmurHash64A, FarmHash's 64-bit fingerprint, and SipHash-2-4 with a key."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, constant_value, sample
from gpersist.ops.builders import renamed_argument
from gpersist.ops.kernels import as_array
from gpersist.ops.texts import TextOpType, each
from gpersist.shapes import TensorShape

__all__ = ["fingerprint", "string_to_hash_bucket", "string_to_hash_bucket_fast", "string_to_hash_bucket_strong"]

_MASK = (1 << 64) - 1


class StringToHashBucket(TextOpType):
    """A bucket for each text, by a hash that may change from version to version (and never has)."""

    inputs = "string_tensor: string"
    outputs = "output: int64"
    attrs = "num_buckets: int >= 1"
    samples = (sample("string[2,3]", num_buckets=10),)

    @staticmethod
    def run(xp: Any, value: Any, *, num_buckets: int) -> Any:
        return each(lambda text: murmur64(text, 0xDECAFCAFFE) % num_buckets, value, np.int64)


class StringToHashBucketFast(TextOpType):
    """A bucket for each text, by a hash that stays the same."""

    outputs = "output: int64"
    attrs = "num_buckets: int >= 1"
    samples = (sample("string[2,3]", num_buckets=10),)

    @staticmethod
    def run(xp: Any, value: Any, *, num_buckets: int) -> Any:
        return each(lambda text: farm_fingerprint64(text) % num_buckets, value, np.int64)


class StringToHashBucketStrong(TextOpType):
    """A bucket for each text, by a hash with a key: nobody who has not the key can make texts that fall together."""

    outputs = "output: int64"
    attrs = "num_buckets: int >= 1, key: list(int)"
    samples = (sample("string[2,3]", num_buckets=10, key=[1, 2]),)

    @staticmethod
    def run(xp: Any, value: Any, *, num_buckets: int, key: list[int]) -> Any:
        if len(key) != 2:
            raise InvalidArgumentError(f"Key must have 2 elements, found {len(key)}")
        return each(lambda text: sip64(text, key[0], key[1]) % num_buckets, value, np.int64)


class Fingerprint(OpType):
    """A hash of each row, as eight bytes."""

    inputs = "data: T, method: string"
    outputs = "fingerprint: uint8"
    attrs = "T: type"
    is_host_only = True
    samples = (sample("string[3]", b"farmhash64"), sample("float[2,3]", b"farmhash64"), sample("string[2,2]", b"farmhash64"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        data, method = op._inputs
        method.shape.with_rank(0)
        known = constant_value(method)
        if known is not None and known.item() != b"farmhash64":
            raise ValueError(f"Unsupported method: {known.item().decode('utf-8', 'replace')}")
        rows = data.shape.with_rank_at_least(1)
        return [TensorShape([rows.as_list()[0] if rows.rank else None, 8 if known is not None and known.item() == b"farmhash64" else None])]

    @staticmethod
    def run(xp: Any, data: Any, method: Any) -> Any:
        if not np.ndim(data):
            raise InvalidArgumentError("`data` should have at least one dimension: []")
        name = as_array(np, method)
        if name.ndim:
            raise InvalidArgumentError(f"`method` should be a scalar string: {list(name.shape)}")
        if name[()] != b"farmhash64":
            raise InvalidArgumentError(f"Unsupported fingerprint method: {name[()].decode('utf-8', 'replace')}")
        rows: list[bytes]
        if data.dtype == object:
            if data.ndim == 1:
                rows = data.tolist()
            else:
                hashes = each(farm_fingerprint64, data, np.uint64)
                rows = [np.ascontiguousarray(row).tobytes() for row in hashes]
        else:
            rows = [np.ascontiguousarray(row).tobytes() for row in data]
        found = np.array([farm_fingerprint64(row) for row in rows], "<u8")
        return found.view(np.uint8).reshape(len(rows), 8)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None]


def fingerprint(data: Any, method: Any = "farmhash64", name: str | None = None) -> Tensor:
    """A hash of each row (`tf.fingerprint`): uint8[n, 8]."""
    return apply("Fingerprint", data, method, name=name)


def string_to_hash_bucket(string_tensor: Any = None, num_buckets: int | None = None, name: str | None = None, input: Any = None) -> Tensor:
    """A bucket for each text (`tf.string_to_hash_bucket`)."""
    return apply("StringToHashBucket", renamed_argument("input", input, "string_tensor", string_tensor), num_buckets=num_buckets, name=name)


def string_to_hash_bucket_fast(input: Any, num_buckets: int, name: str | None = None) -> Tensor:  # TensorFlow's name
    """A bucket for each text, by a hash that stays the same (`tf.string_to_hash_bucket_fast`)."""
    return apply("StringToHashBucketFast", input, num_buckets=num_buckets, name=name)


def string_to_hash_bucket_strong(input: Any, num_buckets: int, key: Sequence[int], name: str | None = None) -> Tensor:  # TensorFlow's name
    """A bucket for each text, by a hash with a key of two integers (`tf.string_to_hash_bucket_strong`)."""
    return apply("StringToHashBucketStrong", input, num_buckets=num_buckets, key=list(key), name=name)


def murmur64(text: bytes, seed: int) -> int:
    """MurmurHash64A (Austin Appleby)."""
    multiplier, shift = 0xC6A4A7935BD1E995, 47
    result = seed ^ len(text) * multiplier & _MASK
    whole = len(text) // 8
    for word in struct.unpack_from(f"<{whole}Q", text):
        word = word * multiplier & _MASK
        word = (word ^ word >> shift) * multiplier & _MASK
        result = (result ^ word) * multiplier & _MASK
    if rest := text[8 * whole :]:
        result = (result ^ int.from_bytes(rest, "little")) * multiplier & _MASK
    result = (result ^ result >> shift) * multiplier & _MASK
    return result ^ result >> shift


def sip64(text: bytes, key0: int, key1: int) -> int:
    """SipHash-2-4 (Aumasson and Bernstein, SipHash: a fast short-input PRF, 2012)."""
    key0, key1 = key0 & _MASK, key1 & _MASK
    state = [key0 ^ 0x736F6D6570736575, key1 ^ 0x646F72616E646F6D, key0 ^ 0x6C7967656E657261, key1 ^ 0x7465646279746573]
    whole = len(text) // 8
    last = int.from_bytes(text[8 * whole :], "little") | (len(text) & 0xFF) << 56
    for word in (*struct.unpack_from(f"<{whole}Q", text), last):
        state[3] ^= word
        _sip_rounds(state, 2)
        state[0] ^= word
    state[2] ^= 0xFF
    _sip_rounds(state, 4)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _sip_rounds(state: list[int], count: int) -> None:
    a, b, c, d = state
    for _ in range(count):
        a = a + b & _MASK
        b = _rotated(b, 13) ^ a
        a = _rotated(a, 32)
        c = c + d & _MASK
        d = _rotated(d, 16) ^ c
        a = a + d & _MASK
        d = _rotated(d, 21) ^ a
        c = c + b & _MASK
        b = _rotated(b, 17) ^ c
        c = _rotated(c, 32)
    state[:] = a, b, c, d


def farm_fingerprint64(text: bytes) -> int:
    """FarmHash's Fingerprint64 (farmhashna::Hash64; Geoff Pike)."""
    size = len(text)
    if size <= 16:
        return _farm_to_16(text)
    word = _words_of(text)
    return _farm_to_32(word, size) if size <= 32 else _farm_to_64(word, size) if size <= 64 else _farm_long(word, size)


_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def _words_of(text: bytes) -> Callable[[int], int]:
    """Words of 64 bits by where they begin."""
    return lambda start: int(struct.unpack_from("<Q", text, start)[0])


def _rotated(value: int, left: int) -> int:
    return (value << left | value >> 64 - left) & _MASK


def _turned(value: int, right: int) -> int:
    return _rotated(value & _MASK, 64 - right)


def _mixed(value: int) -> int:
    value &= _MASK
    return value ^ value >> 47


def _of_two(first: int, second: int, multiplier: int) -> int:
    first, second = first & _MASK, second & _MASK
    return _mixed((second ^ _mixed((first ^ second) * multiplier)) * multiplier) * multiplier & _MASK


def _farm_to_16(text: bytes) -> int:
    size = len(text)
    multiplier = _K2 + 2 * size & _MASK
    if size >= 8:
        word = _words_of(text)
        a, b = word(0) + _K2, word(size - 8)
        return _of_two(_turned(b, 37) * multiplier + a, (_turned(a, 25) + b) * multiplier, multiplier)
    if size >= 4:
        first, last = struct.unpack_from("<I", text)[0], struct.unpack_from("<I", text, size - 4)[0]
        return _of_two(size + (first << 3), last, multiplier)
    if size:
        y, z = text[0] + (text[size >> 1] << 8), size + (text[-1] << 2)
        return _mixed(y * _K2 ^ z * _K0) * _K2 & _MASK
    return _K2


def _farm_to_32(word: Callable[[int], int], size: int) -> int:
    multiplier = _K2 + 2 * size & _MASK
    a, b, c, d = word(0) * _K1, word(8), word(size - 8) * multiplier, word(size - 16) * _K2
    return _of_two(_turned(a + b, 43) + _turned(c, 30) + d, a + _turned(b + _K2, 18) + c, multiplier)


def _farm_to_64(word: Callable[[int], int], size: int) -> int:
    multiplier = _K2 + 2 * size & _MASK
    a, b, c, d = word(0) * _K2, word(8), word(size - 8) * multiplier, word(size - 16) * _K2
    y = _turned(a + b, 43) + _turned(c, 30) + d
    z = _of_two(y, a + _turned(b + _K2, 18) + c, multiplier)
    e, f = word(16) * multiplier, word(24)
    g, h = (y + word(size - 32)) * multiplier, (z + word(size - 24)) * multiplier
    return _of_two(_turned(e + f, 43) + _turned(g, 30) + h, e + _turned(f + a, 18) + g, multiplier)


def _weak(word: Callable[[int], int], start: int, a: int, b: int) -> tuple[int, int]:
    w, x, y, z = (word(start + offset) for offset in (0, 8, 16, 24))
    a += w
    b = _turned(b + a + z, 21)
    c = a
    a += x + y
    return a + z & _MASK, b + _turned(a, 44) + c & _MASK


def _farm_long(word: Callable[[int], int], size: int) -> int:
    x, y = 81 * _K2 + word(0), 81 * _K1 + 113
    z = _mixed(y * _K2 + 113) * _K2
    v, w = (0, 0), (0, 0)
    for start in range(0, (size - 1) // 64 * 64, 64):
        x = _turned(x + y + v[0] + word(start + 8), 37) * _K1
        y = _turned(y + v[1] + word(start + 48), 42) * _K1
        x = (x ^ w[1]) & _MASK
        y += v[0] + word(start + 40)
        z = _turned(z + w[0], 33) * _K1
        v = _weak(word, start, v[1] * _K1, x + w[0])
        w = _weak(word, start + 32, z + w[1], y + word(start + 16))
        z, x = x, z & _MASK
    multiplier = _K1 + ((z & 0xFF) << 1)
    start = size - 64
    first = w[0] + (size - 1 & 63)
    v = (v[0] + first & _MASK, v[1])
    w = (first + v[0] & _MASK, w[1])
    x = _turned(x + y + v[0] + word(start + 8), 37) * multiplier
    y = _turned(y + v[1] + word(start + 48), 42) * multiplier
    x ^= w[1] * 9
    y += v[0] * 9 + word(start + 40)
    z = _turned(z + w[0], 33) * multiplier
    v = _weak(word, start, v[1] * multiplier, x + w[0])
    w = _weak(word, start + 32, z + w[1], y + word(start + 16))
    z, x = x, z
    return _of_two(_of_two(v[0], w[0], multiplier) + _mixed(y) * _K0 + z, _of_two(v[1], w[1], multiplier) + x, multiplier)
