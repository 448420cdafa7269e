"""Which bins of a histogram values fall into."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Tensor, convert_to_tensor, name_scope
from gpersist.ops.casting import cast
from gpersist.ops.checks import Assert
from gpersist.ops.clip import clip_by_value
from gpersist.ops.comparison import greater
from gpersist.ops.control import with_dependencies
from gpersist.ops.division import truediv
from gpersist.ops.shaping import reshape, shape_of
from gpersist.ops.unary import floor

__all__ = ["histogram_fixed_width_bins"]


def histogram_fixed_width_bins(values: Any, value_range: Any, nbins: Any = 100, dtype: Any = "int32", name: str | None = None) -> Tensor:
    """Which of `nbins` bins of one width each value falls into (`tf.histogram_fixed_width_bins`); those beyond the range into the outermost."""
    del dtype  # as in TensorFlow, whose bins are int32
    with name_scope(name, "histogram_fixed_width_bins", [values, value_range, nbins]):
        tensor = convert_to_tensor(values, name="values")
        shape = shape_of(tensor)
        flat = reshape(tensor, [-1])
        limits = convert_to_tensor(value_range, name="value_range")
        count = convert_to_tensor(nbins, "int32", "nbins")
        count = with_dependencies([Assert(greater(count, 0), [f"nbins {count} must > 0"])], count)
        real_count = cast(count, flat.dtype)
        scaled = truediv(flat - limits[0], limits[1] - limits[0], name="scaled_values")
        places = floor(real_count * scaled, name="indices")
        return reshape(cast(clip_by_value(places, 0, real_count - 1), "int32"), shape)
