"""Operations on datasets that call functions of the graph's library: map, filter, flat_map, interleave, reduce."""

from __future__ import annotations

import itertools
import os
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError, OutOfRangeError
from gpersist.graph import Context, Operation
from gpersist.ops import dataset_values as values
from gpersist.ops.dataset_ops import TYPED, Making, make, make_with_twin
from gpersist.ops.dataset_values import UNKNOWN, DatasetValue, Element
from gpersist.shapes import TensorShape

__all__: list[str] = []

_numbers = itertools.count()


def bound(ctx: Context, function: Any, others: Sequence[Any]) -> Callable[[Sequence[Any]], list[Any]]:
    """A function with its last arguments given; random operations in it begin anew for each dataset that it is made for."""
    functions = ctx.session.functions
    key = ("dataset", next(_numbers))

    def call(element: Sequence[Any]) -> list[Any]:
        arguments = [*element, *others]
        found = functions.call_made(key, lambda: functions.body(function, len(arguments)), arguments)
        return [ctx.move(value) if hasattr(value, "dtype") else value for value in found]

    weakref.finalize(call, functions.forget, key)
    return call


def _is_true(value: Any) -> bool:
    array = np.asarray(value)
    if array.ndim or array.dtype != np.bool_:
        raise InvalidArgumentError("Filter predicate `predicate` must return a scalar bool.")
    return bool(array)


def _map(ctx: Context, source: DatasetValue, others: list[Any], *_: Any, f: Any) -> DatasetValue:
    call = bound(ctx, f, others)

    def begin() -> Iterator[Element]:
        elements = iter(source)

        def pull() -> Element:
            element = next(elements)
            try:
                return tuple(call(element))
            except OutOfRangeError as error:  # of the function, which is not the end of the dataset
                raise InvalidArgumentError(f"Function invocation produced OutOfRangeError: {error.message}") from error

        return values.Pulled(pull)

    return DatasetValue(begin, source.size)


def _filter(ctx: Context, source: DatasetValue, others: list[Any], *_: Any, predicate: Any) -> DatasetValue:
    call = bound(ctx, predicate, others)
    return DatasetValue(lambda: filter(lambda element: _is_true(call(element)[0]), source))


def _take_while(ctx: Context, source: DatasetValue, others: list[Any], *, predicate: Any) -> DatasetValue:
    call = bound(ctx, predicate, others)
    return DatasetValue(lambda: itertools.takewhile(lambda element: _is_true(call(element)[0]), source))


def _interleave(ctx: Context, source: DatasetValue, others: list[Any], cycle_length: Any = 1, block_length: Any = 1, *_: Any, f: Any) -> DatasetValue:
    call = bound(ctx, f, others)
    cycle = int(cycle_length)
    if cycle == -1:  # as many as there are processors
        cycle = os.cpu_count() or 1
    return values.interleaved(source, lambda element: call(element)[0], cycle, int(block_length))


def _interleave_without_gaps(
    ctx: Context, source: DatasetValue, others: list[Any], cycle_length: Any, block_length: Any, *_: Any, f: Any
) -> DatasetValue:
    call = bound(ctx, f, others)
    return values.interleaved_without_gaps(source, lambda element: call(element)[0], int(cycle_length), int(block_length))


def _map_and_batch(
    ctx: Context, source: DatasetValue, others: list[Any], batch_size: Any, num_parallel_calls: Any, drop_remainder: Any, *, f: Any
) -> DatasetValue:
    return values.batched(_map(ctx, source, others, f=f), int(batch_size), bool(drop_remainder), values.stacked)


def _scan(ctx: Context, source: DatasetValue, state: list[Any], others: list[Any], *, f: Any) -> DatasetValue:
    call = bound(ctx, f, others)

    def begin() -> Iterator[Element]:
        elements, current = iter(source), list(state)

        def pull() -> Element:
            nonlocal current
            found = call([*current, *next(elements)])
            current = found[: len(current)]
            return tuple(found[len(current) :])

        return values.Pulled(pull)

    return DatasetValue(begin, source.size)


def _generate(ctx: Context, init: list[Any], following: list[Any], final: list[Any], *, init_func: Any, next_func: Any, finalize_func: Any) -> Any:
    start, step, end = bound(ctx, init_func, init), bound(ctx, next_func, following), bound(ctx, finalize_func, final)

    def begin() -> Iterator[Element]:
        state: list[Any] | None = None
        is_over = False

        def pull() -> Element:
            nonlocal state, is_over
            if is_over:
                raise StopIteration
            if state is None:
                state = start([])
            try:
                return tuple(step(state))
            except OutOfRangeError:
                is_over = True
                end(state)
                raise StopIteration from None

        return values.Pulled(pull)

    return DatasetValue(begin, UNKNOWN)


_MORE = "input_dataset: variant, other_arguments: Targuments"
_CALLED = f"f: func, Targuments: list(type) >= 0, {TYPED}"
_ASKED = f"predicate: func, Targuments: list(type) >= 0, {TYPED}"
_PARALLEL = "use_inter_op_parallelism: bool = true"
_BUFFERED = "cycle_length: int64, block_length: int64, buffer_output_elements: int64, prefetch_input_elements: int64"
_SIZED = "preserve_cardinality: bool = false"

