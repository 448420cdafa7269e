"""How a checkpoint becomes the one that readers see: the rename of its index.

    1. data files are on the disk, under temporary names        (ShardWriter.finish, before `commit`)
    2. lock the folder; write index and .meta under temporary names, fsync them
    3. rename data files, then .meta; fsync the folder
    4. rename the index; fsync the folder                       <- the commit
    5. remove data files that no index names any more

Saving again to a prefix keeps the living index's data files until step 5: data files are named after their number, so the new ones take a number
that no data file there is named after (`ckpt.data-00000-of-00002`; the unused shard is legal, its file need not exist). Whoever dies anywhere leaves
the old checkpoint or the new one, and litter, which the next save in the folder removes:

- Temporary files. Data files under way are locked, and a lock dies with its process; the others live under the folder's lock.
- Data files, and .meta, of a first save that died between 3 and 4. Its index, still under its temporary name, is the witness: without one, files that
  lack an index may be somebody's who is copying a checkpoint, and are left alone.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from gpersist import files
from gpersist.bundle import ShardWriter, data_path, index_path, meta_path, new_token, parse_data_name, parse_temporary, temporary_path
from gpersist.errors import FailedPreconditionError, GPersistError, PermissionDeniedError

_log = logging.getLogger("gpersist")


def prepare(prefix: str, token: str, shard_sizes: Sequence[int], *, durable: bool, direct: bool) -> list[ShardWriter]:
    """Makes the folder, removes what dead saves left in it, and creates the data files under temporary names.

    Raises:
        OutOfSpaceError: the disk cannot take them; nothing is left.
    """
    folder = os.path.dirname(prefix) or "."
    _make_folder(folder, durable)
    writers: list[ShardWriter] = []
    try:
        with files.active().locked(folder):  # so that nobody takes our files for litter between their creation and their lock
            _remove_litter(folder)
            for shard, size_bytes in enumerate(shard_sizes):
                path = temporary_path(prefix, token, f"data-{shard:05d}-of-{len(shard_sizes):05d}")
                writers.append(ShardWriter(path, size_bytes, durable=durable, direct=direct))
    except BaseException:
        for writer in writers:
            writer.abandon()
        raise
    return writers


def commit(prefix: str, token: str, writers: Sequence[ShardWriter], index: Callable[[int], bytes], meta: bytes | None, *, durable: bool) -> int:
    """Makes finished data files a checkpoint.

    Args:
        prefix: of the checkpoint.
        token: the save's.
        writers: of the data files, finished; closed here.
        index: gives the index file for a number of shards.
        meta: the `.meta` file, or None to leave what is there.
        durable: fsync everything.

    Returns:
        The number of shards that the data files are named after.

    Raises:
        GPersistError: the file system failed; the old checkpoint stands, perhaps with the new `.meta`, and nothing else is left of the new one. Only
            if the very last fsync failed, or the index's rename took effect and yet failed, the new one stands, and a power failure may bring back
            the old.
    """
    try:
        with files.active().locked(os.path.dirname(prefix) or "."):
            return _commit(prefix, token, writers, index, meta, durable)
    except BaseException:
        for writer in writers:
            writer.abandon()
        raise


@contextmanager
def one_file(path: str, size_bytes: int, *, durable: bool) -> Iterator[ShardWriter]:
    """A file that is a checkpoint by itself (V1, safetensors, npz): it takes its name when the `with` ends well, and else leaves nothing.

    Args:
        path: of the file; what has its name is replaced.
        size_bytes: its size; where that is known only later, 0, and `ShardWriter.size_bytes` is set then.
        durable: fsync it.

    Raises:
        GPersistError: the file system failed; see `commit`.
    """
    (writer,) = prepare(path, new_token(), [size_bytes], durable=durable, direct=False)
    system = files.active()
    folder = os.path.dirname(path) or "."
    try:
        yield writer
        writer.finish()
        with system.locked(folder):
            writer.close()
            system.rename(writer.path, path)
            if durable:
                system.fsync_folder(folder)
    except BaseException:
        writer.abandon()
        raise


def _commit(prefix: str, token: str, writers: Sequence[ShardWriter], index: Callable[[int], bytes], meta: bytes | None, durable: bool) -> int:
    """`commit`. REQUIRES: the folder is locked."""
    system = files.active()
    folder, base = os.path.split(prefix)
    old = _data_names(folder, base)
    count = len(writers)
    if system.stat(index_path(prefix)):
        while count in old.values():
            count += 1
    new_index = temporary_path(prefix, token, "index")
    new = [new_index]  # no index names them yet
    try:
        for writer in writers:
            writer.close()  # some file systems tell only now that a write failed; from here on the folder's lock guards the files
        _write(new_index, index(count), durable)
        if meta is not None and not _holds(meta_path(prefix), meta, durable):
            new_meta = temporary_path(prefix, token, "meta")
            new.append(new_meta)
            _write(new_meta, meta, durable)
        else:
            new_meta = None
        for shard, writer in enumerate(writers):
            path = data_path(prefix, shard, count)
            new.append(path)
            system.rename(writer.path, path)
        if new_meta is not None:
            if system.stat(meta_path(prefix)) is None:
                new.append(meta_path(prefix))
            system.rename(new_meta, meta_path(prefix))
        if durable:
            system.fsync_folder(folder or ".")
        system.rename(new_index, index_path(prefix))
    except BaseException:
        # A failed rename, or an interrupt after it, does not tell whether it took effect. While the index has its temporary name, it did not.
        if not _is_gone(new_index):
            _remove_quietly(new)
        raise
    if durable:
        system.fsync_folder(folder or ".")
    _remove_quietly([path for name in old if (path := os.path.join(folder, name)) not in new])
    return count


def _write(path: str, content: bytes, durable: bool) -> None:
    system = files.active()
    fd = system.create(path)
    try:
        if content:
            system.pwritev(fd, [content], len(content), 0, path)
        if durable:
            system.fsync(fd, path)
    finally:
        system.close(fd, path)


def _holds(path: str, content: bytes, durable: bool) -> bool:
    """Whether a file holds just this; if durable, on the disk."""
    system = files.active()
    try:
        if system.read_all(path, len(content)) != content:
            return False
        if durable:
            fd = system.open_read(path)
            try:
                system.fsync(fd, path)
            finally:
                system.close(fd)
    except GPersistError:
        return False
    return True


def _data_names(folder: str, base: str) -> dict[str, int]:
    """The data files of a prefix, each with the number of shards that it is named after."""
    parsed = {name: parse_data_name(name) for name in files.active().names(folder or ".")}
    return {name: found[2] for name, found in parsed.items() if found and found[0] == base}


def _remove_litter(folder: str) -> None:
    """Removes what dead saves left. REQUIRES: the folder is locked."""
    names = files.active().names(folder)
    for name in names:
        found = parse_temporary(name)
        if found is None or not _is_dead(os.path.join(folder, name)):
            continue
        base, token, role = found
        litter = [name]
        if role == "index" and base + ".index" not in names:
            litter = [other for other in names if (parsed := parse_data_name(other)) and parsed[0] == base]
            if os.path.basename(temporary_path(base, token, "meta")) not in names:  # else the .meta there is not of this save
                litter.append(base + ".meta")
            litter.append(name)  # the witness goes last
        _remove_quietly([os.path.join(folder, name) for name in litter])


def _is_dead(path: str) -> bool:
    """Whether nobody holds the lock of a temporary file."""
    system = files.active()
    try:
        fd = system.open_read(path)
        try:
            return system.try_lock(fd)
        finally:
            system.close(fd)
    except GPersistError:
        return False  # it is gone, or unreadable: then it stays, and harms nobody


def _is_gone(path: str) -> bool:
    """Whether nothing stands under a name, for all one can tell."""
    try:
        return files.active().stat(path) is None
    except GPersistError:
        return True


def _remove_quietly(paths: Sequence[str]) -> None:
    for path in paths:
        try:
            files.active().remove(path)
        except GPersistError:
            pass


def _make_folder(folder: str, durable: bool) -> None:
    """Makes a folder and those above it, each of them on the disk before anything is put there."""
    files.check_local(folder)  # before `abspath` makes something else of it
    system = files.active()
    missing = []
    path = os.path.abspath(folder)
    while (found := system.stat(path)) is None:
        missing.append(path)
        path = os.path.dirname(path)
    if not stat.S_ISDIR(found.st_mode):
        raise FailedPreconditionError(f"{path!r} is a file; expected a folder, or a name for one")
    if missing and folder.startswith("~"):
        _log.warning("%r is made, a folder of that very name: expand '~' by os.path.expanduser if your home is meant", missing[-1])
    if durable and not any(name.endswith(".index") for name in system.names(path)):
        with suppress(PermissionDeniedError):  # whoever made it may have died before it was on the disk, or not have thought of that
            system.fsync_folder(os.path.dirname(path))
    for path in reversed(missing):
        system.make_folders(path)
        if durable:
            system.fsync_folder(os.path.dirname(path))
