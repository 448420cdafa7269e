"""Shapes of arrays and of files' tensors: tuples of non-negative ints whose product fits in 63 bits."""

from __future__ import annotations

from collections.abc import Iterable

from gpersist.errors import InvalidArgumentError

Shape = tuple[int, ...]

MAX_RANK = 254
"""TensorFlow's limit (`TensorShape::MaxDimensions`)."""

MAX_ELEMENTS = 2**63 - 1


def element_count(shape: Iterable[int], what: str = "shape") -> int:
    """Multiplies out a shape that may come from a hostile file.

    Args:
        shape: dimensions.
        what: whose shape it is, for the message.

    Raises:
        InvalidArgumentError: a negative dimension, more than 254 of them, or a product (zeros left out, as TensorFlow counts) past 2**63 - 1.
    """
    dims = tuple(shape)
    if len(dims) > MAX_RANK:
        raise InvalidArgumentError(f"{what}: {len(dims)} dimensions; at most {MAX_RANK} are allowed")
    count, extent = 1, 1
    for size in dims:
        if size < 0:
            raise InvalidArgumentError(f"{what} {list(dims)}: dimension {size} is negative")
        count *= size
        extent *= size or 1
        if extent > MAX_ELEMENTS:
            raise InvalidArgumentError(f"{what} {list(dims)}: the number of elements overflows 63 bits")
    return count
