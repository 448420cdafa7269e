"""Parts of images chosen by chance (`tf.image.sample_distorted_bounding_box`, the operation `RandomCrop`)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from gpersist.errors import FailedPreconditionError, InvalidArgumentError
from gpersist.graph import Context, Operation, OpType, SessionOpType, Tensor, constant_value, name_scope, sample
from gpersist.ops.kernels import shown
from gpersist.ops.named_outputs import named_outputs
from gpersist.ops.philox import Generator, Philox
from gpersist.shapes import TensorShape

__all__ = ["sample_distorted_bounding_box"]

_Array = np.ndarray[Any, Any]
_TINY = 1e-7
_RANGES = (
    "aspect_ratio_range: list(float) = [0.75, 1.3300000429153442], area_range: list(float) = [0.05000000074505806, 1.0], "
    "max_attempts: int = 100, use_image_if_no_bounding_boxes: bool = false"
)


def sample_distorted_bounding_box(
    image_size: Any,
    bounding_boxes: Any,
    seed: int | None = None,
    seed2: int | None = None,
    min_object_covered: Any = 0.1,
    aspect_ratio_range: Sequence[float] | None = None,
    area_range: Sequence[float] | None = None,
    max_attempts: int | None = None,
    use_image_if_no_bounding_boxes: bool | None = None,
    name: str | None = None,
) -> Any:
    """A part of an image, chosen by chance, that has enough of one of the given boxes in it.

    Args:
        image_size: [3]: height, width, channels.
        bounding_boxes: float32 [1, boxes, 4]: two opposite corners (y, x, y, x) in 0..1.
        seed: with `seed2`, of the choice; both 0 for another in each session.
        seed2: see `seed`.
        min_object_covered: how much of a box the part must have in it.
        aspect_ratio_range: the least and the largest width, divided by height.
        area_range: the least and the largest share of the image's area.
        max_attempts: after which it is the whole image.
        use_image_if_no_bounding_boxes: whether the whole image is the box where none is given, rather than an error.
        name: of the node.
    """
    wanted = {
        "aspect_ratio_range": aspect_ratio_range,
        "area_range": area_range,
        "max_attempts": max_attempts,
        "use_image_if_no_bounding_boxes": use_image_if_no_bounding_boxes,
    }
    attrs = {key: value for key, value in wanted.items() if value is not None}
    with name_scope(name, "sample_distorted_bounding_box"):
        return named_outputs(
            "SampleDistortedBoundingBoxV2", image_size, bounding_boxes, min_object_covered, seed=seed or 0, seed2=seed2 or 0, name=name, **attrs
        )


class _Words:
    """Numbers of a sequence of blocks, one after the other."""

    def __init__(self, start: Philox) -> None:
        self._words = self._all(start)

    @staticmethod
    def _all(start: Philox) -> Iterator[int]:
        while True:
            yield from start.blocks(np, 8).reshape(-1).tolist()
            start = start.skip(8)

    def share(self) -> np.float32:
        """Of [0, 1)."""
        bits = np.uint32((127 << 23) | (next(self._words) & 0x7FFFFF))
        return np.float32(bits.view(np.float32) - np.float32(1))

    def below(self, limit: int) -> int:
        """Of 0..limit - 1, each as likely."""
        if not limit & (limit - 1):
            return next(self._words) & (limit - 1)
        least = (0xFFFFFFFF % limit) + 1
        while (found := next(self._words)) < least:
            pass
        return found % limit


class _Box(NamedTuple):
    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> np.float32:
        return np.float32((self.right - self.left) * (self.bottom - self.top))

    def common_area(self, other: _Box) -> np.float32:
        left, top = max(self.left, other.left), max(self.top, other.top)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return np.float32(0) if left > right or top > bottom else _Box(left, top, right, bottom).area


def _rounded(number: Any) -> int:
    return int(np.rint(np.float32(number)))


def _random_box(width: int, height: int, areas: Sequence[float], ratio: np.float32, words: _Words) -> _Box | None:
    """A box of the proportions `ratio` and of an area within limits; None where there is none."""
    least, largest = (np.float32(np.float32(share) * np.float32(width) * np.float32(height)) for share in areas)
    if areas[1] <= 0 or areas[0] > areas[1] or ratio <= 0 or width <= 0 or height <= 0:
        return None
    rows, most = _rounded(math.sqrt(least / ratio)), _rounded(math.sqrt(largest / ratio))
    if _rounded(most * ratio) > width:
        most = int((width + 0.5 - _TINY) / float(ratio))
        if _rounded(most * ratio) > width:
            most -= 1
    most = min(most, height)
    rows = min(rows, most)
    if rows < most:
        rows += words.below(most - rows + 1)
    columns = _rounded(rows * ratio)
    if np.float32(columns * rows) < least:
        rows += 1
        columns = _rounded(rows * ratio)
    if np.float32(columns * rows) > largest:
        rows -= 1
        columns = _rounded(rows * ratio)
    if not least <= np.float32(columns * rows) <= largest or columns > width or rows > height or columns <= 0 or rows <= 0:
        return None
    top = words.below(height - rows) if rows < height else 0
    left = words.below(width - columns) if columns < width else 0
    return _Box(left, top, left + columns, top + rows)


def _covers(box: _Box, objects: list[_Box], share: float) -> bool:
    return bool(box.area >= 1) and any(each.area >= 1 and box.common_area(each) / each.area >= share for each in objects)


def _sampled(
    start: Philox, image_size: _Array, boxes: _Array, share: Any, ratios: list[float], areas: list[float], attempts: int, uses_image: bool
) -> list[_Array]:
    if image_size.shape != (3,):
        raise InvalidArgumentError(f"image_size must contain 3 elements, got shape {shown(image_size.shape)}")
    if boxes.ndim != 3 or (boxes.size and boxes.shape[2] != 4):
        raise InvalidArgumentError(f"input boxes must be 3-dimensional [batch, num_boxes, coords], got shape {shown(boxes.shape)}")
    if np.ndim(share) or not 0 <= share <= 1:
        raise InvalidArgumentError(f"Min object covered must be a number in [0, 1], got {share}")
    height, width, _ = (int(size) for size in image_size)
    if height <= 0 or width <= 0:
        raise InvalidArgumentError(f"Image height and width must be positive, got {height} and {width}")
    corners = boxes.reshape(-1, 4)
    if ((corners < 0) | (corners > 1)).any():
        raise InvalidArgumentError("All bounding box coordinates must be in [0.0, 1.0]")
    scaled = (corners * np.array([height, width, height, width], np.float32)).astype(np.int32).tolist()
    objects = [_Box(x1, y1, x2, y2) for y1, x1, y2, x2 in scaled]
    whole = _Box(0, 0, width, height)
    if not objects:
        if not uses_image:
            raise InvalidArgumentError("No bounding boxes provided as input. One must enable use_image_if_no_bounding_boxes to go without")
        objects = [whole]
    words, found = _Words(start), whole
    lowest, highest = np.float32(ratios[0]), np.float32(ratios[1])
    for _ in range(attempts):
        box = _random_box(width, height, areas, words.share() * (highest - lowest) + lowest, words)
        if box is not None and _covers(box, objects, float(share)):
            found = box
            break
    begin = np.array([found.top, found.left, 0]).astype(image_size.dtype)
    size = np.array([found.bottom - found.top, found.right - found.left, -1]).astype(image_size.dtype)
    limits = np.array([height, width, height, width], np.float32)
    edges = np.array([found.top, found.left, found.bottom, found.right], np.float32)
    return [begin, size, (edges / limits).reshape(1, 1, 4)]


def _check_ranges(ratios: list[float], areas: list[float], attempts: int) -> None:
    if len(ratios) != 2 or min(ratios) <= 0:
        raise InvalidArgumentError(f"aspect_ratio_range must be two positive numbers: {ratios}")
    if len(areas) != 2 or min(areas) <= 0 or max(areas) > 1:
        raise InvalidArgumentError(f"area_range must be two numbers of (0, 1]: {areas}")
    if attempts <= 0:
        raise InvalidArgumentError(f"max_attempts must be positive: {attempts}")


def _box_shapes(op: Operation) -> list[TensorShape]:
    op._inputs[0].shape.with_rank(1).merge_with([3])
    boxes = op._inputs[1].shape.with_rank(3)
    boxes[2:].merge_with([4])
    for tensor in op._inputs[2:3]:
        tensor.shape.with_rank(0)
    return [TensorShape([3]), TensorShape([3]), TensorShape([1, 1, 4])]


def _generator(ctx: Context) -> Generator:
    found: Generator = ctx.state.get("generator") or ctx.state.setdefault("generator", Generator(ctx.op.attr("seed"), ctx.op.attr("seed2")))
    return found


class SampleDistortedBoundingBox(SessionOpType):
    """A part of an image that has enough of a box in it."""

    inputs = "image_size: T, bounding_boxes: float"
    outputs = "begin: T, size: T, bboxes: float"
    attrs = f"T: {{uint8, int8, int16, int32, int64}}, seed: int = 0, seed2: int = 0, min_object_covered: float = 0.10000000149011612, {_RANGES}"
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(_box_shapes)

    @staticmethod
    def run(
        ctx: Context,
        image_size: Any,
        bounding_boxes: Any,
        *,
        min_object_covered: float,
        aspect_ratio_range: list[float],
        area_range: list[float],
        max_attempts: int,
        use_image_if_no_bounding_boxes: bool,
    ) -> list[_Array]:
        _check_ranges(aspect_ratio_range, area_range, max_attempts)
        start = _generator(ctx).reserve(max_attempts)
        limits = (aspect_ratio_range, area_range, max_attempts, use_image_if_no_bounding_boxes)
        return _sampled(start, image_size, bounding_boxes, np.float32(min_object_covered), *limits)

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None] * len(op.inputs)


class SampleDistortedBoundingBoxV2(SessionOpType):
    """The same; how much of a box there must be is an input."""

    inputs = "image_size: T, bounding_boxes: float, min_object_covered: float"
    outputs = "begin: T, size: T, bboxes: float"
    attrs = f"T: {{uint8, int8, int16, int32, int64}}, seed: int = 0, seed2: int = 0, {_RANGES}"
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(_box_shapes)

    @staticmethod
    def run(
        ctx: Context,
        image_size: Any,
        bounding_boxes: Any,
        min_object_covered: Any,
        *,
        aspect_ratio_range: list[float],
        area_range: list[float],
        max_attempts: int,
        use_image_if_no_bounding_boxes: bool,
    ) -> list[_Array]:
        _check_ranges(aspect_ratio_range, area_range, max_attempts)
        start = _generator(ctx).reserve(max_attempts)
        limits = (aspect_ratio_range, area_range, max_attempts, use_image_if_no_bounding_boxes)
        return _sampled(start, image_size, bounding_boxes, min_object_covered, *limits)

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None] * len(op.inputs)


class StatelessSampleDistortedBoundingBox(OpType):
    """The same; two numbers choose it."""

    inputs = "image_size: T, bounding_boxes: float, min_object_covered: float, seed: Tseed"
    outputs = "begin: T, size: T, bboxes: float"
    attrs = f"T: {{uint8, int8, int16, int32, int64}}, Tseed: {{int32, int64}}, {_RANGES}"
    is_host_only = True
    samples = (sample("int32: [40, 50, 3]", "float: [[[0.1, 0.2, 0.9, 0.8]]]", "float: 0.3", "int32: [4, 2]"),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[3].shape.with_rank(1).merge_with([2])
        return _box_shapes(op)

    @staticmethod
    def run(
        xp: Any,
        image_size: Any,
        bounding_boxes: Any,
        min_object_covered: Any,
        seed: Any,
        *,
        aspect_ratio_range: list[float],
        area_range: list[float],
        max_attempts: int,
        use_image_if_no_bounding_boxes: bool,
    ) -> list[_Array]:
        _check_ranges(aspect_ratio_range, area_range, max_attempts)
        limits = (aspect_ratio_range, area_range, max_attempts, use_image_if_no_bounding_boxes)
        return _sampled(Philox.of_stateless_seed(seed), image_size, bounding_boxes, min_object_covered, *limits)

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None] * len(op.inputs)


class RandomCrop(SessionOpType):
    """A part of an image, from anywhere it fits."""

    inputs = "image: T, size: int64"
    outputs = "output: T"
    attrs = "T: {uint8, int8, int16, int32, int64, float, double}, seed: int = 0, seed2: int = 0"
    is_stateful = True
    host_inputs = ("size",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        image = op._inputs[0].shape.with_rank(3).as_list()
        op._inputs[1].shape.merge_with([2])
        size = constant_value(op._inputs[1])
        return [TensorShape([*([None, None] if size is None else [None if each < 0 else int(each) for each in size]), image[2]])]

    @staticmethod
    def run(ctx: Context, image: Any, size: Any) -> Any:
        if image.ndim != 3 or size.shape != (2,):
            raise InvalidArgumentError(f"image must be 3-dimensional and size have two elements, got {shown(image.shape)} and {shown(size.shape)}")
        rows, columns = (int(each) for each in size)
        height, width = image.shape[:2]
        if not 0 <= rows <= height or not 0 <= columns <= width:
            raise FailedPreconditionError(f"width must be >= target_width and height >= target_height: {height} x {width}, {rows} x {columns}")
        if (rows, columns) == (height, width):
            return image
        words = _Words(_generator(ctx).reserve(1))
        top = words.below(height - rows + 1)
        left = words.below(width - columns + 1)
        return image[top : top + rows, left : left + columns].copy()

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None]
