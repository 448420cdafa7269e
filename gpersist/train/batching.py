"""Batches of what single runs give, through a queue that threads fill (`tf.train.batch`, `tf.train.shuffle_batch` and their relatives)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gpersist.graph import Operation, Tensor, constant_value, convert_to_tensor, name_scope
from gpersist.ops.arithmetic import maximum
from gpersist.ops.casting import cast
from gpersist.ops.constants import constant
from gpersist.ops.control import no_op, with_dependencies
from gpersist.ops.control_flow import cond
from gpersist.ops.filling import fill, ones
from gpersist.ops.gathering import gather
from gpersist.ops.indexed_slices import convert_to_tensor_or_indexed_slices
from gpersist.ops.partitioning import dynamic_partition
from gpersist.ops.queues import FIFOQueue, PaddingFIFOQueue, QueueBase, RandomShuffleQueue
from gpersist.ops.shaping import expand_dims, squeeze
from gpersist.ops.sparse_arranging import sparse_retain
from gpersist.ops.sparse_maps import add_sparse, take_sparse
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.ops.summary import scalar
from gpersist.shapes import as_shape
from gpersist.train.queue_runner import QueueRunner, add_queue_runner

__all__ = [
    "batch",
    "batch_join",
    "maybe_batch",
    "maybe_batch_join",
    "maybe_shuffle_batch",
    "maybe_shuffle_batch_join",
    "shuffle_batch",
    "shuffle_batch_join",
]


def batch(
    tensors: Any,
    batch_size: Any,
    num_threads: int = 1,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """Batches of tensors (`tf.train.batch`), through a queue that `start_queue_runners` has threads fill.

    Args:
        tensors: a list or dict of them: what each run gives.
        batch_size: how many make a batch.
        num_threads: how many threads run them.
        capacity: of the queue.
        enqueue_many: whether each run gives many, along the first axis.
        shapes: of one; by default those of the tensors.
        dynamic_pad: whether shapes may differ: what is smaller is filled up with zeros.
        allow_smaller_final_batch: whether the last one may have less; else what is left is lost.
        shared_name: of the queue.
        name: of the scope.

    Returns:
        A tensor, a list or a dict, as `tensors` is; each with an axis more in front.

    Raises:
        ValueError: shapes that are not known, or no tensors.
    """
    made = _queue_of(PaddingFIFOQueue if dynamic_pad else FIFOQueue)
    return _batch("batch", tensors, batch_size, True, num_threads, capacity, enqueue_many, shapes, allow_smaller_final_batch, shared_name, name, made)


def maybe_batch(
    tensors: Any,
    keep_input: Any,
    batch_size: Any,
    num_threads: int = 1,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`batch` of those runs, or rows, for which `keep_input` is true (`tf.train.maybe_batch`)."""
    made = _queue_of(PaddingFIFOQueue if dynamic_pad else FIFOQueue)
    return _batch(
        "batch", tensors, batch_size, keep_input, num_threads, capacity, enqueue_many, shapes, allow_smaller_final_batch, shared_name, name, made
    )


