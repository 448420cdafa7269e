"""Texts joined by segments (`tf.strings.unsorted_segment_join`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, constant_value, sample
from gpersist.ops.kernels import as_array, shown
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["unsorted_segment_join"]


class UnsortedSegmentJoin(OpType):
    """The texts of each segment, one behind the other."""

    inputs = "inputs: string, segment_ids: Tindices, num_segments: Tnumsegments"
    outputs = "output: string"
    attrs = "separator: string = '', Tindices: {int32, int64}, Tnumsegments: {int32, int64} = int32"
    is_host_only = True
    samples = (
        sample("string[3]", "int32: [0, 1, 0]", "int32: 3", separator="-"),
        sample("string[2,2]", "int64: [1, 1]", "int64: 2"),
        sample("string[2,2]", "int32: [[1, 0], [1, 1]]", "int32: 2"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        texts, ids, count = op._inputs
        count.shape.with_rank(0)
        if texts.shape.sizes is None or ids.shape.sizes is None:
            return [unknown_shape()]
        rank = len(ids.shape.sizes)
        texts.shape.with_rank_at_least(rank)[:rank].merge_with(ids.shape)
        known = constant_value(count)
        if known is not None and known < 0:
            raise ValueError(f"Dimension must be non-negative, but got {known}")
        return [TensorShape([None if known is None else int(known), *texts.shape.sizes[rank:]])]

    @staticmethod
    def run(xp: Any, texts: Any, ids: Any, num_segments: Any, *, separator: bytes) -> Any:
        if np.ndim(num_segments):
            raise InvalidArgumentError("Number of segments must be a scalar")
        count = int(num_segments)
        if count < 0:
            raise InvalidArgumentError(f"Number of segments must be non-negative but got {count}")
        texts, ids = as_array(np, texts), np.asarray(ids)
        if not ids.ndim:
            raise InvalidArgumentError("Segment_id cannot have rank 0")
        if ids.ndim > texts.ndim or ids.shape != texts.shape[: ids.ndim]:
            raise InvalidArgumentError(f"Segment dimensions {shown(ids.shape)} do not go with input dimensions {shown(texts.shape)}")
        flat = ids.reshape(-1)
        if ((flat < 0) | (flat >= count)).any():
            raise InvalidArgumentError("segment_ids are not allowed to exceed num_segments or to have negative values.")
        inner = texts.shape[ids.ndim :]
        columns = texts.reshape(flat.size, int(np.prod(inner)))
        found = np.empty((count, columns.shape[1]), object)
        members = _members(columns, flat, count) if count else []
        for segment, rows in enumerate(members):
            found[segment] = [separator.join(rows[:, column].tolist()) for column in range(columns.shape[1])]
        return found.reshape(count, *inner)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None, None]


def _members(columns: Any, flat: Any, count: int) -> list[Any]:
    order = np.argsort(flat, kind="stable")
    return np.split(columns[order], np.searchsorted(flat[order], np.arange(1, count)))


def unsorted_segment_join(inputs: Any, segment_ids: Any, num_segments: Any, separator: str = "", name: str | None = None) -> Tensor:
    """The texts of each segment, one behind the other (`tf.strings.unsorted_segment_join`).

    Args:
        inputs: texts.
        segment_ids: the segment of each, in a shape that begins the shape of `inputs`.
        num_segments: how many segments there are.
        separator: what stands between texts.
        name: of the node.
    """
    return apply("UnsortedSegmentJoin", inputs, segment_ids, num_segments, separator=separator, name=name)
