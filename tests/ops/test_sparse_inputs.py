"""Functions of dense tensors that take sparse ones as well."""

from __future__ import annotations

import pytest

import gpersist.compat.v1 as tf


@pytest.fixture(autouse=True)
def _graph() -> None:
    tf.reset_default_graph()


def test_cast_keeps_the_places() -> None:
    sparse = tf.SparseTensor([[0, 1], [2, 0]], [3, 4], [3, 2])
    floats = tf.cast(sparse, tf.float32, name="floats")
    assert isinstance(floats, tf.SparseTensor) and floats.dtype is tf.float32
    assert floats.values.op.name == "floats" and floats.indices is sparse.indices
    assert tf.cast(floats, tf.float32) is floats


def test_shape_is_that_of_the_whole() -> None:
    shape = tf.shape(tf.SparseTensor([[0, 1]], [3], [3, 2]))
    assert shape.dtype is tf.int32 and shape.op.name == "Shape/Cast"
    with tf.Session() as session:
        assert session.run(shape).tolist() == [3, 2]


def test_moving_averages_are_not_cut() -> None:
    with tf.variable_scope("net", partitioner=tf.fixed_size_partitioner(2)):
        tf.layers.batch_normalization(tf.ones([2, 4]), training=True)
    names = [variable.op.name for variable in tf.global_variables()]
    assert [name for name in names if "moving" in name] == ["net/batch_normalization/moving_mean", "net/batch_normalization/moving_variance"]
    assert sum("part_" in name for name in names) == 4
