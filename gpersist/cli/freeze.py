"""`gpersist freeze`: a trained graph as one file, its variables as constants."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from typing import Any

from gpersist.cli.output import add_json, amount, counted, printable, write_json, write_line

_EXAMPLES = """\
examples:
  gpersist freeze run/ckpt-100 out.pb --outputs softmax
  gpersist freeze run/ckpt-100 out.pb --outputs y --ema   averages of variables
  gpersist freeze w.ckpt out.pb --outputs y --meta m.meta
  gpersist freeze export/1 out.pb                         a SavedModel"""


def register(commands: Any) -> None:
    """Adds the command to the parser."""
    parser = commands.add_parser(
        "freeze",
        help="a checkpoint and its graph as one file, variables as constants",
        description="Write the part of a trained graph that some outputs need, with its variables as constants of their values in the checkpoint: a "
        "GraphDef, as TensorFlow's freeze_graph makes it. Nothing is run.",
        epilog=_EXAMPLES,
    )
    parser.add_argument("source", metavar="CHECKPOINT", help="a checkpoint's prefix, any of its files, or its folder; or a SavedModel's folder")
    parser.add_argument("target", metavar="OUT.pb", help="the file to write")
    parser.add_argument("--outputs", metavar="A[,B...]", help="the nodes that the graph is for (default: a SavedModel's signature tells)")
    parser.add_argument("--meta", metavar="FILE", help="the graph, where it is not in PREFIX.meta; binary or text")
    parser.add_argument("--ema", action="store_true", help="take the moving averages of variables that have one")
    parser.add_argument("--clear-devices", action="store_true", help="leave out the devices of nodes")
    parser.add_argument("--tags", metavar="TAG[,TAG...]", default="serve", help="of a SavedModel's graph (default: serve)")
    parser.add_argument("--signature", metavar="NAME", help="of a SavedModel's graph (default: serving_default, or the only one)")
    parser.add_argument("--text", action="store_true", help="write protobuf's text format (.pbtxt)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    from gpersist.convert import freeze  # needs the operations, which no other command does: half the start of the program
    from gpersist.train.graph_io import write_graph

    frozen = freeze(
        arguments.source,
        _split(arguments.outputs),
        meta=arguments.meta,
        ema=arguments.ema,
        clear_devices=arguments.clear_devices,
        tags=_split(arguments.tags),
        signature=arguments.signature,
    )
    path = write_graph(frozen.graph_def, os.path.dirname(arguments.target), os.path.basename(arguments.target), as_text=arguments.text)
    size_bytes = os.path.getsize(path)
    if arguments.json:
        write_json(
            {
                "path": path,
                "size_bytes": size_bytes,
                "num_nodes": len(frozen.graph_def.node),
                "inputs": list(frozen.inputs),
                "outputs": list(frozen.outputs),
                "variables": dict(frozen.variables),
                "averages": list(frozen.averages),
            }
        )
        return 0
    write_line(f"Froze {len(frozen.variables)} variables.")
    write_line(f"Converted {len(frozen.variables)} variables to const ops.")
    if frozen.averages:
        write_line(f"{counted(len(frozen.averages), 'moving average')} taken.")
    write_line(f"{len(frozen.graph_def.node)} ops in the final graph.")
    write_line(f"{printable(path)}: {amount(size_bytes)}; inputs {_listed(frozen.inputs)}; outputs {_listed(frozen.outputs)}")
    return 0


def _split(text: str | None) -> list[str]:
    return [name for name in (text or "").split(",") if name]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(printable, names)) or "none"
