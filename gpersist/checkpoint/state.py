"""The file `checkpoint`: which checkpoints a folder has, and which is the newest.

    model_checkpoint_path: "ckpt-2"                 the newest
    all_model_checkpoint_paths: "ckpt-1"            those that retention will still decide about, oldest first
    all_model_checkpoint_paths: "ckpt-2"
    all_model_checkpoint_timestamps: 1700000000.5   when each was saved, in seconds since 1970; all of them or none
    all_model_checkpoint_timestamps: 1700000600.5
    last_preserved_timestamp: 1699999999.0          up to when retention has decided which to keep for good (`retention`)

It is a CheckpointState in protobuf's text format. Paths are relative to the folder by default, so that it can be moved; absolute ones are
understood, and a checkpoint that is not where its path says is looked for beside the file. The file may come from anywhere: `follow` answers what
may be read, `resolve` what may be deleted. Both take a path as a name, never as a pattern.

Source: TensorFlow `checkpoint_state.proto`, `checkpoint_management.py` (`update_checkpoint_state_internal`, `get_checkpoint_state`).
"""

from __future__ import annotations

import dataclasses
import math
import ntpath
import os
from collections.abc import Iterator, Sequence

from gpersist import files, protos
from gpersist.bundle import HEAD_BYTES, index_path, new_token, stand_in, temporary_path
from gpersist.errors import CheckpointNotFoundError, DataLossError, GPersistError, InvalidArgumentError, ResourceExhaustedError
from gpersist.files import replace_through

STATE_NAME = "checkpoint"

MAX_STATE_BYTES = 1 << 20
"""More than 10,000 checkpoints take; protobuf's text parser needs most of a second for it."""


@dataclasses.dataclass(frozen=True, slots=True)
class CheckpointState:
    """What a state file says; paths as they stand there, relative to its folder or absolute, and trusted by nobody.

    Attributes:
        model_checkpoint_path: the newest checkpoint, never empty.
        all_model_checkpoint_paths: those not yet deleted nor kept for good, oldest first.
        all_model_checkpoint_timestamps: seconds since 1970, finite, one a path; or none at all.
        last_preserved_timestamp: seconds since 1970; None if the file does not say, as those that TensorFlow's Saver writes.
    """

    model_checkpoint_path: str
    all_model_checkpoint_paths: tuple[str, ...] = ()
    all_model_checkpoint_timestamps: tuple[float, ...] = ()
    last_preserved_timestamp: float | None = None


def read_state(folder: str, latest_filename: str = STATE_NAME) -> CheckpointState | None:
    """Reads a folder's state file; None if there is none.

    Timestamps that are not as many as the paths are left out: someone has edited the paths by hand, as TensorFlow's users must at times.

    Raises:
        DataLossError: the file is damaged, or none; says the line where it can.
        PermissionDeniedError, FileError: it cannot be read.
    """
    path = os.path.join(folder, latest_filename)
    try:
        text = files.active().read_all(path, MAX_STATE_BYTES)
    except CheckpointNotFoundError:
        return None
    except ResourceExhaustedError as error:
        raise DataLossError(f"{error.message}: it is no state file; remove it, and the next save writes a new one") from error
    if kind := stand_in(text[:HEAD_BYTES]):
        raise DataLossError(f"{path!r} is {kind}")
    message = protos.parse_text(protos.CheckpointState, text, repr(path))
    if not message.model_checkpoint_path:
        raise DataLossError(
            f"{path!r} names no checkpoint (model_checkpoint_path is empty): it is damaged; remove it, and the next save writes a new one"
        )
    timestamps = tuple(message.all_model_checkpoint_timestamps)
    if not all(map(math.isfinite, (*timestamps, message.last_preserved_timestamp))):
        raise DataLossError(f"{path!r} holds a timestamp that is not a finite number: it is damaged; remove it, and the next save writes a new one")
    paths = tuple(message.all_model_checkpoint_paths)
    return CheckpointState(
        model_checkpoint_path=message.model_checkpoint_path,
        all_model_checkpoint_paths=paths,
        all_model_checkpoint_timestamps=timestamps if len(timestamps) == len(paths) else (),
        last_preserved_timestamp=message.last_preserved_timestamp or None,
    )


