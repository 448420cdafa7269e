from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import gpersist
from gpersist import files, protos
from gpersist.bundle import TensorSlice
from gpersist.convert import convert, source_bytes
from gpersist.errors import (
    CheckpointNotFoundError,
    DataLossError,
    FileError,
    InvalidArgumentError,
    NotACheckpointError,
    TensorNotFoundError,
    UnimplementedError,
)
from gpersist.files import PosixFiles
from tests.convert.conftest import ARRAYS, DEVICES, same

FORMATS = {"v1": "to", "v2": "to", "safetensors": "to.safetensors", "npz": "to.npz"}


@pytest.mark.parametrize("second", FORMATS)
@pytest.mark.parametrize("first", FORMATS)
def test_each_to_each_and_back(prefix, tmp_path, first, second):
    one, two, back = tmp_path / "one" / FORMATS[first], tmp_path / "two" / FORMATS[second], tmp_path / "back"
    done = convert(prefix, one, to=first, durable=False)
    assert (done.source, done.source_format, done.target, done.format) == (prefix, "v2", str(one), first)
    assert (done.num_tensors, done.total_bytes) == (6, source_bytes(prefix))
    assert convert(one, two, to=second, durable=False).source_format == first
    convert(two, back, durable=False)
    assert same(back, ARRAYS)
    devices = gpersist.open(back).devices
    assert {name: device for name, device in devices.items() if "GPU" in device} == DEVICES
    assert not [name for folder in (one.parent, two.parent, tmp_path) for name in os.listdir(folder) if name.startswith(".")]


@pytest.mark.parametrize("to", FORMATS)
def test_the_target_is_whole_or_as_it_was(prefix, tmp_path, to):
    target = tmp_path / "there" / FORMATS[to]
    convert(prefix, target, to=to, rename=[("^", "old/")], durable=False)
    before = {name: (target.parent / name).read_bytes() for name in os.listdir(target.parent)}
    with open(prefix + ".data-00000-of-00001", "r+b") as data:
        data.seek(3)
        data.write(b"\xff")
    with pytest.raises(DataLossError, match=r"crc32c expected"):
        convert(prefix, target, to=to, durable=False)
    assert before == {name: (target.parent / name).read_bytes() for name in os.listdir(target.parent)}


def test_in_its_own_place(prefix):
    convert(prefix, prefix, rename={"^dense/": "layer/"}, durable=False)
    assert same(prefix, {name.replace("dense/", "layer/"): array for name, array in ARRAYS.items()})


