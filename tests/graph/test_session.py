from __future__ import annotations

import threading
import weakref

import numpy as np
import pytest

from gpersist import ops, protos
from gpersist.devices import use_virtual
from gpersist.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError, UnimplementedError
from gpersist.graph import Graph, Session, apply_op, find_op_type, get_default_graph
from tests.graph.namespace import tf


@pytest.fixture(autouse=True)
def _graph():
    with Graph().as_default():
        yield


@pytest.mark.parametrize("is_lazy", [False, True])
def test_values_move_between_devices(is_lazy: bool) -> None:
    """Each operation runs on its node's device; a lazy device gives wrong numbers wherever somebody does not wait."""
    with use_virtual(2, is_lazy=is_lazy), Session() as session:
        x = ops.placeholder("float32", [None], name="x")
        with tf.device("/gpu:0"):
            v = ops.Variable(np.arange(5, dtype=np.float32), name="v")
            a = v * x
        with tf.device("/gpu:1"):
            b = a + 1.0
            w = ops.Variable(np.ones(5, np.float32), name="w", use_resource=True)
        updates = [ops.assign_sub(v, b), w.assign_add(a)]
        with tf.device("/cpu:0"):
            c = ops.reshape(b, [5, 1])
            with ops.control_dependencies(updates):
                d = c * 2.0
        session.run(ops.global_variables_initializer())
        for turn in range(3):
            old = session.run(v)
            found = session.run(d, {x: np.full(5, turn, np.float32)})
            np.testing.assert_array_equal(found[:, 0], (old * turn + 1) * 2)
            np.testing.assert_array_equal(session.run(v), old - (old * turn + 1))
        assert [session.variables.find(name).read().device.name for name in ("v", "w")] == ["/device:GPU:0", "/device:GPU:1"]


def test_large_values_move_in_pieces() -> None:
    with use_virtual(1), Session() as session:
        x = ops.placeholder("float64", name="x")
        value = np.arange(3 << 20, dtype=np.float64).reshape(3, -1)
        np.testing.assert_array_equal(session.run(ops.negative(x), {x: value[:, ::2]}), -value[:, ::2])
        assert session.run(ops.negative(x), {x: np.zeros((0, 3))}).shape == (0, 3)


def test_results_are_the_callers_own() -> None:
    v, c = ops.Variable([1.0, 2.0], name="v"), ops.constant([5.0, 6.0], name="c")
    with Session() as session:
        session.run(v.initializer)
        for fetch in (v, v.value(), ops.identity(v), c, ops.reshape(c, [2]), v.assign([1.0, 2.0]), v.initial_value):
            before = session.run(fetch)
            changed = session.run(fetch)
            changed[:] = 0
            np.testing.assert_array_equal(session.run(fetch), before)


def test_what_is_fed_stays_the_callers() -> None:
    x = ops.placeholder("float32", [2], name="x")
    v = ops.Variable([0.0, 0.0], name="v")
    update = v.assign(x)
    with Session() as session:
        mine = np.float32([1, 2])
        session.run(update, {x: mine})
        session.run(v.assign_add([1.0, 1.0]))
        assert mine.tolist() == [1, 2]
        mine[:] = 7
        assert session.run(v).tolist() == [2, 3]


def test_a_held_snapshot_outlives_training() -> None:
    v = ops.Variable([1.0, 2.0], name="v")
    step = v.assign_add([1.0, 1.0])
    with Session() as session:
        session.run(v.initializer)
        with session.variables.hold(["v"]) as held:
            for _ in range(3):
                session.run(step)
            assert held.arrays["v"].tolist() == [1, 2]
        assert session.run(v).tolist() == [4, 5]


def test_errors_tell_their_operation() -> None:
    v = ops.Variable([1.0], name="v2")
    bad = ops.reshape(ops.placeholder_with_default([1.0, 2.0], [None]), [3], name="bad")
    zero = ops.floordiv(1, ops.placeholder_with_default(0, []), name="zero")
    with Session() as session:
        with pytest.raises(FailedPreconditionError, match=r"Attempting to use uninitialized value v2\n\t \[\[\{\{node v2/read\}\}\]\]") as raised:
            session.run(v.value())
        assert raised.value.op is v.value().op
        assert raised.value.node_def.name == "v2/read"
        for tensor in (bad, zero):
            with pytest.raises(InvalidArgumentError) as wrong:
                session.run(tensor)
            assert wrong.value.op is tensor.op


def test_operations_that_gpersist_has_not_cannot_run() -> None:
    strange = get_default_graph().create_op("Strange", [ops.constant(1.0)], ["float32"], name="strange").outputs[0]
    after = strange + 1.0
    with Session() as session:
        with pytest.raises(NotFoundError, match="Op type not registered 'Strange'"):
            session.run(after)
        assert session.run(after, {strange: 4.0}) == 5.0


def test_operations_that_wait_for_each_other() -> None:
    a, b = ops.no_op("a"), ops.no_op("b")
    a._add_control_input(b)
    b._add_control_input(a)
    with Session() as session, pytest.raises(UnimplementedError, match="wait for each other"):
        session.run(a)


def test_a_chain_longer_than_the_stack() -> None:
    x = ops.constant(0.0)
    for _ in range(3000):
        x = ops.identity(x)
    with Session() as session:
        assert session.run(x + 1.0) == 1.0


