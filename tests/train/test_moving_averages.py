"""Moving averages beside what tests/train/test_training.py compares with TensorFlow."""

from __future__ import annotations

from gpersist import ops
from gpersist.graph import Graph, Session
from gpersist.train.moving_averages import ExponentialMovingAverage, assign_moving_average


def test_the_seeds_numbers() -> None:
    """A variable that goes from 0 to 10, averaged with 0.99: as the documents print it."""
    with Graph().as_default(), Session() as session:
        v = ops.Variable(0, dtype="float32", name="v")
        average = ExponentialMovingAverage(0.99)
        update = average.apply(ops.global_variables())
        assert [variable.name for variable in ops.global_variables()] == ["v:0", "v/ExponentialMovingAverage:0"]
        session.run(ops.global_variables_initializer())
        session.run(ops.assign(v, 10))
        session.run(update)
        assert [str(value) for value in session.run([v, average.average(v)])] == ["10.0", "0.099999905"]
        assert str(average.variables_to_restore()) == "{'v/ExponentialMovingAverage': <tf.Variable 'v:0' shape=() dtype=float32_ref>}"


def test_a_variable_of_ones_own_moves() -> None:
    with Graph().as_default(), Session() as session:
        average = ops.Variable(1.0)
        moved = assign_moving_average(average, ops.constant(3.0), 0.5, zero_debias=False)
        session.run(average.initializer)
        assert [session.run(moved) for _ in range(2)] == [2.0, 2.5]
