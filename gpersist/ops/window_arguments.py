"""The arguments that convolutions and pooling share, in all the spellings that callers may use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def per_axis(value: Any, spatial_rank: int, channel_axis: int, name: str) -> list[int]:
    """Strides, dilations or a window's sizes, one for each axis of an array: batch and channels get 1 where they are left out.

    Args:
        value: one number for all spatial axes, one for each, or one for each axis; None for 1.
        spatial_rank: how many spatial axes there are.
        channel_axis: 1, or the last.
        name: the caller's argument.

    Raises:
        ValueError: there are too few or too many.
    """
    if value is None:
        return [1] * (spatial_rank + 2)
    found = list(value) if isinstance(value, Iterable) else [value]
    if len(found) == spatial_rank + 2:
        return found
    if len(found) == 1:
        found *= spatial_rank
    elif len(found) != spatial_rank:
        raise ValueError(f"{name} should be of length 1, {spatial_rank} or {spatial_rank + 2}. Received: {name}={found} of length {len(found)}")
    return [1, 1, *found] if channel_axis == 1 else [1, *found, 1]


def split_padding(padding: Any, rank: int = 4) -> tuple[Any, list[int]]:
    """The attributes `padding` and `explicit_paddings` of an argument that is a word, or a pair for each axis.

    Raises:
        ValueError: it is neither.
    """
    if padding == "EXPLICIT":
        raise ValueError("'EXPLICIT' is not a valid value for `padding`. To use explicit padding, `padding` must be a list.")
    if not isinstance(padding, (list, tuple)):
        return padding, []
    for index, pair in enumerate(padding):
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise ValueError(
                f"When `padding` is a list, each element of `padding` must be a list/tuple of size 2. Received: padding={padding}, "
                f"whose element {index} is {pair!r}"
            )
    if len(padding) != rank:
        raise ValueError(f"When padding is a list, it must be of size {rank}. Received: padding={padding} of size {len(padding)}")
    return "EXPLICIT", [size for pair in padding for size in pair]
