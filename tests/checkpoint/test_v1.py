"""gpersist.checkpoint.v1: TensorFlow's first format, through the same doors as the second."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import gpersist
from gpersist import files
from gpersist.bundle import TensorSlice, V1Reader
from gpersist.checkpoint.v1 import V1Storage, is_v1
from gpersist.devices import device_of, use_virtual
from gpersist.errors import CheckpointNotFoundError, DataLossError, GPersistError, InvalidArgumentError, OutOfSpaceError, UnimplementedError

ARRAYS: dict[str, Any] = {
    "w": np.arange(200_000, dtype=np.float32).reshape(400, 500),
    "complex": np.array([1 + 2j, 3]),
    "half": np.array([1.5, -2], np.float16),
    "bool": np.array([[True], [False]]),
    "scalar": np.array(-7),
    "none": np.zeros((0, 3), np.int8),
    "text": np.array([b"a", b"", b"c" * 300], object),
    "big_endian": np.arange(5, dtype=">i4"),
    "strided": np.arange(12.0).reshape(3, 4)[:, ::2],
    "p": gpersist.PartitionedArray((4, 3), [("0,1:-", np.full((1, 3), 1, np.int32)), ("1,3:-", np.full((3, 3), 2, np.int32))]),
}
WHOLES = ARRAYS | {"p": np.array([[1] * 3] + [[2] * 3] * 3, np.int32)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    gpersist.save_v1(tmp_path / "v1", ARRAYS, durable=False)
    return tmp_path / "v1"


def check(found: dict[str, Any]) -> None:
    assert sorted(found) == sorted(WHOLES)
    for name, array in WHOLES.items():
        assert found[name].shape == array.shape
        assert np.array(found[name]).tolist() == array.tolist(), name


def test_what_is_saved_comes_back(path: Path) -> None:
    assert os.listdir(path.parent) == ["v1"]
    check(gpersist.load(path))
    check(gpersist.load(path, ring_bytes=8192, threads=3))


def test_into_arrays_of_any_layout(path: Path) -> None:
    targets = {name: np.array(np.zeros_like(array) if array.dtype != object else array[::-1], order="F") for name, array in WHOLES.items()}
    gpersist.load(path, into=targets)
    check(targets)


def test_onto_devices_and_from_them(path: Path, tmp_path: Path) -> None:
    with use_virtual(2):
        found = gpersist.load(path, placement={"w": "/gpu:1", "p": "/gpu:0"}, clear_devices=True, ring_bytes=8192)
        check(found)
        assert device_of(found["w"]).name == "/device:GPU:1"
        found["half"] = found["half"][:]
        gpersist.save_v1(tmp_path / "again", found | {"p": ARRAYS["p"]}, durable=False)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_saving_again_replaces_in_one_step(path: Path) -> None:
    class Full(files.PosixFiles):
        def pwritev(self, *arguments: Any) -> None:
            raise OutOfSpaceError("no space")

    before = path.read_bytes()
    with files.substituted(Full()), pytest.raises(OutOfSpaceError):
        gpersist.save_v1(path, {"w": np.zeros(3)}, durable=False)
    assert os.listdir(path.parent) == ["v1"]
    assert path.read_bytes() == before
    gpersist.save_v1(path, {"w": np.zeros(3)})
    assert os.listdir(path.parent) == ["v1"]
    assert gpersist.load(path)["w"].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("arrays", "kind"),
    [
        ({"w": np.zeros(2, ml_dtypes.float8_e4m3fn)}, UnimplementedError),
        ({"w": np.zeros(2, "M8[s]")}, UnimplementedError),
        ({"": 1}, InvalidArgumentError),
        ({"w": None}, InvalidArgumentError),
        ({"\udcff": 1}, GPersistError),
    ],
    ids=range(5),
)
def test_what_the_format_cannot_hold(tmp_path: Path, arrays: dict[str, Any], kind: type[GPersistError]) -> None:
    with pytest.raises(kind):
        gpersist.save_v1(tmp_path / "v1", arrays, durable=False)
    assert os.listdir(tmp_path) == []


def test_one_file_or_several(path: Path, tmp_path: Path) -> None:
    gpersist.save_v1(tmp_path / "many-00000-of-00002", {"a": np.ones(3), "p": gpersist.PartitionedArray((4,), [("0,2", np.zeros(2))])}, durable=False)
    gpersist.save_v1(tmp_path / "many-00001-of-00002", {"p": gpersist.PartitionedArray((4,), [("2,2", np.ones(2))])}, durable=False)
    assert is_v1(str(tmp_path / "many"))
    found = gpersist.load(tmp_path / "many")
    assert (found["a"].tolist(), found["p"].tolist()) == ([1, 1, 1], [0, 0, 1, 1])
    (tmp_path / "many-00001-of-00002").unlink()
    with pytest.raises(DataLossError, match="are in no slice"):
        gpersist.load(tmp_path / "many")
    assert gpersist.load(tmp_path / "many", "a")["a"].tolist() == [1, 1, 1]


def test_a_bundle_is_preferred_to_a_v1_file_of_its_name(path: Path) -> None:
    gpersist.save(path, {"new": 1}, durable=False)
    assert not is_v1(str(path))
    assert list(gpersist.load(path)) == ["new"]


def test_missing_and_damaged_files(path: Path) -> None:
    with pytest.raises(CheckpointNotFoundError):
        V1Storage(str(path) + "x")
    data = bytearray(path.read_bytes())
    for at in (200, len(data) // 2):
        data[at] ^= 1
        path.write_bytes(data)
        with pytest.raises(DataLossError, match="v1"):
            gpersist.load(path)
        data[at] ^= 1
    path.write_bytes(data[:-1])
    with pytest.raises(DataLossError):
        gpersist.load(path)


def test_files_are_closed(path: Path) -> None:
    opened: set[int] = set()

    class Counted(files.PosixFiles):
        def open_read(self, path: str) -> int:
            fd = super().open_read(path)
            opened.add(fd)
            return fd

        def close(self, fd: int, path: str = "") -> None:
            super().close(fd)
            opened.discard(fd)

    with files.substituted(Counted()):
        gpersist.load(path)
        assert opened == set()
        path.write_bytes(path.read_bytes()[:-3])
        with pytest.raises(GPersistError):
            V1Storage(str(path))
        assert opened == set()


def test_ranges_and_slices_of_a_storage(path: Path) -> None:
    with V1Storage(str(path)) as storage:
        ranges = storage.ranges(["w", "p", "none", "text"])
        rows, layout, readers = storage.layout(ranges)
        assert ([ranges.names[row] for row in rows], layout.sizes.tolist(), len(readers)) == (["w", "p"], [800_000, 48], 2)
        assert storage.read_slice("p", TensorSlice.parse("0,2:1,1")).tolist() == [[1], [2]]
        assert isinstance(storage.v1, V1Reader)
        assert storage.recorded_devices() == {}
