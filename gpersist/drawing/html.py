"""A graph as one HTML page, which opens without a network: scopes open and close, and a node tells all that is known of it.

The page has the graph as JSON and a script, viewer.js, the only one that its policy lets run. Layers and their order are found here, places there.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from html import escape
from pathlib import Path
from typing import Any

from gpersist import protos
from gpersist.drawing import placing
from gpersist.drawing.folding import Folded
from gpersist.drawing.hues import Hues, about, note_of, shape_text
from gpersist.drawing.lettering import fit, printable, text_width
from gpersist.drawing.palette import tint
from gpersist.drawing.parts import Part, all_parts

_MAX_TEXT, _MAX_INPUTS, _MAX_VALUES = 200, 200, 8


def to_html(folded: Folded, is_open: set[Part], hues: Hues, title: str) -> str:
    """Makes the page; arguments as `to_svg`'s."""
    parts = all_parts(folded.whole)
    numbers = {part: number for number, part in enumerate(parts)}
    roots: dict[Part, str] = {}
    for part in parts:
        roots[part] = part.name if part.kind == "function" else roots[part.parent] if part.parent else ""
    data = {
        "title": printable(title),
        "told": f"{folded.whole.size:,} nodes. Numbers on edges: tensors; dashed: control edges, calls; brown: upwards.",
        "legend": hues.legend,
        "size": placing.MEASURES,
        "open": sorted(numbers[part] for part in is_open),
        "parts": [_part(part, roots[part], numbers, folded, hues) for part in parts],
        "scopes": {numbers[part]: _scope(part, numbers, folded) for part in parts if part.children or part.parent is None},
    }
    page, script = _template("viewer.html"), _template("viewer.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True, allow_nan=False).replace("<", "\\u003c")
    head, rest = page.replace("@HASH@", digest).replace("@TITLE@", escape(printable(title))).split("@DATA@")
    return f"{head}{text}{rest.replace('@SCRIPT@', script)}"


@functools.cache
def _template(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def _part(part: Part, root: str, numbers: dict[Part, int], folded: Folded, hues: Hues) -> dict[str, Any]:
    label, note = printable(part.label), note_of(part)
    width = placing.box_width(label, note)
    room = width - (30 if part.kind in ("variable", "input", "constant") else 20)
    found = {
        "parent": numbers[part.parent] if part.parent else -1,
        "depth": part.depth,
        "name": printable(part.name),
        "root": printable(root),
        "label": label if text_width(label, placing.LABEL_SIZE) < 4 * _MAX_TEXT else label[:_MAX_TEXT] + "…",
        "kind": part.kind,
        "note": note,
        "width": round(width, 1),
        "fit": fit(label, placing.LABEL_SIZE, room, True),
        "fitNote": fit(note, placing.NOTE_SIZE, room),
        "hues": [(colour, round(share, 4)) for colour, share in hues.shares(part)] or [(hues.main(part), 1)],
        "tint": tint(hues.main(part), 0.8),
        "about": about(part),
        "inward": folded.inward[part],
        "outward": folded.outward[part],
        "absorbed": [
            f"{printable(constant.name)}: {', '.join(_attrs(constant.node).get('value', ()))}" for constant in part.absorbed if constant.node
        ],
    }
    if part.node is not None:
        found["node"] = {
            "inputs": [printable(text) for text in part.node.input[:_MAX_INPUTS]],
            "attrs": [(key, ", ".join(values)) for key, values in _attrs(part.node).items()],
        }
    return found


def _scope(part: Part, numbers: dict[Part, int], folded: Folded) -> dict[str, Any]:
    what = placing.inside(part, folded)
    drawn = [(numbers[source], numbers[target], *counts) for source, target, *counts in what.edges]
    every = folded.edges.get(part, {}).items()
    return {
        "parts": [numbers[child] for child in what.parts],
        "aside": [numbers[child] for child in what.aside],
        "layers": what.order.layers,
        "loose": what.order.loose,
        "routes": [{"stops": stops, "back": is_back, "edge": edge} for (stops, is_back), edge in zip(what.order.routes, drawn, strict=True)],
        "edges": [(numbers[source], numbers[target], *counts) for (source, target), counts in every if source in numbers and target in numbers],
    }


def _attrs(node: protos.NodeDef) -> dict[str, list[str]]:
    return {printable(key): [text[:_MAX_TEXT] for text in _values(node.attr[key])] for key in sorted(node.attr) if key != "_output_shapes"}


def _values(value: protos.AttrValue) -> list[str]:
    kind = value.WhichOneof("value")
    if kind is None:
        return [""]
    if kind != "list":
        return [_value(kind, getattr(value, kind))]
    found = []
    for field, values in value.list.ListFields():
        found += [_value(field.name, each) for each in values[:_MAX_VALUES]] + ["…"] * (len(values) > _MAX_VALUES)
    return found


def _value(kind: str, value: Any) -> str:
    if kind == "s":
        return printable(repr(value[:_MAX_TEXT])[1:])
    if kind == "type":
        return _type(value)
    if kind == "shape":
        return shape_text(value)
    if kind == "tensor":
        return f"{_type(value.dtype)}{shape_text(value.tensor_shape)}"
    if kind == "func":
        return printable(value.name)
    return printable(str(value))


def _type(number: int) -> str:
    return protos.DataType.Name(number)[3:].lower() if number in protos.DataType.values() else str(number)
