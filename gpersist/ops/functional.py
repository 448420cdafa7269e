"""Operations that call functions of the graph's library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.devices import device_of
from gpersist.graph import Context, Operation, SessionOpType, check_deadline
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []


class _Calling(SessionOpType, abstract=True):
    """Calls functions."""

    takes_any_device = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        known = op.attr("output_shapes") if op.has_attr("output_shapes") else []
        return list(known) if len(known) == len(op.output_types) else [unknown_shape() for _ in op.output_types]


class PartitionedCall(_Calling):
    """The results of a function."""

    inputs = "args: Tin"
    outputs = "output: Tout"
    attrs = "Tin: list(type) >= 0, Tout: list(type) >= 0, f: func, config: string = '', config_proto: string = '', executor_type: string = ''"

    @staticmethod
    def run(ctx: Context, args: Sequence[Any], *, f: Any) -> list[Any]:
        return _here(ctx, ctx.session.functions.call(f, args))


class StatefulPartitionedCall(_Calling):
    """The results of a function that may change variables."""

    inputs = "args: Tin"
    outputs = "output: Tout"
    attrs = "Tin: list(type) >= 0, Tout: list(type) >= 0, f: func, config: string = '', config_proto: string = '', executor_type: string = ''"
    is_stateful = True
    run = PartitionedCall.run


class StatelessIf(_Calling):
    """The results of one of two functions."""

    inputs = "cond: Tcond, input: Tin"
    outputs = "output: Tout"
    attrs = "Tcond: type, Tin: list(type) >= 0, Tout: list(type) >= 0, then_branch: func, else_branch: func, output_shapes: list(shape) = []"
    host_inputs = ("cond",)

    @staticmethod
    def run(ctx: Context, cond: Any, values: Sequence[Any], *, then_branch: Any, else_branch: Any) -> list[Any]:
        return _here(ctx, ctx.session.functions.call(then_branch if _is_true(cond) else else_branch, values))


class If(_Calling):
    """The results of one of two functions that may change variables."""

    inputs = "cond: Tcond, input: Tin"
    outputs = "output: Tout"
    attrs = "Tcond: type, Tin: list(type) >= 0, Tout: list(type) >= 0, then_branch: func, else_branch: func, output_shapes: list(shape) = []"
    host_inputs = ("cond",)
    is_stateful = True
    run = StatelessIf.run


class StatelessCase(_Calling):
    """The results of one of several functions; the last one, if the index is none of theirs."""

    inputs = "branch_index: int32, input: Tin"
    outputs = "output: Tout"
    attrs = "Tin: list(type) >= 0, Tout: list(type) >= 0, branches: list(func) >= 1, output_shapes: list(shape) = []"
    host_inputs = ("branch_index",)

    @staticmethod
    def run(ctx: Context, branch_index: Any, values: Sequence[Any], *, branches: Sequence[Any]) -> list[Any]:
        index = int(branch_index)
        return _here(ctx, ctx.session.functions.call(branches[index if 0 <= index < len(branches) else -1], values))


class Case(_Calling):
    """The results of one of several functions that may change variables."""

    inputs = "branch_index: int32, input: Tin"
    outputs = "output: Tout"
    attrs = "Tin: list(type) >= 0, Tout: list(type) >= 0, branches: list(func) >= 1, output_shapes: list(shape) = []"
    host_inputs = ("branch_index",)
    is_stateful = True
    run = StatelessCase.run


class StatelessWhile(_Calling):
    """What a function makes of its own results, again and again, while another one gives true."""

    inputs = "input: T"
    outputs = "output: T"
    attrs = "T: list(type) >= 0, cond: func, body: func, output_shapes: list(shape) = [], parallel_iterations: int = 10"

    @staticmethod
    def run(ctx: Context, values: Sequence[Any], *, cond: Any, body: Any) -> list[Any]:
        call = ctx.session.functions.call
        while True:
            (more,) = call(cond, values)
            if not _is_true(more):
                return _here(ctx, values)
            check_deadline(ctx.op)
            values = call(body, values)


class While(_Calling):
    """What a function that may change variables makes of its own results, while another one gives true."""

    inputs = "input: T"
    outputs = "output: T"
    attrs = "T: list(type) >= 0, cond: func, body: func, output_shapes: list(shape) = [], parallel_iterations: int = 10"
    is_stateful = True
    run = StatelessWhile.run


def _here(ctx: Context, values: Sequence[Any]) -> list[Any]:
    """Results in the memory of the operation's device, where others look for them."""
    return [ctx.move(value) if hasattr(value, "dtype") and isinstance(value.dtype, np.dtype) else value for value in values]


def _is_true(value: Any) -> bool:
    """A condition as Python's: a number that is not 0, text that is not empty, a tensor that is not empty."""
    if isinstance(value, (str, bytes)):
        return len(value) > 0
    array = np.asarray(value) if isinstance(value, np.generic) or device_of(value).is_host else value.get()
    if array.ndim:
        return bool(array.size)
    found: Any = array[()]
    return len(found) > 0 if isinstance(found, (str, bytes)) else bool(found)
