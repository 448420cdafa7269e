"""Scenarios of what sessions keep between runs: staging areas, barriers, locks, tensors, maps; compare tests/golden/stateful."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest

from gpersist import ops
from gpersist.errors import DeadlineExceededError, InvalidArgumentError, NotFoundError
from gpersist.graph import Session, apply, apply_op
from gpersist.ops.barriers import Barrier
from gpersist.ops.critical_sections import CriticalSection
from gpersist.ops.dataset_values import Seeds
from gpersist.ops.datasets import Dataset
from gpersist.ops.gradients import gradients
from gpersist.ops.records import tf_record_iterator
from gpersist.ops.session_handles import delete_session_tensor, get_session_handle, get_session_tensor
from gpersist.ops.staging_areas import MapStagingArea, StagingArea
from gpersist.protos import Event, RunOptions, Summary
from tests.ops.scenarios import scenario

_MAP = ("Stage", "Unstage", "UnstageNoKey", "Peek", "Size", "IncompleteSize", "Clear")
_SHORT = RunOptions(timeout_in_ms=100)


@scenario("Stage", "Unstage", "StagePeek", "StageSize", "StageClear")
def staged(session: Session) -> None:
    area = StagingArea([ops.constant(1.0).dtype, ops.constant("").dtype], capacity=2)
    put = area.put([ops.constant([1.0, 2.0]), ops.constant("a")])
    session.run(put)
    session.run(put)
    with pytest.raises(DeadlineExceededError):
        session.run(put, options=_SHORT)
    value, text = session.run(area.peek(1))
    assert (value.tolist(), text) == ([1.0, 2.0], b"a")
    session.run(area.get())
    assert session.run(area.size()) == 1
    session.run(area.clear())
    with pytest.raises(DeadlineExceededError):
        session.run(area.get(), options=_SHORT)


@scenario(*[f"{prefix}Map{use}" for use in _MAP for prefix in ("", "Ordered")])
def staged_by_key(session: Session) -> None:
    for ordered in (False, True):
        area = MapStagingArea([ops.constant(1.0).dtype, ops.constant(1).dtype], ordered=ordered)
        key = ops.placeholder("int64", [])
        first, second = area.put(key, [ops.constant([1.0])], [0]), area.put(key, [ops.constant(5)], [1])
        for number in (9, 4):
            session.run(first, {key: number})
        assert session.run([area.size(), area.incomplete_size()]) == [0, 2]
        session.run(second, {key: 9})
        with pytest.raises(DeadlineExceededError):
            session.run(area.peek(key), {key: 4}, options=_SHORT)
        session.run(second, {key: 4})
        assert session.run(area.peek(key), {key: 9})[1] == 5
        assert session.run(area.get())[0] == (4 if ordered else 9)
        assert session.run(area.get(key, [1])[1], {key: 9 if ordered else 4}) == [5]
        session.run(area.clear())
        assert session.run(area.size()) == 0


@scenario("Barrier", "BarrierInsertMany", "BarrierTakeMany", "BarrierClose", "BarrierReadySize", "BarrierIncompleteSize")
def barrier(session: Session) -> None:
    gate = Barrier(("float32", "string"), shapes=((), ()))
    session.run(gate.insert_many(0, ["a", "b"], [1.0, 2.0]))
    session.run(gate.insert_many(1, ["b"], ["x"]))
    assert session.run([gate.ready_size(), gate.incomplete_size()]) == [1, 1]
    with pytest.raises(DeadlineExceededError):
        session.run(gate.take_many(2).keys, options=_SHORT)
    indices, keys, values = session.run(gate.take_many(1))
    assert (indices.tolist(), keys.tolist(), values[0].tolist(), values[1].tolist()) == ([-(2**63)], [b"b"], [2.0], [b"x"])
    session.run(gate.close(cancel_pending_enqueues=True))
    assert session.run(gate.incomplete_size()) == 0


@scenario("MutexV2", "MutexLock", "ConsumeMutexLock")
def one_at_a_time(session: Session) -> None:
    section, x = CriticalSection(), ops.constant(2.0)
    assert session.run([section.execute(lambda: x * 2.0), section.execute(lambda: x + 1.0)]) == [4.0, 3.0]


@scenario("GetSessionHandle", "GetSessionTensor", "DeleteSessionTensor", "GetSessionHandleV2")
def kept_by_the_session(session: Session) -> None:
    value, x = ops.constant([1.0, 2.0]), ops.placeholder("float32")
    handle = session.run(get_session_handle(value * 2.0))
    assert handle.eval().tolist() == [2.0, 4.0]
    assert session.run(x + 1.0, {x: handle}).tolist() == [3.0, 5.0]
    holder, tensor = get_session_tensor(handle.handle, "float32")
    deleting, deleted = delete_session_tensor(handle.handle)
    assert session.run(tensor, {holder: handle.handle}).tolist() == [2.0, 4.0]
    session.run(deleted, {deleting: handle.handle})
    with pytest.raises(InvalidArgumentError, match="is not in the session store"):
        session.run(tensor, {holder: handle.handle})
    assert session.run(apply("GetSessionHandleV2", value)).eval().tolist() == [1.0, 2.0]


@scenario("AddSparseToTensorsMap", "AddManySparseToTensorsMap", "TakeManySparseFromTensorsMap")
def sparse_by_number(session: Session) -> None:
    parts = [ops.constant(np.array([[0, 1], [1, 0]])), ops.constant([1.0, 2.0]), ops.constant(np.array([2, 3]))]
    one = session.run(apply("AddSparseToTensorsMap", *parts, shared_name="m"))
    many = session.run(apply("AddManySparseToTensorsMap", *parts, shared_name="m"))
    handles = ops.placeholder("int64", [None])
    taken = apply_op("TakeManySparseFromTensorsMap", handles, dtype="float32", shared_name="m").outputs
    assert session.run(taken[0], {handles: [one]}).tolist() == [[0, 0, 1], [0, 1, 0]]
    assert session.run(taken[2], {handles: many}).tolist() == [2, 3]
    with pytest.raises(InvalidArgumentError, match="Unable to find SparseTensor"):
        session.run(taken, {handles: [one]})


@scenario(*[f"TensorMap{use}" for use in ("Insert", "Lookup", "HasKey", "Erase", "Size", "StackKeys")], "EmptyTensorMap")
def map_of_tensors(session: Session) -> None:
    x = ops.constant([1.0, 2.0])
    one = apply("TensorMapInsert", apply("EmptyTensorMap"), "a", x)
    two = apply("TensorMapInsert", one, "b", x * 2.0)
    found = apply("TensorMapLookup", two, "b", value_dtype="float32")
    left = apply("TensorMapErase", two, "a", value_dtype="float32")
    assert session.run(found).tolist() == [2.0, 4.0]
    assert session.run([apply("TensorMapHasKey", left, "a"), apply("TensorMapSize", two)]) == [False, 2]
    assert session.run(apply("TensorMapStackKeys", left, key_dtype="string")).tolist() == [b"b"]
    assert session.run(gradients(found, [x])[0]).tolist() == [2.0, 2.0]


@scenario("AnonymousMutableHashTable", "AnonymousMutableHashTableOfTensors", "AnonymousMutableDenseHashTable")
def tables_of_a_run(session: Session) -> None:
    for table, value in (
        (apply("AnonymousMutableHashTable", key_dtype="int64", value_dtype="float32"), 2.0),
        (apply("AnonymousMutableHashTableOfTensors", key_dtype="int64", value_dtype="float32", value_shape=[2]), [2.0, 3.0]),
        (apply("AnonymousMutableDenseHashTable", np.int64(-1), np.int64(-2), value_dtype="float32"), 2.0),
    ):
        added = apply_op("LookupTableInsertV2", table, ops.constant(np.array([5])), [value])
        with ops.control_dependencies([added]):
            found = apply("LookupTableFindV2", table, ops.constant(np.array([5])), np.zeros_like(np.float32(value)))
        assert session.run(found).tolist() == [value]


@scenario("InitializeTableFromDataset")
def table_of_a_dataset(session: Session) -> None:
    table = apply("HashTableV2", key_dtype="string", value_dtype="int64")
    dataset = Dataset.from_tensor_slices((["a", "b"], np.array([1, 2])))
    session.run(apply_op("InitializeTableFromDataset", table, dataset._variant_tensor))
    assert session.run(apply("LookupTableFindV2", table, ["b", "c"], np.int64(-1))).tolist() == [2, -1]
    with pytest.raises(InvalidArgumentError, match="elements of a key and a value"):
        session.run(apply_op("InitializeTableFromDataset", table, Dataset.range(3)._variant_tensor))


@scenario(
    *("AnonymousSeedGenerator", "AnonymousRandomSeedGenerator", "DeleteSeedGenerator", "DeleteRandomSeedGenerator", "DeleteIterator"),
    *("IteratorGetDevice", "IsResourceHandleRefCounting"),
)
def seeds_of_a_run(session: Session) -> None:
    one, other = np.int64(1), np.int64(2)
    handle, deleter = apply_op("AnonymousSeedGenerator", one, other, True).outputs
    assert Seeds(1, 2, True).draw() == Seeds(1, 2, True).draw()
    session.run(apply_op("DeleteSeedGenerator", handle, deleter))
    handle, deleter = apply_op("AnonymousRandomSeedGenerator", one, other).outputs
    session.run(apply_op("DeleteRandomSeedGenerator", handle, deleter))
    session.run(apply_op("DeleteIterator", handle, deleter))
    assert session.run(apply("IteratorGetDevice", handle)).endswith(b"CPU:0")
    assert session.run(apply("IsResourceHandleRefCounting", handle))


@scenario(
    *("SummaryWriter", "CreateSummaryFileWriter", "WriteSummary", "FlushSummaryWriter", "CloseSummaryWriter", "ImportEvent"),
    *(f"Write{kind}Summary" for kind in ("Scalar", "Histogram", "Image", "Audio", "RawProto", "Graph")),
)
def event_files(session: Session) -> None:
    writer, step = apply("SummaryWriter", shared_name="w"), np.int64(3)
    with tempfile.TemporaryDirectory() as folder:
        scalar = apply_op("WriteScalarSummary", writer, step, "loss", ops.constant(1.5))
        with pytest.raises(NotFoundError):
            session.run(scalar)
        session.run(apply_op("CreateSummaryFileWriter", writer, folder, 10, 1000, ".mine"))
        for op in (
            scalar,
            apply_op("WriteSummary", writer, step, [1, 2], "t", b""),
            apply_op("WriteHistogramSummary", writer, step, "h", [1.0, 2.0]),
            apply_op("WriteImageSummary", writer, step, "i", np.zeros([1, 2, 2, 1], np.uint8), np.array([255, 0, 0, 255], np.uint8)),
            apply_op("WriteAudioSummary", writer, step, "a", np.zeros([1, 4, 1], np.float32), np.float32(8000)),
            apply_op("WriteRawProtoSummary", writer, step, Summary(value=[Summary.Value(tag="r", simple_value=2.0)]).SerializeToString()),
            apply_op("WriteGraphSummary", writer, step, session.graph.as_graph_def().SerializeToString()),
            apply_op("ImportEvent", writer, Event(step=9).SerializeToString()),
            apply_op("FlushSummaryWriter", writer),
            apply_op("CloseSummaryWriter", writer),
        ):
            session.run(op)
        (path,) = Path(folder).iterdir()
        version, *events = [Event.FromString(record) for record in tf_record_iterator(path)]
    assert version.file_version == "brain.Event:2"
    assert [event.step for event in events] == [3] * 7 + [9]
    assert [event.summary.value[0].tag for event in events[:6]] == ["loss", "t", "h", "i/image/0", "a/audio/0", "r"]
    assert path.name.endswith(".mine")
