"""What `run` of many operations has in common: scalars as arrays, axes and indices held against shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.ops.host_threads import for_each, parts_for_all


def as_array(xp: Any, value: Any) -> Array:
    """A value as an array of `xp`, where it may be a scalar: text stays text, of any length."""
    if isinstance(value, (bytes, str)):
        found = np.empty((), object)
        found[()] = value
        return found
    return xp.asarray(value)


_BLOCK = 1 << 14
"""Elements of which a function's intermediate results stay in a core's cache."""


def in_blocks(xp: Any, function: Any, x: Array) -> Array:
    """`function(x)`, of the type of `x`, of what works on rows along the last axis, or on elements: on the host block by block."""
    if xp is not np or x.size < 2 * _BLOCK or x.shape[-1] > _BLOCK:
        found: Array = function(x)
        return found
    rows = x.reshape(-1, x.shape[-1])
    result = np.empty(x.shape, x.dtype)
    out = result.reshape(rows.shape)
    step = _BLOCK // rows.shape[1]
    for start in range(0, len(rows), step):
        out[start : start + step] = function(rows[start : start + step])
    return result


_WORTH_SHARING = 1 << 19
"""Elements of which two threads, which have to be woken and waited for, are faster than one."""


def on_parts(function: Any, *arrays: Any, out: Any = None) -> Any:
    """`function(*arrays, out=out)` on the host, of what works on elements, and gives the arrays' type: of large ones on several threads."""
    first = arrays[0]
    if first.size < _WORTH_SHARING:
        return function(*arrays, out=out)
    found = np.empty_like(first) if out is None else out
    whole = (*arrays, found)
    if not all(array.flags.c_contiguous and array.shape == first.shape for array in whole):
        return function(*arrays, out=out)
    *flat, result = (array.reshape(-1) for array in whole)

    def fill(part: slice) -> None:
        function(*(array[part] for array in flat), out=result[part])

    for_each(fill, parts_for_all(first.size))
    return found


_MAX_VECTOR, _MAX_ROW = 256, 1 << 16


def combined(ufunc: Any, x: Any, y: Any, out: Any = None) -> Any:
    """`ufunc(x, y, out=out)` on the host. A short vector along the last axis is repeated for a whole row first: NumPy works on runs of memory."""
    if x.ndim > 1 and y.ndim == 1:
        array, vector = x, y
    elif y.ndim > 1 and x.ndim == 1:
        array, vector = y, x
    elif x.shape == y.shape and x.dtype == y.dtype:
        return on_parts(ufunc, x, y, out=out)
    else:
        return ufunc(x, y, out=out)
    count, channels = array.shape[-2:]
    if not (1 < vector.size == channels <= _MAX_VECTOR and 4 * channels <= channels * count <= _MAX_ROW and channels * count < array.size):
        return ufunc(x, y, out=out)
    if not array.flags.c_contiguous or array.dtype != vector.dtype or (out is not None and not out.flags.c_contiguous):
        return ufunc(x, y, out=out)
    if out is None:
        out = np.empty_like(array)
    shape, repeated = (-1, channels * count), np.tile(vector, count)
    rows, results = array.reshape(shape), out.reshape(shape)

    def fill(part: slice) -> None:
        ufunc(*((rows[part], repeated) if array is x else (repeated, rows[part])), out=results[part])

    for_each(fill, parts_for_all(len(rows)) if array.size >= _WORTH_SHARING else [slice(None)])
    return out


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
