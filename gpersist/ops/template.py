"""Functions whose variables are made at the first call, and the same at every other one."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from gpersist.graph import GraphKeys, get_default_graph
from gpersist.ops.variable_scope import PureVariableScope, VariableScope, unique_variable_scope, variable_scope

__all__ = ["make_template"]


class Template:
    """A function with a variable scope of its own, made by `make_template`.

    Attributes:
        name: of the scope, before it was made unique.
        func: the function.
        variable_scope: the scope; None before the first call, unless it was made at once.
    """

    def __init__(self, name: str, func: Callable[..., Any], create_scope_now: bool, unique_name: str | None, custom_getter: Any) -> None:
        if name is None:
            raise ValueError("name cannot be None.")
        self.name = name
        self.func = func
        self.variable_scope: VariableScope | None = None
        self._unique_name = unique_name
        self._custom_getter = custom_getter
        self._has_variables = False
        if create_scope_now:
            with PureVariableScope(unique_name or unique_variable_scope(name), custom_getter=custom_getter) as scope:
                self.variable_scope = scope

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.variable_scope is not None:
            with variable_scope(self.variable_scope, reuse=self._has_variables):
                return self._call(args, kwargs)
        with variable_scope(self._unique_name, self.name, custom_getter=self._custom_getter) as scope:
            self.variable_scope = scope
            return self._call(args, kwargs)

    def _call(self, args: Any, kwargs: Any) -> Any:
        if not self._has_variables:
            result = self.func(*args, **kwargs)
            self._has_variables = True
            return result
        graph = get_default_graph()
        count = len(graph.get_collection_ref(GraphKeys.GLOBAL_VARIABLES))
        trainable_count = len(graph.get_collection_ref(GraphKeys.TRAINABLE_VARIABLES))
        result = self.func(*args, **kwargs)
        trainable = graph.get_collection_ref(GraphKeys.TRAINABLE_VARIABLES)
        if len(trainable) != trainable_count:
            raise ValueError(
                "Trainable variable created when calling a template after the first time, perhaps you used tf.Variable when you meant "
                f"tf.get_variable: {trainable[trainable_count:]}"
            )
        variables = graph.get_collection_ref(GraphKeys.GLOBAL_VARIABLES)
        if len(variables) != count:
            logging.getLogger("gpersist").info(
                "New variables created when calling a template after the first time, perhaps you used tf.Variable when you meant tf.get_variable: %s",
                variables[count:],
            )
        return result

    @property
    def variable_scope_name(self) -> str | None:
        """The scope's name with a slash at the end; None before there is one."""
        if self.variable_scope is None:
            return None
        name = self.variable_scope.name
        return name if not name or name.endswith("/") else f"{name}/"

    @property
    def var_scope(self) -> VariableScope | None:
        """`variable_scope`, under its old name."""
        return self.variable_scope

    @property
    def variables(self) -> list[Any]:
        """The global and local variables of its scope."""
        return self.global_variables + self.local_variables

    weights = variables

    @property
    def trainable_variables(self) -> list[Any]:
        """The trainable variables of its scope."""
        return self._of(GraphKeys.TRAINABLE_VARIABLES)

    trainable_weights = trainable_variables

    @property
    def non_trainable_variables(self) -> list[Any]:
        """The global variables of its scope that are not trainable."""
        trainable = set(self.trainable_variables)
        return [variable for variable in self.global_variables if variable not in trainable]

    non_trainable_weights = non_trainable_variables

    @property
    def global_variables(self) -> list[Any]:
        """The global variables of its scope."""
        return self._of(GraphKeys.GLOBAL_VARIABLES)

    @property
    def local_variables(self) -> list[Any]:
        """The local variables of its scope."""
        return self._of(GraphKeys.LOCAL_VARIABLES)

    def _of(self, key: str) -> list[Any]:
        return get_default_graph().get_collection(key, self.variable_scope_name) if self._has_variables else []


def make_template(
    name_: str,
    func_: Callable[..., Any],
    create_scope_now_: bool = False,
    unique_name_: str | None = None,
    custom_getter_: Any = None,
    **kwargs: Any,
) -> Template:
    """A function whose variables are made at the first call, in a scope of their own, and the same at every other one (`tf.make_template`).

    Args:
        name_: of the scope, made unique.
        func_: makes its variables with `get_variable`.
        create_scope_now_: whether the scope is made here rather than where it is called first.
        unique_name_: a name for the scope that is not made unique.
        custom_getter_: for `get_variable` within.
        kwargs: arguments for `func_`.

    Raises:
        ValueError: there is no name; at a later call, that the function makes new trainable variables.
    """
    return Template(name_, functools.partial(func_, **kwargs) if kwargs else func_, create_scope_now_, unique_name_, custom_getter_)
