"""Of windows over arrays the largest elements, or the means; and the derivatives. What the operations of `gpersist.ops.pooling` compute."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.ops.host_threads import for_each, parts_for_all
from gpersist.ops.windows import (
    Windows,
    as_format,
    channel_axis,
    channels_last,
    explicit_pairs,
    is_channels_first,
    of_volumes,
    positions,
    seen_by,
    spatial,
    windows,
)

_HOST_BLOCK_BYTES = 1 << 20
_WORTH_SHARING = 1 << 20
"""Elements of which each single step of the work is long enough that threads don't wait for each other in Python."""


def pooling_windows(
    shape: Sequence[int], ksize: Sequence[int], strides: Sequence[int], padding: bytes, data_format: bytes, explicit_paddings: Any = ()
) -> list[Windows]:
    """The windows along each spatial axis."""
    rank = len(ksize)
    if len(shape) != rank:
        raise InvalidArgumentError(f"tensor_in must be {rank}-dimensional, found shape {list(shape)}")
    if len(strides) != rank or min(ksize) <= 0 or min(strides) <= 0:
        raise InvalidArgumentError(f"Sliding window ksize and strides must be positive. They are: {list(ksize)}, {list(strides)}")
    if ksize[0] != 1 or strides[0] != 1:
        raise UnimplementedError("Pooling is not yet supported on the batch dimension.")
    axis = channel_axis(data_format, rank)
    if ksize[axis] != 1 or strides[axis] != 1:
        raise UnimplementedError("Depthwise pooling is there for MaxPool alone, with windows as wide as their stride, and none over other axes.")
    pairs = explicit_pairs(explicit_paddings, data_format) if padding == b"EXPLICIT" else [(0, 0)] * (rank - 2)
    return [
        windows(size, width, stride, 1, padding, pair)
        for size, width, stride, pair in zip(*(spatial(values, data_format) for values in (shape, ksize, strides)), pairs, strict=True)
    ]


def _is_depthwise(shape: Sequence[int], ksize: Sequence[int], strides: Sequence[int], data_format: bytes) -> bool:
    """Whether windows are over the channels alone, side by side."""
    if len(shape) != 4 or len(ksize) != 4 or len(strides) != 4 or is_channels_first(data_format):
        return False
    return ksize[3] > 1 and ksize[3] == strides[3] and ksize[0] == ksize[1] == ksize[2] == 1 and shape[3] % ksize[3] == 0


def max_pool(
    xp: Any, value: Array, ksize: Sequence[int], strides: Sequence[int], padding: bytes, data_format: bytes, explicit_paddings: Any = ()
) -> Array:
    """The largest element of each window, over the spatial axes or over the channels."""
    if _is_depthwise(value.shape, ksize, strides, data_format):
        return value.reshape(*value.shape[:3], -1, ksize[3]).max(-1)
    axes = of_volumes(pooling_windows(value.shape, ksize, strides, padding, data_format, explicit_paddings), padding)
    return as_format(xp, largest(xp, channels_last(xp, value, data_format), axes), data_format)


def largest(xp: Any, value: Array, axes: Sequence[Windows]) -> Array:
    """The largest element of each window of a channels-last array; NaN, where there is anything else, counts as the least number."""
    larger = xp.maximum if np.issubdtype(value.dtype, np.integer) else xp.fmax
    return _by_axis(xp, value, axes, larger, least_number(value.dtype))


def _by_axis(xp: Any, value: Array, axes: Sequence[Windows], combine: Any, neutral: Any) -> Array:
    """The elements of each window combined, one axis after the other: the first ones have the long contiguous runs, and leave less for the others."""
    result = xp.full(_output_shape(value.shape, axes), neutral, value.dtype)

    def fill(images: slice) -> None:
        left = value[images]
        for number, axis in enumerate(axes):
            whole = (slice(None),) * (number + 1)
            shape = (*left.shape[: number + 1], axis.number, *left.shape[number + 2 :])
            found = result[images] if number == len(axes) - 1 else xp.full(shape, neutral, value.dtype)
            for place in range(axis.kernel):
                source, target = axis.seen_by(place)
                known = found[(*whole, target)]
                combine(known, left[(*whole, source)], out=known)
            left = found

    _for_each_image(xp, fill, value)
    return result


def _for_each_image(xp: Any, work: Callable[[slice], None], value: Array) -> None:
    """Calls `work` for all images of a batch; on the host, of a large one, several at a time."""
    if xp is np and value.size >= _WORTH_SHARING:
        for_each(work, parts_for_all(len(value)))
    elif len(value):
        work(slice(0, len(value)))


