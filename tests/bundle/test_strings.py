import runpy
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gpersist.bundle import strings
from gpersist.errors import DataLossError, InvalidArgumentError
from gpersist.protos import BundleEntryProto
from gpersist.table import TableReader, crc32c, mask, unmask

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"
STRINGS = runpy.run_path(str(GOLDEN / "values.py"))["STRINGS"]
INDEX = dict(TableReader.from_bytes((GOLDEN / "strings_v2.index").read_bytes(), "strings_v2.index").items())
DATA = (GOLDEN / "strings_v2.data-00000-of-00001").read_bytes()

arrays = hnp.arrays(object, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4), elements=st.binary(max_size=140), fill=st.nothing())


@pytest.mark.parametrize("name", STRINGS)
def test_bytes_and_crc_are_tensorflows(name):
    entry = BundleEntryProto.FromString(INDEX[name.encode()])
    stored = DATA[entry.offset : entry.offset + entry.size]
    encoded, crc = strings.encode(STRINGS[name], name)
    assert encoded == stored
    assert mask(crc) == entry.crc32c
    shape = tuple(dim.size for dim in entry.shape.dim)
    found = strings.decode(stored, shape, unmask(entry.crc32c), name)
    assert found.shape == STRINGS[name].shape
    assert found.tolist() == STRINGS[name].tolist()


@given(arrays)
def test_round_trip(array):
    found = strings.decode(bytearray(strings.encode(array, "x")[0]), array.shape, strings.encode(array, "x")[1], "x")
    assert found.dtype == object
    assert found.shape == array.shape
    assert found.tolist() == array.tolist()


@given(arrays, st.data())
def test_mutated_bytes_are_noticed(array, data):
    encoded, crc = strings.encode(array, "x")
    mutated = bytearray(encoded)
    at = data.draw(st.integers(0, len(mutated)))
    mutated[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    if mutated != encoded:
        with pytest.raises(DataLossError):
            strings.decode(mutated, array.shape, crc, "x")


def test_lengths_past_32_bits_are_summed_as_64_bits_each():
    # Seen in a tensor of 2 and 4299161600 bytes that TensorFlow 2.21 wrote: only the one that needs 64 bits takes them.
    assert strings._crc_of_lengths([2, 4299161600]) == crc32c(struct.pack("<IQ", 2, 4299161600)) == unmask(0x7B60205D)


def test_every_kind_of_string_array_is_taken():
    expected = [b"a", "ж".encode()]
    for array in (
        np.array(["a", "ж"]),
        np.array(["a", "ж"], object),
        np.array(["a", "ж".encode()], object),
        np.array(["a", "ж"], np.dtypes.StringDType()),
        np.array(expected),
        np.array(["x", "a", "y", "ж"])[1::2],
    ):
        assert strings.elements(array, "x") == expected
    assert strings.elements(np.array([["a", "b"], ["c", "d"]]).T, "x") == [b"a", b"c", b"b", b"d"]


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.array([["a", "b"], ["c", 3]], object), r"tensor 'x': element \[1, 1\] is of type int"),
        (np.array(None, object), r"element \[\] is of type NoneType"),
        (np.array(["a", None], np.dtypes.StringDType(na_object=None)), r"element \[1\] is of type NoneType"),
        (np.array(["a", "\udcff"], object), r"element \[1\] is no UTF-8 text"),
    ],
)
def test_elements_that_are_no_strings_are_refused(array, says):
    with pytest.raises(InvalidArgumentError, match=says):
        strings.encode(array, "tensor 'x'")


@pytest.mark.parametrize(
    ("buffer", "shape", "says"),
    [
        (b"", (0,), "need at least 4 bytes, found 0"),
        (b"\0" * 8, (2**40, 2**20), "strings need at least"),
        (b"\xff" * 20, (2,), "varint"),
        (b"\x05" + struct.pack("<I", mask(crc32c(struct.pack("<I", 5)))) + b"abcd", (), "take 10 bytes, found 9"),
        (b"\x05" + struct.pack("<I", mask(crc32c(struct.pack("<I", 5)))) + b"abcdef", (), "take 10 bytes, found 11"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" + b"\0" * 90, (), "take 18446744073709551629 bytes, found 100"),
        (b"\x05" + struct.pack("<I", 5) + b"abcde", (), "crc32c of the strings' lengths"),
        (b"\x05" + struct.pack("<I", mask(crc32c(struct.pack("<I", 5)))) + b"abcde", (), "crc32c: expected 0x0000002a"),
    ],
)
def test_hostile_bytes_are_refused(buffer, shape, says):
    with pytest.raises(DataLossError, match=says):
        strings.decode(buffer, shape, 42, "x")


@pytest.mark.parametrize("shape", [(-1,), (2**40, 2**40)])
def test_hostile_shape_is_refused(shape):
    with pytest.raises(InvalidArgumentError):
        strings.decode(b"\0" * 8, shape, 0, "x")
