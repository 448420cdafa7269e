"""Optimizers beside what tests/train/test_training.py compares with TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gpersist import ops
from gpersist.graph import Graph, Session, apply
from gpersist.ops.get_variable import get_variable
from gpersist.ops.partitioners import fixed_size_partitioner
from gpersist.train.optimizer import Optimizer
from gpersist.train.optimizers import AdamOptimizer, GradientDescentOptimizer, MomentumOptimizer


class _SignOptimizer(Optimizer):
    """Steps of one size, as a caller would write it."""

    def __init__(self, rate: float) -> None:
        super().__init__(False, "Signs")
        self._rate = rate

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        return ops.assign_sub(var, ops.sign(grad) * self._rate).op


def test_an_optimizer_of_ones_own() -> None:
    with Graph().as_default(), Session() as session:
        v = ops.Variable([1.0, -2.0])
        step = _SignOptimizer(0.5).minimize(ops.square(v))
        session.run(v.initializer)
        session.run(step)
        np.testing.assert_array_equal(session.run(v), [0.5, -1.5])


@pytest.mark.parametrize("use_resource", [False, True])
def test_a_step_writes_in_place_unless_somebody_holds_the_value(use_resource: bool) -> None:
    with Graph().as_default(), Session() as session:
        v = ops.Variable(np.ones([64], np.float32), name="v", use_resource=use_resource)
        step = AdamOptimizer(0.5).minimize(ops.multiply(v, v))
        session.run(ops.global_variables_initializer())

        def address() -> int:
            return int(session.variables.find("v").read().__array_interface__["data"][0])

        before = address()
        session.run(step)
        assert address() == before
        with session.variables.hold(["v", "v/Adam"]) as held:
            value, slot = held.arrays["v"].copy(), held.arrays["v/Adam"].copy()
            session.run(step)
            np.testing.assert_array_equal(held.arrays["v"], value)
            np.testing.assert_array_equal(held.arrays["v/Adam"], slot)
        assert not np.array_equal(session.run(v), value)


def test_slots_of_a_partitioned_variable_are_parts_of_one() -> None:
    with Graph().as_default():
        whole = get_variable("w", shape=[4, 3], partitioner=fixed_size_partitioner(2))
        optimizer = MomentumOptimizer(0.1, 0.9)
        optimizer.minimize(ops.multiply(whole.as_tensor(), 2.0))
        slots = [optimizer.get_slot(part, "momentum") for part in whole]
    assert [slot.op.name for slot in slots] == ["w/part_0/Momentum", "w/part_1/Momentum"]
    assert [slot._get_save_slice_info().full_name for slot in slots] == ["w/Momentum", "w/Momentum"]
    assert [slot._get_save_slice_info().spec for slot in slots] == ["4 3 0,2:0,3", "4 3 2,2:0,3"]


def test_one_optimizer_in_two_graphs() -> None:
    optimizer = AdamOptimizer()
    found = []
    for _ in range(2):
        with Graph().as_default():
            v = ops.Variable(1.0, name="v")
            optimizer.minimize(ops.square(v))
            found.append([var.name for var in optimizer.variables()])
    assert found == [["beta1_power:0", "beta2_power:0", "v/Adam:0", "v/Adam_1:0"]] * 2


def test_a_loss_may_be_a_function() -> None:
    with Graph().as_default(), Session() as session:
        v = ops.Variable(3.0)
        step = GradientDescentOptimizer(lambda: 0.25).minimize(lambda: ops.square(v))
        session.run(v.initializer)
        session.run(step)
        assert session.run(v) == 1.5


def test_no_gradient_names_variables_and_loss() -> None:
    with Graph().as_default():
        v = ops.Variable(3.0, name="v")
        loss = ops.constant(1.0, name="loss")
        with pytest.raises(ValueError, match=r"No gradients provided for any variable, .* between variables .*'v:0'.* and loss Tensor\(\"loss:0\""):
            GradientDescentOptimizer(0.1).minimize(loss, var_list=[v])


def test_a_loop_of_steps_learns() -> None:
    """The linear fit of the seeds, on a hundred points."""
    generator = np.random.default_rng(0)
    x = generator.uniform(-1, 1, (100, 1)).astype(np.float32)
    with Graph().as_default(), Session() as session:
        w, b = ops.Variable([[0.0]]), ops.Variable([0.0])
        error = ops.matmul(ops.constant(x), w) + b - (x * 2 + 1)
        step = AdamOptimizer(0.1).minimize(apply("Mean", ops.square(error), [0, 1]))
        session.run(ops.global_variables_initializer())
        for _ in range(200):
            session.run(step)
        np.testing.assert_allclose([*session.run(w)[0], *session.run(b)], [2, 1], atol=1e-2)
