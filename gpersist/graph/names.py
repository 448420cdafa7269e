"""Names within a graph: which are valid, how they are made unique, and name scopes. Exactly as TensorFlow does it.

Uniqueness has no regard to case: after `a`, the name `A` becomes `A_1`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

_OP_NAME = re.compile(r"^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*$")
_SCOPE_NAME = re.compile(r"^[A-Za-z0-9_.\\/>-]*$")


def check_op_name(name: str) -> None:
    """Holds that a node may have this name.

    Raises:
        ValueError: it may not.
    """
    if not _OP_NAME.match(name):
        raise ValueError(f"`{name}` is not a valid node name. Accepted names conform to Regex /{_OP_NAME!r}/")


class NameScopes:
    """The names part of a `Graph`."""

    def __init__(self) -> None:
        self._names_in_use: dict[str, int] = {}  # lower case -> the number to try next
        self._name_stack = ""

    def get_name_scope(self) -> str:
        """The current name scope, without a slash at the end."""
        return self._name_stack

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """A name, within the current scope, that no operation and no scope has yet: `a`, `a_1`, `a_2`.

        Args:
            name: the wanted one, without the current scope.
            mark_as_used: whether it counts as used from now on.
        """
        if self._name_stack:
            name = f"{self._name_stack}/{name}"
        in_use = self._names_in_use
        key = name.lower()
        number = in_use.get(key, 0)
        if mark_as_used:
            in_use[key] = number + 1
        if not number:
            return name
        numbered = key
        while numbered in in_use:
            numbered = f"{key}_{number}"
            number += 1
        if mark_as_used:
            in_use[numbered] = 1
        return f"{name}_{number - 1}"

    @contextmanager
    def name_scope(self, name: str | bytes | None) -> Iterator[str]:
        """Puts a prefix before the names of what is made within; gives the whole prefix, with a slash at the end.

        A name that ends in a slash is taken as it is, as the scope of that name entered again; None or an empty one leaves all scopes.

        Raises:
            ValueError: the name is no valid scope name.
        """
        if name and isinstance(name, bytes):
            name = name.decode()
        if name:
            pattern = _SCOPE_NAME if self._name_stack else _OP_NAME
            if not pattern.match(name):
                where = "A scope name has to match" if self._name_stack else "A root scope name has to match"
                raise ValueError(
                    f"'{name}' is not a valid {'' if self._name_stack else 'root '}scope name. {where} the following pattern: {pattern.pattern}"
                )
        outer = self._name_stack
        inner = "" if not name else name[:-1] if name.endswith("/") else self.unique_name(name)
        self._name_stack = inner
        try:
            yield inner + "/" if inner else ""
        finally:
            self._name_stack = outer

    def _use_name(self, name: str) -> None:
        """Marks a whole name as used, as it is."""
        self._names_in_use.setdefault(name.lower(), 1)
