"""Variables as constants: `tf.graph_util.convert_variables_to_constants`, what `freeze_graph` does.

A reference variable's node becomes a Const of its value. So does a resource variable's, whereupon those who read it become what reads a tensor:
ReadVariableOp becomes Identity, ResourceGather becomes GatherV2.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from gpersist import protos
from gpersist.dtypes import from_enum
from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.graph.graph import Graph
from gpersist.graph.graph_def import MAX_BYTES
from gpersist.graph.graph_util import extract_sub_graph
from gpersist.graph.tensor_proto import make_tensor_proto

_LOG = logging.getLogger("gpersist")

_VARIABLES = ("Variable", "VariableV2", "VarHandleOp")
_PASS_ON = ("Enter", "Exit", "Identity", "Merge", "NextIteration", "Switch")
_WITHOUT_REFERENCES = {f"Ref{op}": op for op in _PASS_ON}
_CALLS = ("Case", "If", "PartitionedCall", "StatefulPartitionedCall", "StatelessCase", "StatelessIf", "StatelessWhile", "While")


def convert_variables_to_constants(
    sess: Any,
    input_graph_def: protos.GraphDef,
    output_node_names: Iterable[str],
    variable_names_whitelist: Collection[str] | None = None,
    variable_names_blacklist: Collection[str] | None = None,
) -> protos.GraphDef:
    """The part of a graph that some nodes need, with variables as constants of the values that they have in a session.

    Args:
        sess: the session.
        input_graph_def: the graph; it is not changed.
        output_node_names: names of the nodes.
        variable_names_whitelist: names of the variables that become constants; all by default.
        variable_names_blacklist: names of variables that don't.

    Raises:
        TypeError, AssertionError: see `extract_sub_graph`.
        ValueError: it would be larger than 2 GB, which is found before any value is fetched.
        FailedPreconditionError: a variable has no value.
        UnimplementedError: a resource variable goes into a function.
    """
    graph_def = extract_sub_graph(input_graph_def, output_node_names)
    chosen = [
        node
        for node in graph_def.node
        if node.op in _VARIABLES
        and (variable_names_whitelist is None or node.name in variable_names_whitelist)
        and (variable_names_blacklist is None or node.name not in variable_names_blacklist)
    ]
    fetches = [_fetch_name(node, sess.graph) for node in chosen]
    check_frozen_size(graph_def, {node.name: _size_bytes(name, sess.graph) for node, name in zip(chosen, fetches, strict=True)})
    values = sess.run(fetches) if fetches else []
    variables_to_constants(graph_def, {node.name: value for node, value in zip(chosen, values, strict=True)})
    return graph_def


def variable_nodes(graph_def: protos.GraphDef) -> list[protos.NodeDef]:
    """The nodes that are variables."""
    return [node for node in graph_def.node if node.op in _VARIABLES]


def variables_to_constants(graph_def: protos.GraphDef, values: Mapping[str, Any]) -> None:
    """Makes variables of a message constants, in place; how many is logged, as TensorFlow does.

    Args:
        graph_def: the graph.
        values: of the variables, by the names of their nodes.

    Raises:
        UnimplementedError: a resource variable goes into a function.
    """
    uses: dict[str, list[protos.NodeDef]] = defaultdict(list)
    for node in graph_def.node:
        for text in node.input:
            if not text.startswith("^"):
                uses[text.partition(":")[0]].append(node)
    _LOG.info("Froze %d variables.", len(values))
    for node in variable_nodes(graph_def):
        if node.name in values:
            dtype = node.attr["dtype"].type
            value = make_tensor_proto(values[node.name], from_enum(dtype, "dtype"))
            _become(node, "Const", dtype=protos.AttrValue(type=dtype), value=protos.AttrValue(tensor=value))
            _pass_on(graph_def, node.name, uses, dtype)
    _LOG.info("Converted %d variables to const ops.", len(values))


def _pass_on(graph_def: protos.GraphDef, name: str, uses: Mapping[str, list[protos.NodeDef]], dtype: int) -> None:
    """Makes those who take a variable take a tensor."""
    waiting = list(uses.get(name, ()))
    seen: set[str] = set()
    while waiting:
        node = waiting.pop()
        if node.op == "ReadVariableOp":
            _become(node, "Identity", node.input[:1], T=node.attr["dtype"])
        elif node.op == "ResourceGather":
            _become_gather(graph_def, node)
        elif node.op == "ResourceGatherNd":
            _become(node, "GatherNd", node.input[:2], Tparams=node.attr["dtype"], Tindices=node.attr["Tindices"])
        elif node.op in _CALLS:
            raise UnimplementedError(
                f"variable {name!r} is an argument of {node.name!r} ({node.op}), and variables within functions are not frozen: leave {name!r} out "
                "with variable_names_blacklist, or inline the function first"
            )
        elif node.op in _PASS_ON or node.op in _WITHOUT_REFERENCES:
            node.op = _WITHOUT_REFERENCES.get(node.op, node.op)
            node.attr["T"].type = dtype
            node.attr.pop("_output_shapes", None)
            if node.name not in seen:
                seen.add(node.name)
                waiting += uses.get(node.name, ())


def _become(node: protos.NodeDef, op: str, inputs: Iterable[str] = (), **attrs: Any) -> None:
    """Makes a node another one of the same name, with the same colocation if it takes something."""
    name, taken = node.name, list(inputs)
    if taken and "_class" in node.attr:
        attrs["_class"] = node.attr["_class"]
    made = protos.NodeDef(name=name, op=op, input=taken, attr=attrs)
    node.CopyFrom(made)


def _become_gather(graph_def: protos.GraphDef, node: protos.NodeDef) -> None:
    if node.attr["batch_dims"].i:
        raise ValueError(f"batch_dims must be 0 for freeze_graph, but got node({node.name}).attr('batch_dims') = {node.attr['batch_dims'].i}.")
    indices = node.attr["Tindices"]
    dtype = from_enum(indices.type, "Tindices")
    axis = protos.NodeDef(name=f"{node.name}/axis", op="Const")
    axis.attr["dtype"].CopyFrom(indices)
    axis.attr["value"].tensor.CopyFrom(make_tensor_proto(np.zeros((), dtype.numpy)))
    _become(node, "GatherV2", [*node.input[:2], axis.name], Tparams=node.attr["dtype"], Tindices=indices, Taxis=indices)
    graph_def.node.append(axis)


def _fetch_name(node: protos.NodeDef, graph: Graph) -> str:
    """The name of a tensor that gives a variable's value."""
    if node.op != "VarHandleOp":
        return f"{node.name}:0"
    readers = [op for op in graph.get_tensor_by_name(f"{node.name}:0").consumers() if op.type == "ReadVariableOp"]
    if not readers:
        raise ValueError(f"variable {node.name!r} has no ReadVariableOp in the session's graph: add one, by `v.read_value()`")
    return readers[0].outputs[0].name


def _size_bytes(name: str, graph: Graph) -> int:
    tensor = graph.get_tensor_by_name(name)
    return (tensor.shape.num_elements() or 0) * (0 if tensor.dtype.base_dtype.is_string else tensor.dtype.base_dtype.size)


def check_frozen_size(graph_def: protos.GraphDef, variables: Mapping[str, int]) -> None:
    """Holds, before any value is read, that a graph will not be too large for one message.

    Args:
        graph_def: the graph.
        variables: bytes of those that will be constants, by the names of their nodes.

    Raises:
        InvalidArgumentError: it would be larger than 2 GB; names the largest constants.
    """
    sizes = dict(variables)
    sizes.update((node.name, node.ByteSize()) for node in graph_def.node if node.op == "Const")
    total = sum(sizes.values())
    if total > MAX_BYTES:
        largest = ", ".join(f"{name!r} with {sizes[name]} bytes" for name in sorted(sizes, key=lambda name: -sizes[name])[:3])
        raise InvalidArgumentError(
            f"GraphDef cannot be larger than 2GB: the frozen one would have {total} bytes. Its largest constants are {largest}: leave some out with "
            "variable_names_blacklist, and save them as a checkpoint"
        )
