"""gpersist.checkpoint.source: everything that a save takes, and everything that it refuses."""

from __future__ import annotations

import dataclasses
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from gpersist.checkpoint.source import PartitionedArray, Source, collect
from gpersist.devices import use_virtual
from gpersist.dtypes import all_dtypes
from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.staging import Scattered

NUMBERS = [dtype for dtype in all_dtypes() if dtype.numpy is not None and not dtype.is_string]


def numbers(shape: tuple[int, ...], dtype: Any) -> np.ndarray[Any, Any]:
    dtype = np.dtype(dtype)
    bits = np.arange(int(np.prod(shape)) * dtype.itemsize, dtype=np.uint8) % 2
    return bits.view(dtype).reshape(shape)


class Sub(np.ndarray[Any, Any]):
    """A subclass of NumPy's array, as many libraries have one."""


def odd_layouts(dtype: Any) -> dict[str, np.ndarray[Any, Any]]:
    base = numbers((4, 6), dtype)
    read_only = base.copy()
    read_only.flags.writeable = False
    return {
        "contiguous": base,
        "fortran": np.asfortranarray(base),
        "strided": base[::2, 1::2],
        "reversed": base[::-1, ::-1],
        "transposed": base.T,
        "broadcast": np.broadcast_to(base[0], (3, 6)),
        "big_endian": base.astype(base.dtype.newbyteorder(">")),
        "big_endian_scalar": np.array(base[0, 0], base.dtype.newbyteorder(">")),
        "scalar": base[1, 1, ...],
        "empty": base[:0],
        "read_only": read_only,
        "subclass": base.view(Sub),
        "generic": base[2, 3],
    }


def check(source: Source, row: int, expected: np.ndarray[Any, Any]) -> None:
    found = source.host_array(row)
    assert (found.dtype, found.shape, source.shapes[row]) == (expected.dtype.newbyteorder("="), expected.shape, expected.shape)
    assert found.tobytes() == expected.astype(found.dtype).tobytes()
    assert source.sizes[row] == found.nbytes


@pytest.mark.parametrize("dtype", NUMBERS, ids=lambda dtype: dtype.name)
def test_every_dtype_in_every_layout(dtype: Any) -> None:
    arrays = odd_layouts(dtype.numpy)
    source = collect(arrays)
    assert source.names == list(arrays)
    assert set(source.dtypes) == {dtype.numpy}
    for row, array in enumerate(arrays.values()):
        check(source, row, np.asarray(array))


def test_host_arrays_are_never_copied() -> None:
    arrays = odd_layouts(np.float32) | {"bfloat16": numbers((3,), ml_dtypes.bfloat16), "matrix": numbers((2, 2), np.int8).view(Sub)}
    del arrays["generic"]
    for row, (name, array) in enumerate(arrays.items()):
        buffer = collect(arrays).buffers[row]
        memory = buffer.array if isinstance(buffer, Scattered) else np.asarray(buffer)
        assert np.shares_memory(memory, array) or not array.size, name
    assert collect(arrays).owned == set()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, np.array(True)),
        (7, np.array(7)),
        (-1.5, np.array(-1.5)),
        (1 + 2j, np.array(1 + 2j)),
        (np.float16(3), np.array(3, np.float16)),
        (ml_dtypes.bfloat16(2), np.array(2, ml_dtypes.bfloat16)),
    ],
    ids=repr,
)
def test_scalars(value: Any, expected: np.ndarray[Any, Any]) -> None:
    check(collect({"x": value}), 0, expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("tëxt", "tëxt".encode()),
        (b"\x00\xff", b"\x00\xff"),
        ("", b""),
        (np.array(["a", b"b"], object), [b"a", b"b"]),
        (np.array([[b"ab"], [b"c"]], object)[::-1], [[b"c"], [b"ab"]]),
        (np.array(["ä", "bc"]), ["ä".encode(), b"bc"]),
        (np.array([b"x", b"yz"]), [b"x", b"yz"]),
        (np.empty((0, 3), object), []),
        (np.array(["tail\0", "-"], np.dtypes.StringDType()), [b"tail\0", b"-"]),
    ],
    ids=repr,
)
def test_strings(value: Any, expected: Any) -> None:
    source = collect({"s": value})
    assert source.host_array(0).tolist() == expected
    assert source.owned == {0}
    assert source.dtypes == [np.dtype(object)]


