"""Stacks of tensors, which gradients of loops keep values in, and what else those are made of."""

from __future__ import annotations

from typing import Any, ClassVar

from gpersist.devices import Array
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Context, Operation, OpType, SessionOpType
from gpersist.ops import shape_functions
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []


class Stack:
    """A stack of tensors of one type; a new one in each run.

    Args:
        element_type: of the tensors.
        max_size: how many it may hold; less than 0 for any number.
    """

    def __init__(self, dtype: DType, max_size: int, name: str) -> None:
        self.element_type = dtype  # not called `dtype`, by which the executor tells arrays
        self._max_size = max_size
        self._name = name
        self._items: list[Any] | None = []

    def push(self, item: Any) -> None:
        """Puts a tensor on top."""
        items = self._open()
        if 0 <= self._max_size <= len(items):
            raise InvalidArgumentError(f"Stack[{self._name}] overflowed its max_size ({self._max_size})")
        items.append(item)

    def pop(self) -> Any:
        """Takes the topmost tensor."""
        items = self._open()
        if not items:
            raise InvalidArgumentError(f"Stack[{self._name}] is empty when calling Pop().")
        return items.pop()

    def close(self) -> None:
        """Drops all tensors."""
        self._items = None

    def _open(self) -> list[Any]:
        if self._items is None:
            raise InvalidArgumentError(f"Stack[{self._name}] has already been closed.")
        return self._items


class StackV2(SessionOpType):
    """A new stack."""

    inputs = "max_size: int32"
    outputs = "handle: resource"
    attrs = "elem_type: type, stack_name: string = ''"
    is_stateful = True
    host_inputs: ClassVar[tuple[str, ...]] = ("max_size",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [TensorShape([2])]

    @staticmethod
    def run(ctx: Context, max_size: Any, *, elem_type: DType, stack_name: bytes) -> Stack:
        return Stack(elem_type, int(max_size), stack_name.decode() or ctx.op.name)

    @staticmethod
    def gradient(op: Operation, *grads: Any) -> list[None]:
        return [None]


class StackPushV2(SessionOpType):
    """Its tensor, now on top of the stack."""

    inputs = "handle: resource, elem: T"
    outputs = "output: T"
    attrs = "T: type, swap_memory: bool = false"
    is_stateful = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[1].shape]

    @staticmethod
    def run(ctx: Context, handle: Stack, elem: Array) -> Array:
        if ctx.op._inputs[1].dtype.base_dtype is not handle.element_type:
            raise InvalidArgumentError(f"Must have type {handle.element_type.name} but got {ctx.op._inputs[1].dtype.base_dtype.name}")
        handle.push(elem)
        return elem

    @staticmethod
    def gradient(op: Operation, *grads: Any) -> list[None]:
        return [None, None]


class StackPopV2(SessionOpType):
    """The tensor on top of the stack, which is not there any more."""

    inputs = "handle: resource"
    outputs = "elem: elem_type"
    attrs = "elem_type: type"
    is_stateful = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape()]

    @staticmethod
    def run(ctx: Context, handle: Stack) -> Array:
        return ctx.move(handle.pop())

    @staticmethod
    def gradient(op: Operation, *grads: Any) -> list[None]:
        return [None]


class StackCloseV2(OpType):
    """Drops what is in a stack."""

    inputs = "handle: resource"
    is_stateful = True
    shapes = staticmethod(shape_functions.none)

    @staticmethod
    def run(xp: Any, handle: Stack) -> None:
        handle.close()

    @staticmethod
    def gradient(op: Operation) -> list[None]:
        return [None]


class ControlTrigger(OpType):
    """Does nothing; even where what it waits for is not run."""

    shapes = staticmethod(shape_functions.none)

    @staticmethod
    def run(xp: Any) -> None:
        return None
