"""What a Saver does beyond TensorFlow's: saves that nobody waits for, devices, errors that tell everything, partial restores."""

from __future__ import annotations

import logging
import os
import re
import threading
import time

import numpy as np
import pytest

from gpersist import checkpoint, files, ops, protos
from gpersist.devices import use_virtual
from gpersist.errors import DataLossError, InvalidArgumentError, NotFoundError, UnimplementedError
from gpersist.files import PosixFiles
from gpersist.graph import Graph, Session, apply_op
from gpersist.train.saver import Saver
from gpersist.train.saver_plan import plan_restore, plan_save


@pytest.fixture(autouse=True)
def graph(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Graph().as_default() as graph:
        yield graph


def initialised() -> Session:
    sess = Session()
    sess.run(ops.global_variables_initializer())
    return sess


class SlowFiles(PosixFiles):
    """Files whose writes wait until somebody lets them."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def pwritev(self, *arguments):
        self.go.wait(100)
        return super().pwritev(*arguments)


def test_a_save_in_the_background_has_the_values_of_the_call() -> None:
    v = ops.Variable(np.arange(1000, dtype=np.float32), name="v")
    w = ops.Variable(1.0, name="w", use_resource=True)
    saver = Saver()
    sess = initialised()
    slow = SlowFiles()
    with files.substituted(slow):
        handle = saver.save(sess, "d/m", global_step=1, blocking=False)
        sess.run([v.assign_add(np.ones(1000, np.float32)), w.assign(5.0)])
        sess.run(v.assign(np.zeros(1000, np.float32)))
        assert not handle.done()
        assert not os.path.exists("d/checkpoint")
        slow.go.set()
        assert handle.result(100).prefix == "d/m-1"
    assert saver.last_checkpoints == ["d/m-1"]
    assert sorted(os.listdir("d")) == ["checkpoint", "m-1.data-00000-of-00001", "m-1.index", "m-1.meta"]
    assert sess.run(v).sum() == 0
    saver.restore(sess, "d/m-1")
    assert sess.run(v).tolist() == list(range(1000))
    assert sess.run(w) == 1.0


def test_a_save_in_the_background_copies_nothing_and_lets_go() -> None:
    v = ops.Variable(np.zeros(1 << 18, np.float32), name="v")
    saver = Saver()
    sess = initialised()
    buffer = sess.variables.find("v")
    assert buffer is not None
    before = buffer.read().__array_interface__["data"]
    saver.save(sess, "./m", blocking=False).result(100)
    sess.run(v.assign_add(np.ones(1 << 18, np.float32)))
    assert buffer.read().__array_interface__["data"] == before


def test_the_caller_is_held_for_a_moment() -> None:
    variables = [ops.Variable(np.zeros(100, np.float32), name=f"v{number}") for number in range(200)]
    saver = Saver(variables)
    sess = initialised()
    saver.save(sess, "./m", blocking=False).result(100)
    spans = []
    for _ in range(5):
        slow = SlowFiles()
        with files.substituted(slow):
            started = time.thread_time()
            handle = saver.save(sess, "./m", blocking=False)
            spans.append(time.thread_time() - started)
            slow.go.set()
            handle.result(100)
    assert min(spans) < 0.02  # half a millisecond where it was measured


def test_what_fails_in_the_background_is_raised_by_the_next_call() -> None:
    ops.Variable(1.0, name="v")
    saver = Saver()
    sess = initialised()
    os.mkdir("d")
    os.mkdir("d/m.index")  # in the way of the commit
    handle = saver.save(sess, "d/m", blocking=False)
    handle.exception(100)
    with pytest.raises(type(handle.exception())):
        saver.save(sess, "./other")
    saver.save(sess, "./other")
    handle = saver.save(sess, "d/m", blocking=False)
    with pytest.raises(type(handle.exception(100))):
        handle.result(100)
    saver.save(sess, "./other")  # once is enough


@pytest.mark.parametrize("options", [{"write_version": 1}, {"write_version": 1, "sharded": True}, {"sharded": True}])
def test_other_formats_in_the_background(options) -> None:
    v = ops.Variable([1.0, 2.0], name="v")
    saver = Saver(**options)
    sess = initialised()
    saver.save(sess, "./m", blocking=False).result(100)
    (path,) = saver.last_checkpoints
    sess.run(v.assign([0.0, 0.0]))
    saver.restore(sess, path)
    assert sess.run(v).tolist() == [1.0, 2.0]


def test_durable_waits_for_the_disk() -> None:
    ops.Variable(1.0, name="v")
    saver = Saver()
    sess = initialised()

    class Counting(PosixFiles):
        count = 0

        def fsync(self, *arguments):
            self.count += 1
            super().fsync(*arguments)

    counting = Counting()
    with files.substituted(counting):
        saver.save(sess, "./m")
        assert counting.count == 0
        saver.save(sess, "./n", durable=True)
        assert counting.count >= 3  # data, index, .meta


def test_all_mismatches_come_in_one_error_and_nothing_changes() -> None:
    ops.Variable([1.0, 2.0], name="weights/kernel")
    ops.Variable(3, name="step")
    ops.Variable([4.0], name="bias")
    sess = initialised()
    Saver().save(sess, "./m")
    with Graph().as_default():
        good = ops.Variable([9.0], name="bias")
        ops.Variable([0.0, 0.0], name="weights/kernal")
        ops.Variable([1.0, 2.0, 3.0], name="weights/kernel")
        ops.Variable(3.0, name="step")
        sess = initialised()
        with pytest.raises(NotFoundError) as caught:
            Saver().restore(sess, "./m")
        text = str(caught.value)
        assert type(caught.value) is NotFoundError
        assert "3 of 4 tensors" in text
        assert "Key weights/kernal not found in checkpoint; did you mean 'weights/kernel'" in text
        assert "Assign requires shapes of both tensors to match. lhs shape= [3] rhs shape= [2]" in text
        assert "tensor_name = step; expected dtype float does not equal original dtype int32" in text
        assert sess.run(good).tolist() == [9.0]


def test_partial(caplog: pytest.LogCaptureFixture) -> None:
    ops.Variable([1.0, 2.0], name="a")
    Saver().save(initialised(), "./m")
    with Graph().as_default():
        a, b = ops.Variable([9.0, 9.0], name="a"), ops.Variable(7, name="b")
        sess = initialised()
        with caplog.at_level(logging.WARNING, "gpersist"):
            Saver().restore(sess, "./m", partial=True)
        assert [sess.run(v).tolist() for v in (a, b)] == [[1.0, 2.0], 7]
        assert "passed over 1 of 2 tensors:\n  Key b not found" in caplog.text


def test_restoring_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    ops.Variable(1.0, name="v")
    saver = Saver()
    sess = initialised()
    path = saver.save(sess, "./m")
    with caplog.at_level(logging.INFO, "gpersist"):
        saver.restore(sess, path)
    assert ("gpersist", logging.INFO, "Restoring parameters from ./m") in caplog.record_tuples


def test_damage_initialises_nothing() -> None:
    ops.Variable(np.zeros(10_000, np.float32), name="a")
    ops.Variable(1.0, name="b")
    saver = Saver()
    saver.save(initialised(), "./m")
    with open("m.data-00000-of-00001", "r+b") as file:
        file.seek(-2, os.SEEK_END)
        file.write(b"\xff")
    sess = Session()
    with pytest.raises(DataLossError):
        saver.restore(sess, "./m")
    assert all(not buffer.is_initialized for buffer in sess.variables._buffers.values())


# ---- devices


def on_devices() -> dict[str, ops.Variable]:
    found = {}
    for name, device in (("a", "/gpu:0"), ("b", "/device:GPU:1"), ("c", "/cpu:0"), ("d", "")):
        with Graph.device(ops.constant(0).graph, device or None):
            found[name] = ops.Variable(np.full(3, ord(name), np.float32), name=name)
    return found


def test_a_shard_a_device() -> None:
    with use_virtual(2):
        variables = on_devices()
        saver = Saver(sharded=True)
        sess = initialised()
        saver.save(sess, "./m")
        assert sorted(path for path in os.listdir() if "data" in path) == [f"m.data-0000{number}-of-00004" for number in range(4)]
        with checkpoint.CheckpointReader("m") as reader:
            assert {name: reader[name].entry.shard for name in reader} == {"d": 0, "c": 1, "a": 2, "b": 3}
        fresh = Session()
        saver.restore(fresh, "./m")
        for name, variable in variables.items():
            assert fresh.run(variable).tolist() == [ord(name)] * 3
            buffer = fresh.variables.find(name)
            assert buffer is not None
            assert buffer.device.owns(buffer.read())
        assert [fresh.device_of(v).name for v in variables.values()] == ["/device:GPU:0", "/device:GPU:1", "/device:CPU:0", "/device:GPU:0"]


def test_a_device_that_is_not_here() -> None:
    with use_virtual(1):
        on_devices()
        saver = Saver()
        ops.constant(1.0)
        with pytest.raises(InvalidArgumentError, match=r"Cannot assign a device .* wanted '/device:GPU:1' .*device_map"):
            saver.restore(Session(), _saved_elsewhere())


def _saved_elsewhere() -> str:
    checkpoint.save("m", {name: np.full(3, ord(name), np.float32) for name in "abcd"}, write_meta=False)
    return "./m"


@pytest.mark.parametrize(
    ("device_map", "places"),
    [
        ({"b": "/gpu:0"}, ["GPU:0", "GPU:0", "CPU:0", "GPU:0"]),
        ({"b": "/cpu:0", "d": "/cpu:0"}, ["GPU:0", "CPU:0", "CPU:0", "CPU:0"]),
        ({"*": "/cpu:0"}, ["CPU:0"] * 4),
        ({"/gpu:1": "/gpu:0"}, ["GPU:0", "GPU:0", "CPU:0", "GPU:0"]),
        ("single", ["GPU:0"] * 4),
        ("/cpu:0", ["CPU:0"] * 4),
    ],
)
def test_device_map(device_map, places) -> None:
    with use_virtual(1):
        variables = on_devices()
        doubled = variables["b"] * 2.0
        saver = Saver()
        sess = Session()
        saver.restore(sess, _saved_elsewhere(), device_map=device_map)
        assert [sess.device_of(v).name for v in variables.values()] == [f"/device:{place}" for place in places]
        for name, place in zip("abcd", places, strict=True):
            buffer = sess.variables.find(name)
            assert buffer is not None
            assert buffer.device.name == f"/device:{place}"
            assert buffer.device.owns(buffer.read())
        assert sess.run(doubled).tolist() == [ord("b") * 2.0] * 3
        sess.run(variables["b"].assign_add([1.0, 1.0, 1.0]))
        assert sess.run(variables["b"]).tolist() == [ord("b") + 1.0] * 3


def test_a_device_map_moves_values_that_are_there() -> None:
    with use_virtual(2):
        variables = on_devices()
        saver = Saver([variables["a"]])
        sess = initialised()
        path = saver.save(sess, "./m")
        saver.restore(sess, path, device_map={"a": "/gpu:1"})
        assert sess.device_of(variables["a"]).name == "/device:GPU:1"
        sess.run(variables["a"].assign([5.0, 6.0, 7.0]))
        assert sess.run([variables["a"], variables["b"]])[0].tolist() == [5.0, 6.0, 7.0]


def test_a_device_map_that_fails_changes_nothing() -> None:
    with use_virtual(2):
        variables = on_devices()
        sess = initialised()
        checkpoint.save("m", {"a": np.zeros(3, np.float32)}, write_meta=False)
        with pytest.raises(NotFoundError):
            Saver().restore(sess, "./m", device_map="/gpu:1")
        with pytest.raises(InvalidArgumentError, match="GPU:7"):
            Saver().restore(sess, "./m", device_map={"a": "/gpu:7"})
        assert sess.device_of(variables["a"]).name == "/device:GPU:0"
        assert [sess.run(v).tolist() for v in variables.values()] == [[ord(name)] * 3 for name in "abcd"]


def test_a_device_map_that_fails_tells_of_each_placement_once(caplog) -> None:
    with use_virtual(1):
        on_devices()  # one of them names GPU 1, which is not here
        saver = Saver()
        sess = Session(config=protos.ConfigProto(allow_soft_placement=True))
        sess.run(ops.global_variables_initializer())
        checkpoint.save("m", {"a": np.zeros(3, np.float32)}, write_meta=False)
        with pytest.raises(NotFoundError):
            saver.restore(sess, "./m", device_map={"c": "/gpu:0"})
    assert len([record for record in caplog.records if "GPU:1 is not here" in record.getMessage()]) == 1


@pytest.mark.parametrize(("device_map", "found"), [("blanced", "'blanced'"), ({"a": "gpu1"}, "placement of 'a': device string 'gpu1'")])
def test_a_device_map_that_is_none_is_no_mismatch(device_map, found) -> None:
    on_devices()
    with pytest.raises(InvalidArgumentError) as raised:
        Saver().restore(Session(), _saved_elsewhere(), device_map=device_map)
    assert found in str(raised.value)
    assert "mismatch" not in str(raised.value) and "Saver({" not in str(raised.value)


def test_nodes_of_two_devices_that_a_device_map_brings_together() -> None:
    """As the gradients of loops that follow each other on several GPUs, which TensorFlow colocates across them."""
    checkpoint.save("m", {name: np.zeros(1, np.float32) for name in "ab"}, write_meta=False)
    graph = ops.constant(0).graph
    with graph.device("/gpu:4"):
        ops.Variable([1.0], name="a")
        tensor = ops.constant(1.0)
    with graph.device("/gpu:5"):
        ops.Variable([1.0], name="b")
    with graph.colocate_with(tensor):
        ops.constant(2.0, name="c").op._set_device("/device:GPU:5")
    saver = Saver()
    with use_virtual(2):
        for device_map in (None, {"a": "/gpu:0", "b": "/gpu:1"}):
            with pytest.raises(InvalidArgumentError, match=r"Cannot colocate .*allow_soft_placement") as raised:
                saver.restore(Session(), "./m", device_map=device_map)
            assert "mismatch" not in str(raised.value)
        sess = Session()
        saver.restore(sess, "./m", device_map="/gpu:1")
        assert sess.device_of(tensor).name == "/device:GPU:1"
        assert sess.run("c:0") == 2.0


# ---- whose nodes are not a Saver's


def test_nodes_that_are_not_a_savers_are_run() -> None:
    a, b = ops.Variable([1.0, 2.0], name="a"), ops.Variable(5.0, name="b")
    saver = Saver([a])
    saver_def = protos.SaverDef()
    saver_def.CopyFrom(saver.as_saver_def())
    graph = a.graph
    with graph.control_dependencies([b.assign(6.0)]):
        save = apply_op("Identity", graph.get_tensor_by_name(saver_def.save_tensor_name), name="my_save")
    with graph.control_dependencies([graph.get_operation_by_name(saver_def.restore_op_name)]):
        restore = apply_op("NoOp", name="my_restore")
        after = b.assign(7.0).op
    restore._add_control_input(after)
    saver_def.save_tensor_name, saver_def.restore_op_name = save.outputs[0].name, restore.name
    assert plan_save(graph, saver_def) is None
    assert plan_restore(graph, saver_def) is None
    mine = Saver(saver_def=saver_def)
    sess = initialised()
    assert mine.save(sess, "./m", 1) == "./m-1"
    assert sess.run(b) == 6.0
    assert mine.save(sess, "./m", 2, blocking=False).result(100).prefix == "./m-2"
    assert mine.last_checkpoints == ["./m-1", "./m-2"]
    assert os.path.exists("m-2.meta")
    sess.run(a.assign([0.0, 0.0]))
    mine.restore(sess, "./m-1")
    assert sess.run(a).tolist() == [1.0, 2.0]
    assert sess.run(b) == 7.0
    with pytest.raises(UnimplementedError):
        mine.restore(sess, "./m-1", partial=True)


@pytest.mark.parametrize("options", [{}, {"sharded": True}, {"write_version": 1}, {"write_version": 1, "sharded": True}, {"reshape": True}])
@pytest.mark.parametrize("resource", [False, True])
def test_both_doors_write_the_same_bytes(options, resource) -> None:
    """A Saver reads from its nodes what they would do; that the graph runs them gives the same files."""
    with use_virtual(2):
        variables = []
        for device in ("/gpu:0", "/gpu:1", "/cpu:0"):
            with ops.constant(0).graph.device(device):
                name = f"v{device[-1]}"
                variables.append(ops.Variable(np.arange(6, dtype=np.float32).reshape(2, 3) + len(variables), name=name, use_resource=resource))
        saver = Saver(**options)
        config = protos.ConfigProto(allow_soft_placement=True)  # V1's sharded nodes are text on GPUs
        sess = Session(config=config)
        sess.run(ops.global_variables_initializer())
        os.mkdir("plan")
        os.mkdir("graph")
        saver_def = saver.as_saver_def()
        saver.save(sess, "plan/m", write_meta_graph=False, write_state=False)
        sess.run(saver_def.save_tensor_name, {saver_def.filename_tensor_name: "graph/m"})
        assert os.listdir("plan")
        assert sorted(os.listdir("plan")) == sorted(os.listdir("graph"))
        for name in os.listdir("plan"):
            with open(f"plan/{name}", "rb") as one, open(f"graph/{name}", "rb") as other:
                assert one.read() == other.read(), name
        path = "graph/m-?????-of-00003" if options == {"write_version": 1, "sharded": True} else "graph/m"
        fresh = Session(config=config)
        fresh.run(saver_def.restore_op_name, {saver_def.filename_tensor_name: path})
        for variable in variables:
            np.testing.assert_array_equal(fresh.run(variable), sess.run(variable))


def test_the_graph_is_encoded_anew_only_when_it_has_changed() -> None:
    v = ops.Variable(1.0, name="v")
    saver = Saver()
    sess = initialised()

    def meta(**options) -> bytes:
        saver.save(sess, "./m", **options)
        with open("m.meta", "rb") as file:
            return file.read()

    first = meta()
    assert meta() == first
    ops.identity(v, name="more")
    second = meta()
    assert re.search(b"more", second)
    assert meta(strip_default_attrs=True) != second
    v.graph.add_to_collection("mine", v)
    assert b"mine" in meta()
    assert meta() == saver.export_meta_graph().SerializeToString(deterministic=True)


def test_savers_of_a_collection_cross() -> None:
    ops.Variable(1.0, name="v")
    saver = Saver()
    ops.constant(0).graph.add_to_collection("savers", saver)
    message = saver.export_meta_graph()
    assert protos.SaverDef.FromString(message.collection_def["savers"].bytes_list.value[0]) == saver.saver_def
    twin = Saver.from_proto(saver.as_saver_def(), "scope")
    assert twin.saver_def.save_tensor_name == "scope/save/control_dependency:0"
    assert saver.saver_def.save_tensor_name == "save/control_dependency:0"  # TensorFlow changes the caller's


def test_what_stands_is_not_deleted_by_name_alone() -> None:
    """A V1 checkpoint is a file of any name: what somebody says is one must look like one, or it stays."""
    ops.Variable(1.0, name="v")
    saver = Saver(write_version=1, max_to_keep=1)
    with open("precious", "w") as file:
        file.write("no checkpoint")
    saver.recover_last_checkpoints(["precious"])
    saver.save(initialised(), "./m")
    assert saver.last_checkpoints == ["./m"]
    assert os.path.exists("precious")


def test_checkpoints_of_objects(caplog: pytest.LogCaptureFixture) -> None:
    a, b = ops.Variable([0.0, 0.0], name="net/a"), ops.Variable(0, name="b", use_resource=True)
    objects = protos.TrackableObjectGraph()
    for key, name in (("a/.ATTRIBUTES/VARIABLE_VALUE", "net/a"), ("model/b/.ATTRIBUTES/VARIABLE_VALUE", "b")):
        objects.nodes.add().attributes.add(name="VARIABLE_VALUE", full_name=name, checkpoint_key=key)
    values = {"a/.ATTRIBUTES/VARIABLE_VALUE": np.array([1, 2], np.float32), "model/b/.ATTRIBUTES/VARIABLE_VALUE": np.int32(3)}
    checkpoint.save("m", values | {"_CHECKPOINTABLE_OBJECT_GRAPH": objects.SerializeToString()}, write_meta=False)
    sess = Session()
    Saver().restore(sess, "./m")
    assert sess.run(a).tolist() == [1.0, 2.0]
    assert sess.run(b) == 3
    assert "object-based checkpoint" in caplog.text
    ops.Variable(0, name="more")
    with pytest.raises(NotFoundError) as raised:
        Saver().restore(sess, "./m")
    said = (  # as TensorFlow 2.21 says it; the rest is ours
        "\n\nExisting variables not in the checkpoint: more\n\nVariables names when this checkpoint was written which don't exist now: \n\n"
        "(2 variable name(s) did match)\n\n"
    )
    assert raised.value.message.startswith(said) and "gpersist show --objects" in raised.value.message
    Saver().restore(sess, "./m", partial=True)
    with pytest.raises(NotFoundError, match=r"checkpoint: other\n\nVariables names .* exist now: b, net/a\n\n.0 variable"):
        Saver({"other": a}).restore(sess, "./m")


@pytest.mark.parametrize("options", [{}, {"meta_graph_suffix": "graph"}, {"blocking": False}], ids=str)
def test_variables_are_saved_when_their_graph_is_too_large(options, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in {"small": 10, "large": 100, "larger": 200}.items():
        ops.constant(np.zeros(size, np.float32), name=name)
    v = ops.Variable(np.arange(3, dtype=np.float32), name="v")
    saver = Saver()
    sess = initialised()
    too_large = r"2GB.*'larger' with 800 bytes, 'large' with 400 bytes.* have been saved, as 'd/m-1'"
    with monkeypatch.context() as limit, pytest.raises(ValueError, match=too_large):
        limit.setattr("gpersist.graph.graph_def.MAX_BYTES", 1000)
        handle = saver.save(sess, "d/m", global_step=1, **options)
        handle.result()
    assert sorted(os.listdir("d")) == ["checkpoint", "m-1.data-00000-of-00001", "m-1.index"]
    assert saver.last_checkpoints == ["d/m-1"]
    sess.run(v.assign(np.zeros(3, np.float32)))
    saver.restore(sess, "d/m-1")
    assert sess.run(v).tolist() == [0, 1, 2]
    saver.save(sess, "d/m", global_step=2)
    assert saver.last_checkpoints == ["d/m-1", "d/m-2"]


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("model.h5", b"\x89HDF\r\n\x1a\n" + bytes(600), "'model.h5' is an HDF5 file"),
        ("model.pb", b"<!DOCTYPE html>\n<html></html>", "'model.pb' is an HTML page"),
        ("saved.data-00000-of-00001", None, "no checkpoint: .*; give its prefix, 'saved'"),
        ("saved.meta", None, "no checkpoint: .*; give its prefix, 'saved'"),
    ],
)
def test_files_that_are_no_checkpoint_are_told_by_what_they_are(path: str, content: bytes | None, message: str) -> None:
    ops.Variable(np.zeros(2, np.float32), name="a")
    with initialised() as sess:
        Saver().save(sess, "saved")
        if content is not None:
            files.replace(path, content)
        with pytest.raises(DataLossError, match=message):
            Saver().restore(sess, path)


def test_a_missing_file_is_no_missing_name_and_what_is_near_is_noted() -> None:
    ops.Variable(np.zeros(2, np.float32), name="a")
    with initialised() as sess:
        Saver().save(sess, "saved", global_step=1)
        with pytest.raises(ValueError, match="is not a valid checkpoint: saved") as caught:
            Saver().restore(sess, "saved")
        assert caught.value.args == ("The passed save_path is not a valid checkpoint: saved",)  # TensorFlow's words
        assert "in that folder are 'saved-1'" in caught.value.__notes__[0]
        os.unlink("saved-1.data-00000-of-00001")
        with pytest.raises(NotFoundError, match=r"nothing was changed: 'saved-1\.data.* is missing.*; copy it from where") as missing:
            Saver().restore(sess, "saved-1")
        assert "Variable name" not in str(missing.value) and "ways out" not in str(missing.value)


def test_a_name_in_another_scope_is_the_nearest() -> None:
    ops.Variable(np.zeros(2, np.float32), name="w")
    with initialised() as sess:
        Saver().save(sess, "saved")
    with Graph().as_default():
        ops.Variable(np.zeros(2, np.float32), name="a_long_scope/w")
        with initialised() as sess, pytest.raises(NotFoundError, match="Key a_long_scope/w not found in checkpoint; did you mean 'w'"):
            Saver().restore(sess, "saved")


@pytest.mark.parametrize("options", [{}, {"sharded": True}, {"write_version": protos.SaverDef.V1}])
def test_other_file_systems_are_refused(options, tmp_path) -> None:
    ops.Variable([1.0, 2.0], name="v")
    saver, sess = Saver(**options), initialised()
    for call in (saver.save, saver.restore):
        with pytest.raises(UnimplementedError, match=r"File system scheme 'gs' not implemented \(file: 'gs://bucket/model"):
            call(sess, "gs://bucket/model")
    assert list(tmp_path.iterdir()) == []
