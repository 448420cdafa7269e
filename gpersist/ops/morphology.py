"""Grey-scale dilation and erosion of images, and the patches of volumes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.graph import Operation, OpType, Tensor, apply, name_scope, sample
from gpersist.ops.arranging import reverse
from gpersist.ops.builders import renamed_argument
from gpersist.ops.unary import negative
from gpersist.ops.windows import Windows, of_volumes, positions, seen_by, windows
from gpersist.shapes import TensorShape

__all__ = ["dilation2d", "erosion2d", "extract_volume_patches"]

_NUMBERS = "T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64}"
_ATTRS = _NUMBERS + ", strides: list(int) >= 4, rates: list(int) >= 4, padding: {'SAME', 'VALID'}"
_PLAIN: dict[str, Any] = {"strides": [1, 1, 1, 1], "rates": [1, 1, 1, 1], "padding": "SAME"}
_SPARSE: dict[str, Any] = {"strides": [1, 2, 1, 1], "rates": [1, 1, 2, 1], "padding": "VALID"}


def _dilated_shape(op: Operation) -> TensorShape:
    value, kernel = op._inputs[0].shape.with_rank(4), op._inputs[1].shape.with_rank(3)
    strides, rates = op.attr("strides"), op.attr("rates")
    for name, values in (("stride", strides), ("rates", rates)):
        if len(values) != 4:
            raise ValueError(f"Dilation2D requires the {name} attribute to contain 4 values, but got: {len(values)}")
    value[3:].merge_with(kernel[2:])
    depth = kernel[2:]
    counts: list[int | None] = [None, None]  # of both or of neither
    sizes, widths = value[1:3].sizes, kernel[:2].sizes
    if sizes is not None and widths is not None and None not in (*sizes, *widths):
        if min(strides[1:3]) <= 0:
            raise ValueError(f"Stride must be > 0, but got {min(strides[1:3])}")
        counts = [
            windows(size or 0, width or 0, strides[axis], rates[axis], op.attr("padding")).number
            for axis, size, width in zip((1, 2), sizes, widths, strict=True)
        ]
    return TensorShape([*value[:1].as_list(), *counts, *depth.as_list()])


def _axes(value: Array, kernel: Array, strides: Any, rates: Any, padding: bytes) -> list[Windows]:
    if len(strides) != 4 or len(rates) != 4:
        raise InvalidArgumentError("Sliding window strides and rates must specify 4 dimensions")
    if {strides[0], strides[3], rates[0], rates[3]} != {1}:
        raise UnimplementedError("Stride and rate are only possible across spatial dimensions.")
    if value.ndim != 4 or kernel.ndim != 3:
        raise InvalidArgumentError(f"input must be 4-dimensional and filter 3-dimensional: {list(value.shape)}, {list(kernel.shape)}")
    if value.shape[3] != kernel.shape[2]:
        raise InvalidArgumentError(f"input and filter must have the same depth: {value.shape[3]} vs {kernel.shape[2]}")
    return [windows(value.shape[axis], kernel.shape[axis - 1], strides[axis], rates[axis], padding) for axis in (1, 2)]


def _sums(value: Array, kernel: Array, axes: list[Windows]) -> Iterator[tuple[Any, Any, Any, Array]]:
    """For each place in a window: the place, what it sees, the windows that see it, and the sums of those."""
    for place in positions(axes):
        seen, by = seen_by(axes, place)
        yield place, seen, by, value[seen] + kernel[place]


class Dilation2D(OpType):
    """The largest sum of each window with a filter of its size."""

    inputs = "input: T, filter: T"
    outputs = "output: T"
    attrs = _ATTRS
    samples = (
        sample("float[2,4,5,2]", "float[2,3,2]", **_PLAIN),
        sample("double[1,5,6,2]", "double[2,2,2]", **_SPARSE),
        sample("int32[1,4,4,1]", "int32[2,2,1]", **_PLAIN),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [_dilated_shape(op)]

    @staticmethod
    def run(xp: Any, value: Array, kernel: Array, *, strides: Any, rates: Any, padding: bytes) -> Array:
        return _largest(xp, value, kernel, _axes(value, kernel, strides, rates, padding))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        attrs = {name: op.attr(name) for name in ("strides", "rates", "padding")}
        return [apply(f"Dilation2DBackprop{of}", *op.inputs, grad, **attrs) for of in ("Input", "Filter")]


def _largest(xp: Any, value: Array, kernel: Array, axes: list[Windows]) -> Array:
    least = np.iinfo(value.dtype).min if value.dtype.kind in "iu" else np.finfo(value.dtype).min if value.dtype.kind == "f" else -np.inf
    out = xp.full((len(value), *(axis.number for axis in axes), value.shape[3]), least, value.dtype)
    for _, _, by, sums in _sums(value, kernel, axes):
        out[by] = xp.maximum(out[by], sums)
    return out


class _Backprop(OpType, abstract=True):
    inputs = "input: T, filter: T, out_backprop: T"
    attrs = _ATTRS
    samples = (
        sample("float[2,4,5,2]", "float[2,3,2]", "float[2,4,5,2]", **_PLAIN),
        sample("double[1,5,6,2]", "double[2,2,2]", "double[1,2,4,2]", **_SPARSE),
    )


def _winners(xp: Any, value: Array, kernel: Array, grad: Array, axes: list[Windows]) -> Iterator[tuple[Any, Any, Array]]:
    """For each place in a window: the place, what it sees, and the gradients of the windows whose largest sum is first found there."""
    best = _largest(xp, value, kernel, axes)
    if grad.shape != best.shape:
        raise InvalidArgumentError(f"out_backprop has incompatible size: {list(grad.shape)} instead of {list(best.shape)}")
    is_open = xp.ones(best.shape, bool)
    for place, seen, by, sums in _sums(value, kernel, axes):
        won = is_open[by] & (sums == best[by])
        is_open[by] &= ~won
        yield place, seen, xp.where(won, grad[by], grad.dtype.type(0))


class Dilation2DBackpropInput(_Backprop):
    """The gradient of `Dilation2D` with respect to its input."""

    outputs = "in_backprop: T"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape]

    @staticmethod
    def run(xp: Any, value: Array, kernel: Array, grad: Array, *, strides: Any, rates: Any, padding: bytes) -> Array:
        out = xp.zeros(value.shape, value.dtype)
        for _, seen, part in _winners(xp, value, kernel, grad, _axes(value, kernel, strides, rates, padding)):
            out[seen] += part
        return out


class Dilation2DBackpropFilter(_Backprop):
    """The gradient of `Dilation2D` with respect to its filter."""

    outputs = "filter_backprop: T"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[1].shape]

    @staticmethod
    def run(xp: Any, value: Array, kernel: Array, grad: Array, *, strides: Any, rates: Any, padding: bytes) -> Array:
        out = xp.zeros(kernel.shape, kernel.dtype)
        for place, _, part in _winners(xp, value, kernel, grad, _axes(value, kernel, strides, rates, padding)):
            out[place] = part.sum((0, 1, 2), dtype=kernel.dtype)
        return out


class ExtractVolumePatches(OpType):
    """Patches of volumes, each as the channels of one voxel."""

    inputs = "input: T"
    outputs = "patches: T"
    attrs = "ksizes: list(int) >= 5, strides: list(int) >= 5, " + _NUMBERS + ", padding: {'SAME', 'VALID'}"
    samples = (
        sample("float[1,3,4,5,2]", ksizes=[1, 2, 3, 2, 1], strides=[1, 1, 2, 1, 1], padding="SAME"),
        sample("double[2,3,4,5,1]", ksizes=[1, 2, 2, 3, 1], strides=[1, 1, 1, 2, 1], padding="VALID"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        value, ksizes, strides = op._inputs[0].shape.with_rank(5), op.attr("ksizes"), op.attr("strides")
        for name, values in (("ksizes", ksizes), ("strides", strides)):
            if len(values) != 5:
                raise ValueError(f"ExtractVolumePatches requires the {name} attribute to contain 5 values, but got: {len(values)}")
        batch, *sizes, depth = value.as_list()
        counts = [
            None if size is None else windows(size, ksizes[axis], strides[axis], 1, op.attr("padding")).number for axis, size in enumerate(sizes, 1)
        ]
        return [TensorShape([batch, *counts, None if depth is None else depth * ksizes[1] * ksizes[2] * ksizes[3]])]

    @staticmethod
    def run(xp: Any, value: Array, *, ksizes: Any, strides: Any, padding: bytes) -> Array:
        for name, values in (("ksizes", ksizes), ("strides", strides)):
            if len(values) != 5 or values[0] != 1 or values[4] != 1:
                raise UnimplementedError(f"{name} must have 5 elements, the first and the last of which are 1")
        if value.ndim != 5:
            raise InvalidArgumentError(f"input must be 5-dimensional: {list(value.shape)}")
        axes = of_volumes([windows(value.shape[axis], ksizes[axis], strides[axis], 1, padding) for axis in (1, 2, 3)], padding)
        out = xp.zeros((len(value), *(axis.number for axis in axes), *ksizes[1:4], value.shape[4]), value.dtype)
        for place in positions(axes):
            seen, by = seen_by(axes, place)
            out[(*by, *place)] = value[seen]
        return out.reshape(*out.shape[:4], value.shape[4] * ksizes[1] * ksizes[2] * ksizes[3])


def dilation2d(
    input: Any,  # TensorFlow's names
    filter: Any = None,
    strides: Any = None,
    rates: Any = None,
    padding: Any = None,
    name: str | None = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """The largest sum of each window of images with a filter (`tf.nn.dilation2d`).

    Args:
        input: [batch, height, width, channels].
        filter: [height, width, channels].
        strides: four numbers, the first and the last 1.
        rates: likewise, from one element of a window to the next.
        padding: "SAME" or "VALID".
        name: of the node.
        filters: the newer name of `filter`.
        dilations: the newer name of `rates`.

    Raises:
        ValueError: an argument is given under both of its names.
    """
    filter = renamed_argument("filter", filter, "filters", filters)
    rates = renamed_argument("rates", rates, "dilations", dilations)
    return apply("Dilation2D", input, filter, strides=strides, rates=rates, padding=padding, name=name)


def erosion2d(value: Any, kernel: Any, strides: Any, rates: Any, padding: Any, name: str | None = None) -> Tensor:
    """The smallest difference of each window of images and a filter (`tf.nn.erosion2d`); arguments as in `dilation2d`."""
    with name_scope(name, "erosion2d", [value, kernel]) as scope:
        turned = negative(value)
        found = apply("Dilation2D", turned, reverse(kernel, [0, 1]), strides=strides, rates=rates, padding=padding, name=scope)
        return negative(found)


def extract_volume_patches(input: Any, ksizes: Any, strides: Any, padding: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """Patches of volumes, each as the channels of one voxel (`tf.extract_volume_patches`)."""
    return apply("ExtractVolumePatches", input, ksizes=ksizes, strides=strides, padding=padding, name=name)
