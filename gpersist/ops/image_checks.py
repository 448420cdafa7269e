"""What functions on images hold of their arguments, when the graph is made as far as that is known, and else when it runs."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Operation, Tensor, convert_to_tensor
from gpersist.ops.checks import Assert, assert_equal, assert_greater_equal, assert_positive
from gpersist.ops.control import with_dependencies
from gpersist.ops.joining import unstack
from gpersist.ops.shaping import expand_dims, rank
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.variable import Variable


def is_tensor(value: Any) -> bool:
    """Whether a value is known only when the graph runs."""
    return isinstance(value, (Tensor, Variable))


def hold(condition: Any, message: str) -> list[Operation]:
    """Holds a condition: one that is a tensor by an operation, which is given.

    Raises:
        ValueError: it is known, and false.
    """
    if is_tensor(condition):
        return [Assert(condition, [message])]
    if not condition:
        raise ValueError(message)
    return []


def check_image(image: Tensor) -> list[Operation]:
    """Holds that an image has at least three dimensions, of which the last three are not empty; gives operations for what is not known yet.

    Raises:
        ValueError: it has fewer, or is empty.
    """
    try:
        shape = image.shape.with_rank(3) if image.shape.rank is None else image.shape.with_rank_at_least(3)
    except ValueError:
        raise ValueError(f"'image' (shape {image.shape}) must be at least three-dimensional.") from None
    inner = shape.as_list()[-3:]
    if 0 in inner:
        raise ValueError(f"inner 3 dims of 'image.shape' must be > 0: {shape}")
    if None not in inner:
        return []
    return [
        assert_positive(shape_of(image)[-3:], ["inner 3 dims of 'image.shape' must be > 0."]),
        assert_greater_equal(rank(image), 3, message="'image' must be at least three-dimensional."),
    ]


def checked_image(image: Any) -> Tensor:
    """An image as a tensor, after `check_image`."""
    tensor = convert_to_tensor(image, name="image")
    found: Tensor = with_dependencies(check_image(tensor), tensor)
    return found


def checked_grey_image(image: Tensor) -> Tensor:
    """An image, held to have one channel.

    Raises:
        ValueError: it has another number, or too few dimensions.
    """
    try:
        shape = image.shape.with_rank(2) if image.shape.rank is None else image.shape.with_rank_at_least(2)
    except ValueError:
        raise ValueError(f"A grayscale image (shape {image.shape}) must be at least two-dimensional.") from None
    checks: list[Any] = []
    if shape.is_fully_defined():
        if shape.as_list()[-1] != 1:
            raise ValueError("Last dimension of a grayscale image should be size 1.")
    else:
        checks = [
            assert_equal(shape_of(image)[-1], 1, message="Last dimension of a grayscale image should be size 1."),
            assert_greater_equal(rank(image), 3, message="A grayscale image must be at least two-dimensional."),
        ]
    found: Tensor = with_dependencies(checks, image)
    return found


def sizes_of(image: Tensor, rank: int) -> list[Any]:
    """The size of each dimension: a number where it is known, else a tensor."""
    if image.shape.is_fully_defined():
        return image.shape.as_list()
    known = image.shape.with_rank(rank).as_list()
    return [dynamic if size is None else size for size, dynamic in zip(known, unstack(shape_of(image), rank), strict=True)]


def as_batch(image: Tensor) -> tuple[Tensor, bool]:
    """An image as a batch of one, or a batch as it is; and whether it was one.

    Raises:
        ValueError: it has neither three nor four dimensions.
    """
    dimensions = image.shape.rank
    if dimensions == 4:
        return image, True
    if dimensions not in (3, None):
        raise ValueError(f"'image' (shape {image.shape}) must have either 3 or 4 dimensions.")
    batch = expand_dims(image, 0)
    if dimensions is None:
        batch.set_shape([None] * 4)
    return batch, False
