"""TensorFlow 2.13's one operation for convolutions in two and three dimensions, with any number of batch axes."""

from __future__ import annotations

from typing import Any

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, sample
from gpersist.ops.convolution import Conv2D, Conv3D, convolved_shape
from gpersist.ops.quantized_ranges import front
from gpersist.shapes import TensorShape

_FORMATS = {(4, b"CHANNELS_LAST"): b"NHWC", (4, b"CHANNELS_FIRST"): b"NCHW", (5, b"CHANNELS_LAST"): b"NDHWC", (5, b"CHANNELS_FIRST"): b"NCDHW"}


class Conv(OpType):
    """A convolution of images or volumes, whose first axes are those of a batch."""

    inputs = "input: T, filter: T"
    outputs = "output: T"
    attrs = (
        "T: {half, bfloat16, float, double, int32}, strides: list(int), padding: {'SAME', 'VALID', 'EXPLICIT'}, explicit_paddings: list(int) = [], "
        "data_format: {'CHANNELS_FIRST', 'CHANNELS_LAST'} = 'CHANNELS_LAST', dilations: list(int) = [], batch_dims: int = 1, groups: int = 1"
    )
    samples = (
        sample("float[2,4,5,3]", "float[3,3,3,2]", strides=[1, 1, 1, 1], padding="SAME"),
        sample("double[2,3,4,5,2]", "double[2,2,3,2,3]", strides=[1, 1, 2, 2, 1], padding="VALID"),
        sample("float[2,3,4,5,3]", "float[3,3,3,2]", strides=[1, 2, 1, 1], padding="SAME", batch_dims=2),
        sample("float[1,4,5,4]", "float[3,3,2,4]", strides=[1, 1, 1, 1], padding="SAME", groups=2),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        value, filters, count = op._inputs[0].shape, op._inputs[1].shape, op.attr("batch_dims")
        if count <= 0:
            raise ValueError(f"Input batch dimensions must be >= 1 but is {count}")
        rank = filters.rank if filters.rank is not None else None if value.rank is None else value.rank - count + 1
        if rank is None:
            return [TensorShape(None)]
        if rank not in (4, 5):
            raise ValueError(f"Input tensor must be rank 4 or 5, excluding extra batch dimensions, but got: {rank}")
        whole = value.with_rank(rank + count - 1)
        single = TensorShape([None, *whole.as_list()[count:]]) if whole.rank is not None else TensorShape([None] * rank)
        how = {"data_format": _FORMATS[rank, op.attr("data_format")], "dilations": op.attr("dilations") or [1] * rank}
        found = convolved_shape(front(op, 2, **how), single, filters)
        return [whole[:count].concatenate(found[1:])]

    @staticmethod
    def run(
        xp: Any,
        value: Array,
        filters: Array,
        *,
        strides: Any,
        padding: bytes,
        explicit_paddings: Any,
        data_format: bytes,
        dilations: Any,
        batch_dims: int,
        groups: int,
    ) -> Array:
        rank = value.ndim - batch_dims + 1
        if rank not in (4, 5) or filters.ndim != rank:
            raise InvalidArgumentError(
                f"The input must have 2 or 3 spatial dimensions, as the filters have, but got {rank - 2} and {filters.ndim - 2}"
            )
        spatial = _FORMATS[rank, data_format]
        single = value.reshape(-1, *value.shape[batch_dims:])
        channels = single.shape[-1 if data_format == b"CHANNELS_LAST" else 1]
        if groups < 1 or channels != groups * filters.shape[-2]:
            raise InvalidArgumentError(f"{groups} groups of {filters.shape[-2]} channels are not {channels} channels")
        how: dict[str, Any] = {"strides": strides, "padding": padding, "data_format": spatial, "dilations": list(dilations) or [1] * rank}
        if rank == 4:
            found = Conv2D.run(xp, single, filters, explicit_paddings=explicit_paddings, **how)
        else:
            found = Conv3D.run(xp, single, filters, **how)
        return found.reshape(*value.shape[:batch_dims], *found.shape[1:])
