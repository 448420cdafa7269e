"""Glimpses and patches of images (`tf.image.extract_glimpse`, `tf.image.extract_patches`)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, constant_value, sample
from gpersist.ops.kernels import shown
from gpersist.shapes import TensorShape

__all__ = ["extract_glimpse", "extract_patches"]


def extract_glimpse(
    input: Any,
    size: Any,
    offsets: Any,
    centered: bool = True,
    normalized: bool = True,
    uniform_noise: bool = True,
    name: str | None = None,
) -> Tensor:
    """A part of each image, around a place of its own; what is outside of the image is noise.

    Args:
        input: float32 [images, height, width, channels].
        size: int32 [2]: height and width.
        offsets: float32 [images, 2]: the middle of each part, y and x.
        centered: whether they are counted from the middle of the image.
        normalized: whether they are in -1..1, or 0..1, rather than in pixels.
        uniform_noise: whether the noise is uniform, rather than Gaussian.
        name: of the node.
    """
    return apply("ExtractGlimpse", input, size, offsets, centered=centered, normalized=normalized, uniform_noise=uniform_noise, name=name)


def extract_patches(images: Any, sizes: Any, strides: Any, rates: Any, padding: str, name: str | None = None) -> Tensor:
    """Patches of images, each as the channels of one pixel.

    Args:
        images: [images, height, width, channels].
        sizes: [1, height, width, 1] of a patch.
        strides: [1, rows, columns, 1] from one patch to the next.
        rates: [1, rows, columns, 1] from one pixel of a patch to the next.
        padding: "VALID" or "SAME".
        name: of the node.
    """
    return apply("ExtractImagePatches", images, ksizes=sizes, strides=strides, rates=rates, padding=padding, name=name)


def _glimpse_shapes(op: Operation) -> list[TensorShape]:
    if op.attr("uniform_noise") and op.attr("noise") not in (b"", b"uniform"):
        raise ValueError("The uniform_noise should not be True when noise is not uniform")
    images, size, offsets = (tensor.shape for tensor in op._inputs)
    images, size, offsets = images.with_rank(4), size.merge_with([2]), offsets.with_rank(2)
    offsets[1:].merge_with([2])
    batch = images[:1].merge_with(offsets[:1]).as_list()[0]
    known = constant_value(op._inputs[1])
    extent = [None, None] if known is None else [None if each < 0 else int(each) for each in known]
    return [TensorShape([batch, *extent, images.as_list()[3]])]


def _check_glimpses(images: Any, size: Any, offsets: Any) -> None:
    if images.ndim != 4:
        raise InvalidArgumentError(f"input must be 4-dimensional (batch_size, height, width, depth), got {shown(images.shape)}")
    if size.shape != (2,) or (size < 0).any():
        raise InvalidArgumentError(f"input must be a vector of two sizes, got {size}")
    if offsets.shape != (len(images), 2):
        raise InvalidArgumentError(f"offset must be a matrix of shape [{len(images)}, 2], got {shown(offsets.shape)}")


def _glimpses(images: Any, size: Any, tops: Any, lefts: Any, noise: bytes, is_uniform: bool) -> Any:
    """The parts that begin at these rows and columns."""
    kind = (b"uniform" if is_uniform else b"gaussian") if noise in (b"", b"uniform") else noise
    if kind not in (b"uniform", b"gaussian", b"zero"):
        raise InvalidArgumentError(f"noise could only be uniform, gaussian or zero, got {noise!r}")
    rows, columns = (int(each) for each in size)
    found = np.zeros((len(images), rows, columns, images.shape[3]), images.dtype)
    generator = np.random.default_rng()
    for image, part, top, left in zip(images, found, tops.tolist(), lefts.tolist(), strict=True):
        is_inside = top >= 0 and left >= 0 and top + rows <= len(image) and left + columns <= image.shape[1]
        if not is_inside and kind == b"uniform":
            part[...] = generator.random(part.shape, np.float32)
        elif not is_inside and kind == b"gaussian":
            part[...] = generator.standard_normal(part.shape, np.float32) * image.std((0, 1)) + image.mean((0, 1))
        first_row, first_column = max(top, 0), max(left, 0)
        seen = image[first_row : max(top + rows, 0), first_column : max(left + columns, 0)]
        if seen.size:
            part[first_row - top : first_row - top + seen.shape[0], first_column - left : first_column - left + seen.shape[1]] = seen
    return found


class _Glimpse(OpType, abstract=True):
    """A part of each image. No gradient passes."""

    inputs = "input: float, size: int32, offsets: float"
    outputs = "glimpse: float"
    attrs = "centered: bool = true, normalized: bool = true, uniform_noise: bool = true, noise: string = 'uniform'"
    is_host_only = True
    shapes = staticmethod(_glimpse_shapes)
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("float[2,5,6,3]", "int32: [2, 3]", "float: [[0, 0], [0.2, -0.1]]"),
        sample("float[2,5,6,1]", "int32: [4, 3]", "float: [[2, 3], [0, 1]]", centered=False, normalized=False, uniform_noise=False, noise="zero"),
    )

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None] * len(op.inputs)


class ExtractGlimpse(_Glimpse):
    """A part of each image, around a place."""

    @staticmethod
    def run(xp: Any, images: Any, size: Any, offsets: Any, *, centered: bool, normalized: bool, uniform_noise: bool, noise: bytes) -> Any:
        _check_glimpses(images, size, offsets)
        starts = []
        for axis in (0, 1):
            extent, part, at = np.float32(images.shape[1 + axis]), np.float32(size[axis]), offsets[:, axis]
            at = at * extent if normalized else at
            at = at / np.float32(2) + extent / np.float32(2) if centered else at
            starts.append((at - part / np.float32(2)).astype(np.int64))
        return _glimpses(images, size, starts[0], starts[1], noise, uniform_noise)


class ExtractGlimpseV2(_Glimpse):
    """A part of each image, around a place where that is centered and normalized; else beginning there."""

    @staticmethod
    def run(xp: Any, images: Any, size: Any, offsets: Any, *, centered: bool, normalized: bool, uniform_noise: bool, noise: bytes) -> Any:
        _check_glimpses(images, size, offsets)
        starts = []
        for axis in (0, 1):
            extent, part, at = np.float32(images.shape[1 + axis]), np.float32(size[axis]), offsets[:, axis]
            at = at * extent if normalized else at
            if centered and normalized:
                at = at / np.float32(2) + extent / np.float32(2) - part / np.float32(2)
            elif centered:
                at = at + extent / np.float32(2)
            starts.append(at.astype(np.int64))
        return _glimpses(images, size, starts[0], starts[1], noise, uniform_noise)
