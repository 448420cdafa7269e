"""The global step: the variable that counts training steps, one a graph."""

from __future__ import annotations

import logging
from typing import Any

from gpersist.graph import Graph, GraphKeys, Tensor, get_default_graph
from gpersist.ops.get_variable import get_variable
from gpersist.ops.initialized_value import value_or_initial
from gpersist.ops.initializers import zeros_initializer
from gpersist.ops.synchronization import VariableAggregation
from gpersist.ops.variable import Variable

__all__ = ["assert_global_step", "create_global_step", "get_global_step", "get_or_create_global_step", "global_step"]

_READ_KEY = "global_step_read_op_cache"


def global_step(sess: Any, global_step_tensor: Any) -> int:
    """The value of a global step in a session (`tf.train.global_step`).

    Args:
        sess: the session.
        global_step_tensor: the variable, a tensor, or a tensor's name.
    """
    return int(sess.run(global_step_tensor))


def get_global_step(graph: Graph | None = None) -> Any:
    """The global step of a graph, by default the default one: what its collection `global_step` has, or else the tensor `global_step:0`; None without
    either (`tf.train.get_global_step`).

    Raises:
        TypeError: it is no integer scalar.
    """
    graph = graph or get_default_graph()
    found = graph.get_collection(GraphKeys.GLOBAL_STEP)
    if len(found) > 1:
        logging.getLogger("gpersist").error("Multiple tensors in global_step collection.")
        return None
    try:
        step = found[0] if found else graph.get_tensor_by_name("global_step:0")
    except KeyError:
        return None
    assert_global_step(step)
    return step


def create_global_step(graph: Graph | None = None) -> Any:
    """A global step for a graph, by default the default one (`tf.train.create_global_step`).

    Raises:
        ValueError: there is one.
    """
    graph = graph or get_default_graph()
    if get_global_step(graph) is not None:
        raise ValueError('"global_step" already exists.')
    with graph.as_default(), graph.name_scope(None):
        return get_variable(
            GraphKeys.GLOBAL_STEP,
            shape=[],
            dtype="int64",
            initializer=zeros_initializer(),
            trainable=False,
            aggregation=VariableAggregation.ONLY_FIRST_REPLICA,
            collections=[GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP],
        )


def get_or_create_global_step(graph: Graph | None = None) -> Any:
    """The global step of a graph, by default the default one; made if there is none (`tf.train.get_or_create_global_step`)."""
    graph = graph or get_default_graph()
    found = get_global_step(graph)
    return create_global_step(graph) if found is None else found


def assert_global_step(global_step_tensor: Any) -> None:
    """Holds that something can be a global step: a variable or tensor, an integer, a scalar (`tf.train.assert_global_step`).

    Raises:
        TypeError: it can not.
    """
    if not isinstance(global_step_tensor, (Variable, Tensor)):
        raise TypeError(f'Existing "global_step" must be a Variable or Tensor: {global_step_tensor}.')
    if not global_step_tensor.dtype.base_dtype.is_integer:
        raise TypeError(f'Existing "global_step" does not have integer type: {global_step_tensor.dtype}')
    shape = global_step_tensor.get_shape()
    if shape.rank != 0 and shape.is_fully_defined():
        raise TypeError(f'Existing "global_step" is not scalar: {shape}')


def get_or_create_global_step_read(graph: Graph | None = None) -> Tensor | None:
    """A tensor of the global step's value, its initial one before it is initialised; the same each time. None where a graph has no global step.

    Raises:
        RuntimeError: the collection that keeps it has several.
    """
    graph = graph or get_default_graph()
    found = graph.get_collection(_READ_KEY)
    if len(found) > 1:
        raise RuntimeError(f"There are multiple items in collection {_READ_KEY}. There should be only one.")
    if found:
        read: Tensor = found[0]
        return read
    step = get_global_step(graph)
    if step is None:
        return None
    with graph.as_default(), graph.name_scope(None), graph.name_scope(f"{step.op.name}/"):
        value = value_or_initial(step) if isinstance(step, Variable) else step
        read = value + 0
        graph.add_to_collection(_READ_KEY, read)
    return read


def required_global_step_read(user: str) -> Tensor:
    """`get_or_create_global_step_read` for something that cannot do without.

    Raises:
        RuntimeError: the graph has no global step; names the user.
    """
    read = get_or_create_global_step_read()
    if read is None:
        raise RuntimeError(f"Global step should be created to use {user}.")
    return read


def increment_global_step(increment: Any, graph: Graph | None = None) -> Any:
    """Makes an operation that adds to the global step after it was read.

    Raises:
        ValueError: there is no global step.
    """
    graph = graph or get_default_graph()
    step = get_global_step(graph)
    if step is None:
        raise ValueError("Global step tensor should be created by tf.train.get_or_create_global_step before calling increment.")
    read = get_or_create_global_step_read(graph)
    with graph.as_default(), graph.name_scope(None), graph.name_scope(f"{step.op.name}/"), graph.control_dependencies([read]):
        return step.assign_add(increment)
