"""Meta graphs: against protobuf's own encoding, against files that TensorFlow wrote, against TensorFlow itself, against hostile bytes."""

import json
import math
import os
import pathlib
import subprocess
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import gpersist
from gpersist import dtypes
from gpersist.checkpoint.meta import VariableInfo, decode_devices, decode_variables, encode_meta
from gpersist.errors import DataLossError
from gpersist.protos import MetaGraphDef, VariableDef

ROOT = pathlib.Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "meta"
MODELS = pathlib.Path(os.environ.get("GPERSIST_MODELS", ROOT.parent / "shared" / "models"))
FLOAT32 = dtypes.from_name("float32")

NOT_ASSIGNED = ("float8", "float4", "int4", "int2", "uint4", "uint2", "qint16")
STORABLE = [dtype for dtype in dtypes.all_dtypes() if dtype.numpy is not None]
DEVICES = ["", "/device:GPU:0", "/device:CPU:0", "/job:worker/replica:0/task:37/device:GPU:3", "/device:100%b", "/device:é:0"]

names = st.one_of(
    st.text("ab._/->:% é\udcff\n", max_size=8),
    st.integers(1, 40000).map(lambda count: "long/" + "%b"[:count] + "x" * count),
)
arrays = st.tuples(
    st.sampled_from(STORABLE), st.lists(st.sampled_from([0, 1, 37, 128, 2**40, 2**62]), max_size=4).map(tuple), st.sampled_from(DEVICES)
)


def encode(entries):
    kinds, shapes, devices = zip(*entries.values(), strict=True) if entries else ((), (), ())
    return encode_meta(list(entries), kinds, shapes, devices)


def slowly(entries, node_names):
    """The same meta graph through protobuf's messages."""
    meta = MetaGraphDef()
    meta.graph_def.versions.producer = 134
    for (name, (dtype, shape, device)), node_name in zip(entries.items(), node_names, strict=True):
        node = meta.graph_def.node.add(name=node_name, op="VariableV2", device=device)
        node.attr["dtype"].type = dtype.enum
        node.attr["shape"].shape.SetInParent()
        for size in shape:
            node.attr["shape"].shape.dim.add(size=size)
        if node_name != name:
            node.attr["_gpersist_name"].s = name.encode("utf-8", "surrogateescape")
        elif not dtype.name.startswith(NOT_ASSIGNED):
            variable = VariableDef(variable_name=name + ":0", initializer_name=name, snapshot_name=name + ":0", trainable=True)
            meta.collection_def["variables"].bytes_list.value.append(variable.SerializeToString())
    return meta


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(names, arrays, max_size=6))
@example({})
@example({"a b": (FLOAT32, (2,), ""), "a:b": (FLOAT32, (), "/device:GPU:0"), "renamed/a_b": (FLOAT32, (), ""), "": (FLOAT32, (), "")})
def test_templates_equal_protobuf_and_devices_come_back(entries):
    data = encode(entries)
    found = MetaGraphDef.FromString(data)
    node_names = [node.name for node in found.graph_def.node]
    assert len(set(node_names)) == len(entries)
    expected = slowly(entries, node_names)
    expected.meta_info_def.CopyFrom(found.meta_info_def)
    assert found == expected
    assert found.meta_info_def.stripped_op_list.op[0].name == "VariableV2"
    assert decode_devices(data, "x.meta") == {name: device for name, (_, _, device) in entries.items()}
    if all(shape_is_possible(shape) for _, shape, _ in entries.values()):
        assert decode_variables(data, "x.meta") == {name: VariableInfo(*entry) for name, entry in entries.items()}


def shape_is_possible(shape):
    return math.prod(size or 1 for size in shape) < 2**63


def test_names_that_tensorflow_takes_are_left_as_they_are():
    plain = ["a", "0/a.b-c>d", ".x", "a//b", "a/", "Save/x_"]
    strange = ["", "_a", "-a", "/a", "a b", "a:0", "^a", "é", "a\\b", "a\n"]
    found = MetaGraphDef.FromString(encode(dict.fromkeys(plain + strange, (FLOAT32, (), ""))))
    node_names = [node.name for node in found.graph_def.node]
    assert node_names[: len(plain)] == plain
    assert all(name.startswith("renamed/") for name in node_names[len(plain) :])