def batch_join(
    tensors_list: Sequence[Any],
    batch_size: Any,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`batch` of several sets of tensors, each with a thread of its own (`tf.train.batch_join`)."""
    return maybe_batch_join(tensors_list, True, batch_size, capacity, enqueue_many, shapes, dynamic_pad, allow_smaller_final_batch, shared_name, name)


def maybe_batch_join(
    tensors_list: Sequence[Any],
    keep_input: Any,
    batch_size: Any,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`batch_join` of what `keep_input` is true for (`tf.train.maybe_batch_join`)."""
    made = _queue_of(PaddingFIFOQueue if dynamic_pad else FIFOQueue)
    return _batch(
        "batch_join", tensors_list, batch_size, keep_input, 0, capacity, enqueue_many, shapes, allow_smaller_final_batch, shared_name, name, made
    )


def shuffle_batch(
    tensors: Any,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    num_threads: int = 1,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`batch` in no order (`tf.train.shuffle_batch`): each is drawn from at least `min_after_dequeue` others.

    Raises:
        ValueError: `capacity` is not more than that.
    """
    return maybe_shuffle_batch(
        tensors, batch_size, capacity, min_after_dequeue, True, num_threads, seed, enqueue_many, shapes, allow_smaller_final_batch, shared_name, name
    )


def maybe_shuffle_batch(
    tensors: Any,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    keep_input: Any,
    num_threads: int = 1,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`shuffle_batch` of what `keep_input` is true for (`tf.train.maybe_shuffle_batch`)."""
    made = _shuffle_queue_of(min_after_dequeue, seed)
    smaller = allow_smaller_final_batch
    return _batch(
        "shuffle_batch",
        tensors,
        batch_size,
        keep_input,
        num_threads,
        capacity,
        enqueue_many,
        shapes,
        smaller,
        shared_name,
        name,
        made,
        min_after_dequeue,
    )


def shuffle_batch_join(
    tensors_list: Sequence[Any],
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`shuffle_batch` of several sets of tensors, each with a thread of its own (`tf.train.shuffle_batch_join`)."""
    return maybe_shuffle_batch_join(
        tensors_list, batch_size, capacity, min_after_dequeue, True, seed, enqueue_many, shapes, allow_smaller_final_batch, shared_name, name
    )


def maybe_shuffle_batch_join(
    tensors_list: Sequence[Any],
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    keep_input: Any,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`shuffle_batch_join` of what `keep_input` is true for (`tf.train.maybe_shuffle_batch_join`)."""
    made = _shuffle_queue_of(min_after_dequeue, seed)
    smaller = allow_smaller_final_batch
    return _batch(
        "shuffle_batch_join",
        tensors_list,
        batch_size,
        keep_input,
        0,
        capacity,
        enqueue_many,
        shapes,
        smaller,
        shared_name,
        name,
        made,
        min_after_dequeue,
    )


_Make = Callable[..., QueueBase]


def _queue_of(kind: type[FIFOQueue]) -> _Make:
    return lambda capacity, dtypes, shapes, shared_name: kind(capacity, dtypes, shapes, shared_name=shared_name)


def _shuffle_queue_of(least: int, seed: int | None) -> _Make:
    return lambda capacity, dtypes, shapes, shared_name: RandomShuffleQueue(capacity, least, dtypes, shapes, seed=seed, shared_name=shared_name)


def _batch(
    what: str,
    tensors: Any,
    batch_size: Any,
    keep_input: Any,
    num_threads: int,
    capacity: int,
    enqueue_many: bool,
    shapes: Any,
    allow_smaller_final_batch: bool,
    shared_name: str | None,
    name: str | None,
    make: _Make,
    least: int | None = None,
) -> Any:
    """What all do; for no threads `tensors` is a list of sets, each of which gets one; `least` is what a queue keeps that shuffles."""
    sets = [_listed(tensors)] if num_threads else _all_listed(tensors)
    with name_scope(name, what, [*(each for one in sets for each in one), keep_input]) as scope:
        if least is not None and capacity <= least and num_threads:
            raise ValueError(f"capacity {capacity} must be bigger than min_after_dequeue {least}.")
        sets = [[_tensor(each) for each in one] for one in sets]
        if not sets[0]:
            raise ValueError("Expected at least one tensor in batch().")
        keep = _checked(keep_input, enqueue_many)
        sets, stored = _with_stored(sets, keep, enqueue_many)
        queue = make(capacity, _dtypes(sets), _shapes(sets, shapes, enqueue_many), shared_name)
        if num_threads:
            fillers = [_filler(queue, sets[0], keep, enqueue_many)] * num_threads
        else:
            fillers = [_filler(queue, one, keep, enqueue_many) for one in sets]
        add_queue_runner(QueueRunner(queue, fillers))
        if least is None:
            scalar(f"fraction_of_{capacity}_full", cast(queue.size(), "float32") * (1.0 / capacity))
        else:
            full = cast(maximum(0, queue.size() - least), "float32") * (1.0 / (capacity - least))
            scalar(f"fraction_over_{least}_of_{capacity - least}_full", full)
        taken = (queue.dequeue_up_to if allow_smaller_final_batch else queue.dequeue_many)(batch_size, name=scope)
        taken = _restored(taken, stored)
        original = tensors if num_threads else tensors[0]
        if not isinstance(original, dict):
            return taken
        return dict(zip(sorted(original, key=str), [taken] if len(original) == 1 else taken, strict=True))


def _listed(tensors: Any) -> list[Any]:
    return [tensors[key] for key in sorted(tensors, key=str)] if isinstance(tensors, dict) else list(tensors)


def _all_listed(tensors_list: Sequence[Any]) -> list[list[Any]]:
    if not tensors_list:
        raise ValueError("Expected at least one set of tensors")
    first = tensors_list[0]
    if isinstance(first, dict) and any(set(each) != set(first) for each in tensors_list[1:]):
        raise ValueError("All dictionaries in tensors_list must have the same keys")
    return [_listed(each) for each in tensors_list]


def _tensor(value: Any) -> Any:
    return value if isinstance(value, SparseTensor) else convert_to_tensor_or_indexed_slices(value)


class _Stored(NamedTuple):
    """A sparse tensor that goes through the queue as a number: the node that keeps it, and its rank."""

    op: Operation
    rank: int | None


def _with_stored(sets: list[list[Any]], keep: Tensor, enqueue_many: bool) -> tuple[list[list[Any]], list[_Stored | None]]:
    """The sets with numbers for sparse tensors; and for each column who keeps those."""
    if any([isinstance(each, SparseTensor) for each in one] != [isinstance(each, SparseTensor) for each in sets[0]] for one in sets):
        told = next(one for one in sets if [isinstance(each, SparseTensor) for each in one] != [isinstance(each, SparseTensor) for each in sets[0]])
        raise ValueError(f"Inconsistent SparseTensors list: {sets[0]} vs. {told}")
    stored: list[_Stored | None] = [None] * len(sets[0])
    found = []
    for one in sets:
        row = list(one)
        for place, each in enumerate(one):
            if isinstance(each, SparseTensor):
                known = stored[place]
                numbers = _numbered(each, keep, enqueue_many, None if known is None else known.op.name)
                if known is None:
                    rank = each.dense_shape.shape.with_rank(1).as_list()[0]
                    stored[place] = _Stored(_storing(numbers), rank if rank is None or not enqueue_many else rank - 1)
                row[place] = numbers
        found.append([expand_dims(each, [-1]) if stored[place] else each for place, each in enumerate(row)])
    return found, stored


def _numbered(value: SparseTensor, keep: Tensor, enqueue_many: bool, map_name: str | None) -> Tensor:
    if keep.shape.rank == 1:
        value = sparse_retain(value, gather(keep, value.indices[:, 0]))
        return add_sparse(value, is_many=True, shared_name=map_name)
    known = constant_value(keep)
    if known is None and enqueue_many:  # of what is not kept there are as many numbers, which nobody takes
        numbers: Tensor = cond(
            keep, lambda: add_sparse(value, is_many=True, shared_name=map_name), lambda: ones(value.dense_shape[0:1], "int64") * np.int64(-1)
        )
        numbers.set_shape([None])
        return numbers
    if known is None:
        return cond(keep, lambda: add_sparse(value, is_many=False, shared_name=map_name), lambda: constant(-1, "int64"))  # type: ignore[no-any-return]
    if not known:
        return fill(value.dense_shape[0:1], np.int64(-1)) if enqueue_many else constant(-1, "int64")
    return add_sparse(value, is_many=enqueue_many, shared_name=map_name)


def _storing(numbers: Tensor) -> Operation:
    """The node that keeps what these are numbers of: itself, or in a branch."""
    return next((tensor.op for tensor in numbers.op.inputs if "SparseToTensorsMap" in tensor.op.type), numbers.op)


def _restored(taken: Any, stored: Sequence[_Stored | None]) -> Any:
    """What has been taken from the queue, with sparse tensors for their numbers."""
    if not any(stored):
        return taken
    tensors = list(taken) if isinstance(taken, (list, tuple)) else [taken]
    tensors = [
        each if kept is None else take_sparse(kept.op, squeeze(each, [1]), None if kept.rank is None else kept.rank + 1)
        for each, kept in zip(tensors, stored, strict=True)
    ]
    values = [each.values if isinstance(each, SparseTensor) else each for each in tensors]
    together = [
        SparseTensor(*(with_dependencies(values, part) for part in (each.indices, each.values, each.dense_shape)))
        if isinstance(each, SparseTensor)
        else with_dependencies(values, each)
        for each in tensors
    ]
    return together if isinstance(taken, (list, tuple)) else tensors[0]


def _checked(keep_input: Any, enqueue_many: bool) -> Tensor:
    keep: Tensor = convert_to_tensor(keep_input)
    if keep.shape.rank is None:
        raise ValueError("`keep_input` dimensions must be known at graph construction.")
    if not enqueue_many and keep.shape.rank == 1:
        raise ValueError("`keep_input` cannot be a vector when `enqueue_many=False`.")
    if keep.shape.rank > 1:
        raise ValueError("`keep_input` must be 0 or 1 dimensions.")
    return keep


def _dtypes(sets: Sequence[Sequence[Any]]) -> list[Any]:
    all_types = [[each.dtype for each in one] for one in sets]
    for other in all_types[1:]:
        if other != all_types[0]:
            told = " vs. ".join(", ".join(dtype.name for dtype in types) for types in (all_types[0], other))
            raise TypeError(f"Expected types to be consistent: {told}.")
    return all_types[0]


def _shapes(sets: Sequence[Sequence[Any]], shapes: Any, enqueue_many: bool) -> Any:
    if shapes is not None:
        return shapes
    for one in sets:
        for each in one:
            if each.shape.rank is None:
                raise ValueError(f"Cannot infer Tensor's rank: {each}")
    found = []
    for column in zip(*sets, strict=True):
        merged, *others = [each.shape.with_rank_at_least(1)[1:] if enqueue_many else each.shape for each in column]
        for other in others:
            merged.merge_with(other)
        found.append(as_shape(merged.as_list()))
    return found


def _filler(queue: QueueBase, tensors: list[Any], keep: Tensor, enqueue_many: bool) -> Any:
    """The operation that puts in what one run gives."""
    enqueue = queue.enqueue_many if enqueue_many else queue.enqueue
    if keep.shape.rank == 1:
        which = cast(keep, "int32")
        return enqueue([dynamic_partition(each, which, num_partitions=2)[1] for each in tensors])
    known = constant_value(keep)
    if known is None:
        return cond(keep, lambda: enqueue(tensors), no_op)
    return enqueue(tensors) if known else no_op()
