"""What lets tensors wait between runs: areas that are first in, first out, and areas by key. `staging_areas` has the Python classes.

An area belongs to the session and is found by its `shared_name`, or by its node. Threads that run the same session wait for each other in it.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpersist.dtypes import DType, from_numpy
from gpersist.errors import InternalError, InvalidArgumentError, ResourceExhaustedError
from gpersist.graph import Context, Operation, SessionOpType, check_deadline
from gpersist.ops import shape_functions
from gpersist.ops.kernels import as_array
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []

_WAIT_S = 0.05
"""How long a thread sleeps before it looks whether its run has taken too long."""


class _Room:
    """What both kinds of area share: how much there may be in them.

    Args:
        capacity: how many elements there may be; 0 for any number.
        memory_limit: how many bytes; 0 for any number.
    """

    def __init__(self, capacity: int, memory_limit: int) -> None:
        self._capacity, self._memory_limit = capacity, memory_limit
        self._used = 0
        self._changed = threading.Condition()

    def _wait(self, op: Operation, is_ready: Callable[[], bool]) -> None:
        while not self._changed.wait_for(is_ready, _WAIT_S):
            check_deadline(op)

    def _take_room(self, op: Operation, size: int, count: Callable[[], int]) -> None:
        if self._memory_limit and size > self._memory_limit:
            raise ResourceExhaustedError(
                f"Attempted to insert tensors with combined size of '{size}' bytes into Staging Area with a memory limit of '{self._memory_limit}'."
            )
        self._wait(
            op,
            lambda: not (self._capacity and count() >= self._capacity) and not (self._memory_limit and self._used + size > self._memory_limit),
        )
        self._used += size


def _size(values: Sequence[Any]) -> int:
    return sum(int(value.nbytes) for value in values if value is not None)


class _Staged(_Room):
    """Elements in the order in which they came."""

    def __init__(self, capacity: int, memory_limit: int) -> None:
        super().__init__(capacity, memory_limit)
        self._elements: list[list[Any]] = []

    def put(self, op: Operation, values: list[Any]) -> None:
        """Adds an element, when there is room."""
        with self._changed:
            self._take_room(op, _size(values), lambda: len(self._elements))
            self._elements.append(values)
            self._changed.notify_all()

    def get(self, op: Operation) -> list[Any]:
        """Takes the first element out, when there is one."""
        with self._changed:
            self._wait(op, lambda: bool(self._elements))
            found = self._elements.pop(0)
            self._used -= _size(found)
            self._changed.notify_all()
            return found

    def peek(self, op: Operation, index: int) -> list[Any]:
        """An element, when there are so many."""
        if index < 0:  # TensorFlow waits for as many as no memory holds
            raise InvalidArgumentError(f"index must not be negative, and is {index}")
        with self._changed:
            self._wait(op, lambda: index < len(self._elements))
            return self._elements[index]

    def clear(self) -> None:
        """Forgets all elements."""
        with self._changed:
            self._elements.clear()
            self._used = 0
            self._changed.notify_all()

    def __len__(self) -> int:
        return len(self._elements)


class _StagedByKey(_Room):
    """Elements by key, which may come and go component by component; `is_ordered` for the smallest key first, where none is named."""

    def __init__(self, capacity: int, memory_limit: int, count: int, is_ordered: bool) -> None:
        super().__init__(capacity, memory_limit)
        self._count, self._is_ordered = count, is_ordered
        self._complete: dict[int, list[Any]] = {}
        self._incomplete: dict[int, list[Any]] = {}

    def put(self, op: Operation, key: int, indices: Sequence[int], values: list[Any]) -> None:
        """Sets components of the element of a key, when there is room."""
        with self._changed:
            _check_order(indices)
            if len(values) < len(indices) and len(indices) == self._count:
                raise InvalidArgumentError(f"there are {len(indices)} indices, and {len(values)} values")
            if len(indices) == self._count:
                self._take_room(op, _size(values), lambda: len(self._complete))
                self._complete.setdefault(key, list(values))  # one that is there stays, as in TensorFlow
            else:
                self._put_some(op, key, indices, values)
            self._changed.notify_all()

    def _put_some(self, op: Operation, key: int, indices: Sequence[int], values: list[Any]) -> None:
        element = self._incomplete.get(key, [None] * self._count)
        for index in indices:
            self._check_index(key, index)
            if element[index] is not None:
                raise InvalidArgumentError(f"The tensor for index '{index}' for key '{key}' was already initialized '{self._count}'.")
        self._take_room(op, _size(values[: len(indices)]), lambda: len(self._complete))
        element = self._incomplete.setdefault(key, element)
        for index, value in zip(indices, values, strict=False):
            element[index] = value
        if all(value is not None for value in element):
            self._complete.setdefault(key, self._incomplete.pop(key))

    def get(self, op: Operation, key: int, indices: Sequence[int]) -> list[Any]:
        """Takes components of the element of a key out, when it is there whole."""
        with self._changed:
            _check_order(indices)
            self._wait(op, lambda: key in self._complete)
            return self._taken(key, indices)

    def get_any(self, op: Operation, indices: Sequence[int]) -> tuple[int, list[Any]]:
        """The same of some key, which it gives too."""
        with self._changed:
            _check_order(indices)
            self._wait(op, lambda: bool(self._complete))
            key = min(self._complete) if self._is_ordered else next(iter(self._complete))
            return key, self._taken(key, indices)

    def peek(self, op: Operation, key: int, indices: Sequence[int]) -> list[Any]:
        """Components of the element of a key, when it is there whole."""
        with self._changed:
            _check_order(indices)
            self._wait(op, lambda: key in self._complete)
            return [self._present(key, index) for index in indices]

    def _taken(self, key: int, indices: Sequence[int]) -> list[Any]:
        element, found = self._complete[key], []
        for index in indices:
            found.append(self._present(key, index))
            element[index] = None  # even where another of them is missing, as in TensorFlow
        if all(value is None for value in element):
            del self._complete[key]
        self._used -= _size(found)
        self._changed.notify_all()
        return found

    def _present(self, key: int, index: int) -> Any:
        self._check_index(key, index)
        value = self._complete[key][index]
        if value is None:
            raise InvalidArgumentError(f"Tensor at index '{index}' for key '{key}' has already been removed.")
        return value

    def _check_index(self, key: int, index: int) -> None:
        if not 0 <= index < self._count:
            raise InvalidArgumentError(f"Index '{index}' for key '{key}' was out of bounds '{self._count}'.")

    def clear(self) -> None:
        """Forgets all elements."""
        with self._changed:
            self._complete.clear()
            self._incomplete.clear()
            self._used = 0
            self._changed.notify_all()

    def __len__(self) -> int:
        return len(self._complete)

    @property
    def incomplete_size(self) -> int:
        """How many elements have some of their components."""
        return len(self._incomplete)


def _check_order(indices: Sequence[int]) -> None:
    if not indices:
        raise InvalidArgumentError("Indices are empty")
    if any(after <= before for before, after in itertools.pairwise(indices)):
        raise InvalidArgumentError("Indices are not strictly ordered")


# ---- the operations

_ROOM = "capacity: int >= 0 = 0, memory_limit: int >= 0 = 0"
_PLACE = "container: string = '', shared_name: string = ''"
_SOME = f"{_ROOM}, dtypes: list(type) >= 1, {_PLACE}"
_ANY = f"{_ROOM}, dtypes: list(type), {_PLACE}"
_FOR_PUT = f"{_ROOM}, dtypes: list(type), fake_dtypes: list(type) >= 1, {_PLACE}"


def _of(ctx: Context, kind: str, make: Callable[[int, int], Any]) -> Any:
    op = ctx.op
    key = kind, op.attr("container"), op.attr("shared_name") or op.name.encode()
    found = ctx.session.resources.get(key)
    return ctx.session.resources.setdefault(key, make(op.attr("capacity"), op.attr("memory_limit"))) if found is None else found


def _area(ctx: Context) -> _Staged:
    found: _Staged = _of(ctx, "staging area", _Staged)
    return found


def _map(ctx: Context) -> _StagedByKey:
    is_ordered, count = ctx.op.type.startswith("Ordered"), len(ctx.op.attr("dtypes"))
    found: _StagedByKey = _of(
        ctx,
        "ordered staging map" if is_ordered else "staging map",
        lambda capacity, memory_limit: _StagedByKey(capacity, memory_limit, count, is_ordered),
    )
    return found


def _kept(ctx: Context, values: Sequence[Any]) -> list[Any]:
    return [as_array(ctx.xp, value).copy() for value in values]


def _given(ctx: Context, values: Sequence[Any], dtypes: Sequence[DType]) -> list[Any]:
    """Values as outputs: they have to be as many, and of the types, that the node says."""
    name = ctx.op.name
    if len(values) < len(dtypes):
        raise InternalError(f"Missing {len(values)}-th output from {{{{node {name}}}}}")
    for index, (value, dtype) in enumerate(zip(values, dtypes, strict=False)):
        found = from_numpy(value.dtype)
        if found is not dtype:
            declared = dtype.name.removesuffix("32") if dtype.name == "float32" else dtype.name
            shown = found.name.removesuffix("32") if found.name == "float32" else found.name
            raise InternalError(f"Output {index} of type {shown} does not match declared output type {declared} for node {{{{node {name}}}}}")
    return [ctx.move(value) for value in values[: len(dtypes)]]


def _numbers(indices: Any) -> list[int]:
    found: list[int] = np.asarray(indices).reshape(-1).tolist()
    return found


def _unknown(op: Operation) -> list[TensorShape]:
    return [unknown_shape()] * len(op.output_types)


class _StagingOp(SessionOpType, abstract=True):
    """Does something with a staging area."""

    is_stateful = True
    shapes = staticmethod(_unknown)


class Stage(_StagingOp):
    """Adds an element."""

    inputs = "values: dtypes"
    attrs = _SOME

    @staticmethod
    def run(ctx: Context, values: list[Any]) -> None:
        _area(ctx).put(ctx.op, _kept(ctx, values))


class Unstage(_StagingOp):
    """Takes an element out."""

    outputs = "values: dtypes"
    attrs = _SOME

    @staticmethod
    def run(ctx: Context, *, dtypes: list[DType]) -> list[Any]:
        return _given(ctx, _area(ctx).get(ctx.op), dtypes)


class StagePeek(_StagingOp):
    """An element, which stays."""

    inputs = "index: int32"
    outputs = "values: dtypes"
    attrs = _SOME
    host_inputs = ("index",)

    @staticmethod
    def run(ctx: Context, index: Any, *, dtypes: list[DType]) -> list[Any]:
        return _given(ctx, _area(ctx).peek(ctx.op, int(index)), dtypes)


class StageSize(_StagingOp):
    """How many elements there are."""

    outputs = "size: int32"
    attrs = _ANY
    host_outputs = ("size",)
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context) -> Any:
        return np.int32(len(_area(ctx)))


class StageClear(_StagingOp):
    """Forgets all elements."""

    attrs = _ANY

    @staticmethod
    def run(ctx: Context) -> None:
        _area(ctx).clear()


def _map_stage(ctx: Context, key: Any, indices: Any, values: list[Any]) -> None:
    _map(ctx).put(ctx.op, int(np.asarray(key).reshape(-1)[0]), _numbers(indices), _kept(ctx, values))


def _map_unstage(ctx: Context, key: Any, indices: Any, *, dtypes: list[DType]) -> list[Any]:
    return _given(ctx, _map(ctx).get(ctx.op, int(np.asarray(key).reshape(-1)[0]), _numbers(indices)), dtypes)


def _map_unstage_no_key(ctx: Context, indices: Any, *, dtypes: list[DType]) -> list[Any]:
    key, values = _map(ctx).get_any(ctx.op, _numbers(indices))
    return [np.int64(key), *_given(ctx, values, dtypes)]


def _map_peek(ctx: Context, key: Any, indices: Any, *, dtypes: list[DType]) -> list[Any]:
    return _given(ctx, _map(ctx).peek(ctx.op, int(np.asarray(key).reshape(-1)[0]), _numbers(indices)), dtypes)


def _map_size(ctx: Context) -> Any:
    return np.int32(len(_map(ctx)))


def _map_incomplete_size(ctx: Context) -> Any:
    return np.int32(_map(ctx).incomplete_size)


def _map_clear(ctx: Context) -> None:
    _map(ctx).clear()


_KEYED = {"inputs": "key: int64, indices: int32", "outputs": "values: dtypes", "attrs": _SOME, "host_inputs": ("key", "indices")}
_COUNT = {"outputs": "size: int32", "attrs": _ANY, "host_outputs": ("size",), "shapes": staticmethod(shape_functions.scalar)}
_PUT = {"inputs": "key: int64, indices: int32, values: fake_dtypes", "attrs": _FOR_PUT, "host_inputs": ("key", "indices")}
_NO_KEY = {
    "inputs": "indices: int32",
    "outputs": "key: int64, values: dtypes",
    "attrs": _SOME,
    "host_inputs": ("indices",),
    "host_outputs": ("key",),
}

for _name, _run, _members, _told in (
    ("MapStage", _map_stage, _PUT, "Sets components of the element of a key."),
    ("MapUnstage", _map_unstage, _KEYED, "Takes components of the element of a key out."),
    ("MapUnstageNoKey", _map_unstage_no_key, _NO_KEY, "Takes components of the element of some key out."),
    ("MapPeek", _map_peek, _KEYED, "Components of the element of a key, which stay."),
    ("MapSize", _map_size, _COUNT, "How many elements are whole."),
    ("MapIncompleteSize", _map_incomplete_size, _COUNT, "How many elements have some of their components."),
    ("MapClear", _map_clear, {"attrs": _ANY}, "Forgets all elements."),
):
    for _prefix in ("", "Ordered"):
        type(f"{_prefix}{_name}", (_StagingOp,), {**_members, "run": staticmethod(_run), "__doc__": _told, "__module__": __name__})
