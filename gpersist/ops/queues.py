"""Queues of tensors as Python has them; `queue_ops` has the operations."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from gpersist.dtypes import DType, as_dtype
from gpersist.graph import Operation, Tensor, apply, apply_op, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops import queue_ops as _queue_ops  # noqa: F401  # the operations
from gpersist.ops.random_seed import get_seed
from gpersist.shapes import TensorShape, as_shape, unknown_shape

__all__ = ["FIFOQueue", "PaddingFIFOQueue", "PriorityQueue", "QueueBase", "RandomShuffleQueue"]


class QueueBase:
    """A queue (`tf.QueueBase`): made by its subclasses."""

    def __init__(self, dtypes: Sequence[Any], shapes: Sequence[TensorShape] | None, names: Sequence[str] | None, queue_ref: Tensor) -> None:
        self._dtypes = [as_dtype(dtype) for dtype in dtypes]
        self._shapes = [unknown_shape()] * len(self._dtypes) if shapes is None else [as_shape(shape) for shape in shapes]
        self._names = names
        self._queue_ref = queue_ref
        self._name = queue_ref.op.name.split("/")[-1]

    @property
    def queue_ref(self) -> Tensor:
        """The handle."""
        return self._queue_ref

    @property
    def name(self) -> str:
        """The name of the node."""
        return self._queue_ref.op.name

    @property
    def dtypes(self) -> list[DType]:
        """The types of the components."""
        return self._dtypes

    @property
    def shapes(self) -> list[TensorShape]:
        """The shapes of the components."""
        return self._shapes

    @property
    def names(self) -> Sequence[str] | None:
        """The names of the components."""
        return self._names

    def enqueue(self, vals: Any, name: str | None = None) -> Operation:
        """An operation that adds an element: a tensor, a list of the components, or a dict of them by name."""
        with name_scope(name, f"{self._name}_enqueue") as scope:
            values = self._tensors(vals)
            for tensor, shape in zip(values, self._shapes, strict=False):
                tensor.shape.assert_is_compatible_with(shape)
            return apply_op("QueueEnqueueV2", self._queue_ref, values, name=scope)

    def enqueue_many(self, vals: Any, name: str | None = None) -> Operation:
        """An operation that adds an element for each row of the components."""
        with name_scope(name, f"{self._name}_EnqueueMany") as scope:
            values = self._tensors(vals)
            rows = TensorShape([None])
            for tensor, shape in zip(values, self._shapes, strict=False):
                found = tensor.shape.with_rank_at_least(1)
                if found.rank is not None and rows.as_list()[0] is not None and found.as_list()[0] not in (None, rows.as_list()[0]):
                    raise ValueError(f"Dimensions {rows.as_list()[0]} and {found.as_list()[0]} are not compatible")
                rows = rows.merge_with(found[:1]) if found.rank is not None else rows
                found[1:].assert_is_compatible_with(shape)
            return apply_op("QueueEnqueueManyV2", self._queue_ref, values, name=scope)

    def dequeue(self, name: str | None = None) -> Any:
        """The components of an element, which it takes out."""
        op = apply_op("QueueDequeueV2", self._queue_ref, component_types=self._dtypes, name=name or f"{self._name}_Dequeue")
        for tensor, shape in zip(op.outputs, self._shapes, strict=True):
            tensor.set_shape(shape)
        return self._given(op.outputs)

    def dequeue_many(self, n: Any, name: str | None = None) -> Any:
        """The components of `n` elements, stacked."""
        return self._stacked("QueueDequeueManyV2", n, name or f"{self._name}_DequeueMany")

    def dequeue_up_to(self, n: Any, name: str | None = None) -> Any:
        """The same, of a closed queue as many as there are."""
        return self._stacked("QueueDequeueUpToV2", n, name or f"{self._name}_DequeueUpTo")

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> Operation:
        """An operation that has it take no more elements."""
        return apply_op("QueueCloseV2", self._queue_ref, cancel_pending_enqueues=cancel_pending_enqueues, name=name or f"{self._name}_Close")

    def is_closed(self, name: str | None = None) -> Tensor:
        """Whether it has been closed."""
        return apply("QueueIsClosedV2", self._queue_ref, name=name or f"{self._name}_Is_Closed")

    def size(self, name: str | None = None) -> Tensor:
        """How many elements there are."""
        return apply("QueueSizeV2", self._queue_ref, name=name or f"{self._name}_Size")

    def _stacked(self, op_name: str, n: Any, name: str) -> Any:
        op = apply_op(op_name, self._queue_ref, n, component_types=self._dtypes, name=name)
        count = int(n) if isinstance(n, int) and op_name == "QueueDequeueManyV2" else None
        for tensor, shape in zip(op.outputs, self._shapes, strict=True):
            tensor.set_shape(TensorShape([count]).concatenate(shape))
        return self._given(op.outputs)

    def _tensors(self, vals: Any) -> list[Tensor]:
        if isinstance(vals, dict):
            if not self._names:
                raise ValueError("Queue must have names to enqueue a dictionary")
            if sorted(self._names) != sorted(vals):
                raise ValueError(
                    f"Keys in dictionary to enqueue do not match names of Queue.  Dictionary: {sorted(vals)},Queue: {sorted(self._names)}"
                )
            vals = [vals[name] for name in self._names]
        elif self._names:
            raise ValueError("You must enqueue a dictionary in a Queue with names")
        values = list(vals) if isinstance(vals, (list, tuple)) else [vals]
        return [convert_to_tensor(value, dtype, f"component_{index}") for index, (value, dtype) in enumerate(zip(values, self._dtypes, strict=False))]

    def _given(self, outputs: Sequence[Tensor]) -> Any:
        if self._names:
            return dict(zip(self._names, outputs, strict=True))
        return outputs[0] if len(outputs) == 1 else list(outputs)


def _listed(dtypes: Any, shapes: Any, names: Any) -> tuple[list[DType], list[TensorShape] | None, Any]:
    types = [as_dtype(dtype) for dtype in (dtypes if isinstance(dtypes, (list, tuple)) else [dtypes])]
    if shapes is not None:
        shapes = [shapes] if not isinstance(shapes, list) or (shapes and not isinstance(shapes[0], (list, tuple, TensorShape))) else shapes
        shapes = [as_shape(shape) for shape in shapes]
        if len(shapes) != len(types):
            raise ValueError(f"Queue shapes must have the same length as dtypes, received len(shapes)={len(shapes)}, len(dtypes)={len(types)}")
    if names is not None:
        names = list(names) if isinstance(names, (list, tuple)) else [names]
        if len(names) != len(types):
            counts = f"len(names)={len(names)},len(dtypes)={len(types)}"
            raise ValueError(f"List of names must have the same length as the list of dtypes, received {counts}")
    return types, shapes, names


def _check_defined(shapes: Sequence[TensorShape] | None) -> None:
    if any(not shape.is_fully_defined() for shape in shapes or ()):
        raise ValueError(f"All shapes must be fully defined: {shapes}")


class FIFOQueue(QueueBase):
    """A queue that gives elements in the order in which they came (`tf.FIFOQueue`).

    Args:
        capacity: how many elements it holds; more wait.
        dtypes: of the components.
        shapes: of the components, where they are always the same.
        names: of the components; elements are then dicts.
        shared_name: by which other graphs' queues of a session are the same.
        name: of the node.
    """

    _op_name = "FIFOQueueV2"
    _device: str | None = "CPU"

    def __init__(
        self, capacity: int, dtypes: Any, shapes: Any = None, names: Any = None, shared_name: str | None = None, name: str = "fifo_queue"
    ) -> None:
        types, known, component_names = _listed(dtypes, shapes, names)
        if self._op_name == "FIFOQueueV2":
            _check_defined(known)
        attrs = {"component_types": types, "shapes": known or [], "capacity": capacity, "shared_name": shared_name or ""}
        with nullcontext() if self._device is None else get_default_graph().device(self._device):
            handle = apply(self._op_name, name=name, **attrs)
        super().__init__(types, known, component_names, handle)


class PaddingFIFOQueue(FIFOQueue):
    """The same, of elements whose shapes have unknown dimensions, filled up with zeros where several are taken (`tf.PaddingFIFOQueue`)."""

    _op_name = "PaddingFIFOQueueV2"
    _device = None

    def __init__(
        self, capacity: int, dtypes: Any, shapes: Any, names: Any = None, shared_name: str | None = None, name: str = "padding_fifo_queue"
    ) -> None:
        if isinstance(shapes, list) and any(shape is None for shape in shapes):
            raise ValueError("When providing partial shapes, a list of shapes must be provided.")
        super().__init__(capacity, dtypes, shapes, names, shared_name, name)


class RandomShuffleQueue(QueueBase):
    """A queue that gives elements in no order (`tf.RandomShuffleQueue`); `min_after_dequeue` stay in it until it is closed."""

    def __init__(
        self,
        capacity: int,
        min_after_dequeue: int,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        seed: int | None = None,
        shared_name: str | None = None,
        name: str = "random_shuffle_queue",
    ) -> None:
        types, known, component_names = _listed(dtypes, shapes, names)
        _check_defined(known)
        first, second = get_seed(seed)
        handle = apply(
            "RandomShuffleQueueV2",
            component_types=types,
            shapes=known or [],
            capacity=capacity,
            min_after_dequeue=min_after_dequeue,
            seed=first or 0,
            seed2=second or 0,
            shared_name=shared_name or "",
            name=name,
        )
        super().__init__(types, known, component_names, handle)


class PriorityQueue(QueueBase):
    """A queue that gives the element first whose first component, an int64, is smallest (`tf.PriorityQueue`)."""

    def __init__(
        self, capacity: int, types: Any, shapes: Any = None, names: Any = None, shared_name: str | None = None, name: str = "priority_queue"
    ) -> None:
        found, known, component_names = _listed(types, shapes, names)
        _check_defined(known)
        handle = apply("PriorityQueueV2", component_types=found, shapes=known or [], capacity=capacity, shared_name=shared_name or "", name=name)
        super().__init__([as_dtype("int64"), *found], None if known is None else [TensorShape([]), *known], component_names, handle)
