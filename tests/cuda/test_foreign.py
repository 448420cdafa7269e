"""Arrays of other libraries on a GPU: doubles that speak `__cuda_array_interface__` and DLPack, and work on streams of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import gpersist
from gpersist.devices import Device, device_of
from tests.cuda.gpus import GPUS, STREAMS, cupy, hold, in_process, numbers, stored, stream_of
from tests.devices.contract import assert_same_bytes, put, take

pytestmark = pytest.mark.cuda


class Interface:
    """A tensor of a library that has `__cuda_array_interface__`, version 3, with the stream that its last work is on."""

    def __init__(self, array: Any, stream: Any) -> None:
        pointer = {0: 1, cupy.cuda.Stream.ptds.ptr: 2}.get(stream.ptr, stream.ptr)  # the protocol forbids 0
        self.__cuda_array_interface__ = array.__cuda_array_interface__ | {"stream": pointer, "version": 3}
        self.array, self.shape = array, array.shape


class Exported:
    """A tensor of a library that has DLPack, and orders what it exports behind its last work."""

    def __init__(self, array: Any, stream: Any) -> None:
        self.array, self.shape, self._stream = array, array.shape, stream

    def __dlpack_device__(self) -> tuple[int, int]:
        kind, index = self.array.__dlpack_device__()
        return int(kind), int(index)

    def __dlpack__(self, **options: Any) -> Any:
        with self.array.device, self._stream:
            return self.array.__dlpack__(**options)


TENSORS: list[Callable[..., Any]] = [Interface, Exported]


@pytest.mark.parametrize("index", range(min(2, len(GPUS))))
@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("tensor", TENSORS, ids=["interface", "DLPack"])
class TestProducers:
    """The first device is current, and its null stream, wherever the tensor lives and whatever stream its library works on."""

    def test_are_saved_with_their_work_under_way(self, prefix: str, tensor: Callable[..., Any], kind: str, index: int) -> None:
        gpu = GPUS[index]
        array = put(gpu, numbers(0))
        with gpu.activate(), stream_of(kind) as stream:
            hold(stream).set()
            array += 1
        gpersist.save(prefix, {"x": tensor(array, stream), "part": tensor(array.reshape(250, 200)[::2, 5:], stream)})
        found = stored(prefix)
        assert_same_bytes(found["x"], numbers(1))
        assert_same_bytes(found["part"], np.ascontiguousarray(numbers(1).reshape(250, 200)[::2, 5:]))
        loaded = gpersist.load(prefix)["x"]
        assert (type(loaded), device_of(loaded)) == (cupy.ndarray, gpu)

    def test_are_saved_in_the_background(self, prefix: str, tensor: Callable[..., Any], kind: str, index: int) -> None:
        """What their library does next is on another stream than CuPy's current one: it waits for `wait_staged`."""
        gpu = GPUS[index]
        array = put(gpu, numbers(0))
        with gpu.activate(), stream_of(kind) as stream:
            array += 1
        handle = gpersist.save_async(prefix, {"x": tensor(array, stream)})
        handle.wait_staged(20)
        with gpu.activate(), stream:
            array += 1
        handle.result()
        assert_same_bytes(stored(prefix)["x"], numbers(1))

    def test_are_loaded_into(self, prefix: str, tensor: Callable[..., Any], kind: str, index: int) -> None:
        gpu = GPUS[index]
        gpersist.save(prefix, {"x": numbers(7), "part": numbers(8).reshape(200, 250)})
        array, whole, seen = put(gpu, numbers(0)), put(gpu, np.zeros((400, 250), np.float32)), put(gpu, numbers(0))
        with gpu.activate(), stream_of(kind) as stream:
            hold(stream).set()
            seen += array
            into = {"x": tensor(array, stream), "part": tensor(whole[::2], stream)}
        assert gpersist.load(prefix, into=into) is into
        with gpu.activate(), stream:
            array += 1
            stream.synchronize()
        assert_same_bytes(take(gpu, array), numbers(8))
        assert_same_bytes(take(gpu, seen), numbers(0) * 2)
        assert_same_bytes(take(gpu, whole)[::2], numbers(8).reshape(200, 250))
        assert not take(gpu, whole)[1::2].any()


