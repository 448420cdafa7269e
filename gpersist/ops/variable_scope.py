"""Variable scopes: a prefix for the names of variables, and what `get_variable` does within unless it is told otherwise.

A scope has two names: that of its variables, which is the same each time it is entered, and the name scope of its other operations, which is made
unique each time: the second `with tf.variable_scope("a")` has variables `a/v` and operations `a_1/add`.
"""

from __future__ import annotations

import enum
import functools
import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from gpersist.dtypes import float32
from gpersist.graph import Graph, GraphKeys, get_default_graph, graph_of, name_scope

__all__ = ["AUTO_REUSE", "VariableScope", "get_variable_scope", "variable_op_scope", "variable_scope"]

_SCOPES_KEY = ("__varscope",)


class _ReuseMode(enum.Enum):
    AUTO_REUSE = 1


AUTO_REUSE = _ReuseMode.AUTO_REUSE
"""As `reuse`: a variable that is there is given back, one that is not is made (`tf.AUTO_REUSE`)."""


class VariableScope:
    """What `get_variable` does within a scope unless it is told otherwise (`tf.VariableScope`).

    Attributes:
        name: the prefix of variables' names, without a slash at the end.
        original_name_scope: the name scope of the first time it was entered.
        reuse: True where only variables that are there are given, None or False where only new ones are made, or AUTO_REUSE.
        initializer, regularizer, caching_device, partitioner, custom_getter, dtype, use_resource, constraint: see `get_variable`.
    """

    def __init__(
        self,
        reuse: Any,
        name: str = "",
        initializer: Any = None,
        regularizer: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Any = None,
        name_scope: str = "",
        dtype: Any = float32,
        use_resource: bool | None = None,
        constraint: Any = None,
    ) -> None:
        self.reuse = reuse
        self.name = name
        self.initializer = initializer
        self.regularizer = regularizer
        self.caching_device = caching_device
        self.partitioner = partitioner
        self.custom_getter = custom_getter
        self.original_name_scope = name_scope
        self.dtype = dtype
        self.use_resource = use_resource
        self.constraint = constraint

    def reuse_variables(self) -> None:
        """From now on only variables that are there are given."""
        self.reuse = True

    def set_initializer(self, initializer: Any) -> None:
        """Sets the default of `get_variable`."""
        self.initializer = initializer

    def set_dtype(self, dtype: Any) -> None:
        """Sets the default of `get_variable`."""
        self.dtype = dtype

    def set_use_resource(self, use_resource: bool | None) -> None:
        """Sets the default of `get_variable`."""
        self.use_resource = use_resource

    def set_regularizer(self, regularizer: Any) -> None:
        """Sets the default of `get_variable`."""
        self.regularizer = regularizer

    def set_caching_device(self, caching_device: Any) -> None:
        """Sets the default of `get_variable`."""
        self.caching_device = caching_device

    def set_partitioner(self, partitioner: Any) -> None:
        """Sets the default of `get_variable`."""
        self.partitioner = partitioner

    def set_custom_getter(self, custom_getter: Any) -> None:
        """Sets the default of `get_variable`."""
        self.custom_getter = custom_getter

    def get_collection(self, name: str) -> list[Any]:
        """What a collection has of this scope."""
        return get_default_graph().get_collection(name, f"{self.name}/" if self.name else "")

    def trainable_variables(self) -> list[Any]:
        """The trainable variables of this scope."""
        return self.get_collection(GraphKeys.TRAINABLE_VARIABLES)

    def global_variables(self) -> list[Any]:
        """The global variables of this scope."""
        return self.get_collection(GraphKeys.GLOBAL_VARIABLES)

    def local_variables(self) -> list[Any]:
        """The local variables of this scope."""
        return self.get_collection(GraphKeys.LOCAL_VARIABLES)

    def get_variable(self, var_store: Any, name: str, **arguments: Any) -> Any:
        """The variable of a name in this scope, of a store (`gpersist.ops.get_variable.VariableStore`); arguments as there."""
        return var_store.get_in_scope(self, name, **arguments)