def least_number(dtype: np.dtype[Any]) -> Any:
    """The least finite number of a type."""
    if np.issubdtype(dtype, np.integer):
        return np.iinfo(dtype).min
    return ml_dtypes.finfo(dtype).min  # type: ignore[no-untyped-call]


def _output_shape(shape: Sequence[int], axes: Sequence[Windows]) -> tuple[int, ...]:
    return (shape[0], *(axis.number for axis in axes), shape[-1])


def first_of(xp: Any, value: Array, axes: Sequence[Windows]) -> Array:
    """The first element of each window that is in the array."""
    starts = [np.maximum(np.arange(axis.number) * axis.stride - axis.before, 0) for axis in axes]
    for number, start in enumerate(starts):
        value = xp.take(value, xp.asarray(start), number + 1)
    return value.copy()


def first_largest(xp: Any, value: Array, axes: Sequence[Windows]) -> Any:
    """For each place in a window, the parts of input and windows that meet there, and in which windows it is the first of the largest."""
    shape = _output_shape(value.shape, axes)
    if xp is np:
        meetings = list(_meetings(axes))
        for (source, target), is_first in zip(meetings, _masks_of_first(value, meetings, shape), strict=True):
            yield source, target, is_first[target]
        return
    best = largest(xp, value, axes)
    is_open = xp.ones(shape, bool)
    for source, target in _meetings(axes):
        free = is_open[target]
        is_first = xp.equal(value[source], best[target])
        is_first &= free
        free ^= is_first
        yield source, target, is_first


