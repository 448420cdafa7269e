"""Quantised numbers moved to other ranges and types, joined and reshaped."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, sample
from gpersist.ops import shape_functions
from gpersist.ops.joining import Concat
from gpersist.ops.kernels import shown
from gpersist.ops.quantization import kind_of, plain, quantized, quantized_sample
from gpersist.ops.quantized_ranges import KINDS, check_scalar_shapes, front, limits, requantized, to_real
from gpersist.ops.shaping import Reshape
from gpersist.shapes import TensorShape

_WIDE: Any = quantized_sample([-5_000_000, -9, 0, 7_000_000, 400_000_000, 12345], "qint32", (2, 3))
_LOW, _HIGH = "float: -30.0", "float: 20.0"
_BYTES: Any = quantized_sample([0, 3, 128, 255], "quint8", (2, 2))


def _unchanged(op: Operation) -> list[TensorShape]:
    check_scalar_shapes(op, 1)
    return [op._inputs[0].shape, shape_functions.SCALAR, shape_functions.SCALAR]


class QuantizeDownAndShrinkRange(OpType):
    """Numbers in fewer bits, of a range no larger than they need."""

    inputs = "input: Tinput, input_min: float, input_max: float"
    outputs = "output: out_type, output_min: float, output_max: float"
    attrs = f"Tinput: {KINDS}, out_type: {KINDS}"
    is_host_only = True
    samples = (sample(_WIDE, _LOW, _HIGH, out_type="quint8"), sample(_WIDE[:, 1:], "float: -0.5", "float: 3.0", out_type="quint8"))
    shapes = staticmethod(_unchanged)

    @staticmethod
    def run(xp: Any, values: Any, input_min: Any, input_max: Any, *, Tinput: DType, out_type: DType) -> list[Any]:  # noqa: N803  # TensorFlow's
        low, high = limits(input_min=input_min, input_max=input_max)
        kind, numbers = kind_of(Tinput), plain(values)
        least, most = to_real(np.array([numbers.min(initial=kind.high), numbers.max(initial=kind.low)]), low, high, kind)
        least = min(np.float32(0), least)
        return [requantized(numbers, low, high, kind, least, most, kind_of(out_type)), least, most]


class Requantize(OpType):
    """Numbers in fewer bits, of a given range."""

    inputs = "input: Tinput, input_min: float, input_max: float, requested_output_min: float, requested_output_max: float"
    outputs = "output: out_type, output_min: float, output_max: float"
    attrs = f"Tinput: {KINDS}, out_type: {KINDS}"
    is_host_only = True
    samples = (sample(_WIDE, _LOW, _HIGH, "float: -3.0", "float: 4.0", out_type="quint8"),)
    shapes = staticmethod(_unchanged)

    @staticmethod
    def run(
        xp: Any,
        values: Any,
        input_min: Any,
        input_max: Any,
        requested_output_min: Any,
        requested_output_max: Any,
        *,
        Tinput: DType,  # noqa: N803  # TensorFlow's attribute
        out_type: DType,
    ) -> list[Any]:
        low, high, least, most = limits(
            input_min=input_min, input_max=input_max, requested_output_min=requested_output_min, requested_output_max=requested_output_max
        )
        if not least <= 0:
            raise InvalidArgumentError(f"requested_output_min must be <= 0, but got {least}")
        if not most >= least:
            raise InvalidArgumentError(f"requested_output_max must be >= requested_output_min, but got {most} and {least}")
        return [requantized(plain(values), low, high, kind_of(Tinput), least, most, kind_of(out_type)), least, most]


class RequantizationRange(OpType):
    """The range that numbers need."""

    inputs = "input: Tinput, input_min: float, input_max: float"
    outputs = "output_min: float, output_max: float"
    attrs = f"Tinput: {KINDS}"
    is_host_only = True
    samples = (sample(_WIDE, _LOW, _HIGH),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_scalar_shapes(op, 1)
        return shape_functions.scalar(op)

    @staticmethod
    def run(xp: Any, values: Any, input_min: Any, input_max: Any, *, Tinput: DType) -> list[Any]:  # noqa: N803  # TensorFlow's attribute
        low, high = limits(input_min=input_min, input_max=input_max)
        kind, numbers = kind_of(Tinput), plain(values)
        least, most = to_real(np.array([numbers.min(initial=kind.high), numbers.max(initial=kind.low)]), low, high, kind)
        return [min(np.float32(0), least), most]


class QuantizedConcat(OpType):
    """Numbers of several ranges one behind the other, in one range."""

    inputs = "concat_dim: int32, values: N * T, input_mins: N * float, input_maxes: N * float"
    outputs = "output: T, output_min: float, output_max: float"
    attrs = "N: int >= 2, T: type"
    host_inputs = ("concat_dim",)
    is_host_only = True
    scalars = ("concat_dim",)
    samples = (
        sample("int32: 1", [_BYTES, _BYTES], ["float: -1.0", "float: -2.0"], ["float: 2.0", "float: 1.0"]),
        sample("int32: 0", [_WIDE, _WIDE], ["float: -1.0", "float: -2.0"], ["float: 2.0", "float: 1.0"]),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        count = op.attr("N")
        check_scalar_shapes(op, 1 + count)
        return [*Concat.shapes(front(op, 1 + count)), shape_functions.SCALAR, shape_functions.SCALAR]

    @staticmethod
    def run(xp: Any, axis: Any, values: Any, input_mins: Any, input_maxes: Any, *, T: DType) -> list[Any]:  # noqa: N803  # TensorFlow's
        dtype = T
        if np.ndim(axis):
            raise InvalidArgumentError(f"Concat dim tensor should be a scalar integer, but got shape {shown(np.shape(axis))}")
        if not 0 <= axis < max(values[0].ndim, 1):
            raise InvalidArgumentError(f"ConcatOp : Expected concatenating dimensions in the range [0, {values[0].ndim}), but got {int(axis)}")
        ranges = [limits(input_mins=low, input_maxes=high) for low, high in zip(input_mins, input_maxes, strict=True)]
        least, most = min(low for low, _ in ranges), max(high for _, high in ranges)
        kind = kind_of(dtype)
        if kind.low:
            most = max(abs(least), abs(most))  # symmetric around 0
            least = -most
        parts = [
            plain(value) if (low, high) == (least, most) else plain(requantized_alike(value, low, high, kind, least, most))
            for value, (low, high) in zip(values, ranges, strict=True)
        ]
        return [quantized(Concat.run(np, axis, parts), kind), np.float32(least), np.float32(most)]


def requantized_alike(values: Any, low: Any, high: Any, kind: Any, least: Any, most: Any) -> Any:
    """Numbers of a range in another one, the type being the same."""
    return requantized(plain(values), low, high, kind, least, most, kind)


class QuantizedReshape(OpType):
    """The same numbers in another shape."""

    inputs = "tensor: T, shape: Tshape, input_min: float, input_max: float"
    outputs = "output: T, output_min: float, output_max: float"
    attrs = "T: type, Tshape: {int32, int64} = int32"
    host_inputs = ("shape",)
    is_host_only = True
    samples = (sample(_WIDE, "int32: [3, -1]", _LOW, _HIGH), sample(_BYTES, "int64: [4]", "float: 0.0", "float: 1.0"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_scalar_shapes(op, 2)
        return [*Reshape.shapes(op), shape_functions.SCALAR, shape_functions.SCALAR]

    @staticmethod
    def run(xp: Any, values: Any, shape: Any, input_min: Any, input_max: Any) -> list[Any]:
        low, high = limits(input_min=input_min, input_max=input_max)
        return [Reshape.run(np, values, shape), low, high]
