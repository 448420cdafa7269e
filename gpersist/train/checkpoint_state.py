"""The state file `checkpoint` as `tf.train`'s functions write and read it, and whether checkpoints are there.

Paths stand in it as TensorFlow's Saver writes them: absolute where the caller's was, else relative to the folder. See `gpersist.checkpoint.state`.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress

from gpersist import checkpoint, files, protos
from gpersist.bundle import index_path
from gpersist.errors import CheckpointNotFoundError, GPersistError, InvalidArgumentError, NotACheckpointError, NotFoundError
from gpersist.ops.save import existing_prefix

__all__ = [
    "checkpoint_exists",
    "generate_checkpoint_state_proto",
    "get_checkpoint_mtimes",
    "get_checkpoint_state",
    "latest_checkpoint",
    "remove_checkpoint",
    "update_checkpoint_state",
]

_LOG = logging.getLogger("gpersist")
_SHARDS_V1 = re.compile(r"-[\d?]+-of-[\d?]+$")

Path = str | os.PathLike[str]


def generate_checkpoint_state_proto(
    save_dir: str,
    model_checkpoint_path: str,
    all_model_checkpoint_paths: Sequence[str] | None = None,
    all_model_checkpoint_timestamps: Sequence[float] | None = None,
    last_preserved_timestamp: float | None = None,
) -> protos.CheckpointState:
    """The message of a state file (`tf.train.generate_checkpoint_state_proto`).

    Args:
        save_dir: the folder; if it is relative, paths that are relative as well become relative to it.
        model_checkpoint_path: prefix of the newest checkpoint.
        all_model_checkpoint_paths: prefixes, oldest first; the newest is added where it is not the last.
        all_model_checkpoint_timestamps: seconds since 1970, one for each of them, or none.
        last_preserved_timestamp: when the last one that is kept for good was saved.

    Raises:
        ValueError: timestamps that are not as many as the paths.
    """
    paths = list(all_model_checkpoint_paths or ())
    if not paths or paths[-1] != model_checkpoint_path:
        _LOG.info("%s is not in all_model_checkpoint_paths. Manually adding it.", model_checkpoint_path)
        paths.append(model_checkpoint_path)
    timestamps = list(all_model_checkpoint_timestamps or ())
    if timestamps and len(timestamps) != len(paths):
        raise ValueError(f"Checkpoint timestamps, if provided, must match checkpoint paths (got paths {paths} and timestamps {timestamps})")
    if not os.path.isabs(save_dir):
        model_checkpoint_path, *paths = (
            path if os.path.isabs(path) else os.path.relpath(path, save_dir or os.curdir) for path in (model_checkpoint_path, *paths)
        )
    return protos.CheckpointState(
        model_checkpoint_path=model_checkpoint_path,
        all_model_checkpoint_paths=paths,
        all_model_checkpoint_timestamps=timestamps,
        last_preserved_timestamp=last_preserved_timestamp,
    )


def update_checkpoint_state(
    save_dir: Path,
    model_checkpoint_path: Path,
    all_model_checkpoint_paths: Sequence[str] | None = None,
    latest_filename: str | None = None,
    all_model_checkpoint_timestamps: Sequence[float] | None = None,
    last_preserved_timestamp: float | None = None,
) -> None:
    """Writes a folder's state file (`tf.train.update_checkpoint_state`); see `generate_checkpoint_state_proto`.

    Raises:
        RuntimeError: the checkpoint has the state file's own name.
        GPersistError: the file system said no.
    """
    write_state(
        os.fspath(save_dir),
        os.fspath(model_checkpoint_path),
        all_model_checkpoint_paths,
        latest_filename,
        timestamps=all_model_checkpoint_timestamps,
        last_preserved_timestamp=last_preserved_timestamp,
    )


def write_state(
    save_dir: str,
    model_checkpoint_path: str,
    all_paths: Sequence[str] | None = None,
    latest_filename: str | None = None,
    *,
    relative: bool = False,
    durable: bool = False,
    timestamps: Sequence[float] | None = None,
    last_preserved_timestamp: float | None = None,
) -> None:
    """`update_checkpoint_state`, which can make absolute paths relative to the folder, and wait for the disk."""
    latest, *paths = (
        os.path.relpath(path, save_dir or os.curdir) if relative and os.path.isabs(path) else path
        for path in (model_checkpoint_path, *(all_paths or ()))
    )
    message = generate_checkpoint_state_proto(save_dir, latest, paths, timestamps, last_preserved_timestamp)
    target = os.path.join(save_dir, latest_filename or checkpoint.STATE_NAME)
    if target == message.model_checkpoint_path:
        raise RuntimeError(f"Save path '{model_checkpoint_path}' conflicts with path used for checkpoint state.  Please use a different save path.")
    with files.active().locked(save_dir or os.curdir):
        checkpoint.replace_file(target, protos.to_text(message).encode(), durable=durable)


def get_checkpoint_state(checkpoint_dir: Path, latest_filename: str | None = None) -> protos.CheckpointState | None:
    """What a folder's state file says, relative paths made those from here (`tf.train.get_checkpoint_state`).

    Returns:
        The message; None if there is no such file, or one that cannot be read, with a warning.

    Raises:
        ValueError: it names no checkpoint.
    """
    folder = os.fspath(checkpoint_dir)
    path = os.path.join(folder, latest_filename or checkpoint.STATE_NAME)
    try:
        text = files.active().read_all(path, checkpoint.MAX_STATE_BYTES)
    except CheckpointNotFoundError:
        return None
    except GPersistError as error:
        _LOG.warning("%s: %s", type(error).__name__, error)
        _LOG.warning("%s: Checkpoint ignored", path)
        return None
    try:
        state = protos.parse_text(protos.CheckpointState, text, repr(path))
    except GPersistError as error:
        _LOG.warning("%s: %s", type(error).__name__, error)
        _LOG.warning("%s: Checkpoint ignored", path)
        return None
    if not state.model_checkpoint_path:
        raise ValueError(f"Invalid checkpoint state loaded from {folder}")
    state.model_checkpoint_path = os.path.join(folder, state.model_checkpoint_path)
    for number, prefix in enumerate(state.all_model_checkpoint_paths):
        state.all_model_checkpoint_paths[number] = os.path.join(folder, prefix)
    return state


def latest_checkpoint(checkpoint_dir: Path, latest_filename: str | None = None) -> str | None:
    """The prefix of the newest checkpoint that a folder's state file names (`tf.train.latest_checkpoint`); None if it isn't there."""
    before, state = None, get_checkpoint_state(checkpoint_dir, latest_filename)
    while state is not None and state != before:
        if checkpoint_exists(state.model_checkpoint_path):
            return state.model_checkpoint_path
        before, state = state, get_checkpoint_state(checkpoint_dir, latest_filename)  # if that was deleted before we looked, another is named by now
    if state is None:
        return None
    beside = checkpoint.follow(os.fspath(checkpoint_dir), state.model_checkpoint_path)
    more = f"; {beside!r} is there, which gpersist.load takes, and a Saver by its name" if beside else ""
    _LOG.error("Couldn't match files for checkpoint %s%s", state.model_checkpoint_path, more)
    return None


def checkpoint_exists(checkpoint_prefix: Path) -> bool:
    """Whether a checkpoint of either format is there (`tf.train.checkpoint_exists`)."""
    return bool(_file_of(os.fspath(checkpoint_prefix)))


def get_checkpoint_mtimes(checkpoint_prefixes: Iterable[Path]) -> list[float]:
    """When each of some checkpoints was written, in seconds since 1970; those that aren't there are left out (`tf.train.get_checkpoint_mtimes`)."""
    found = (_file_of(os.fspath(prefix)) for prefix in checkpoint_prefixes)
    stats = (files.active().stat(path) for path in found if path)
    return [stat.st_mtime_ns / 1e9 for stat in stats if stat is not None]


