"""Where images change (`tf.image.sobel_edges`, `tf.image.image_gradients`)."""

from __future__ import annotations

import numpy as np

from gpersist.graph import Tensor
from gpersist.ops.arranging import tile
from gpersist.ops.constants import constant
from gpersist.ops.depthwise_convolutions import depthwise_conv2d
from gpersist.ops.filling import zeros
from gpersist.ops.joining import concat, stack, unstack
from gpersist.ops.padding import pad
from gpersist.ops.shaping import reshape
from gpersist.ops.shaping import shape as shape_of

__all__ = ["image_gradients", "sobel_edges"]

_SOBEL = np.array([[[-1, -2, -1], [0, 0, 0], [1, 2, 1]], [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]])
"""Downwards, and to the right."""


def image_gradients(image: Tensor) -> tuple[Tensor, Tensor]:
    """How much each pixel differs from the one below, and from the one to its right; 0 in the last row, or column.

    Args:
        image: [images, height, width, channels].

    Raises:
        ValueError: it has another number of dimensions.
    """
    if image.shape.rank != 4:
        raise ValueError(f"image_gradients expects a 4D tensor [batch_size, h, w, d], not {image.shape}.")
    shape = shape_of(image)
    batch, height, width, depth = unstack(shape)
    down, right = image[:, 1:, :, :] - image[:, :-1, :, :], image[:, :, 1:, :] - image[:, :, :-1, :]
    down = reshape(concat([down, zeros(stack([batch, 1, width, depth]), image.dtype)], 1), shape)
    return down, reshape(concat([right, zeros(stack([batch, height, 1, depth]), image.dtype)], 2), shape)


def sobel_edges(image: Tensor) -> Tensor:
    """The edges of images, downwards and to the right, by Sobel's windows: [images, height, width, channels, 2]."""
    shape = shape_of(image)
    kernels = constant(np.expand_dims(np.transpose(_SOBEL, (1, 2, 0)), -2), dtype=image.dtype)
    kernels = tile(kernels, [1, 1, shape[-1], 1], name="sobel_filters")
    margins = [[0, 0], [1, 1], [1, 1], [0, 0]]
    found = depthwise_conv2d(pad(image, margins, mode="REFLECT"), kernels, [1, 1, 1, 1], "VALID")
    found = reshape(found, shape=concat([shape, [2]], 0))
    found.set_shape(image.shape.concatenate([2]))
    return found
