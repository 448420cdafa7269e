"""The default graph and the default session: what a program means that names neither. One stack of each for every thread.

(`tf.get_default_graph`, `tf.reset_default_graph`, `tf.get_default_session`.)
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from gpersist.graph.graph import Graph
    from gpersist.graph.session import BaseSession

_T = TypeVar("_T")


class DefaultStack(threading.local, Generic[_T]):
    """The defaults of this thread, innermost last."""

    def __init__(self, what: str) -> None:
        self._what = what
        self.entries: list[_T] = []

    @contextmanager
    def pushed(self, entry: _T) -> Iterator[_T]:
        """Makes an entry the default for the duration of a `with`.

        Raises:
            AssertionError: what was pushed within has not been taken off.
        """
        self.entries.append(entry)
        try:
            yield entry
        finally:
            self.remove(entry)

    def remove(self, entry: _T) -> None:
        """Takes the innermost entry off."""
        if self.entries[-1:] != [entry]:
            raise AssertionError(f"Nesting violated for default stack of {self._what} objects")
        self.entries.pop()


GRAPHS: DefaultStack[Graph] = DefaultStack("Graph")
SESSIONS: DefaultStack[BaseSession] = DefaultStack("Session")


class _OutermostGraph(threading.local):
    """The default graph outside of all `with`, of this thread: another thread has its own, as in TensorFlow."""

    graph: Graph | None = None


_OUTERMOST = _OutermostGraph()


def get_default_graph() -> Graph:
    """This thread's default graph: that of the innermost `with graph.as_default()`, or one that the thread has to itself."""
    if GRAPHS.entries:
        return GRAPHS.entries[-1]
    found = _OUTERMOST.graph
    if found is None:
        from gpersist.graph.graph import Graph

        found = _OUTERMOST.graph = Graph()
    return found


def reset_default_graph() -> None:
    """Puts a new, empty graph in the place of this thread's default one.

    Raises:
        AssertionError: this thread is within a `with graph.as_default()`.
    """
    if GRAPHS.entries:
        raise AssertionError(
            "Do not use tf.reset_default_graph() to clear nested graphs. If you need a cleared graph, exit the nesting and create a new graph."
        )
    _OUTERMOST.graph = None


def get_default_session() -> BaseSession | None:
    """This thread's default session, or None."""
    return SESSIONS.entries[-1] if SESSIONS.entries else None
