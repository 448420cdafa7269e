"""Parts of a graph's message: what some nodes need, and what is needed for more than training. The GraphDef half of `tf.graph_util`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from gpersist import protos
from gpersist.dtypes import int32, string
from gpersist.graph.graph import Graph
from gpersist.graph.messages import own
from gpersist.graph.operation import Operation
from gpersist.shapes import TensorShape

_VARIABLE_OPS = frozenset(
    ("Assign", "AssignAdd", "AssignSub", "Queue", "ScatterAdd", "ScatterSub", "ScatterUpdate", "TruncatedNormal", "Variable", "VariableV2")
)
_SPLICED_OPS = ("Identity", "StopGradient")


def extract_sub_graph(graph_def: protos.GraphDef, dest_nodes: Iterable[str]) -> protos.GraphDef:
    """The nodes that some nodes need, and those that they are colocated with (`tf.graph_util.extract_sub_graph`).

    Args:
        graph_def: the graph; it is not changed.
        dest_nodes: names of the nodes.

    Returns:
        A graph of them, in the same order, with the functions and versions of the whole one.

    Raises:
        TypeError: an argument of another kind.
        AssertionError: a node that is not there.
        KeyError: a node that is not there is the input of one that is.
    """
    graph_def = own(protos.GraphDef, graph_def, "graph_def")
    if isinstance(dest_nodes, str):
        raise TypeError(f"dest_nodes must be an iterable of strings, but got type {type(dest_nodes)}.")
    wanted = list(dest_nodes)
    nodes = {node.name: node for node in graph_def.node}
    for name in wanted:
        if name not in nodes:
            raise AssertionError(f"{name} is not in graph")
    kept: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name not in kept:
            kept.add(name)
            wanted += [input_name(text) for text in nodes[name].input]
            wanted += colocated_with(nodes[name])
    found = protos.GraphDef(node=[node for node in graph_def.node if node.name in kept])
    found.library.CopyFrom(graph_def.library)
    found.versions.CopyFrom(graph_def.versions)
    return found


def remove_training_nodes(input_graph: protos.GraphDef, protected_nodes: Collection[str] | None = None) -> protos.GraphDef:
    """The graph without nodes that matter in training only (`tf.graph_util.remove_training_nodes`).

    CheckNumerics goes; so do Identity and StopGradient, unless control inputs go in or out or another node is colocated with them.

    Args:
        input_graph: the graph; it is not changed.
        protected_nodes: names of nodes that stay.

    Returns:
        The nodes that stay; no functions and no versions, as in TensorFlow.
    """
    protected = protected_nodes or ()
    checks = {node.name: node.input[0] for node in input_graph.node if node.op == "CheckNumerics" and node.name not in protected}
    nodes = [
        _with_inputs(node, [_source(text, checks) for text in node.input if text[:1] != "^" or text[1:] not in checks])
        for node in input_graph.node
        if node.name not in checks
    ]
    controlling = {text[1:] for node in nodes for text in node.input if text.startswith("^")}
    controlled = {node.name for node in nodes if any(text.startswith("^") for text in node.input)}
    hosts = {name for node in nodes for name in colocated_with(node)}
    kept = controlling | controlled | hosts | set(protected)
    spliced = {node.name: node.input[0] for node in nodes if node.op in _SPLICED_OPS and node.name not in kept}
    return protos.GraphDef(node=[_with_inputs(node, [_source(text, spliced) for text in node.input]) for node in nodes if node.name not in spliced])


def _source(text: str, spliced: Mapping[str, str]) -> str:
    """The input that an input is once the nodes in between are gone."""
    while text in spliced:
        text = spliced[text]
    return text


def must_run_on_cpu(node: Operation | protos.NodeDef, pin_variables_on_cpu: bool = False) -> bool:
    """Whether TensorFlow runs a node on the host only (`tf.graph_util.must_run_on_cpu`).

    Args:
        node: an operation or its message.
        pin_variables_on_cpu: whether operations on variables count as such.
    """
    node_def = node.node_def if isinstance(node, Operation) else node
    assert getattr(getattr(node_def, "DESCRIPTOR", None), "full_name", None) == "tensorflow.NodeDef"
    if pin_variables_on_cpu and node_def.op in _VARIABLE_OPS:
        return True
    if node_def.op == "Const":
        return node_def.attr["dtype"].type in (string.enum, int32.enum)
    attr = {"DynamicStitch": "T", "ParallelDynamicStitch": "T", "Cast": "SrcT"}.get(node_def.op)
    return attr is not None and node_def.attr[attr].type == int32.enum


def tensor_shape_from_node_def_name(graph: Graph, input_name: str) -> TensorShape:
    """The shape of a tensor that is named as inputs in a message are (`tf.graph_util.tensor_shape_from_node_def_name`)."""
    return graph.get_tensor_by_name(input_name if ":" in input_name else f"{input_name}:0").get_shape()


def input_name(text: str) -> str:
    """The name of the node that an input in a message is of."""
    return text[1:] if text.startswith("^") else text.partition(":")[0]


def colocated_with(node: protos.NodeDef) -> Iterator[str]:
    """The names of the nodes that a node shares a device with."""
    if "_class" in node.attr:
        for group in node.attr["_class"].list.s:
            yield group.decode("utf-8").removeprefix("loc:@")


def _with_inputs(node: protos.NodeDef, inputs: Iterable[str]) -> Any:
    copy = protos.NodeDef()
    copy.CopyFrom(node)
    copy.input[:] = list(inputs)
    return copy
