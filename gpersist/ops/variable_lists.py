"""The variables of the default graph, and operations on all of them: initialise, report those without a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpersist.graph import GraphKeys, Operation, Tensor, apply, get_default_graph, name_scope
from gpersist.ops.array import boolean_mask, stack
from gpersist.ops.constants import constant
from gpersist.ops.control import group
from gpersist.ops.variables import is_variable_initialized

__all__ = [
    "all_variables",
    "assert_variables_initialized",
    "global_variables",
    "global_variables_initializer",
    "initialize_all_variables",
    "initialize_local_variables",
    "initialize_variables",
    "local_variables",
    "local_variables_initializer",
    "model_variables",
    "moving_average_variables",
    "report_uninitialized_variables",
    "trainable_variables",
    "variables_initializer",
]

_REPORTING_DEVICE = "/cpu:0"
"""Where the names are: TensorFlow's choice, part of the graph that it makes."""


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
    return group(*[variable.initializer for variable in var_list or ()], name=name)


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


def initialize_local_variables() -> Operation:
    """`local_variables_initializer`, under its old name."""
    return local_variables_initializer()


def report_uninitialized_variables(var_list: Sequence[Any] | None = None, name: str = "report_uninitialized_variables") -> Tensor:
    """A tensor of the names of those variables that have no value (`tf.report_uninitialized_variables`).

    Args:
        var_list: the variables; by default all global and local ones, or where there are none all reference variables of the graph.
        name: of the scope of its nodes.
    """
    variables = _those_of_the_graph() if var_list is None else list(var_list)
    graph = get_default_graph()
    with name_scope(name):
        are_set = [is_variable_initialized(variable) for variable in variables]
        with graph.device(_REPORTING_DEVICE):
            if not variables:
                return constant([], dtype="string")
            missing = apply("LogicalNot", stack(are_set))
            return boolean_mask(constant([variable.op.name for variable in variables]), missing)


def assert_variables_initialized(var_list: Sequence[Any] | None = None) -> Tensor | None:
    """A tensor that, when run, raises FailedPreconditionError if a variable has no value (`tf.assert_variables_initialized`); None without variables.

    Args:
        var_list: the variables, as for `report_uninitialized_variables`.
    """
    variables = list(var_list or ()) or _those_of_the_graph()
    ranks: list[Tensor] = []
    for variable in variables:
        with get_default_graph().colocate_with(variable.op), name_scope("Rank", None, [variable]) as scope:
            ranks.append(apply("Rank", variable, name=scope))
    if not ranks:
        return None
    return ranks[0] if len(ranks) == 1 else stack(ranks)


def _those_of_the_graph() -> list[Any]:
    graph = get_default_graph()
    found = global_variables() + local_variables()
    return found or [op.outputs[0] for op in graph.get_operations() if op.type in ("Variable", "VariableV2", "AutoReloadVariable")]
