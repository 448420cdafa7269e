"""gpersist.convert.casting: tensors in another element type."""

import logging
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import gpersist
from gpersist.convert import convert

RANDOM = np.random.default_rng(1)
ARRAYS: dict[str, Any] = {
    "a/wide": RANDOM.standard_normal((300, 1001)),
    "a/half": RANDOM.standard_normal(37).astype(np.float16),
    "a/brain": RANDOM.standard_normal(37).astype(ml_dtypes.bfloat16),
    "b/single": RANDOM.standard_normal((5, 2)).astype(np.float32),
    "b/none": np.zeros((0, 3)),
    "huge": np.array([1e300, -np.inf, np.nan]),
    "step": np.array(7),
    "small": np.arange(5, dtype=np.int8),
    "flags": np.array([True, False]),
    "text": np.array([b"a", b"bc"], object),
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    gpersist.save(tmp_path / "source", ARRAYS, durable=False)
    return tmp_path / "source"


@pytest.mark.parametrize("to", ["v1", "v2", "npz", "safetensors"])
def test_all_of_a_kind(source: Path, tmp_path: Path, to: str) -> None:
    left_out = [("^text$", "")] if to == "safetensors" else []
    done = convert(source, tmp_path / "made", to=to, dtypes="float32", lossy=True, rename=left_out)
    assert done.cast == dict.fromkeys(["a/brain", "a/half", "a/wide", "b/none", "huge"], "float32")
    convert(tmp_path / "made", tmp_path / "again", to="v2")
    found = gpersist.load(tmp_path / "again")
    for name, array in ARRAYS.items():
        if name in found:
            with np.errstate(over="ignore"):
                wanted = array.astype(np.float32) if name in done.cast else array
            assert found[name].dtype == wanted.dtype and repr(found[name].tolist()) == repr(wanted.tolist()), name


def test_patterns_names_and_the_first_that_matches(source: Path, tmp_path: Path) -> None:
    dtypes = {"a/wide": "complex128", "a/*": "float32", "s*": "int64", "flags": "int32"}
    done = convert(source, tmp_path / "made", dtypes=dtypes)
    assert done.cast == {"a/brain": "float32", "a/half": "float32", "a/wide": "complex128", "flags": "int32", "small": "int64"}
    assert gpersist.load(tmp_path / "made")["flags"].tolist() == [1, 0]


def test_parts_are_cast_and_stay_parts(tmp_path: Path) -> None:
    whole = RANDOM.standard_normal((6, 4)).astype(np.float16)
    parts = [(f"{first},3:-", whole[first : first + 3]) for first in (0, 3)]
    gpersist.save(tmp_path / "source", {"p": gpersist.PartitionedArray((6, 4), parts)})
    convert(tmp_path / "source", tmp_path / "made", dtypes={"*": "float32"})
    with gpersist.open(tmp_path / "made") as reader:
        assert len(reader["p"].slices) == 2
        assert np.array_equal(reader["p"].read(), whole.astype(np.float32))


def test_the_graph_of_the_old_types_is_left_out(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "made", dtypes={"a/half": "float64"})
    with gpersist.open(tmp_path / "made") as reader:
        assert reader.device("a/half") == "/device:CPU:0"
    assert (tmp_path / "made.meta").read_bytes() != (tmp_path / "source.meta").read_bytes()


@pytest.mark.parametrize(
    ("dtypes", "message"),
    [
        ("float32", r"values of 3 tensors may be rounded, or overflow: 'a/wide' of float64 as float32, 'b/none' .*; lossy=True has it done"),
        ({"step": "float64"}, "'step' of int64 as float64"),
        ({"step": "int32"}, "'step' of int64 as int32"),
        ({"text": "float32"}, "tensor 'text' is of string, which cannot be cast to float32"),
        ("string", "'string'; expected a type of numbers"),
        ("float33", "'float33' is no dtype"),
        ("qint8", "expected a type of numbers"),
    ],
)
def test_refused(source: Path, tmp_path: Path, dtypes: str, message: str) -> None:
    with pytest.raises(gpersist.InvalidArgumentError, match=message):
        convert(source, tmp_path / "made", dtypes=dtypes)
    assert not list(tmp_path.glob("made*"))


def test_what_matches_nothing_is_told(source: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "gpersist"):
        convert(source, tmp_path / "made", dtypes={"c/*": "float32"})
    assert "dtypes: no tensor of" in caplog.text
