"""Queues of tensors: first in first out, padded, shuffled, or by priority, and the operations on them. `queues` has the Python classes.

A queue belongs to the session and is found by its `shared_name`, or by its node. Threads that run the same session wait for each other in it.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpersist import protos
from gpersist.dtypes import DType, as_dtype
from gpersist.errors import CancelledError, InvalidArgumentError, OutOfRangeError, UnimplementedError
from gpersist.graph import Context, Operation, SessionOpType, check_deadline
from gpersist.ops import shape_functions
from gpersist.ops.candidate_samplers import Words
from gpersist.ops.kernels import as_array, shown
from gpersist.ops.philox import Philox
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []

_WAIT_S = 0.05
"""How long a thread sleeps before it looks whether its run has taken too long."""


class _Queue:
    """The elements of a queue, each a tuple of arrays.

    Args:
        kind: the type of the operation that made it, without its version.
        name: for what goes wrong.
        types: of the components.
        shapes: of the components, or empty.
        capacity: how many elements there may be; -1 for any number.
    """

    def __init__(self, kind: str, name: str, types: Sequence[DType], shapes: Sequence[TensorShape], capacity: int) -> None:
        self._told = f"{kind} '{name}'"
        self._kind = kind
        self.types = list(types)
        self.shapes = list(shapes)
        self._capacity = capacity if capacity >= 0 else None
        self._elements: list[Any] = []
        self._changed = threading.Condition()
        self._is_closed = False
        self._is_cancelled = False
        self._least = 0

    def check_shared(self, op: Operation, name: str) -> None:
        """Holds what another node asks for under its name against what it is."""
        if op.type.removesuffix("V2") != self._kind:
            raise InvalidArgumentError(f"Expected {self._kind}, found {op.type}")
        asked = op.attr("capacity") if op.attr("capacity") >= 0 else None
        if asked != self._capacity:
            raise InvalidArgumentError(f"Shared queue '{name}' has capacity {self._capacity} but requested capacity was {asked}")
        first = len(self.types) - len(op.attr("component_types"))  # a PriorityQueue's own one
        for what, own, wanted in (
            ("types", [_called(dtype) for dtype in self.types[first:]], [_called(dtype) for dtype in op.attr("component_types")]),
            ("shapes", [shown(shape.as_list()) for shape in self.shapes[first:]], [shown(shape.as_list()) for shape in op.attr("shapes")]),
        ):
            if own != wanted:
                told = [", ".join(each) if what == "types" else f"[{', '.join(each)}]" for each in (own, wanted)]
                raise InvalidArgumentError(f"Shared queue '{name}' has component {what} {told[0]} but requested component {what} were {told[1]}")

    def enqueue(self, op: Operation, elements: Sequence[tuple[Any, ...]]) -> None:
        """Adds elements, one after the other, as there is room."""
        with self._changed:
            for element in elements:
                self._check(element)
                if self._is_closed:
                    raise CancelledError(f"{self._told} is closed.")
                self._wait(op, lambda: self._capacity is None or len(self._elements) < self._capacity or self._is_cancelled)
                if self._is_cancelled:
                    raise CancelledError(f"Enqueue operation was cancelled: {self._told} is closed.")
                self._put(element)
                self._changed.notify_all()

    def dequeue(self, op: Operation, count: int, *, up_to: bool = False) -> list[Any]:
        """Takes elements out, when there are enough; of a closed queue, with `up_to`, as many as there are."""
        with self._changed:
            self._wait(op, lambda: len(self._elements) >= count + self._least or self._is_closed)
            there = len(self._elements)
            if there < count and not (up_to and there):
                raise OutOfRangeError(f"{self._told} is closed and has insufficient elements (requested {count}, current size {there})")
            found = [self._take() for _ in range(min(count, there))]
            self._changed.notify_all()
            return found

    def stacked(self, elements: Sequence[Any]) -> list[Any]:
        """Elements as tensors with one dimension more."""
        if not self.shapes:
            raise InvalidArgumentError(f"{self._kind}'s DequeueMany and DequeueUpTo require the components to have specified shapes.")
        return [
            self._together([element[index] for element in elements], dtype, shape)
            for index, (dtype, shape) in enumerate(zip(self.types, self.shapes, strict=True))
        ]

    @staticmethod
    def _together(values: list[Any], dtype: DType, shape: TensorShape) -> Any:
        sizes = [max((value.shape[axis] for value in values), default=0) if size is None else size for axis, size in enumerate(shape.as_list())]
        found: Any = np.full((len(values), *sizes), b"", object) if dtype.is_string else np.zeros((len(values), *sizes), dtype.numpy)
        for number, value in enumerate(values):
            found[(number, *[slice(size) for size in value.shape], ...)] = value
        return found

    def close(self, *, cancels: bool) -> None:
        """Takes no more elements; with `cancels` not even those that wait for room."""
        with self._changed:
            if self._is_closed:
                raise CancelledError(f"{self._told.replace(self._kind, 'Queue', 1)} is already closed.")
            self._is_closed = True
            self._is_cancelled |= cancels
            self._least = 0
            self._changed.notify_all()

    @property
    def is_closed(self) -> bool:
        """Whether it has been closed."""
        return self._is_closed

    def __len__(self) -> int:
        return len(self._elements)

    def _wait(self, op: Operation, is_ready: Callable[[], bool]) -> None:
        while not self._changed.wait_for(is_ready, _WAIT_S):
            check_deadline(op)

    def _check(self, element: Sequence[Any]) -> None:
        for index, (value, shape) in enumerate(zip(element, self.shapes, strict=False)):
            if not shape.is_compatible_with(value.shape):
                raise InvalidArgumentError(f"Shape mismatch in tuple component {index}. Expected {shown(shape.as_list())}, got {shown(value.shape)}")

    def _put(self, element: Any) -> None:
        self._elements.append(element)

    def _take(self) -> Any:
        return self._elements.pop(0)


def _called(dtype: DType) -> str:
    return protos.DataType.Name(dtype.base_dtype.enum).removeprefix("DT_").lower()


class _Shuffled(_Queue):
    """Gives elements in no order, that of the seeds, and keeps some so that there is something to choose from."""

    def __init__(self, *args: Any, least: int, seeds: tuple[int, int]) -> None:
        super().__init__(*args)
        self._least = least
        self._words = Words(Philox.of_seeds(*seeds))

    def _take(self) -> Any:
        at = self._words.word() % len(self._elements)
        self._elements[at], self._elements[-1] = self._elements[-1], self._elements[at]
        return self._elements.pop()


class _Ordered(_Queue):
    """Gives the element first whose first component is smallest."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._numbers = itertools.count()

    def _put(self, element: Any) -> None:
        heapq.heappush(self._elements, (int(element[0]), next(self._numbers), element))

    def _take(self) -> Any:
        return heapq.heappop(self._elements)[2]


