"""`gpersist graph`: a picture of a model's graph by the scopes of its names, coloured by device."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from gpersist import protos
from gpersist.cli.output import add_json, add_tag_set, counted, printable, write_json, write_line
from gpersist.drawing import Outline, draw, outline_of, short_device
from gpersist.errors import GPersistError

_MAX_INFERRED = 5000
"""Nodes; the shapes of more are not inferred."""

_FORMS: tuple[Literal["svg", "html"], ...] = ("svg", "html")

_EXAMPLES = """\
examples:
  gpersist graph run/ckpt-100                     an outline by scope
  gpersist graph run/ckpt-100 --svg graph.svg     a picture
  gpersist graph export/1 --html graph.html       scopes open by a click
  gpersist graph frozen.pb --svg g.svg --depth 2   all scopes down to there
  gpersist graph run/ckpt-100 --events logs       for TensorBoard"""


def register(commands: Any) -> None:
    """Adds the command to the parser."""
    parser = commands.add_parser(
        "graph",
        help="a picture of a graph by scope, coloured by device",
        description="Draw a graph: scopes as boxes, large ones open, with the devices of what is in them. Nothing is run. Without --svg, --html and "
        "--events: an outline.",
        epilog=_EXAMPLES,
    )
    parser.add_argument(
        "path", metavar="MODEL", help="a .meta, a GraphDef (.pb, .pbtxt), a SavedModel's folder, or a checkpoint's prefix with a .meta beside it"
    )
    parser.add_argument("--svg", metavar="FILE", help="write a picture")
    parser.add_argument("--html", metavar="FILE", help="write a page in which scopes open and close; needs no network")
    parser.add_argument("--events", metavar="D", help="write an event file to this folder, for TensorBoard's graph tab")
    add_tag_set(parser)
    parser.add_argument("--depth", metavar="N", type=_count, help="open all scopes down to this depth (default: as many as make a picture)")
    parser.add_argument("--boxes", metavar="N", type=_count, help="how many boxes there may be without --depth (default: 48)")
    parser.add_argument("--color-by", choices=("device", "op"), default="device", help="what has a colour (default: device)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    from gpersist.cli.model_file import choose_graph, read_model

    file, metas = read_model(arguments.path)
    meta = choose_graph(file, metas, arguments.tag_set)
    if arguments.html or arguments.events:
        _tell_shapes(meta.graph_def)
    outputs = [info.name for signature in meta.signature_def.values() for info in signature.outputs.values()]
    options: dict[str, Any] = {"depth": arguments.depth, "color_by": arguments.color_by, "outputs": outputs}
    if arguments.boxes is not None:
        options["max_boxes"] = arguments.boxes
    title = os.path.basename(os.path.dirname(file) if os.path.basename(file).startswith("saved_model.") else file)
    written = []
    for form in _FORMS:
        target = getattr(arguments, form)
        if target:
            _write(target, draw(meta.graph_def, title, form=form, **options))
            written.append(target)
    if arguments.events:
        written.append(_write_events(arguments.events, meta.graph_def))
    outline = outline_of(meta.graph_def, **options)
    if arguments.json:
        names = _full_names(meta.graph_def)
        counts = {names.get(device, device): count for device, count in outline.devices.items()}
        write_json({"file": file, "nodes": outline.size, "devices": counts, "written": written, "parts": _to_json(outline, names)})
        return 0
    if not written:
        for line in _lines(outline):
            write_line(line)
        write_line()
    devices = ", ".join(f"{device or 'no device'} ({count:,})" for device, count in sorted(outline.devices.items()))
    write_line(f"{printable(file)}: {counted(outline.size, 'node')}; {printable(devices)}")
    for target in written:
        write_line(f"written: {printable(target)}")
    return 0


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number, 0 or more")
    return int(text)


def _tell_shapes(graph_def: protos.GraphDef) -> None:
    """Has nodes tell the shapes of their outputs where they do not, and where gpersist can infer them."""
    if len(graph_def.node) > _MAX_INFERRED or any("_output_shapes" in node.attr for node in graph_def.node):
        return
    import gpersist.ops  # noqa: F401  # registers the operations
    from gpersist.graph import Graph, import_graph_def

    try:
        with Graph().as_default() as graph:
            import_graph_def(graph_def, name="")
        shapes = {node.name: node.attr["_output_shapes"] for node in graph.as_graph_def(add_shapes=True).node}
    except (GPersistError, ValueError, TypeError, KeyError):
        return  # the picture of a graph that makes no sense is without them
    for node in graph_def.node:
        if node.name in shapes:
            node.attr["_output_shapes"].CopyFrom(shapes[node.name])


def _write(path: str, text: str) -> None:
    from gpersist.files import whole

    whole.replace(path, text.encode())


def _write_events(folder: str, graph_def: protos.GraphDef) -> str:
    from gpersist.train.summary_writer import FileWriter

    before = set(os.listdir(folder)) if os.path.isdir(folder) else set()
    with FileWriter(folder) as writer:
        writer.add_event(protos.Event(wall_time=time.time(), graph_def=graph_def.SerializeToString()))
    return os.path.join(folder, min(set(os.listdir(folder)) - before))


def _lines(outline: Outline) -> Iterator[str]:
    waiting = [(part, 0) for part in reversed(outline.parts)]
    while waiting:
        part, depth = waiting.pop()
        yield f"{'  ' * depth}{part.label}  ({part.note})"
        waiting += [(inner, depth + 1) for inner in reversed(part.parts)]


def _full_names(graph_def: protos.GraphDef) -> dict[str, str]:
    """The devices that nodes name, by the short names that pictures have for them; the longest, where several are one."""
    named = {node.device for node in graph_def.node}
    named.update(node.device for function in graph_def.library.function for node in function.node_def)
    return {short_device(text): text for text in sorted(named, key=len)}


def _to_json(outline: Outline, names: Mapping[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    waiting = [(part, found) for part in reversed(outline.parts)]
    while waiting:
        part, into = waiting.pop()
        into.append({"name": part.name, "kind": part.kind, "nodes": part.size, "devices": {}, "parts": []})
        into[-1]["devices"] = {names.get(device, device): count for device, count in part.devices.items()}
        waiting += [(inner, into[-1]["parts"]) for inner in reversed(part.parts)]
    return found
