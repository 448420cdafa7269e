"""IndexedSlices: some rows of a larger tensor, as the gradient of a gather gives them. Where a tensor is wanted, they are summed into a dense one."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from gpersist.dtypes import DType, as_dtype
from gpersist.graph import (
    Graph,
    Operation,
    Tensor,
    apply,
    constant_shape,
    constant_value,
    convert_to_tensor,
    register_fetch,
    register_tensor_conversion_function,
)
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["IndexedSlices", "IndexedSlicesValue", "convert_to_tensor_or_indexed_slices"]

_LARGE = 100_000_000
"""From so many elements on, TensorFlow warns of a dense tensor."""


class IndexedSlicesValue(NamedTuple):
    """What a session gives for IndexedSlices (`tf.IndexedSlicesValue`).

    Attributes:
        values: the rows.
        indices: where each row is in the whole.
        dense_shape: the shape of the whole, or None.
    """

    values: Any
    indices: Any
    dense_shape: Any


class IndexedSlices:
    """Rows of a tensor (`tf.IndexedSlices`); a row that is there twice counts as the sum.

    Attributes:
        values: a tensor of the rows, [n, ...].
        indices: a tensor of where each row is in the whole, integers, [n].
        dense_shape: a tensor of the shape of the whole, or None.
    """

    __slots__ = ("__weakref__", "dense_shape", "indices", "values")

    def __init__(self, values: Tensor, indices: Tensor, dense_shape: Tensor | None = None) -> None:
        self.values = values
        self.indices = indices
        self.dense_shape = dense_shape

    @property
    def shape(self) -> TensorShape:
        """What is known of the shape of the whole."""
        return unknown_shape() if self.dense_shape is None else constant_shape(self.dense_shape)

    def get_shape(self) -> TensorShape:
        """What is known of the shape of the whole."""
        return self.shape

    @property
    def name(self) -> str:
        """The name of `values`."""
        return self.values.name

    @property
    def device(self) -> str:
        """The device string of `values`."""
        return self.values.device

    @property
    def op(self) -> Operation:
        """The operation that gives `values`."""
        return self.values.op

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self.values.dtype

    @property
    def graph(self) -> Graph:
        """The graph that it is in."""
        return self.values.graph

    def consumers(self) -> list[Operation]:
        """The operations that take `values`."""
        return self.values.consumers()

    def __neg__(self) -> IndexedSlices:
        return IndexedSlices(-self.values, self.indices, self.dense_shape)

    def __str__(self) -> str:
        shape = "" if self.dense_shape is None else f", dense_shape={self.dense_shape}"
        return f"IndexedSlices(indices={self.indices}, values={self.values}{shape})"


def convert_to_tensor_or_indexed_slices(value: Any, dtype: Any = None, name: str | None = None) -> Tensor | IndexedSlices:
    """IndexedSlices as they are, anything else as a tensor (`tf.convert_to_tensor_or_indexed_slices`).

    Raises:
        ValueError: it is of another type than wanted.
        TypeError: it can be no tensor.
    """
    if not isinstance(value, IndexedSlices):
        return convert_to_tensor(value, dtype, name)
    if dtype is not None and not as_dtype(dtype).is_compatible_with(value.dtype):
        raise ValueError(
            f"Incompatible tensor conversion requested to `dtype` {as_dtype(dtype).name} for `value` ({value}) with dtype {value.dtype.name}."
        )
    return value


def convert_n(values: Sequence[Any], name: str, *, as_ref: bool = False) -> list[Any]:
    """Each as a tensor named by its number, but IndexedSlices and None as they are."""
    return [
        value if value is None or isinstance(value, (Tensor, IndexedSlices)) else convert_to_tensor(value, name=f"{name}_{index}", as_ref=as_ref)
        for index, value in enumerate(values)
    ]


def _as_tensor(value: Any, dtype: DType | None = None, name: str | None = None, as_ref: bool = False) -> Tensor:
    slices: IndexedSlices = value
    if dtype is not None and not dtype.is_compatible_with(slices.dtype):
        raise ValueError(
            f"Incompatible tensor conversion requested to `dtype` {dtype.name} for IndexedSlices ({slices}) with dtype {slices.dtype.name}"
        )
    if slices.dense_shape is None:
        raise ValueError(f"Tensor conversion requested for IndexedSlices for argument `value` without dense_shape: {slices}")
    shape = constant_value(slices.dense_shape)
    if shape is not None and shape.prod() >= _LARGE:
        warnings.warn(
            f"Converting sparse IndexedSlices to a dense Tensor with {shape.prod()} elements. This may consume a large amount of memory.",
            stacklevel=2,
        )
    return apply("UnsortedSegmentSum", slices.values, slices.indices, slices.dense_shape[0], name=name)


def _fetched(slices: IndexedSlices) -> tuple[list[Any], Any]:
    parts = [part for part in (slices.values, slices.indices, slices.dense_shape) if part is not None]
    return parts, lambda found: IndexedSlicesValue(found[0], found[1], found[2] if len(found) > 2 else None)


register_tensor_conversion_function(IndexedSlices, _as_tensor)
register_fetch(IndexedSlices, _fetched)
