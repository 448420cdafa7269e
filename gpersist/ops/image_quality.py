"""How alike images are (`tf.image.psnr`, `tf.image.ssim`), and how rough (`tf.image.total_variation`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpersist.graph import Operation, Tensor, convert_to_tensor, name_scope
from gpersist.ops.activations import relu
from gpersist.ops.arithmetic import pow as power
from gpersist.ops.arithmetic import squared_difference, subtract
from gpersist.ops.arranging import tile
from gpersist.ops.casting import cast
from gpersist.ops.checks import Assert
from gpersist.ops.comparison import equal, greater_equal, not_equal
from gpersist.ops.constants import constant
from gpersist.ops.control import control_dependencies
from gpersist.ops.control_flow import cond
from gpersist.ops.depthwise_convolutions import depthwise_conv2d
from gpersist.ops.image_types import convert_image_dtype
from gpersist.ops.joining import concat, stack
from gpersist.ops.padding import pad
from gpersist.ops.passing import identity
from gpersist.ops.pools import avg_pool
from gpersist.ops.reductions import reduce_all, reduce_any, reduce_mean, reduce_prod, reduce_sum
from gpersist.ops.sequences import range as sequence
from gpersist.ops.shaping import expand_dims, reshape, shape_n, size
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.softmax import softmax
from gpersist.ops.unary import abs as absolute
from gpersist.ops.unary import log, square

__all__ = ["psnr", "ssim", "ssim_multiscale", "total_variation"]

_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def total_variation(images: Tensor, name: str | None = None) -> Tensor:
    """The sum of absolute differences between neighbouring pixels, of each image.

    Args:
        images: [height, width, channels], or a batch of such.
        name: of the node.

    Raises:
        ValueError: they have another number of dimensions.
    """
    with name_scope(name, "total_variation"):
        rank = images.shape.rank
        if rank == 3:
            downwards, sidewards = images[1:, :, :] - images[:-1, :, :], images[:, 1:, :] - images[:, :-1, :]
            axes = None
        elif rank == 4:
            downwards, sidewards = images[:, 1:, :, :] - images[:, :-1, :, :], images[:, :, 1:, :] - images[:, :, :-1, :]
            axes = [1, 2, 3]
        else:
            raise ValueError("'images' must be either 3 or 4-dimensional.")
        return reduce_sum(absolute(downwards), axis=axes) + reduce_sum(absolute(sidewards), axis=axes)


def psnr(a: Tensor, b: Tensor, max_val: Any, name: str | None = None) -> Tensor:
    """The peak signal-to-noise ratio of each pair of images, in decibels.

    Args:
        a: [..., height, width, channels].
        b: such images, too.
        max_val: how far their numbers may be apart: 255 for uint8, 1 for floats of 0..1.
        name: of the node.
    """
    with name_scope(name, "PSNR", [a, b]):
        peak = convert_image_dtype(cast(max_val, a.dtype), "float32")
        a, b = convert_image_dtype(a, "float32"), convert_image_dtype(b, "float32")
        error = reduce_mean(squared_difference(a, b), [-3, -2, -1])
        found = subtract(20 * log(peak) / log(10.0), np.float32(10 / np.log(10)) * log(error), name="psnr")
        _, _, checks = _compared(a, b)
        with control_dependencies(checks):
            return identity(found)


def ssim(
    img1: Any,
    img2: Any,
    max_val: Any,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    return_index_map: bool = False,
) -> Tensor:
    """The structural similarity of each pair of images (Wang et al., 2004), at most 1.

    Args:
        img1: [..., height, width, channels].
        img2: such images, too.
        max_val: how far their numbers may be apart: 255 for uint8, 1 for floats of 0..1.
        filter_size: of the Gaussian window, in pixels.
        filter_sigma: its width, in pixels.
        k1: of the constant that steadies means.
        k2: of the one that steadies deviations.
        return_index_map: whether each place's similarity is given, rather than their mean.
    """
    with name_scope(None, "SSIM", [img1, img2]):
        first, second, peak, _, _ = _as_floats(img1, img2, max_val)
        found, _ = _per_channel(first, second, peak, filter_size, filter_sigma, k1, k2, return_index_map)
        return reduce_mean(found, [-1])


def ssim_multiscale(
    img1: Any,
    img2: Any,
    max_val: Any,
    power_factors: Sequence[float] = _SCALE_WEIGHTS,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> Tensor:
    """The structural similarity of each pair of images at several scales (Wang et al., 2003); arguments as in `ssim`.

    Args:
        img1: [..., height, width, channels].
        img2: such images, too.
        max_val: how far their numbers may be apart.
        power_factors: the weight of each scale, the finest first; each has half the size of the one before.
        filter_size: of the Gaussian window, in pixels.
        filter_sigma: its width, in pixels.
        k1: of the constant that steadies means.
        k2: of the one that steadies deviations.
    """
    with name_scope(None, "MS-SSIM", [img1, img2]):
        first, second, peak, *shapes = _as_floats(img1, img2, max_val)
        images = [first, second]
        heads, tails = [shape[:-3] for shape in shapes], [shape[-3:] for shape in shapes]
        divisor = [1, 2, 2, 1]
        divisors = constant(divisor[1:], dtype="int32")
        similarities: list[Tensor] = []
        found: Any = None
        for scale in range(len(power_factors)):
            with name_scope(None, f"Scale{scale}", images):
                if scale > 0:
                    images, tails = _halved(images, heads, tails, divisor, divisors)
                found, structure = _per_channel(images[0], images[1], peak, filter_size, filter_sigma, k1, k2)
                similarities.append(relu(structure))
        similarities[-1] = relu(found)
        mixed = reduce_prod(power(stack(similarities, axis=-1), power_factors), [-1])
        return reduce_mean(mixed, [-1])


def _halved(
    images: list[Tensor], heads: list[Tensor], tails: list[Tensor], divisor: list[int], divisors: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    flat = [reshape(image, concat([[-1], tail], 0)) for image, tail in zip(images, tails, strict=True)]
    remainder = tails[0] % divisors

    def padded() -> list[Tensor]:
        margins = pad(expand_dims(remainder, -1), [[1, 0], [1, 0]])
        return [pad(image, margins, mode="SYMMETRIC") for image in flat]

    even = cond(reduce_any(not_equal(remainder, 0)), padded, lambda: flat)
    smaller = [avg_pool(image, ksize=divisor, strides=divisor, padding="VALID") for image in even]
    new_tails = [shape[1:] for shape in shape_n(smaller)]
    return [reshape(image, concat([head, tail], 0)) for image, head, tail in zip(smaller, heads, new_tails, strict=True)], new_tails


def _compared(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, list[Operation]]:
    """The shapes of images that are to be of one size, and operations that hold that.

    Raises:
        ValueError: they are known to be of different ones.
    """
    one, other = first.shape.with_rank_at_least(3), second.shape.with_rank_at_least(3)
    one[-3:].assert_is_compatible_with(other[-3:])
    if one.sizes is not None and other.sizes is not None:
        for x, y in zip(reversed(one.sizes[:-3]), reversed(other.sizes[:-3]), strict=False):
            if x != y and None not in (x, y) and 1 not in (x, y):
                raise ValueError(f"Two images are not compatible: {one} and {other}")
    shapes = shape_n([first, second])
    checks = [
        Assert(greater_equal(size(shapes[0]), 3), shapes, summarize=10),
        Assert(reduce_all(equal(shapes[0][-3:], shapes[1][-3:])), shapes, summarize=10),
    ]
    return shapes[0], shapes[1], checks


def _as_floats(img1: Any, img2: Any, max_val: Any) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Both images and their range in floats, and both shapes."""
    first, second = convert_to_tensor(img1, name="img1"), convert_to_tensor(img2, name="img2")
    one, other, checks = _compared(first, second)
    with control_dependencies(checks):
        first = identity(first)
    peak = convert_image_dtype(cast(max_val, first.dtype), "float32")
    return convert_image_dtype(first, "float32"), convert_image_dtype(second, "float32"), peak, one, other


