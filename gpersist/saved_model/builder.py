"""SavedModelBuilder: writes a SavedModel (`tf.saved_model.builder`).

<export_dir>/saved_model.pb                the graphs, each with its tags, signatures and collections
<export_dir>/variables/variables.index     one checkpoint, which all graphs share
<export_dir>/variables/variables.data-...
<export_dir>/assets/...                    files that graphs read
<export_dir>/assets.extra/...              files that only people read
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any

from gpersist import protos
from gpersist.graph import BaseSession, GraphKeys, Operation, Tensor, get_default_graph, own
from gpersist.saved_model import constants
from gpersist.saved_model.assets import add_assets
from gpersist.saved_model.export_folder import ExportFolder
from gpersist.train.saver import Saver

__all__ = ["SavedModelBuilder"]

_LOG = logging.getLogger("gpersist")


class SavedModelBuilder:
    """Writes a SavedModel: variables with the first graph, more graphs that share them, and all of it in its place with `save`.

    Nothing is in `export_dir` before that.

    Args:
        export_dir: a folder that is empty or not there.

    Raises:
        AssertionError: it is not empty.
        GPersistError: it is a file, or the file system said no.
    """

    def __init__(self, export_dir: str | os.PathLike[str]) -> None:
        self._export_dir = os.fsdecode(export_dir)
        self._saved_model = protos.SavedModel(saved_model_schema_version=constants.SAVED_MODEL_SCHEMA_VERSION)
        self._folder = ExportFolder(self._export_dir)
        self._has_saved_variables = False
        self._copied_assets: set[str] = set()

    def add_meta_graph_and_variables(
        self,
        sess: BaseSession,
        tags: Iterable[str],
        signature_def_map: Mapping[str, protos.SignatureDef] | None = None,
        assets_collection: Iterable[Tensor] | None = None,
        legacy_init_op: Operation | None = None,
        clear_devices: bool = False,
        main_op: Operation | None = None,
        strip_default_attrs: bool = False,
        saver: Saver | None = None,
    ) -> None:
        """Adds the default graph, and the values of a session's variables.

        Args:
            sess: the session.
            tags: by which the graph is found.
            signature_def_map: signatures, by name.
            assets_collection: constants with paths of files, which are copied.
            legacy_init_op: an old name of `main_op`.
            clear_devices: whether nodes are written without their devices.
            main_op: runs when the model is loaded, after variables are restored.
            strip_default_attrs: whether attributes that have their default values are left out.
            saver: saves the variables, and restores them; by default one of all that can be saved, sharded.

        Raises:
            AssertionError: variables have been saved already, or a message in a signature lacks name or dtype.
            KeyError: a signature's name is one of the builder's own.
            TypeError: `main_op` is no operation, or an asset no constant.
            ValueError: the graph has a main op already.
            FailedPreconditionError: a variable has no value.
            GPersistError: the file system said no.
        """
        if self._has_saved_variables:
            raise AssertionError("Graph state including variables and assets has already been saved. Please invoke `add_meta_graph()` instead.")
        signatures = _checked(signature_def_map)
        self._add_collections(assets_collection, main_op or legacy_init_op)
        folder = self._folder.make_folder(constants.VARIABLES_DIRECTORY)
        saver = saver or _new_saver()
        try:
            saver.save(sess, os.path.join(folder, constants.VARIABLES_FILENAME), write_meta_graph=False, write_state=False, durable=True)
            self._add(saver, tags, signatures, clear_devices, strip_default_attrs)
        except BaseException:
            self._folder.remove(constants.VARIABLES_DIRECTORY)
            raise
        self._has_saved_variables = True

    def add_meta_graph(
        self,
        tags: Iterable[str],
        signature_def_map: Mapping[str, protos.SignatureDef] | None = None,
        assets_collection: Iterable[Tensor] | None = None,
        legacy_init_op: Operation | None = None,
        clear_devices: bool = False,
        main_op: Operation | None = None,
        strip_default_attrs: bool = False,
        saver: Saver | None = None,
    ) -> None:
        """Adds the default graph, which takes its variables from those that have been saved; see `add_meta_graph_and_variables`.

        Raises:
            AssertionError: no variables have been saved yet, or a message in a signature lacks name or dtype.
            KeyError, TypeError, ValueError, GPersistError: see `add_meta_graph_and_variables`.
        """
        if not self._has_saved_variables:
            raise AssertionError(
                "Graph state including variables and assets has not been saved yet. Please invoke `add_meta_graph_and_variables()` first."
            )
        signatures = _checked(signature_def_map)
        self._add_collections(assets_collection, main_op if main_op is not None else legacy_init_op)
        self._add(saver or _new_saver(), tags, signatures, clear_devices, strip_default_attrs)

    def add_extra_asset(self, source: str | os.PathLike[str], name: str) -> None:
        """Copies a file into `assets.extra`, for those who read the SavedModel; graphs know nothing of it.

        Args:
            source: the file.
            name: of the copy, relative to `assets.extra`.

        Raises:
            InvalidArgumentError: `name` leads out of that folder, or `source` is no file.
        """
        self._folder.make_folder(constants.EXTRA_ASSETS_DIRECTORY)
        self._folder.add_file(os.fsdecode(source), constants.EXTRA_ASSETS_DIRECTORY, os.fsdecode(name))

    def save(self, as_text: bool = False, experimental_image_format: bool = False, experimental_image_writer_options: Any = None) -> bytes:
        """Puts the SavedModel in its place.

        Args:
            as_text: whether the graphs are written as text, to `saved_model.pbtxt`.
            experimental_image_format: for TensorFlow's sake.
            experimental_image_writer_options: likewise.

        Returns:
            The path of the file with the graphs.

        Raises:
            RuntimeError: `experimental_image_format`, which TensorFlow's published packages refuse as well.
            AlreadyExistsError: something has come into the folder meanwhile.
            GPersistError: the file system said no; there is no SavedModel then.
        """
        del experimental_image_writer_options
        if experimental_image_format:
            raise RuntimeError("No proto_splitter is provided, cannot use experimental_image_format.")
        name = constants.SAVED_MODEL_FILENAME_PBTXT if as_text else constants.SAVED_MODEL_FILENAME_PB
        self._folder.publish(name, str(self._saved_model).encode() if as_text else self._saved_model.SerializeToString(deterministic=True))
        path = os.path.join(self._export_dir, name)
        _LOG.info("SavedModel written to: %s", path)
        return os.fsencode(path)

    def _add(self, saver: Saver, tags: Iterable[str], signatures: Mapping[str, protos.SignatureDef], clear_devices: bool, strips: bool) -> None:
        meta = saver.export_meta_graph(clear_devices=clear_devices, strip_default_attrs=strips)
        meta.meta_info_def.tags.extend(tags)
        for key, signature in signatures.items():
            meta.signature_def[key].CopyFrom(signature)
        self._saved_model.meta_graphs.append(meta)

    def _add_collections(self, assets_collection: Iterable[Tensor] | None, main_op: Operation | None) -> None:
        graph = get_default_graph()
        if main_op is not None:
            if not isinstance(main_op, Operation):
                raise TypeError(f"Expected {main_op} to be an Operation but got type {type(main_op)} instead.")
            for key in (constants.MAIN_OP_KEY, constants.LEGACY_INIT_OP_KEY):
                if graph.get_collection(key):
                    raise ValueError(f"Graph already contains one or more main ops under the collection {key}.")
        add_assets(self._folder, self._export_dir, assets_collection, self._copied_assets)
        if main_op is not None:
            graph.add_to_collection(constants.MAIN_OP_KEY, main_op)


def _new_saver() -> Saver:
    graph = get_default_graph()
    variables = graph.get_collection(GraphKeys.GLOBAL_VARIABLES) + graph.get_collection(GraphKeys.SAVEABLE_OBJECTS)
    return Saver(variables, sharded=True, write_version=protos.SaverDef.V2, allow_empty=True)


def _checked(signature_def_map: Mapping[str, protos.SignatureDef] | None) -> dict[str, protos.SignatureDef]:
    signatures = {key: own(protos.SignatureDef, value, f"signature_def_map[{key!r}]") for key, value in (signature_def_map or {}).items()}
    for key, signature in signatures.items():
        for kind, infos in (("input", signature.inputs), ("output", signature.outputs)):
            for name, info in infos.items():
                _check_tensor_info(info, f"{kind} {name!r} of the signature {key!r}")
    for key in (constants.INIT_OP_SIGNATURE_KEY, constants.TRAIN_OP_SIGNATURE_KEY):
        if key in signatures:
            raise KeyError(
                f'SignatureDef map key "{key}" is reserved for {"initialization" if "init" in key else "the train op"}. Please use a different key.'
            )
    return signatures


def _check_tensor_info(info: protos.TensorInfo, what: str) -> None:
    encoding = info.WhichOneof("encoding")
    if encoding is None:
        raise AssertionError(
            f"Invalid `tensor_info`: {info}. All TensorInfo protos used in the SignatureDefs must have one of the 'encoding' fields (e.g., name or "
            f"coo_sparse) set; that of {what} has none."
        )
    if encoding == "composite_tensor":
        for component in info.composite_tensor.components:
            _check_tensor_info(component, what)
    elif info.dtype == protos.DataType.DT_INVALID:
        raise AssertionError(
            f"Invalid `tensor_info`: {info}. All TensorInfo protos used in the SignatureDefs must have the dtype field set; that of {what} has not."
        )
