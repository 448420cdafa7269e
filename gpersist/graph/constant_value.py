"""Values and shapes that are known before running: what shape inference and builders ask of a tensor.

(`tf.get_static_value`, `constant_value_as_shape` of `tensorflow/python/framework/tensor_util.py`.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.errors import GPersistError
from gpersist.graph.tensor import Tensor
from gpersist.shapes import TensorShape

_MAX_DEPTH = 32
"""How far back through the graph a constant is sought: no graph, however long, exhausts the stack."""

_MAX_ELEMENTS = 1 << 20


def constant_value(tensor: Tensor) -> np.ndarray[Any, Any] | None:
    """A tensor's value, where it follows from constants and known shapes alone; None otherwise. Not to be written to."""
    value: np.ndarray[Any, Any] | None = _value(tensor, 0)
    return value


def constant_shape(tensor: Tensor) -> TensorShape:
    """A tensor of integers read as a shape, as far as it is known: elements that are not known, and those that are -1, are unknown dimensions.

    Raises:
        ValueError: it is no shape: an element is below -1, or its rank is not one (but a scalar that is -1 is a shape of which nothing is known).
    """
    return _shape(tensor, 0)


def _value(tensor: Tensor, depth: int) -> Any:
    op_type = tensor.op.op_type
    if op_type is None or depth > _MAX_DEPTH:
        return None
    if (tensor.shape.num_elements() or 0) > _MAX_ELEMENTS and op_type.__name__ != "Const":
        return None
    try:
        if len(tensor.op.output_types) == 1:
            return op_type.constant(tensor.op, lambda found: _value(found, depth + 1))
        values = op_type.constants(tensor.op, lambda found: _value(found, depth + 1))
        return None if values is None else values[tensor.value_index]
    except (GPersistError, ValueError, TypeError, ArithmeticError, IndexError):
        return None  # what cannot be computed now raises when it is run


def _shape(tensor: Tensor, depth: int) -> TensorShape:
    value = _value(tensor, depth)
    if value is not None and value.ndim == 1:
        if value.size and value.min() < -1:
            raise ValueError(f"Invalid value in tensor used for shape: {value[value < -1][0]}")
        return TensorShape(None if size < 0 else int(size) for size in value)
    op_type = tensor.op.op_type
    if op_type is not None and depth <= _MAX_DEPTH:
        found = op_type.constant_shape(tensor.op, lambda other: _shape(other, depth + 1))
        if found is not None:
            return found
    sizes = tensor.shape.sizes
    if depth == 0 and value is not None and value.ndim == 0 and value != -1:
        raise ValueError(f"Input tensor must be rank 1, or if its rank 0 it must have value -1 (representing an unknown shape).  Saw value: {value}")
    if depth == 0 and sizes is not None and len(sizes) != 1 and (value is None or value.ndim > 1):
        raise ValueError(f"Shape must be rank 1 but is rank {len(sizes)}")
    if sizes is None or len(sizes) != 1 or sizes[0] is None:
        return TensorShape(None)
    return TensorShape([None] * sizes[0])
