"""The OpDefs of a graph, `stripped_op_list`, and attributes that are left out because they have the defaults that those state."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gpersist import protos
from gpersist.graph import registry

OpDefs = Callable[[str], Any]
"""Gives the OpDef of an operation by its name, or None."""

_CALLS = ("PartitionedCall", "StatefulPartitionedCall")


def op_defs(imported: Mapping[str, protos.OpDef] | None = None) -> OpDefs:
    """The OpDefs that are known: those that came with an imported graph and say more, and those of the registry."""
    return lambda name: (imported or {}).get(name) or known_op_def(name)


@functools.lru_cache(maxsize=4096)
def known_op_def(name: str) -> Any:
    """The OpDef of an operation that gpersist has, or None. Not to be changed."""
    found = registry.find(name)
    return None if found is None else found.op_def()


def ops_used_by_graph_def(graph_def: protos.GraphDef) -> list[str]:
    """The names of all operations in a graph and in the functions that it calls, which are left out themselves."""
    functions = {function.signature.name: function for function in graph_def.library.function}
    used: set[str] = set()
    waiting: list[Iterable[protos.NodeDef]] = [graph_def.node]
    while waiting:
        for node in waiting.pop():
            names = (node.op, node.attr["f"].func.name) if node.op in _CALLS else (node.op,)
            for name in names:
                if name not in used:
                    used.add(name)
                    if name in functions:
                        waiting.append(functions[name].node_def)
    return [name for name in used if name not in functions]


def stripped_op_list_for_graph(graph_def: protos.GraphDef, find: OpDefs = known_op_def) -> protos.OpList:
    """The OpDefs of the operations in a graph, sorted by name; operations of which none is known are left out.

    Args:
        graph_def: the graph.
        find: gives the OpDefs.
    """
    found = (find(name) for name in sorted(ops_used_by_graph_def(graph_def)))
    return protos.OpList(op=[op_def for op_def in found if op_def is not None])


def strip_graph_default_valued_attrs(meta_graph_def: protos.MetaGraphDef, find: OpDefs = known_op_def) -> None:
    """Leaves out the attributes that have their default values, in functions too, and marks the message accordingly.

    Args:
        meta_graph_def: the message, which is changed.
        find: gives the OpDefs.
    """
    library = meta_graph_def.graph_def.library.function
    functions = {function.signature.name for function in library}
    defaults: dict[str, dict[str, Any]] = {}
    for nodes in (meta_graph_def.graph_def.node, *(function.node_def for function in library)):
        for node in nodes:
            if node.op in functions:
                continue
            if node.op not in defaults:
                op_def = find(node.op)
                attrs = op_def.attr if op_def is not None else ()
                defaults[node.op] = {attr.name: attr.default_value for attr in attrs if attr.HasField("default_value")}
            known = defaults[node.op]
            for name in [name for name in node.attr if name in known and node.attr[name] == known[name]]:
                del node.attr[name]
    meta_graph_def.meta_info_def.stripped_default_attrs = True
