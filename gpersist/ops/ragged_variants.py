"""Ragged tensors as values of variant tensors: what loops and datasets hand on, whole or row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Context, Operation, SessionOpType, Tensor, apply, constant_shape
from gpersist.ops import shape_functions
from gpersist.ops.kernels import shown
from gpersist.ops.shaping import shape_of
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []


class RaggedValue:
    """A ragged tensor; never changed.

    Args:
        splits: where the rows of each ragged dimension start and end, the outermost first.
        values: what the innermost rows are of.
    """

    __slots__ = ("splits", "values")
    shape = ()  # of one as an element of a list

    def __init__(self, splits: Sequence[Any], values: Any) -> None:
        self.splits, self.values = list(splits), values

    def __len__(self) -> int:
        return len(self.splits[0]) - 1 if self.splits else len(self.values)

    def row(self, place: int) -> RaggedValue:
        """A row by itself, with a ragged dimension less."""
        start, end = int(self.splits[0][place]), int(self.splits[0][place + 1])
        splits = []
        for inner in self.splits[1:]:
            own = inner[start : end + 1]
            splits.append(own - own[:1])
            start, end = int(inner[start]), int(inner[end])
        return RaggedValue(splits, self.values[start:end])

    def zeros_like(self, xp: Any) -> RaggedValue:
        """Zeros in its shape."""
        return RaggedValue(self.splits, xp.zeros_like(self.values))

    def __add__(self, other: RaggedValue) -> RaggedValue:
        """The sums of its values and another one's, of the same shape."""
        return RaggedValue(self.splits, self.values + other.values)


def _elements(encoded: Any) -> list[RaggedValue]:
    """The values of a variant tensor, in order.

    Raises:
        InvalidArgumentError: one is something else.
    """
    found = [encoded] if not isinstance(encoded, np.ndarray) else encoded.reshape(-1).tolist()
    for each in found:
        if not isinstance(each, RaggedValue):
            raise InvalidArgumentError("Input Variant element does not hold a RaggedTensorVariant")
    return found


class RaggedTensorToVariant(SessionOpType):
    """A ragged tensor as one value, or each of its rows as one."""

    inputs = "rt_nested_splits: RAGGED_RANK * Tsplits, rt_dense_values: Tvalues"
    outputs = "encoded_ragged: variant"
    attrs = "RAGGED_RANK: int >= 0, Tvalues: type, Tsplits: {int32, int64} = int64, batched_input: bool"
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        *splits, values = op._inputs
        values.shape.with_rank_at_least(1 if splits else 0)
        for each in splits:
            each.shape.with_rank(1)
        if not op.attr("batched_input"):
            return [shape_functions.SCALAR]
        if splits:
            count = splits[0].shape.as_list()[0] if splits[0].shape.rank is not None else None
            return [TensorShape([None if count is None else count - 1])]
        return [values.shape[:1] if values.shape.rank is not None else TensorShape([None])]

    @staticmethod
    def run(ctx: Context, splits: Sequence[Any], values: Any, *, batched_input: bool) -> Any:
        for each in splits:
            if each.ndim != 1:
                raise InvalidArgumentError(f"All row_splits must be one-dimensional, not of shape {shown(each.shape)}")
            if not len(each):
                raise InvalidArgumentError("Expected the input splits to have at least one element")
        whole = RaggedValue(splits, values)
        if not batched_input:
            return whole
        if not splits and not values.ndim:
            raise InvalidArgumentError("dense_values must have at least 1 dimension when splitting it into rows")
        found = np.empty(len(whole), object)
        for place in range(len(whole)):
            found[place] = whole.row(place) if splits else RaggedValue((), values[place])
        return found

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        values = op.inputs[-1]
        splits: Any = op.inputs[0] if len(op.inputs) > 1 else 0
        how: dict[str, Any] = {"Tvalues": values.dtype} if len(op.inputs) > 1 else {"Tvalues": values.dtype, "Tsplits": "int32"}
        found = apply("RaggedTensorToVariantGradient", grad, splits, shape_of(values), **how)
        return [*[None] * (len(op.inputs) - 1), found]


