"""`tf.train.write_graph`."""

from __future__ import annotations

import os
from typing import Any

from gpersist import files, protos
from gpersist.graph import Graph
from gpersist.train.checkpoint_state import write_file

__all__ = ["write_graph"]


def write_graph(graph_or_graph_def: Graph | protos.GraphDef, logdir: str | os.PathLike[str], name: str, as_text: bool = True) -> str:
    """Writes a graph's message to a file, atomically (`tf.train.write_graph`).

    Args:
        graph_or_graph_def: the graph, or its message.
        logdir: the folder, made where it is missing.
        name: of the file.
        as_text: whether it is in protobuf's text format.

    Returns:
        The file's path.

    Raises:
        GPersistError: the file system said no.
    """
    message: Any = graph_or_graph_def.as_graph_def() if isinstance(graph_or_graph_def, Graph) else graph_or_graph_def
    folder = os.fspath(logdir)
    files.active().make_folders(folder or os.curdir)
    path = os.path.join(folder, name)
    write_file(path, protos.to_text(message).encode() if as_text else message.SerializeToString(deterministic=True), durable=False)
    return path
