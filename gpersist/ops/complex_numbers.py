"""Complex numbers, made of two reals and taken apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType, complex64, complex128, float32, float64
from gpersist.graph import Operation, OpType, Tensor, apply, apply_op, convert_to_tensor, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.constants import constant
from gpersist.ops.filling import ones_like, zeros_like
from gpersist.ops.unbroadcasting import reduced_to_inputs

__all__ = ["angle", "complex", "conj", "imag", "real"]


class Complex(OpType):
    """The complex number of a real and an imaginary part."""

    inputs = "real: T, imag: T"
    outputs = "out: Tout"
    attrs = "T: {float, double} = float, Tout: {complex64, complex128} = complex64"
    samples = (sample("float[2,3]", "float[3]"), sample("double[2]", "double[]", Tout="complex128"))
    is_foldable = True
    shapes = staticmethod(shape_functions.broadcast)

    @staticmethod
    def run(xp: Any, real: Array, imag: Array, *, Tout: DType) -> Array:  # noqa: N803  # TensorFlow's attribute
        result = xp.empty(np.broadcast_shapes(np.shape(real), np.shape(imag)), Tout.numpy)
        result.real, result.imag = real, imag
        return result

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return reduced_to_inputs(op, real(grad), imag(grad))


class _Part(OpType, abstract=True):
    inputs = "input: T"
    outputs = "output: Tout"
    attrs = "T: {complex64, complex128} = complex64, Tout: {float, double} = float"
    samples = (sample("complex64[2,3]"), sample("complex128[1]", Tout="double"))
    is_foldable = True
    shapes = staticmethod(shape_functions.same_as_input)


class Real(_Part):
    """The real part."""

    @staticmethod
    def run(xp: Any, value: Array, *, Tout: DType) -> Array:  # noqa: N803
        return xp.array(value.real, Tout.numpy)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [complex(grad, constant(0, grad.dtype))]


class Imag(_Part):
    """The imaginary part."""

    @staticmethod
    def run(xp: Any, value: Array, *, Tout: DType) -> Array:  # noqa: N803
        return xp.array(value.imag, Tout.numpy)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [complex(constant(0, grad.dtype), grad)]


class Angle(_Part):
    """The angle to the real axis, in radians."""

    @staticmethod
    def run(xp: Any, value: Array, *, Tout: DType) -> Array:  # noqa: N803
        return xp.angle(value).astype(Tout.numpy)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        x = op.inputs[0]
        with op.graph.control_dependencies([grad]):
            along, across = real(x), imag(x)
            turned = apply("Reciprocal", complex(across, along))
            return [-complex(grad, constant(0, grad.dtype)) * turned]


class ComplexAbs(OpType):
    """The magnitude of a complex number."""

    inputs = "x: T"
    outputs = "y: Tout"
    attrs = "T: {complex64, complex128} = complex64, Tout: {float, double} = float"
    samples = (sample("complex64[2,3]"), sample("complex128[1]", Tout="double"))
    is_foldable = True
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, x: Array, *, Tout: DType) -> Array:  # noqa: N803
        return xp.absolute(x).astype(Tout.numpy)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        magnitude = op.outputs[0]
        return [apply("DivNoNan", complex(grad, zeros_like(grad)) * op.inputs[0], complex(magnitude, zeros_like(magnitude)), name="div_no_nan")]


class Conj(OpType):
    """The number with the other sign of its imaginary part."""

    inputs = "input: T"
    outputs = "output: T"
    attrs = "T: {complex64, complex128, variant} = complex64"
    samples = (sample("complex64[2,3]"), sample("complex128[1]"))
    is_foldable = True
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, value: Array) -> Array:
        return xp.conj(value)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [conj(grad)]


_COMPLEX_OF = {float32: complex64, float64: complex128}


def complex(real: Any, imag: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """The complex number of a real and an imaginary part (`tf.complex`).

    Raises:
        TypeError: they are neither both float32 nor both float64.
    """
    x = convert_to_tensor(real, name="real")
    y = convert_to_tensor(imag, name="imag")
    with name_scope(name, "Complex", [x, y]) as scope:
        types = x.dtype.base_dtype, y.dtype.base_dtype
        if types[0] is not types[1] or types[0] not in _COMPLEX_OF:
            raise TypeError(
                f"The `real` and `imag` components have incorrect types: {types[0].name} {types[1].name}. They must be consistent, and one of "
                "['float32', 'float64']"
            )
        return apply("Complex", x, y, Tout=_COMPLEX_OF[types[0]], name=scope)


def real(input: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """The real part; a real tensor, as it is (`tf.real`)."""
    with name_scope(name, "Real", [input]) as scope:
        tensor = convert_to_tensor(input, name="input")
        return apply("Real", tensor, Tout=tensor.dtype.real_dtype, name=scope) if tensor.dtype.is_complex else tensor


def imag(input: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """The imaginary part; of a real tensor, zeros (`tf.imag`)."""
    with name_scope(name, "Imag", [input]) as scope:
        tensor = convert_to_tensor(input, name="input")
        if tensor.dtype.is_complex:
            return apply("Imag", tensor, Tout=tensor.dtype.real_dtype, name=scope)
        return zeros_like(tensor)


def angle(input: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """The angle of complex numbers to the real axis; of real ones, 0 or pi (`tf.angle`)."""
    with name_scope(name, "Angle", [input]) as scope:
        tensor = convert_to_tensor(input, name="input")
        if tensor.dtype.is_complex:
            return apply("Angle", tensor, Tout=tensor.dtype.real_dtype, name=scope)
        return apply("Select", tensor < 0, np.pi * ones_like(tensor), zeros_like(tensor))


def conj(x: Any, name: str | None = None) -> Tensor:
    """The complex conjugate; a real tensor, as it is (`tf.conj`).

    Raises:
        TypeError: the tensor holds no numbers.
    """
    if isinstance(x, Tensor) and (x.dtype.is_floating or x.dtype.is_integer):
        return x
    with name_scope(name, "Conj", [x]) as scope:
        tensor = convert_to_tensor(x, name="x")
        if tensor.dtype.is_complex:
            return apply_op("Conj", tensor, name=scope).outputs[0]
        if tensor.dtype.is_floating or tensor.dtype.is_integer:
            return tensor
        raise TypeError(f"Expected numeric or variant tensor, got dtype {tensor.dtype!r}")
