from __future__ import annotations

import ctypes
import errno
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gpersist import files
from gpersist.errors import (
    AlreadyExistsError,
    CheckpointNotFoundError,
    FileError,
    GPersistError,
    InvalidArgumentError,
    OutOfSpaceError,
    PermissionDeniedError,
    ResourceExhaustedError,
)
from gpersist.files import IOV_MAX, PosixFiles, posix

SYSTEM = PosixFiles()


def descriptors() -> list[str]:
    return os.listdir("/proc/self/fd")


@pytest.fixture(autouse=True)
def no_descriptor_is_left() -> Iterator[None]:
    before = descriptors()
    yield
    assert len(descriptors()) == len(before)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "file")


@pytest.fixture
def fd(path: str) -> Iterator[int]:
    fd = SYSTEM.create(path)
    yield fd
    os.close(fd)


@pytest.fixture(params=[1, 3, 7])
def short(request, monkeypatch) -> int:
    """System calls move at most so many bytes: the first of what they are given."""

    def first(buffers):
        views = [memoryview(buffer).cast("B") for buffer in buffers if memoryview(buffer).nbytes]
        return [views[0][: request.param]] if views else []

    read, write = os.preadv, os.pwritev
    monkeypatch.setattr(os, "preadv", lambda fd, buffers, offset: read(fd, first(buffers), offset))
    monkeypatch.setattr(os, "pwritev", lambda fd, buffers, offset: write(fd, first(buffers), offset))
    return request.param


# ---- reading and writing


def test_short_calls_are_continued(short: int, fd: int, path: str) -> None:
    array = np.arange(6, dtype=np.int16).reshape(2, 3)
    SYSTEM.pwritev(fd, [b"abcde", array, bytearray(b"!"), np.array(2.5)], 26, 4, path)
    assert Path(path).read_bytes() == b"\0" * 4 + b"abcde" + array.tobytes() + b"!" + np.array(2.5).tobytes()
    head, back, scalar = bytearray(5), np.zeros((2, 3), np.int16), np.array(0.0)
    assert SYSTEM.preadv(fd, [head, back, memoryview(bytearray(1)), scalar], 26, 4, path) == 26
    assert (head, scalar) == (b"abcde", 2.5)
    assert np.array_equal(back, array)


def test_short_at_the_end_of_the_file(short: int, fd: int, path: str) -> None:
    SYSTEM.pwritev(fd, [b"0123456789"], 10, 0, path)
    buffers = [bytearray(4), bytearray(4)]
    assert SYSTEM.preadv(fd, buffers, 8, 5, path) == 5
    assert buffers == [b"5678", b"9\0\0\0"]
    assert SYSTEM.preadv(fd, [bytearray(3)], 3, 10, path) == 0
    assert SYSTEM.preadv(fd, [bytearray(3)], 3, 99, path) == 0


def test_as_many_buffers_as_the_system_takes(fd: int, path: str) -> None:
    SYSTEM.pwritev(fd, [b"x"] * IOV_MAX, IOV_MAX, 0, path)
    assert SYSTEM.size(fd, path) == IOV_MAX


def test_nothing_to_read_or_write(fd: int, path: str) -> None:
    SYSTEM.pwritev(fd, [], 0, 0, path)
    assert SYSTEM.preadv(fd, [], 0, 0, path) == 0
    assert SYSTEM.size(fd, path) == 0


def test_offsets_beyond_4_gib_in_a_sparse_file(fd: int, path: str) -> None:
    offset = 5 << 30
    SYSTEM.pwritev(fd, [b"far"], 3, offset, path)
    buffer = bytearray(5)
    assert SYSTEM.preadv(fd, [buffer], 5, offset - 2, path) == 5
    assert buffer == b"\0\0far"
    assert SYSTEM.size(fd, path) == offset + 3
    assert os.stat(path).st_blocks * 512 < 1 << 20


def test_a_write_that_makes_no_progress_ends_in_an_error(fd: int, path: str, monkeypatch) -> None:
    monkeypatch.setattr(os, "pwritev", lambda fd, buffers, offset: 0)
    with pytest.raises(FileError, match=r"write 3 bytes at byte 8 of '.*file'"):
        SYSTEM.pwritev(fd, [b"abc"], 3, 8, path)


