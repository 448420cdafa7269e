import os
import runpy
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpersist.bundle.ordered_code import encode_slice_key
from gpersist.bundle.slices import TensorSlice
from gpersist.bundle.v1_reader import V1Reader
from gpersist.bundle.v1_writer import V1Writer
from gpersist.errors import DataLossError, GPersistError, InvalidArgumentError, NotACheckpointError, TensorNotFoundError, UnimplementedError
from gpersist.protos import SavedTensorSliceMeta, SavedTensorSlices, VersionDef
from gpersist.table import TableReader, build_table

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"
VALUES = runpy.run_path(str(GOLDEN / "values.py"))
MODELS = Path(os.environ.get("GPERSIST_MODELS", Path(__file__).parents[3] / "shared" / "models"))


def open_files(*paths):
    return V1Reader({path.name: TableReader.from_bytes(path.read_bytes(), path.name) for path in paths})


def open_entries(*files):
    return V1Reader({f"file{i}": TableReader.from_bytes(build_table(sorted(entries.items()))[0], f"file{i}") for i, entries in enumerate(files)})


def entries_of(add):
    pieces = []
    writer = V1Writer(pieces.append)
    add(writer)
    writer.finish()
    return dict(TableReader.from_bytes(b"".join(pieces), "x").items())


def assert_same(found, expected):
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    assert found.tolist() == expected.tolist() if found.dtype == object else found.tobytes() == expected.tobytes()
    assert found.flags.writeable
    assert found.flags.c_contiguous


@pytest.mark.parametrize("name", VALUES["DTYPES"])
def test_every_dtype_that_tensorflow_writes(name):
    reader = open_files(GOLDEN / "dtypes_v1")
    assert reader.names() == sorted(VALUES["DTYPES"])
    assert_same(reader.read(name), VALUES["DTYPES"][name])


@pytest.mark.parametrize("files", [["partitioned_v1"], ["sharded_v1-00000-of-00002", "sharded_v1-00001-of-00002"]], ids=["one", "sharded"])
def test_partitioned_variables_of_saver(files):
    reader = open_files(*(GOLDEN / file for file in files))
    assert reader.names() == ["columns", "rows", "whole"]
    assert [str(part) for part in reader.entry("rows").slices] == ["0,4:0,4", "4,3:0,4", "7,3:0,4"]
    for name, expected in VALUES["PARTITIONED"].items():
        assert reader.entry(name).shape == expected.shape
        assert_same(reader.read(name), expected)
    for text in ("-:-", "3,5:1,2", "0,1:-", "4,3:0,4", "9,1:3,1"):
        part = TensorSlice.parse(text)
        assert_same(reader.read("rows", part), np.ascontiguousarray(VALUES["PARTITIONED"]["rows"][part.region((10, 4))]))


def test_crossed_slices_and_a_tensor_of_which_little_is_there():
    reader = open_files(GOLDEN / "slices_v1")
    assert reader.read("cross").tolist() == [[0, 1, 2, 6, 7, 8], [3, 4, 5, 9, 10, 11], [12, 13, 14, 15, 16, 17], [18, 19, 20, 21, 22, 23]]
    assert reader.read("huge", TensorSlice.parse("63,2")).tolist() == [2, 3]
    assert reader.read("huge", TensorSlice.parse("8200,3")).tolist() == [9, 10, 11]
    with pytest.raises(DataLossError, match="9223372036854775731 of 9223372036854775807 elements are in no slice"):
        reader.read("huge")


def test_a_real_file_of_tensorflow_serving():
    path = MODELS / "serving_session_bundle_v1" / "export-00000-of-00001"
    if not path.exists():
        pytest.skip(f"no {path}; GPERSIST_MODELS names the folder of real models")
    reader = open_files(path)
    assert {name: reader.read(name).tolist() for name in reader.names()} == {"a": 0.5, "b": 2.0}


def test_what_is_not_there():
    reader = open_files(GOLDEN / "partitioned_v1")
    with pytest.raises(TensorNotFoundError, match="no tensor 'x' in 'partitioned_v1'; it holds 3 tensors"):
        reader.read("x")
    with pytest.raises(InvalidArgumentError, match="out of bounds"):
        reader.read("rows", TensorSlice.parse("8,4:-"))


def test_one_shard_of_two_says_what_is_missing():
    with pytest.raises(TensorNotFoundError):
        open_files(GOLDEN / "sharded_v1-00000-of-00002").read("whole")
    rows = np.arange(6, dtype=np.int32)
    shards = [entries_of(lambda writer, text=text: writer.add_slice("x", (6,), TensorSlice.parse(text), rows[:3])) for text in ("0,3", "3,3", "2,3")]
    assert open_entries(*shards[:2]).read("x").tolist() == [0, 1, 2, 0, 1, 2]
    with pytest.raises(DataLossError, match="3 of 6 elements are in no slice"):
        open_entries(shards[0]).read("x")
    with pytest.raises(DataLossError, match="slices overlap"):
        open_entries(*shards).read("x")


def test_shards_of_different_checkpoints_are_refused():
    shards = [
        entries_of(lambda writer, size=size: writer.add_slice("x", (size,), TensorSlice.parse("0,3"), np.zeros(3, np.int32))) for size in (6, 7)
    ]
    with pytest.raises(DataLossError, match=r"is of int32\[7\], in 'file0' of int32\[6\]"):
        open_entries(*shards)


