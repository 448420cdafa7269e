"""Pictures of graphs, by the scopes of their names, coloured by device: SVG, or HTML in which scopes open and close.

    Path("graph.svg").write_text(gpersist.drawing.draw(graph_def))

Owns what is shown of a large graph, where it stands and how it looks. Runs nothing, and opens no file.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from gpersist import protos
from gpersist.drawing.folding import fold, open_scopes
from gpersist.drawing.html import to_html
from gpersist.drawing.hues import ColorBy, Hues, note_of
from gpersist.drawing.lettering import printable, text_element, text_width
from gpersist.drawing.palette import ALARM, COLOURS, DARK, FAINT, GREYS, INK
from gpersist.drawing.parts import all_parts, short_device
from gpersist.drawing.svg import to_svg

__all__ = ["ALARM", "COLOURS", "DARK", "FAINT", "GREYS", "INK", "Outline", "draw", "outline_of", "short_device", "text_element", "text_width"]

_BOXES = 48


def draw(
    graph_def: protos.GraphDef,
    title: str = "graph",
    *,
    form: Literal["svg", "html"] = "svg",
    depth: int | None = None,
    max_boxes: int = _BOXES,
    color_by: ColorBy = "device",
    outputs: Iterable[str] = (),
) -> str:
    """Draws a graph, and the functions in its library.

    Scopes are boxes, of which as many are open as make a picture that can be looked at. Constants that only one node takes are drawn as a part of it,
    parts that are alike but for their number as one (`tower_[0…7]`), and what is too much for one scope by stretches.

    Args:
        graph_def: the graph; what makes no sense in it is drawn as far as it does.
        title: of the picture.
        form: `svg`, a picture; or `html`, a page in which scopes open and close, which needs no network.
        depth: opens all scopes down to this depth, however large that makes the picture; of series and stretches none.
        max_boxes: that may be seen where `depth` is not given.
        color_by: what has a colour: `device`, or `op` for the type of operations.
        outputs: names of nodes or tensors that the graph is for; by default what nothing takes.

    Returns:
        The document, the same for the same graph. It refers to nothing outside of it.
    """
    folded = fold(graph_def, outputs)
    is_open = open_scopes(folded.whole, max_boxes, depth)
    write = to_html if form == "html" else to_svg
    return write(folded, is_open, Hues(folded.whole, color_by), title)


class Outline(NamedTuple):
    """What a picture shows, without the picture.

    Attributes:
        name: of a node; a scope's ends in a slash.
        label: as it stands in the picture; printable, as `note` is.
        kind: see `gpersist.drawing.parts.Part`.
        note: what it is, and on which devices.
        size: the number of nodes.
        devices: how many of them are on each device; the empty name is none.
        parts: what is seen in it.
    """

    name: str
    label: str
    kind: str
    note: str
    size: int
    devices: dict[str, int]
    parts: list[Outline]


def outline_of(
    graph_def: protos.GraphDef,
    *,
    depth: int | None = None,
    max_boxes: int = _BOXES,
    color_by: ColorBy = "device",
    outputs: Iterable[str] = (),
) -> Outline:
    """What `draw` shows with the same arguments, for those who would rather read."""
    del color_by
    folded = fold(graph_def, outputs)
    is_open = open_scopes(folded.whole, max_boxes, depth)
    found = {}
    for part in all_parts(folded.whole):
        if part.parent is None or part.parent in is_open:
            found[part] = Outline(part.name, printable(part.label), part.kind, note_of(part), part.size, dict(part.devices), [])
            if part.parent is not None:
                found[part.parent].parts.append(found[part])
    return found[folded.whole]
