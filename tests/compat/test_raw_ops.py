"""`tf.raw_ops`; compared with TensorFlow 2.21 by hand: names, results, errors."""

from __future__ import annotations

import pytest

import gpersist.compat.v1 as tf


def test_as_functions() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        product = tf.raw_ops.MatMul(a=[[1.0, 2.0]], b=[[3.0], [4.0]], name="product")
        assert product.op.name == "product" and session.run(product).tolist() == [[11.0]]
        parts = tf.raw_ops.Split(axis=0, value=[1, 2], num_split=2)
        assert [session.run(part).tolist() for part in parts] == [[1], [2]]
        found = tf.raw_ops.TopKV2(input=[3.0, 5.0, 4.0], k=2, sorted=True)
        assert session.run(found.indices).tolist() == [1, 2] and type(found).__name__ == "TopKV2"
        assert isinstance(tf.raw_ops.NoOp(), tf.Operation)
    assert "MatMul" in dir(tf.raw_ops)
    assert tf.raw_ops.MatMul.__name__ == "MatMul"


def test_bad_calls() -> None:
    with tf.Graph().as_default():
        with pytest.raises(TypeError):
            tf.raw_ops.MatMul([[1.0]], [[1.0]])
        with pytest.raises(TypeError, match="missing required argument: 'b'"):
            tf.raw_ops.MatMul(a=[[1.0]])
        with pytest.raises(AttributeError, match="no such operation"):
            tf.raw_ops.Nothing  # noqa: B018
