"""Other methods for the signatures of a SavedModel that is there (`tf.saved_model.signature_def_utils.MethodNameUpdater`)."""

from __future__ import annotations

import logging
import os
from typing import Any

from gpersist import files
from gpersist.saved_model import constants
from gpersist.saved_model.loader import parse_saved_model

__all__ = ["MethodNameUpdater"]

_LOG = logging.getLogger("gpersist")


class MethodNameUpdater:
    """Changes the method names of signatures.

    Args:
        export_dir: the SavedModel's folder.

    Raises:
        OSError: there is no SavedModel, or its file is damaged.
    """

    def __init__(self, export_dir: str | os.PathLike[str]) -> None:
        self._export_dir = os.fsdecode(export_dir)
        self._saved_model = parse_saved_model(self._export_dir)

    def replace_method_name(self, signature_key: str, method_name: str, tags: Any = None) -> None:
        """Gives a signature another method.

        Args:
            signature_key: its name.
            method_name: one of `signature_constants`.
            tags: those of the graph; by default all graphs, each of which must have the signature.

        Raises:
            ValueError: something is empty, or there is no such graph or signature.
        """
        if not signature_key:
            raise ValueError("`signature_key` must be defined.")
        if not method_name:
            raise ValueError("`method_name` must be defined.")
        if tags is not None and not isinstance(tags, list):
            tags = [tags]
        metas = [meta for meta in self._saved_model.meta_graphs if tags is None or set(tags) == set(meta.meta_info_def.tags)]
        if not metas:
            there = [sorted(meta.meta_info_def.tags) for meta in self._saved_model.meta_graphs]
            raise ValueError(f"MetaGraphDef associated with tags {tags} could not be found in SavedModel. It has those with {there}.")
        for meta in metas:
            if signature_key not in meta.signature_def:
                raise ValueError(
                    f"MetaGraphDef associated with tags {tags} does not have a signature_def with key: '{signature_key}'. It has "
                    f"{sorted(meta.signature_def)}."
                )
            meta.signature_def[signature_key].method_name = method_name

    def save(self, new_export_dir: str | os.PathLike[str] | None = None) -> None:
        """Writes the file with the graphs, and nothing else: in the place of the old one, or into another folder.

        Raises:
            GPersistError: the file system said no.
        """
        folder = os.fsdecode(new_export_dir) if new_export_dir else self._export_dir
        is_text = files.active().stat(os.path.join(self._export_dir, constants.SAVED_MODEL_FILENAME_PBTXT)) is not None
        path = os.path.join(folder, constants.SAVED_MODEL_FILENAME_PBTXT if is_text else constants.SAVED_MODEL_FILENAME_PB)
        content = str(self._saved_model).encode() if is_text else self._saved_model.SerializeToString(deterministic=True)
        files.replace(path, content, durable=True)
        _LOG.info("SavedModel written to: %s", path)
