"""Freeze: the graph of a checkpoint or a SavedModel with its variables as constants, what TensorFlow's `freeze_graph` makes. No session is run.

.meta -> the part that the outputs need -> which tensors its variables are -> 2 GB? -> values, straight from the files -> constants
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterable, Mapping, Sequence

from gpersist import files, protos
from gpersist.bundle import meta_path, nearest, parse_shape_and_slice
from gpersist.checkpoint import CheckpointReader, SavedAs, Wanted, fetch, locate, saved_as
from gpersist.convert.outputs import offer
from gpersist.devices import get as get_device
from gpersist.dtypes import from_enum
from gpersist.errors import CheckpointNotFoundError, DataLossError, InvalidArgumentError, NotFoundError
from gpersist.graph import (
    check_frozen_size,
    extract_sub_graph,
    inline_calls,
    input_name,
    needed_part,
    variable_nodes,
    variables_to_constants,
    with_calls_inlined,
)
from gpersist.saved_model.containment import contained
from gpersist.saved_model.loader import SavedModelLoader, maybe_saved_model_directory
from gpersist.train.meta_graph import read_meta_graph_file
from gpersist.train.session_values import object_names

SERVING = "serve"
"""The tag of graphs for serving."""

DEFAULT_SIGNATURE = "serving_default"
AVERAGE = "ExponentialMovingAverage"
"""The name of `tf.train.ExponentialMovingAverage`, and the end of its variables' names."""


@dataclasses.dataclass(frozen=True)
class Frozen:
    """A graph without variables.

    Attributes:
        graph_def: its message.
        inputs: names of its placeholders.
        outputs: names of the nodes that it was frozen for; of a Keras model also of tensors (`split:1`) that are no first output of their node.
        variables: the tensor of the checkpoint that each variable's value is, by the names of their nodes.
        averages: nodes of those that have the value of their moving average.
    """

    graph_def: protos.GraphDef
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    variables: Mapping[str, str]
    averages: tuple[str, ...]


def freeze(
    source: str | os.PathLike[str],
    outputs: Iterable[str] | None = None,
    *,
    meta: str | os.PathLike[str] | protos.MetaGraphDef | None = None,
    ema: bool | str = False,
    clear_devices: bool = False,
    tags: Iterable[str] = (SERVING,),
    signature: str | None = None,
) -> Frozen:
    """Makes the variables of a trained graph constants.

    Args:
        source: a checkpoint's prefix, any of its files, or its folder; or the folder of a SavedModel.
        outputs: names of the nodes, or tensors, that the graph is for; by default those of a SavedModel's signature.
        meta: the graph, if it is not in `<prefix>.meta`: a file, binary or text, or the message.
        ema: take the moving average of each variable that has one; or the name of the `tf.train.ExponentialMovingAverage`, if it was given one.
        clear_devices: whether nodes lose their devices.
        tags: all tags of the graph, for a SavedModel.
        signature: its name, for a SavedModel; by default "serving_default", or the only one.

    Raises:
        CheckpointNotFoundError: there is no checkpoint, or no graph.
        NotFoundError: no such output, signature or tags, or no moving average; or the checkpoint lacks variables, all of them in one error.
        InvalidArgumentError: the outputs are not told; variables have another shape or dtype, or are changed by a function; or the graph would be
            larger than 2 GB, which is found before any value is read.
        DataLossError: a file is damaged.
    """
    message, prefix, outputs = _read(source, outputs, meta, tags, signature)
    wanted = output_nodes(message.graph_def, outputs)
    try:
        graph_def = extract_sub_graph(message.graph_def, wanted)
        inlined = with_calls_inlined(graph_def, wanted, always=bool(message.object_graph_def.nodes))
    except KeyError as error:
        raise DataLossError(f"the graph is damaged: {error.args[0]!r}, which a node takes, is not in it") from error
    is_inlined, graph_def = inlined is not graph_def, inlined
    if clear_devices:
        for node in graph_def.node:
            node.device = ""
    variables: dict[str, str] = {}
    averages: tuple[str, ...] = ()
    if nodes := variable_nodes(graph_def):
        variables, averages = _freeze(graph_def, nodes, _saved_as(message), prefix, AVERAGE if ema is True else ema or "", is_inlined)
    if is_inlined:
        graph_def = needed_part(graph_def, wanted)
    inputs = tuple(node.name for node in graph_def.node if node.op in ("Placeholder", "PlaceholderWithDefault"))
    return Frozen(graph_def, inputs, tuple(wanted), variables, averages)


