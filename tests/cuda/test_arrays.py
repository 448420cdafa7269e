"""Every dtype and every layout, there and back, by each way of saving and of loading."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import gpersist
from gpersist.devices import Device, device_of
from gpersist.dtypes import DType
from tests.cuda.gpus import cupy, hold, numbers, stored, stream_of
from tests.devices.contract import NUMERIC, assert_same_bytes, pattern, put, take

pytestmark = pytest.mark.cuda

LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "as it is": lambda array: array,
    "a part": lambda array: array[3:9],
    "a row": lambda array: array[5],
    "one element": lambda array: array[4:5, 7:8, 2:3],
    "a scalar": lambda array: array[4, 7, 2],
    "nothing": lambda array: array[3:3],
    "nothing, strided": lambda array: array[::2, 4:4, ::-1],
    "transposed": lambda array: array.T,
    "axes swapped": lambda array: array.swapaxes(0, 1),
    "every other": lambda array: array[::2, 1::3],
    "backwards": lambda array: array[::-1, :, ::-1],
    "an inner column": lambda array: array[:, 4, :],
    "repeated": lambda array: cupy.broadcast_to(array[:1], array.shape),
    "a diagonal": lambda array: array.diagonal(),
    "with new axes": lambda array: array[None, ::2, None],
}


def save_and_overwrite(prefix: str, array: Any, whole: Any) -> None:
    """Saves `array`, in the background, and at once enqueues other values for the memory that it is a view of."""
    handle = gpersist.save_async(prefix, {"x": array})
    whole.data.memset_async(0xEE, whole.nbytes)
    handle.result()


@pytest.mark.parametrize("dtype", NUMERIC, ids=lambda dtype: dtype.name)
class TestDtypes:
    def test_there_and_back(self, device: Device, prefix: str, dtype: DType) -> None:
        assert dtype.numpy is not None
        values = pattern((6, 7), dtype.numpy)
        array = put(device, values)
        gpersist.save(prefix, {"x": array})
        assert_same_bytes(stored(prefix)["x"], values)
        found = gpersist.load(prefix)["x"]
        assert (type(found), device_of(found)) == (cupy.ndarray, device)
        assert_same_bytes(take(device, found), values)
        target = put(device, np.zeros_like(values))
        gpersist.load(prefix, into={"x": target})
        assert_same_bytes(take(device, target), values)

    def test_in_the_background_and_strided(self, device: Device, prefix: str, dtype: DType) -> None:
        assert dtype.numpy is not None
        values = pattern((6, 7), dtype.numpy)
        array = put(device, values)
        save_and_overwrite(prefix, array.T[::2], array)
        assert_same_bytes(stored(prefix)["x"], np.ascontiguousarray(values.T[::2]))
        target = put(device, np.zeros_like(values))
        gpersist.load(prefix, into={"x": target.T[::2]})
        values[:, 1::2] = np.zeros((), values.dtype)
        assert_same_bytes(take(device, target), values)


def test_what_cupy_cannot_compute_with_is_carried_all_the_same(device: Device, prefix: str) -> None:
    """CuPy itself makes no float8; arrays of it come from here or by DLPack, and it says so when asked for more than bytes."""
    values = np.arange(8).astype(ml_dtypes.float8_e5m2)
    with pytest.raises((TypeError, ValueError)):
        cupy.asarray(values)
    gpersist.save(prefix, {"x": values})
    found = gpersist.load(prefix, placement=device.name)["x"]
    assert found.dtype == values.dtype
    assert_same_bytes(take(device, found[2:6]), values[2:6])


@pytest.mark.parametrize("layout", LAYOUTS)
class TestLayouts:
    @pytest.fixture
    def values(self) -> np.ndarray[Any, Any]:
        return numbers(0, 12 * 13 * 14).reshape(12, 13, 14)

    @pytest.fixture
    def expected(self, values: np.ndarray[Any, Any], layout: str) -> np.ndarray[Any, Any]:
        if layout == "repeated":
            return np.repeat(values[:1], 12, axis=0)
        view: np.ndarray[Any, Any] = LAYOUTS[layout](values)
        return np.array(view, order="C")

    @pytest.mark.parametrize("current", ["null", "non-blocking"])
    def test_saved(
        self, device: Device, prefix: str, values: np.ndarray[Any, Any], layout: str, expected: np.ndarray[Any, Any], current: str
    ) -> None:
        array = put(device, values - 1)
        with stream_of(current):
            array += 1
            gpersist.save(prefix, {"x": LAYOUTS[layout](array)})
        assert_same_bytes(stored(prefix)["x"], expected)

    @pytest.mark.parametrize("current", ["null", "non-blocking"])
    def test_saved_in_the_background(
        self, device: Device, prefix: str, values: np.ndarray[Any, Any], layout: str, expected: np.ndarray[Any, Any], current: str
    ) -> None:
        array = put(device, values - 1)
        with stream_of(current) as stream:
            array += 1
            released = hold(stream)
            handle = gpersist.save_async(prefix, {"x": LAYOUTS[layout](array)})
            array += 1
            released.set()
            handle.result()
            stream.synchronize()
        assert_same_bytes(stored(prefix)["x"], expected)

    def test_loaded_into(self, device: Device, prefix: str, values: np.ndarray[Any, Any], layout: str, expected: np.ndarray[Any, Any]) -> None:
        if layout == "repeated":
            pytest.skip("its elements share memory")
        gpersist.save(prefix, {"x": expected})
        with stream_of("non-blocking") as stream:
            array = cupy.empty(values.shape, values.dtype)
            array.fill(-1)
            gpersist.load(prefix, into={"x": LAYOUTS[layout](array)})
            found = array.get(stream=stream)
        assert_same_bytes(np.array(LAYOUTS[layout](found), order="C"), expected)
        assert (found == -1).sum() == found.size - expected.size


def test_many_small_arrays_share_slots(device: Device, prefix: str) -> None:
    arrays = {f"layer/{number}": put(device, numbers(number, number % 7)) for number in range(300)}
    handle = gpersist.save_async(prefix, arrays, ring_bytes=16384)
    for array in arrays.values():
        array += 1
    handle.result()
    found = gpersist.load(prefix, ring_bytes=16384)
    for number in range(300):
        assert_same_bytes(found[f"layer/{number}"].get(), numbers(number, number % 7))


@pytest.mark.parametrize("options", [{"direct_io": True}, {"threads": 1}, {"threads": 4}, {"shards": 3}, {"alignment_bytes": 1}], ids=str)
def test_an_array_larger_than_the_ring(device: Device, prefix: str, options: dict[str, Any]) -> None:
    values = numbers(0, 123_457)
    array = put(device, values)
    handle = gpersist.save_async(prefix, {"x": array, "y": array[:7], "host": values}, ring_bytes=32768, **options)
    array += 1
    handle.result()
    found = gpersist.load(prefix, ring_bytes=32768)
    assert isinstance(found["host"], np.ndarray)
    assert_same_bytes(found["host"], values)
    assert_same_bytes(found["x"].get(), values)
    assert_same_bytes(found["y"].get(), values[:7])
