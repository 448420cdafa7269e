"""Arrays that are nowhere in memory: their bytes are read, of another file say, when they are sent."""

from __future__ import annotations

import abc
import math
from typing import Any

import numpy as np

from gpersist.shapes import Shape


class Pulled(abc.ABC):
    """An array of the host whose bytes are made block by block, so that a transfer takes no memory for it.

    Attributes:
        dtype: of the elements, as a file has them.
        shape: of the array.
        nbytes: of all elements.
    """

    def __init__(self, dtype: np.dtype[Any], shape: Shape) -> None:
        """No bytes are read yet."""
        self.dtype, self.shape = dtype, shape
        self.nbytes = math.prod(shape) * dtype.itemsize

    @abc.abstractmethod
    def read(self, begin: int, end: int) -> memoryview:
        """Bytes `begin` to `end`, row-major. Several threads may call it at once, each for other bytes; together they ask for each byte once."""

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        array: np.ndarray[Any, Any] = np.frombuffer(self.read(0, self.nbytes), np.uint8).view(self.dtype).reshape(self.shape)
        return array if dtype is None else array.astype(dtype, copy=False)