@pytest.mark.parametrize("case", ["renamed", "colocated", "partitioned", "v1"])
def test_devices_in_files_of_tensorflow(case):
    expected = json.loads((GOLDEN / "devices.json").read_text())["devices"][case]
    found = decode_devices((GOLDEN / f"{case}.meta").read_bytes(), case)
    assert {name: found[name] for name in expected} == expected


VARIABLES = {
    "renamed": {"a": ([4], "/device:GPU:1"), "b": ([4], "/device:GPU:0"), "model/c": ([4], "/job:worker/task:1/device:GPU:2")},
    "colocated": dict.fromkeys(["slot", "slot_of_slot", "weights"], ([4], "/device:GPU:3")) | {"nowhere": ([4], "")},
    "partitioned": {"ref": ([6, 2], "/gpu:1"), "resource": ([6, 2], "/gpu:1")},
    "v1": {"x": ([4], "/device:CPU:0"), "z": ([4], "/device:GPU:1")},
}


@pytest.mark.parametrize("case", list(VARIABLES))
def test_variables_in_files_of_tensorflow(case):
    """Each once, as the file's own Saver calls it; partitioned ones as wholes."""
    found = decode_variables((GOLDEN / f"{case}.meta").read_bytes(), case)
    assert found == {name: VariableInfo(FLOAT32, tuple(shape), device) for name, (shape, device) in VARIABLES[case].items()}


def test_variables_are_what_the_checkpoint_beside_the_file_holds():
    prefix = GOLDEN.parent / "four_gpus" / "model"
    expected = json.loads(prefix.with_name("devices.json").read_text())["devices"]
    found = decode_variables(prefix.with_suffix(".meta").read_bytes(), "x")
    with gpersist.open(prefix) as reader:
        assert list(found) == reader.names()
        assert found == {name: VariableInfo(stored.dtype, stored.shape, expected[name]) for name, stored in reader.items()}
        assert reader.devices == expected


def test_variables_of_other_savers_count_where_there_is_no_own_one():
    meta = MetaGraphDef.FromString((GOLDEN / "renamed.meta").read_bytes())
    meta.saver_def.filename_tensor_name = "another/Const:0"
    assert list(decode_variables(meta.SerializeToString(), "x")) == ["misleading"]
    meta.ClearField("saver_def")
    assert list(decode_variables(meta.SerializeToString(), "x")) == ["a", "b", "misleading", "model/c"]


def test_shapes_that_a_graph_does_not_know():
    meta = MetaGraphDef()
    for name, sizes in (("a", [2, -1]), ("b", [2, 3]), ("c", [])):
        attributes = meta.graph_def.node.add(name=name, op="VarHandleOp").attr
        attributes["dtype"].type = 1
        attributes["shape"].shape.unknown_rank = name == "c"
        for size in sizes:
            attributes["shape"].shape.dim.add(size=size)
    meta.graph_def.node.add(name="d", op="VariableV2").attr["dtype"].type = 101  # a reference
    found = decode_variables(meta.SerializeToString(), "x")
    assert found == {name: VariableInfo(FLOAT32, shape, "") for name, shape in (("a", None), ("b", (2, 3)), ("c", None), ("d", None))}


@pytest.mark.parametrize(("enum", "sizes", "words"), [(99, [2], "99 is no DataType"), (1, [-2], "dimension -2"), (1, [2**40, 2**40], "overflows")])
def test_variables_that_make_no_sense(enum, sizes, words):
    meta = MetaGraphDef()
    attributes = meta.graph_def.node.add(name="odd", op="VariableV2").attr
    attributes["dtype"].type = enum
    for size in sizes:
        attributes["shape"].shape.dim.add(size=size)
    with pytest.raises(DataLossError, match=f"variable 'odd' in 'x.meta': .*{words}"):
        decode_variables(meta.SerializeToString(), "'x.meta'")


