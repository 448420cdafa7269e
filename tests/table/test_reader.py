from __future__ import annotations

import re
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpersist.errors import DataLossError, GPersistError, NotACheckpointError
from gpersist.table import TableReader, build_table, encode_varint

from .tables import Entries, block, entry, footer, golden, handle, read_all, sealed, table, table_of_block

ENTRIES = [(b"", b"head"), *((b"layer_%02d/kernel" % i, b"value %d" % i) for i in range(40))]
SMALL = build_table(ENTRIES, block_size_bytes=200, restart_interval=4)[0]


@given(
    st.dictionaries(st.binary(max_size=5), st.binary(max_size=9), max_size=60),
    st.sampled_from([1, 50, 300, 262144]),
    st.sampled_from([1, 3, 16]),
    st.lists(st.binary(max_size=5), max_size=8),
)
def test_like_a_dict(model: dict[bytes, bytes], block_size_bytes: int, restart_interval: int, keys: list[bytes]) -> None:
    entries = sorted(model.items())
    data, _ = build_table(entries, block_size_bytes=block_size_bytes, restart_interval=restart_interval)
    reader = TableReader.from_bytes(data, "t")
    for key in keys:
        assert reader.get(key) == model.get(key)
        assert list(reader.items(key)) == [(k, v) for k, v in entries if k >= key]


def test_tensorflow() -> None:
    decoded = dict(read_all(golden("small.index")))
    assert sorted(decoded) == sorted([b"", b"dense", b"dense/bias", b"dense/kernel", b"empty", b"global_step", b"words", b"x" * 300])


def test_leveldb_with_snappy() -> None:
    """Data blocks and index of many blocks, as LevelDB itself compressed them; it appends eight bytes to a key."""
    entries = read_all(golden("leveldb_snappy.ldb.gz"))
    assert [(key[:-8], value) for key, value in entries] == [(b"layer_%05d/kernel" % i, b"value %d " % i * (i % 9)) for i in range(3000)]


def test_reads_no_more_than_it_needs() -> None:
    reads: list[tuple[int, int]] = []

    def read(offset: int, size: int) -> bytes:
        assert 0 <= offset <= offset + size <= len(SMALL)
        reads.append((offset, size))
        return SMALL[offset : offset + size]

    reader = TableReader(read, len(SMALL), "t")
    assert len(reads) == 3  # footer, index block and its trailer
    assert reader.get(b"layer_20/kernel") == b"value 20"
    assert len(reads) == 5
    assert reader.get(b"layer_20/no") is None
    assert reader.get(b"z") is None
    assert len(reads) == 5


def test_many_threads() -> None:
    reader = TableReader.from_bytes(SMALL, "t")
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(reader.get, [key for key, _ in ENTRIES * 20])) == [value for _, value in ENTRIES * 20]


@pytest.mark.parametrize("flip", [0xFF, 0x01, 0x80])
@pytest.mark.parametrize(("data", "entries"), [(SMALL, ENTRIES), (golden("small.index"), read_all(golden("small.index")))])
def test_each_byte_flipped(data: bytes, entries: Entries, flip: int) -> None:
    """An error, or the same entries (where padding or the metaindex block was hit)."""
    unnoticed = 0
    for position in range(len(data)):
        bad = bytearray(data)
        bad[position] ^= flip
        try:
            assert read_all(bytes(bad)) == entries
            unnoticed += 1
        except DataLossError as error:
            assert str(error).startswith("'t.index'")
    assert unnoticed <= 13 + 40  # metaindex block, its handle, padding


def test_each_length() -> None:
    for size in range(len(SMALL)):
        with pytest.raises(NotACheckpointError, match=r"'t.index' is not a TensorFlow table: .*expected .*found"):
            TableReader.from_bytes(SMALL[:size], "t.index")


def test_damaged_data_block() -> None:
    bad = SMALL[:5] + b"?" + SMALL[6:]
    reader = TableReader.from_bytes(bad, "t.index")
    assert reader.get(b"layer_39/kernel") == b"value 39"
    with pytest.raises(
        DataLossError, match=r"'t.index': data block at byte 0: crc32c of \d+ bytes expected 0x[0-9a-f]{8}, found 0x[0-9a-f]{8}; .* copy it again"
    ):
        reader.get(b"layer_01/kernel")


DATA = sealed(block(entry(0, b"a", b"1"), 0))
SIZE = len(DATA) - 5


def index_of(*handles: bytes) -> bytes:
    entries = [entry(0, b"b%03d" % i, encoded) for i, encoded in enumerate(handles)]
    return block(b"".join(entries), *(sum(map(len, entries[:i])) for i in range(len(entries))))


def test_by_hand() -> None:
    assert read_all(table(DATA, index_of(handle(0, SIZE)))) == [(b"a", b"1")]


