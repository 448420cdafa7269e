"""What it takes to run a graph: which operations it has, and which of them gpersist has not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from gpersist import protos
from gpersist.errors import NotFoundError
from gpersist.graph import registry
from gpersist.graph.function_library import find_function
from gpersist.graph.operation import Operation
from gpersist.graph.placer import with_op

_CALLS = ("PartitionedCall", "StatefulPartitionedCall")


class Requirement(NamedTuple):
    """An operation that a graph needs.

    Attributes:
        op: its type.
        nodes: the names of all nodes of it; of one in a function, the function's name and a colon before it.
        is_known: whether gpersist has it.
        has_device_kernel: whether it can run on a device; if not, it runs on the host.
        needs_permission: whether it touches files, or calls Python, so that a loaded graph may have to be allowed to (`Graph.allow_ops`).
    """

    op: str
    nodes: tuple[str, ...]
    is_known: bool
    has_device_kernel: bool
    needs_permission: bool


def requirements(graph_def: protos.GraphDef) -> list[Requirement]:
    """What a message needs, sorted by type."""
    functions = {function.signature.name for function in graph_def.library.function}
    nodes: dict[str, list[str]] = {}
    for name, op in _all_nodes(graph_def):
        if op not in functions:
            nodes.setdefault(op, []).append(name)
    found = []
    for op, names in sorted(nodes.items()):
        op_type = registry.find(op)
        if op_type is None:
            found.append(Requirement(op, tuple(names), is_known=False, has_device_kernel=False, needs_permission=False))
            continue
        reaches_out = bool(op_type.path_inputs or op_type.path_attrs or op_type.calls_python)
        found.append(Requirement(op, tuple(names), is_known=True, has_device_kernel=not op_type.is_host_only, needs_permission=reaches_out))
    return found


def _all_nodes(graph_def: protos.GraphDef) -> Iterator[tuple[str, str]]:
    for node in graph_def.node:
        yield node.name, node.op
    for function in graph_def.library.function:
        for node in function.node_def:
            yield f"{function.signature.name}: {node.name}", node.op


def check_known(ops: Iterable[Operation]) -> None:
    """Looks for operations that gpersist has not, before anything runs: in functions that are called, too, but not in branches that may not be taken.

    Raises:
        NotFoundError: there are some; it names them all, with how many nodes there are of each, and the first.
    """
    missing: dict[str, list[str]] = {}
    first: Operation | None = None
    seen: set[str] = set()
    for op in ops:
        count = len(missing)
        if op.op_type is None and find_function(op.graph, op.type, is_optional=True) is None:
            missing.setdefault(op.type, []).append(op.name)
        elif op.op_type is None:
            _look_into(op.graph, op.type, missing, seen)
        elif op.type in _CALLS:
            _look_into(op.graph, op.attr("f").name, missing, seen)
        if len(missing) > count and first is None:
            first = op
    if first is None:
        return
    (op_name, names), *others = missing.items()
    also = "".join(f"; '{other}': {_told(nodes)}" for other, nodes in others)
    raise with_op(
        NotFoundError(
            f"Op type not registered '{op_name}': {_told(names)}{also}. gpersist has no such operation, so that the graph can be exported, but this "
            "not run; fetch something that does not need it, or feed its outputs"
        ),
        first,
    )


def _told(names: list[str]) -> str:
    return f"node '{names[0]}'" if len(names) == 1 else f"{len(names)} nodes, the first of them '{names[0]}'"


def _look_into(graph: Any, name: str, missing: dict[str, list[str]], seen: set[str]) -> None:
    waiting = [name]
    while waiting:
        name = waiting.pop()
        definition = find_function(graph, name, is_optional=True)
        if name in seen or definition is None:
            continue
        seen.add(name)
        for node in _needed(definition):
            if find_function(graph, node.op, is_optional=True) is not None:
                waiting.append(node.op)
            elif registry.find(node.op) is None:
                missing.setdefault(node.op, []).append(f"{name}: {node.name}")
            elif node.op in _CALLS:
                waiting.append(node.attr["f"].func.name)


def _needed(definition: protos.FunctionDef) -> list[protos.NodeDef]:
    """The nodes that the results of a function depend on."""
    nodes = {node.name: node for node in definition.node_def}
    waiting = [text.partition(":")[0] for text in (*definition.ret.values(), *definition.control_ret.values())]
    found: dict[str, protos.NodeDef] = {}
    while waiting:
        name = waiting.pop()
        if name in nodes and name not in found:
            found[name] = nodes[name]
            waiting += [text.removeprefix("^").partition(":")[0] for text in nodes[name].input]
    return list(found.values())
