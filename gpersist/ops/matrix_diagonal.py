"""The diagonals of the matrices that a tensor's last two dimensions are: matrix_diag, matrix_diag_part, matrix_set_diag, matrix_band_part.

A diagonal `d` holds the elements whose column is their row plus `d`. Several at once, from `k[0]` to `k[1]`, are rows, the highest first, of the
longest one's length; shorter ones lie left or right in their row, as `align` says for those above the main one and those below.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, constant_value, sample
from gpersist.ops.filling import zeros, zeros_like
from gpersist.ops.kernels import check_scalars, shown
from gpersist.ops.shaping import shape_of
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["matrix_band_part", "matrix_diag", "matrix_diag_part", "matrix_set_diag"]


def _bounds(k: Any) -> tuple[int, int]:
    """The lowest and the highest diagonal."""
    values = np.ravel(k).tolist()
    if len(values) not in (1, 2) or values[0] > values[-1]:
        raise InvalidArgumentError(f"diag_index must be a scalar, or a vector of one or two elements, the lower one first; got {values}")
    return values[0], values[-1]


def _check_inside(low: int, high: int, rows: int, columns: int) -> None:
    for which, d in (("lower_diag_index", low), ("upper_diag_index", high)):
        if not (-rows < d < columns or d == 0):
            raise InvalidArgumentError(f"{which} is out of bound: {d}. It must be between {-rows} and {columns}")


def _longest(low: int, high: int, rows: int, columns: int) -> int:
    return min(rows + min(high, 0), columns + min(-low, 0))


def _offset(d: Any, rows: int, columns: int, longest: int, align: str) -> Any:
    """Where in its row a diagonal begins."""
    lengths = np.minimum(rows + np.minimum(d, 0), columns - np.maximum(d, 0))
    above, below = align.split("_")
    is_left = ((d >= 0) & (above == "LEFT")) | ((d <= 0) & (below == "LEFT"))
    return np.where(is_left, 0, longest - lengths)


def _packed_shape(batch: Any, low: int, high: int, longest: int) -> list[Any]:
    return [*batch, longest] if low == high else [*batch, high - low + 1, longest]


def _diagonals(xp: Any, value: Array, k: Any, padding: Any, align: str) -> Array:
    check_scalars(padding_value=padding)
    if value.ndim < 2:
        raise InvalidArgumentError(f"input must be at least 2-dim, received shape: {shown(value.shape)}")
    low, high = _bounds(k)
    *batch, rows, columns = value.shape
    _check_inside(low, high, rows, columns)
    longest = _longest(low, high, rows, columns)
    d = np.arange(high, low - 1, -1)[:, None]
    along = np.arange(longest)[None, :] - _offset(d, rows, columns, longest, align)
    row, column = along + np.maximum(-d, 0), along + np.maximum(d, 0)
    is_there = (along >= 0) & (row < rows) & (column < columns)
    places = xp.asarray(np.where(is_there, row * columns + column, 0))
    flat = value.reshape(*batch, rows * columns)
    if not rows * columns:
        found = xp.full((*batch, *places.shape), padding, value.dtype)
    else:
        found = xp.where(xp.asarray(is_there), flat[..., places], xp.asarray(padding, dtype=value.dtype))
    return found.reshape(_packed_shape(batch, low, high, longest))


def _with_diagonals(xp: Any, base: Array, diagonal: Array, k: Any, align: str) -> Array:
    """A copy of matrices with other diagonals."""
    if base.ndim < 2:
        raise InvalidArgumentError(f"input must be at least 2-dim, received shape: {shown(base.shape)}")
    low, high = _bounds(k)
    *batch, rows, columns = base.shape
    _check_inside(low, high, rows, columns)
    longest = _longest(low, high, rows, columns)
    wanted = _packed_shape(batch, low, high, longest)
    if list(diagonal.shape) != wanted:
        raise InvalidArgumentError(f"Expected the diagonals to be of shape {shown(wanted)}, but got {shown(diagonal.shape)}")
    if not base.size or not diagonal.size:
        return base
    row, column = np.arange(rows)[:, None], np.arange(columns)[None, :]
    d = column - row
    is_there = (d >= low) & (d <= high)
    along = np.where(d >= 0, row, column) + _offset(d, rows, columns, longest, align)
    places = xp.asarray(np.where(is_there, (high - d) * longest + along, 0))
    flat = diagonal.reshape(*batch, -1)
    return xp.where(xp.asarray(is_there), flat[..., places], base)


def _made(xp: Any, diagonal: Array, k: Any, num_rows: Any, num_cols: Any, padding: Any, align: str) -> Array:
    check_scalars(num_rows=num_rows, num_cols=num_cols, padding_value=padding)
    if not diagonal.ndim:
        raise InvalidArgumentError("diagonal must be at least 1-dim, received shape: []")
    low, high = _bounds(k)
    if low != high and (diagonal.ndim < 2 or diagonal.shape[-2] != high - low + 1):
        raise InvalidArgumentError(f"The number of diagonals provided in the input does not match k: {high - low + 1}, got {shown(diagonal.shape)}")
    batch = diagonal.shape[:-1] if low == high else diagonal.shape[:-2]
    rows, columns = _matrix_size(diagonal.shape[-1], low, high, int(num_rows), int(num_cols))
    _check_inside(low, high, rows, columns)
    base = xp.empty((*batch, rows, columns), diagonal.dtype)
    base[...] = padding
    return _with_diagonals(xp, base, diagonal, k, align)


def _matrix_size(longest: int, low: int, high: int, rows: int, columns: int) -> tuple[int, int]:
    """The size of a matrix with these diagonals; -1 is for the least that fits.

    Raises:
        InvalidArgumentError: it would not fit.
    """
    least = longest - min(high, 0), longest + max(low, 0)
    if rows == columns == -1:
        rows = columns = max(least)
    rows, columns = least[0] if rows == -1 else rows, least[1] if columns == -1 else columns
    if rows < least[0] or columns < least[1] or (rows != least[0] and columns != least[1]):
        raise InvalidArgumentError(
            f"The number of rows or columns, {rows} and {columns}, is not consistent with the specified diagonals: at least {least}"
        )
    return rows, columns


def _made_shape(op: Operation) -> list[TensorShape]:
    diagonal = op._inputs[0].shape.with_rank_at_least(1)
    k, rows, columns = (constant_value(tensor) for tensor in op._inputs[1:4])
    if diagonal.sizes is None or k is None:
        return [unknown_shape()]
    low, high = _bounds(k)
    if low != high and len(diagonal.sizes) < 2:
        raise ValueError(f"Shape must be at least rank 2 but is rank {len(diagonal.sizes)}")
    batch, longest = diagonal.sizes[: -1 if low == high else -2], diagonal.sizes[-1]
    if longest is None or rows is None or columns is None:
        return [TensorShape([*batch, None, None])]
    return [TensorShape([*batch, *_matrix_size(longest, low, high, int(rows), int(columns))])]


def _part_shape(op: Operation) -> list[TensorShape]:
    if len(op._inputs) > 1 and op._inputs[1].shape.rank not in (None, 0, 1):
        raise ValueError(f"Shape must be at most rank 1 but is rank {op._inputs[1].shape.rank}")
    sizes, k = op._inputs[0].shape.with_rank_at_least(2).sizes, constant_value(op._inputs[1])
    if sizes is None or k is None:
        return [unknown_shape()]
    low, high = _bounds(k)
    *batch, rows, columns = sizes
    if rows is None or columns is None:
        return [TensorShape([*batch, None] if low == high else [*batch, high - low + 1, None])]
    _check_inside(low, high, rows, columns)
    return [TensorShape(_packed_shape(batch, low, high, _longest(low, high, rows, columns)))]


def _set_shape(op: Operation) -> list[TensorShape]:
    """The shape of the matrices, and what the diagonals tell of the batch."""
    value, diagonal = op._inputs[0].shape.with_rank_at_least(2), op._inputs[1].shape.with_rank_at_least(1)
    if len(op._inputs) > 2 and op._inputs[2].shape.rank not in (None, 0, 1):
        raise ValueError(f"Shape must be at most rank 1 but is rank {op._inputs[2].shape.rank}")
    k = constant_value(op._inputs[2]) if len(op._inputs) > 2 else np.zeros((), np.int32)
    low, high = (0, 0) if k is None else _bounds(k)  # TensorFlow, too, takes those of an unknown one to be 0
    if value.sizes is not None:
        rank = len(value.sizes)
        if k is not None:
            diagonal = diagonal.with_rank(rank - 1 if low == high else rank)
        elif diagonal.rank not in (None, rank - 1, rank):
            raise ValueError(f"Shape must be rank {rank - 1} or {rank} but is rank {diagonal.rank}")
        rows, columns = value.sizes[-2:]
        if rows is not None and columns is not None:
            _check_inside(low, high, rows, columns)
            if len(op._inputs) == 2:
                diagonal[-1:].merge_with([min(rows, columns)])
    if diagonal.sizes is None or value.is_fully_defined():
        return [value]
    return [value.merge_with([*diagonal.sizes[: -1 if low == high else -2], None, None])]


_ALIGN = "align: {'LEFT_RIGHT', 'RIGHT_LEFT', 'LEFT_LEFT', 'RIGHT_RIGHT'} = 'RIGHT_LEFT'"
_LEFT = "LEFT_LEFT"


class MatrixDiag(OpType):
    """Square matrices of a diagonal, zero elsewhere."""

    inputs = "diagonal: T"
    outputs = "output: T"
    attrs = "T: type"
    samples = (sample("float[3]"), sample("double[2,3]"), sample("bool[2]"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape = op._inputs[0].shape.with_rank_at_least(1)
        return [shape if shape.rank is None else shape.concatenate(shape[-1:])]

    @staticmethod
    def run(xp: Any, diagonal: Array) -> Array:
        return _made(xp, diagonal, 0, -1, -1, 0, _LEFT)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return matrix_diag_part(grad)


class MatrixDiagV2(OpType):
    """Matrices of some diagonals, with a value elsewhere."""

    inputs = "diagonal: T, k: int32, num_rows: int32, num_cols: int32, padding_value: T"
    outputs = "output: T"
    attrs = "T: type"
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("double[3]", "int32: 0", "int32: -1", "int32: -1", "double: 0.0"),
        sample("double[2,3]", "int32: 1", "int32: -1", "int32: -1", "double: 0.0"),
        sample("double[2,3]", "int32: [-1, 0]", "int32: -1", "int32: 3", "double: 0.0"),
        sample("int32[2]", "int32: [1]", "int32: 2", "int32: -1", "int32: 7"),
        sample("int32[3,3]", "int32: [-1, 1]", "int32: 3", "int32: 4", "int32: 7"),
    )
    host_inputs = ("k", "num_rows", "num_cols")
    shapes = staticmethod(_made_shape)
    scalars = ("num_rows", "num_cols", "padding_value")

    @staticmethod
    def run(xp: Any, diagonal: Array, k: Any, num_rows: Any, num_cols: Any, padding: Any) -> Array:
        return _made(xp, diagonal, k, num_rows, num_cols, padding, _LEFT)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [_part_of(grad, op.inputs[1], b"LEFT_LEFT"), None, None, None, None]


class MatrixDiagV3(MatrixDiagV2):
    """The same; short diagonals lie as `align` says."""

    attrs = f"T: type, {_ALIGN}"
    samples = (*MatrixDiagV2.samples, sample("int32[3,3]", "int32: [-1, 1]", "int32: -1", "int32: -1", "int32: 7", align="LEFT_RIGHT"))

    @staticmethod
    def run(xp: Any, diagonal: Array, k: Any, num_rows: Any, num_cols: Any, padding: Any, *, align: bytes) -> Array:  # type: ignore[override]
        return _made(xp, diagonal, k, num_rows, num_cols, padding, align.decode())

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [_part_of(grad, op.inputs[1], op.attr("align")), None, None, None, None]


class MatrixDiagPart(OpType):
    """The main diagonals of matrices."""

    inputs = "input: T"
    outputs = "diagonal: T"
    attrs = "T: type"
    samples = (sample("float[3,3]"), sample("double[2,2,3]"), sample("int32[3,0]"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        sizes = op._inputs[0].shape.with_rank_at_least(2).sizes
        if sizes is None:
            return [unknown_shape()]
        *batch, rows, columns = sizes
        return [TensorShape([*batch, None if rows is None or columns is None else min(rows, columns)])]

    @staticmethod
    def run(xp: Any, value: Array) -> Array:
        return _diagonals(xp, value, 0, 0, _LEFT)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        sizes = op.inputs[0].shape.sizes
        if sizes is not None and sizes[-2] is not None and sizes[-2] == sizes[-1]:
            return matrix_diag(grad)
        return matrix_set_diag(zeros_like(op.inputs[0]), grad)


class MatrixDiagPartV2(OpType):
    """Some diagonals of matrices."""

    inputs = "input: T, k: int32, padding_value: T"
    outputs = "diagonal: T"
    attrs = "T: type"
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("double[3,3]", "int32: 0", "double: 0.0"),
        sample("double[2,3,4]", "int32: -1", "double: 0.0"),
        sample("double[2,3,4]", "int32: [-1, 2]", "double: 0.0", has_gradient=True),
        sample("int32[4,3]", "int32: [-2, -1]", "int32: 5"),
    )
    host_inputs = ("k",)
    shapes = staticmethod(_part_shape)
    scalars = ("padding_value",)

    @staticmethod
    def run(xp: Any, value: Array, k: Any, padding: Any) -> Array:
        return _diagonals(xp, value, k, padding, _LEFT)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [_part_gradient(op, grad, b"LEFT_LEFT"), None, None]


class MatrixDiagPartV3(MatrixDiagPartV2):
    """The same; short diagonals lie as `align` says."""

    attrs = f"T: type, {_ALIGN}"
    samples = (*MatrixDiagPartV2.samples, sample("int32[4,3]", "int32: [-2, 1]", "int32: 5", align="LEFT_RIGHT"))

    @staticmethod
    def run(xp: Any, value: Array, k: Any, padding: Any, *, align: bytes) -> Array:  # type: ignore[override]
        return _diagonals(xp, value, k, padding, align.decode())

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [_part_gradient(op, grad, op.attr("align")), None, None]


class MatrixSetDiag(OpType):
    """Matrices with another main diagonal."""

    inputs = "input: T, diagonal: T"
    outputs = "output: T"
    attrs = "T: type"
    samples = (sample("double[3,3]", "double[3]"), sample("double[2,2,3]", "double[2,2]"))
    shapes = staticmethod(_set_shape)

    @staticmethod
    def run(xp: Any, value: Array, diagonal: Array) -> Array:
        return _with_diagonals(xp, value, diagonal, 0, _LEFT)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        diagonal = op.inputs[1]
        shape = diagonal.shape if diagonal.shape.is_fully_defined() else shape_of(diagonal)
        return [matrix_set_diag(grad, zeros(shape, grad.dtype)), matrix_diag_part(grad)]


class MatrixSetDiagV2(OpType):
    """Matrices with some other diagonals."""

    inputs = "input: T, diagonal: T, k: int32"
    outputs = "output: T"
    attrs = "T: type"
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("double[3,3]", "double[3]", "int32: 0"),
        sample("double[2,3,4]", "double[2,2]", "int32: -1"),
        sample("int32[3,4]", "int32[2,3]", "int32: [0, 1]"),
    )
    host_inputs = ("k",)
    shapes = staticmethod(_set_shape)

    @staticmethod
    def run(xp: Any, value: Array, diagonal: Array, k: Any) -> Array:
        return _with_diagonals(xp, value, diagonal, k, _LEFT)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return _set_gradient(op, grad, b"LEFT_LEFT")


class MatrixSetDiagV3(MatrixSetDiagV2):
    """The same; short diagonals lie as `align` says."""

    attrs = f"T: type, {_ALIGN}"
    samples = (*MatrixSetDiagV2.samples, sample("int32[3,4]", "int32[4,3]", "int32: [-1, 2]", align="LEFT_RIGHT"))

    @staticmethod
    def run(xp: Any, value: Array, diagonal: Array, k: Any, *, align: bytes) -> Array:  # type: ignore[override]
        return _with_diagonals(xp, value, diagonal, k, align.decode())

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return _set_gradient(op, grad, op.attr("align"))


def _part_of(tensor: Tensor, k: Tensor, align: bytes) -> Tensor:
    return matrix_diag_part(tensor, k=k, align=align.decode())


def _part_gradient(op: Operation, grad: Tensor, align: bytes) -> Tensor:
    value, k = op.inputs[:2]
    rows, columns = value.shape.as_list()[-2:] if value.shape.rank is not None else (None, None)
    if rows is not None and columns is not None:
        return matrix_diag(grad, k=k, num_rows=rows, num_cols=columns, align=align.decode())
    return matrix_set_diag(zeros_like(value), grad, k=k, align=align.decode())


def _set_gradient(op: Operation, grad: Tensor, align: bytes) -> list[Tensor | None]:
    _, diagonal, k = op.inputs
    shape = diagonal.shape if diagonal.shape.is_fully_defined() else shape_of(diagonal)
    return [matrix_set_diag(grad, zeros(shape, grad.dtype), k=k, align=align.decode()), _part_of(grad, k, align), None]


class MatrixBandPart(OpType):
    """Matrices with zeros outside of a band around the main diagonal; a negative width keeps that whole side."""

    inputs = "input: T, num_lower: Tindex, num_upper: Tindex"
    outputs = "band: T"
    attrs = "T: type, Tindex: {int32, int64} = int64"
    samples = (
        sample("double[3,4]", "int64: 1", "int64: 0"),
        sample("double[2,3,3]", "int32: -1", "int32: 1"),
        sample("int32[2,2]", "int64: 0", "int64: -1"),
    )
    host_inputs = ("num_lower", "num_upper")

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape.with_rank_at_least(2)]

    @staticmethod
    def run(xp: Any, value: Array, num_lower: Any, num_upper: Any) -> Array:
        if value.ndim < 2:
            raise InvalidArgumentError(f"input must be at least 2-dim, received shape: {shown(value.shape)}")
        rows, columns = value.shape[-2:]
        lower, upper = int(num_lower), int(num_upper)
        if lower > rows or upper > columns:
            raise InvalidArgumentError(
                f"num_lower and num_upper must be at most the number of rows and columns, {rows} and {columns}: {lower}, {upper}"
            )
        d = np.arange(columns)[None, :] - np.arange(rows)[:, None]
        is_kept = ((lower < 0) | (-d <= lower)) & ((upper < 0) | (d <= upper))
        return xp.where(xp.asarray(is_kept), value, xp.zeros((), value.dtype))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [apply("MatrixBandPart", grad, *op.inputs[1:]), None, None]


def matrix_diag(
    diagonal: Any, name: str = "diag", k: Any = 0, num_rows: Any = -1, num_cols: Any = -1, padding_value: Any = 0, align: str = "RIGHT_LEFT"
) -> Tensor:
    """Matrices of some diagonals (`tf.matrix_diag`); see the head of this module for `k` and `align`."""
    if getattr(diagonal, "dtype", None) == "bool":
        padding_value = bool(padding_value)
    return apply("MatrixDiagV3", diagonal, k, num_rows, num_cols, padding_value, align=align, name=name)


def matrix_diag_part(
    input: Any, name: str = "diag_part", k: Any = 0, padding_value: Any = 0, align: str = "RIGHT_LEFT"
) -> Tensor:  # TensorFlow's name
    """Some diagonals of matrices (`tf.matrix_diag_part`); see the head of this module for `k` and `align`."""
    if getattr(input, "dtype", None) == "bool":
        padding_value = bool(padding_value)
    return apply("MatrixDiagPartV3", input, k, padding_value, align=align, name=name)


def matrix_set_diag(input: Any, diagonal: Any, name: str = "set_diag", k: Any = 0, align: str = "RIGHT_LEFT") -> Tensor:  # TensorFlow's name
    """Matrices with some other diagonals (`tf.matrix_set_diag`); see the head of this module for `k` and `align`."""
    return apply("MatrixSetDiagV3", input, diagonal, k, align=align, name=name)


def matrix_band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """Matrices with zeros outside of a band around the main diagonal (`tf.matrix_band_part`)."""
    return apply("MatrixBandPart", input, num_lower, num_upper, name=name)
