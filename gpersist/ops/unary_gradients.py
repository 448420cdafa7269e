"""Gradients that are operations of their own: of what is known best by its result."""

from __future__ import annotations

from typing import Any

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, sample
from gpersist.ops import shape_functions
from gpersist.ops.arithmetic import zero_where
from gpersist.ops.complex_numbers import conj
from gpersist.ops.unary import square


class _OfResult(OpType, abstract=True):
    """The gradient of the input, from the result `y` and the gradient `dy` of that."""

    inputs = "y: T, dy: T"
    outputs = "z: T"
    attrs = "T: {bfloat16, half, float, double, complex64, complex128}"
    is_foldable = True
    samples = (sample("float[2,3] in 0.5..2", "float[2,3]"), sample("double[] in 0.5..2", "double[]"), sample("complex64[2]", "complex64[2]"))
    shapes = staticmethod(shape_functions.same_as_input)


def _paired(y: Array, dy: Array) -> tuple[Array, Array]:
    """Both in the shape of the result, which in a node of a file need not be the gradient's."""
    if y.size != dy.size:
        raise InvalidArgumentError(f"The two arguments to a cwise op must have same number of elements, got {y.size} and {dy.size}")
    return y, dy.reshape(y.shape)


class TanhGrad(_OfResult):
    """Of `Tanh`."""

    @staticmethod
    def run(xp: Any, y: Array, dy: Array) -> Array:
        y, dy = _paired(y, dy)
        return dy * (1 - y * y)  # not conjugated, as in SigmoidGrad: their gradients do that

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        with op.graph.control_dependencies([grad]):
            y, dy = (conj(tensor) for tensor in op.inputs)
            return [grad * -2.0 * dy * y, apply("TanhGrad", y, grad)]


class SigmoidGrad(_OfResult):
    """Of `Sigmoid`."""

    @staticmethod
    def run(xp: Any, y: Array, dy: Array) -> Array:
        y, dy = _paired(y, dy)
        return dy * (y * (1 - y))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        with op.graph.control_dependencies([grad]):
            y, dy = (conj(tensor) for tensor in op.inputs)
            product = grad * dy
            return [product - 2.0 * product * y, apply("SigmoidGrad", y, grad)]


class SqrtGrad(_OfResult):
    """Of `Sqrt`."""

    @staticmethod
    def run(xp: Any, y: Array, dy: Array) -> Array:
        y, dy = _paired(xp.conj(y), dy)
        return zero_where(xp, dy == 0, dy * dy.dtype.type(0.5) / y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        with op.graph.control_dependencies([grad]):
            quotient = grad / op.inputs[0]
            return [-conj(quotient) * op.outputs[0], 0.5 * quotient]


class RsqrtGrad(_OfResult):
    """Of `Rsqrt`."""

    @staticmethod
    def run(xp: Any, y: Array, dy: Array) -> Array:
        y, dy = _paired(xp.conj(y), dy)
        return zero_where(xp, dy == 0, dy.dtype.type(-0.5) * (dy * y) * (y * y))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        y, dy = op.inputs
        with op.graph.control_dependencies([grad]):
            y, grad_conj = conj(y), conj(grad)
            return [-1.5 * grad_conj * dy * square(y), apply("RsqrtGrad", y, grad)]


class ReciprocalGrad(_OfResult):
    """Of `Reciprocal`."""

    @staticmethod
    def run(xp: Any, y: Array, dy: Array) -> Array:
        y, dy = _paired(xp.conj(y), dy)
        return zero_where(xp, dy == 0, dy * -(y * y))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        y, dy = op.inputs
        with op.graph.control_dependencies([grad]):
            y, grad_conj = conj(y), conj(grad)
            return [grad_conj * -2.0 * dy * y, apply("ReciprocalGrad", y, grad)]


class InvGrad(ReciprocalGrad):
    """Of `Inv`."""