class _Scopes(threading.local):
    """The scopes of a graph: the current one, and how often each name was entered, which makes default names unique.

    A scope's exit costs as much as was entered within it, however many scopes there are elsewhere.
    """

    def __init__(self) -> None:
        self.current = VariableScope(False)
        self._counts: dict[str, int] = {}
        self._within: dict[str, set[str]] = {}  # for a name those within it that have a count
        self._undone: list[list[tuple[str, int]]] = []  # what each scope object that is entered has to put back

    def enter(self, name: str) -> None:
        """Counts a scope."""
        self._set(name, self._counts.get(name, 0) + 1)

    def forget_within(self, name: str) -> None:
        """The names within a scope may be given out again when the scope is entered next."""
        for inner in self._within.pop(name, ()):
            self._set(inner, 0)

    def remember(self) -> None:
        """From now on, until `put_back`, what is counted counts for nothing afterwards."""
        self._undone.append([])

    def put_back(self) -> None:
        """Counts as they were."""
        for name, count in reversed(self._undone.pop()):
            self._put(name, count)

    def _set(self, name: str, count: int) -> None:
        if self._undone:
            self._undone[-1].append((name, self._counts.get(name, 0)))
        self._put(name, count)

    def _put(self, name: str, count: int) -> None:
        self._counts[name] = count
        outer, slash, _ = name.rpartition("/") if count else ("", "", "")
        while slash:
            self._within.setdefault(outer, set()).add(name)
            outer, slash, _ = outer.rpartition("/")

    def unique(self, prefix: str) -> str:
        """A name for a scope within the current one that has not been entered: `d`, `d_1`, `d_2`."""
        outer = f"{self.current.name}/" if self.current.name else ""
        wanted, number = prefix, 0
        while self._counts.get(outer + wanted, 0):
            number += 1
            wanted = f"{prefix}_{number}"
        return wanted


def _scopes() -> _Scopes:
    graph = get_default_graph()
    found = graph.get_collection(_SCOPES_KEY)
    if not found:
        found = [_Scopes()]
        graph.get_collection_ref(_SCOPES_KEY).extend(found)
    scopes: _Scopes = found[0]
    return scopes


def get_variable_scope() -> VariableScope:
    """The current variable scope of the default graph (`tf.get_variable_scope`)."""
    return _scopes().current


def unique_variable_scope(prefix: str) -> str:
    """A name for a scope within the current one that has not been entered."""
    return _scopes().unique(prefix)


class PureVariableScope:
    """A variable scope without a name scope, to be entered with `with`, as often as one likes.

    Args:
        name_or_scope: a name within the current scope, or a scope, which is entered as it is.
        reuse: see `VariableScope`.
        name_scope: the name scope that belongs to it.
        settings: what it has in place of the outer scope's.
    """

    def __init__(self, name_or_scope: str | VariableScope, reuse: Any = None, name_scope: str | None = None, **settings: Any) -> None:
        self._scopes = _scopes()
        self._given = name_or_scope
        self._reuse = reuse
        self._name_scope = name_scope
        self._settings = {"constraint": None} | settings
        self._entered: list[tuple[VariableScope, VariableScope]] = []
        self._scope = (
            self._made(name_or_scope.name, name_or_scope, reuse or name_or_scope.reuse, name_or_scope.original_name_scope)
            if isinstance(name_or_scope, VariableScope)
            else None
        )

    def __enter__(self) -> VariableScope:
        scopes, outer = self._scopes, self._scopes.current
        scope = self._scope
        if scope is None:
            given = str(self._given)
            self._reuse = self._reuse or outer.reuse
            scope = self._made(
                f"{outer.name}/{given}" if outer.name else given, outer, self._reuse, given if self._name_scope is None else self._name_scope
            )
        scopes.enter(scope.name)
        if self._scope is not None:
            scopes.remember()
        self._entered.append((outer, scope))
        scopes.current = scope
        return scope

    def __exit__(self, *error: object) -> None:
        outer, scope = self._entered.pop()
        if self._scopes.current is not scope:
            raise RuntimeError("Improper nesting of variable_scope.")
        if self._scope is not None:
            self._scopes.put_back()
        else:
            self._scopes.forget_within(scope.name)
        self._scopes.current = outer

    def _made(self, name: str, like: VariableScope, reuse: Any, original_name_scope: str) -> VariableScope:
        """A scope like another one, with the settings of this one."""
        scope = VariableScope(
            reuse,
            name,
            like.initializer,
            like.regularizer,
            like.caching_device,
            like.partitioner,
            like.custom_getter,
            original_name_scope,
            like.dtype,
            like.use_resource,
            self._settings["constraint"],
        )
        for setting, value in self._settings.items():
            if value is not None:
                setattr(scope, setting, value)
        if self._settings.get("custom_getter") is not None and like.custom_getter is not None:
            scope.custom_getter = _chained(self._settings["custom_getter"], like.custom_getter)
        return scope


