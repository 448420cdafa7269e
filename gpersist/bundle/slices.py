"""Rectangular parts of a tensor: their text and message forms, their geometry, and which bytes they are.

    shape_and_slice := (size " ")+ slice        "4 8 0,2:-" is the first two rows of a [4, 8] tensor
    slice           := extent (":" extent)*     one extent a dimension; a scalar has none
    extent          := "-" | start "," length   the whole dimension, or `length` > 0 of it from `start` on

In a message (`TensorSliceProto`) an extent without length is the whole dimension. Source: TensorFlow `tensor_slice.cc`,
`saved_tensor_slice_util.cc` (`ParseShapeAndSlice`).
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

from gpersist.errors import DataLossError, InvalidArgumentError, ResourceExhaustedError
from gpersist.protos import TensorSliceProto
from gpersist.shapes import Shape, element_count

FULL_EXTENT = (0, -1)
"""The extent of a whole dimension, as TensorFlow keeps it."""

Region = tuple[slice, ...]
"""An index for NumPy: a slice with start and stop for every dimension."""

Box = tuple[tuple[int, int], ...]
"""(start, stop) of every dimension."""

_MAX_END = 2**63 - 1
_MAX_CORNERS = 2**17  # of a hostile file's slices: half a second and 50 MB
_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)[ \t\n\v\f\r]*", re.ASCII)  # what absl::SimpleAtoi reads


@dataclasses.dataclass(frozen=True, slots=True)
class TensorSlice:
    """A rectangular part of a tensor whose shape is told elsewhere.

    Attributes:
        extents: (start, length) of every dimension; `FULL_EXTENT` is all of it.

    Raises:
        InvalidArgumentError: a negative start, a length that is not positive, or an end past 2**63 - 1.
    """

    extents: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        for start, length in self.extents:
            if (start, length) != FULL_EXTENT and (start < 0 or length <= 0 or start + length > _MAX_END):
                raise InvalidArgumentError(f"slice extent {start},{length}: expected start >= 0, length > 0 and an end below 2**63")

    @classmethod
    def full(cls, rank: int) -> TensorSlice:
        """All of a tensor of `rank` dimensions."""
        return cls((FULL_EXTENT,) * rank)

    @classmethod
    def parse(cls, text: str) -> TensorSlice:
        """Reads the text form, as liberally as TensorFlow: empty items between separators are skipped, numbers may stand between blanks.

        Raises:
            InvalidArgumentError: an extent is neither '-' nor a pair of numbers that make sense.
        """
        return cls(tuple(_parse_extent(item, text) for item in text.split(":") if item))

    @classmethod
    def from_proto(cls, proto: Any, what: str) -> TensorSlice:
        """Reads a `TensorSliceProto`; `what` says whose it is, for messages.

        Raises:
            InvalidArgumentError: an extent makes no sense.
        """
        try:
            return cls(tuple((e.start, e.length if e.HasField("length") else -1) for e in proto.extent))
        except InvalidArgumentError as error:
            raise InvalidArgumentError(f"{what}: {error.message}") from None

    def to_proto(self) -> Any:
        """The `TensorSliceProto`, with an empty extent for each whole dimension."""
        proto = TensorSliceProto()
        for start, length in self.extents:
            extent = proto.extent.add()
            if length >= 0:
                extent.start, extent.length = start, length
        return proto

    def __str__(self) -> str:
        return ":".join("-" if length < 0 else f"{start},{length}" for start, length in self.extents)

    @property
    def rank(self) -> int:
        """Number of dimensions."""
        return len(self.extents)

    def bounds(self, shape: Shape, what: str = "slice") -> Box:
        """(start, stop) in every dimension of a tensor of this shape; `what` says whose slice it is.

        Raises:
            InvalidArgumentError: ranks differ, or the slice reaches past the shape.
        """
        if len(shape) != self.rank:
            raise InvalidArgumentError(f"{what}: '{self}' has {self.rank} dimensions, shape {list(shape)} has {len(shape)}")
        box = tuple((start, start + length if length >= 0 else size) for (start, length), size in zip(self.extents, shape, strict=True))
        for (_, stop), size in zip(box, shape, strict=True):
            if stop > size:
                raise InvalidArgumentError(f"{what}: '{self}' is out of bounds of shape {list(shape)}")
        return box

    def shape_in(self, shape: Shape, what: str = "slice") -> Shape:
        """The shape of this part of a tensor of shape `shape`; raises as `bounds` does."""
        return tuple(stop - start for start, stop in self.bounds(shape, what))

    def region(self, shape: Shape, what: str = "slice") -> Region:
        """This part of an array of shape `shape`, as an index; raises as `bounds` does."""
        return tuple(slice(start, stop) for start, stop in self.bounds(shape, what))

    def intersect(self, other: TensorSlice) -> TensorSlice | None:
        """What two slices of one tensor have in common, or None; slices of differing rank have nothing in common."""
        if self.rank != other.rank:
            return None
        extents = []
        for mine, theirs in zip(self.extents, other.extents, strict=True):
            if mine[1] < 0 or theirs[1] < 0:
                extents.append(theirs if mine[1] < 0 else mine)
                continue
            start, stop = max(mine[0], theirs[0]), min(sum(mine), sum(theirs))
            if start >= stop:
                return None
            extents.append((start, stop - start))
        return TensorSlice(tuple(extents))


def parse_shape_and_slice(text: str) -> tuple[Shape, TensorSlice]:
    """Reads a `shape_and_slice` of SaveV2, RestoreV2 and the V1 operations. The empty text, which stands for a whole tensor, is the caller's to see.

    Raises:
        InvalidArgumentError: not of that form, or the slice does not fit the shape.
    """
    *sizes, last = text.split(" ")
    if not sizes:
        raise InvalidArgumentError(f"shape_and_slice {text!r}: expected a shape and a slice, such as '4 8 0,2:-'")
    shape = tuple(_parse_number(size, f"shape_and_slice {text!r}") for size in sizes)
    element_count(shape, f"shape_and_slice {text!r}: shape")
    part = TensorSlice.parse(last)
    part.bounds(shape, f"shape_and_slice {text!r}")
    return shape, part


def format_shape_and_slice(shape: Shape, part: TensorSlice) -> str:
    """The text that `parse_shape_and_slice` reads: "4 8 0,2:-". TensorFlow has none for a scalar, which has no parts."""
    return " ".join([*map(str, shape), str(part)])


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """What one stored slice gives to a wanted slice.

    Attributes:
        index: which of the stored slices.
        source: where it lies in the stored slice's own array.
        target: where it goes in the wanted slice's own array.
    """

    index: int
    source: Region
    target: Region


def cover(wanted: TensorSlice, stored: Sequence[TensorSlice], shape: Shape, what: str) -> list[Part]:
    """Finds the parts of stored slices that make up a wanted slice, each element of it exactly once.

    Args:
        wanted: a slice of a tensor of shape `shape`.
        stored: the slices there are, in any order.
        shape: the whole tensor's.
        what: whose slices, for messages.

    Returns:
        The parts, in the order of `stored`; none if the wanted slice has no elements.

    Raises:
        DataLossError: elements are missing, or stand in two slices.
        InvalidArgumentError: a slice does not fit the shape.
        ResourceExhaustedError: the slices are cut along so many axes that they cannot be checked.
    """
    target = wanted.bounds(shape, what)
    if any(start == stop for start, stop in target):
        return []
    parts, boxes = [], []
    for index, part in enumerate(stored):
        source = part.bounds(shape, what)
        common = tuple((max(a, c), min(b, d)) for (a, b), (c, d) in zip(source, target, strict=True))
        if all(start < stop for start, stop in common):
            parts.append(Part(index, _relative(common, source), _relative(common, target)))
            boxes.append(common)
    _check_tiling(boxes, target, what)
    return parts


def byte_runs(source_shape: Shape, source: Region, target_shape: Shape, target: Region, item_size: int) -> Iterator[tuple[int, int, int]]:
    """The contiguous runs of bytes by which a region of one row-major array becomes a region of another.

    Args:
        source_shape: shape of the array that is read.
        source: region of it, such as `Part.source`.
        target_shape: shape of the array that is written.
        target: region of it, of the same sizes.
        item_size: bytes of an element.

    Yields:
        (offset in the source, offset in the target, size), all in bytes, ascending; runs as long as both layouts allow. Regions without elements
        yield nothing.
    """
    # Dimensions as (size of the region, size of the source, size of the target); starts become offsets at once.
    dims: list[tuple[int, int, int]] = []
    source_offset = target_offset = 0
    for source_dim, target_dim, from_source, to_target in zip(source_shape, target_shape, source, target, strict=True):
        size = from_source.stop - from_source.start
        source_offset = source_offset * source_dim + from_source.start
        target_offset = target_offset * target_dim + to_target.start
        if dims and size == source_dim == target_dim:  # whole in both: one dimension with that before it
            dims[-1] = (dims[-1][0] * size, dims[-1][1] * size, dims[-1][2] * size)
        else:
            dims.append((size, source_dim, target_dim))
    if any(size == 0 for size, _, _ in dims):
        return
    run, source_stride, target_stride = dims.pop() if dims else (1, 1, 1)
    source_stride, target_stride = source_stride * item_size, target_stride * item_size
    steps: list[tuple[int, int, int]] = []
    for size, source_dim, target_dim in reversed(dims):
        steps.insert(0, (size, source_stride, target_stride))
        source_stride, target_stride = source_stride * source_dim, target_stride * target_dim
    yield from _runs(steps, source_offset * item_size, target_offset * item_size, run * item_size)


def _runs(steps: list[tuple[int, int, int]], source: int, target: int, run: int) -> Iterator[tuple[int, int, int]]:
    if not steps:
        yield source, target, run
        return
    (size, source_stride, target_stride), *inner = steps
    sources, targets = range(source, source + size * source_stride, source_stride), range(target, target + size * target_stride, target_stride)
    if inner:
        for source, target in zip(sources, targets, strict=True):
            yield from _runs(inner, source, target, run)
    else:
        yield from zip(sources, targets, itertools.repeat(run))


def _parse_number(text: str, what: str) -> int:
    found = _NUMBER.fullmatch(text)
    number = int(found[1]) if found and len(text) < 99 else 2**63
    if not -(2**63) <= number < 2**63:
        raise InvalidArgumentError(f"{what}: {text!r} is no number of 64 bits")
    return number


def _parse_extent(item: str, text: str) -> tuple[int, int]:
    if item == "-":
        return FULL_EXTENT
    pair = [number for number in item.split(",") if number]
    if len(pair) != 2:
        raise InvalidArgumentError(f"slice {text!r}: {item!r} is neither '-' nor a start and a length, such as '0,2'")
    start, length = (_parse_number(number, f"slice {text!r}") for number in pair)
    if length <= 0:  # FULL_EXTENT's own numbers do not stand for it in a text
        raise InvalidArgumentError(f"slice {text!r}: length {length} is not positive")
    return start, length


def _relative(box: Box, base: Box) -> Region:
    return tuple(slice(start - origin, stop - origin) for (start, stop), (origin, _) in zip(box, base, strict=True))


def _volume(box: Box) -> int:
    return element_count(stop - start for start, stop in box)


def _check_tiling(boxes: list[Box], whole: Box, what: str) -> None:
    # A sum of boxes is known from its corners, signed + and - by the parity of their stops: the indicator functions of the boxes sum to
    # that of the whole if, and only if, the signed corners do. Only axes along which something is cut count.
    axes = [axis for axis, side in enumerate(whole) if any(box[axis] != side for box in boxes)]
    if len(boxes) + 1 << len(axes) > _MAX_CORNERS:
        raise ResourceExhaustedError(f"{what}: {len(boxes)} slices cut along {len(axes)} axes are more than can be checked")
    missing = _volume(whole) - sum(map(_volume, boxes))
    corners: dict[tuple[int, ...], int] = {}
    signed = [] if missing else [(-1, whole), *((1, box) for box in sorted(boxes))]  # sorted, neighbours' corners cancel at once
    for sign, box in signed:
        for corner in itertools.product(*(((box[axis][0], 1), (box[axis][1], -1)) for axis in axes)):
            point, weight = tuple(at for at, _ in corner), sign
            for _, parity in corner:
                weight *= parity
            weight += corners.pop(point, 0)
            if weight:
                corners[point] = weight
    if missing or corners:
        fault = f"{missing} of {_volume(whole)} elements are in no slice" if missing > 0 else "slices overlap"
        raise DataLossError(
            f"{what}: {len(boxes)} stored slices do not make up the part wanted: {fault}; a file of the checkpoint is missing or damaged"
        )
