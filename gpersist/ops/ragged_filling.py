"""A value for each row of a ragged tensor that has none."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply_op, sample
from gpersist.ops.kernels import shown
from gpersist.ops.sparse_structure import SparseFillEmptyRows, SparseFillEmptyRowsGrad
from gpersist.shapes import TensorShape

__all__ = ["ragged_fill_empty_rows", "ragged_fill_empty_rows_grad"]


class RaggedFillEmptyRows(OpType):
    """A value for each row that has none; rows are told by the number of the row that each value is in."""

    inputs = "value_rowids: int64, values: T, nrows: int64, default_value: T"
    outputs = "output_value_rowids: int64, output_values: T, empty_row_indicator: bool, reverse_index_map: int64"
    attrs = "T: type"
    is_host_only = True
    samples = (
        sample("int64: [0, 0, 2]", "float[3]", "int64: 4", "float: 9.0", has_gradient=False),
        sample(np.zeros(0, np.int64), "int32[0]", "int64: 2", "int32: 9"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        numbers, values, rows, default = op._inputs
        count = numbers.shape.with_rank(1).merge_with(values.shape.with_rank(1))
        default.shape.with_rank(0)
        rows.shape.with_rank(0)
        return [TensorShape([None]), TensorShape([None]), TensorShape([None]), count]

    @staticmethod
    def run(xp: Any, value_rowids: Any, values: Any, nrows: Any, default_value: Any) -> tuple[Any, ...]:
        if value_rowids.ndim != 1 or values.ndim != 1:
            raise InvalidArgumentError(f"value_rowids and values must be vectors, saw: {shown(value_rowids.shape)}, {shown(values.shape)}")
        shape = np.array([int(nrows)], np.int64)
        indices, *others = SparseFillEmptyRows.run(xp, value_rowids[:, None], values, shape, default_value)
        return (indices[:, 0], *others)

    @staticmethod
    def gradient(op: Operation, _: Tensor, grad: Tensor, *others: Tensor) -> list[Tensor | None]:
        found = apply_op("RaggedFillEmptyRowsGrad", op.outputs[3], grad).outputs
        return [None, found[0], None, found[1]]


class RaggedFillEmptyRowsGrad(OpType):
    """The gradient of `RaggedFillEmptyRows`."""

    inputs = SparseFillEmptyRowsGrad.inputs
    outputs = SparseFillEmptyRowsGrad.outputs
    attrs = SparseFillEmptyRowsGrad.attrs
    is_host_only = True
    samples = SparseFillEmptyRowsGrad.samples
    shapes = staticmethod(SparseFillEmptyRowsGrad.shapes)
    run = staticmethod(SparseFillEmptyRowsGrad.run)


def ragged_fill_empty_rows(value_rowids: Any, values: Any, nrows: Any, default_value: Any, name: str | None = None) -> Any:
    """A value for each row that has none (`tf.ragged_fill_empty_rows`): numbers of rows, values, which rows had none, and where values went."""
    return tuple(apply_op("RaggedFillEmptyRows", value_rowids, values, nrows, default_value, name=name).outputs)


def ragged_fill_empty_rows_grad(reverse_index_map: Any, grad_values: Any, name: str | None = None) -> Any:
    """The gradient of `ragged_fill_empty_rows`: of the values, and of the default value."""
    return tuple(apply_op("RaggedFillEmptyRowsGrad", reverse_index_map, grad_values, name=name).outputs)
