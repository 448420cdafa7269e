import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gpersist.bundle.slices import TensorSlice
from gpersist.bundle.v1_values import MAX_VALUE_BYTES, check_size, check_writes, decode_value, encode_value
from gpersist.dtypes import all_dtypes, from_name, from_numpy
from gpersist.errors import DataLossError, InvalidArgumentError, UnimplementedError
from gpersist.protos import SavedTensorSlices

DTYPES = runpy.run_path(str(Path(__file__).parents[1] / "golden" / "bundle" / "values.py"))["DTYPES"]
WRITTEN = {from_numpy(array.dtype).name for array in DTYPES.values()}
PART = TensorSlice.full(1)


def encode(array):
    dtype = from_numpy(array.dtype)
    return encode_value("x", PART, dtype, array.ravel().tolist() if dtype.is_string else array)


@pytest.mark.parametrize("name", sorted(WRITTEN - {"string"}))
@settings(max_examples=20)
@given(data=st.data())
def test_every_bit_survives(name, data):
    dtype = from_name(name)
    size = dtype.size_bytes
    raw = data.draw(st.binary(max_size=40 * size).map(lambda raw: raw[: len(raw) // size * size]))
    array = np.frombuffer(bytes(byte & 1 for byte in raw) if name == "bool" else raw, dtype.numpy)
    found = decode_value(encode(array), dtype, len(array), "x")
    assert found.dtype == array.dtype
    assert found.tobytes() == array.tobytes()


@given(hnp.arrays(object, st.integers(0, 9), elements=st.binary(max_size=200), fill=st.nothing()))
def test_strings_survive(array):
    assert decode_value(encode(array), from_name("string"), len(array), "x").tolist() == array.tolist()


def test_many_blocks_of_varints():
    array = np.arange(-100_000, 100_000, 3, dtype=np.int64) ** 3
    assert np.array_equal(decode_value(encode(array), from_name("int64"), len(array), "x"), array)


def test_protobuf_reads_what_is_written():
    array = np.array([-1, 0, 300], np.int16)
    message = SavedTensorSlices.FromString(encode_value("имя", TensorSlice.parse("2,3"), from_name("int16"), array))
    assert message.data.name == "имя"
    assert TensorSlice.from_proto(message.data.slice, "x") == TensorSlice.parse("2,3")
    assert list(message.data.data.int_val) == [-1, 0, 300]


@pytest.mark.parametrize(
    ("name", "field", "values"),
    [("uint32", "uint32_val", [0, 2**32 - 1]), ("uint64", "uint64_val", [0, 2**63, 2**64 - 1])],
)
def test_dtypes_that_tensorflow_only_reads(name, field, values):
    message = SavedTensorSlices()
    getattr(message.data.data, field).extend(values)
    assert decode_value(message.SerializeToString(), from_name(name), len(values), "x").tolist() == values
    with pytest.raises(UnimplementedError, match=f"x: a V1 checkpoint cannot hold {name}, only float32, .*V2"):
        check_writes(from_name(name), "x")


@pytest.mark.parametrize("dtype", [d for d in all_dtypes() if d.name not in WRITTEN | {"uint32", "uint64"}], ids=str)
def test_dtypes_that_v1_has_not(dtype):
    with pytest.raises(UnimplementedError):
        check_writes(dtype, "x")
    with pytest.raises(UnimplementedError, match=f"hold no {dtype.name}"):
        decode_value(b"", dtype, 0, "x")


def test_elements_in_several_chunks_and_unpacked_are_joined_as_protobuf_joins_them():
    chunks = b"\x3a\x02\x01\x02" + b"\x38\x03" + b"\x3a\x01\x04"  # int_val: packed, not packed, packed
    value = b"\x12\x08\x1a\x06" + chunks[:6] + b"\x12\x05\x1a\x03" + chunks[6:]
    assert list(SavedTensorSlices.FromString(value).data.data.int_val) == [1, 2, 3, 4]
    assert decode_value(value, from_name("int8"), 4, "x").tolist() == [1, 2, 3, 4]
    unpacked = b"\x12\x07\x1a\x05\x2d" + np.float32(1.5).tobytes()
    assert decode_value(unpacked, from_name("float32"), 1, "x").tolist() == [1.5]


@pytest.mark.parametrize(
    ("value", "name", "count", "says"),
    [
        (b"", "int32", 1, "expected 1 elements, found 0"),
        (b"\x12\x05\x1a\x03\x3a\x01\x07", "int32", 2**40, "expected 1099511627776 elements, found 1"),
        (b"\x12\x05\x1a\x03\x2a\x01\x07", "float32", 1, "expected 1 elements, found 0.25"),
        (b"\x12\x06\x1a\x04\x3a\x02\xac\x02", "uint8", 1, "300 is no uint8"),
        (b"\x12\x0f\x1a\x0d\x3a\x0b" + b"\xff" * 10 + b"\x01", "int32", 1, "does not end within 10 bytes"),
        (b"\x12\x06\x1a\x04\x3a\x02\x01\xff", "int32", 1, "does not end within 10 bytes"),
        (b"\x12\x05\x1a\x03\x3a\x7f\x07", "int32", 1, "field 7 needs 127 bytes, found 1"),
        (b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "int32", 1, "field 2 needs 18446744073709551615 bytes"),
        (b"\x13", "int32", 0, "field 2 has wire type 3"),
        (b"\x80", "int32", 0, "varint"),
        (b"\x09\0", "int32", 0, "field 1 needs 8 bytes, found 1"),
        (b"\x12\x04\x1a\x02\x42\x00", "string", 2, "expected 2 elements, found 1"),
    ],
)
def test_hostile_bytes_are_refused(value, name, count, says):
    with pytest.raises(DataLossError, match=says):
        decode_value(value, from_name(name), count, "x")


def test_limit_is_tensorflows():
    count = (MAX_VALUE_BYTES - 1024 - 3 - 4) // 4  # name: 3 bytes; slice: 4; header: 1024
    check_size("x", PART, from_name("float32"), count, 0, "x")
    with pytest.raises(InvalidArgumentError, match="holds at most 2147483648 bytes a slice"):
        check_size("x", PART, from_name("float32"), count + 1, 0, "x")
    with pytest.raises(InvalidArgumentError):
        check_size("x", PART, from_name("string"), 1, MAX_VALUE_BYTES, "x")
