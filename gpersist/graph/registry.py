"""The operations that are known, by name. Defining a subclass of `OpType` enters it here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpersist.errors import InternalError, NotFoundError

if TYPE_CHECKING:
    from gpersist.graph.op_type import OpType

_OPS: dict[str, type[OpType]] = {}


def register(op_type: type[OpType]) -> None:
    """Enters an operation under its class's name.

    Raises:
        InternalError: the name is taken.
    """
    name = op_type.__name__
    if name in _OPS:
        raise InternalError(f"operation {name!r} is defined twice: in {_OPS[name].__module__} and in {op_type.__module__}")
    _OPS[name] = op_type


def find(name: str) -> type[OpType] | None:
    """The operation of a name, or None."""
    return _OPS.get(name)


def get(name: str) -> type[OpType]:
    """The operation of a name.

    Raises:
        NotFoundError: there is none.
    """
    found = _OPS.get(name)
    if found is None:
        raise NotFoundError(f"Op type not registered {name!r}; gpersist has no such operation: nodes of it can be imported and exported, but not run")
    return found


def names() -> list[str]:
    """All names, sorted."""
    return sorted(_OPS)
