"""Shapes of what recurrent networks hand on: the size of a batch, and what is behind it."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Tensor, constant_value
from gpersist.ops.constants import constant
from gpersist.ops.joining import concat
from gpersist.ops.shaping import expand_dims
from gpersist.shapes import TensorShape, as_shape

__all__: list[str] = []


def sizes_behind(prefix: Any, suffix: Any) -> Tensor:
    """The shape of something in a batch, as a tensor.

    Args:
        prefix: a number, a shape, or a tensor of such: the batch's size, say.
        suffix: likewise.

    Raises:
        ValueError: one of them is not known.
    """
    parts = [_sizes(prefix, "prefix"), _sizes(suffix, "suffix")]
    if any(part is None for part in parts):
        raise ValueError(f"Prefix or suffix can't be None. Received prefix = {prefix} and suffix = {suffix}")
    return concat(parts, 0)


def static_shape_behind(prefix: Any, suffix: Any) -> TensorShape:
    """The same, as far as it is known before running. TensorFlow makes the nodes of `sizes_behind` here as well, and uses them for nothing."""
    _sizes(prefix, "prefix")
    _sizes(suffix, "suffix")
    return _static(prefix).concatenate(_static(suffix))


def _sizes(value: Any, name: str) -> Tensor | None:
    if isinstance(value, Tensor):
        if value.shape.rank == 0:
            return expand_dims(value, 0)
        if value.shape.rank != 1:
            raise ValueError(f"{name} tensor must be either a scalar or vector, but received tensor: {value}")
        return value
    shape = _shape(value)
    return constant(shape.as_list(), dtype="int32") if shape.is_fully_defined() else None


def _static(value: Any) -> TensorShape:
    if not isinstance(value, Tensor):
        return _shape(value)
    found = constant_value(value)
    if found is None:
        return TensorShape(None)
    return TensorShape(found.reshape(-1).tolist())


def _shape(value: Any) -> TensorShape:
    return TensorShape([value]) if isinstance(value, int) or (not isinstance(value, TensorShape) and hasattr(value, "value")) else as_shape(value)
