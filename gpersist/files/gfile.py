"""Files as TensorFlow's users handle them: `tf.gfile` and `tf.io.gfile`, with TensorFlow's errors.

Opening happens late, as in TensorFlow: a file that is not there is noticed by the first read, and made by the first write.
"""

# ruff: noqa: N802  # TensorFlow 1's names

from __future__ import annotations

import errno
import fnmatch
import io
import os
import shutil
import stat as _stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from gpersist.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    GPersistError,
    InvalidArgumentError,
    NotFoundError,
    OutOfRangeError,
    PermissionDeniedError,
    from_os_error,
)
from gpersist.files.posix import check_local

__all__ = [
    "Copy",
    "DeleteRecursively",
    "Exists",
    "FastGFile",
    "FileStatistics",
    "GFile",
    "Glob",
    "IsDirectory",
    "ListDirectory",
    "MakeDirs",
    "MkDir",
    "Open",
    "Remove",
    "Rename",
    "Stat",
    "Walk",
    "copy",
    "exists",
    "glob",
    "isdir",
    "listdir",
    "makedirs",
    "mkdir",
    "remove",
    "rename",
    "rmtree",
    "stat",
    "walk",
]

_MODES = frozenset(mode + plus for mode in "rwa" for plus in ("", "+", "b", "b+", "+b"))


class FileStatistics(NamedTuple):
    """What `Stat` gives.

    Attributes:
        length: size in bytes.
        mtime_nsec: when it was changed, in nanoseconds, of which TensorFlow keeps whole seconds.
        is_directory: whether it is a folder.
    """

    length: int
    mtime_nsec: int
    is_directory: bool


class GFile:
    """A file (`tf.gfile.GFile`, `FastGFile`, `Open`).

    Args:
        name: its path.
        mode: "r", "w" or "a", then "b" for bytes instead of text, and "+" for reading and writing.

    Raises:
        InvalidArgumentError: another mode.
    """

    _reader: io.BufferedReader | None = None
    _writer: io.BufferedWriter | None = None

    def __init__(self, name: Any, mode: str = "r") -> None:
        if mode not in _MODES:
            raise InvalidArgumentError(f"mode {mode!r} of {name!r} is none of 'r', 'w' and 'a', with 'b' and '+' where wanted")
        self._name = name
        self._mode = mode

    @property
    def name(self) -> Any:
        """The path that it was given."""
        return self._name

    @property
    def mode(self) -> str:
        """The mode that it was given."""
        return self._mode

    def size(self) -> int:
        """Its size in bytes, as far as it is written."""
        return stat(self._name).length

    def read(self, n: int = -1) -> Any:
        """The next `n` bytes, or all that are left; as text unless the mode has a "b".

        Raises:
            PermissionDeniedError: it is not open for reading.
            NotFoundError: it is not there.
            UnicodeDecodeError: these bytes are no text.
        """
        reader = self._reading()
        if n < -1:
            raise InvalidArgumentError(f"Can't read a negative number of bytes: {n}")
        with _named(self._name):
            return self._shown(reader.read(n))

    def readline(self) -> Any:
        """The next line, with the newline at its end but without carriage returns; nothing at the end of the file."""
        with _named(self._name):
            return self._shown(self._reading().readline().replace(b"\r", b""))

    def readlines(self) -> list[Any]:
        """The lines that are left."""
        return list(self)

    def write(self, file_content: str | bytes) -> None:
        """Writes text or bytes, whatever the mode.

        Raises:
            PermissionDeniedError: it is not open for writing.
            TypeError: neither text nor bytes.
        """
        writer = self._writing()
        if not isinstance(file_content, (str, bytes, bytearray)):
            raise TypeError(f"Expected binary or unicode string, got {file_content!r}")
        with _named(self._name):
            writer.write(file_content.encode() if isinstance(file_content, str) else file_content)

    def seek(self, offset: int | None = None, whence: int = 0, position: int | None = None) -> None:
        """Moves where the next read begins.

        Args:
            offset: in bytes.
            whence: 0: from the beginning; 1: from where it is; 2: from the end.
            position: an old name of `offset`.

        Raises:
            TypeError: no offset.
            InvalidArgumentError: another `whence`, or a place before the beginning.
            OutOfRangeError: a place behind the end; it is at the end then.
        """
        if offset is not None and position is not None:
            raise TypeError("seek(): offset and position may not be set simultaneously.")
        offset = position if offset is None else offset
        if offset is None:
            raise TypeError("seek(): offset argument required")
        reader = self._reading()
        size = os.fstat(reader.fileno()).st_size
        bases = {0: 0, 1: reader.tell(), 2: size}
        if whence not in bases:
            raise InvalidArgumentError(f"Invalid whence argument: {whence}. Valid values are 0, 1, or 2.")
        wanted = bases[whence] + offset
        if wanted < 0:
            raise InvalidArgumentError(f"cannot seek to byte {wanted} of {self._name!r}, which is before its beginning")
        reader.seek(min(wanted, size))
        if wanted > size:
            raise OutOfRangeError(f"cannot seek to byte {wanted} of {self._name!r}, which has {size}")

    def tell(self) -> int:
        """Where the next read begins, or, of a file that is open for writing only, the next write."""
        return self._reading().tell() if self._reads else self._writing().tell()

    def seekable(self) -> bool:
        """Whether it can seek: always."""
        return True

    def flush(self) -> None:
        """Gives what was written to the operating system."""
        if self._writer is not None:
            with _named(self._name):
                self._writer.flush()

    def close(self) -> None:
        """Closes it; what was written is in the file then."""
        reader, self._reader = self._reader, None
        writer, self._writer = self._writer, None
        if reader is not None:
            reader.close()
        if writer is not None:
            with _named(self._name):
                writer.close()

    def __del__(self) -> None:
        with suppress(GPersistError):
            self.close()

    def __iter__(self) -> GFile:
        return self

    def __next__(self) -> Any:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def next(self) -> Any:
        """The next line, as an iterator gives it."""
        return next(self)

    def __enter__(self) -> GFile:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def _reads(self) -> bool:
        return "r" in self._mode or "+" in self._mode

    def _reading(self) -> io.BufferedReader:
        if not self._reads:
            raise PermissionDeniedError(f"{self._name!r} isn't open for reading: its mode is {self._mode!r}")
        if self._reader is None:
            with _named(self._name):
                self._reader = open(_path(self._name), "rb")
        self.flush()
        return self._reader

    def _writing(self) -> io.BufferedWriter:
        if self._mode in ("r", "rb"):
            raise PermissionDeniedError(f"{self._name!r} isn't open for writing: its mode is {self._mode!r}")
        if self._writer is None:
            flags = {"w": os.O_TRUNC | os.O_CREAT, "a": os.O_APPEND | os.O_CREAT, "r": 0}[self._mode[0]]
            with _named(self._name):
                descriptor = os.open(_path(self._name), os.O_WRONLY | os.O_CLOEXEC | flags, 0o666)
                self._writer = os.fdopen(descriptor, "ab" if self._mode[0] == "a" else "wb")
        return self._writer

    def _shown(self, content: bytes) -> str | bytes:
        return content if "b" in self._mode else content.decode("utf-8")


