"""gpersist.staging.scattered: arrays of any layout as the bytes of a file, held against NumPy's own `tobytes`."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpersist.staging import Scattered
from gpersist.staging.scattered import boxes

SHAPES = st.lists(st.integers(1, 5), max_size=4).map(tuple)


def layouts(shape: tuple[int, ...], dtype: Any) -> list[np.ndarray[Any, Any]]:
    values = np.arange(int(np.prod(shape)), dtype=np.uint8).astype(dtype).reshape(shape)
    wide = np.zeros(tuple(3 * size for size in shape), dtype)
    strided = wide[(*(slice(1, None, 3) for _ in shape), ...)]
    strided[...] = values
    back = (*(slice(None, None, -1) for _ in shape), ...)
    reverse = values[back].copy()[back]
    return [np.array(values, order="F"), strided, reverse, np.array(values, np.dtype(dtype).newbyteorder(">"))]


@given(SHAPES, st.data())
def test_boxes_make_up_the_range_in_order(shape: tuple[int, ...], data: st.DataObject) -> None:
    numbers = np.arange(int(np.prod(shape))).reshape(shape)
    first = data.draw(st.integers(0, numbers.size - 1))
    last = data.draw(st.integers(first + 1, numbers.size))
    found = list(boxes(shape, first, last))
    assert np.concatenate([numbers[(*box, ...)].ravel() for box in found]).tolist() == list(range(first, last))
    assert len(found) <= max(1, 2 * len(shape) - 1)


@settings(max_examples=40)
@given(SHAPES, st.sampled_from([np.uint8, np.float32, np.complex128, ml_dtypes.bfloat16]), st.data())
def test_reads_what_the_file_holds(shape: tuple[int, ...], dtype: Any, data: st.DataObject) -> None:
    for array in layouts(shape, dtype):
        scattered = Scattered(array, np.dtype(dtype))
        expected = array.astype(dtype).tobytes()
        begin = data.draw(st.integers(0, len(expected) - 1))
        end = data.draw(st.integers(begin + 1, len(expected)))
        assert scattered.nbytes == len(expected)
        assert bytes(scattered.read(begin, end)) == expected[begin:end]


@settings(max_examples=40)
@given(SHAPES, st.sampled_from([np.uint8, np.float32, ml_dtypes.bfloat16]), st.data())
def test_writes_where_elements_belong_and_nowhere_else(shape: tuple[int, ...], dtype: Any, data: st.DataObject) -> None:
    item = np.dtype(dtype).itemsize
    for array in layouts(shape, dtype):
        expected = bytearray(array.astype(dtype).tobytes())
        begin = data.draw(st.integers(0, array.size - 1)) * item
        content = bytes(data.draw(st.binary(min_size=item, max_size=item))) * data.draw(st.integers(1, array.size - begin // item))
        Scattered(array, np.dtype(dtype)).write(begin, memoryview(content))
        expected[begin : begin + len(content)] = content
        assert array.astype(np.dtype(dtype)).tobytes() == bytes(expected)


def test_neighbours_of_a_view_are_left_alone() -> None:
    whole = np.zeros((4, 6), np.int32)
    Scattered(whole[:, 1:3], np.dtype(np.int32)).write(0, memoryview(np.full(8, 7, np.int32).view(np.uint8).data))
    assert whole[:, 1:3].tolist() == [[7, 7]] * 4
    assert whole.sum() == 7 * 8


def test_a_zero_dimensional_array_has_one_element() -> None:
    array = np.array(1.5, ">f4")
    scattered = Scattered(array, np.dtype("<f4"))
    assert bytes(scattered.read(0, 4)) == np.array(1.5, "<f4").tobytes()
    scattered.write(0, memoryview(np.array(2.5, "<f4").tobytes()))
    assert array == pytest.approx(2.5)
