"""Sparse tensors whose values stay and whose places change: reshaped, sorted, joined, cut, filled up."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from gpersist.errors import InternalError, InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, apply_op, constant_shape, sample
from gpersist.ops.kernels import shown
from gpersist.ops.shaping import shape_of
from gpersist.shapes import TensorShape, element_count, unknown_shape

__all__: list[str] = []

INDICES = np.array([[0, 1], [1, 0], [1, 2], [3, 1]], np.int64)
"""Where a sample has values, in a matrix of 4 times 3."""
SHAPE = np.array([4, 3], np.int64)


def check(indices: Any, values: Any, shape: Any, what: str = "") -> None:
    """Holds the three parts of a sparse tensor against each other.

    Raises:
        InvalidArgumentError: they don't go together, or an index is outside.
    """
    name = f"{what}_" if what else ""
    if indices.ndim != 2:
        raise InvalidArgumentError(f"{name}indices must be a matrix, not of shape {shown(indices.shape)}")
    if shape.ndim != 1:
        raise InvalidArgumentError(f"{name}shape must be a vector, not of shape {shown(shape.shape)}")
    if values is not None and values.shape != indices.shape[:1]:
        raise InvalidArgumentError(f"{name}values must be a vector of {len(indices)} elements, not of shape {shown(values.shape)}")
    if indices.shape[1] != len(shape):
        raise InvalidArgumentError(f"{name}indices have {indices.shape[1]} columns, {name}shape {len(shape)} elements")


def order_of(indices: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The order in which indices grow, row by row."""
    found: np.ndarray[Any, Any] = np.lexsort(indices.T[::-1]) if indices.shape[1] else np.arange(len(indices))
    return found


def flat_places(indices: np.ndarray[Any, Any], shape: Any) -> np.ndarray[Any, Any]:
    """The position of each index in a tensor laid out in a row."""
    found = np.zeros(len(indices), np.int64)
    for column, size in zip(indices.T, shape, strict=True):
        found = found * int(size) + column
    return found


def split_places(places: np.ndarray[Any, Any], shape: Any) -> np.ndarray[Any, Any]:
    """What `flat_places` made, as indices again."""
    found = np.zeros((len(places), len(shape)), np.int64)
    for axis in reversed(range(len(shape))):
        size = max(int(shape[axis]), 1)
        found[:, axis] = places % size if axis else places
        places = places // size
    return found


def _matrix(count: int | None, rank: int | None) -> TensorShape:
    return TensorShape([count, rank])


def parts_rank(op: Operation, first: int = 0) -> int | None:
    """The rank of a sparse tensor whose indices and shape are inputs `first` and `first + 2`, as far as it is known."""
    indices, values, shape = (tensor.shape for tensor in op._inputs[first : first + 3])
    indices.with_rank(2)[:1].merge_with(values.with_rank(1))
    return indices.with_rank(2)[1:].merge_with(shape.with_rank(1)).as_list()[0]


