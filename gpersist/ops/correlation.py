"""Correlation of an array with filters, and its derivatives, for any number of spatial axes: matrix products over blocks of windows.

Arrays are channels last: input [batch, *spatial, channels], filters [*kernel, channels / groups, out channels], output
[batch, *numbers, out channels].
A block of windows is copied out into a matrix with one row for each (im2col), which a BLAS multiplies. Blocks are small enough to stay in a core's
cache, so that memory does not grow with the kernel.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.ops.blas_threads import matmul
from gpersist.ops.depthwise_correlation import correlate_each
from gpersist.ops.windows import Windows, positions

_HOST_BLOCK_BYTES = 1 << 20
_HOST_NARROW_BLOCK_BYTES = 256 << 10
"""Where a window is shorter than `_NARROW_BYTES`: then the product, too, waits for memory."""
_NARROW_BYTES = 256
_DEVICE_BLOCK_BYTES = 256 << 20


def correlate(xp: Any, value: Array, filters: Array, axes: Sequence[Windows]) -> Array:
    """What each filter gives in each window."""
    if _is_narrow(value):
        return correlate(xp, value.astype(np.float32), filters.astype(np.float32), axes).astype(value.dtype)
    groups = value.shape[-1] // filters.shape[-2]
    if groups > 1:
        if filters.shape[-2] == 1 and len(axes) == 2:
            return correlate_each(xp, value, filters.reshape(*filters.shape[:2], groups, -1), axes)
        parts = zip(xp.split(value, groups, -1), xp.split(filters, groups, -1), strict=True)
        return xp.concatenate([correlate(xp, part, own, axes) for part, own in parts], -1)
    matrix = filters.reshape(-1, filters.shape[-1])
    out = xp.empty((len(value), *(axis.number for axis in axes), filters.shape[-1]), value.dtype)
    for part, rows in _matrices(xp, value, axes):
        target = out[part]
        matmul(xp, rows, matrix, out=target.reshape(-1, matrix.shape[1]))
    return out


def filter_gradient(xp: Any, value: Array, grad: Array, axes: Sequence[Windows], channels: int) -> Array:
    """The gradient with respect to the filters, [*kernel, channels, out channels], for one of the output."""
    if _is_narrow(value):
        return filter_gradient(xp, value.astype(np.float32), grad.astype(np.float32), axes, channels).astype(value.dtype)
    groups = value.shape[-1] // channels
    if groups > 1:
        parts = zip(xp.split(value, groups, -1), xp.split(grad, groups, -1), strict=True)
        return xp.concatenate([filter_gradient(xp, part, own, axes, channels) for part, own in parts], -1)
    grad = xp.ascontiguousarray(grad)
    kernel = tuple(axis.kernel for axis in axes)
    total = None
    for part, rows in _matrices(xp, value, axes):
        product = matmul(xp, rows.T, grad[part].reshape(-1, grad.shape[-1]))
        if total is None:
            total = product
        else:
            total += product
    if total is None:
        return xp.zeros((*kernel, channels, grad.shape[-1]), value.dtype)
    return total.reshape(*kernel, channels, grad.shape[-1])


def input_gradient(xp: Any, grad: Array, filters: Array, axes: Sequence[Windows], channels: int) -> Array:
    """The gradient with respect to the input, of `channels` channels, for one of the output."""
    if _is_narrow(grad):
        return input_gradient(xp, grad.astype(np.float32), filters.astype(np.float32), axes, channels).astype(grad.dtype)
    groups = channels // filters.shape[-2]
    if groups > 1:
        parts = zip(xp.split(grad, groups, -1), xp.split(filters, groups, -1), strict=True)
        return xp.concatenate([input_gradient(xp, part, own, axes, channels // groups) for part, own in parts], -1)
    grad = xp.ascontiguousarray(grad)
    transposed = filters.reshape(-1, filters.shape[-1]).T
    if _is_pointwise(axes):
        return matmul(xp, grad.reshape(-1, grad.shape[-1]), transposed).reshape(*grad.shape[:-1], channels)
    mirrored = _mirrored(axes) if grad.shape[-1] <= 2 * channels else None
    if mirrored is not None:  # a correlation itself, which has its sums in the product, at the price of more channels to copy
        turned = filters[(slice(None, None, -1),) * len(axes)].swapaxes(-1, -2)
        return correlate(xp, grad, xp.ascontiguousarray(turned), mirrored)
    # The sums run over contiguous parts: the channels of a pixel, or, where these are few, the pixels of a row.
    is_planar = channels < axes[-1].number
    shape = (len(grad), *(axis.padded for axis in axes))
    padded = xp.zeros((channels, *shape) if is_planar else (*shape, channels), grad.dtype)
    kernel = tuple(axis.kernel for axis in axes)
    for part in _blocks(xp, grad.shape[:-1], transposed.shape[1] * grad.dtype.itemsize):
        block = grad[part]
        rows = block.reshape(-1, grad.shape[-1])
        if is_planar:
            products = matmul(xp, transposed.T, rows.T).reshape(*kernel, channels, *block.shape[:-1])
        else:
            products = matmul(xp, rows, transposed).reshape(*block.shape[:-1], *kernel, channels)
        first = part[1].start if len(part) > 1 else 0
        for place in positions(axes):
            starts = [position * axis.dilation for position, axis in zip(place, axes, strict=True)]
            starts[0] += first * axes[0].stride
            target = (
                part[0],
                *(
                    slice(start, start + (count - 1) * axis.stride + 1, axis.stride)
                    for start, count, axis in zip(starts, block.shape[1:-1], axes, strict=True)
                ),
            )
            seen = padded[(slice(None), *target)] if is_planar else padded[target]
            seen += products[place] if is_planar else products[(..., *place, slice(None))]
    padded = xp.moveaxis(padded, 0, -1) if is_planar else padded
    inner = tuple(slice(axis.before, axis.before + axis.size) for axis in axes)
    return xp.ascontiguousarray(padded[(slice(None), *inner)])


def _mirrored(axes: Sequence[Windows]) -> list[Windows] | None:
    """The windows over the output that see each element of the input; None where there are no such, since strides leave gaps."""
    found = []
    for axis in axes:
        reach = (axis.kernel - 1) * axis.dilation
        before, after = reach - axis.before, reach - axis.after
        if axis.stride != 1 or min(before, after) < 0:
            return None
        found.append(Windows(axis.number, axis.kernel, 1, axis.dilation, before, after, axis.size))
    return found


def _matrices(xp: Any, value: Array, axes: Sequence[Windows]) -> Iterator[tuple[tuple[slice, ...], Array]]:
    """The windows as matrices, block by block: the block's part of the output's first two axes, and a row for each window."""
    channels = value.shape[-1]
    if _is_pointwise(axes):
        yield (slice(None),), value.reshape(-1, channels)
        return
    padded = _padded(xp, value, axes)
    strides = padded.strides
    kernel = tuple(axis.kernel for axis in axes)
    counts = tuple(axis.number for axis in axes)
    views = xp.lib.stride_tricks.as_strided(
        padded,
        (len(value), *counts, *kernel, channels),
        (
            strides[0],
            *(step * axis.stride for step, axis in zip(strides[1:-1], axes, strict=True)),
            *(step * axis.dilation for step, axis in zip(strides[1:-1], axes, strict=True)),
            strides[-1],
        ),
    )
    if xp is np and views.size and padded.flags.c_contiguous and axes[-1].dilation == 1:
        # A row of a window is one run of memory: as one element of so many bytes, it is copied in two thirds of the time.
        run = np.dtype((np.void, kernel[-1] * channels * value.dtype.itemsize))
        views = xp.lib.stride_tricks.as_strided(np.ndarray((1,), run, padded), views.shape[:-2], views.strides[:-2])
    width = channels * int(np.prod(kernel))
    buffer = None
    for part in _blocks(xp, (len(value), *counts), width * value.dtype.itemsize):
        seen = views[part]
        size = int(np.prod(seen.shape)) * (seen.dtype.itemsize // value.dtype.itemsize)
        if buffer is None:
            buffer = _scratch(xp, size, value.dtype)  # the first block is the largest
        rows = buffer[:size]
        rows.view(seen.dtype).reshape(seen.shape)[...] = seen
        yield part, rows.reshape(-1, width)


class _Scratch(threading.local):
    """A thread's memory for one block of windows, kept: on memory that is fresh from the system, the copy takes twice as long."""

    def __init__(self) -> None:
        self.memory = np.empty(0, np.uint8)


