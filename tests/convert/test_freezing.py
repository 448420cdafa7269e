"""Checkpoints with their graphs, and SavedModels, as graphs without variables."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import gpersist
import gpersist.compat.v1 as tf
from gpersist import protos
from gpersist.convert import freeze
from gpersist.errors import (
    CheckpointNotFoundError,
    DataLossError,
    GPersistError,
    InvalidArgumentError,
    NotFoundError,
)

_SOFT = protos.ConfigProto(allow_soft_placement=True)
_X, _IDS = np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.float32), [1, 4]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A checkpoint with partitioned, resource and reference variables, moving averages, devices; and what its graph gives, both ways."""
    folder = tmp_path_factory.mktemp("trained")
    with tf.Graph().as_default(), tf.Session(config=_SOFT) as sess:
        x, ids = tf.placeholder(tf.float32, [None, 4], name="x"), tf.placeholder(tf.int32, [None], name="ids")
        cut = tf.get_variable("cut", initializer=tf.constant(np.arange(12).reshape(4, 3) / 10, tf.float32), partitioner=tf.fixed_size_partitioner(2))
        resource = tf.get_variable("resource", initializer=tf.constant([0.5, 1.5, 2.5]), use_resource=True)
        table = tf.get_variable("table", initializer=tf.constant(np.arange(15).reshape(5, 3), tf.float32), use_resource=True)
        with tf.device("/gpu:0"):
            plain = tf.Variable(np.eye(3, dtype=np.float32) * 2, name="plain")
        y = tf.add(tf.matmul(tf.matmul(x, cut) + resource, plain), tf.nn.embedding_lookup(table, ids), name="y")
        average = tf.train.ExponentialMovingAverage(0.5)
        with tf.control_dependencies([tf.assign(plain, plain * 2), tf.assign(resource, resource + 1)]):
            step = average.apply([plain, resource])
        saver = tf.train.Saver()
        sess.run(tf.global_variables_initializer())
        sess.run(step)
        feed = {x: _X, ids: _IDS}
        now = sess.run(y, feed)
        values = sess.run([average.average(plain), average.average(resource)])
        saver.save(sess, str(folder / "m"), global_step=3)
        tf.train.Saver(write_version=1).save(sess, str(folder / "v1"))
        sess.run([plain.assign(values[0]), resource.assign(values[1])])
        averaged = sess.run(y, feed)
    return str(folder / "m-3"), now, averaged


def run(graph_def, fetch="y:0", feed=None):
    with tf.Graph().as_default():
        tf.import_graph_def(protos.GraphDef.FromString(graph_def.SerializeToString()), name="")
        with tf.Session(config=_SOFT) as sess:
            return sess.run(fetch, {"x:0": _X, "ids:0": _IDS} if feed is None else feed)


def test_it_gives_what_the_session_gave(trained):
    prefix, now, _ = trained
    found = freeze(prefix, ["y"])
    assert not {node.op for node in found.graph_def.node} & {"VariableV2", "VarHandleOp", "ReadVariableOp", "ResourceGather"}
    assert np.array_equal(run(found.graph_def), now)
    assert (found.inputs, found.outputs, found.averages) == (("x", "ids"), ("y",), ())
    assert found.variables == {"cut/part_0": "cut", "cut/part_1": "cut", "resource": "resource", "table": "table", "plain": "plain"}
    assert np.array_equal(run(freeze(os.path.dirname(prefix) + "/v1", "y:0", meta=prefix + ".meta").graph_def), now)


def test_it_is_what_the_session_makes_of_itself(trained):
    prefix = trained[0]
    with tf.Graph().as_default(), tf.Session(config=_SOFT) as sess:
        tf.train.import_meta_graph(prefix + ".meta").restore(sess, prefix)
        graph_def = protos.MetaGraphDef.FromString(Path(prefix + ".meta").read_bytes()).graph_def
        expected = tf.graph_util.convert_variables_to_constants(sess, graph_def, ["y"])
    assert freeze(prefix, ["y"]).graph_def == expected


