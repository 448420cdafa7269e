"""The operating system's files, as everything above sees them.

Every access of gpersist to a file system goes through the one active `PosixFiles` (`gpersist.files.active()`); tests put a subclass in its place
that fails, dies, or forgets what was not synced. All calls raise the error tree's errors with the path in their message.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import logging
import os
import re
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from gpersist.errors import ResourceExhaustedError, UnimplementedError, from_os_error

Buffer = Any
"""Whatever has the buffer protocol and is contiguous."""

IOV_MAX = os.sysconf("SC_IOV_MAX") if hasattr(os, "sysconf") else 1024

PATIENCE_S = 10.0
"""How long to wait for another's lock without a word."""

_log = logging.getLogger("gpersist")
_libc = ctypes.CDLL(None, use_errno=True)
_SYNC_FILE_RANGE_WRITE = 2
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9.]*)://")
_UNSUPPORTED = {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.ESPIPE}


def check_local(path: str) -> None:
    """Refuses what TensorFlow takes for a path of another file system, such as `gs://bucket/run`: it would become a folder `gs:` here.

    Raises:
        UnimplementedError: it is one; `file://` too.
    """
    if found := _SCHEME.match(path):
        way_out = "leave out 'file://'" if found[1] == "file" else "mount it, or copy from and to it, and give the path here"
        what = f"File system scheme '{found[1]}' not implemented (file: '{path}')"  # TensorFlow's words
        raise UnimplementedError(f"{what}; gpersist knows this machine's files only: {way_out}")


