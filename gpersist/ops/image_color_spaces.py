"""Images in other colour spaces: grey, YIQ, YUV (`tf.image.rgb_to_grayscale` and its relatives)."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Tensor, convert_to_tensor, name_scope
from gpersist.ops.arranging import tile
from gpersist.ops.contraction import tensordot
from gpersist.ops.filling import ones
from gpersist.ops.image_checks import checked_grey_image
from gpersist.ops.image_types import convert_image_dtype
from gpersist.ops.joining import concat
from gpersist.ops.shaping import expand_dims, rank

__all__ = ["grayscale_to_rgb", "rgb_to_grayscale", "rgb_to_yiq", "rgb_to_yuv", "yiq_to_rgb", "yuv_to_rgb"]

_GREY = [0.2989, 0.587, 0.114]
_TO_YIQ = [[0.299, 0.59590059, 0.2115], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955]]
_FROM_YIQ = [[1.0, 1.0, 1.0], [0.95598634, -0.27201283, -1.10674021], [0.6208248, -0.64720424, 1.70423049]]
_TO_YUV = [[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]]
_FROM_YUV = [[1.0, 1.0, 1.0], [0.0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0.0]]


def rgb_to_grayscale(images: Any, name: str | None = None) -> Tensor:
    """How bright images are: [..., 3] in red, green and blue, as [..., 1]."""
    with name_scope(name, "rgb_to_grayscale", [images]) as scope:
        tensor = convert_to_tensor(images, name="images")
        grey = tensordot(convert_image_dtype(tensor, "float32"), _GREY, [-1, -1])
        return convert_image_dtype(expand_dims(grey, -1), tensor.dtype, name=scope)


def grayscale_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Images of one channel, which becomes red, green and blue.

    Raises:
        ValueError: they have another number of channels.
    """
    with name_scope(name, "grayscale_to_rgb", [images]) as scope:
        tensor = checked_grey_image(images)
        ahead = ones(expand_dims(rank(tensor) - 1, 0), dtype="int32")
        found = tile(tensor, concat([ahead, expand_dims(3, 0)], 0), name=scope)
        found.set_shape(tensor.shape[:-1].concatenate([3]))
        return found


def rgb_to_yiq(images: Any) -> Tensor:
    """Red, green and blue as YIQ; the last axis has 3 elements."""
    return _mixed(images, _TO_YIQ)


def yiq_to_rgb(images: Any) -> Tensor:
    """YIQ as red, green and blue; the last axis has 3 elements."""
    return _mixed(images, _FROM_YIQ)


def rgb_to_yuv(images: Any) -> Tensor:
    """Red, green and blue as YUV; the last axis has 3 elements."""
    return _mixed(images, _TO_YUV)


def yuv_to_rgb(images: Any) -> Tensor:
    """YUV as red, green and blue; the last axis has 3 elements."""
    return _mixed(images, _FROM_YUV)


def _mixed(images: Any, shares: list[list[float]]) -> Tensor:
    tensor = convert_to_tensor(images, name="images")
    kernel = convert_to_tensor(shares, tensor.dtype, name="kernel")
    rank = tensor.shape.rank
    if rank is None:
        raise TypeError("the number of dimensions of 'images' must be known")
    return tensordot(tensor, kernel, axes=[[rank - 1], [0]])
