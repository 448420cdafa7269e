"""`gpersist convert`: the tensors of a checkpoint in another format, or under other names."""

from __future__ import annotations

import argparse
import collections
import dataclasses
import os
import re
from collections.abc import Mapping
from typing import Any

from gpersist.checkpoint import CheckpointReader
from gpersist.cli.output import add_json, amount, counted, printable, progress, rate, write_json, write_line
from gpersist.devices import DeviceSpec
from gpersist.dtypes import from_name
from gpersist.errors import DataLossError, GPersistError, InvalidArgumentError

_FORMATS = ("v1", "v2", "safetensors", "npz")
_NAMES = {"v1": "V1 checkpoint", "v2": "V2 checkpoint", "safetensors": "safetensors", "npz": "npz"}
_GRAPHS = (".pb", ".pbtxt")
_KERAS = (".h5", ".hdf5", ".keras")
_LITE = ".tflite"
_MAX_TOLD = 20
_WORTH_TIMING_BYTES = 1 << 20

_DESCRIPTION = """\
Write the tensors of a checkpoint, a safetensors file or an npz file to another
one, block by block: it need not fit into memory. Faults are found before
anything is written, and the target takes its name when it is whole.
Or write a frozen graph (.pb, .pbtxt) as a SavedModel or another graph, or a
Keras model (.h5) as a frozen graph or a SavedModel. Or write any of these, or a
checkpoint with its graph, as a TFLite model (.tflite)."""

_EXAMPLES = r"""
examples:
  gpersist convert run/ckpt-100 model.safetensors
  gpersist convert model.npz run/ckpt-0
  gpersist convert old.ckpt new/ckpt              from V1 to V2
  gpersist convert a b --rename '^dense_(\d+)/=layer\1/'
  gpersist convert a b --rename '^.*/Adam(_1)?$=' without optimizer's slots
  gpersist convert a b --devices 'tower_1/*=/gpu:1' --devices /gpu:0
  gpersist convert a b --dtype float32 --lossy    of float64, or float16
  gpersist convert a b --skip-damaged             what is whole of a broken one
  gpersist convert out.pb export/1 --outputs y    a graph for serving
  gpersist convert a.pb b.pb --clear-devices      a graph without devices
  gpersist convert model.h5 out.pb                a Keras model as a graph
  gpersist convert model.h5 export/1              or for serving
  gpersist convert out.pb y.tflite --outputs y    a graph for small devices

A checkpoint's graph (.meta) goes along where no name changes. A tensor whose
name becomes empty is left out."""


