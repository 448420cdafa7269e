"""Operations that fail where something does not hold; `checks` has the functions that add them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, sample
from gpersist.ops import shape_functions
from gpersist.ops.kernels import shown
from gpersist.ops.summarize import summarize as summarized


class Assert(OpType):
    """Fails unless its condition is true, and tells its data."""

    inputs = "condition: bool, data: T"
    attrs = "T: list(type) >= 1, summarize: int = 3"
    is_stateful = True
    is_host_only = True
    samples = (sample(True, ["float[2]", "string[]"]),)

    shapes = staticmethod(shape_functions.none)

    @staticmethod
    def run(xp: Any, condition: Any, data: list[Any], *, summarize: int) -> None:
        if np.ndim(condition):
            raise InvalidArgumentError(f"In[0] should be a scalar: {shown(np.shape(condition))}")
        if not condition:
            told = b" ".join(b"[" + summarized(item, summarize) + b"]" for item in data)
            raise InvalidArgumentError(f"assertion failed: {told.decode('utf-8', 'backslashreplace')}")


class _CheckNumerics(OpType, abstract=True):
    """Its input; fails if an element is infinite, or not a number."""

    inputs = "tensor: T"
    outputs = "output: T"
    attrs = "T: {bfloat16, half, float, double}, message: string"
    is_stateful = True
    samples = (sample("float[2,3]", message="m"), sample("double[]", message="m"), sample("half[0]", message="m"))
    shapes = staticmethod(shape_functions.same_as_input)

    @classmethod
    def run(cls, xp: Any, value: Array, *, message: bytes) -> Array:
        if not xp.isfinite(value).all():
            raise InvalidArgumentError(f"{message.decode('utf-8', 'replace')} : Tensor had {cls._found(xp, value)} values")
        return value

    @classmethod
    def gradient(cls, op: Operation, grad: Tensor) -> Tensor:
        told = f"Not a number (NaN) or infinity (Inf) values detected in gradient. {op.attr('message')}"
        return apply(cls.__name__, grad, message=told)

    @staticmethod
    def _found(xp: Any, value: Array) -> str:
        raise NotImplementedError


class CheckNumerics(_CheckNumerics):
    """Its input; fails if an element is infinite, or not a number."""

    @staticmethod
    def _found(xp: Any, value: Array) -> str:
        return " and ".join(name for name, is_there in (("Inf", xp.isinf(value).any()), ("NaN", xp.isnan(value).any())) if is_there)


class CheckNumericsV2(_CheckNumerics):
    """Its input; fails if an element is infinite, and tells the sign, or not a number."""

    @staticmethod
    def _found(xp: Any, value: Array) -> str:
        infinite = xp.isinf(value)
        kinds = (("-Inf", (infinite & (value < 0)).any()), ("+Inf", (infinite & (value > 0)).any()), ("NaN", xp.isnan(value).any()))
        names = [name for name, is_there in kinds if is_there]
        return ", ".join(names[:-1]) + (", and " if len(names) > 2 else " and ") + names[-1] if len(names) > 1 else names[0]