class SparseReshape(OpType):
    """Another shape of as many elements."""

    inputs = "input_indices: int64, input_shape: int64, new_shape: int64"
    outputs = "output_indices: int64, output_shape: int64"
    is_host_only = True
    samples = (sample(INDICES, SHAPE, "int64: [2, -1]"), sample(INDICES[:0], SHAPE, "int64: [12]"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        indices, shape, new = (tensor.shape for tensor in op._inputs)
        indices, new = indices.with_rank(2), new.with_rank(1)
        shape.with_rank(1)
        return [TensorShape([indices.as_list()[0], new.as_list()[0]]), new]

    @staticmethod
    def run(xp: Any, indices: Any, shape: Any, new_shape: Any) -> tuple[Any, Any]:
        check(indices, None, shape, "input")
        if new_shape.ndim != 1:
            raise InvalidArgumentError(f"Target shape should be a vector but received shape {shown(new_shape.shape)}")
        old, wanted = shape.tolist(), new_shape.tolist()
        count = element_count(old)
        if wanted.count(-1) > 1:
            raise InvalidArgumentError(
                f"only one output dimension may be -1, not both {wanted.index(-1)} and {len(wanted) - wanted[::-1].index(-1) - 1}"
            )
        if any(size < -1 for size in wanted):
            raise InvalidArgumentError(f"size {next(i for i, size in enumerate(wanted) if size < -1)} must be non-negative, not {min(wanted)}")
        known = element_count([size for size in wanted if size != -1])
        if -1 in wanted:
            if not known:
                raise InvalidArgumentError(
                    "reshape cannot infer the missing input size for an empty tensor unless all specified input sizes are non-zero"
                )
            if count % known:
                raise InvalidArgumentError(
                    f"Input to reshape is a SparseTensor with {count} dense values, but the requested shape requires a multiple of {known}"
                )
            wanted[wanted.index(-1)] = count // known
        elif count != known:
            raise InvalidArgumentError(f"Input to reshape is a tensor with {count} dense values, but the requested shape has {known}")
        return split_places(flat_places(indices, old), wanted), np.array(wanted, np.int64)

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None, None, None]


class SparseReorder(OpType):
    """The same, its indices in order."""

    inputs = "input_indices: int64, input_values: T, input_shape: int64"
    outputs = "output_indices: int64, output_values: T"
    attrs = "T: type"
    is_host_only = True
    samples = (sample(INDICES[::-1].copy(), "float[4]", SHAPE), sample(INDICES[:0], "float[0]", SHAPE))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        indices, values, shape = (tensor.shape for tensor in op._inputs)
        return [indices.with_rank(2), values.with_rank(1)] if shape.with_rank(1) is not None else []

    @staticmethod
    def run(xp: Any, indices: Any, values: Any, shape: Any) -> tuple[Any, Any]:
        check(indices, values, shape, "input")
        order = order_of(indices)
        return indices[order], values[order]

    @staticmethod
    def gradient(op: Operation, _: Tensor, grad: Tensor) -> list[Tensor | None]:
        entries = shape_of(op.inputs[0])[0]
        numbers = apply("Range", apply("Const", value=np.int32(0), dtype="int32"), entries, apply("Const", value=np.int32(1), dtype="int32"))
        order = apply_op("SparseReorder", op.inputs[0], numbers, op.inputs[2]).outputs[1]
        back = apply("InvertPermutation", order)
        return [None, apply("GatherV2", grad, back, apply("Const", value=np.int32(0), dtype="int32")), None]


class SparseConcat(OpType):
    """Several, one behind the other along an axis."""

    inputs = "indices: N * int64, values: N * T, shapes: N * int64"
    outputs = "output_indices: int64, output_values: T, output_shape: int64"
    attrs = "concat_dim: int, N: int >= 2, T: type"
    is_host_only = True
    samples = tuple(
        sample([INDICES, INDICES[:2]], ["float[4]", "float[2]"], [SHAPE, SHAPE], concat_dim=axis, has_gradient=False) for axis in (0, 1, -1)
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        count = op.attr("N")
        shape, columns = unknown_shape(), TensorShape([None])
        total: int | None = 0
        for number in range(count):
            indices, values = op._inputs[number].shape.with_rank(2), op._inputs[count + number].shape.with_rank(1)
            size = indices[:1].merge_with(values).as_list()[0]
            total = None if total is None or size is None else total + size
            columns = columns.merge_with(indices[1:])
            shape = shape.merge_with(op._inputs[2 * count + number].shape.with_rank(1))
        return [TensorShape([total]).concatenate(columns), TensorShape([total]), shape]

    @staticmethod
    def run(xp: Any, indices: list[Any], values: list[Any], shapes: list[Any], *, concat_dim: int) -> tuple[Any, Any, Any]:
        for parts in zip(indices, values, shapes, strict=True):
            check(*parts)
        rank = len(shapes[0])
        if not -rank <= concat_dim < rank:
            raise InvalidArgumentError(f"Concat dimension must be in range [{-rank}, {rank}), got {concat_dim}")
        axis = concat_dim % rank
        found = shapes[0].copy()
        moved = [indices[0]]
        for part, shape in zip(indices[1:], shapes[1:], strict=True):
            if len(shape) != rank:
                raise InvalidArgumentError(f"Ranks of all input tensors must match: expected {rank} but got {len(shape)}")
            different = (shape != found) & (np.arange(rank) != axis)
            if different.any():
                at = int(np.flatnonzero(different)[0])
                raise InvalidArgumentError(f"Input shapes must match: expected {found[at]} for dimension {at} but got {shape[at]}")
            part = part.copy()
            part[:, axis] += found[axis]
            moved.append(part)
            found[axis] += shape[axis]
        joined, joined_values = np.concatenate(moved), np.concatenate(values)
        order = order_of(joined)
        return joined[order], joined_values[order], found


class SparseSplit(OpType):
    """Equal parts along an axis; the first ones are longer by one where it doesn't come out even."""

    inputs = "split_dim: int64, indices: int64, values: T, shape: int64"
    outputs = "output_indices: num_split * int64, output_values: num_split * T, output_shape: num_split * int64"
    attrs = "num_split: int >= 1, T: type"
    is_host_only = True
    samples = tuple(sample(np.int64(axis), INDICES, "float[4]", SHAPE, num_split=2, has_gradient=False) for axis in (0, 1))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        rank = op._inputs[3].shape.with_rank(1) if op._inputs[3].shape.rank is not None else TensorShape([None])
        count = op.attr("num_split")
        return [*[_matrix(None, rank.as_list()[0])] * count, *[TensorShape([None])] * count, *[op._inputs[3].shape] * count]

    @staticmethod
    def run(xp: Any, split_dim: Any, indices: Any, values: Any, shape: Any, *, num_split: int) -> list[Any]:
        if np.size(split_dim) != 1:
            raise InvalidArgumentError(f"split_dim must be a scalar, not of shape {shown(np.shape(split_dim))}")
        check(indices, values, shape)
        axis, rank = int(np.reshape(split_dim, ())), len(shape)
        if not -rank <= axis < rank:
            raise InvalidArgumentError(f"Input split_dim should be in range [0, {rank}), got {axis}")
        if not 1 <= num_split <= shape[axis]:
            raise InvalidArgumentError(f"Input num_split should be between 1 and the splitting dimension size ({shape[axis]}), got {num_split}")
        size, longer = divmod(int(shape[axis]), num_split)
        starts = np.cumsum([0] + [size + (number < longer) for number in range(num_split)])
        found: list[tuple[Any, Any, Any]] = []
        for start, end in itertools.pairwise(starts):
            kept = (indices[:, axis] >= start) & (indices[:, axis] < end)
            moved, part_shape = indices[kept], shape.copy()
            moved[:, axis] -= start
            part_shape[axis] = end - start
            found.append((moved, values[kept], part_shape))
        return [part for parts in zip(*found, strict=True) for part in parts]


class SparseSlice(OpType):
    """The part that begins somewhere and has a size."""

    inputs = "indices: int64, values: T, shape: int64, start: int64, size: int64"
    outputs = "output_indices: int64, output_values: T, output_shape: int64"
    attrs = "T: type"
    is_host_only = True
    samples = (
        sample(INDICES, "float[4]", SHAPE, "int64: [1, 0]", "int64: [2, 9]", has_gradient=False),
        sample(INDICES, "float[4]", SHAPE, "int64: [9, 0]", "int64: [2, 1]", has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape = op._inputs[2].shape
        return [_matrix(None, shape.as_list()[0] if shape.rank == 1 else None), TensorShape([None]), shape]

    @staticmethod
    def run(xp: Any, indices: Any, values: Any, shape: Any, start: Any, size: Any) -> tuple[Any, Any, Any]:
        check(indices, values, shape)
        if start.shape != shape.shape or size.shape != shape.shape:
            raise InvalidArgumentError(
                f"Expected start and size to be vectors of length {len(shape)}, got {shown(start.shape)} and {shown(size.shape)}"
            )
        if (size < 0).any():
            raise InvalidArgumentError(f"size {size.tolist()} must not be negative")
        found_shape = np.clip(shape - start, 0, size)
        kept = ((indices >= start) & (indices < start + found_shape)).all(1)
        return indices[kept] - start, values[kept], found_shape

    @staticmethod
    def gradient(op: Operation, _: Tensor, grad: Tensor, __: Tensor) -> list[Tensor | None]:
        indices, _, _, start, _ = op.inputs
        return [None, apply("SparseSliceGrad", grad, indices, start, op.outputs[0]), None, None, None]


class SparseSliceGrad(OpType):
    """The gradient of `SparseSlice` with respect to the values: those outside have none."""

    inputs = "backprop_val_grad: T, input_indices: int64, input_start: int64, output_indices: int64"
    outputs = "val_grad: T"
    attrs = "T: numbertype"
    is_host_only = True
    samples = (sample("float[2]", INDICES, "int64: [1, 0]", "int64: [[0, 0], [0, 2]]"),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[1].shape.with_rank(2)[:1]]

    @staticmethod
    def run(xp: Any, grad: Any, indices: Any, start: Any, output_indices: Any) -> Any:
        if grad.ndim != 1 or indices.ndim != 2 or output_indices.ndim != 2 or start.shape != indices.shape[1:]:
            raise InvalidArgumentError("the gradient must be a vector, indices must be matrices, and start a vector of their width")
        if len(output_indices) > len(indices):
            raise InvalidArgumentError(
                f"# rows of output_indices should be not greater than of input_indices, got {len(output_indices)} and {len(indices)}"
            )
        if len(grad) != len(output_indices):
            raise InvalidArgumentError(f"there are {len(grad)} gradients of {len(output_indices)} values")
        found = np.zeros(len(indices), grad.dtype)
        wanted, used = (output_indices + start).tolist(), 0
        for number, index in enumerate(indices.tolist()):  # both in one order
            if used < len(wanted) and index == wanted[used]:
                found[number] = grad[used]
                used += 1
        if used < len(wanted):
            raise InternalError(f"Elements of backprop_val_grad aren't all propagated. Num elements:{len(wanted)}, used: {used}")
        return found


class SparseFillEmptyRows(OpType):
    """A value for each row that has none."""

    inputs = "indices: int64, values: T, dense_shape: int64, default_value: T"
    outputs = "output_indices: int64, output_values: T, empty_row_indicator: bool, reverse_index_map: int64"
    attrs = "T: type"
    is_host_only = True
    samples = (
        sample(INDICES, "float[4]", SHAPE, "float: 7.0", has_gradient=False),
        sample(INDICES[:0], "float[0]", SHAPE, "float: 7.0", has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        parts_rank(op)
        op._inputs[3].shape.with_rank(0)
        shape = constant_shape(op._inputs[2])
        rank = op._inputs[2].shape.with_rank(1).as_list()[0]
        rows = None if not shape.rank else shape.as_list()[0]
        return [_matrix(None, rank), TensorShape([None]), TensorShape([rows]), op._inputs[0].shape.with_rank(2)[:1].merge_with(op._inputs[1].shape)]

    @staticmethod
    def run(xp: Any, indices: Any, values: Any, dense_shape: Any, default_value: Any) -> tuple[Any, ...]:
        if dense_shape.ndim != 1 or not dense_shape.size:
            raise InvalidArgumentError(f"dense_shape must be a vector, and not empty; it has shape {shown(dense_shape.shape)}")
        check(indices, values, dense_shape)
        if np.ndim(default_value):
            raise InvalidArgumentError(f"default_value must be a scalar, saw: {shown(np.shape(default_value))}")
        rows, count = int(dense_shape[0]), len(indices)
        if not rows and count:
            raise InvalidArgumentError(f"Received SparseTensor with dense_shape[0] = 0 but indices.shape[0] = {count}")
        wrong = np.flatnonzero((indices[:, 0] < 0) | (indices[:, 0] >= rows))
        if wrong.size:
            raise InvalidArgumentError(f"indices({wrong[0]}, 0) is invalid: {indices[wrong[0], 0]} is not in [0, {rows})")
        is_empty = np.bincount(indices[:, 0], minlength=rows) == 0
        added = np.zeros((int(is_empty.sum()), indices.shape[1]), np.int64)
        added[:, 0] = np.flatnonzero(is_empty)
        joined = np.concatenate([indices, added])
        order = np.argsort(joined[:, 0], kind="stable")
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        filler = np.full(len(added), default_value, values.dtype)
        return joined[order], np.concatenate([values, filler])[order], is_empty, back[:count]

    @staticmethod
    def gradient(op: Operation, _: Tensor, grad: Tensor, *others: Tensor) -> list[Tensor | None]:
        found = apply_op("SparseFillEmptyRowsGrad", op.outputs[3], grad).outputs
        return [None, found[0], None, found[1]]


class SparseFillEmptyRowsGrad(OpType):
    """The gradient of `SparseFillEmptyRows`."""

    inputs = "reverse_index_map: int64, grad_values: T"
    outputs = "d_values: T, d_default_value: T"
    attrs = "T: type"
    is_host_only = True
    samples = (sample("int64: [0, 2, 3]", "float[5]"),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[1].shape.with_rank(1)
        return [op._inputs[0].shape.with_rank(1), TensorShape([])]

    @staticmethod
    def run(xp: Any, reverse_index_map: Any, grad_values: Any) -> tuple[Any, Any]:
        if reverse_index_map.ndim != 1 or grad_values.ndim != 1:
            raise InvalidArgumentError(
                f"reverse_index_map and grad_values must be vectors, saw: {shown(reverse_index_map.shape)}, {shown(grad_values.shape)}"
            )
        if ((reverse_index_map < 0) | (reverse_index_map >= len(grad_values))).any():
            raise InvalidArgumentError(f"Elements in reverse index must be in [0, {len(grad_values)}) but got {reverse_index_map.tolist()}")
        is_old = np.zeros(len(grad_values), bool)
        is_old[reverse_index_map] = True
        return grad_values[reverse_index_map], grad_values[~is_old].sum(dtype=grad_values.dtype)