def _gaussian(extent: Tensor, sigma: Tensor) -> Tensor:
    """A window [extent, extent, 1, 1] whose sum is 1."""
    places = cast(sequence(extent), sigma.dtype)
    places -= cast(extent - 1, sigma.dtype) / 2.0
    exponents = square(places)
    exponents *= -0.5 / square(sigma)
    exponents = reshape(exponents, shape=[1, -1]) + reshape(exponents, shape=[-1, 1])
    window = softmax(reshape(exponents, shape=[1, -1]))
    return reshape(window, shape=[extent, extent, 1, 1])


def _per_channel(
    first: Tensor, second: Tensor, peak: Tensor, filter_size: int, filter_sigma: float, k1: float, k2: float, is_map: bool = False
) -> tuple[Tensor, Tensor]:
    """Similarity, and its part that tells of contrast and structure: [..., channels], or at each place."""
    extent, sigma = constant(filter_size, dtype="int32"), constant(filter_sigma, dtype=first.dtype)
    shapes = shape_n([first, second])
    checks = [Assert(reduce_all(greater_equal(shape[-3:-1], extent)), [shape, extent], summarize=8) for shape in shapes]
    with control_dependencies(checks):
        first = identity(first)
    window = tile(_gaussian(extent, sigma), multiples=[1, 1, shapes[0][-1], 1])

    def blurred(image: Tensor) -> Tensor:
        shape = shape_of(image)
        flat = reshape(image, shape=concat([[-1], shape[-3:]], 0))
        found = depthwise_conv2d(flat, window, strides=[1, 1, 1, 1], padding="VALID")
        return reshape(found, concat([shape[:-3], shape_of(found)[1:]], 0))

    luminance, structure = _similarity(first, second, blurred, peak, k1, k2)
    if is_map:
        return luminance * structure, structure
    axes = constant([-3, -2], dtype="int32")
    return reduce_mean(luminance * structure, axes), reduce_mean(structure, axes)


def _similarity(x: Tensor, y: Tensor, blurred: Callable[[Tensor], Tensor], peak: Tensor, k1: float, k2: float) -> tuple[Tensor, Tensor]:
    steady_mean, steady_deviation = (k1 * peak) ** 2, (k2 * peak) ** 2
    mean_x, mean_y = blurred(x), blurred(y)
    product = mean_x * mean_y * 2.0
    squares = square(mean_x) + square(mean_y)
    luminance = (product + steady_mean) / (squares + steady_mean)
    mixed = blurred(x * y) * 2.0
    own = blurred(square(x) + square(y))
    steady_deviation *= 1.0
    return luminance, (mixed - product + steady_deviation) / (own - squares + steady_deviation)