def _masks_of_first(value: np.ndarray[Any, Any], meetings: Sequence[Any], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """For each place in a window, whether it is the first of the largest, of each window. None is, where all are NaN.

    Each place of all windows is copied out once: short runs of channels, far apart, cost more than what is computed of them.
    """
    larger = np.maximum if np.issubdtype(value.dtype, np.integer) else np.fmax
    masks = np.empty((len(meetings), *shape), bool)
    step = max(1, _HOST_BLOCK_BYTES // max(1, len(meetings) * math.prod(shape[1:]) * value.dtype.itemsize))
    for start in range(0, shape[0], step):
        block = value[start : start + step]
        parts = np.empty((len(meetings), len(block), *shape[1:]), value.dtype)
        for part, (source, target) in zip(parts, meetings, strict=True):
            part[target] = block[source]
            for strip in _outside(target, shape):
                part[strip] = least_number(value.dtype)
        is_first = np.equal(parts, larger.reduce(parts, 0), out=masks[:, start : start + step])
        is_open = np.ones(is_first.shape[1:], bool)
        for mask, (_, target) in zip(is_first, meetings, strict=True):
            for strip in _outside(target, shape):
                mask[strip] = False
            mask &= is_open
            is_open ^= mask
    return masks


def _outside(target: Sequence[slice], shape: Sequence[int]) -> Iterator[tuple[slice, ...]]:
    """The parts of the windows that a place in them does not see; they may overlap."""
    for axis, (part, size) in enumerate(zip(target, shape, strict=False)):
        if part.start:
            yield (slice(None),) * axis + (slice(0, part.start),)
        if part.stop is not None and part.stop < size:
            yield (slice(None),) * axis + (slice(part.stop, None),)


def _meetings(axes: Sequence[Windows]) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    return (seen_by(axes, place) for place in positions(axes))


def _kept(xp: Any, value: Array, mask: Array, out: Array | None = None) -> Array:
    """The value where the mask is true, and 0 elsewhere: a product of bits, since a choice between floats takes ten times as long."""
    bits = np.dtype(f"u{value.dtype.itemsize}")
    if xp is np:
        mask = mask.astype(bits)  # that a product converts truths itself takes longer
    if out is not None:
        xp.multiply(value.view(bits), mask, out=out.view(bits))
        return out
    return xp.multiply(value.view(bits), mask).view(value.dtype)


def max_pool_gradient(
    xp: Any,
    value: Array,
    grad: Array,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: bytes,
    data_format: bytes,
    explicit_paddings: Any = (),
) -> Array:
    """The gradient of `max_pool`: that of a window goes to the first of its elements that is the largest."""
    if _is_depthwise(value.shape, ksize, strides, data_format):
        parts = value.reshape(-1, ksize[3])
        chosen = xp.arange(ksize[3]) == xp.argmax(parts, -1)[:, None]
        return xp.where(chosen, grad.reshape(-1, 1), grad.dtype.type(0)).reshape(value.shape)
    axes = pooling_windows(value.shape, ksize, strides, padding, data_format, explicit_paddings)
    value, grad = channels_last(xp, value, data_format), channels_last(xp, grad, data_format)
    wanted = _output_shape(value.shape, axes)
    if grad.shape != wanted:
        raise InvalidArgumentError(f"Expected grad shape to be {list(wanted)}, but got {list(grad.shape)}")
    is_disjoint = all(axis.stride >= axis.kernel for axis in axes)
    is_covered = is_disjoint and all(axis.stride == axis.kernel and axis.number * axis.stride >= axis.before + axis.size for axis in axes)
    total = (xp.empty if is_covered else xp.zeros)(value.shape, grad.dtype)

    def fill(images: slice) -> None:
        own, part = total[images], grad[images]
        for source, target, is_first in first_largest(xp, value[images], axes):
            seen = own[source]
            if is_disjoint:
                _kept(xp, part[target], is_first, out=seen)
            else:
                seen += _kept(xp, part[target], is_first)

    _for_each_image(xp, fill, value)
    return as_format(xp, total, data_format)


def gradient_of_all_largest(
    xp: Any, value: Array, output: Array, grad: Array, ksize: Sequence[int], strides: Sequence[int], padding: bytes, data_format: bytes
) -> Array:
    """The gradient of `max_pool` as it is of volumes: that of a window goes to each of its elements that equals the output."""
    axes = pooling_windows(value.shape, ksize, strides, padding, data_format)
    value, output, grad = (channels_last(xp, array, data_format) for array in (value, output, grad))
    wanted = _output_shape(value.shape, axes)
    for name, array in (("orig_output", output), ("grad", grad)):
        if array.shape != wanted:
            raise InvalidArgumentError(f"Expected {name} shape to be {list(wanted)}, but got {list(array.shape)}")
    total = xp.zeros(value.shape, grad.dtype)

    def fill(images: slice) -> None:
        for source, target in _meetings(axes):
            seen = total[images][source]
            seen += _kept(xp, grad[images][target], xp.equal(value[images][source], output[images][target]))

    _for_each_image(xp, fill, value)
    return as_format(xp, total, data_format)


def mean_pool(xp: Any, value: Array, ksize: Sequence[int], strides: Sequence[int], padding: bytes, data_format: bytes) -> Array:
    """The mean of each window, of as much of it as is not padding."""
    axes = of_volumes(pooling_windows(value.shape, ksize, strides, padding, data_format), padding)
    value = channels_last(xp, value, data_format)
    wide = value.astype(np.float32) if value.dtype.itemsize == 2 else value
    total = _by_axis(xp, wide, axes, xp.add, 0)
    total /= _counts(xp, axes, total.dtype)
    return as_format(xp, total.astype(value.dtype, copy=False), data_format)


def mean_pool_gradient(xp: Any, shape: Any, grad: Array, ksize: Sequence[int], strides: Sequence[int], padding: bytes, data_format: bytes) -> Array:
    """The gradient of `mean_pool` for an input of this shape: that of a window is shared out over its elements."""
    shape = tuple(int(size) for size in shape)
    axes = pooling_windows(shape, ksize, strides, padding, data_format)
    grad = channels_last(xp, grad, data_format)
    last = (shape[0], *spatial(shape, data_format), shape[channel_axis(data_format, len(shape))])
    wanted = _output_shape(last, axes)
    if grad.shape != wanted:
        raise InvalidArgumentError(f"Expected grad shape to be {list(wanted)}, but got {list(grad.shape)}")
    wide = np.dtype(np.float32) if grad.dtype.itemsize == 2 else grad.dtype
    shares = grad / _counts(xp, axes, wide)
    total = xp.zeros(last, wide)

    def fill(images: slice) -> None:
        own, part = total[images], shares[images]
        for place in positions(axes):
            source, target = seen_by(axes, place)
            seen = own[source]
            seen += part[target]

    _for_each_image(xp, fill, total)
    return as_format(xp, total.astype(grad.dtype, copy=False), data_format)


def _counts(xp: Any, axes: Sequence[Windows], dtype: Any) -> Array:
    """How many elements of each window are not padding, of a shape that goes with [batch, *counts, channels]."""
    found = np.ones((1,) * (len(axes) + 2), dtype)
    for number, axis in enumerate(axes):
        starts = np.arange(axis.number) * axis.stride - axis.before
        inside = np.minimum(starts + axis.kernel, axis.size) - np.maximum(starts, 0)
        found = found * inside.astype(dtype).reshape([-1 if other == number + 1 else 1 for other in range(len(axes) + 2)])
    return xp.asarray(found)
