"""Activation functions and their derivatives, element by element."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, convert_to_tensor, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.casting import cast
from gpersist.ops.control import control_dependencies
from gpersist.ops.custom_gradient import custom_gradient
from gpersist.ops.filling import zeros_like
from gpersist.ops.joining import concat
from gpersist.ops.kernels import on_parts, shown
from gpersist.ops.reductions import reduce_sum

__all__ = ["crelu", "elu", "leaky_relu", "relu", "relu6", "selu", "softplus", "softsign", "swish"]

_REAL = "T: {half, bfloat16, float, double}"
_NUMBERS = "T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64}"
_SELU_SCALE = 1.0507009873554805
_SELU_SCALE_ALPHA = 1.7580993408473766


class _Activation(OpType, abstract=True):
    """A function of each element."""

    inputs = "features: T"
    outputs = "activations: T"
    attrs = _REAL
    is_foldable = True
    samples: ClassVar[tuple[Sample, ...]] = (sample("float[2,3] in -4..4"), sample("half[4]", has_gradient=False), sample("double[0]"))
    shapes = staticmethod(shape_functions.same_as_input)


class _Derivative(OpType, abstract=True):
    """What a gradient is after an activation, given what that took (`features`) or gave (`outputs`)."""

    inputs = "gradients: T, features: T"
    outputs = "backprops: T"
    attrs = _REAL
    is_foldable = True
    samples: ClassVar[tuple[Sample, ...]] = (sample("float[2,3]", "float[2,3] in -4..4"), sample("double[]", "double[]"))
    shapes = staticmethod(shape_functions.merged)


def _check_same_shape(gradients: Array, others: Array) -> None:
    if gradients.shape != others.shape:
        raise InvalidArgumentError(
            f"The inputs must have the same size and shape.  Input 0: {shown(gradients.shape)} != input 1: {shown(others.shape)}"
        )


class Relu(_Activation):
    """The element, or 0 where it is below."""

    attrs = "T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64, qint8}"
    samples = (*_Activation.samples, sample("int32[2,3]"))

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.maximum(x, x.dtype.type(0)) if xp is not np else Relu.run_into(x)

    @staticmethod
    def run_into(x: Array, out: Array | None = None) -> Array:
        zero = x.dtype.type(0)
        return on_parts(lambda part, out: np.maximum(part, zero, out=out), x, out=out)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return apply("ReluGrad", grad, op.outputs[0])


class ReluGrad(_Derivative):
    """The gradient where the feature is above 0, else 0."""

    attrs = _NUMBERS

    @staticmethod
    def run(xp: Any, grads: Array, features: Array) -> Array:
        _check_same_shape(grads, features)
        return _kept_where_positive(xp, grads, features) if xp is not np else ReluGrad.run_into(grads, features)

    @staticmethod
    def run_into(grads: Array, features: Array, out: Array | None = None) -> Array:
        _check_same_shape(grads, features)
        return on_parts(functools.partial(_kept_where_positive, np), grads, features, out=out)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [apply("ReluGrad", grad, op.inputs[1]), zeros_like(op.inputs[1])]


def _kept_where_positive(xp: Any, grads: Array, features: Array, out: Array | None = None) -> Array:
    """Not a choice, which takes ten times as long; and NaN stays NaN, as in TensorFlow."""
    return xp.multiply(grads, (features > 0).astype(grads.dtype), out=out)  # that a product converts truths itself takes twice as long


class Relu6(_Activation):
    """The element, held between 0 and 6."""

    attrs = _NUMBERS
    samples = (sample("float[2,3] in -4..12"), sample("int32[2,3]"))

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.minimum(xp.maximum(x, x.dtype.type(0)), x.dtype.type(6))

    @staticmethod
    def run_into(x: Array, out: Array) -> Array:
        np.maximum(x, x.dtype.type(0), out=out)
        return np.minimum(out, x.dtype.type(6), out=out)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return apply("Relu6Grad", grad, op.outputs[0])


class Relu6Grad(_Derivative):
    """The gradient where the feature is between 0 and 6, else 0."""

    attrs = _NUMBERS

    @staticmethod
    def run(xp: Any, grads: Array, features: Array) -> Array:
        _check_same_shape(grads, features)
        return xp.multiply(grads, (features > 0) & (features < 6))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [apply("Relu6Grad", grad, op.inputs[1]), zeros_like(op.inputs[1])]


class LeakyRelu(_Activation):
    """The element, or `alpha` times it where it is below 0."""

    attrs = "alpha: float = 0.20000000298023224, T: {half, bfloat16, float, double} = float"
    samples = (*_Activation.samples, sample("float[2,3]", alpha=1.5))

    @staticmethod
    def run(xp: Any, x: Array, *, alpha: float) -> Array:
        scaled = x * x.dtype.type(alpha)
        return xp.maximum(x, scaled) if 0 <= alpha <= 1 else xp.where(x > 0, x, scaled)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return apply("LeakyReluGrad", grad, op.inputs[0], alpha=op.attr("alpha"))


class LeakyReluGrad(_Derivative):
    """The gradient, times `alpha` where the feature is not above 0."""

    attrs = LeakyRelu.attrs

    @staticmethod
    def run(xp: Any, grads: Array, features: Array, *, alpha: float) -> Array:
        _check_same_shape(grads, features)
        return xp.where(features > 0, grads, grads * grads.dtype.type(alpha))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [apply("LeakyReluGrad", grad, op.inputs[1], alpha=op.attr("alpha")), zeros_like(op.inputs[1])]


class Elu(_Activation):
    """The element, or exp(x) - 1 where it is below 0."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.where(x < 0, xp.expm1(xp.minimum(x, x.dtype.type(0))), x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return apply("EluGrad", grad, op.outputs[0])


