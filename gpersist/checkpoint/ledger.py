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
import logging
import os
import re
import time

from gpersist import files
from gpersist.bundle import index_path
from gpersist.checkpoint.retention import Record, RetentionPolicy, delete_checkpoint
from gpersist.checkpoint.state import STATE_NAME, CheckpointState, follow, read_state, resolve, write_state
from gpersist.errors import CheckpointNotFoundError, DataLossError, GPersistError, InvalidArgumentError

_log = logging.getLogger("gpersist")

_MAX_LISTED = 2000
"""Keeps the state file below its limit of a megabyte, whatever the names. Those before are as if kept for good."""


@dataclasses.dataclass(slots=True)
class _View:
    """A folder as it was found.

    Attributes:
        standing: steps that have an index.
        listed: those of them that the state file lists, or ought to, with their timestamps; oldest first.
        gone: steps that the state file lists and that have no index.
        others: records of the state file that are not ours.
        latest: the step that the state file calls the newest, if it is ours and stands.
        last_preserved: as the state file says.
    """

    standing: set[int]
    listed: dict[int, float]
    gone: list[int]
    others: list[Record]
    latest: int | None
    last_preserved: float | None


class Ledger:
    """The checkpoints of one base name in one folder. Safe for threads and processes: those that change something take turns by the folder's lock."""

    def __init__(self, folder: str, base: str, policy: RetentionPolicy, durable: bool) -> None:
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
        self._name = re.compile(re.escape(base) + r"-(0|[1-9][0-9]{0,18})")  # as `prefix` spells it: no other name is ours

    def prefix(self, step: int | str) -> str:
        """Prefix of a step's checkpoint."""
        return os.path.join(self.folder, f"{self._base}-{step}")

    def steps(self) -> set[int]:
        """The steps that have an index in the folder."""
        try:
            names = files.active().names(self.folder)
        except CheckpointNotFoundError:
            return set()
        return {int(found[1]) for name in names if name.endswith(".index") and (found := self._name.fullmatch(name[: -len(".index")]))}

    def newest_first(self) -> list[str]:
        """Prefixes of all checkpoints, in the order in which to try them: as the state file has them, then those that it does not list, by step."""
        view = self._look()
        listed = [*reversed(view.listed)]
        if view.latest is not None and (not listed or listed[0] in self._listed_in_file(view)):
            listed = [view.latest, *(step for step in listed if step != view.latest)]
        return [self.prefix(step) for step in [*listed, *sorted(view.standing.difference(listed), reverse=True)]]

    def enter(self, prefix: str) -> None:
        """Takes up a checkpoint just committed: the state file first, then retention, then the state file again if something was deleted."""