def test_the_own_saver_of_a_file_wins_over_others_in_it():
    meta = MetaGraphDef.FromString((GOLDEN / "renamed.meta").read_bytes())
    for node in meta.graph_def.node:
        if node.name == "another/SaveV2/tensor_names":
            node.attr["value"].tensor.string_val[0] = b"b"
        if node.name == "another/SaveV2":
            node.input[3] = "b"
    assert decode_devices(meta.SerializeToString(), "x")["b"] == "/device:GPU:0"
    meta.saver_def.filename_tensor_name = "another/Const:0"
    assert decode_devices(meta.SerializeToString(), "x")["b"] == "/device:GPU:1"


def test_shared_name_of_a_handle_is_a_name_too():
    meta = MetaGraphDef()
    meta.graph_def.node.add(name="v_1", op="VarHandleOp", device="/gpu:1").attr["shared_name"].s = b"v"
    assert decode_devices(meta.SerializeToString(), "x") == {"v_1": "/gpu:1", "v": "/gpu:1"}
    meta.graph_def.node.add(name="v", op="VariableV2", device="/gpu:2")
    assert decode_devices(meta.SerializeToString(), "x")["v"] == "/gpu:2"


@pytest.mark.skipif(not MODELS.is_dir(), reason=f"no folder of real models at {MODELS} (GPERSIST_MODELS)")
def test_real_files():
    found = {path.parent.name: decode_devices(path.read_bytes(), path.name) for path in MODELS.glob("*/*.meta")}
    if not found:
        pytest.skip(f"{MODELS} holds no .meta")
    for case, devices in found.items():
        recorded = MODELS / case / "vars.json"
        if recorded.exists():
            assert set(json.loads(recorded.read_text())) <= set(devices), case


def test_cycles_and_dangling_names_end():
    meta = MetaGraphDef()
    for name, other in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "c"), ("e", "gone"), ("f", "f"), ("g", "placed")):
        meta.graph_def.node.add(name=name, op="VariableV2").attr["_class"].list.s.append(b"loc:@" + other.encode())
    meta.graph_def.node.add(name="placed", op="Const", device="/gpu:5")
    meta.graph_def.node.add(name="i", op="Identity", input=["j"])
    meta.graph_def.node.add(name="j", op="Identity", input=["i"])
    constant = meta.graph_def.node.add(name="names", op="Const").attr["value"].tensor
    constant.string_val.extend([b"x", b"y", b"z", b"\xff"])
    meta.graph_def.node.add(name="save", op="SaveV2", input=["prefix", "names", "slices", "i", "gone", "placed", "g:0"])
    meta.graph_def.node.add(name="save2", op="SaveV2", input=["prefix"])
    meta.graph_def.node.add(name="save3", op="SaveV2", input=["prefix", "i", "slices", "g"])
    expected = dict.fromkeys("abcdef", "") | {"g": "/gpu:5", "\udcff": "/gpu:5"}
    assert decode_devices(meta.SerializeToString(), "x") == expected


def test_long_chains_take_linear_time():
    meta = MetaGraphDef()
    count = 5000
    for index in range(count):
        meta.graph_def.node.add(name=f"v{index}", op="VariableV2").attr["_class"].list.s.append(b"loc:@v%d" % (index + 1))
    for index in range(count):
        meta.graph_def.node.add(name=f"i{index}", op="Identity", input=[f"i{index + 1}"])
    meta.graph_def.node.add(name="names", op="Const").attr["value"].tensor.string_val.extend([b"x"] * count)
    meta.graph_def.node.add(name="save", op="SaveV2", input=["p", "names", "s", *(f"i{index}" for index in range(count))])
    started = time.process_time()
    assert len(decode_devices(meta.SerializeToString(), "x")) == count
    assert time.process_time() - started < 2  # 25 million steps would take far longer


@pytest.mark.parametrize("data", [b"\xff" * 20, b"\x0a\xff\xff\xff\xff\x0f", b"\x12\x03\x0a\x01\x0a", b"<html>", b"\x12\x05\x0a\x03\x0a\x01\xff"])
def test_bytes_that_are_no_meta_graph(data):
    with pytest.raises(DataLossError, match=r"'broken\.meta'"):
        decode_devices(data, "'broken.meta'")


