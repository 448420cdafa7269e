"""Reads a SavedModel of TensorFlow 1 or 2 as an object with signatures (`tf.saved_model.load` of TensorFlow 2).

What TensorFlow 2 wrote is made from its objects and functions. What TensorFlow 1 wrote is a graph, which gets a session of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

from gpersist import files, protos
from gpersist.checkpoint import recorded_rule
from gpersist.dtypes import from_enum
from gpersist.errors import CheckpointNotFoundError, DataLossError, GPersistError, NotFoundError
from gpersist.graph import Graph, GraphKeys, Session, Tensor, import_graph_def, make_ndarray
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.saved_model import constants
from gpersist.saved_model.assets import get_asset_tensors
from gpersist.saved_model.concrete_functions import Function, input_specs, own
from gpersist.saved_model.containment import contained
from gpersist.saved_model.loader import SavedModelLoader, maybe_saved_model_directory
from gpersist.saved_model.objects import LoadedObject, Objects
from gpersist.saved_model.signatures import Signature, Signatures
from gpersist.saved_model.structure import CompositeSpec, Spec, TensorSpec, specs_in
from gpersist.saved_model.tag_constants import SERVING
from gpersist.saved_model.tensor_info import get_tensor_from_tensor_info
from gpersist.shapes import as_shape

_CONFIG = protos.ConfigProto(allow_soft_placement=True)
_OF_LOADING = (constants.INIT_OP_SIGNATURE_KEY, "__saved_model_train_op")


class SavedModel(LoadedObject):
    """A SavedModel in memory, its variables on devices: made by `load`. A context manager; after that it cannot be called any more.

    `model.signatures["serving_default"](x=array)` runs a signature. What the program's object had is there under the same names (`model.f(x)`,
    `model.layers[0].kernel`), if TensorFlow 2 wrote it.

    Attributes:
        signatures: by name.
        variables: all of them.
        asset_paths: paths of its files, in the model's folder.
        tags: of the graph.
        export_dir: the model's folder.
        session: where it lives; for a model of TensorFlow 1, `session.graph` is its graph.
    """

    def __init__(self, path: str, message: protos.MetaGraphDef, session: Session) -> None:
        super().__init__("saved_model")
        self.export_dir = path
        self.tags = sorted(message.meta_info_def.tags)
        self.session = session
        self.signatures = Signatures({}, path)
        self.variables: list[Any] = []
        self.asset_paths: list[str] = []

    def close(self) -> None:
        """Gives up variables and streams. Calling it again does nothing."""
        self.session.close()

    def __enter__(self) -> SavedModel:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        names = ", ".join(self.signatures) or "none"
        return f"<SavedModel {self.export_dir!r} ({', '.join(self.tags)}): {len(self.variables)} variables, signatures {names}>"


def load(export_dir: str | os.PathLike[str], tags: Iterable[str] | str | None = None, *, device_map: Any = None) -> SavedModel:
    """Reads a SavedModel: its variables to devices, its tables filled.

    Args:
        export_dir: its folder.
        tags: all tags of the graph that is wanted; may be left out if there is one graph, or one for serving ("serve").
        device_map: where variables go: a device, a policy ("balanced", "sequential", "single"), or a dict to these from patterns of their names or
            recorded devices; by default where they were recorded, or the next best. Keys that are devices move all nodes that name these, those of
            functions too. See `Saver.restore`.

    Raises:
        CheckpointNotFoundError: there is no SavedModel, or it has no variables though it needs them.
        NotFoundError: it has no graph of these tags, says of which; or its checkpoint lacks variables, all in one error.
        InvalidArgumentError: variables or assets lead out of the folder, or differ from the graph's in dtype or shape.
        PermissionDeniedError: it would touch files that are none of its own.
        DeviceNotFoundError, DeviceMemoryError: a device is not there, or has no room.
        UnimplementedError: it has objects of a kind that gpersist has not.
        DataLossError: a file is damaged, or of another kind.
    """
    folder = os.fsdecode(export_dir)
    if not maybe_saved_model_directory(folder):
        raise CheckpointNotFoundError(f"{folder!r} is no SavedModel: {_instead(folder)}")
    loader = SavedModelLoader(folder)
    message = _chosen(loader, tags)
    is_of_2 = bool(message.object_graph_def.nodes)
    assets = get_asset_tensors(folder, message)
    missing = [path for path in assets.values() if not files.active().is_file(path)]
    if missing:
        raise CheckpointNotFoundError(f"the SavedModel {folder!r} has no file {', '.join(map(repr, missing))}; copy the whole folder")
    graph = Graph()
    session = Session(graph=graph, config=_CONFIG)
    model = SavedModel(folder, message, session)
    try:
        if is_of_2:
            _load_objects(model, message, loader, device_map)
        else:
            _load_graph(model, message, loader, device_map)
        model.asset_paths = list(assets.values())
    except BaseException:
        session.close()
        raise
    return model


def _chosen(loader: SavedModelLoader, tags: Iterable[str] | str | None) -> protos.MetaGraphDef:
    graphs = loader.saved_model.meta_graphs
    if not graphs:
        raise DataLossError(f"the SavedModel {loader.export_dir!r} has no graphs at all; its file is empty, damaged or of another kind")
    if tags is None and len(graphs) == 1:
        return graphs[0]
    wanted = [SERVING] if tags is None else [tags] if isinstance(tags, str) else list(tags)
    try:
        return loader.get_meta_graph_def_from_tags(wanted)
    except RuntimeError as error:
        raise NotFoundError(str(error)) from None


def _check_variables(loader: SavedModelLoader) -> None:
    try:
        loader.check_variables()
    except GPersistError:
        raise
    except ValueError as error:
        raise CheckpointNotFoundError(str(error)) from None


def _load_objects(model: SavedModel, message: protos.MetaGraphDef, loader: SavedModelLoader, device_map: Any) -> None:
    with model.session.graph.as_default():
        library = protos.GraphDef(library=message.graph_def.library, versions=message.graph_def.versions)
        try:
            import_graph_def(library, name="")
        except GPersistError:
            raise
        except ValueError as error:
            raise DataLossError(f"the functions of {model.export_dir!r} make no sense: {error}") from error
    nodes = message.object_graph_def.nodes
    if any(node.WhichOneof("kind") == "variable" for node in nodes):
        _check_variables(loader)
    assets_folder = contained(model.export_dir, constants.ASSETS_DIRECTORY)
    assets = [contained(assets_folder, asset.filename) for asset in message.asset_file_def]
    objects = Objects(message, model.session, assets, model.export_dir)
    rule = recorded_rule(device_map, model.session.available_devices) if isinstance(device_map, Mapping) else None
    with model.session.variables_placed({}, rule):
        objects.load(loader.variables_path, device_map, model)
    model.variables = objects.variables
    found = model.children.pop("signatures", None)
    functions = found.children if isinstance(found, LoadedObject) else {}
    made = {}
    for name in sorted(functions):
        function = functions[name]
        if isinstance(function, Function) and function.concrete_functions:
            made[name] = _signature(name, function, message)
    model.signatures = Signatures(made, model.export_dir)


def _signature(name: str, function: Function, message: protos.MetaGraphDef) -> Signature:
    concrete = function.concrete_functions[0]
    outputs = concrete.outputs
    if not isinstance(outputs, Mapping) or any(not isinstance(spec, Spec) for spec in outputs.values()):
        outputs = {f"output_{number}": spec for number, spec in enumerate(specs_in(outputs))}
    definition = message.signature_def[name] if name in message.signature_def else protos.SignatureDef()
    defaults = {key: make_ndarray(value) for key, value in definition.defaults.items()}
    return Signature(name, input_specs(concrete), {key: outputs[key] for key in sorted(outputs)}, concrete.call_flat, defaults)


def _load_graph(model: SavedModel, message: protos.MetaGraphDef, loader: SavedModelLoader, device_map: Any) -> None:
    if message.HasField("saver_def"):
        _check_variables(loader)
    tags = list(message.meta_info_def.tags)
    session, graph = model.session, model.session.graph
    try:
        loader.load(session, tags, device_map=device_map)
    except GPersistError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, RuntimeError) as error:
        raise DataLossError(f"the graph of {model.export_dir!r} makes no sense: {error}") from error
    model.variables = graph.get_collection(GraphKeys.GLOBAL_VARIABLES)
    signatures = {}
    for name in sorted(message.signature_def):
        if name not in _OF_LOADING:
            signatures[name] = _graph_signature(name, message.signature_def[name], session)
    model.signatures = Signatures(signatures, model.export_dir)


def _graph_signature(name: str, definition: protos.SignatureDef, session: Session) -> Signature:
    inputs, feeds = _ends(name, definition.inputs, session.graph)
    outputs, fetches = _ends(name, definition.outputs, session.graph)

    def run(tensors: list[Any]) -> list[Any]:
        try:
            return [own(value) for value in session.run_where_made(fetches, feeds, tensors)]
        except GPersistError:
            raise
        except (ValueError, TypeError, LookupError) as error:  # of what its nodes say of themselves
            raise DataLossError(f"the graph of signature {name!r} makes no sense: {error}") from error

    return Signature(name, inputs, outputs, run, {key: make_ndarray(value) for key, value in definition.defaults.items()})


def _ends(name: str, infos: Mapping[str, protos.TensorInfo], graph: Graph) -> tuple[dict[str, Spec], list[Tensor]]:
    """Inputs or outputs of a signature: what they are, and their tensors."""
    specs: dict[str, Spec] = {}
    tensors: list[Tensor] = []
    for key in sorted(infos):
        try:
            found = get_tensor_from_tensor_info(infos[key], graph)
        except (KeyError, ValueError) as error:
            raise DataLossError(f"signature {name!r}: {key!r} is none of the graph's tensors: {error.args[0]}") from None
        if isinstance(found, SparseTensor):
            specs[key] = CompositeSpec("SparseTensorSpec", 3)
            tensors += [found.indices, found.values, found.dense_shape]
        else:
            specs[key] = TensorSpec(as_shape(infos[key].tensor_shape), from_enum(infos[key].dtype, f"{key!r} of signature {name!r}"), key)
            tensors.append(found)
    return specs, tensors


def _instead(folder: str) -> str:
    """What there is where no SavedModel is."""
    system = files.active()
    if system.stat(folder) is None:
        return "there is no such folder"
    if system.is_file(folder):
        return "it is a file"
    inside = [path for path in (os.path.join(folder, name) for name in system.names(folder)) if maybe_saved_model_directory(path)]
    return "there is neither a 'saved_model.pb' nor a 'saved_model.pbtxt' in it" + (f"; {inside[-1]!r} is one" if inside else "")
