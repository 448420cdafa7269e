"""Each number on its own: roots, powers of e, logarithms, rounding, angles."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, convert_to_tensor, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.arithmetic import multiply
from gpersist.ops.builders import unary
from gpersist.ops.casting import cast
from gpersist.ops.complex_numbers import conj
from gpersist.ops.constants import constant
from gpersist.ops.filling import zeros_like
from gpersist.ops.kernels import in_blocks
from gpersist.ops.sparse_tensor import on_values

__all__ = [
    "abs",
    "ceil",
    "exp",
    "expm1",
    "floor",
    "is_finite",
    "is_inf",
    "is_nan",
    "log",
    "log1p",
    "log_sigmoid",
    "negative",
    "reciprocal",
    "rint",
    "round",
    "rsqrt",
    "sigmoid",
    "sign",
    "sqrt",
    "square",
    "tanh",
]

_SAMPLES = (sample("float[2,3]"), sample("double[]"), sample("float[0]"))


_POSITIVE = (sample("float[2,3] in 0.5..2"), sample("double[] in 0.5..2"), sample("complex64[2]"))


_SIGNED = "T: {bfloat16, half, float, double, int8, int16, int32, int64, complex64, complex128}"


class Unary(OpType, abstract=True):
    """Each element on its own."""

    inputs = "x: T"
    outputs = "y: T"
    attrs = "T: {bfloat16, half, float, double, complex64, complex128}"
    is_foldable = True
    samples: ClassVar[tuple[Sample, ...]] = (*_SAMPLES, sample("complex64[2]"))
    shapes = staticmethod(shape_functions.same_as_input)


class _Real(Unary, abstract=True):
    attrs = "T: {bfloat16, half, float, double}"
    samples: ClassVar[tuple[Sample, ...]] = _SAMPLES


class Neg(Unary):
    """The number with the other sign."""

    attrs = _SIGNED
    run_into = np.negative

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.negative(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return -grad


class Abs(Unary):
    """The magnitude."""

    attrs = "T: {bfloat16, half, float, double, int8, int16, int32, int64}"
    samples = (*_SAMPLES, sample("int32[3]"))
    run_into = np.absolute

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.absolute(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return grad * sign(op.inputs[0])


class Sign(Unary):
    """-1, 0 or 1; of a complex number, that of magnitude 1 at its angle."""

    attrs = _SIGNED

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        if x.dtype.kind != "c":
            return xp.sign(x)
        magnitude = xp.absolute(x)
        return xp.where(magnitude == 0, x.dtype.type(0), x / magnitude)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return zeros_like(op.inputs[0])


class Square(Unary):
    """The number times itself."""

    attrs = "T: {bfloat16, half, float, double, int8, int16, int32, int64, uint8, uint16, uint32, uint64, complex64, complex128}"
    run_into = np.square

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.square(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            x = conj(op.inputs[0])
            return multiply(grad, multiply(x, constant(2.0, x.dtype.base_dtype)))


class Sqrt(Unary):
    """The square root."""

    samples = _POSITIVE
    run_into = np.sqrt

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.sqrt(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return apply("SqrtGrad", op.outputs[0], grad)


class Rsqrt(Unary):
    """One over the square root."""

    samples = _POSITIVE

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return np.reciprocal(xp.sqrt(x)) if xp is np else xp.reciprocal(xp.sqrt(x))

    @staticmethod
    def run_into(x: Array, out: Array) -> Array:
        return np.reciprocal(np.sqrt(x, out=out), out=out)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return apply("RsqrtGrad", op.outputs[0], grad)


class Reciprocal(Unary):
    """One over the number."""

    attrs = _SIGNED
    samples = _POSITIVE

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.reciprocal(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return apply("ReciprocalGrad", op.outputs[0], grad)


class Inv(Reciprocal):
    """`Reciprocal`, under the name it had first."""


class Exp(Unary):
    """e to the power of it."""

    run_into = np.exp

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.exp(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            return grad * conj(op.outputs[0])


class Expm1(Unary):
    """e to the power of it, less 1."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.expm1(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            return grad * exp(conj(op.inputs[0]))


