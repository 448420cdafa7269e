"""Scenarios of the operations that change parts of variables, count, gather from resources, or take resources away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gpersist import ops
from gpersist.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError, OutOfRangeError
from gpersist.graph import Session, Tensor, apply, apply_op
from gpersist.ops.indexed_slices import IndexedSlices
from tests.ops.scenarios import _equal, scenario

_KINDS = {
    "Update": lambda _, u: u,
    "Add": lambda v, u: v + u,
    "Sub": lambda v, u: v - u,
    "Mul": lambda v, u: v * u,
    "Div": lambda v, u: v / u,
    "Min": min,
    "Max": max,
}
_START = np.arange(1.0, 9.0, dtype=np.float32).reshape(4, 2)


def _expected(kind: str, indices: Any, updates: Any, start: Any = _START) -> Any:
    """What changing elements one by one gives."""
    result = start.copy()
    for place in np.ndindex(indices.shape[:-1]):
        where = tuple(indices[place])
        row, update = result[where], np.broadcast_to(updates[place], np.shape(result[where]))
        changed = [_KINDS[kind](old, new) for old, new in zip(np.ravel(row), np.ravel(update), strict=True)]
        result[where] = np.reshape(changed, np.shape(row))
    return result


def _change(session: Session, variable: Any, op_name: str, *inputs: Any) -> Any:
    """The variable after an operation on its first value."""
    target = variable._ref() if variable.dtype.is_ref else variable.handle
    session.run(variable.initializer)
    session.run(apply_op(op_name, target, *inputs))
    return session.run(variable)


@scenario(*[f"{prefix}Scatter{kind}" for prefix in ("", "Resource") for kind in _KINDS])
def rows(session: Session) -> None:
    for prefix in ("", "Resource"):
        v = ops.Variable(_START, name="v", use_resource=bool(prefix))
        for kind in _KINDS:
            name = f"{prefix}Scatter{kind}"
            indices = np.array([[3, 0], [3, 3]])
            updates = np.arange(2.0, 10.0, dtype=np.float32).reshape(2, 2, 2)
            _equal(_change(session, v, name, indices, updates), _expected(kind, indices[..., None], updates))
            _equal(_change(session, v, name, [2], np.float32(5)), _expected(kind, np.array([[2]]), np.float32([5])))
            _equal(_change(session, v, name, np.zeros([0], np.int64), np.zeros([0, 2], np.float32)), _START)
            held = session.run(v)
            with pytest.raises(InvalidArgumentError, match=r"indices\[1\] = 4 is not in \[0, 4\)"):
                _change(session, v, name, [0, 4], updates[0])
            with pytest.raises(InvalidArgumentError, match=r"Must have updates.shape = indices.shape \+ params.shape\[1:\]"):
                _change(session, v, name, ops.placeholder_with_default([0], None), updates[0])
            _equal(held, _START)
    unset = ops.Variable(_START, name="unset")
    with pytest.raises(FailedPreconditionError, match="Attempting to use uninitialized value unset"):
        session.run(apply_op("ScatterAdd", unset._ref(), [0], [[1.0, 2.0]]))
    with pytest.raises(InvalidArgumentError, match="Integer division by zero"):
        _change(session, ops.Variable([1, 2], name="i"), "ScatterDiv", [0], 0)
    _equal(_change(session, ops.Variable([-7, 7, 9], name="j"), "ScatterDiv", [0, 1], [2, -2]), [-3, -3, 9])


@scenario(*[f"{prefix}ScatterNd{kind}" for prefix in ("", "Resource") for kind in ("Update", "Add", "Sub", "Min", "Max")])
def elements(session: Session) -> None:
    for prefix in ("", "Resource"):
        v = ops.Variable(_START, name="v", use_resource=bool(prefix))
        for kind in ("Update", "Add", "Sub", "Min", "Max"):
            name = f"{prefix}ScatterNd{kind}"
            indices, updates = np.array([[3, 1], [0, 0], [3, 1]]), np.float32([9, -4, 2])
            _equal(_change(session, v, name, indices, updates), _expected(kind, indices, updates))
            rows_, slices = np.array([[[1]], [[2]]]), np.arange(4.0, dtype=np.float32).reshape(2, 1, 2)
            _equal(_change(session, v, name, rows_, slices), _expected(kind, rows_, slices))
            whole = np.arange(8.0, dtype=np.float32).reshape(1, 4, 2)
            _equal(_change(session, v, name, np.zeros([1, 0], np.int32), whole), _expected(kind, np.zeros([1, 0], np.int32), whole))
            with pytest.raises(InvalidArgumentError, match=r"indices\[1\] = \[0,2\] does not index into shape \[4,2\]"):
                _change(session, v, name, [[0, 0], [0, 2]], [1.0, 2.0])
            with pytest.raises(InvalidArgumentError, match=r"updates of shape \[1\] do not go with indices of shape \[1,1\]"):
                _change(session, v, name, ops.placeholder_with_default([[0]], None), [1.0])


@scenario("StridedSliceAssign", "ResourceStridedSliceAssign")
def parts(session: Session) -> None:
    for use_resource in (False, True):
        v = ops.Variable(_START, name="v", use_resource=use_resource)
        session.run(v.initializer)
        _equal(session.run(v[1:3, 0].assign([10.0, 20.0])), [[1, 2], [10, 4], [20, 6], [7, 8]])
        _equal(session.run(v[::-2].assign([[0.0, -1.0]])), [[1, 2], [0, -1], [20, 6], [0, -1]])
        with pytest.raises(InvalidArgumentError):
            session.run(v[0].assign(ops.placeholder_with_default([1.0, 2.0, 3.0], None)))


@scenario("CountUpTo", "ResourceCountUpTo")
def counting(session: Session) -> None:
    for use_resource in (False, True):
        v = ops.Variable(0, name="v", use_resource=use_resource)
        session.run(v.initializer)
        count = v.count_up_to(2)
        assert [session.run(count), session.run(count)] == [0, 1]
        with pytest.raises(OutOfRangeError, match="Reached limit of 2"):
            session.run(count)
        assert session.run(v) == 2


@scenario("ResourceGather")
def gathering_rows(session: Session) -> None:
    v = ops.Variable(_START, name="v", use_resource=True)
    session.run(v.initializer)
    found = v.sparse_read([[3], [0]])
    assert found.shape.as_list() == [2, 1, 2]
    _equal(session.run(found), _START[[[3], [0]]])
    batches = apply("ResourceGather", v.handle, [[1], [0], [1], [1]], dtype="float32", batch_dims=1)
    assert batches.shape.as_list() == [4, 1]
    _equal(session.run(batches), [[2], [3], [6], [8]])
    slices, nothing = found.op.op_type.gradient(found.op, found)
    assert nothing is None
    assert isinstance(slices, IndexedSlices)
    values, indices, whole = session.run([slices.values, slices.indices, slices.dense_shape])
    _equal(values, _START[[3, 0]])
    _equal(indices, [3, 0])
    _equal(whole, [4, 2])


@scenario("ResourceGatherNd")
def gathering_elements(session: Session) -> None:
    v = ops.Variable(_START, name="v", use_resource=True)
    session.run(v.initializer)
    for indices, wanted in (([[3, 1], [0, 0]], [8, 1]), ([[2]], [[5, 6]]), (np.zeros([2, 0], np.int32), [_START, _START])):
        found: Tensor = v.gather_nd(indices)
        assert found.shape.as_list() == list(np.shape(wanted))
        _equal(session.run(found), wanted)
    with pytest.raises(InvalidArgumentError, match="index innermost dimension length must be <= params rank"):
        session.run(v.gather_nd(ops.placeholder_with_default([[0, 0, 0]], None)))


@scenario("TemporaryVariable", "DestroyTemporaryVariable")
def temporary(session: Session) -> None:
    made = apply("TemporaryVariable", shape=[2], dtype="float32", name="t")
    summed = ops.assign_add(ops.assign(made, [1.0, 2.0]), [3.0, 4.0])
    value = apply("DestroyTemporaryVariable", summed, var_name="t")
    for _ in range(2):
        _equal(session.run(value), [4, 6])
    with pytest.raises(NotFoundError, match="there is no temporary variable 'other'"):
        session.run(apply("DestroyTemporaryVariable", summed, var_name="other"))


@scenario("DestroyResourceOp")
def destroyed(session: Session) -> None:
    v = ops.Variable(1.0, name="v", use_resource=True)
    gone = apply_op("DestroyResourceOp", v.handle)
    strict = apply_op("DestroyResourceOp", v.handle, ignore_lookup_error=False)
    session.run(v.initializer)
    session.run(gone)
    session.run(gone)
    assert not session.run(v.is_initialized())
    with pytest.raises(NotFoundError, match="Resource v does not exist"):
        session.run(strict)


@scenario("DisableCopyOnRead")
def sharing(session: Session) -> None:
    v = ops.Variable(_START, name="v", use_resource=True)
    session.run([v.initializer])
    session.run(apply_op("DisableCopyOnRead", v.handle))
    _equal(session.run(v), _START)
