"""Operations that call functions of the graph's library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist import protos
from gpersist.dtypes import DType, as_dtype
from gpersist.errors import InvalidArgumentError, NotFoundError, UnimplementedError
from gpersist.graph import Context, Operation, OpType, SessionOpType, check_deadline, sample
from gpersist.ops import functional_gradients, shape_functions
from gpersist.ops.tensor_array_ops import zeros
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []

_TRUTHS = frozenset(map(np.dtype, ("bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64")))
"""The types of numbers that are conditions."""


class Calling(SessionOpType, abstract=True):
    """Calls functions."""

    takes_any_device = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        known = op.attr("output_shapes") if op.has_attr("output_shapes") else []
        return list(known) if len(known) == len(op.output_types) else [unknown_shape() for _ in op.output_types]


def results(ctx: Context, function: Any, values: Sequence[Any]) -> list[Any]:
    """What a function gives, which has the types that the operation says, in the memory of its device."""
    if function.name not in ctx.state:
        try:
            given = ctx.op.inputs[len(ctx.op.inputs) - len(values) :]
            ctx.session.functions.check_types(function, [tensor.dtype.base_dtype for tensor in given], ctx.op.output_types)
        except NotFoundError as error:
            if ctx.op.type.endswith("PartitionedCall"):  # TensorFlow's kinds of error differ
                raise InvalidArgumentError(f'Failed to find function "{function.name}" in function library') from error
            raise
        ctx.state[function.name] = True
    return _here(ctx, ctx.session.functions.call(function, values))


class PartitionedCall(Calling):
    """The results of a function."""

    inputs = "args: Tin"
    outputs = "output: Tout"
    attrs = "Tin: list(type) >= 0, Tout: list(type) >= 0, f: func, config: string = '', config_proto: string = '', executor_type: string = ''"

    @staticmethod
    def run(ctx: Context, args: Sequence[Any], *, f: Any) -> list[Any]:
        return results(ctx, f, args)

    gradient = staticmethod(functional_gradients.of_call)


class StatefulPartitionedCall(Calling):
    """The results of a function that may change variables."""

    inputs = "args: Tin"
    outputs = "output: Tout"
    attrs = "Tin: list(type) >= 0, Tout: list(type) >= 0, f: func, config: string = '', config_proto: string = '', executor_type: string = ''"
    is_stateful = True
    run = PartitionedCall.run
    gradient = PartitionedCall.gradient


class StatelessIf(Calling):
    """The results of one of two functions."""

    inputs = "cond: Tcond, input: Tin"
    outputs = "output: Tout"
    attrs = "Tcond: type, Tin: list(type) >= 0, Tout: list(type) >= 0, then_branch: func, else_branch: func, output_shapes: list(shape) = []"
    host_inputs = ("cond",)

    @staticmethod
    def run(ctx: Context, cond: Any, values: Sequence[Any], *, then_branch: Any, else_branch: Any) -> list[Any]:
        return results(ctx, then_branch if _is_true(cond) else else_branch, values)

    gradient = staticmethod(functional_gradients.of_if)


class If(Calling):
    """The results of one of two functions that may change variables."""

    inputs = "cond: Tcond, input: Tin"
    outputs = "output: Tout"
    attrs = "Tcond: type, Tin: list(type) >= 0, Tout: list(type) >= 0, then_branch: func, else_branch: func, output_shapes: list(shape) = []"
    host_inputs = ("cond",)
    is_stateful = True
    run = StatelessIf.run
    gradient = StatelessIf.gradient


class StatelessCase(Calling):
    """The results of one of several functions; the last one, if the index is none of theirs."""

    inputs = "branch_index: int32, input: Tin"
    outputs = "output: Tout"
    attrs = "Tin: list(type) >= 0, Tout: list(type) >= 0, branches: list(func) >= 1, output_shapes: list(shape) = []"
    host_inputs = ("branch_index",)

    @staticmethod
    def run(ctx: Context, branch_index: Any, values: Sequence[Any], *, branches: Sequence[Any]) -> list[Any]:
        index = int(branch_index)
        return results(ctx, branches[index if 0 <= index < len(branches) else -1], values)

    gradient = staticmethod(functional_gradients.of_case)


class Case(Calling):
    """The results of one of several functions that may change variables."""

    inputs = "branch_index: int32, input: Tin"
    outputs = "output: Tout"
    attrs = "Tin: list(type) >= 0, Tout: list(type) >= 0, branches: list(func) >= 1, output_shapes: list(shape) = []"
    host_inputs = ("branch_index",)
    is_stateful = True
    run = StatelessCase.run
    gradient = StatelessCase.gradient


class StatelessWhile(Calling):
    """What a function makes of its own results, again and again, while another one gives true."""

    inputs = "input: T"
    outputs = "output: T"
    attrs = "T: list(type) >= 0, cond: func, body: func, output_shapes: list(shape) = [], parallel_iterations: int = 10"

    @staticmethod
    def run(ctx: Context, values: Sequence[Any], *, cond: Any, body: Any) -> list[Any]:
        call = ctx.session.functions.call
        while True:
            (more,) = call(cond, values)
            if not _is_true(more if isinstance(more, (np.generic, np.ndarray, str, bytes)) else ctx.session.functions.on_host(more)):
                return _here(ctx, values)
            check_deadline(ctx.op)
            values = call(body, values)

    gradient = staticmethod(functional_gradients.of_while)


class While(Calling):
    """What a function that may change variables makes of its own results, while another one gives true."""

    inputs = "input: T"
    outputs = "output: T"
    attrs = "T: list(type) >= 0, cond: func, body: func, output_shapes: list(shape) = [], parallel_iterations: int = 10"
    is_stateful = True
    run = StatelessWhile.run
    gradient = StatelessWhile.gradient


class For(Calling):
    """What a function makes of a number and of its own results, for each number of a range."""

    inputs = "start: int32, limit: int32, delta: int32, input: T"
    outputs = "output: T"
    attrs = "T: list(type) >= 0, body: func"
    host_inputs = ("start", "limit", "delta")

    @staticmethod
    def run(ctx: Context, start: Any, limit: Any, delta: Any, values: Sequence[Any], *, body: Any) -> list[Any]:
        first, end, step = int(start), int(limit), int(delta)
        if (step > 0 and first > end) or (step < 0 and first < end) or (step == 0 and first != end):
            raise InvalidArgumentError(f"For loop: start={first}, limit={end}, delta={step} never ends")
        for number in range(first, end, step) if step else ():
            check_deadline(ctx.op)
            values = ctx.session.functions.call(body, [np.asarray(number, np.int32), *values])
        return _here(ctx, values)


class RemoteCall(Calling):
    """The results of a function on another device, or in another process; refused here."""

    inputs = "target: string, args: Tin"
    outputs = "output: Tout"
    attrs = "Tin: list(type) >= 1, Tout: list(type) >= 1, f: func"
    is_stateful = True

    @staticmethod
    def run(ctx: Context, target: Any, args: Sequence[Any], *, f: Any) -> list[Any]:
        raise UnimplementedError(f"function {f.name!r} would run on {target!r}, chosen while the graph runs; call it by PartitionedCall instead")


class FakeParam(OpType):
    """What a branch gives where only the other one has something to give: zeros, which nobody looks at."""

    outputs = "output: dtype"
    attrs = "dtype: type, shape: shape"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op.attr("shape")]

    @staticmethod
    def run(xp: Any, *, dtype: DType, shape: TensorShape) -> Any:
        if dtype.base_dtype.numpy is None:
            return None
        return zeros(xp, TensorShape([size or 0 for size in shape.as_list()] if shape.rank is not None else []), dtype)


class ToBool(OpType):
    """Its input as a condition: a number that is not 0, text that is not empty, a tensor that is not empty."""

    inputs = "input: T"
    outputs = "output: bool"
    attrs = "T: type"
    host_inputs = ("input",)
    host_outputs = ("output",)
    samples = (sample("float[]"), sample(np.float32(0)), sample("float[0,2]"), sample("int32[2]"), sample("bool[]"), sample(b""), sample(b"x"))
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(xp: Any, value: Any) -> Any:
        return np.bool_(_is_true(value))


class DeviceIndex(SessionOpType):
    """Which of some types of devices it runs on; their number, if on none of them."""

    outputs = "index: int32"
    attrs = "device_names: list(string)"
    is_stateful = True
    host_outputs = ("index",)
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, *, device_names: Sequence[bytes]) -> Any:
        kind = b"CPU" if ctx.device.is_host else b"GPU"
        return np.int32(max((index for index, name in enumerate(device_names) if name == kind), default=len(device_names)))


def _here(ctx: Context, values: Sequence[Any]) -> list[Any]:
    """Results in the memory of the operation's device, where others look for them."""
    return [ctx.move(value) if hasattr(value, "dtype") and isinstance(value.dtype, np.dtype) else value for value in values]


def _is_true(value: Any) -> bool:
    """A condition as Python's: a number that is not 0, text that is not empty, a tensor that is not empty.

    Raises:
        InvalidArgumentError: it is a number of a type that TensorFlow takes for no condition.
    """
    if isinstance(value, (str, bytes)):
        return len(value) > 0
    array = np.asarray(value)
    if array.ndim:
        return bool(array.size)
    found: Any = array[()]
    if isinstance(found, (str, bytes)):
        return len(found) > 0
    if array.dtype not in _TRUTHS:
        raise InvalidArgumentError(f"{protos.DataType.Name(as_dtype(array.dtype).enum)[3:].lower()} cannot be converted to a boolean")
    return bool(found)
