"""Functions of a graph's library (FunctionDefs) as graphs of their own.

In a FunctionDef an input is `argument`, or `node:output:index`, `output` being a name of the node's OpDef and `index` a position in it; `ret` says
which of them is which result. `$T` stands for an attribute of the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpersist import protos
from gpersist.errors import InvalidArgumentError, NotFoundError
from gpersist.graph import registry, signature
from gpersist.graph.graph import Graph
from gpersist.graph.importing import import_graph_def
from gpersist.graph.op_type import SessionOpType
from gpersist.graph.operation import Operation
from gpersist.graph.signature import Signature
from gpersist.graph.tensor import Tensor


class FunctionCall(SessionOpType, abstract=True):
    """A node whose type is the name of a function: it calls that."""

    takes_any_device = True

    @staticmethod
    def run(ctx: Any, *arguments: Any) -> Any:
        """The results of the function."""
        function = protos.NameAttrList(name=ctx.op.type)
        for name, value in ctx.op.node_def.attr.items():
            function.attr[name].CopyFrom(value)
        results = [ctx.move(value) if hasattr(value, "dtype") else value for value in ctx.session.functions.call(function, arguments)]
        return results[0] if len(results) == 1 else results


def find_function(graph: Graph, name: str, *, is_optional: bool = False) -> Any:
    """The FunctionDef of a name in a graph's library.

    Raises:
        NotFoundError: there is none, unless it is optional: then None.
    """
    by_name = graph.__dict__.get("_functions_by_name")
    if by_name is None or len(by_name) != len(graph._library.function):
        by_name = graph.__dict__["_functions_by_name"] = {each.signature.name: each for each in graph._library.function}
    found = by_name.get(name)
    if found is None and not is_optional:
        raise NotFoundError(f"no function {name!r} in the graph's library, which has {len(by_name)}")
    return found


def body(
    graph: Graph, definition: protos.FunctionDef, attrs: Mapping[str, protos.AttrValue]
) -> tuple[Graph, list[Tensor], list[Tensor], list[Operation]]:
    """A function as a graph.

    Args:
        graph: whose library it calls.
        definition: the function.
        attrs: of the call.

    Returns:
        The graph; a placeholder for each argument; the results; and the operations that have to run besides.
    """
    made = Graph()
    made._library = graph._library
    made._own_functions = graph._own_functions
    made.allowed_ops = graph.allowed_ops
    message = protos.GraphDef(versions=graph.versions)
    arguments = {}
    for number, arg in enumerate(definition.signature.input_arg):
        node = message.node.add(name=_free(f"arg_{number}_{arg.name}", definition), op="Placeholder")
        node.attr["dtype"].type = arg.type or attrs[arg.type_attr].type
        node.attr["shape"].shape.unknown_rank = True
        arguments[arg.name] = node.name
    edges = Edges(graph, definition, arguments)
    for source in definition.node_def:
        node = message.node.add()
        node.CopyFrom(source)
        for name, value in node.attr.items():
            if value.WhichOneof("value") == "placeholder":
                if value.placeholder not in attrs:
                    raise InvalidArgumentError(f"function {definition.signature.name!r}: the call gives no attribute {value.placeholder!r}")
                node.attr[name].CopyFrom(attrs[value.placeholder])
        edges.add(node)
    there = {node.name.encode() for node in message.node}
    for node in message.node:
        if "_class" in node.attr:  # may name operations of the graph that the function was made in
            groups = node.attr["_class"].list.s
            groups[:] = [group for group in groups if group.removeprefix(b"loc:@") in there]
        node.input[:] = [edges.translated(text) for text in node.input]
    with made.as_default():
        import_graph_def(message, name="")
    if definition.signature.name in graph._own_functions:
        for op in made.get_operations():
            op.is_imported = False
    results = [made.get_tensor_by_name(_full(edges.translated(definition.ret[arg.name]))) for arg in definition.signature.output_arg]
    inputs = [made.get_tensor_by_name(f"{name}:0") for name in arguments.values()]
    return made, inputs, results, [made.get_operation_by_name(name) for name in definition.control_ret.values()]


def known_signature(graph: Graph, op_name: str) -> Signature | None:
    """The signature of an operation that is one of gpersist's, or a function of the graph."""
    found = registry.find(op_name)
    if found is not None:
        return found.signature()
    function = find_function(graph, op_name, is_optional=True)
    return None if function is None else signature.from_op_def(function.signature)


class Edges:
    """The inputs of a FunctionDef's nodes as those of a GraphDef."""

    def __init__(self, graph: Graph, definition: protos.FunctionDef, arguments: Mapping[str, str]) -> None:
        self._graph = graph
        self._function = definition.signature.name
        self._arguments = arguments
        self._nodes: dict[str, protos.NodeDef] = {}

    def add(self, node: protos.NodeDef) -> None:
        """Makes a node known. REQUIRES: its attributes are those of the call."""
        self._nodes[node.name] = node

    def translated(self, text: str) -> str:
        """An input of a node, once all nodes are known."""
        if text.startswith("^"):
            return f"^{self._arguments.get(text[1:], text[1:])}"
        name, _, place = text.partition(":")
        if name in self._arguments and not place.strip("0"):
            return self._arguments[name]
        node = self._nodes.get(name)
        output, _, index = place.partition(":")
        if node is None:
            raise InvalidArgumentError(f"function {self._function!r}: input {text!r} is neither an argument nor a node")
        if not output or output.isdecimal():
            return text
        return f"{name}:{self._start(node, output) + int(index or 0)}"

    def _start(self, node: protos.NodeDef, output: str) -> int:
        """The position of a named output among all of a node."""
        known = known_signature(self._graph, node.op)
        if known is None:
            if output == "output":  # of an operation that gpersist has not; most have one output, which is called so
                return 0
            raise NotFoundError(f"Op type not registered '{node.op}': node '{node.name}' of function {self._function!r}")
        start = 0
        for arg in known.outputs:
            if arg.name == output:
                return start
            if arg.type_list_attr:
                start += len(node.attr[arg.type_list_attr].list.type)
            else:
                start += node.attr[arg.number_attr].i if arg.number_attr else 1
        raise InvalidArgumentError(f"function {self._function!r}: node {node.name!r} ({node.op}) has no output {output!r}")


def _free(name: str, definition: protos.FunctionDef) -> str:
    taken = {node.name for node in definition.node_def}
    while name in taken:
        name += "_"
    return name


def _full(text: str) -> str:
    return text if ":" in text else f"{text}:0"
