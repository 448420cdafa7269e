"""Bytes and text to messages: real files come back whole, hostile ones are refused."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpersist import protos
from gpersist.errors import DataLossError

MODELS = Path(os.environ.get("GPERSIST_MODELS", Path(__file__).parents[2] / ".." / "shared" / "models"))
KINDS = {"saved_model.pb": "SavedModel", "fingerprint.pb": "FingerprintDef", "graph.pb": "GraphDef"}
REAL = sorted(path for path in MODELS.rglob("*") if path.name in KINDS or path.suffix == ".meta")
REAL_OR_SKIP = REAL or [pytest.param(None, marks=pytest.mark.skip(reason=f"no model files in {MODELS}: set GPERSIST_MODELS"))]


def read(path: Path):
    return protos.parse(getattr(protos, KINDS.get(path.name, "MetaGraphDef")), path.read_bytes(), str(path))


def sample():
    """A MetaGraphDef of a few hundred bytes with every kind of field: strings, maps, oneofs, nested messages, packed numbers, an Any."""
    meta = protos.MetaGraphDef(meta_info_def={"tensorflow_version": "1.15.0", "tags": ["serve"]})
    node = meta.graph_def.node.add(name="v", op="VariableV2", device="/device:GPU:0")
    node.attr["shape"].shape.dim.add(size=-1, name="é")
    node.attr["value"].tensor.CopyFrom(
        protos.TensorProto(dtype=protos.DataType.DT_FLOAT, float_val=[1.5, float("inf"), -0.0], tensor_content=b"\0\xff")
    )
    node.attr["funcs"].list.func.add(name="f")
    meta.collection_def["steps"].int64_list.value.extend([0, -1, 2**63 - 1])
    meta.collection_def["assets"].any_list.value.add().Pack(protos.AssetFileDef(filename="a"))
    meta.saver_def.version = protos.SaverDef.V2
    return meta


def nested(depth: int) -> bytes:
    """StructuredValue in StructuredValue, as lists, `depth` messages deep."""
    data = b""
    for level in range(depth):
        tag = b"\x9a\x03" if level % 2 else b"\x0a"  # StructuredValue.list_value, ListValue.values
        data = tag + varint(len(data)) + data
    return data


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


# ---- real files


@pytest.mark.parametrize("path", REAL_OR_SKIP, ids=lambda path: path and f"{path.relative_to(MODELS).parts[0]}-{path.name}")
def test_real_files_come_back_whole(path):
    message, size_bytes = read(path), path.stat().st_size
    assert message.ByteSize() == size_bytes
    canonical = message.SerializeToString(deterministic=True)
    assert len(canonical) == size_bytes
    again = protos.parse(type(message), canonical, "again")
    assert again == message
    assert again.SerializeToString(deterministic=True) == canonical
    message.DiscardUnknownFields()
    assert message.ByteSize() == size_bytes, "the schema lacks fields that this file has"


@pytest.mark.parametrize("path", REAL_OR_SKIP, ids=lambda path: path and f"{path.relative_to(MODELS).parts[0]}-{path.name}")
def test_real_files_come_back_from_text(path):
    if path.stat().st_size > 150_000:
        pytest.skip("protobuf reads a megabyte of text in seconds")
    message = read(path)
    text = protos.to_text(message)
    again = protos.parse_text(type(message), text, "again")
    assert protos.to_text(again) == text
    if "serving_signatures" not in text:  # an Any of a map: its bytes may be sorted otherwise
        assert again == message


def test_text_of_a_session_bundle_shows_what_its_any_hold():
    path = MODELS / "serving_session_bundle_v1" / "export.meta"
    if not path.is_file():
        pytest.skip(f"no {path}: set GPERSIST_MODELS")
    text = protos.to_text(read(path))
    assert "[type.googleapis.com/tensorflow.serving.Signatures] {" in text
    assert "[type.googleapis.com/tensorflow.serving.AssetFile] {" in text


# ---- bytes


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_every_kind_of_buffer_is_read(kind):
    assert protos.parse(protos.VersionDef, kind(b"\x08\x03"), "x").producer == 3


def test_fields_from_the_future_are_kept():
    data = protos.VersionDef(producer=3).SerializeToString() + b"\xfa\x3f\x01x"
    assert protos.parse(protos.VersionDef, data, "x").SerializeToString() == data


@pytest.mark.parametrize(
    "data",
    [
        b"\x0a",
        b"\x0a\xff\xff\xff\xff\x0f",
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
        b"\x0a\x05\x0a\x03\xff\xfe\xfd",
        b"\x0b" * 100_000,
        b"\x0c",
        b"\x00\x00",
        b"\x07",
    ],
    ids=[
        "no length",
        "length over 4 GiB",
        "length of 2**62",
        "varint of 11 bytes",
        "bad UTF-8",
        "groups in groups",
        "end of no group",
        "field 0",
        "wire type 7",
    ],
)
def test_hostile_bytes_are_refused(data):
    with pytest.raises(DataLossError, match=r"^'a\.meta': expected a serialised tensorflow\.GraphDef, found \d+ bytes that are none \(") as caught:
        protos.parse(protos.GraphDef, data, "'a.meta'")
    assert len(str(caught.value)) < 600


def test_nesting_is_limited():
    within = protos.parse(protos.StructuredValue, nested(90), "x")
    within.DiscardUnknownFields()
    assert within.ByteSize() == len(nested(90))
    with pytest.raises(DataLossError):
        protos.parse(protos.StructuredValue, nested(200), "x")
    with pytest.raises(DataLossError):
        protos.parse(protos.StructuredValue, nested(20_000), "x")


def test_a_file_cut_anywhere_is_refused_or_a_whole_prefix():
    data = sample().SerializeToString()
    refused = 0
    for size in range(len(data)):
        try:
            assert protos.parse(protos.MetaGraphDef, data[:size], "x").ByteSize() <= size
        except DataLossError:
            refused += 1
    assert refused > len(data) * 0.9


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_mutated_bytes_raise_nothing_else(data):
    mutated = bytearray(sample().SerializeToString(deterministic=True))
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    try:
        message = protos.parse(protos.MetaGraphDef, mutated, "x")
    except DataLossError:
        return
    try:
        protos.to_text(message)
    except DataLossError as error:
        assert "google.protobuf.Any" in str(error)


# ---- text


def test_text_round_trip():
    meta = sample()
    text = protos.to_text(meta)
    assert "[type.googleapis.com/tensorflow.AssetFileDef] {" in text
    assert protos.parse_text(protos.MetaGraphDef, text, "x") == meta
    assert protos.parse_text(protos.MetaGraphDef, text.encode(), "x") == meta


def test_checkpoint_state_reads_as_tensorflow_writes_it():
    text = 'model_checkpoint_path: "m-2"\nall_model_checkpoint_paths: "m-1"\nall_model_checkpoint_paths: "m-2"\n'
    state = protos.parse_text(protos.CheckpointState, text, "'checkpoint'")
    assert list(state.all_model_checkpoint_paths) == ["m-1", "m-2"]
    assert protos.to_text(state) == text


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('model_checkpoint_path: "a"\n  shards: 3\n', "line 2, column 3"),
        ("model_checkpoint_path: 3", "line 1, column 24"),
        ('model_checkpoint_path: "a', "line 1, column 24"),
        ('model_checkpoint_path: "\\377"', "line 1, column "),
        ("last_preserved_timestamp: x", "line 1, column 27"),
        ("{}", "line 1, column 1"),
        ("a" * 1_000_000, "line 1, column 1"),
    ],
)
def test_bad_text_is_refused_with_its_place(text, where):
    with pytest.raises(DataLossError, match="^'checkpoint', " + where) as caught:
        protos.parse_text(protos.CheckpointState, text, "'checkpoint'")
    assert len(str(caught.value)) < 600
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", [b"\xff\xfe", "list_value { values { " * 10_000], ids=["not UTF-8", "deep"])
def test_text_without_a_place_is_refused_too(text):
    with pytest.raises(DataLossError, match=r"^'x': expected a tensorflow\.StructuredValue as text, found something else"):
        protos.parse_text(protos.StructuredValue, text, "'x'")


@pytest.mark.filterwarnings("ignore:invalid (octal )?escape")  # Python says so of escapes that protobuf takes
@settings(max_examples=50, deadline=None)
@given(st.data())
def test_mutated_text_raises_nothing_else(data):
    text = protos.to_text(sample())
    at = data.draw(st.integers(0, len(text)))
    inserted = data.draw(
        st.text(max_size=3) | st.sampled_from(["{", "}", "[", "]", '"', "'", "\\", "\\x", "\\u", "<", ":", "#", "-", "9" * 400, "\n", "\0"])
    )
    text = text[:at] + inserted + text[at + data.draw(st.integers(0, 3)) :]
    try:
        protos.parse_text(protos.MetaGraphDef, text, "x")
    except DataLossError as error:
        assert str(error).startswith("x")


def test_an_any_of_damaged_bytes_has_no_text():
    meta = protos.MetaGraphDef()
    meta.meta_info_def.any_info.type_url = "type.googleapis.com/tensorflow.GraphDef"
    meta.meta_info_def.any_info.value = b"\xff"
    with pytest.raises(DataLossError, match=r"^tensorflow\.MetaGraphDef: a google\.protobuf\.Any in it"):
        protos.to_text(meta)


def test_an_any_of_unknown_type_stays_as_it_is():
    meta = protos.MetaGraphDef()
    meta.meta_info_def.any_info.type_url = "type.googleapis.com/somebody.Elses"
    meta.meta_info_def.any_info.value = b"\xff"
    assert protos.parse_text(protos.MetaGraphDef, protos.to_text(meta), "x") == meta


def test_any_within_any_without_end_is_refused():
    inner = protos.MetaGraphDef().meta_info_def.any_info
    for _ in range(2000):
        outer = type(inner)()
        outer.Pack(inner)
        inner = outer
    with pytest.raises(DataLossError):
        protos.to_text(inner)
