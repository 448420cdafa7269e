"""From one file to a folder that is served: a frozen graph as a SavedModel."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from gpersist import files, protos
from gpersist.convert.freezing import DEFAULT_SIGNATURE, SERVING, output_nodes
from gpersist.errors import AlreadyExistsError, DataLossError, NotFoundError
from gpersist.graph import Graph, Session, import_graph_def
from gpersist.saved_model.builder import SavedModelBuilder
from gpersist.saved_model.signature_constants import PREDICT_METHOD_NAME
from gpersist.saved_model.signature_def_utils import build_signature_def
from gpersist.saved_model.tensor_info import build_tensor_info
from gpersist.train.meta_graph import read_message


def frozen_to_saved_model(
    frozen: str | os.PathLike[str] | protos.GraphDef,
    export_dir: str | os.PathLike[str],
    outputs: Mapping[str, str] | Iterable[str],
    inputs: Mapping[str, str] | Iterable[str] | None = None,
    *,
    tags: Iterable[str] = (SERVING,),
    signature: str = DEFAULT_SIGNATURE,
    clear_devices: bool = False,
) -> protos.SignatureDef:
    """Writes a frozen graph as a SavedModel with one signature, of the kind "predict".

    Args:
        frozen: the graph's file, binary or text, or its message.
        export_dir: the folder, empty or not there.
        outputs: names of tensors, or of nodes, by the names that they have in the signature; a list has them by the names of their nodes.
        inputs: likewise; by default the graph's placeholders.
        tags: of the graph.
        signature: its name.
        clear_devices: whether nodes lose their devices.

    Returns:
        The signature.

    Raises:
        CheckpointNotFoundError: there is no such file.
        DataLossError: it holds no graph.
        NotFoundError: no such input or output.
        InvalidArgumentError: the outputs are not told.
        AlreadyExistsError: something is in the folder.
    """
    graph_def = frozen if isinstance(frozen, protos.GraphDef) else read_message(protos.GraphDef, frozen)
    if inputs is None:
        inputs = [node.name for node in graph_def.node if node.op in ("Placeholder", "PlaceholderWithDefault")]
    named_inputs, named_outputs = _named(inputs), _named(outputs)
    output_nodes(graph_def, list(named_outputs.values()))
    if named_inputs:
        output_nodes(graph_def, list(named_inputs.values()))
    folder = os.fsdecode(export_dir)
    if files.active().is_file(folder):
        raise AlreadyExistsError(f"{folder!r} is a file; a SavedModel goes to a folder that is empty, or is not there yet")
    if files.active().stat(folder) is not None and files.active().names(folder):
        raise AlreadyExistsError(f"the folder {folder!r} is not empty; a SavedModel goes to one that is, or is not there yet")
    with Graph().as_default() as graph, Session() as session:
        try:
            import_graph_def(graph_def, name="")
        except ValueError as error:
            raise DataLossError(f"the graph makes no sense: {error}") from error
        definition = build_signature_def(_infos(graph, named_inputs), _infos(graph, named_outputs), PREDICT_METHOD_NAME)
        builder = SavedModelBuilder(folder)
        builder.add_meta_graph_and_variables(session, list(tags), {signature: definition}, clear_devices=clear_devices)
        builder.save()
    return definition


def _named(tensors: Mapping[str, str] | Iterable[str]) -> dict[str, str]:
    if isinstance(tensors, Mapping):
        return dict(tensors)
    return {text.partition(":")[0]: text for text in ([tensors] if isinstance(tensors, str) else tensors)}


def _infos(graph: Graph, named: Mapping[str, str]) -> dict[str, protos.TensorInfo]:
    try:
        return {key: build_tensor_info(graph.get_tensor_by_name(name if ":" in name else f"{name}:0")) for key, name in named.items()}
    except (KeyError, ValueError) as error:
        raise NotFoundError(f"the graph has no such tensor: {error.args[0]}") from error