def test_moving_averages(trained):
    prefix, now, averaged = trained
    found = freeze(prefix, ["y"], ema=True)
    assert not np.array_equal(now, averaged)
    assert np.array_equal(run(found.graph_def), averaged)
    assert sorted(found.averages) == ["plain", "resource"]
    assert found.variables["plain"] == "plain/ExponentialMovingAverage"
    with pytest.raises(NotFoundError, match=r"no moving average of these 5 variables: no tensor of it is named '\.\.\./other'"):
        freeze(prefix, ["y"], ema="other")


def test_devices(trained):
    assert {node.device for node in freeze(trained[0], ["y"]).graph_def.node} == {"", "/device:GPU:0"}
    assert {node.device for node in freeze(trained[0], ["y"], clear_devices=True).graph_def.node} == {""}


def test_it_says_how_many(trained, caplog):
    with caplog.at_level(logging.INFO, "gpersist"):
        freeze(trained[0], ["y"])
    assert [record.getMessage() for record in caplog.records] == ["Froze 5 variables.", "Converted 5 variables to const ops."]


def test_a_part_that_needs_no_variables(trained):
    found = freeze(trained[0], ["x"])
    assert [node.name for node in found.graph_def.node] == ["x"]
    assert found.variables == {}


def test_graphs_of_arrays(tmp_path):
    """What `gpersist.save` writes has a graph of variables."""
    gpersist.save(tmp_path / "a", {"w": np.float32([1, 2]), "bad name": 3}, durable=False)
    found = freeze(tmp_path / "a", ["w"])
    assert run(found.graph_def, "w:0", {}).tolist() == [1, 2]
    assert freeze(tmp_path / "a", ["renamed/bad_name"]).variables == {"renamed/bad_name": "bad name"}


def test_what_is_not_told_or_not_there(trained, tmp_path):
    prefix = trained[0]
    with pytest.raises(InvalidArgumentError, match=r"which of the graph's \d+ nodes are its outputs; 'y' comes last"):
        freeze(prefix)
    with pytest.raises(NotFoundError, match=r"no node 'yy'; did you mean 'y'"):
        freeze(prefix, ["yy"])
    with pytest.raises(CheckpointNotFoundError, match="no checkpoint"):
        freeze(tmp_path / "none", ["y"])
    with pytest.raises(CheckpointNotFoundError, match="does not exist"):
        freeze(prefix, ["y"], meta=tmp_path / "none.meta")
    gpersist.save(tmp_path / "a", {"cut": np.zeros((4, 3), np.float32), "plain": np.zeros(2)}, durable=False, write_meta=False)
    with pytest.raises(CheckpointNotFoundError, match=r"there is no '.*a\.meta'"):
        freeze(tmp_path / "a", ["y"])
    with pytest.raises(NotFoundError) as caught:
        freeze(tmp_path / "a", ["y"], meta=prefix + ".meta")
    assert "Key resource not found" in caught.value.message and "plain" in caught.value.message
    gpersist.save(tmp_path / "b", {"plain": np.zeros((3, 2), np.float32)}, durable=False, write_meta=False)
    with pytest.raises(InvalidArgumentError, match=r"plain.*lhs shape= \[3,3\] rhs shape= \[3,2\]"):
        freeze(tmp_path / "b", ["plain/read"], meta=prefix + ".meta")


def test_damaged_graphs(trained, tmp_path):
    content = Path(trained[0] + ".meta").read_bytes()
    (tmp_path / "cut.meta").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataLossError):
        freeze(trained[0], ["y"], meta=tmp_path / "cut.meta")
    meta = protos.MetaGraphDef.FromString(content)
    del meta.graph_def.node[next(number for number, node in enumerate(meta.graph_def.node) if node.name == "x")]
    with pytest.raises(DataLossError, match="'x', which a node takes, is not in it"):
        freeze(trained[0], ["y"], meta=meta)
    with pytest.raises(DataLossError):
        (tmp_path / "c.meta").write_bytes(content)
        for suffix in (".index", ".data-00000-of-00001"):
            (tmp_path / f"c{suffix}").write_bytes(Path(trained[0] + suffix).read_bytes())
        data = bytearray((tmp_path / "c.data-00000-of-00001").read_bytes())
        data[5] ^= 1
        (tmp_path / "c.data-00000-of-00001").write_bytes(data)
        freeze(tmp_path / "c", ["y"])


