"""Windows with holes, as operations that know none have them: on the batch that `space_to_batch` makes, they are dense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpersist.graph import Tensor, apply, constant_value, convert_to_tensor
from gpersist.ops.array import shape_of
from gpersist.ops.constants import constant
from gpersist.ops.joining import concat, stack
from gpersist.ops.spatial import required_space_to_batch_paddings
from gpersist.ops.window_arguments import split_padding
from gpersist.shapes import TensorShape


def with_space_to_batch(
    value: Tensor, rates: Any, padding: Any, build: Callable[[Tensor, Any], Tensor], kernel: Any, data_format: str | None
) -> Tensor:
    """What `build(value, padding)` makes, with holes in its windows: these are dense in the batch that `space_to_batch` makes.

    Args:
        value: the input.
        rates: from one element of a window to the next, for each spatial axis.
        padding: of the whole.
        build: a function that adds the operation without holes.
        kernel: the shape of the window, as a tensor, a shape or a list; its first axes are the spatial ones.
        data_format: channels are ahead of the spatial axes where it begins with "NC".

    Raises:
        ValueError: a rate is below one.
    """
    rate_tensor = convert_to_tensor(np.array(rates, np.int32), name="dilation_rate")
    if min(rates) < 1:
        raise ValueError(f"`dilation_rate` must be positive. Received: dilation_rate={np.array(rates)}")
    if max(rates) == 1:
        return build(value, padding)
    word, explicit = split_padding(padding, len(rates) + 2)
    first = 2 if data_format is not None and data_format.startswith("NC") else 1
    base: Any
    if word == "SAME":
        sizes = constant_value(kernel if isinstance(kernel, Tensor) else convert_to_tensor(TensorShape(kernel), name="filter_shape"))
        if sizes is None:
            raise ValueError("the shape of the filters must be known for padding 'SAME' with a dilation rate above one")
        extra = (sizes[: len(rates)].astype(np.int32) - 1) * np.array(rates, np.int32)
        base = constant(np.stack([extra // 2, extra - extra // 2], -1), name="stack")
    elif word == "VALID":
        base = np.zeros((len(rates), 2), np.int32)
    else:
        base = np.array(explicit, np.int32).reshape(-1, 2)[first : first + len(rates)]
    known = None if value.shape.sizes is None else value.shape.as_list()[first : first + len(rates)]
    if known is None or None in known:
        shape = shape_of(value)
        sizes_inside: Any = stack([shape[axis] for axis in range(first, first + len(rates))])
    else:
        sizes_inside = known
    paddings, crops = required_space_to_batch_paddings(sizes_inside, rate_tensor, base_paddings=base)
    block = _from_axis_one(rate_tensor, 1, first)
    margins, crops = _from_axis_one(paddings, 0, first), _from_axis_one(crops, 0, first)
    inner = apply("SpaceToBatchND", value, block, margins)
    return apply("BatchToSpaceND", build(inner, "VALID"), block, crops)


def _from_axis_one(values: Tensor, fill: int, first: int) -> Any:
    """Values for the spatial axes, which begin with number `first`, with one for each axis ahead of them but the batch."""
    known = constant_value(values)
    ahead = np.full((first - 1, *(size or 0 for size in values.shape.as_list()[1:])), fill, np.int32)
    if known is not None:
        return np.concatenate([ahead, known])
    part = values[0 : values.shape.as_list()[0]]
    return concat([ahead, part] if first > 1 else [part], 0)