def test_virtual_arrays_stay_where_they_are() -> None:
    with use_virtual(2) as devices:
        whole = devices[1].empty((4, 4), np.dtype(np.float32))
        whole[...] = numbers((4, 4), np.float32)
        source = collect({"whole": whole, "column": whole[:, 1], "host": np.zeros(2), "swapped": whole.astype(">f4")})
        assert source.devices[:2] == [devices[1]] * 2
        assert source.buffers[0] is whole
        assert source.owned == {1, 3}
        for row, array in enumerate([whole, whole[:, 1], np.zeros(2), whole]):
            check(source, row, np.array(array))


class Producer:
    """A CPU array of another library, that speaks DLPack."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


def test_dlpack_is_taken_without_a_copy() -> None:
    array = numbers((3, 4), np.float32)
    source = collect({"x": Producer(array), "t": Producer(array.T)})
    check(source, 0, array)
    check(source, 1, array.T)
    assert np.shares_memory(np.asarray(source.buffers[0]), array)


def test_a_cuda_array_without_cuda_is_told_by_name() -> None:
    class OnGpu:
        __cuda_array_interface__ = {"shape": (1,), "typestr": "<f4", "data": (64, False), "version": 3}  # noqa: RUF012

    with pytest.raises(InvalidArgumentError, match=r"tensor 'w': cannot take a .*OnGpu"):
        collect({"w": OnGpu()})


def test_torch_tensors() -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    arrays = {
        "plain": tensor,
        "grad": tensor.clone().requires_grad_(),
        "transposed": tensor.T,
        "half": tensor.to(torch.bfloat16),
        "eight": tensor.to(torch.float8_e4m3fn),
        "scalar": torch.tensor(True),
    }
    source = collect(arrays)
    for row, value in enumerate(arrays.values()):
        values = value.detach().to(torch.float32).numpy()
        assert source.host_array(row).astype(np.float32).tolist() == values.tolist()
    assert source.dtypes[3:5] == [np.dtype(ml_dtypes.bfloat16), np.dtype(ml_dtypes.float8_e4m3fn)]


def test_jax_arrays() -> None:
    jax = pytest.importorskip("jax")
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    source = collect({"x": jax.numpy.asarray(values), "half": jax.numpy.asarray(values, "bfloat16")})
    check(source, 0, values)
    check(source, 1, values.astype(ml_dtypes.bfloat16))


def test_the_quick_way_equals_the_general_one() -> None:
    """All plain NumPy arrays: looked through in columns, with no Python per array."""
    arrays = {f"t{n}": numbers(shape, dtype.numpy) for n, dtype in enumerate(NUMBERS) for shape in [(), (2, 3), (0, 4)] if dtype.numpy.kind != "V"}
    quick = collect({name: array for name, array in arrays.items() if array.dtype.isbuiltin == 1})
    general = collect({"zzz": 1.0} | {name: array for name, array in arrays.items() if array.dtype.isbuiltin == 1})
    for field in dataclasses.fields(Source):
        one, other = getattr(quick, field.name), getattr(general, field.name)
        assert len(other[1:] if isinstance(other, list) else other) == len(one)
        for mine, its in zip(one, other[1:] if isinstance(other, list) else other, strict=True):
            assert np.shares_memory(mine, its) or not mine.size if field.name == "buffers" else mine == its


@pytest.mark.parametrize("name", ["", "\0x", 5, None, b"w", "a\ud800"])
def test_names_that_are_none(name: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="tensor name"):
        collect({name: np.zeros(2)})


@pytest.mark.parametrize("name", ["é", " ", "/", "a b", "_a", ".", "..", "a/../b", "\n", "x" * 5000, "\udcff\udcfe", "🌊", "a\0b"])
def test_names_that_are_odd(name: str) -> None:
    assert collect({name: np.zeros(2)}).names == [name]


@pytest.mark.parametrize(
    "value",
    [None, [1, 2], object(), {1, 2}, 2**64, np.ma.masked_array([1]), np.array([None]), np.array([object()])],
    ids=lambda value: type(value).__name__,
)
def test_values_that_are_none(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="tensor 'bad'"):
        collect({"good": np.zeros(1), "bad": value})


@pytest.mark.parametrize("dtype", ["g", "G", "M8[s]", "m8[D]", [("a", "f4"), ("b", "i4")], "V3"])
def test_dtypes_that_tensorflow_lacks(dtype: Any) -> None:
    for _ in range(2):  # what is remembered of a dtype changes nothing
        with pytest.raises(UnimplementedError, match=r"tensor 'bad': TensorFlow's files cannot hold dtype"):
            collect({"bad": np.zeros(2, dtype)})


# ---- partitioned arrays

WHOLE = np.arange(24, dtype=np.int32).reshape(4, 6)


def test_parts_are_rows() -> None:
    source = collect({"x": 1, "p": PartitionedArray((4, 6), [("0,1:-", WHOLE[:1]), ("1,3:-", WHOLE[1:])])})
    assert source.names == ["x", "p", "p"]
    assert {row: str(part) for row, part in source.slices.items()} == {1: "0,1:-", 2: "1,3:-"}
    assert source.full_shapes == {"p": (4, 6)}
    check(source, 2, WHOLE[1:])


@pytest.mark.parametrize("text", ["-:-", "0,4:-", "0,4:0,6"])
def test_a_part_that_is_the_whole_is_an_ordinary_tensor(text: str) -> None:
    source = collect({"p": PartitionedArray((4, 6), [(text, WHOLE)])})
    assert (source.slices, source.full_shapes) == ({}, {})


@pytest.mark.parametrize(
    ("shape", "parts", "message"),
    [
        ((4, 6), [], "at least one part"),
        ((4, 6), [("0,1:-", WHOLE[:2])], r"the part 0,1:- of \[4, 6\] is of shape \[1, 6\], its array of \[2, 6\]"),
        ((4, 6), [("-:-", WHOLE[:2])], r"the part -:- of \[4, 6\] is of shape \[4, 6\], its array of \[2, 6\]"),
        ((4, 6), [("0,2:-", WHOLE[:2]), ("2,2:-", WHOLE[2:].astype(np.int64))], "parts of dtypes int32 and int64"),
        ((4, 6), [("0,3:-", WHOLE[:3]), ("2,2:-", WHOLE[2:])], "the parts number 0 and 1 overlap"),
        ((4, 6), [("-:-", WHOLE), ("0,4:-", WHOLE)], "the parts number 0 and 1 overlap"),
        ((4, 6), [("0,2:-", WHOLE[:2]), ("0,2:-", WHOLE[:2])], "the parts number 0 and 1 overlap"),
        ((), [("", np.int32(1)), ("", np.int32(1))], "the parts number 0 and 1 overlap"),
        ((4, 6), [("0,5:-", WHOLE)], "out of bounds"),
        ((4, 6), [("0,2", WHOLE)], "has 1 dimensions"),
        ((4, 6), [("x:-", WHOLE)], "neither '-' nor"),
        ((4, 6), [(3, WHOLE)], "pairs"),
        ((4, 6), [WHOLE], "pairs"),
        ((4, 6), None, "pairs"),
        (("a",), [("-", WHOLE)], "pairs"),
        ((-4,), [("-", np.zeros(3))], "dimension -4 is negative"),
        ((2**40, 2**40), [("0,1:0,1", np.zeros((1, 1)))], "overflows"),
    ],
)
def test_parts_that_make_no_sense(shape: Any, parts: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"tensor 'p'.*{message}"):
        collect({"p": PartitionedArray(shape, parts)})


def test_parts_with_gaps_or_without_elements_are_taken() -> None:
    assert len(collect({"p": PartitionedArray((4, 6), [("0,1:-", WHOLE[:1]), ("3,1:-", WHOLE[3:])])}).names) == 2
    empty = np.zeros((2, 0), np.int32)
    assert len(collect({"p": PartitionedArray((4, 0), [("0,2:-", empty), ("2,2:-", empty)])}).names) == 2
