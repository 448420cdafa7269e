from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from gpersist.dtypes import STRING, all_dtypes, from_enum, from_name, from_numpy
from gpersist.errors import InvalidArgumentError, UnimplementedError

ROWS = json.loads((Path(__file__).parent / "golden" / "types" / "types.json").read_text())["dtypes"]
TYPES = [row for row in ROWS if "name" in row]


def test_table_is_tensorflows() -> None:
    found = [
        {"enum": d.enum, "name": d.name, "numpy": None if d.numpy is None else repr(d.numpy), "size_bytes": d.size_bytes}
        for d in sorted(all_dtypes(), key=lambda d: d.enum)
    ]
    assert found == TYPES


@pytest.mark.parametrize("row", TYPES, ids=lambda row: row["name"])
def test_one_object_by_number_name_and_array(row) -> None:
    dtype = from_enum(row["enum"])
    assert from_name(row["name"]) is dtype
    assert pickle.loads(pickle.dumps(dtype)) is copy.deepcopy(dtype) is dtype
    assert repr(dtype) == f"tf.{row['name']}"
    if dtype.numpy is not None:
        assert from_numpy(dtype.numpy) is dtype
        assert dtype.is_string or np.zeros(3, dtype.numpy).nbytes == 3 * dtype.size_bytes


@pytest.mark.parametrize("row", [row for row in ROWS if "base" in row], ids=lambda row: str(row["enum"]))
def test_reference_types_count_as_their_base(row) -> None:
    assert from_enum(row["enum"]) is from_enum(row["base"])


@pytest.mark.parametrize("number", [-1, 0, 34, 99, 100, 134, 201, 2**31 - 1])
def test_unknown_number(number: int) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"tensor 'a': {number} is no DataType"):
        from_enum(number, "tensor 'a'")


def test_names_of_tensorflow_and_numpy() -> None:
    assert from_name("half") is from_name("float16")
    assert from_name("float") is from_name("float32")
    assert from_name("double") is from_name("float64")
    with pytest.raises(InvalidArgumentError, match="'float128' is no dtype; known: bfloat16, bool"):
        from_name("float128")


@pytest.mark.parametrize("code", ["b", "B", "h", "H", "i", "I", "l", "L", "q", "Q", "e", "f", "d", "F", "D", "?", np.intp, np.longlong])
def test_every_spelling_of_a_number(code) -> None:
    dtype = np.dtype(code)
    assert from_numpy(dtype).numpy == dtype
    assert from_numpy(dtype.newbyteorder(">")).numpy == dtype


@pytest.mark.parametrize("dtype", ["S5", "U5", "S", "U", "O", *(["T"] if hasattr(np.dtypes, "StringDType") else [])])
def test_text_and_bytes_are_strings(dtype: str) -> None:
    assert from_numpy(np.dtype(dtype)) is STRING


@pytest.mark.parametrize("dtype", ["M8[s]", "m8[s]", "longdouble", "clongdouble", "V4", [("a", "i4"), ("b", "f4")], [("x", "i1")]])
def test_what_files_cannot_hold(dtype) -> None:
    with pytest.raises(UnimplementedError, match="tensor 'a': TensorFlow's files cannot hold dtype"):
        from_numpy(np.dtype(dtype), "tensor 'a'")


def test_a_type_of_ml_dtypes_that_tensorflow_lacks() -> None:
    with pytest.raises(UnimplementedError, match="float8_e3m4"):
        from_numpy(np.dtype(ml_dtypes.float8_e3m4))
