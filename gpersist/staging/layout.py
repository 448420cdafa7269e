"""Where tensors' bytes stand in files, and how that is cut into pieces of work.

A `Layout` is columnar: checkpoints of 20,000 scalars are common, and an object a tensor would cost more than writing it. An `Extent` is a
contiguous range of one file, small enough for a slot, with the tensors that overlap it; only its first tensor may begin before it and only its last
may end after.
"""

from __future__ import annotations

import dataclasses
import functools
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from gpersist.files import IOV_MAX

MAX_TENSORS = IOV_MAX // 2
"""Tensors in one extent: each may need a second buffer, for the padding after it, and one system call takes IOV_MAX of them."""


@dataclasses.dataclass(frozen=True, eq=False)
class Layout:
    """Byte ranges of n tensors, none of them empty, ordered by file and offset, not overlapping.

    Attributes:
        files: int64[n], the number of the file.
        offsets: int64[n], first byte in it.
        sizes: int64[n], bytes, at least 1.
    """

    files: np.ndarray[Any, np.dtype[np.int64]]
    offsets: np.ndarray[Any, np.dtype[np.int64]]
    sizes: np.ndarray[Any, np.dtype[np.int64]]

    @property
    def total_bytes(self) -> int:
        """Bytes of all tensors, padding left out."""
        return int(self.sizes.sum())

    @functools.cached_property
    def gaps(self) -> list[int]:
        """Padding behind each tensor but the last; means nothing where the next one is in another file."""
        return (self.offsets[1:] - self.offsets[:-1] - self.sizes[:-1]).tolist()  # type: ignore[no-any-return]  # NumPy's stub says Any


class Extent(NamedTuple):
    """Bytes `begin` to `end` of a file, and tensors `first` to `last` (exclusive) of the layout, which overlap them."""

    file: int
    begin: int
    end: int
    first: int
    last: int


class Piece(NamedTuple):
    """The part of a tensor that lies in an extent."""

    tensor: int
    tensor_offset: int
    extent_offset: int
    size_bytes: int


def cut(
    layout: Layout, kinds: np.ndarray[Any, np.dtype[np.int64]], limits: Sequence[int], max_gap_bytes: int, long_limits: Sequence[int] | None = None
) -> Iterator[Extent]:
    """Cuts a layout into extents, in order.

    Args:
        layout: what to cut.
        kinds: int64[n], of each tensor; those of different kinds never share an extent, not even where their limits are equal.
        limits: the largest extent of each kind, in bytes.
        max_gap_bytes: the widest padding that an extent may bridge.
        long_limits: the largest extent of each kind within one tensor, a multiple of its limit; default: the limit. Few long extents of a large
            tensor cost less memory than many short ones.
    """
    count = len(layout.sizes)
    if not count:
        return
    ends_array = layout.offsets + layout.sizes
    is_wide = layout.offsets[1:] - ends_array[:-1] > max_gap_bytes
    breaks = np.flatnonzero((layout.files[1:] != layout.files[:-1]) | (kinds[1:] != kinds[:-1]) | is_wide) + 1
    offsets, sizes, ends = layout.offsets.tolist(), layout.sizes.tolist(), ends_array.tolist()
    low = 0
    for high in [*breaks.tolist(), count]:
        kind = int(kinds[low])
        file, limit, long_limit = int(layout.files[low]), limits[kind], (long_limits or limits)[kind]
        tensor, inner = low, 0
        while tensor < high:
            begin = offsets[tensor] + inner
            rest = sizes[tensor] - inner
            if rest > limit:
                length = min(long_limit, (rest - 1) // limit * limit)
                yield Extent(file, begin, begin + length, tensor, tensor + 1)
                inner += length
                continue
            last = min(bisect_right(ends, begin + limit, tensor, high), tensor + MAX_TENSORS)
            yield Extent(file, begin, ends[last - 1], tensor, last)
            tensor, inner = last, 0
        low = high


def cut_blocks(layout: Layout, block_bytes: int) -> Iterator[Extent]:
    """Cuts a layout at multiples of `block_bytes` in each file, as direct I/O wants it; padding before a tensor belongs to its extent."""
    offsets, sizes, file_of = layout.offsets.tolist(), layout.sizes.tolist(), layout.files.tolist()
    count, tensor, begin = len(sizes), 0, 0
    while tensor < count:
        file, end = file_of[tensor], begin + block_bytes
        last = tensor
        while last < count and file_of[last] == file and offsets[last] < end:
            last += 1
        if last > tensor:
            reach = offsets[last - 1] + sizes[last - 1]
            yield Extent(file, begin, min(end, reach), tensor, last)
            tensor = last if reach <= end else last - 1
        begin = end if tensor < count and file_of[tensor] == file else 0


def blocks(extent: Extent, block_bytes: int) -> Iterator[Extent]:
    """An extent in pieces of at most `block_bytes`, if it is of one tensor and larger; else as it is."""
    for begin in range(extent.begin, extent.end, block_bytes):
        if extent.last - extent.first > 1:
            yield extent
            return
        yield extent._replace(begin=begin, end=min(begin + block_bytes, extent.end))


def tensor_bytes(layout: Layout, extent: Extent) -> int:
    """Bytes of tensors in an extent, padding left out."""
    return sum(piece.size_bytes for piece in pieces(layout, extent))


def pieces(layout: Layout, extent: Extent) -> list[Piece]:
    """The parts of tensors in an extent, in order."""
    result = []
    for tensor in range(extent.first, extent.last):
        offset, size = int(layout.offsets[tensor]), int(layout.sizes[tensor])
        start, stop = max(offset, extent.begin), min(offset + size, extent.end)
        result.append(Piece(tensor, start - offset, start - extent.begin, stop - start))
    return result
