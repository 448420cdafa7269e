"""A graph as the bytes of a MetaGraphDef file, made anew only when the graph has changed: a training program saves the same one again and again."""

from __future__ import annotations

import threading
from typing import Any

from gpersist import protos
from gpersist.graph import Graph, export_scoped_meta_graph
from gpersist.train.meta_graph import MAX_META_BYTES

_TRIES = 8


class ExportedGraph:
    """The encoded MetaGraphDef of a graph. Safe for threads; the graph may be changed while it is encoded."""

    def __init__(self) -> None:
        self._key: Any = None
        self._bytes = b""
        self._lock = threading.Lock()

    def encoded(self, graph: Graph, saver_def: protos.SaverDef | None, strip_default_attrs: bool) -> bytes:
        """The file's content.

        Raises:
            ValueError: it would be larger than 2 GB; names the largest constants.
        """
        with self._lock:
            for attempt in range(_TRIES):
                key = (_state_of(graph), saver_def.SerializeToString(deterministic=True) if saver_def else b"", strip_default_attrs)
                if key == self._key:
                    return self._bytes
                try:
                    found = self._encode(graph, saver_def, strip_default_attrs)
                except RuntimeError:  # something was added meanwhile to what it went through
                    if attempt == _TRIES - 1:
                        raise
                    continue
                if _state_of(graph) == key[0] or attempt == _TRIES - 1:
                    self._key, self._bytes = key, found
                    break
            return self._bytes

    @staticmethod
    def _encode(graph: Graph, saver_def: protos.SaverDef | None, strip_default_attrs: bool) -> bytes:
        meta, _ = export_scoped_meta_graph(graph=graph, saver_def=saver_def, strip_default_attrs=strip_default_attrs)
        content: bytes = meta.SerializeToString(deterministic=True)
        if len(content) >= MAX_META_BYTES:
            sizes = sorted(((node.ByteSize(), node.name) for node in meta.graph_def.node), reverse=True)[:3]
            largest = ", ".join(f"{name!r} with {size_bytes} bytes" for size_bytes, name in sizes)
            raise ValueError(f"MetaGraphDef cannot be larger than 2GB: this one would have {len(content)} bytes. Its largest nodes are {largest}")
        return content


def _state_of(graph: Graph) -> Any:
    """What changes when a graph does: its nodes, and what is in its collections."""
    return graph.version, graph._mutations, [(name, [*map(id, items)]) for name, items in list(graph._collections.items())]