@pytest.mark.slow
def test_of_any_size_in_little_memory(tmp_path):
    """Peak memory above what the program takes before: far less than the tensors' 192 MiB, and than a ring's 64 MiB."""
    half = np.ones((3 << 12, 1 << 11), np.float32)
    gpersist.save(
        tmp_path / "a",
        {"whole": half, "cut": gpersist.PartitionedArray((3 << 12, 1 << 11), [("0,6144:-", half[:6144]), ("6144,6144:-", half[6144:])])},
        durable=False,
    )
    program = """
import resource, sys
from gpersist.convert import convert
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for source, target in zip(sys.argv[1:], sys.argv[2:]):
    convert(source, target, durable=False)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""
    chain = [str(tmp_path / name) for name in ("a", "b.safetensors", "c.npz", "d", "e")]
    done = subprocess.run([sys.executable, "-c", program, *chain], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 32
    assert same(chain[-1], {"whole": half, "cut": half})


def test_partitioned_tensors_stay_so_in_checkpoints(tmp_path):
    whole = np.arange(24, dtype=np.int32).reshape(4, 6)
    parts = [("0,2:-", whole[:2]), ("2,2:0,3", whole[2:, :3]), ("2,2:3,3", whole[2:, 3:])]
    gpersist.save(tmp_path / "a", {"w": gpersist.PartitionedArray((4, 6), parts)}, durable=False)
    for name, to in (("b", "v2"), ("c", "v1"), ("d.safetensors", "safetensors"), ("e.npz", "npz")):
        convert(tmp_path / "a", tmp_path / name, to=to, durable=False)
    assert sorted(map(str, gpersist.open(tmp_path / "b")["w"].slices)) == sorted(str(TensorSlice.parse(text)) for text, _ in parts)
    for name in ("b", "c"):
        assert gpersist.open(tmp_path / name)["w"].read().tolist() == whole.tolist()
    assert np.load(tmp_path / "e.npz")["w"].tolist() == whole.tolist()
    convert(tmp_path / "d.safetensors", tmp_path / "f", durable=False)
    assert same(tmp_path / "f", {"w": whole})


def test_damaged_slices_do_not_go_through(tmp_path):
    whole = np.arange(24, dtype=np.int32).reshape(4, 6)
    gpersist.save(tmp_path / "a", {"w": gpersist.PartitionedArray((4, 6), [("0,2:-", whole[:2]), ("2,2:-", whole[2:])])}, durable=False)
    data = tmp_path / "a.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-1] + b"\7")
    for target in ("b", "c.safetensors", "d.npz"):
        with pytest.raises(DataLossError, match=r"'w'.* crc32c expected"):
            convert(tmp_path / "a", tmp_path / target, durable=False)
    assert sorted(os.listdir(tmp_path)) == ["a.data-00000-of-00001", "a.index", "a.meta"]


def test_names(prefix, tmp_path, caplog):
    done = convert(prefix, tmp_path / "b", rename=[(r"^dense/(\w+)$", r"layer/\1_0"), ("^(empty|flags)$", ""), ("nothing", "x")], durable=False)
    assert done.renamed == {"dense/bias": "layer/bias_0", "dense/kernel": "layer/kernel_0"}
    assert sorted(done.left_out) == ["empty", "flags"]
    assert gpersist.open(tmp_path / "b").names() == ["layer/bias_0", "layer/kernel_0", "step", "waves"]
    assert gpersist.open(tmp_path / "b").device("layer/kernel_0") == "/device:GPU:0"
    assert "'nothing' to 'x' meets no name" in caplog.text


def test_something_has_to_be_left(prefix, tmp_path):
    with pytest.raises(InvalidArgumentError, match="leave out all 6 tensors"):
        convert(prefix, tmp_path / "b", rename={".*": ""})


@pytest.mark.parametrize("rename", [[("dense/.*", "x")], [("^.*$", "all")], [("dense/bias", "dense/kernel")]], ids=str)
def test_names_that_collide_are_refused_before_anything_is_written(prefix, tmp_path, rename):
    with pytest.raises(InvalidArgumentError, match=r"those of several tensors; nothing is written:\n  '"):
        convert(prefix, tmp_path / "new" / "b", rename=rename)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("rule", [("(", "x"), ("(a)", r"\2"), ("a", r"\g<none>")])
def test_renamings_that_make_no_sense(prefix, tmp_path, rule):
    with pytest.raises(InvalidArgumentError, match="the renaming"):
        convert(prefix, tmp_path / "b", rename=[rule])


@pytest.mark.parametrize("target", ["b", "b.safetensors", "b.npz"])
def test_devices(prefix, tmp_path, target, caplog):
    def devices(**options):
        convert(prefix, tmp_path / target, durable=False, **options)
        convert(tmp_path / target, tmp_path / "again", durable=False)
        return {name: device for name, device in gpersist.open(tmp_path / "again").devices.items() if "CPU" not in device and device}

    assert devices() == DEVICES
    assert devices(clear_devices=True) == {}
    assert devices(devices="/gpu:3") == dict.fromkeys(ARRAYS, "/device:GPU:3")
    assert devices(devices={"dense/b*": "/gpu:5", "*b*": "/gpu:6"}) == DEVICES | {"dense/bias": "/device:GPU:5"}
    assert not caplog.records
    assert devices(devices={"/device:GPU:1": "/gpu:0"}) == DEVICES
    assert "is called '/device:GPU:1': keys are names of tensors" in caplog.text
    with pytest.raises(InvalidArgumentError, match="not both"):
        devices(clear_devices=True, devices="/gpu:0")
    with pytest.raises(InvalidArgumentError, match="/gpu:x"):
        devices(devices="/gpu:x")


def meta_of(prefix):
    return protos.MetaGraphDef.FromString(Path(f"{prefix}.meta").read_bytes())


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A checkpoint that a Saver wrote, with its graph; of both formats."""
    from gpersist import ops
    from gpersist.graph import Graph, Session
    from gpersist.train.saver import Saver

    monkeypatch.chdir(tmp_path)
    with Graph().as_default() as graph:
        with graph.device("/gpu:1"):
            v = ops.Variable([1.0, 2.0], name="v")
        ops.add(v, 1.0, name="sum")
        with Session(config=protos.ConfigProto(allow_soft_placement=True)) as sess:
            sess.run(ops.global_variables_initializer())
            Saver(write_version=1).save(sess, "./one")
            Saver().save(sess, "./two")
    return tmp_path


