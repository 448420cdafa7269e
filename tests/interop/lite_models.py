"""Models of layers, for test_lite.py: a function each, that gives a placeholder of three elements' batch, and a result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gpersist.compat.v1 as tf


def lenet() -> tuple[Any, Any]:
    x = tf.placeholder(tf.float32, [None, 28, 28, 1])
    y = tf.layers.max_pooling2d(tf.layers.conv2d(x, 8, 5, activation=tf.nn.relu), 2, 2)
    y = tf.layers.flatten(tf.layers.batch_normalization(y, training=False))
    y = tf.layers.dropout(tf.layers.dense(y, 64, tf.nn.relu), training=False)
    return x, tf.nn.softmax(tf.layers.dense(y, 10))


def trained_when_told() -> tuple[Any, Any]:
    x, training = tf.placeholder(tf.float32, [None, 8, 8, 3]), tf.placeholder_with_default(False, [])
    y = tf.nn.relu(tf.layers.batch_normalization(tf.layers.conv2d(x, 8, 3, padding="same"), training=training))
    return x, tf.reduce_mean(tf.layers.dropout(y, 0.5, training=training), [1, 2])


def residual() -> tuple[Any, Any]:
    x = tf.placeholder(tf.float32, [None, 8, 8, 4])
    y = tf.nn.relu(tf.layers.batch_normalization(tf.layers.conv2d(x, 4, 3, padding="same", use_bias=False)))
    y = tf.layers.batch_normalization(tf.layers.conv2d(y, 4, 3, padding="same", use_bias=False))
    return x, tf.nn.relu(y + x)


def separable() -> tuple[Any, Any]:
    x = tf.placeholder(tf.float32, [None, 8, 8, 4])
    y = tf.layers.separable_conv2d(x, 8, 3, strides=2, padding="same", activation=tf.nn.relu6)
    return x, tf.layers.average_pooling2d(y, 2, 2)


def recurrent(cell: Callable[[], Any]) -> Callable[[], tuple[Any, Any]]:
    def make() -> tuple[Any, Any]:
        x = tf.placeholder(tf.float32, [None, 4, 3])
        outputs, _ = tf.nn.static_rnn(cell(), tf.unstack(x, axis=1), dtype=tf.float32)
        return x, outputs[-1]

    return make


def larger() -> tuple[Any, Any]:
    x = tf.placeholder(tf.float32, [None, 4, 4, 3])
    return x, tf.layers.conv2d_transpose(x, 5, 3, strides=2, padding="same", activation=tf.nn.relu)


def sequence() -> tuple[Any, Any]:
    x = tf.placeholder(tf.float32, [None, 10, 3])
    return x, tf.layers.dense(tf.layers.max_pooling1d(tf.layers.conv1d(x, 5, 3, activation=tf.nn.relu), 2, 2), 4, tf.nn.tanh)


MODELS = {
    "lenet": lenet,
    "trained_when_told": trained_when_told,
    "residual": residual,
    "separable": separable,
    "lstm": recurrent(lambda: tf.nn.rnn_cell.BasicLSTMCell(5)),
    "gru": recurrent(lambda: tf.nn.rnn_cell.GRUCell(5)),
    "larger": larger,
    "sequence": sequence,
}
