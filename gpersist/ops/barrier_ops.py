"""Barriers: tuples of tensors that come together by key, component by component, and are taken in the order in which their keys first came.

`barriers` has the Python class."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import CancelledError, InvalidArgumentError, OutOfRangeError
from gpersist.graph import Context, Operation, SessionOpType, check_deadline
from gpersist.ops import shape_functions
from gpersist.ops.kernels import as_array, shown
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []

_WAIT_S = 0.05
_FIRST_INDEX = -(2**63)
_TYPE_NAMES = {"float16": "half", "float32": "float", "float64": "double"}


class BarrierValue:
    """What a session keeps of a barrier.

    Args:
        name: for what goes wrong.
        types: of the components.
        shapes: of the components, or empty.
    """

    def __init__(self, name: str, types: Sequence[DType], shapes: Sequence[TensorShape]) -> None:
        self._name = name
        self.types = list(types)
        self._shapes = [TensorShape([]) if shape.rank is None else shape for shape in shapes]  # TensorFlow reads an unknown shape as a scalar's
        self._incomplete: dict[bytes, tuple[int, list[Any]]] = {}
        self._ready: list[tuple[int, int, bytes, list[Any]]] = []
        self._numbers = itertools.count()
        self._next_index = _FIRST_INDEX
        self._changed = threading.Condition()
        self._is_closed = self._is_cancelled = False

    def insert(self, component: int, keys: Sequence[bytes], values: Sequence[Any]) -> None:
        """Sets a component of the tuples of keys; those that have all are ready."""
        if not 0 <= component < len(self.types):
            raise InvalidArgumentError(f"The component ID is out of range {component} > num_components (= {len(self.types)})")
        with self._changed:
            if self._is_cancelled:
                raise CancelledError(
                    f"Barrier {self._name} is closed.  Pending enqueues cancelled: 1.  Number of new insertions: {len(keys)}.  "
                    f"Number of incomplete keys: {len(self._incomplete)}."
                )
            has_new = False
            for place, (key, value) in enumerate(zip(keys, values, strict=True)):
                has_new |= self._set(component, place, key, value)
            self._next_index += has_new
            self._changed.notify_all()

    def _set(self, component: int, place: int, key: bytes, value: Any) -> bool:
        is_new = key not in self._incomplete
        if is_new:
            if self._is_closed:
                raise CancelledError(
                    f"Barrier {self._name} is closed, but attempted to insert a brand new key: {key.decode(errors='replace')}.  Pending enqueues "
                    f"cancelled: 0.  Insertion index: {place}.  Number of incomplete keys: {len(self._incomplete)}."
                )
            self._incomplete[key] = self._next_index, [None] * len(self.types)
        index, element = self._incomplete[key]
        if element[component] is not None:
            raise InvalidArgumentError(f"Key {key.decode(errors='replace')} already has a value for component {component} in barrier {self._name}")
        element[component] = value
        if all(part is not None for part in element):
            del self._incomplete[key]
            for number, (part, shape) in enumerate(zip(element, self._shapes, strict=False)):
                if not shape.is_compatible_with(part.shape):
                    raise InvalidArgumentError(
                        f"Shape mismatch in tuple component {number + 2}. Expected {shown(shape.as_list())}, got {shown(part.shape)}"
                    )
            heapq.heappush(self._ready, (index, next(self._numbers), key, element))
        return is_new

    def take(self, op: Operation, count: int, *, allows_less: bool, waits: bool) -> list[tuple[int, int, bytes, list[Any]]]:
        """Takes so many that are ready; of a closed barrier, with `allows_less`, those that are there."""
        with self._changed:
            while not self._may_take(count, allows_less, waits):
                self._changed.wait(_WAIT_S)
                check_deadline(op)
            return [heapq.heappop(self._ready) for _ in range(min(count, len(self._ready)))]

    def _may_take(self, count: int, allows_less: bool, waits: bool) -> bool:
        there = len(self._ready)
        if not self._is_closed:
            return there >= count
        wanted = min(count, there) if allows_less and not (waits and self._incomplete) else count
        total = there if allows_less and not waits else there + len(self._incomplete)
        if total < max(wanted, 1):
            raise OutOfRangeError(f"Barrier '{self._name}' is closed and has insufficient elements (requested {wanted}, total size {total})")
        return there >= wanted

    def close(self, *, cancels: bool) -> None:
        """Takes no more keys; with `cancels` drops the tuples that are incomplete."""
        with self._changed:
            if self._is_closed and (self._is_cancelled or not cancels):
                raise CancelledError(f"Barrier '{self._name}' is already closed.")
            self._is_closed = True
            if cancels:
                self._is_cancelled = True
                self._incomplete.clear()
            self._changed.notify_all()

    @property
    def ready_size(self) -> int:
        """How many tuples have all their components."""
        return len(self._ready)

    @property
    def incomplete_size(self) -> int:
        """How many have not."""
        return len(self._incomplete)


# ---- the operations


class Barrier(SessionOpType):
    """The barrier of its name, made if it is not there."""

    outputs = "handle: Ref(string)"
    attrs = "component_types: list(type) >= 1, shapes: list(shape) >= 0 = [], capacity: int = -1, container: string = '', shared_name: string = ''"
    is_stateful = True
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [TensorShape([2])]

    @staticmethod
    def run(ctx: Context) -> BarrierValue:
        op = ctx.op
        shared = op.attr("shared_name").decode()
        key = ("barrier", op.attr("container").decode(), shared) if shared else ("barrier", op)
        found: BarrierValue | None = ctx.session.resources.get(key)
        if found is None:
            found = ctx.session.resources.setdefault(key, BarrierValue(shared or op.name, op.attr("component_types"), op.attr("shapes")))
        if found.types != list(op.attr("component_types")):
            raise InvalidArgumentError(f"Shared barrier '{shared}' has component types {[dtype.name for dtype in found.types]}")
        return found


class _Using(SessionOpType, abstract=True):
    """Does something with a barrier."""

    is_host_only = True
    shapes = staticmethod(shape_functions.none)


class BarrierInsertMany(_Using):
    """Sets a component of the tuples of some keys."""

    inputs = "handle: Ref(string), keys: string, values: T"
    attrs = "T: type, component_index: int"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        keys, values = op._inputs[1].shape.with_rank(1), op._inputs[2].shape.with_rank_at_least(1)
        if values.rank is not None:
            keys.merge_with(values[:1])
        return []

    @staticmethod
    def run(ctx: Context, barrier: BarrierValue, keys: Any, values: Any, *, component_index: int) -> None:
        names = np.asarray(keys, object).reshape(-1).tolist()
        rows = as_array(np, values)
        rows = rows[np.newaxis] if not rows.ndim else rows
        if len(rows) < len(names):
            raise InvalidArgumentError(f"there are {len(names)} keys, and values for {len(rows)}")
        barrier.insert(component_index, names, [as_array(np, rows[number]).copy() for number in range(len(names))])


class BarrierTakeMany(_Using):
    """Takes tuples that have all their components."""

    inputs = "handle: Ref(string), num_elements: int32"
    outputs = "indices: int64, keys: string, values: component_types"
    attrs = "component_types: list(type) >= 1, allow_small_batch: bool = false, wait_for_incomplete: bool = false, timeout_ms: int = -1"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape()] * len(op.output_types)

    @staticmethod
    def run(
        ctx: Context,
        barrier: BarrierValue,
        count: Any,
        *,
        component_types: list[DType],
        allow_small_batch: bool,
        wait_for_incomplete: bool,
        timeout_ms: int,
    ) -> list[Any]:
        if timeout_ms != -1:
            raise InvalidArgumentError("Timeout not supported yet.")
        if np.ndim(count):
            raise InvalidArgumentError("num_elements must be a scalar.")
        if count < 0:
            raise InvalidArgumentError(f"num_elements must be non-negative, and is {int(count)}")
        if list(component_types) != barrier.types:
            have, expected = (", ".join(_TYPE_NAMES.get(dtype.name, dtype.name) for dtype in types) for types in (component_types, barrier.types))
            raise InvalidArgumentError(
                f"Signature mismatch, have: string_ref, int32->int64, string, {have} expected: string_ref, int32->int64, string, {expected}"
            )
        taken = barrier.take(ctx.op, int(count), allows_less=allow_small_batch, waits=wait_for_incomplete) if count else []
        keys: Any = np.empty(len(taken), object)
        keys[:] = [key for _, _, key, _ in taken]
        parts = [_stacked([element[number] for *_, element in taken], dtype) for number, dtype in enumerate(component_types)]
        return [np.array([index for index, *_ in taken], np.int64), keys, *parts]


def _stacked(values: list[Any], dtype: DType) -> Any:
    if len({value.shape for value in values}) > 1:
        raise InvalidArgumentError(f"the tuples have components of several shapes: {sorted({value.shape for value in values})}")
    kind = object if dtype.is_string else dtype.numpy
    found: Any = np.empty((len(values), *(values[0].shape if values else ())), kind)
    for number, value in enumerate(values):
        found[number] = value[()]
    return found


class BarrierClose(_Using):
    """Has the barrier take no more keys."""

    inputs = "handle: Ref(string)"
    attrs = "cancel_pending_enqueues: bool = false"

    @staticmethod
    def run(ctx: Context, barrier: BarrierValue, *, cancel_pending_enqueues: bool) -> None:
        barrier.close(cancels=cancel_pending_enqueues)


class BarrierReadySize(_Using):
    """How many tuples have all their components."""

    inputs = "handle: Ref(string)"
    outputs = "size: int32"
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, barrier: BarrierValue) -> Any:
        return np.int32(barrier.ready_size)


class BarrierIncompleteSize(_Using):
    """How many tuples have not."""

    inputs = "handle: Ref(string)"
    outputs = "size: int32"
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, barrier: BarrierValue) -> Any:
        return np.int32(barrier.incomplete_size)
