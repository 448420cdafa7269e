"""Functions of `tf` that are methods of the default graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from gpersist.graph import Graph, Tensor, constant_value, get_default_graph, name_scope
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.ragged_tensor import RaggedTensor
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.ops.variable import Variable

__all__ = [
    "add_to_collection",
    "add_to_collections",
    "colocate_with",
    "container",
    "device",
    "get_collection",
    "get_collection_ref",
    "get_static_value",
    "init_scope",
    "is_symbolic_tensor",
    "is_tensor",
    "op_scope",
]


def device(device_name_or_function: str | Callable[..., Any] | None) -> AbstractContextManager[None]:
    """Names the device of what is made within (`tf.device`)."""
    return get_default_graph().device(device_name_or_function)


def colocate_with(op: Any, ignore_existing: bool = False) -> AbstractContextManager[None]:
    """Puts what is made within on the device of an operation (`tf.colocate_with`)."""
    return get_default_graph().colocate_with(op, ignore_existing)


def container(container_name: str) -> AbstractContextManager[str]:
    """Names the container of variables made within (`tf.container`)."""
    return get_default_graph().container(container_name)


def add_to_collection(name: Any, value: Any) -> None:
    """Adds to a collection of the default graph (`tf.add_to_collection`)."""
    get_default_graph().add_to_collection(name, value)


def add_to_collections(names: Any, value: Any) -> None:
    """Adds to several collections of the default graph (`tf.add_to_collections`)."""
    get_default_graph().add_to_collections(names, value)


def get_collection(key: Any, scope: str | None = None) -> list[Any]:
    """What is in a collection of the default graph (`tf.get_collection`)."""
    return get_default_graph().get_collection(key, scope)


def get_collection_ref(key: Any) -> list[Any]:
    """A collection of the default graph itself (`tf.get_collection_ref`)."""
    return get_default_graph().get_collection_ref(key)


def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """The value of a tensor that is known before running, or None (`tf.get_static_value`)."""
    del partial
    if isinstance(tensor, Tensor):
        return constant_value(tensor)
    return None if is_tensor(tensor) else tensor


@contextmanager
def init_scope() -> Iterator[None]:
    """Leaves control dependencies behind, for what initialises variables (`tf.init_scope`)."""
    graph = get_default_graph()
    with graph.name_scope(graph.get_name_scope() + "/" if graph.get_name_scope() else None), graph.control_dependencies(None):
        yield


def op_scope(values: Sequence[Any], name: str | None, default_name: str | None = None) -> AbstractContextManager[str]:
    """A name scope, its arguments in an older order (`tf.op_scope`)."""
    return name_scope(name, default_name, values)


def is_tensor(x: Any) -> bool:
    """Whether it is a tensor, sparse or ragged too, slices of one, or a variable (`tf.is_tensor`)."""
    return isinstance(x, (Tensor, IndexedSlices, RaggedTensor, SparseTensor, Variable))


def is_symbolic_tensor(tensor: Any) -> bool:
    """Whether it is a tensor, or slices of one, of a graph (`tf.is_symbolic_tensor`)."""
    return isinstance(tensor, (Tensor, IndexedSlices)) and isinstance(tensor.graph, Graph)
