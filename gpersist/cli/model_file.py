"""Which file a model's path means, the graphs in it, and which of them is meant."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from gpersist import protos
from gpersist.bundle import describe
from gpersist.errors import CheckpointNotFoundError, DataLossError, InvalidArgumentError, NotFoundError

SAVED_MODEL_NAMES = ("saved_model.pb", "saved_model.pbtxt")


def read_model(path: str) -> tuple[str, list[protos.MetaGraphDef]]:
    """The file that a path means, and its graphs: a GraphDef, a SavedModel or its folder, a MetaGraphDef, or a checkpoint with one beside it.

    Raises:
        CheckpointNotFoundError: there is none.
        DataLossError: it holds something else, or nothing.
    """
    from gpersist.train.meta_graph import read_message  # with all operations, which only a model's file needs

    file = _file_of(path)
    if not os.path.getsize(file):
        raise DataLossError(f"{file!r} is {describe(b'', 0)}")
    if os.path.basename(file) in SAVED_MODEL_NAMES:
        return file, list(read_message(protos.SavedModel, file).meta_graphs)
    if file.endswith(".meta"):
        return file, [read_message(protos.MetaGraphDef, file)]
    meta = protos.MetaGraphDef()
    try:
        meta.graph_def.CopyFrom(read_message(protos.GraphDef, file))
    except DataLossError:
        with suppress(DataLossError):  # a MetaGraphDef under another name than .meta
            meta = read_message(protos.MetaGraphDef, file)
        if not meta.graph_def.node:
            raise
    return file, [meta]


def saved_model_in(folder: str) -> str | None:
    """The file of the SavedModel in a folder."""
    return next(filter(os.path.isfile, (os.path.join(folder, name) for name in SAVED_MODEL_NAMES)), None)


def saved_model_of(prefix: str) -> str | None:
    """The file of the SavedModel whose values a checkpoint is: `<folder>/saved_model.pb` of `<folder>/variables/variables`."""
    folder = os.path.dirname(prefix)
    is_named_so = os.path.basename(os.path.abspath(folder)) == "variables"
    return saved_model_in(os.path.normpath(os.path.join(folder, os.pardir))) if is_named_so else None


def choose_graph(file: str, metas: Sequence[protos.MetaGraphDef], tag_set: str | None) -> protos.MetaGraphDef:
    """The graph of a model's file that is meant: by its tags, or the one for serving, or the only one.

    Raises:
        NotFoundError: no graph has these tags.
        InvalidArgumentError: there are several, and it is not told which.
    """
    wanted = {"serve"} if tag_set is None else set(filter(None, tag_set.split(",")))
    found = [meta for meta in metas if set(meta.meta_info_def.tags) == wanted]
    if found:
        return found[0]
    if tag_set is None and len(metas) == 1:
        return metas[0]
    sets = "; ".join(",".join(meta.meta_info_def.tags) or "no tags" for meta in metas) or "none"
    if tag_set is None:
        raise InvalidArgumentError(f"{file!r} has several graphs: choose one by --tag-set; their tags: {sets}")
    raise NotFoundError(f"{file!r} has no graph with the tags {tag_set!r}; those of its graphs: {sets}")


def _file_of(path: str) -> str:
    if os.path.isdir(path):
        inside = [os.path.join(path, name) for name in sorted(os.listdir(path)) if name in SAVED_MODEL_NAMES or name.endswith(".meta")]
        if inside:
            return inside[-1]
        exports = [file.parent for name in SAVED_MODEL_NAMES for file in Path(path).glob(f"*/{name}")]
        last = max(
            exports, key=lambda folder: (folder.name.isdecimal(), int(folder.name) if folder.name.isdecimal() else 0, folder.name), default=None
        )
        hint = f"; {len(exports)} of its folders hold one: name one of them, such as the last, {str(last)!r}" if last else ""
        raise CheckpointNotFoundError(f"the folder {path!r} holds no model: neither a saved_model.pb nor a '*.meta' is in it{hint}")
    if os.path.isfile(path):
        beside = path.removesuffix(".index") + ".meta"
        return beside if path.endswith(".index") and os.path.isfile(beside) else path
    if os.path.isfile(path + ".meta"):
        return path + ".meta"
    raise CheckpointNotFoundError(
        f"there is no model {path!r}: expected a GraphDef (.pb, .pbtxt), a SavedModel's folder, a .meta, or a checkpoint's prefix"
    )
