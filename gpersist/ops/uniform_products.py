"""Matrix products and convolutions of uniformly quantised numbers; the left one may be of reals, which are quantised row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, sample
from gpersist.ops.kernels import shown
from gpersist.ops.quantization import plain, quantized_sample
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


class _Layout(NamedTuple):
    """Which axes are which: of each array those of batch and features (of a kernel, output and input features), then the spatial ones."""

    lhs: list[int]
    rhs: list[int]
    output: list[int]

    @classmethod
    def of(cls, text: bytes, rank: int) -> _Layout:
        """From a serialised UniformQuantizedConvolutionDimensionNumbersAttr; from nothing, all in this order."""
        fields: dict[int, list[int]] = {number: [] for number in range(1, 10)}
        for number, value in _fields(text):
            if number in fields:
                fields[number].append(value)
        if not fields[3]:
            return cls(*[list(range(rank))] * 3)
        one = {number: fields[number][-1] if fields[number] else 0 for number in (1, 2, 4, 5, 7, 8)}
        found = cls([one[1], one[2], *fields[3]], [one[5], one[4], *fields[6]], [one[7], one[8], *fields[9]])
        for axes in found:
            if sorted(axes) != list(range(rank)):
                raise InvalidArgumentError(f"Each dimension number must be in region [0, rank), once. Given rank {rank} and {axes}")
        return found


def _fields(text: bytes) -> Iterator[tuple[int, int]]:
    """The fields of a message of whole numbers, with those of packed ones."""
    place = 0

    def number() -> int:
        nonlocal place
        found = shift = 0
        while place < len(text) and shift < 64:
            byte = text[place]
            place += 1
            found |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return found
        raise InvalidArgumentError("Error parsing convolution dimension numbers.")

    while place < len(text):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
        elif key & 7 == 2:
            end = number() + place
            while place < min(end, len(text)):
                yield key >> 3, number()
        else:
            raise InvalidArgumentError("Error parsing convolution dimension numbers.")


class _Geometry:
    """A convolution in any number of spatial axes, its attributes checked against the shapes."""

    def __init__(self, attrs: dict[str, Any], lhs: tuple[int, ...], rhs: tuple[int, ...]) -> None:
        if len(lhs) != len(rhs):
            raise InvalidArgumentError(f"lhs and rhs must have same dims. Given lhs and rhs of shapes: {shown(lhs)}{shown(rhs)}")
        if len(lhs) <= 2:
            raise InvalidArgumentError(f"lhs and rhs shape dims must be at least 3. Given: {len(lhs)}")
        self.count = len(lhs) - 2
        self.strides, self.lhs_dilation, self.rhs_dilation = (
            self._each(attrs[name], name) for name in ("window_strides", "lhs_dilation", "rhs_dilation")
        )
        self.layout = _Layout.of(attrs["dimension_numbers"], len(lhs))
        self.groups, self.batch_groups = attrs["feature_group_count"], attrs["batch_group_count"]
        left, right = [lhs[axis] for axis in self.layout.lhs], [rhs[axis] for axis in self.layout.rhs]
        self._check_groups(left, right)
        sizes = [_dilated(size, step) for size, step in zip(left[2:], self.lhs_dilation, strict=True)]
        kernel = [_dilated(size, step) for size, step in zip(right[2:], self.rhs_dilation, strict=True)]
        self.pairs = self._pairs(attrs["padding"], attrs["explicit_padding"], sizes, kernel)
        spatial = zip(sizes, kernel, self.pairs, self.strides, strict=True)
        counts = [(size + sum(pair) - width + stride) // stride for size, width, pair, stride in spatial]
        found = [left[0] // self.batch_groups, right[0], *counts]
        if min(found) < 0:
            raise InvalidArgumentError(f"the output would have a negative size: {found}")
        self.shape = [0] * len(lhs)
        for axis, size in zip(self.layout.output, found, strict=True):
            self.shape[axis] = size

    def _each(self, values: list[int], name: str) -> list[int]:
        if not values:
            return [1] * self.count
        if len(values) != self.count:
            raise InvalidArgumentError(f"Size of {name} Attr must be dims - 2.")
        if min(values) < 1:
            raise InvalidArgumentError(f"All elements of {name} must be >= 1. Given {', '.join(map(str, values))}")
        return list(values)

    def _check_groups(self, left: list[int], right: list[int]) -> None:
        for name, count, whole in (("feature", self.groups, left[1]), ("batch", self.batch_groups, left[0])):
            if count <= 0:
                raise InvalidArgumentError(f"{name}_group_count must be a positive integer, given: {count}")
            if whole % count:
                raise InvalidArgumentError(f"{name}_group_count must divide lhs {name} dimension size, but {count} does not divide {whole}")
            if right[0] % count:
                raise InvalidArgumentError(
                    f"rhs output dimension size must be a multiple of {name}_group_count, but {right[0]} is not one of {count}"
                )
        if left[1] // self.groups != right[1]:
            raise InvalidArgumentError(
                "lhs feature dimension size divided by feature_group_count must equal the rhs input feature dimension size, but "
                f"{left[1]} / {self.groups} != {right[1]}"
            )

    def _pairs(self, padding: bytes, explicit: list[int], sizes: list[int], kernel: list[int]) -> list[tuple[int, int]]:
        if padding not in (b"EXPLICIT", b"SAME", b"VALID"):
            raise InvalidArgumentError(f"padding Attr must be one of [EXPLICIT | SAME | VALID], but given: {padding.decode(errors='replace')}")
        if padding != b"EXPLICIT":
            if explicit:
                raise InvalidArgumentError("If padding Attr is not 'EXPLICIT', explicit_padding Attr must be empty.")
            if padding == b"VALID":
                return [(0, 0)] * self.count
            found = []
            for size, width, stride in zip(sizes, kernel, self.strides, strict=True):
                total = max((-(-size // stride) - 1) * stride + width - size, 0)
                found.append((total // 2, total - total // 2))
            return found
        if len(explicit) != 2 * self.count:
            raise InvalidArgumentError(f"Size of explicit_padding Attr must be 2 * (rank - 2). Given {len(explicit)}")
        if min(explicit) < 0:
            raise InvalidArgumentError(f"All explicit_padding elems must be >= 0, Given {', '.join(map(str, explicit))}")
        return list(zip(explicit[::2], explicit[1::2], strict=True))

    def correlated(self, left: Any, right: Any) -> Any:
        """What kernels give, [batch, features, *spatial], of whole numbers in their own layouts, zero points taken off."""
        left, right = np.transpose(left, self.layout.lhs), np.transpose(right, self.layout.rhs)
        padded = np.zeros(
            (
                *left.shape[:2],
                *(_dilated(size, step) + sum(pair) for size, step, pair in zip(left.shape[2:], self.lhs_dilation, self.pairs, strict=True)),
            ),
            np.float64,  # which holds every sum of products of 8 bits
        )
        inner = zip(left.shape[2:], self.lhs_dilation, self.pairs, strict=True)
        padded[(slice(None), slice(None), *(slice(pair[0], pair[0] + _dilated(size, step), step) for size, step, pair in inner))] = left
        widths = [_dilated(size, step) for size, step in zip(right.shape[2:], self.rhs_dilation, strict=True)]
        windows = np.lib.stride_tricks.sliding_window_view(padded, widths, tuple(range(2, padded.ndim)))
        windows = windows[
            (slice(None), slice(None), *(slice(None, None, step) for step in self.strides), *(slice(None, None, step) for step in self.rhs_dilation))
        ]
        axes = [1, *range(2 + self.count, 2 + 2 * self.count)]
        batches, features = windows.shape[0] // self.batch_groups, right.shape[1]
        parts = []
        for group in range(self.groups * self.batch_groups):
            rows = slice(group // self.groups * batches, (group // self.groups + 1) * batches) if self.batch_groups > 1 else slice(None)
            columns = slice(group % self.groups * features, (group % self.groups + 1) * features)
            chosen = np.array_split(right, self.groups * self.batch_groups)[group]
            part = np.tensordot(windows[rows, columns], chosen.astype(np.float64), (axes, range(1, right.ndim)))
            parts.append(np.moveaxis(part, -1, 1))
        return np.concatenate(parts, 1).astype(np.int64)

    def placed(self, found: Any) -> Any:
        """An output in its own layout."""
        return np.transpose(found, np.argsort(self.layout.output))


def _dilated(size: int, step: int) -> int:
    return (size - 1) * step + 1 if size else 0


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
        return [TensorShape(_Geometry({name: op.attr(name) for name in _NAMES}, *_known(left, right)).shape)]
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
        geometry = _Geometry(dict(zip(_NAMES, given, strict=True)), lhs.shape, rhs.shape)
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
        geometry = _Geometry(dict(zip(_NAMES, given, strict=True)), lhs.shape, rhs.shape)
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