def _chained(inner: Any, outer: Any) -> Any:
    """A getter that calls the inner one, which gets the outer one for the true getter."""
    return lambda getter, *args, **kwargs: inner(functools.partial(outer, getter), *args, **kwargs)


class variable_scope:  # noqa: N801  # TensorFlow's name
    """A context manager that enters a variable scope, and a name scope with it (`tf.variable_scope`); gives the `VariableScope`.

    Args:
        name_or_scope: a name within the current scope; or a scope, which is entered again, wherever one is.
        default_name: a name that is made unique, where there is no other.
        values: tensors, whose graph becomes the default one.
        initializer, regularizer, caching_device, partitioner, custom_getter, dtype, use_resource: see `get_variable`; None for the outer scope's.
        reuse: True to give only variables that are there, AUTO_REUSE to make those that are not; None for what the outer scope says.
        constraint: see `get_variable`; not handed down to inner scopes.
        auxiliary_name_scope: False for no name scope.

    Raises:
        TypeError: there is no name, or it is none; `auxiliary_name_scope` is no bool.
        ValueError: `reuse` is none of these, or given with a default name.
    """

    def __init__(
        self,
        name_or_scope: str | VariableScope | None,
        default_name: str | None = None,
        values: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Any = None,
        reuse: Any = None,
        dtype: Any = None,
        use_resource: bool | None = None,
        constraint: Any = None,
        auxiliary_name_scope: bool = True,
    ) -> None:
        if name_or_scope is None and default_name is None:
            raise TypeError("If default_name is None then name_or_scope is required")
        self._reuse = None if reuse is False else reuse
        if not (self._reuse is True or self._reuse is None or self._reuse is AUTO_REUSE):
            raise ValueError("The reuse parameter must be True or False or None.")
        self._graph: Graph = graph_of(tuple(values or ()))
        if not isinstance(auxiliary_name_scope, bool):
            raise TypeError(f"The auxiliary_name_scope must be `True` or `False`, while get {auxiliary_name_scope}")
        self._given = name_or_scope
        self._default_name = default_name
        self._settings = {
            "initializer": initializer,
            "regularizer": regularizer,
            "caching_device": caching_device,
            "partitioner": partitioner,
            "custom_getter": custom_getter,
            "dtype": dtype,
            "use_resource": use_resource,
            "constraint": constraint,
        }
        self._has_name_scope = auxiliary_name_scope
        self._names: str | None = None  # the name scope to be entered, None for none
        self._pure: PureVariableScope | None = None
        self._entered: list[ExitStack] = []

    def __enter__(self) -> VariableScope:
        with ExitStack() as stack:
            stack.enter_context(self._graph.as_default())
            if self._pure is None:
                scope = self._enter_first(stack)
            else:
                if self._names is not None:
                    stack.enter_context(name_scope(self._names))
                scope = stack.enter_context(self._pure)
            self._entered.append(stack.pop_all())
        return scope

    def __exit__(self, *error: Any) -> None:
        self._entered.pop().__exit__(*error)

    def _enter_first(self, stack: ExitStack) -> VariableScope:
        given = self._given
        if given is not None and not isinstance(given, (str, VariableScope)):
            raise TypeError("VariableScope: name_or_scope must be a string or VariableScope.")
        if given is None and self._reuse:
            raise ValueError("reuse=True cannot be used without a name_or_scope")
        if not self._has_name_scope:
            outer = self._graph.get_name_scope()
            self._names = f"{outer}/" if outer else ""
        elif given is None:
            self._names = self._default_name
        else:
            self._names = (given if isinstance(given, str) else given.name.rpartition("/")[2]) or None
        original = stack.enter_context(name_scope(self._names)) if self._names is not None else None
        if given is None:
            given = unique_variable_scope(str(self._default_name))
        self._pure = PureVariableScope(given, self._reuse, original, **self._settings)
        return stack.enter_context(self._pure)


@contextmanager
def variable_op_scope(values: Any, name_or_scope: Any, default_name: str | None = None, **arguments: Any) -> Iterator[VariableScope]:
    """`variable_scope`, under its old name and with its arguments in another order (`tf.variable_op_scope`)."""
    logging.getLogger("gpersist").warning(
        "tf.variable_op_scope(values, name, default_name) is deprecated, use tf.variable_scope(name, default_name, values)"
    )
    with variable_scope(name_or_scope, default_name, values, **arguments) as scope:
        yield scope