FastGFile = GFile
Open = GFile


# ---- tf.io.gfile


def exists(path: Any) -> bool:
    """Whether something has this name."""
    return os.path.exists(_path(path))


def isdir(path: Any) -> bool:
    """Whether a folder has this name."""
    return os.path.isdir(_path(path))


def listdir(path: Any) -> list[str]:
    """The names in a folder, sorted.

    Raises:
        NotFoundError: there is no such folder.
    """
    if not isdir(path):
        raise NotFoundError(f"Could not find directory {_path(path)}")
    with _named(path):
        return sorted(os.listdir(_path(path)))


def glob(pattern: Any) -> list[str]:
    """The names that match a pattern, or one of several, with `*`, `?` and `[...]`; sorted for each pattern."""
    if isinstance(pattern, (list, tuple)):
        return [name for one in pattern for name in glob(one)]
    text = _path(pattern)
    parts = text.split("/")
    if not text.startswith("/") and _is_pattern(parts[0]):
        parts.insert(0, os.curdir)
    found = [""] if text else []
    for position, part in enumerate(parts):
        joined = [f"{name}/" if position else "" for name in found]
        if _is_pattern(part):
            part = part.replace("[^", "[!")  # either turns a set round
            found = [head + name for head in joined for name in _names(head) if fnmatch.fnmatchcase(name, part)]
        else:
            found = [head + part for head in joined if position == 0 or os.path.lexists(head + part)]
    return sorted(name for name in found if os.path.lexists(name))


def makedirs(path: Any) -> None:
    """Makes a folder and those above it, where missing.

    Raises:
        FailedPreconditionError: a file stands in the way.
    """
    with _named(path):
        try:
            os.makedirs(_path(path), exist_ok=True)
        except FileExistsError as error:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), error.filename) from error


def mkdir(path: Any) -> None:
    """Makes a folder, unless something has its name already.

    Raises:
        NotFoundError: the folder that it would be in is not there.
    """
    with _named(path):
        try:
            os.mkdir(_path(path))
        except FileExistsError:
            pass


def remove(path: Any) -> None:
    """Removes a file.

    Raises:
        NotFoundError: it is not there.
        FailedPreconditionError: it is a folder.
    """
    with _named(path):
        os.unlink(_path(path))


