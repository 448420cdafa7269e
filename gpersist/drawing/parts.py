"""A graph as a tree of parts by the scopes of its names, and the wires between its nodes. Knows nothing of what is shown, or where.

Malformed graphs are drawn as far as they make sense: of two nodes of one name the first has the wires, and wires from nowhere are left out.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from gpersist import protos
from gpersist.devices import DeviceSpec
from gpersist.errors import InvalidArgumentError

_MAX_DEPTH = 24
"""Of scopes; a name with more parts keeps the rest of them together."""

_NAMELESS = "(no name)"
INPUTS = frozenset({"Placeholder", "PlaceholderV2", "PlaceholderWithDefault", "_Arg", "IteratorGetNext"})
VARIABLES = frozenset({"Variable", "VariableV2", "VarHandleOp", "AutoReloadVariable", "TemporaryVariable"})
_LOOPS, _BRANCHES = frozenset({"While", "StatelessWhile", "LoopCond"}), frozenset({"If", "StatelessIf", "Case", "StatelessCase"})
_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall", "TPUPartitionedCall", "SymbolicGradient"})
_SAVERS = frozenset({"SaveV2", "RestoreV2", "Save", "SaveSlices", "Restore", "RestoreSlice", "MergeV2Checkpoints", "ShardedFilename"})
_SAVE = re.compile(r"save(_\d+)?")
_NO_OUTPUTS = _SAVERS | {"NoOp", "Assert", "Const", "MergeSummary"}


@dataclasses.dataclass(eq=False, slots=True)
class Part:
    """A node, or parts that belong together.

    Attributes:
        name: of the node, or the scope's, which ends in a slash.
        label: what is left of the name within the part that holds this one.
        kind: of a node `operation`, `constant`, `variable`, `input`, `output`, `loop`, `branch`, `call` or `group`; of others `scope`, `variable`,
            `loop`, `branch`, `saver`, `function`, `library`, `series` (alike, side by side or one after another), or `run` (what follows each other).
        parent: what holds it; None for the whole.
        node: the node's message; None where this is none.
        children: the parts in it.
        absorbed: constants that are shown as a part of this.
        depth: how many parts hold it.
        ops: how many nodes of each type are in it.
        devices: how many nodes on each device are in it, by short names.
    """

    name: str
    label: str
    kind: str
    parent: Part | None = None
    node: protos.NodeDef | None = None
    children: list[Part] = dataclasses.field(default_factory=list)
    absorbed: list[Part] = dataclasses.field(default_factory=list)
    depth: int = 0
    ops: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    devices: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)

    @property
    def size(self) -> int:
        """The number of nodes."""
        return self.ops.total()


class Wire(NamedTuple):
    """An input of a node."""

    source: Part
    target: Part
    is_control: bool


def take_apart(graph_def: protos.GraphDef, outputs: Iterable[str] = ()) -> tuple[Part, list[Wire]]:
    """The parts of a graph, and of the functions in its library.

    Args:
        graph_def: the graph.
        outputs: names of nodes or tensors that it is for; by default what nothing takes.
    """
    whole = Part("", "", "scope")
    functions = {function.signature.name for function in graph_def.library.function}
    parts = _sown(whole, graph_def.node, functions)
    wires = list(_wired(parts))
    _mark_outputs(parts, wires, outputs)
    if functions:
        library = _added(whole, Part("functions()/", "functions", "library"))
        for function in graph_def.library.function:
            wires += _function(library, function, functions)
        wires += _calls(library)
    _count(whole)
    return whole, wires


def all_parts(whole: Part) -> list[Part]:
    """A part and all in it, each after what holds it."""
    found = [whole]
    for part in found:
        found += part.children
    return found


@functools.lru_cache(4096)
def short_device(text: str) -> str:
    """A device as it is spoken of: `GPU:0`, `worker:1 GPU:0`; empty for none."""
    try:
        spec = DeviceSpec.from_string(text)
    except InvalidArgumentError:
        return text
    task = "".join(f":{number}" for number in (spec.replica or None, spec.task) if number is not None)
    host = f"{spec.job or 'task'}{task}" if spec.job not in (None, "localhost") or spec.task else ""
    device = "" if spec.device_type is None else f"{spec.device_type}:{'*' if spec.device_index is None else spec.device_index}"
    return f"{host} {device}".strip()


def _sown(root: Part, nodes: Iterable[protos.NodeDef], functions: set[str]) -> list[Part]:
    """The nodes' parts, put under a root by their names."""
    scopes: dict[str, Part] = {"": root}
    named: list[tuple[Part, protos.NodeDef]] = []
    found = []
    born: dict[Part, int] = {}
    for number, node in enumerate(nodes):
        *above, last = node.name.split("/", _MAX_DEPTH)
        scope, path = root, ""
        for label in above:
            path += label + "/"
            if path not in scopes:
                scopes[path] = _added(scope, Part(root.name + path, label or _NAMELESS, "scope"))
                born[scopes[path]] = number
            scope = scopes[path]
        named.append((scope, node))
        found.append(Part(root.name + node.name, last or _NAMELESS, _kind(node, functions), node=node))
        born[found[-1]] = number
        found[-1].ops[node.op] = 1
        found[-1].devices[short_device(node.device)] = 1
    for part, (scope, node) in zip(found, named, strict=True):
        _added(scopes.get(node.name + "/", scope), part)  # a node that a scope is named after is in it
    for scope in scopes.values():
        scope.children.sort(key=lambda part: born.get(part, -1))
    return found


