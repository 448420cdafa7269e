"""Operations that make one dataset of elements that belong together by a key, which a function tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Context
from gpersist.ops import dataset_values as values
from gpersist.ops.dataset_functions import bound
from gpersist.ops.dataset_ops import ONE, TYPED, make_with_twin
from gpersist.ops.dataset_values import DatasetValue, Element

__all__: list[str] = []


def _of(elements: list[Element]) -> DatasetValue:
    return DatasetValue(lambda: iter(elements), len(elements))


def _group_by_window(
    ctx: Context,
    source: DatasetValue,
    key_others: list[Any],
    reduce_others: list[Any],
    size_others: list[Any],
    *,
    key_func: Any,
    reduce_func: Any,
    window_size_func: Any,
) -> DatasetValue:
    key_of, reduced, size_of = bound(ctx, key_func, key_others), bound(ctx, reduce_func, reduce_others), bound(ctx, window_size_func, size_others)

    def begin() -> Iterator[Element]:
        elements = iter(source)
        groups: dict[int, tuple[int, list[Element]]] = {}
        current: Iterator[Element] = iter(())

        def flush(key: int) -> Iterator[Element]:
            _, found = groups.pop(key)
            return iter(reduced([np.int64(key), _of(found)])[0])

        def pull() -> Element:
            nonlocal current
            while True:
                for element in current:
                    return element
                following = next(elements, None)
                if following is not None:
                    key = int(key_of(following)[0])
                    if key not in groups:
                        size = int(size_of([np.int64(key)])[0])
                        if size <= 0:
                            raise InvalidArgumentError(f"Window size must be greater than zero, but got {size}.")
                        groups[key] = (size, [])
                    size, group = groups[key]
                    group.append(following)
                    if len(group) == size:
                        current = flush(key)
                elif groups:
                    current = flush(min(groups))
                else:
                    raise StopIteration

        return values.Pulled(pull)

    return DatasetValue(begin)


def _group_by_reducer(
    ctx: Context,
    source: DatasetValue,
    key_others: list[Any],
    init_others: list[Any],
    reduce_others: list[Any],
    finalize_others: list[Any],
    *,
    key_func: Any,
    init_func: Any,
    reduce_func: Any,
    finalize_func: Any,
) -> DatasetValue:
    key_of, begun, reduced = bound(ctx, key_func, key_others), bound(ctx, init_func, init_others), bound(ctx, reduce_func, reduce_others)
    finished = bound(ctx, finalize_func, finalize_others)

    def begin() -> Iterator[Element]:
        states: dict[int, list[Any]] = {}
        for element in source:
            key = int(key_of(element)[0])
            if key not in states:
                states[key] = begun([np.int64(key)])
            states[key] = reduced([*states[key], *element])
        for key in sorted(states):
            yield tuple(finished(states[key]))

    return DatasetValue(begin)


def _functions(*names: str) -> tuple[str, str]:
    """The inputs and attributes of an operation with these functions."""
    inputs = ", ".join([ONE, *(f"{name}_func_other_arguments: T{name}_func_other_arguments" for name in names)])
    attrs = [*(f"{name}_func: func" for name in names), *(f"T{name}_func_other_arguments: list(type) >= 0" for name in names), TYPED]
    return inputs, ", ".join(attrs)


make_with_twin("GroupByWindowDataset", *_functions("key", "reduce", "window_size"), _group_by_window, "What a function makes of elements of one key.")
make_with_twin(
    "GroupByReducerDataset",
    *_functions("key", "init", "reduce", "finalize"),
    _group_by_reducer,
    "What functions make of all elements of one key.",
    is_stateful=True,
)
