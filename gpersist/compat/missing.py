"""What the modules of `gpersist.compat.v1` say of names that they have not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

__all__ = ["missing"]


def missing(module: str) -> Callable[[str], NoReturn]:
    """A `__getattr__` for a module.

    Args:
        module: as the user calls it: `tf.train`.
    """

    def attribute(name: str) -> Any:
        raise AttributeError(f"{module}.{name}: gpersist has no such name; dir({module}) lists those that it has")

    return attribute
