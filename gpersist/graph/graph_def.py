"""A graph as a message: `Graph.as_graph_def`. The way back is `gpersist.graph.importing`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpersist import protos
from gpersist.graph import attr_value

if TYPE_CHECKING:
    from gpersist.graph.graph import Graph


def export(graph: Graph, *, from_version: int = 0, add_shapes: bool = False) -> protos.GraphDef:
    """The message of a graph.

    Nodes stand in the order in which they were made, their control inputs in that of their names, as TensorFlow writes them.

    Args:
        graph: to be exported.
        from_version: leave out this many of the first operations.
        add_shapes: give each node with outputs an attribute `_output_shapes`.
    """
    message = protos.GraphDef()
    message.versions.CopyFrom(graph.versions)
    nodes = []
    for op in graph._nodes[from_version:]:
        controls = op._control_inputs
        node = op._to_node_def(sorted(controls, key=lambda found: found.name) if len(controls) > 1 else controls)
        if add_shapes and op._outputs and (op.op_type is not None or not op.has_attr("_output_shapes")):
            shapes = node.attr["_output_shapes"].list.shape
            shapes.extend([attr_value.shape_proto(tensor.shape) for tensor in op._outputs])
        nodes.append(node)
    message.node.extend(nodes)
    if graph._library.function:
        message.library.CopyFrom(graph._library)
    return message
