"""Runs plans: one step after the other, on the calling thread. Work on CUDA devices is enqueued on CuPy's current streams.

A plan is straight: each step runs once, or not at all, where a Switch went the other way. Loops (Enter, NextIteration, Exit) will need frames, and
get an executor of their own beside this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from gpersist.errors import GPersistError, InternalError, InvalidArgumentError, OutOfRangeError, ResourceExhaustedError, UnimplementedError
from gpersist.graph.operation import Operation
from gpersist.graph.placer import with_op
from gpersist.graph.plan import DEAD, Fetch, Plan, Step


def execute(plan: Plan, fed: Sequence[Any]) -> list[Any]:
    """Runs a plan.

    Args:
        plan: what to do; may be run by several threads at once.
        fed: the value of each fed tensor, in the plan's order.

    Returns:
        The value of each fetched element: an array or scalar of NumPy that is the caller's own, None for an operation.

    Raises:
        GPersistError: an operation failed; its `op` is that operation.
    """
    values = plan.slots.copy()
    for slot, value in zip(plan.feeds, fed, strict=True):
        values[slot] = value
    with np.errstate(all="ignore"):  # infinities and NaNs are values, as on a device
        skipped: set[Operation] = set()
        for device, steps in plan.segments:
            with device.activate() if device is not None else _ALREADY:
                if plan.has_switches:
                    _run_switched(steps, values, skipped)
                else:
                    _run(steps, values)
    return [None if fetch is None else _result(values[fetch.slot], fetch) for fetch in plan.fetches]


def _run(steps: Sequence[Step], values: list[Any]) -> None:
    step: Step | None = None
    try:
        for step in steps:
            kernel, inputs, outputs, unused, _, _ = step
            result = kernel(*[values[slot] for slot in inputs])
            if outputs.__class__ is int:
                values[outputs] = result
            elif outputs:
                for slot, value in zip(outputs, result, strict=True):  # type: ignore[arg-type]  # a tuple, since no int
                    values[slot] = value
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
            found = [values[slot] for slot in step.inputs]
            outputs = step.outputs if isinstance(step.outputs, tuple) else (step.outputs,)
            results: Any
            if step.controls is not None and step.op.type in _MERGES:
                index = next((index for index, value in enumerate(found) if value is not DEAD), None)
                is_dead = index is None
                results = (DEAD, DEAD) if index is None else (found[index], np.int32(index))
            elif any(value is DEAD for value in found) or not skipped.isdisjoint(step.controls or ()):
                is_dead, results = True, [DEAD] * len(outputs)
            else:
                is_dead, results = False, step.kernel(*found)
                results = results if isinstance(step.outputs, tuple) else (results,)
            if is_dead and step.controls is not None:
                skipped.add(step.op)
            if outputs:
                for slot, value in zip(outputs, results, strict=True):
                    values[slot] = value
            for slot in step.unused:
                values[slot] = None
    except Exception as error:
        assert step is not None
        raise _failed(error, step.op) from (None if isinstance(error, GPersistError) else error)


_ALREADY: AbstractContextManager[None] = nullcontext()
_MERGES = frozenset({"Merge", "RefMerge"})


def _result(value: Any, fetch: Fetch) -> Any:
    """A fetched value as the caller's own: scalars as NumPy's scalars (text as bytes), arrays in memory that nobody else has."""
    if value is DEAD:
        raise InvalidArgumentError("a fetched tensor has no value: it depends on a branch that was not taken (tf.cond); fetch what tf.cond gives")
    if fetch.is_fed or not isinstance(value, np.ndarray):
        return value
    if value.ndim == 0:
        return value[()]
    return value.copy() if fetch.is_shared else value


_CLASSES: list[tuple[type[Exception] | tuple[type[Exception], ...], type[GPersistError]]] = [
    (MemoryError, ResourceExhaustedError),
    (IndexError, OutOfRangeError),
    (NotImplementedError, UnimplementedError),
    ((ValueError, TypeError, ArithmeticError, KeyError), InvalidArgumentError),
]


def _failed(error: Exception, op: Operation) -> GPersistError:
    """An error of a kernel as one of ours, which tells where it happened."""
    where = f"\n\t [[{{{{node {op.name}}}}}]]"
    if not isinstance(error, GPersistError):
        kind = next((found for classes, found in _CLASSES if isinstance(error, classes)), InternalError)
        return with_op(kind(f"{error}{where}"), op)
    if getattr(error, "op", None) is None:
        error = type(error)(f"{error.message}{where}")
        with_op(error, op)
    return error