class EluGrad(_Derivative):
    """The gradient, times exp(x) where the output is below 0."""

    inputs = "gradients: T, outputs: T"

    @staticmethod
    def run(xp: Any, grads: Array, outputs: Array) -> Array:
        _check_same_shape(grads, outputs)
        return xp.where(outputs < 0, (outputs + outputs.dtype.type(1)) * grads, grads)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [apply("EluGrad", grad, op.inputs[1]), _product_where_negative(op.inputs[1], grad, op.inputs[0])]


class Selu(_Activation):
    """Elu, scaled so that layers of it keep mean 0 and variance 1."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        scale, scale_alpha = x.dtype.type(_SELU_SCALE), x.dtype.type(_SELU_SCALE_ALPHA)
        return xp.where(x < 0, scale_alpha * xp.expm1(xp.minimum(x, x.dtype.type(0))), scale * x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return apply("SeluGrad", grad, op.outputs[0])


class SeluGrad(_Derivative):
    """The gradient before a `Selu` whose output is given."""

    inputs = "gradients: T, outputs: T"

    @staticmethod
    def run(xp: Any, grads: Array, outputs: Array) -> Array:
        _check_same_shape(grads, outputs)
        scale, scale_alpha = grads.dtype.type(_SELU_SCALE), grads.dtype.type(_SELU_SCALE_ALPHA)
        return xp.where(outputs < 0, grads * (outputs + scale_alpha), grads * scale)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [apply("SeluGrad", grad, op.inputs[1]), _product_where_negative(op.inputs[1], grad, op.inputs[0])]


class Softplus(_Activation):
    """log(exp(x) + 1)."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.logaddexp(x, x.dtype.type(0))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return grad * apply("Sigmoid", op.inputs[0])


class SoftplusGrad(_Derivative):
    """The gradient before a `Softplus`."""

    @staticmethod
    def run(xp: Any, grads: Array, features: Array) -> Array:
        _check_same_shape(grads, features)
        return grads / (xp.exp(-features) + features.dtype.type(1))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        grads, x = op.inputs
        with control_dependencies([grad]):
            return [apply("SoftplusGrad", grad, x), grad * grads / (apply("Exp", -x) + 2.0 + apply("Exp", x))]


class Softsign(_Activation):
    """x / (1 + |x|)."""

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return x / (xp.abs(x) + x.dtype.type(1))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return apply("SoftsignGrad", grad, op.inputs[0])


class SoftsignGrad(_Derivative):
    """The gradient before a `Softsign`."""

    @staticmethod
    def run(xp: Any, grads: Array, features: Array) -> Array:
        _check_same_shape(grads, features)
        return grads / xp.square(xp.abs(features) + features.dtype.type(1))


def _features_op(function_name: str, op_name: str, told: str) -> Callable[..., Tensor]:
    def build(features: Any, name: str | None = None) -> Tensor:
        return apply(op_name, features, name=name)

    build.__name__ = build.__qualname__ = function_name
    build.__doc__ = told
    return build


relu = _features_op("relu", "Relu", "The elements, 0 for those below (`tf.nn.relu`).")
elu = _features_op("elu", "Elu", "The elements, exp(x) - 1 for those below 0 (`tf.nn.elu`).")
selu = _features_op("selu", "Selu", "`elu`, scaled so that layers of it keep mean 0 and variance 1 (`tf.nn.selu`).")
softplus = _features_op("softplus", "Softplus", "log(exp(x) + 1) (`tf.nn.softplus`).")
softsign = _features_op("softsign", "Softsign", "x / (1 + |x|) (`tf.nn.softsign`).")


def relu6(features: Any, name: str | None = None) -> Tensor:
    """The elements, held between 0 and 6 (`tf.nn.relu6`)."""
    with name_scope(name, "Relu6", [features]) as scope:
        return apply("Relu6", convert_to_tensor(features, name="features"), name=scope)


def leaky_relu(features: Any, alpha: float = 0.2, name: str | None = None) -> Tensor:
    """The elements, `alpha` times those below 0 (`tf.nn.leaky_relu`); integers become floats."""
    with name_scope(name, "LeakyRelu", [features, alpha]) as scope:
        tensor = convert_to_tensor(features, name="features")
        tensor = cast(tensor, "float32") if tensor.dtype.is_integer else tensor
        return apply("LeakyRelu", tensor, alpha=float(alpha), name=scope)


def crelu(features: Any, name: str | None = None, axis: int = -1) -> Tensor:
    """`relu` of the elements, and of their negatives, behind each other along an axis (`tf.nn.crelu`)."""
    with name_scope(name, "CRelu", [features]) as scope:
        tensor = convert_to_tensor(features, name="features")
        return apply("Relu", concat([tensor, -tensor], axis, name=scope))


def swish(features: Any, beta: Any = 1.0) -> Tensor:
    """x * sigmoid(beta * x) (`tf.nn.swish`, `tf.nn.silu`)."""
    tensor = convert_to_tensor(features, name="features")
    factor = cast(convert_to_tensor(beta, name="beta"), tensor.dtype.base_dtype)

    @custom_gradient
    def run(x: Tensor, scale: Tensor) -> Any:
        def grad(dy: Tensor) -> tuple[Tensor, Tensor]:
            with control_dependencies([dy]):
                gate = apply("Sigmoid", scale * x)
            slope = gate * (1.0 + (scale * x) * (1.0 - gate))
            of_scale = reduce_sum(dy * apply("Square", x) * gate * (1.0 - gate))
            return dy * slope, of_scale

        return x * apply("Sigmoid", scale * x), grad

    return run(tensor, factor)  # type: ignore[no-any-return]


def _product_where_negative(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return apply("Select", x < 0.0, a * b, zeros_like(x))
