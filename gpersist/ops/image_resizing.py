"""Images resized: each axis on its own, a weighted sum of a few rows (columns) for each row (column) of the result."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, constant_value, sample
from gpersist.ops.kernels import shown
from gpersist.ops.shaping import shape_of
from gpersist.shapes import TensorShape

__all__ = ["resize_area", "resize_bicubic", "resize_bilinear", "resize_nearest_neighbor"]

_TABLE_SIZE = 1 << 10
_LEGACY_CUBIC, _KEYS_CUBIC = -0.75, -0.5
_KINDS = "{int8, uint8, int16, uint16, int32, int64, half, float, double, bfloat16}"
_BILINEAR_KINDS = "{int8, uint8, int16, uint16, int32, int64, bfloat16, half, float, double, bfloat16}"


class _Taps(NamedTuple):
    """What each element of a resized axis is the sum of."""

    indices: np.ndarray[Any, Any]
    """Positions on the axis before, [new size, taps]."""
    weights: np.ndarray[Any, Any]
    """float32, [new size, taps]."""


def resize_bilinear(images: Any, size: Any, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False) -> Tensor:
    """Images resized, between neighbours in a straight line (`tf.image.resize_bilinear`).

    Args:
        images: [images, height, width, channels] of numbers.
        size: int32 [2], the new height and width.
        align_corners: whether the centres of the corners' pixels stay where they are.
        name: of the node.
        half_pixel_centers: whether a pixel's place is its centre.

    Returns:
        float32 [images, new height, new width, channels].
    """
    return _resize("ResizeBilinear", images, size, align_corners, name, half_pixel_centers)


def resize_nearest_neighbor(images: Any, size: Any, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False) -> Tensor:
    """Images resized, each pixel the nearest one (`tf.image.resize_nearest_neighbor`); see `resize_bilinear`. The type stays."""
    return _resize("ResizeNearestNeighbor", images, size, align_corners, name, half_pixel_centers)


def resize_bicubic(images: Any, size: Any, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False) -> Tensor:
    """Images resized, cubic between four neighbours (`tf.image.resize_bicubic`); see `resize_bilinear`."""
    return _resize("ResizeBicubic", images, size, align_corners, name, half_pixel_centers)


def resize_area(images: Any, size: Any, align_corners: bool = False, name: str | None = None) -> Tensor:
    """Images resized, each pixel the mean of the area that it covers (`tf.image.resize_area`); see `resize_bilinear`."""
    return apply("ResizeArea", images, size, align_corners=align_corners, name=name)


def _resize(op_name: str, images: Any, size: Any, align_corners: bool, name: str | None, half_pixel_centers: bool) -> Tensor:
    return apply(
        op_name,
        images,
        size,
        align_corners=align_corners,
        half_pixel_centers=half_pixel_centers,
        name=name,
    )


# ---- places on an axis


def _scale(before: int, after: int, align_corners: bool) -> np.float32:
    if align_corners and after > 1:
        return np.float32(before - 1) / np.float32(after - 1)
    return np.float32(before) / np.float32(after)


def _places(before: int, after: int, align_corners: bool, half_pixel_centers: bool) -> np.ndarray[Any, Any]:
    """Where each element lies on the axis before, float32."""
    scale, at = _scale(before, after, align_corners), np.arange(after, dtype=np.float32)
    return (at + np.float32(0.5)) * scale - np.float32(0.5) if half_pixel_centers else at * scale


def _linear(before: int, after: int, align_corners: bool, half_pixel_centers: bool) -> _Taps:
    places = _places(before, after, align_corners, half_pixel_centers)
    below = np.floor(places)
    upper = np.minimum(np.ceil(places).astype(np.int64), before - 1)
    lower = np.minimum(np.maximum(below.astype(np.int64), 0), upper)
    share = places - below
    return _Taps(np.stack([lower, upper], 1), np.stack([1 - share, share], 1))


def _nearest(before: int, after: int, align_corners: bool, half_pixel_centers: bool) -> np.ndarray[Any, Any]:
    at = np.arange(after, dtype=np.float32)
    places = (at + np.float32(0.5) if half_pixel_centers else at) * _scale(before, after, align_corners)
    whole = np.floor(places)
    if align_corners:
        whole += places - whole >= np.float32(0.5)
    found: np.ndarray[Any, Any] = np.minimum(whole.astype(np.int64), before - 1)
    return found


def _cubic(before: int, after: int, align_corners: bool, half_pixel_centers: bool) -> _Taps:
    a = _KEYS_CUBIC if half_pixel_centers else _LEGACY_CUBIC
    places = _places(before, after, align_corners, half_pixel_centers)
    below = np.floor(places)
    near = (np.rint((places - below) * np.float32(_TABLE_SIZE)) / _TABLE_SIZE).astype(np.float32)
    weights = np.stack([_outer(near, a), _inner(near, a), _inner(1 - near, a), _outer(1 - near, a)], 1)
    wanted = below.astype(np.int64)[:, None] + np.arange(-1, 3)
    indices = np.clip(wanted, 0, before - 1)
    if half_pixel_centers:  # what lies outside has no weight, and the others share it
        weights = np.where(indices == wanted, weights, np.float32(0))
        weights = weights / weights.sum(1, keepdims=True)
    return _Taps(indices, weights)


def _inner(x: Any, a: float) -> Any:
    return (((a + 2) * x - (a + 3)) * x * x + 1).astype(np.float32)


def _outer(x: Any, a: float) -> Any:
    x = x + np.float32(1)
    return (((a * x - 5 * a) * x + 8 * a) * x - 4 * a).astype(np.float32)


def _area(before: int, after: int, align_corners: bool) -> _Taps:
    scale = _scale(before, after, align_corners)
    if not scale:  # all of it is one pixel
        return _Taps(np.zeros((after, 1), np.int64), np.ones((after, 1), np.float32))
    starts = np.arange(after, dtype=np.float32) * scale
    ends = np.arange(1, after + 1, dtype=np.float32) * scale
    first, last = np.floor(starts).astype(np.int64), np.ceil(ends).astype(np.int64)
    indices = first[:, None] + np.arange(max(1, int((last - first).max())))
    shares = np.minimum(indices + 1, ends[:, None]) - np.maximum(indices, starts[:, None])
    shares = np.where(indices < last[:, None], np.minimum(shares, scale), 0)
    return _Taps(np.clip(indices, 0, before - 1), (shares / scale).astype(np.float32))


# ---- the operations


def _resized(xp: Any, images: Array, rows: _Taps, columns: _Taps) -> Array:
    """Images of float32 whose rows and columns are sums of others."""
    return _summed(xp, _summed(xp, images, columns, 2), rows, 1)


def _summed(xp: Any, images: Array, taps: _Taps, axis: int) -> Array:
    total: Any = None
    for indices, weights in zip(taps.indices.T, taps.weights.T, strict=True):
        part = images.take(xp.asarray(indices), axis) * xp.asarray(weights).reshape(-1, *[1] * (3 - axis))
        total = part if total is None else total + part
    return total


def _spread(xp: Any, grads: Array, taps: _Taps, before: int, axis: int) -> Array:
    """The gradient before an axis was resized: each element's goes to what it was the sum of."""
    matrix = np.zeros((before, len(taps.indices)), grads.dtype)
    np.add.at(matrix, (taps.indices, np.arange(len(taps.indices))[:, None]), taps.weights.astype(grads.dtype))
    return xp.moveaxis(xp.tensordot(xp.asarray(matrix), grads, (1, axis)), 0, axis)


