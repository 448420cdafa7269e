"""Operations that make datasets from tensors and from other datasets, without calling functions. `data` has the Python class."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.graph import Context, SessionOpType
from gpersist.ops import dataset_values as values
from gpersist.ops import shape_functions
from gpersist.ops.dataset_values import INFINITE, UNKNOWN, DatasetValue, Element, Seeds

__all__: list[str] = []

ONE = "input_dataset: variant"
TYPED = "output_types: list(type) >= 1, output_shapes: list(shape) >= 1"
SLICED = "Toutput_types: list(type) >= 1, output_shapes: list(shape) >= 1"


class Making(SessionOpType, abstract=True):
    """Makes a dataset, on the host."""

    outputs = "handle: variant"
    is_host_only = True
    shapes = staticmethod(shape_functions.scalar)


def make(name: str, inputs: str, attrs: str, run: Callable[..., Any], told: str, **members: Any) -> None:
    """Enters an operation."""

    def running(ctx: Context, *arguments: Any, **attributes: Any) -> Any:
        found = run(ctx, *[_taken(each) for each in arguments], **attributes)
        if not isinstance(found, DatasetValue):
            return found
        return DatasetValue(found.begin, found.size, lambda: running(ctx, *arguments, **attributes))

    running.func = run  # type: ignore[attr-defined]  # whose attributes it takes
    type(name, (Making,), {"inputs": inputs, "attrs": attrs, "run": staticmethod(running), "__doc__": told, "__module__": run.__module__, **members})


def make_with_twin(name: str, inputs: str, attrs: str, run: Callable[..., Any], told: str, **members: Any) -> None:
    """Enters an operation, and what it was called while it was an experiment of TensorFlow's."""
    make(name, inputs, attrs, run, told, **members)
    make(f"Experimental{name}", inputs, attrs, run, told, **members)


def _taken(argument: Any) -> Any:
    if isinstance(argument, list):
        return [_taken(each) for each in argument]
    return argument.taken() if isinstance(argument, DatasetValue) else argument


# ---- from tensors


def _of_tensors(ctx: Context, components: list[Any]) -> DatasetValue:
    return DatasetValue(lambda: iter([values.own(components)]), 1)


def _of_slices(ctx: Context, components: list[Any]) -> DatasetValue:
    return values.sliced(components)


def _range(ctx: Context, start: Any, stop: Any, step: Any, *, output_types: Any) -> DatasetValue:
    if not int(step):
        raise InvalidArgumentError("step must be a non-zero integer.")
    numbers, kind = range(int(start), int(stop), int(step)), output_types[0].numpy.type
    return DatasetValue(lambda: ((kind(number),) for number in numbers), len(numbers))


make("TensorDataset", "components: Toutput_types", SLICED, _of_tensors, "One element: these tensors.", is_stateful=True)
make("TensorSliceDataset", "components: Toutput_types", SLICED, _of_slices, "The rows of tensors.", is_stateful=True)
make("RangeDataset", "start: int64, stop: int64, step: int64", TYPED, _range, "Numbers with a step between them.", is_stateful=True)


def _random(ctx: Context, seed: Any, seed2: Any) -> DatasetValue:
    return values.random_numbers(int(seed), int(seed2))


make_with_twin("RandomDataset", "seed: int64, seed2: int64", TYPED, _random, "Random numbers of 32 bits.", is_stateful=True)


# ---- from datasets


def _repeat(ctx: Context, source: DatasetValue, count: Any) -> DatasetValue:
    return values.repeated(source, int(count))


def _take(ctx: Context, source: DatasetValue, count: Any) -> DatasetValue:
    number = int(count)
    if number < 0:
        return source
    size = UNKNOWN if source.size == UNKNOWN else number if source.size == INFINITE else min(number, source.size)

    def begin() -> Iterator[Element]:
        elements, left = iter(source), number

        def pull() -> Element:
            nonlocal left
            if not left:
                raise StopIteration
            found = next(elements)
            left -= 1
            return found

        return values.Pulled(pull)

    return DatasetValue(begin, size)


def _skip(ctx: Context, source: DatasetValue, count: Any) -> DatasetValue:
    number = int(count)
    if number < 0:
        return DatasetValue(lambda: iter(()), 0)

    def begin() -> Iterator[Element]:
        elements, left = iter(source), number

        def pull() -> Element:
            nonlocal left
            while left:
                next(elements)
                left -= 1
            return next(elements)

        return values.Pulled(pull)

    return DatasetValue(begin, source.size if source.size < 0 else max(0, source.size - number))