def register(commands: Any) -> None:
    """Adds the command to the parser."""
    parser = commands.add_parser(
        "convert",
        help="tensors and graphs in another format, or under other names",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
    )
    parser.add_argument(
        "source",
        metavar="SRC",
        help="a checkpoint's prefix, any of its files, or its folder; a .safetensors or .npz file; a frozen graph's .pb; a Keras model's .h5",
    )
    parser.add_argument("target", metavar="DST", help="a prefix, or a file; its suffix says the format; .pb for a graph; a folder, for a SavedModel")
    parser.add_argument("--to", choices=_FORMATS, help="the format of DST, whatever its name is (default: by its suffix, else v2)")
    parser.add_argument(
        "--rename",
        metavar="REGEX=NEW",
        action="append",
        default=[],
        type=_renaming,
        help="replace what matches in names; may be repeated, each works on what the one before made",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--clear-devices", action="store_true", help="forget the recorded devices")
    where.add_argument(
        "--devices",
        metavar="[PATTERN=]DEVICE",
        action="append",
        default=[],
        type=_device,
        help="record this device, for these tensors; may be repeated, the first that matches counts",
    )
    parser.add_argument(
        "--dtype",
        metavar="[PATTERN=]DTYPE",
        action="append",
        default=[],
        type=_dtype,
        help="cast tensors of DTYPE's kind (floating, integer, complex), or the one of this name; may be repeated, the first that matches counts",
    )
    parser.add_argument("--lossy", action="store_true", help="with --dtype: also where values may be rounded, or overflow (float64 to float32)")
    parser.add_argument("--skip-damaged", action="store_true", help="of a checkpoint: write the tensors that are whole, and name the others")
    parser.add_argument("--inputs", metavar="[KEY=]X[,...]", type=_tensors, help="of a frozen graph's signature (default: its placeholders)")
    parser.add_argument("--outputs", metavar="[KEY=]Y[,...]", type=_tensors, default={}, help="of a frozen graph's signature; of a Keras model")
    parser.add_argument("--architecture", metavar="FILE", help="a Keras model's JSON, for an .h5 that holds weights only")
    parser.add_argument("--quantize", action="store_true", help="of a .tflite: weights of 1024 elements and more as 8-bit integers")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    if arguments.target.endswith(_LITE):
        return _to_tflite(arguments)
    if arguments.quantize:
        raise InvalidArgumentError(f"--quantize is for TFLite models, and {arguments.target!r} does not end in {_LITE}")
    if arguments.source.endswith(_GRAPHS):
        return _to_saved_model(arguments)
    from gpersist.keras import is_hdf5  # needs the operations, which other commands do not

    if is_hdf5(arguments.source) or arguments.source.endswith(_KERAS):
        return _from_keras(arguments)
    if arguments.architecture:
        raise InvalidArgumentError(f"--architecture is for Keras's HDF5 files, and {arguments.source!r} is none")
    if arguments.target.endswith(_GRAPHS):
        if arguments.source.endswith(".meta") and not _can_be_opened(arguments.source):
            raise InvalidArgumentError(
                f"{arguments.source!r} is a graph without values, which a frozen graph has: copy the checkpoint's .index and data beside it; its "
                "GraphDef alone is what tf.train.import_meta_graph and tf.io.write_graph make of it"
            )
        raise InvalidArgumentError(f"a graph is made with its outputs: gpersist freeze {arguments.source} {arguments.target} --outputs ...")
    from gpersist.convert import convert, source_bytes

    try:
        with progress(f"converting {arguments.source}", source_bytes(arguments.source)) as on_progress:
            done = convert(
                arguments.source,
                arguments.target,
                to=arguments.to,
                rename=arguments.rename,
                clear_devices=arguments.clear_devices,
                devices=dict(arguments.devices) or None,
                dtypes=dict(arguments.dtype),
                lossy=arguments.lossy,
                skip_damaged=arguments.skip_damaged,
                on_progress=on_progress,
            )
    except DataLossError as error:
        if arguments.skip_damaged or not _can_be_opened(arguments.source):
            raise
        raise DataLossError(f"{error.message}\n--skip-damaged writes the tensors that are whole") from error
    if arguments.json:
        write_json(dataclasses.asdict(done))
        return 0
    for old, new in list(done.renamed.items())[:_MAX_TOLD]:
        write_line(f"{printable(old)} -> {printable(new)}")
    if len(done.renamed) > _MAX_TOLD:
        write_line(f"and {len(done.renamed) - _MAX_TOLD:,} more renamed")
    if arguments.dtype:
        types = ", ".join(f"{count:,} to {dtype}" for dtype, count in collections.Counter(done.cast.values()).items())
        write_line(f"cast: {types or 'none'}")
    for why, names in (("left out", [name for name in done.left_out if name not in done.damaged]), ("damaged, left out", list(done.damaged))):
        if names:
            more = f" and {len(names) - _MAX_TOLD:,} more" if len(names) > _MAX_TOLD else ""
            write_line(f"{why}: {', '.join(map(printable, names[:_MAX_TOLD]))}{more}")
    speed = f", {rate(done.total_bytes, done.duration_s)}" if done.total_bytes >= _WORTH_TIMING_BYTES else ""
    write_line(
        f"{printable(done.source)} ({_NAMES[done.source_format]}) -> {printable(done.target)} ({_NAMES[done.format]}): "
        f"{counted(done.num_tensors, 'tensor')}, {amount(done.total_bytes)} in {done.duration_s:.2f} s{speed}"
    )
    return 0


def _can_be_opened(source: str) -> bool:
    """Whether it is a checkpoint, of which tensors can be told from each other."""
    try:
        CheckpointReader(source).close()
    except GPersistError:
        return False
    return True


def _to_saved_model(arguments: argparse.Namespace) -> int:
    from gpersist.convert import frozen_to_saved_model

    if arguments.to or arguments.rename or arguments.devices or arguments.dtype:
        raise InvalidArgumentError(
            "a frozen graph becomes a SavedModel, which takes --inputs, --outputs and --clear-devices only, or another graph, without --inputs"
        )
    if arguments.target.endswith(_GRAPHS):
        return _to_graph(arguments)
    found = frozen_to_saved_model(arguments.source, arguments.target, arguments.outputs, arguments.inputs, clear_devices=arguments.clear_devices)
    inputs, outputs = ({key: info.name for key, info in infos.items()} for infos in (found.inputs, found.outputs))
    if arguments.json:
        write_json({"source": arguments.source, "target": arguments.target, "inputs": inputs, "outputs": outputs})
        return 0
    write_line(f"{printable(arguments.source)} -> {printable(arguments.target)} (SavedModel): inputs {_listed(inputs)}; outputs {_listed(outputs)}")
    return 0


def _to_graph(arguments: argparse.Namespace) -> int:
    from gpersist.convert import convert_graph

    if arguments.inputs:
        raise InvalidArgumentError("--inputs is for a SavedModel's signature; a graph (.pb) has the placeholders that its --outputs need")
    graph = convert_graph(arguments.source, arguments.target, arguments.outputs.values(), clear_devices=arguments.clear_devices)
    if arguments.json:
        write_json({"source": arguments.source, "target": arguments.target, "num_nodes": len(graph.node)})
        return 0
    size = amount(os.path.getsize(arguments.target))
    write_line(f"{printable(arguments.source)} -> {printable(arguments.target)} (graph): {counted(len(graph.node), 'node')}, {size}")
    return 0


def _from_keras(arguments: argparse.Namespace) -> int:
    from gpersist.convert import keras_to_frozen, keras_to_saved_model

    if arguments.to or arguments.rename or arguments.devices or arguments.dtype or arguments.inputs or arguments.clear_devices:
        raise InvalidArgumentError("a Keras model becomes a graph or a SavedModel, which takes --architecture only, and a graph --outputs too")
    if arguments.target.endswith(_GRAPHS):
        wanted = list(arguments.outputs.values()) or None
        frozen = keras_to_frozen(arguments.source, arguments.target, wanted, architecture=arguments.architecture)
        inputs, outputs = ({name: name for name in names} for names in (frozen.inputs, frozen.outputs))
        kind = f"{len(frozen.graph_def.node)} nodes"
    else:
        if arguments.target.endswith((".npz", ".safetensors")):
            raise InvalidArgumentError(
                f"a Keras model becomes a graph (.pb) or a SavedModel's folder, and no {os.path.splitext(arguments.target)[1]}: "
                "convert it to a folder, and that one to the other"
            )
        if arguments.outputs:
            raise InvalidArgumentError("--outputs chooses what a graph (.pb) is for; a SavedModel has all outputs of a Keras model")
        found = keras_to_saved_model(arguments.source, arguments.target, architecture=arguments.architecture)
        inputs, outputs = ({key: info.name for key, info in infos.items()} for infos in (found.inputs, found.outputs))
        kind = "SavedModel"
    if arguments.json:
        write_json({"source": arguments.source, "target": arguments.target, "inputs": inputs, "outputs": outputs})
        return 0
    write_line(f"{printable(arguments.source)} -> {printable(arguments.target)} ({kind}): inputs {_listed(inputs)}; outputs {_listed(outputs)}")
    return 0


def _to_tflite(arguments: argparse.Namespace) -> int:
    from gpersist.lite import to_tflite

    if arguments.to or arguments.rename or arguments.devices or arguments.dtype:
        raise InvalidArgumentError("a TFLite model takes --inputs, --outputs, --architecture and --quantize only")
    inputs, outputs = ((tensors or {}).values() for tensors in (arguments.inputs, arguments.outputs))
    done = to_tflite(arguments.source, arguments.target, outputs, inputs, quantize=arguments.quantize, architecture=arguments.architecture)
    if arguments.json:
        write_json({"source": arguments.source, "target": arguments.target, **dataclasses.asdict(done)})
        return 0
    names = "; ".join(f"{kind} {', '.join(map(printable, tensors))}" for kind, tensors in (("inputs", done.inputs), ("outputs", done.outputs)))
    write_line(f"{printable(arguments.source)} -> {printable(arguments.target)} (TFLite): {names}; {amount(done.size_bytes)}")
    return 0


def _listed(tensors: Mapping[str, str]) -> str:
    return ", ".join(f"{printable(key)} ({printable(name)})" for key, name in sorted(tensors.items())) or "none"


def _tensors(text: str) -> dict[str, str]:
    found = {}
    for item in filter(None, text.split(",")):
        key, _, name = item.rpartition("=")
        found[key or name.partition(":")[0]] = name
    return found


def _renaming(text: str) -> tuple[str, str]:
    pattern, sign, replacement = text.rpartition("=")
    if not sign or not pattern:
        raise argparse.ArgumentTypeError(f"{text!r}: expected REGEX=NEW")
    try:
        re.compile(pattern)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{pattern!r} is no regular expression: {error}") from None
    return pattern, replacement


def _dtype(text: str) -> tuple[str, str]:
    pattern, sign, dtype = text.rpartition("=")
    try:
        from_name(dtype)
    except GPersistError as error:
        raise argparse.ArgumentTypeError(error.message) from None
    return (pattern if sign else "*"), dtype


def _device(text: str) -> tuple[str, str]:
    pattern, sign, device = text.rpartition("=")
    try:
        DeviceSpec.from_string(device)
    except GPersistError as error:
        raise argparse.ArgumentTypeError(error.message) from None
    return (pattern if sign else "*"), device