class RaggedTensorFromVariant(SessionOpType):
    """A ragged tensor from its value, or from those of its parts."""

    inputs = "encoded_ragged: variant"
    outputs = "output_nested_splits: output_ragged_rank * Tsplits, output_dense_values: Tvalues"
    attrs = "input_ragged_rank: int >= -1, output_ragged_rank: int >= 0, Tvalues: type, Tsplits: {int32, int64} = int64"
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        rank, inner, outer = op._inputs[0].shape.rank, op.attr("input_ragged_rank"), op.attr("output_ragged_rank")
        if rank is not None and inner >= 0 and rank + inner != outer:
            raise ValueError(f"Invalid output_ragged_rank: it must be the input's rank and input_ragged_rank together: {rank} + {inner}, not {outer}")
        return [*[TensorShape([None])] * outer, unknown_shape()]

    @staticmethod
    def run(ctx: Context, encoded: Any, *, input_ragged_rank: int, output_ragged_rank: int, Tvalues: DType, Tsplits: DType) -> list[Any]:  # noqa: N803
        outer = np.shape(encoded) if isinstance(encoded, np.ndarray) else ()
        inner = output_ragged_rank - len(outer) if input_ragged_rank == -1 else input_ragged_rank
        if inner < 0:
            raise InvalidArgumentError(f"Inferred input_ragged_rank (output_ragged_rank - encoded_variant.dims()) must be >= 0, found {inner}")
        if output_ragged_rank != len(outer) + inner:
            raise InvalidArgumentError(f"output_ragged_rank must be equal to input_ragged_rank + encoded_ragged.dims(); found {output_ragged_rank}")
        parts = _elements(encoded)
        for part in parts:
            if len(part.splits) != inner:
                raise InvalidArgumentError(f"Encoded input RaggedTensorVariant has ragged_rank={len(part.splits)}.  Expected ragged_rank={inner}.")
            if part.values.dtype != Tvalues.numpy:
                raise InvalidArgumentError(f"Expected values Tensor dtype: {Tvalues.name}, found: {part.values.dtype}")
            if any(each.dtype != Tsplits.numpy for each in part.splits):
                raise InvalidArgumentError(f"Expected row_splits Tensor dtype: {Tsplits.name}, found: {part.splits[0].dtype}")
        if not outer:
            return [*parts[0].splits, parts[0].values]
        splits: list[Any] = []
        count = outer[0]
        for size in outer[1:]:
            splits.append(np.arange(count + 1) * size)
            count *= size
        splits.append(np.cumsum([0, *map(len, parts)]))
        for place in range(inner):
            found, end = [np.zeros(1, np.int64)], 0
            for part in parts:
                found.append(part.splits[place][1:] + end)
                end += int(part.splits[place][-1])
            splits.append(np.concatenate(found))
        for part in parts:
            if part.values.ndim == 0 or part.values.shape[1:] != parts[0].values.shape[1:]:
                raise InvalidArgumentError("All components must have values of one shape, but for the first dimension")
        values = np.concatenate([part.values for part in parts]) if parts else np.zeros(0, Tvalues.numpy)
        return [*(each.astype(Tsplits.numpy) for each in splits), values]

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> Tensor:
        rank = op.inputs[0].shape.rank
        if rank is not None and rank > 1:
            raise ValueError("Unable to compute gradient: RaggedTensorToVariant can currently only generate 0D or 1D output.")
        is_batched = op.attr("output_ragged_rank") > 0 if rank is None else rank == 1
        return apply("RaggedTensorToVariant", list(op.outputs[:-1]), grads[-1], batched_input=is_batched, Tsplits=op.attr("Tsplits"))


class RaggedTensorToVariantGradient(SessionOpType):
    """The gradient of the values that were made one value, or one for each row: zeros for a row that has none."""

    inputs = "encoded_ragged_grad: variant, row_splits: Tsplits, dense_values_shape: int32"
    outputs = "dense_values_grad: Tvalues"
    attrs = "Tvalues: type, Tsplits: {int32, int64} = int64"
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [constant_shape(op._inputs[2])]

    @staticmethod
    def run(ctx: Context, encoded: Any, row_splits: Any, shape: Any, *, Tvalues: DType) -> Any:  # noqa: N803  # TensorFlow's attribute
        sizes = tuple(shape.tolist())
        if not isinstance(encoded, np.ndarray):
            return np.reshape(_elements(encoded)[0].values, sizes)
        values = []
        for place, each in enumerate(encoded.reshape(-1).tolist()):
            if each is None:  # nothing came of this row
                count = int(row_splits[place + 1] - row_splits[place]) if np.ndim(row_splits) else 1
                values.append(np.zeros((count, *sizes[1:]), Tvalues.numpy))
            else:
                values.append(each.values if np.ndim(row_splits) else each.values[None])
        return np.concatenate(values).reshape(sizes) if values else np.zeros(sizes, Tvalues.numpy)
