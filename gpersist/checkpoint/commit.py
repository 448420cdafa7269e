"""How a checkpoint becomes the one that readers see: the rename of its index.

    1. data files are on the disk, under temporary names        (ShardWriter.finish, before `commit`)
    2. lock the folder; write index and .meta under temporary names, fsync them
    3. rename data files, then .meta; fsync the folder
    4. rename the index; fsync the folder                       <- the commit
    5. remove data files that no index names any more

Saving again to a prefix keeps the living index's data files until step 5: data files are named after their number, so the new ones take another
count than the living index has (`ckpt.data-00000-of-00002`; the unused shard is legal, its file need not exist). Whoever dies anywhere leaves the old
checkpoint or the new one, and temporary files, which the next save in the folder removes: live ones are locked, and a lock dies with its process.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence

from gpersist import files
from gpersist.bundle import (
    ShardWriter,
    data_path,
    index_path,
    is_temporary,
    meta_path,
    parse_data_name,
    read_index,
    temporary_path,
)
from gpersist.errors import CheckpointNotFoundError, GPersistError, UnimplementedError


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
        GPersistError: the file system failed; the old checkpoint stands, or, if only removing old data files failed, the new one.
    """
    system = files.active()
    folder = os.path.dirname(prefix) or "."
    with system.locked(folder):
        living = _living_shards(prefix)
        count = len(writers) + (len(writers) == living)
        paths = [data_path(prefix, shard, count) for shard in range(len(writers))]
        temporaries = [writer.path for writer in writers]
        try:
            new_index = _write_temporary(prefix, token, "index", index(count), durable, temporaries)
            new_meta = None
            if meta is not None and not _holds(meta_path(prefix), meta):
                new_meta = _write_temporary(prefix, token, "meta", meta, durable, temporaries)
            for writer, path in zip(writers, paths, strict=True):
                system.rename(writer.path, path)
                temporaries[temporaries.index(writer.path)] = path  # no index names it yet
            if new_meta is not None:
                system.rename(new_meta, meta_path(prefix))
                temporaries.remove(new_meta)
            if durable:
                system.fsync_folder(folder)
            system.rename(new_index, index_path(prefix))
        except GPersistError:
            _remove_quietly(temporaries)
            raise
        finally:
            for writer in writers:
                writer.close()
        if durable:
            system.fsync_folder(folder)
        _remove_old_data(folder, os.path.basename(prefix), count)
    return count


def commit_file(path: str, writer: ShardWriter, *, durable: bool) -> None:
    """Makes one finished file, which is a checkpoint by itself (V1), the one that readers see."""
    system = files.active()
    folder = os.path.dirname(path) or "."
    with system.locked(folder):
        system.rename(writer.path, path)
        writer.close()
        if durable:
            system.fsync_folder(folder)


def _write_temporary(prefix: str, token: str, role: str, content: bytes, durable: bool, temporaries: list[str]) -> str:
    system = files.active()
    path = temporary_path(prefix, token, role)
    fd = system.create(path)
    temporaries.append(path)
    try:
        if content:
            system.pwritev(fd, [content], len(content), 0, path)
        if durable:
            system.fsync(fd, path)
    finally:
        system.close(fd)
    return path


def _living_shards(prefix: str) -> int | None:
    """The number of shards of the index that stands under a prefix; None if none does, or none that could be restored."""
    try:
        return read_index(prefix).num_shards
    except CheckpointNotFoundError:
        return None
    except UnimplementedError:
        # A newer TensorFlow's: keep what it may need out of the way of our data files.
        counts = {found[2] for found in map(parse_data_name, _data_names(os.path.dirname(prefix) or ".", os.path.basename(prefix))) if found}
        return max(counts, default=None)
    except GPersistError:
        return None


def _holds(path: str, content: bytes) -> bool:
    try:
        return files.active().read_all(path, len(content)) == content
    except GPersistError:
        return False


def _data_names(folder: str, base: str) -> list[str]:
    pattern = re.compile(re.escape(base) + r"\.data-\d{5}-of-\d{5}")
    return [name for name in files.active().names(folder) if pattern.fullmatch(name)]


def _remove_old_data(folder: str, base: str, count: int) -> None:
    """Removes data files of `base` that are named after another number of shards; one that cannot be removed stays, for the save is done."""
    for name in _data_names(folder, base):
        found = parse_data_name(name)
        if found and found[2] != count:
            _remove_quietly([os.path.join(folder, name)])


def _remove_litter(folder: str) -> None:
    """Removes temporary files whose save is dead. REQUIRES: the folder is locked."""
    system = files.active()
    for name in system.names(folder):
        if is_temporary(name):
            path = os.path.join(folder, name)
            try:
                fd = system.open_read(path)
                try:
                    is_dead = system.try_lock(fd)
                finally:
                    system.close(fd)
                if is_dead:
                    system.remove(path)
            except GPersistError:
                pass  # another process may have removed it; else it is litter still, and harms nobody


def _remove_quietly(paths: Sequence[str]) -> None:
    for path in paths:
        try:
            files.active().remove(path)
        except GPersistError:
            pass


def _make_folder(folder: str, durable: bool) -> None:
    """Makes a folder and those above it, each of them on the disk before anything is put there."""
    system = files.active()
    made = []
    path = os.path.abspath(folder)
    while system.stat(path) is None:
        made.append(path)
        path = os.path.dirname(path)
    system.make_folders(folder)
    if durable:
        for path in made:
            system.fsync_folder(os.path.dirname(path))