make("MapDataset", _MORE, f"{_CALLED}, {_PARALLEL}, {_SIZED}", _map, "What a function makes of each element.")
make(
    "ParallelMapDataset",
    f"{_MORE}, num_parallel_calls: int32",
    f"{_CALLED}, {_PARALLEL}, sloppy: bool = false, {_SIZED}",
    _map,
    "What a function makes of each element, one after the other.",
)
make(
    "ParallelMapDatasetV2",
    f"{_MORE}, num_parallel_calls: int64",
    f"{_CALLED}, {_PARALLEL}, deterministic: string = 'default', {_SIZED}",
    _map,
    "What a function makes of each element, one after the other.",
)
make(
    "ParallelFilterDataset",
    f"{_MORE}, num_parallel_calls: int64",
    "predicate: func, deterministic: string = 'default', Targuments: list(type) >= 0, " + TYPED,
    _filter,
    "The elements for which a function gives true.",
)
make("FilterDataset", _MORE, _ASKED, _filter, "The elements for which a function gives true.")
make_with_twin("TakeWhileDataset", _MORE, _ASKED, _take_while, "The elements before the first for which a function gives false.")
make("FlatMapDataset", _MORE, _CALLED, _interleave, "The elements of the datasets that a function makes of each element.")
make(
    "InterleaveDataset",
    f"{_MORE}, cycle_length: int64, block_length: int64",
    _CALLED,
    _interleave,
    "The elements of the datasets that a function makes of each element, of several at a time.",
)
make(
    "ParallelInterleaveDatasetV2",
    f"{_MORE}, cycle_length: int64, block_length: int64, num_parallel_calls: int64",
    f"{_CALLED}, sloppy: bool = false",
    _interleave,
    "The elements of the datasets that a function makes of each element, of several at a time.",
)
for _name, _tail, _run in (
    ("ParallelInterleaveDatasetV3", "cycle_length: int64, block_length: int64, num_parallel_calls: int64", _interleave),
    ("ParallelInterleaveDatasetV4", f"{_BUFFERED}, num_parallel_calls: int64", _interleave),
    ("LegacyParallelInterleaveDatasetV2", _BUFFERED, _interleave_without_gaps),
):
    make(
        _name,
        f"{_MORE}, {_tail}",
        f"f: func, deterministic: string = 'default', Targuments: list(type) >= 0, {TYPED}",
        _run,
        "The elements of the datasets that a function makes of each element, of several at a time.",
    )
make_with_twin(
    "ParallelInterleaveDataset",
    f"{_MORE}, cycle_length: int64, block_length: int64, sloppy: bool, buffer_output_elements: int64, prefetch_input_elements: int64",
    _CALLED,
    _interleave_without_gaps,
    "The elements of the datasets that a function makes of each element, of several at a time.",
)
make_with_twin(
    "MapAndBatchDataset",
    f"{_MORE}, batch_size: int64, num_parallel_calls: int64, drop_remainder: bool",
    f"{_CALLED}, {_SIZED}",
    _map_and_batch,
    "What a function makes of each element, several together.",
)
make(
    "ScanDataset",
    "input_dataset: variant, initial_state: Tstate, other_arguments: Targuments",
    f"f: func, Tstate: list(type) >= 1, Targuments: list(type) >= 0, {TYPED}, {_SIZED}, use_default_device: bool = true",
    _scan,
    "What a function makes of each element and of what it made before.",
)
make(
    "ExperimentalScanDataset",
    "input_dataset: variant, initial_state: Tstate, other_arguments: Targuments",
    f"f: func, Tstate: list(type) >= 1, Targuments: list(type) >= 0, {TYPED}, {_SIZED}",
    _scan,
    "What a function makes of each element and of what it made before.",
)
make(
    "GeneratorDataset",
    "init_func_other_args: Tinit_func_args, next_func_other_args: Tnext_func_args, finalize_func_other_args: Tfinalize_func_args",
    "init_func: func, next_func: func, finalize_func: func, Tinit_func_args: list(type) >= 0, Tnext_func_args: list(type) >= 0, "
    f"Tfinalize_func_args: list(type) >= 0, {TYPED}",
    _generate,
    "What a function gives until it is out of range.",
    is_stateful=True,
)


class ReduceDataset(Making):
    """What a function makes of all elements, one after the other."""

    inputs = "input_dataset: variant, initial_state: Tstate, other_arguments: Targuments"
    outputs = "components: output_types"
    attrs = f"f: func, Tstate: list(type) >= 1, Targuments: list(type) >= 0, {TYPED}, {_PARALLEL}"
    is_stateful = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return list(op.attr("output_shapes"))

    @staticmethod
    def run(ctx: Context, source: DatasetValue, state: list[Any], others: list[Any], *, f: Any) -> list[Any]:
        call, current = bound(ctx, f, others), list(state)
        for element in source:
            current = call([*current, *element])
        return current
