"""Runs plans: one step after the other, on the calling thread. Work on CUDA devices is enqueued on CuPy's current streams.

Each step runs once, or not at all where a Switch went the other way; those of a loop, once an iteration.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Any

import numpy as np

from gpersist.errors import (
    DeadlineExceededError,
    GPersistError,
    InternalError,
    InvalidArgumentError,
    ResourceExhaustedError,
    UnimplementedError,
)
from gpersist.graph.frames import MERGES
from gpersist.graph.operation import Operation
from gpersist.graph.placer import with_op
from gpersist.graph.plan import DEAD, Fetch, Loop, Part, Plan, Step


class Deadline:
    """When a run has to be done.

    Args:
        timeout_s: seconds from now; None for never.
    """

    def __init__(self, timeout_s: float | None) -> None:
        self._timeout_s = timeout_s
        self._end = math.inf if timeout_s is None else time.monotonic() + timeout_s

    def check(self, op: Operation) -> None:
        """Raises DeadlineExceededError, if it has passed."""
        if self._timeout_s is not None and time.monotonic() > self._end:
            raise with_op(DeadlineExceededError(f"the run has not ended within {self._timeout_s:g} s (RunOptions.timeout_in_ms)"), op)


_NEVER = Deadline(None)
_DEADLINE: ContextVar[Deadline] = ContextVar("deadline", default=_NEVER)  # it is never changed


def check_deadline(op: Operation) -> None:
    """Raises DeadlineExceededError, if the run that this is in has taken too long; for operations that run others."""
    _DEADLINE.get().check(op)


def run_raw(plan: Plan, fed: Sequence[Any]) -> list[Any]:
    """Runs a plan within another run, see `execute`; gives values as they are, on the devices where they were made, for tensors only."""
    values = plan.slots.copy()
    for slot, value in zip(plan.feeds, fed, strict=True):
        values[slot] = value
    _run_parts(plan.parts, values, _DEADLINE.get())
    return [values[fetch.slot] for fetch in plan.fetches if fetch is not None]


def execute(plan: Plan, fed: Sequence[Any], timeout_s: float | None = None) -> list[Any]:
    """Runs a plan.

    Args:
        plan: what to do; may be run by several threads at once.
        fed: the value of each fed tensor, in the plan's order.
        timeout_s: how long it may take, in seconds; looked at between steps of different devices and between a loop's iterations.

    Returns:
        The value of each fetched element: an array or scalar of NumPy that is the caller's own, None for an operation.

    Raises:
        DeadlineExceededError: it has taken too long.
        GPersistError: an operation failed; its `op` is that operation.
    """
    values = plan.slots.copy()
    for slot, value in zip(plan.feeds, fed, strict=True):
        values[slot] = value
    deadline = _DEADLINE.set(Deadline(timeout_s))
    try:
        with np.errstate(all="ignore"):  # infinities and NaNs are values, as on a device
            _run_parts(plan.parts, values, _DEADLINE.get())
    finally:
        _DEADLINE.reset(deadline)
    return [None if fetch is None else _result(values[fetch.slot], fetch) for fetch in plan.fetches]


def _run_parts(parts: Sequence[Part], values: list[Any], deadline: Deadline) -> None:
    skipped: set[Operation] = set()
    for device, steps, has_switches in parts:
        if isinstance(steps, Loop):
            _run_loop(steps, values, skipped, deadline)
            continue
        if has_switches:
            with device.activate() if device is not None else _ALREADY:
                _run_switched(steps, values, skipped)
        elif device is None:
            _run(steps, values)
        else:
            with device.activate():
                _run(steps, values)
        if deadline is not _NEVER:
            deadline.check(steps[-1].op)


def _run_loop(loop: Loop, values: list[Any], skipped: set[Operation], deadline: Deadline) -> None:
    variables = loop.variables
    if any(values[slot] is DEAD for slot, _, _, _ in variables):
        skipped.update(loop.exit_ops)
        for _, result in loop.exits:
            values[result] = DEAD
        return
    for start, value, origin, _ in variables:
        values[value], values[origin] = values[start], _FIRST
    while True:
        _run_parts(loop.condition, values, deadline)
        if not values[loop.predicate]:
            break
        _run_parts(loop.body, values, deadline)
        carried = [values[slot] for _, _, _, slot in variables]
        for (_, value, origin, _), found in zip(variables, carried, strict=True):
            values[value], values[origin] = found, _LATER
        deadline.check(loop.op)
    _run_parts(loop.leaving, values, deadline)
    for found, result in loop.exits:
        values[result] = values[found]
    for slot in loop.unused:
        values[slot] = None


def _run(steps: Sequence[Step], values: list[Any]) -> None:
    step: Step | None = None
    try:
        for step in steps:
            kernel, inputs, outputs, unused, _, _ = step
            count = len(inputs)
            if count == 2:  # the general way takes longer than an operation on scalars
                result = kernel(values[inputs[0]], values[inputs[1]])
            elif count == 1:
                result = kernel(values[inputs[0]])
            else:
                result = kernel(*[values[slot] for slot in inputs])
            if outputs.__class__ is int:
                values[outputs] = result
            elif outputs:
                for slot, value in zip(outputs, result, strict=True):  # type: ignore[arg-type]  # a tuple, since no int
                    values[slot] = value
                value = None
            result = None  # what nobody needs any more is freed now, or written over: `gpersist.graph.reuse` counts references
            for slot in unused:
                values[slot] = None
    except Exception as error:
        assert step is not None
        raise _failed(error, step.op) from (None if isinstance(error, GPersistError) else error)


def _run_switched(steps: Sequence[Step], values: list[Any], skipped: set[Operation]) -> None:
    """The same, leaving out what depends on the side that a Switch did not go to; a Merge takes the input that is there."""
    step: Step | None = None
    try:
        for step in steps:
            kernel, inputs, outputs, unused, op, controls = step
            found = [values[slot] for slot in inputs]
            results: Any = DEAD
            if controls is not None and op._type in MERGES:
                for index, value in enumerate(found):
                    if value is not DEAD:
                        results = (value, np.int32(index))
                        break
            else:
                for value in found:
                    if value is DEAD:
                        break
                else:
                    if not skipped or not controls or skipped.isdisjoint(controls):
                        results = kernel(*found)
            if results is DEAD:
                if controls is not None:
                    skipped.add(op)
                if outputs.__class__ is not int:
                    results = [DEAD] * len(outputs)  # type: ignore[arg-type]  # a tuple, since no int
            if outputs.__class__ is int:
                values[outputs] = results
            elif outputs:
                for slot, value in zip(outputs, results, strict=True):  # type: ignore[arg-type]
                    values[slot] = value
            for slot in unused:
                values[slot] = None
    except Exception as error:
        assert step is not None
        raise _failed(error, step.op) from (None if isinstance(error, GPersistError) else error)


_ALREADY: AbstractContextManager[None] = nullcontext()
_FIRST, _LATER = np.int32(0), np.int32(1)


def _result(value: Any, fetch: Fetch) -> Any:
    """A fetched value as the caller's own: scalars as NumPy's scalars (text as bytes), arrays in memory that nobody else has."""
    if value is DEAD:
        raise InvalidArgumentError("a fetched tensor has no value: it depends on a branch that was not taken (tf.cond); fetch what tf.cond gives")
    if fetch.is_fed or not isinstance(value, np.ndarray):
        return value
    if value.dtype.names:  # of quantised types the plain numbers, as TensorFlow gives them
        value = value[value.dtype.names[0]]
    if value.ndim == 0:
        return value[()]
    return value.copy() if fetch.is_shared else value


_CLASSES: list[tuple[type[Exception] | tuple[type[Exception], ...], type[GPersistError]]] = [
    (MemoryError, ResourceExhaustedError),
    (NotImplementedError, UnimplementedError),
    ((ValueError, TypeError, ArithmeticError, LookupError), InvalidArgumentError),
]


def _failed(error: Exception, op: Operation) -> GPersistError:
    """An error of a kernel as one of ours, which tells where it happened."""
    where = f"\n\t [[{{{{node {op.name}}}}}]]"
    if not isinstance(error, GPersistError):
        if isinstance(error, ValueError) and _TOO_BIG.search(str(error)):
            error = MemoryError(str(error))
        kind = next((found for classes, found in _CLASSES if isinstance(error, classes)), InternalError)
        return with_op(kind(f"{_in_own_words(error)}{where}"), op)
    if getattr(error, "op", None) is None:
        error = type(error)(f"{error.message}{where}")
        with_op(error, op)
    return error


_BROADCAST = re.compile(r"operands could not be broadcast together with (?:remapped )?shapes \(([\d, ]*)\) \(([\d, ]*)\)")


_TOO_BIG = re.compile(r"array is too big|[Mm]aximum (allowed|supported) (size|dimension)")


def _in_own_words(error: Exception) -> str:
    """What an error of NumPy or CuPy says, as TensorFlow's kernels would."""
    text = str(error)
    if isinstance(error, MemoryError):
        shape, dtype = getattr(error, "shape", None), getattr(error, "dtype", None)
        what = "" if shape is None else f" when allocating tensor with shape[{','.join(map(str, shape))}] and type {dtype}"
        return f"OOM{what}: {text}" if text else f"OOM{what}"
    found = _BROADCAST.search(text)
    if found is None:
        return text
    shapes = ["[" + shape.replace(" ", "").rstrip(",") + "]" for shape in found.groups()]
    return f"Incompatible shapes: {shapes[0]} vs. {shapes[1]}"