# ---- what makes queues


class _Making(SessionOpType, abstract=True):
    """The queue of its name, made if it is not there."""

    is_stateful = True
    is_host_only = True
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context) -> _Queue:
        op = ctx.op
        shared = op.attr("shared_name").decode()
        key = ("queue", op.attr("container").decode(), shared) if shared else ("queue", op)
        found: _Queue | None = ctx.session.resources.get(key)
        if found is None:
            return ctx.session.resources.setdefault(key, _made(op, shared or op.name))  # type: ignore[no-any-return]
        found.check_shared(op, shared)
        return found


def _made(op: Operation, name: str) -> _Queue:
    kind = op.type.removesuffix("V2")
    types, shapes, capacity = op.attr("component_types"), op.attr("shapes"), op.attr("capacity")
    if kind == "PriorityQueue":
        return _Ordered(kind, name, [as_dtype("int64"), *types], [TensorShape([]), *shapes] if shapes or not types else [], capacity)
    if kind == "RandomShuffleQueue":
        seeds = op.attr("seed"), op.attr("seed2")
        return _Shuffled(kind, name, types, shapes, capacity, least=op.attr("min_after_dequeue"), seeds=seeds)
    if kind == "FIFOQueue" and any(not shape.is_fully_defined() for shape in shapes):
        raise InvalidArgumentError(f"FIFOQueue '{name}': all shapes must be fully defined")
    if kind == "PaddingFIFOQueue" and len(shapes) != len(types):
        raise InvalidArgumentError(f"PaddingFIFOQueue '{name}': shapes must be given for all {len(types)} components")
    return _Queue(kind, name, types, shapes, capacity)


_TYPES = "component_types: list(type) >= 1, shapes: list(shape) >= 0 = [], capacity: int = -1"
_SEEDS = "min_after_dequeue: int = 0, seed: int = 0, seed2: int = 0"
_PLACE = "container: string = '', shared_name: string = ''"
_OLD, _NEW = "handle: Ref(string)", "handle: resource"

for _kind, _attrs, _told in (
    ("FIFOQueue", f"{_TYPES}, {_PLACE}", "A queue that gives elements in the order in which they came."),
    ("PaddingFIFOQueue", f"{_TYPES}, {_PLACE}", "The same, of elements that are filled up to one size."),
    ("RandomShuffleQueue", f"{_TYPES}, {_SEEDS}, {_PLACE}", "A queue that gives elements in no order."),
    (
        "PriorityQueue",
        f"component_types: list(type) >= 0 = [], shapes: list(shape) >= 0, capacity: int = -1, {_PLACE}",
        "A queue that gives elements by the number that each comes with.",
    ),
):
    for _tail, _handle in (("", _OLD), ("V2", _NEW)):
        type(f"{_kind}{_tail}", (_Making,), {"outputs": _handle, "attrs": _attrs, "__doc__": _told, "__module__": __name__})


# ---- what is done with them