class PosixFiles:
    """Thin, stateless, safe for threads: a call here is a system call, whole (short reads and writes are continued)."""

    # ---- descriptors

    def open_read(self, path: str) -> int:
        """Opens a regular file for reading and returns its descriptor."""
        with _named("open", path):
            # O_NONBLOCK: a FIFO planted under a checkpoint's name must not hang us; regular files ignore it
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                if not stat.S_ISREG(os.fstat(fd).st_mode):
                    raise OSError(errno.EISDIR, "not a regular file", path)
            except BaseException:
                os.close(fd)
                raise
            return fd

    def create(self, path: str, *, direct: bool = False) -> int:
        """Creates a file that must not exist, for reading and writing, with the mode that the process's umask gives.

        Args:
            path: the file.
            direct: with O_DIRECT; `OSError` EINVAL where the file system has none is reported like any other.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | (os.O_DIRECT if direct else 0)
        with _named("create", path):
            return os.open(path, flags, 0o666)

    def close(self, fd: int, path: str = "") -> None:
        """Closes a descriptor. `path` is for the error, where something was written: network file systems tell only now that there was no room."""
        with _named("close", path or f"descriptor {fd}"):
            os.close(fd)

    def size(self, fd: int, path: str) -> int:
        """Size in bytes of an open file."""
        with _named("stat", path):
            return os.fstat(fd).st_size

    def preadv(self, fd: int, buffers: Sequence[Buffer], size_bytes: int, offset: int, path: str) -> int:
        """Reads `size_bytes` bytes, the size of all buffers, at an offset into buffers, in order; returns fewer where the file ends."""
        try:
            done = os.preadv(fd, buffers, offset)
            got = done
            while got and done < size_bytes:
                got = os.preadv(fd, _after(buffers, done), offset + done)
                done += got
            return done
        except OSError as error:
            raise from_os_error(error, f"read {size_bytes} bytes at byte {offset} of {path!r}") from error

    def pwritev(self, fd: int, buffers: Sequence[Buffer], size_bytes: int, offset: int, path: str) -> None:
        """Writes buffers, whose sizes sum to `size_bytes`, in order, at an offset, all of them."""
        try:
            done = os.pwritev(fd, buffers, offset)
            while done < size_bytes:
                put = os.pwritev(fd, _after(buffers, done), offset + done)
                if not put:
                    raise OSError(errno.EIO, "no progress", path)
                done += put
        except OSError as error:
            raise from_os_error(error, f"write {size_bytes} bytes at byte {offset} of {path!r}") from error

    def allocate(self, fd: int, size_bytes: int, path: str) -> None:
        """Reserves a file's blocks, so that a full disk is noticed before anything is written; does nothing where the file system cannot."""
        if size_bytes <= 0:
            return
        while _libc.fallocate(fd, 0, ctypes.c_int64(0), ctypes.c_int64(size_bytes)) != 0:
            number = ctypes.get_errno()
            if number in _UNSUPPORTED:
                return
            if number != errno.EINTR:  # a signal: its handler has run, try again
                raise from_os_error(OSError(number, os.strerror(number), path), f"reserve {size_bytes} bytes for {path!r}", _room(fd, number))

    def truncate(self, fd: int, size_bytes: int, path: str) -> None:
        """Cuts or extends an open file."""
        with _named("truncate", path):
            os.ftruncate(fd, size_bytes)

    def start_writeback(self, fd: int, offset: int, size_bytes: int) -> None:
        """Asks the kernel to begin writing a range to the disk, without waiting: it makes the final `fsync` short. Never fails."""
        _libc.sync_file_range(fd, ctypes.c_int64(offset), ctypes.c_int64(size_bytes), _SYNC_FILE_RANGE_WRITE)

    def fsync(self, fd: int, path: str) -> None:
        """Waits until an open file is on the disk."""
        with _named("fsync", path):
            os.fsync(fd)

    # ---- folders and names

    def fsync_folder(self, folder: str) -> None:
        """Waits until a folder's names are on the disk."""
        with _named("fsync", folder):
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(fd)
            except OSError as error:
                if error.errno != errno.EINVAL:  # some network file systems have no fsync for folders
                    raise
            finally:
                os.close(fd)

    def rename(self, source: str, target: str) -> None:
        """Renames a file within a folder, atomically, over whatever has the name."""
        with _named(f"rename {source!r} to", target):
            os.replace(source, target)

    def remove(self, path: str) -> None:
        """Removes a file."""
        with _named("remove", path):
            os.unlink(path)

    def remove_folder(self, path: str) -> None:
        """Removes an empty folder."""
        with _named("remove the folder", path):
            os.rmdir(path)

    def make_folders(self, path: str) -> None:
        """Makes a folder and those above it, where missing."""
        with _named("make the folder", path):
            os.makedirs(path, exist_ok=True)

    def names(self, folder: str) -> list[str]:
        """The names in a folder, sorted."""
        with _named("list", folder):
            return sorted(os.listdir(folder))

    def stat(self, path: str) -> os.stat_result | None:
        """What stands under a name, links followed; None if nothing does."""
        check_local(path)
        try:
            return os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise from_os_error(_as_os_error(error), f"stat {path!r}") from error

    def is_named(self, fd: int, path: str) -> bool:
        """Whether a path, links followed, names this open file: nothing else has been put in its place since it was opened."""
        with _named("stat", path):
            found = self.stat(path)
            return found is not None and os.path.samestat(os.fstat(fd), found)

    def is_file(self, path: str) -> bool:
        """Whether a regular file stands under a name, links followed."""
        found = self.stat(path)
        return found is not None and stat.S_ISREG(found.st_mode)

    @contextmanager
    def locked(self, folder: str) -> Iterator[None]:
        """Holds the folder's advisory lock, against other processes and threads that commit there; no file is left behind.

        Where the file system has no locks (some network mounts), nothing is held. Who waits for long is told so (logger "gpersist").
        """
        with _named("lock", folder):
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with _told_after(
                    PATIENCE_S, "%r has been locked for %g s by another save there; its process may be hung or stopped", folder, PATIENCE_S
                ):
                    fcntl.flock(fd, fcntl.LOCK_EX)
            except OSError as error:
                if error.errno not in _UNSUPPORTED | {errno.ENOLCK}:
                    raise from_os_error(error, f"lock {folder!r}") from error
            yield
        finally:
            with suppress(OSError):
                fcntl.flock(fd, fcntl.LOCK_UN)  # closing would leave it to a child that was forked meanwhile, and holds the descriptor as well
            os.close(fd)

    def try_lock(self, fd: int) -> bool:
        """Takes an open file's advisory lock, held until the descriptor is closed or the process dies.

        Returns:
            False if another holds it, or the file system has no locks.
        """
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    # ---- whole small files

    def read_all(self, path: str, limit_bytes: int) -> bytes:
        """A small file's content.

        Raises:
            ResourceExhaustedError: it is larger than `limit_bytes`, or than the memory there is.
        """
        fd = self.open_read(path)
        try:
            size = self.size(fd, path)
            if size > limit_bytes:
                raise ResourceExhaustedError(f"{path!r} holds {size} bytes; at most {limit_bytes} are read as a whole")
            try:
                buffer = bytearray(size)
            except MemoryError as error:
                raise ResourceExhaustedError(f"{path!r} holds {size} bytes; there is no memory to read them as a whole") from error
            return bytes(memoryview(buffer)[: self.preadv(fd, [buffer], size, 0, path)])
        finally:
            self.close(fd)


@contextmanager
def _named(doing: str, path: str) -> Iterator[None]:
    check_local(path)
    try:
        yield
    except OSError as error:
        raise from_os_error(error, f"{doing} {path!r}") from error
    except ValueError as error:  # a NUL in a path
        raise from_os_error(_as_os_error(error), f"{doing} {path!r}") from error


@contextmanager
def _told_after(seconds: float, *message: Any) -> Iterator[None]:
    """Logs a warning if it takes so long."""
    timer = threading.Timer(seconds, _log.warning, message)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _room(fd: int, number: int) -> str:
    """What there is to say of the room for a file that was refused."""
    if number == errno.EFBIG:
        return "the file system, or the process's limit (ulimit -f), allows no file so large; with shards= there are more and smaller ones"
    if number != errno.ENOSPC:
        return ""
    found = os.fstatvfs(fd)
    return f"{found.f_bavail * found.f_frsize} bytes are free there"


def _as_os_error(error: Exception) -> OSError:
    return error if isinstance(error, OSError) else OSError(errno.EINVAL, str(error))


def _after(buffers: Sequence[Buffer], done: int) -> list[memoryview]:
    """What is left of buffers once their first `done` bytes are through."""
    rest = []
    for buffer in buffers:
        view = memoryview(buffer).cast("B")
        if done < view.nbytes:
            rest.append(view[done:])
        done = max(0, done - view.nbytes)
    return rest
