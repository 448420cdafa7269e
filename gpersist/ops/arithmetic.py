"""Two numbers make one: sums, products, quotients, powers, with broadcasting as NumPy has it; and sums of many."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType, as_dtype
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, apply_op, convert_to_tensor, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.builders import binary
from gpersist.ops.casting import cast
from gpersist.ops.comparison import greater_equal, less_equal, not_equal
from gpersist.ops.complex_numbers import conj
from gpersist.ops.filling import ones, ones_like, zeros, zeros_like
from gpersist.ops.kernels import combined
from gpersist.ops.passing import identity
from gpersist.ops.shaping import reshape, shape_of
from gpersist.ops.unbroadcasting import have_one_shape, reduced_to_inputs
from gpersist.shapes import TensorShape, as_shape

__all__ = [
    "accumulate_n",
    "add",
    "add_n",
    "atan2",
    "maximum",
    "minimum",
    "multiply",
    "multiply_no_nan",
    "nextafter",
    "pow",
    "scalar_mul",
    "squared_difference",
    "subtract",
    "xlog1py",
    "xlogy",
]

_PAIRS = (sample("float[2,3]", "float[2,3]"), sample("double[2,3]", "double[3]"), sample("float[2,1]", "float[]"), sample("float[0,3]", "float[1,3]"))


POSITIVE_PAIRS = (sample("float[2,3] in 0.5..2", "float[2,3] in 0.5..2"), sample("double[2,3] in 0.5..2", "double[3] in 0.5..2"))


INTEGER_PAIRS = (sample("int32[2,3] in 1..9", "int32[3] in 1..9"), sample("int32[2,3] in -9..9", "int32[] in 2..4"))


_COMPLEX_PAIR = sample("complex64[2,3]", "complex64[3]")


class Binary(OpType, abstract=True):
    """Two arrays, broadcast to each other."""

    inputs = "x: T, y: T"
    outputs = "z: T"
    attrs = "T: {bfloat16, half, float, double, uint8, int8, uint16, int16, int32, uint32, uint64, int64, complex64, complex128}"
    is_foldable = True
    samples: ClassVar[tuple[Sample, ...]] = (*_PAIRS, *INTEGER_PAIRS)
    shapes = staticmethod(shape_functions.broadcast)


class Add(Binary):
    """The sum; texts are put one behind the other."""

    attrs = "T: {bfloat16, half, float, double, uint8, int8, int16, int32, int64, complex64, complex128, string}"
    samples = (*_PAIRS, sample("string[2]", "string[2]"))

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.add(x, y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [grad, grad] if have_one_shape(*op.inputs, grad) else reduced_to_inputs(op, grad, grad)


class AddV2(Binary):
    """The sum."""

    attrs = "T: {bfloat16, half, float, double, uint8, uint16, uint32, uint64, int8, int16, int32, int64, complex64, complex128}"
    is_aggregate = True
    is_commutative = True
    samples = (*_PAIRS, *INTEGER_PAIRS, _COMPLEX_PAIR)
    run_into = functools.partial(combined, np.add)

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return combined(np.add, x, y) if xp is np else xp.add(x, y)

    gradient = Add.gradient


class Sub(Binary):
    """The difference."""

    attrs = "T: {bfloat16, half, float, double, uint8, int8, uint16, int16, int32, int64, complex64, complex128, uint32, uint64}"
    run_into = functools.partial(combined, np.subtract)

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return combined(np.subtract, x, y) if xp is np else xp.subtract(x, y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [grad, -grad] if have_one_shape(*op.inputs, grad) else reduced_to_inputs(op, grad, -grad)


class Mul(Binary):
    """The product."""

    is_commutative = True
    samples = (*_PAIRS, *INTEGER_PAIRS, _COMPLEX_PAIR)
    run_into = functools.partial(combined, np.multiply)

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return combined(np.multiply, x, y) if xp is np else xp.multiply(x, y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        x, y = op.inputs
        if have_one_shape(x, y, grad) and grad.dtype.name in ("int32", "float32"):
            return [multiply(grad, y), multiply(grad, x)]
        return reduced_to_inputs(op, multiply(grad, conj(y)), multiply(conj(x), grad))


class MulNoNan(Binary):
    """The product, which is 0 where y is, whatever x may be."""

    attrs = "T: {bfloat16, half, float, double, complex64, complex128}"
    samples = _PAIRS

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return zero_where(xp, y == 0, xp.multiply(x, y))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        x, y = op.inputs
        grads = apply("MulNoNan", grad, y), apply("MulNoNan", x, grad)
        return list(grads) if have_one_shape(x, y, grad) else reduced_to_inputs(op, *grads)


class Xlogy(Binary):
    """x log y, which is 0 where x is."""

    attrs = "T: {half, bfloat16, float, double, complex64, complex128}"
    samples = POSITIVE_PAIRS

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return zero_where(xp, x == 0, xp.multiply(x, xp.log(y)))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return gradient_of_product(op, grad, "Xlogy", lambda x, y: apply("Xdivy", x, y))


class Xlog1py(Binary):
    """x log(1 + y), which is 0 where x is."""

    attrs = "T: {half, bfloat16, float, double, complex64, complex128}"
    samples = POSITIVE_PAIRS

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return zero_where(xp, x == 0, xp.multiply(x, xp.log1p(y)))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return gradient_of_product(op, grad, "Xlog1py", lambda x, y: apply("Xdivy", x, y + 1.0))


class Pow(Binary):
    """One to the power of the other."""

    attrs = "T: {bfloat16, float, half, double, int8, int16, int32, int64, complex64, complex128}"
    samples = (*POSITIVE_PAIRS, sample("int32[3] in 1..4", "int32[3] in 0..4"))

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        if y.dtype.kind == "i" and xp.any(y < 0):
            raise InvalidArgumentError("Integers to negative integer powers are not allowed")
        return xp.power(x, y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        x, y = op.inputs
        base, exponent = conj(x), conj(y)
        grad_x = grad * exponent * pow(base, exponent - 1)
        mask = not_equal(base, 0) if x.dtype.is_complex else base > 0
        safe = apply("Select", mask, base, ones_like(x))
        log_x = apply("Select", mask, apply("Log", safe), zeros_like(x))
        return reduced_to_inputs(op, grad_x, grad * conj(op.outputs[0]) * log_x)


class Maximum(Binary):
    """The larger of the two; NaN where either is."""

    attrs = "T: {bfloat16, half, float, double, int8, uint8, int16, uint16, int32, uint32, int64, uint64}"
    run_into = np.maximum

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.maximum(x, y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return _gradient_of_choice(op, grad, greater_equal)


class Minimum(Binary):
    """The smaller of the two; NaN where either is."""

    attrs = "T: {bfloat16, half, float, double, int8, uint8, int16, uint16, int32, uint32, int64, uint64}"
    run_into = np.minimum

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.minimum(x, y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return _gradient_of_choice(op, grad, less_equal)


class SquaredDifference(Binary):
    """(x - y) squared; of complex numbers, the squared magnitude."""

    attrs = "T: {bfloat16, half, float, double, int32, int64, complex64, complex128}"
    is_commutative = True
    samples = (*_PAIRS, *INTEGER_PAIRS, _COMPLEX_PAIR)

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        difference = xp.subtract(x, y)
        return difference * xp.conj(difference) if difference.dtype.kind == "c" else xp.square(difference)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        x, y = op.inputs
        with op.graph.control_dependencies([grad]):
            grad_x = scalar_mul(2.0, grad) * (x - y)
        return [grad_x, -grad_x] if have_one_shape(x, y, grad) else reduced_to_inputs(op, grad_x, -grad_x)


class Atan2(Binary):
    """The angle of the point (x, y) to the x axis."""

    inputs = "y: T, x: T"
    attrs = "T: {bfloat16, half, float, double}"
    samples = (*_PAIRS, *POSITIVE_PAIRS)

    @staticmethod
    def run(xp: Any, y: Array, x: Array) -> Array:
        return xp.arctan2(y, x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        y, x = op.inputs
        with op.graph.control_dependencies([grad]):
            scaled = grad / (apply("Square", y) + apply("Square", x))
            grad_y = x * scaled
            grad_x = -y * scaled
            return reduced_to_inputs(op, grad_y, grad_x)


class NextAfter(Binary):
    """The float that follows x1 in the direction of x2."""

    inputs = "x1: T, x2: T"
    outputs = "output: T"
    attrs = "T: {double, float} = float"
    samples = (sample("float[2,3]", "float[3]", has_gradient=False), sample("double[2]", "double[]", has_gradient=False))

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.nextafter(x, y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        shapes = [shape_of(tensor) for tensor in op.inputs]
        axes = apply_op("BroadcastGradientArgs", *shapes).outputs
        with op.graph.control_dependencies([grad]):
            slopes = ones(shapes[0], grad.dtype), zeros(shapes[1], grad.dtype)
            return [reshape(apply("Sum", slope * grad, axis), shape) for slope, axis, shape in zip(slopes, axes, shapes, strict=True)]


class AddN(OpType):
    """The sum of tensors of one shape."""

    inputs = "inputs: N * T"
    outputs = "sum: T"
    attrs = (
        "N: int >= 1, T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, quint16, uint16, "
        "complex128, half, uint32, uint64, variant}"
    )
    is_commutative = True
    is_aggregate = True
    samples: ClassVar[tuple[Sample, ...]] = (
        sample(["float[2,3]", "float[2,3]", "float[2,3]"]),
        sample(["int32[]", "int32[]"]),
        sample(["double[2]"]),
    )
    is_foldable = True
    shapes = staticmethod(shape_functions.merged_from_the_last)

    @staticmethod
    def run(xp: Any, values: list[Array]) -> Array:
        if hasattr(values[0], "zeros_like"):  # lists of tensors
            return functools.reduce(operator.add, values)
        shape = np.shape(values[0])
        for index, value in enumerate(values):
            if np.shape(value) != shape:
                raise InvalidArgumentError(
                    f"Inputs to operation AddN must have the same size and shape.  Input 0: {list(shape)} != input {index}: {list(np.shape(value))}"
                )
        total = values[0]
        for index, value in enumerate(values[1:]):
            total = xp.add(total, value, out=total if index and shape else None)
        return total

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [grad] * len(op.inputs)


class AccumulateNV2(AddN):
    """The sum of tensors of one shape, which is told."""

    attrs = "N: int >= 1, T: numbertype, shape: shape"
    samples = (sample(["float[2,3]", "float[2,3]"], shape=[2, 3]),)
    shapes = staticmethod(shape_functions.same_as_attr)
    is_foldable = False

    @staticmethod
    def run(xp: Any, values: list[Array]) -> Array:
        return AddN.run(xp, values)


def zero_where(xp: Any, mask: Array, value: Array) -> Array:
    return xp.where(mask, value.dtype.type(0), value)


def _gradient_of_choice(op: Operation, grad: Tensor, chooses_x: Any) -> list[Tensor | None]:
    zero = zeros_like(grad)
    mask = chooses_x(*op.inputs)
    grad_x = apply("SelectV2", mask, grad, zero)
    return reduced_to_inputs(op, grad_x, apply("SelectV2", mask, zero, grad))


def gradient_of_product(op: Operation, grad: Tensor, op_name: str, of_y: Any) -> list[Tensor | None]:
    """Of x f(y), which is zero where x is: with respect to x it is f(y) where x is not zero."""
    x, y = op.inputs
    shapes = shape_of(x), shape_of(y)
    axes = apply_op("BroadcastGradientArgs", *shapes).outputs
    with op.graph.control_dependencies([grad]):
        is_not_zero = cast(not_equal(x, cast(0.0, x.dtype)), x.dtype)
        parts = apply(op_name, is_not_zero, y), of_y(x, y)
        return [reshape(apply("Sum", part * grad, axis), shape) for part, axis, shape in zip(parts, axes, shapes, strict=True)]


def add(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The sum (`tf.add`)."""
    is_text = any(_is_string(value) for value in (x, y))
    return apply("Add" if is_text else "AddV2", x, y, name=name or "Add")


