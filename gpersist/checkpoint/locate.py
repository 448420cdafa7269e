"""From what a person types to a checkpoint: the prefix itself, one of its files, or the folder."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable
from typing import TypeVar

from gpersist import files
from gpersist.bundle import describe, index_path, nearest, parse_data_name, sibling_prefix
from gpersist.checkpoint.state import STATE_NAME, CheckpointState, base_name, follow, read_state
from gpersist.errors import CheckpointNotFoundError, DataLossError, GPersistError, InvalidArgumentError, NotACheckpointError

T = TypeVar("T")

_log = logging.getLogger("gpersist")

_HEAD_BYTES = 64 << 10
_MAX_LOOKED_INTO = 100

_HALF_TYPED = re.compile(r"(?s)(.+)\.(?:data(?:-[-\dof]*)?)?")
"""As far as a shell completes a name of which there are several: `ckpt-100.data-0000`."""

TABLE_END = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
"""What every table's file ends with."""


def locate(path: str | os.PathLike[str]) -> str:
    """The prefix that a path means.

    Args:
        path: a prefix; any file of a checkpoint (`.index`, `.meta`, `.data-...`, the state file `checkpoint`, a V1 file); or a folder, which means
            the newest checkpoint that its state file names, or the only one in it.

    Raises:
        CheckpointNotFoundError: nothing is there; the message names what is near.
        NotACheckpointError: a file of another kind is there, which the message names where it can.
    """
    if path is None:
        raise InvalidArgumentError("Can't load save_path when it is None.")
    try:
        text = os.fsdecode(path)
    except TypeError:
        raise InvalidArgumentError(f"the prefix is a {type(path).__name__}; expected a path such as 'dir/ckpt-100'") from None
    system = files.active()
    if system.is_file(index_path(text)):
        return text
    prefix = sibling_prefix(text)
    if prefix != text and system.is_file(index_path(prefix)):
        return prefix
    if prefix != text and v1_files(prefix):
        return prefix  # beside its .meta
    found = system.stat(text)
    if found is not None and os.path.isdir(text):
        return _in_folder(text)
    if found is not None:
        return _from_file(text, prefix)
    if (half := _HALF_TYPED.fullmatch(text)) and system.is_file(index_path(half[1])):
        return half[1]
    if _v1_shards(text):
        return text
    raise CheckpointNotFoundError(_nothing(text, prefix))


def at(path: str | os.PathLike[str], do: Callable[[str], T]) -> T:
    """Does something with the checkpoint that a path means; if that is deleted before it is open, then with the one that a folder means by then.

    Args:
        path: see `locate`.
        do: takes a prefix.

    Raises:
        GPersistError: as `locate` and `do` raise.
    """
    prefix = locate(path)
    while True:
        try:
            return do(prefix)
        except CheckpointNotFoundError:
            before, prefix = prefix, locate(path)
            if prefix == before:
                raise


def _in_folder(folder: str) -> str:
    """The newest checkpoint in a folder, where others may come and go while we look."""
    state = _state_of(folder)
    while True:
        try:
            return _newest(folder, state)
        except CheckpointNotFoundError:
            before, state = state, _state_of(folder)
            if state == before:
                raise


def _state_of(folder: str) -> CheckpointState | None:
    try:
        return read_state(folder)
    except DataLossError as error:
        there = _checkpoints(files.active().names(folder))
        raise DataLossError(f"{error.message}{f'; or name a checkpoint of the folder: {_some(there)}' if there else ''}") from error


def _newest(folder: str, state: CheckpointState | None) -> str:
    base = base_name(state.model_checkpoint_path) if state else STATE_NAME
    if state is not None and base != STATE_NAME:  # which would be taken for a V1 file
        inside = os.path.join(folder, base)
        if base not in ("", os.curdir, os.pardir) and (files.active().is_file(index_path(inside)) or v1_files(inside)):
            return inside
        named = follow(folder, state.model_checkpoint_path)
        if named is not None:
            return named
    prefixes = _checkpoints(files.active().names(folder))
    if len(prefixes) == 1:
        if state is not None and base not in (prefixes[0], STATE_NAME):
            _log.warning("%r: its state file names %r, which is not there; %r is taken, the only one that is", folder, base, prefixes[0])
        return os.path.join(folder, prefixes[0])
    if prefixes:
        stale = f" (its own names {base!r}, which is not there)" if state is not None else ""
        raise CheckpointNotFoundError(
            f"{folder!r} holds {len(prefixes)} checkpoints and no state file that says which is meant{stale}; name one of them: {_some(prefixes)}"
        )
    variables = os.path.join(folder, "variables", "variables")
    if files.active().is_file(index_path(variables)):
        return variables
    raise CheckpointNotFoundError(f"the folder {folder!r} holds no checkpoint: no '*.index' is in it{_instead(folder)}")