def _read(
    source: str | os.PathLike[str],
    outputs: Iterable[str] | None,
    meta: str | os.PathLike[str] | protos.MetaGraphDef | None,
    tags: Iterable[str],
    signature: str | None,
) -> tuple[protos.MetaGraphDef, str, list[str]]:
    """The graph, the prefix of its checkpoint, and what is wanted of it."""
    wanted = [outputs] if isinstance(outputs, str) else list(outputs or ())
    if meta is None and maybe_saved_model_directory(source):
        loader = SavedModelLoader(source)
        try:
            message = loader.get_meta_graph_def_from_tags(list(tags))
        except RuntimeError as error:
            raise NotFoundError(str(error)) from error
        folder = contained(loader.export_dir, os.path.basename(os.path.dirname(loader.variables_path)))
        if files.active().stat(folder) is not None:
            for name in files.active().names(folder):
                contained(folder, name)
        return message, loader.variables_path, wanted or _signature_outputs(message, signature)
    if meta is not None and not isinstance(meta, protos.MetaGraphDef):
        meta = read_meta_graph_file(meta)
    prefix = locate(source)
    if meta is None:
        if files.active().stat(meta_path(prefix)) is None:
            raise CheckpointNotFoundError(f"{prefix!r} has no graph: there is no {meta_path(prefix)!r}; say with meta= where it is")
        meta = read_meta_graph_file(meta_path(prefix))
    return meta, prefix, wanted


def _saved_as(message: protos.MetaGraphDef) -> Mapping[str, SavedAs]:
    """What each variable is in the checkpoint; TensorFlow 2's graphs are saved by a function, which is looked into."""
    found = saved_as(message)
    save = input_name(message.saver_def.save_tensor_name)
    if message.object_graph_def.nodes and any(node.name == save for node in message.graph_def.node):
        saver = protos.MetaGraphDef(graph_def=inline_calls(extract_sub_graph(message.graph_def, [save]), [save]), saver_def=message.saver_def)
        found |= saved_as(saver)
    return found


def _signature_outputs(message: protos.MetaGraphDef, name: str | None) -> list[str]:
    there = message.signature_def
    if name is None:
        name = next(iter(there)) if len(there) == 1 else DEFAULT_SIGNATURE
    if name not in there:
        has = f"it has {', '.join(map(repr, sorted(there)))}" if there else "it has none: say with outputs= what the graph is for"
        raise NotFoundError(f"the SavedModel's graph has no signature {name!r}; {has}")
    infos = there[name].outputs.values()
    parts = (part for info in infos for part in _tensor_names(info))
    return [part for part in parts if part]


def _tensor_names(info: protos.TensorInfo) -> list[str]:
    sparse = [getattr(info.coo_sparse, field.name) for field in info.coo_sparse.DESCRIPTOR.fields]
    return [info.name, *sparse, *(component.name for component in info.composite_tensor.components)]


def output_nodes(graph_def: protos.GraphDef, outputs: Sequence[str]) -> list[str]:
    """The names of the nodes that are wanted, all of them there; see `freeze`."""
    names = {node.name for node in graph_def.node}
    if not outputs:
        raise InvalidArgumentError(f"say which of the graph's {len(names)} nodes are its outputs; {offer(graph_def)}")
    wanted = list(dict.fromkeys(text.removeprefix("^").partition(":")[0] for text in outputs))
    for name in wanted:
        if name not in names:
            raise NotFoundError(f"the graph has no node {name!r}{nearest(name, names)}")
    return wanted


def _freeze(
    graph_def: protos.GraphDef, nodes: Sequence[protos.NodeDef], saved: Mapping[str, SavedAs], prefix: str, average: str, is_strict: bool
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Makes the variables constants; gives their tensors' names, and the nodes of those that are averages."""
    here = get_device("/device:CPU:0")
    averages = []
    sizes: dict[str, int] = {}
    wanted: dict[str, Wanted] = {}
    objects = object_names(prefix) or {}  # of a checkpoint of objects (TensorFlow 2's)
    with CheckpointReader(prefix) as reader:
        for node in nodes:
            name, part = saved[node.name]
            if name not in reader:
                name = objects.get(name, name)
            if average and f"{name}/{average}" in reader:
                name = f"{name}/{average}"
                averages.append(node.name)
            dtype = from_enum(node.attr["dtype"].type, f"variable {node.name!r}")
            shape = node.attr["shape"].shape
            is_known = "shape" in node.attr and not shape.unknown_rank
            dims = tuple(None if dim.size < 0 else dim.size for dim in shape.dim) if is_known else None
            wanted[node.name] = Wanted(name, dtype, here, part, dims)
            if name in reader:
                whole = reader[name].shape
                sizes[node.name] = math.prod(parse_shape_and_slice(part)[1].shape_in(whole) if part else whole) * dtype.size_bytes
        if average and not averages:
            raise NotFoundError(f"{prefix!r} has no moving average of these {len(nodes)} variables: no tensor of it is named '.../{average}'")
    check_frozen_size(graph_def, sizes)
    values = fetch(prefix, list(wanted.values()))
    variables_to_constants(graph_def, dict(zip(wanted, values, strict=True)), is_strict=is_strict)
    return {node: want.name for node, want in wanted.items()}, tuple(averages)