def _is_string(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    return isinstance(value, (str, bytes)) or (isinstance(dtype, DType) and dtype.is_string)


subtract = binary("subtract", "Sub", "The difference (`tf.subtract`).")


multiply = binary("multiply", "Mul", "The product (`tf.multiply`).")


maximum = binary("maximum", "Maximum", "The larger of the two (`tf.maximum`).")


minimum = binary("minimum", "Minimum", "The smaller of the two (`tf.minimum`).")


squared_difference = binary("squared_difference", "SquaredDifference", "(x - y) squared (`tf.squared_difference`).")


xlogy = binary("xlogy", "Xlogy", "x log y, which is 0 where x is (`tf.math.xlogy`).")


def atan2(y: Any, x: Any, name: str | None = None) -> Tensor:
    """The angle of the point (x, y) to the x axis (`tf.atan2`)."""
    return apply("Atan2", y, x, name=name)


def nextafter(x1: Any, x2: Any, name: str | None = None) -> Tensor:
    """The float that follows x1 in the direction of x2 (`tf.math.nextafter`)."""
    return apply("NextAfter", x1, x2, name=name)


def xlog1py(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x log(1 + y), which is 0 where x is (`tf.math.xlog1py`)."""
    with name_scope(name, "xlog1py", [x]):
        return apply("Xlog1py", x, y)


def multiply_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The product, which is 0 where y is, whatever x may be (`tf.math.multiply_no_nan`).

    Raises:
        TypeError: the two are of different types.
    """
    with name_scope(name, "multiply_no_nan", [x, y]) as scope:
        a = convert_to_tensor(x, name="x")
        b = convert_to_tensor(y, a.dtype.base_dtype, name="y")
        return apply("MulNoNan", a, b, name=scope)


def pow(x: Any, y: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """One to the power of the other (`tf.pow`)."""
    with name_scope(name, "Pow", [x]) as scope:
        return apply("Pow", x, y, name=scope)


def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Any:
    """A tensor times a number (`tf.scalar_mul`); slices stay slices.

    Raises:
        ValueError: `scalar` is no scalar.
    """
    base = as_dtype(x.dtype).base_dtype
    factor = convert_to_tensor(scalar, base, name="scalar")
    if factor.shape.rank != 0:
        raise ValueError(f"The input scalar must be a 0-D value. Received shape {factor.shape}.")
    if hasattr(x, "values") and hasattr(x, "indices"):
        return type(x)(multiply(factor, x.values, name), x.indices, x.dense_shape)
    return multiply(factor, x, name)


def add_n(inputs: Sequence[Any], name: str | None = None) -> Tensor:
    """The sum of tensors of one shape (`tf.add_n`).

    Raises:
        ValueError: there is none, or their shapes differ.
    """
    if not isinstance(inputs, (list, tuple)) or not inputs:
        raise ValueError("Inputs must be an iterable of at least one Tensor/IndexedSlices with the same dtype and shape.")
    tensors = [convert_to_tensor(value) for value in inputs]
    if len(tensors) == 1:
        return identity(tensors[0], name) if name else tensors[0]
    return apply("AddN", tensors, name=name)


def accumulate_n(inputs: Sequence[Any], shape: Any = None, tensor_dtype: Any = None, name: str | None = None) -> Tensor:
    """The sum of tensors of one shape (`tf.accumulate_n`).

    Raises:
        ValueError: there is none, or they differ in shape or type.
        TypeError: they are not of `tensor_dtype`.
    """
    tensors = [convert_to_tensor(value) for value in inputs] if isinstance(inputs, (list, tuple)) else []
    if not tensors or any(tensor.dtype is not tensors[0].dtype for tensor in tensors):
        raise ValueError("inputs must be a list of at least one Tensor with the same dtype and shape")
    known: TensorShape = as_shape(shape)
    for tensor in tensors:
        known = known.merge_with(tensor.shape)
    if tensor_dtype is not None and as_dtype(tensor_dtype) is not tensors[0].dtype:
        raise TypeError(
            f"The `tensor_dtype` argument is {tensor_dtype}, but `input` is of type {tensors[0].dtype}. These must be equal. Try casting the input "
            "to the desired type."
        )
    return add_n(tensors, name)
