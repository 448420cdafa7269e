"""The operations that while loops are made of. `gpersist.graph.frames` says how they go together; an executor runs the loop as a whole."""

from __future__ import annotations

from typing import Any, ClassVar

from gpersist.graph import Operation, OpType, Sample, Tensor, sample
from gpersist.ops import shape_functions
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []


class _Passing(OpType, abstract=True):
    """Hands its input on."""

    inputs = "data: T"
    outputs = "output: T"
    attrs = "T: type"
    samples: ClassVar[tuple[Sample, ...]] = (sample("float[2,3]"),)
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, data: Any) -> Any:
        return data


class _PassingRef(_Passing, abstract=True):
    """Hands a reference on."""

    inputs = "data: Ref(T)"
    outputs = "output: Ref(T)"
    samples = ()


class Enter(_Passing):
    """Takes a value into a loop."""

    attrs = "T: type, frame_name: string, is_constant: bool = false, parallel_iterations: int = 10"
    samples = ()

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape if op.attr("is_constant") else unknown_shape()]


class RefEnter(_PassingRef):
    """Takes a reference into a loop."""

    attrs = "T: type, frame_name: string, is_constant: bool = false, parallel_iterations: int = 10"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape]


class Exit(_Passing):
    """Takes a value out of a loop."""

    samples = ()


class RefExit(_PassingRef):
    """Takes a reference out of a loop."""


class NextIteration(_Passing):
    """Hands a value on to the next iteration."""

    samples = ()


class RefNextIteration(_PassingRef):
    """Hands a reference on to the next iteration."""


class RefIdentity(_PassingRef):
    """Hands a reference on."""

    inputs = "input: Ref(T)"
    allows_uninitialized_input = True

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return grad


class LoopCond(OpType):
    """Whether there is another iteration."""

    inputs = "input: bool"
    outputs = "output: bool"
    host_inputs = ("input",)
    host_outputs = ("output",)
    samples = (sample("bool[]"),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        if not op._inputs[0].shape.is_compatible_with([]):
            raise ValueError(f"Shape must be rank 0 but is rank {op._inputs[0].shape.rank}")
        return [TensorShape([])]

    @staticmethod
    def run(xp: Any, value: Any) -> Any:
        return value
