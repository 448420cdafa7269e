"""Files: the one door to the operating system's file calls.

`active()` is what everything uses; `substituted(files)` puts another in its place for a test's duration.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gpersist.files.posix import IOV_MAX, Buffer, PosixFiles, check_local

__all__ = ["IOV_MAX", "Buffer", "PosixFiles", "active", "check_local", "create_first", "replace", "replace_through", "substituted"]

_active = PosixFiles()


def active() -> PosixFiles:
    """The file calls in force, for the whole process."""
    return _active


@contextmanager
def substituted(files: PosixFiles) -> Iterator[None]:
    """Puts `files` in the place of the active ones, for every thread of the process."""
    global _active
    before, _active = _active, files
    try:
        yield
    finally:
        _active = before


from gpersist.files.whole import create_first, replace, replace_through  # noqa: E402  # it takes what is active
