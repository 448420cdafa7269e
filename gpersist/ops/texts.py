"""What operations on text have in common: arrays of bytes objects, on the host, element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from gpersist.graph import Operation, OpType, Sample, Tensor, sample
from gpersist.ops import shape_functions
from gpersist.ops.kernels import as_array


def each(function: Callable[[Any], Any], values: Any, dtype: Any = object) -> np.ndarray[Any, Any]:
    """What a function gives for each element."""
    array = as_array(np, values)
    found = np.empty(array.shape, dtype)
    found.reshape(-1)[:] = [function(value) for value in array.reshape(-1).tolist()]
    return found


def scalar(value: Any) -> Any:
    """A text in an array of no dimensions."""
    return as_array(np, value)


def text_vector(*texts: bytes) -> np.ndarray[Any, Any]:
    """Texts in an array of one dimension."""
    found = np.empty(len(texts), object)
    found[:] = texts
    return found


class TextOpType(OpType, abstract=True):
    """Text, element by element. No gradient passes."""

    inputs = "input: string"
    outputs = "output: string"
    is_host_only = True
    samples: ClassVar[tuple[Sample, ...]] = (sample("string[2,3]"), sample("string[]"), sample("string[0]"))
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None] * len(op.inputs)
