"""Host arrays whose elements do not stand in memory as they stand in a file: transposed, strided, of the other byte order.

They are brought into order block by block as they are sent or received, so a transfer takes no second copy of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gpersist.shapes import Shape
from gpersist.staging.pulled import Pulled

Index = tuple[int | slice, ...]


class Scattered(Pulled):
    """A NumPy array of any layout as the bytes that a file has of it: row-major, of the file's dtype.

    Attributes:
        array: the array itself.
        dtype: of the file; the array's own in little-endian order.
        nbytes: in the file.
    """

    def __init__(self, array: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> None:
        """No bytes are copied yet."""
        super().__init__(dtype, array.shape)
        self.array = array

    def read(self, begin: int, end: int) -> memoryview:
        """A copy of bytes `begin` to `end`."""
        first, last = begin // self.dtype.itemsize, -(-end // self.dtype.itemsize)
        elements = np.empty(last - first, self.dtype)
        self._copy(elements, first, last, is_read=True)
        start = first * self.dtype.itemsize
        return memoryview(elements.view(np.uint8).data)[begin - start : end - start]

    def write(self, begin: int, content: memoryview) -> None:
        """Puts bytes at `begin` where they belong. REQUIRES: they are whole elements."""
        elements = np.frombuffer(content, np.uint8).view(self.dtype)
        first = begin // self.dtype.itemsize
        self._copy(elements, first, first + elements.size, is_read=False)

    def _copy(self, elements: np.ndarray[Any, Any], first: int, last: int, *, is_read: bool) -> None:
        at = 0
        for box in boxes(self.array.shape, first, last):
            part = self.array[(*box, ...)]
            run = elements[at : at + part.size].reshape(part.shape)
            if is_read:
                run[...] = part
            else:
                part[...] = run
            at += part.size


def boxes(shape: Shape, first: int, last: int) -> Iterator[Index]:
    """The rectangular parts, in order, that make up elements `first` to `last` of a row-major array: whole rows, and what is left at the ends."""
    if not shape:
        yield ()
        return
    row = math.prod(shape[1:])
    (top, low), (bottom, high) = divmod(first, row), divmod(last, row)
    if top == bottom:
        yield from ((top, *rest) for rest in boxes(shape[1:], low, high))
        return
    if low:
        yield from ((top, *rest) for rest in boxes(shape[1:], low, row))
        top += 1
    if top < bottom:
        yield (slice(top, bottom),)
    if high:
        yield from ((bottom, *rest) for rest in boxes(shape[1:], 0, high))