def _instead(folder: str) -> str:
    """What a folder without a checkpoint has, for the message."""
    system = files.active()
    names = sorted(name for name in system.names(folder) if not name.startswith("."))
    saved_model = next((name for name in ("saved_model.pb", "saved_model.pbtxt") if name in names), None)
    if saved_model:
        return f"; its {saved_model} is a SavedModel without variables, whose values are in its graph, or were not copied with it"
    exports = [name for name in names[:_MAX_LOOKED_INTO] if system.is_file(os.path.join(folder, name, "saved_model.pb"))]
    if exports:
        last = max(exports, key=lambda name: (name.isdecimal(), int(name) if name.isdecimal() else 0, name))
        return f"; its folders {_some(exports)} are SavedModels: name one, such as the last, {os.path.join(folder, last)!r}"
    found = []
    for name in names[:_MAX_LOOKED_INTO]:
        inside = os.path.join(folder, name)
        for _ in range(2):  # as archives are unpacked
            if not os.path.isdir(inside):
                break
            try:
                within = sorted(system.names(inside))
            except GPersistError:
                break
            if any(other.endswith(".index") for other in within):
                found.append(inside)
                break
            inside = os.path.join(inside, within[0]) if len(within) == 1 else ""
    if found:
        return f"; in {found[0]!r} is one: give that folder" if len(found) == 1 else f"; in {_some(found)} are some: give one of these folders"
    return f"; in it are {_some(names)}{_missing(folder, names)}" if names else "; it is empty"


def _missing(folder: str, names: list[str]) -> str:
    """What to do about a folder that has only a part of a checkpoint, or one that is not taken by itself."""
    for name in names:
        if part := parse_data_name(name):
            return f"; {index_path(part[0])!r}, which tells what is in {name!r}, is missing: copy it too"
    for name in names[:_MAX_LOOKED_INTO]:
        if ".index" not in name and _is_table(os.path.join(folder, name)):
            return f"; {os.path.join(folder, name)!r} is one in TensorFlow's first format: name it"
    for name in names:
        if name.endswith(".meta"):
            return f"; {name!r} is a graph without values: look at it with gpersist graph"
        if name.endswith((".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")):
            return f"; unpack {name!r}"
    return ""


def _is_table(path: str) -> bool:
    system = files.active()
    try:
        fd = system.open_read(path)
        try:
            tail = bytearray(len(TABLE_END))
            return system.preadv(fd, [tail], len(tail), max(0, system.size(fd, path) - len(tail)), path) == len(tail) and tail == TABLE_END
        finally:
            system.close(fd)
    except GPersistError:
        return False


def _from_file(path: str, prefix: str) -> str:
    system = files.active()
    fd = system.open_read(path)
    try:
        size = system.size(fd, path)
        head = bytearray(min(size, _HEAD_BYTES))
        system.preadv(fd, [head], len(head), 0, path)
        tail = bytearray(min(size, 8))
        system.preadv(fd, [tail], len(tail), size - len(tail), path)
    finally:
        system.close(fd)
    if bytes(tail) == TABLE_END:
        return path  # a table: V1's, or an index under another name
    if os.path.basename(path) == "checkpoint" and bytes(head[:64]).lstrip().startswith(b"model_checkpoint_path"):
        return _in_folder(os.path.dirname(path) or ".")
    if parse_data_name(path) or path.endswith(".meta"):
        alone = "; gpersist graph and gpersist place take a .meta alone" if path.endswith(".meta") else ""
        raise CheckpointNotFoundError(f"{path!r} is a part of a checkpoint, but {index_path(prefix)!r}, which tells what is in it, is missing{alone}")
    kind = describe(bytes(head), size)
    if kind:
        raise NotACheckpointError(f"{path!r} is {kind}")
    raise NotACheckpointError(
        f"{path!r} is no checkpoint: expected '<prefix>.index' beside its data, or a V1 table; if it was one, it was cut short: use another copy"
    )


def _v1_shards(prefix: str) -> list[str]:
    folder, base = os.path.split(prefix)
    pattern = re.compile(re.escape(base) + r"-\d{5}-of-\d{5}")
    try:
        return [os.path.join(folder, name) for name in files.active().names(folder or ".") if pattern.fullmatch(name)]
    except GPersistError:
        return []


def v1_files(prefix: str) -> list[str]:
    """The files of a V1 checkpoint: the file itself, or its shards `<prefix>-00000-of-00002`; empty if there is none."""
    return [prefix] if files.active().is_file(prefix) else _v1_shards(prefix)


def _nothing(path: str, prefix: str) -> str:
    folder = os.path.dirname(prefix) or "."
    try:
        names = files.active().names(folder)
    except GPersistError:
        return f"there is no checkpoint {path!r}: the folder {folder!r} does not exist"
    for link in (index_path(prefix), path):
        if os.path.islink(link):
            return f"there is no checkpoint {path!r}: {link!r} is a link to {os.readlink(link)!r}, which is not there"
    others = _checkpoints(names)
    has_data = any(name.startswith(os.path.basename(prefix) + ".data-") for name in names)
    if has_data:
        return f"there is no checkpoint {path!r}: its data files are there, {index_path(prefix)!r} is not: the save did not end, or files were lost"
    what = f"in that folder are {_some(others)}" if others else f"no checkpoint is in that folder{nearest(os.path.basename(path), names)}"
    return f"there is no checkpoint {path!r}: no {index_path(prefix)!r}; {what}"


def _checkpoints(names: list[str]) -> list[str]:
    return [name[: -len(".index")] for name in names if name.endswith(".index") and not name.startswith(".")]


def _some(names: list[str]) -> str:
    return ", ".join(map(repr, names[-5:])) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
