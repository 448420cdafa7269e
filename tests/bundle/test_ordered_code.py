import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpersist.bundle.ordered_code import decode_slice_key, encode_slice_key
from gpersist.bundle.slices import FULL_EXTENT, TensorSlice, parse_shape_and_slice
from gpersist.errors import DataLossError
from gpersist.table import TableReader

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"
VALUES = runpy.run_path(str(GOLDEN / "values.py"))

extents = st.just(FULL_EXTENT) | st.integers(0, 2**63 - 2).flatmap(lambda start: st.tuples(st.just(start), st.integers(1, 2**63 - 1 - start)))
slices = st.lists(extents, max_size=5).map(lambda e: TensorSlice(tuple(e)))
names = st.binary(max_size=20).map(lambda name: name.decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(("file", "written"), [("slices_v1", VALUES["SLICED"]), ("slices_v2.index", VALUES["SLICED"] + VALUES["SLICED_V2_ONLY"])])
def test_keys_are_tensorflows(file, written):
    table = TableReader.from_bytes((GOLDEN / file).read_bytes(), file)
    found = {key for key, _ in table.items() if key.startswith(b"\0")}
    expected = [(name.decode("utf-8", "surrogateescape"), parse_shape_and_slice(text)[1]) for name, text, _ in written]
    assert found == {encode_slice_key(*item) for item in expected}
    assert sorted(map(str, expected)) == sorted(str(decode_slice_key(key, file)) for key in found)


@given(names, slices)
def test_key_round_trip(name, part):
    assert decode_slice_key(encode_slice_key(name, part), "x") == (name, part)


@given(st.lists(st.tuples(names, slices), min_size=2, max_size=2))
def test_order_of_keys_is_that_of_names_and_extents(pair):
    def order(item):
        name, part = item
        return name.encode("utf-8", "surrogateescape"), part.rank, part.extents

    assert sorted(pair, key=order) == sorted(pair, key=lambda item: encode_slice_key(*item))


@given(names, slices, st.data())
def test_mutated_key_is_refused_or_is_another_key(name, part, data):
    key = bytearray(encode_slice_key(name, part))
    at = data.draw(st.integers(0, len(key)))
    key[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    try:
        found = decode_slice_key(bytes(key), "x")
    except DataLossError:
        return
    assert encode_slice_key(*found) == key


@pytest.mark.parametrize("key", [b"", b"\0", b"a", b"\0a", b"\0a\0\x01", b"\0a\0\x01\x02\x00\x01\x80\x7f", b"\0a\0\x01\x01\x00", b"\0a\0\x01\x00x"])
def test_what_is_no_key_is_refused(key):
    with pytest.raises(DataLossError, match="is not that of a slice"):
        decode_slice_key(key, "x")
