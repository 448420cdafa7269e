"""Images scaled and shifted with filters of any kind (`ScaleAndTranslate`), and seen from elsewhere (`ImageProjectiveTransformV2`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, constant_value, sample
from gpersist.ops.kernels import shown
from gpersist.shapes import TensorShape

_Vector = np.ndarray[Any, Any]
_FEW = np.float32(1000 * np.finfo(np.float32).tiny)
"""Weights whose sum is less are left as they are."""


def _lanczos(radius: float) -> Callable[[_Vector], _Vector]:
    def weights(x: _Vector) -> _Vector:
        safe = np.where(x <= 1e-3, np.float32(1), x)
        turn = np.float32(np.pi) * safe
        found = np.float32(radius) * np.sin(turn) * np.sin(turn / np.float32(radius)) / (turn * turn)
        return np.where(x > radius, 0, np.where(x <= 1e-3, 1, found))

    return weights


def _gaussian(x: _Vector) -> _Vector:
    sigma = 1.5 / 3
    return np.where(x >= 1.5, 0, np.exp(-x * x / np.float32(2 * sigma * sigma)))


def _box(x: _Vector) -> _Vector:
    return np.where(x < 0.5, 1.0, np.where(x == 0.5, 0.5, 0.0))


def _triangle(x: _Vector) -> _Vector:
    return np.where(x < 1, 1 - x, 0)


def _keys_cubic(x: _Vector) -> _Vector:
    return np.where(x >= 2, 0, np.where(x >= 1, ((-0.5 * x + 2.5) * x - 4) * x + 2, ((1.5 * x - 2.5) * x) * x + 1))


def _mitchell_cubic(x: _Vector) -> _Vector:
    far = ((-7 / 18 * x + 2) * x - 10 / 3) * x + 16 / 9
    return np.where(x >= 2, 0, np.where(x >= 1, far, ((7 / 6 * x - 2) * x) * x + 8 / 9))


_KERNELS: dict[bytes, tuple[float, Callable[[_Vector], _Vector]]] = {
    b"lanczos1": (1, _lanczos(1)),
    b"lanczos3": (3, _lanczos(3)),
    b"lanczos5": (5, _lanczos(5)),
    b"gaussian": (1.5, _gaussian),
    b"box": (1, _box),
    b"triangle": (1, _triangle),
    b"keyscubic": (2, _keys_cubic),
    b"mitchellcubic": (2, _mitchell_cubic),
}
"""Each kernel's radius, and its weights by distance."""


def _weights(kernel: bytes, before: int, after: int, scale: float, translation: float, antialias: bool) -> _Vector:
    """What each new element of an axis is the sum of: float32 [new size, size before]."""
    if kernel not in _KERNELS:
        raise InvalidArgumentError(f"Unrecognized kernel type: {kernel.decode()}")
    radius, weights_at = _KERNELS[kernel]
    inverse = np.float32(1 / np.float32(scale))
    shift = np.float32(-inverse * np.float32(translation))
    stretch = max(inverse, np.float32(1)) if antialias else np.float32(1)
    places = (np.arange(after, dtype=np.float32) + np.float32(0.5)) * inverse + shift
    reach = np.float32(radius) * stretch
    half = np.float32(0.5)
    first = np.clip(np.ceil(places - reach - half), 0, before - 1)
    last = np.clip(np.floor(places + reach - half), 0, before - 1)
    sources = np.arange(before, dtype=np.float32)
    found = weights_at(np.abs((sources + half - places[:, None]) * (np.float32(1) / stretch))).astype(np.float32)
    is_seen = (places >= 0) & (places <= before)
    found = np.where((sources >= first[:, None]) & (sources <= last[:, None]) & is_seen[:, None], found, np.float32(0))
    total = found.sum(1, keepdims=True, dtype=np.float32)
    is_enough = np.abs(total) >= _FEW
    return np.where(is_enough, found / np.where(is_enough, total, np.float32(1)), found).astype(np.float32)


def _both(kernel: bytes, before: Any, after: Any, scale: Any, translation: Any, antialias: bool) -> list[_Vector]:
    if scale.shape != (2,) or translation.shape != (2,):
        raise InvalidArgumentError(f"scale and translation must have two elements, got {shown(scale.shape)} and {shown(translation.shape)}")
    if not (scale > 0).all():
        raise InvalidArgumentError(f"Scale must be greater than zero, got {scale}")
    return [_weights(kernel, before[axis], int(after[axis]), scale[axis], translation[axis], antialias) for axis in (0, 1)]


