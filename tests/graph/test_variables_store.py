from __future__ import annotations

import numpy as np
import pytest

from gpersist.devices import devices, use_virtual
from gpersist.dtypes import float32, int64
from gpersist.errors import FailedPreconditionError, NotFoundError
from gpersist.graph import Buffer, VariablesStore


@pytest.fixture(params=["host", "virtual"])
def buffer(request: pytest.FixtureRequest):
    with use_virtual(1 if request.param == "virtual" else 0):
        found = VariablesStore().buffer("v", float32.as_ref, devices()[-1])
        assert found.dtype is float32
        found.assign(np.float32([1, 2]))
        yield found


def _address(buffer: Buffer) -> int:
    return buffer.read().__array_interface__["data"][0]


def test_an_assignment_that_nobody_minds_is_in_place(buffer: Buffer) -> None:
    before = _address(buffer)
    buffer.assign(np.float32([3, 4]))
    buffer.writable()[...] += 1
    assert _address(buffer) == before
    assert buffer.read().tolist() == [4, 5]
    assert buffer.device.owns(buffer.read())


def test_who_has_read_keeps_what_was_read(buffer: Buffer) -> None:
    read = buffer.read()
    part = buffer.read()[1:]
    buffer.assign(np.float32([3, 4]))
    buffer.writable()[...] += 1
    assert (read.tolist(), part.tolist(), buffer.read().tolist()) == ([1, 2], [2], [4, 5])


def test_a_part_of_it_alone_is_kept(buffer: Buffer) -> None:
    part = buffer.read()[1:]
    buffer.assign(np.float32([3, 4]))
    assert part.tolist() == [2]


def test_takes_another_shape(buffer: Buffer) -> None:
    buffer.assign(np.float32([[1, 2, 3]]))
    assert buffer.read().shape == (1, 3)
    buffer.assign(np.float32(7))
    assert (buffer.read().shape, buffer.read().tolist()) == ((), 7)


def test_assigned_to_itself(buffer: Buffer) -> None:
    buffer.assign(buffer.read()[::-1])
    assert buffer.read().tolist() == [2, 1]


def test_no_caller_shares_its_memory(buffer: Buffer) -> None:
    mine = np.float32([5, 6])
    buffer.assign(mine)
    mine[:] = 0
    assert buffer.read().tolist() == [5, 6]


def test_hold_is_one_moment() -> None:
    store = VariablesStore()
    a, b = (store.buffer(name, int64, devices()[0]) for name in "ab")
    a.assign(np.int64([1, 2]))
    b.assign(np.int64(3))
    first = a.read().__array_interface__["data"][0]
    with store.hold(["a", "b"]) as held:
        a.assign(np.int64([7, 7]))
        b.writable()[...] = 9
        assert {name: array.tolist() for name, array in held.arrays.items()} == {"a": [1, 2], "b": 3}
        assert held.arrays["a"].__array_interface__["data"][0] == first  # copied nothing
    second = a.read().__array_interface__["data"][0]
    a.assign(np.int64([8, 8]))
    assert a.read().__array_interface__["data"][0] == second  # released: in place again


def test_without_a_value() -> None:
    store = VariablesStore()
    buffer = store.buffer("v2", float32, devices()[0])
    assert not buffer.is_initialized
    for use in (buffer.read, buffer.writable, lambda: store.hold(["v2"])):
        with pytest.raises(FailedPreconditionError, match="Attempting to use uninitialized value v2"):
            use()
    with pytest.raises(NotFoundError, match="no variable 'v3' in this session"):
        store.hold(["v3"])
    buffer.adopt(np.zeros(2, np.float32))
    assert buffer.is_initialized
    store.clear()
    assert not buffer.is_initialized


def test_containers_keep_their_own() -> None:
    store = VariablesStore()
    a, b = store.buffer("v", float32, devices()[0]), store.buffer("v", float32, devices()[0], "mine")
    assert a is not b
    assert store.buffer("v", float32, devices()[0], "localhost") is a
    assert store.find("v", "mine") is b
    assert store.find("w") is None
    assert store.names() == store.names("mine") == ["v"]
    for found in (a, b):
        found.assign(np.float32(1))
    store.clear(["mine"])
    assert (a.is_initialized, b.is_initialized) == (True, False)
