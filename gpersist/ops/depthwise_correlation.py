"""Correlation of each channel of an array with filters of its own, over two spatial axes: sums place by place of the window.

Arrays are channels last: input [batch, height, width, channels], filters [height, width, channels, multiplier], output
[batch, height, width, channels * multiplier].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.ops.windows import Windows, positions, seen_by

_HOST_BLOCK_BYTES = 256 << 10


def correlate_each(xp: Any, value: Array, filters: Array, axes: Sequence[Windows]) -> Array:
    """Each channel with its filters, summed place by place of the window, on blocks of rows that stay in a core's cache."""
    channels, multiplier = filters.shape[2:]
    rows, columns = axes
    out = xp.zeros((len(value), rows.number, columns.number, channels, multiplier), value.dtype)
    if not out.size:
        return out.reshape(*out.shape[:3], channels * multiplier)
    if xp is np and multiplier == 1:
        _correlate_rows(value, filters[..., 0], axes, out[..., 0])
        return out[..., 0]
    step = rows.number if xp is not np else max(1, _HOST_BLOCK_BYTES // max(1, out[0, 0].nbytes))
    for image in [slice(number, number + 1) for number in range(len(value))] if xp is np else [slice(None)]:
        for first in range(0, rows.number, step):
            block = out[image, first : first + step]
            for place in positions(axes):
                _, (_, shown_rows, shown_columns) = seen_by(axes, place)
                low, high = max(shown_rows.start, first), min(shown_rows.stop, first + step)
                if low >= high or shown_columns.start >= shown_columns.stop:
                    continue
                top = low * rows.stride + place[0] * rows.dilation - rows.before
                left = shown_columns.start * columns.stride + place[1] * columns.dilation - columns.before
                seen = value[
                    image,
                    top : top + (high - low - 1) * rows.stride + 1 : rows.stride,
                    left : left + (shown_columns.stop - shown_columns.start - 1) * columns.stride + 1 : columns.stride,
                ]
                known = block[:, low - first : high - first, shown_columns]
                if multiplier == 1:
                    known[..., 0] += seen * filters[place][:, 0]
                else:
                    known += seen[..., None] * filters[place]
    return out.reshape(*out.shape[:3], channels * multiplier)


def _correlate_rows(value: np.ndarray[Any, Any], filters: np.ndarray[Any, Any], axes: Sequence[Windows], out: np.ndarray[Any, Any]) -> None:
    """The same for one filter a channel, on whole rows: what one place of all windows of a row sees is then one run of memory.

    For that the columns of a block are copied out, those that are the same modulo the stride side by side.
    """
    rows, columns = axes
    channels, length = out.shape[3], columns.number * out.shape[3]
    step = min(rows.number, max(1, _HOST_BLOCK_BYTES // max(1, length * out.itemsize)))
    reach = (rows.kernel - 1) * rows.dilation + 1
    width = -(-(columns.before + max(columns.size, columns.number * columns.stride + columns.kernel * columns.dilation)) // columns.stride)
    padded = np.zeros((columns.stride, (step - 1) * rows.stride + reach, width, channels), value.dtype)
    product = np.empty((step, length), value.dtype)
    factors = np.repeat(filters[:, :, None], columns.number, axis=2).reshape(*filters.shape[:2], length)
    for image, result in zip(value, out, strict=True):
        for first in range(0, rows.number, step):
            count = min(step, rows.number - first)
            top = first * rows.stride - rows.before
            bottom = top + (count - 1) * rows.stride + reach
            low, high = min(max(top, 0), rows.size), max(min(bottom, rows.size), 0)
            padded[:, : low - top] = 0
            padded[:, max(high, low) - top : bottom - top] = 0
            for phase, plane in enumerate(padded):
                start = (phase - columns.before) % columns.stride
                seen = image[low:high, start :: columns.stride]
                at = (start + columns.before) // columns.stride
                plane[low - top : low - top + len(seen), at : at + seen.shape[1]] = seen
            target = result[first : first + count].reshape(count, length)
            flat = padded.reshape(*padded.shape[:2], -1)
            for row, column in positions(axes):
                at, phase = divmod(column * columns.dilation, columns.stride)
                start = row * rows.dilation
                source = flat[phase, start : start + (count - 1) * rows.stride + 1 : rows.stride, at * channels : at * channels + length]
                np.multiply(source, factors[row, column], out=product[:count])
                target += product[:count]