def remove_checkpoint(checkpoint_prefix: str, checkpoint_format_version: int = protos.SaverDef.V2, meta_graph_suffix: str = "meta") -> None:
    """Deletes a checkpoint's files, the index first (`tf.train.remove_checkpoint`).

    Args:
        checkpoint_prefix: of the checkpoint.
        checkpoint_format_version: V2, or V1, whose files are deleted only if they are such.
        meta_graph_suffix: of the file of its MetaGraphDef.

    Raises:
        GPersistError: the operating system refuses.
    """
    if checkpoint_format_version == protos.SaverDef.V2:
        if files.active().stat(os.path.dirname(checkpoint_prefix) or os.curdir) is not None:
            checkpoint.delete_checkpoint(checkpoint_prefix, durable=False)
    else:
        for path in _files_v1(checkpoint_prefix):
            if checkpoint.is_v1_file(path):
                _remove(path)
    _remove(meta_graph_filename(checkpoint_prefix, meta_graph_suffix))


def meta_graph_filename(checkpoint_filename: str, meta_graph_suffix: str = "meta") -> str:
    """The file of a checkpoint's MetaGraphDef; the numbers of V1's shards are no part of it."""
    return ".".join([_SHARDS_V1.sub("", checkpoint_filename), meta_graph_suffix])


