"""Input functions for arrays (`tf.estimator.inputs`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gpersist.estimator.feeding import enqueue_arrays

__all__ = ["numpy_input_fn"]


def numpy_input_fn(
    x: Any,
    y: Any = None,
    batch_size: int = 128,
    num_epochs: int | None = 1,
    shuffle: bool | None = None,
    queue_capacity: int = 1000,
    num_threads: int = 1,
) -> Callable[[], Any]:
    """An input function that gives batches of arrays (`tf.estimator.inputs.numpy_input_fn`).

    Args:
        x: features: an array, or arrays by name, all of one length.
        y: labels: an array, or arrays by name; None without any.
        batch_size: how many elements a batch has; the last may have fewer, unless there is no last.
        num_epochs: how often all elements are given; None for ever.
        shuffle: whether elements come in no order; has to be said.
        queue_capacity: how many elements are kept ready.
        num_threads: how many threads fill the queue; for more than one, shuffle, and let `num_epochs` be None.

    Returns:
        A function that gives features, or features and labels, as tensors.

    Raises:
        ValueError: `shuffle` is no bool; when it is called: arrays that are empty or of several lengths, or a name that both `x` and `y` have.
        TypeError: when it is called: `x` is neither an array nor a dict.
    """
    if not isinstance(shuffle, bool):
        raise ValueError(f"shuffle must be provided and explicitly set as boolean (it is recommended to set it as True for training); got {shuffle}")

    def input_fn() -> Any:
        features, labels = _by_name(x), _labels_by_name(y)
        duplicates = set(features) & set(labels)
        if duplicates:
            raise ValueError(f"{len(duplicates)} duplicate keys are found in both x and y: {duplicates}")
        arrays = [*features.values(), *labels.values()]
        if len({array.shape[0] for array in arrays}) != 1:
            shapes = [{key: array.shape for key, array in found.items()} for found in (features, labels)]
            raise ValueError(
                "Length of tensors in x and y is mismatched. All elements in x and y must have the same length.\n"
                f"Shapes in x: {shapes[0]}\nShapes in y: {shapes[1] or None}\n"
            )
        queue = enqueue_arrays(arrays, queue_capacity, shuffle=shuffle, num_threads=num_threads, enqueue_size=batch_size, num_epochs=num_epochs)
        _, *batch = queue.dequeue_many(batch_size) if num_epochs is None else queue.dequeue_up_to(batch_size)
        given = dict(zip(features, batch, strict=False)) if isinstance(x, Mapping) else batch[0]
        if y is None:
            return given
        return given, dict(zip(labels, batch[len(features) :], strict=True)) if isinstance(y, Mapping) else batch[-1]

    return input_fn


def _by_name(x: Any) -> dict[Any, np.ndarray[Any, Any]]:
    """Features in the order of their names."""
    if isinstance(x, Mapping):
        if not x:
            raise ValueError("x cannot be an empty dict")
        return dict(sorted(x.items()))
    if not isinstance(x, np.ndarray):
        raise TypeError(f"x must be a dict or array; got {type(x).__name__}")
    if not x.size:
        raise ValueError("x cannot be an empty array")
    return {_Alone(): x}


def _labels_by_name(y: Any) -> dict[Any, np.ndarray[Any, Any]]:
    if y is None:
        return {}
    if not isinstance(y, Mapping):
        return {_Alone(): y}
    if not y:
        raise ValueError("y cannot be empty dict, use None instead.")
    return dict(sorted(y.items()))


class _Alone:
    """Stands for the name of an array that has none."""
