"""Products of matrices; on the host the larger ones shared out over the cores, see `gpersist.ops.host_threads`."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.ops import host_threads
from gpersist.ops.blas_threads import one_thread

WORTH_SHARING = 1 << 22
"""Multiplications that take a core a tenth of a millisecond."""

_TINY = 1 << 13
"""Those of a product that OpenBLAS leaves to one thread itself, be it with a vector."""


def matmul(xp: Any, a: Array, b: Array, out: Array | None = None) -> Array:
    """`xp.matmul` of arrays of one type."""
    work = a.size * b.shape[-1]
    if xp is not np or work <= _TINY:
        return xp.matmul(a, b, out=out)
    with one_thread():
        if work < WORTH_SHARING or a.ndim != b.ndim or a.shape[:-2] != b.shape[:-2] or host_threads.count() == 1:
            return np.matmul(a, b, out=out)
        shape = (*a.shape[:-1], b.shape[-1])
        result = np.empty(shape, a.dtype) if out is None else out
        axis = next((axis for axis, size in enumerate(shape[:-2]) if size > 1), None)
        if axis is None:  # of one matrix the rows, or the columns, whatever it has more of
            axis = len(shape) - (2 if shape[-2] >= shape[-1] else 1)
        before = (slice(None),) * axis

        def multiply(part: slice) -> None:
            place = (*before, part)
            np.matmul(a if axis == len(shape) - 1 else a[place], b if axis == len(shape) - 2 else b[place], out=result[place])

        host_threads.for_each(multiply, host_threads.parts_for_all(shape[axis]))
        return result
