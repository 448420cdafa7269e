"""What is held against a message and the arguments of an import before anything enters the graph, and against the attributes of each node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpersist import protos
from gpersist.dtypes import DType
from gpersist.graph import registry
from gpersist.graph.graph import Graph
from gpersist.graph.signature import Attr

_NEWEST = 2474
"""The version of graphs up to which everything is known: that of TensorFlow 2.21."""


def copied(graph_def: Any) -> protos.GraphDef:
    """The message as one of ours, which nobody else changes.

    Raises:
        TypeError: it is no GraphDef.
    """
    if getattr(getattr(graph_def, "DESCRIPTOR", None), "full_name", "") != "tensorflow.GraphDef":
        raise TypeError("Argument `graph_def` must be a GraphDef proto.")
    return protos.parse(protos.GraphDef, graph_def.SerializeToString(), "graph_def")


def checked_map(input_map: Any) -> dict[str, Any]:
    """What inputs of the message are to be, by their names as text.

    Raises:
        TypeError: it is no dictionary of names.
        ValueError: one names no output.
    """
    if input_map is None:
        return {}
    if not isinstance(input_map, Mapping):
        raise TypeError(f"Argument `input_map` must be a dictionary. Obtained {type(input_map).__name__}")
    if not all(isinstance(key, (str, bytes)) for key in input_map):
        raise TypeError(f"All keys for argument `input_map` must be strings. Obtained keys: {list(input_map)}")
    found = {_text(key): value for key, value in input_map.items()}
    for key in found:
        _, colon, index = key.partition(":")
        if colon and ":" not in index and not index.isdecimal():
            raise ValueError(
                f"Cannot convert {key!r} to a tensor name. Second component of the name following the `:` should be an int. Got {index}."
            )
    return found


def checked_names(return_elements: Any) -> tuple[str, ...] | None:
    """The names of what is to be returned, as text; None for nothing.

    Raises:
        TypeError: one is no name.
    """
    if return_elements is None:
        return None
    if not all(isinstance(name, (str, bytes)) for name in return_elements):
        raise TypeError(f"Argument `return_elements` must be a list of strings. Obtained {return_elements}.")
    return tuple(map(_text, return_elements))


def _text(value: str | bytes) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else value


def check_versions(versions: protos.VersionDef) -> None:
    """Holds a message's versions against ours.

    Raises:
        ValueError: its producer says that this version must not run it.
    """
    if versions.min_consumer > _NEWEST:
        raise ValueError(f"GraphDef min consumer version {versions.min_consumer} above current version {_NEWEST}.  Please upgrade gpersist.")
    if _NEWEST in versions.bad_consumers:
        raise ValueError(f"GraphDef disallows consumer version {_NEWEST}.  Please upgrade gpersist: this version is likely buggy.")


def check_functions(graph: Graph, message: protos.GraphDef) -> None:
    """Holds the names of new functions against those of operations and of the functions that are there.

    Raises:
        ValueError: one is taken.
    """
    there = {function.signature.name: function for function in graph._library.function}
    for function in message.library.function:
        name = function.signature.name
        if registry.find(name) is not None:
            raise ValueError(f"Cannot add function '{name}' because an op with the same name already exists.")
        if there.setdefault(name, function) != function:
            raise ValueError(f"Cannot add function '{name}' because a different function with the same name already exists.")


def check_value(node: protos.NodeDef, attr: Attr, value: Any) -> None:
    """Holds an attribute against what its operation allows.

    Raises:
        ValueError: it is something else.
    """
    where = f"; node {node.name!r} ({node.op})"
    if attr.minimum is not None:
        what, number = ("Value", value) if attr.kind == "int" else ("Length", len(value))
        if number < attr.minimum:
            raise ValueError(f"{what} for attr '{attr.name}' of {number} must be at least minimum {attr.minimum}{where}")
    if attr.allowed is None:
        return
    for item in value if isinstance(value, list) else (value,):
        if (item.base_dtype if isinstance(item, DType) else item) not in attr.allowed:
            known = ", ".join(_shown(other) for other in attr.allowed)
            raise ValueError(f"Value for attr '{attr.name}' of {_shown(item)} is not in the list of allowed values: {known}{where}")


def _shown(value: Any) -> str:
    return value.name if isinstance(value, DType) else f'"{value.decode("utf-8", "replace")}"'
