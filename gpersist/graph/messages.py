"""Messages that callers give: ours as they are, those of another pool (TensorFlow's own) as ours."""

from __future__ import annotations

from typing import Any, TypeVar

from google.protobuf.message import Message

from gpersist import protos

_M = TypeVar("_M", bound=Message)


def own(message_class: type[_M], message: Any, what: str) -> _M:
    """A caller's message as one of our classes.

    Args:
        message_class: of `gpersist.protos`.
        message: of that class, or of the class of the same name in another pool.
        what: the argument's name, for the error.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(message, message_class):
        return message
    wanted = message_class.DESCRIPTOR
    if getattr(getattr(message, "DESCRIPTOR", None), "full_name", None) != wanted.full_name:
        raise TypeError(f"{what} must be a graph_pb2.{wanted.name} proto, but got type {type(message)}.")
    return protos.parse(message_class, message.SerializeToString(), what)
