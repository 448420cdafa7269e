"""Scenarios of what loops keep values in: arrays, lists and stacks of tensors; and of lookup tables."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from gpersist.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError
from gpersist.graph import Session, apply, apply_op
from gpersist.ops import Variable, assign_add, constant, control_dependencies, control_flow, lookup, placeholder_with_default
from gpersist.ops.tensor_array import TensorArray
from tests.ops.scenarios import scenario


def _equal(found: Any, wanted: Any) -> None:
    np.testing.assert_array_equal(found, wanted)


@scenario(
    *(f"TensorArray{verb}V3" for verb in ("", "Write", "Read", "Gather", "Scatter", "Concat", "Split", "Size", "Close", "Grad")),
    "TensorArrayGradWithShape",
)
def tensor_arrays(session: Session) -> None:
    array = TensorArray("float32", 3, clear_after_read=False).write(0, [1.0, 2.0]).scatter([2, 1], [[5.0, 6.0], [3.0, 4.0]])
    _equal(session.run(array.stack()), [[1, 2], [3, 4], [5, 6]])
    _equal(session.run(array.read(2)), [5, 6])
    _equal(session.run(array.concat()), [1, 2, 3, 4, 5, 6])
    parts = TensorArray("float32", 0, dynamic_size=True, infer_shape=False).split([[1.0], [2.0], [3.0]], [1, 2])
    assert session.run(parts.size()) == 2
    _equal(session.run(parts.read(1)), [[2], [3]])
    sums = array.grad("a").write(1, [1.0, 1.0])
    sums = array.grad("a", flow=sums.flow).write(1, [2.0, 2.0])
    _equal(session.run(sums.read(1)), [3, 3])
    _equal(session.run(sums.read(0)), [0, 0])
    grads = apply_op("TensorArrayGradWithShape", array.handle, array.flow, [2], source="b")
    made = apply("TensorArrayWriteV3", grads.outputs[0], 0, [[1.0, 1.0], [1.0, 1.0]], grads.outputs[1])
    _equal(session.run(apply("TensorArrayReadV3", grads.outputs[0], 0, made, dtype="float32")), [[1, 1], [1, 1]])
    for wrong, words in [
        (array.read(3), "Tried to read from index 3 but array size is: 3"),
        (array.write(0, [1.0, 2.0]).flow, "Could not write to TensorArray index 0 because it has already been written to"),
        (array.write(5, [1.0, 2.0]).flow, "Tried to write to index 5 but array is not resizeable and size is: 3"),
        (TensorArray("float32", 2).read(1), "Could not read from TensorArray index 1"),
        (apply("TensorArrayReadV3", array.handle, 0, array.flow, dtype="int32"), "TensorArray dtype is float but Op is trying to read dtype int32"),
    ]:
        with pytest.raises(InvalidArgumentError, match=words):
            session.run(wrong)
    once = TensorArray("float32", 1).write(0, 1.0)
    first = once.read(0)
    with control_dependencies([first]), pytest.raises(InvalidArgumentError, match="Could not read index 0 twice"):
        session.run(once.read(0))
    with control_dependencies([array.close()]), pytest.raises(InvalidArgumentError, match="has already been closed"):
        session.run(array.read(0))


@scenario("StackV2", "StackPushV2", "StackPopV2", "StackCloseV2", "ControlTrigger")
def stacks(session: Session) -> None:
    stack = apply("StackV2", -1, elem_type="float32")
    pushed = apply("StackPushV2", stack, [1.0, 2.0])
    with control_dependencies([pushed]):
        popped = apply("StackPopV2", stack, elem_type="float32")
    _equal(session.run(popped), [1, 2])
    with control_dependencies([popped]), pytest.raises(InvalidArgumentError, match="is empty when calling Pop"):
        session.run(apply("StackPopV2", stack, elem_type="float32"))
    with control_dependencies([pushed]):
        closed = apply_op("StackCloseV2", stack)
    with control_dependencies([closed, apply_op("ControlTrigger")]), pytest.raises(InvalidArgumentError, match="has already been closed"):
        session.run(apply("StackPopV2", stack, elem_type="float32"))
    small = apply("StackV2", 0, elem_type="float32")
    with pytest.raises(InvalidArgumentError, match="overflowed"):
        session.run(apply("StackPushV2", small, 1.0))


@scenario(
    *(
        f"TensorList{verb}"
        for verb in ("Reserve", "SetItem", "GetItem", "PushBack", "PopBack", "Stack", "FromTensor", "Length", "Concat", "ConcatV2")
    ),
    *(
        f"TensorList{verb}"
        for verb in ("ConcatLists", "Split", "Gather", "Scatter", "ScatterV2", "ScatterIntoExistingList", "ElementShape", "Resize")
    ),
    "EmptyTensorList",
)
def tensor_lists(session: Session) -> None:
    def stacked(handle: Any, shape: Any = (2,)) -> Any:
        return session.run(apply("TensorListStack", handle, list(shape), element_dtype="float32"))

    two = constant([2])
    reserved = apply("TensorListReserve", two, 2, element_dtype="float32")
    written = apply("TensorListSetItem", reserved, 1, [1.0, 2.0], element_dtype="float32")
    _equal(stacked(written), [[0, 0], [1, 2]])
    _equal(stacked(reserved), [[0, 0], [0, 0]])
    _equal(session.run(apply("TensorListGetItem", written, 1, [2], element_dtype="float32")), [1, 2])
    empty = apply("EmptyTensorList", constant(-1), -1, element_dtype="float32")
    pushed = apply("TensorListPushBack", empty, [5.0, 6.0], element_dtype="float32")
    rest, last = apply_op("TensorListPopBack", pushed, [2], element_dtype="float32").outputs
    _equal(session.run([last, apply("TensorListLength", rest), apply("TensorListLength", pushed)])[0], [5, 6])
    rows = apply("TensorListFromTensor", [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], two, element_dtype="float32")
    _equal(session.run(apply("TensorListGather", rows, [2, 0], [2], element_dtype="float32")), [[5, 6], [1, 2]])
    _equal(stacked(apply("TensorListResize", rows, 1)), [[1, 2]])
    _equal(stacked(apply("TensorListConcatLists", rows, pushed, element_dtype="float32")), [[1, 2], [3, 4], [5, 6], [5, 6]])
    for scattered in (
        apply("TensorListScatter", [[1.0, 2.0], [3.0, 4.0]], [1, 0], two, element_dtype="float32"),
        apply("TensorListScatterV2", [[1.0, 2.0], [3.0, 4.0]], [1, 0], two, 2, element_dtype="float32"),
        apply("TensorListScatterIntoExistingList", reserved, [[1.0, 2.0], [3.0, 4.0]], [1, 0], element_dtype="float32"),
    ):
        _equal(stacked(scattered), [[3, 4], [1, 2]])
    parts = apply("TensorListSplit", [[1.0], [2.0], [3.0]], constant([-1, 1]), constant([1, 2], "int64"), element_dtype="float32")
    whole, lengths = session.run(apply_op("TensorListConcatV2", parts, constant([-1, 1]), constant([], "int64"), element_dtype="float32").outputs)
    _equal(whole, [[1], [2], [3]])
    _equal(lengths, [1, 2])
    _equal(session.run(apply_op("TensorListConcat", parts, element_dtype="float32").outputs[0]), [[1], [2], [3]])
    _equal(session.run(apply("TensorListElementShape", parts, shape_type="int32")), [-1, 1])
    assert session.run(apply("TensorListElementShape", empty, shape_type="int64")) == -1
    for wrong, words in [
        (apply("TensorListGetItem", rows, 3, [2], element_dtype="float32"), "Trying to access element 3 in a list with 3 elements"),
        (apply("TensorListStack", empty, constant(-1), element_dtype="float32"), "Tried to stack elements of an empty list"),
        (apply_op("TensorListPopBack", empty, [2], element_dtype="float32").outputs[1], "Trying to pop from an empty list"),
        (apply("TensorListStack", rows, [2], element_dtype="int32"), "Invalid data types"),
        (apply("TensorListStack", rows, [2], element_dtype="float32", num_elements=2), "expected a list with 2 elements but got a list with 3"),
    ]:
        with pytest.raises(InvalidArgumentError, match=words):
            session.run(wrong)


def _find(session: Session, table: Any, keys: Any, default: Any, version: str = "V2") -> Any:
    return session.run(apply(f"LookupTableFind{version}", table, keys, default))


@scenario("HashTableV2", "LookupTableFindV2", "LookupTableImportV2", "LookupTableExportV2", "LookupTableSizeV2", "InitializeTableV2")
def tables(session: Session) -> None:
    table = lookup.StaticHashTable(lookup.KeyValueTensorInitializer(["a", "b"], [1, 2], value_dtype="int64"), -1)
    found = table.lookup(constant([["a", "c"]]))
    with pytest.raises(FailedPreconditionError, match="Table not initialized"):
        session.run(found)
    for _ in range(2):
        session.run(lookup.tables_initializer())
    _equal(session.run(found), [[1, -1]])
    assert session.run(table.size()) == 2
    keys, values = session.run(table.export())
    assert dict(zip(keys.tolist(), values.tolist(), strict=True)) == {b"a": 1, b"b": 2}
    with pytest.raises(FailedPreconditionError, match="already initialized with different data"):
        session.run(apply_op("InitializeTableV2", table.resource_handle, ["a"], constant([7], "int64")))
    with pytest.raises(InvalidArgumentError, match="Conflicting key/value dtypes"):
        _find(session, table.resource_handle, ["a"], 1.0)
    other = apply("HashTableV2", key_dtype="int64", value_dtype="string")
    with pytest.raises(FailedPreconditionError, match=r"different value for same key\. Key 1 has a and trying to add value b"):
        session.run(apply_op("InitializeTableV2", other, constant([1, 1], "int64"), ["a", "b"]))


@scenario("MutableHashTableV2", "MutableHashTableOfTensorsV2", "MutableDenseHashTableV2", "LookupTableInsertV2", "LookupTableRemoveV2")
def mutable_tables(session: Session) -> None:
    table = apply("MutableHashTableV2", key_dtype="string", value_dtype="float32")
    session.run(apply_op("LookupTableInsertV2", table, ["a", "b"], [1.0, 2.0]))
    session.run(apply_op("LookupTableInsertV2", table, ["a"], [3.0]))
    session.run(apply_op("LookupTableRemoveV2", table, ["b"]))
    _equal(_find(session, table, ["a", "b"], 0.0), [3, 0])
    rows = apply("MutableHashTableOfTensorsV2", key_dtype="int64", value_dtype="float32", value_shape=[2])
    session.run(apply_op("LookupTableInsertV2", rows, constant([1], "int64"), [[1.0, 2.0]]))
    _equal(_find(session, rows, constant([1, 2], "int64"), [0.0, 0.0]), [[1, 2], [0, 0]])
    dense = apply("MutableDenseHashTableV2", constant(0, "int64"), constant(-1, "int64"), key_dtype="int64", value_dtype="float32")
    session.run(apply_op("LookupTableImportV2", dense, constant([1], "int64"), [2.0]))
    _equal(_find(session, dense, constant([1, 2], "int64"), 5.0), [2, 5])
    with pytest.raises(InvalidArgumentError, match="empty_key"):
        _find(session, dense, constant([0], "int64"), 5.0)


@scenario(
    *("HashTable", "MutableHashTable", "MutableHashTableOfTensors", "MutableDenseHashTable", "AnonymousHashTable"),
    *(f"LookupTable{verb}" for verb in ("Find", "Insert", "Import", "Export", "Size")),
    "InitializeTable",
)
def old_tables(session: Session) -> None:
    table = apply("HashTable", key_dtype="string", value_dtype="int64", shared_name="t")
    session.run(apply_op("InitializeTable", table, ["a"], constant([4], "int64")))
    same = apply("HashTable", key_dtype="string", value_dtype="int64", shared_name="t")
    _equal(_find(session, same, ["a", "b"], constant(-1, "int64"), ""), [4, -1])
    assert session.run(apply("LookupTableSize", same)) == 1
    for kind, attrs in (("MutableHashTable", {}), ("MutableHashTableOfTensors", {"value_shape": []})):
        mutable = apply(kind, key_dtype="string", value_dtype="int64", **attrs)
        session.run(apply_op("LookupTableInsert", mutable, ["a"], constant([4], "int64")))
        session.run(apply_op("LookupTableImport", mutable, ["b"], constant([5], "int64")))
        keys, values = session.run(apply_op("LookupTableExport", mutable, Tkeys="string", Tvalues="int64").outputs)
        assert (keys.tolist(), values.tolist()) == ([b"b"], [5])
    dense = apply("MutableDenseHashTable", constant(0, "int64"), key_dtype="int64", value_dtype="float32")
    session.run(apply_op("LookupTableInsert", dense, constant([1], "int64"), [2.0]))
    _equal(_find(session, dense, constant([1], "int64"), 5.0, ""), [2])
    anonymous = apply("AnonymousHashTable", key_dtype="string", value_dtype="int64")
    with control_dependencies([apply_op("LookupTableImportV2", anonymous, ["a"], constant([4], "int64"))]):
        _equal(_find(session, anonymous, ["a"], constant(0, "int64")), [4])


@scenario("InitializeTableFromTextFileV2", "InitializeTableFromTextFile")
def tables_of_text_files(session: Session) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "words.txt"
        path.write_bytes(b"x\t1\ny\t2\r\nz\t3\n")
        whole = lookup.TextFileIndex.WHOLE_LINE
        number = lookup.TextFileIndex.LINE_NUMBER
        table = lookup.StaticHashTable(lookup.TextFileInitializer(str(path), "string", 0, "int64", 1, vocab_size=2), -1)
        words = lookup.StaticHashTable(lookup.TextFileInitializer(str(path), "int64", number, "string", whole), "?")
        session.run(lookup.tables_initializer())
        _equal(session.run(table.lookup(constant(["x", "y", "z"]))), [1, 2, -1])
        assert session.run(words.lookup(constant([1, 9], "int64"))).tolist() == [b"y\t2", b"?"]
        old = apply("HashTable", key_dtype="string", value_dtype="int64")
        attrs = {"key_index": 0, "value_index": number, "offset": 10}
        session.run(apply_op("InitializeTableFromTextFile", old, str(path), **attrs))
        _equal(_find(session, old, ["z"], constant(0, "int64"), ""), [12])
        for attrs, words_of_error in [
            ({"key_index": 0, "value_index": 2}, "expected at least 3 got 2"),
            ({"key_index": 0, "value_index": 0}, "Field x in line 0 is not a valid int64"),
            ({"key_index": 0, "value_index": 1, "vocab_size": 5}, "expected 5 but got 3"),
        ]:
            fresh = apply("HashTableV2", key_dtype="string", value_dtype="int64")
            with pytest.raises(InvalidArgumentError, match=words_of_error):
                session.run(apply_op("InitializeTableFromTextFileV2", fresh, str(path), **attrs))
        with pytest.raises(NotFoundError, match="missing"):
            session.run(apply_op("InitializeTableFromTextFileV2", fresh, f"{folder}/missing", key_index=0, value_index=1))


@scenario("Enter", "Exit", "NextIteration")
def loops(session: Session) -> None:
    start = constant(2.0)
    found = control_flow.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * start), [constant(0), start])
    _equal(session.run(found), [3, 16])


@scenario("RefEnter", "RefExit", "RefNextIteration", "RefMerge", "RefSwitch", "RefIdentity")
def loops_over_references(session: Session) -> None:
    v = Variable(1.0, name="v", use_resource=False)
    w = Variable(1.0, name="w", use_resource=False)
    session.run([v.initializer, w.initializer])
    counted = control_flow.while_loop(lambda i: i < 3, lambda i: i + assign_add(v, 1.0) * 0.0 + 1.0, [constant(0.0)])
    assert session.run(counted) == 3
    assert session.run(v) == 4
    chosen = control_flow.cond(placeholder_with_default(True, []), lambda: assign_add(v, 1.0), lambda: assign_add(w, 1.0))
    assert session.run(chosen) == 5
    assert session.run(w) == 1
    entered = apply("RefEnter", v._variable, frame_name="f")
    merged = apply("RefMerge", [entered, entered])
    more = apply("LoopCond", apply("Enter", constant(False), frame_name="f", is_constant=True))
    left, again = apply_op("RefSwitch", merged, more).outputs
    merged.op._update_input(1, apply("RefNextIteration", apply("RefIdentity", again)))
    assert session.run(apply("Identity", apply("RefExit", left))) == 5


@scenario("Stack", "StackPush", "StackPop", "StackClose")
def old_stacks(session: Session) -> None:
    stack = apply("Stack", elem_type="float32")
    with control_dependencies([apply("StackPush", stack, [1.0, 2.0])]), control_dependencies([apply("StackPush", stack, 3.0)]):
        last = apply("StackPop", stack, elem_type="float32")
    with control_dependencies([last]):
        first = apply("StackPop", stack, elem_type="float32")
    with control_dependencies([first]):
        closed = apply_op("StackClose", stack)
    found = session.run([first, last, closed])
    _equal(found[0], [1, 2])
    assert found[1] == 3


@scenario(
    *(
        f"TensorArray{verb}{version}"
        for verb in ("", "Write", "Read", "Gather", "Scatter", "Concat", "Split", "Size", "Close", "Grad")
        for version in ("", "V2")
    ),
    "TensorArrayPack",
    "TensorArrayUnpack",
)
def old_tensor_arrays(session: Session) -> None:
    for version in ("", "V2"):
        handle = apply(f"TensorArray{version}", 3, dtype="float32", clear_after_read=False)
        flow = apply(f"TensorArrayWrite{version}", handle, 0, [1.0, 2.0], 0.0)
        flow = apply(f"TensorArrayScatter{version}", handle, [2, 1], [[5.0, 6.0], [3.0, 4.0]], flow)
        _equal(session.run(apply(f"TensorArrayGather{version}", handle, [0, 1, 2], flow, dtype="float32")), [[1, 2], [3, 4], [5, 6]])
        _equal(session.run(apply_op(f"TensorArrayConcat{version}", handle, flow, dtype="float32").outputs[1]), [2, 2, 2])
        assert session.run(apply(f"TensorArraySize{version}", handle, flow)) == 3
        _equal(session.run(apply(f"TensorArrayRead{version}", handle, 1, flow, dtype="float32")), [3, 4])
        grad = apply(f"TensorArrayGrad{version}", handle, flow, source="gradients")
        added = apply(f"TensorArrayWrite{version}", grad, 0, [1.0, 1.0], flow)
        _equal(session.run(apply(f"TensorArrayRead{version}", grad, 0, added, dtype="float32")), [1, 1])
        other = apply(f"TensorArray{version}", 2, dtype="float32")
        parts = apply(f"TensorArraySplit{version}", other, [[1.0], [2.0], [3.0]], [1, 2], 0.0)
        _equal(session.run(apply(f"TensorArrayRead{version}", other, 1, parts, dtype="float32")), [[2], [3]])
        session.run(apply_op(f"TensorArrayClose{version}", handle))
    rows = apply("TensorArray", 2, dtype="float32")
    _equal(session.run(apply("TensorArrayPack", rows, apply("TensorArrayUnpack", rows, [[1.0], [2.0]], 0.0), dtype="float32")), [[1], [2]])


@scenario("RefSelect", "_SwitchN")
def choices(session: Session) -> None:
    one, two = Variable([1.0], name="one"), Variable([2.0], name="two")
    session.run([one.initializer, two.initializer])
    index = placeholder_with_default(1, [])
    _equal(session.run(apply("RefSelect", index, [one._variable, two._variable])), [2])
    with pytest.raises(InvalidArgumentError, match=r"Index must be in the range \[0, 2\) but got 2"):
        session.run(apply("RefSelect", index, [one._variable, two._variable]), {index: 2})
    sides = apply_op("_SwitchN", constant(3.0), index, num_outs=3, name="switch").outputs
    merged = apply_op("Merge", [sides[0], sides[1] * 2.0, sides[2] * 3.0]).outputs[0]
    assert [session.run(merged, {index: value}) for value in (0, 1, 2, 7)] == [3, 6, 9, 9]
