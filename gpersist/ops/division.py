"""Quotients and what they leave: real, rounded down or towards zero, and those that forgive a zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InternalError, InvalidArgumentError
from gpersist.graph import Operation, Tensor, apply, convert_to_tensor, name_scope, sample
from gpersist.ops.arithmetic import INTEGER_PAIRS, POSITIVE_PAIRS, Binary, gradient_of_product, zero_where
from gpersist.ops.builders import binary
from gpersist.ops.casting import cast
from gpersist.ops.complex_numbers import conj
from gpersist.ops.constants import constant
from gpersist.ops.unbroadcasting import reduced_to_inputs

__all__ = [
    "div",
    "div_no_nan",
    "divide",
    "floor_div",
    "floordiv",
    "floormod",
    "mod",
    "realdiv",
    "reciprocal_no_nan",
    "truediv",
    "truncatediv",
    "truncatemod",
    "xdivy",
]

_WITHOUT_GRADIENT = (sample("float[2,3] in 1..9", "float[3] in 1..9", has_gradient=False), *INTEGER_PAIRS)


class RealDiv(Binary):
    """The quotient of real numbers."""

    samples = POSITIVE_PAIRS

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        if x.dtype.kind in "iu":
            return _truncated_quotient(xp, x, y)
        return xp.divide(x, y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        x, y = (conj(tensor) for tensor in op.inputs)
        grad_x = realdiv(grad, y)
        return reduced_to_inputs(op, grad_x, grad * realdiv(realdiv(-x, y), y))


class Div(Binary):
    """The quotient; of integers, without its fraction."""

    samples = (*POSITIVE_PAIRS, *INTEGER_PAIRS)

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return RealDiv.run(xp, x, y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        x, y = (conj(tensor) for tensor in op.inputs)
        grad_x = divide(grad, y)
        return reduced_to_inputs(op, grad_x, grad * divide(divide(-x, y), y))


class DivNoNan(Binary):
    """The quotient, which is 0 where the divisor is."""

    attrs = "T: {half, float, bfloat16, double, complex64, complex128}"
    samples = POSITIVE_PAIRS

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return zero_where(xp, y == 0, xp.divide(x, y))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        x, y = (conj(tensor) for tensor in op.inputs)
        grad_x = div_no_nan(grad, y)
        return reduced_to_inputs(op, grad_x, grad * div_no_nan(div_no_nan(-x, y), y))


class Xdivy(Binary):
    """x / y, which is 0 where x is."""

    attrs = "T: {half, bfloat16, float, double, complex64, complex128}"
    samples = POSITIVE_PAIRS

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        return zero_where(xp, x == 0, xp.divide(x, y))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return gradient_of_product(op, grad, "Xdivy", lambda x, y: apply("Xdivy", -x, y**2))


class FloorDiv(Binary):
    """The quotient, rounded down."""

    samples = _WITHOUT_GRADIENT

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        if x.dtype.kind in "iu":
            _check_divisor(xp, x, y)
            return xp.floor_divide(x, y)
        return xp.floor(xp.divide(x, y))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None]


class TruncateDiv(Binary):
    """The quotient, rounded towards zero."""

    samples = _WITHOUT_GRADIENT

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        _check_truncated(xp, x, y)
        return _truncated_quotient(xp, x, y) if x.dtype.kind in "iu" else xp.trunc(xp.divide(x, y))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None]


class FloorMod(Binary):
    """What `FloorDiv` leaves; its sign is the divisor's."""

    attrs = "T: {int8, int16, int32, int64, uint8, uint16, uint32, uint64, bfloat16, half, float, double}"
    samples = (
        *_WITHOUT_GRADIENT,
        sample(np.array([1e6, -5.3, 3, -3, 5.5], np.float32), np.array([0.1, 0.1, np.inf, np.inf, -2], np.float32), has_gradient=False),
    )

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        _check_divisor(xp, x, y)
        if xp is np or x.dtype.kind in "iu":
            return xp.mod(x, y)
        rest = xp.fmod(x, y)  # CuPy's mod takes it from the rounded quotient
        return xp.where((rest != 0) & ((rest < 0) != (y < 0)), rest + y, rest)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        x, y = (conj(tensor) for tensor in op.inputs)
        quotient = floor_div(x, y)
        return reduced_to_inputs(op, grad, grad * -quotient)


class TruncateMod(Binary):
    """What `TruncateDiv` leaves; its sign is the dividend's."""

    attrs = "T: {int32, int64, bfloat16, half, float, double}"
    samples = _WITHOUT_GRADIENT

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        _check_truncated(xp, x, y)
        return xp.fmod(x, y)


class Mod(TruncateMod):
    """`TruncateMod`, under the name it had first."""

    attrs = "T: {int32, int64, half, half, bfloat16, float, double}"

    @staticmethod
    def run(xp: Any, x: Array, y: Array) -> Array:
        _check_divisor(xp, x, y)
        return xp.fmod(x, y)


