"""The part of `keras.backend` that programs use which freeze a model: its session."""

from __future__ import annotations

from gpersist.errors import UnimplementedError
from gpersist.graph import BaseSession, Session, get_default_graph, get_default_session, reset_default_graph

__all__ = ["clear_session", "get_session", "learning_phase", "set_learning_phase", "set_session"]

_session: BaseSession | None = None


def get_session() -> BaseSession:
    """The default session; where there is none, one of the default graph, which is kept (`keras.backend.get_session`)."""
    global _session
    if (found := get_default_session()) is not None:
        return found
    if _session is None or _session.graph is not get_default_graph():
        if _session is not None:
            _session.close()
        _session = Session()
    return _session


def set_session(session: BaseSession) -> None:
    """Sets the session that `get_session` gives (`keras.backend.set_session`)."""
    global _session
    _session = session


def clear_session() -> None:
    """Begins anew: an empty default graph, and no session (`keras.backend.clear_session`)."""
    global _session
    if _session is not None:
        _session.close()
    _session = None
    reset_default_graph()


def learning_phase() -> int:
    """0: models are built for prediction (`keras.backend.learning_phase`)."""
    return 0


def set_learning_phase(value: int) -> None:
    """Takes 0 only, which it is anyway (`keras.backend.set_learning_phase`).

    Raises:
        UnimplementedError: for training.
    """
    if value not in (0, False):
        raise UnimplementedError(f"set_learning_phase({value!r}): Keras models are built for prediction only, which is 0")