def test_a_v2_index_is_no_v1_checkpoint():
    with pytest.raises(NotACheckpointError, match="a V2 index is opened by its prefix"):
        open_files(GOLDEN / "strings_v2.index")
    with pytest.raises(NotACheckpointError):
        open_entries({})


@pytest.mark.parametrize("versions", [{"min_consumer": 2}, {"bad_consumers": [1]}])
def test_a_future_version_is_refused(versions):
    message = SavedTensorSlices(meta=SavedTensorSliceMeta(versions=VersionDef(producer=2, **versions)))
    with pytest.raises(UnimplementedError, match=r"'file0' has checkpoint version 2.*a newer gpersist is needed"):
        open_entries({b"": message.SerializeToString()})


def hostile_meta(change):
    entries = entries_of(lambda writer: writer.add("x", np.zeros((2, 2), np.float32)))
    message = SavedTensorSlices.FromString(entries[b""])
    change(message.meta.tensor[0])
    return {**entries, b"": message.SerializeToString()}


def set_dim(size):
    return lambda meta: setattr(meta.shape.dim[0], "size", size)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (set_dim(-1), DataLossError, "dimension -1 is negative"),
        (set_dim(2**63 - 1), DataLossError, "overflows"),
        (set_dim(2**40), DataLossError, "expected 2199023255552 elements, found 4"),
        (set_dim(1), DataLossError, "expected 2 elements, found 4"),
        (lambda meta: setattr(meta, "type", 99), DataLossError, "99 is no DataType"),
        (lambda meta: setattr(meta, "type", 20), UnimplementedError, "hold no resource"),
        (lambda meta: setattr(meta, "type", 3), DataLossError, "expected 4 elements, found 0"),
        (lambda meta: setattr(meta, "name", "y"), DataLossError, "the metadata tell of it, but it is not there"),
        (lambda meta: meta.slice[0].extent.add(), DataLossError, "3 dimensions"),
        (lambda meta: setattr(meta.slice[0].extent[0], "length", 3), DataLossError, "out of bounds"),
        (lambda meta: setattr(meta.slice[0].extent[0], "start", -1), DataLossError, "slice extent -1,-1"),
        (lambda meta: meta.slice.add().CopyFrom(meta.slice[0]), DataLossError, "slices overlap"),
        (lambda meta: meta.ClearField("slice"), DataLossError, "4 of 4 elements are in no slice"),
    ],
)
def test_hostile_metadata(change, error, says):
    entries = hostile_meta(change)
    tracemalloc.start()
    try:
        with pytest.raises(error, match=says):
            reader = open_entries(entries)
            reader.read(reader.names()[0])
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_lie_among_several_slices_costs_nothing():
    entries = entries_of(
        lambda writer: [writer.add_slice("x", (2**38, 4), TensorSlice(((i * 2**36, 1), (0, 4))), np.zeros((1, 4), np.float32)) for i in range(4)]
    )
    message = SavedTensorSlices.FromString(entries[b""])
    for i, part in enumerate(message.meta.tensor[0].slice):
        part.extent[0].start, part.extent[0].length = i * 2**36, 2**36
        old, new = (TensorSlice(((i * 2**36, length), (0, 4))) for length in (1, 2**36))
        entries[encode_slice_key("x", new)] = entries.pop(encode_slice_key("x", old))
    entries[b""] = message.SerializeToString()
    with pytest.raises(DataLossError, match="expected 274877906944 elements, found 4"):
        open_entries(entries).read("x")


@settings(max_examples=150)
@given(st.sampled_from(["dtypes_v1", "slices_v1", "partitioned_v1"]), st.data())
def test_mutated_entries_give_our_errors_only(file, data):
    entries = list(TableReader.from_bytes((GOLDEN / file).read_bytes(), file).items())
    number = data.draw(st.integers(0, len(entries) - 1))
    key, value = entries[number]
    mutated = bytearray(value)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(mutated)))
        mutated[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=4))
    entries[number] = (key, bytes(mutated))
    tracemalloc.start()
    try:
        reader = open_entries(dict(entries))
        for name in reader.names():
            try:
                reader.read(name)
            except GPersistError:
                pass
    except GPersistError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 4 * 2**20


@settings(max_examples=50)
@given(st.sampled_from(["dtypes_v1", "slices_v1", "partitioned_v1"]), st.data())
def test_damaged_files_are_noticed(file, data):
    whole = (GOLDEN / file).read_bytes()
    damaged = bytearray(whole)
    at = data.draw(st.integers(0, len(damaged) - 1))
    damaged[at] ^= data.draw(st.integers(1, 255))
    try:
        reader = V1Reader({"x": TableReader.from_bytes(bytes(damaged), "x")})
        found = {name: [reader.read(name, part).tolist() for part in reader.entry(name).slices] for name in reader.names()}
    except GPersistError:
        return
    intact = V1Reader({"x": TableReader.from_bytes(whole, "x")})
    assert repr(found) == repr({name: [intact.read(name, part).tolist() for part in intact.entry(name).slices] for name in intact.names()})
