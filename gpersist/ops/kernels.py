"""What `run` of many operations has in common: scalars as arrays, axes and indices held against shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError


def as_array(xp: Any, value: Any) -> Array:
    """A value as an array of `xp`, where it may be a scalar: text stays text, of any length."""
    if isinstance(value, (bytes, str)):
        found = np.empty((), object)
        found[()] = value
        return found
    return xp.asarray(value)


def axis_within(axis: int, rank: int, what: str = "axis") -> int:
    """An axis counted from the front.

    Raises:
        InvalidArgumentError: there is no such axis.
    """
    if not -rank <= axis < rank:
        raise InvalidArgumentError(f"{what} {axis} is out of range: expected a value in [{-rank}, {rank})")
    return axis % rank if rank else 0


def check_scalars(**values: Any) -> None:
    """Holds that inputs are scalars.

    Raises:
        InvalidArgumentError: one is not.
    """
    for name, value in values.items():
        if np.ndim(value):
            raise InvalidArgumentError(f"{name} must be a scalar, but got: {shown(value.shape)}")


def check_indices(xp: Any, indices: Array, limit: int, what: str = "indices") -> None:
    """Holds indices against the size of what they point into. On a device they stay unread, as TensorFlow leaves them, too.

    Raises:
        InvalidArgumentError: one is negative, or too large.
    """
    if xp is not np or not indices.size or (indices.min() >= 0 and indices.max() < limit):
        return
    place = tuple(np.argwhere((indices < 0) | (indices >= limit))[0].tolist())
    where = f"[{','.join(map(str, place))}]" if place else ""
    raise InvalidArgumentError(f"{what}{where} = {indices[place]} is not in [0, {limit})")


def shown(shape: Sequence[int | None]) -> str:
    """A shape as TensorFlow's kernels print it: `[2,?]`."""
    return f"[{','.join('?' if size is None else str(size) for size in shape)}]"
