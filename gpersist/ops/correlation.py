"""Correlation of an array with filters, and its derivatives, for any number of spatial axes: matrix products over blocks of windows.

Arrays are channels last: input [batch, *spatial, channels], filters [*kernel, channels / groups, out channels], output
[batch, *numbers, out channels].
A block of windows is copied out into a matrix with one row for each (im2col), which a BLAS multiplies. Blocks are small enough to stay in a core's
cache, so that memory does not grow with the kernel; on the host the cores share them out.
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.ops.blas_threads import one_thread
from gpersist.ops.depthwise_correlation import correlate_each
from gpersist.ops.host_threads import even_parts, for_each
from gpersist.ops.matrix_product import WORTH_SHARING, matmul
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
    if _is_pointwise(axes):
        matmul(xp, value.reshape(-1, value.shape[-1]), matrix, out=out.reshape(-1, matrix.shape[1]))
        return out
    rows_of = _im2col(xp, value, axes)

    def fill(part: Part) -> None:
        matmul(xp, rows_of(part), matrix, out=out[part].reshape(-1, matrix.shape[1]))

    _for_each(xp, fill, _blocks(xp, out.shape, matrix.shape[0] * value.dtype.itemsize, matrix.shape[0]))
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
    shape = (*(axis.kernel for axis in axes), channels, grad.shape[-1])
    if _is_pointwise(axes):
        return matmul(xp, value.reshape(-1, channels).T, grad.reshape(-1, shape[-1])).reshape(shape)
    rows_of, width = _im2col(xp, value, axes), math.prod(shape[:-1])
    blocks = _blocks(xp, grad.shape, width * value.dtype.itemsize, width)
    halves = even_parts(len(blocks), -(-len(blocks) // 2))  # two sums, whoever computes them: so they are the same each time
    totals: list[Array] = [None] * len(halves)

    def add_up(half: int) -> None:
        for part in blocks[halves[half]]:
            product = matmul(xp, rows_of(part).T, grad[part].reshape(-1, shape[-1]))
            totals[half] = product if totals[half] is None else xp.add(totals[half], product, out=product)

    _for_each(xp, add_up, range(len(halves)))
    if not totals:
        return xp.zeros(shape, value.dtype)
    return functools.reduce(xp.add, totals).reshape(shape)


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
    mirrored = _mirrored(axes) if grad.shape[-1] <= 2 * min(channels, math.prod(grad.shape[:-1])) else None
    if mirrored is not None:  # a correlation itself, which has its sums in the product, at the price of more channels to copy
        turned = filters[(slice(None, None, -1),) * len(axes)].swapaxes(-1, -2)
        return correlate(xp, grad, xp.ascontiguousarray(turned), mirrored)
    return _spread(xp, grad, transposed, axes, channels)


def _spread(xp: Any, grad: Array, transposed: Array, axes: Sequence[Windows], channels: int) -> Array:
    """What each window adds to its elements. The sums run over contiguous parts: channels of a pixel or, where these are few, pixels of a row."""
    is_planar = channels < axes[-1].number
    shape = (len(grad), *(axis.padded for axis in axes))
    padded = xp.zeros((channels, *shape) if is_planar else (*shape, channels), grad.dtype)
    kernel = tuple(axis.kernel for axis in axes)

    def spread(images: slice) -> None:
        for part in _blocks(xp, (images.stop - images.start, *grad.shape[1:]), transposed.shape[1] * grad.dtype.itemsize, 0):
            place = (slice(part[0].start + images.start, part[0].stop + images.start), *part[1:])
            block = grad[place]
            rows = block.reshape(-1, grad.shape[-1])
            if is_planar:
                products = matmul(xp, transposed.T, rows.T).reshape(*kernel, channels, *block.shape[:-1])
            else:
                products = matmul(xp, rows, transposed).reshape(*block.shape[:-1], *kernel, channels)
            for position in positions(axes):
                target = [place[0]]
                for number, (axis, at, count) in enumerate(zip(axes, position, block.shape[1:-1], strict=True), 1):
                    start = at * axis.dilation + (place[number].start * axis.stride if number < len(place) else 0)
                    target.append(slice(start, start + (count - 1) * axis.stride + 1, axis.stride))
                seen = padded[(slice(None), *target)] if is_planar else padded[tuple(target)]
                seen += products[position] if is_planar else products[(..., *position, slice(None))]

    is_shared = grad.size * transposed.shape[1] >= WORTH_SHARING
    _for_each(xp, spread, even_parts(len(grad), len(grad) // 2 if is_shared else len(grad)))
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


Part = tuple[slice, ...]
"""A part of an array's first axes."""


def _for_each(xp: Any, work: Callable[[Any], None], parts: Sequence[Any]) -> None:
    """Calls `work` for each part; on the host several at a time, each multiplying on its own thread."""
    if xp is not np:
        for part in parts:
            work(part)
        return
    with one_thread():
        for_each(work, parts)


def _im2col(xp: Any, value: Array, axes: Sequence[Windows]) -> Callable[[Part], Array]:
    """What gives the windows of a part of the output as a matrix: a row for each. It is the thread's, until it asks for the next one."""
    channels = value.shape[-1]
    padded = _padded(xp, value, axes)
    kernel = tuple(axis.kernel for axis in axes)
    width = channels * math.prod(kernel)
    steps = padded.strides
    shape = (len(value), *(axis.number for axis in axes), *kernel, channels)
    strides = (
        steps[0],
        *(step * axis.stride for step, axis in zip(steps[1:-1], axes, strict=True)),
        *(step * axis.dilation for step, axis in zip(steps[1:-1], axes, strict=True)),
        steps[-1],
    )
    if xp is np and padded.flags.c_contiguous and axes[-1].dilation == 1 and 0 not in shape:
        # A row of a window is one run of memory: as one element of so many bytes, it is copied in two thirds of the time.
        run = np.dtype((np.void, kernel[-1] * channels * value.dtype.itemsize))
        views = np.ndarray(shape[:-2], run, padded, 0, strides[:-2])
    else:
        views = xp.lib.stride_tricks.as_strided(padded, shape, strides)

    def rows_of(part: Part) -> Array:
        seen = views[part]
        rows = _scratch(xp, seen.size * seen.dtype.itemsize // value.dtype.itemsize, value.dtype)
        rows.view(seen.dtype).reshape(seen.shape)[...] = seen
        return rows.reshape(-1, width)

    return rows_of


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


def _blocks(xp: Any, shape: Sequence[int], window_bytes: int, width: int) -> list[Part]:
    """Parts of an output of this shape, channels last: some whole images, or some rows of one, or some pixels of a row.

    On the host there are several of them, if it is worth while to share them out: if `width`, a window's elements, is given.
    """
    if 0 in shape[:-1]:
        return []
    host_bytes = _HOST_NARROW_BLOCK_BYTES if window_bytes < _NARROW_BYTES else _HOST_BLOCK_BYTES
    limit = (host_bytes if xp is np else _DEVICE_BLOCK_BYTES) // max(1, window_bytes)
    count = math.prod(shape[:-1])
    if xp is np and 2 * count >= shape[-1] and count * shape[-1] * width >= WORTH_SHARING:  # of fewer windows the product is shared out
        limit = min(limit, count // 2)
    return _parts_of(shape[:-1], max(1, limit))


def _parts_of(shape: Sequence[int], limit: int) -> list[Part]:
    rest = math.prod(shape[1:])
    if limit >= rest:
        return [(part,) for part in even_parts(shape[0], limit // rest)]
    return [(slice(number, number + 1), *part) for number in range(shape[0]) for part in _parts_of(shape[1:], limit)]


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