class _Using(SessionOpType, abstract=True):
    """Does something with a queue."""

    is_host_only = True
    shapes = staticmethod(shape_functions.none)


def _enqueue(ctx: Context, queue: _Queue, components: list[Any], *, Tcomponents: list[DType], timeout_ms: int) -> None:  # noqa: N803
    _check_types(queue, Tcomponents, timeout_ms)
    queue.enqueue(ctx.op, [tuple(as_array(np, value).copy() for value in components)])


def _enqueue_many(ctx: Context, queue: _Queue, components: list[Any], *, Tcomponents: list[DType], timeout_ms: int) -> None:  # noqa: N803
    _check_types(queue, Tcomponents, timeout_ms)
    arrays = [as_array(np, value) for value in components]
    if any(not array.ndim for array in arrays):
        raise InvalidArgumentError("Enqueue_many requires that all components have at least one dimension")
    if len({len(array) for array in arrays}) != 1:
        raise InvalidArgumentError(f"All input tensors must have the same size in the 0th dimension: they have {[len(array) for array in arrays]}")
    queue.enqueue(ctx.op, [tuple(as_array(np, array[number]).copy() for array in arrays) for number in range(len(arrays[0]))])


def _dequeue(ctx: Context, queue: _Queue, *, component_types: list[DType], timeout_ms: int) -> list[Any]:
    _check_types(queue, component_types, timeout_ms)
    return list(queue.dequeue(ctx.op, 1)[0])


def _dequeue_many(ctx: Context, queue: _Queue, n: Any, *, component_types: list[DType], timeout_ms: int) -> list[Any]:
    _check_types(queue, component_types, timeout_ms)
    return _several(ctx, queue, n, up_to=False)


def _dequeue_up_to(ctx: Context, queue: _Queue, n: Any, *, component_types: list[DType], timeout_ms: int) -> list[Any]:
    _check_types(queue, component_types, timeout_ms)
    return _several(ctx, queue, n, up_to=True)


def _several(ctx: Context, queue: _Queue, n: Any, *, up_to: bool) -> list[Any]:
    count = int(n)
    if count < 0:
        raise InvalidArgumentError(f"DequeueManyOp requested {count} < 0 elements")
    queue.stacked([])  # says so before it waits, if there are no shapes
    return queue.stacked(queue.dequeue(ctx.op, count, up_to=up_to) if count else [])


def _close(ctx: Context, queue: _Queue, *, cancel_pending_enqueues: bool) -> None:
    queue.close(cancels=cancel_pending_enqueues)


def _size(ctx: Context, queue: _Queue) -> Any:
    return np.int32(len(queue))


def _is_closed(ctx: Context, queue: _Queue) -> Any:
    return np.bool_(queue.is_closed)


def _check_types(queue: _Queue, types: Sequence[DType], timeout_ms: int) -> None:
    if timeout_ms != -1:
        raise UnimplementedError(f"Timeout not supported yet: timeout_ms is {timeout_ms}")
    if [dtype.base_dtype for dtype in types] != queue.types:
        raise InvalidArgumentError(
            f"Queue and operation component types do not match: {[found.name for found in queue.types]} and {[dtype.name for dtype in types]}"
        )


def _unknown(op: Operation) -> list[TensorShape]:
    return [unknown_shape()] * len(op.output_types)


_IN = {"attrs": "Tcomponents: list(type) >= 1, timeout_ms: int = -1"}
_OUT = {"attrs": "component_types: list(type) >= 1, timeout_ms: int = -1", "outputs": "components: component_types", "shapes": staticmethod(_unknown)}
_SCALAR = staticmethod(shape_functions.scalar)

for _name, _run, _inputs, _members, _told in (
    ("QueueEnqueue", _enqueue, ", components: Tcomponents", _IN, "Adds an element."),
    ("QueueEnqueueMany", _enqueue_many, ", components: Tcomponents", _IN, "Adds an element for each row."),
    ("QueueDequeue", _dequeue, "", _OUT, "Takes an element out."),
    ("QueueDequeueMany", _dequeue_many, ", n: int32", _OUT, "Takes some elements out."),
    ("QueueDequeueUpTo", _dequeue_up_to, ", n: int32", _OUT, "Takes some elements out, of a closed queue as many as there are."),
    ("QueueClose", _close, "", {"attrs": "cancel_pending_enqueues: bool = false"}, "Has the queue take no more elements."),
    ("QueueSize", _size, "", {"outputs": "size: int32", "shapes": _SCALAR}, "How many elements there are."),
    ("QueueIsClosed", _is_closed, "", {"outputs": "is_closed: bool", "shapes": _SCALAR}, "Whether the queue is closed."),
):
    for _tail, _handle in (("", _OLD), ("V2", _NEW)):
        _members = _members | {
            "inputs": _handle + _inputs,
            "run": staticmethod(_run),
            "is_stateful": bool(_tail),
            "__doc__": _told,
            "__module__": __name__,
        }
        type(f"{_name}{_tail}", (_Using,), _members)
