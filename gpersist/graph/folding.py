"""What a plan settles before any run: values that follow from constants, and operations that only hand their input on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpersist.graph.operation import Operation

_MAX_RESULT_BYTES = 1 << 20
_MAX_INPUT_BYTES = 16 << 20

_IDENTITIES = frozenset({"Identity", "Snapshot", "StopGradient", "PreventGradient"})


def hands_on(op: Operation) -> bool:
    """Whether an operation's output is its input, and nothing else: what reads a variable is not, since that may be assigned to later."""
    return op.type in _IDENTITIES and op._inputs[0].dtype.enum < 100


def folded(op: Operation, kernel: Callable[..., Any], inputs: Sequence[Any]) -> list[Any] | None:
    """The outputs of an operation that does nothing but compute them, from inputs that are the same in every run.

    Returns:
        None where they may be large, or take long; and where the operation fails, which it shall do when it is run.
    """
    size_bytes = 0
    for tensor in op.outputs:
        elements, dtype = tensor.shape.num_elements(), tensor.dtype.numpy
        if elements is None or dtype is None or dtype.hasobject:
            return None
        size_bytes += elements * dtype.itemsize
    if size_bytes > _MAX_RESULT_BYTES or sum(getattr(value, "nbytes", _MAX_INPUT_BYTES) for value in inputs) > _MAX_INPUT_BYTES:
        return None
    try:
        with np.errstate(all="ignore"):
            found = kernel(*inputs)
    except Exception:  # whatever it is, the run tells it
        return None
    return list(found) if isinstance(found, (list, tuple)) else [found]
