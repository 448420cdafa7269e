from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpersist.table import combine, crc32c, mask, mask_many, unmask


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (bytes.fromhex("01c00000000000000000000000000000140000000000040000000014000000182800000000000000" + "0200000000000000"), 0xD9963A56),
        (b"123456789", 0xE3069283),
        (b"", 0),
    ],
)
def test_rfc3720_b4(data: bytes, crc: int) -> None:
    assert crc32c(data) == crc
    assert crc32c(np.frombuffer(data, np.uint8)) == crc
    assert crc32c(data[3:], crc32c(data[:3])) == crc


def test_mask() -> None:
    # LevelDB's rule by hand: 0xe3069283 rotated right by 15 bits is 0x2507c60d.
    assert mask(0xE3069283) == 0x2507C60D + 0xA282EAD8
    assert mask(0) == 0xA282EAD8
    assert unmask(mask(mask(0x12345678))) == mask(0x12345678)


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1))
def test_mask_many(crcs: list[int]) -> None:
    masked = mask_many(np.array(crcs, np.uint32))
    assert masked.dtype == np.uint32
    assert masked.tolist() == [mask(crc) for crc in crcs]
    assert [unmask(crc) for crc in masked.tolist()] == crcs


@given(st.binary(max_size=2000), st.binary(max_size=2000))
def test_combine(a: bytes, b: bytes) -> None:
    assert combine(crc32c(a), crc32c(b), len(b)) == crc32c(a + b)


@pytest.mark.parametrize("size", [0, 1, 4, 4096, 65537, 262144, 1_000_003, 1 << 24])
def test_combine_large(size: int) -> None:
    rng = np.random.default_rng(size)
    a, b = rng.bytes(17), rng.bytes(size)
    assert combine(crc32c(a), crc32c(b), size) == crc32c(b, crc32c(a))


@given(*[st.integers(0, 2**32 - 1)] * 3, *[st.integers(0, 2**45)] * 2)
def test_combine_is_associative(a: int, b: int, c: int, size_b: int, size_c: int) -> None:
    assert combine(combine(a, b, size_b), c, size_c) == combine(a, combine(b, c, size_c), size_b + size_c)