@pytest.mark.parametrize(
    ("handles", "what"),
    [
        ([handle(0, SIZE), handle(0, SIZE)], "data block from byte 0 to 18; expected within 18 to 31"),
        ([handle(0, SIZE), handle(SIZE, SIZE)], "data block from byte 13 to 31; expected within 18 to 31"),
        ([handle(0, 100)], "data block from byte 0 to 105; expected within 0 to 31"),
        ([handle(2**64 - 1, 2**64 - 1)], "data block from byte 18446744073709551615 to 36893488147419103235; expected within 0 to 31"),
        ([handle(2**64 - 18, SIZE)], "expected within 0 to 31"),
        ([b""], "varint at byte 0 of it runs past byte 0"),
        ([b"\x80" * 12], "expected at most 64 bits"),
        ([b"\x01"], "varint at byte 1 of it runs past byte 1"),
    ],
)
def test_hostile_handles(handles: list[bytes], what: str) -> None:
    with pytest.raises(DataLossError, match=rf"'t.index': index block at byte 31, entry b'b00\d': .*{re.escape(what)}"):
        read_all(table(DATA, index_of(*handles)))


@pytest.mark.parametrize(
    ("metaindex", "index", "what"),
    [
        (handle(0, 0), handle(0, 100), "index block ends at byte 105; expected at most 18"),
        (handle(0, 0), handle(2**64 - 1, 2**64 - 1), "index block ends at byte 36893488147419103235"),
        (handle(18, 0), handle(0, SIZE), "metaindex block ends at byte 23"),
    ],
)
def test_hostile_footer(metaindex: bytes, index: bytes, what: str) -> None:
    with pytest.raises(DataLossError, match=f"'t.index': footer at byte 18: {what}"):
        TableReader.from_bytes(DATA + footer(metaindex, index), "t.index")


def test_index_that_misleads() -> None:
    second = sealed(block(entry(0, b"b", b"2"), 0))
    for data, separators in ((DATA + second, (b"A", b"c")), (DATA + second, (b"b", b"c")), (second + DATA, (b"b", b"c"))):
        entries = [entry(0, separators[0], handle(0, SIZE)), entry(0, separators[1], handle(SIZE + 5, SIZE))]
        with pytest.raises(DataLossError, match=r"data block at byte \d+: keys b'.' to b'.' lie outside of the index's bounds"):
            read_all(table(data, block(b"".join(entries), 0)))


def test_data_block_without_entries() -> None:
    with pytest.raises(DataLossError, match="data block at byte 0: expected at least one entry, found none"):
        read_all(table_of_block(block(b"", 0)))


def peak_and_seconds(data: bytes) -> tuple[int, float]:
    """Reads a hostile table entry by entry, until the error."""
    tracemalloc.start()
    begin = time.process_time()
    try:
        with pytest.raises(DataLossError):
            for _ in TableReader.from_bytes(data, "t.index").items():
                pass
        return tracemalloc.get_traced_memory()[1], time.process_time() - begin
    finally:
        tracemalloc.stop()


def test_bombs() -> None:
    contents = block(entry(0, b"a", bytes(100_000)), 0)
    bombs = {
        "one block many times": table(sealed(contents), index_of(*[handle(0, len(contents))] * 999)),
        "keys that swell": table_of_block(block(entry(0, b"k" * 9_000) + b"".join(entry(9_000, b"%05d" % i) for i in range(9_000)), 0)),
        "snappy that declares 4 GB": table_of_block(encode_varint(2**32 - 1) + bytes(1000), compression=1),
        "snappy that declares too much": table_of_block(encode_varint((16 << 20) + 1) + bytes(1 << 20), compression=1),
        "snappy that swells": table_of_block(encode_varint(1 << 20) + b"\x00a" + b"\xfe\x01\x00" * 17_000, compression=1),
    }
    for name, bomb in bombs.items():
        peak, seconds = peak_and_seconds(bomb)
        assert peak < 8 << 20, name
        assert seconds < 10, name


def mutate(data: st.DataObject, contents: bytes) -> bytes:
    mutated = bytearray(contents)
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(mutated)))
        mutated[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    return bytes(mutated)


@settings(max_examples=200)
@given(st.data())
def test_mutated(data: st.DataObject) -> None:
    """Whatever the bytes: an error of ours, or entries that are not many times the file."""
    read_or_refuse(mutate(data, data.draw(st.sampled_from([SMALL, golden("small.index"), golden("one.index")]))))


@settings(max_examples=300)
@given(st.data())
def test_mutated_before_the_checksums(data: st.DataObject) -> None:
    contents = block(entry(0, b"aa", b"1") + entry(1, b"b", b"2") + entry(0, b"b" * 130) + entry(129, b"c"), 0, 11)
    assert len(read_all(table_of_block(contents))) == 4
    mutated = mutate(data, contents)
    index = index_of(handle(0, len(mutated)))
    read_or_refuse(table(sealed(mutated), mutate(data, index)))


def read_or_refuse(mutated: bytes) -> None:
    try:
        reader = TableReader.from_bytes(mutated, "t.index")
        entries = list(reader.items())
        assert [key for key, _ in entries] == sorted({key for key, _ in entries})
        assert sum(len(key) + len(value) for key, value in entries) <= 34 * len(mutated)
        for key, _ in entries[:5]:
            reader.get(key)
    except GPersistError as error:
        assert "t.index" in error.message
