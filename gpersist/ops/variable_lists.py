"""The variables of the default graph, and operations on all of them: initialise, report those without a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpersist.graph import GraphKeys, Operation, get_default_graph
from gpersist.ops.control import group


def global_variables(scope: str | None = None) -> list[Any]:
    """The variables that are shared and saved (`tf.global_variables`); only those whose names match `scope`, a regular expression."""
    return get_default_graph().get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


def all_variables() -> list[Any]:
    """`global_variables`, under its old name."""
    return global_variables()


def local_variables(scope: str | None = None) -> list[Any]:
    """The variables that are neither shared nor saved (`tf.local_variables`)."""
    return get_default_graph().get_collection(GraphKeys.LOCAL_VARIABLES, scope)


def trainable_variables(scope: str | None = None) -> list[Any]:
    """The variables that optimizers change (`tf.trainable_variables`)."""
    return get_default_graph().get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


def model_variables(scope: str | None = None) -> list[Any]:
    """The variables of the collection `model_variables` (`tf.model_variables`)."""
    return get_default_graph().get_collection(GraphKeys.MODEL_VARIABLES, scope)


def moving_average_variables(scope: str | None = None) -> list[Any]:
    """The variables that have moving averages (`tf.moving_average_variables`)."""
    return get_default_graph().get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, scope)


def variables_initializer(var_list: Sequence[Any], name: str = "init") -> Operation:
    """An operation that gives variables their first values (`tf.variables_initializer`)."""
    return group(*[variable.initializer for variable in var_list], name=name)


def global_variables_initializer() -> Operation:
    """An operation that gives all global variables their first values (`tf.global_variables_initializer`)."""
    return variables_initializer(global_variables())


def local_variables_initializer() -> Operation:
    """An operation that gives all local variables their first values (`tf.local_variables_initializer`)."""
    return variables_initializer(local_variables())


def initialize_all_variables() -> Operation:
    """`global_variables_initializer`, under its old name."""
    return global_variables_initializer()


def initialize_variables(var_list: Sequence[Any], name: str = "init") -> Operation:
    """`variables_initializer`, under its old name."""
    return variables_initializer(var_list, name)
