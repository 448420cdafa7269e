"""Where the windows of convolutions and of pooling lie: sizes, paddings, and the parts of an array that one position of all windows sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError


class Windows(NamedTuple):
    """The windows along one axis.

    Attributes:
        size: of the input.
        kernel: elements in a window.
        stride: from one window to the next.
        dilation: from one element of a window to the next.
        before, after: elements of padding.
        number: how many windows there are.
    """

    size: int
    kernel: int
    stride: int
    dilation: int
    before: int
    after: int
    number: int

    @property
    def padded(self) -> int:
        """The size of the input with its padding."""
        return self.before + self.size + self.after

    def seen_by(self, position: int) -> tuple[slice, slice]:
        """Of the input and of the windows, the parts where element number `position` of a window is in the input, and not in the padding."""
        offset = position * self.dilation - self.before
        first = max(0, -(offset // self.stride))
        last = min(self.number, (self.size - 1 - offset) // self.stride + 1)
        if last <= first:
            return slice(0, 0), slice(0, 0)
        start = offset + first * self.stride
        return slice(start, start + (last - first - 1) * self.stride + 1, self.stride), slice(first, last)


def windows(size: int, kernel: int, stride: int, dilation: int, padding: bytes, explicit: tuple[int, int] = (0, 0)) -> Windows:
    """The windows along one axis, as TensorFlow pads it (`GetWindowedOutputSize`).

    Raises:
        InvalidArgumentError: a window is larger than the input.
    """
    extent = (kernel - 1) * dilation + 1
    if padding == b"SAME":
        count = -(-size // stride)
        total = max(0, (count - 1) * stride + extent - size)
        return Windows(size, kernel, stride, dilation, total // 2, total - total // 2, count)
    before, after = explicit if padding == b"EXPLICIT" else (0, 0)
    rest = before + size + after - extent + stride
    count = rest // stride if rest >= 0 else -(-rest // stride)  # as C++ divides
    if count < 0:
        raise InvalidArgumentError(
            f"Computed output size would be negative: {count} [input_size: {size}, effective_filter_size: {extent}, stride: {stride}]"
        )
    return Windows(size, kernel, stride, dilation, before, after, count)


def of_volumes(axes: Sequence[Windows], padding: bytes) -> Sequence[Windows]:
    """The windows along the axes of volumes, forwards: those that are smaller than their stride begin within the volume, as Eigen's do.

    Their derivatives, and all windows over images, begin at its edge.
    """
    return [_centred(axis) for axis in axes] if len(axes) == 3 and padding == b"SAME" else axes


def _centred(axis: Windows) -> Windows:
    total = (axis.number - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1 - axis.size
    before = total // 2 if total >= 0 else -(-total // 2)
    return axis._replace(before=before, after=max(0, total - before))


def positions(axes: Sequence[Windows]) -> Iterator[tuple[int, ...]]:
    """The places in a window, the last axis fastest."""
    return np.ndindex(*(axis.kernel for axis in axes))


def seen_by(axes: Sequence[Windows], position: Sequence[int]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """For channels-last arrays, the part of the input that a place in all windows sees, and the part of the windows that see something there."""
    pairs = [axis.seen_by(place) for axis, place in zip(axes, position, strict=True)]
    return (slice(None), *(pair[0] for pair in pairs)), (slice(None), *(pair[1] for pair in pairs))


def is_channels_first(data_format: bytes) -> bool:
    """Whether it is NCHW or NCDHW."""
    return data_format.startswith(b"NC")


def channels_last(xp: Any, value: Array, data_format: bytes) -> Array:
    """A view of an array in which the channels are the last axis."""
    return xp.moveaxis(value, 1, -1) if is_channels_first(data_format) else value


def as_format(xp: Any, value: Array, data_format: bytes) -> Array:
    """An array whose last axis is the channels, as the format has it."""
    return xp.ascontiguousarray(xp.moveaxis(value, -1, 1)) if is_channels_first(data_format) else value


def spatial(values: Sequence[Any], data_format: bytes) -> list[Any]:
    """Of a value for each axis, those of the axes between batch and channels."""
    return list(values[2:] if is_channels_first(data_format) else values[1:-1])


def channel_axis(data_format: bytes, rank: int) -> int:
    """Which axis is the channels."""
    return 1 if is_channels_first(data_format) else rank - 1


def explicit_pairs(explicit_paddings: Sequence[int], data_format: bytes) -> list[tuple[int, int]]:
    """The padding before and after each spatial axis, of the attribute's flat list."""
    return spatial(list(zip(explicit_paddings[::2], explicit_paddings[1::2], strict=True)), data_format)


def output_size(size: int | None, kernel: int | None, stride: int, dilation: int, padding: bytes, explicit: tuple[int, int] = (0, 0)) -> int | None:
    """How many windows there are along an axis; None where that is not known.

    Raises:
        ValueError: a window is larger than the input.
    """
    if size is None or (kernel is None and padding != b"SAME"):
        return None
    if padding == b"SAME":
        return -(-size // stride)
    assert kernel is not None
    extent, padded = (kernel - 1) * dilation + 1, size + sum(explicit if padding == b"EXPLICIT" else (0, 0))
    if extent > padded:
        raise ValueError(f"Negative dimension size caused by subtracting {extent} from {padded}")
    return (padded - extent) // stride + 1
