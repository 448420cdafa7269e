"""Locks between the runs of a session; `critical_sections` has the Python class."""

from __future__ import annotations

import threading
from typing import Any

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Context, Operation, SessionOpType, check_deadline
from gpersist.ops import shape_functions

__all__: list[str] = []

_WAIT_S = 0.05
"""How long a thread sleeps before it looks whether its run has taken too long."""


class Mutex:
    """A lock. A thread that has it gets it again: all steps of a run follow each other in one thread, which cannot wait for itself."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._owner: int | None = None
        self._count = 0

    def acquire(self, op: Operation) -> MutexHold:
        """Waits until no other thread has it."""
        thread = threading.get_ident()
        with self._changed:
            while not self._changed.wait_for(lambda: self._owner in (None, thread), _WAIT_S):
                check_deadline(op)
            self._owner = thread
            self._count += 1
        return MutexHold(self)

    def release(self) -> None:
        """Gives it back."""
        with self._changed:
            self._count -= 1
            if not self._count:
                self._owner = None
                self._changed.notify_all()


class MutexHold:
    """That a mutex is locked: until it is released, or nobody knows of it any more."""

    def __init__(self, mutex: Mutex) -> None:
        self._mutex: Mutex | None = mutex

    def release(self) -> None:
        """Unlocks it; again does nothing."""
        mutex, self._mutex = self._mutex, None
        if mutex is not None:
            mutex.release()

    def __del__(self) -> None:
        self.release()


class MutexV2(SessionOpType):
    """The lock of its name, made if it is not there."""

    outputs = "resource: resource"
    attrs = "container: string = '', shared_name: string = ''"
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context) -> Mutex:
        shared = ctx.op.attr("shared_name")
        key = ("mutex", ctx.op.attr("container"), shared) if shared else ("mutex", ctx.op)
        found: Mutex | None = ctx.session.resources.get(key)
        return ctx.session.resources.setdefault(key, Mutex()) if found is None else found


class MutexLock(SessionOpType):
    """Waits until it has the lock."""

    inputs = "mutex: resource"
    outputs = "mutex_lock: variant"
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, mutex: Any) -> MutexHold:
        if not isinstance(mutex, Mutex):
            raise InvalidArgumentError(f"Trying to access a handle's resource using the wrong type: node '{ctx.op.inputs[0].op.name}' makes no mutex")
        return mutex.acquire(ctx.op)


class ConsumeMutexLock(SessionOpType):
    """Gives the lock back."""

    inputs = "mutex_lock: variant"
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(shape_functions.none)

    @staticmethod
    def run(ctx: Context, hold: MutexHold) -> None:
        hold.release()
