"""Assets: files that a graph reads when it is loaded, kept in the SavedModel's folder, each with the constant that has its path.

TensorFlow 1's builder records them in the collection `saved_model_assets`, as `AssetFileDef`s in `google.protobuf.Any`. When the model is loaded, the
constants are fed with the new paths while the main op runs.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from typing import Any

from google.protobuf import any_pb2

from gpersist import files, protos
from gpersist.dtypes import string
from gpersist.graph import Tensor, get_default_graph
from gpersist.saved_model.constants import ASSETS_DIRECTORY, ASSETS_KEY
from gpersist.saved_model.containment import contained
from gpersist.saved_model.export_folder import ExportFolder

_LOG = logging.getLogger("gpersist")
_BLOCK_BYTES = 4 << 20
_TYPE = "/tensorflow.AssetFileDef"


def add_assets(folder: ExportFolder, export_dir: str, tensors: Iterable[Tensor] | None, copied: set[str]) -> None:
    """Copies the files that constants name into a folder's `assets`, and enters them in the default graph's collection.

    Args:
        folder: the SavedModel's.
        export_dir: its name, for what is logged.
        tensors: constants with paths.
        copied: names in `assets` that are there already, and stay as they are; those that are copied are added. A file that isn't there is none.

    Raises:
        TypeError: no constant, or none with one text.
        ValueError: an empty path, or one that names no file.
    """
    if tensors is None:
        _LOG.info("No assets to save.")
        _LOG.info("No assets to write.")
        return
    entries: list[tuple[str, Tensor]] = []
    sources: dict[str, str] = {}
    for tensor in tensors:
        source = _path_in(tensor)
        name = _name_for(source, sources)
        sources[name] = source
        entries.append((name, tensor))
    _LOG.info("Assets added to graph.")
    if not entries:
        _LOG.info("No assets to write.")
        return
    folder.make_folder(ASSETS_DIRECTORY)
    for name, source in sources.items():
        if name in copied:
            continue
        if files.active().stat(source) is None:
            _LOG.warning("asset %r is not there: the SavedModel names it, and has no such file", source)
            continue
        folder.add_file(source, ASSETS_DIRECTORY, name)
        copied.add(name)
    _LOG.info("Assets written to: %s", os.path.join(export_dir, ASSETS_DIRECTORY))
    for name, tensor in entries:
        asset = protos.AssetFileDef(filename=name)
        asset.tensor_info.name = tensor.name
        packed = any_pb2.Any()
        packed.Pack(asset)
        get_default_graph().add_to_collection(ASSETS_KEY, packed)


def get_asset_tensors(export_dir: str, meta_graph_def: protos.MetaGraphDef, import_scope: str | None = None) -> dict[str, str]:
    """The names of the constants that have paths of assets, each with the path where it is now.

    Args:
        export_dir: the SavedModel's folder.
        meta_graph_def: the graph's message.
        import_scope: the scope that its nodes were imported into.

    Raises:
        InvalidArgumentError: an asset leads out of the folder of assets.
        DataLossError: the collection of assets is damaged.
    """
    found = list(meta_graph_def.asset_file_def)
    if not found and ASSETS_KEY in meta_graph_def.collection_def:
        packed = meta_graph_def.collection_def[ASSETS_KEY].any_list.value
        found = [protos.parse(protos.AssetFileDef, item.value, f"collection {ASSETS_KEY!r}") for item in packed if item.type_url.endswith(_TYPE)]
    scope = f"{import_scope}/" if import_scope else ""
    folder = contained(export_dir, ASSETS_DIRECTORY)
    return {scope + asset.tensor_info.name: contained(folder, asset.filename) for asset in found}


def _path_in(tensor: Any) -> str:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"Asset path tensor {tensor} must be a Tensor.")
    if tensor.op.type != "Const":
        raise TypeError(f"Asset path tensor {tensor} must be of type constant. Has type {tensor.op.type} instead.")
    if tensor.dtype != string:
        raise TypeError(f"Asset path tensor {tensor} must be of dtype string. Has type {tensor.dtype} instead.")
    values = tensor.op.get_attr("value").string_val
    if len(values) != 1:
        raise TypeError(f"Asset path tensor {tensor} must be a scalar.")
    if not values[0]:
        raise ValueError(f"Asset filepath tensor {tensor} is invalid: its path is empty.")
    return os.fsdecode(values[0])


def _name_for(source: str, sources: dict[str, str]) -> str:
    """A file's own name; with a number behind it if another file has that."""
    base = os.path.basename(source)
    if base not in sources or sources[base] == source or _are_equal(source, sources[base]):
        return base
    number = 1
    while f"{base}_{number}" in sources:
        number += 1
    return f"{base}_{number}"


def _are_equal(first: str, second: str) -> bool:
    system = files.active()
    descriptors: list[int] = []
    try:
        for path in (first, second):
            descriptors.append(system.open_read(path))
        if system.size(descriptors[0], first) != system.size(descriptors[1], second):
            return False
        buffers = [memoryview(bytearray(_BLOCK_BYTES)) for _ in range(2)]
        offset = 0
        while True:
            counts = [
                system.preadv(descriptor, [buffer], _BLOCK_BYTES, offset, path)
                for descriptor, buffer, path in zip(descriptors, buffers, (first, second), strict=True)
            ]
            if buffers[0][: counts[0]] != buffers[1][: counts[1]]:
                return False
            if not counts[0]:
                return True
            offset += counts[0]
    finally:
        for descriptor in descriptors:
            system.close(descriptor)
