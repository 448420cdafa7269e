"""What tests may ask of the emulated CUDA runtime, and change while it runs.

Only in a process started by the emulator's interpreter (build.py); is_emulated() is False in any other, and all else raises there.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import time
from collections.abc import Iterator

COUNTED = (
    "streams",
    "events",
    "workers",
    "operations",
    "device_allocations",
    "device_bytes",
    "pinned_allocations",
    "pinned_bytes",
    "registered",
)


def is_emulated() -> bool:
    """Whether this process has the emulated runtime."""
    return "CUDASIM_LIBRARY" in os.environ


def count(what: str) -> int:
    """How many of one of COUNTED there are now.

    streams and events: made and not destroyed, a thread's default stream among them while the thread lives. workers: threads of
    streams; each leaves some 20 ms after its last operation. operations: issued and not finished. *_bytes: as asked for.

    Raises:
        KeyError: there is no such count.
    """
    number: int = _library().cudasim_count(what.encode())
    if number < 0:
        raise KeyError(what)
    return number


def counts() -> dict[str, int]:
    """All the counts."""
    return {what: count(what) for what in COUNTED}


def settled_counts(timeout_s: float = 60.0) -> dict[str, int]:
    """All the counts, once no operation runs and every worker has left, or after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while (count("operations") or count("workers")) and time.monotonic() < deadline:
        time.sleep(0.005)
    return counts()


@contextlib.contextmanager
def faults(specification: str) -> Iterator[None]:
    """Orders faults for the time of the context, and gives lost devices back after it.

    Args:
        specification: comma-separated `name:nth:code`, `async/name:nth:code`; see README.md. Counted from here.

    Raises:
        ValueError: malformed.
    """
    if _library().cudasim_fail(specification.encode()):
        raise ValueError(f"not a list of name:nth:code: {specification!r}")
    try:
        yield
    finally:
        _library().cudasim_fail(b"")
        _library().cudasim_recover()


@contextlib.contextmanager
def setting(name: str, value: int) -> Iterator[None]:
    """Changes a setting for the time of the context: LAZY_MS, DELAY_US, SEED, POISON, PEER or LOG.

    Raises:
        KeyError: no such setting can be changed while running.
    """
    before = ctypes.c_long()
    if _library().cudasim_setting(name.encode(), ctypes.byref(before)):
        raise KeyError(name)
    _library().cudasim_configure(name.encode(), value)
    try:
        yield
    finally:
        _library().cudasim_configure(name.encode(), before)


def lazy(milliseconds: int = 20_000) -> contextlib.AbstractContextManager[None]:
    """Operations issued in this context run only once somebody waits for them, or after so long."""
    return setting("LAZY_MS", milliseconds)


@functools.cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(os.environ["CUDASIM_LIBRARY"])
    library.cudasim_count.argtypes = [ctypes.c_char_p]
    library.cudasim_count.restype = ctypes.c_long
    library.cudasim_fail.argtypes = [ctypes.c_char_p]
    library.cudasim_configure.argtypes = [ctypes.c_char_p, ctypes.c_long]
    library.cudasim_setting.argtypes = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_long)]
    return library
