"""Brightness, contrast, colours and quality of images changed, by given amounts or by chance (`tf.image.adjust_brightness` and its relatives)."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Tensor, apply, convert_to_tensor, name_scope
from gpersist.ops.arithmetic import add, maximum
from gpersist.ops.casting import cast
from gpersist.ops.control import with_dependencies
from gpersist.ops.division import divide
from gpersist.ops.image_checks import checked_image, hold, is_tensor
from gpersist.ops.image_types import adjusted_as_float, convert_image_dtype
from gpersist.ops.random import random_uniform
from gpersist.ops.reductions import reduce_mean, reduce_prod, reduce_std
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.unary import rsqrt

__all__ = [
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_jpeg_quality",
    "adjust_saturation",
    "per_image_standardization",
    "random_brightness",
    "random_contrast",
    "random_hue",
    "random_jpeg_quality",
    "random_saturation",
]


def adjust_brightness(image: Any, delta: Any) -> Tensor:
    """Images brighter by `delta`, of 1 for the whole range of their type."""
    with name_scope(None, "adjust_brightness", [image, delta]) as scope:
        tensor = convert_to_tensor(image, name="image")
        return adjusted_as_float(tensor, lambda floats: add(floats, cast(delta, floats.dtype), name=scope), saturate=True)


def adjust_contrast(images: Any, contrast_factor: Any) -> Tensor:
    """Images whose channels' distances from their means are `contrast_factor` times as large."""
    with name_scope(None, "adjust_contrast", [images, contrast_factor]) as scope:
        tensor = convert_to_tensor(images, name="images")
        return adjusted_as_float(tensor, lambda floats: apply("AdjustContrastv2", floats, contrast_factor, name=scope), saturate=True)


def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Tensor:
    """Images to the power of `gamma`, times `gain`.

    Raises:
        ValueError: `gamma` is negative.
    """
    with name_scope(None, "adjust_gamma", [image, gamma, gain]):
        tensor = convert_to_tensor(image, name="image")

        def adjust(floats: Tensor) -> Tensor:
            checks = hold(gamma >= 0, "Gamma should be a non-negative real number.")
            return gain * floats ** (with_dependencies(checks, gamma) if checks else gamma)  # type: ignore[no-any-return]

        return adjusted_as_float(tensor, adjust, saturate=True)


def adjust_hue(image: Any, delta: Any, name: str | None = None) -> Tensor:
    """RGB images whose hues are turned by `delta`, of 1 for a whole turn."""
    with name_scope(name, "adjust_hue", [image]):
        return adjusted_as_float(convert_to_tensor(image, name="image"), lambda floats: apply("AdjustHue", floats, delta))


def adjust_saturation(image: Any, saturation_factor: Any, name: str | None = None) -> Tensor:
    """RGB images whose saturations are `saturation_factor` times as large."""
    with name_scope(name, "adjust_saturation", [image]):
        return adjusted_as_float(convert_to_tensor(image, name="image"), lambda floats: apply("AdjustSaturation", floats, saturation_factor))


def adjust_jpeg_quality(image: Any, jpeg_quality: Any, dct_method: str = "", name: str | None = None) -> Tensor:
    """An image as it is after being a JPEG file.

    Args:
        image: [height, width, 1 or 3 channels].
        jpeg_quality: 0 to 100; may be a tensor.
        dct_method: with which the file is read: "INTEGER_FAST", which "" stands for, or "INTEGER_ACCURATE".
        name: of the node.
    """
    with name_scope(name, "adjust_jpeg_quality", [image]):
        tensor = convert_to_tensor(image, name="image")
        channels = tensor.shape.as_list()[-1]
        pixels = convert_image_dtype(tensor, "uint8", saturate=True)
        quality = jpeg_quality if is_tensor(jpeg_quality) else convert_to_tensor(jpeg_quality, "int32")
        file = apply("EncodeJpegVariableQuality", pixels, quality)
        found = apply("DecodeJpeg", file, channels=channels, dct_method=dct_method)
        return convert_image_dtype(found, tensor.dtype, saturate=True)


def per_image_standardization(image: Any) -> Tensor:
    """Images of mean 0 and variance 1 each; uniform ones become 0.

    Args:
        image: [..., height, width, channels].
    """
    with name_scope(None, "per_image_standardization", [image]) as scope:
        floats = cast(checked_image(image), "float32")
        pixels = reduce_prod(shape_of(floats)[-3:])
        mean = reduce_mean(floats, axis=[-1, -2, -3], keepdims=True)
        deviation = reduce_std(floats, axis=[-1, -2, -3], keepdims=True)
        least = rsqrt(cast(pixels, "float32"))
        divisor = maximum(deviation, least)
        return divide(floats - mean, divisor, name=scope)


def random_brightness(image: Any, max_delta: float, seed: int | None = None) -> Tensor:
    """`adjust_brightness` by anything of -max_delta..max_delta.

    Raises:
        ValueError: `max_delta` is negative.
    """
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_brightness(image, random_uniform([], -max_delta, max_delta, seed=seed))


def random_contrast(image: Any, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """`adjust_contrast` by anything of lower..upper.

    Raises:
        ValueError: they are negative, or in the wrong order.
    """
    _check_range(lower, upper)
    return adjust_contrast(image, random_uniform([], lower, upper, seed=seed))


def random_hue(image: Any, max_delta: float, seed: int | None = None) -> Tensor:
    """`adjust_hue` by anything of -max_delta..max_delta.

    Raises:
        ValueError: `max_delta` is outside of 0..0.5.
    """
    if max_delta > 0.5:
        raise ValueError("max_delta must be <= 0.5.")
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_hue(image, random_uniform([], -max_delta, max_delta, seed=seed))


def random_saturation(image: Any, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """`adjust_saturation` by anything of lower..upper.

    Raises:
        ValueError: they are negative, or in the wrong order.
    """
    _check_range(lower, upper)
    return adjust_saturation(image, random_uniform([], lower, upper, seed=seed))


def random_jpeg_quality(image: Any, min_jpeg_quality: int, max_jpeg_quality: int, seed: int | None = None) -> Tensor:
    """`adjust_jpeg_quality` to anything of min_jpeg_quality..max_jpeg_quality, the latter excluded.

    Raises:
        ValueError: they are outside of 0..100, or in the wrong order.
    """
    if min(min_jpeg_quality, max_jpeg_quality) < 0 or max(min_jpeg_quality, max_jpeg_quality) > 100:
        raise ValueError("jpeg encoding range must be between 0 and 100.")
    if min_jpeg_quality >= max_jpeg_quality:
        raise ValueError("`min_jpeg_quality` must be less than `max_jpeg_quality`.")
    return adjust_jpeg_quality(image, random_uniform([], min_jpeg_quality, max_jpeg_quality, dtype="int32", seed=seed))


def _check_range(lower: float, upper: float) -> None:
    if upper <= lower:
        raise ValueError("upper must be > lower.")
    if lower < 0:
        raise ValueError("lower must be non-negative.")