def exact_prefix(path: str) -> str:
    """The prefix to open for a path, which is taken for nothing else than it says: no folder, and none of a checkpoint's files.

    Raises:
        NotFoundError: no checkpoint is there.
        NotACheckpointError: something else is.
    """
    system = files.active()
    if system.is_file(index_path(path)):
        return path
    if system.stat(path) is None:
        prefix = existing_prefix(path)
        if prefix == path or not _files_v1(path):
            raise CheckpointNotFoundError(f"Failed to find any matching files for {path}: no {index_path(path)!r}, and no file of that name")
        return prefix
    if os.path.isdir(path):
        raise NotACheckpointError(f"{path!r} is a folder, and no checkpoint; latest_checkpoint gives the newest one in it")
    if not checkpoint.is_v1_file(path):
        try:
            prefix = checkpoint.locate(path)
        except GPersistError as error:  # which says what the file is
            raise NotACheckpointError(error.message) from error
        raise NotACheckpointError(f"{path!r} is no checkpoint: neither is it a table, nor is {index_path(path)!r} there; give its prefix, {prefix!r}")
    if path.endswith(".index"):
        raise NotFoundError(f"no tensor is found in {path!r}, which is the index of a checkpoint; give its prefix, {path[: -len('.index')]!r}")
    return path


def write_file(path: str, content: bytes, *, durable: bool) -> None:
    """Gives a file new content, atomically; makes its folder where that is missing.

    Raises:
        GPersistError: it cannot be written; the old one stands.
    """
    folder = os.path.dirname(path) or os.curdir
    files.active().make_folders(folder)
    with files.active().locked(folder):
        checkpoint.replace_file(path, content, durable=durable)


def _file_of(prefix: str) -> str | None:
    """The file that shows a checkpoint to be there."""
    if not prefix:
        return None
    with suppress(InvalidArgumentError):  # a name that no file can have
        for path in (index_path(prefix), prefix):
            if files.active().stat(path) is not None:
                return path
    return next(iter(_files_v1(prefix)), None)


def _files_v1(prefix: str) -> list[str]:
    """The files of a V1 checkpoint, whose prefix may end in a pattern of shards."""
    if "?" in os.path.basename(prefix):
        folder, pattern = os.path.dirname(prefix), re.compile(re.escape(os.path.basename(prefix)).replace(r"\?", "."))
        with suppress(GPersistError):
            return [os.path.join(folder, name) for name in files.active().names(folder or os.curdir) if pattern.fullmatch(name)]
        return []
    return [prefix] if files.active().is_file(prefix) else []


def _remove(path: str) -> None:
    with suppress(CheckpointNotFoundError):
        files.active().remove(path)
