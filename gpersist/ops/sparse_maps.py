"""Sparse tensors that a session keeps by numbers, so that queues, which hold dense tensors alone, can hand them on."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import numpy as np

from gpersist.dtypes import DType, from_numpy
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Context, Operation, SessionOpType, Tensor, apply, apply_op
from gpersist.ops.kernels import shown
from gpersist.ops.sparse_products import check_places
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.shapes import TensorShape

__all__: list[str] = []

_Parts = tuple[Any, Any, Any]


class _Map:
    """Sparse tensors by number."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._kept: dict[int, _Parts] = {}

    def add(self, parts: _Parts) -> int:
        """Keeps one, and gives its number."""
        with self._lock:
            number = next(self._numbers)
            self._kept[number] = parts
            return number

    def take(self, number: int, name: str) -> _Parts:
        """Gives one up."""
        with self._lock:
            found = self._kept.pop(number, None)
        if found is None:
            raise InvalidArgumentError(f"Unable to find SparseTensor: {number} in map: {name}")
        return found


def _name(ctx: Context) -> str:
    shared: bytes = ctx.op.attr("shared_name")
    return shared.decode() or ctx.op.name


def _map(ctx: Context) -> _Map:
    key = "sparse tensors", ctx.op.attr("container"), _name(ctx)
    found: _Map = ctx.session.resources.setdefault(key, _Map())
    return found


def _checked(indices: Any, values: Any, shape: Any) -> None:
    if indices.ndim != 2:
        raise InvalidArgumentError(f"Input indices should be a matrix but received shape {shown(indices.shape)}")
    for value, what in ((values, "values"), (shape, "shape")):
        if value.ndim != 1:
            raise InvalidArgumentError(f"Input {what} should be a vector but received shape {shown(value.shape)}")
    if len(indices) != len(values):
        raise InvalidArgumentError(f"indices and values rows (indexing dimension) must match. (indices = {len(indices)}, values = {len(values)})")
    if indices.shape[1] != len(shape):
        raise InvalidArgumentError("Order length must be SparseTensor rank.")
    for size in shape.tolist():
        if size < 0:
            raise InvalidArgumentError(f"Dimension {size} must be >= 0")


class _Adding(SessionOpType, abstract=True):
    """Keeps sparse tensors."""

    inputs = "sparse_indices: int64, sparse_values: T, sparse_shape: int64"
    attrs = "T: type, container: string = '', shared_name: string = ''"
    is_stateful = True
    is_host_only = True

    @staticmethod
    def check_shapes(op: Operation) -> None:
        """Holds that the parts are of the ranks of a sparse tensor's."""
        for tensor, rank in zip(op._inputs, (2, 1, 1), strict=True):
            tensor.shape.with_rank(rank)


class AddSparseToTensorsMap(_Adding):
    """Keeps a sparse tensor, and gives its number."""

    outputs = "sparse_handle: int64"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _Adding.check_shapes(op)
        return [TensorShape([])]

    @staticmethod
    def run(ctx: Context, indices: Any, values: Any, shape: Any) -> Any:
        _checked(indices, values, shape)
        return np.int64(_map(ctx).add((indices.copy(), values.copy(), shape.copy())))


class AddManySparseToTensorsMap(_Adding):
    """Keeps the parts of a sparse tensor along its first axis, and gives their numbers."""

    outputs = "sparse_handles: int64"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _Adding.check_shapes(op)
        return [TensorShape([None])]

    @staticmethod
    def run(ctx: Context, indices: Any, values: Any, shape: Any) -> Any:
        _checked(indices, values, shape)
        if len(shape) < 2:
            raise InvalidArgumentError(f"Rank of input SparseTensor should be > 1, but saw rank: {len(shape)}")
        check_places(indices, tuple(shape.tolist()), True)
        kept, ends = _map(ctx), np.searchsorted(indices[:, 0], np.arange(int(shape[0]) + 1))
        numbers = [
            kept.add((indices[start:end, 1:].copy(), values[start:end].copy(), shape[1:].copy())) for start, end in itertools.pairwise(ends.tolist())
        ]
        return np.array(numbers, np.int64)


class TakeManySparseFromTensorsMap(SessionOpType):
    """Gives sparse tensors up by their numbers, as one with another axis in front."""

    inputs = "sparse_handles: int64"
    outputs = "sparse_indices: int64, sparse_values: dtype, sparse_shape: int64"
    attrs = "dtype: type, container: string = '', shared_name: string = ''"
    is_stateful = True
    is_host_only = True
    vectors = ("sparse_handles",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(1)
        return [TensorShape([None, None]), TensorShape([None]), TensorShape([None])]

    @staticmethod
    def run(ctx: Context, handles: Any, *, dtype: DType) -> tuple[Any, Any, Any]:
        if handles.ndim != 1:
            raise InvalidArgumentError(f"sparse_handles should be a vector but received shape {shown(handles.shape)}")
        if not len(handles):
            raise InvalidArgumentError("Must have at least 1 serialized SparseTensor, but input matrix has 0 rows")
        kept, name = _map(ctx), _name(ctx)
        taken = [kept.take(number, name) for number in handles.tolist()]
        rank, tables, parts = len(taken[0][2]), [], []
        for number, (indices, values, shape) in enumerate(taken):
            found = "string" if values.dtype == object else from_numpy(values.dtype).name
            if found != dtype.name:
                raise InvalidArgumentError(
                    f"Requested SparseTensor of type {_type_name(dtype.name)} but SparseTensor[{number}].values.dtype() == {_type_name(found)}"
                )
            if len(shape) != rank:
                raise InvalidArgumentError(
                    f"Inconsistent rank across SparseTensors: rank prior to SparseTensor[{number}] was: {rank} but rank of SparseTensor[{number}] "
                    f"is: {len(shape) + 1}"
                )
            tables.append(np.concatenate([np.full((len(indices), 1), number, np.int64), indices], 1))
            parts.append(values)
        largest = np.max([shape for *_, shape in taken], 0) if rank else []
        return np.concatenate(tables), np.concatenate(parts), np.array([len(taken), *largest], np.int64)


def _type_name(name: str) -> str:
    return {"float32": "float", "float64": "double", "float16": "half"}.get(name, name)


def add_sparse(value: SparseTensor, *, is_many: bool, shared_name: str | None) -> Tensor:
    """The number by which a sparse tensor is kept; with `is_many` those of its parts along the first axis.

    Args:
        value: what to keep.
        is_many: whether it is several.
        shared_name: of the map; by default the name of the new node.
    """
    op_type = "AddManySparseToTensorsMap" if is_many else "AddSparseToTensorsMap"
    return apply(op_type, value.indices, value.values, value.dense_shape, shared_name=shared_name)


def take_sparse(map_op: Operation, handles: Tensor, rank: int | None) -> SparseTensor:
    """The sparse tensors that are kept by some numbers, as one.

    Args:
        map_op: the node that adds to the map.
        handles: int64[n].
        rank: of the result, where it is known.
    """
    container, shared = map_op.attr("container"), map_op.attr("shared_name") or map_op.name
    op = apply_op("TakeManySparseFromTensorsMap", handles, dtype=map_op.attr("T"), container=container, shared_name=shared)
    indices, values, shape = op.outputs
    indices.set_shape([None, rank])
    shape.set_shape([rank])
    return SparseTensor(indices, values, shape)
