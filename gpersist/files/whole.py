"""A whole file put in the place of another one, which readers find as it was or as it is now; and one that takes a name that nothing has."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress

from gpersist import files
from gpersist.errors import AlreadyExistsError, GPersistError


def create_first(paths: Iterable[str]) -> str:
    """Creates, empty, the first of some files that isn't there, so that nobody else takes its name.

    Args:
        paths: of the files; one of them must be free.

    Raises:
        GPersistError: the file system said no.
    """
    for path in paths:
        with suppress(AlreadyExistsError):
            files.active().close(files.active().create(path))
            return path
    raise AlreadyExistsError("all of the files are there")


def replace(path: str, content: bytes, *, durable: bool = False) -> None:
    """Writes a file under another name in its folder and then renames it; its folder is made where missing.

    Args:
        path: the file; links are not followed, but replaced.
        content: all of it.
        durable: whether to wait until it is on the disk.

    Raises:
        GPersistError: the file system said no; nothing is left behind then.
    """
    folder, base = os.path.split(path)
    if folder:
        files.active().make_folders(folder)
    replace_through(os.path.join(folder, f".{base}.{secrets.token_hex(6)}.tmp"), path, content, durable=durable)


def replace_through(temporary: str, path: str, content: bytes, *, durable: bool) -> None:
    """The same, by way of a file of a given name in the same folder, which is there.

    Raises:
        GPersistError: the file system said no; nothing is left behind then.
    """
    io = files.active()
    fd = io.create(temporary)
    try:
        try:
            io.pwritev(fd, [content], len(content), 0, temporary)
            if durable:
                io.fsync(fd, temporary)
        finally:
            io.close(fd)
        io.rename(temporary, path)
    except BaseException:
        with suppress(GPersistError):
            io.remove(temporary)
        raise
    if durable:
        io.fsync_folder(os.path.dirname(path) or os.curdir)
