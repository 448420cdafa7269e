"""Parts of images cut out and resized."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError, OutOfRangeError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, constant_value, sample
from gpersist.ops.kernels import shown
from gpersist.ops.shaping import shape_of
from gpersist.shapes import TensorShape

__all__ = ["crop_and_resize"]

_KINDS = "{uint8, uint16, int8, int16, int32, int64, half, float, double}"


def crop_and_resize(
    image: Any,
    boxes: Any,
    box_ind: Any = None,
    crop_size: Any = None,
    method: str = "bilinear",
    extrapolation_value: float = 0,
    name: str | None = None,
    box_indices: Any = None,
) -> Tensor:
    """Boxes cut out of images, and resized to one size (`tf.image.crop_and_resize`).

    Args:
        image: [images, height, width, channels] of numbers.
        boxes: float32 [boxes, 4], two opposite corners (y, x, y, x), of which 0 is the first row (column) and 1 the last.
        box_ind: int32 [boxes], the image of each.
        crop_size: int32 [2], height and width.
        method: "bilinear" or "nearest".
        extrapolation_value: what is outside of the image.
        name: of the node.
        box_indices: another name of `box_ind`.

    Returns:
        float32 [boxes, crop height, crop width, channels].
    """
    return apply(
        "CropAndResize",
        image,
        boxes,
        box_ind if box_indices is None else box_indices,
        crop_size,
        method=method,
        extrapolation_value=extrapolation_value,
        name=name,
    )


class _Axis(NamedTuple):
    """Where the rows (columns) of the crops lie on those of the image; all [boxes, size of crop]."""

    places: np.ndarray[Any, Any]
    is_inside: np.ndarray[Any, Any]
    lower: np.ndarray[Any, Any]
    upper: np.ndarray[Any, Any]
    share: np.ndarray[Any, Any]


def _axis(start: Any, end: Any, size: int, crop: int) -> _Axis:
    last = np.float32(size - 1)
    if crop > 1:
        step = (end - start) * last / np.float32(crop - 1)
        places = (start * last)[:, None] + np.arange(crop, dtype=np.float32) * step[:, None]
    else:
        places = (np.float32(0.5) * (start + end) * last)[:, None]
    is_inside = (places >= 0) & (places <= last)
    safe = np.where(is_inside, places, np.float32(0))
    lower = np.floor(safe)
    return _Axis(safe, is_inside, lower.astype(np.int64), np.ceil(safe).astype(np.int64), safe - lower)


def _axes(boxes: Any, shape: tuple[int, ...], crop: tuple[int, ...]) -> tuple[_Axis, _Axis]:
    y1, x1, y2, x2 = boxes.T
    return _axis(y1, y2, shape[1], crop[0]), _axis(x1, x2, shape[2], crop[1])


def _rounded(places: Any) -> Any:
    """Half a step goes up."""
    whole = np.floor(places)
    return (whole + (places - whole >= 0.5)).astype(np.int64)


def _check_boxes(boxes: Any, box_ind: Any, images: int) -> None:
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise InvalidArgumentError(f"boxes must be 2-D with 4 columns, got shape {shown(boxes.shape)}")
    if box_ind.shape != boxes.shape[:1]:
        raise InvalidArgumentError(f"box_index has incompatible shape {shown(box_ind.shape)}: there are {len(boxes)} boxes")
    if ((box_ind < 0) | (box_ind >= images)).any():
        raise OutOfRangeError(f"box_index has values outside [0, {images})")


class CropAndResize(OpType):
    """Boxes cut out and resized."""

    inputs = "image: T, boxes: float, box_ind: int32, crop_size: int32"
    outputs = "crops: float"
    attrs = f"T: {_KINDS}, method: {{'bilinear', 'nearest'}} = 'bilinear', extrapolation_value: float = 0.0"
    host_inputs = ("boxes", "box_ind", "crop_size")
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("float[2,4,5,3]", "float: [[0.1, 0.2, 0.85, 0.9], [0.6, 0.7, 0.15, 0.23]]", "int32: [1, 0]", "int32: [3, 4]"),
        sample("float[1,4,5,1]", "float: [[-0.51, 0, 1.5, 1]]", "int32: [0]", "int32: [5, 1]", extrapolation_value=7.0, has_gradient=False),
        sample("uint8[1,4,5,1] in 0..255", "float: [[0, 0, 1, 1]]", "int32: [0]", "int32: [2, 2]", method="nearest", has_gradient=False),
        sample("float[1,4,5,1]", np.zeros((0, 4), np.float32), np.zeros(0, np.int32), "int32: [2, 2]"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        image, boxes, box_ind, size = (tensor.shape for tensor in op._inputs)
        channels = image.with_rank(4).as_list()[3]
        boxes = boxes.with_rank(2)
        boxes[1:].merge_with([4])
        count = boxes[:1].merge_with(box_ind.with_rank(1)).as_list()[0]
        size.merge_with([2])
        known = constant_value(op._inputs[3])
        return [TensorShape([count, *([None, None] if known is None else [None if each < 0 else each for each in known.tolist()]), channels])]

    @staticmethod
    def run(xp: Any, image: Array, boxes: Any, box_ind: Any, crop_size: Any, *, method: bytes | str, extrapolation_value: float) -> Array:
        if image.ndim != 4:
            raise InvalidArgumentError(f"input image must be 4-D{shown(image.shape)}")
        if not image.shape[1] or not image.shape[2]:
            raise InvalidArgumentError("image dimensions must be positive")
        if crop_size.shape != (2,):
            raise InvalidArgumentError(f"crop_size must have two elements, not {shown(crop_size.shape)}")
        crop = tuple(map(int, crop_size))
        if min(crop) <= 0:
            raise InvalidArgumentError("crop dimensions must be positive")
        _check_boxes(boxes, box_ind, image.shape[0])
        if not np.isfinite(boxes).all():
            raise InvalidArgumentError("boxes values must be finite")
        y, x = _axes(boxes, image.shape, crop)
        number = xp.asarray(box_ind)[:, None, None]

        def at(rows: Any, columns: Any) -> Array:
            return image[number, xp.asarray(rows)[:, :, None], xp.asarray(columns)[:, None, :]].astype(np.float32)

        if _text(method) == "nearest":
            found = at(_rounded(y.places), _rounded(x.places))
        else:
            x_share, y_share = xp.asarray(x.share)[:, None, :, None], xp.asarray(y.share)[:, :, None, None]
            top, bottom = (at(rows, x.lower) + (at(rows, x.upper) - at(rows, x.lower)) * x_share for rows in (y.lower, y.upper))
            found = top + (bottom - top) * y_share
        is_inside = xp.asarray(y.is_inside)[:, :, None, None] & xp.asarray(x.is_inside)[:, None, :, None]
        return xp.where(is_inside, found, np.float32(extrapolation_value))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        image, boxes, box_ind, _ = op.inputs
        is_known = image.shape.is_fully_defined()
        size = image.shape.as_list() if is_known else shape_of(image)
        to_image = None
        if image.dtype.name in ("float16", "float32", "float64"):
            to_image = apply("CropAndResizeGradImage", grad, boxes, box_ind, size, T=image.dtype, method=op.attr("method"))
        return [to_image, apply("CropAndResizeGradBoxes", grad, image, boxes, box_ind), None, None]


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


class CropAndResizeGradImage(OpType):
    """The gradient of `CropAndResize` with respect to the images."""

    inputs = "grads: float, boxes: float, box_ind: int32, image_size: int32"
    outputs = "output: T"
    attrs = "T: {float, half, double}, method: {'bilinear', 'nearest'} = 'bilinear'"
    is_host_only = True
    samples = tuple(
        sample(
            "float[2,3,4,3]",
            "float: [[0.1, 0.2, 0.85, 0.9], [0.6, 0.7, 0.15, 0.23]]",
            "int32: [1, 0]",
            "int32: [2, 4, 5, 3]",
            T="float32",
            method=method,
        )
        for method in ("bilinear", "nearest")
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(4)
        op._inputs[3].shape.merge_with([4])
        known = constant_value(op._inputs[3])
        return [TensorShape([None] * 4 if known is None else known.tolist())]

    @staticmethod
    def run(xp: Any, grads: Any, boxes: Any, box_ind: Any, image_size: Any, *, method: bytes | str, T: Any) -> Any:  # noqa: N803  # TensorFlow's
        shape = _image_shape(grads, image_size)
        _check_boxes(boxes, box_ind, shape[0])
        y, x = _axes(boxes, shape, grads.shape[1:3])
        found = np.zeros(shape, T.numpy)
        is_inside = y.is_inside[:, :, None, None] & x.is_inside[:, None, :, None]
        kept = np.where(is_inside, grads, 0).astype(T.numpy)
        number = box_ind[:, None, None]
        if _text(method) == "nearest":
            np.add.at(found, (number, _rounded(y.places)[:, :, None], _rounded(x.places)[:, None, :]), kept)
            return found
        for rows, row_share in ((y.lower, 1 - y.share), (y.upper, y.share)):
            for columns, column_share in ((x.lower, 1 - x.share), (x.upper, x.share)):
                weights = (row_share[:, :, None] * column_share[:, None, :])[..., None]
                np.add.at(found, (number, rows[:, :, None], columns[:, None, :]), (kept * weights).astype(T.numpy))
        return found


def _image_shape(grads: Any, image_size: Any) -> tuple[int, ...]:
    if grads.ndim != 4:
        raise InvalidArgumentError(f"grads image must be 4-D{shown(grads.shape)}")
    if not grads.shape[1] or not grads.shape[2]:
        raise InvalidArgumentError("grads dimensions must be positive")
    if image_size.shape != (4,):
        raise InvalidArgumentError(f"image_size must have 4 elements, not {shown(image_size.shape)}")
    shape = tuple(map(int, image_size))
    if shape[1] <= 0 or shape[2] <= 0:
        raise InvalidArgumentError("image dimensions must be positive")
    if grads.shape[3] != shape[3]:
        raise InvalidArgumentError("image_size and grads are incompatible")
    return shape


class CropAndResizeGradBoxes(OpType):
    """The gradient of `CropAndResize` with respect to the boxes."""

    inputs = "grads: float, image: T, boxes: float, box_ind: int32"
    outputs = "output: float"
    attrs = f"T: {_KINDS}, method: {{'bilinear'}} = 'bilinear'"
    is_host_only = True
    samples = (
        sample("float[2,3,4,3]", "float[2,4,5,3]", "float: [[0.1, 0.2, 0.85, 0.9], [0.6, 0.7, 0.15, 0.23]]", "int32: [1, 0]"),
        sample("float[1,1,4,3]", "float[2,4,5,3]", "float: [[0.1, 0.2, 0.85, 0.9]]", "int32: [1]"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(4)
        op._inputs[1].shape.with_rank(4)
        return [op._inputs[2].shape]

    @staticmethod
    def run(xp: Any, grads: Any, image: Any, boxes: Any, box_ind: Any) -> Any:
        if grads.ndim != 4 or image.ndim != 4:
            raise InvalidArgumentError(f"grads and image must be 4-D, not {shown(grads.shape)} and {shown(image.shape)}")
        if 0 in grads.shape[1:3] or 0 in image.shape[1:3]:
            raise InvalidArgumentError("grads and image dimensions must be positive")
        if image.shape[3] != grads.shape[3]:
            raise InvalidArgumentError("image, grads depth differ")
        _check_boxes(boxes, box_ind, image.shape[0])
        y, x = _axes(boxes, image.shape, grads.shape[1:3])
        number = box_ind[:, None, None]
        (a, b), (c, d) = (
            [image[number, rows[:, :, None], columns[:, None, :]].astype(np.float32) for columns in (x.lower, x.upper)] for rows in (y.lower, y.upper)
        )
        y_share, x_share = y.share[:, :, None, None], x.share[:, None, :, None]
        kept = np.where(y.is_inside[:, :, None, None] & x.is_inside[:, None, :, None], grads, np.float32(0))
        by_row = (((1 - x_share) * (c - a) + x_share * (d - b)) * kept).sum((2, 3)) * (image.shape[1] - 1)
        by_column = (((1 - y_share) * (b - a) + y_share * (d - c)) * kept).sum((1, 3)) * (image.shape[2] - 1)
        (top, bottom), (left, right) = _ends(by_row), _ends(by_column)
        return np.stack([top, left, bottom, right], 1).astype(np.float32)


def _ends(slopes: Any) -> tuple[Any, Any]:
    """What each end of the boxes has of the slopes at their rows (columns)."""
    count = slopes.shape[1]
    share = np.arange(count, dtype=np.float32) / np.float32(count - 1) if count > 1 else np.full(1, 0.5, np.float32)
    return (slopes * (1 - share)).sum(1), (slopes * share).sum(1)