class ScaleAndTranslate(OpType):
    """Images scaled and shifted."""

    inputs = "images: T, size: int32, scale: float, translation: float"
    outputs = "resized_images: float"
    attrs = "T: {int8, uint8, int16, uint16, int32, int64, bfloat16, half, float, double}, kernel_type: string = 'lanczos3', antialias: bool = true"
    host_inputs = ("size", "scale", "translation")
    samples = (
        sample("float[1,5,6,2]", "int32: [4, 3]", "float: [0.8, 0.5]", "float: [0.3, -0.4]"),
        sample("float[1,4,5,1]", "int32: [6, 8]", "float: [1.5, 1.6]", "float: [0, 0]", kernel_type="triangle", antialias=False),
        sample("int32[1,4,5,1] in 0..9", "int32: [2, 2]", "float: [0.5, 0.4]", "float: [0, 0]", kernel_type="keyscubic", has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        images = op._inputs[0].shape.with_rank(4).as_list()
        for tensor in op._inputs[1:]:
            tensor.shape.merge_with([2])
        size = constant_value(op._inputs[1])
        return [TensorShape([images[0], *([None, None] if size is None else [None if each < 0 else int(each) for each in size]), images[3]])]

    @staticmethod
    def run(xp: Any, images: Array, size: Any, scale: Any, translation: Any, *, kernel_type: bytes, antialias: bool) -> Array:
        if images.ndim != 4 or 0 in images.shape[1:3]:
            raise InvalidArgumentError(f"input must be 4-dimensional and of non-zero size, got {shown(images.shape)}")
        if size.shape != (2,) or (size <= 0).any():
            raise InvalidArgumentError(f"output dimensions must be positive, got {size}")
        rows, columns = _both(kernel_type, images.shape[1:3], size, scale, translation, antialias)
        wide = xp.tensordot(images.astype(np.float32), xp.asarray(rows), (1, 1))  # image, column, channel, new row
        return xp.ascontiguousarray(xp.transpose(xp.tensordot(wide, xp.asarray(columns), (1, 1)), (0, 2, 3, 1)))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        images, _, scale, translation = op.inputs
        attrs = {name: op.attr(name) for name in ("kernel_type", "antialias")}
        return [apply("ScaleAndTranslateGrad", grad, images, scale, translation, **attrs), None, None, None]


class ScaleAndTranslateGrad(OpType):
    """The gradient of `ScaleAndTranslate`."""

    inputs = "grads: T, original_image: T, scale: float, translation: float"
    outputs = "output: T"
    attrs = "T: {float}, kernel_type: string = 'lanczos3', antialias: bool = true"
    host_inputs = ("scale", "translation")
    samples = (sample("float[1,4,3,2]", "float[1,5,6,2]", "float: [0.8, 0.5]", "float: [0.3, -0.4]", has_gradient=False),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[1].shape]

    @staticmethod
    def run(xp: Any, grads: Array, image: Array, scale: Any, translation: Any, *, kernel_type: bytes, antialias: bool) -> Array:
        if grads.ndim != 4 or image.ndim != 4:
            raise InvalidArgumentError(f"grads and original_image must be 4-dimensional, got {shown(grads.shape)} and {shown(image.shape)}")
        rows, columns = _both(kernel_type, image.shape[1:3], grads.shape[1:3], scale, translation, antialias)
        wide = xp.tensordot(grads, xp.asarray(rows), (1, 0))
        return xp.ascontiguousarray(xp.transpose(xp.tensordot(wide, xp.asarray(columns), (1, 0)), (0, 2, 3, 1)))


def _mapped(xp: Any, at: Array, size: int, fill_mode: bytes) -> Array:
    """Places outside of an axis, as the fill mode has them."""
    if fill_mode == b"CONSTANT":
        return at
    last = xp.float32(size - 1)
    if fill_mode == b"REFLECT" and size > 1:
        twice = xp.float32(2 * size)
        low = xp.where(at < twice, twice * xp.trunc(-at / twice) + at, at)
        low = xp.where(low < -size, low + twice, -low - 1)
        high = at - twice * xp.trunc(at / twice)
        high = xp.where(high >= size, twice - high - 1, high)
        at = xp.where(at < 0, low, xp.where(at > last, high, at))
    elif fill_mode == b"WRAP" and size > 1:
        low, high = at + size * (xp.trunc(-at / last) + 1), at - size * xp.trunc(at / last)
        at = xp.where(at < 0, low, xp.where(at > last, high, at))
    return xp.clip(at, 0, last)


def _transformed(xp: Any, images: Array, transforms: Array, size: Any, interpolation: bytes, fill_mode: bytes, fill: Any) -> Array:
    if images.ndim != 4:
        raise InvalidArgumentError(f"input images must be 4-dimensional, got {shown(images.shape)}")
    if transforms.ndim != 2 or transforms.shape[1] != 8 or transforms.shape[0] not in (1, images.shape[0]):
        raise InvalidArgumentError(f"Input transform should be num_images x 8 or 1 x 8, got {shown(transforms.shape)}")
    if size.shape != (2,) or (size <= 0).any():
        raise InvalidArgumentError(f"new height and width must be positive, got {size}")
    if interpolation not in (b"NEAREST", b"BILINEAR"):
        raise InvalidArgumentError(f"Invalid interpolation {interpolation.decode()}. Supported types: NEAREST, BILINEAR")
    if fill_mode not in (b"REFLECT", b"WRAP", b"CONSTANT", b"NEAREST"):
        raise InvalidArgumentError(f"Invalid mode {fill_mode.decode()}. Supported types: REFLECT, WRAP, CONSTANT, NEAREST")
    count, height, width, _ = images.shape
    y = xp.arange(int(size[0]), dtype=np.float32)[None, :, None]
    x = xp.arange(int(size[1]), dtype=np.float32)[None, None, :]
    a0, a1, a2, b0, b1, b2, c0, c1 = (transforms[:, place].reshape(-1, 1, 1) for place in range(8))
    depth = c0 * x + c1 * y + 1
    safe = xp.where(depth == 0, xp.float32(1), depth)
    columns = _mapped(xp, (a0 * x + a1 * y + a2) / safe, width, fill_mode)
    rows = _mapped(xp, (b0 * x + b1 * y + b2) / safe, height, fill_mode)
    shape = (count, *rows.shape[1:])
    rows, columns = xp.broadcast_to(rows, shape), xp.broadcast_to(columns, shape)
    image = xp.arange(count)[:, None, None]
    is_plain = interpolation == b"NEAREST"
    wide = images.dtype if is_plain or images.dtype == np.float64 else np.dtype(np.float32)

    def at(row: Array, column: Array) -> Array:
        is_inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        found = images[image, xp.where(is_inside, row, 0).astype(np.int64), xp.where(is_inside, column, 0).astype(np.int64)]
        return xp.where(is_inside[..., None], found, fill).astype(wide)

    if is_plain:
        found = at(_away(xp, rows), _away(xp, columns))
    else:
        top, left = xp.floor(rows), xp.floor(columns)
        to_top, to_left, to_below, to_right = (each[..., None] for each in (rows - top, columns - left, top + 1 - rows, left + 1 - columns))
        upper = to_right * at(top, left) + to_left * at(top, left + 1)
        lower = to_right * at(top + 1, left) + to_left * at(top + 1, left + 1)
        found = to_below * upper + to_top * lower
    is_seen = xp.broadcast_to(depth != 0, shape)[..., None]
    return xp.where(is_seen, found, fill).astype(images.dtype)


def _away(xp: Any, places: Array) -> Array:
    """Rounded; halves go away from 0."""
    return xp.trunc(places + xp.where(places < 0, xp.float32(-0.5), xp.float32(0.5)))


class _Projective(OpType, abstract=True):
    """Images seen from elsewhere: where each new pixel comes from, is told by eight numbers."""

    outputs = "transformed_images: dtype"
    attrs = "dtype: {uint8, int32, int64, half, bfloat16, float, double}, interpolation: string, fill_mode: string = 'CONSTANT'"
    host_inputs: ClassVar[tuple[str, ...]] = ("output_shape",)
    samples: ClassVar[tuple[Sample, ...]] = ()

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        images = op._inputs[0].shape.with_rank(4).as_list()
        op._inputs[2].shape.merge_with([2])
        size = constant_value(op._inputs[2])
        return [TensorShape([images[0], *([None, None] if size is None else [int(each) for each in size]), images[3]])]


class ImageProjectiveTransformV2(_Projective):
    """Images seen from elsewhere; zeros are around them, unless the fill mode says otherwise."""

    inputs = "images: dtype, transforms: float, output_shape: int32"
    samples = (
        sample("float[2,4,5,3]", "float: [[0.9, 0.2, -1, 0.1, 1, 0.3, 0, 0]]", "int32: [3, 6]", interpolation="BILINEAR", has_gradient=False),
        sample("uint8[1,4,5,1] in 0..255", "float: [[1, 0, 3, 0, 1, -2, 0, 0]]", "int32: [4, 5]", interpolation="NEAREST", fill_mode="REFLECT"),
    )

    @staticmethod
    def run(xp: Any, images: Array, transforms: Array, output_shape: Any, *, interpolation: bytes, fill_mode: bytes) -> Array:
        return _transformed(xp, images, transforms, output_shape, interpolation, fill_mode, images.dtype.type(0))


class ImageProjectiveTransformV3(_Projective):
    """The same; what is around them is an input."""

    inputs = "images: dtype, transforms: float, output_shape: int32, fill_value: float"
    host_inputs = ("output_shape", "fill_value")
    samples = (
        sample(
            "float[2,4,5,3]", "float: [[0.9, 0.2, -1, 0.1, 1, 0.3, 0, 0]]", "int32: [3, 6]", "float: 2", interpolation="BILINEAR", has_gradient=False
        ),
    )

    @staticmethod
    def run(xp: Any, images: Array, transforms: Array, output_shape: Any, fill_value: Any, *, interpolation: bytes, fill_mode: bytes) -> Array:
        if np.ndim(fill_value):
            raise InvalidArgumentError(f"fill_value must be a scalar, got {shown(fill_value.shape)}")
        return _transformed(xp, images, transforms, output_shape, interpolation, fill_mode, np.asarray(fill_value).astype(images.dtype)[()])
