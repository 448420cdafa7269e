"""Which checkpoints are kept, and how the others go.

Records stand in a queue, oldest first. Once more than `max_to_keep` are in it, the oldest leave: each of them is deleted, or kept for good if
`keep_every_n_hours` have passed since `last_preserved`, which then moves on by these hours. What is kept for good leaves the queue, and nobody
decides about it again. TensorFlow's Saver holds `last_preserved` in memory (as `_next_checkpoint_time`, n hours later); here it stands
in the state file, where TensorFlow's CheckpointManager has it as well, so that both rules survive the program.

What is known to be damaged takes no place among the `max_to_keep`, is not kept for good, and goes when as many whole ones are newer: it may be all
that is left to look into.

Source: TensorFlow `saver.py` (`_RecordLastCheckpoint`, `_MaybeDeleteOldCheckpoints`), `checkpoint_management.py` (`remove_checkpoint`).
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from gpersist import files
from gpersist.bundle import data_path, index_path, meta_path, parse_data_name
from gpersist.errors import CheckpointNotFoundError, InvalidArgumentError


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """A checkpoint and when it was saved, in seconds since 1970."""

    prefix: str
    timestamp: float


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """What a policy decided.

    Attributes:
        keep: the queue as it is now, oldest first.
        delete: what is to be deleted, oldest first.
        preserved: what has left the queue and is kept for good.
        last_preserved: in seconds since 1970, for the next decision.
    """

    keep: tuple[Record, ...]
    delete: tuple[Record, ...]
    preserved: tuple[Record, ...]
    last_preserved: float


@dataclasses.dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """How many checkpoints to keep.

    Attributes:
        max_to_keep: at most so many of the newest; None or 0 keeps all.
        keep_every_n_hours: keep one for good every so many hours besides; None keeps none.

    Raises:
        InvalidArgumentError: a negative number, hours that are not above 0, or no numbers.
    """

    max_to_keep: int | None = 5
    keep_every_n_hours: float | None = None

    def __post_init__(self) -> None:
        keep: Any = self.max_to_keep  # perhaps from a command line, and no number
        hours: Any = self.keep_every_n_hours
        if keep is not None and not (isinstance(keep, int | np.integer) and keep >= 0):
            raise InvalidArgumentError(f"max_to_keep is {keep!r}; expected a number of checkpoints, or None or 0 to keep all")
        if hours is not None and not (isinstance(hours, int | float | np.integer | np.floating) and hours > 0):
            raise InvalidArgumentError(f"keep_every_n_hours is {hours!r}; expected hours above 0, or None")

    def decide(self, records: Sequence[Record], now: float, last_preserved: float, damaged: Collection[str] = ()) -> Decision:
        """Decides about a queue; nothing is touched.

        Args:
            records: the queue, oldest first, the newest one being the checkpoint just saved.
            now: seconds since 1970; times beyond it are taken for `now`, for a clock may have been set back.
            last_preserved: the last decision's; at the very first, when the program started.
            damaged: prefixes of those that are known not to be whole.
        """
        whole = [number for number, record in enumerate(records) if record.prefix not in damaged]
        excess = whole[-self.max_to_keep] if self.max_to_keep and len(whole) >= self.max_to_keep else 0
        last_preserved = min(last_preserved, now)
        delete, preserved = [], []
        for record in records[:excess]:
            due = last_preserved + self.keep_every_n_hours * 3600 if self.keep_every_n_hours is not None else float("inf")
            if min(record.timestamp, now) > due and record.prefix not in damaged:
                preserved.append(record)
                last_preserved = due
            else:
                delete.append(record)
        return Decision(tuple(records[excess:]), tuple(delete), tuple(preserved), last_preserved)


def delete_checkpoint(prefix: str, *, durable: bool = True) -> None:
    """Deletes the files of the one checkpoint that was saved under exactly this prefix, in an order that leaves no half of one.

    The index goes first: without it there is no checkpoint, and what a crash leaves behind goes with the next call. Then every
    `<prefix>.data-?????-of-?????` of the folder, found by parsing names, whatever its number of shards; then the `.meta`. Files that are gone
    already are no error. A link is removed, never followed; a folder never is removed. The caller holds the folder's lock.

    Args:
        prefix: folder and base name, taken literally.
        durable: have the index's end on the disk before any data goes.

    Raises:
        PermissionDeniedError, FileError: the operating system refuses; call again.
    """
    io = files.active()
    folder, base = os.path.split(prefix)
    folder = folder or os.curdir
    with suppress(CheckpointNotFoundError):
        io.remove(index_path(prefix))
        if durable:
            io.fsync_folder(folder)
    for name in io.names(folder):
        parsed = parse_data_name(name)
        if parsed is not None and parsed[0] == base and name == data_path(*parsed):
            with suppress(CheckpointNotFoundError):
                io.remove(os.path.join(folder, name))
    with suppress(CheckpointNotFoundError):
        io.remove(meta_path(prefix))
