"""Transformations of datasets for `Dataset.apply` (`tf.data.experimental`), which TensorFlow has long deprecated and programs still have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpersist.ops.datasets import Dataset

__all__ = ["map_and_batch", "shuffle_and_repeat", "unbatch"]

_Transformation = Callable[[Dataset], Dataset]


def map_and_batch(
    map_func: Callable[..., Any],
    batch_size: Any,
    num_parallel_batches: Any = None,
    drop_remainder: Any = False,
    num_parallel_calls: Any = None,
) -> _Transformation:
    """`map`, then `batch` (`tf.data.experimental.map_and_batch`).

    Raises:
        ValueError: both numbers are given that say how much is done at once.
    """
    if num_parallel_batches is not None and num_parallel_calls is not None:
        raise ValueError("`map_and_batch` allows only one of `num_parallel_batches` and `num_parallel_calls` to be set, but both were set.")
    return lambda dataset: dataset.map(map_func).batch(batch_size, drop_remainder)


def shuffle_and_repeat(buffer_size: Any, count: Any = None, seed: int | None = None) -> _Transformation:
    """`shuffle`, then `repeat` (`tf.data.experimental.shuffle_and_repeat`)."""
    return lambda dataset: dataset.shuffle(buffer_size, seed).repeat(count)


def unbatch() -> _Transformation:
    """`Dataset.unbatch` (`tf.data.experimental.unbatch`)."""
    return lambda dataset: dataset.unbatch()
