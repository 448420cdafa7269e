"""Colours of images: contrast, hue, saturation, and boxes drawn on them."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.errors import FailedPreconditionError, InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, sample
from gpersist.ops.kernels import shown
from gpersist.shapes import TensorShape

__all__ = ["draw_bounding_boxes", "hsv_to_rgb", "rgb_to_hsv"]

_PALETTE = np.array(
    [
        [1, 1, 0, 1],
        [0, 0, 1, 1],
        [1, 0, 0, 1],
        [0, 1, 0, 1],
        [0.5, 0, 0.5, 1],
        [0.5, 0.5, 0, 1],
        [0.5, 0, 0, 1],
        [0, 0, 0.5, 1],
        [0, 1, 1, 1],
        [1, 0, 1, 1],
    ],
    np.float32,
)
_WHITE = np.ones((1, 1), np.float32)


def rgb_to_hsv(images: Any, name: str | None = None) -> Tensor:
    """Red, green and blue, in 0..1, as hue, saturation and value (`tf.image.rgb_to_hsv`); the last axis has 3 elements."""
    return apply("RGBToHSV", images, name=name)


def hsv_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Hue, saturation and value, in 0..1, as red, green and blue (`tf.image.hsv_to_rgb`); the last axis has 3 elements."""
    return apply("HSVToRGB", images, name=name)


def draw_bounding_boxes(images: Any, boxes: Any, name: str | None = None, colors: Any = None) -> Tensor:
    """Images with the edges of boxes drawn on them (`tf.image.draw_bounding_boxes`).

    Args:
        images: [images, height, width, 1, 3 or 4] in 0..1.
        boxes: float32 [images, boxes, 4], two opposite corners (y, x, y, x) in 0..1.
        name: of the node.
        colors: float32 [colors, 4], used in turn; ten of TensorFlow's by default.
    """
    if colors is None:
        return apply("DrawBoundingBoxes", images, boxes, name=name)
    return apply("DrawBoundingBoxesV2", images, boxes, colors, name=name)


class _Colors(OpType, abstract=True):
    """Pixels of three channels, to such."""

    inputs = "images: T"
    outputs = "output: T"
    attrs = "T: {half, bfloat16, float, double} = float"
    samples: ClassVar[tuple[Sample, ...]] = (sample("float[2,3,3] in 0..1", has_gradient=False), sample("double[3] in 0..1", has_gradient=False))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape = op._inputs[0].shape.with_rank_at_least(1)
        if shape.sizes is not None and shape.sizes[-1] not in (3, None):
            raise ValueError(f"Dimension must be 3 but is {shape.sizes[-1]}")
        return [shape if shape.sizes is None else TensorShape([*shape.sizes[:-1], 3])]


def _check_pixels(images: Any) -> None:
    if not images.ndim:
        raise InvalidArgumentError(f"input must be at least 1D{shown(images.shape)}")
    if images.shape[-1] != 3:
        raise FailedPreconditionError(f"input must have 3 channels but instead has {images.shape[-1]} channels.")


def _hue_of(xp: Any, images: Array) -> tuple[Array, Array, Array]:
    """Hue in 0..1, the largest channel, and how far the smallest is below it."""
    red, green, blue = images[..., 0], images[..., 1], images[..., 2]
    value = images.max(-1)
    spread = value - images.min(-1)
    sixth = 1 / (6 * xp.where(spread > 0, spread, 1))
    hue = xp.where(red == value, sixth * (green - blue), xp.where(green == value, sixth * (blue - red) + 2 / 6, sixth * (red - green) + 4 / 6))
    hue = xp.where(spread > 0, hue, 0)
    return xp.where(hue < 0, hue + 1, hue), value, spread


def _channels(xp: Any, hue: Array) -> Array:
    """How much a hue has of red, green and blue, 0..1."""
    turns = hue * 6
    red = xp.abs(turns - 3) - 1
    return xp.clip(xp.stack([red, 2 - xp.abs(turns - 2), 2 - xp.abs(turns - 4)], -1), 0, 1)