def _kind(node: protos.NodeDef, functions: set[str]) -> str:
    op = node.op
    if op == "Const":
        return "constant"
    if op in INPUTS:
        return "input"
    if op in VARIABLES:
        return "variable"
    if op in ("While", "StatelessWhile"):
        return "loop"
    if op in _BRANCHES:
        return "branch"
    if op == "NoOp":
        return "group"
    return (
        "call" if op in functions or op in ("PartitionedCall", "StatefulPartitionedCall", "TPUPartitionedCall", "SymbolicGradient") else "operation"
    )


def _scope_kind(scope: Part) -> str:
    ops = {child.node.op for child in scope.children if child.node is not None}
    if any(child.kind == "variable" and child.node is not None and child.name + "/" == scope.name for child in scope.children):
        return "variable"
    if ops & _LOOPS:
        return "loop"
    if ops & _BRANCHES or {"Switch", "Merge"} <= ops:
        return "branch"
    if scope.ops.keys() <= {"NoOp"}:
        return "group"
    return "saver" if _SAVE.fullmatch(scope.label) and scope.ops.keys() & _SAVERS else "scope"


def _wired(parts: Sequence[Part]) -> Iterator[Wire]:
    """The wires between parts of one graph."""
    by_name: dict[str, Part] = {}
    for part in parts:
        assert part.node is not None
        by_name.setdefault(part.node.name, part)
    for part in parts:
        assert part.node is not None
        for text in part.node.input:
            source = by_name.get(text.removeprefix("^").partition(":")[0])
            if source is not None:
                yield Wire(source, part, text.startswith("^"))


def _mark_outputs(parts: Sequence[Part], wires: Sequence[Wire], outputs: Iterable[str]) -> None:
    """Has the parts that a graph is for, or that nothing takes, be outputs."""
    wanted = {name.partition(":")[0] for name in outputs} & {part.node.name for part in parts if part.node is not None}
    taken = {wire.source for wire in wires}
    for part in parts:
        assert part.node is not None
        is_end = part not in taken and part.node.op not in _NO_OUTPUTS and any(not text.startswith("^") for text in part.node.input)
        is_end = is_end and not part.label.startswith("control_dependency")  # what gradients leave behind
        if part.kind in ("operation", "call", "loop", "branch") and (part.node.name in wanted if wanted else is_end):
            part.kind = "output"


def _function(library: Part, function: protos.FunctionDef, functions: set[str]) -> list[Wire]:
    name = function.signature.name
    root = _added(library, Part(f"{name}()/", name, "function"))
    nodes = [protos.NodeDef(name=argument.name, op="_Arg") for argument in function.signature.input_arg]
    nodes += function.node_def
    returned = [protos.NodeDef(name=result, op="_Retval", input=[tensor]) for result, tensor in sorted(function.ret.items())]
    parts = _sown(root, nodes, functions)
    wires = list(_wired(parts))
    sources = {part.node.name: part for part in reversed(parts) if part.node is not None}
    for part, node in zip(_sown(root, returned, functions), returned, strict=True):
        part.kind = "output"
        source = sources.get(node.input[0].partition(":")[0])
        if source is not None:
            wires.append(Wire(source, part, False))
    return wires


def _calls(library: Part) -> Iterator[Wire]:
    """From what calls a function to the function; told as control edges."""
    assert library.parent is not None
    roots = {root.label: root for root in reversed(library.children)}
    for part in all_parts(library.parent):
        if part.node is not None:
            for name in called(part.node):
                if name in roots:
                    yield Wire(part, roots[name], True)


def called(node: protos.NodeDef) -> list[str]:
    """The names of the functions that a node may call."""
    found = [node.op]
    for value in node.attr.values():
        if value.WhichOneof("value") == "func":
            found.append(value.func.name)
        elif value.list.func:
            found += [function.name for function in value.list.func]
    return found


def _added(scope: Part, part: Part) -> Part:
    part.parent, part.depth = scope, scope.depth + 1
    scope.children.append(part)
    return part


def _count(whole: Part) -> None:
    """Has each scope know what is in it, and what it is."""
    for part in reversed(all_parts(whole)):
        if part.parent is not None:
            if part.kind == "scope":
                part.kind = _scope_kind(part)
            _add(part.parent.ops, part.ops)
            _add(part.parent.devices, part.devices)


def _add(counts: collections.Counter[str], more: collections.Counter[str]) -> None:
    for key, count in more.items():  # several times as fast as Counter.update for a few keys
        counts[key] = counts.get(key, 0) + count


def join_chains(whole: Part) -> None:
    """Has a scope with one part only stand for that part."""
    scopes = [whole]
    for scope in scopes:
        for number, child in enumerate(scope.children):
            while len(child.children) == 1 and child.kind in ("scope", "variable"):
                (only,) = child.children
                if child.name != only.name + "/":
                    only.label = f"{child.label}/{only.label}"
                child = only
            scope.children[number] = child
        scopes += scope.children
