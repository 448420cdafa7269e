"""CheckpointManager: the checkpoints of one training run in one folder."""

from __future__ import annotations

import concurrent.futures
import logging
import operator
import os
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Literal, Self

from gpersist import files
from gpersist.bundle import data_path, index_path, read_num_shards
from gpersist.checkpoint.handle import FollowedSave, SaveHandle
from gpersist.checkpoint.ledger import Ledger
from gpersist.checkpoint.restore import load
from gpersist.checkpoint.retention import RetentionPolicy
from gpersist.checkpoint.save import SaveOptions, save, save_async
from gpersist.checkpoint.verify import DAMAGE
from gpersist.checkpoint.verify import verify as verify_checkpoint
from gpersist.errors import (
    CancelledError,
    CheckpointNotFoundError,
    DataLossError,
    FailedPreconditionError,
    GPersistError,
    InvalidArgumentError,
)

_log = logging.getLogger("gpersist")

_MAX_STEP = 2**63 - 1

_CLOCK_TICK_NS = 20_000_000
"""Twice the coarsest tick by which kernels tell the time of a file's change."""


class CheckpointManager:
    """Saves a run's checkpoints as `<directory>/<prefix>-<step>`, keeps the newest, finds the newest whole one again.

    One save at a time: a call that saves waits for the one before, and begins whatever became of that. What a save met in the background is logged at
    once, and raised by its handle's `result`, or else by the next `save_async`, which has begun then, by `wait` or by `close`; a `save` that stands
    makes up for it. Safe for threads. Several managers, in any number of processes, may save to one folder; those with one prefix share their
    checkpoints. Only files of that prefix and a step are ever deleted; where the disk has no room for a save, what exceeds `max_to_keep` goes before
    it, if as many that are kept prove whole. What `restore` or `latest` found damaged counts for nothing in `max_to_keep`, so that as many whole ones
    are kept. As a context manager it waits, at the end, for the save under way.

    Source: TensorFlow `checkpoint_management.py` (`CheckpointManager`), `saver.py` (which ones are kept).
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        max_to_keep: int | None = 5,
        keep_every_n_hours: float | None = None,
        *,
        prefix: str = "ckpt",
        durable: bool = True,
        **options: Any,
    ) -> None:
        """A manager of what is in the folder, and of what will be; touches no file.

        Args:
            directory: the folder, made by the first save.
            max_to_keep: keep so many of the newest, those found damaged not counted, and one more while it is written; None or 0 keeps all.
            keep_every_n_hours: keep one for good every so many hours besides.
            prefix: first part of the checkpoints' base names.
            durable: wait for the disk with each save, state file and deletion.
            **options: for each save; see `SaveOptions`.

        Raises:
            InvalidArgumentError: a directory that is no path, a prefix that is no base name, or numbers that are none to keep by.
            TypeError: there is no such option.
        """
        try:
            self.directory = os.fsdecode(directory) or os.curdir
        except TypeError:
            raise InvalidArgumentError(f"directory is {directory!r}; expected a path") from None
        self._ledger = Ledger(self.directory, prefix, RetentionPolicy(max_to_keep, keep_every_n_hours), durable=durable)
        self._max_to_keep = max_to_keep
        self._options = {"durable": durable, "make_room": self._make_room, **options}
        SaveOptions(**self._options)  # a misspelt one is told here, and not after hours of training
        self._turn = threading.Lock()
        self._pending: FollowedSave | None = None
        self._untold: BaseException | None = None  # what a save met in the background, until somebody is told
        self._closed = False
        self._whole: dict[str, object] = {}  # what this process wrote or verified, by prefix: the identity of its files
        self._damaged: set[str] = set()  # what this process found damaged, and has not saved again since

    def save(self, step: int, arrays: Any, **options: Any) -> str:
        """Saves and waits until the checkpoint, the state file and retention are done.

        Args:
            step: of the training, 0 or above; one that is there already is replaced in one step.
            arrays: see `gpersist.save`.
            **options: for this save; see `SaveOptions`.

        Returns:
            The checkpoint's prefix.

        Raises:
            InvalidArgumentError: something given makes no sense.
            FailedPreconditionError: the manager is closed.
            GPersistError: as `gpersist.save` raises.
        """
        prefix = self._ledger.prefix(_check_step(step))
        with self._turn:
            self._await_turn()
            try:
                save(prefix, arrays, **{**self._options, **options})
                self._finish(prefix)
            except GPersistError as error:
                if before := self._tell():
                    error.add_note(f"the save before has failed as well: {before}")
                raise
            self._tell()  # has been logged, and made up for
        return prefix

    def save_async(self, step: int, arrays: Any, **options: Any) -> SaveHandle:
        """Saves in the background, with the values of this moment; waits for the save before, if that is not done (`handle.done()` tells).

        Args:
            step: see `save`.
            arrays: see `gpersist.save_async`.
            **options: for this save; see `SaveOptions`.

        Returns:
            A handle whose `result` comes when the checkpoint, the state file and retention are done.

        Raises:
            InvalidArgumentError, FailedPreconditionError: see `save`.
            GPersistError: what the save before met. This one has begun all the same; `wait` and `close` wait for it.
        """
        called = time.perf_counter()
        prefix = self._ledger.prefix(_check_step(step))
        with self._turn:
            self._await_turn()
            waited_s = time.perf_counter() - called
            self._pending = handle = FollowedSave(save_async(prefix, arrays, **{**self._options, **options}), waited_s)
            handle.finish(lambda: self._finish(prefix))
            if before := self._tell():
                before.add_note(f"this is what the save before met; that of {prefix!r} has begun all the same")
                raise before
            return handle

    def restore(self, step: int | None = None, **options: Any) -> Any:
        """Loads a checkpoint; waits for a save under way, whose failure the next save, `wait` or `close` still raises.

        Args:
            step: this one and no other; None: the newest whole one, with a warning (logger "gpersist") for each that was passed over and why.
            **options: as `gpersist.load` takes them: `names`, `placement`, `into`, `like` and so on. With `into`, arrays hold values of a damaged
                checkpoint only if there is none that is whole.

        Returns:
            What `gpersist.load` returns.

        Raises:
            CheckpointNotFoundError: there is no such checkpoint, or none at all.
            DataLossError: it is damaged, or all of them are.
            GPersistError: as `gpersist.load` raises.
        """
        with self._turn:
            if pending := self._under_way():
                concurrent.futures.wait([pending])
        if step is not None:
            prefix = self._ledger.prefix(_check_step(step))
            try:
                return load(prefix, **options)
            except DAMAGE:
                self._damaged.add(prefix)
                raise
        damage = []
        for prefix in self._candidates():
            try:
                return load(prefix, **options)
            except DAMAGE as error:
                damage.append(self._pass_over(prefix, error))
        if damage:
            raise DataLossError(
                "\n".join(
                    [
                        f"none of the {len(damage)} checkpoints in {self.directory!r} is whole:",
                        *damage,
                        "copy one from elsewhere; or, to begin anew, move them away, or take another directory or prefix",
                    ]
                )
            )
        raise CheckpointNotFoundError(f"no checkpoint {self._ledger.prefix('<step>')!r} stands; save one first, or look at directory and prefix")

    def latest(self, verify: Literal["contents", "structure"] = "contents") -> str | None:
        """The prefix of the newest whole checkpoint; None if there is none. Waits for nothing.

        Logs a warning (logger "gpersist") for each newer one, with what is wrong with it. To resume, ask `all_steps` whether there are any, and call
        `restore`: it checks what it reads, and raises where none is whole.

        Args:
            verify: "contents" reads every byte, but for checkpoints that this manager has written or verified; "structure" looks at the index and
                the sizes of the data files.

        Raises:
            InvalidArgumentError: `verify` is neither.
        """
        if verify not in ("contents", "structure"):
            raise InvalidArgumentError(f"verify is {verify!r}; expected 'contents' or 'structure'")
        for prefix in self._candidates():
            try:
                self._verify(prefix, contents=verify == "contents")
                return prefix
            except DAMAGE as error:
                self._pass_over(prefix, error)
        return None

    def all_steps(self) -> list[int]:
        """The steps of all checkpoints of this prefix in the folder, in ascending order; not verified."""
        return sorted(self._ledger.steps())

    def wait(self) -> None:
        """Waits for the save under way.

        Raises:
            GPersistError: what it met, or one before it of which nobody has been told.
        """
        with self._turn:
            self._end()

    def close(self) -> None:
        """Waits for the save under way; nothing can be saved after. Closing again does nothing.

        Raises:
            GPersistError: see `wait`.
        """
        with self._turn:
            self._closed = True
            self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None) -> None:
        try:
            self.close()
        except GPersistError as error:
            if raised is None:
                raise
            _log.error("the save under way failed as well: %s", error)

    def __repr__(self) -> str:
        return f"<CheckpointManager of {self._ledger.prefix('<step>')!r}>"

    def _await_turn(self) -> None:
        if self._closed:
            raise FailedPreconditionError(f"{self!r} is closed; make a new one to save")
        self._drain()

    def _under_way(self) -> FollowedSave | None:
        """The save that is to be waited for; not one of a process that this one was forked from, which never ends here."""
        if self._pending and self._pending.process != os.getpid():
            self._pending = None
        return self._pending

    def _drain(self) -> None:
        """Waits for the save under way, and keeps what it met for who is to be told."""
        handle = self._under_way()
        if handle is None:
            return
        error = handle.exception()
        self._pending = None
        if error is not None and not handle.raised and not isinstance(error, CancelledError):
            self._untold = error

    def _tell(self) -> BaseException | None:
        error, self._untold = self._untold, None
        return error

    def _end(self) -> None:
        self._drain()
        if error := self._tell():
            raise error

    def _make_room(self) -> bool:
        """Retention before the save instead of after it; what is kept is read first, for the new one may yet fail."""
        if not self._max_to_keep or len(self._ledger.steps()) <= self._max_to_keep:
            return False
        whole = 0
        for prefix in self._candidates():
            try:
                self._verify(prefix, contents=True)
                whole += 1
            except DAMAGE as error:
                self._pass_over(prefix, error)
            if whole == self._max_to_keep:
                _log.warning("the disk is full; what is kept in %r beyond max_to_keep=%d goes before the save", self.directory, self._max_to_keep)
                return self._ledger.trim(frozenset(self._damaged))
        return False

    def _finish(self, prefix: str) -> None:
        """What comes after the commit."""
        self._damaged.discard(prefix)
        self._ledger.enter(prefix, frozenset(self._damaged))
        if identity := _identity(prefix):
            self._whole[prefix] = identity

    def _pass_over(self, prefix: str, error: Exception) -> str:
        self._damaged.add(prefix)
        text = f"{prefix!r} is passed over: {error}"
        _log.warning("%s", text)
        return text

    def _candidates(self) -> Iterator[str]:
        """The checkpoints, newest first. Those that come while others are tried, and go, follow: another process may save faster than we read."""
        tried: set[str] = set()
        while untried := [prefix for prefix in self._ledger.newest_first() if prefix not in tried]:
            tried.update(untried)
            yield from untried

    def _verify(self, prefix: str, contents: bool) -> None:
        identity = _identity(prefix)
        if identity is not None and self._whole.get(prefix) == identity:
            contents = False
        verify_checkpoint(prefix, contents=contents)
        if contents and identity is not None:
            self._whole[prefix] = identity


def _check_step(step: Any) -> int:
    try:
        number = operator.index(step)
    except TypeError:
        raise InvalidArgumentError(f"step {step!r} is a {type(step).__name__}; expected an int") from None
    if isinstance(step, bool) or not 0 <= number <= _MAX_STEP:
        raise InvalidArgumentError(f"step {step!r}: expected an int from 0 to 2**63 - 1")
    return number


def _identity(prefix: str) -> tuple[tuple[int, ...] | None, ...] | None:
    """What changes when somebody writes to a checkpoint's index or data files; None if nobody can tell."""
    try:
        num_shards = read_num_shards(prefix)
    except GPersistError:
        return None
    paths = [index_path(prefix), *(data_path(prefix, shard, num_shards) for shard in range(num_shards))]
    stats = [files.active().stat(path) for path in paths]
    if any(found and time.time_ns() - found.st_mtime_ns < _CLOCK_TICK_NS for found in stats):
        return None  # a change that comes now could have this very time, as in git's index
    return tuple(found and (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns) for found in stats)
