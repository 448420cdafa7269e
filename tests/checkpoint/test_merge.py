"""Several checkpoints made one. That the bytes are TensorFlow's is told by tests/golden/saver (`operations`, `bytes_of_checkpoints`)."""

from __future__ import annotations

import os

import numpy as np
import pytest

import gpersist
from gpersist.checkpoint import PartitionedArray, merge
from gpersist.errors import InvalidArgumentError


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def saved(prefix: str, **arrays) -> str:
    gpersist.save(prefix, arrays, write_meta=False)
    return prefix


def test_slices_of_one_tensor() -> None:
    values = np.arange(8.0).reshape(4, 2)
    one = saved("t/one", v=PartitionedArray((4, 2), [("0,1:-", values[:1])]), a=np.int32(1))
    gpersist.save("t/two", {"v": PartitionedArray((4, 2), [("1,3:-", values[1:])]), "b": np.zeros(3), "c": np.ones(2)}, shards=2, write_meta=False)
    merge([one, "t/two"], "m")
    found = gpersist.load("m")
    np.testing.assert_array_equal(found["v"], values)
    assert sorted(found) == ["a", "b", "c", "v"]
    assert sorted(os.listdir()) == ["m.data-00000-of-00003", "m.data-00001-of-00003", "m.data-00002-of-00003", "m.index"]


def test_folders_that_others_use_stay() -> None:
    saved("t/one", a=np.int32(1))
    with open("t/note", "w") as file:
        file.write("mine")
    merge(["t/one"], "m")
    assert os.listdir("t") == ["note"]


def test_missing_ones() -> None:
    saved("t/one", a=np.int32(1))
    with pytest.raises(InvalidArgumentError, match="there is no checkpoint 'gone'"):
        merge(["t/one", "gone"], "m")
    with pytest.raises(InvalidArgumentError, match="there is no checkpoint 'gone'"):
        merge(["gone"], "m", allow_missing_files=True)
    assert gpersist.load("t/one")["a"] == 1
    merge(["t/one", "gone"], "m", allow_missing_files=True, delete_old_dirs=False)
    assert os.path.isdir("t")
    assert gpersist.load("m")["a"] == 1


def test_one_tensor_twice() -> None:
    with pytest.raises(InvalidArgumentError, match="'a' is in two"):
        merge([saved("t/one", a=np.int32(1)), saved("t/two", a=np.int32(2))], "m")
    assert not os.path.exists("m.index")
    assert gpersist.load("t/two")["a"] == 2
