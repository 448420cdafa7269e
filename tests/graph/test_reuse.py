"""Results written over inputs: never over what anybody may still look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import gpersist.compat.v1 as tf
from gpersist.graph import reuse

_SHAPE = (64, 256)
_VALUE = np.linspace(-2, 2, 64 * 256, dtype=np.float32).reshape(_SHAPE)


@pytest.fixture(autouse=True)
def _graph(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """A graph of the test's own; counts how often a result was written over an input."""
    counted: list[int] = []
    original = reuse._is_like_result

    def counting(values: Any, index: int) -> bool:
        found = original(values, index)
        if found:
            counted.append(index)
        return found

    monkeypatch.setattr(reuse, "_is_like_result", counting)
    with tf.Graph().as_default():
        yield counted


def test_chain_is_written_in_place(_graph: list[int]) -> None:
    x = tf.placeholder(tf.float32, _SHAPE)
    y = tf.nn.relu(tf.nn.bias_add(x * 2.0, np.ones(256, np.float32))) - 0.5
    with tf.Session() as session:
        found = session.run(y, {x: _VALUE})
    np.testing.assert_array_equal(found, np.maximum(_VALUE * 2 + 1, 0) - np.float32(0.5))
    assert len(_graph) == 3


def test_what_is_fed_fetched_or_constant_stays() -> None:
    x = tf.placeholder(tf.float32, _SHAPE)
    constant = tf.constant(_VALUE)
    variable = tf.Variable(_VALUE)
    first = tf.exp(x)
    second = tf.identity(first)
    results = [tf.nn.relu(x), tf.negative(constant), tf.negative(variable), tf.negative(second), first, tf.negative(tf.reshape(x, [-1]))]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        fed = _VALUE.copy()
        for _ in range(2):
            found = session.run([*results, constant, variable], {x: fed})
            np.testing.assert_array_equal(fed, _VALUE)
            np.testing.assert_array_equal(found[1], -_VALUE)
            np.testing.assert_array_equal(found[2], -_VALUE)
            np.testing.assert_array_equal(found[3], -np.exp(_VALUE))
            np.testing.assert_array_equal(found[4], np.exp(_VALUE))
            np.testing.assert_array_equal(found[6], _VALUE)
            np.testing.assert_array_equal(found[7], _VALUE)


def test_parts_of_one_array_stay() -> None:
    x = tf.placeholder(tf.float32, _SHAPE)
    doubled = x * 2.0
    left, right = tf.split(doubled, 2, axis=0)
    turned = tf.transpose(doubled)
    with tf.Session() as session:
        found = session.run([tf.negative(left), tf.negative(right), tf.negative(turned), tf.reduce_sum(doubled)], {x: _VALUE})
    np.testing.assert_array_equal(np.concatenate(found[:2]), -2 * _VALUE)
    np.testing.assert_array_equal(found[2], -2 * _VALUE.T)


def test_in_loops() -> None:
    x = tf.placeholder(tf.float32, _SHAPE)
    array = tf.TensorArray(tf.float32, size=4)

    def body(index: Any, value: Any, kept: Any, written: Any) -> Any:
        value = tf.nn.relu(value + 1.0) - 1.5
        return index + 1, value, kept, written.write(index, value)

    _, value, kept, written = tf.while_loop(lambda index, *_: index < 4, body, (0, x * 1.0, x * 3.0, array))
    with tf.Session() as session:
        found = session.run([value, kept, written.stack()], {x: _VALUE})
    expected, each = _VALUE, []
    for _ in range(4):
        expected = np.maximum(expected + 1, 0) - np.float32(1.5)
        each.append(expected)
    np.testing.assert_array_equal(found[0], expected)
    np.testing.assert_array_equal(found[1], _VALUE * 3)
    np.testing.assert_array_equal(found[2], each)


def test_batch_normalization(_graph: list[int]) -> None:
    x = tf.placeholder(tf.float32, [None, 8, 8, 64])
    ones = np.ones(64, np.float32)
    value = np.random.default_rng(3).standard_normal((4, 8, 8, 64)).astype(np.float32)
    exponential = tf.exp(x)
    y = tf.nn.fused_batch_norm(exponential, ones * 2, ones, mean=ones * 3, variance=ones * 4, epsilon=0.25, is_training=False)[0]
    with tf.Session() as session:
        alone = session.run(y, {x: value})
        assert _graph == [0]
        both = session.run([y, exponential], {x: value})
    np.testing.assert_array_equal(alone, both[0])
    np.testing.assert_array_equal(both[1], np.exp(value))
    np.testing.assert_allclose(alone, (np.exp(value) - 3) / np.sqrt(4.25) * 2 + 1, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_one_other_reference_is_enough(count: int, _graph: list[int]) -> None:
    """What an operation has kept, here of its own making, is not written over, however many inputs the next one has."""
    kept: list[Any] = []

    def make(value: Any) -> Any:
        kept.append(value * np.float32(1))
        return kept[0]

    x = tf.placeholder(tf.float32, [4, 8, 8, 64])
    made = tf.py_func(make, [x], tf.float32)
    made.set_shape([4, 8, 8, 64])
    parameters = [np.full(64, number, np.float32) for number in (2, 1, 3, 4)]
    if count == 1:
        result = tf.exp(made)
    elif count == 2:
        result = made * 3.0
    else:
        result = tf.nn.fused_batch_norm(made, *parameters[:2], mean=parameters[2], variance=parameters[3], is_training=False)[0]
    value = np.random.default_rng(3).standard_normal((4, 8, 8, 64)).astype(np.float32)
    with tf.Session() as session:
        session.run(result, {x: value})
    np.testing.assert_array_equal(kept[0], value)
    assert not _graph