class RGBToHSV(_Colors):
    """Hue, saturation and value."""

    @staticmethod
    def run(xp: Any, images: Array) -> Array:
        _check_pixels(images)
        hue, value, spread = _hue_of(xp, images if images.dtype == np.float64 else images.astype(np.float32))
        saturation = xp.where(value > 0, spread / xp.where(value > 0, value, 1), 0)
        return xp.stack([hue, saturation, value], -1).astype(images.dtype)


class HSVToRGB(_Colors):
    """Red, green and blue."""

    @staticmethod
    def run(xp: Any, images: Array) -> Array:
        _check_pixels(images)
        wide = images if images.dtype == np.float64 else images.astype(np.float32)
        saturation, value = wide[..., 1:2], wide[..., 2:3]
        return ((1 - saturation + saturation * _channels(xp, wide[..., 0])) * value).astype(images.dtype)


class _Adjusted(OpType, abstract=True):
    """Images with something changed by one number."""

    attrs = "T: {half, float} = float"
    outputs = "output: T"
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("float[1,2,4,3] in 0..1", "float: 0.5", has_gradient=False),
        sample("float[2,4,3] in -0.5..1.5", "float: -0.7", has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape.with_rank_at_least(3)]


def _check_adjusted(images: Any, number: Any, what: str) -> None:
    if images.ndim < 3:
        raise InvalidArgumentError(f"input must be at least 3-D, got shape{shown(images.shape)}")
    if np.ndim(number):
        raise InvalidArgumentError(f"{what} must be scalar: {shown(np.shape(number))}")


class AdjustContrastv2(_Adjusted):
    """Each channel's distance from its mean over an image, times a factor."""

    inputs = "images: T, contrast_factor: float"
    scalars = ("contrast_factor",)
    samples = tuple(found._replace(has_gradient=False) for found in _Adjusted.samples)

    @staticmethod
    def run(xp: Any, images: Array, contrast_factor: Array) -> Array:
        _check_adjusted(images, contrast_factor, "contrast_factor")
        wide = images.astype(np.float32)
        mean = wide.mean((-3, -2), keepdims=True) if images.size else np.float32(0)
        return ((wide - mean) * contrast_factor + mean).astype(images.dtype)


