"""Runs plans: one step after the other, on the calling thread. Work on CUDA devices is enqueued on CuPy's current streams.

A plan is straight: each step runs once. Loops (Enter, Merge, NextIteration, Exit) will need frames, and get an executor of their own beside this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.errors import GPersistError, InternalError, InvalidArgumentError, OutOfRangeError, ResourceExhaustedError, UnimplementedError
from gpersist.graph.operation import Operation
from gpersist.graph.placer import with_op
from gpersist.graph.plan import Fetch, Plan, Step


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
        for device, steps in plan.segments:
            if device is None:
                _run(steps, values)
            else:
                with device.activate():
                    _run(steps, values)
    return [None if fetch is None else _result(values[fetch.slot], fetch) for fetch in plan.fetches]


def _run(steps: Sequence[Step], values: list[Any]) -> None:
    step: Step | None = None
    try:
        for step in steps:
            kernel, inputs, outputs, dead, _ = step
            result = kernel(*[values[slot] for slot in inputs])
            if outputs.__class__ is int:
                values[outputs] = result
            elif outputs:
                for slot, value in zip(outputs, result, strict=True):  # type: ignore[arg-type]  # a tuple, since no int
                    values[slot] = value
            for slot in dead:
                values[slot] = None
    except Exception as error:
        assert step is not None
        raise _failed(error, step.op) from (None if isinstance(error, GPersistError) else error)


def _result(value: Any, fetch: Fetch) -> Any:
    """A fetched value as the caller's own: scalars as NumPy's scalars (text as bytes), arrays in memory that nobody else has."""
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
