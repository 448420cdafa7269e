"""Reads a SavedModel as TensorFlow 1 does: adds a graph to a session's, restores its variables, runs its main op (`tf.saved_model.loader`)."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from typing import Any

from gpersist import files, protos
from gpersist.bundle import index_path
from gpersist.errors import CheckpointNotFoundError
from gpersist.graph import BaseSession, Graph, GraphKeys, Operation, Tensor
from gpersist.saved_model import constants
from gpersist.saved_model.assets import get_asset_tensors
from gpersist.saved_model.containment import contained
from gpersist.saved_model.signature_def_utils import load_op_from_signature_def
from gpersist.train.meta_graph import import_meta_graph_with_return_elements, read_message
from gpersist.train.saver import Saver

__all__ = ["SavedModelLoader", "load", "maybe_saved_model_directory", "parse_saved_model"]

_LOG = logging.getLogger("gpersist")

Path = str | os.PathLike[str]


def load(
    sess: BaseSession, tags: Iterable[str], export_dir: Path, import_scope: str | None = None, *, device_map: Any = None, **saver_kwargs: Any
) -> protos.MetaGraphDef:
    """Adds the graph that has these tags to a session's, restores its variables, and runs its main op (`tf.saved_model.loader.load`).

    Args:
        sess: the session.
        tags: all tags of the graph.
        export_dir: the SavedModel's folder.
        import_scope: a prefix for all names.
        device_map: where variables go, instead of the devices that their nodes name; see `Saver.restore`.
        saver_kwargs: for `import_meta_graph`, such as `clear_devices=True`.

    Returns:
        The graph's message, with its signatures; names in it are without `import_scope`.

    Raises:
        OSError: there is no SavedModel, or its file is damaged.
        RuntimeError: it has no graph of these tags; says of which.
        InvalidArgumentError: variables or assets lead out of the folder.
        ValueError: there are no variables. Until here nothing is added.
        NotFoundError, InvalidArgumentError, DataLossError: the variables don't fit, or are damaged; none has been changed.
    """
    return SavedModelLoader(export_dir).load(sess, tags, import_scope, device_map=device_map, **saver_kwargs)


def maybe_saved_model_directory(export_dir: Path) -> bool:
    """Whether a folder has the file that makes it a SavedModel (`tf.saved_model.loader.maybe_saved_model_directory`)."""
    folder = os.fsdecode(export_dir)
    return any(
        files.active().stat(os.path.join(folder, name)) is not None
        for name in (constants.SAVED_MODEL_FILENAME_PBTXT, constants.SAVED_MODEL_FILENAME_PB)
    )


def parse_saved_model(export_dir: Path) -> protos.SavedModel:
    """The message of a SavedModel's folder, from `saved_model.pb` or else `saved_model.pbtxt`.

    Raises:
        OSError: neither is there, or it holds no such message.
    """
    folder = os.fsdecode(export_dir)
    for name in (constants.SAVED_MODEL_FILENAME_PB, constants.SAVED_MODEL_FILENAME_PBTXT):
        path = contained(folder, name)
        if files.active().stat(path) is not None:
            return read_message(protos.SavedModel, path)
    raise CheckpointNotFoundError(
        f"SavedModel file does not exist at: {folder}{os.path.sep}{{{constants.SAVED_MODEL_FILENAME_PBTXT}|{constants.SAVED_MODEL_FILENAME_PB}}}"
    )


class SavedModelLoader:
    """Reads a SavedModel step by step.

    Args:
        export_dir: its folder.

    Raises:
        OSError: there is no SavedModel, or its file is damaged.
    """

    def __init__(self, export_dir: Path) -> None:
        self._export_dir = os.fsdecode(export_dir)
        self._saved_model = parse_saved_model(self._export_dir)

    @property
    def export_dir(self) -> str:
        """The folder."""
        return self._export_dir

    @property
    def variables_path(self) -> str:
        """The prefix of the checkpoint with the variables."""
        return os.path.join(self._export_dir, constants.VARIABLES_DIRECTORY, constants.VARIABLES_FILENAME)

    @property
    def saved_model(self) -> protos.SavedModel:
        """The message."""
        return self._saved_model

    def get_meta_graph_def_from_tags(self, tags: Iterable[str]) -> protos.MetaGraphDef:
        """The message of the graph that has just these tags.

        Raises:
            RuntimeError: there is none; says which there are.
        """
        wanted = set(tags)
        for meta in self._saved_model.meta_graphs:
            if set(meta.meta_info_def.tags) == wanted:
                return meta
        there = ", ".join(f"{{{', '.join(map(repr, sorted(meta.meta_info_def.tags)))}}}" for meta in self._saved_model.meta_graphs)
        raise RuntimeError(
            f"MetaGraphDef associated with tags {str(tags).strip('[]')} could not be found in SavedModel, with available tags '[{there}]'"
            f"{'' if there else ' (the file holds no graphs at all)'}. The SavedModel is {self._export_dir!r}; `gpersist show` tells what is in it."
        )

    def load_graph(self, graph: Graph, tags: Iterable[str], import_scope: str | None = None, **saver_kwargs: Any) -> tuple[Saver | None, Any]:
        """Adds the nodes of the graph with these tags to a graph.

        Returns:
            The saver of its variables, None without any; and what `return_elements`, if given, names.

        Raises:
            RuntimeError: there is no graph of these tags.
            ValueError: nodes that don't go together; nothing is added then.
        """
        meta = self.get_meta_graph_def_from_tags(tags)
        with graph.as_default():
            return import_meta_graph_with_return_elements(meta, import_scope=import_scope, **saver_kwargs)

    def restore_variables(self, sess: BaseSession, saver: Saver | None, import_scope: str | None = None, *, device_map: Any = None) -> None:
        """Restores the variables of a graph that `load_graph` has added.

        Raises:
            ValueError: no saver, though there are variables; or no checkpoint.
            GPersistError: see `Saver.restore`.
        """
        graph = sess.graph
        with graph.as_default():
            if isinstance(saver, Saver):
                self.check_variables()
                saver.restore(sess, self.variables_path, device_map=device_map)
            elif saver is None and not any(
                graph.get_collection(key, import_scope) for key in (GraphKeys.GLOBAL_VARIABLES, GraphKeys.SAVEABLE_OBJECTS)
            ):
                _LOG.info("The specified SavedModel has no variables; no checkpoints were restored.")
            else:
                raise ValueError(
                    "No tf.train.Saver object was passed to the function `SavedModelLoader.restore_variables`. Since there are variables in the "
                    "graph, a saver is required."
                )

    def run_init_ops(self, sess: BaseSession, tags: Iterable[str], import_scope: str | None = None) -> None:
        """Runs the main op of a graph that `load_graph` has added, with the assets' paths fed."""
        meta = self.get_meta_graph_def_from_tags(tags)
        with sess.graph.as_default() as graph:
            paths = get_asset_tensors(self._export_dir, meta, import_scope)
            main_op = _main_op(graph, meta, import_scope)
            if main_op is not None:
                sess.run([main_op], paths)

    def load(
        self, sess: BaseSession, tags: Iterable[str], import_scope: str | None = None, *, device_map: Any = None, **saver_kwargs: Any
    ) -> protos.MetaGraphDef:
        """All of it; see the function `load`."""
        tags = list(tags)
        meta = self.get_meta_graph_def_from_tags(tags)
        get_asset_tensors(self._export_dir, meta)
        if meta.HasField("saver_def"):
            self.check_variables()
        with sess.graph.as_default():
            saver, _ = self.load_graph(sess.graph, tags, import_scope, **saver_kwargs)
            self.restore_variables(sess, saver, import_scope, device_map=device_map)
            self.run_init_ops(sess, tags, import_scope)
        return meta

    def check_variables(self) -> None:
        """Holds that the checkpoint is there, in the folder.

        Raises:
            InvalidArgumentError: it leads out of the folder.
            ValueError: it is not there.
        """
        folder = contained(self._export_dir, constants.VARIABLES_DIRECTORY)
        system = files.active()
        if not system.is_file(index_path(self.variables_path)):
            raise ValueError(
                f"The passed save_path is not a valid checkpoint: {self.variables_path}; its graph has variables, and no {folder!r} with "
                "their values: copy the whole folder"
            )
        for name in system.names(folder):
            contained(folder, name)


def _main_op(graph: Graph, meta: protos.MetaGraphDef, import_scope: str | None) -> Operation | Tensor | None:
    """What a graph that has just been added runs when it is loaded.

    Raises:
        RuntimeError: more than one operation.
    """
    key = constants.INIT_OP_SIGNATURE_KEY
    if key in meta.signature_def:
        return load_op_from_signature_def(meta.signature_def[key], key, import_scope)
    for key in (constants.MAIN_OP_KEY, constants.LEGACY_INIT_OP_KEY):
        if key in meta.collection_def:
            names = meta.collection_def[key].node_list.value
            if len(names) != 1:
                raise RuntimeError(f"Expected exactly one SavedModel init op. Found {len(names)}: {list(names)}.")
            found: Operation | Tensor = graph.get_collection(key)[-1]  # of several models in one graph, the one that was added last
            return found
    return None
