"""`tf.Module`: an object that knows the variables and modules among its attributes.

Source: TensorFlow `module.py`.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from gpersist.graph import get_default_graph
from gpersist.ops import nest
from gpersist.ops.variable import Variable
from gpersist.train.trackable import AutoTrackable

__all__ = ["Module"]

_VALID_NAME = re.compile(r"[A-Za-z_]([A-Za-z0-9_])*$")
_HEAD_OF_WORD = re.compile(r"((?<=[a-z0-9])[A-Z]|(?!^)[A-Z](?=[a-z]))")

_F = TypeVar("_F", bound=Callable[..., Any])


class _Scope:
    """A name scope that can be entered again and again.

    Attributes:
        name: what is before names in it, `"model/"`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._entered: list[contextlib.AbstractContextManager[str]] = []

    def __enter__(self) -> str:
        self._entered.append(get_default_graph().name_scope(self.name))
        return self._entered[-1].__enter__()

    def __exit__(self, *error: Any) -> None:
        self._entered.pop().__exit__(*error)


class Module(AutoTrackable):
    """A part of a model: its attributes hold variables and other modules, in lists, dicts and tuples too (`tf.Module`).

    Args:
        name: of its scope; by default its class's, `my_module` of `MyModule`.

    Raises:
        ValueError: the name is no identifier.
    """

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = _HEAD_OF_WORD.sub(r"_\1", type(self).__name__).lower()
        if not _VALID_NAME.match(name):
            raise ValueError(f"{name!r} is not a valid module name. Module names must be valid Python identifiers (e.g. a valid class name).")
        self._name = name
        with get_default_graph().name_scope(name) as scope:
            self._name_scope = _Scope(scope)

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def name_scope(self) -> Any:
        """The scope of its nodes, to be entered with `with`."""
        return self._name_scope

    @property
    def variables(self) -> tuple[Any, ...]:
        """All variables, by the names of the attributes that hold them; those of modules among the attributes come last."""
        return tuple(self._leaves(lambda leaf: isinstance(leaf, Variable)))

    @property
    def trainable_variables(self) -> tuple[Any, ...]:
        """The trainable ones of `variables`."""
        return tuple(variable for variable in self.variables if variable.trainable)

    @property
    def non_trainable_variables(self) -> tuple[Any, ...]:
        """The others of `variables`."""
        return tuple(variable for variable in self.variables if not variable.trainable)

    @property
    def submodules(self) -> tuple[Module, ...]:
        """The modules among the attributes, and theirs."""
        return tuple(self._leaves(lambda leaf: isinstance(leaf, Module)))

    @classmethod
    def with_name_scope(cls, method: _F) -> _F:
        """Has a method run within its module's name scope; a decorator."""

        @functools.wraps(method)
        def within(self: Module, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return within  # type: ignore[return-value]

    def _leaves(self, is_wanted: Callable[[Any], bool], seen: set[int] | None = None) -> Iterator[Any]:
        seen = {id(self)} if seen is None else seen
        modules: list[Module] = []
        for name in sorted(vars(self)):
            if name == "_trackable_children":
                continue
            for leaf in nest.flatten(vars(self)[name]):
                if id(leaf) in seen:
                    continue
                seen.add(id(leaf))
                if is_wanted(leaf):
                    yield leaf
                if isinstance(leaf, Module):
                    modules.append(leaf)
        for module in modules:
            yield from module._leaves(is_wanted, seen)
