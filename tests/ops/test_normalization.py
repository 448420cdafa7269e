"""The derivative of the derivative of fused batch normalisation is that of the formula written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpersist.compat.v1 as tf


@pytest.mark.parametrize("is_training", [True, False])
@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
def test_second_gradient(data_format: str, is_training: bool) -> None:
    x = np.random.default_rng(1).normal(size=(2, 3, 4, 5)).astype(np.float32)
    channel = 3 if data_format == "NHWC" else 1
    kept = [1 if axis != channel else -1 for axis in range(4)]
    start, mean, variance = np.linspace(0.5, 1.5, x.shape[channel], dtype=np.float32), 0.25, 1.5

    def fused(value: Any, scale: Any, offset: Any) -> Any:
        fixed = {} if is_training else {"mean": np.full_like(start, mean), "variance": np.full_like(start, variance)}
        return tf.nn.fused_batch_norm(value, scale, offset, data_format=data_format, is_training=is_training, **fixed)[0]

    def written_out(value: Any, scale: Any, offset: Any) -> Any:
        axes = [axis for axis in range(4) if axis != channel]
        moments = tf.nn.moments(value, axes, keepdims=True) if is_training else (mean, variance)
        return (value - moments[0]) * tf.rsqrt(moments[1] + 0.001) * tf.reshape(scale, kept) + tf.reshape(offset, kept)

    np.testing.assert_allclose(*(_second(function, x, start) for function in (fused, written_out)), rtol=1e-3, atol=1e-4)


def _second(function: Any, x: Any, start: Any) -> Any:
    with tf.Graph().as_default(), tf.Session() as sess:
        sources = [tf.constant(x), tf.constant(start), tf.constant(start)]
        slopes = tf.gradients(tf.tanh(function(*sources)), sources)
        found = sess.run(tf.gradients([tf.reduce_sum(slope**2) for slope in slopes], sources))
        return np.concatenate([value.reshape(-1) for value in found])


def test_slices_stay_slices_in_another_type() -> None:
    with tf.Graph().as_default(), tf.Session() as sess:
        table = tf.constant(np.arange(6, dtype=np.float32).reshape(3, 2))
        (grad,) = tf.gradients(tf.gather(tf.cast(table, tf.float64), [2]) * 3.0, [table])
        assert isinstance(grad, tf.IndexedSlices) and grad.dtype == tf.float32
        assert sess.run(grad).values.tolist() == [[3.0, 3.0]]