class Log(Unary):
    """The natural logarithm."""

    samples = _POSITIVE
    run_into = np.log

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.log(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            return grad * reciprocal(conj(op.inputs[0]))


class Log1p(Unary):
    """The natural logarithm of 1 + x."""

    samples = _POSITIVE

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        if x.dtype.kind != "c":
            return xp.log1p(x)
        real, imaginary = x.real, x.imag  # NumPy's log1p of complex numbers loses small ones
        found = xp.log(1 + x)
        is_small = xp.absolute(x) < 0.5
        squares = xp.where(is_small, real * (2 + real) + imaginary * imaginary, 0)
        found.real = xp.where(is_small, xp.log1p(squares) / 2, found.real)
        return found

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            return grad * reciprocal(1 + conj(op.inputs[0]))


class Sigmoid(Unary):
    """1 / (1 + e^-x)."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return in_blocks(xp, lambda part: xp.reciprocal(xp.exp(xp.negative(part)) + 1), x)

    @staticmethod
    def run_into(x: Array, out: Array) -> Array:
        np.negative(x, out=out)
        np.exp(out, out=out)
        out += 1
        return np.reciprocal(out, out=out)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            return apply("SigmoidGrad", conj(op.outputs[0]), grad)


class Tanh(Unary):
    """The hyperbolic tangent."""

    run_into = np.tanh

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.tanh(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        with op.graph.control_dependencies([grad]):
            return apply("TanhGrad", conj(op.outputs[0]), grad)


class _Rounding(_Real, abstract=True):
    samples: ClassVar[tuple[Sample, ...]] = (sample("float[2,3] in -5..5", has_gradient=False), sample("double[]", has_gradient=False))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]


class Floor(_Rounding):
    """Rounded down."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.floor(x)


class Ceil(_Rounding):
    """Rounded up."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.ceil(x)


class Rint(_Rounding):
    """Rounded to the nearest integer; halves to the even one."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.rint(x)


class Round(_Rounding):
    """Rounded to the nearest integer; halves to the even one."""

    attrs = _SIGNED
    samples = (*_Rounding.samples, sample("float: [0.5, 1.5, -0.5, -2.5]", has_gradient=False), sample("int32[3]"))

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return x if x.dtype.kind == "i" else xp.rint(x)


class _Test(_Real, abstract=True):
    outputs = "y: bool"
    samples = (*_SAMPLES, sample(np.array([np.nan, np.inf, -np.inf, 0], np.float32)))


class IsNan(_Test):
    """Whether it is no number."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.isnan(x)


class IsInf(_Test):
    """Whether it is infinite."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.isinf(x)


class IsFinite(_Test):
    """Whether it is a number, and finite."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.isfinite(x)


ceil = unary("ceil", "Ceil", "Rounded up (`tf.ceil`).")


exp = unary("exp", "Exp", "e to the power of it (`tf.exp`).")


expm1 = unary("expm1", "Expm1", "e to the power of it, less 1 (`tf.expm1`).")


floor = unary("floor", "Floor", "Rounded down (`tf.floor`).")


is_finite = unary("is_finite", "IsFinite", "Whether it is a number, and finite (`tf.is_finite`).")


is_inf = unary("is_inf", "IsInf", "Whether it is infinite (`tf.is_inf`).")


is_nan = unary("is_nan", "IsNan", "Whether it is no number (`tf.is_nan`).")


log = unary("log", "Log", "The natural logarithm (`tf.log`).")


log1p = unary("log1p", "Log1p", "The natural logarithm of 1 + x (`tf.log1p`).")


negative = on_values("Neg")(unary("negative", "Neg", "The number with the other sign (`tf.negative`)."))


reciprocal = unary("reciprocal", "Reciprocal", "One over the number (`tf.reciprocal`).")


rint = unary("rint", "Rint", "Rounded to the nearest integer (`tf.rint`).")


rsqrt = unary("rsqrt", "Rsqrt", "One over the square root (`tf.rsqrt`).")


sqrt = on_values("Sqrt")(unary("sqrt", "Sqrt", "The square root (`tf.sqrt`)."))


square = on_values("Square")(unary("square", "Square", "The number times itself (`tf.square`)."))


tanh = on_values("Tanh")(unary("tanh", "Tanh", "The hyperbolic tangent (`tf.tanh`)."))


@on_values("Abs")
def abs(x: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """The magnitude (`tf.abs`)."""
    with name_scope(name, "Abs", [x]) as scope:
        tensor = convert_to_tensor(x, name="x")
        if tensor.dtype.is_complex:
            return apply("ComplexAbs", tensor, Tout=tensor.dtype.real_dtype, name=scope)
        return apply("Abs", tensor, name=scope)


@on_values()
def sign(x: Any, name: str | None = None) -> Tensor:
    """-1, 0 or 1; of a complex number, that of magnitude 1 at its angle (`tf.sign`)."""
    tensor = convert_to_tensor(x)
    if tensor.dtype.is_complex:
        return apply("DivNoNan", tensor, cast(apply("ComplexAbs", tensor, Tout=tensor.dtype.real_dtype), tensor.dtype), name=name)
    return apply("Sign", tensor, name=name)


def round(x: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """Rounded to the nearest integer, halves to the even one; integers as they are (`tf.round`)."""
    tensor = convert_to_tensor(x, name="x")
    return tensor if tensor.dtype.is_integer else apply("Round", tensor, name=name)


def sigmoid(x: Any, name: str | None = None) -> Tensor:
    """1 / (1 + e^-x) (`tf.sigmoid`)."""
    with name_scope(name, "Sigmoid", [x]) as scope:
        return apply("Sigmoid", convert_to_tensor(x, name="x"), name=scope)


def log_sigmoid(x: Any, name: str | None = None) -> Tensor:
    """The logarithm of the sigmoid (`tf.log_sigmoid`)."""
    with name_scope(name, "LogSigmoid", [x]) as scope:
        tensor = convert_to_tensor(x, name="x")
        return negative(apply("Softplus", -tensor), name=scope)
