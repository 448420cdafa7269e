"""Outputs that no memory holds: refused before they are allocated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpersist.compat.v1 as tf
from gpersist.devices.host import HostDevice


def _unknown(value: Any) -> Any:
    """A tensor of which nothing is known before running, not even its sizes."""
    value = np.asarray(value)
    return tf.placeholder_with_default(tf.constant(value), [None] * value.ndim)


_ROW, _COLUMN = np.ones((1, 1 << 21), np.float32), np.ones((1 << 21, 1), np.float32)

_CASES: dict[str, Callable[[], Any]] = {
    "eye": lambda: tf.matrix_diag(_unknown(np.ones(10**6, np.float32))),
    "Gather": lambda: tf.gather(_unknown(np.ones((10, 10**5), np.float32)), _unknown(np.zeros(10**7, np.int32))),
    "Concat": lambda: tf.concat([tf.fill(_unknown([2**26]), np.int8(1))] * 3_000, 0),
    "BitwiseAnd": lambda: tf.bitwise.bitwise_and(_unknown(_COLUMN.astype(np.int32)), _unknown(_ROW.astype(np.int32))),
    "StridedSliceGrad": lambda: tf.raw_ops.StridedSliceGrad(shape=_unknown([10**6, 10**7]), begin=[0], end=[1], strides=[1], dy=tf.ones([1, 1])),
    "StatelessRandomUniformFullInt": lambda: tf.raw_ops.StatelessRandomUniformFullInt(shape=_unknown([10**6, 10**7]), seed=[1, 2], dtype=tf.int32),
    "TensorArray": lambda: tf.TensorArray(tf.float32, tf.cast(_unknown(2 * 10**9), tf.int32)).handle,
    "SegmentSum": lambda: tf.segment_sum(_unknown(np.ones((1, 10**6), np.float32)), _unknown([2 * 10**9])),
    "zeros": lambda: tf.zeros([10**15]),
    "Fill": lambda: tf.fill(_unknown([10**6, 10**7]), 1.0),
    "Tile": lambda: tf.tile(_unknown(np.ones(1000, np.float32)), _unknown([2 * 10**9])),
    "BroadcastTo": lambda: tf.broadcast_to(_unknown(np.ones(1000, np.float32)), _unknown([2 * 10**9, 1000])),
    "RandomUniform": lambda: tf.random_uniform(_unknown([10**6, 10**7])),
    "OneHot": lambda: tf.one_hot(_unknown(np.zeros(10**6, np.int32)), 10**7),
    "Range": lambda: tf.range(_unknown(np.int64(10**13))),
    "MatMul": lambda: tf.matmul(_unknown(_COLUMN), _unknown(_ROW)),
    "Mul": lambda: _unknown(_COLUMN) * _unknown(_ROW),
    "ResizeBilinear": lambda: tf.image.resize_bilinear(tf.ones([1, 2, 2, 3]), [10**6, 10**6]),
}


@pytest.mark.parametrize("name", _CASES)
def test_refused(name: str) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        result = _CASES[name]()
        with pytest.raises(tf.errors.ResourceExhaustedError, match=r"OOM when allocating (tensor with shape|a TensorArray of)") as caught:
            session.run(result)
        assert caught.value.op is result.op
        assert f"{{{{node {result.op.name}}}}}" in str(caught.value)


def test_what_fits_runs() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        assert session.run(tf.fill(_unknown([3, 4]), 1.0)).shape == (3, 4)
        assert session.run(tf.fill(_unknown([5000, 5000]), np.int8(1))).shape == (5000, 5000)
        assert session.run(_unknown(np.ones((5000, 1), np.float32)) * _unknown(np.ones((1, 5000), np.float32))).sum() == 25_000_000


def test_wrong_inputs_keep_their_errors() -> None:
    with tf.Graph().as_default(), tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError):
        session.run(tf.matmul(_unknown(_COLUMN), _unknown(_COLUMN)))


def test_small_outputs_ask_for_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """However large their inputs may make them: to ask takes as long as a convolution's gradient."""

    def refuse(_: HostDevice) -> Any:
        raise AssertionError("asked")

    with tf.Graph().as_default(), tf.Session() as session:
        filters, grad = np.ones((3, 3, 32, 64), np.float32), np.ones((2, 11, 11, 64), np.float32)
        result = tf.nn.conv2d_backprop_input(_unknown(np.array([2, 11, 11, 32], np.int32)), _unknown(filters), _unknown(grad), [1, 1, 1, 1], "SAME")
        large = tf.fill(_unknown([5000, 5000]), np.int8(1))
        monkeypatch.setattr(HostDevice, "memory", refuse)
        assert session.run(result).shape == (2, 11, 11, 32)
        with pytest.raises(tf.errors.OpError, match="asked"):
            session.run(large)
