"""Images turned and mirrored (`tf.image.flip_left_right` and its relatives)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpersist.graph import Tensor, convert_to_tensor, name_scope
from gpersist.ops.arranging import reverse, transpose
from gpersist.ops.casting import cast
from gpersist.ops.comparison import equal, less
from gpersist.ops.control_flow import cond
from gpersist.ops.control_flow_case import case
from gpersist.ops.image_checks import checked_image
from gpersist.ops.random import random_uniform
from gpersist.ops.shaping import rank, reshape
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.unary import round as rounded

__all__ = ["flip_left_right", "flip_up_down", "random_flip_left_right", "random_flip_up_down", "rot90", "transpose_image"]


def flip_left_right(image: Any) -> Tensor:
    """Images whose columns are in reverse order: [height, width, channels], or a batch of such."""
    return _flip(image, 1, "flip_left_right")


def flip_up_down(image: Any) -> Tensor:
    """Images whose rows are in reverse order: [height, width, channels], or a batch of such."""
    return _flip(image, 0, "flip_up_down")


def random_flip_left_right(image: Any, seed: int | None = None) -> Tensor:
    """Images each of which is mirrored, left and right, or not, by chance; `seed` as in `tf.set_random_seed`."""
    return _random_flip(image, 1, seed, "random_flip_left_right")


def random_flip_up_down(image: Any, seed: int | None = None) -> Tensor:
    """Images each of which is mirrored, top and bottom, or not, by chance; `seed` as in `tf.set_random_seed`."""
    return _random_flip(image, 0, seed, "random_flip_up_down")


def rot90(image: Any, k: Any = 1, name: str | None = None) -> Tensor:
    """Images turned by 90 degrees, counter-clockwise, `k` times: [height, width, channels], or a batch of such.

    Raises:
        ValueError: `image` has another number of dimensions, or `k` any.
    """
    with name_scope(name, "rot90", [image, k]) as scope:
        tensor = checked_image(image)
        turns = convert_to_tensor(k, "int32", name="k")
        turns.shape.assert_has_rank(0)
        turns = turns % 4
        return _by_rank(tensor, lambda: _turned(tensor, turns, 0, scope), lambda: _turned(tensor, turns, 1, scope))


def transpose_image(image: Any, name: str | None = None) -> Tensor:
    """Images whose rows are the columns (`tf.image.transpose`): [height, width, channels], or a batch of such.

    Raises:
        ValueError: `image` has another number of dimensions.
    """
    with name_scope(name, "transpose", [image]):
        tensor = checked_image(image)
        inner = "transpose" if name is None else name
        return _by_rank(tensor, lambda: transpose(tensor, [1, 0, 2], name=inner), lambda: transpose(tensor, [0, 2, 1, 3], name=inner))


def _by_rank(image: Tensor, of_one: Callable[[], Tensor], of_batch: Callable[[], Tensor]) -> Tensor:
    dimensions = image.shape.rank
    if dimensions is None:
        found: Tensor = cond(equal(rank(image), 3), of_one, of_batch)
        return found
    if dimensions not in (3, 4):
        raise ValueError(f"'image' (shape {image.shape}) must have either 3 or 4 dimensions.")
    return of_one() if dimensions == 3 else of_batch()


def _flip(image: Any, axis: int, default_name: str) -> Tensor:
    with name_scope(None, default_name, [image]):
        tensor = checked_image(image)
        return _by_rank(tensor, lambda: _shaped_as(tensor, reverse(tensor, [axis])), lambda: reverse(tensor, [axis + 1]))


def _shaped_as(image: Tensor, found: Tensor) -> Tensor:
    found.set_shape([None] * 3 if image.shape.rank is None else image.shape)
    return found


def _random_flip(image: Any, axis: int, seed: int | None, default_name: str) -> Tensor:
    with name_scope(None, default_name, [image]) as scope:
        tensor = checked_image(image)

        def of_one() -> Tensor:
            is_flipped = less(random_uniform([], minval=0, maxval=1.0, seed=seed), 0.5)
            return _shaped_as(tensor, cond(is_flipped, lambda: reverse(tensor, [axis]), lambda: tensor, name=scope))

        def of_batch() -> Tensor:
            number = shape_of(tensor)[0]
            chances = random_uniform([number], minval=0, maxval=1.0, seed=seed)
            flips = cast(rounded(reshape(chances, [number, 1, 1, 1])), tensor.dtype)
            flipped = reverse(tensor, [axis + 1])
            return flips * flipped + (1 - flips) * tensor

        return _by_rank(tensor, of_one, of_batch)


def _turned(image: Tensor, turns: Tensor, height: int, scope: str) -> Tensor:
    """An image turned; `height` is the number of that axis."""
    width, order = height + 1, [1, 0, 2] if height == 0 else [0, 2, 1, 3]
    turned = [
        (equal(turns, 1), lambda: transpose(reverse(image, [width]), order)),
        (equal(turns, 2), lambda: reverse(image, [height, width])),
        (equal(turns, 3), lambda: reverse(transpose(image, order), [width])),
    ]
    found: Tensor = case(turned, default=lambda: image, exclusive=True, name=scope)
    before = (image if height == 0 else found).shape
    sizes = before.as_list() if before.rank is not None else [None] * (height + 3)
    found.set_shape([*sizes[:height], None, None, sizes[-1]])
    return found
