"""What a run gives for a tensor that the session is to keep: a handle, which can be fed in the tensor's place."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from gpersist.dtypes import DType
from gpersist.graph.resolve import apply, apply_op

if TYPE_CHECKING:
    from gpersist.graph.operation import Operation
    from gpersist.graph.session import BaseSession

_READERS: weakref.WeakKeyDictionary[Any, dict[tuple[str, DType], tuple[Any, Any]]] = weakref.WeakKeyDictionary()
_DELETERS: weakref.WeakKeyDictionary[Any, tuple[Any, Operation]] = weakref.WeakKeyDictionary()
"""The placeholders and nodes that graphs have for handles."""


class TensorHandle:
    """A tensor that a session keeps; it is forgotten with the last reference to this.

    Args:
        handle: its name: "node;number;device".
        dtype: of the tensor.
        session: that keeps it.
    """

    def __init__(self, handle: str | bytes, dtype: DType, session: BaseSession) -> None:
        self._handle = handle.decode() if isinstance(handle, bytes) else handle
        self._dtype = dtype
        self._session = session
        self._is_own = True

    def __del__(self) -> None:
        if self._is_own:
            self._session.kept_tensors.pop(self._handle.encode(), None)

    def __str__(self) -> str:
        return self._handle

    @property
    def handle(self) -> str:
        """Its name."""
        return self._handle

    @property
    def value(self) -> Any:
        """The tensor, as an array of the device where it is; None where it is forgotten."""
        return self._session.kept_tensors.get(self._handle.encode())

    def eval(self) -> Any:
        """The tensor as an array of the host.

        Raises:
            TypeError: it has been deleted, or given away.
        """
        self._check()
        holder, reader = self._reader()
        return self._session.run(reader, feed_dict={holder: self._handle})

    def delete(self) -> None:
        """Forgets the tensor.

        Raises:
            TypeError: it has been deleted, or given away.
        """
        self._check()
        self._is_own = False
        graph = self._session.graph
        if graph not in _DELETERS:
            _DELETERS[graph] = self._added("DeleteSessionTensor")
        holder, deleter = _DELETERS[graph]
        self._session.run(deleter, feed_dict={holder: self._handle})

    def get_raw_handle(self) -> str:
        """Its name; the tensor stays until somebody deletes it."""
        self._is_own = False
        return self._handle

    def _check(self) -> None:
        if not self._is_own:
            raise TypeError(f"Persistent tensor {self._handle} may have already been deleted.")

    def _reader(self) -> tuple[Any, Any]:
        parts = self._handle.split(";")
        known = _READERS.setdefault(self._session.graph, {})
        key = f"{parts[0]};{parts[-1]}", self._dtype
        if key not in known:
            holder, op = self._added("GetSessionTensor", dtype=self._dtype)
            known[key] = holder, op.outputs[0]
        return known[key]

    def _added(self, op_type: str, **attrs: Any) -> tuple[Any, Operation]:
        graph = self._session.graph
        with graph.as_default(), graph.device(device_of_handle(self._handle)):
            holder = apply("Placeholder", dtype="string", shape=None)
            return holder, apply_op(op_type, holder, **attrs)


def device_of_handle(handle: Any) -> str:
    """The device in a handle's name."""
    text = handle.decode() if isinstance(handle, bytes) else str(handle)
    return text.rpartition(";")[2]
