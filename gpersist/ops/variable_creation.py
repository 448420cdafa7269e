"""Who decides which variable is made where a program says `tf.Variable(...)`: functions that a program puts in between, and a switch."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gpersist.graph import Graph, get_default_graph

__all__ = ["disable_resource_variables", "enable_resource_variables", "resource_variables_enabled", "variable_creator_scope"]

Creator = Callable[..., Any]
"""`creator(next_creator, **kwargs)`, with all arguments of `tf.Variable`; gives the variable."""

_creators: weakref.WeakKeyDictionary[Graph, list[Creator]] = weakref.WeakKeyDictionary()
_makes_resources = False


def creators_of(graph: Graph) -> list[Creator]:
    """The functions that have a say in what `tf.Variable` makes in a graph, outermost first."""
    return _creators.get(graph, [])


@contextmanager
def variable_creator_scope(variable_creator: Creator) -> Iterator[None]:
    """Has a function make the variables of the default graph that are made within (`tf.variable_creator_scope`).

    Args:
        variable_creator: `creator(next_creator, **kwargs)`; `next_creator(**kwargs)` goes on as if it were not there.
    """
    creators = _creators.setdefault(get_default_graph(), [])
    creators.append(variable_creator)
    try:
        yield
    finally:
        creators.pop()


def enable_resource_variables() -> None:
    """From now on variables are resource variables, unless they are asked for otherwise (`tf.enable_resource_variables`)."""
    global _makes_resources
    _makes_resources = True


def disable_resource_variables() -> None:
    """From now on variables are reference variables, unless they are asked for otherwise (`tf.disable_resource_variables`)."""
    global _makes_resources
    _makes_resources = False


def resource_variables_enabled() -> bool:
    """Whether variables are resource variables by default (`tf.resource_variables_enabled`)."""
    return _makes_resources