def _new_size(images: Any, size: Any) -> tuple[int, int]:
    if images.ndim != 4:
        raise InvalidArgumentError(f"input must be 4-dimensional{shown(images.shape)}")
    if size.shape != (2,):
        raise InvalidArgumentError(f"shape_t must be 1-dimensional and have two elements, not {shown(size.shape)}")
    height, width = map(int, size)
    if height <= 0 or width <= 0:
        raise InvalidArgumentError("output dimensions must be positive")
    if not images.shape[1] or not images.shape[2]:
        raise InvalidArgumentError("input image must be of non-zero size")
    if not images.shape[3]:
        raise InvalidArgumentError("image must have at least one channel")
    return height, width


def _check_centers(align_corners: bool, half_pixel_centers: bool) -> None:
    if align_corners and half_pixel_centers:
        raise InvalidArgumentError("If half_pixel_centers is True, align_corners must be False.")


class _Resize(OpType, abstract=True):
    """Images of another size."""

    inputs = "images: T, size: int32"
    outputs = "resized_images: float"
    attrs = f"T: {_KINDS}, align_corners: bool = false, half_pixel_centers: bool = false"
    host_inputs = ("size",)
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("float[2,3,4,2]", "int32: [5, 3]"),
        sample("float[1,3,4,1]", "int32: [6, 7]", align_corners=True),
        sample("float[1,5,4,1]", "int32: [3, 8]", half_pixel_centers=True),
        sample("uint8[1,2,2,1] in 0..255", "int32: [3, 3]"),
        sample("float[1,2,3,2]", "int32: [2, 3]"),
        sample("float[0,2,3,2]", "int32: [1, 1]"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        images, size = op._inputs[0].shape.with_rank(4), op._inputs[1]
        return [_resized_shape(images, size)]


def _resized_shape(images: TensorShape, size: Tensor) -> TensorShape:
    size.shape.with_rank(1)
    if size.shape.sizes is not None and size.shape.sizes[0] not in (2, None):
        raise ValueError(f"Dimension must be 2 but is {size.shape.sizes[0]}")
    known = constant_value(size)
    count, _, _, channels = images.as_list()
    return TensorShape([count, *([None, None] if known is None else [None if size < 0 else size for size in known.tolist()]), channels])


class ResizeBilinear(_Resize):
    """Straight lines between neighbours."""

    attrs = f"T: {_BILINEAR_KINDS}, align_corners: bool = false, half_pixel_centers: bool = false"

    @staticmethod
    def run(xp: Any, images: Array, size: Any, *, align_corners: bool, half_pixel_centers: bool) -> Array:
        _check_centers(align_corners, half_pixel_centers)
        height, width = _new_size(images, size)
        found = images.astype(np.float32)
        if images.shape[1:3] == (height, width):
            return found
        (left, right), (_, x) = (part.T for part in _linear(images.shape[2], width, align_corners, half_pixel_centers))
        (top, bottom), (_, y) = (part.T for part in _linear(images.shape[1], height, align_corners, half_pixel_centers))
        found = _between(found.take(xp.asarray(left), 2), found.take(xp.asarray(right), 2), xp.asarray(x)[:, None])
        return _between(found.take(xp.asarray(top), 1), found.take(xp.asarray(bottom), 1), xp.asarray(y)[:, None, None])

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        image = op.inputs[0]
        if not image.dtype.is_floating:
            return [None, None]
        attrs = {name: op.attr(name) for name in ("align_corners", "half_pixel_centers")}
        return [apply("ResizeBilinearGrad", grad, image, **attrs), None]


def _between(start: Array, end: Array, share: Array) -> Array:
    end -= start  # both are fresh
    end *= share
    start += end
    return start


class ResizeBicubic(_Resize):
    """Cubic curves between neighbours."""

    @staticmethod
    def run(xp: Any, images: Array, size: Any, *, align_corners: bool, half_pixel_centers: bool) -> Array:
        _check_centers(align_corners, half_pixel_centers)
        height, width = _new_size(images, size)
        rows = _cubic(images.shape[1], height, align_corners, half_pixel_centers)
        return _resized(xp, images.astype(np.float32), rows, _cubic(images.shape[2], width, align_corners, half_pixel_centers))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        image = op.inputs[0]
        if image.dtype.name not in ("float32", "float64"):
            return [None, None]
        attrs = {name: op.attr(name) for name in ("align_corners", "half_pixel_centers")}
        return [apply("ResizeBicubicGrad", grad, image, **attrs), None]


class ResizeNearestNeighbor(_Resize):
    """The nearest pixels."""

    outputs = "resized_images: T"

    @staticmethod
    def run(xp: Any, images: Array, size: Any, *, align_corners: bool, half_pixel_centers: bool) -> Array:
        _check_centers(align_corners, half_pixel_centers)
        height, width = _new_size(images, size)
        rows = _nearest(images.shape[1], height, align_corners, half_pixel_centers)
        columns = _nearest(images.shape[2], width, align_corners, half_pixel_centers)
        return images.take(xp.asarray(rows), 1).take(xp.asarray(columns), 2)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        image = op.inputs[0]
        known = image.shape.as_list()[1:3] if image.shape.rank is not None else [None, None]
        size = shape_of(image)[1:3] if None in known else known
        attrs = {name: op.attr(name) for name in ("align_corners", "half_pixel_centers")}
        return [apply("ResizeNearestNeighborGrad", grad, size, **attrs), None]


class ResizeArea(_Resize):
    """Means of areas."""

    attrs = f"T: {_KINDS}, align_corners: bool = false"
    samples = tuple(found for found in _Resize.samples if "half_pixel_centers" not in found.attrs)

    @staticmethod
    def run(xp: Any, images: Array, size: Any, *, align_corners: bool) -> Array:
        height, width = _new_size(images, size)
        return _resized(xp, images.astype(np.float32), _area(images.shape[1], height, align_corners), _area(images.shape[2], width, align_corners))


class _ResizeGrad(OpType, abstract=True):
    """The gradient of images that were resized, with respect to them."""

    inputs = "grads: float, original_image: T"
    outputs = "output: T"
    attrs = "T: {float, double}, align_corners: bool = false, half_pixel_centers: bool = false"
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("float[2,5,3,2]", "float[2,3,4,2]"),
        sample("float[1,6,7,1]", "float[1,3,4,1]", align_corners=True),
        sample("float[1,3,8,1]", "double[1,5,4,1]", half_pixel_centers=True),
    )
    taps: ClassVar[Any] = None

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[1].shape]


