"""Matrix products and convolutions of uniformly quantised numbers; the left one may be of reals, which are quantised row by row."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, sample
from gpersist.ops.kernels import shown
from gpersist.ops.quantization import plain, quantized_sample
from gpersist.ops.uniform_geometry import Geometry
from gpersist.ops.uniform_quantization import along, check_axis, check_positive, clamped, limits_of, rescaled, to_numbers
from gpersist.shapes import TensorShape

_INT8 = {"quantization_min_val": -128, "quantization_max_val": 127}
_SIDES = "lhs: Tin, rhs: Tin, lhs_scales: float, lhs_zero_points: int32, rhs_scales: float, rhs_zero_points: int32, output_scales: float, "
_WHOLE = _SIDES + "output_zero_points: int32"
_LIMITS = ", ".join(
    f"{side}_quantization_axis: int = -1, {side}_quantization_min_val: int, {side}_quantization_max_val: int" for side in ("lhs", "rhs", "output")
)
_RIGHT_LIMITS = "rhs_quantization_axis: int = -1, rhs_quantization_min_val: int, rhs_quantization_max_val: int"
_MATRICES: Any = (
    quantized_sample([-128, -7, 0, 3, 100, 127], "qint8", (2, 3)),
    quantized_sample([5, -6, 7, 8, -9, 10, 127, -128, 0, 1, 2, 3], "qint8", (3, 4)),
)
_ONE = ("float: 0.25", "int32: 3")
_FOUR = ("float: [0.25, 0.5, 2.0, 0.1]", "int32: [3, 0, -1, 4]")
_ALL: dict[str, Any] = {**limits_of("lhs", _INT8), **limits_of("rhs", _INT8), **limits_of("output")}
_RIGHT: dict[str, Any] = {"Tout": "float", **limits_of("rhs", _INT8)}


def _check_axes(lhs: int, rhs: int, output: int, channels: int) -> None:
    if lhs != -1:
        raise InvalidArgumentError("lhs_quantization_axis Attr must be -1 (per-tensor).")
    for side, axis in (("rhs", rhs), ("output", output)):
        if axis not in (-1, channels):
            raise InvalidArgumentError(f"{side}_quantization_axis Attr must be {channels} (per-channel) or -1 (per-tensor).")
    if rhs == -1 and output != -1:
        raise InvalidArgumentError("If rhs is per-tensor quantized, output must be also per-tensor quantized.")


def _by_rows(values: Any) -> tuple[Any, Any, Any]:
    """Reals as numbers of 8 bits, less their zero points: for each part along the first axis a scale of its own, from its least and its largest.

    Returns:
        The numbers, int64; the scales, and the zero points.
    """
    rows = np.reshape(values, (len(values), -1))
    low = np.minimum(np.float32(0), rows.min(1, initial=0)).astype(np.float64)
    high = np.maximum(np.float32(0), rows.max(1, initial=0)).astype(np.float64)
    scale = ((high - low) / 255.0).astype(np.float32)
    with np.errstate(all="ignore"):
        inverse = np.where(high - low != 0, 255.0 / (high - low), 0).astype(np.float32)
        is_flat = (scale == 0) | ~np.isfinite(inverse)
        of_low, of_high = low / scale, high / scale
        zero = np.where(128 + np.abs(of_low) < 127 + np.abs(of_high), -128 - of_low, 127 - of_high)
        zero = np.where(is_flat, 0, np.clip(np.trunc(zero + np.copysign(0.5, zero)), -128, 127)).astype(np.int32)
        numbers = np.clip(to_numbers(rows, inverse[:, None], zero[:, None]), -128, 127)
    numbers = np.where(is_flat[:, None], 0, numbers).astype(np.int64) - zero[:, None]
    return numbers.reshape(values.shape), np.where(is_flat, np.float32(1), scale), zero


def _dot_shape(op: Operation) -> list[TensorShape]:
    left, right = op._inputs[0].shape.with_rank(2), op._inputs[1].shape.with_rank(2)
    left[1:].merge_with(right[:1])
    return [left[:1].concatenate(right[1:])]


def _check_scale_shapes(op: Operation, first: int, size: TensorShape) -> None:
    """Raises ValueError where scales and their zero points, which are this input and the next one, are known not to go with an axis of this size."""
    scales, zeros = op._inputs[first].shape, op._inputs[first + 1].shape
    for shape in (scales, zeros):
        if (shape.rank or 0) > 1:
            raise ValueError(f"Shape must be at most rank 1 but is rank {shape.rank}")
    if scales.rank is None or zeros.rank is None:
        return
    if scales.rank != zeros.rank:
        raise ValueError("scales and zero_points must have same rank.")
    if scales.rank:
        scales.merge_with(size)
        zeros.merge_with(size)


def _check_matrices(lhs: Any, rhs: Any) -> None:
    for side, value in (("lhs", lhs), ("rhs", rhs)):
        if value.ndim != 2:
            raise InvalidArgumentError(f"{side} rank must be 2, but given {side} shape {shown(value.shape)}")
    if lhs.shape[1] != rhs.shape[0]:
        raise InvalidArgumentError(
            f"lhs.dim_size(1) and rhs.dim_size(0) must be equal, but given lhs shape {shown(lhs.shape)} and rhs shape {shown(rhs.shape)}"
        )


class UniformQuantizedDot(OpType):
    """The product of two matrices of numbers."""

    inputs = _WHOLE
    outputs = "output: Tout"
    attrs = "Tin: {qint8}, Tout: {qint32}, " + _LIMITS
    is_host_only = True
    samples = (
        sample(*_MATRICES, *_ONE, *_ONE, *_ONE, Tout="qint32", **_ALL),
        sample(*_MATRICES, *_ONE, *_FOUR, *_ONE, Tout="qint32", rhs_quantization_axis=1, **_ALL),
        sample(*_MATRICES, *_ONE, *_FOUR, *_FOUR, Tout="qint32", rhs_quantization_axis=1, output_quantization_axis=1, **_ALL),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        found = _dot_shape(op)
        for tensor in op._inputs[2:4]:
            tensor.shape.with_rank(0)
        for first in (4, 6):
            _check_scale_shapes(op, first, found[0][1:])
        return found

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
        Tout: DType,  # noqa: N803  # TensorFlow's attribute
        lhs_quantization_axis: int,
        rhs_quantization_axis: int,
        output_quantization_axis: int,
        output_quantization_min_val: int,
        output_quantization_max_val: int,
    ) -> Any:
        _check_axes(lhs_quantization_axis, rhs_quantization_axis, output_quantization_axis, 1)
        _check_matrices(lhs, rhs)
        check_axis(lhs.shape, lhs_scales, lhs_zero_points, -1)
        check_axis(rhs.shape, rhs_scales, rhs_zero_points, rhs_quantization_axis)
        check_axis((len(lhs), rhs.shape[1]), output_scales, output_zero_points, output_quantization_axis)
        check_positive(lhs_scales, rhs_scales, output_scales)
        left, right = (plain(lhs).astype(np.int64) - lhs_zero_points, plain(rhs).astype(np.int64) - rhs_zero_points)
        found = rescaled(left @ right, np.float64(lhs_scales) * rhs_scales / output_scales) + output_zero_points
        return clamped(found, output_quantization_min_val, output_quantization_max_val, Tout)


class UniformQuantizedDotHybrid(OpType):
    """The product of a matrix of reals and one of numbers."""

    inputs = "lhs: Tlhs, rhs: Trhs, rhs_scales: float, rhs_zero_points: int32"
    outputs = "output: Tout"
    attrs = "Tlhs: {float}, Trhs: {qint8}, Tout: {float}, " + _RIGHT_LIMITS
    is_host_only = True
    samples = (
        sample("float[5,3] in -2..3", _MATRICES[1], *_ONE, has_gradient=False, **_RIGHT),
        sample("float: [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]", _MATRICES[1], *_FOUR, rhs_quantization_axis=1, has_gradient=False, **_RIGHT),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        found = _dot_shape(op)
        _check_scale_shapes(op, 2, found[0][1:])
        return found

    @staticmethod
    def run(xp: Any, lhs: Any, rhs: Any, rhs_scales: Any, rhs_zero_points: Any, *, rhs_quantization_axis: int) -> Any:
        if rhs_quantization_axis not in (-1, 1):
            raise InvalidArgumentError("rhs_quantization_axis Attr must be 1 (per-channel) or -1 (per-tensor).")
        _check_matrices(lhs, rhs)
        check_axis(rhs.shape, rhs_scales, rhs_zero_points, rhs_quantization_axis)
        check_positive(rhs_scales)
        left, scales, _ = _by_rows(lhs)
        found = left @ (plain(rhs).astype(np.int64) - rhs_zero_points)
        return found.astype(np.int32).astype(np.float32) * scales[:, None] * rhs_scales


_GEOMETRY = (
    "window_strides: list(int) = [], padding: string, explicit_padding: list(int) = [], lhs_dilation: list(int) = [], rhs_dilation: list(int) = [], "
    "batch_group_count: int = 1, feature_group_count: int = 1, dimension_numbers: string = '', "
)
_NAMES = (
    "window_strides",
    "padding",
    "explicit_padding",
    "lhs_dilation",
    "rhs_dilation",
    "batch_group_count",
    "feature_group_count",
    "dimension_numbers",
)
_IMAGES: Any = quantized_sample([7 * number % 256 - 128 for number in range(2 * 4 * 5 * 4)], "qint8", (2, 4, 5, 4))
_KERNEL: Any = quantized_sample([11 * number % 256 - 128 for number in range(4 * 4 * 2 * 3)], "qint8", (4, 4, 2, 3))
_LAST = b"\x08\x00\x10\x03\x1a\x02\x01\x02\x20\x02\x28\x03\x32\x02\x00\x01\x38\x00\x40\x03\x4a\x02\x01\x02"
"""Channels last, as convolutions of images have them."""


def _known(*shapes: TensorShape) -> list[tuple[int, ...]]:
    return [tuple(size for size in shape.as_list() if size is not None) for shape in shapes]


def _conv_shape(op: Operation) -> list[TensorShape]:
    left, right = op._inputs[0].shape, op._inputs[1].shape
    if not left.is_fully_defined() or not right.is_fully_defined():
        return [TensorShape([None] * left.rank) if left.rank is not None else TensorShape([None] * right.rank) if right.rank else TensorShape(None)]
    try:
        return [TensorShape(Geometry({name: op.attr(name) for name in _NAMES}, *_known(left, right)).shape)]
    except InvalidArgumentError as error:
        raise ValueError(str(error)) from None


class UniformQuantizedConvolution(OpType):
    """A convolution of numbers."""

    inputs = _WHOLE
    outputs = "output: Tout"
    attrs = "Tin: {qint8}, Tout: {qint32}, " + _GEOMETRY + _LIMITS
    is_host_only = True
    samples = (
        sample(_IMAGES, _KERNEL, *_ONE, *_ONE, *_ONE, Tout="qint32", padding="SAME", **_ALL),
        sample(_IMAGES, _KERNEL, *_ONE, *_FOUR, *_ONE, Tout="qint32", padding="VALID", window_strides=[2, 1], rhs_quantization_axis=0, **_ALL),
        sample(
            _IMAGES, _KERNEL, *_ONE, *_FOUR, *_FOUR, Tout="qint32", padding="EXPLICIT", explicit_padding=[1, 0, 2, 3], lhs_dilation=[2, 1],
            rhs_dilation=[1, 2], rhs_quantization_axis=0, output_quantization_axis=1, **_ALL,
        ),
        sample(_IMAGES, _KERNEL[:, :2], *_ONE, *_ONE, *_ONE, Tout="qint32", padding="SAME", feature_group_count=2, **_ALL),
        sample(_IMAGES, _KERNEL, *_ONE, *_ONE, *_ONE, Tout="qint32", padding="SAME", batch_group_count=2, **_ALL),
        sample(_IMAGES, _KERNEL.reshape(2, 3, 4, 4), *_ONE, *_ONE, *_ONE, Tout="qint32", padding="SAME", dimension_numbers=_LAST, **_ALL),
    )  # fmt: skip
    shapes = staticmethod(_conv_shape)

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
        Tout: DType,  # noqa: N803  # TensorFlow's attribute
        window_strides: list[int],
        padding: bytes,
        explicit_padding: list[int],
        lhs_dilation: list[int],
        rhs_dilation: list[int],
        batch_group_count: int,
        feature_group_count: int,
        dimension_numbers: bytes,
        lhs_quantization_axis: int,
        rhs_quantization_axis: int,
        output_quantization_axis: int,
        output_quantization_min_val: int,
        output_quantization_max_val: int,
    ) -> Any:
        given = (window_strides, padding, explicit_padding, lhs_dilation, rhs_dilation, batch_group_count, feature_group_count, dimension_numbers)
        check_positive(lhs_scales, rhs_scales, output_scales)
        geometry = Geometry(dict(zip(_NAMES, given, strict=True)), lhs.shape, rhs.shape)
        if lhs_quantization_axis != -1:
            raise InvalidArgumentError("lhs_quantization_axis Attr must be -1 (per-tensor).")
        for side, axis, channels in (
            ("rhs", rhs_quantization_axis, geometry.layout.rhs[0]),
            ("output", output_quantization_axis, geometry.layout.output[1]),
        ):
            if axis not in (-1, channels):
                raise InvalidArgumentError(f"{side}_quantization_axis Attr must be {channels} (per-channel) or -1 (per-tensor).")
        if rhs_quantization_axis == -1 and output_quantization_axis != -1:
            raise InvalidArgumentError("If rhs is per-tensor quantized, output must be also per-tensor quantized.")
        check_axis(lhs.shape, lhs_scales, lhs_zero_points, -1)
        check_axis(rhs.shape, rhs_scales, rhs_zero_points, rhs_quantization_axis)
        check_axis(tuple(geometry.shape), output_scales, output_zero_points, output_quantization_axis)
        right = plain(rhs).astype(np.int64) - along(rhs_zero_points, rhs.ndim, rhs_quantization_axis)
        found = geometry.correlated(plain(lhs).astype(np.int64) - lhs_zero_points, right)
        ratio = np.float64(lhs_scales) * rhs_scales / output_scales
        found = rescaled(found, along(ratio, lhs.ndim, 1)) + along(output_zero_points, lhs.ndim, 1)
        return geometry.placed(clamped(found, output_quantization_min_val, output_quantization_max_val, Tout))


class UniformQuantizedConvolutionHybrid(OpType):
    """A convolution of reals with numbers."""

    inputs = "lhs: Tlhs, rhs: Trhs, rhs_scales: float, rhs_zero_points: int32"
    outputs = "output: Tout"
    attrs = "Tlhs: {float}, Trhs: {qint8}, Tout: {float}, " + _GEOMETRY + _RIGHT_LIMITS
    is_host_only = True
    samples = (
        sample("float[2,4,5,4] in -2..3", _KERNEL, *_ONE, padding="SAME", has_gradient=False, **_RIGHT),
        sample("float[2,4,5,4]", _KERNEL, *_FOUR, padding="VALID", rhs_quantization_axis=0, has_gradient=False, **_RIGHT),
        sample(
            "float[2,4,5,4] in 0..3", _KERNEL.reshape(2, 3, 4, 4), *_ONE, padding="SAME", dimension_numbers=_LAST, has_gradient=False, **_RIGHT
        ),
    )  # fmt: skip
    shapes = staticmethod(_conv_shape)

    @staticmethod
    def run(
        xp: Any,
        lhs: Any,
        rhs: Any,
        rhs_scales: Any,
        rhs_zero_points: Any,
        *,
        window_strides: list[int],
        padding: bytes,
        explicit_padding: list[int],
        lhs_dilation: list[int],
        rhs_dilation: list[int],
        batch_group_count: int,
        feature_group_count: int,
        dimension_numbers: bytes,
        rhs_quantization_axis: int,
    ) -> Any:
        given = (window_strides, padding, explicit_padding, lhs_dilation, rhs_dilation, batch_group_count, feature_group_count, dimension_numbers)
        check_positive(rhs_scales)
        geometry = Geometry(dict(zip(_NAMES, given, strict=True)), lhs.shape, rhs.shape)
        if rhs_quantization_axis not in (-1, geometry.layout.rhs[0]):
            raise InvalidArgumentError(f"rhs_quantization_axis Attr must be {geometry.layout.rhs[0]} (per-channel) or -1 (per-tensor).")
        check_axis(rhs.shape, rhs_scales, rhs_zero_points, rhs_quantization_axis)
        batch = geometry.layout.lhs[0]
        left, scales, _ = _by_rows(np.moveaxis(lhs, batch, 0))
        right = plain(rhs).astype(np.int64) - along(rhs_zero_points, rhs.ndim, rhs_quantization_axis)
        found = geometry.correlated(np.moveaxis(left, 0, batch), right).astype(np.int32).astype(np.float32)
        features = found.shape[1] // geometry.batch_groups
        of_batch = np.repeat(scales.reshape(geometry.batch_groups, -1).T, features, 1)  # [batch, features]: each group of features has its own
        return geometry.placed(found * of_batch.reshape(*of_batch.shape, *[1] * geometry.count) * along(rhs_scales, lhs.ndim, 1))
