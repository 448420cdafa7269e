"""The operations that are known, by name. Defining a subclass of `OpType` enters it here; the module that has it is imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from gpersist.errors import InternalError, NotFoundError

if TYPE_CHECKING:
    from gpersist.graph.op_type import OpType

_OPS: dict[str, type[OpType]] = {}

_MODULES: dict[str, list[str]] = {}
"""Where operations are that may not have been imported yet: the modules of the class, and of its gradient."""


def register(op_type: type[OpType]) -> None:
    """Enters an operation under its class's name.

    Raises:
        InternalError: the name is taken.
    """
    name = op_type.__name__
    if name in _OPS:
        raise InternalError(f"operation {name!r} is defined twice: in {_OPS[name].__module__} and in {op_type.__module__}")
    _OPS[name] = op_type


def add_modules(package: str, operations: Mapping[str, str]) -> None:
    """Says where operations are.

    Args:
        package: the package of the modules.
        operations: for each module, the names of the operations that are defined in it, or get their gradients there, with spaces between them.
    """
    for module, names in operations.items():
        for name in names.split():
            _MODULES.setdefault(name, []).append(f"{package}.{module}")


def find(name: str) -> type[OpType] | None:
    """The operation of a name, or None."""
    if name in _MODULES:
        for module in _MODULES[name]:
            importlib.import_module(module)
        _MODULES.pop(name, None)  # once they are there: another thread waits in its import
    return _OPS.get(name)


def get(name: str) -> type[OpType]:
    """The operation of a name.

    Raises:
        NotFoundError: there is none.
    """
    found = find(name)
    if found is None:
        raise NotFoundError(f"Op type not registered {name!r}; gpersist has no such operation: nodes of it can be imported and exported, but not run")
    return found


def names() -> list[str]:
    """All names, sorted."""
    return sorted(_OPS.keys() | _MODULES.keys())
