from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gpersist.bundle.entries import (
    Entry,
    EntryColumns,
    check_size,
    decode_entries,
    decode_entry,
    decode_header,
    encode_entries,
    encode_entry,
    encode_head,
    encode_header,
)
from gpersist.bundle.slices import TensorSlice
from gpersist.dtypes import all_dtypes, from_enum, from_name
from gpersist.errors import DataLossError, GPersistError, UnimplementedError
from gpersist.protos import BundleEntryProto, BundleHeaderProto
from gpersist.table import encode_varint

FLOAT = from_name("float32")

# numbers at which a varint grows, and any others
NUMBERS = st.sampled_from([0, 1, 127, 128, 2**14 - 1, 2**14, 2**31, 2**32, 2**53 + 1, 2**62 - 1]) | st.integers(0, 2**62 - 1)
CRCS = st.sampled_from([0, 1, 2**32 - 1]) | st.integers(0, 2**32 - 1)
SIDES = st.sampled_from([0, 1, 127, 128, 300, 2**40]) | st.integers(0, 70)
SHAPES = st.lists(SIDES, max_size=4).map(tuple).filter(lambda shape: math.prod(side or 1 for side in shape) < 2**62)
DTYPES = st.sampled_from(all_dtypes())


@st.composite
def entries(draw) -> Entry:
    dtype, shape = draw(DTYPES), draw(SHAPES)
    fitting = math.prod(shape) * dtype.size_bytes
    size = draw(st.just(fitting) | NUMBERS) if fitting < 2**62 else draw(NUMBERS)
    return Entry(dtype, shape, draw(st.integers(0, 99_998)), draw(NUMBERS), size, draw(CRCS))


@st.composite
def slices(draw) -> tuple[tuple[int, ...], tuple[TensorSlice, ...]]:
    shape = tuple(draw(st.lists(st.integers(1, 300), max_size=3)))
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        starts = [draw(st.integers(0, size - 1)) for size in shape]
        whole = (0, -1)
        parts.append(
            TensorSlice(
                tuple(draw(st.sampled_from([whole, (start, draw(st.integers(1, size - start)))])) for start, size in zip(starts, shape, strict=True))
            )
        )
    return shape, tuple(parts)


def proto_of(entry: Entry) -> BundleEntryProto:
    proto = BundleEntryProto(dtype=entry.dtype.enum, shard_id=entry.shard, offset=entry.offset, size=entry.size_bytes, crc32c=entry.crc)
    proto.shape.SetInParent()
    for size in entry.shape:
        proto.shape.dim.add(size=size)
    proto.slices.extend(part.to_proto() for part in entry.slices)
    return proto


# ---- writing


@given(entries())
def test_written_as_protobuf_writes_it(entry: Entry) -> None:
    assert encode_entry(entry) == proto_of(entry).SerializeToString(deterministic=True)


@given(slices(), CRCS)
def test_partitioned_written_as_protobuf_writes_it(shape_and_parts, crc: int) -> None:
    shape, parts = shape_and_parts
    entry = Entry(FLOAT, shape, 0, 0, 0, crc, parts)
    assert encode_entry(entry) == proto_of(entry).SerializeToString(deterministic=True)
    assert decode_entry(encode_entry(entry), "x") == entry


@given(st.lists(entries(), max_size=6))
def test_columns_are_written_as_each_one_is(rows: list[Entry]) -> None:
    columns = EntryColumns.of(rows)
    assert encode_entries(columns) == [encode_entry(entry) for entry in rows]
    assert [columns.entry(number) for number in range(len(rows))] == rows


@given(st.integers(1, 2**31 - 1))
def test_header_is_written_as_protobuf_writes_it(count: int) -> None:
    proto = BundleHeaderProto(num_shards=count, endianness=BundleHeaderProto.LITTLE)
    proto.version.producer = 1
    expected = proto.SerializeToString(deterministic=True)
    assert encode_header(count) == expected


# ---- reading


def assert_same(values: list[bytes]) -> None:
    """Columns say what entries say one by one, and are plain only where nothing is amiss."""
    columns, is_plain = decode_entries(values)
    assert len(columns.dtypes) == len(columns.shapes) == len(columns.shards) == len(is_plain) == len(values)
    for number in np.flatnonzero(is_plain).tolist():
        entry = decode_entry(values[number], "x")
        check_size(entry, "x")
        assert columns.entry(number) == entry
        assert not entry.slices
        assert not entry.dtype.is_string


@given(st.lists(entries(), max_size=6))
def test_columns_are_read_as_each_one_is(rows: list[Entry]) -> None:
    values = [encode_entry(entry) for entry in rows]
    assert_same(values)
    for entry, value in zip(rows, values, strict=True):
        assert decode_entry(value, "x") == entry


