"""Recurrent networks: the same variables, nodes, shapes and values as TensorFlow gives; see tests/golden/rnn."""

from __future__ import annotations

import gzip
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import gpersist.compat.v1 as tf
from gpersist.ops import nest

_FOLDER = Path(__file__).parents[1] / "golden" / "rnn"
_SPEC = importlib.util.spec_from_file_location("rnn_programs", _FOLDER / "programs.py")
assert _SPEC is not None and _SPEC.loader is not None
_PROGRAMS = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_PROGRAMS)
_ANSWERS = json.loads(gzip.decompress((_FOLDER / "rnn.json.gz").read_bytes()))


@pytest.mark.parametrize("name", _PROGRAMS.PROGRAMS)
def test_is_as_in_tensorflow(name: str) -> None:
    wanted = _ANSWERS[name]
    found = _PROGRAMS.run(tf, tf.nn.rnn_cell, nest.flatten, name)
    assert found["variables"] == wanted["variables"]
    assert found["nodes"] == wanted["nodes"]
    assert found["shapes"] == wanted["shapes"]
    if name != "dropout":  # whose order of random numbers differs from run to run there
        for value, other in zip(found["values"], wanted["values"], strict=True):
            np.testing.assert_allclose(value, other, rtol=1e-4, atol=1e-5)


def test_characters_are_learnt_and_restored(tmp_path: Path) -> None:
    text = "hello world, hello there, " * 4
    letters = sorted(set(text))
    codes = np.array([letters.index(letter) for letter in text])

    def network(size: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        x = tf.placeholder(tf.int32, [None, size], name="letters")
        y = tf.placeholder(tf.int32, [None, size], name="next")
        cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.BasicLSTMCell(24), tf.nn.rnn_cell.GRUCell(24)])
        outputs, _ = tf.nn.dynamic_rnn(cell, tf.one_hot(x, len(letters)), dtype=tf.float32)
        logits = tf.layers.dense(outputs, len(letters))
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
        return x, y, loss

    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(3)
        x, y, loss = network(25)
        gradients, variables = zip(*tf.train.AdamOptimizer(0.02).compute_gradients(loss), strict=True)
        clipped, _ = tf.clip_by_global_norm(gradients, 5.0)
        train = tf.train.AdamOptimizer(0.02).apply_gradients(zip(clipped, variables, strict=True))
        session.run(tf.global_variables_initializer())
        feed = {x: codes[:100].reshape(4, 25), y: codes[1:101].reshape(4, 25)}
        before = session.run(loss, feed)
        for _ in range(60):
            session.run(train, feed)
        after = session.run(loss, feed)
        assert after < 0.3 * before
        path = tf.train.Saver().save(session, str(tmp_path / "model"))
    names = {name for name, _ in tf.train.list_variables(path)}
    assert {"rnn/multi_rnn_cell/cell_0/basic_lstm_cell/kernel", "rnn/multi_rnn_cell/cell_1/gru_cell/candidate/bias"} <= names
    with tf.Graph().as_default(), tf.Session() as session:
        x, y, loss = network(25)
        tf.train.Saver().restore(session, path)
        np.testing.assert_allclose(session.run(loss, {x: feed_of(feed, "letters"), y: feed_of(feed, "next")}), after, rtol=1e-5)


def feed_of(feed: dict[tf.Tensor, np.ndarray], name: str) -> np.ndarray:
    return next(value for tensor, value in feed.items() if tensor.op.name == name)
