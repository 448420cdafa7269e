"""Which file a model's path means, and the graphs in it."""

from __future__ import annotations

import os
from pathlib import Path

from gpersist import protos
from gpersist.errors import CheckpointNotFoundError
from gpersist.train.meta_graph import read_message

_SAVED_MODEL_NAMES = ("saved_model.pb", "saved_model.pbtxt")


def read_model(path: str) -> tuple[str, list[protos.MetaGraphDef]]:
    """The file that a path means, and its graphs: a GraphDef, a SavedModel or its folder, a MetaGraphDef, or a checkpoint with one beside it.

    Raises:
        CheckpointNotFoundError: there is none.
        UnreadableFileError: it holds something else.
    """
    file = _file_of(path)
    if os.path.basename(file) in _SAVED_MODEL_NAMES:
        return file, list(read_message(protos.SavedModel, file).meta_graphs)
    if file.endswith(".meta"):
        return file, [read_message(protos.MetaGraphDef, file)]
    meta = protos.MetaGraphDef()
    meta.graph_def.CopyFrom(read_message(protos.GraphDef, file))
    return file, [meta]


def _file_of(path: str) -> str:
    if os.path.isdir(path):
        inside = [os.path.join(path, name) for name in sorted(os.listdir(path)) if name in _SAVED_MODEL_NAMES or name.endswith(".meta")]
        if inside:
            return inside[-1]
        exports = sorted(str(file.parent) for name in _SAVED_MODEL_NAMES for file in Path(path).glob(f"*/{name}"))
        hint = f"; {exports[-1]!r} is one" if exports else ""
        raise CheckpointNotFoundError(f"the folder {path!r} holds no model: neither a saved_model.pb nor a '*.meta' is in it{hint}")
    if os.path.isfile(path):
        beside = path.removesuffix(".index") + ".meta"
        return beside if path.endswith(".index") and os.path.isfile(beside) else path
    if os.path.isfile(path + ".meta"):
        return path + ".meta"
    raise CheckpointNotFoundError(
        f"there is no model {path!r}: expected a GraphDef (.pb, .pbtxt), a SavedModel's folder, a .meta, or a checkpoint's prefix"
    )
