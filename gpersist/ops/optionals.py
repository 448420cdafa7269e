"""Values that may be missing, as the gradients of functional branches hand on what the branch that was taken has computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Context, Operation, SessionOpType, Tensor, apply, apply_op
from gpersist.ops import shape_functions
from gpersist.shapes import TensorShape

__all__: list[str] = []


class Optional:
    """Tensors, or nothing; never changed.

    Args:
        components: the tensors; None for nothing.
    """

    __slots__ = ("components",)
    shape = ()  # of one as an element of a list

    def __init__(self, components: tuple[Any, ...] | None) -> None:
        self.components = components

    def zeros_like(self, xp: Any) -> Optional:
        """Zeros in the shapes of its tensors."""
        if self.components is None:
            return self
        return Optional(tuple(each.zeros_like(xp) if hasattr(each, "zeros_like") else xp.zeros_like(each) for each in self.components))

    def __add__(self, other: Optional) -> Optional:
        """The sums of its tensors and another one's."""
        if (self.components is None) != (other.components is None):
            raise InvalidArgumentError("Cannot add optionals because one has a value and the other doesn't.")
        if self.components is None or other.components is None:
            return self
        return Optional(tuple(one + another for one, another in zip(self.components, other.components, strict=True)))


class OptionalFromValue(SessionOpType):
    """An optional of tensors."""

    inputs = "components: Toutput_types"
    outputs = "optional: variant"
    attrs = "Toutput_types: list(type) >= 1"
    takes_any_device = True
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, components: Sequence[Any]) -> Optional:
        return Optional(tuple(components))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor]:
        types, shapes = [tensor.dtype.base_dtype for tensor in op.inputs], [tensor.shape for tensor in op.inputs]
        return list(apply_op("OptionalGetValue", grad, output_types=types, output_shapes=shapes).outputs)


class OptionalNone(SessionOpType):
    """An optional of nothing."""

    outputs = "optional: variant"
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context) -> Optional:
        return Optional(None)


class OptionalHasValue(SessionOpType):
    """Whether an optional has tensors."""

    inputs = "optional: variant"
    outputs = "has_value: bool"
    host_outputs = ("has_value",)
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, optional: Optional) -> Any:
        return np.bool_(optional.components is not None)

    @staticmethod
    def gradient(op: Operation, *grads: Any) -> list[None]:
        return [None]


class OptionalGetValue(SessionOpType):
    """The tensors of an optional."""

    inputs = "optional: variant"
    outputs = "components: output_types"
    attrs = "output_types: list(type) >= 1, output_shapes: list(shape) >= 1"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return list(op.attr("output_shapes"))

    @staticmethod
    def run(ctx: Context, optional: Optional) -> list[Any]:
        if optional.components is None:
            raise InvalidArgumentError("The given optional does not have a value.")
        return [ctx.move(each) if hasattr(each, "dtype") else each for each in optional.components]

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> Tensor:
        return apply("OptionalFromValue", list(grads))
