"""What layers with windows, convolutions and pooling, are told about them, and how many windows there are."""

from __future__ import annotations

from typing import Any


def spatial_tuple(value: Any, count: int, name: str) -> tuple[int, ...]:
    """One number, or one for each spatial axis, as the latter.

    Raises:
        ValueError: there are too few or too many.
    """
    told = f"The `{name}` argument must be a tuple of {count} integers. Received: {value}"
    try:
        found = (value,) * count if isinstance(value, int) else tuple(value)
    except TypeError:
        raise ValueError(told) from None
    if len(found) != count:
        raise ValueError(told)
    least = 0 if name == "strides" else 1
    if wrong := {size for size in found if size < least}:
        raise ValueError(f"{told} including {wrong} that does not satisfy the requirement `{'>= 0' if least == 0 else '> 0'}`.")
    return found


def checked_padding(padding: str, *, is_causal_known: bool = False) -> str:
    """The word for `padding`, in lower case.

    Raises:
        ValueError: it is neither "valid" nor "same", nor "causal", which sequences know.
    """
    word = str(padding).lower()
    if word == "causal" and not is_causal_known:
        raise ValueError("Causal padding is only supported for `Conv1D`and `SeparableConv1D`.")
    if word not in ("valid", "same", "causal"):
        raise ValueError(
            f'The `padding` argument must be a list/tuple or one of "valid", "same" (or "causal", only for `Conv1D). Received: {padding}'
        )
    return word


def window_count(size: int | None, window: int, padding: str, stride: int, dilation: int = 1) -> int | None:
    """How many windows there are along an axis; below 0 where the axis is too short."""
    if size is None:
        return None
    covered = size if padding in ("same", "causal") else size - (window - 1) * dilation
    return -(-covered // stride)


def checked_format(data_format: str) -> bool:
    """Whether the channels come first.

    Raises:
        ValueError: it is neither "channels_first" nor "channels_last".
    """
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(f'The `data_format` argument must be one of "channels_first", "channels_last". Received: {data_format}')
    return data_format == "channels_first"


def data_format_of(spatial_rank: int, is_channels_first: bool) -> str:
    """The format under the name that operations know."""
    axes = {1: "W", 2: "HW", 3: "DHW"}[spatial_rank]
    return f"NC{axes}" if is_channels_first else f"N{axes}C"


def transposed_size(size: Any, kernel: int, stride: int, padding: str) -> Any:
    """The size of an axis, a number or a tensor, that has so many windows in it."""
    return size * stride + max(kernel - stride, 0) if padding == "VALID" else size * stride
