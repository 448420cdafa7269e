"""The folder that a `tf.train.Checkpoint` is saved into again and again: which checkpoints it has, and which are kept.

Source: TensorFlow `checkpoint_management.py` (`CheckpointManager`).
"""

from __future__ import annotations

import logging
import numbers
import os
import time
from collections.abc import Callable
from typing import Any

from gpersist import checkpoint
from gpersist.train import checkpoint_state
from gpersist.train.checkpoint_objects import Checkpoint, session_of
from gpersist.train.global_step import global_step

__all__ = ["CheckpointManager"]

_LOG = logging.getLogger("gpersist")


class CheckpointManager:
    """Saves a `Checkpoint` into a folder, and deletes old ones (`tf.train.CheckpointManager`).

    It goes on where another one, perhaps of another run, has left the folder. Values are those of the default session.

    Args:
        checkpoint: what is saved.
        directory: the folder; made with the first save.
        max_to_keep: how many of the newest checkpoints are kept; None keeps all.
        keep_checkpoint_every_n_hours: one is kept for good besides every so many hours.
        checkpoint_name: what checkpoints are called in the folder, before their numbers.
        step_counter: a variable that counts steps.
        checkpoint_interval: how many steps lie at least between two saves.
        init_fn: called by `restore_or_initialize` where there is no checkpoint.
        last_checkpoint_step: the step of the last save, where that is known.

    Raises:
        ValueError: `max_to_keep` is no positive number, or there is an interval of no counter.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        directory: Any,
        max_to_keep: int | None,
        keep_checkpoint_every_n_hours: float | None = None,
        checkpoint_name: str = "ckpt",
        step_counter: Any = None,
        checkpoint_interval: int | None = None,
        init_fn: Callable[[], Any] | None = None,
        last_checkpoint_step: int | None = None,
    ) -> None:
        if max_to_keep is not None and max_to_keep <= 0:
            raise ValueError(f"Expected a positive integer or `None` for `max_to_keep`, got {max_to_keep}.")
        if checkpoint_interval is not None and step_counter is None:
            raise ValueError("`step_counter` should be passed if `checkpoint_interval` is not None.")
        self._checkpoint = checkpoint
        self._directory: str = os.fspath(directory)
        self._prefix = os.path.join(self._directory, checkpoint_name)
        self._max_to_keep = max_to_keep
        self._keep_every_s = (keep_checkpoint_every_n_hours or 0) * 3600
        self._step_counter = step_counter
        self._interval = checkpoint_interval
        self._last_step = last_checkpoint_step
        self._init_fn = init_fn
        self._count: Any = None
        self._kept: dict[str, float] = {}
        self._latest: str | None = None
        self._preserved_at = time.time() - 1.0
        self._recover()

    def _recover(self) -> None:
        """Takes up what the folder's state file says."""
        state = checkpoint_state.get_checkpoint_state(self._directory)
        if state is None:
            return
        now = time.time()
        self._latest = state.model_checkpoint_path
        self._preserved_at = state.last_preserved_timestamp
        if now < self._preserved_at:
            _LOG.warning("time.time() returned a value %f seconds behind the last preserved checkpoint timestamp.", self._preserved_at - now)
            self._preserved_at = now
        paths = state.all_model_checkpoint_paths
        for path, saved_at in zip(paths, state.all_model_checkpoint_timestamps or [self._preserved_at] * len(paths), strict=False):
            if min(saved_at, now) > self._preserved_at:
                self._kept[path] = min(saved_at, now)

    @property
    def directory(self) -> str:
        """The folder."""
        return self._directory

    @property
    def checkpoint(self) -> Checkpoint:
        """What is saved."""
        return self._checkpoint

    @property
    def checkpoint_interval(self) -> int | None:
        """How many steps lie at least between two saves."""
        return self._interval

    @property
    def latest_checkpoint(self) -> str | None:
        """The prefix of the newest checkpoint; None if there is none."""
        return self._latest

    @property
    def checkpoints(self) -> list[str]:
        """The prefixes of the checkpoints that may yet be deleted, oldest first."""
        return list(self._kept)

    def save(self, checkpoint_number: Any = None, check_interval: bool = True, options: None = None) -> str | None:
        """Saves.

        Args:
            checkpoint_number: in its name, a number, a variable or a tensor; by default how many saves there have been.
            check_interval: whether nothing is saved before `checkpoint_interval` steps are over; nothing is ever saved twice at one step.
            options: for TensorFlow's sake.

        Returns:
            The prefix; None if nothing was saved.

        Raises:
            GPersistError: see `Checkpoint.write`.
        """
        session = session_of(None)
        step = global_step(session, self._step_counter) if self._interval is not None else 0
        if self._interval is not None and self._last_step is not None and step < self._last_step + (self._interval if check_interval else 1):
            return None
        is_new = self._checkpoint._save_counter is None
        counter = self._checkpoint.save_counter
        if is_new:
            session.run(counter.initializer)
        if self._count is None:
            self._count = counter.assign_add(1, read_value=False)
        session.run(self._count)
        number = counter if checkpoint_number is None else checkpoint_number
        if not isinstance(number, numbers.Integral):
            number = global_step(session, number)
        path = self._checkpoint.write(f"{self._prefix}-{int(number)}", session, options)
        self._enter(path)
        self._last_step = step
        return path

    def restore_or_initialize(self) -> str | None:
        """Restores the newest checkpoint, or calls `init_fn` where there is none; values are given by the statuses of a `restore` of one's own.

        Returns:
            The prefix of the checkpoint; None if there is none.
        """
        if self._latest is not None:
            self._checkpoint.restore(self._latest)
            if self._interval is not None:
                self._last_step = global_step(session_of(None), self._step_counter)
            return self._latest
        if self._init_fn is not None:
            self._init_fn()
            _LOG.info("Customized initialization is done through the passed `init_fn`.")
        return None

    def _enter(self, path: str) -> None:
        """Takes up a checkpoint that has been written: state file, and deletion of old ones."""
        self._kept.pop(path, None)
        self._kept[path] = time.time()
        self._latest = path
        self._write_state()
        while self._max_to_keep is not None and len(self._kept) > self._max_to_keep:
            old = next(iter(self._kept))
            saved_at = self._kept.pop(old)
            if self._keep_every_s and saved_at - self._keep_every_s >= self._preserved_at:
                self._preserved_at = saved_at
            else:
                checkpoint.delete_checkpoint(old, durable=False)
        self._write_state()

    def _write_state(self) -> None:
        checkpoint_state.write_state(
            self._directory,
            self._latest or "",
            list(self._kept),
            relative=True,
            timestamps=list(self._kept.values()),
            last_preserved_timestamp=self._preserved_at,
        )
