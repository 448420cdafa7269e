"""Datasets as they run: what gives elements, one after the other, each a tuple of arrays. Operations make them, iterators draw from them.

What raises an error goes on with the next element when it is asked again, as in TensorFlow; this is why there are few generators here.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from gpersist.errors import DataLossError, InvalidArgumentError
from gpersist.ops.kernels import as_array, shown
from gpersist.ops.philox import Philox

__all__: list[str] = []

Element = tuple[Any, ...]
"""A NumPy array or scalar, or another dataset, for each component."""

INFINITE, UNKNOWN = -1, -2
"""Numbers of elements that are none."""


class DatasetValue:
    """A dataset.

    Args:
        begin: gives its elements from the first one on.
        size: how many there are; `INFINITE` or `UNKNOWN`.
        remake: gives the same dataset anew, with all that it remembers (seeds, what is cached) forgotten.
    """

    __slots__ = ("_is_taken", "_remake", "begin", "size")
    shape = ()  # of one as an element of a list

    def __init__(self, begin: Callable[[], Iterator[Element]], size: int = UNKNOWN, remake: Callable[[], DatasetValue] | None = None) -> None:
        self.begin = begin
        self.size = size
        self._remake = remake
        self._is_taken = False

    def taken(self) -> DatasetValue:
        """This dataset for one who uses it: each of several has one of their own, as in TensorFlow, where graphs of datasets are trees."""
        if self._is_taken and self._remake is not None:
            return self._remake()
        self._is_taken = True
        return self

    def __iter__(self) -> Iterator[Element]:
        return self.begin()


class Pulled:
    """An iterator that calls a function for each element, until that raises StopIteration."""

    __slots__ = ("_pull",)

    def __init__(self, pull: Callable[[], Any]) -> None:
        self._pull = pull

    def __iter__(self) -> Pulled:
        return self

    def __next__(self) -> Any:
        return self._pull()


def own(values: Sequence[Any]) -> Element:
    """Values in memory that is nobody else's."""
    return tuple(value.copy() if isinstance(value, np.ndarray) else value for value in values)


def sliced(components: Sequence[Any]) -> DatasetValue:
    """The rows of arrays."""
    arrays = [as_array(np, value) for value in components]
    if any(not array.ndim for array in arrays) or len({len(array) for array in arrays}) != 1:
        raise InvalidArgumentError(f"All components must have the same first dimension: their shapes are {[shown(array.shape) for array in arrays]}")
    count = len(arrays[0])
    return DatasetValue(lambda: (own([array[index] for array in arrays]) for index in range(count)), count)


def repeated(source: DatasetValue, count: int) -> DatasetValue:
    """The same again, so many times; for a number below 0 without an end."""
    size = 0 if not count or not source.size else INFINITE if count < 0 or source.size == INFINITE else UNKNOWN
    if count > 0 and source.size > 0:
        size = source.size * count
    return DatasetValue(lambda: _Repeated(source, count), size)


class _Repeated:
    def __init__(self, source: DatasetValue, count: int) -> None:
        self._source = source
        self._left = count
        self._at: Iterator[Element] | None = None

    def __iter__(self) -> _Repeated:
        return self

    def __next__(self) -> Element:
        while self._left:
            is_first = self._at is None
            if self._at is None:
                self._at = iter(self._source)
            for element in self._at:
                return element
            self._at = None
            self._left -= 1
            if is_first and self._left < 0:
                break  # there is nothing to be repeated
        self._left = 0
        raise StopIteration


def batched(source: DatasetValue, size: int, drops: bool, join: Callable[[list[Element]], Element]) -> DatasetValue:
    """Several elements as one.

    Args:
        source: of the elements.
        size: how many.
        drops: whether what is left over at the end is lost.
        join: makes one of them.

    Raises:
        InvalidArgumentError: the size is not at least 1.
    """
    if size <= 0:
        raise InvalidArgumentError("Batch size must be greater than zero.")

    def begin() -> Iterator[Element]:
        elements = iter(source)

        def pull() -> Element:
            found = list(itertools.islice(elements, size))
            if not found or (drops and len(found) < size):
                raise StopIteration
            return join(found)

        return Pulled(pull)

    count = source.size if source.size < 0 else source.size // size if drops else -(-source.size // size)
    return DatasetValue(begin, count)