def rmtree(path: Any) -> None:
    """Removes a folder with all that is in it, or a file; links are removed, not followed.

    Raises:
        NotFoundError: it is not there.
    """
    with _named(path):
        if os.path.isdir(_path(path)) and not os.path.islink(_path(path)):
            shutil.rmtree(_path(path))
        else:
            os.unlink(_path(path))


def rename(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Gives a file or folder another name.

    Raises:
        NotFoundError: it is not there, or the folder of the new name isn't.
        AlreadyExistsError: something has the new name, and `overwrite` is false.
    """
    if not overwrite and exists(dst):
        raise AlreadyExistsError(f"file already exists: {_path(dst)!r}; overwrite=True replaces it")
    with _named(src):
        os.replace(_path(src), _path(dst))


def copy(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Copies a file's content.

    Raises:
        NotFoundError: it is not there, or the folder of the copy isn't.
        AlreadyExistsError: something has the copy's name, and `overwrite` is false.
        InvalidArgumentError: it is a folder.
    """
    if not overwrite and exists(dst):
        raise AlreadyExistsError(f"file already exists: {_path(dst)!r}; overwrite=True replaces it")
    if isdir(src):
        raise InvalidArgumentError(f"{_path(src)!r} is a folder: only files are copied")
    with _named(src):
        shutil.copyfile(_path(src), _path(dst))


def stat(path: Any) -> FileStatistics:
    """Size, time of change and kind of a file or folder.

    Raises:
        NotFoundError: it is not there.
    """
    with _named(path):
        found = os.stat(_path(path))
    return FileStatistics(found.st_size, int(found.st_mtime) * 10**9, _stat.S_ISDIR(found.st_mode))


def walk(top: Any, topdown: bool = True, onerror: Callable[[GPersistError], Any] | None = None) -> Iterator[tuple[str, list[str], list[str]]]:
    """A folder and those below it: each as its path, the names of the folders in it, and those of the files.

    Args:
        top: the folder; nothing is given if it is none.
        topdown: whether a folder comes before those in it, or after them.
        onerror: gets the error of a folder that cannot be listed, which is left out.
    """
    here = _path(top)
    if not os.path.isdir(here):
        return
    try:
        names = listdir(here)
    except GPersistError as error:
        if onerror is not None:
            onerror(error)
        return
    folders = [name for name in names if os.path.isdir(os.path.join(here, name))]
    rest = [name for name in names if name not in set(folders)]
    if topdown:
        yield here, folders, rest
    for name in folders:
        yield from walk(os.path.join(here, name), topdown, onerror)
    if not topdown:
        yield here, folders, rest


# ---- tf.gfile


def Exists(filename: Any) -> bool:
    """See `exists`."""
    return exists(filename)


def IsDirectory(dirname: Any) -> bool:
    """See `isdir`."""
    return isdir(dirname)


def ListDirectory(dirname: Any) -> list[str]:
    """See `listdir`."""
    return listdir(dirname)


def Glob(filename: Any) -> list[str]:
    """See `glob`."""
    return glob(filename)


def MakeDirs(dirname: Any) -> None:
    """See `makedirs`."""
    makedirs(dirname)


def MkDir(dirname: Any) -> None:
    """See `mkdir`."""
    mkdir(dirname)


def Remove(filename: Any) -> None:
    """See `remove`."""
    remove(filename)


def DeleteRecursively(dirname: Any) -> None:
    """See `rmtree`."""
    rmtree(dirname)


def Rename(oldname: Any, newname: Any, overwrite: bool = False) -> None:
    """See `rename`."""
    rename(oldname, newname, overwrite)


def Copy(oldpath: Any, newpath: Any, overwrite: bool = False) -> None:
    """See `copy`."""
    copy(oldpath, newpath, overwrite)


def Stat(filename: Any) -> FileStatistics:
    """See `stat`."""
    return stat(filename)


def Walk(top: Any, in_order: bool = True) -> Iterator[tuple[str, list[str], list[str]]]:
    """See `walk`."""
    return walk(top, in_order)


def _path(path: Any) -> str:
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(f"Expected binary or unicode string, got {path!r}")
    text = os.fsdecode(path)
    check_local(text)
    return text


def _is_pattern(part: str) -> bool:
    return any(letter in part for letter in "*?[")


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder or os.curdir)
    except OSError:
        return []


@contextmanager
def _named(path: Any) -> Iterator[None]:
    """Gives the operating system's errors TensorFlow's classes."""
    try:
        yield
    except UnicodeError:
        raise
    except OSError as error:
        if isinstance(error, GPersistError):
            raise
        text = f"{_path(path)}; {os.strerror(error.errno) if error.errno else error}"
        if error.errno == errno.ENOENT:
            raise NotFoundError(text) from error
        if error.errno in (errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY):
            raise FailedPreconditionError(text) from error
        raise from_os_error(error, f"use {_path(path)!r}") from error
