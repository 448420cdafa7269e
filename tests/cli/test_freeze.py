from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import gpersist.compat.v1 as tf
from gpersist import protos
from tests.cli.test_terminal import in_terminal, plain


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """The seeds' two variables and their sum, saved; with a moving average, and a device."""
    monkeypatch.chdir(tmp_path)
    with tf.Graph().as_default(), tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as sess:
        with tf.device("/gpu:0"):
            v1 = tf.Variable(tf.constant(1.0, shape=[1]), name="v1")
        v2 = tf.Variable(tf.constant(2.0, shape=[1]), name="v2")
        tf.add(v1, v2, name="add")
        average = tf.train.ExponentialMovingAverage(0.99).apply([v1])
        sess.run(tf.global_variables_initializer())
        sess.run(v1.assign([11.0]))
        sess.run(average)
        tf.train.Saver().save(sess, "model/model.ckpt")
    return "model/model.ckpt"


def result(path, fetch="add:0"):
    graph_def = protos.GraphDef()
    with tf.gfile.GFile(path, "rb") as file:
        graph_def.ParseFromString(file.read())
    with tf.Graph().as_default(), tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as sess:
        tf.import_graph_def(graph_def, name="")
        return sess.run(fetch).tolist()


def test_as_the_seeds_print_it(run, trained):
    done = run("freeze", trained, "combined_model.pb", "--outputs", "add")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[:3] == ["Froze 2 variables.", "Converted 2 variables to const ops.", "5 ops in the final graph."]
    assert lines[3].startswith("combined_model.pb: ") and lines[3].endswith("B; inputs none; outputs add")
    assert result("combined_model.pb") == [13.0]


def test_options(run, trained):
    assert "1 moving average taken." in run("freeze", "model", "out/a.pb", "--outputs", "add:0", "--ema", "--clear-devices").out
    assert np.allclose(result("out/a.pb"), 3.1)
    assert not any(node.device for node in protos.GraphDef.FromString(open_bytes("out/a.pb")).node)
    done = run("freeze", trained, "b.pbtxt", "--outputs", "v1/read,v2/read", "--text", "--json")
    assert done.json == {
        "path": "b.pbtxt", "size_bytes": os.path.getsize("b.pbtxt"), "num_nodes": 4, "inputs": [], "outputs": ["v1/read", "v2/read"],
        "variables": {"v1": "v1", "v2": "v2"}, "averages": [],
    }  # fmt: skip
    assert open_bytes("b.pbtxt").startswith(b"node {\n  name: ")
    os.rename(trained + ".meta", "elsewhere.meta")
    assert run("freeze", trained, "c.pb", "--outputs", "add").status == 2
    assert run("freeze", trained, "c.pb", "--outputs", "add", "--meta", "elsewhere.meta").status == 0


def open_bytes(path):
    with open(path, "rb") as file:
        return file.read()


def test_errors(run, trained):
    assert "which of the graph's" in run("freeze", trained, "a.pb").err
    assert "did you mean 'add'?" in run("freeze", trained, "a.pb", "--outputs", "adds").err
    assert "there is no checkpoint" in run("freeze", "none", "a.pb", "--outputs", "add").err
    assert not os.path.exists("a.pb")


def test_to_a_saved_model_and_back(run, trained):
    run("freeze", trained, "a.pb", "--outputs", "add")
    done = run("convert", "a.pb", "served", "--outputs", "sum=add", "--clear-devices")
    assert (done.status, done.out) == (0, "a.pb -> served (SavedModel): inputs none; outputs sum (add:0)\n")
    with tf.Graph().as_default(), tf.Session() as sess:
        meta = tf.saved_model.loader.load(sess, ["serve"], "served")
        assert sess.run(meta.signature_def["serving_default"].outputs["sum"].name).tolist() == [13.0]
    assert run("convert", "a.pb", "other", "--outputs", "add", "--json").json == {
        "source": "a.pb", "target": "other", "inputs": {}, "outputs": {"add": "add:0"},
    }  # fmt: skip
    assert run("freeze", "served", "b.pb").out.endswith("outputs add\n")
    assert result("b.pb") == [13.0]
    assert "is not empty" in run("convert", "a.pb", "served", "--outputs", "add").err
    assert "which of the graph's" in run("convert", "a.pb", "new").err
    assert "no node 'x'" in run("convert", "a.pb", "new", "--outputs", "add", "--inputs", "x").err
    assert "no such tensor" in run("convert", "a.pb", "new", "--outputs", "add:5").err
    assert "takes --inputs" in run("convert", "a.pb", "new", "--outputs", "add", "--rename", "a=b").err
    assert run("convert", "none.pb", "new", "--outputs", "add").status == 2
    assert not os.path.exists("new")


def test_in_a_terminal(trained):
    status, text = in_terminal(80, "freeze", trained, "a.pb", "--outputs", "add", PYTHONPATH=str(Path(__file__).parents[2]))
    assert status == 0 and plain(text)[0] == "Froze 2 variables."