def stacked(elements: list[Element]) -> Element:
    """Elements along a new first axis.

    Raises:
        InvalidArgumentError: they have different shapes.
    """
    joined = []
    for number, column in enumerate(zip(*elements, strict=True)):
        arrays = [as_array(np, value) if not isinstance(value, DatasetValue) else _boxed(value) for value in column]
        for index, array in enumerate(arrays):
            if array.shape != arrays[0].shape:
                raise InvalidArgumentError(
                    f"Cannot batch tensors with different shapes in component {number}. First element had shape {shown(arrays[0].shape)} and element "
                    f"{index} had shape {shown(array.shape)}."
                )
        joined.append(np.stack(arrays))
    return tuple(joined)


def padded(elements: list[Element], shapes: Sequence[Sequence[int]], fills: Sequence[Any]) -> Element:
    """Elements along a new first axis, each filled up to a shape, whose -1 stand for the largest among them.

    Raises:
        InvalidArgumentError: one has another rank, or is larger.
    """
    joined = []
    for number, (column, shape, fill) in enumerate(zip(zip(*elements, strict=True), shapes, fills, strict=True)):
        arrays = [as_array(np, value) for value in column]
        for array in arrays:
            if array.ndim != len(shape):
                raise InvalidArgumentError(
                    "All elements in a batch must have the same rank as the padded shape for component"
                    f"{number}: expected rank {len(shape)} but got element with rank {array.ndim}"
                )
            if any(0 <= most < size for most, size in zip(shape, array.shape, strict=True)):
                raise DataLossError(
                    "Attempted to pad to a smaller size than the input element: component "
                    f"{number} has shape {shown(array.shape)}, and is padded to {shown(shape)}"
                )
        sizes = [max(array.shape[axis] for array in arrays) if most < 0 else most for axis, most in enumerate(shape)]
        found: Any = np.empty((len(arrays), *sizes), arrays[0].dtype)
        found[...] = fill
        for index, array in enumerate(arrays):
            found[(index, *(slice(size) for size in array.shape), ...)] = array
        joined.append(found)
    return tuple(joined)


def _boxed(value: Any) -> Any:
    found = np.empty((), object)
    found[()] = value
    return found


class _Words:
    """The words of 32 bits that two seeds choose, one after the other."""

    def __init__(self, seed: int, seed2: int) -> None:
        self._position = Philox.of_seeds(seed, seed2)
        self._words: deque[int] = deque()

    def __call__(self) -> int:
        if not self._words:
            self._words.extend(self._position.blocks(np, 16).reshape(-1).tolist())
            self._position = self._position.skip(16)
        return self._words.popleft()


def random_numbers(seed: int, seed2: int) -> DatasetValue:
    """The words that two seeds choose, as int64, without an end."""

    def begin() -> Iterator[Element]:
        words = _Words(seed, seed2)
        return Pulled(lambda: (np.int64(words()),))

    return DatasetValue(begin, INFINITE)


class Seeds:
    """The seeds of a shuffle's iterators: always the same, or each time others.

    Args:
        seed, seed2: what they begin with; both 0 for anything.
        is_fresh: whether each iterator gets others.
    """

    def __init__(self, seed: int, seed2: int, is_fresh: bool) -> None:
        self._words = _Words(seed, seed2)
        self._fixed = None if is_fresh else (seed, seed2) if seed or seed2 else (self._words(), self._words())

    def draw(self) -> tuple[int, int]:
        """Those of the next iterator."""
        return self._fixed or (self._words(), self._words())


def shuffled(source: DatasetValue, room: int, seeds: Seeds) -> DatasetValue:
    """Elements in another order: each is drawn from those that there is room for (`tensorflow/core/kernels/data/shuffle_dataset_op.cc`).

    Raises:
        InvalidArgumentError: there is no room.
    """
    if room < 1:
        raise InvalidArgumentError("buffer_size must be greater than zero or UNKNOWN_CARDINALITY")

    def begin() -> Iterator[Element]:
        words = _Words(*seeds.draw())
        elements = iter(source)
        kept: deque[Element] = deque()

        def pull() -> Element:
            kept.extend(itertools.islice(elements, room - len(kept)))
            if not kept:
                raise StopIteration
            at = words() % len(kept)
            found, kept[at] = kept[at], kept[0]
            kept.popleft()
            return found

        return Pulled(pull)

    return DatasetValue(begin, source.size)


def _of_column(column: Sequence[Any]) -> DatasetValue:
    return DatasetValue(lambda: ((value,) for value in column), len(column))


