"""Queues filled from a tensor, epoch by epoch: the head of an input pipeline of queues (`tf.train.string_input_producer` and its relatives)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpersist.graph import GraphKeys, Tensor, convert_to_tensor, name_scope
from gpersist.ops.casting import cast
from gpersist.ops.checks import Assert
from gpersist.ops.comparison import greater
from gpersist.ops.constants import constant
from gpersist.ops.control import control_dependencies
from gpersist.ops.file_contents import matching_files
from gpersist.ops.gathering import gather
from gpersist.ops.indexed_slices import convert_to_tensor_or_indexed_slices
from gpersist.ops.passing import identity
from gpersist.ops.queues import FIFOQueue
from gpersist.ops.random import random_shuffle
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import shape_of, size
from gpersist.ops.summary import scalar
from gpersist.ops.variable import Variable
from gpersist.train.queue_runner import QueueRunner, add_queue_runner

__all__ = ["input_producer", "limit_epochs", "match_filenames_once", "range_input_producer", "slice_input_producer", "string_input_producer"]

_NOTHING = "string_input_producer requires a non-null input tensor"


def match_filenames_once(pattern: Any, name: str | None = None) -> Variable:
    """A local variable of the names of files that are there when it is initialised (`tf.train.match_filenames_once`)."""
    with name_scope(name, "matching_filenames", [pattern]) as scope:
        return Variable(
            name=scope, initial_value=matching_files(pattern), trainable=False, validate_shape=False, collections=[GraphKeys.LOCAL_VARIABLES]
        )


def limit_epochs(tensor: Any, num_epochs: int | None = None, name: str | None = None) -> Any:
    """The tensor, `num_epochs` times, then OutOfRangeError (`tf.train.limit_epochs`); counts in the local variable `epochs`.

    Raises:
        ValueError: `num_epochs` is not positive.
    """
    if num_epochs is None:
        return tensor
    if num_epochs <= 0:
        raise ValueError(f"num_epochs must be > 0 not {num_epochs}.")
    with name_scope(name, "limit_epochs", [tensor]) as scope:
        epochs = Variable(constant(0, dtype="int64"), name="epochs", trainable=False, collections=[GraphKeys.LOCAL_VARIABLES])
        with control_dependencies([epochs.count_up_to(num_epochs)]):
            return identity(tensor, name=scope)


def input_producer(
    input_tensor: Any,
    element_shape: Any = None,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    summary_name: str | None = None,
    name: str | None = None,
    cancel_op: Any = None,
) -> FIFOQueue:
    """A queue of a tensor's rows, and a queue runner that fills it (`tf.train.input_producer`).

    Args:
        input_tensor: the rows.
        element_shape: of one, where the tensor's shape does not say.
        num_epochs: how often they go in, by default for ever; needs local variables initialised.
        shuffle: whether each epoch has an order of its own.
        seed: of that.
        capacity: of the queue.
        shared_name: of the queue.
        summary_name: of a summary of how full it is.
        name: of the scope.
        cancel_op: of the queue runner.

    Raises:
        ValueError: the shape of a row is not known.
    """
    with name_scope(name, "input_producer", [input_tensor]):
        rows = convert_to_tensor(input_tensor, name="input_tensor")
        shape = rows.shape[1:].merge_with(element_shape)
        if not shape.is_fully_defined():
            raise ValueError("Either `input_tensor` must have a fully defined shape or `element_shape` must be specified")
        if shuffle:
            rows = random_shuffle(rows, seed=seed)
        rows = limit_epochs(rows, num_epochs)
        queue = FIFOQueue(capacity=capacity, dtypes=[rows.dtype.base_dtype], shapes=[shape], shared_name=shared_name, name=name)  # type: ignore[arg-type]
        add_queue_runner(QueueRunner(queue, [queue.enqueue_many([rows])], cancel_op=cancel_op))
        if summary_name is not None:
            scalar(summary_name, cast(queue.size(), "float32") * (1.0 / capacity))
        return queue


def string_input_producer(
    string_tensor: Any,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
    cancel_op: Any = None,
) -> FIFOQueue:
    """A queue of texts, such as files' names (`tf.train.string_input_producer`); arguments as of `input_producer`.

    Raises:
        ValueError: there are none.
    """
    if not isinstance(string_tensor, Tensor) and not string_tensor:
        raise ValueError(_NOTHING)
    with name_scope(name, "input_producer", [string_tensor]) as scope:
        texts = convert_to_tensor(string_tensor, dtype="string")
        with control_dependencies([Assert(greater(size(texts), 0), [_NOTHING])]):
            texts = identity(texts)
        return input_producer(texts, [], num_epochs, shuffle, seed, capacity, shared_name, f"fraction_of_{capacity}_full", scope, cancel_op)


def range_input_producer(
    limit: Any,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
) -> FIFOQueue:
    """A queue of the integers below a limit (`tf.train.range_input_producer`); arguments as of `input_producer`."""
    with name_scope(name, "input_producer", [limit]) as scope:
        return input_producer(number_range(limit), [], num_epochs, shuffle, seed, capacity, shared_name, f"fraction_of_{capacity}_full", scope)


def slice_input_producer(
    tensor_list: Sequence[Any],
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
) -> list[Tensor]:
    """A row of each of several tensors, another one each time (`tf.train.slice_input_producer`); arguments as of `input_producer`.

    Raises:
        ValueError: there are no tensors.
    """
    with name_scope(name, "input_producer", tensor_list):
        tensors = [convert_to_tensor_or_indexed_slices(each) for each in tensor_list]
        if not tensors:
            raise ValueError("Expected at least one tensor in slice_input_producer().")
        index = range_input_producer(shape_of(tensors[0])[0], num_epochs, shuffle, seed, capacity, shared_name).dequeue()
        return [gather(each, index) for each in tensors]
