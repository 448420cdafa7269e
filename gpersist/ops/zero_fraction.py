"""How many elements are zero (`tf.nn.zero_fraction`)."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Tensor, convert_to_tensor, name_scope
from gpersist.ops.casting import cast
from gpersist.ops.comparison import not_equal
from gpersist.ops.control_flow import cond
from gpersist.ops.filling import zeros
from gpersist.ops.passing import identity
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.shaping import size as size_of

__all__ = ["zero_fraction"]

_MOST = (1 << 31) - 1


def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """The share of a tensor's elements that is zero, as float[]; NaN of none."""
    with name_scope(name, "zero_fraction", [value]):
        tensor = convert_to_tensor(value, name="value")
        size = size_of(tensor, out_type="int64")
        others = cond(size <= _MOST, lambda: cast(_count(tensor, "int32"), "int64"), lambda: _count(tensor, "int64"))
        with name_scope("counts_to_fraction"):
            zero_count = cast(size - others, "float32")
            share = zero_count / cast(size, "float32")
        return identity(share, "fraction")


def _count(tensor: Tensor, dtype: str) -> Tensor:
    with name_scope("count_nonzero", values=[tensor]):
        zero = zeros([], tensor.dtype)
        return reduce_sum(cast(not_equal(tensor, zero), dtype), name="nonzero_count")