@pytest.mark.parametrize("version", [2, 3])
def test_an_interface_that_names_no_stream(device: Device, prefix: str, version: int) -> None:
    array = put(device, numbers(2))
    described = array.__cuda_array_interface__
    described.pop("stream", None)
    tensor = type("Tensor", (), {"__cuda_array_interface__": described | {"version": version} | ({"stream": None} if version == 3 else {})})()
    gpersist.save_async(prefix, {"x": tensor}).result()
    assert_same_bytes(stored(prefix)["x"], numbers(2))


def test_empty_tensors(device: Device, prefix: str) -> None:
    empty = {"shape": (0, 3), "typestr": "<f4", "data": (0, False), "version": 3}
    tensor = type("Tensor", (), {"__cuda_array_interface__": empty})()
    with cupy.cuda.Stream(non_blocking=True) as stream:
        gpersist.save(prefix, {"a": tensor, "b": Exported(cupy.zeros((2, 0), np.int16), stream)})
    assert {name: (array.shape, str(array.dtype)) for name, array in stored(prefix).items()} == {"a": ((0, 3), "float32"), "b": ((2, 0), "int16")}


def test_bfloat16_by_dlpack(device: Device, prefix: str) -> None:
    values = numbers(0, 64).astype(ml_dtypes.bfloat16)
    gpersist.save(prefix, {"x": Exported(put(device, values), cupy.cuda.Stream.null)})
    assert_same_bytes(stored(prefix)["x"], values)


def test_what_was_loaded_goes_to_other_libraries(device: Device, prefix: str) -> None:
    """By either protocol, at once and on any stream: no copy is under way any more."""
    gpersist.save(prefix, {"x": numbers(3)})
    found = gpersist.load(prefix, placement=device.name)["x"]
    with cupy.cuda.Stream(non_blocking=True) as stream:
        described = found.__cuda_array_interface__
        view = cupy.ndarray(
            described["shape"], np.float32, cupy.cuda.MemoryPointer(cupy.cuda.UnownedMemory(described["data"][0], found.nbytes, found), 0)
        )
        exported = cupy.from_dlpack(found)
        assert_same_bytes(view.get(stream=stream), numbers(3))
        assert_same_bytes(exported.get(stream=stream), numbers(3))


@pytest.mark.parametrize(
    "broken", [{}, {"data": (1 << 20, False), "shape": (4,), "typestr": "<f4", "version": 3, "mask": object()}], ids=["empty", "masked"]
)
def test_an_interface_that_makes_no_sense(prefix: str, broken: dict[str, Any]) -> None:
    tensor = type("Tensor", (), {"__cuda_array_interface__": broken})()
    with pytest.raises(gpersist.InvalidArgumentError, match=r"'x'.*Tensor"):
        gpersist.save(prefix, {"x": tensor})


def test_a_foreign_tensor_alone_makes_no_other_context(prefix: str) -> None:
    if len(GPUS) < 2:
        pytest.skip("one device only")
    program = f"""
import ctypes
cupy.cuda.Device(1).use()
array = cupy.arange(100, dtype=np.float32)
tensor = type("Tensor", (), {{"__cuda_array_interface__": array.__cuda_array_interface__}})()
gpersist.save({prefix!r}, {{"x": tensor}})
flags, is_active = ctypes.c_uint(), ctypes.c_int()
assert ctypes.CDLL("libcuda.so.1").cuDevicePrimaryCtxGetState(0, ctypes.byref(flags), ctypes.byref(is_active)) == 0
print(is_active.value, cupy.cuda.runtime.getDevice())
"""
    assert in_process(program) == "0 1"