def write_state(
    folder: str,
    latest: str,
    all_paths: Sequence[str] = (),
    timestamps: Sequence[float] = (),
    last_preserved_timestamp: float | None = None,
    *,
    relative: bool = True,
    latest_filename: str = STATE_NAME,
    durable: bool = True,
) -> None:
    """Replaces a folder's state file, atomically: a reader sees the old one or the new one, and so does whoever comes after a crash.

    The caller holds the folder's lock (`files.locked`) from reading the old state on: another's entries would be lost, and a save that clears up
    after the dead takes this one's temporary file for theirs.

    Args:
        folder: where it is.
        latest: prefix of the newest checkpoint, as any path: relative to the working directory, or absolute.
        all_paths: prefixes, oldest first; `latest` is appended where it is not the last.
        timestamps: seconds since 1970, one for each of `all_paths` (with `latest`), or none.
        last_preserved_timestamp: see `retention`; None leaves it out.
        relative: write prefixes inside the folder relative to it, the others absolute; False: write all absolute.
        latest_filename: the state file's name.
        durable: wait until it is on the disk.

    Raises:
        InvalidArgumentError: a prefix that is no UTF-8, or is the state file itself; timestamps that are not as many as the prefixes.
        FileError, OutOfSpaceError, PermissionDeniedError: it cannot be written; the old one stands.
    """
    prefixes = [*all_paths] if all_paths and all_paths[-1] == latest else [*all_paths, latest]
    if timestamps and len(timestamps) != len(prefixes):
        raise InvalidArgumentError(f"{len(timestamps)} timestamps for {len(prefixes)} checkpoints; expected one each, or none")
    target = os.path.join(folder, latest_filename)
    if os.path.abspath(latest) == os.path.abspath(target):
        raise InvalidArgumentError(
            f"the prefix {latest!r} is the state file's own name; save under another, such as {os.path.join(folder, 'ckpt')!r}"
        )
    root = os.path.abspath(folder)
    try:
        message = protos.CheckpointState(
            model_checkpoint_path=_as_written(latest, root, relative),
            all_model_checkpoint_paths=[_as_written(prefix, root, relative) for prefix in prefixes],
            all_model_checkpoint_timestamps=timestamps,
            last_preserved_timestamp=last_preserved_timestamp,
        )
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(f"{target!r} cannot name a checkpoint whose path is not UTF-8: {error}; save under another name") from error
    replace_file(target, protos.to_text(message).encode(), durable=durable)


def follow(folder: str, path: str) -> str | None:
    """The prefix of a checkpoint to READ that a path of `folder`'s state file means: it stands; None if there is no such.

    An absolute path is followed wherever it leads, as TensorFlow does; a relative one never out of the folder. Whatever is not there is looked for
    by its base name in the folder, which may have been moved. Never delete what this returns: see `resolve`.
    """
    for candidate in _candidates(folder, path):
        if (path.startswith(os.sep) or _is_inside(folder, candidate)) and _stands(candidate):
            return candidate
    return None


def resolve(folder: str, path: str) -> str | None:
    """The prefix of a checkpoint inside `folder`, links resolved, that a path of its state file means; None if there is none or it leads out."""
    for candidate in _candidates(folder, path):
        if _is_inside(folder, candidate) and _stands(candidate):
            return candidate
    return None


def latest_checkpoint(folder: str, latest_filename: str = STATE_NAME) -> str | None:
    """The prefix of the newest checkpoint by the state file alone, not verified (`tf.train.latest_checkpoint`); None if there is none.

    Raises:
        DataLossError: the state file is damaged.
    """
    state = read_state(folder, latest_filename)
    return follow(folder, state.model_checkpoint_path) if state else None


def _as_written(prefix: str, root: str, relative: bool) -> str:
    path = os.path.abspath(prefix)
    if not relative:
        return path
    inside = os.path.relpath(path, root)
    return path if inside.startswith(os.pardir + os.sep) else inside


def base_name(path: str) -> str:
    """The last part of a path; of one with a drive's letter too, which a state file from Windows has."""
    return ntpath.basename(path) if ntpath.splitdrive(path)[0].endswith(":") else os.path.basename(path)


def _candidates(folder: str, path: str) -> Iterator[str]:
    base = base_name(path)
    if base in ("", os.curdir, os.pardir) or "\0" in path or "\n" in path:
        return
    yield os.path.join(folder, path)
    if base != path:
        yield os.path.join(folder, base)


def _is_inside(folder: str, prefix: str) -> bool:
    root = os.path.realpath(folder)
    return os.path.commonpath([root, os.path.realpath(os.path.dirname(prefix))]) == root


def _stands(prefix: str) -> bool:
    try:
        return files.active().is_file(index_path(prefix)) or files.active().is_file(prefix)  # V2, or a V1 file
    except GPersistError:  # too long a name, or a folder of another user's: not ours to read
        return False


def replace_file(target: str, content: bytes, *, durable: bool) -> None:
    """Gives a small file new content, atomically.

    Raises:
        GPersistError: it cannot be written; the old one stands.
    """
    replace_through(temporary_path(target, new_token(), "state"), target, content, durable=durable)
