"""Transformations of datasets for `Dataset.apply` (`tf.data.experimental`), which TensorFlow has long deprecated and programs still have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gpersist.graph import Tensor
from gpersist.ops import dataset_grouping as grouping
from gpersist.ops import dataset_structure as structure
from gpersist.ops.dataset_arguments import bool_of, int64_of, order_of, rows_of_batch, seeds_of
from gpersist.ops.dataset_parsing import parsed
from gpersist.ops.datasets import AUTOTUNE, INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Dataset, _inner

__all__ = [
    "AUTOTUNE",
    "INFINITE_CARDINALITY",
    "UNKNOWN_CARDINALITY",
    "Counter",
    "RandomDataset",
    "assert_cardinality",
    "bucket_by_sequence_length",
    "cardinality",
    "choose_from_datasets",
    "dense_to_ragged_batch",
    "dense_to_sparse_batch",
    "enumerate_dataset",
    "get_single_element",
    "get_structure",
    "group_by_reducer",
    "group_by_window",
    "ignore_errors",
    "map_and_batch",
    "map_and_batch_with_legacy_function",
    "parallel_interleave",
    "parse_example_dataset",
    "prefetch_to_device",
    "sample_from_datasets",
    "scan",
    "shuffle_and_repeat",
    "take_while",
    "unbatch",
    "unique",
]

_Transformation = Callable[[Dataset], Dataset]

RandomDataset = Dataset.random
"""`Dataset.random` (`tf.data.experimental.RandomDataset`)."""


def Counter(start: Any = 0, step: Any = 1, dtype: Any = "int64") -> Dataset:  # noqa: N802  # TensorFlow's name
    """`Dataset.counter` (`tf.data.experimental.Counter`)."""
    return Dataset.counter(start, step, dtype)


def assert_cardinality(expected_cardinality: Any) -> _Transformation:
    """The same; one that has another number of elements fails at its end, or at the first too many (`tf.data.experimental.assert_cardinality`)."""
    return lambda dataset: dataset._then("AssertCardinalityDataset", None, int64_of(expected_cardinality, "expected_cardinality"))


def bucket_by_sequence_length(
    element_length_func: Callable[..., Any],
    bucket_boundaries: Sequence[int],
    bucket_batch_sizes: Sequence[int],
    padded_shapes: Any = None,
    padding_values: Any = None,
    pad_to_bucket_boundary: bool = False,
    no_padding: bool = False,
    drop_remainder: bool = False,
) -> _Transformation:
    """`Dataset.bucket_by_sequence_length` (`tf.data.experimental.bucket_by_sequence_length`)."""
    how = (padded_shapes, padding_values, pad_to_bucket_boundary, no_padding, drop_remainder)
    return lambda dataset: dataset.bucket_by_sequence_length(element_length_func, bucket_boundaries, bucket_batch_sizes, *how)


def cardinality(dataset: Dataset) -> Tensor:
    """`Dataset.cardinality` (`tf.data.experimental.cardinality`)."""
    return dataset.cardinality()


def choose_from_datasets(datasets: Sequence[Dataset], choice_dataset: Dataset, stop_on_empty_dataset: bool = False) -> Dataset:
    """`Dataset.choose_from_datasets` (`tf.data.experimental.choose_from_datasets`)."""
    return Dataset.choose_from_datasets(datasets, choice_dataset, stop_on_empty_dataset)


def dense_to_ragged_batch(batch_size: Any, drop_remainder: Any = False, row_splits_dtype: Any = "int64") -> _Transformation:
    """`Dataset.ragged_batch` (`tf.data.experimental.dense_to_ragged_batch`)."""
    return lambda dataset: dataset.ragged_batch(batch_size, drop_remainder, row_splits_dtype)


def dense_to_sparse_batch(batch_size: Any, row_shape: Any) -> _Transformation:
    """`Dataset.sparse_batch` (`tf.data.experimental.dense_to_sparse_batch`)."""
    return lambda dataset: dataset.sparse_batch(batch_size, row_shape)


def enumerate_dataset(start: Any = 0) -> _Transformation:
    """`Dataset.enumerate` (`tf.data.experimental.enumerate_dataset`)."""
    return lambda dataset: adapted(dataset.enumerate(start))


def get_single_element(dataset: Dataset) -> Any:
    """`Dataset.get_single_element` (`tf.data.experimental.get_single_element`)."""
    return dataset.get_single_element()


def get_structure(dataset_or_iterator: Any) -> Any:
    """A nest of specs: the type and shape of each part of an element (`tf.data.experimental.get_structure`).

    Raises:
        TypeError: it is neither a dataset nor an iterator.
    """
    if not hasattr(dataset_or_iterator, "element_spec"):
        raise TypeError(
            f"Invalid `dataset_or_iterator`. `dataset_or_iterator` must be a dataset or tf.data.Iterator, but got {type(dataset_or_iterator)}."
        )
    return dataset_or_iterator.element_spec


def group_by_reducer(key_func: Callable[..., Any], reducer: grouping.Reducer) -> _Transformation:
    """One element for each key, in order of the keys (`tf.data.experimental.group_by_reducer`).

    Raises:
        ValueError: a key is no int64 scalar.
        TypeError: what there is changes its type.
    """
    return lambda dataset: grouping.reduced_by_key(dataset, key_func, reducer)


def group_by_window(
    key_func: Callable[..., Any],
    reduce_func: Callable[..., Any],
    window_size: Any = None,
    window_size_func: Callable[..., Any] | None = None,
) -> _Transformation:
    """`Dataset.group_by_window` (`tf.data.experimental.group_by_window`)."""
    return lambda dataset: dataset.group_by_window(key_func, reduce_func, window_size, window_size_func)


def ignore_errors(log_warning: bool = False) -> _Transformation:
    """`Dataset.ignore_errors` (`tf.data.experimental.ignore_errors`)."""
    return lambda dataset: dataset.ignore_errors(log_warning)


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
    at_once = batch_size * (num_parallel_batches or 1) if num_parallel_calls is None else num_parallel_calls

    def made(dataset: Dataset) -> Dataset:
        function = dataset._called("map_and_batch", map_func)
        size, calls = int64_of(batch_size, "batch_size"), int64_of(at_once, "num_parallel_calls")
        drops = bool_of(drop_remainder, "drop_remainder")
        spec = structure.batched(function.output_spec, rows_of_batch(size, drops))
        inputs = (function.captured, size, calls, drops)
        return dataset._then("MapAndBatchDataset", spec, *inputs, f=function.function, preserve_cardinality=True)

    return made


map_and_batch_with_legacy_function = map_and_batch


def parallel_interleave(
    map_func: Callable[..., Any],
    cycle_length: Any,
    block_length: Any = 1,
    sloppy: bool | None = False,
    buffer_output_elements: Any = None,
    prefetch_input_elements: Any = None,
) -> _Transformation:
    """The elements of the datasets that a function makes of each element, of several at a time (`tf.data.experimental.parallel_interleave`).

    Args:
        map_func: makes a dataset of an element.
        cycle_length: how many at a time.
        block_length: how many elements of each in turn.
        sloppy: for TensorFlow's sake: the order is always the same.
        buffer_output_elements: for TensorFlow's sake.
        prefetch_input_elements: for TensorFlow's sake.

    Raises:
        TypeError: it makes something else than a dataset.
    """
    order = order_of(None if sloppy is None else not sloppy)

    def made(dataset: Dataset) -> Dataset:
        function = dataset._called("parallel_interleave", map_func)
        spec = _inner(function)
        sizes = (
            int64_of(cycle_length, "cycle_length"),
            int64_of(block_length, "block_length"),
            int64_of(2 * block_length if buffer_output_elements is None else buffer_output_elements, "buffer_output_elements"),
            int64_of(2 * cycle_length if prefetch_input_elements is None else prefetch_input_elements, "prefetch_input_elements"),
        )
        kind = "ParallelInterleaveDataset"
        return dataset._then(
            "LegacyParallelInterleaveDatasetV2", spec, function.captured, *sizes, f=function.function, deterministic=order, kind=kind
        )

    return made


def parse_example_dataset(features: Mapping[str, Any], num_parallel_calls: Any = 1, deterministic: bool | None = None) -> _Transformation:
    """Batches of serialized `Example` messages as `parse_example` takes them apart (`tf.data.experimental.parse_example_dataset`).

    Raises:
        ValueError: there are no features.
        TypeError: elements are no vectors of text.
    """
    if features is None:
        raise ValueError("Argument `features` is required, but not specified.")
    return lambda dataset: parsed(dataset, features, num_parallel_calls, order_of(deterministic))


def prefetch_to_device(device: str, buffer_size: Any = None) -> _Transformation:
    """`Dataset.prefetch` (`tf.data.experimental.prefetch_to_device`): elements are copied to a device when an operation there takes them."""
    return lambda dataset: dataset.prefetch(buffer_size)


def sample_from_datasets(datasets: Sequence[Dataset], weights: Any = None, seed: int | None = None, stop_on_empty_dataset: bool = False) -> Dataset:
    """`Dataset.sample_from_datasets` (`tf.data.experimental.sample_from_datasets`)."""
    return Dataset.sample_from_datasets(datasets, weights, seed, stop_on_empty_dataset)


def scan(initial_state: Any, scan_func: Callable[..., Any]) -> _Transformation:
    """`Dataset.scan` (`tf.data.experimental.scan`)."""
    return lambda dataset: dataset.scan(initial_state, scan_func)


def shuffle_and_repeat(buffer_size: Any, count: Any = None, seed: int | None = None) -> _Transformation:
    """`shuffle`, then `repeat` (`tf.data.experimental.shuffle_and_repeat`)."""

    def made(dataset: Dataset) -> Dataset:
        room = int64_of(buffer_size, "buffer_size")
        times = int64_of(-1 if count is None else count, "count")
        return dataset._then("ShuffleAndRepeatDataset", None, room, *seeds_of(seed), times)

    return made


def take_while(predicate: Callable[..., Any]) -> _Transformation:
    """`Dataset.take_while` (`tf.data.experimental.take_while`)."""
    return lambda dataset: dataset.take_while(predicate)


def unbatch() -> _Transformation:
    """`Dataset.unbatch` (`tf.data.experimental.unbatch`)."""
    return lambda dataset: adapted(dataset.unbatch())


def adapted(dataset: Dataset) -> Dataset:
    """The same, as TensorFlow shows what it takes from its second version."""
    dataset._kind = "DatasetV1Adapter"
    return dataset


def unique() -> _Transformation:
    """`Dataset.unique` (`tf.data.experimental.unique`)."""
    return lambda dataset: dataset.unique()
