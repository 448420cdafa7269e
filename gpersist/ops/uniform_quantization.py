"""Numbers of a uniform quantisation, (number - zero point) * scale, with one scale for a tensor or one for each part along an axis.

All of it in whole numbers, as the kernels have it (`tensorflow/core/kernels/uniform_quant_ops`): a ratio of scales is 31 bits and a shift.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, sample
from gpersist.ops import shape_functions
from gpersist.ops.kernels import shown
from gpersist.ops.quantization import kind_of, plain, quantized_sample
from gpersist.shapes import TensorShape

_BYTES: Any = quantized_sample([-128, -7, 0, 3, 100, 127], "qint8", (2, 3))
_WORDS: Any = quantized_sample([-40000, -7, 0, 300, 123456, 127], "qint32", (2, 3))
_SCALE, _ZERO = "float: 0.25", "int32: 3"
_SCALES, _ZEROS = "float: [0.25, 0.5, 2.0]", "int32: [3, 0, -1]"
_INT8: dict[str, Any] = {"quantization_min_val": -128, "quantization_max_val": 127}
_INT32: dict[str, Any] = {"quantization_min_val": -(1 << 31), "quantization_max_val": (1 << 31) - 1}


def limits_of(prefix: str, limits: dict[str, Any] = _INT32) -> dict[str, Any]:
    """Attributes of samples: these limits under names that begin with a prefix."""
    return {f"{prefix}_{name}": value for name, value in limits.items()}


def check_axis(shape: tuple[int, ...], scales: Any, zero_points: Any, axis: int) -> None:
    """Holds scales and zero points to be scalars, or vectors for an axis of a tensor.

    Raises:
        InvalidArgumentError: they are not, or there is no such axis.
    """
    if scales.shape != zero_points.shape:
        raise InvalidArgumentError(
            f"scales and zero_points shape must be same, but given scales shape {shown(scales.shape)} "
            f"and zero_points shape {shown(zero_points.shape)}"
        )
    if not -1 <= axis < len(shape):
        raise InvalidArgumentError(f"quantization_axis must be -1 or in range [0, input.rank), but given {axis}")
    wanted = () if axis == -1 else (shape[axis],)
    if scales.shape != wanted:
        raise InvalidArgumentError(f"scales and zero_points must be of shape {shown(wanted)} for quantization_axis {axis}, not {shown(scales.shape)}")


def check_positive(*scales: Any) -> None:
    """Raises InvalidArgumentError for a scale that is not above 0."""
    if not all((each > 0).all() for each in scales):
        raise InvalidArgumentError("scales elements must be all positive.")


def along(values: Any, rank: int, axis: int) -> Any:
    """A vector for an axis of a tensor of this rank, so that it is broadcast to it; a scalar as it is."""
    return np.reshape(values, (-1, *[1] * (rank - axis - 1))) if axis >= 0 and np.ndim(values) else values


def rescaled(numbers: Any, ratio: Any) -> Any:
    """Whole numbers of 32 bits times a ratio of scales, float64, in fixed point: int64 of the range of int32.

    Raises:
        InvalidArgumentError: a ratio is not above 0, or not finite.
    """
    ratio = np.asarray(ratio, np.float64)
    if not (np.isfinite(ratio) & (ratio > 0)).all():
        raise InvalidArgumentError("a multiplier must be a positive finite number")
    part, shift = np.frexp(ratio)
    fixed = np.floor(part * (1 << 31) + 0.5).astype(np.int64)
    shift = np.where(fixed == 1 << 31, shift + 1, shift).astype(np.int64)
    fixed = np.where(fixed == 1 << 31, 1 << 30, fixed)
    fixed, shift = np.where(shift < -31, 0, fixed), np.where(shift < -31, 0, shift)
    fixed, shift = np.where(shift > 30, (1 << 31) - 1, fixed), np.minimum(shift, 30)
    total = 31 - shift
    found = numbers.astype(np.int32).astype(np.int64) * fixed + (np.int64(1) << (total - 1)) >> total
    return np.clip(found, -(1 << 31), (1 << 31) - 1)


def clamped(numbers: Any, low: int, high: int, dtype: DType) -> Any:
    """Whole numbers cut to a range, as a quantised array."""
    kind = kind_of(dtype)
    found = np.maximum(np.minimum(numbers.astype(np.int32), np.int32(high)), np.int32(low)).astype(kind.plain)
    return np.ascontiguousarray(found).view(kind.numpy).reshape(found.shape)


def to_numbers(values: Any, inverse: Any, zero: Any) -> Any:
    """The whole numbers of reals, for the inverse of a scale, float32: int32."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.floor(values * inverse + np.float32(0.5)).astype(np.int32) + np.int32(zero)


