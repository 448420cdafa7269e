"""Every byte of a small checkpoint is flipped in turn, every file cut at every length: damage is noticed, or the values are right all the same."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import gpersist
from gpersist import CheckpointManager, GPersistError, PartitionedArray, files
from gpersist.checkpoint import save_v1

from .intercepted import InterceptedFiles

WHOLE = np.arange(24, dtype=np.int16).reshape(4, 6)
ARRAYS: dict[str, Any] = {
    "conv/kernel": np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4),
    "conv/scale": np.array([1.5, -2], ml_dtypes.bfloat16),
    "empty": np.zeros((3, 0), np.int32),
    "flags": np.array([True, False, True]),
    "half": np.float16(0.5),
    "parts": PartitionedArray((4, 6), [("0,1:-", WHOLE[:1]), ("1,3:0,2", WHOLE[1:, :2]), ("1,3:2,4", WHOLE[1:, 2:])]),
    "phase": np.array([1 + 2j], np.complex128),
    "step": np.int64(-7),
    "words": np.array([["a", ""], ["gpersist", "é"]]),
}
V1_ARRAYS = {name: array for name, array in ARRAYS.items() if name not in ("conv/scale",)}


@pytest.fixture(autouse=True)
def _no_fsync() -> Iterator[None]:
    with files.substituted(InterceptedFiles()):
        yield


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    prefix = str(tmp_path / "ckpt")
    gpersist.save(prefix, ARRAYS, alignment_bytes=16, shards={name: int(name in ("flags", "words")) for name in ARRAYS})
    return prefix


def check_values(found: dict[str, Any], names: Any = ARRAYS) -> None:
    assert set(found) == set(names)
    for name, array in found.items():
        expected = ARRAYS[name]
        if isinstance(expected, PartitionedArray):
            expected = WHOLE
        expected = np.asarray(expected)
        assert array.shape == expected.shape, name
        if array.dtype == object:
            assert array.tolist() == np.char.encode(expected, "utf-8").tolist()
        else:
            assert array.dtype == expected.dtype and array.tobytes() == expected.tobytes(), name


def loads_right_or_raises(prefix: str, names: Any = ARRAYS) -> GPersistError | None:
    try:
        found = gpersist.load(prefix, placement=as_recorded)
    except GPersistError as error:
        return error
    check_values(found, names)
    return None


def as_recorded(*_: object) -> None:
    """A placement that has the `.meta` read even where there is no device but the host."""


def flips(path: str, patterns: tuple[int, ...]) -> Iterator[int]:
    """Xors each byte of a file in turn with each pattern; leaves the file as it was."""
    original = Path(path).read_bytes()
    with open(path, "r+b", buffering=0) as file:
        for at, byte in enumerate(original):
            for pattern in patterns:
                os.pwrite(file.fileno(), bytes([byte ^ pattern]), at)
                yield at
            os.pwrite(file.fileno(), bytes([byte]), at)
    assert Path(path).read_bytes() == original


def cuts(path: str) -> Iterator[int]:
    """Cuts a file to every length but its own, longest first; puts it back."""
    original = Path(path).read_bytes()
    for size in reversed(range(len(original))):
        os.truncate(path, size)
        yield size
    Path(path).write_bytes(original)


def data_files(prefix: str) -> list[str]:
    return [f"{prefix}.data-0000{shard}-of-00002" for shard in range(2)]


def test_an_index_with_a_flipped_bit(prefix: str) -> None:
    unnoticed = 0
    for _ in flips(prefix + ".index", tuple(1 << bit for bit in range(8))):
        try:
            gpersist.verify(prefix)
        except GPersistError as error:
            assert prefix in error.message
            assert loads_right_or_raises(prefix) is not None
        else:
            unnoticed += 1
            assert loads_right_or_raises(prefix) is None
    assert unnoticed < 8 * (13 + 48)  # only in the metaindex, which is empty, and the footer are there bytes that nobody reads


def test_data_with_a_flipped_byte(prefix: str) -> None:
    for path in data_files(prefix):
        noticed = 0
        for _ in flips(path, (0x01, 0xFE)):
            try:
                gpersist.verify(prefix)
            except GPersistError as error:
                noticed += 1
                assert path in error.message and "byte" in error.message
            else:  # padding
                assert loads_right_or_raises(prefix) is None
        assert noticed > 30


def test_data_with_a_flipped_byte_is_not_loaded(prefix: str) -> None:
    for path in data_files(prefix):
        for _ in flips(path, (0x10,)):
            error = loads_right_or_raises(prefix)
            assert error is None or path in error.message


def test_a_meta_with_a_flipped_byte_is_no_harm(prefix: str, caplog: pytest.LogCaptureFixture) -> None:
    """It only says where tensors lived."""
    with caplog.at_level(logging.CRITICAL, "gpersist"):
        for _ in flips(prefix + ".meta", (0x81,)):
            assert loads_right_or_raises(prefix) is None


def test_a_cut_index(prefix: str) -> None:
    for _ in cuts(prefix + ".index"):
        for read in (gpersist.load, gpersist.verify, gpersist.open):
            with pytest.raises(GPersistError, match=r"ckpt\.index"):
                read(prefix)


def test_cut_data(prefix: str) -> None:
    for path in data_files(prefix):
        for _ in cuts(path):
            for read in (gpersist.load, gpersist.verify):
                with pytest.raises(GPersistError, match=os.path.basename(path)):
                    read(prefix)


def test_a_cut_meta_is_no_harm(prefix: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL, "gpersist"):
        for _ in cuts(prefix + ".meta"):
            assert loads_right_or_raises(prefix) is None


@pytest.mark.parametrize("garbage", [b"\0", b"\xff" * 7, bytes(range(256)) * 20], ids=["a zero", "ones", "much"])
def test_files_with_garbage_behind_them(prefix: str, garbage: bytes) -> None:
    for path in data_files(prefix):
        with open(path, "ab") as file:
            file.write(garbage)
    gpersist.verify(prefix)
    assert loads_right_or_raises(prefix) is None
    with open(prefix + ".index", "ab") as file:
        file.write(garbage)
    with pytest.raises(GPersistError, match=r"ckpt\.index"):
        gpersist.verify(prefix)
    assert loads_right_or_raises(prefix) is not None


def test_missing_files(prefix: str) -> None:
    for path in data_files(prefix):
        os.rename(path, path + ".away")
        for read in (gpersist.load, gpersist.verify):
            with pytest.raises(gpersist.CheckpointNotFoundError, match=os.path.basename(path)):
                read(prefix)
        os.rename(path + ".away", path)
    os.remove(prefix + ".meta")
    assert loads_right_or_raises(prefix) is None
    os.remove(prefix + ".index")
    for read in (gpersist.load, gpersist.verify, gpersist.open):
        with pytest.raises(gpersist.CheckpointNotFoundError, match=r"ckpt\.index"):
            read(prefix)


def test_a_v1_file_with_a_flipped_or_missing_byte(tmp_path: Path) -> None:
    path = str(tmp_path / "v1.ckpt")
    save_v1(path, V1_ARRAYS)
    noticed = sum(loads_right_or_raises(path, V1_ARRAYS) is not None for _ in flips(path, (0x01, 0xFF)))
    assert noticed > 1000
    for _ in cuts(path):
        error = loads_right_or_raises(path, V1_ARRAYS)
        assert error is not None
        assert "v1.ckpt" in error.message


def test_a_state_file_with_a_flipped_byte(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A whole checkpoint is found, if not always the newest; what is not listed any more is never deleted."""
    folder = str(tmp_path / "run")
    with CheckpointManager(folder, max_to_keep=2) as manager:
        for step in (1, 2, 3):
            manager.save(step, {"step": np.int64(step)})
    with caplog.at_level(logging.CRITICAL, "gpersist"):
        for _ in flips(os.path.join(folder, "checkpoint"), (0x01, 0xA0)):
            manager = CheckpointManager(folder)
            assert manager.all_steps() == [2, 3]
            assert manager.latest() in (os.path.join(folder, "ckpt-2"), os.path.join(folder, "ckpt-3"))
            assert int(manager.restore()["step"]) in (2, 3)
