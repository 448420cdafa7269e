"""On how many threads NumPy's OpenBLAS multiplies matrices: on one, where we share the products out ourselves.

OpenBLAS shares out a product of a fraction of a millisecond, too, and its threads wait for each other by spinning. Where the cores have anything else
to do, each product then takes the scheduler's time slices: a training step of many products takes ten times as long as on one thread.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext


class _OneThread:
    """Holds OpenBLAS to one thread while anybody is in it, by `with`; the number is the whole process's."""

    def __init__(self, get: Callable[[], int], limit: Callable[[int], None]) -> None:
        self._get, self._limit = get, limit
        self._lock = threading.Lock()
        self._inside = 0
        self._before = 1
        self.most = get()
        os.register_at_fork(after_in_child=self._renew_lock)  # a thread that stayed behind may have held it

    def _renew_lock(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = self._get()
                self._limit(1)
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limit(self._before)


@functools.cache
def _openblas() -> _OneThread | None:
    """OpenBLAS, if that is what NumPy is linked with."""
    extension = importlib.import_module("numpy._core._multiarray_umath")
    library = ctypes.CDLL(extension.__file__)  # its symbols are also those of what it is linked with
    for prefix, suffix in (("scipy_openblas", "64_"), ("scipy_openblas", ""), ("openblas", "64_"), ("openblas", "")):
        get = getattr(library, f"{prefix}_get_num_threads{suffix}", None)
        limit = getattr(library, f"{prefix}_set_num_threads{suffix}", None)
        if get is not None and limit is not None:
            return _OneThread(get, limit)
    return None


def one_thread() -> AbstractContextManager[None]:
    """Holds OpenBLAS to one thread, on all threads of the process, while anybody is in it; where it isn't there, it does nothing."""
    return _openblas() or nullcontext()


def most() -> int | None:
    """On how many threads OpenBLAS multiplies large matrices: as many as there are cores, or what the environment says; None where it isn't there."""
    openblas = _openblas()
    return None if openblas is None else openblas.most