def test_failures_name_bytes_and_path(path: str) -> None:
    Path(path).write_bytes(b"abc")
    fd = SYSTEM.open_read(path)
    try:
        with pytest.raises(FileError, match=f"cannot write 2 bytes at byte 7 of '{path}': Bad file descriptor") as caught:
            SYSTEM.pwritev(fd, [b"ab"], 2, 7, path)
        assert caught.value.errno == errno.EBADF
        with pytest.raises(FileError, match=f"cannot read 2 bytes at byte -2 of '{path}'"):
            SYSTEM.preadv(fd, [bytearray(2)], 2, -2, path)
    finally:
        SYSTEM.close(fd)


# ---- opening


def test_create_refuses_what_is_there(path: str, fd: int) -> None:
    with pytest.raises(AlreadyExistsError, match=f"cannot create '{path}'"):
        SYSTEM.create(path)


def test_create_has_the_mode_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        SYSTEM.close(SYSTEM.create(str(tmp_path / "a")))
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_descriptors_are_not_inherited(fd: int, path: str) -> None:
    other = SYSTEM.open_read(path)
    assert not os.get_inheritable(fd)
    assert not os.get_inheritable(other)
    SYSTEM.close(other)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ["fifo", "folder", "socket", "device"])
def test_only_regular_files_are_opened(kind: str, tmp_path: Path, monkeypatch) -> None:
    planted = tmp_path / "x.index"
    if kind == "fifo":
        os.mkfifo(planted)
    elif kind == "folder":
        planted.mkdir()
    elif kind == "device":
        planted.symlink_to("/dev/zero")
    else:
        monkeypatch.chdir(tmp_path)  # a socket's path must be short
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("x.index")
    with pytest.raises((InvalidArgumentError, FileError), match=f"cannot open '{planted}'"):
        SYSTEM.open_read(str(planted))


def test_open_closes_what_it_cannot_stat(path: str, fd: int, monkeypatch) -> None:
    def fail(fd):
        raise OSError(errno.EIO, "no")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", fail)
        with pytest.raises(FileError, match=f"cannot open '{path}': Input/output error"):
            SYSTEM.open_read(path)


# ---- errors


@pytest.mark.parametrize(
    "call",
    [
        lambda path: SYSTEM.open_read(path),
        lambda path: SYSTEM.create(os.path.join(path, "x")),
        lambda path: SYSTEM.rename(path, path + "2"),
        lambda path: SYSTEM.remove(path),
        lambda path: SYSTEM.names(path),
        lambda path: SYSTEM.fsync_folder(path),
        lambda path: SYSTEM.locked(path).__enter__(),
        lambda path: SYSTEM.read_all(path, 10),
    ],
)
def test_what_is_missing_is_named(call, path: str) -> None:
    with pytest.raises(CheckpointNotFoundError, match=path) as caught:
        call(path)
    assert caught.value.errno == errno.ENOENT


@pytest.mark.parametrize("call", ["open_read", "create", "remove", "names", "fsync_folder", "make_folders", "stat", "is_file"])
def test_impossible_paths_are_ours_too(call: str) -> None:
    with pytest.raises(GPersistError, match=r"a.*b"):
        getattr(SYSTEM, call)("a\0b")
    with pytest.raises(GPersistError, match="x" * 300):
        getattr(SYSTEM, call)("x" * 300)


def test_permission(tmp_path: Path, monkeypatch) -> None:
    def refuse(*arguments, **keywords):
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(PermissionDeniedError, match="cannot create"):
        SYSTEM.create(str(tmp_path / "x"))


def test_stat_of_nothing_is_none(tmp_path: Path, path: str, fd: int) -> None:
    assert SYSTEM.stat(str(tmp_path / "nothing")) is None
    assert SYSTEM.stat(os.path.join(path, "below-a-file")) is None
    assert SYSTEM.stat(path).st_size == 0
    assert SYSTEM.is_file(path)
    assert not SYSTEM.is_file(str(tmp_path))
    (tmp_path / "link").symlink_to(path)
    (tmp_path / "dangling").symlink_to("nowhere")
    assert SYSTEM.is_file(str(tmp_path / "link"))
    assert SYSTEM.stat(str(tmp_path / "dangling")) is None


# ---- space


class Libc:
    """Answers `fallocate` with errnos, one a call, then success; 0 succeeds."""

    def __init__(self, *numbers: int) -> None:
        self.numbers, self.calls = list(numbers), 0

    def fallocate(self, fd: int, mode: int, offset: object, size: object) -> int:
        self.calls += 1
        ctypes.set_errno(self.numbers.pop(0) if self.numbers else 0)
        return -1 if ctypes.get_errno() else 0


