"""Operations that choose among the elements of datasets, or put them together anew, without calling functions."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from typing import Any

import numpy as np

from gpersist.dtypes import variant
from gpersist.errors import DataLossError, FailedPreconditionError, InvalidArgumentError, OutOfRangeError
from gpersist.errors import GPersistError as OpError
from gpersist.graph import Context
from gpersist.ops import dataset_values as values
from gpersist.ops.dataset_ops import ONE, TYPED, make, make_with_twin
from gpersist.ops.dataset_values import DatasetValue, Element
from gpersist.ops.kernels import as_array, shown
from gpersist.ops.sparse_serialization import SerializeSparse

__all__: list[str] = []

_log = logging.getLogger("gpersist")


def _unique(ctx: Context, source: DatasetValue) -> DatasetValue:
    if len(ctx.op.attr("output_types")) != 1:
        raise InvalidArgumentError("UniqueDataset only supports inputs with a single component.")

    def begin() -> Iterator[Element]:
        elements, seen = iter(source), set()

        def pull() -> Element:
            while True:
                element = next(elements)
                array = as_array(np, element[0])
                key = (array.shape, tuple(array.reshape(-1).tolist()))
                if key not in seen:
                    seen.add(key)
                    return element

        return values.Pulled(pull)

    return DatasetValue(begin)


def _ignore_errors(ctx: Context, source: DatasetValue, *, log_warning: bool = False) -> DatasetValue:
    def begin() -> Iterator[Element]:
        elements = iter(source)

        def pull() -> Element:
            while True:
                try:
                    return next(elements)
                except OpError as error:
                    if isinstance(error, OutOfRangeError):
                        raise
                    if log_warning:
                        _log.warning("%s: an element is left out: %s", ctx.op.name, error.message)

        return values.Pulled(pull)

    return DatasetValue(begin)


def _directed_interleave(ctx: Context, selector: DatasetValue, sources: list[DatasetValue], *, stop_on_empty_dataset: bool = False) -> DatasetValue:
    def begin() -> Iterator[Element]:
        choices = iter(selector)
        open_ones: list[Iterator[Element] | None] = [iter(source) for source in sources]
        is_over = False

        def pull() -> Element:
            nonlocal is_over
            while not is_over:
                choice = next(choices, None)
                if choice is None:
                    break
                number = int(choice[0])
                if not 0 <= number < len(open_ones):
                    raise InvalidArgumentError(f"Selector index out of range: {number} >= {len(open_ones)}")
                chosen = open_ones[number]
                if chosen is None:
                    continue
                for element in chosen:
                    return element
                open_ones[number] = None
                is_over = stop_on_empty_dataset or not any(open_ones)
            is_over = True
            raise StopIteration

        return values.Pulled(pull)

    return DatasetValue(begin)


def _assert_cardinality(ctx: Context, source: DatasetValue, cardinality: Any) -> DatasetValue:
    expected = int(cardinality)

    def begin() -> Iterator[Element]:
        elements, count = iter(source), 0

        def pull() -> Element:
            nonlocal count
            for element in elements:
                count += 1
                if 0 <= expected < count:
                    break
                return element
            if expected == values.INFINITE or (expected >= 0 and count != expected):
                told = f"at least {count}" if count > expected >= 0 else f"only {count}"
                wanted = "infinitely many" if expected < 0 else expected
                raise FailedPreconditionError(f"Input dataset was expected to contain {wanted} elements but contained {told} elements.")
            raise StopIteration

        return values.Pulled(pull)

    return DatasetValue(begin, expected)


# ---- batches


def _rows(source: DatasetValue) -> Iterator[Element]:
    return iter(values.unbatched(source))


def _rebatch_by_sizes(ctx: Context, source: DatasetValue, batch_sizes: Any, drop_remainder: Any) -> DatasetValue:
    sizes = [int(size) for size in np.asarray(batch_sizes).reshape(-1)]
    if not sizes or min(sizes) <= 0:
        raise InvalidArgumentError(f"Batch sizes must be greater than zero: {sizes}.")

    def begin() -> Iterator[Element]:
        elements, turns = _rows(source), itertools.cycle(sizes)

        def pull() -> Element:
            size = next(turns)
            found = list(itertools.islice(elements, size))
            if not found or (bool(drop_remainder) and len(found) < size):
                raise StopIteration
            return values.stacked(found)

        return values.Pulled(pull)

    return DatasetValue(begin)


def _rebatch_for_replicas(ctx: Context, source: DatasetValue, num_replicas: Any, *, use_fallback: bool = True) -> DatasetValue:
    count = int(num_replicas)
    if count <= 0:
        raise InvalidArgumentError(f"Number of replicas must be greater than zero: {count}.")

    def begin() -> Iterator[Element]:
        for element in source:
            arrays = [as_array(np, value) for value in element]
            size = -(-len(arrays[0]) // count)
            for number in range(count):
                yield values.own([array[number * size : (number + 1) * size] for array in arrays])

    return DatasetValue(begin)


def _sliding_window(
    ctx: Context, source: DatasetValue, window_size: Any, window_shift: Any, window_stride: Any, *, drop_remainder: bool = True
) -> DatasetValue:
    sizes = int(window_size), int(window_shift), int(window_stride)
    values.check_window(*sizes)
    return DatasetValue(lambda: map(values.stacked, values.neighbours(source, *sizes, drop_remainder)))


def _dense_to_sparse(ctx: Context, source: DatasetValue, batch_size: Any, row_shape: Any) -> DatasetValue:
    row = [int(size) for size in np.asarray(row_shape).reshape(-1)]

    def checked(element: Element) -> Element:
        array = as_array(np, element[0])
        told = f"Input element had shape ({shown(array.shape)}) that is incompatible with the row shape ({shown(row)})."
        if array.ndim != len(row):
            raise InvalidArgumentError(told)
        if any(0 <= most < size for most, size in zip(row, array.shape, strict=True)):
            raise DataLossError(told)
        return (array,)

    def begin() -> Iterator[Element]:
        elements = iter(source)
        return values.Pulled(lambda: checked(next(elements)))

    def join(elements: list[Element]) -> Element:
        arrays = [array for (array,) in elements]
        sizes = [max(array.shape[axis] for array in arrays) if most < 0 else most for axis, most in enumerate(row)]
        indices = [np.insert(np.argwhere(np.ones(array.shape, bool)), 0, number, axis=1) for number, array in enumerate(arrays)]
        parts = np.concatenate(indices), np.concatenate([array.reshape(-1) for array in arrays]), np.array([len(arrays), *sizes])
        return (SerializeSparse.run(np, *parts, out_type=variant),)

    return values.batched(DatasetValue(begin, source.size), int(batch_size), False, join)


# ---- the operations

make_with_twin("UniqueDataset", ONE, TYPED, _unique, "Every element once.")
make_with_twin("IgnoreErrorsDataset", ONE, f"{TYPED}, log_warning: bool = false", _ignore_errors, "The elements that raise no errors.")
_DIRECTED = "selector_input_dataset: variant, data_input_datasets: N * variant"
make(
    "DirectedInterleaveDataset",
    _DIRECTED,
    f"{TYPED}, N: int >= 1, stop_on_empty_dataset: bool = false",
    _directed_interleave,
    "The next element of the dataset that another one names.",
)
make(
    "ExperimentalDirectedInterleaveDataset",
    _DIRECTED,
    f"{TYPED}, N: int >= 1",
    _directed_interleave,
    "The next element of the dataset that another one names.",
)
make("AssertCardinalityDataset", f"{ONE}, cardinality: int64", TYPED, _assert_cardinality, "The same, if there are so many.")
make_with_twin(
    "RebatchDataset", f"{ONE}, num_replicas: int64", f"{TYPED}, use_fallback: bool = true", _rebatch_for_replicas, "Batches in so many parts."
)
make("RebatchDatasetV2", f"{ONE}, batch_sizes: int64, drop_remainder: bool", TYPED, _rebatch_by_sizes, "Batches of other sizes.")
_SLIDING = f"{ONE}, window_size: int64, window_shift: int64, window_stride: int64"
make("SlidingWindowDataset", _SLIDING, f"drop_remainder: bool = true, {TYPED}", _sliding_window, "Neighbouring elements together.")
make("ExperimentalSlidingWindowDataset", _SLIDING, TYPED, _sliding_window, "Neighbouring elements together.")
make_with_twin(
    "DenseToSparseBatchDataset", f"{ONE}, batch_size: int64, row_shape: int64", TYPED, _dense_to_sparse, "Elements together, as a sparse tensor."
)