def _resize_grad(xp: Any, taps: Any, grads: Array, image: Array, align_corners: bool, half_pixel_centers: bool) -> Array:
    _check_centers(align_corners, half_pixel_centers)
    if grads.ndim != 4 or image.ndim != 4:
        raise InvalidArgumentError(f"input_grad and original_image must be 4-dimensional, not {shown(grads.shape)} and {shown(image.shape)}")
    if 0 in grads.shape[1:3] or 0 in image.shape[1:3]:
        raise InvalidArgumentError("input image must be of non-zero size")
    found = grads.astype(np.float64 if image.dtype == np.float64 else np.float32)
    for axis in (1, 2):
        before = image.shape[axis]
        found = _spread(xp, found, taps(before, grads.shape[axis], align_corners, half_pixel_centers), before, axis)
    return found.astype(image.dtype)


class ResizeBilinearGrad(_ResizeGrad):
    """The gradient of `ResizeBilinear`."""

    attrs = "T: {float, bfloat16, half, double}, align_corners: bool = false, half_pixel_centers: bool = false"

    @staticmethod
    def run(xp: Any, grads: Array, original_image: Array, *, align_corners: bool, half_pixel_centers: bool) -> Array:
        return _resize_grad(xp, _linear, grads, original_image, align_corners, half_pixel_centers)


