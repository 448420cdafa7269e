"""Diagonals of tensors as wholes, and identity matrices: diag, diag_part, eye."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, convert_to_tensor, name_scope, sample
from gpersist.ops.filling import ones, zeros
from gpersist.ops.joining import concat
from gpersist.ops.kernels import shown
from gpersist.ops.matrix_diagonal import matrix_diag, matrix_set_diag
from gpersist.shapes import TensorShape

__all__ = ["diag", "diag_part", "eye"]

_NUMBERS = "T: {bfloat16, half, float, double, int32, int64, complex64, complex128}"


class Diag(OpType):
    """A tensor of twice the rank, zero except on its diagonal."""

    inputs = "diagonal: T"
    outputs = "output: T"
    attrs = _NUMBERS
    samples = (sample("float[3]"), sample("double[2,2]"), sample("int32[0]"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape = op._inputs[0].shape.with_rank_at_least(1)
        return [shape.concatenate(shape)]

    @staticmethod
    def run(xp: Any, diagonal: Array) -> Array:
        if not diagonal.ndim:
            raise InvalidArgumentError("Input must be at least rank 1, got 0")
        return xp.diag(diagonal.reshape(-1)).reshape(diagonal.shape * 2)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return apply("DiagPart", grad)


class DiagPart(OpType):
    """The diagonal of a tensor of even rank, whose first dimensions are as its last ones."""

    inputs = "input: T"
    outputs = "diagonal: T"
    attrs = _NUMBERS
    samples = (sample("float[3,3]"), sample("double[2,3,2,3]"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape = op._inputs[0].shape
        if shape.rank is None:
            return [shape]
        if shape.rank % 2 or not shape.rank:
            raise ValueError(f"Input must have even and non-zero rank, input rank is {shape.rank}")
        return [shape[: shape.rank // 2].merge_with(shape[shape.rank // 2 :])]

    @staticmethod
    def run(xp: Any, value: Array) -> Array:
        half = value.ndim // 2
        if value.ndim % 2 or not half or value.shape[:half] != value.shape[half:]:
            raise InvalidArgumentError(f"Input must have even rank and equal halves of its shape, got {shown(value.shape)}")
        size = int(np.prod(value.shape[:half]))
        return xp.diagonal(value.reshape(size, size)).reshape(value.shape[:half])

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return apply("Diag", grad)


def diag(diagonal: Any, name: str | None = None) -> Tensor:
    """A tensor of twice the rank, zero except on its diagonal (`tf.diag`)."""
    return apply("Diag", diagonal, name=name)


def diag_part(input: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """The diagonal of a tensor of even rank (`tf.diag_part`)."""
    return apply("DiagPart", input, name=name)


def eye(num_rows: Any, num_columns: Any = None, batch_shape: Any = None, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """Identity matrices (`tf.eye`).

    Args:
        num_rows: of each matrix, a number or a tensor.
        num_columns: the same; by default it is square.
        batch_shape: the dimensions before those, a list or a tensor.
        dtype: element type.
        name: of a name scope.
    """
    with name_scope(name, "eye", [num_rows, num_columns, batch_shape]):
        is_square = num_columns is None
        columns = num_rows if num_columns is None else num_columns
        batch: Any = [] if batch_shape is None else batch_shape
        if isinstance(num_rows, Tensor) or isinstance(columns, Tensor):
            size: Any = apply("Minimum", num_rows, columns)
        else:
            is_square, size = num_rows == columns, min(num_rows, columns)
        if isinstance(batch, Tensor) or isinstance(size, Tensor):
            batch = convert_to_tensor(batch, "int32", name="shape")
            ones_shape: Any = concat((batch, (size,)), axis=0)
            shape: Any = None if is_square else concat((batch, (num_rows, columns)), axis=0)
        else:
            batch = [size if isinstance(size, int) else int(size) for size in batch]
            ones_shape, shape = [*batch, size], [*batch, num_rows, columns]
        diagonal = ones(ones_shape, dtype)
        return matrix_diag(diagonal) if is_square else matrix_set_diag(zeros(shape, dtype), diagonal)