def _shard(ctx: Context, source: DatasetValue, num_shards: Any, index: Any) -> DatasetValue:
    count, chosen = int(num_shards), int(index)
    if count <= 0:
        raise InvalidArgumentError(f"Number of shards must be greater than zero (currently num_shards = {count}).")
    if not 0 <= chosen < count:
        raise InvalidArgumentError(f"Index must be between 0 and {count - 1} (currently index = {chosen}).")

    def begin() -> Iterator[Element]:
        elements, number = iter(source), 0

        def pull() -> Element:
            nonlocal number
            while True:
                found = next(elements)
                number += 1
                if (number - 1) % count == chosen:
                    return found

        return values.Pulled(pull)

    return DatasetValue(begin, source.size if source.size < 0 else len(range(chosen, source.size, count)))


def _batch(ctx: Context, source: DatasetValue, batch_size: Any, drop_remainder: Any = False) -> DatasetValue:
    return values.batched(source, int(batch_size), bool(drop_remainder), values.stacked)


def _parallel_batch(ctx: Context, source: DatasetValue, batch_size: Any, num_parallel_calls: Any, drop_remainder: Any) -> DatasetValue:
    return _batch(ctx, source, batch_size, drop_remainder)


def _padded_batch(
    ctx: Context, source: DatasetValue, batch_size: Any, padded_shapes: list[Any], padding_values: list[Any], drop_remainder: Any = False
) -> DatasetValue:
    shapes = [np.asarray(shape).reshape(-1).tolist() for shape in padded_shapes]
    fills = [value[()] if isinstance(value, np.ndarray) else value for value in padding_values]
    return values.batched(source, int(batch_size), bool(drop_remainder), lambda elements: values.padded(elements, shapes, fills))


def _zip(ctx: Context, sources: list[DatasetValue]) -> DatasetValue:
    sizes = [source.size for source in sources]
    known = [size for size in sizes if size != INFINITE]
    size = UNKNOWN if UNKNOWN in sizes else min(known) if known else INFINITE

    return DatasetValue(lambda: (tuple(itertools.chain(*row)) for row in zip(*sources, strict=False)), size)


def _concatenate(ctx: Context, source: DatasetValue, other: DatasetValue) -> DatasetValue:
    sizes = (source.size, other.size)
    size = INFINITE if INFINITE in sizes else UNKNOWN if UNKNOWN in sizes else sum(sizes)

    def begin() -> Iterator[Element]:
        waiting = [iter(other), iter(source)]

        def pull() -> Element:
            while waiting:
                for element in waiting[-1]:
                    return element
                waiting.pop()
            raise StopIteration

        return values.Pulled(pull)

    return DatasetValue(begin, size)


def _cache(ctx: Context, source: DatasetValue, filename: Any, *_: Any) -> DatasetValue:
    if bytes(np.asarray(filename, object)[()]):
        raise UnimplementedError("a cache in files is not there: Dataset.cache() without a name keeps its elements in memory")
    return values.cached(source)


def _window(ctx: Context, source: DatasetValue, size: Any, shift: Any, stride: Any, drop_remainder: Any) -> DatasetValue:
    return values.windowed(source, int(size), int(shift), int(stride), bool(drop_remainder))


def _unbatch(ctx: Context, source: DatasetValue) -> DatasetValue:
    return values.unbatched(source)


_PADDED = f"{ONE}, batch_size: int64, padded_shapes: N * int64, padding_values: Toutput_types"

