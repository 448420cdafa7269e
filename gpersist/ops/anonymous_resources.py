"""What belongs to no name: tables, seeds and iterators that go with the run that made them, and what fills a table from a dataset."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Context, Operation, SessionOpType
from gpersist.ops import shape_functions
from gpersist.ops.dataset_values import DatasetValue, Seeds
from gpersist.ops.kernels import shown
from gpersist.ops.lookup_ops import Table
from gpersist.shapes import TensorShape, as_shape

__all__: list[str] = []


class _AnonymousTable(SessionOpType, abstract=True):
    """A table that entries can be added to, a new one in each run."""

    outputs = "table_handle: resource"
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, *reserved: Any) -> Table:
        op = ctx.op
        shape = as_shape(op.attr("value_shape")) if op.has_attr("value_shape") else TensorShape([])
        sizes = tuple(size or 0 for size in shape.as_list())
        return Table(op.attr("key_dtype"), op.attr("value_dtype"), sizes, is_mutable=True, reserved=[np.asarray(key).item() for key in reserved])

    @staticmethod
    def gradient(op: Operation, *grads: Any) -> list[None]:
        return [None for _ in op.inputs]


class AnonymousMutableHashTable(_AnonymousTable):
    """A table that entries can be added to."""

    attrs = "key_dtype: type, value_dtype: type"


class AnonymousMutableHashTableOfTensors(_AnonymousTable):
    """A table of tensors that entries can be added to."""

    attrs = "key_dtype: type, value_dtype: type, value_shape: shape = []"


class AnonymousMutableDenseHashTable(_AnonymousTable):
    """A table that entries can be added to, with two keys that can be none."""

    inputs = "empty_key: key_dtype, deleted_key: key_dtype"
    attrs = (
        "key_dtype: type, value_dtype: type, value_shape: shape = [], initial_num_buckets: int = 131072, max_load_factor: float = 0.800000011920929"
    )

    @staticmethod
    def run(ctx: Context, *reserved: Any) -> Table:
        if np.array_equal(*reserved):
            raise InvalidArgumentError("Empty and deleted keys cannot be equal")
        return _AnonymousTable.run(ctx, *reserved)


class InitializeTableFromDataset(SessionOpType):
    """Fills a table with the elements of a dataset, each a key and a value."""

    inputs = "table_handle: resource, dataset: variant"
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(shape_functions.none)

    @staticmethod
    def run(ctx: Context, table: Table, dataset: DatasetValue) -> None:
        table.initialize(_pair(table, element) for element in dataset)


def _pair(table: Table, element: Any) -> tuple[Any, Any]:
    if len(element) != 2:
        raise InvalidArgumentError(f"A dataset that fills a table has elements of a key and a value; this one has {len(element)} components")
    found = []
    for value, dtype, what in zip(element, (table.key_dtype, table.value_dtype), ("key", "value"), strict=True):
        array = np.asarray(value, object) if isinstance(value, bytes) else np.asarray(value)
        if array.ndim:
            raise InvalidArgumentError(f"A {what} of a table is a scalar; the dataset gives one of shape {shown(array.shape)}")
        if array.dtype != (np.dtype(object) if dtype.is_string else dtype.numpy):
            raise InvalidArgumentError(f"The table has {what}s of {dtype.name}; the dataset gives {array.dtype.name}")
        found.append(array.item())
    return found[0], found[1]


class _Anonymous(SessionOpType, abstract=True):
    """Makes something, and what deletes it."""

    outputs = "handle: resource, deleter: variant"
    is_stateful = True
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [TensorShape([]), TensorShape([])]


class AnonymousSeedGenerator(_Anonymous):
    """The seeds of a dataset's iterators."""

    inputs = "seed: int64, seed2: int64, reshuffle: bool"
    scalars = ("seed", "seed2", "reshuffle")

    @staticmethod
    def run(ctx: Context, seed: Any, seed2: Any, reshuffle: Any) -> tuple[Seeds, str]:
        return Seeds(int(seed), int(seed2), bool(reshuffle)), ctx.op.name


class AnonymousRandomSeedGenerator(_Anonymous):
    """The seeds of a dataset's iterators, others for each."""

    inputs = "seed: int64, seed2: int64"
    scalars = ("seed", "seed2")

    @staticmethod
    def run(ctx: Context, seed: Any, seed2: Any) -> tuple[Seeds, str]:
        return Seeds(int(seed), int(seed2), True), ctx.op.name


class _Deleting(SessionOpType, abstract=True):
    """Deletes what goes by itself, with the last who knows of it."""

    inputs = "handle: resource, deleter: variant"
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(shape_functions.none)

    @staticmethod
    def run(ctx: Context, handle: Any, deleter: Any) -> None:
        return None


for _name in ("DeleteIterator", "DeleteRandomSeedGenerator", "DeleteSeedGenerator"):
    type(_name, (_Deleting,), {"__doc__": _Deleting.__doc__, "__module__": __name__})


class IteratorGetDevice(SessionOpType):
    """The device of an iterator."""

    inputs = "resource: resource"
    outputs = "device: string"
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, resource: Any) -> bytes:
        return b"/job:localhost/replica:0/task:0/device:CPU:0"


class IsResourceHandleRefCounting(SessionOpType):
    """Whether a resource lives as long as its handles do."""

    inputs = "handle: resource"
    outputs = "result: bool"
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, handle: Any) -> Any:
        return np.bool_(ctx.op.inputs[0].op.type.startswith("Anonymous"))