class AdjustContrast(OpType):
    """Each channel's distance from its mean over an image, times a factor, cut to limits; `AdjustContrastv2` took its place."""

    inputs = "images: T, contrast_factor: float, min_value: float, max_value: float"
    outputs = "output: float"
    attrs = "T: {uint8, int8, int16, int32, int64, float, double}"
    scalars = ("contrast_factor", "min_value", "max_value")
    samples = (
        sample("uint8[2,3,4,3] in 0..255", "float: 1.5", "float: 0", "float: 200"),
        sample("float[3,4,3]", "float: 0.5", "float: -1", "float: 1", has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape.with_rank_at_least(3)]

    @staticmethod
    def run(xp: Any, images: Array, contrast_factor: Array, min_value: Array, max_value: Array) -> Array:
        _check_adjusted(images, contrast_factor, "contrast_factor")
        wide = images.astype(np.float32)
        mean = wide.mean((-3, -2), keepdims=True) if images.size else np.float32(0)
        return xp.clip((wide - mean) * contrast_factor + mean, min_value, max_value).astype(np.float32)


class AdjustHue(_Adjusted):
    """Each pixel's hue, turned."""

    inputs = "images: T, delta: float"

    @staticmethod
    def run(xp: Any, images: Array, delta: Array) -> Array:
        _check_adjusted(images, delta, "delta")
        if images.shape[-1] != 3:
            raise InvalidArgumentError(f"input must have 3 channels but instead has {images.shape[-1]} channels.")
        wide = images.astype(np.float32)
        hue, value, spread = _hue_of(xp, wide)
        turned = (hue + delta) % 1
        return ((value - spread)[..., None] + spread[..., None] * _channels(xp, turned)).astype(images.dtype)


class AdjustSaturation(_Adjusted):
    """Each pixel's saturation, times a factor."""

    inputs = "images: T, scale: float"

    @staticmethod
    def run(xp: Any, images: Array, scale: Array) -> Array:
        _check_adjusted(images, scale, "scale")
        if images.shape[-1] != 3:
            raise InvalidArgumentError(f"input must have 3 channels but instead has {images.shape[-1]} channels.")
        wide = images.astype(np.float32)
        hue, value, spread = _hue_of(xp, wide)
        saturation = xp.clip(xp.where(value > 0, spread / xp.where(value > 0, value, 1), 0) * scale, 0, 1)[..., None]
        return ((1 - saturation + saturation * _channels(xp, hue)) * value[..., None]).astype(images.dtype)


class _Drawn(OpType, abstract=True):
    """Images with boxes drawn on them."""

    inputs = "images: T, boxes: float, colors: float"
    outputs = "output: T"
    attrs = "T: {float, half} = float"
    is_host_only = True
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("float[2,6,7,3] in 0..1", "float[2,3,4] in 0..1", "float[2,4] in 0..1", has_gradient=False),
        sample("float[1,6,7,1] in 0..1", "float[1,3,4] in -0.5..1.5", "float[0,4]", has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        images, boxes = op._inputs[0].shape.with_rank(4), op._inputs[1].shape.with_rank(3)
        if images.sizes is not None and images.sizes[3] not in (1, 3, 4, None):
            raise ValueError("Channel depth should be either 1 (GRY), 3 (RGB), or 4 (RGBA)")
        boxes[2:].merge_with([4])
        return [op._inputs[0].shape if images.sizes is None or None in images.sizes else images]


class DrawBoundingBoxesV2(_Drawn):
    """Boxes of given colours."""

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape.with_rank_at_least(3)]

    @staticmethod
    def run(xp: Any, images: Any, boxes: Any, colors: Any) -> Any:
        return _drawn(images, boxes, colors if colors.size else _default_colors(images))


class DrawBoundingBoxes(_Drawn):
    """Boxes of ten colours, in turn."""

    inputs = "images: T, boxes: float"
    samples = tuple(sample(*found.inputs[:2], has_gradient=False) for found in _Drawn.samples)

    @staticmethod
    def run(xp: Any, images: Any, boxes: Any) -> Any:
        return _drawn(images, boxes, _default_colors(images))


def _default_colors(images: Any) -> Any:
    return _WHITE if images.shape[-1:] == (1,) else _PALETTE


def _pixel(at: Any, size: int) -> int:
    """The pixel at a part of a side, as C++ converts a float: infinity and NaN are the least number."""
    place = at * np.float32(size - 1)
    return int(place) if abs(place) < 2**63 else -(2**63)


def _drawn(images: Any, boxes: Any, colors: Any) -> Any:
    if images.ndim != 4:
        raise InvalidArgumentError("The rank of the images should be 4")
    if boxes.ndim != 3 or boxes.shape[2] != 4:
        raise InvalidArgumentError(f"The boxes tensor must have shape [images, boxes, 4], not {shown(boxes.shape)}")
    if len(images) != len(boxes):
        raise InvalidArgumentError("The batch sizes should be the same")
    _, height, width, depth = images.shape
    if depth not in (1, 3, 4):
        raise InvalidArgumentError("Channel depth should be either 1 (GRY), 3 (RGB), or 4 (RGBA)")
    found = images.copy()
    palette = colors[:, :depth]
    for image, its_boxes in zip(found, boxes, strict=True):
        for number, (y1, x1, y2, x2) in enumerate(its_boxes):
            color = palette[number % len(palette)]
            top, bottom, left, right = (_pixel(at, size) for at, size in ((y1, height), (y2, height), (x1, width), (x2, width)))
            if top > bottom or left > right or top >= height or bottom < 0 or left >= width or right < 0:
                continue
            rows, columns = slice(max(top, 0), min(bottom, height - 1) + 1), slice(max(left, 0), min(right, width - 1) + 1)
            for row in (top, bottom):
                if 0 <= row < height:
                    image[row, columns] = color
            for column in (left, right):
                if 0 <= column < width:
                    image[rows, column] = color
    return found
