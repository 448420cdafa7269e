"""Into how many parts variables are cut: functions that choose, and what a cut means for each part."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from gpersist.dtypes import as_dtype
from gpersist.shapes import TensorShape

__all__ = ["fixed_size_partitioner", "min_max_variable_partitioner", "variable_axis_size_partitioner"]

Partitioner = Callable[..., Sequence[int]]
"""`partitioner(shape=, dtype=)`: the number of parts for each axis; more than one for one axis only."""


class PartitionInfo(NamedTuple):
    """Which part of a variable an initializer makes the value of.

    Attributes:
        full_shape: the shape of the whole.
        var_offset: where the part begins, in each dimension.
    """

    full_shape: list[int]
    var_offset: list[int]

    def single_slice_dim(self, shape: Sequence[int]) -> int | None:
        """The one dimension that is cut, for a part of this shape; None where none is.

        Raises:
            TypeError: `shape` is neither a list nor a tuple.
            ValueError: the part does not fit the whole, or several dimensions are cut.
        """
        if not isinstance(shape, (list, tuple)):
            raise TypeError(f"`shape` must be a sequence (like tuple or list) instead of {type(shape)}")
        if len(shape) != len(self.full_shape):
            raise ValueError(
                f"Expected equal length, but received shape={shape} of length {len(shape)} while self.full_shape={self.full_shape} "
                f"is of length {len(self.full_shape)}."
            )
        for axis, (size, start, whole) in enumerate(zip(shape, self.var_offset, self.full_shape, strict=True)):
            if start + size > whole:
                raise ValueError(
                    f"With self.var_offset={self.var_offset}, a partition of shape={shape} would exceed self.full_shape={self.full_shape} in "
                    f"dimension {axis}."
                )
        cut = [axis for axis, (size, whole) in enumerate(zip(shape, self.full_shape, strict=True)) if size != whole]
        if len(cut) > 1:
            raise ValueError(
                f"Cannot use single_slice_dim() with shape={shape} and self.full_shape={self.full_shape} since slice dim could be either dimension "
                f"{cut[1]} or {cut[0]}."
            )
        return cut[0] if cut else None

    def single_offset(self, shape: Sequence[int]) -> int:
        """Where the part begins in the one dimension that is cut; see `single_slice_dim`."""
        axis = self.single_slice_dim(shape)
        return 0 if axis is None else self.var_offset[axis]


def fixed_size_partitioner(num_shards: int, axis: int = 0) -> Partitioner:
    """Always the same number of parts, but none without elements (`tf.fixed_size_partitioner`)."""

    def partitioner(shape: TensorShape, **_: Any) -> list[int]:
        return _along(shape, axis, min(num_shards, _size(shape, axis)))

    return partitioner


def variable_axis_size_partitioner(
    max_shard_bytes: int, axis: int = 0, bytes_per_string_element: int = 16, max_shards: int | None = None
) -> Partitioner:
    """As many parts as it takes for none to be larger than `max_shard_bytes` (`tf.variable_axis_size_partitioner`).

    Args:
        max_shard_bytes: how large a part may be.
        axis: that is cut.
        bytes_per_string_element: how large a text is taken to be.
        max_shards: as many parts at most, larger ones then.

    Raises:
        ValueError: a number is not positive; of the partitioner: a shape that is not known.
    """
    if max_shard_bytes < 1 or bytes_per_string_element < 1:
        raise ValueError(
            f"Both max_shard_bytes and bytes_per_string_element must be positive. Currently, max_shard_bytes is {max_shard_bytes} and"
            f"bytes_per_string_element is {bytes_per_string_element}"
        )
    if max_shards and max_shards < 1:
        raise ValueError("max_shards must be positive.")

    def partitioner(shape: TensorShape, dtype: Any) -> list[int]:
        if not isinstance(shape, TensorShape):
            raise ValueError(f"shape is not a TensorShape: {shape}")
        if not shape.is_fully_defined():
            raise ValueError(f"shape is not fully defined: {shape}")
        size = _size(shape, axis)
        bytes_per_slice = (shape.num_elements() or 0) / size * _element_bytes(dtype, bytes_per_string_element)
        parts = math.ceil(size / max(1, math.floor(max_shard_bytes / bytes_per_slice)))
        return _along(shape, axis, min(max_shards, parts) if max_shards else parts)

    return partitioner


def min_max_variable_partitioner(
    max_partitions: int = 1, axis: int = 0, min_slice_size: int = 256 << 10, bytes_per_string_element: int = 16
) -> Partitioner:
    """As many parts as there may be, but none smaller than `min_slice_size` bytes (`tf.min_max_variable_partitioner`).

    Raises:
        ValueError: of the partitioner: there is no such axis.
    """

    def partitioner(shape: TensorShape, dtype: Any) -> list[int]:
        if axis >= len(shape):
            raise ValueError(f"Cannot partition variable along axis {axis} when shape is only {shape}")
        wanted = math.ceil((shape.num_elements() or 0) * _element_bytes(dtype, bytes_per_string_element) / min_slice_size)
        return _along(shape, axis, max(1, min(_size(shape, axis), max_partitions, wanted)))

    return partitioner


def partitions_of(partitioner: Partitioner, shape: TensorShape, dtype: Any) -> Sequence[int]:
    """What a partitioner gives, held against the shape.

    Raises:
        ValueError: the shape is not known, has no axis, or cannot be cut so.
    """
    if not shape.is_fully_defined():
        raise ValueError(f"Shape of a new partitioned variable must be fully defined, but instead was {shape}.")
    rank = shape.rank or 0
    if rank < 1:
        raise ValueError(f"A partitioned Variable must have rank at least 1, shape: {shape}")
    found = partitioner(shape=shape, dtype=dtype)
    if not isinstance(found, Sequence):
        raise ValueError(f"Partitioner must return a sequence, but saw: {found}")
    if len(found) != rank:
        raise ValueError(f"Partitioner returned a partition list that does not match the Variable's rank: {found} vs. {shape}")
    if any(count < 1 for count in found):
        raise ValueError(f"Partitioner returned zero partitions for some axes: {found}")
    if sum(count > 1 for count in found) > 1:
        raise ValueError(f"Can only slice a variable along one dimension: shape: {shape}, partitioning: {found}")
    return found


def parts_of(full_shape: Sequence[int], partitions: Sequence[int]) -> Iterator[tuple[list[int], list[int]]]:
    """Offset and shape of each part; the first ones are one longer where it doesn't come out even."""
    axis = next((axis for axis, count in enumerate(partitions) if count > 1), 0)
    length, longer = divmod(full_shape[axis], partitions[axis])
    offset, shape = [0] * len(full_shape), list(full_shape)
    for number in range(partitions[axis]):
        shape[axis] = length + (number < longer)
        yield list(offset), list(shape)
        offset[axis] += shape[axis]


def _along(shape: TensorShape, axis: int, count: int) -> list[int]:
    counts = [1] * len(shape)
    counts[axis] = count
    return counts


def _size(shape: TensorShape, axis: int) -> int:
    size: Any = shape.as_list()[axis]
    return int(size)


def _element_bytes(dtype: Any, bytes_per_string_element: int) -> int:
    found = as_dtype(dtype).base_dtype
    return bytes_per_string_element if found.is_string else found.size