def test_allocate_reserves_blocks(fd: int, path: str) -> None:
    SYSTEM.allocate(fd, 3 << 20, path)
    assert os.stat(path).st_blocks * 512 >= 3 << 20
    SYSTEM.allocate(fd, 0, path)


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.ENOSYS])
def test_allocate_where_the_file_system_cannot(number: int, fd: int, path: str, monkeypatch) -> None:
    monkeypatch.setattr(posix, "_libc", Libc(number))
    SYSTEM.allocate(fd, 100, path)


def test_allocate_on_a_full_disk(fd: int, path: str, monkeypatch) -> None:
    monkeypatch.setattr(posix, "_libc", Libc(errno.ENOSPC))
    with pytest.raises(OutOfSpaceError, match=rf"cannot reserve 100 bytes for '{path}': No space left.*; \d+ bytes are free there") as caught:
        SYSTEM.allocate(fd, 100, path)
    assert caught.value.errno == errno.ENOSPC


def test_allocate_goes_on_after_a_signal(fd: int, path: str, monkeypatch) -> None:
    libc = Libc(errno.EINTR, errno.EINTR)
    monkeypatch.setattr(posix, "_libc", libc)
    SYSTEM.allocate(fd, 100, path)
    assert libc.calls == 3


def test_a_real_lack_of_space(fd: int, path: str) -> None:
    """A file larger than any file system takes."""
    with pytest.raises((OutOfSpaceError, FileError), match="cannot reserve"):
        SYSTEM.allocate(fd, 2**62, path)


def test_truncate_cuts_and_extends(fd: int, path: str) -> None:
    SYSTEM.pwritev(fd, [b"abcdef"], 6, 0, path)
    SYSTEM.truncate(fd, 4, path)
    SYSTEM.truncate(fd, 6, path)
    assert Path(path).read_bytes() == b"abcd\0\0"


def test_syncs(fd: int, path: str, tmp_path: Path) -> None:
    SYSTEM.start_writeback(fd, 0, 1)
    SYSTEM.start_writeback(-1, 0, 1)  # never fails
    SYSTEM.fsync(fd, path)
    SYSTEM.fsync_folder(str(tmp_path))
    with pytest.raises(FileError, match=f"cannot fsync '{path}'"):
        SYSTEM.fsync(-1, path)


def test_fsync_folder_where_folders_have_none(tmp_path: Path, monkeypatch) -> None:
    def refuse(fd):
        raise OSError(number, "no")

    monkeypatch.setattr(os, "fsync", refuse)
    number = errno.EINVAL
    SYSTEM.fsync_folder(str(tmp_path))
    number = errno.EIO
    with pytest.raises(FileError, match=f"cannot fsync '{tmp_path}': Input/output error"):
        SYSTEM.fsync_folder(str(tmp_path))


# ---- names


def test_names_folders_and_renames(tmp_path: Path) -> None:
    folder = str(tmp_path / "a" / "b")
    SYSTEM.make_folders(folder)
    SYSTEM.make_folders(folder)
    for name in ("z", "y", "\udcff"):
        SYSTEM.close(SYSTEM.create(os.path.join(folder, name)))
    assert SYSTEM.names(folder) == ["y", "z", "\udcff"]
    SYSTEM.rename(os.path.join(folder, "z"), os.path.join(folder, "y"))
    assert SYSTEM.names(folder) == ["y", "\udcff"]
    SYSTEM.remove(os.path.join(folder, "y"))
    assert SYSTEM.names(folder) == ["\udcff"]


def test_read_all(path: str, fd: int) -> None:
    assert SYSTEM.read_all(path, 10) == b""
    SYSTEM.pwritev(fd, [b"0123456789"], 10, 0, path)
    assert SYSTEM.read_all(path, 10) == b"0123456789"
    with pytest.raises(ResourceExhaustedError, match="holds 10 bytes; at most 9 are read as a whole"):
        SYSTEM.read_all(path, 9)


def test_read_all_allocates_nothing_for_what_it_refuses(path: str, fd: int) -> None:
    SYSTEM.truncate(fd, 1 << 42, path)
    with pytest.raises(ResourceExhaustedError):
        SYSTEM.read_all(path, 1 << 20)