def _check_divisor(xp: Any, x: Any, y: Any) -> None:
    if y.dtype.kind in "iu" and np.size(x) and not xp.all(y):
        raise InvalidArgumentError("Integer division by zero")


def _check_truncated(xp: Any, x: Any, y: Any) -> None:
    """Raises: InternalError: an integer is divided by zero; TensorFlow says so of these operations."""
    if y.dtype.kind in "iu" and np.size(x) and not xp.all(y):
        raise InternalError("Unexpected error in binary operator (only integer div and mod should have errors)")


def _truncated_quotient(xp: Any, x: Array, y: Array) -> Array:
    _check_divisor(xp, x, y)
    return xp.floor_divide(x - xp.fmod(x, y), y)


realdiv = binary("realdiv", "RealDiv", "The quotient of real numbers (`tf.realdiv`).")


floor_div = binary("floor_div", "FloorDiv", "The quotient, rounded down (`tf.floor_div`).")


floordiv = binary("floordiv", "FloorDiv", "The quotient, rounded down (`tf.floordiv`).", default_name="floordiv")


floormod = binary("floormod", "FloorMod", "What `floordiv` leaves (`tf.floormod`).")


mod = binary("mod", "FloorMod", "What `floordiv` leaves (`tf.mod`).")


truncatediv = binary("truncatediv", "TruncateDiv", "The quotient, rounded towards zero (`tf.truncatediv`).")


truncatemod = binary("truncatemod", "TruncateMod", "What `truncatediv` leaves (`tf.truncatemod`).")


def xdivy(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y, which is 0 where x is (`tf.math.xdivy`)."""
    with name_scope(name, "xdivy", [x]):
        return apply("Xdivy", x, y)


def truediv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The quotient of real numbers, which ints become first (`tf.truediv`).

    Raises:
        TypeError: the two are of different types, or no numbers.
    """
    with name_scope(name, "truediv", [x, y]) as scope:
        return realdiv(*_real_pair(x, y, "__truediv__"), name=scope)


def divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y, as Python has it (`tf.divide`)."""
    if name is not None:
        return truediv(x, y, name)
    if not isinstance(x, Tensor):
        x = convert_to_tensor(x, y.dtype.base_dtype if isinstance(y, Tensor) else None)
    quotient: Tensor = x / y
    return quotient


def div(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The quotient as in Python 2: of integers, rounded down (`tf.div`).

    Raises:
        ValueError, TypeError: the two are of different types.
    """
    with name_scope(name, "div", [x, y]) as scope:
        a = convert_to_tensor(x, name="x")
        b = convert_to_tensor(y, a.dtype.base_dtype, name="y")
        is_real = a.dtype.is_floating or a.dtype.is_complex
        return (realdiv if is_real else floor_div)(a, b, name=scope)


def div_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The quotient, which is 0 where the divisor is (`tf.div_no_nan`).

    Raises:
        TypeError: the two are of different types, or no numbers.
    """
    with name_scope(name, "div_no_nan", [x, y]) as scope:
        if isinstance(y, Tensor) and not isinstance(x, Tensor):
            x = convert_to_tensor(x, y.dtype.base_dtype, name="x")
        return apply("DivNoNan", *_real_pair(x, y, "tf.math.divide_no_nan"), name=scope)


def reciprocal_no_nan(x: Any, name: str | None = None) -> Tensor:
    """1 / x, which is 0 where x is (`tf.math.reciprocal_no_nan`)."""
    with name_scope(name, "reciprocal_no_nan", [x]) as scope:
        tensor = convert_to_tensor(x, name="x")
        return div_no_nan(constant(1.0, tensor.dtype.base_dtype, name="one"), tensor, name=scope)


def _real_pair(x: Any, y: Any, what: str) -> tuple[Tensor, Tensor]:
    """Two tensors of one type of real numbers; of ints, the floats that hold them."""
    a = convert_to_tensor(x, name="x")
    b = convert_to_tensor(y, dtype_hint=a.dtype.base_dtype, name="y")
    types = a.dtype.base_dtype, b.dtype.base_dtype
    if types[0] is not types[1]:
        raise TypeError(f"`x` and `y` must have the same dtype, got {types[0]!r} != {types[1]!r}.")
    wanted = _REAL_OF.get(types[0].name)
    if wanted is not None:
        return cast(a, wanted), cast(b, wanted)
    if not (types[0].is_floating or types[0].is_complex):
        raise TypeError(f"Invalid dtype {types[0]!r} in {what}: expected a type of numbers")
    return a, b


_REAL_OF = {**dict.fromkeys(("uint8", "int8", "uint16", "int16"), "float32"), **dict.fromkeys(("int32", "int64", "uint32", "uint64"), "float64")}
