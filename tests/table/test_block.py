from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpersist.errors import DataLossError, InternalError
from gpersist.table.block import Block, BlockBuilder

from .tables import Entries, block, entry

KEYS = st.binary(max_size=8) | st.binary(max_size=2).map(lambda end: b"long shared prefix " * 20 + end)
MODELS = st.dictionaries(KEYS, st.binary(max_size=4) | st.just(b"v" * 200), max_size=60)


def built(entries: Entries, restart_interval: int = 16) -> bytes:
    builder = BlockBuilder(restart_interval)
    assert not builder.extend(iter(entries))
    return builder.finish()


def test_grammar() -> None:
    entries = [(b"", b"head"), (b"abc", b"1"), (b"abd", b""), (b"abd\0", b"22"), (b"b", b"3"), (b"b" * 200, b"4")]
    by_hand = [
        entry(0, b"", b"head"),
        entry(0, b"abc", b"1"),
        entry(2, b"d"),
        entry(0, b"abd\0", b"22"),
        entry(0, b"b", b"3"),
        entry(1, b"b" * 199, b"4"),
    ]
    assert built(entries, 3) == block(b"".join(by_hand), 0, sum(map(len, by_hand[:3])))
    assert built(entries, 1)[-28:] == bytes.fromhex("00000000 07000000 0e000000 14000000 1d000000 22000000 06000000".replace(" ", ""))


def test_empty() -> None:
    assert built([]) == block(b"", 0)
    assert list(Block(built([]), "f").entries()) == []
    with pytest.raises(DataLossError, match="expected at least one entry, found none"):
        Block(built([]), "f").bounds()


@given(MODELS, st.integers(1, 20), st.lists(KEYS, max_size=5))
def test_like_a_dict(model: dict[bytes, bytes], restart_interval: int, others: list[bytes]) -> None:
    entries = sorted(model.items())
    decoded = Block(built(entries, restart_interval), "f")
    assert list(decoded.entries()) == entries
    if entries:
        assert decoded.bounds() == (entries[0][0], entries[-1][0])
        for key in [*model, *others]:
            assert list(decoded.seek(key)) == [(k, v) for k, v in entries if k >= key]


@given(MODELS, st.integers(1, 5), st.integers(20, 300))
def test_blocks_in_a_row(model: dict[bytes, bytes], restart_interval: int, full_size: int) -> None:
    entries = sorted(model.items())
    builder, blocks, iterator = BlockBuilder(restart_interval), [], iter(entries)
    while builder.extend(iterator, full_size):
        blocks.append(builder.finish())
        assert len(blocks[-1]) >= full_size
        builder.start(sum(map(len, blocks)))
    blocks.append(builder.finish())
    assert [e for b in blocks for e in Block(b, "f").entries()] == entries
    data = b"".join(blocks)
    assert [data[at : at + len(value)] for at, (_, value) in zip(builder.value_offsets, entries, strict=True)] == [value for _, value in entries]
    # Each block became full with its last entry, not before.
    for contents in blocks[:-1]:
        assert len(built(list(Block(contents, "f").entries())[:-1], restart_interval)) < full_size


@pytest.mark.parametrize("keys", [[b"", b""], [b"a", b"a"], [b"b", b"a"], [b"ab", b"a"], [b"a\0", b"a"]])
def test_keys_must_ascend(keys: list[bytes]) -> None:
    with pytest.raises(InternalError, match="expected ascending order"):
        BlockBuilder(16).extend((key, b"") for key in keys)


def test_keys_must_ascend_over_blocks() -> None:
    builder = BlockBuilder(16)
    assert builder.extend(iter([(b"b", b"")]), 1)
    builder.start(100)
    with pytest.raises(InternalError, match="key b'b' after b'b'; expected ascending order"):
        builder.extend(iter([(b"b", b"")]))


A, B = entry(0, b"a", b"1"), entry(0, b"b", b"2")


@pytest.mark.parametrize(
    ("contents", "what"),
    [
        (b"", "number of restarts expected 1 to 0, found 0"),
        (b"\1\0\0", "number of restarts expected 1 to 0, found 0"),
        (b"\1\0\0\0", "number of restarts expected 1 to 0, found 1"),
        (block(A + b"."), "number of restarts expected 1 to 1, found 0"),
        (block(A, 0, count=2**32 - 1), "number of restarts expected 1 to 2, found 4294967295"),
        (block(A, 0, count=2**30 + 1), "found 1073741825"),
        (block(A, 1), "restarts expected to ascend from 0 and to lie before byte 5 of it"),
        (block(A, 0, 0), "restarts expected to ascend"),
        (block(A + B, 0, 5, 4), "restarts expected to ascend"),
        (block(A, 0, 5), "restarts expected to ascend"),
        (block(A, 0, 2**32 - 1), "restarts expected to ascend"),
        (block(b"", 0, 1), "restarts expected to ascend"),
        (block(b"", 4), "restarts expected to ascend"),
        (block(A[:-1], 0), "entry at byte 0 of it ends at byte 5; expected at most 4"),
        (block(b"\0\5\0a", 0), "entry at byte 0 of it ends at byte 8; expected at most 4"),
        (block(b"\0\0\5a", 0), "entry at byte 0 of it ends at byte 8"),
        (block(b"\0\xff\xff\xff\xff\x0f\xff\xff\xff\xff\x0f", 0), "entry at byte 0 of it ends at byte 8589934601"),
        (block(b"\x80", 0), "varint at byte 0 of it runs past byte 1"),
        (block(b"\0\0", 0), "entry at byte 0 of it ends at byte 3; expected at most 2"),
        (block(entry(1, b"a"), 0), "entry at byte 0 of it shares 1 bytes; expected at most the 0 of the key before it"),
        (block(A + entry(2, b"c"), 0), "entry at byte 5 of it shares 2 bytes; expected at most the 1"),
        (block(A + entry(2**31, b"c"), 0), "entry at byte 5 of it shares 2147483648 bytes"),
        (block(A + A, 0), "entry at byte 5 of it: key b'a' follows b'a'; expected ascending order"),
        (block(B + A, 0), "key b'a' follows b'b'"),
        (block(A + entry(1, b""), 0), "key b'a' follows b'a'"),
        (block(entry(0, b"") + entry(0, b""), 0), "key b'' follows b''"),
    ],
)
def test_damaged(contents: bytes, what: str) -> None:
    with pytest.raises(DataLossError, match=f"'f': .*{what}"):
        list(Block(contents, "'f'").entries())


def test_restart_that_shares() -> None:
    contents = block(A + entry(1, b"b") + entry(0, b"c"), 0, 5)
    with pytest.raises(DataLossError, match="entry at byte 5 of it shares 1 bytes; expected at most the 0"):
        list(Block(contents, "f").seek(b"ab"))


def test_keys_that_swell() -> None:
    """A long key shared by very many entries would decode to gigabytes."""
    swollen = entry(0, b"k" * 50_000) + b"".join(entry(50_000, i.to_bytes(3, "big")) for i in range(60_000))
    contents = block(swollen, 0)
    tracemalloc.start()
    begin = time.process_time()
    try:
        with pytest.raises(DataLossError, match=f"share more than 32 times the block's {len(contents)} bytes"):
            for _ in Block(contents, "f").entries():
                pass
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
        assert time.process_time() - begin < 5
    finally:
        tracemalloc.stop()
