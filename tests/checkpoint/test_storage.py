"""gpersist.checkpoint.storage: an open checkpoint, its files, and where its ranges stand."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpersist
from gpersist import files
from gpersist.bundle import Entry, encode_index
from gpersist.checkpoint.meta import encode_meta
from gpersist.checkpoint.placement import place
from gpersist.checkpoint.placement_plan import TensorSpec
from gpersist.checkpoint.restore import open_storage
from gpersist.checkpoint.storage import Storage, read_recorded_devices
from gpersist.checkpoint.v1 import V1Storage
from gpersist.devices import devices
from gpersist.dtypes import from_name
from gpersist.errors import CheckpointNotFoundError, DataLossError, FailedPreconditionError

F4 = from_name("float32")


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    gpersist.save(tmp_path / "x", {"a": np.zeros(9), "b": np.ones(5), "s": "text", "none": np.zeros(0)}, shards=3, durable=False)
    return str(tmp_path / "x")


def test_rows_come_in_the_order_of_the_files(prefix: str) -> None:
    with Storage(prefix) as storage:
        ranges = storage.ranges(["s", "none", "b", "a"])
        rows, layout, readers = storage.layout(ranges)
        assert [ranges.names[row] for row in rows] == ["a", "b", "s"]
        assert layout.sizes.tolist() == [72, 40, 9]
        assert [reader.path for reader in readers] == [f"{prefix}.data-0000{n}-of-0000{len(readers)}" for n in range(len(readers))]
        rows, layout, readers = storage.layout(ranges, np.array([1, 2]))
        assert ([ranges.names[row] for row in rows], layout.files.tolist(), len(readers)) == (["b"], [0], 1)


def test_files_are_closed(prefix: str) -> None:
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
        with Storage(prefix) as storage:
            storage.layout(storage.ranges())
            assert len(opened) >= 2
        assert opened == set()
        Path(prefix + ".index").write_bytes(b"nonsense" * 10)
        with pytest.raises(DataLossError):
            Storage(prefix)
        assert opened == set()


def test_a_closed_storage_opens_no_file(prefix: str) -> None:
    storage = Storage(prefix)
    storage.close()
    with pytest.raises(FailedPreconditionError, match="is closed"):
        storage.reader(0)


def test_a_missing_data_file_is_named(prefix: str) -> None:
    path = next(Path(prefix).parent.glob("*.data-00001-of-*"))
    path.unlink()
    with Storage(prefix) as storage, pytest.raises(CheckpointNotFoundError, match=f"{path.name}.* is missing"):
        storage.layout(storage.ranges())


@pytest.mark.parametrize("name", ["{path}.part", "{path} (1)", "best.data-00001-of-{count}"])
def test_what_a_missing_data_file_may_have_become(prefix: str, name: str) -> None:
    path = next(Path(prefix).parent.glob("*.data-00001-of-*"))
    other = name.format(path=path.name, count=path.name[-5:])
    path.rename(path.parent / other)
    with Storage(prefix) as storage, pytest.raises(CheckpointNotFoundError, match=re.escape(f"; {other!r} may be it, renamed or unfinished")):
        storage.layout(storage.ranges())


@pytest.mark.parametrize(
    ("offsets", "message"),
    [
        ([0, 4, 90], "tensor 'c' needs bytes 90 to 102 of 'x.data-00000-of-00001', which ends at 100: the file is truncated"),
        ([0, 11, 50], "tensor 'a' takes bytes 0 to 12 of shard 0, and 'b' begins at byte 11: they overlap"),
        ([50, 0, 40], "tensor 'c' takes bytes 40 to 52 of shard 0, and 'a' begins at byte 50: they overlap"),
        ([8, 8, 30], "they overlap"),
        ([2**62, 0, 30], "the file is truncated"),
    ],
)
def test_ranges_that_cannot_be(tmp_path: Path, offsets: list[int], message: str) -> None:
    entries = [(name.encode(), Entry(F4, (3,), 0, offset, 12, 1)) for name, offset in zip("abc", offsets, strict=True)]
    (tmp_path / "x.index").write_bytes(encode_index(entries, 1))
    (tmp_path / "x.data-00000-of-00001").write_bytes(b"\0" * 100)
    with Storage(str(tmp_path / "x")) as storage, pytest.raises(DataLossError, match=message):
        storage.layout(storage.ranges())


def test_both_formats_have_one_face(prefix: str) -> None:
    gpersist.save_v1(prefix + "-v1", {"a": np.zeros(9)}, durable=False)
    with open_storage(prefix) as v2, open_storage(prefix + "-v1") as v1:
        assert (type(v2), type(v1), v2.is_checked, v1.is_checked) == (Storage, V1Storage, True, False)


# ---- recorded devices

SPELLINGS = st.one_of(
    st.sampled_from(
        [
            "", "/cpu:0", "/CPU:0", "/device:CPU:0", "/device:cpu:0", "/job:localhost/replica:0/task:0/device:CPU:0", "/job:worker/task:3/cpu:0",
            "/device:CPU:*", "/cpu:*", "/device:CPU", "/device:CPU:1", "/cpu:1", "/device:CPU:00", "/device:CPU:01", "/device:CPU:10",
            "/gpu:0", "/GPU:1", "/device:GPU:0", "/device:gpu:2", "/device:TPU:0", "/device:XLA_CPU:0", "/device:XLA_CPU_JIT:0", "/tpu:0", "/epu:1",
            "/custom:3", "/job:gpu/cpu:0", "/device:CUSTOM:1", "/task:0", "/job:ps", "cpu:0", "cpu:1", "gpu:0",
        ]
    ),
    st.from_regex(r"(/job:[a-z]{1,3})?(/task:[0-9])?/(CPU|cpu|gpu|TPU|device:(CPU|cpu|GPU|FPGA)):([0-9]{1,2}|\*)", fullmatch=True),
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(SPELLINGS, min_size=1, max_size=4))
def test_where_there_is_only_the_host_a_quick_look_tells_the_same(tmp_path_factory: pytest.TempPathFactory, recorded: list[str]) -> None:
    """Nothing but the host recorded: then no `.meta` need be taken apart. The places and the warnings are those of the general way."""
    folder = tmp_path_factory.mktemp("meta")
    names = [f"w{n}" for n in range(len(recorded))]
    (folder / "x.meta").write_bytes(encode_meta(names, [F4] * len(names), [()] * len(names), recorded))
    general = read_recorded_devices(str(folder / "x"), False)
    quick = read_recorded_devices(str(folder / "x"), True)
    assert general == dict(zip(names, recorded, strict=True))

    def lost(devices_by_name: dict[str, str]) -> list[bool]:
        specs = [TensorSpec(name, (), F4, 4, devices_by_name.get(name, "")) for name in names]
        plan = place(specs, "recorded", available=devices())
        assert {device.name for device in plan.devices} == {"/device:CPU:0"}
        return [choice.missing for choice in plan._choices]

    assert lost(quick) == lost(general)


def test_the_quick_look_is_quick_for_our_own(tmp_path: Path) -> None:
    gpersist.save(tmp_path / "x", {"cpu:7": 1, "computer": 2, "w": np.zeros(3)}, durable=False)
    assert read_recorded_devices(str(tmp_path / "x"), True).keys() <= {"cpu:7", "computer", "w"}
    gpersist.save(tmp_path / "y", {"w": np.zeros(3)}, durable=False)
    assert read_recorded_devices(str(tmp_path / "y"), True) == {}
    assert read_recorded_devices(str(tmp_path / "y"), False) == {"w": "/device:CPU:0"}
    assert read_recorded_devices(str(tmp_path / "z"), False) == {}
