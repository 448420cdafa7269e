"""What plans settle before a run: nobody notices but the clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import gpersist.compat.v1 as tf


@pytest.fixture(autouse=True)
def _graph() -> Iterator[None]:
    with tf.Graph().as_default():
        yield


def _steps(session: Any, fetches: Any, feeds: dict[Any, Any]) -> list[str]:
    """The operations that a run of these fetches takes."""
    session.run(fetches, feeds)
    plan = list(session._plans.values())[-1]
    return [step.op.type for part in plan.parts for step in part.steps]


def test_constants_are_computed_once() -> None:
    x = tf.placeholder(tf.float32, [2])
    factor = tf.sqrt(tf.reduce_sum(tf.constant([4.0, 5.0])))
    y = x * tf.identity(factor)
    with tf.Session() as session:
        assert _steps(session, y, {x: [1, 2]}) == ["Mul"]
        np.testing.assert_array_equal(session.run(y, {x: [1, 2]}), [3, 6])
        found = session.run([factor, y], {x: [1, 2]})
        assert found[0] == 3
        np.testing.assert_array_equal(session.run(y, {x: [1, 2], factor: 5.0}), [5, 10])


def test_feeding_what_it_is_computed_from() -> None:
    start = tf.constant(2.0)
    y = tf.square(start) + 1.0
    with tf.Session() as session:
        assert session.run(y) == 5
        assert session.run(y, {start: 3.0}) == 10
        assert session.run(y) == 5


def test_fetched_constants_are_the_callers_own() -> None:
    y = tf.identity(tf.constant([1.0, 2.0]) * 2.0)
    with tf.Session() as session:
        session.run(y)[:] = 0
        np.testing.assert_array_equal(session.run(y), [2, 4])


def test_errors_are_the_runs() -> None:
    bad = tf.check_numerics(tf.constant([np.nan]), "that")
    good = tf.constant(1.0)
    with tf.Session() as session:
        for _ in range(2):
            with pytest.raises(tf.errors.InvalidArgumentError, match="that"):
                session.run(bad)
        assert session.run(good) == 1


def test_control_dependencies_hold() -> None:
    counter = tf.Variable(0)
    increase = tf.assign_add(counter, 1)
    with tf.control_dependencies([increase]):
        y = tf.identity(tf.constant(3.0) * 2.0)
        z = tf.identity(y)
    with tf.Session() as session:
        session.run(counter.initializer)
        assert session.run(z) == 6
        assert session.run(counter) == 1
        assert session.run([y, z]) == [6, 6]
        assert session.run(counter) == 2


def test_branches_and_loops() -> None:
    pred = tf.placeholder(tf.bool, [])
    counter = tf.Variable(0)

    def taken() -> Any:
        with tf.control_dependencies([tf.assign_add(counter, 1)]):
            return tf.identity(tf.constant(1.0)) + tf.square(tf.constant(2.0))

    y = tf.cond(pred, taken, lambda: tf.identity(tf.square(tf.constant(3.0))))
    _, total = tf.while_loop(lambda i, _: i < 3, lambda i, s: (tf.identity(i) + 1, tf.identity(s) + tf.square(tf.constant(2.0))), (0, 0.0))
    with tf.Session() as session:
        session.run(counter.initializer)
        assert session.run(y, {pred: True}) == 5
        assert session.run(y, {pred: False}) == 9
        assert session.run(counter) == 1
        assert session.run(total) == 12


def test_large_results_are_left_to_the_run() -> None:
    x = tf.placeholder(tf.float32, [])
    y = tf.tile(tf.constant([1.0]), [1 << 20]) * x
    with tf.Session() as session:
        assert _steps(session, y, {x: 2.0}) == ["Tile", "Mul"]
