"""A graph as one SVG document, which refers to nothing outside of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from gpersist.drawing.folding import Folded
from gpersist.drawing.hues import Hues, about, note_of
from gpersist.drawing.lettering import printable, text_element, text_width
from gpersist.drawing.palette import FAINT, INK, PAPER, tint
from gpersist.drawing.parts import Part
from gpersist.drawing.placing import FRAME_HEAD, LABEL_SIZE, NOTE_SIZE, Box, Line, Picture, box_width, place

_MARGIN, _SWATCH, _LINE_HEIGHT, _MIN_WIDTH = 24, 13, 22, 900
_LEGEND_Y = 64
_BAR = 7
_EDGE, _CONTROL, _BACK = "#52606d", "#9aa5b1", "#b45309"
_FRAMES = {"loop": ("#b45309", "6 3"), "branch": ("#7b5ea7", "6 3"), "function": ("#2f6f4f", "2 3"), "series": (INK, "1 3")}


def to_svg(folded: Folded, is_open: set[Part], hues: Hues, title: str) -> str:
    """Draws a graph.

    Args:
        folded: the graph.
        is_open: the scopes whose insides are shown.
        hues: the colours.
        title: of the picture.
    """
    seen = [part for scope in is_open for part in scope.children if part not in is_open]
    picture = place(folded, is_open, {part: box_width(printable(part.label), note_of(part)) for part in seen})
    width = max(picture.width, _MIN_WIDTH) + 2 * _MARGIN
    head = [*_head(folded, picture, title, len(seen), width)]
    legend, top = _legend(hues, width)
    height = top + picture.height + _MARGIN
    body = [
        *(_frame(part, box, hues) for part, box in picture.boxes.items() if part in is_open and part is not folded.whole),
        *map(_line, picture.lines),
        *(text for part, box in picture.boxes.items() if part not in is_open for text in _box(part, box, folded, hues)),
        *(_count(line) for line in picture.lines if line.tensors > 1),
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
            'font-family="Helvetica, Arial, sans-serif">',
            "<defs>",
            *(
                f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="8" markerHeight="8" '
                f'orient="auto"><path d="M0 0.5 8 4 0 7.5z" fill="{colour}"/></marker>'
                for name, colour in (("data", _EDGE), ("control", _CONTROL), ("back", _BACK))
            ),
            "</defs>",
            f'<rect width="{width:.0f}" height="{height:.0f}" fill="{PAPER}"/>',
            *head,
            *legend,
            f'<g transform="translate({_MARGIN} {top - FRAME_HEAD})">',
            *body,
            "</g>",
            "</svg>\n",
        ]
    )


def _head(folded: Folded, picture: Picture, title: str, boxes: int, width: float) -> Iterator[str]:
    room = width - 2 * _MARGIN
    yield text_element(_MARGIN, 32, title, 18, room, is_bold=True)
    backs = "; brown: upwards" if any(line.is_back for line in picture.lines) else ""
    told = f"{folded.whole.size:,} nodes in {boxes:,} boxes. Numbers: tensors along an edge. Dashed: control edges, calls{backs}."
    yield text_element(_MARGIN, 52, told, 12, room, FAINT)


def _legend(hues: Hues, width: float) -> tuple[list[str], int]:
    """The colours and what has them, and where the legend ends."""
    x, y = float(_MARGIN), _LEGEND_Y
    found = []
    for name, colour, count in hues.legend:
        text = f"{name}: {count:,}"
        if x > _MARGIN and x + text_width(text, 12) + 40 > width - _MARGIN:
            x, y = float(_MARGIN), y + _LINE_HEIGHT
        found.append(f'<rect x="{x:.2f}" y="{y}" width="{_SWATCH}" height="{_SWATCH}" fill="{colour}" stroke="{FAINT}" stroke-width="0.5"/>')
        found.append(text_element(x + _SWATCH + 6, y + 11, text, 12, width - 2 * _MARGIN))
        x += text_width(text, 12) + 40
    return found, y + _LINE_HEIGHT


def _frame(part: Part, box: Box, hues: Hues) -> str:
    colour, dashes = _FRAMES.get(part.kind, (FAINT, ""))
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    fill = "#f7f8fa" if part.depth % 2 else "#eef1f4"
    rest = box.width - 34 - text_width(printable(part.label), LABEL_SIZE, True)
    label = text_element(box.x + 10, box.y + 21, part.label, LABEL_SIZE, box.width - 24, is_bold=True)
    note = text_element(box.x + box.width - 10, box.y + 20, note_of(part), NOTE_SIZE, rest, FAINT, anchor="end") if rest > 40 else ""
    return (
        f'<g><title>{escape(about(part))}</title><rect x="{box.x:.2f}" y="{box.y:.2f}" width="{box.width:.2f}" height="{box.height:.2f}" rx="6" '
        f'fill="{fill}" stroke="{colour}"{dashed}/>{_bar(part, Box(box.x, box.y, box.width, 5), hues, False)}{label}{note}</g>'
    )


def _box(part: Part, box: Box, folded: Folded, hues: Hues) -> Iterator[str]:
    main = hues.main(part)
    rounded = {"variable": 20, "input": 12, "constant": 12}.get(part.kind, 4)
    dashes = ' stroke-dasharray="4 3"' if part.kind == "group" else ""
    thick = 2.5 if part.kind in ("input", "output") else 1.2
    yield f"<g><title>{escape(about(part))}</title>"
    for offset in (6, 3) if part.kind == "series" else (3,) if part.children else ():
        yield (
            f'<rect x="{box.x + offset:.2f}" y="{box.y + offset:.2f}" width="{box.width:.2f}" height="{box.height:.2f}" rx="{rounded}" '
            f'fill="{PAPER}" stroke="{main}"/>'
        )
    yield (
        f'<rect class="box" x="{box.x:.2f}" y="{box.y:.2f}" width="{box.width:.2f}" height="{box.height:.2f}" rx="{rounded}" '
        f'fill="{tint(main, 0.8)}" stroke="{INK if thick > 2 else main}" stroke-width="{thick}"{dashes}/>'
    )
    yield _bar(part, Box(box.x + (12 if rounded > 4 else 1), box.y + 2, _BAR, box.height - 4), hues, True)
    left = box.x + (24 if rounded > 4 else 14)
    room = box.width - (left - box.x) - 6
    yield text_element(left, box.y + 17, part.label, LABEL_SIZE, room, is_bold=True)
    yield text_element(left, box.y + 32, note_of(part), NOTE_SIZE, room)
    for y, count in ((box.y, folded.inward[part]), (box.y + box.height + 7, folded.outward[part])):
        if count:
            yield f'<path d="M{box.x + box.width - 10:.2f} {y - 7:.2f}v7" stroke="{_EDGE}" stroke-width="1.5"/>'
    yield "</g>"


def _bar(part: Part, box: Box, hues: Hues, is_upright: bool) -> str:
    """The shares of the colours in a part."""
    found, start = [], 0.0
    for colour, share in hues.shares(part):
        x, y = (box.x, box.y + start * box.height) if is_upright else (box.x + start * box.width, box.y)
        width, height = (box.width, share * box.height) if is_upright else (share * box.width, box.height)
        found.append(f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="{colour}"/>')
        start += share
    return "".join(found)


def _line(line: Line) -> str:
    kind, colour = ("back", _BACK) if line.is_back else ("data", _EDGE) if line.tensors else ("control", _CONTROL)
    dashes = "" if kind == "data" else ' stroke-dasharray="5 3"'
    width = 1 + math.log2(max(line.tensors, 1)) / 3
    told = escape(f"{printable(line.source.name)} to {printable(line.target.name)}: {line.tensors} tensors, {line.controls} control edges")
    return (
        f'<path class="edge" d="{path_of(line.points)}" fill="none" stroke="{colour}" stroke-width="{width:.2f}"{dashes} '
        f'marker-end="url(#{kind})"><title>{told}</title></path>'
    )


def path_of(points: Sequence[tuple[float, float]]) -> str:
    """A curve through points that leaves and reaches each upright."""
    (x, y), *rest = points
    found = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in rest:
        if (to_x, to_y) == (x, y):
            continue  # a piece without length would turn the arrow's head
        if to_x == x:
            found.append(f"V{to_y:.1f}")
        else:
            middle = (y + to_y) / 2
            found.append(f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return "".join(found)


def _count(line: Line) -> str:
    _, (x, y), (to_x, to_y), *_ = line.points[::-1] if line.is_back else line.points
    return (
        f'<text x="{(x + to_x) / 2:.2f}" y="{(y + to_y) / 2 + 4:.2f}" font-size="{NOTE_SIZE}" fill="{INK}" text-anchor="middle" '
        f'stroke="{PAPER}" stroke-width="3" paint-order="stroke">{line.tensors:,}</text>'
    )
