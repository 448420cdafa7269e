"""Arithmetic, comparison and reduction, with broadcasting as NumPy has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType, as_dtype
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, apply_op, constant_value, convert_to_tensor, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.array import reshape, shape_of, zeros
from gpersist.ops.constants import constant
from gpersist.shapes import TensorShape, unknown_shape

_PAIRS = (sample("float[2,3]", "float[2,3]"), sample("double[2,3]", "double[3]"), sample("float[2,1]", "float[]"))
_POSITIVE_PAIRS = (sample("float[2,3] in 0.5..2", "float[2,3] in 0.5..2"), sample("double[2,3] in 0.5..2", "double[3] in 0.5..2"))
_INTEGER_PAIRS = (sample("int32[2,3] in 1..9", "int32[3] in 1..9"), sample("int32[2,3] in -9..9", "int32[] in 2..4"))


class _Binary(OpType, abstract=True):
    """Two arrays, broadcast to each other."""

    inputs = "x: T, y: T"
    outputs = "z: T"
    is_foldable = True
    samples: ClassVar[tuple[Sample, ...]] = (*_PAIRS, *_INTEGER_PAIRS)
    shapes = staticmethod(shape_functions.broadcast)


class _Unary(OpType, abstract=True):
    """Each element on its own."""

    inputs = "x: T"
    outputs = "y: T"
    is_foldable = True
    samples: ClassVar[tuple[Sample, ...]] = (sample("float[2,3]"), sample("double[]"))
    shapes = staticmethod(shape_functions.same_as_input)


class Add(_Binary):
    """The sum; texts are put one behind the other."""

    attrs = "T: {bfloat16, half, float, double, uint8, int8, int16, int32, int64, complex64, complex128, string}"
    samples = (*_PAIRS, sample("string[2]", "string[2]"))

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.add(x, y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return unbroadcast(op, grad, grad)


class AddV2(_Binary):
    """The sum."""

    attrs = "T: {bfloat16, half, float, double, uint8, uint16, uint32, uint64, int8, int16, int32, int64, complex64, complex128}"
    is_aggregate = True
    is_commutative = True

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.add(x, y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return unbroadcast(op, grad, grad)


class Sub(_Binary):
    """The difference."""

    attrs = "T: {bfloat16, half, float, double, uint8, int8, uint16, int16, int32, int64, complex64, complex128, uint32, uint64}"

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.subtract(x, y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return unbroadcast(op, grad, negative(grad))


class Mul(_Binary):
    """The product."""

    attrs = "T: {bfloat16, half, float, double, uint8, int8, uint16, int16, int32, uint32, uint64, int64, complex64, complex128}"
    is_commutative = True

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.multiply(x, y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        x, y = op.inputs
        return unbroadcast(op, grad * y, x * grad)


class RealDiv(_Binary):
    """The quotient of real numbers."""

    attrs = "T: {bfloat16, half, float, double, uint8, int8, uint16, int16, int32, uint32, uint64, int64, complex64, complex128}"
    samples = _POSITIVE_PAIRS

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.divide(x, y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        x, y = op.inputs
        return unbroadcast(op, realdiv(grad, y), grad * realdiv(realdiv(negative(x), y), y))


class FloorDiv(_Binary):
    """The quotient, rounded down."""

    attrs = "T: {bfloat16, half, float, double, uint8, int8, uint16, int16, int32, uint32, uint64, int64, complex64, complex128}"
    samples = (sample("float[2,3] in 1..9", "float[3] in 1..9", has_gradient=False), *_INTEGER_PAIRS)

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        _check_divisor(xp, y)
        return xp.floor_divide(x, y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None]


class FloorMod(_Binary):
    """What `FloorDiv` leaves; its sign is the divisor's."""

    attrs = "T: {int8, int16, int32, int64, uint8, uint16, uint32, uint64, bfloat16, half, float, double}"
    samples = (sample("float[2,3] in 1..9", "float[3] in 1..9", has_gradient=False), *_INTEGER_PAIRS)

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        _check_divisor(xp, y)
        return xp.mod(x, y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        x, y = op.inputs
        return unbroadcast(op, grad, grad * negative(floordiv(x, y)))


class Pow(_Binary):
    """One to the power of the other."""

    attrs = "T: {bfloat16, float, half, double, int8, int16, int32, int64, complex64, complex128}"
    samples = (*_POSITIVE_PAIRS, sample("int32[3] in 1..4", "int32[3] in 0..4"))

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.power(x, y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        x, y = op.inputs
        one = constant(1, y.dtype.base_dtype)
        return unbroadcast(op, grad * y * pow(x, y - one), grad * op.outputs[0] * log(x))


class Maximum(_Binary):
    """The larger of the two."""

    attrs = "T: {bfloat16, half, float, double, int8, uint8, int16, uint16, int32, uint32, int64, uint64}"

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.maximum(x, y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        mask = cast(greater_equal(*op.inputs), grad.dtype)
        return unbroadcast(op, grad * mask, grad - grad * mask)


class Minimum(_Binary):
    """The smaller of the two."""

    attrs = "T: {bfloat16, half, float, double, int8, uint8, int16, uint16, int32, uint32, int64, uint64}"

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.minimum(x, y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        mask = cast(less_equal(*op.inputs), grad.dtype)
        return unbroadcast(op, grad * mask, grad - grad * mask)


class _Comparison(_Binary, abstract=True):
    """A truth value for each pair of elements."""

    outputs = "z: bool"
    attrs = "T: realnumbertype"
    samples = (sample("int32[2,3] in 0..3", "int32[3] in 0..3"), sample("float[2,3]", "float[]"))


class Less(_Comparison):
    """Whether x < y."""

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.less(x, y)


class LessEqual(_Comparison):
    """Whether x <= y."""

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.less_equal(x, y)


class Greater(_Comparison):
    """Whether x > y."""

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.greater(x, y)


class GreaterEqual(_Comparison):
    """Whether x >= y."""

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.greater_equal(x, y)


class _Logical(OpType, abstract=True):
    """Truth values."""

    inputs = "x: bool, y: bool"
    outputs = "z: bool"
    is_commutative = True
    is_foldable = True
    samples = (sample("bool[2,3]", "bool[3]"),)
    shapes = staticmethod(shape_functions.broadcast)


class LogicalAnd(_Logical):
    """Whether both are true."""

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.logical_and(x, y)


class LogicalOr(_Logical):
    """Whether either is true."""

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return xp.logical_or(x, y)


class LogicalNot(OpType):
    """Whether it is false."""

    inputs = "x: bool"
    outputs = "y: bool"
    is_foldable = True
    samples = (sample("bool[2,3]"),)
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.logical_not(x)


class Neg(_Unary):
    """The number with the other sign."""

    attrs = "T: {bfloat16, half, float, double, int8, int16, int32, int64, complex64, complex128}"

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.negative(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return negative(grad)


class Abs(_Unary):
    """The magnitude."""

    attrs = "T: {bfloat16, half, float, double, int8, int16, int32, int64}"

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.absolute(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return grad * sign(op.inputs[0])


class Sign(_Unary):
    """-1, 0 or 1."""

    attrs = "T: {bfloat16, half, float, double, int8, int16, int32, int64, complex64, complex128}"

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.sign(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return zeros(shape_of(op.inputs[0]), op.inputs[0].dtype.base_dtype)


class Square(_Unary):
    """The number times itself."""

    attrs = "T: {bfloat16, half, float, double, int8, int16, int32, int64, uint8, uint16, uint32, uint64, complex64, complex128}"

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.square(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        x = op.inputs[0]
        return grad * (x * constant(2, x.dtype.base_dtype))


class Log(_Unary):
    """The natural logarithm."""

    attrs = "T: {bfloat16, half, float, double, complex64, complex128}"
    samples = (sample("float[2,3] in 0.5..2"),)

    @staticmethod
    def run(xp: Any, x: Array) -> Array:
        return xp.log(x)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return realdiv(grad, op.inputs[0])


class Cast(OpType):
    """The same numbers in another type; floats lose their fraction when they become ints."""

    inputs = "x: SrcT"
    outputs = "y: DstT"
    attrs = "SrcT: type, DstT: type, Truncate: bool = false"
    samples = (
        sample("float[2,3]", DstT="int32"),
        sample("int32[3]", DstT="double"),
        sample("bool[2]", DstT="float"),
        sample("float[3]", DstT="bool"),
    )
    is_foldable = True
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, x: Array, *, DstT: DType) -> Array:  # noqa: N803  # TensorFlow's attribute
        return x.astype(DstT.numpy)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        is_number = op.inputs[0].dtype.is_floating or op.inputs[0].dtype.is_complex
        return [cast(grad, op.inputs[0].dtype.base_dtype) if is_number and not grad.dtype.is_integer else None]


class MatMul(OpType):
    """The product of two matrices, each transposed first where wanted."""

    inputs = "a: T, b: T"
    outputs = "product: T"
    attrs = (
        "transpose_a: bool = false, transpose_b: bool = false, "
        "T: {bfloat16, half, float, double, int32, int64, uint8, uint16, uint32, uint64, complex64, complex128}"
    )
    samples = (
        sample("float[2,3]", "float[3,4]"),
        sample("double[3,2]", "double[3,4]", transpose_a=True),
        sample("double[2,3]", "double[4,3]", transpose_b=True),
        sample("double[3,2]", "double[4,3]", transpose_a=True, transpose_b=True),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        a, b = ([None, None] if t.shape.sizes is None else t.shape.as_list() for t in op._inputs)
        for sizes in (a, b):
            if len(sizes) != 2:
                raise ValueError(f"Shape must be rank 2 but is rank {len(sizes)}")
        rows, inner = reversed(a) if op.attr("transpose_a") else a
        others, columns = reversed(b) if op.attr("transpose_b") else b
        if None not in (inner, others) and inner != others:
            raise ValueError(f"Dimensions must be equal, but are {inner} and {others}")
        return [TensorShape([rows, columns])]

    @staticmethod
    def run(xp: Any, a: Array, b: Array, *, transpose_a: bool, transpose_b: bool) -> Array:
        return xp.matmul(a.T if transpose_a else a, b.T if transpose_b else b)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        (a, b), t_a, t_b = op.inputs, op.attr("transpose_a"), op.attr("transpose_b")
        grad_a = matmul(b, grad, transpose_a=t_b, transpose_b=True) if t_a else matmul(grad, b, transpose_b=not t_b)
        grad_b = matmul(grad, a, transpose_a=True, transpose_b=t_a) if t_b else matmul(a, grad, transpose_a=not t_a)
        return [grad_a, grad_b]


class Sum(OpType):
    """The sum over some axes."""

    inputs = "input: T, reduction_indices: Tidx"
    outputs = "output: T"
    attrs = "keep_dims: bool = false, T: numbertype, Tidx: {int32, int64} = int32"
    samples = (sample("float[2,3]", "int32: 0"), sample("double[2,3]", "int32: [0, 1]", keep_dims=True), sample("float[2,3]", "int32: [-1]"))
    host_inputs = ("reduction_indices",)
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        sizes, keep = op._inputs[0].shape.sizes, op.attr("keep_dims")
        axes = constant_value(op._inputs[1])
        if sizes is None or axes is None:
            return [unknown_shape(op._inputs[0].shape.rank if keep else None)]
        dropped = {int(axis) + len(sizes) if axis < 0 else int(axis) for axis in axes.reshape(-1)}
        if not all(0 <= axis < len(sizes) for axis in dropped):
            raise ValueError(f"Invalid reduction dimension {axes.tolist()} for input with {len(sizes)} dimensions")
        return [TensorShape(1 if axis in dropped else size for axis, size in enumerate(sizes) if keep or axis not in dropped)]

    @staticmethod
    def run(xp: Any, value: Array, axes: Any, *, keep_dims: bool) -> Array:
        return xp.sum(value, axis=tuple(axes.reshape(-1).tolist()), keepdims=keep_dims, dtype=value.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        value, axes = op.inputs
        kept = reshape(grad, shape_of(apply("Sum", value, axes, keep_dims=True)))
        return [kept + zeros(shape_of(value), value.dtype.base_dtype), None]


class BroadcastGradientArgs(OpType):
    """The axes over which the gradients of two arrays, broadcast to each other, are summed."""

    inputs = "s0: T, s1: T"
    outputs = "r0: T, r1: T"
    attrs = "T: {int32, int64} = int32"
    samples = (sample("int32: [2, 3]", "int32: [3]"), sample("int32: [2, 1]", "int32: [1, 3]"), sample("int32: []", "int32: [2]"))
    host_inputs = ("s0", "s1")
    host_outputs = ("r0", "r1")

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape(1), unknown_shape(1)]

    @staticmethod
    def run(xp: Any, s0: Any, s1: Any) -> list[Any]:
        rank = max(len(s0), len(s1))
        sizes = [[1] * (rank - len(shape)) + shape.tolist() for shape in (s0, s1)]
        full = [max(pair) if 0 not in pair else 0 for pair in zip(*sizes, strict=True)]
        axes = [[axis for axis in range(rank) if mine[axis] == 1 and (full[axis] != 1 or sizes[0][axis] == sizes[1][axis])] for mine in sizes]
        return [np.array(found, s0.dtype) for found in axes]

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None, None]


def unbroadcast(op: Operation, *grads: Tensor) -> list[Tensor | None]:
    """Gradients of an operation that broadcasts its two inputs, each summed to the shape of its input."""
    x, y = op.inputs
    if x.shape == y.shape and x.shape.is_fully_defined():
        return list(grads)
    shapes = shape_of(x, optimize=False), shape_of(y, optimize=False)
    axes = apply_op("BroadcastGradientArgs", *shapes).outputs
    return [reshape(apply("Sum", grad, axis), shape) for grad, axis, shape in zip(grads, axes, shapes, strict=True)]


def add(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The sum (`tf.add`)."""
    is_text = any(_is_string(value) for value in (x, y))
    return apply("Add" if is_text else "AddV2", x, y, name=name or "Add")


def _is_string(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    return isinstance(value, (str, bytes)) or (isinstance(dtype, DType) and dtype.is_string)


def _builder(op_name: str, default_name: str | None, told: str) -> Callable[..., Tensor]:
    def build(x: Any, y: Any, name: str | None = None) -> Tensor:
        return apply(op_name, x, y, name=name or default_name)

    build.__name__ = build.__qualname__ = default_name or op_name
    build.__doc__ = told
    return build


subtract = _builder("Sub", None, "The difference (`tf.subtract`).")
multiply = _builder("Mul", None, "The product (`tf.multiply`).")
realdiv = _builder("RealDiv", None, "The quotient of real numbers (`tf.realdiv`).")
floordiv = _builder("FloorDiv", "floordiv", "The quotient, rounded down (`tf.floordiv`).")
floormod = _builder("FloorMod", None, "What `floordiv` leaves (`tf.floormod`).")
maximum = _builder("Maximum", None, "The larger of the two (`tf.maximum`).")
minimum = _builder("Minimum", None, "The smaller of the two (`tf.minimum`).")
less = _builder("Less", None, "Whether x < y (`tf.less`).")
less_equal = _builder("LessEqual", None, "Whether x <= y (`tf.less_equal`).")
greater = _builder("Greater", None, "Whether x > y (`tf.greater`).")
greater_equal = _builder("GreaterEqual", None, "Whether x >= y (`tf.greater_equal`).")
logical_and = _builder("LogicalAnd", None, "Whether both are true (`tf.logical_and`).")
logical_or = _builder("LogicalOr", None, "Whether either is true (`tf.logical_or`).")


def truediv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The quotient of real numbers, which ints become first (`tf.truediv`).

    Raises:
        TypeError: the two are of different types.
    """
    with name_scope(name, "truediv", [x, y]) as scope:
        a = convert_to_tensor(x, name="x")
        b = convert_to_tensor(y, a.dtype.base_dtype if not isinstance(y, Tensor) else None, name="y")
        if a.dtype.base_dtype is not b.dtype.base_dtype:
            raise TypeError(f"`x` and `y` must have the same dtype, got {a.dtype!r} != {b.dtype!r}.")
        wanted = _REAL_OF.get(a.dtype.base_dtype.name)
        if wanted is not None:
            a, b = cast(a, wanted), cast(b, wanted)
        return realdiv(a, b, name=scope)


_REAL_OF = {**dict.fromkeys(("uint8", "int8", "uint16", "int16"), "float32"), **dict.fromkeys(("int32", "int64", "uint32", "uint64"), "float64")}


def pow(x: Any, y: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """One to the power of the other (`tf.pow`)."""
    with name_scope(name, "Pow", [x]) as scope:
        return apply("Pow", x, y, name=scope)


def logical_not(x: Any, name: str | None = None) -> Tensor:
    """Whether it is false (`tf.logical_not`)."""
    return apply("LogicalNot", x, name=name)


def logical_xor(x: Any, y: Any, name: str = "LogicalXor") -> Tensor:
    """Whether one of both is true (`tf.logical_xor`)."""
    return logical_and(logical_or(x, y), logical_not(logical_and(x, y)), name=name)


def negative(x: Any, name: str | None = None) -> Tensor:
    """The number with the other sign (`tf.negative`)."""
    return apply("Neg", x, name=name)


def abs(x: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """The magnitude (`tf.abs`)."""
    with name_scope(name, "Abs", [x]) as scope:
        return apply("Abs", x, name=scope)


def sign(x: Any, name: str | None = None) -> Tensor:
    """-1, 0 or 1 (`tf.sign`)."""
    return apply("Sign", x, name=name)


def square(x: Any, name: str | None = None) -> Tensor:
    """The number times itself (`tf.square`)."""
    return apply("Square", x, name=name)


def log(x: Any, name: str | None = None) -> Tensor:
    """The natural logarithm (`tf.log`)."""
    return apply("Log", x, name=name)


def cast(x: Any, dtype: Any, name: str | None = None) -> Tensor:
    """The same numbers in another type (`tf.cast`); a tensor that is of it already, as it is."""
    wanted = as_dtype(dtype).base_dtype
    if isinstance(x, Tensor) and x.dtype is wanted:
        return x
    with name_scope(name, "Cast", [x]) as scope:
        tensor = convert_to_tensor(x, name="x")
        return tensor if tensor.dtype.base_dtype is wanted else apply("Cast", tensor, DstT=wanted, name=scope)


def matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, name: str | None = None) -> Tensor:
    """The product of two matrices (`tf.matmul`)."""
    with name_scope(name, "MatMul", [a, b]) as scope:
        left = convert_to_tensor(a, name="a")
        right = convert_to_tensor(b, left.dtype.base_dtype if not isinstance(b, Tensor) else None, name="b")
        return apply("MatMul", left, right, transpose_a=transpose_a, transpose_b=transpose_b, name=scope)


def reduce_sum(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """The sum over some axes, or all (`tf.reduce_sum`)."""
    tensor = convert_to_tensor(input_tensor)
    with name_scope(name, "Sum", [tensor]) as scope:
        return apply("Sum", tensor, axes_of(tensor, axis), keep_dims=keepdims, name=scope)


def axes_of(tensor: Tensor, axis: Any) -> Any:
    """The axes of a reduction as its input: all of them for None."""
    if axis is not None:
        return axis
    rank = tensor.shape.rank
    if rank is not None:
        return constant(np.arange(rank, dtype=np.int32), name="Const")
    raise NotImplementedError("a reduction of a tensor of unknown rank needs its axes")


def _check_divisor(xp: Any, y: Any) -> None:
    if np.issubdtype(y.dtype, np.integer) and not xp.all(y):
        raise ZeroDivisionError("Integer division by zero")
