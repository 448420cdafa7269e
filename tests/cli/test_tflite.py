from __future__ import annotations

import os

import numpy as np
import pytest

import gpersist.compat.v1 as tf
from gpersist.lite import TFLiteConverter


@pytest.fixture
def frozen(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 32], name="x")
        tf.nn.relu(tf.matmul(x, np.ones((32, 32), np.float32)), name="y")
        tf.erf(x, name="e")
        (tmp_path / "g.pb").write_bytes(graph.as_graph_def().SerializeToString())
    return "g.pb"


def test_frozen_graph(run, frozen, tmp_path):
    done = run("convert", frozen, "y.tflite", "--outputs", "y")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("g.pb -> y.tflite (TFLite): inputs x; outputs y; ")
    assert (tmp_path / "y.tflite").read_bytes() == TFLiteConverter.from_frozen_graph(frozen, ["x"], ["y"]).convert()
    small = run("convert", frozen, "q.tflite", "--outputs", "y:0", "--inputs", "x:0", "--quantize", "--json").json
    assert small == {"source": "g.pb", "target": "q.tflite", "inputs": ["x"], "outputs": ["y"], "size_bytes": os.path.getsize("q.tflite")}
    assert small["size_bytes"] < os.path.getsize("y.tflite") / 2


def test_mistakes(run, frozen):
    for arguments, text in (
        (["--outputs", "e"], "Erf: 1 ('e'): there is none"),
        ([], "say which of the graph's"),
        (["--outputs", "q"], "no node 'q'"),
        (["--outputs", "y", "--to", "npz"], "a TFLite model takes"),
    ):
        done = run("convert", frozen, "n.tflite", *arguments)
        assert done.status == 2 and text in done.err
        assert not os.path.exists("n.tflite")
    assert "--quantize is for TFLite models" in run("convert", frozen, "folder", "--outputs", "y", "--quantize").err
