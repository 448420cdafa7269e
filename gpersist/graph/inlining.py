"""Calls of functions in a graph's message, replaced by the functions' nodes; what is left after that are branches and loops.

Node `n` of a function that node `call` calls becomes `call/n`. Where others take `call`'s results, they take what the function returns; where they
wait for it, they wait for the operations that the function has to run besides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from gpersist import protos
from gpersist.errors import InvalidArgumentError
from gpersist.graph import registry
from gpersist.graph.function_library import Edges, find_function
from gpersist.graph.graph import Graph
from gpersist.graph.graph_util import input_name

CALLS = ("PartitionedCall", "StatefulPartitionedCall")
"""Operations that call the function of their attribute `f`; those that are called as functions are do so as well."""

MAX_NODES = 1_000_000
"""How many nodes a graph may come to; a small file can tell of as many as it likes."""


def without_idle_controls(graph_def: protos.GraphDef) -> None:
    """Has nodes wait no more for others that neither change anything nor depend on what does; in place."""
    takers: dict[str, list[str]] = defaultdict(list)
    waiting: list[str] = []
    for node in graph_def.node:
        op_type = registry.find(node.op)
        if op_type is None or op_type.is_stateful:
            waiting.append(node.name)
        for text in node.input:
            takers[input_name(text)].append(node.name)
    acting: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in acting:
            acting.add(name)
            waiting += takers[name]
    for node in graph_def.node:
        if any(text.startswith("^") for text in node.input):
            node.input[:] = [text for text in node.input if not text.startswith("^") or text[1:] in acting]


def inline_calls(graph_def: protos.GraphDef, wanted: Iterable[str] = ()) -> protos.GraphDef:
    """A graph without calls, those in branches and bodies of loops excepted.

    Args:
        graph_def: the graph; it is not changed.
        wanted: names of nodes that somebody will fetch: a call among them stays, as an identity of its results.

    Raises:
        NotFoundError: the library lacks a function.
        InvalidArgumentError: a function calls itself, is called with another number of arguments, or the graph would be too large.
    """
    return _Inliner(graph_def, frozenset(wanted)).inlined()


class _Inliner:
    """One graph in the making."""

    def __init__(self, graph_def: protos.GraphDef, wanted: Collection[str]) -> None:
        self._source = graph_def
        self._wanted = wanted
        self._graph = Graph()
        self._graph._library = graph_def.library
        self._functions = {each.signature.name for each in graph_def.library.function}
        self._nodes: dict[str, protos.NodeDef] = {}
        self._prefixes = {node.name.rpartition("/")[0] for node in graph_def.node}
        self._results: dict[str, list[str]] = {}
        self._waits: dict[str, list[str]] = {}

    def inlined(self) -> protos.GraphDef:
        """The graph; called once."""
        waiting: list[tuple[protos.NodeDef, tuple[str, ...]]] = [(node, ()) for node in reversed(self._source.node)]
        while waiting:
            node, callers = waiting.pop()
            name = self._called(node)
            if name is None:
                self._nodes[node.name] = node
                if len(self._nodes) > MAX_NODES:
                    raise InvalidArgumentError(f"the graph comes to more than {MAX_NODES} nodes with all functions that it calls")
            elif name in callers:
                raise InvalidArgumentError(f"function {name!r} calls itself ({' -> '.join([*callers, name])}): it would never end")
            else:
                waiting += [(inner, (*callers, name)) for inner in reversed(self._expanded(node, name))]
        result = protos.GraphDef(versions=self._source.versions, library=self._source.library)
        for node in self._nodes.values():
            made = result.node.add()
            made.CopyFrom(node)
            self._reconnect(made)
        self._add_stand_ins(result)
        return result

    def _called(self, node: protos.NodeDef) -> str | None:
        """The function that a node is a call of."""
        if node.op in CALLS:
            return node.attr["f"].func.name
        return node.op if node.op in self._functions else None

    def _expanded(self, call: protos.NodeDef, name: str) -> list[protos.NodeDef]:
        """The nodes of a function that is called; notes what takes the place of the call's outputs."""
        definition = find_function(self._graph, name)
        given = [text for text in call.input if not text.startswith("^")]
        controls = [text for text in call.input if text.startswith("^")]
        names = [arg.name for arg in definition.signature.input_arg]
        if len(given) != len(names):
            raise InvalidArgumentError(f"function {name!r} takes {len(names)} arguments, and node {call.name!r} calls it with {len(given)}")
        attrs = call.attr["f"].func.attr if call.op in CALLS else call.attr
        arguments = dict(zip(names, given, strict=True))
        prefix = call.name
        while prefix in self._prefixes:
            prefix += "_"
        self._prefixes.add(prefix)
        edges = Edges(self._graph, definition, {each: each for each in names})
        made: list[protos.NodeDef] = []
        for source in definition.node_def:
            node = protos.NodeDef()
            node.CopyFrom(source)
            for key, value in source.attr.items():
                if value.WhichOneof("value") == "placeholder":
                    if value.placeholder not in attrs:
                        raise InvalidArgumentError(f"function {name!r}: the call {call.name!r} gives no attribute {value.placeholder!r}")
                    node.attr[key].CopyFrom(attrs[value.placeholder])
            node.device = node.device or call.device
            made.append(node)
            edges.add(node)

        def outer(text: str) -> str:
            """An edge of the function as one of the graph."""
            text = edges.translated(text)
            source = input_name(text)
            if source in arguments:
                return f"^{input_name(arguments[source])}" if text.startswith("^") else arguments[source]
            return f"^{prefix}/{source}" if text.startswith("^") else f"{prefix}/{text}"

        inside = {node.name for node in made}
        results = [outer(definition.ret[arg.name]) for arg in definition.signature.output_arg]
        also = [f"^{prefix}/{each}" for each in definition.control_ret.values()]
        for node in made:
            inputs = [outer(text) for text in node.input]
            if controls and node.op != "Const" and not any(input_name(edges.translated(text)) in inside for text in node.input):
                inputs += [text for text in controls if text not in inputs]
            node.input[:] = inputs
            if "_class" in node.attr:
                groups = [group.decode().removeprefix("loc:@") for group in node.attr["_class"].list.s]
                node.attr["_class"].list.s[:] = [f"loc:@{prefix}/{group}".encode() for group in groups if group in inside]
                if not node.attr["_class"].list.s:
                    del node.attr["_class"]
            node.name = f"{prefix}/{node.name}"
        self._results[call.name] = results
        self._waits[call.name] = list(dict.fromkeys([*also, *(f"^{input_name(text)}" for text in results), *controls]))
        return made

    def _reconnect(self, node: protos.NodeDef) -> None:
        """Has a node take what calls return instead of the calls."""
        data = [self._resolved(text) for text in node.input if not text.startswith("^")]
        controls = [each for text in node.input if text.startswith("^") for each in self._awaited(text)]
        node.input[:] = [*data, *dict.fromkeys(controls)]

    def _resolved(self, text: str) -> str:
        """What an edge comes from once calls are gone."""
        seen: set[str] = set()
        while True:
            name, _, index = text.partition(":")
            results = self._results.get(name)
            if results is None:
                return text
            if text in seen:
                raise InvalidArgumentError(f"{text!r}, a result of a call, is made of nothing but itself")
            seen.add(text)
            position = int(index or 0)
            if position >= len(results):
                raise InvalidArgumentError(f"{text!r} is an input, and {name!r} has {len(results)} outputs")
            text = results[position]

    def _awaited(self, text: str) -> list[str]:
        """The nodes to wait for instead of a call."""
        found: dict[str, None] = {}
        waiting, seen = [text], set[str]()
        while waiting:
            each = waiting.pop()
            if each in seen:
                continue
            seen.add(each)
            if each[1:] in self._waits:
                waiting += self._waits[each[1:]]
            else:
                found[each] = None
        return list(found)

    def _add_stand_ins(self, result: protos.GraphDef) -> None:
        """Identities of the results of calls that somebody will fetch."""
        dtypes = {node.name: node for node in self._source.node if node.name in self._results}
        for name in self._results:
            if name not in self._wanted or name not in dtypes:
                continue
            call = dtypes[name]
            types = self._types(call)
            inputs = [self._resolved(f"{name}:{index}") for index in range(len(types))]
            stand_in = result.node.add(name=name, op=("NoOp", "Identity")[len(types)] if len(types) < 2 else "IdentityN", device=call.device)
            stand_in.input[:] = [*inputs, *(text for text in self._awaited(f"^{name}") if text[1:] not in map(input_name, inputs))]
            if len(types) == 1:
                stand_in.attr["T"].type = types[0]
            elif types:
                stand_in.attr["T"].list.type[:] = types

    def _types(self, call: protos.NodeDef) -> list[int]:
        if call.op in CALLS:
            return list(call.attr["Tout"].list.type)
        definition = find_function(self._graph, call.op)
        return [arg.type or call.attr[arg.type_attr].type for arg in definition.signature.output_arg]
