"""Barriers as Python has them; `barrier_ops` has the operations."""

from __future__ import annotations

from typing import Any, NamedTuple

from gpersist.dtypes import as_dtype
from gpersist.graph import Operation, Tensor, apply, apply_op, constant_value
from gpersist.shapes import TensorShape, as_shape, unknown_shape

__all__: list[str] = []


class BarrierTakeMany(NamedTuple):
    """Tuples that were taken: the numbers of the insertions that they began with, their keys, and their components."""

    indices: Tensor
    keys: Tensor
    values: list[Tensor]


class Barrier:
    """Tuples of tensors by key, whose components come one by one (TensorFlow's `data_flow_ops.Barrier`).

    Args:
        types: of the components.
        shapes: of the components; by default any.
        shared_name: by which other graphs' barriers of a session are the same.
        name: of the node.

    Raises:
        ValueError: a shape has no elements.
    """

    def __init__(self, types: Any, shapes: Any = None, shared_name: str | None = None, name: str = "barrier") -> None:
        self._types = [as_dtype(dtype) for dtype in (types if isinstance(types, (list, tuple)) else [types])]
        self._shapes = [unknown_shape()] * len(self._types)
        if shapes is not None:
            given = shapes if isinstance(shapes, (list, tuple)) and shapes and isinstance(shapes[0], (list, tuple, TensorShape)) else [shapes]
            self._shapes = [as_shape(shape) for shape in given]
        for index, shape in enumerate(self._shapes):
            if shape.num_elements() == 0:
                raise ValueError(f"Empty tensors are not supported, but received shape '{shape}' at index {index}")
        self._barrier_ref = apply("Barrier", component_types=self._types, shapes=self._shapes, shared_name=shared_name or "", name=name)
        self._name = self._barrier_ref.op.name.split("/")[-1]

    @property
    def barrier_ref(self) -> Tensor:
        """The handle."""
        return self._barrier_ref

    @property
    def name(self) -> str:
        """The name of the node."""
        return self._barrier_ref.op.name

    def insert_many(self, component_index: int, keys: Any, values: Any, name: str | None = None) -> Operation:
        """An operation that sets a component of the tuples of keys."""
        name = name or f"{self._name}_BarrierInsertMany"
        return apply_op("BarrierInsertMany", self._barrier_ref, keys, values, component_index=component_index, name=name)

    def take_many(self, num_elements: Any, allow_small_batch: bool = False, timeout: int | None = None, name: str | None = None) -> Any:
        """So many tuples that have all their components, as (indices, keys, list of the components), each with an axis in front."""
        op = apply_op(
            "BarrierTakeMany",
            self._barrier_ref,
            num_elements,
            component_types=self._types,
            allow_small_batch=allow_small_batch,
            timeout_ms=timeout,
            name=name or f"{self._name}_BarrierTakeMany",
        )
        count = None if allow_small_batch else constant_value(op.inputs[1])
        rows = TensorShape([None if count is None else int(count)])
        indices, keys, *values = op.outputs
        indices.set_shape(rows)
        keys.set_shape(rows)
        for value, shape in zip(values, self._shapes, strict=False):
            value.set_shape(rows.concatenate(shape))
        return BarrierTakeMany(indices, keys, list(values))

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> Operation:
        """An operation that has it take no more keys; with `cancel_pending_enqueues` nothing more for those that it has."""
        name = name or f"{self._name}_BarrierClose"
        return apply_op("BarrierClose", self._barrier_ref, cancel_pending_enqueues=cancel_pending_enqueues, name=name)

    def ready_size(self, name: str | None = None) -> Tensor:
        """How many tuples have all their components."""
        return apply("BarrierReadySize", self._barrier_ref, name=name or f"{self._name}_BarrierReadySize")

    def incomplete_size(self, name: str | None = None) -> Tensor:
        """How many tuples have not."""
        return apply("BarrierIncompleteSize", self._barrier_ref, name=name or f"{self._name}_BarrierIncompleteSize")