make("RepeatDataset", f"{ONE}, count: int64", TYPED, _repeat, "A dataset again and again.")
make("TakeDataset", f"{ONE}, count: int64", TYPED, _take, "The first elements.")
make("SkipDataset", f"{ONE}, count: int64", TYPED, _skip, "All but the first elements.")
make("ShardDataset", f"{ONE}, num_shards: int64, index: int64", f"require_non_empty: bool = false, {TYPED}", _shard, "Every so-many-th element.")
make("BatchDataset", f"{ONE}, batch_size: int64", TYPED, _batch, "Elements together.")
make("BatchDatasetV2", f"{ONE}, batch_size: int64, drop_remainder: bool", f"parallel_copy: bool = false, {TYPED}", _batch, "Elements together.")
make(
    "ParallelBatchDataset",
    f"{ONE}, batch_size: int64, num_parallel_calls: int64, drop_remainder: bool",
    f"parallel_copy: bool = false, {TYPED}, deterministic: string = 'default'",
    _parallel_batch,
    "Elements together.",
)
make("PaddedBatchDataset", _PADDED, f"{SLICED}, N: int >= 1", _padded_batch, "Elements together, filled up to one shape.")
make(
    "PaddedBatchDatasetV2",
    f"{_PADDED}, drop_remainder: bool",
    f"parallel_copy: bool = false, {SLICED}, N: int >= 1",
    _padded_batch,
    "Elements together, filled up to one shape.",
)
make("ZipDataset", "input_datasets: N * variant", f"{TYPED}, N: int >= 1", _zip, "The elements of several datasets side by side.")
make("ConcatenateDataset", f"{ONE}, another_dataset: variant", TYPED, _concatenate, "One dataset after the other.")
make("CacheDataset", f"{ONE}, filename: string", TYPED, _cache, "The same, kept in memory.")
make(
    "CacheDatasetV2",
    f"{ONE}, filename: string, cache: resource",
    TYPED,
    _cache,
    "The same, kept in memory.",
    is_stateful=True,
)
make("WindowDataset", f"{ONE}, size: int64, shift: int64, stride: int64, drop_remainder: bool", TYPED, _window, "Datasets of neighbouring elements.")
make_with_twin("UnbatchDataset", ONE, TYPED, _unbatch, "The rows of each element.")


# ---- shuffled


def _shuffle(ctx: Context, source: DatasetValue, room: Any, seed: Any, seed2: Any, *more: Any, reshuffle_each_iteration: bool) -> DatasetValue:
    return values.shuffled(source, int(room), Seeds(int(seed), int(seed2), reshuffle_each_iteration))


def _shuffle_and_repeat(
    ctx: Context, source: DatasetValue, room: Any, seed: Any, seed2: Any, count: Any, *more: Any, reshuffle_each_iteration: bool = True
) -> DatasetValue:
    return values.repeated(values.shuffled(source, int(room), Seeds(int(seed), int(seed2), reshuffle_each_iteration)), int(count))


def _shuffle_by(ctx: Context, source: DatasetValue, room: Any, seeds: Any) -> DatasetValue:
    return values.shuffled(source, int(room), seeds if isinstance(seeds, Seeds) else Seeds(0, 0, True))


_SHUFFLED = f"{ONE}, buffer_size: int64, seed: int64, seed2: int64"
_FRESH = f"reshuffle_each_iteration: bool = true, {TYPED}"
make("ShuffleDataset", _SHUFFLED, _FRESH, _shuffle, "Elements in another order.")
make("ShuffleDatasetV2", f"{ONE}, buffer_size: int64, seed_generator: resource", TYPED, _shuffle_by, "Elements in another order.", is_stateful=True)
make("ShuffleDatasetV3", f"{_SHUFFLED}, seed_generator: resource", _FRESH, _shuffle, "Elements in another order.", is_stateful=True)
make("ShuffleAndRepeatDataset", f"{_SHUFFLED}, count: int64", TYPED, _shuffle_and_repeat, "Elements in another order, again and again.")
make(
    "ShuffleAndRepeatDatasetV2",
    f"{_SHUFFLED}, count: int64, seed_generator: resource",
    _FRESH,
    _shuffle_and_repeat,
    "Elements in another order, again and again.",
    is_stateful=True,
)


def _dummy(ctx: Context) -> str:
    return ctx.op.name


for _name in ("DummyMemoryCache", "DummySeedGenerator"):
    make(_name, "", "", _dummy, "What stands for what a dataset has of its own.", outputs="handle: resource", is_stateful=True)


class DatasetCardinality(Making):
    """How many elements there are."""

    inputs = ONE
    outputs = "cardinality: int64"
    attrs = "cardinality_options: string = ''"

    @staticmethod
    def run(ctx: Context, source: DatasetValue) -> Any:
        return np.int64(source.size)


class ExperimentalDatasetCardinality(DatasetCardinality):
    """How many elements there are."""

    attrs = ""


class WrapDatasetVariant(Making):
    """A dataset in a tensor that devices may share."""

    inputs = "input_handle: variant"
    outputs = "output_handle: variant"

    @staticmethod
    def run(ctx: Context, source: DatasetValue) -> DatasetValue:
        return source


class UnwrapDatasetVariant(WrapDatasetVariant):
    """The dataset in it."""