_SCRATCH = _Scratch()


def _scratch(xp: Any, size: int, dtype: Any) -> Array:
    if xp is not np:
        return xp.empty(size, dtype)  # CuPy's pool keeps memory
    needed = size * dtype.itemsize
    if needed > 2 * _HOST_BLOCK_BYTES:
        return np.empty(size, dtype)
    if _SCRATCH.memory.size < needed:
        _SCRATCH.memory = np.empty(needed, np.uint8)
    return _SCRATCH.memory[:needed].view(dtype)


def _blocks(xp: Any, shape: Sequence[int], window_bytes: int) -> Iterator[tuple[slice, ...]]:
    """Parts of [batch, count, ...]: some whole images, or some rows of one, the first part the largest."""
    if 0 in shape:
        return
    host_bytes = _HOST_NARROW_BLOCK_BYTES if window_bytes < _NARROW_BYTES else _HOST_BLOCK_BYTES
    limit = max(1, (host_bytes if xp is np else _DEVICE_BLOCK_BYTES) // max(1, window_bytes * math.prod(shape[2:])))
    images = limit // shape[1]
    if images:
        for start in range(0, shape[0], images):
            yield (slice(start, start + images),)
        return
    for image in range(shape[0]):
        for start in range(0, shape[1], limit):
            yield slice(image, image + 1), slice(start, start + limit)


def _padded(xp: Any, value: Array, axes: Sequence[Windows]) -> Array:
    if not any(axis.before or axis.after for axis in axes):
        return value
    padded = xp.zeros((len(value), *(axis.padded for axis in axes), value.shape[-1]), value.dtype)
    padded[(slice(None), *(slice(axis.before, axis.before + axis.size) for axis in axes))] = value
    return padded


def _is_pointwise(axes: Sequence[Windows]) -> bool:
    """Whether each window is one element, and each element a window."""
    return all(axis.kernel == axis.stride == 1 and not axis.before and not axis.after for axis in axes)


def _is_narrow(value: Array) -> bool:
    """Whether it is of a type that is summed in float32: half and bfloat16, which no BLAS knows."""
    return bool(value.dtype.itemsize == 2)
