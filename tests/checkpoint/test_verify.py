"""gpersist.verify: is a checkpoint whole?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gpersist
from gpersist import files
from gpersist.bundle import Entry, encode_index
from gpersist.dtypes import from_name
from gpersist.errors import CheckpointNotFoundError, DataLossError, NotACheckpointError

GOLDEN = Path(__file__).parents[1] / "golden"
WRITTEN_BY_TENSORFLOW = [path.with_suffix("") for path in sorted(GOLDEN.glob("checkpoints/**/*.index"))] + [
    GOLDEN / "bundle" / name for name in ("partitioned_v2", "slices_v2", "strings_v2", "dtypes_v1", "partitioned_v1", "sharded_v1")
]


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    arrays = {"a": np.arange(300_000.0), "b": np.ones(5, np.int8), "none": np.zeros(0), "s": np.array([b"x", b"yy" * 200], object)}
    gpersist.save(tmp_path / "x", arrays, durable=False, shards=2)
    return tmp_path / "x"


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 16
    path.write_bytes(data)


def test_a_whole_one(prefix: Path) -> None:
    found = gpersist.verify(prefix)
    assert found == gpersist.Verified(str(prefix), 4, 2_400_000 + 5 + 0 + 1 + 2 + 4 + 401)
    assert gpersist.verify(str(prefix) + ".index") == gpersist.verify(prefix.parent) == gpersist.verify(prefix, contents=False) == found


@pytest.mark.parametrize("path", WRITTEN_BY_TENSORFLOW, ids=lambda path: path.name)
def test_those_of_tensorflow(path: Path) -> None:
    with gpersist.open(path) as checkpoint:
        assert gpersist.verify(path).num_tensors == len(checkpoint)


@pytest.mark.parametrize("threads", [1, 3])
def test_every_damaged_tensor_is_noticed(prefix: Path, threads: int) -> None:
    with gpersist.open(prefix) as checkpoint:
        places = {name: checkpoint[name].entry for name in ("a", "b", "s")}
    for name, entry in places.items():
        path = Path(f"{prefix}.data-0000{entry.shard}-of-00002")
        for at in (entry.offset, entry.offset + entry.size_bytes // 2, entry.offset + entry.size_bytes - 1):
            flip(path, at)
            with pytest.raises(DataLossError, match=rf"tensor '{name}' in '.*{path.name}' at byte {entry.offset}"):
                gpersist.verify(prefix, threads=threads)
            assert gpersist.verify(prefix, contents=False).num_tensors == 4
            flip(path, at)
    gpersist.verify(prefix)


def test_files_that_are_short_or_missing(prefix: Path) -> None:
    path = Path(f"{prefix}.data-00001-of-00002")
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    with pytest.raises(DataLossError, match="the file is truncated"):
        gpersist.verify(prefix, contents=False)
    path.unlink()
    with pytest.raises(CheckpointNotFoundError, match="is missing"):
        gpersist.verify(prefix, contents=False)
    path.write_bytes(data)
    Path(f"{prefix}.index").unlink()
    with pytest.raises(CheckpointNotFoundError):
        gpersist.verify(prefix)
    Path(f"{prefix}.index").write_bytes(b"PK\3\4" + bytes(100))
    with pytest.raises(NotACheckpointError):
        gpersist.verify(prefix)


def test_contents_are_not_read_unless_wanted(prefix: Path) -> None:
    read: list[str] = []

    class Watched(files.PosixFiles):
        def preadv(self, fd: int, buffers: object, size_bytes: int, offset: int, path: str) -> int:
            read.append(path.rpartition(".")[2])
            return super().preadv(fd, buffers, size_bytes, offset, path)  # type: ignore[arg-type]

    with files.substituted(Watched()):
        gpersist.verify(prefix, contents=False)
    assert set(read) == {"index"}


def test_a_checksum_without_bytes(tmp_path: Path) -> None:
    (tmp_path / "x.index").write_bytes(encode_index([(b"w", Entry(from_name("float32"), (0,), 0, 0, 0, 5))], 1))
    with pytest.raises(DataLossError, match=r"tensor 'w' in .* has no bytes, but a crc32c of 0x00000005"):
        gpersist.verify(tmp_path / "x")


def test_a_damaged_v1_file(tmp_path: Path) -> None:
    data = bytearray((GOLDEN / "bundle" / "partitioned_v1").read_bytes())
    data[len(data) // 3] ^= 1
    (tmp_path / "v1").write_bytes(data)
    with pytest.raises(DataLossError):
        gpersist.verify(tmp_path / "v1")


def test_progress_of_a_v1_file() -> None:
    told: list[int] = []
    found = gpersist.verify(GOLDEN / "bundle" / "partitioned_v1", on_progress=told.append)
    assert sum(told) == found.total_bytes > 0