def test_order_follows_control_inputs_added_later() -> None:
    v = ops.Variable(1.0, name="v")
    read = v.read_value()
    late = v.assign(5.0)
    read.op._add_control_input(late.op)
    with Session() as session:
        session.run(v.initializer)
        assert session.run(read) == 5.0


def test_plans_follow_changes_of_the_graph() -> None:
    a, b = ops.constant(1.0), ops.constant(2.0)
    c = ops.identity(a)
    with Session() as session:
        assert session.run(c) == 1.0
        c.op._update_input(0, b)
        assert session.run(c) == 2.0
        assert len(session._plans) == 1
        session.run([c, a])
        session.run(c, {b: 3.0})
        session.run(c)
        assert len(session._plans) == 3


def test_plans_are_not_kept_without_end() -> None:
    with Session() as session:
        for number in range(300):
            session.run(ops.constant(number))
        assert len(session._plans) == 256


def test_memory_is_given_up_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody needs any more is let go before the run ends."""
    made: list[weakref.ref] = []
    alive: list[int] = []

    def spy(xp, value):
        alive.append(sum(reference() is not None for reference in made))
        result = -value
        made.append(weakref.ref(result))
        return result

    monkeypatch.setattr(find_op_type("Neg"), "run", staticmethod(spy))
    x = y = ops.placeholder("float32", [10])
    for _ in range(6):
        y = ops.negative(y)
    with Session() as session:
        session.run(y, {x: np.zeros(10)})
    assert alive == [0, 1, 1, 1, 1, 1]


def test_many_threads_run_one_session() -> None:
    x = ops.placeholder("float32", [])
    y = x * 2.0 + 1.0
    failures = []
    with Session() as session:

        def work(number: int) -> None:
            for turn in range(50):
                if session.run(y, {x: number + turn}) != (number + turn) * 2 + 1:
                    failures.append((number, turn))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures


def test_sessions_have_variables_of_their_own() -> None:
    v = ops.Variable(1.0, name="v")
    with Session() as first, Session() as second:
        first.run(v.initializer)
        second.run(v.assign(5.0))
        assert (first.run(v), second.run(v)) == (1.0, 5.0)


def test_containers() -> None:
    with get_default_graph().container("mine"):
        v = ops.Variable(1.0, name="v")
    with Session() as session:
        session.run(v.initializer)
        assert session.variables.names("mine") == ["v"]
        assert session.variables.names() == []


def test_callables() -> None:
    x = ops.placeholder("float32", [])
    with Session() as session:
        double = session.make_callable([x * 2.0], [x])
        assert double(3.0) == [6.0]
    with pytest.raises(RuntimeError, match=r"Attempted to use a closed Session\."):
        double(3.0)


def test_not_done() -> None:
    with pytest.raises(NotFoundError, match="No session factory registered"):
        Session("grpc://localhost")


@pytest.mark.cuda
def test_on_cuda() -> None:
    import cupy

    with Session() as session:
        v = ops.Variable(np.arange(6, dtype=np.float32).reshape(2, 3), name="v")
        x = ops.placeholder("float32", [3, 2])
        y = ops.reduce_sum(ops.matmul(v, x), 0) / 2.0
        with ops.control_dependencies([y]):
            update = v.assign_add(ops.ones([2, 3]))
        session.run(v.initializer)
        assert isinstance(session.variables.find("v").read(), cupy.ndarray)
        value = np.arange(6, dtype=np.float32).reshape(3, 2)
        found, _ = session.run([y, update], {x: value})
        np.testing.assert_allclose(found, (np.arange(6).reshape(2, 3) @ value).sum(0) / 2)
        np.testing.assert_array_equal(session.run(v), np.arange(6).reshape(2, 3) + 1)
        text = ops.constant(["a", "b"])
        assert session.run([ops.identity(text), ops.cast(y, "int32")], {x: value})[0].tolist() == [b"a", b"b"]


def test_switch_on_devices() -> None:
    with use_virtual(1), Session() as session:
        pred = ops.placeholder("bool", [])
        no, yes = apply_op("Switch", ops.constant([1.0, 2.0]), pred).outputs
        with tf.device("/cpu:0"):
            merged = apply_op("Merge", [no * 2.0, yes * 3.0]).outputs[0]
        assert session.run(merged, {pred: True}).tolist() == [3, 6]
        assert session.run(merged, {pred: False}).tolist() == [2, 4]


def test_nothing_is_told_of_a_run_that_is_not_traced() -> None:
    metadata = protos.RunMetadata(step_stats=protos.StepStats(dev_stats=[protos.DeviceStepStats(device="of an earlier run")]))
    with Session() as session:
        session.run(ops.constant(1.0), options=protos.RunOptions(timeout_in_ms=9000), run_metadata=metadata)
    assert not metadata.ByteSize()


@pytest.mark.parametrize(
    ("device", "error", "text"),
    [
        (3, AttributeError, "'int' object has no attribute 'split'"),
        (["/gpu:0"], TypeError, "unhashable type: 'list'"),
        (b"/gpu:0", TypeError, "a bytes-like object is required, not 'str'"),
        ("gpu0", ValueError, "did you mean 'gpu:0'"),
    ],
)
def test_what_is_no_device(device, error: type[Exception], text: str) -> None:
    """Classes, and the texts of the first three, are TensorFlow 2.21's."""
    with pytest.raises(error, match=text), tf.device(device):
        pass
