"""GraphDefs of one node, for TensorFlow and for gpersist alike: whose classes they are is an argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

PRODUCER = 1395
"""A version of TensorFlow 2, as the graphs of today have it."""


def graph_of(
    case: tuple[str, list[Any], dict[str, Any]], is_constant: bool, graph_def: Any, op_def: Any, to_proto: Callable[[Any], Any], enum_of: Any
) -> tuple[Any, dict[str, Any]]:
    """A graph with the node "x", and what its inputs are fed.

    Args:
        case: the operation, its inputs and attributes.
        is_constant: whether the inputs are constants; else placeholders of which nothing is known.
        graph_def: an empty message.
        op_def: the operation's.
        to_proto: a TensorProto of an array.
        enum_of: a type's number by its name.
    """
    op, inputs, given = case
    attrs = dict(given)
    feeds: dict[str, Any] = {}
    names: list[str] = []
    graph_def.versions.producer = PRODUCER

    def add(value: Any) -> int:
        proto = to_proto(value)
        node = graph_def.node.add(name=f"i{len(names)}", op="Const" if is_constant else "Placeholder")
        node.attr["dtype"].type = proto.dtype
        if is_constant:
            node.attr["value"].tensor.CopyFrom(proto)
        else:
            node.attr["shape"].shape.unknown_rank = True
            feeds[f"{node.name}:0"] = value
        names.append(node.name)
        return int(proto.dtype)

    for arg, value in zip(op_def.input_arg, inputs, strict=True):
        types = [add(item) for item in (value if isinstance(value, list) else [value])]
        if arg.number_attr:
            attrs[arg.number_attr] = len(types)
        if arg.type_list_attr:
            attrs[arg.type_list_attr] = types
        elif arg.type_attr and types:
            attrs[arg.type_attr] = types[0]
    node = graph_def.node.add(name="x", op=op, input=names)
    for attr in op_def.attr:
        if attr.name in attrs:
            _put(node.attr[attr.name], attr.type, attrs[attr.name], enum_of)
    return graph_def, feeds


def _put(target: Any, kind: str, value: Any, enum_of: Any) -> None:
    is_list = kind.startswith("list(")
    kind = kind[5:-1] if is_list else kind
    field = {"int": "i", "float": "f", "bool": "b", "string": "s", "type": "type"}[kind]
    values = list(value) if is_list else [value]
    if kind == "type":
        values = [found if isinstance(found, int) else enum_of(found) for found in values]
    if kind == "string":
        values = [found.encode() if isinstance(found, str) else found for found in values]
    if is_list:
        target.list.SetInParent()
        getattr(target.list, field).extend(values)
    else:
        setattr(target, field, values[0])


def told(value: Any) -> list[Any]:
    """A value as JSON: its type, shape and elements."""
    array = np.asarray(value, object if isinstance(value, bytes) else None)
    if array.dtype == object:
        return ["text", list(array.shape), [text.decode("latin-1") for text in array.reshape(-1).tolist()]]
    flat = array.reshape(-1)
    if array.dtype.kind in "biu":
        return [array.dtype.name, list(array.shape), flat.tolist()]
    if array.dtype.kind == "c":
        return [array.dtype.name, list(array.shape), [[float(f"{number.real:.7g}"), float(f"{number.imag:.7g}")] for number in flat.tolist()]]
    return [array.dtype.name, list(array.shape), [float(f"{number:.7g}") for number in flat.astype(np.float64).tolist()]]
