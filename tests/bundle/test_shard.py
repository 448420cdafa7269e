from __future__ import annotations

import errno
import fcntl
import gzip
import os
import threading
from pathlib import Path

import pytest

from gpersist import files
from gpersist.bundle.shard import DIRECT_ALIGNMENT, ShardReader, ShardWriter
from gpersist.devices.memory import PageBuffer
from gpersist.errors import (
    AlreadyExistsError,
    CheckpointNotFoundError,
    DataLossError,
    FileError,
    InvalidArgumentError,
    OutOfSpaceError,
    from_os_error,
)
from gpersist.files import PosixFiles


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "data")


@pytest.fixture(autouse=True)
def no_descriptor_is_left():
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) == before


class Recording(PosixFiles):
    """Remembers its calls; one may fail."""

    def __init__(self, fails: str = "", number: int = errno.EIO) -> None:
        self.calls: list[str] = []
        self.fails, self.number = fails, number

    def __getattribute__(self, name: str):
        found = super().__getattribute__(name)
        if name in ("calls", "fails", "number") or name.startswith("_"):
            return found

        def call(*arguments, **keywords):
            self.calls.append(name)
            if name == self.fails:
                raise from_os_error(OSError(self.number, "no"), f"{name} {arguments[0]!r}")
            return found(*arguments, **keywords)

        return call


# ---- writing


def test_ranges_in_any_order_make_the_file(path: str) -> None:
    writer = ShardWriter(path, 20, durable=True)
    writer.write([b"tail"], 4, 16)
    writer.write([b"he", bytearray(b"ad")], 4, 0)
    writer.finish()
    writer.close()
    writer.close()
    assert Path(path).read_bytes() == b"head" + bytes(12) + b"tail"


@pytest.mark.parametrize("size", [0, 1, 5000])
def test_the_size_is_exact_though_nothing_was_written(size: int, path: str) -> None:
    writer = ShardWriter(path, size, durable=False)
    writer.finish()
    writer.close()
    assert Path(path).read_bytes() == bytes(size)


def test_the_size_is_exact_where_blocks_cannot_be_reserved(path: str) -> None:
    class Unable(PosixFiles):
        def allocate(self, fd, size_bytes, path):
            pass

    with files.substituted(Unable()):
        writer = ShardWriter(path, 5000, durable=False)
        writer.write([b"x"], 1, 0)
        writer.finish()
        writer.close()
    assert Path(path).stat().st_size == 5000


