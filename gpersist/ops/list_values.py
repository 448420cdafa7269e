"""What the handle of a list of tensors is. A list is a value: what changes it gives a new one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Context, Tensor, constant_shape, constant_value
from gpersist.ops.indexing import slice as slice_
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.tensor_array_ops import zeros
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []


class TensorList:
    """A list of tensors, never changed.

    Args:
        dtype: of the tensors.
        shape: what is known of the shape of each.
        items: the tensors; None for one that nobody has set.
        limit: how many it may hold; -1 for any number.
    """

    __slots__ = ("element_type", "items", "known_shape", "limit")
    shape = ()  # of a list as an element of another one

    def __init__(self, dtype: DType, shape: TensorShape, items: Sequence[Any] = (), limit: int = -1) -> None:
        self.element_type = dtype  # not called `dtype`, by which the executor tells arrays
        self.known_shape = shape
        self.items = tuple(items)
        self.limit = limit

    def with_items(self, items: Sequence[Any]) -> TensorList:
        """Another list of the same kind."""
        return TensorList(self.element_type, self.known_shape, items, self.limit)

    def check_type(self, dtype: DType) -> None:
        """Holds that its tensors are of a type."""
        if dtype is not self.element_type:
            raise InvalidArgumentError(f"Invalid data types; op elements {dtype.name} but list elements {self.element_type.name}")

    def check_index(self, index: int, verb: str) -> None:
        """Holds that it has an element of a number."""
        if not 0 <= index < len(self.items):
            raise InvalidArgumentError(f"Trying to {verb} element {index} in a list with {len(self.items)} elements.")

    def zeros_like(self, xp: Any) -> TensorList:
        """A list of zeros in the shapes of its elements."""
        return self.with_items([None if item is None else _zeros_like(xp, item) for item in self.items])

    def __add__(self, other: TensorList) -> TensorList:
        """A list of the sums of its elements and another one's; one that nobody has set counts as zeros."""
        if self.element_type is not other.element_type:
            raise InvalidArgumentError("Trying to add two lists of tensors of different dtypes.")
        if len(self.items) != len(other.items):
            raise InvalidArgumentError(f"Trying to add two lists of tensors with different lengths: {len(self.items)} and {len(other.items)}")
        pairs = zip(self.items, other.items, strict=True)
        return self.with_items([second if first is None else first if second is None else first + second for first, second in pairs])

    def element_shape(self, wanted: TensorShape) -> TensorShape:
        """What is known of the shape of its elements, a caller's word added."""
        if not self.known_shape.is_compatible_with(wanted):
            raise InvalidArgumentError(
                f"Incompatible shapes during merge: element_shape {shown(wanted)} is not compatible with that of the list, {shown(self.known_shape)}"
            )
        return self.known_shape.merge_with(wanted)

    def get(self, ctx: Context, index: int, wanted: TensorShape) -> Any:
        """An element; zeros, if nobody has set it."""
        item = self.items[index]
        if item is not None:
            return ctx.move(item) if hasattr(item, "dtype") else item
        shape = self.element_shape(wanted)
        if not shape.is_fully_defined():
            for other in self.items:
                if other is not None:
                    shape = shape.merge_with(other.shape)
                    break
        if not shape.is_fully_defined():
            raise InvalidArgumentError(f"Trying to read an uninitialized tensor but element_shape is not fully defined: {shown(shape)}")
        return zeros(ctx.xp, shape, self.element_type)


def _zeros_like(xp: Any, item: Any) -> Any:
    return item.zeros_like(xp) if hasattr(item, "zeros_like") else xp.zeros_like(item)  # of a list or an optional in the list, likewise


def list_shape(value: Any) -> TensorShape:
    """A shape given as a tensor: a vector in which -1 is not known, or -1 for nothing known."""
    array = np.asarray(value)
    if array.ndim == 0:
        if array != -1:
            raise InvalidArgumentError(f"The only valid scalar shape tensor is the fully unknown shape specified as -1, found {array}")
        return unknown_shape()
    return TensorShape([None if size < 0 else size for size in array.tolist()])


def known_list_shape(tensor: Tensor) -> TensorShape:
    """The same, before running."""
    if tensor.shape.rank == 0 or tensor.shape.rank is None:
        value = constant_value(tensor)
        return unknown_shape() if value is None or not np.ndim(value) else list_shape(value)
    return constant_shape(tensor)


def shown(shape: TensorShape) -> str:
    return "<unknown>" if shape.sizes is None else "[" + ",".join("?" if size is None else str(size) for size in shape.sizes) + "]"


def row_shape(tensor: Tensor) -> Tensor:
    """The shape of a tensor's rows, as a tensor."""
    return slice_(shape_of(tensor), [1], [-1])
