"""The largest along an axis, where most of them would do; here it is all of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gpersist.devices import Array
from gpersist.graph import Operation, OpType, Tensor, apply_op, sample
from gpersist.ops import shape_functions
from gpersist.ops.counting import top_of_rows
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["approx_max_k", "approx_min_k", "approx_top_k"]


class ApproxTopK(OpType):
    """The k largest along an axis, or the k smallest: here all of them, whatever part would do."""

    inputs = "input: T"
    outputs = "values: T, indices: int32"
    attrs = (
        "k: int >= 0, reduction_dimension: int = -1, recall_target: float = 0.949999988079071, is_max_k: bool = true, "
        "reduction_input_size_override: int = -1, aggregate_to_topk: bool = true, T: {half, bfloat16, float}"
    )
    samples = (sample("float[3,7]", k=3), sample("float[5,2]", k=2, reduction_dimension=0, is_max_k=False))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        known, k, axis = op._inputs[0].shape, op.attr("k"), op.attr("reduction_dimension")
        if known.sizes is None:
            return [unknown_shape()] * 2
        sizes = list(known.sizes)
        place = shape_functions.axis(axis, len(sizes))
        length = sizes[place]
        if length is None or length < k:
            raise ValueError(f"input must have last dimension >= k = {k} but was {-1 if length is None else length}")
        sizes[place] = k if op.attr("aggregate_to_topk") else None
        return [TensorShape(sizes)] * 2

    @staticmethod
    def run(xp: Any, value: Array, *, k: int, reduction_dimension: int, is_max_k: bool) -> list[Array]:
        last = xp.moveaxis(value, reduction_dimension, -1)
        values, places = top_of_rows(xp, last if is_max_k else -last, k, np.int32)
        return [xp.moveaxis(found, -1, reduction_dimension) for found in (values if is_max_k else -values, places)]


class ApproxTopKResult(NamedTuple):
    """What `approx_top_k` gives."""

    values: Tensor
    indices: Tensor


ApproxTopKResult.__name__ = "ApproxTopK"  # as it is printed


def approx_top_k(
    input: Any,  # TensorFlow's name
    k: int,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    is_max_k: bool = True,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
    name: str | None = None,
) -> ApproxTopKResult:
    """The k largest along an axis, or the k smallest, and where they are (`tf.approx_top_k`): all of them here, whatever part would do.

    Args:
        input: float16, bfloat16 or float32.
        k: how many.
        reduction_dimension: the axis.
        recall_target: what part of them would do.
        is_max_k: whether the largest.
        reduction_input_size_override: how long the axis is taken to be.
        aggregate_to_topk: whether there are k of them, rather than some more.
        name: of the node.
    """
    how: dict[str, Any] = {"recall_target": recall_target, "reduction_input_size_override": reduction_input_size_override}
    how |= {"k": k, "reduction_dimension": reduction_dimension, "is_max_k": is_max_k, "aggregate_to_topk": aggregate_to_topk}
    return ApproxTopKResult(*apply_op("ApproxTopK", input, name=name, **how).outputs)


def approx_max_k(
    operand: Any,
    k: int,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
    name: str | None = None,
) -> ApproxTopKResult:
    """The k largest along an axis, and where they are (`tf.math.approx_max_k`); see `approx_top_k`."""
    return approx_top_k(operand, k, reduction_dimension, recall_target, True, reduction_input_size_override, aggregate_to_topk, name)


def approx_min_k(
    operand: Any,
    k: int,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
    name: str | None = None,
) -> ApproxTopKResult:
    """The k smallest along an axis, and where they are (`tf.math.approx_min_k`); see `approx_top_k`."""
    return approx_top_k(operand, k, reduction_dimension, recall_target, False, reduction_input_size_override, aggregate_to_topk, name)