class UniformQuantize(OpType):
    """Reals as numbers."""

    inputs = "input: Tin, scales: float, zero_points: int32"
    outputs = "output: Tout"
    attrs = "Tin: {float}, Tout: {qint8, quint8, qint32}, quantization_axis: int = -1, quantization_min_val: int, quantization_max_val: int"
    is_host_only = True
    samples = (
        sample("float[2,3] in -40..40", _SCALE, _ZERO, Tout="qint8", has_gradient=False, **_INT8),
        sample("float[2,3,2] in -4..4", _SCALES, _ZEROS, Tout="qint32", quantization_axis=1, has_gradient=False, **_INT32),
    )
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(
        xp: Any,
        values: Any,
        scales: Any,
        zero_points: Any,
        *,
        Tout: DType,  # noqa: N803  # TensorFlow's attribute
        quantization_axis: int,
        quantization_min_val: int,
        quantization_max_val: int,
    ) -> Any:
        check_axis(values.shape, scales, zero_points, quantization_axis)
        scale, zero = (along(each, values.ndim, quantization_axis) for each in (scales, zero_points))
        with np.errstate(divide="ignore"):
            inverse = np.float32(1) / scale
        return clamped(to_numbers(values, inverse, zero), quantization_min_val, quantization_max_val, Tout)


class UniformDequantize(OpType):
    """The reals that numbers stand for."""

    inputs = "input: Tin, scales: float, zero_points: int32"
    outputs = "output: Tout"
    attrs = "Tin: {qint8, quint8, qint32}, Tout: {float}, quantization_axis: int = -1, quantization_min_val: int, quantization_max_val: int"
    is_host_only = True
    samples = (
        sample(_BYTES, _SCALE, _ZERO, Tout="float", **_INT8),
        sample(_WORDS, _SCALES, _ZEROS, Tout="float", quantization_axis=1, **_INT32),
    )
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, values: Any, scales: Any, zero_points: Any, *, quantization_axis: int) -> Any:
        check_axis(values.shape, scales, zero_points, quantization_axis)
        scale, zero = (along(each, values.ndim, quantization_axis) for each in (scales, zero_points))
        return (plain(values).astype(np.int32) - np.int32(zero)).astype(np.float32) * scale


class UniformRequantize(OpType):
    """Numbers of one quantisation as those of another."""

    inputs = "input: Tin, input_scales: float, input_zero_points: int32, output_scales: float, output_zero_points: int32"
    outputs = "output: Tout"
    attrs = (
        "Tin: {qint8, qint32}, Tout: {qint8, qint32}, input_quantization_axis: int = -1, input_quantization_min_val: int, "
        "input_quantization_max_val: int, output_quantization_axis: int = -1, output_quantization_min_val: int, output_quantization_max_val: int"
    )
    is_host_only = True
    samples = (
        sample(_WORDS, _SCALE, _ZERO, "float: 100.0", "int32: -5", Tout="qint8", **limits_of("input"), **limits_of("output", _INT8)),
        sample(
            _BYTES,
            _SCALES,
            _ZEROS,
            "float: 0.7",
            "int32: -5",
            Tout="qint8",
            input_quantization_axis=1,
            **limits_of("input", _INT8),
            **limits_of("output", _INT8),
        ),
        sample(
            _BYTES,
            _SCALE,
            _ZERO,
            _SCALES,
            _ZEROS,
            Tout="qint8",
            output_quantization_axis=1,
            **limits_of("input", _INT8),
            **limits_of("output", _INT8),
        ),
    )
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(
        xp: Any,
        values: Any,
        input_scales: Any,
        input_zero_points: Any,
        output_scales: Any,
        output_zero_points: Any,
        *,
        Tout: DType,  # noqa: N803  # TensorFlow's attribute
        input_quantization_axis: int,
        output_quantization_axis: int,
        output_quantization_min_val: int,
        output_quantization_max_val: int,
    ) -> Any:
        if min(input_quantization_axis, output_quantization_axis) >= 0 and input_quantization_axis != output_quantization_axis:
            raise InvalidArgumentError("If input and output is both per-axis quantized, the quantization axis must be same.")
        check_axis(values.shape, input_scales, input_zero_points, input_quantization_axis)
        check_axis(values.shape, output_scales, output_zero_points, output_quantization_axis)
        check_positive(input_scales, output_scales)
        scale, zero = (along(each, values.ndim, input_quantization_axis) for each in (input_scales, input_zero_points))
        to_scale, to_zero = (along(each, values.ndim, output_quantization_axis) for each in (output_scales, output_zero_points))
        found = rescaled(plain(values).astype(np.int32) - np.int32(zero), np.float64(scale) / to_scale) + to_zero
        return clamped(found, output_quantization_min_val, output_quantization_max_val, Tout)