# ---- locks

HOLDER = """
import sys
from gpersist.files import PosixFiles
with PosixFiles().locked(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen]:
    """Another process that holds the folder's lock."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


@pytest.mark.parametrize("end", ["close", "kill"])
def test_a_locked_folder_excludes_other_processes(end: str, holder: subprocess.Popen, tmp_path: Path) -> None:
    entered = threading.Event()

    def enter() -> None:
        with SYSTEM.locked(str(tmp_path)):
            entered.set()

    thread = threading.Thread(target=enter)
    thread.start()
    assert not entered.wait(0.2)
    if end == "close":
        holder.stdin.close()
    else:
        holder.send_signal(signal.SIGKILL)  # a process that dies holds nothing
    thread.join(60)
    assert entered.is_set()
    assert os.listdir(tmp_path) == []


def test_who_waits_long_for_a_lock_is_told(holder: subprocess.Popen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    class UntilTold(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record.getMessage())
            holder.stdin.close()

    monkeypatch.setattr(posix, "PATIENCE_S", 0.1)
    monkeypatch.setattr(logging.getLogger("gpersist"), "handlers", [UntilTold()])
    with SYSTEM.locked(str(tmp_path)):
        pass
    assert told == [f"'{tmp_path}' has been locked for 0.1 s by another save there; its process may be hung or stopped"]
    with SYSTEM.locked(str(tmp_path)):
        pass
    assert len(told) == 1


def test_a_locked_folder_excludes_other_threads(tmp_path: Path) -> None:
    inside = 0

    def work() -> None:
        nonlocal inside
        for _ in range(50):
            with SYSTEM.locked(str(tmp_path)):
                inside += 1
                alone.append(inside == 1)
                inside -= 1

    alone: list[bool] = []
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(alone) == 150
    assert all(alone)


FORKING = """
import os, sys
from gpersist.files import PosixFiles
with PosixFiles().locked(sys.argv[1]):
    child = os.fork()
    if not child:
        sys.stdin.read()
        os._exit(0)
with PosixFiles().locked(sys.argv[1]):
    print("held again", flush=True)
sys.stdin.read()
os.waitpid(child, 0)
"""


def test_a_lock_ends_though_a_forked_child_lives(tmp_path: Path) -> None:
    """It has the descriptor as well: a worker that reads data, started while a save commits, would stop all saves."""
    with subprocess.Popen([sys.executable, "-c", FORKING, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        timer = threading.Timer(90, process.stdin.close)
        timer.start()
        assert process.stdout.readline() == b"held again\n"
        assert timer.is_alive()
        timer.cancel()
        process.stdin.close()
        assert process.wait(60) == 0


def test_a_lock_ends_with_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), SYSTEM.locked(str(tmp_path)):
        raise KeyError
    with SYSTEM.locked(str(tmp_path)):
        pass


def test_where_there_are_no_locks_nothing_is_held(tmp_path: Path, fd: int, monkeypatch) -> None:
    def refuse(fd, operation):
        raise OSError(number, "no")

    monkeypatch.setattr(posix.fcntl, "flock", refuse)
    number = errno.ENOLCK
    with SYSTEM.locked(str(tmp_path)):
        pass
    assert not SYSTEM.try_lock(fd)
    number = errno.EIO
    with pytest.raises(FileError, match=f"cannot lock '{tmp_path}'"), SYSTEM.locked(str(tmp_path)):
        pass


def test_try_lock_tells_who_is_alive(fd: int, path: str) -> None:
    other = SYSTEM.open_read(path)
    try:
        assert SYSTEM.try_lock(fd)
        assert SYSTEM.try_lock(fd)
        assert not SYSTEM.try_lock(other)
        SYSTEM.close(os.dup(fd))  # the lock is the open file's, not the descriptor's
        assert not SYSTEM.try_lock(other)
    finally:
        SYSTEM.close(other)
    again = SYSTEM.open_read(path)
    try:
        assert not SYSTEM.try_lock(again)
        os.dup2(again, fd)  # closes the one that holds it
        assert SYSTEM.try_lock(again)
    finally:
        SYSTEM.close(again)


# ---- the face


def test_substituted_for_the_duration_of_a_with() -> None:
    before = files.active()
    other = PosixFiles()
    with pytest.raises(KeyError), files.substituted(other):
        assert files.active() is other
        raise KeyError
    assert files.active() is before
