"""The stacks of TensorFlow before 1.0, whose handles are references to text."""

from __future__ import annotations

from typing import Any

from gpersist.dtypes import DType
from gpersist.graph import Context, OpType
from gpersist.ops import shape_functions, stacks

__all__: list[str] = []


class Stack(stacks.StackV2):
    """A new stack."""

    inputs = ""
    outputs = "handle: Ref(string)"
    host_inputs = ()

    @staticmethod
    def run(ctx: Context, *, elem_type: DType, stack_name: bytes) -> stacks.Stack:  # type: ignore[override]  # of no size
        return stacks.Stack(elem_type, -1, stack_name.decode() or ctx.op.name)

    @staticmethod
    def gradient(op: Any, *grads: Any) -> list[None]:
        return []


class StackPush(stacks.StackPushV2):
    """Its tensor, now on top of the stack."""

    inputs = "handle: Ref(string), elem: T"
    is_stateful = False


class StackPop(stacks.StackPopV2):
    """The tensor on top of the stack, which is not there any more."""

    inputs = "handle: Ref(string)"
    is_stateful = False


class StackClose(OpType):
    """Drops what is in a stack."""

    inputs = "handle: Ref(string)"
    shapes = staticmethod(shape_functions.none)
    run = stacks.StackCloseV2.run
    gradient = stacks.StackCloseV2.gradient