def test_the_usual_form_is_plain() -> None:
    """The fast path is taken where it should be, whatever stands beside it."""
    fast = [Entry(FLOAT, shape, shard, 2**40 * shard, 4 * int(np.prod(shape)), 7) for shape in [(), (3,), (0, 5), (300, 2)] for shard in (0, 3)]
    slow = [
        Entry(from_name("string"), (1,), 0, 0, 9, 7),
        Entry(FLOAT, (2,), 0, 0, 8, 0),
        Entry(FLOAT, (2,), 0, 0, 9, 7),
        Entry(FLOAT, (2, 2), 0, 0, 0, 7, (TensorSlice.parse("0,1:-"),)),
        Entry(from_name("resource"), (), 0, 0, 0, 7),
    ]
    values = [encode_entry(entry) for entry in [*slow, *fast, *slow]] + [
        b"",
        b"\x08",
        b"\x12",
        encode_entry(fast[0])[:-1],
        encode_entry(fast[0]) + b"\0",
    ]
    columns, is_plain = decode_entries(values)
    assert is_plain.tolist() == [False] * 5 + [True] * 8 + [False] * 10
    assert [columns.entry(number + 5) for number in range(8)] == fast


def test_a_size_is_held_exactly_though_no_float_tells_it() -> None:
    entry = Entry(from_name("uint8"), (2**53,), 0, 0, 2**53 + 1, 7)
    assert decode_entries([encode_entry(entry)])[1].tolist() == [False]
    assert decode_entries([encode_entry(Entry(from_name("uint8"), (2**53 + 1,), 0, 0, 2**53 + 1, 7))])[1].tolist() == [True]


def _padded(number: int) -> bytes:
    """A varint that is a byte longer than it need be."""
    encoded = encode_varint(number)
    return encoded[:-1] + bytes([encoded[-1] | 128, 0])


HEAD = encode_head(1, (2, 3))
FIELDS = {
    "dtype": b"\x08\x01",
    "dtype twice": b"\x08\x02\x08\x01",
    "dtype float, padded": b"\x08" + _padded(1),
    "dtype reference": b"\x08\x65",
    "dtype unknown": b"\x08\x63",
    "shape": HEAD[2:],
    "shape in two parts": b"\x12\x04\x12\x02\x08\x02" + b"\x12\x04\x12\x02\x08\x03",
    "shape with names": b"\x12\x0b\x12\x05\x08\x02\x12\x01a" + b"\x12\x02\x08\x03",
    "shape with a zero written out": b"\x12\x04\x12\x02\x08\x00",
    "shape without rank": b"\x12\x02\x18\x01",
    "shape with a negative size": b"\x12\x0d\x12\x0b\x08" + encode_varint(2**64 - 1),
    "shard": b"\x18\x05",
    "shard 0": b"\x18\x00",
    "shard past 31 bits": b"\x18" + encode_varint(2**32 + 5),
    "shard negative": b"\x18" + encode_varint(2**64 - 1),
    "offset": b"\x20" + encode_varint(1000),
    "offset padded": b"\x20" + _padded(1000),
    "offset huge": b"\x20" + encode_varint(2**63 - 1),
    "offset negative": b"\x20" + encode_varint(2**64 - 5),
    "offset of 11 bytes": b"\x20" + b"\x80" * 10 + b"\x01",
    "size": b"\x28" + encode_varint(24),
    "size padded": b"\x28" + _padded(24),
    "size huge": b"\x28" + encode_varint(2**63 - 1),
    "crc": b"\x35" + struct.pack("<I", 0xDEADBEEF),
    "crc 0": b"\x35\0\0\0\0",
    "crc cut short": b"\x35\1\2",
    "slice": b"\x3a\x04\x0a\x00\x0a\x00",
    "unknown varint": b"\x78\x01",
    "unknown bytes": b"\x7a\x03abc",
    "unknown group": b"\x7b\x08\x01\x7c",
}


@settings(max_examples=200)
@given(
    st.lists(
        st.lists(st.sampled_from(sorted(FIELDS)), max_size=8).map(lambda names: b"".join(FIELDS[name] for name in names)), min_size=1, max_size=5
    )
)
@example([HEAD + FIELDS["offset padded"] + FIELDS["size padded"] + FIELDS["crc 0"]])
@example([HEAD + FIELDS["shard 0"] + FIELDS["offset"] + FIELDS["size"] + FIELDS["crc"]])
@example([HEAD + FIELDS["shard past 31 bits"] + FIELDS["size"] + FIELDS["crc"]])
@example([HEAD + FIELDS["offset of 11 bytes"] + FIELDS["size"] + FIELDS["crc"]])
@example([HEAD + b"\x20" + b"\x80" * 9 + b"\x28\x18" + FIELDS["crc"]])  # the offset's tenth byte looks like the size's tag
@example([HEAD + FIELDS["offset"] + FIELDS["size"] + b"\x35", b"\0\0\0\0"])
def test_any_fields_in_any_order(values: list[bytes]) -> None:
    columns, is_plain = decode_entries(values)
    for number, value in enumerate(values):
        try:
            entry = decode_entry(value, "x")
            check_size(entry, "x")
        except DataLossError:
            assert not is_plain[number]
        else:
            assert not is_plain[number] or columns.entry(number) == entry


