"""From Keras's HDF5 files to one graph without variables, and to a folder that is served."""

from __future__ import annotations

import os
from collections.abc import Iterable

from gpersist import files, protos
from gpersist.convert.freezing import DEFAULT_SIGNATURE, SERVING, Frozen, output_nodes
from gpersist.errors import AlreadyExistsError
from gpersist.graph import Graph, Session, check_frozen_size, extract_sub_graph, variable_nodes, variables_to_constants
from gpersist.keras import load_keras_model
from gpersist.saved_model.builder import SavedModelBuilder
from gpersist.saved_model.signature_def_utils import predict_signature_def
from gpersist.train.graph_io import write_graph


def keras_to_frozen(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    outputs: Iterable[str] | None = None,
    *,
    architecture: str | os.PathLike[str] | None = None,
) -> Frozen:
    """Makes a Keras model a graph without variables. No session is run.

    Args:
        path: an HDF5 file of Keras 2 or 3.
        out: the file to write, as text if its name ends in ".pbtxt"; by default none is.
        outputs: names of the nodes, or tensors, that the graph is for; by default the model's outputs.
        architecture: the model's JSON, or the file that has it, for a file of weights only.

    Raises:
        GPersistError: the file cannot be read; see `load_keras_model`.
        NotFoundError: no such output.
        InvalidArgumentError: the graph would be larger than 2 GB.
    """
    with Graph().as_default() as graph:
        model = load_keras_model(path, architecture)
        whole = graph.as_graph_def()
    names = [tensor.name.removesuffix(":0") for tensor in model.outputs] if outputs is None else [*outputs]
    wanted = output_nodes(whole, names)
    graph_def = extract_sub_graph(whole, wanted)
    values = {variable.op.name: value for variable, value in model.values.items()}
    values = {node.name: values[node.name] for node in variable_nodes(graph_def)}
    check_frozen_size(graph_def, {name: value.nbytes for name, value in values.items()})
    variables_to_constants(graph_def, values)
    if out is not None:
        target = os.fsdecode(out)
        write_graph(graph_def, os.path.dirname(target), os.path.basename(target), as_text=target.endswith(".pbtxt"))
    inputs = tuple(node.name for node in graph_def.node if node.op == "Placeholder")
    return Frozen(graph_def, inputs, tuple(dict.fromkeys(names) if outputs is None else wanted), {name: name for name in values}, ())


def keras_to_saved_model(
    path: str | os.PathLike[str],
    export_dir: str | os.PathLike[str],
    *,
    architecture: str | os.PathLike[str] | None = None,
    tags: Iterable[str] = (SERVING,),
    signature: str = DEFAULT_SIGNATURE,
) -> protos.SignatureDef:
    """Writes a Keras model as a SavedModel with one signature, of the kind "predict", whose keys are the names of the model's inputs and outputs.

    Args:
        path: an HDF5 file of Keras 2 or 3.
        export_dir: the folder, empty or not there.
        architecture: as in `keras_to_frozen`.
        tags: of the graph.
        signature: its name.

    Returns:
        The signature.

    Raises:
        GPersistError: the file cannot be read; see `load_keras_model`.
        AlreadyExistsError: something is in the folder.
    """
    folder = os.fsdecode(export_dir)
    if files.active().stat(folder) is not None and (files.active().is_file(folder) or files.active().names(folder)):
        raise AlreadyExistsError(f"{folder!r} is there already; a SavedModel goes to a folder that is empty, or is not there yet")
    with Graph().as_default(), Session() as session:
        model = load_keras_model(path, architecture)
        model.load_weights(session)
        definition = predict_signature_def(
            dict(zip(model.input_names, model.inputs, strict=True)), dict(zip(model.output_names, model.outputs, strict=True))
        )
        builder = SavedModelBuilder(folder)
        builder.add_meta_graph_and_variables(session, list(tags), {signature: definition})
        builder.save()
    return definition