def test_the_graph_goes_along(trained):
    convert("two", "three", durable=False)
    assert meta_of("three") == meta_of("two")
    convert("two", "cleared", clear_devices=True, durable=False)
    assert {node.name for node in meta_of("cleared").graph_def.node} == {node.name for node in meta_of("two").graph_def.node}
    assert not any(node.device for node in meta_of("cleared").graph_def.node)
    convert("two", "moved", devices="/gpu:0", durable=False)
    devices = {node.name: node.device for node in meta_of("moved").graph_def.node}
    assert {devices[name] for name in ("v", "v/Assign", "v/read")} == {"/device:GPU:0"}
    assert devices["sum"] == ""
    convert("two", "renamed", rename={"v": "w"}, durable=False)
    assert [node.name for node in meta_of("renamed").graph_def.node] == ["w"]  # the graph's own names would be wrong


def test_what_takes_a_resource_variables_handle_follows_it(tmp_path, monkeypatch):
    """Read, assignment and initialisation name no colocation, and TensorFlow refuses to have them elsewhere than the handle."""
    import gpersist.compat.v1 as tf

    monkeypatch.chdir(tmp_path)
    with tf.Graph().as_default():
        with tf.device("/job:ps/task:0/cpu:0"):
            v = tf.get_variable("v", [2], use_resource=True)
            tf.get_variable("w", [2], use_resource=True)
            handle = tf.identity(v.handle, name="handle")
            tf.raw_ops.ReadVariableOp(resource=handle, dtype=tf.float32, name="far")
            tf.identity(v, name="value")
        saver = tf.train.Saver()
        with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as session:
            session.run(tf.global_variables_initializer())
            saver.save(session, "./two")
    convert("two", "moved", devices={"v": "gpu:1"}, durable=False)
    devices = {node.name: node.device for node in meta_of("moved").graph_def.node}
    moved = {name for name, device in devices.items() if device == "/device:GPU:1"}
    assert moved == {
        *("v", "v/Assign", "v/Read/ReadVariableOp", "v/IsInitialized/VarIsInitializedOp", "handle", "far", "save/AssignVariableOp"),
        *(name for name in devices if name.startswith("v/Initializer")),
    }


def test_from_v1_its_saver_stays_behind(trained):
    from gpersist.graph import Graph, Session
    from gpersist.train.meta_graph import import_meta_graph

    convert("one", "new", durable=False)
    assert not meta_of("new").HasField("saver_def")
    with Graph().as_default(), Session(config=protos.ConfigProto(allow_soft_placement=True)) as sess:
        saver = import_meta_graph("new.meta")
        saver.restore(sess, "./new")
        assert sess.run("sum:0").tolist() == [2.0, 3.0]
        saver.save(sess, "./newer")
    convert("new", "old", to="v1", durable=False)
    assert meta_of("old").graph_def == meta_of("one").graph_def


def test_texts_beside_the_tensors_stay(tmp_path, prefix):
    from gpersist.convert.checkpoints import CheckpointFile
    from gpersist.convert.safetensors import SafetensorsFile, write_safetensors

    with CheckpointFile(prefix) as file:
        write_safetensors(str(tmp_path / "a.safetensors"), file.tensors, {"format": "tf"}, in_order=False, durable=False, on_progress=None)
    convert(tmp_path / "a.safetensors", tmp_path / "b.safetensors", rename={"dense": "x"}, durable=False)
    assert SafetensorsFile(str(tmp_path / "b.safetensors")).metadata["format"] == "tf"


def test_strings(tmp_path):
    words = {"words": np.array([[b"one", b""], [b"\xff\xfe", b"three"]], object), "none": np.zeros((0,), object), "x": np.float32(1)}
    gpersist.save(tmp_path / "a", words, durable=False)
    convert(tmp_path / "a", tmp_path / "b.npz", durable=False)
    assert np.load(tmp_path / "b.npz")["words"].tolist() == words["words"].tolist()
    convert(tmp_path / "b.npz", tmp_path / "c", to="v1", durable=False)
    convert(tmp_path / "c", tmp_path / "d", durable=False)
    assert same(tmp_path / "d", words)
    with pytest.raises(UnimplementedError, match=r"safetensors cannot hold 2 of the 3 tensors:\n  'none': it has no string\n  'words'"):
        convert(tmp_path / "a", tmp_path / "e.safetensors")
    assert convert(tmp_path / "a", tmp_path / "e.safetensors", rename={"^(words|none)$": ""}, durable=False).num_tensors == 1
    for bad, said in {"nul": "ends in a NUL", "long": "all of them as long"}.items():
        array = np.array([b"x\0"] if bad == "nul" else [b"y" * (1 << 20)] + [b""] * 100, object)
        gpersist.save(tmp_path / "f", {bad: array}, durable=False)
        with pytest.raises(InvalidArgumentError, match=said):
            convert(tmp_path / "f", tmp_path / "g.npz", durable=False)
    assert "g.npz" not in os.listdir(tmp_path)


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "int4", "float4_e2m1fn"])
def test_types_that_numpy_lacks(tmp_path, name):
    array = np.arange(4).astype(getattr(ml_dtypes, name)).reshape(2, 2)
    gpersist.save(tmp_path / "a", {"x": array}, durable=False)
    convert(tmp_path / "a", tmp_path / "b.npz", durable=False)
    assert np.load(tmp_path / "b.npz")["x"].tobytes() == array.tobytes()
    convert(tmp_path / "b.npz", tmp_path / "c", durable=False)
    assert same(tmp_path / "c", {"x": array})