def test_more_than_two_gigabytes_are_refused_unread(trained, monkeypatch):
    monkeypatch.setattr("gpersist.graph.freezing.MAX_BYTES", 60)
    monkeypatch.setattr("gpersist.convert.freezing.fetch", lambda *arguments: pytest.fail("values were read"))
    with pytest.raises(InvalidArgumentError, match=r"2GB.*'table' with 60 bytes"):
        freeze(trained[0], ["y"])


def test_variables_within_functions(trained):
    meta = protos.MetaGraphDef.FromString(Path(trained[0] + ".meta").read_bytes())
    node = meta.graph_def.node.add(name="call", op="PartitionedCall", input=["resource"])
    node.attr["f"].func.name = "f"
    with pytest.raises(NotFoundError, match="no function 'f' in the graph's library"):
        freeze(trained[0], ["call"], meta=meta)


def test_a_saved_model(models):
    model, case = models / "serving_half_plus_two_gpu" / "model", models / "serving_half_plus_two_gpu"
    with np.load(case / "inputs.npz") as inputs:
        x = next(array for name, array in inputs.items() if name.split("/")[-1] == "x" or name.endswith("x"))
    found = freeze(model)
    assert found.outputs == ("y",)
    assert {"/device:GPU:0"} <= {node.device for node in found.graph_def.node}
    assert np.allclose(run(freeze(model, clear_devices=True).graph_def, "y:0", {"x:0": x}), x / 2 + 2)
    assert freeze(model, signature="regress_x2_to_y3").outputs == ("y3",)
    assert freeze(model, ["y2"]).outputs == ("y2",)
    with pytest.raises(NotFoundError, match=r"tags.*'serve'"):
        freeze(model, tags=["train"])
    with pytest.raises(NotFoundError, match=r"no signature 'none'; it has .*'serving_default'"):
        freeze(model, signature="none")


def test_variables_that_lead_out_of_a_saved_model(models, tmp_path):
    model = models / "serving_half_plus_two_gpu" / "model"
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "saved_model.pb").write_bytes((model / "saved_model.pb").read_bytes())
    (tmp_path / "m" / "variables").symlink_to(model / "variables")
    with pytest.raises(InvalidArgumentError, match="out of the folder"):
        freeze(tmp_path / "m")


def test_real_checkpoints(models):
    folder = models / "mlnet_cifar_ckpt"
    case = json.loads((folder / "case.json").read_text())
    step = case["runs"][0]["steps"][0]
    with np.load(folder / "inputs.npz") as inputs, np.load(folder / "outputs.npz") as outputs:
        x = next(iter(inputs.values()))
        expected = [array for array in outputs.values() if array.shape[:1] == x.shape[:1]]
    found = freeze(folder, list(step["fetches"].values()))
    assert any(np.allclose(run(found.graph_def, "add_1:0", {"Input:0": x}), array, rtol=1e-4, atol=1e-5) for array in expected)


@pytest.mark.interop
@pytest.mark.timeout(300)
def test_tensorflow_runs_it(trained, tf_python, tmp_path):
    prefix, now, averaged = trained
    for name, options in {"now": {}, "averaged": {"ema": True}}.items():
        frozen = freeze(prefix, ["y"], clear_devices=True, **options).graph_def
        (tmp_path / f"{name}.pb").write_bytes(frozen.SerializeToString())
    program = """
import json, sys
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
for path in sys.argv[1:3]:
    graph_def = tf.GraphDef.FromString(open(path, "rb").read())
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.import_graph_def(graph_def, name="")
        print("found", json.dumps(sess.run("y:0", {"x:0": json.loads(sys.argv[3]), "ids:0": json.loads(sys.argv[4])}).tolist()))
"""
    arguments = [str(tmp_path / "now.pb"), str(tmp_path / "averaged.pb"), json.dumps(_X.tolist()), json.dumps(_IDS)]
    done = subprocess.run([tf_python, "-c", program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = [json.loads(line.removeprefix("found ")) for line in done.stdout.splitlines() if line.startswith("found ")]
    assert np.allclose(found[0], now, rtol=1e-6) and np.allclose(found[1], averaged, rtol=1e-6)


def test_errors_are_ours(trained):
    """The program tells them in a line, so all of them are."""
    for outputs in ([], ["none"]):
        with pytest.raises(GPersistError):
            freeze(trained[0], outputs)