class UniformQuantizedAdd(OpType):
    """Sums of numbers of two quantisations, in a third."""

    inputs = (
        "lhs: T, rhs: T, lhs_scales: float, lhs_zero_points: int32, rhs_scales: float, rhs_zero_points: int32, output_scales: float, "
        "output_zero_points: int32"
    )
    outputs = "output: T"
    attrs = (
        ", ".join(
            f"{side}_quantization_axis: int = -1, {side}_quantization_min_val: int, {side}_quantization_max_val: int"
            for side in ("lhs", "rhs", "output")
        )
        + ", T: {qint32}"
    )
    is_host_only = True
    samples = (
        sample(
            _WORDS, _WORDS, _SCALE, _ZERO, "float: 0.5", "int32: 0", "float: 0.3", "int32: 7",
            **limits_of("lhs"), **limits_of("rhs"), **limits_of("output"),
        ),
        sample(
            _WORDS, quantized_sample([5, -6, 100], "qint32"), _SCALES, _ZEROS, _SCALES, _ZEROS, _SCALES, _ZEROS,
            lhs_quantization_axis=1, rhs_quantization_axis=0, output_quantization_axis=1,
            **limits_of("lhs"), **limits_of("rhs"), **limits_of("output"),
        ),
    )  # fmt: skip

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return shape_functions.broadcast(op)

    @staticmethod
    def run(
        xp: Any,
        lhs: Any,
        rhs: Any,
        lhs_scales: Any,
        lhs_zero_points: Any,
        rhs_scales: Any,
        rhs_zero_points: Any,
        output_scales: Any,
        output_zero_points: Any,
        *,
        T: DType,  # noqa: N803  # TensorFlow's attribute
        lhs_quantization_axis: int,
        rhs_quantization_axis: int,
        output_quantization_axis: int,
        output_quantization_min_val: int,
        output_quantization_max_val: int,
    ) -> Any:
        check_axis(lhs.shape, lhs_scales, lhs_zero_points, lhs_quantization_axis)
        check_axis(rhs.shape, rhs_scales, rhs_zero_points, rhs_quantization_axis)
        try:
            shape = np.broadcast_shapes(lhs.shape, rhs.shape)
        except ValueError:
            raise InvalidArgumentError(f"Cannot Add tensors of shapes: {shown(lhs.shape)}{shown(rhs.shape)}") from None
        check_axis(shape, output_scales, output_zero_points, output_quantization_axis)
        for side, values, axis in (("lhs", lhs, lhs_quantization_axis), ("rhs", rhs, rhs_quantization_axis)):
            if min(axis, output_quantization_axis) >= 0 and values.ndim - axis != len(shape) - output_quantization_axis:
                raise InvalidArgumentError(f"If {side} and output is both per-axis quantized, the quantization axis must match.")
        check_positive(lhs_scales, rhs_scales, output_scales)
        to_scale, to_zero = (along(each, len(shape), output_quantization_axis) for each in (output_scales, output_zero_points))
        parts = []
        for values, scales, zeros, axis in (
            (lhs, lhs_scales, lhs_zero_points, lhs_quantization_axis),
            (rhs, rhs_scales, rhs_zero_points, rhs_quantization_axis),
        ):
            scale, zero = (along(each, values.ndim, axis) for each in (scales, zeros))
            parts.append(rescaled(plain(values).astype(np.int32) - np.int32(zero), np.float64(scale) / to_scale))
        return clamped(parts[0] + parts[1] + to_zero, output_quantization_min_val, output_quantization_max_val, T)


class UniformQuantizedClipByValue(OpType):
    """Numbers cut to those between two others."""

    inputs = "operand: T, min: T, max: T, scales: float, zero_points: int32"
    outputs = "output: T"
    attrs = "T: {qint32}, quantization_axis: int = -1, quantization_min_val: int, quantization_max_val: int"
    is_host_only = True
    samples = (
        sample(_WORDS, quantized_sample([-5], "qint32")[0], quantized_sample([200], "qint32")[0], _SCALE, _ZERO, **_INT32),
        sample(
            _WORDS,
            quantized_sample([-5, 0, 1], "qint32"),
            quantized_sample([200, 0, 9], "qint32"),
            _SCALES,
            _ZEROS,
            quantization_axis=1,
            **_INT32,
        ),
    )
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, operand: Any, low: Any, high: Any, scales: Any, zero_points: Any, *, quantization_axis: int) -> Any:
        check_axis(operand.shape, scales, zero_points, quantization_axis)
        for name, value in (("min", low), ("max", high)):
            if np.shape(value) != scales.shape:
                raise InvalidArgumentError(f"{name} must be of the shape of the scales, {shown(scales.shape)}, not {shown(np.shape(value))}")
        least, most = (along(plain(np.asarray(each)), operand.ndim, quantization_axis) for each in (low, high))
        found = np.maximum(np.minimum(plain(operand), most), least)
        return np.ascontiguousarray(found).view(operand.dtype).reshape(found.shape)
