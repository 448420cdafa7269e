"""The process's heap, told to keep what was freed: a session frees and makes arrays of the same sizes in every run."""

from __future__ import annotations

import ctypes
import functools
import os

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_MMAP_THRESHOLD_BYTES = 32 << 20
"""The most that glibc takes."""
_KEPT_BYTES = 256 << 20


@functools.cache
def keep_freed_memory() -> None:
    """Lets the C library keep up to 256 MiB that was freed, instead of giving it back and faulting it in again, page by page, in the next run.

    For the whole process. Does nothing where the C library is not glibc, or where MALLOC_ variables of the environment set it up.
    """
    if any(name.startswith("MALLOC_") for name in os.environ):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