def test_written_by_several_threads(path: str) -> None:
    writer = ShardWriter(path, 4 << 16, durable=True)
    threads = [threading.Thread(target=writer.write, args=([bytes([number]) * (1 << 16)], 1 << 16, number << 16)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.finish()
    writer.close()
    assert Path(path).read_bytes() == b"".join(bytes([number]) * (1 << 16) for number in range(4))


@pytest.mark.parametrize("durable", [False, True])
def test_only_a_durable_one_is_synced(durable: bool, path: str) -> None:
    system = Recording()
    with files.substituted(system):
        writer = ShardWriter(path, 4, durable=durable)
        writer.write([b"abcd"], 4, 0)
        writer.finish()
        writer.close()
    assert ("fsync" in system.calls, "start_writeback" in system.calls) == (durable, durable)
    assert system.calls.index("allocate") < system.calls.index("pwritev")


def test_it_is_locked_until_it_is_closed(path: str) -> None:
    """So that the litter of a dead process is told from a save under way."""
    writer = ShardWriter(path, 4, durable=False)
    with open(path) as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        writer.finish()
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        writer.close()
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_nothing_is_overwritten(path: str) -> None:
    Path(path).write_bytes(b"precious")
    with pytest.raises(AlreadyExistsError):
        ShardWriter(path, 4, durable=False)
    assert Path(path).read_bytes() == b"precious"


def test_a_full_disk_leaves_nothing(path: str) -> None:
    with files.substituted(Recording("allocate", errno.ENOSPC)), pytest.raises(OutOfSpaceError):
        ShardWriter(path, 4, durable=False)
    assert not os.path.exists(path)


def test_abandoned_it_is_gone(path: str) -> None:
    writer = ShardWriter(path, 4, durable=True)
    writer.write([b"ab"], 2, 0)
    writer.abandon()
    assert not os.path.exists(path)
    writer.abandon()


@pytest.mark.parametrize("fails", ["close", "remove"])
def test_abandoning_never_raises(fails: str, path: str) -> None:
    system = Recording()
    with files.substituted(system):
        writer = ShardWriter(path, 4, durable=False)
        fd = writer._fd
        system.fails = fails
        writer.abandon()
    if fails == "close":
        os.close(fd)  # which this one did not do
    assert os.path.exists(path) == (fails == "remove")


# ---- past the page cache


def test_direct_blocks_are_cut_to_the_files_size(path: str) -> None:
    buffer = PageBuffer(2 * DIRECT_ALIGNMENT)
    buffer.array[:] = 7
    try:
        writer = ShardWriter(path, 5000, durable=True, direct=True)
    except InvalidArgumentError:
        pytest.skip("no O_DIRECT in the folder for temporary files")
    writer.write([memoryview(buffer.array.data)], 2 * DIRECT_ALIGNMENT, 0)
    writer.finish()
    writer.close()
    assert Path(path).read_bytes() == b"\7" * 5000


def test_where_there_is_no_direct_io(path: str) -> None:
    """Linux makes the file first, and then says that it cannot open it so."""

    class Unable(PosixFiles):
        def create(self, path, *, direct=False):
            os.close(super().create(path))
            raise from_os_error(OSError(errno.EINVAL, "no"), f"create {path!r}")

    with files.substituted(Unable()), pytest.raises(InvalidArgumentError, match=f"cannot create '{path}'.*no O_DIRECT: save with direct_io=False"):
        ShardWriter(path, 4, durable=False, direct=True)
    assert not os.path.exists(path)


@pytest.mark.parametrize(("number", "direct"), [(errno.EIO, True), (errno.EINVAL, False)])
def test_other_failures_to_create_are_not_blamed_on_direct_io(number: int, direct: bool, path: str) -> None:
    with files.substituted(Recording("create", number)), pytest.raises(FileError) as caught:
        ShardWriter(path, 4, durable=False, direct=direct)
    assert "O_DIRECT" not in caught.value.message


# ---- reading


def test_reads_into_buffers(path: str) -> None:
    Path(path).write_bytes(b"0123456789")
    with ShardReader(path) as reader:
        assert reader.size_bytes == 10
        buffers = [bytearray(2), bytearray(3)]
        reader.read(buffers, 5, 4)
        assert buffers == [b"45", b"678"]
        assert os.pread(reader.descriptor(), 2, 0) == b"01"
    reader.close()


def test_ranges_are_held_against_the_files_size(path: str) -> None:
    Path(path).write_bytes(bytes(10))
    with ShardReader(path) as reader:
        reader.check(0, 10, "tensor 'a'")
        reader.check(10, 0, "tensor 'a'")
        with pytest.raises(DataLossError, match="tensor 'a' needs bytes 8 to 11 of 'data', which ends at 10: the file is truncated"):
            reader.check(8, 3, "tensor 'a'")
        with pytest.raises(DataLossError):
            reader.check(2**63, 2**63, "tensor 'a'")


def test_a_pointer_in_a_data_files_place_is_told(path: str) -> None:
    Path(path).write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 99\n")
    with ShardReader(path) as reader, pytest.raises(DataLossError, match=r"data', which is a Git-LFS pointer, .*git lfs pull"):
        reader.check(0, 99, "tensor 'a'")


def test_a_data_file_that_is_still_packed_is_told(path: str) -> None:
    Path(path).write_bytes(gzip.compress(bytes(99)))
    with ShardReader(path) as reader, pytest.raises(DataLossError, match=r"data', which is gzip-compressed: unpack it"):
        reader.check(0, 99, "tensor 'a'")


def test_a_file_cut_while_it_is_read(path: str) -> None:
    Path(path).write_bytes(bytes(10))
    with ShardReader(path) as reader:
        os.truncate(path, 6)
        with pytest.raises(DataLossError, match=f"'{path}' ended at byte 6 while it was read; 8 bytes were expected at byte 2"):
            reader.read([bytearray(8)], 8, 2)


def test_a_missing_file(path: str) -> None:
    with pytest.raises(CheckpointNotFoundError, match=path):
        ShardReader(path)


def test_a_file_that_cannot_be_measured_is_closed(path: str) -> None:
    Path(path).write_bytes(b"x")
    with files.substituted(Recording("size")), pytest.raises(FileError):
        ShardReader(path)


def test_a_sparse_file_of_terabytes(path: str) -> None:
    with open(path, "wb") as file:
        file.truncate(3 << 40)
        file.seek((3 << 40) - 3)
        file.write(b"end")
    with ShardReader(path) as reader:
        buffer = bytearray(4)
        reader.read([buffer], 4, reader.size_bytes - 4)
        assert buffer == b"\0end"
