"""Arrays as a queue that threads fill: its elements come in order, or shuffled, for so many epochs."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gpersist.dtypes import as_dtype, int64
from gpersist.errors import CancelledError, OutOfRangeError
from gpersist.graph import Session, Tensor, name_scope
from gpersist.ops.arithmetic import maximum
from gpersist.ops.casting import cast
from gpersist.ops.constants import placeholder
from gpersist.ops.queues import FIFOQueue, QueueBase, RandomShuffleQueue
from gpersist.ops.summary import scalar
from gpersist.train.queue_runner import QueueRunner, add_queue_runner

_LOG = logging.getLogger("gpersist")
_LEFT_IN_QUEUE = 4
"""A shuffling queue keeps one element of so many."""


def enqueue_arrays(
    arrays: Sequence[np.ndarray[Any, Any]], capacity: int, *, shuffle: bool, num_threads: int, enqueue_size: int, num_epochs: int | None
) -> QueueBase:
    """A queue of elements: the index, and what each array has there. Its threads run in sessions that start queue runners.

    Args:
        arrays: of one length.
        capacity: of the queue.
        shuffle: whether elements come in no order.
        num_threads: how many threads fill it; each goes through all elements.
        enqueue_size: how many elements a thread adds at once.
        num_epochs: how often a thread goes through all; None for ever.
    """
    if num_threads > 1 and num_epochs is not None:
        _LOG.warning("%d threads go through the arrays %d times each: more epochs than may be meant; use one thread", num_threads, num_epochs)
    if num_threads > 1 and not shuffle:
        _LOG.warning("%d threads fill the queue at once: its elements will not be in order; use one thread", num_threads)
    with name_scope("enqueue_input"):
        types = [int64, *(as_dtype(array.dtype) for array in arrays)]
        shapes: list[Any] = [(), *(array.shape[1:] for array in arrays)]
        least = capacity // _LEFT_IN_QUEUE if shuffle else 0
        queue = RandomShuffleQueue(capacity, least, types, shapes) if shuffle else FIFOQueue(capacity, types, shapes)
        feeds = [[placeholder(dtype) for dtype in types] for _ in range(num_threads)]
        ops = [queue.enqueue_many(fed) for fed in feeds]
        batches = [_Batches(arrays, enqueue_size, num_epochs, starts_anywhere=shuffle) for _ in ops]
        add_queue_runner(_FeedingQueueRunner(queue, ops, feeds, batches))
        full = cast(maximum(0, queue.size() - least), "float32") * (1.0 / (capacity - least))
        scalar(f"queue/{queue.name}fraction_over_{least}_of_{capacity - least}_full", full)
    return queue


class _Batches:
    """The batches that a thread adds: indices, and the elements of each array; the last of the last epoch may be smaller."""

    def __init__(self, arrays: Sequence[np.ndarray[Any, Any]], size: int, num_epochs: int | None, *, starts_anywhere: bool) -> None:
        self._arrays, self._size = arrays, size
        self._length = len(arrays[0])
        self._next = random.randrange(self._length) if starts_anywhere else 0
        self._left = None if num_epochs is None else num_epochs * self._length

    def take(self) -> list[Any]:
        """The next batch.

        Raises:
            OutOfRangeError: all epochs are over.
        """
        size = self._size if self._left is None else min(self._size, self._left)
        if not size:
            raise OutOfRangeError("all epochs have been given")
        indices = np.arange(self._next, self._next + size, dtype=np.int64) % self._length
        self._next = (self._next + size) % self._length
        if self._left is not None:
            self._left -= size
        return [indices, *(array[indices] for array in self._arrays)]


class _FeedingQueueRunner(QueueRunner):
    """A queue runner each of whose operations is fed with batches of its own."""

    def __init__(self, queue: QueueBase, enqueue_ops: Sequence[Any], feeds: Sequence[list[Tensor]], batches: Sequence[_Batches]) -> None:
        super().__init__(queue, enqueue_ops, queue_closed_exception_types=(OutOfRangeError, CancelledError))
        self._fed: Mapping[Any, tuple[list[Tensor], _Batches]] = dict(zip(enqueue_ops, zip(feeds, batches, strict=True), strict=True))

    def _enqueuer(self, sess: Session, enqueue_op: Any) -> Callable[[], Any]:
        feeds, batches = self._fed[enqueue_op]
        enqueue = sess.make_callable(enqueue_op, feeds)
        return lambda: enqueue(*batches.take())