def test_a_file_of_text_is_not_called_damaged():
    with pytest.raises(DataLossError, match=r"'m\.meta' is protobuf's text format, .* without as_text$"):
        decode_devices(b'meta_info_def {\n  tags: "serve"\n}\n', "'m.meta'")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_files_give_an_answer_or_an_error(data):
    damaged = bytearray((GOLDEN / data.draw(st.sampled_from(["v1.meta", "renamed.meta", "colocated.meta"]))).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    del damaged[data.draw(st.integers(0, 4 * len(damaged))) :]
    try:
        assert all(isinstance(device, str) for device in decode_devices(bytes(damaged), "x").values())
        assert all(isinstance(variable, VariableInfo) for variable in decode_variables(bytes(damaged), "x").values())
    except DataLossError:
        pass


IMPORT = """
import os, sys, json
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np, tensorflow as tf
v1 = tf.compat.v1
v1.disable_v2_behavior()
folder, names, kinds, assigned = sys.argv[1], *map(json.loads, sys.argv[2:])
def value(kind):
    return np.array([b"a", b"b"], object) if kind == "string" else np.array([1, 2]).astype(tf.as_dtype(kind).as_numpy_dtype)

values = {name: value(kind) for name, kind in zip(names, kinds)}
with v1.Graph().as_default(), v1.Session() as session:
    feeds = [v1.placeholder(tf.as_dtype(kind), [2]) for kind in kinds]
    save = tf.raw_ops.SaveV2(prefix=folder + "/x", tensor_names=names, shape_and_slices=[""] * len(names), tensors=feeds)
    session.run(save, dict(zip(feeds, values.values())))
for clear in (False, True):
    with v1.Graph().as_default() as graph, v1.Session(config=v1.ConfigProto(allow_soft_placement=not clear)) as session:
        saver = v1.train.import_meta_graph(folder + "/x.meta", clear_devices=clear)
        session.run(v1.global_variables_initializer())
        saver.restore(session, folder + "/x")
        for name in assigned:
            found, wanted = session.run(name + ":0"), values[name]
            assert found.tolist() == wanted.tolist() if wanted.dtype == object else found.tobytes() == wanted.tobytes(), name
        assert sorted(v.op.name for v in v1.global_variables()) == sorted(assigned)
        true_names = {op.get_attr("_gpersist_name") for op in graph.get_operations() if "_gpersist_name" in op.node_def.attr}
        assert true_names == {name.encode() for name in names if not name.startswith("n")}, true_names
        assert graph.get_operation_by_name("n0").device == ("" if clear else "/device:GPU:3")
        v1.train.export_meta_graph(folder + f"/again_{clear}.meta")
"""


@pytest.mark.interop
def test_tensorflow_imports_and_restores(tmp_path):
    """Every dtype, and names that TensorFlow takes for no node; then its own export of what it imported is read back."""
    python = os.environ.get("GPERSIST_TF_PYTHON")
    if not python:
        pytest.skip("GPERSIST_TF_PYTHON names no interpreter with TensorFlow")
    entries = {f"n{index}": (dtype, (2,), "/device:GPU:3") for index, dtype in enumerate(STORABLE)}
    assigned = [name for name, (dtype, _, _) in entries.items() if not dtype.name.startswith(NOT_ASSIGNED)]
    entries |= dict.fromkeys(["a b", "_a", "é", "a:0"], (FLOAT32, (2,), "/device:GPU:1"))
    (tmp_path / "x.meta").write_bytes(encode(entries))
    arguments = [list(entries), [dtype.name for dtype, _, _ in entries.values()], assigned]
    script = [python, "-c", IMPORT, str(tmp_path), *map(json.dumps, arguments)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr[-3000:]
    again = decode_devices((tmp_path / "again_False.meta").read_bytes(), "again")
    assert {name: again[name] for name in entries} == {name: device for name, (_, _, device) in entries.items()}
