"""Reductions, and what else goes along an axis."""

from __future__ import annotations

import numpy as np

from gpersist.dtypes import int32
from gpersist.lite.lowering import Lowered, Node, Unsupported, lowers
from gpersist.lite.schema import TYPES

_REDUCTIONS = {
    "Mean": "MEAN",
    "Sum": "SUM",
    "Max": "REDUCE_MAX",
    "Min": "REDUCE_MIN",
    "Prod": "REDUCE_PROD",
    "Any": "REDUCE_ANY",
    "All": "REDUCE_ALL",
}


@lowers(*_REDUCTIONS)
def reduction(node: Node) -> Lowered:
    """Over axes that are an input; nothing, if there are none."""
    axes = node.inputs[1].array
    if axes is not None and axes.size == 0:
        return node.inputs[0]
    return node.emit(_REDUCTIONS[node.op.type], node.inputs[0], node.as_int32(1), keep_dims=bool(node.attr("keep_dims")))


@lowers("ArgMax", "ArgMin")
def arg_max(node: Node) -> Lowered:
    """Where the largest stands, or the smallest."""
    kind = "ARG_MAX" if node.op.type == "ArgMax" else "ARG_MIN"
    return node.emit(kind, node.inputs[0], node.as_int32(1), output_type=TYPES[node.result().dtype.name])


@lowers("L2Loss")
def l2_loss(node: Node) -> Lowered:
    """Half the sum of squares."""
    node.must_be_float()
    source = node.inputs[0]
    if source.rank is None:
        raise Unsupported("of unknown rank")
    square = node.emit("MUL", source, source, gives=node.step("square", source.shape), fused_activation_function=0)
    total = node.emit("SUM", square, node.ints(range(source.rank), "axes"), gives=node.step("sum", ()), keep_dims=False)
    return node.emit("MUL", total, node.constant(np.float32(0.5), "half"), fused_activation_function=0)


_SEGMENTS = {
    "SegmentSum": "SEGMENT_SUM",
    "UnsortedSegmentSum": "UNSORTED_SEGMENT_SUM",
    "UnsortedSegmentProd": "UNSORTED_SEGMENT_PROD",
    "UnsortedSegmentMax": "UNSORTED_SEGMENT_MAX",
    "UnsortedSegmentMin": "UNSORTED_SEGMENT_MIN",
}


@lowers(*_SEGMENTS)
def segments(node: Node) -> Lowered:
    """Over the elements of the same number."""
    return node.emit(_SEGMENTS[node.op.type], node.inputs[0], *(node.as_int32(index) for index in range(1, len(node.inputs))))


@lowers("Cumsum")
def cumsum(node: Node) -> Lowered:
    """Running sums."""
    return node.emit("CUMSUM", node.inputs[0], node.as_int32(1), exclusive=bool(node.attr("exclusive")), reverse=bool(node.attr("reverse")))


@lowers("TopK", "TopKV2")
def top_k(node: Node) -> Lowered:
    """The largest, and where they stand."""
    count = node.as_int32(1) if node.op.type == "TopKV2" else node.ints(node.attr("k"), "k")
    gives = [node.result(0), node.result(1)]
    if gives[1].dtype is not int32:
        raise Unsupported(f"with indices of {gives[1].dtype.name}")
    return node.emit_all("TOPK_V2", [node.inputs[0], count], gives)
