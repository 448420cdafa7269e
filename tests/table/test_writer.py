from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpersist.errors import InternalError
from gpersist.table import TableBuilder, TableReader, build_table
from gpersist.table.writer import short_successor, shortest_separator

from .tables import golden, read_all


@pytest.mark.parametrize(
    ("name", "entries", "blocks"), [("one.index", 2, 1), ("small.index", 8, 1), ("many.index.gz", 20_001, 2), ("v1_blocks.ckpt.gz", 61, 36)]
)
def test_same_bytes_as_tensorflow(name: str, entries: int, blocks: int) -> None:
    """Blocks, restarts, separators, index and footer are those of TensorFlow for the same entries."""
    expected = golden(name)
    decoded = read_all(expected)
    found, layout = build_table(decoded)
    assert len(decoded) == entries
    assert len(layout.data_blocks) == blocks
    assert found == expected
    assert layout.size_bytes == len(expected)


@given(st.dictionaries(st.binary(max_size=6), st.binary(max_size=20), max_size=80), st.integers(1, 200), st.integers(1, 20))
def test_like_a_dict(model: dict[bytes, bytes], block_size_bytes: int, restart_interval: int) -> None:
    entries = sorted(model.items())
    table, layout = build_table(entries, block_size_bytes=block_size_bytes, restart_interval=restart_interval)
    reader = TableReader.from_bytes(table, "t")
    assert list(reader.items()) == entries
    assert [reader.get(key) for key in model] == list(model.values())
    assert layout.size_bytes == len(table)
    assert [table[at : at + len(value)] for at, (_, value) in zip(layout.value_offsets.tolist(), entries, strict=True)] == [v for _, v in entries]
    assert sum(block.size + 5 for block in layout.data_blocks) == (layout.data_blocks[-1].end if entries else 0)

    parts: list[bytes] = []
    one_by_one = TableBuilder(parts.append, block_size_bytes=block_size_bytes, restart_interval=restart_interval)
    for key, value in entries:
        one_by_one.add(key, value)
    one_by_one.finish()
    assert b"".join(parts) == table


def test_blocks_are_written_as_they_fill() -> None:
    parts: list[bytes] = []
    builder = TableBuilder(parts.append, block_size_bytes=1000)
    builder.add(b"a", b"1" * 900)
    assert parts == []
    builder.add(b"b", b"2" * 900)
    assert sum(map(len, parts)) > 1800


def test_closed() -> None:
    finished = TableBuilder(lambda part: None)
    finished.finish()
    parts: list[bytes] = []
    abandoned = TableBuilder(parts.append)
    abandoned.add(b"a", b"1")
    abandoned.abandon()
    assert parts == []
    for builder in (finished, abandoned):
        with pytest.raises(InternalError, match="add after finish, abandon or an error"):
            builder.add(b"b", b"")
        with pytest.raises(InternalError, match="finish after finish, abandon or an error"):
            builder.finish()


def failing() -> Iterator[tuple[bytes, bytes]]:
    yield b"b", b""
    raise KeyboardInterrupt


@pytest.mark.parametrize("entries", [failing(), [(b"b", b""), (b"a", b"")]])
def test_no_table_after_an_error(entries: Iterator[tuple[bytes, bytes]]) -> None:
    builder = TableBuilder(lambda part: None)
    with pytest.raises((KeyboardInterrupt, InternalError)):
        builder.add_all(entries)
    with pytest.raises(InternalError, match="after finish, abandon or an error"):
        builder.finish()
    builder.abandon()


@pytest.mark.parametrize(
    ("start", "limit", "separator"),
    [
        (b"foo", b"foo\0", b"foo"),
        (b"abc1xyz", b"abc3", b"abc2"),
        (b"abc1xyz", b"abc2", b"abc1xyz"),
        (b"abc", b"abcd", b"abc"),
        (b"a\xff", b"b", b"a\xff"),
        (b"\x00zz", b"\xff", b"\x01"),
        (b"\xfezz", b"\xff", b"\xfezz"),
    ],
)
def test_shortest_separator(start: bytes, limit: bytes, separator: bytes) -> None:
    assert shortest_separator(start, limit) == separator


@pytest.mark.parametrize(("key", "successor"), [(b"", b""), (b"abc", b"b"), (b"\xff\xff", b"\xff\xff"), (b"\xffab", b"\xffb")])
def test_short_successor(key: bytes, successor: bytes) -> None:
    assert short_successor(key) == successor


@given(st.binary(max_size=6), st.binary(max_size=6))
def test_separators_separate(a: bytes, b: bytes) -> None:
    assert short_successor(a) >= a
    if a < b:
        assert a <= shortest_separator(a, b) < b
