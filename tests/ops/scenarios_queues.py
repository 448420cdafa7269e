"""Queues: what they give, when they wait, and what closing them does. What is expected is what TensorFlow 2.21 gave of the same programs."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from gpersist import ops
from gpersist.errors import CancelledError, DeadlineExceededError, InvalidArgumentError, OutOfRangeError
from gpersist.graph import Session, apply, apply_op
from gpersist.ops.accumulators import ConditionalAccumulator, SparseConditionalAccumulator
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.queues import FIFOQueue, PaddingFIFOQueue, PriorityQueue, RandomShuffleQueue
from gpersist.ops.random_seed import set_random_seed
from gpersist.protos import RunOptions
from tests.ops.scenarios import scenario

_USES = ("Enqueue", "EnqueueMany", "Dequeue", "DequeueMany", "DequeueUpTo", "Close", "Size", "IsClosed")


@scenario("FIFOQueueV2", *[f"Queue{use}V2" for use in _USES])
def first_in_first_out(session: Session) -> None:
    queue = FIFOQueue(3, ["float32", "string"], shapes=[[2], []], name="q")
    one, two = queue.enqueue([[1.0, 2.0], "a"]), queue.enqueue_many([[[1.0, 2.0], [3.0, 4.0]], ["b", "c"]])
    size, pair, some = queue.size(), queue.dequeue_many(2), queue.dequeue_up_to(3)
    session.run(one)
    session.run(two)
    assert session.run(size) == 3
    with pytest.raises(DeadlineExceededError):
        session.run(one, options=RunOptions(timeout_in_ms=100))  # there is no room
    values, text = session.run(queue.dequeue())
    assert (values.tolist(), text) == ([1, 2], b"a")
    values, texts = session.run(pair)
    assert (values.tolist(), texts.tolist()) == ([[1, 2], [3, 4]], [b"b", b"c"])
    session.run(two)
    session.run(queue.close())
    assert session.run(queue.is_closed())
    with pytest.raises(CancelledError, match="is closed"):
        session.run(one)
    assert session.run(some)[1].tolist() == [b"b", b"c"]
    for taken in (queue.dequeue(), pair, some):
        with pytest.raises(OutOfRangeError, match=r"is closed and has insufficient elements \(requested \d, current size 0\)"):
            session.run(taken)
    with pytest.raises(ValueError, match=r"not compatible|incompatible"):
        queue.enqueue([[1.0, 2.0, 3.0], "a"])


@scenario("PaddingFIFOQueueV2")
def padded(session: Session) -> None:
    queue, x = PaddingFIFOQueue(10, ["int32"], shapes=[[None]]), ops.placeholder("int32", [None])
    added = queue.enqueue(x)
    for values in ([1], [1, 2, 3], []):
        session.run(added, {x: values})
    assert session.run(queue.dequeue_many(3)).tolist() == [[1, 0, 0], [1, 2, 3], [0, 0, 0]]


@scenario("RandomShuffleQueueV2")
def shuffled(session: Session) -> None:
    queue = RandomShuffleQueue(10, 2, ["int32"], shapes=[[]], seed=3)
    session.run(queue.enqueue_many([list(range(6))]))
    found = session.run(queue.dequeue_many(4)).tolist()
    session.run(queue.close())  # from now on none are kept back
    found += session.run(queue.dequeue_up_to(10)).tolist()
    assert sorted(found) == list(range(6))
    set_random_seed(7)
    queue = RandomShuffleQueue(20, 0, ["int32"], shapes=[[]], seed=4)
    taken = queue.dequeue_many(3)
    session.run(queue.enqueue_many([list(range(10))]))
    assert [session.run(taken).tolist() for _ in range(2)] == [[5, 1, 2], [0, 9, 6]]  # as TensorFlow's


@scenario("PriorityQueueV2")
def by_priority(session: Session) -> None:
    queue = PriorityQueue(10, ["string"], shapes=[[]])
    session.run(queue.enqueue_many([np.array([5, 1, 3]), ["e", "a", "c"]]))
    taken = queue.dequeue()
    assert [tuple(session.run(taken)) for _ in range(3)] == [(1, b"a"), (3, b"c"), (5, b"e")]
    _check_waiting(session)


def _check_waiting(session: Session) -> None:
    queue = FIFOQueue(1, "float32", names=["v"], name="named")
    added, taken = queue.enqueue({"v": 1.0}), queue.dequeue()
    found: list[Any] = []

    def take() -> None:
        found.append(session.run(taken)["v"])

    thread = threading.Thread(target=take)
    thread.start()
    session.run(added)
    thread.join()
    assert found == [1]
    with pytest.raises(InvalidArgumentError, match="require the components to have specified shapes"):
        session.run(queue.dequeue_many(2))
    with pytest.raises(ValueError, match="You must enqueue a dictionary"):
        queue.enqueue(1.0)

    session.run(added)

    def add() -> None:
        with pytest.raises(CancelledError) as caught:
            session.run(added)
        found.append(type(caught.value))

    thread = threading.Thread(target=add)
    thread.start()
    session.run(queue.close(cancel_pending_enqueues=True))
    thread.join()
    assert found == [1, CancelledError]


@scenario("FIFOQueue", "PaddingFIFOQueue", "RandomShuffleQueue", "PriorityQueue", *[f"Queue{use}" for use in _USES])
def old(session: Session) -> None:
    """Queues whose handles are references, as graphs before TensorFlow 1.0 have them; two of one shared name are the same."""
    for kind in ("FIFOQueue", "PaddingFIFOQueue", "RandomShuffleQueue"):
        one, same = (apply(kind, component_types=["int32"], shapes=[[]], shared_name=kind) for _ in range(2))
        session.run(apply_op("QueueEnqueue", one, [np.int32(7)]))
        session.run(apply_op("QueueEnqueueMany", one, [np.array([7, 7], np.int32)]))
        assert session.run(apply("QueueSize", same)) == 3
        assert session.run(apply_op("QueueDequeue", same, component_types=["int32"]).outputs[0]) == 7
        for name in ("QueueDequeueMany", "QueueDequeueUpTo"):
            assert session.run(apply_op(name, same, np.int32(1), component_types=["int32"]).outputs[0]).tolist() == [7]
        session.run(apply_op("QueueClose", same))
        assert session.run(apply("QueueIsClosed", one))
    handle = apply("PriorityQueue", component_types=["int32"], shapes=[[]])
    session.run(apply_op("QueueEnqueue", handle, [np.int64(2), np.int32(7)]))
    assert session.run(apply("QueueSize", handle)) == 1


_OF_ACCUMULATORS = ("ApplyGradient", "TakeGradient", "NumAccumulated", "SetGlobalStep")


@scenario("ResourceConditionalAccumulator", *[f"ResourceAccumulator{use}" for use in _OF_ACCUMULATORS])
def accumulators(session: Session) -> None:
    given = ConditionalAccumulator("float32", shape=[2], name="acc")
    x, step = ops.placeholder("float32", [None]), ops.placeholder("int64", [])
    add, take, count = given.apply_grad(x, local_step=step), given.take_grad(1), given.num_accumulated()
    assert (given.name, count.op.name, take.shape) == ("acc", "acc_NumAccumulated", (2,))
    for value in ([1, 2], [3, 4]):
        session.run(add, {x: value, step: 0})
    assert session.run(count) == 2
    assert session.run(take).tolist() == [2, 3]
    session.run(add, {x: [1, 2], step: 0})
    assert session.run(count) == 0  # stale
    with pytest.raises(DeadlineExceededError):
        session.run(take, options=RunOptions(timeout_in_ms=100))
    session.run(given.set_global_step(5))
    for number, wanted in ((4, 0), (5, 1)):
        session.run(add, {x: [1, 2], step: number})
        assert session.run(count) == wanted
    with pytest.raises(InvalidArgumentError, match="Shape mismatch"):
        session.run(add, {x: [1, 2, 3], step: 9})
    with pytest.raises(InvalidArgumentError, match="num_required must be positive, but was 0"):
        session.run(given.take_grad(0))
    total = ConditionalAccumulator("float32", reduction_type="SUM", shared_name="total")
    for _ in range(2):
        session.run(total.apply_grad([2.0, 1.0]))
    assert session.run(total.take_grad(1)).tolist() == [4, 2]
    with pytest.raises(InvalidArgumentError, match="No OpKernel"):
        session.run(ConditionalAccumulator("int32").num_accumulated())


@scenario("ConditionalAccumulator", *[f"Accumulator{use}" for use in _OF_ACCUMULATORS])
def accumulators_of_references(session: Session) -> None:
    handle = apply("ConditionalAccumulator", dtype="float64", shape=[])
    for value in (1.0, 4.0):
        session.run(apply_op("AccumulatorApplyGradient", handle, np.int64(0), np.float64(value)))
    assert session.run(apply("AccumulatorNumAccumulated", handle)) == 2
    assert session.run(apply("AccumulatorTakeGradient", handle, 2, dtype="float64")) == 2.5
    session.run(apply_op("AccumulatorSetGlobalStep", handle, np.int64(3)))
    with pytest.raises(InvalidArgumentError, match="type float64"):
        session.run(apply("AccumulatorTakeGradient", handle, 2, dtype="float32"))


@scenario("SparseConditionalAccumulator", "SparseAccumulatorApplyGradient", "SparseAccumulatorTakeGradient")
def accumulators_of_rows(session: Session) -> None:
    rows = SparseConditionalAccumulator("float32", shape=[None, 2], name="sp")
    slices = IndexedSlices(ops.constant([[1.0, 2.0], [3.0, 4.0]]), ops.constant([0, 3], "int64"))
    session.run(rows.apply_indexed_slices_grad(slices))
    session.run(rows.apply_grad([3, 1], np.float32([[10, 20], [5, 5]]), grad_shape=[4, 2]))
    assert session.run(rows.num_accumulated()) == 2
    indices, values, shape = session.run(rows.take_grad(1))
    assert indices.tolist() == [0, 3, 1]
    assert values.tolist() == [[1, 2], [6.5, 12], [5, 5]]
    assert shape.tolist() == [-1, 2]
    total = SparseConditionalAccumulator("float32", reduction_type="SUM")
    for places, numbers in (([2, 5], [1.0, 2.0]), ([5], [1.0])):
        session.run(total.apply_grad(places, np.float32(numbers)))
    found = session.run(total.take_indexed_slices_grad(2))
    assert (found.indices.tolist(), found.values.tolist(), found.dense_shape.tolist()) == ([2, 5], [1, 3], [-1])
    for places, numbers, sizes in (([0], [[1, 2, 3]], None), ([0, 1], [[1, 2]], None), ([0], [[1, 2]], [4, 3]), ([-1], [[1, 2]], None)):
        with pytest.raises(InvalidArgumentError):
            session.run(rows.apply_grad(places, np.float32(numbers), grad_shape=sizes, local_step=9))
