from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from gpersist.devices import adopt, device_of, use_virtual
from gpersist.errors import InvalidArgumentError


def test_numpy_arrays_are_taken_as_they_are() -> None:
    for array in (np.zeros((2, 3)), np.zeros((4, 4))[::2], np.array(b"text", object), np.zeros(3, ml_dtypes.bfloat16)):
        assert adopt(array) is array
    with use_virtual(1) as (device,):
        array = device.empty((2,), np.dtype(np.int32))
        assert adopt(array) is array


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(True, "bool"), (3, "int64"), (2**63, "uint64"), (-1.5, "float64"), (1j, "complex128"), (np.float16(2), "float16"), (np.int8(-3), "int8")],
)
def test_scalars_become_what_numpy_makes_of_them(value: Any, dtype: str) -> None:
    array = adopt(value)
    assert (array.shape, array.dtype) == ((), np.dtype(dtype))
    assert array == value


@pytest.mark.parametrize(("value", "found"), [("text", b"text"), ("\u00e4\u0000", b"\xc3\xa4\x00"), (b"\x00raw\x00", b"\x00raw\x00"), ("", b"")])
def test_text_becomes_bytes_and_keeps_its_zeros(value: str | bytes, found: bytes) -> None:
    array = adopt(value)
    assert (array.shape, array.dtype) == ((), np.dtype(object))
    assert array.item() == found


@pytest.mark.parametrize(
    "value", [[1, 2], (1,), {"a": 1}, None, object(), 2**64, np.ma.masked_array([1, 2], [0, 1]), int], ids=lambda v: type(v).__name__
)
def test_what_is_no_array_is_refused_by_type(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match=f"{type(value).__name__}|masked"):
        adopt(value)


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, None])
def test_what_fits_no_array_may_go_as_text(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"as text.*json\.dumps"):
        adopt(value)


class Producer:
    """A CPU array of a library of its own, with the protocols that it is given."""

    def __init__(self, array: np.ndarray[Any, Any], *protocols: str) -> None:
        self.array = array
        for name in protocols:
            setattr(type(self), name, vars(Producer)[f"_{name.strip('_')}"])

    def _dlpack(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def _dlpack_device(self) -> tuple[int, int]:
        return (1, 0)

    def _array(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        return self.array


def producer(array: np.ndarray[Any, Any], *protocols: str) -> Any:
    return type("Tensor", (Producer,), {})(array, *protocols)


def test_dlpack_is_taken_without_a_copy() -> None:
    array = np.arange(12.0).reshape(3, 4)[:, ::2]
    taken = adopt(producer(array, "__dlpack__", "__dlpack_device__"))
    assert np.shares_memory(taken, array)
    assert (taken == array).all()
    assert device_of(taken).is_host


def test_the_array_protocol_is_the_last_resort() -> None:
    array = np.zeros(3, ml_dtypes.bfloat16)  # which DLPack's NumPy does not take
    taken = adopt(producer(array, "__dlpack__", "__dlpack_device__", "__array__"))
    assert taken.dtype == ml_dtypes.bfloat16
    assert np.shares_memory(taken, array)


def test_what_every_protocol_declines_is_refused_with_the_reasons() -> None:
    with pytest.raises(InvalidArgumentError, match=r"Tensor as an array: __dlpack__: .*; __array__: no memory of ours"):
        adopt(declining())


def declining() -> Any:
    def decline(self: Any, *_: Any, **__: Any) -> Any:
        raise TypeError("no memory of ours")

    return type("Tensor", (), {"__dlpack__": decline, "__dlpack_device__": decline, "__array__": decline})()


def test_running_out_of_memory_is_not_taken_for_a_refusal() -> None:
    def run_out(self: Any, *_: Any, **__: Any) -> Any:
        raise MemoryError

    with pytest.raises(MemoryError):
        adopt(type("Tensor", (), {"__array__": run_out})())


class TestTorch:
    @pytest.fixture
    def torch(self) -> Any:
        return pytest.importorskip("torch")

    @pytest.mark.parametrize("name", ["float32", "float16", "int64", "uint8", "uint16", "bool", "complex64"])
    def test_shares_memory(self, torch: Any, name: str) -> None:
        tensor = torch.zeros((3, 4), dtype=getattr(torch, name))
        array = adopt(tensor)
        assert (array.dtype, array.shape) == (np.dtype(name), (3, 4))
        tensor[1, 2] = 1
        assert array[1, 2] == 1

    @pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"])
    def test_shares_memory_of_what_numpy_lacks(self, torch: Any, name: str) -> None:
        tensor = torch.arange(12, dtype=torch.float32).reshape(3, 4).to(getattr(torch, name)).T[1:, ::2]
        array = adopt(tensor)
        assert (array.dtype, array.shape) == (np.dtype(getattr(ml_dtypes, name)), (3, 2))
        assert (array.astype(np.float32) == tensor.to(torch.float32).numpy()).all()
        assert array.__array_interface__["data"][0] == tensor.data_ptr()

    def test_takes_tensors_with_gradients_and_any_strides(self, torch: Any) -> None:
        for tensor in (
            torch.ones((3, 4), requires_grad=True).T[::2],
            torch.nn.Parameter(torch.ones(3)),
            torch.ones((1, 5)).expand(4, 5),
            torch.tensor(2.5),
        ):
            array = adopt(tensor)
            assert (array == tensor.detach().numpy()).all()
            assert array.__array_interface__["data"][0] == tensor.data_ptr()

    def test_takes_the_values_of_a_lazy_conjugate(self, torch: Any) -> None:
        assert adopt(torch.tensor([1 + 2j]).conj()).tolist() == [1 - 2j]

    def test_refuses_what_has_no_strides(self, torch: Any) -> None:
        for tensor in (torch.eye(3).to_sparse(), torch.ones(3, device="meta")):
            with pytest.raises(InvalidArgumentError, match="torch tensor"):
                adopt(tensor)


class TestJax:
    @pytest.fixture
    def jax(self) -> Any:
        return pytest.importorskip("jax")

    @pytest.mark.parametrize("name", ["float32", "bfloat16", "int8", "bool", "complex64", "float8_e4m3fn"])
    def test_shares_memory(self, jax: Any, name: str) -> None:
        values = jax.numpy.ones((3, 4), dtype=name)
        array = adopt(values)
        assert (array.dtype, array.shape) == (values.dtype, (3, 4))
        assert (array == np.asarray(values)).all()
        assert array.__array_interface__["data"][0] == values.unsafe_buffer_pointer()