def test_quantised_types(tmp_path):
    array = np.array([(1,), (2,)], [("qint8", np.int8)])
    gpersist.save(tmp_path / "a", {"x": array}, durable=False)
    for target in ("b.npz", "c", "d"):
        convert(tmp_path / ("b.npz" if target == "c" else "a"), tmp_path / target, to="v1" if target == "d" else None, durable=False)
    assert same(tmp_path / "c", {"x": array}) and same(tmp_path / "d", {"x": array})
    with pytest.raises(UnimplementedError, match="it has no qint8"):
        convert(tmp_path / "a", tmp_path / "e.safetensors")


def test_types_that_v1_lacks(tmp_path):
    gpersist.save(tmp_path / "a", {"x": np.zeros(2, ml_dtypes.bfloat16)}, durable=False)
    with pytest.raises(UnimplementedError, match="no V1 checkpoint has bfloat16"):
        convert(tmp_path / "a", tmp_path / "b", to="v1")
    assert "b" not in os.listdir(tmp_path)


def test_what_is_named(prefix, tmp_path):
    """A folder, a checkpoint's files, and an index as the target; files by what is in them, whatever their names are."""
    assert convert(os.path.dirname(prefix), tmp_path / "b.index", durable=False).target == str(tmp_path / "b")
    for suffix in (".safetensors", ".npz"):
        convert(prefix + ".index", tmp_path / f"c{suffix}", durable=False)
        os.rename(tmp_path / f"c{suffix}", tmp_path / "plain")
        assert convert(tmp_path / "plain", tmp_path / "d", durable=False).source_format == suffix[1:]
    with pytest.raises(CheckpointNotFoundError):
        convert(tmp_path / "nothing", tmp_path / "e")
    with pytest.raises(CheckpointNotFoundError):
        convert(tmp_path / "nothing.npz", tmp_path / "e")
    (tmp_path / "x.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(NotACheckpointError, match="HDF5"):
        convert(tmp_path / "x.h5", tmp_path / "e")
    for source, target, to in ((None, "e", None), (prefix, None, None), (prefix, tmp_path / "e", "v3"), (prefix, "", None)):
        with pytest.raises(InvalidArgumentError):
            convert(source, target, to=to)


@pytest.mark.parametrize("target", ["b", "b.safetensors", "b.npz"])
def test_a_full_disk_leaves_nothing(prefix, tmp_path, target):
    class Full(PosixFiles):
        def pwritev(self, *arguments):
            raise FileError("cannot write: no room")

    (tmp_path / "into").mkdir()
    with files.substituted(Full()), pytest.raises(FileError, match="no room"):
        convert(prefix, tmp_path / "into" / target)
    assert os.listdir(tmp_path / "into") == []


def test_progress(prefix, tmp_path):
    for target in ("b", "b.safetensors", "b.npz"):
        seen = []
        convert(prefix, tmp_path / target, durable=False, on_progress=seen.append)
        assert sum(seen) == source_bytes(prefix)


def test_stored_arrays_are_saved_again_without_being_read_before(prefix, tmp_path):
    """What all of it rests on: `StoredTensor.pull`."""
    with gpersist.open(prefix) as reader:
        pulled = {name: reader[name].pull() for name in reader}
        assert np.asarray(pulled["dense/kernel"]).tolist() == ARRAYS["dense/kernel"].tolist()
        gpersist.save(tmp_path / "b", {name: reader[name].pull() for name in reader}, durable=False)
        handle = gpersist.save_async(tmp_path / "c", {name: reader[name].pull() for name in reader})
        handle.result()
        with pytest.raises(TensorNotFoundError):
            reader["x"].pull()
    assert same(tmp_path / "b", ARRAYS) and same(tmp_path / "c", ARRAYS)
