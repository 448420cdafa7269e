"""From a file to a file: a frozen graph, a checkpoint with its graph, a SavedModel or a Keras model as a TFLite model."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable

from gpersist import files, protos
from gpersist.convert import freeze, keras_to_frozen, output_nodes
from gpersist.errors import GPersistError, InvalidArgumentError
from gpersist.graph import extract_sub_graph, variable_nodes
from gpersist.keras import is_hdf5
from gpersist.lite.converter import TFLiteConverter
from gpersist.saved_model.loader import maybe_saved_model_directory
from gpersist.train.meta_graph import read_message


@dataclasses.dataclass(frozen=True)
class ConvertedToLite:
    """What was written.

    Attributes:
        inputs, outputs: names of tensors.
        size_bytes: of the file.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    size_bytes: int


def to_tflite(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    outputs: Iterable[str] = (),
    inputs: Iterable[str] = (),
    *,
    quantize: bool = False,
    architecture: str | os.PathLike[str] | None = None,
    durable: bool = True,
) -> ConvertedToLite:
    """Writes a graph as a TFLite model, which takes its name when it is whole.

    Args:
        source: a frozen graph's file (.pb, .pbtxt); or a checkpoint's prefix, any of its files, or its folder; or the folder of a SavedModel;
            or a Keras model's HDF5 file.
        target: the file to write.
        outputs: names of tensors; by default those of a SavedModel's signature, or of a Keras model.
        inputs: likewise; by default the placeholders that the outputs need.
        quantize: whether weights become 8-bit integers.
        architecture: the JSON of a Keras model, or the file that has it, for a file of weights only.
        durable: wait for the disk.

    Raises:
        UnimplementedError: nodes that TFLite has no operators for; all of them are told, and nothing is written.
        InvalidArgumentError: the outputs are not told, or the graph has variables.
        GPersistError: the source cannot be read, or the target not written.
    """
    wanted, given = ([text.removesuffix(":0") for text in texts] for texts in (outputs, inputs))
    try:
        converter = _converter(source, wanted, given, architecture)
        converter.post_training_quantize = quantize
        content = converter.convert()
    except (GPersistError, OSError):
        raise
    except (ValueError, RuntimeError) as error:
        raise InvalidArgumentError(str(error)) from error
    path = os.fsdecode(target)
    files.replace(path, content, durable=durable)
    return ConvertedToLite(tuple(converter.get_input_arrays()), tuple(converter.get_output_arrays()), len(content))


def _converter(source: str | os.PathLike[str], outputs: list[str], inputs: list[str], architecture: str | os.PathLike[str] | None) -> TFLiteConverter:
    if maybe_saved_model_directory(source):
        return TFLiteConverter.from_saved_model(source, inputs or None, None, outputs or None)
    if os.fsdecode(source).endswith((".pb", ".pbtxt")):
        graph_def = read_message(protos.GraphDef, source)
        nodes = output_nodes(graph_def, outputs)
        if variables := variable_nodes(extract_sub_graph(graph_def, nodes)):
            raise InvalidArgumentError(f"the graph has {len(variables)} variables, such as {variables[0].name!r}: freeze it first")
    elif is_hdf5(source):
        frozen = keras_to_frozen(source, None, outputs or None, architecture=architecture)
        graph_def, outputs = frozen.graph_def, outputs or list(frozen.outputs)
    else:
        graph_def = freeze(source, outputs).graph_def
    if not inputs:
        needed = extract_sub_graph(graph_def, output_nodes(graph_def, outputs))
        inputs = [node.name for node in needed.node if node.op == "Placeholder"]
    output_nodes(graph_def, inputs or outputs)
    return TFLiteConverter(graph_def, None, None, [(name, None) for name in inputs], outputs)
