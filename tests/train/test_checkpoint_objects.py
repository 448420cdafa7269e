"""`tf.train.Checkpoint` where TensorFlow has no say: devices, what stands after a failure. The rest is in the dialogs `objects`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import gpersist
import gpersist.compat.v1 as tf
from gpersist.devices import use_virtual
from gpersist.train.object_view import ObjectView


def test_variables_stay_on_their_devices(tmp_path: Path) -> None:
    with use_virtual(2), tf.Graph().as_default(), tf.Session() as session:
        with tf.device("/gpu:1"):
            kernel = tf.get_variable("kernel", [1000], use_resource=True, initializer=tf.ones_initializer())
        saved = tf.train.Checkpoint(layers=[kernel])
        session.run(tf.global_variables_initializer())
        path = saved.save(f"{tmp_path}/m", session)
        session.run(kernel.assign(kernel * 2.0))
        saved.restore(path).assert_consumed().run_restore_ops(session)
        assert session.run(kernel).tolist() == [1.0] * 1000
        assert session.buffers_of([kernel.op])[0].device.name == "/device:GPU:1"


@pytest.fixture
def saved(tmp_path: Path) -> str:
    with tf.Graph().as_default(), tf.Session() as session:
        objects = tf.train.Checkpoint(a=tf.Variable([1.0, 2.0]), b=tf.Variable(3))
        session.run(tf.global_variables_initializer())
        path: str = objects.save(f"{tmp_path}/m", session)
    return path


@pytest.mark.parametrize("other", [[1], 3.5])
def test_nothing_is_half_restored(saved: str, other: Any) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        objects = tf.train.Checkpoint(a=tf.Variable([7.0, 7.0]), b=tf.Variable(other))
        session.run(tf.global_variables_initializer())
        with pytest.raises(tf.errors.InvalidArgumentError):
            objects.restore(saved).run_restore_ops(session)
        assert session.run(objects.a).tolist() == [7.0, 7.0]


def test_a_value_that_is_missing_leaves_no_file(tmp_path: Path) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        objects = tf.train.Checkpoint(a=tf.Variable(1.0, name="a"))
        with pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized value a"):
            objects.write(f"{tmp_path}/m", session)
    assert os.listdir(tmp_path) == []


def test_nodes_are_added_for_the_counter_only(saved: str) -> None:
    with tf.Graph().as_default() as graph, tf.Session() as session:
        objects = tf.train.Checkpoint(a=tf.Variable([7.0, 7.0]), b=tf.Variable(0))
        session.run(tf.global_variables_initializer())
        objects.save(f"{saved}-again", session)
        graph.finalize()
        objects.save(f"{saved}-again", session)
        objects.restore(saved).initialize_or_restore(session)
        assert session.run(objects.b) == 3


def test_a_damaged_object_graph(saved: str) -> None:
    data = Path(f"{saved}.data-00000-of-00001")
    data.write_bytes(bytes(byte ^ 0x55 for byte in data.read_bytes()))
    with tf.Graph().as_default(), pytest.raises(tf.errors.DataLossError):
        tf.train.Checkpoint(a=tf.Variable([7.0, 7.0])).restore(saved)


def test_arrays_are_found_by_path(saved: str) -> None:
    with gpersist.open(saved) as reader:
        assert sorted(reader.object_graph().tensors) == ["a", "b", "save_counter"]


def test_layers_and_cells_have_their_variables_by_their_own_names() -> None:
    with tf.Graph().as_default():
        x = tf.zeros([2, 3])
        dense, cell = tf.layers.Dense(4, name="d"), tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.GRUCell(3), tf.nn.rnn_cell.LSTMCell(3)])
        dense(x)
        cell(x, cell.zero_state(2, tf.float32))
        found = ObjectView(tf.train.Checkpoint(dense=dense, cell=cell)).variables()
    assert sorted(key.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE") for key in found) == [
        "cell/cell-0/candidate.Sbias",
        "cell/cell-0/candidate.Skernel",
        "cell/cell-0/gates.Sbias",
        "cell/cell-0/gates.Skernel",
        "cell/cell-1/bias",
        "cell/cell-1/kernel",
        "dense/bias",
        "dense/kernel",
    ]