def neighbours(source: DatasetValue, size: int, shift: int, stride: int, drops: bool) -> Iterator[list[Element]]:
    """Every `stride`-th of neighbouring elements, `size` of them together; the next ones begin `shift` elements later."""
    elements = iter(source)
    kept: list[Element] = []
    ahead = 0  # elements before the next window, where windows leave some out
    reach = (size - 1) * stride + 1
    while True:
        for _ in itertools.islice(elements, ahead):
            pass
        kept.extend(itertools.islice(elements, reach - len(kept)))
        if not kept or (drops and len(kept) < reach):
            return
        yield kept[::stride]
        ahead = max(0, shift - len(kept))
        del kept[:shift]


def check_window(size: int, shift: int, stride: int) -> None:
    """Raises InvalidArgumentError for what is no window."""
    if size <= 0 or shift <= 0 or stride <= 0:
        raise InvalidArgumentError("Window size, shift and stride must be greater than zero.")


def windowed(source: DatasetValue, size: int, shift: int, stride: int, drops: bool) -> DatasetValue:
    """Datasets of neighbouring elements: one for each component."""
    check_window(size, shift, stride)
    return DatasetValue(
        lambda: (tuple(_of_column(column) for column in zip(*found, strict=True)) for found in neighbours(source, size, shift, stride, drops))
    )


def unbatched(source: DatasetValue) -> DatasetValue:
    """The rows of each element, one after the other."""

    def begin() -> Iterator[Element]:
        for element in source:
            yield from sliced(element)

    return DatasetValue(begin)


def cached(source: DatasetValue) -> DatasetValue:
    """The same, kept once they have all been given."""
    whole: list[list[Element]] = []

    def begin() -> Iterator[Element]:
        if whole:
            return (own(element) for element in whole[0])
        found: list[Element] = []
        elements = iter(source)

        def pull() -> Element:
            for element in elements:
                found.append(element)
                return own(element)
            if not whole:
                whole.append(found)
            raise StopIteration

        return Pulled(pull)

    return DatasetValue(begin, source.size)


def interleaved(source: DatasetValue, open_one: Callable[[Element], DatasetValue], cycle: int, block: int) -> DatasetValue:
    """The elements of datasets that elements become: of so many at a time, so many of each in turn (`interleave_dataset_op.cc`).

    Raises:
        InvalidArgumentError: one of the numbers is not at least 1.
    """
    if cycle <= 0 or block <= 0:
        raise InvalidArgumentError(f"{'cycle_length' if cycle <= 0 else 'block_length'} must be greater than zero.")

    def begin() -> Iterator[Element]:
        elements = iter(source)
        slots: list[Iterator[Element] | None] = [None] * cycle
        at = given = 0
        is_over = False

        def on() -> None:
            nonlocal at, given
            at, given = (at + 1) % cycle, 0

        def pull() -> Element:
            nonlocal given, is_over
            while not is_over or any(slot is not None for slot in slots):
                current = slots[at]
                if current is not None:
                    for element in current:
                        given += 1
                        if given == block:
                            on()
                        return element
                    slots[at] = None
                    on()
                elif not is_over:
                    found = next(elements, None)
                    if found is None:
                        is_over = True
                    else:
                        slots[at] = iter(open_one(found))
                else:
                    on()
            raise StopIteration

        return Pulled(pull)

    return DatasetValue(begin)


def interleaved_without_gaps(source: DatasetValue, open_one: Callable[[Element], DatasetValue], cycle: int, block: int) -> DatasetValue:
    """The same, but that the next dataset takes the place of one that is over when that is found (`parallel_interleave_dataset_op.cc`).

    Raises:
        InvalidArgumentError: one of the numbers is not at least 1.
    """
    if cycle <= 0 or block <= 0:
        raise InvalidArgumentError(f"`{'cycle_length' if cycle <= 0 else 'block_length'}` must be > 0")

    def begin() -> Iterator[Element]:
        elements = iter(source)
        slots: list[Iterator[Element] | None] = [iter(open_one(element)) for element in itertools.islice(elements, cycle)]
        at = given = 0

        def pull() -> Element:
            nonlocal at, given
            while any(slot is not None for slot in slots):
                for number in range(at, at + len(slots)):
                    index = number % len(slots)
                    current = slots[index]
                    if current is None:
                        continue
                    for element in current:
                        at, given = index, given + 1
                        if given == block:
                            at, given = (index + 1) % len(slots), 0
                        return element
                    found = next(elements, None)
                    slots[index] = None if found is None else iter(open_one(found))
                    if found is not None:
                        at, given = (index + 1) % len(slots), 0
                        break
            raise StopIteration

        return Pulled(pull)

    return DatasetValue(begin)
