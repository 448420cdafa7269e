"""Which checkpoints `<folder>/<base>-<step>` there are, in what order, and what retention does about them.

Two witnesses: the folder's names say what stands; the state file says in what order it was saved, and what retention has still to decide about. They
differ after a crash and after work by hand, and then:

- What is listed but has no index is no checkpoint. Its remains are removed with the next save.
- What is not listed has been kept for good, and is left alone. But if its step is above all those listed, and its index is not older than the state
  file, then a crash came between commit and state file, and it is the newest one.
- If no state file lists any of ours, all that stand are listed, by step.
- What others have listed (other prefixes, other folders) stays listed as long as it stands, and is never deleted.
"""

from __future__ import annotations

import dataclasses
import itertools
import logging
import os
import re
import stat
import time
from collections.abc import Collection, Iterator
from contextlib import suppress

from gpersist import files
from gpersist.bundle import index_path
from gpersist.checkpoint.retention import Decision, Record, RetentionPolicy, delete_checkpoint
from gpersist.checkpoint.state import STATE_NAME, CheckpointState, follow, read_state, resolve, write_state
from gpersist.errors import CheckpointNotFoundError, DataLossError, FailedPreconditionError, GPersistError, InvalidArgumentError

_log = logging.getLogger("gpersist")

_MAX_LISTED = 1000
"""Keeps the state file below its limit of a megabyte, and a hostile one from keeping us. Those before are as if kept for good."""


@dataclasses.dataclass(frozen=True, slots=True)
class _View:
    """A folder as it was found; ours are those of one base name.

    Attributes:
        standing: our steps that have an index.
        listed: those of them that the state file lists, with their timestamps; oldest first.
        newer: those of them that it ought to list, after the others, in ascending order.
        gone: our steps that the state file lists and that do not stand.
        others: what else it lists and stands.
        latest: the step that the state file calls the newest, if that is one of `listed`.
        last_preserved: as the state file says.
    """

    standing: set[int]
    listed: dict[int, float]
    newer: list[int]
    gone: list[int]
    others: list[Record]
    latest: int | None
    last_preserved: float | None


