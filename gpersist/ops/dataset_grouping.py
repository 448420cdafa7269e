"""Datasets of elements that belong together by a key: windows, buckets by length, and one element for each key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpersist.graph import Tensor, convert_to_tensor, get_default_graph
from gpersist.ops import dataset_structure as structure
from gpersist.ops.checks import assert_less
from gpersist.ops.choosing import where
from gpersist.ops.comparison import less, less_equal, logical_and
from gpersist.ops.constants import constant
from gpersist.ops.dataset_tracing import called
from gpersist.ops.reductions import reduce_min
from gpersist.ops.type_specs import TensorSpec
from gpersist.shapes import TensorShape, as_shape

if TYPE_CHECKING:
    from gpersist.ops.datasets import Dataset

__all__ = ["Reducer"]

_KEY = structure.of_types("int64", ())


class Reducer:
    """How elements of one key become one element (`tf.data.experimental.Reducer`).

    Args:
        init_func: makes of a key what there is at first.
        reduce_func: makes of what there is, and an element, what there is after it.
        finalize_func: makes of what there is at the end an element.
    """

    def __init__(self, init_func: Callable[..., Any], reduce_func: Callable[..., Any], finalize_func: Callable[..., Any]) -> None:
        self.init_func, self.reduce_func, self.finalize_func = init_func, reduce_func, finalize_func


def windows(
    dataset: Dataset,
    key_func: Callable[..., Any],
    reduce_func: Callable[..., Any],
    window_size: Any,
    window_size_func: Callable[..., Any] | None,
) -> Dataset:
    """What `Dataset.group_by_window` does."""
    if (window_size is None) == (window_size_func is None):
        raise ValueError("Either the `window_size` argument or the `window_size_func` argument must be specified.")

    def key_func_wrapper(*element: Any) -> Tensor:
        return convert_to_tensor(key_func(*element), "int64")

    def window_size_func_wrapper(key: Any) -> Tensor:
        return convert_to_tensor(window_size if window_size_func is None else window_size_func(key), "int64")

    key = dataset._called("group_by_window", key_func_wrapper)
    _check_key(key.output_spec)
    group = (_KEY, structure.DatasetSpec(dataset.element_spec))
    reduced = called("Dataset_group_by_window", reduce_func, group, dataset._like)
    if not isinstance(reduced.output_spec, structure.DatasetSpec):
        raise TypeError(
            f"Invalid `reduce_func`. `reduce_func` must return a single `tf.data.Dataset` object but its return type is {reduced.output_spec}."
        )
    size = called("Dataset_group_by_window", window_size_func_wrapper, _KEY, dataset._like)
    captured = (key.captured, reduced.captured, size.captured)
    functions: dict[str, Any] = {"key_func": key.function, "reduce_func": reduced.function, "window_size_func": size.function}
    return dataset._then("GroupByWindowDataset", reduced.output_spec.element_spec, *captured, **functions)


def buckets(
    dataset: Dataset,
    element_length_func: Callable[..., Any],
    boundaries: Sequence[int],
    batch_sizes: Sequence[int],
    padded_shapes: Any,
    padding_values: Any,
    pad_to_bucket_boundary: bool,
    no_padding: bool,
    drop_remainder: bool,
) -> Dataset:
    """What `Dataset.bucket_by_sequence_length` does."""
    if len(batch_sizes) != len(boundaries) + 1:
        raise ValueError(
            f"`len(bucket_batch_sizes)` must equal `len(bucket_boundaries) + 1` but `len(bucket_batch_sizes)={len(batch_sizes)}` and "
            f"`len(bucket_boundaries)={len(boundaries)}`."
        )
    sizes: Any = constant(batch_sizes, "int64")
    ends = np.iinfo(np.int32)

    def element_to_bucket_id(*element: Any) -> Tensor:
        length = element_length_func(*element)
        is_in = logical_and(less_equal([ends.min, *boundaries], length), less(length, [*boundaries, ends.max]))
        return reduce_min(where(is_in))

    def window_size_fn(bucket_id: Any) -> Any:
        return sizes[bucket_id]

    def batching_fn(bucket_id: Any, group: Dataset) -> Dataset:
        size = window_size_fn(bucket_id)
        if no_padding:
            return group.batch(size, drop_remainder=drop_remainder)
        filler = None
        if pad_to_bucket_boundary:
            message = "When pad_to_bucket_boundary=True, elements must have length < max(bucket_boundaries)."
            check = assert_less(bucket_id, constant(len(batch_sizes) - 1, "int64"), message=message)
            with get_default_graph().control_dependencies([check]):
                limits: Any = constant(boundaries, "int64")
                filler = limits[bucket_id] - 1
        shapes = structure.mapped(lambda shape: _filled(shape, filler), padded_shapes or group.output_shapes)
        return group.padded_batch(size, shapes, padding_values, drop_remainder=drop_remainder)

    return windows(dataset, element_to_bucket_id, batching_fn, None, window_size_fn)


def _filled(shape: Any, filler: Any) -> list[Any]:
    sizes = shape if isinstance(shape, (list, tuple)) else as_shape(shape).as_list()
    return [filler if size is None or size == -1 else size for size in sizes]


def reduced_by_key(dataset: Dataset, key_func: Callable[..., Any], reducer: Reducer) -> Dataset:
    """One element for each key, in order of the keys (`tf.data.experimental.group_by_reducer`)."""
    key = dataset._called("group_by_reducer", key_func)
    _check_key(key.output_spec)
    begun = called("group_by_reducer", reducer.init_func, _KEY, dataset._like)
    state = begun.output_spec
    reduced = called("group_by_reducer", reducer.reduce_func, (state, dataset.element_spec), dataset._like)
    if structure.types(state) != structure.types(reduced.output_spec):
        raise TypeError(f"Invalid `reducer`. The element types for the new state {reduced.output_spec} do not match those of the old state {state}.")
    finished = called("group_by_reducer", reducer.finalize_func, state, dataset._like)
    captured = (key.captured, begun.captured, reduced.captured, finished.captured)
    functions: dict[str, Any] = {
        "key_func": key.function,
        "init_func": begun.function,
        "reduce_func": reduced.function,
        "finalize_func": finished.function,
    }
    return dataset._then("ExperimentalGroupByReducerDataset", finished.output_spec, *captured, kind="_GroupByReducerDataset", **functions)


def _check_key(spec: Any) -> None:
    if not (isinstance(spec, TensorSpec) and structure.is_compatible(spec, TensorSpec(TensorShape(()), _KEY.dtype))):
        raise ValueError(f"Invalid `key_func`. `key_func` must return a single `tf.int64` scalar tensor but its return type is {spec}.")
