"""Angles and their sines, and the hyperbolic ones."""

from __future__ import annotations

from typing import Any

from gpersist.devices import Array
from gpersist.graph import Operation, Tensor, sample
from gpersist.ops.arithmetic import add, subtract
from gpersist.ops.builders import unary
from gpersist.ops.complex_numbers import conj
from gpersist.ops.constants import constant
from gpersist.ops.unary import Unary, reciprocal, sqrt, square

__all__ = ["acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "sin", "sinh", "tan"]

_INSIDE = (sample("float[2,3] in -0.9..0.9"), sample("double[] in -0.9..0.9"))


class Sin(Unary):
    """The sine."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.sin(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            return grad * cos(conj(op.inputs[0]))


class Cos(Unary):
    """The cosine."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.cos(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            x = conj(op.inputs[0])
            return -grad * sin(x)


class Tan(Unary):
    """The tangent."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.tan(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            return square(reciprocal(cos(conj(op.inputs[0])))) * grad


class Sinh(Unary):
    """The hyperbolic sine."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.sinh(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            return grad * cosh(conj(op.inputs[0]))


class Cosh(Unary):
    """The hyperbolic cosine."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.cosh(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            return grad * sinh(conj(op.inputs[0]))


class Asin(Unary):
    """The angle of a sine."""

    samples = _INSIDE

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.arcsin(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            return grad * _slope_of_arcs(op, grad)


class Acos(Unary):
    """The angle of a cosine."""

    samples = _INSIDE

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.arccos(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            slope = _slope_of_arcs(op, grad)
            return -grad * slope


class Atan(Unary):
    """The angle of a tangent."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.arctan(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            squared = square(conj(op.inputs[0]))
            return grad * reciprocal(add(constant(1, grad.dtype), squared))


class Asinh(Unary):
    """The inverse hyperbolic sine."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.arcsinh(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            return grad / cosh(conj(op.outputs[0]))


class Acosh(Unary):
    """The inverse hyperbolic cosine."""

    samples = (sample("float[2,3] in 1.5..3"), sample("double[] in 1.5..3"))

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.arccosh(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            return grad / sinh(conj(op.outputs[0]))


class Atanh(Unary):
    """The inverse hyperbolic tangent."""

    samples = _INSIDE

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.arctanh(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            squared = square(conj(op.inputs[0]))
            return grad * reciprocal(subtract(constant(1, grad.dtype), squared))


def _slope_of_arcs(op: Operation, grad: Tensor) -> Tensor:
    squared = square(conj(op.inputs[0]))
    return reciprocal(sqrt(subtract(constant(1, grad.dtype), squared)))


acos = unary("acos", "Acos", "The angle of a cosine (`tf.acos`).")


acosh = unary("acosh", "Acosh", "The inverse hyperbolic cosine (`tf.acosh`).")


asin = unary("asin", "Asin", "The angle of a sine (`tf.asin`).")


asinh = unary("asinh", "Asinh", "The inverse hyperbolic sine (`tf.asinh`).")


atan = unary("atan", "Atan", "The angle of a tangent (`tf.atan`).")


atanh = unary("atanh", "Atanh", "The inverse hyperbolic tangent (`tf.atanh`).")


cos = unary("cos", "Cos", "The cosine (`tf.cos`).")


cosh = unary("cosh", "Cosh", "The hyperbolic cosine (`tf.cosh`).")


sin = unary("sin", "Sin", "The sine (`tf.sin`).")


sinh = unary("sinh", "Sinh", "The hyperbolic sine (`tf.sinh`).")


tan = unary("tan", "Tan", "The tangent (`tf.tan`).")
