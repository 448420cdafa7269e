"""Quantised numbers moved to other ranges and types, joined and reshaped."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply_op, sample
from gpersist.ops import shape_functions
from gpersist.ops.joining import Concat, ConcatV2
from gpersist.ops.kernels import shown
from gpersist.ops.quantization import kind_of, plain, quantized, quantized_sample
from gpersist.ops.quantized_ranges import KINDS, check_scalar_shapes, front, limits, requantized, to_real
from gpersist.ops.shaping import Reshape
from gpersist.shapes import TensorShape

__all__ = ["quantized_concat"]

_WIDE: Any = quantized_sample([-5_000_000, -9, 0, 7_000_000, 400_000_000, 12345], "qint32", (2, 3))
_LOW, _HIGH = "float: -30.0", "float: 20.0"
_CHANNELS: Any = quantized_sample([7919 * number % 200000 - 100000 for number in range(24)], "qint32", (1, 2, 3, 4))
_OF_CHANNELS = ("float: [-100.0, -200.0, -50.0, -70.0]", "float: [100.0, 200.0, 50.0, 90.0]")
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


class RequantizePerChannel(OpType):
    """The same of images that have a range for each channel, around 0 (by oneDNN)."""

    inputs = "input: T, input_min: float, input_max: float, requested_output_min: float, requested_output_max: float"
    outputs = "output: out_type, output_min: float, output_max: float"
    attrs = f"T: {KINDS} = qint32, out_type: {KINDS} = quint8"
    is_host_only = True
    samples = tuple(sample(_CHANNELS, *_OF_CHANNELS, "float: -0.01", "float: 0.02", out_type=kind) for kind in ("quint8", "qint8"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        for tensor in op._inputs[1:3]:
            tensor.shape.with_rank(1)
        check_scalar_shapes(op, 3)
        return [op._inputs[0].shape, shape_functions.SCALAR, shape_functions.SCALAR]

    @staticmethod
    def run(xp: Any, values: Any, input_min: Any, input_max: Any, least: Any, most: Any, *, out_type: DType) -> list[Any]:
        _check_channels(values, input_min, input_max)
        least, most = limits(requested_output_min=least, requested_output_max=most)
        kind = kind_of(out_type)
        widest, of_channels = np.maximum(abs(least), abs(most)), np.maximum(np.abs(input_min), np.abs(input_max))
        scale = (np.float32(127 if kind.low else 255) * (of_channels / widest)) / np.float32(1 << 31)
        return [quantized(np.rint(plain(values).astype(np.float32) * scale), kind), least, most]


class RequantizationRangePerChannel(OpType):
    """The range around 0 that images need which have a range for each channel, no wider than a limit."""

    inputs = "input: T, input_min: float, input_max: float"
    outputs = "output_min: float, output_max: float"
    attrs = f"T: {KINDS} = qint32, clip_value_max: float"
    is_host_only = True
    samples = (sample(_CHANNELS, *_OF_CHANNELS, clip_value_max=6.0), sample(_CHANNELS, *_OF_CHANNELS, clip_value_max=0.001))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        for tensor in op._inputs[1:3]:
            tensor.shape.with_rank(1)
        return [shape_functions.SCALAR, shape_functions.SCALAR]

    @staticmethod
    def run(xp: Any, values: Any, input_min: Any, input_max: Any, *, clip_value_max: float) -> list[Any]:
        _check_channels(values, input_min, input_max)
        numbers = plain(values).reshape(-1, values.shape[-1]).astype(np.int64)
        of_channels = np.maximum(np.abs(input_min), np.abs(input_max))
        widest = np.abs(numbers).max(0, initial=0).astype(np.float32) * of_channels / np.float32(1 << 31)
        most = min(widest.max(initial=np.float32(0)), np.float32(clip_value_max))
        return [np.float32(-most if (numbers < 0).any() else 0), np.float32(most)]


def _check_channels(values: Any, input_min: Any, input_max: Any) -> None:
    if values.ndim != 4:
        raise InvalidArgumentError(f"input must be 4-dimensional, not of shape {shown(values.shape)}")
    for name, value in (("input_min", input_min), ("input_max", input_max)):
        if value.shape != values.shape[3:]:
            raise InvalidArgumentError(f"{name} must have {values.shape[3]} elements, but got shape {shown(value.shape)}")


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


class QuantizedConcatV2(OpType):
    """The same, the axis behind the numbers (by oneDNN)."""

    inputs = "values: N * T, axis: Tidx, input_mins: N * float, input_maxes: N * float"
    outputs = "output: T, output_min: float, output_max: float"
    attrs = "N: int >= 2, T: type, Tidx: {int32, int64} = int32"
    host_inputs = ("axis",)
    is_host_only = True
    scalars = ("axis",)
    samples = (
        sample([_BYTES, _BYTES], "int32: 1", ["float: 0.0", "float: 0.0"], ["float: 2.0", "float: 2.0"]),
        sample([_BYTES, _BYTES], "int32: 0", ["float: 0.0", "float: 0.0"], ["float: 2.0", "float: 2.0"]),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        count = op.attr("N")
        check_scalar_shapes(op, 1 + count)
        return [*ConcatV2.shapes(front(op, 1 + count)), shape_functions.SCALAR, shape_functions.SCALAR]

    @staticmethod
    def run(xp: Any, values: Any, axis: Any, input_mins: Any, input_maxes: Any, *, T: DType) -> list[Any]:  # noqa: N803  # TensorFlow's
        if not np.ndim(axis) and axis < 0:
            axis = axis + values[0].ndim
        return QuantizedConcat.run(xp, axis, values, input_mins, input_maxes, T=T)


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


class QuantizedConcatResult(NamedTuple):
    """What `quantized_concat` gives."""

    output: Tensor
    output_min: Tensor
    output_max: Tensor


QuantizedConcatResult.__name__ = "QuantizedConcat"  # as it is printed


def quantized_concat(concat_dim: Any, values: Any, input_mins: Any, input_maxes: Any, name: str | None = None) -> QuantizedConcatResult:
    """Numbers of several ranges one behind the other, in one range (`tf.quantization.quantized_concat`)."""
    return QuantizedConcatResult(*apply_op("QuantizedConcat", concat_dim, values, input_mins, input_maxes, name=name).outputs)
