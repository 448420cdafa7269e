"""File layers under a test's hand: every call passes through `around`, which may fail it, die at it, or write it down."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from gpersist.errors import from_os_error
from gpersist.files import PosixFiles

CALLS = (
    "open_read", "create", "close", "size", "preadv", "pwritev", "allocate", "truncate", "start_writeback", "fsync", "fsync_folder",
    "rename", "remove", "make_folders", "names", "stat", "locked", "try_lock",
)  # fmt: skip
"""The calls of `PosixFiles` that reach the operating system; the others are made of them."""

NEVER_FAIL = ("start_writeback", "try_lock")
"""They tell nobody that they failed: there is no error to inject."""

SYNCS = ("fsync", "fsync_folder", "start_writeback")
"""What puts things on the disk, and changes nothing else."""


class InterceptedFiles(PosixFiles):
    """Hands each call to `around`. Nothing waits for the disk: what an fsync is worth is a matter of the model (`journal`), not of this machine."""

    def around(self, call: str, do: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        """Does a call; `arguments` are its own."""
        return do()


def _intercepted(call: str) -> Callable[..., Any]:
    original = getattr(PosixFiles, call)

    def method(self: InterceptedFiles, *arguments: Any, **keywords: Any) -> Any:
        if call in SYNCS:
            return self.around(call, lambda: None, arguments)
        return self.around(call, lambda: original(self, *arguments, **keywords), arguments)

    return method


for _call in CALLS:
    setattr(InterceptedFiles, _call, _intercepted(_call))


class FailingFiles(InterceptedFiles):
    """Fails at the Nth call, or from the Nth on.

    Attributes:
        calls: made so far, the failed ones among them.
        failed: the first one that failed, if any has.
    """

    def __init__(self, at: int, number: int, *, only: tuple[str, ...] = CALLS, for_good: bool = False, after: bool = False) -> None:
        """Fails at call `at` (from 1) with errno `number`.

        Args:
            at: which call; calls that are not in `only` do not count.
            number: the errno.
            only: calls that may fail.
            for_good: all later ones fail, too.
            after: the call takes effect, and then reports failure, as a file server does whose answer was lost.
        """
        self.at, self.number, self.only, self.for_good, self.after = at, number, only, for_good, after
        self.count = 0
        self.failed: str | None = None

    def around(self, call: str, do: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        if call in NEVER_FAIL or call not in self.only:
            return do()
        self.count += 1
        if self.count != self.at and not (self.for_good and self.count > self.at):
            return do()
        self.failed = self.failed or call
        if call == "close" or self.after:
            do()  # Linux closes a descriptor, whatever close(2) says
        raise from_os_error(OSError(self.number, os.strerror(self.number)), f"{call} {arguments[0]!r}")


class DyingFiles(InterceptedFiles):
    """Kills the process at the Nth call of some, before or after it takes effect."""

    def __init__(self, at: int, *, only: tuple[str, ...], after: bool) -> None:
        self.at, self.only, self.after, self.count = at, only, after, 0

    def around(self, call: str, do: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        self.count += call in self.only
        if self.count != self.at or call not in self.only:
            return do()
        if self.after:
            do()
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("still alive")


CHANGES = ("create", "pwritev", "allocate", "truncate", "rename", "remove", "make_folders", "close")
"""What changes files, names or locks: the others leave what they found, whoever dies before or after them."""

WRITES = ("create", "pwritev", "allocate", "truncate", "fsync", "fsync_folder", "rename", "make_folders")
"""What a full disk may refuse."""
