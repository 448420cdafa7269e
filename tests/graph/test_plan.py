"""What a run leaves out: operations that others wait for, but whose values nobody takes."""

from __future__ import annotations

import numpy as np
import pytest

from gpersist import ops
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Graph, Session, apply, apply_op
from tests.graph.namespace import tf


@pytest.fixture(autouse=True)
def _graph():
    with Graph().as_default():
        yield


def _failing() -> object:
    x = ops.placeholder("int32", [], name="x")
    return x // ops.constant(0, name="zero")


def test_leaves_out_what_is_only_waited_for() -> None:
    failing = _failing()
    with tf.control_dependencies([failing + 1]):
        y = ops.constant(2.0) * ops.constant(3.0)
    with Session() as session:
        assert session.run(y, {"x:0": 1}) == 6.0
        with pytest.raises(InvalidArgumentError):
            session.run([y, failing], {"x:0": 1})
        with pytest.raises(InvalidArgumentError):
            session.run([y, failing.op], {"x:0": 1})


def test_runs_what_changes_or_checks_something_behind_it() -> None:
    v = ops.Variable(np.float32(1), name="v")
    x = ops.placeholder("float32", [], name="x")
    with tf.control_dependencies([ops.assign_add(v, x) * 2.0, apply("CheckNumerics", x, message="m") + 1.0]):
        done = apply_op("NoOp")
    with Session() as session:
        session.run(ops.global_variables_initializer())
        session.run(done, {x: 4.0})
        assert session.run(v) == 5.0
        with pytest.raises(InvalidArgumentError):
            session.run(done, {x: np.nan})


@pytest.mark.parametrize("is_there", [True, False])
def test_runs_it_where_it_may_be_dead(is_there: bool) -> None:
    """What waits for an operation of a branch that is not taken is not run either."""
    v = ops.Variable(np.float32(1), name="v")
    _, branch = apply_op("Switch", v.read_value(), ops.placeholder("bool", [], name="is_there")).outputs
    with tf.control_dependencies([branch + 1.0]):
        added = ops.assign_add(v, 1.0).op
    with Session() as session:
        session.run(ops.global_variables_initializer())
        session.run(added, {"is_there:0": is_there})
        assert session.run(v) == (2.0 if is_there else 1.0)
