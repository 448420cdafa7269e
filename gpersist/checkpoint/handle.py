"""What `save_async` returns: a `concurrent.futures.Future` with one more moment to wait for."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import logging
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gpersist.errors import CancelledError, DeadlineExceededError, FailedPreconditionError, GPersistError

if TYPE_CHECKING:
    from gpersist.checkpoint.save import SaveResult

_log = logging.getLogger("gpersist")


class SaveHandle(concurrent.futures.Future["SaveResult"]):
    """A save under way. Safe for threads; `asyncio.wrap_future` takes it.

    Two moments may be waited for: `wait_staged`, when the arrays' values are safe and the caller may overwrite them from the host in any way, and
    `result`, when the checkpoint is on the disk. After `save_async`, arrays may be changed as soon as it has returned, on the streams that were
    current.

    Attributes:
        prefix: of the checkpoint.
        process: the id of the process that saves; in those forked from it meanwhile, no result ever comes.
    """

    def __init__(self, prefix: str) -> None:
        """A handle of a save that has not begun."""
        super().__init__()
        self.prefix = prefix
        self.process = os.getpid()
        self.stop = threading.Event()
        self.staged = threading.Event()
        self.set_running_or_notify_cancel()
        self.add_done_callback(lambda _: self.staged.set())

    def wait_staged(self, timeout_s: float | None = None) -> None:
        """Waits until no array of the caller is read any more.

        Raises:
            DeadlineExceededError: not within `timeout_s`.
            GPersistError: the save failed, or was cancelled.
        """
        self._check_process()
        if not self.staged.wait(timeout_s):
            raise DeadlineExceededError(f"saving {self.prefix!r} was not staged within {timeout_s} s")
        if self.done():
            self.result()

    def result(self, timeout: float | None = None) -> SaveResult:
        """Waits until the checkpoint is written (and, if durable, on the disk).

        Args:
            timeout: seconds, or None for ever.

        Raises:
            DeadlineExceededError: not within `timeout`; the save goes on.
            GPersistError: the save failed, or was cancelled.
        """
        self._wait(timeout)
        return super().result()

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Waits like `result`, and returns what that would raise; None if the checkpoint is written.

        Raises:
            DeadlineExceededError: not within `timeout`; the save goes on.
        """
        self._wait(timeout)
        return super().exception()

    def _check_process(self) -> None:
        if not self.done() and os.getpid() != self.process:
            raise FailedPreconditionError(
                f"saving {self.prefix!r} is under way in process {self.process}, of which this one was forked; wait for it there"
            )

    def _wait(self, timeout: float | None) -> None:
        self._check_process()
        if timeout is not None and not concurrent.futures.wait([self], timeout).done:
            raise DeadlineExceededError(f"saving {self.prefix!r} was not done within {timeout} s; it goes on")

    def cancel(self) -> bool:
        """Asks the save to stop. What it wrote is removed, unless it has been committed already.

        Returns:
            False if the save is done. True says only that it was asked: `result` raises CancelledError if it stopped.
        """
        if self.done():
            return False
        self.stop.set()
        return True

    def cancelled(self) -> bool:
        """Whether the save was stopped by `cancel`."""
        return self.done() and isinstance(self.exception(), CancelledError)

    def __repr__(self) -> str:
        state: Any = "done" if self.done() else "staged" if self.staged.is_set() else "staging"
        if self.done() and self.exception():
            state = repr(self.exception())
        return f"<SaveHandle of {self.prefix!r}: {state}>"


class FollowedSave(SaveHandle):
    """A save whose result comes only when what follows the commit is done as well: state file and retention.

    Attributes:
        raised: whether `result` has raised the failure, so that nobody else need.
    """

    def __init__(self, inner: SaveHandle, waited_s: float = 0.0) -> None:
        """A handle of a save that has waited so many seconds for its turn."""
        super().__init__(inner.prefix)
        self.raised = False
        self._waited_s = waited_s
        self.stop, self.staged = inner.stop, inner.staged
        self._inner = inner

    def wait_staged(self, timeout_s: float | None = None) -> None:
        """See `SaveHandle.wait_staged`."""
        self._inner.wait_staged(timeout_s)

    def result(self, timeout: float | None = None) -> SaveResult:
        """Waits until all is done; see `SaveHandle.result`."""
        try:
            return super().result(timeout)
        except BaseException as error:
            self.raised = self.done() and error is self.exception()
            raise

    def finish(self, what: Callable[[], None]) -> None:
        """Has the inner save's thread do what comes after the commit, and then end this handle. Called once."""

        def done(inner: concurrent.futures.Future[SaveResult]) -> None:
            try:
                result = inner.result()
                try:
                    what()
                except GPersistError as error:
                    _log.error("%r is saved, but what comes after failed: %s", self.prefix, error)
                    raise
            except BaseException as error:
                self.set_exception(error)
            else:
                waited_s = self._waited_s
                self.set_result(dataclasses.replace(result, duration_s=result.duration_s + waited_s, blocked_s=result.blocked_s + waited_s))

        self._inner.add_done_callback(done)
