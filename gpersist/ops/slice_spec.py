"""What a strided slice takes out of a tensor: from begins, ends, strides and masks to NumPy's index, and to the shape of the result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, Tensor, constant_value
from gpersist.ops import shape_functions
from gpersist.ops.kernels import shown
from gpersist.shapes import TensorShape, unknown_shape

MASK_NAMES = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
"""The masks of an operation, in the order in which `SliceSpec` has them."""


class SliceSpec(NamedTuple):
    """What a strided slice takes out of a tensor.

    Attributes:
        begin, end, strides: one for each entry.
        begin_mask, end_mask: entries whose begin or end is that of the dimension.
        ellipsis_mask: the entry that stands for all dimensions that have none.
        new_axis_mask: entries that put in a dimension of 1.
        shrink_axis_mask: entries that take one element, and its dimension away.
    """

    begin: Sequence[int]
    end: Sequence[int]
    strides: Sequence[int]
    begin_mask: int
    end_mask: int
    ellipsis_mask: int
    new_axis_mask: int
    shrink_axis_mask: int

    def kinds(self) -> list[str]:
        """What each entry is: `ellipsis`, `new`, `shrink` or `range`."""
        masks = (("ellipsis", self.ellipsis_mask), ("new", self.new_axis_mask), ("shrink", self.shrink_axis_mask))
        return [next((kind for kind, mask in masks if mask >> number & 1), "range") for number in range(len(self.strides))]

    def positions(self, sizes: Sequence[int]) -> tuple[Any, ...]:
        """NumPy's index for an array of these dimensions.

        Raises:
            InvalidArgumentError: it does not fit the dimensions.
        """
        kinds = self.kinds()
        if self.ellipsis_mask & (self.ellipsis_mask - 1):
            raise InvalidArgumentError("Multiple ellipses in slice spec not allowed")
        named = len(kinds) - kinds.count("ellipsis") - kinds.count("new")
        if named > len(sizes):
            raise InvalidArgumentError(f"Index out of range using input dim {len(sizes)}; input has only {len(sizes)} dims")
        found: list[Any] = []
        axis = 0
        for number, kind in enumerate(kinds):
            if kind == "ellipsis":
                found.append(Ellipsis)
                axis += len(sizes) - named
            elif kind == "new":
                found.append(None)
            else:
                found.append(self.entry(number, kind, axis, sizes[axis]))
                axis += 1
        return tuple(found)

    def entry(self, number: int, kind: str, axis: int, size: int) -> Any:
        """NumPy's index for one entry.

        Raises:
            InvalidArgumentError: it does not fit a dimension of this size.
        """
        begin, stride = self.begin[number], self.strides[number]
        if not stride:
            raise InvalidArgumentError(f"strides[{number}] must be non-zero")
        if kind == "shrink":
            if stride < 0:
                raise InvalidArgumentError("only stride 1 allowed on non-range indexing.")
            if not -size <= begin < size:
                raise InvalidArgumentError(f"slice index {begin} of dimension {axis} out of bounds.")
            return begin
        is_open = self.begin_mask >> number & 1, self.end_mask >> number & 1
        return slice(None if is_open[0] else begin, None if is_open[1] else self.end[number], stride)

    @classmethod
    def of(cls, begin: Any, end: Any, strides: Any, masks: Sequence[int]) -> SliceSpec:
        """The spec of an operation's inputs and masks."""
        if not begin.shape == end.shape == strides.shape or begin.ndim != 1:
            raise InvalidArgumentError(
                f"Expected begin, end, and strides to be 1D equal size tensors, but got shapes {shown(begin.shape)}, {shown(end.shape)}, and "
                f"{shown(strides.shape)} instead."
            )
        return cls(begin.tolist(), end.tolist(), strides.tolist(), *masks)


def sliced_shape(op: Operation, sizes: Sequence[int | None] | None, begin: Tensor, end: Tensor, strides: Tensor) -> TensorShape:
    """The shape of a strided slice, as far as it is known.

    Raises:
        ValueError: it does not fit the tensor.
    """
    merged = shape_functions.merged_shapes(tensor.shape.with_rank(1) for tensor in (begin, end, strides))
    (count,) = merged.as_list()
    steps = constant_value(strides)
    if count is None or steps is None or sizes is None:
        return unknown_shape()
    masks = [op.attr(name) for name in MASK_NAMES]
    starts, ends = _known_elements(begin, count), _known_elements(end, count)
    spec = SliceSpec([0 if start is None else start for start in starts], [0 if stop is None else stop for stop in ends], steps.tolist(), *masks)
    found: list[int | None] = []
    kinds = spec.kinds()
    named = len(kinds) - kinds.count("ellipsis") - kinds.count("new")
    checked = [1 << 62 if size is None else size for size in sizes]
    index: list[Any] = list(spec._replace(begin=[0] * count, end=[0] * count, shrink_axis_mask=0).positions(checked))  # fails where the entries do
    if kinds.count("ellipsis") == 0:
        index.append(Ellipsis)
        kinds.append("ellipsis")
    axis = 0
    for number, kind in enumerate(kinds):
        if kind == "ellipsis":
            found += sizes[axis : axis + len(sizes) - named]
            axis += len(sizes) - named
        elif kind == "new":
            found.append(1)
        else:
            size = sizes[axis]
            is_known = starts[number] is not None and (kind == "shrink" or ends[number] is not None)
            if kind == "shrink":
                if steps[number] < 0 or (is_known and size is not None):
                    spec.entry(number, kind, axis, 1 if size is None else size)
            else:
                found.append(_length(spec, number, size, starts[number], ends[number]))
            axis += 1
    return TensorShape(found)


def _length(spec: SliceSpec, number: int, size: int | None, start: int | None, stop: int | None) -> int | None:
    """How many elements a range takes of a dimension."""
    opens, closes = spec.begin_mask >> number & 1, spec.end_mask >> number & 1
    if size is None or not (opens or start is not None) or not (closes or stop is not None):
        return None
    return len(range(*slice(None if opens else start, None if closes else stop, spec.strides[number]).indices(size)))


def _known_elements(vector: Tensor, count: int) -> list[int | None]:
    """The elements of a vector of this length: all of them or, as in TensorFlow, none before running."""
    value = constant_value(vector)
    return [None] * count if value is None else [int(item) for item in value]
