"""Which of a Saver's checkpoints are kept, as TensorFlow's Saver decides it: one old one at most goes with each save."""

from __future__ import annotations

import time


class KeptCheckpoints:
    """The checkpoints of one Saver that retention will still decide about.

    Attributes:
        checkpoints: (path, seconds since 1970) of each, oldest first.

    Source: TensorFlow `saver.py` (`_RecordLastCheckpoint`, `_MaybeDeleteOldCheckpoints`).
    """

    def __init__(self) -> None:
        self.checkpoints: list[tuple[str, float]] = []
        self._leaving: list[tuple[str, float]] = []
        self._period_s = float("inf")
        self._next_kept = float("inf")

    def begin(self, keep_every_n_hours: float) -> None:
        """Says how often one is kept for good, counted from now on."""
        self._period_s = keep_every_n_hours * 3600
        self._next_kept = time.time() + self._period_s

    def add(self, path: str, max_to_keep: int) -> None:
        """Takes up a checkpoint just saved; with `max_to_keep` 0, none is ever taken up."""
        if not max_to_keep:
            return
        self.checkpoints = [entry for entry in self.checkpoints if entry[0] != path]
        self.checkpoints.append((path, time.time()))
        if len(self.checkpoints) > max_to_keep:
            self._leaving.append(self.checkpoints.pop(0))

    def take_old(self) -> str | None:
        """The one to be deleted now, if any."""
        if not self._leaving:
            return None
        path, saved_at = self._leaving.pop(0)
        if saved_at > self._next_kept:
            self._next_kept += self._period_s
            return None
        return path
