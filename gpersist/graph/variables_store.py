"""The variables of a session: a buffer for each, in the memory of the device that its node was placed on.

Copy-on-write. What has read a buffer's array, or holds it for a save, keeps that array: while anybody does, an assignment goes to a new one, and only
an array that nobody else refers to is written in place. A save in flight therefore sees the values of its moment, and stalls and copies nothing.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from typing import Any

import numpy as np

from gpersist.devices import Array, Device
from gpersist.dtypes import DType
from gpersist.errors import FailedPreconditionError, NotFoundError

DEFAULT_CONTAINER = "localhost"

_OWN_REFERENCES = 2
"""References to an array that nobody else has: the buffer's, and that of the call that counts them."""


class Buffer:
    """A variable's value in a session, or the lack of one. Safe for threads; made by `VariablesStore`.

    Attributes:
        name: the variable's, within its container.
        dtype: its element type, no reference.
        device: where its array lives.
    """

    __slots__ = ("_array", "_lock", "device", "dtype", "name")

    def __init__(self, name: str, dtype: DType, device: Device) -> None:
        self.name = name
        self.dtype = dtype
        self.device = device
        self._array: Array | None = None
        self._lock = threading.RLock()

    @property
    def is_initialized(self) -> bool:
        """Whether it has a value."""
        return self._array is not None

    def read(self) -> Array:
        """Its array. Not to be written to; it keeps the value of now, whatever is assigned later.

        Raises:
            FailedPreconditionError: it has no value.
        """
        array = self._array
        if array is None:
            raise FailedPreconditionError(f"Attempting to use uninitialized value {self.name}")
        return array

    def assign(self, value: Any) -> None:
        """Copies a value: into its array, if that is of the same shape and nobody else refers to it, else into a new one.

        Args:
            value: an array of its device, or a scalar, a text among them.
        """
        shape = () if value.__class__ is bytes else value.shape
        with self._lock:
            if self._array is None or self._array.shape != shape or not self._is_exclusive():
                self._array = self.device.empty(shape, self._numpy())
            self._array[...] = value

    def adopt(self, array: Array) -> None:
        """Takes an array as its own, without a copy. REQUIRES: it is of the buffer's device and dtype, and nobody else writes to it."""
        with self._lock:
            self._array = array

    def writable(self) -> Array:
        """Its array, to be written in place: a copy first, if anybody else refers to it. Hold `lock` while writing.

        Raises:
            FailedPreconditionError: it has no value.
        """
        with self._lock:
            if not self._is_exclusive():
                value = self.read()
                copy = self.device.empty(value.shape, value.dtype)
                copy[...] = value
                self._array = copy
            return self._array

    @property
    def lock(self) -> threading.RLock:
        """Held while the value is changed in several steps."""
        return self._lock

    def clear(self) -> None:
        """Drops the value."""
        with self._lock:
            self._array = None

    def _is_exclusive(self) -> bool:
        return sys.getrefcount(self._array) <= _OWN_REFERENCES

    def _numpy(self) -> np.dtype[Any]:
        assert self.dtype.numpy is not None  # no variable of handles is ever made
        return self.dtype.numpy

    def __repr__(self) -> str:
        return f"<Buffer {self.name!r} {self.dtype.name} {self.device.name}{'' if self.is_initialized else ' uninitialized'}>"


class Held:
    """Values of one moment, kept until they are released; a context manager.

    Attributes:
        arrays: by name. Not to be written to.
    """

    def __init__(self, arrays: dict[str, Array]) -> None:
        self.arrays = arrays

    def release(self) -> None:
        """Lets go of the arrays, so that assignments may write in place again."""
        self.arrays = {}

    def __enter__(self) -> Held:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class VariablesStore:
    """The buffers of a session, by container and name. Safe for threads."""

    def __init__(self) -> None:
        self._buffers: dict[tuple[str, str], Buffer] = {}
        self._lock = threading.Lock()

    def buffer(self, name: str, dtype: DType, device: Device, container: str = "") -> Buffer:
        """The buffer of a variable, made if it is not there."""
        key = (container or DEFAULT_CONTAINER, name)
        with self._lock:
            found = self._buffers.get(key)
            if found is None:
                found = self._buffers[key] = Buffer(name, dtype.base_dtype, device)
            return found

    def find(self, name: str, container: str = "") -> Buffer | None:
        """The buffer of a variable, or None."""
        return self._buffers.get((container or DEFAULT_CONTAINER, name))

    def names(self, container: str = "") -> list[str]:
        """The names of all variables of a container."""
        with self._lock:
            return [name for owner, name in self._buffers if owner == (container or DEFAULT_CONTAINER)]

    def hold(self, names: Iterable[str], container: str = "") -> Held:
        """The values of now of some variables, which no assignment changes any more until they are released. Copies nothing.

        Raises:
            NotFoundError: there is no such variable.
            FailedPreconditionError: one has no value.
        """
        arrays: dict[str, Array] = {}
        for name in names:
            found = self.find(name, container)
            if found is None:
                raise NotFoundError(f"no variable {name!r} in this session; it has {len(self._buffers)}")
            arrays[name] = found.read()
        return Held(arrays)

    def clear(self, containers: Iterable[str] | None = None) -> None:
        """Drops the values of the variables of some containers, or of all."""
        wanted = None if containers is None else {container or DEFAULT_CONTAINER for container in containers}
        with self._lock:
            for (container, _), buffer in self._buffers.items():
                if wanted is None or container in wanted:
                    buffer.clear()