class ResizeBicubicGrad(_ResizeGrad):
    """The gradient of `ResizeBicubic`."""

    @staticmethod
    def run(xp: Any, grads: Array, original_image: Array, *, align_corners: bool, half_pixel_centers: bool) -> Array:
        return _resize_grad(xp, _cubic, grads, original_image, align_corners, half_pixel_centers)


class ResizeNearestNeighborGrad(OpType):
    """The gradient of `ResizeNearestNeighbor`."""

    inputs = "grads: T, size: int32"
    outputs = "output: T"
    attrs = "T: {uint8, int8, int32, half, float, double, bfloat16}, align_corners: bool = false, half_pixel_centers: bool = false"
    host_inputs = ("size",)
    samples = (
        sample("float[2,5,3,2]", "int32: [3, 4]"),
        sample("float[1,6,7,1]", "int32: [3, 4]", align_corners=True),
        sample("double[1,3,8,1]", "int32: [5, 4]", half_pixel_centers=True),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [_resized_shape(op._inputs[0].shape.with_rank(4), op._inputs[1])]

    @staticmethod
    def run(xp: Any, grads: Array, size: Any, *, align_corners: bool, half_pixel_centers: bool) -> Array:
        _check_centers(align_corners, half_pixel_centers)
        if grads.ndim == 4 and not grads.size and size.shape == (2,) and size.min() > 0:
            return xp.zeros((grads.shape[0], *size.tolist(), grads.shape[3]), grads.dtype)
        height, width = _new_size(grads, size)
        found = grads
        for axis, before in ((1, height), (2, width)):
            indices = _nearest(before, grads.shape[axis], align_corners, half_pixel_centers)[:, None]
            found = _spread(xp, found, _Taps(indices, np.ones(indices.shape, np.float32)), before, axis)
        return found.astype(grads.dtype)
