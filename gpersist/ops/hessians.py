"""Second derivatives (`tf.hessians`)."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Tensor
from gpersist.ops.constants import constant
from gpersist.ops.control_flow import while_loop
from gpersist.ops.gradients import gradients
from gpersist.ops.joining import concat
from gpersist.ops.shaping import reshape
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.shaping import size as size_of
from gpersist.ops.tensor_array import TensorArray

__all__ = ["hessians"]


def hessians(
    ys: Any, xs: Any, name: str = "hessians", colocate_gradients_with_ops: bool = False, gate_gradients: bool = False, aggregation_method: Any = None
) -> list[Tensor]:
    """The second derivatives of a sum with respect to each of some tensors: for one of shape S, a tensor of shape S + S.

    Args:
        ys: what is summed: a tensor, or several.
        xs: with respect to what.
        name: not used, as in TensorFlow.
        colocate_gradients_with_ops: see `tf.gradients`.
        gate_gradients: likewise.
        aggregation_method: likewise.

    Raises:
        ValueError, LookupError: as `tf.gradients`.
    """
    del name
    sources = list(xs) if isinstance(xs, (list, tuple)) else [xs]
    options: dict[str, Any] = {
        "colocate_gradients_with_ops": colocate_gradients_with_ops,
        "gate_gradients": gate_gradients,
        "aggregation_method": aggregation_method,
    }
    return [_hessian(gradient, x, options) for gradient, x in zip(gradients(ys, sources, **options), sources, strict=True)]


def _hessian(gradient: Tensor, x: Any, options: dict[str, Any]) -> Tensor:
    flat, count = reshape(gradient, [-1]), size_of(x)

    def row(index: Tensor, rows: TensorArray) -> tuple[Tensor, TensorArray]:
        return index + 1, rows.write(index, gradients(flat[index], x)[0])

    _, rows = while_loop(lambda index, _: index < count, row, [constant(0, "int32"), TensorArray(x.dtype, count)])
    shape = shape_of(x)
    return reshape(rows.stack(), concat([shape, shape], 0))
