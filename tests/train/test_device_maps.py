"""What a Saver's `device_map` moves: variables by their names, and all nodes by the devices that they name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpersist.compat.v1 as tf
from gpersist import checkpoint, ops, protos
from gpersist.devices import use_virtual
from gpersist.errors import DataLossError, InvalidArgumentError
from gpersist.graph import Graph, Session
from gpersist.train.saver import Saver


@pytest.fixture(autouse=True)
def _graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    with Graph().as_default():
        yield


def towers() -> tuple[Saver, Any]:
    """A program whose variables are on the host, and whose towers are on four GPUs; its checkpoint is `m`."""
    checkpoint.save("m", {"w": np.ones(2, np.float32)}, write_meta=False)
    graph = ops.constant(0).graph
    with graph.device("/cpu:0"):
        w = ops.Variable([0.0, 0.0], name="w")
    for number in range(4):
        with graph.device(f"/job:worker/task:{number}/gpu:{number}"):
            ops.identity(w * float(number), name=f"tower_{number}")
            if number == 2:
                tf.as_string(w, name="text")
    return Saver(), w


def test_keys_that_are_devices_move_all_nodes(caplog: pytest.LogCaptureFixture) -> None:
    saver, w = towers()
    with use_virtual(2):
        sess = Session()
        device_map = {"/gpu:2": "/gpu:0", "/job:worker/task:3": "/cpu:0", "/gpu:1": "/gpu:1", "/gpu:0": "/gpu:0", "w": None}
        saver.restore(sess, "./m", device_map=device_map)
        assert [sess.device_of(f"tower_{number}").name[-5:] for number in range(4)] == ["GPU:0", "GPU:1", "GPU:0", "CPU:0"]
        assert [sess.device_of(op).name for op in (w, "text")] == ["/device:CPU:0"] * 2  # no GPU has text
        assert sess.run([f"tower_{number}:0" for number in range(4)])[3].tolist() == [3.0, 3.0]
        with w.graph.device("/gpu:2"):
            later = ops.identity(w)
        assert sess.device_of(later).name == "/device:GPU:0"  # for good
        saver.restore(sess, "./m", device_map={"/job:worker": "/gpu:1", "/gpu:2": "host"})
        assert [sess.device_of(f"tower_{number}").name[-5:] for number in range(4)] == ["GPU:1"] * 4
        assert sess.device_of(later).name == "/device:CPU:0"
        saver.restore(sess, "./m", device_map={"w": "/gpu:0"})  # leaves the rest
        assert [sess.device_of(op).name[-5:] for op in (w, later, "tower_0")] == ["GPU:0", "CPU:0", "GPU:1"]
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_a_map_of_devices_that_is_not_enough_changes_nothing() -> None:
    saver, _ = towers()
    with use_virtual(2):
        sess = Session(config=protos.ConfigProto(allow_soft_placement=True))
        saver.restore(sess, "./m")
        sess.run("tower_2:0")
        with pytest.raises(InvalidArgumentError, match="placement of '/gpu:2': device '/device:GPU:9'"):
            saver.restore(sess, "./m", device_map={"/gpu:2": "/gpu:9"})
        before = sess.device_of("tower_2").name
        Path("m.data-00000-of-00001").write_bytes(b"")
        with pytest.raises(DataLossError):
            saver.restore(sess, "./m", device_map={"/gpu:2": "/gpu:1", "/gpu:1": "/gpu:1"})
        assert sess.device_of("tower_2").name == before


def test_functions_bodies_follow_a_map_of_devices() -> None:
    checkpoint.save("m", {"w": np.ones(2, np.float32)}, write_meta=False)
    graph = Graph()
    message = protos.GraphDef()
    function = message.library.function.add()
    function.signature.name = "twice"
    function.signature.input_arg.add(name="x", type=1)
    function.signature.output_arg.add(name="y", type=1)
    function.node_def.add(name="sum", op="AddV2", input=["x", "x"], device="/device:GPU:6").attr["T"].type = 1
    function.ret["y"] = "sum:z:0"
    with graph.as_default(), use_virtual(2):
        tf.import_graph_def(message, name="")
        w = ops.Variable([0.0, 0.0], name="w")
        called = graph.create_op("twice", [w.value()], [tf.float32], name="called")
        saver, sess = Saver(), Session()
        with pytest.raises(InvalidArgumentError, match="GPU:6"):
            saver.restore(sess, "./m")
            sess.run(called)
        saver.restore(sess, "./m", device_map={"/gpu:6": "/gpu:1"})
        assert sess.run(called.outputs[0]).tolist() == [2.0, 2.0]


def test_names_of_tensors_and_policies_in_a_device_map(caplog: pytest.LogCaptureFixture) -> None:
    """A partitioned variable's nodes have other names than its tensor."""
    checkpoint.save("m", {"net/w": np.arange(4, dtype=np.float32), "b": np.zeros(1, np.float32)}, write_meta=False)
    parts = tf.get_variable("net/w", [4], partitioner=tf.fixed_size_partitioner(2))
    b = ops.Variable([1.0], name="b")
    with use_virtual(2):
        for device_map, places in (
            ({"net/w": "/gpu:1"}, ["GPU:1", "GPU:1", "GPU:0"]),
            ({"net/w/part_0": "/cpu:0", "net/w": "/gpu:1"}, ["CPU:0", "GPU:1", "GPU:0"]),
            ({"b": "host", "*": "balanced"}, ["GPU:0", "GPU:1", "CPU:0"]),
        ):
            sess = Session()
            Saver().restore(sess, "./m", device_map=device_map)
            assert [sess.device_of(v).name[-5:] for v in (*parts, b)] == places
            assert sess.run(parts.as_tensor()).tolist() == [0.0, 1.0, 2.0, 3.0]
        assert not [record for record in caplog.records if record.levelname == "WARNING"]
        Saver().restore(Session(), "./m", device_map={"net": "/gpu:1", "/gpu:7": "host"})
    assert "'net', '/gpu:7'; did you mean 'net/*', all in that scope?" in caplog.text
