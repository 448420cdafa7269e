"""Chosen tensors and parts, each to its device."""

from __future__ import annotations

import numpy as np
import pytest

import gpersist
from gpersist.checkpoint import PartitionedArray, Wanted, fetch, save_v1
from gpersist.devices import Device, get, use_virtual
from gpersist.dtypes import as_dtype
from gpersist.errors import DataLossError, InvalidArgumentError, NotFoundError

HOST = get("/device:CPU:0")
VALUES = np.arange(24, dtype=np.float32).reshape(6, 4)


@pytest.fixture(params=["whole", "parts", "v1"])
def prefix(request, tmp_path):
    path = str(tmp_path / "m")
    arrays = {
        "v": PartitionedArray((6, 4), [("0,2:-", VALUES[:2]), ("2,4:-", VALUES[2:])]) if request.param == "parts" else VALUES,
        "n": np.int64(7),
        "text": np.array([b"x", b"yz"], object),
    }
    if request.param == "v1":
        save_v1(path, arrays)
    else:
        gpersist.save(path, arrays, write_meta=False)
    return path


def wanted(name: str, dtype: str = "float32", device: Device = HOST, **more) -> Wanted:
    return Wanted(name, as_dtype(dtype), device, **more)


@pytest.mark.parametrize("part", ["", "6 4 0,2:-", "6 4 2,4:0,4", "6 4 -:-", "6 4 1,3:1,2", "6 4 -:3,1"])
def test_parts(prefix, part) -> None:
    (found,) = fetch(prefix, [wanted("v", part=part)])
    rows, columns = {
        "": (slice(None), slice(None)),
        "6 4 0,2:-": (slice(0, 2), slice(None)),
        "6 4 2,4:0,4": (slice(2, 6), slice(None)),
        "6 4 -:-": (slice(None), slice(None)),
        "6 4 1,3:1,2": (slice(1, 4), slice(1, 3)),
        "6 4 -:3,1": (slice(None), slice(3, 4)),
    }[part]
    np.testing.assert_array_equal(found, VALUES[rows, columns])


def test_in_the_order_asked_and_more_than_once(prefix) -> None:
    with use_virtual(2):
        gpu = get("/device:GPU:1")
        asks = [wanted("text", "string"), wanted("v", device=gpu), wanted("n", "int64"), wanted("v"), wanted("v", device=gpu)]
        asks += [wanted("v", device=gpu, part="6 4 0,2:-"), wanted("v", part="6 4 0,2:-"), wanted("v", part="6 4 0,2:-")]
        found = fetch(prefix, asks)
        assert found[0].tolist() == [b"x", b"yz"]
        assert found[2] == 7
        for number in (1, 3, 4):
            np.testing.assert_array_equal(found[number], VALUES)
        for number in (5, 6, 7):
            np.testing.assert_array_equal(found[number], VALUES[:2])
        assert all(gpu.owns(found[number]) for number in (1, 4, 5))
        assert not np.shares_memory(found[6], found[7])


def test_everything_that_is_wrong(prefix) -> None:
    asks = [
        wanted("v", shape=(6, 4)),
        wanted("w"),
        wanted("n", "int32"),
        wanted("v", shape=(6, 5)),
        wanted("v", elements=23),
        wanted("v", part="5 4 -:-"),
    ]
    with pytest.raises(NotFoundError) as caught:
        fetch(prefix, asks)
    text = str(caught.value)
    assert "5 of 6 tensors" in text
    for line in (
        "Key w not found in checkpoint",
        "tensor_name = n; expected dtype int32 does not equal original dtype int64",
        "lhs shape= [6,5] rhs shape= [6,4]",
        "Input to reshape is a tensor with 24 values, but the requested shape has 23",
        "shape in shape_and_slice spec [5,4] does not match the shape stored in checkpoint: [6,4]",
    ):
        assert line in text
    with pytest.raises(InvalidArgumentError, match="1 of 1"):
        fetch(prefix, [wanted("n", "int32")])
    found = fetch(prefix, asks, partial=True)
    np.testing.assert_array_equal(found[0], VALUES)
    assert found[1:] == [None] * 5


@pytest.mark.parametrize("part", ["x", "6 4 0,7:-", "6 4", "6 -1 -:-", "6 4 -"])
def test_parts_that_are_none(prefix, part) -> None:
    with pytest.raises(InvalidArgumentError, match="does not hold what is asked for"):
        fetch(prefix, [wanted("v", part=part)])


def test_dimensions_of_any_size(prefix) -> None:
    (found,) = fetch(prefix, [wanted("v", shape=(None, 4))])
    np.testing.assert_array_equal(found, VALUES)


def test_damage(tmp_path) -> None:
    path = str(tmp_path / "m")
    gpersist.save(path, {"v": PartitionedArray((6, 4), [("0,2:-", VALUES[:2]), ("2,4:-", VALUES[2:])])}, alignment_bytes=1)
    data = tmp_path / "m.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    content[40] ^= 1
    data.write_bytes(content)
    np.testing.assert_array_equal(fetch(path, [wanted("v", part="6 4 0,2:-")])[0], VALUES[:2])
    with pytest.raises(DataLossError, match="v 2,4:-"):
        fetch(path, [wanted("v", part="6 4 2,4:-")])