@given(entries(), st.data())
def test_mutated_entries_are_read_alike_or_refused(entry: Entry, data) -> None:
    value = bytearray(encode_entry(entry))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(value) - 1))
        if data.draw(st.booleans()):
            value[at] = data.draw(st.integers(0, 255))
        else:
            del value[at]
            if not value:
                break
    test_any_fields_in_any_order.hypothesis.inner_test([bytes(value), encode_entry(entry)])


@given(st.binary(max_size=40))
@example(b"\x12" * 40)
@example(b"\x08\x01\x12\xff")
@example(b"\x08\x01\x12\x7f" + b"\x12\x7d\x08" + b"\xff" * 124)
def test_hostile_bytes_raise_only_our_errors(value: bytes) -> None:
    try:
        entry = decode_entry(value, "'a' in 'x.index'")
        check_size(entry, "'a' in 'x.index'")
    except GPersistError as error:
        assert "'a' in 'x.index'" in error.message
    assert_same([value, value + value])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (HEAD + FIELDS["shard negative"], "shard -1, byte 0, 0 bytes: out of range"),
        (HEAD + FIELDS["offset negative"], "byte -5"),
        (HEAD + FIELDS["offset huge"] + FIELDS["size huge"], "out of range"),
        (FIELDS["dtype unknown"], "99 is no DataType"),
        (FIELDS["shape"], "0 is no DataType"),
        (FIELDS["dtype"] + FIELDS["shape without rank"], "rank is unknown"),
        (FIELDS["dtype"] + FIELDS["shape with a negative size"], "negative"),
        (encode_head(1, (2**62, 4)), "overflows 63 bits"),
        (encode_head(1, (1,) * 255), "255 dimensions"),
        (HEAD + FIELDS["crc cut short"], "expected a serialised tensorflow.BundleEntryProto"),
        (HEAD + b"\x3a\x06\x0a\x04\x08\x01\x10\x00", "slice extent 1,0"),
        (HEAD + b"\x3a\x06\x0a\x04\x08\x01\x10\x02", "has 1 dimensions, shape"),
        (encode_head(1, (2,)) + b"\x3a\x06\x0a\x04\x08\x01\x10\x02", "is out of bounds of shape"),
    ],
)
def test_what_is_wrong_is_told(value: bytes, message: str) -> None:
    with pytest.raises(DataLossError, match=f"'a' in 'x.index'.*{message}"):
        decode_entry(value, "'a' in 'x.index'")


@pytest.mark.parametrize(
    ("dtype", "shape", "size", "fits"),
    [
        ("float32", (2, 3), 24, True),
        ("float32", (2, 3), 23, False),
        ("float32", (2, 3), 0, False),
        ("float32", (0, 3), 0, True),
        ("float32", (), 4, True),
        ("int4", (3,), 3, True),
        ("complex128", (1,), 16, True),
        ("string", (), 5, True),
        ("string", (), 4, False),
        ("string", (3,), 6, False),
        ("string", (3,), 7, True),
        ("string", (2**62,), 100, False),
        ("string", (0,), 0, True),
        ("string", (0,), 4, True),
    ],
)
def test_sizes_are_held_against_shapes(dtype: str, shape: tuple[int, ...], size: int, fits: bool) -> None:
    entry = Entry(from_name(dtype), shape, 0, 0, size, 1)
    if fits:
        check_size(entry, "x")
    else:
        with pytest.raises(DataLossError, match=r"x: .*the index is damaged"):
            check_size(entry, "x")


def test_a_partitioned_tensors_own_entry_has_no_size() -> None:
    check_size(Entry(FLOAT, (4,), 0, 0, 0, 0, (TensorSlice.parse("0,4"),)), "x")


# ---- the header


def test_header_is_read_back() -> None:
    for count in (0, 1, 99_999):
        assert decode_header(encode_header(count), "'x.index'") == count


def _header(**fields: object) -> bytes:
    return BundleHeaderProto(num_shards=1, **fields).SerializeToString()


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (_header(endianness=BundleHeaderProto.BIG), UnimplementedError, "big-endian"),
        (_header(version={"producer": 9, "min_consumer": 2}), UnimplementedError, "bundle version 9, for readers of version 2 and later"),
        (_header(version={"producer": 1, "bad_consumers": [1]}), UnimplementedError, "must not read it"),
        (BundleHeaderProto(num_shards=-1).SerializeToString(), DataLossError, "-1 shards"),
        (BundleHeaderProto(num_shards=100_000).SerializeToString(), DataLossError, "100000 shards"),
        (b"\xff", DataLossError, "expected a serialised tensorflow.BundleHeaderProto"),
    ],
)
def test_headers_refused(value: bytes, kind: type[GPersistError], message: str) -> None:
    with pytest.raises(kind, match=f"'x.index'.*{message}"):
        decode_header(value, "'x.index'")


def test_a_newer_writer_that_readers_may_follow() -> None:
    assert decode_header(_header(version={"producer": 2, "min_consumer": 1}), "x") == 1


def test_every_dtype_by_number() -> None:
    for dtype in all_dtypes():
        assert decode_entry(encode_entry(Entry(dtype, (), 0, 0, 0, 0)), "x").dtype is from_enum(dtype.enum)
