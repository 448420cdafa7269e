"""A frozen graph written anew: without devices, the part of it that some outputs need, as binary or as text."""

from __future__ import annotations

import os
from collections.abc import Iterable

from gpersist import protos
from gpersist.convert.freezing import output_nodes
from gpersist.errors import DataLossError
from gpersist.graph import extract_sub_graph
from gpersist.train.graph_io import write_graph
from gpersist.train.meta_graph import read_message

_TEXT = ".pbtxt"


def convert_graph(
    source: str | os.PathLike[str], target: str | os.PathLike[str], outputs: Iterable[str] = (), *, clear_devices: bool = False
) -> protos.GraphDef:
    """Writes a graph's file from another one.

    Args:
        source: the file, binary or text.
        target: the file to write; in text if its name ends in `.pbtxt`. What is there is replaced when the new one is whole; may be `source`.
        outputs: names of tensors, or of nodes: what these don't need is left out; by default all is kept.
        clear_devices: whether nodes lose their devices, those of functions too.

    Returns:
        The graph that was written.

    Raises:
        CheckpointNotFoundError: there is no such file.
        DataLossError: it holds no graph.
        NotFoundError: no such output.
        GPersistError: the file system said no.
    """
    graph_def: protos.GraphDef = read_message(protos.GraphDef, source)
    if not graph_def.node:
        raise DataLossError(f"{os.fsdecode(source)!r} has no nodes: it is empty, or no graph")
    wanted = [outputs] if isinstance(outputs, str) else list(outputs)
    if wanted:
        try:
            graph_def = extract_sub_graph(graph_def, output_nodes(graph_def, wanted))
        except KeyError as error:
            raise DataLossError(f"the graph is damaged: {error.args[0]!r}, which a node takes, is not in it") from error
    if clear_devices:
        for nodes in (graph_def.node, *(function.node_def for function in graph_def.library.function)):
            for node in nodes:
                node.device = ""
    folder, name = os.path.split(os.fsdecode(target))
    write_graph(graph_def, folder, name, as_text=name.endswith(_TEXT))
    return graph_def
