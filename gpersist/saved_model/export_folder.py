"""How a SavedModel gets to its place: whole, or not at all.

It grows in a folder with a temporary name and takes its own name when it is complete. Where the folder of that name is there already (and empty), the
temporary one is inside, its content is moved up, and `saved_model.pb`, without which nothing is a SavedModel, is moved last. All is on the disk
before that. Whoever dies on the way leaves a temporary folder, which the next export to that place removes, or, between those moves, a folder that
is no SavedModel.
"""

from __future__ import annotations

import os
import re
import secrets
import weakref
from contextlib import suppress

from gpersist import files
from gpersist.errors import AlreadyExistsError, GPersistError, InvalidArgumentError
from gpersist.files import gfile
from gpersist.saved_model.constants import SAVED_MODEL_FILENAME_PB, SAVED_MODEL_FILENAME_PBTXT
from gpersist.saved_model.containment import contained

_LOCK = ".lock"
_BLOCK_BYTES = 4 << 20
_MODEL_FILES = (SAVED_MODEL_FILENAME_PB, SAVED_MODEL_FILENAME_PBTXT)


class ExportFolder:
    """A folder that is being filled.

    Args:
        export_dir: its name.

    Raises:
        AssertionError: it is there, and not empty.
        GPersistError: the file system said no, or it is a file.
    """

    def __init__(self, export_dir: str) -> None:
        self._target = os.path.realpath(export_dir)
        self._is_published = False
        self._staging: str | None = None
        system = files.active()
        if system.stat(export_dir) is not None:
            with system.locked(self._target):  # so that another export there is not taken for litter as it begins or ends, without its lock
                _remove_litter(self._target, "")
                names = system.names(export_dir)
            if names:
                raise AssertionError(
                    f"Export directory {export_dir} already exists, and isn't empty. Please choose a different export directory, or delete all the "
                    "contents of the specified directory."
                )

    @property
    def path(self) -> str:
        """Where files are put now."""
        if self._is_published:
            return self._target
        if self._staging is None:
            self._staging = self._begin()
        return self._staging

    def make_folder(self, name: str) -> str:
        """A folder in it, made where missing."""
        path = contained(self.path, name)
        files.active().make_folders(path)
        return path

    def add_file(self, source: str, folder: str, name: str) -> None:
        """Copies a file into a folder in it; folders that its new name is in are made where missing.

        Raises:
            InvalidArgumentError: the name leads out of that folder, or is none; or `source` is no file.
        """
        if name.rpartition("/")[2] in ("", os.curdir, os.pardir):
            raise InvalidArgumentError(f"{name!r}, for a copy of {source!r}, is no name of a file")
        target = contained(contained(self.path, folder), name)
        files.active().make_folders(os.path.dirname(target))
        _copy(source, target)

    def remove(self, name: str) -> None:
        """Removes a folder in it, if it is there."""
        path = contained(self.path, name)
        if files.active().stat(path) is not None:
            gfile.rmtree(path)

    def publish(self, name: str, content: bytes) -> None:
        """Adds the file that makes it a SavedModel, and gives it its name; if it has that already, the file is replaced.

        Raises:
            AlreadyExistsError: something has been put there meanwhile.
            GPersistError: the file system said no; there is no SavedModel then.
        """
        if self._is_published:
            files.replace(os.path.join(self._target, name), content, durable=True)
            return
        path = self.path
        files.replace(os.path.join(path, name), content, durable=True)
        system = files.active()
        room = os.path.dirname(path)
        with system.locked(room):
            if system.stat(os.path.join(path, _LOCK)) is not None:
                system.remove(os.path.join(path, _LOCK))
            _sync_folders(path)
            if system.stat(self._target) is None:
                system.rename(path, self._target)
                system.fsync_folder(room)
            else:
                self._move_into_place(path)
        self._is_published = True
        self._finalizer()

    def _begin(self) -> str:
        system = files.active()
        parent, base = os.path.split(self._target)
        is_there = system.stat(self._target) is not None
        room, base = (self._target, "") if is_there else (parent, base)
        system.make_folders(room)
        path = os.path.join(room, f".{base}.{secrets.token_hex(6)}.tmp")
        with system.locked(room):  # so that nobody takes it for litter between its creation and its lock
            _remove_litter(room, base)
            system.make_folders(path)
            try:
                descriptor = system.create(os.path.join(path, _LOCK))
                self._finalizer = weakref.finalize(self, _abandon, path, descriptor, os.getpid())
                system.try_lock(descriptor)
            except BaseException:
                gfile.rmtree(path)
                raise
        return path

    def _move_into_place(self, path: str) -> None:
        """Moves what is in a folder into the one that is there, what makes it a SavedModel last."""
        system = files.active()
        names = sorted(system.names(path), key=lambda name: name in _MODEL_FILES)
        taken = sorted(set(names) & set(system.names(self._target)))
        if taken:
            raise AlreadyExistsError(
                f"cannot export to {self._target!r}: {', '.join(taken)} came into it since the export began; export to another folder"
            )
        moved: list[str] = []
        try:
            for name in names:
                if name in _MODEL_FILES:
                    system.fsync_folder(self._target)
                system.rename(os.path.join(path, name), os.path.join(self._target, name))
                moved.append(name)
        except BaseException:
            if system.stat(os.path.join(path, names[-1])) is not None:  # a rename that failed may have taken effect: then it is done
                for name in moved:
                    with suppress(GPersistError):
                        system.rename(os.path.join(self._target, name), os.path.join(path, name))
            raise
        system.remove_folder(path)
        system.fsync_folder(self._target)


def _abandon(path: str, descriptor: int, process: int) -> None:
    """Removes what has not been published; a forked process leaves it alone."""
    if os.getpid() != process:
        return
    with suppress(GPersistError):
        if files.active().stat(path) is not None:
            gfile.rmtree(path)
    with suppress(GPersistError):
        files.active().close(descriptor)


def _remove_litter(room: str, base: str) -> None:
    """Removes temporary folders, for a folder of a name, whose makers are dead."""
    system = files.active()
    pattern = re.compile(rf"\.{re.escape(base)}\.[0-9a-f]{{12}}\.tmp")
    for name in system.names(room):
        if pattern.fullmatch(name) and _is_dead(os.path.join(room, name)):
            with suppress(GPersistError):
                gfile.rmtree(os.path.join(room, name))


def _is_dead(path: str) -> bool:
    system = files.active()
    lock = os.path.join(path, _LOCK)
    if system.stat(lock) is None:
        return True
    try:
        descriptor = system.open_read(lock)
    except GPersistError:
        return False
    try:
        return system.try_lock(descriptor)
    finally:
        system.close(descriptor)


def _copy(source: str, target: str) -> None:
    """Copies a file's content, so that the copy is on the disk, and whole as soon as it has its name."""
    system = files.active()
    temporary = f"{target}.{secrets.token_hex(6)}.tmp"
    reading = system.open_read(source)
    try:
        writing = system.create(temporary)
        try:
            buffer = memoryview(bytearray(_BLOCK_BYTES))
            offset = 0
            while count := system.preadv(reading, [buffer], len(buffer), offset, source):
                system.pwritev(writing, [buffer[:count]], count, offset, temporary)
                offset += count
            system.fsync(writing, temporary)
        finally:
            system.close(writing)
        system.rename(temporary, target)
    finally:
        system.close(reading)


def _sync_folders(path: str) -> None:
    for folder, _, _ in os.walk(path):
        files.active().fsync_folder(folder)
