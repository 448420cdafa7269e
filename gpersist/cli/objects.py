"""`gpersist show --objects`: the objects of a checkpoint that TensorFlow 2 wrote, by the paths that its program reaches them by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpersist.checkpoint import CheckpointReader, ObjectGraph, ObjectNode, StoredTensor
from gpersist.cli.output import Column, amount, counted, printable, write_json, write_line, write_table
from gpersist.errors import TensorNotFoundError

_COLUMNS = (Column("object", folds=True), Column("dtype"), Column("shape", folds=True), Column("size", is_number=True), Column("key", folds=True))


def show_objects(reader: CheckpointReader, patterns: list[str], matches: Callable[[str, str], bool], as_json: bool) -> int:
    """Writes the objects' values by path, and what an optimizer's slots are of.

    Args:
        reader: the open checkpoint.
        patterns: of paths; all without any.
        matches: tells whether a path is one of those that a pattern means.
        as_json: whether to write JSON, with all objects.

    Raises:
        NotFoundError: the checkpoint has no objects, or none that matches.
        DataLossError: they are damaged.
    """
    graph = reader.object_graph()
    tensors = {name: each for name, each in graph.tensors.items() if not patterns or any(matches(name, pattern) for pattern in patterns)}
    if patterns and not tensors:
        raise TensorNotFoundError(f"no value of an object of {reader.prefix!r} is named {' or '.join(map(repr, patterns))}")
    if as_json:
        write_json({"prefix": reader.prefix, "values": [_value(name, each) for name, each in tensors.items()], "objects": _objects(graph)})
        return 0
    rows = [
        (printable(name), each.dtype.name, str(list(each.shape)), amount(each.size_bytes), printable(each.name)) for name, each in tensors.items()
    ]
    write_table(_COLUMNS, sorted(rows))
    write_line()
    write_line(f"{printable(reader.prefix)}: {counted(len(graph), 'object')}, {counted(len(tensors), 'value')}")
    for node in graph.nodes:
        for slot, variables in node.slots.items():
            write_line(f"  slot {printable(slot)!r} of {printable(node.path) or 'the root'}: for {printable(', '.join(variables))}")
    return 0


def _value(name: str, tensor: StoredTensor) -> dict[str, Any]:
    return {"name": name, "key": tensor.name, "dtype": tensor.dtype.name, "shape": list(tensor.shape), "size_bytes": tensor.size_bytes}


def _objects(graph: ObjectGraph) -> list[dict[str, Any]]:
    return [_object(node) for node in graph.nodes]


def _object(node: ObjectNode) -> dict[str, Any]:
    return {
        "path": node.path,
        "children": {name: child.path for name, child in node.children.items()},
        "values": {name: tensor.name for name, tensor in node.tensors.items()},
        "slots": {name: {path: slot.path for path, slot in variables.items()} for name, variables in node.slots.items()},
    }