class Ledger:
    """The checkpoints of one base name in one folder. Safe for threads and processes: those that change something take turns by the folder's lock."""

    def __init__(self, folder: str, base: str, policy: RetentionPolicy, *, durable: bool) -> None:
        """A ledger of what is in the folder; touches no file.

        Raises:
            InvalidArgumentError: `base` is no base name.
        """
        if not base or os.path.basename(base) != base or not base.isprintable():
            raise InvalidArgumentError(f"prefix {base!r}: expected the first part of a file's base name, such as 'ckpt'")
        self.folder = folder
        self._base = base
        self._policy = policy
        self._durable = durable
        self._began = time.time()
        self._last: int | None = None
        self._is_alone = True
        self._name = re.compile(re.escape(base) + r"-(0|[1-9][0-9]{0,18})")  # as `prefix` spells it: no other name is ours

    def prefix(self, step: int | str) -> str:
        """Prefix of a step's checkpoint."""
        return os.path.join(self.folder, f"{self._base}-{step}")

    def steps(self) -> set[int]:
        """The steps that have an index in the folder."""
        while True:
            try:
                names = files.active().names(self.folder)
                break
            except CheckpointNotFoundError:
                found = files.active().stat(self.folder)
                if found is None:
                    return set()
                if not stat.S_ISDIR(found.st_mode):
                    raise FailedPreconditionError(f"{self.folder!r} is a file; expected a folder, or a name for one") from None
            # another process made the folder in between
        steps = (self._step_of(name.removesuffix(".index")) for name in names if name.endswith(".index"))
        return {step for step in steps if step is not None}

    def newest_first(self) -> list[str]:
        """Prefixes of all checkpoints, in the order in which to try them: by the state file, then those that it does not list, by step."""
        view = self._look()
        order = [*reversed(view.newer), *([] if view.latest is None else [view.latest]), *reversed(view.listed), *sorted(view.standing, reverse=True)]
        return [self.prefix(step) for step in dict.fromkeys(order)]

    def enter(self, prefix: str, damaged: Collection[str] = ()) -> None:
        """Takes up a checkpoint just committed: state file, retention, and the state file again if something was deleted.

        What cannot be deleted stays listed, with a warning (logger "gpersist"), and is tried again at the next call.

        Args:
            prefix: of the checkpoint.
            damaged: prefixes of others that are known not to be whole, which take no place among those to keep.

        Raises:
            FileError, OutOfSpaceError, PermissionDeniedError: the state file cannot be written; the checkpoint stands.
        """
        with files.active().locked(self.folder):
            if not files.active().is_file(index_path(prefix)):
                return  # another manager of this name has saved and deleted since: it has the last word
            now = time.time()
            view = self._look()
            self._notice_others(view, prefix)
            before = view.listed | {step: self._saved_at(self.prefix(step), now) for step in view.newer}
            queue = [Record(self.prefix(step), min(timestamp, now)) for step, timestamp in before.items() if self.prefix(step) != prefix]
            decision = self._decide(view, [*queue, Record(prefix, now)], now, damaged)
            self._write([*view.others, *decision.delete, *decision.keep], decision.last_preserved)
            undeleted = self._apply(decision)
            for step in view.gone:
                self._delete(self.prefix(step))
            if decision.delete:
                self._write([*view.others, *undeleted, *decision.keep], decision.last_preserved)

    def trim(self, damaged: Collection[str] = ()) -> bool:
        """Deletes what exceeds the policy now, as `enter` would have, had nobody been killed before it; the state file follows if it can be written.

        Args:
            damaged: see `enter`.

        Returns:
            Whether anything was deleted.
        """
        with files.active().locked(self.folder):
            now = time.time()
            view = self._look()
            queue = view.listed | {step: self._saved_at(self.prefix(step), now) for step in view.newer}
            if view.latest is not None and not view.newer:
                queue[view.latest] = queue.pop(view.latest)
            decision = self._decide(view, [Record(self.prefix(step), min(timestamp, now)) for step, timestamp in queue.items()], now, damaged)
            undeleted = self._apply(decision)
            if len(undeleted) == len(decision.delete):
                return False
            with suppress(GPersistError):
                self._write([*view.others, *undeleted, *decision.keep], decision.last_preserved)
            return True

    def _decide(self, view: _View, queue: list[Record], now: float, damaged: Collection[str]) -> Decision:
        last_preserved = view.last_preserved
        if last_preserved is None:
            last_preserved = min([self._began, *(record.timestamp for record in queue)])
        return self._policy.decide(queue, now, last_preserved, damaged)

    def _apply(self, decision: Decision) -> list[Record]:
        """Deletes what a decision says, and gives what could not be deleted."""
        return [record for record in decision.delete if not self._delete(record.prefix)]

    def _notice_others(self, view: _View, prefix: str) -> None:
        """Says, once, that two runs save here, which is seldom meant: each deletes the other's, and resumes from them."""
        last, latest = self._last, view.latest
        if self._is_alone and last is not None and latest is not None and latest != last:
            self._is_alone = False
            _log.warning(
                "another manager, perhaps another program, has saved %r since %r was saved here: give each run a folder or a prefix of its own",
                self.prefix(latest),
                self.prefix(last),
            )
        self._last = self._step_of(os.path.basename(prefix))

    def _look(self) -> _View:
        standing = self.steps()
        try:
            state = read_state(self.folder)
        except DataLossError as error:
            _log.warning("%s; checkpoints are found by their names", error)
            state = None
        listed: dict[int, float] = {}
        gone, others = [], []
        for path, timestamp in _entries(state):
            base = os.path.basename(path)
            step = self._step_of(base)
            mine = None if step is None else self.prefix(step)
            # A bare name, as we write it, spares `resolve` its look at the disk.
            found = mine if step in standing and path == base else resolve(self.folder, path)
            if step is not None and step in standing and found and _is_same(found, self.prefix(step)):
                listed[step] = self._saved_at(found, time.time()) if timestamp is None else timestamp
            elif step is not None and mine and found is None and _is_same(os.path.join(self.folder, path), mine):
                gone.append(step)
            elif prefix := found or follow(self.folder, path):
                others.append(Record(prefix, self._saved_at(prefix, time.time()) if timestamp is None else timestamp))
        latest = self._step_of(os.path.basename(state.model_checkpoint_path)) if state else None
        newer = sorted(standing)
        if listed:
            written = files.active().stat(os.path.join(self.folder, STATE_NAME))
            newer = [step for step in newer if step > max(listed) and written and self._saved_at(self.prefix(step), 0.0) >= written.st_mtime]
        return _View(standing, listed, newer, gone, others, latest if latest in listed else None, state.last_preserved_timestamp if state else None)

    def _step_of(self, name: str) -> int | None:
        found = self._name.fullmatch(name)
        return int(found[1]) if found else None

    def _saved_at(self, prefix: str, otherwise: float) -> float:
        found = files.active().stat(index_path(prefix))
        return found.st_mtime if found else otherwise

    def _write(self, records: list[Record], last_preserved: float) -> None:
        records = records[-_MAX_LISTED:]
        prefixes = [record.prefix for record in records]
        write_state(self.folder, prefixes[-1], prefixes, [record.timestamp for record in records], last_preserved, durable=self._durable)

    def _delete(self, prefix: str) -> bool:
        try:
            delete_checkpoint(prefix, durable=self._durable)
        except GPersistError as error:
            _log.warning("the old checkpoint %r cannot be deleted, and is tried again at the next save: %s", prefix, error)
            return False
        return True


def _entries(state: CheckpointState | None) -> Iterator[tuple[str, float | None]]:
    """Paths and timestamps of a state file, the newest one among them even if somebody left it out of the list."""
    if state is None:
        return
    paths, timestamps = state.all_model_checkpoint_paths[-_MAX_LISTED:], state.all_model_checkpoint_timestamps[-_MAX_LISTED:]
    yield from itertools.zip_longest(paths, timestamps)
    if state.model_checkpoint_path not in paths:
        yield state.model_checkpoint_path, None


def _is_same(one: str, other: str) -> bool:
    return os.path.abspath(one) == os.path.abspath(other)
