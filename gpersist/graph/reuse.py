"""Results written over inputs that nobody needs any more: on the host, for large arrays.

Fresh memory has to pass through the cache first, so that a sum into it takes twice as long as one in place; and a run's peak is lower by an array.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

MIN_ELEMENTS = 1 << 13
"""Of what is smaller the cache has a copy anyway."""


def reusing(kernel: Callable[..., Any], run_into: Callable[..., Any], indices: Sequence[int]) -> Callable[..., Any]:
    """A kernel that writes its result over an input, where it can.

    Args:
        kernel: what computes the output from the inputs.
        run_into: the same, with `out`: an array of the output's shape and type, which may be one of the inputs. These are of one type, and the
            shape is theirs, broadcast.
        indices: the inputs that nobody needs after it.
    """

    def reuse(*values: Any) -> Any:
        for index in indices:
            value = values[index]
            if value.__class__ is np.ndarray and value.size >= MIN_ELEMENTS:
                del value
                if _references(values, index) <= (_EXCLUSIVE if len(values) <= 2 else _EXCLUSIVE_OF_MANY) and _is_like_result(values, index):
                    return run_into(*values, out=values[index])
        return kernel(*values)

    return reuse


def _references(values: Sequence[Any], index: int) -> int:
    return sys.getrefcount(values[index])


def _references_of_slot(*, is_direct: bool) -> int:
    """As many as there are to a value that is in one slot only, when the executor has called a kernel: with one or two inputs, or with more."""
    slots: list[Any] = [np.empty(1)]

    def kernel(*values: Any) -> int:
        return _references(values, 0)

    return kernel(slots[0]) if is_direct else kernel(*[slots[slot] for slot in (0,)])


_EXCLUSIVE, _EXCLUSIVE_OF_MANY = _references_of_slot(is_direct=True), _references_of_slot(is_direct=False)


def _is_like_result(values: Sequence[Any], index: int) -> bool:
    """Whether an input has memory of its own, and the shape and the type of what comes of them all."""
    value = values[index]
    if not value.flags.owndata or not value.flags.writeable:
        return False
    for other in values:
        if other.dtype != value.dtype or other.ndim > value.ndim:
            return False
        if any(size not in (1, wanted) for size, wanted in zip(other.shape[::-1], value.shape[::-1], strict=False)):
            return False
    return True
