"""Where each box of a picture stands, and where its edges run: coordinates, from sizes and the order of layers. Units are SVG's, y runs down.

html.py's viewer.js does the same in the browser, where scopes open and close.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection, Sequence
from typing import NamedTuple

from gpersist.drawing.folding import Folded, set_aside
from gpersist.drawing.layout import Order, arrange
from gpersist.drawing.lettering import text_width
from gpersist.drawing.parts import Part, all_parts

HEIGHT, FRAME_HEAD = 40, 26
"""Of a box; of a frame's title."""

LABEL_SIZE, NOTE_SIZE = 12, 10
_MIN_WIDTH, _MAX_WIDTH, _POINT = 88, 250, 10
_GAP_X, _GAP_Y, _PAD, _ASIDE_GAP = 20, 40, 16, 36
_LOOSE_WIDTH = 1100
_SWEEPS = 6

MEASURES = {
    "height": HEIGHT,
    "head": FRAME_HEAD,
    "point": _POINT,
    "gapX": _GAP_X,
    "gapY": _GAP_Y,
    "pad": _PAD,
    "asideGap": _ASIDE_GAP,
    "loose": _LOOSE_WIDTH,
    "sweeps": _SWEEPS,
}
"""All that viewer.js has to know of these."""


class Box(NamedTuple):
    """A part's place: its upper left corner, and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclasses.dataclass(slots=True)
class Line:
    """An edge between two parts of a scope: its points, from source to target, and what runs along it."""

    source: Part
    target: Part
    points: list[tuple[float, float]]
    tensors: int
    controls: int
    is_back: bool


class Inside(NamedTuple):
    """What is drawn of a scope's inside: its parts by number, the order of those with their edges, and those beside them without."""

    parts: list[Part]
    order: Order
    edges: list[tuple[Part, Part, int, int]]
    aside: list[Part]


class Band(NamedTuple):
    """Heights: where a layer begins, a box in it, and where they end. Edges run sideways between layers only."""

    start: float
    top: float
    bottom: float
    end: float


class Picture(NamedTuple):
    """Places of all that is seen, each frame before what is in it, and the edges."""

    boxes: dict[Part, Box]
    lines: list[Line]
    width: float
    height: float


def inside(scope: Part, folded: Folded) -> Inside:
    """Arranges a scope's inside."""
    edges = folded.edges.get(scope, {})
    aside = set_aside(scope, edges)
    parts = [part for part in scope.children if part not in set(aside)]
    numbers = {part: number for number, part in enumerate(parts)}
    drawn = [(source, target, counts[0], counts[1]) for (source, target), counts in edges.items() if source in numbers and target in numbers]
    ends = [(numbers[source], numbers[target]) for source, target, *_ in drawn]
    loops = {end for end, (source, *_) in zip(ends, drawn, strict=True) if source.node is not None and source.node.op == "NextIteration"}
    order = arrange(len(parts), ends, loops)
    return Inside(parts, order, drawn, aside)


def box_width(label: str, note: str) -> float:
    """Of a closed box with such texts."""
    return min(max(text_width(label, LABEL_SIZE, True) + 32, text_width(note, NOTE_SIZE) + 32, _MIN_WIDTH), _MAX_WIDTH)


def place(folded: Folded, is_open: Collection[Part], widths: dict[Part, float]) -> Picture:
    """Places everything.

    Args:
        folded: the graph.
        is_open: the scopes that are drawn with their insides.
        widths: of the boxes of all other parts that are seen.
    """
    frames = [part for part in all_parts(folded.whole) if part in is_open]
    sizes = {part: (width, float(HEIGHT)) for part, width in widths.items()}
    local: dict[Part, tuple[dict[Part, tuple[float, float]], list[Line]]] = {}
    for scope in reversed(frames):
        spots, lines, size = _place_inside(inside(scope, folded), sizes)
        local[scope], sizes[scope] = (spots, lines), size
    boxes = {folded.whole: Box(0, 0, *sizes[folded.whole])}
    found: list[Line] = []
    for scope in frames:
        x, y, *_ = boxes[scope]
        spots, lines = local[scope]
        for part, (left, top) in spots.items():
            boxes[part] = Box(x + left, y + top, *sizes[part])
        for line in lines:
            line.points = [(x + left, y + top) for left, top in line.points]
        found += lines
    return Picture(boxes, found, *sizes[folded.whole])


def _place_inside(what: Inside, sizes: dict[Part, tuple[float, float]]) -> tuple[dict[Part, tuple[float, float]], list[Line], tuple[float, float]]:
    parts, order, aside = what.parts, what.order, what.aside
    widths = [sizes[part][0] for part in parts]
    centres = _centres(order, widths)
    half = {number: (widths[number] if number < len(parts) else _POINT) / 2 for number in centres}
    left = min((centres[number] - half[number] for number in centres), default=0.0)
    right = max((centres[number] + half[number] for number in centres), default=left) - left
    y = float(FRAME_HEAD + _PAD)
    spots: dict[Part, tuple[float, float]] = {}
    bands: dict[int, Band] = {}
    crowd = _crowd(order)
    for depth, layer in enumerate(order.layers):
        height = max((sizes[parts[number]][1] for number in layer if number < len(parts)), default=0.0)
        for number in layer:
            bands[number] = Band(y, y, y + height, y + height)
            if number < len(parts):
                own = sizes[parts[number]][1]
                bands[number] = Band(y, y + (height - own) / 2, y + (height + own) / 2, y + height)
                spots[parts[number]] = (centres[number] - half[number] - left + _PAD, bands[number].top)
        y += height + _GAP_Y + min(2 * crowd[depth], 60)
    lines = _lines(what, {number: centre - left + _PAD for number, centre in centres.items()}, half, bands)
    y, right = _shelves([parts[number] for number in order.loose], sizes, spots, _PAD, y, max(right, _LOOSE_WIDTH), right)
    bottom = y - _GAP_Y if spots else float(FRAME_HEAD + _PAD)
    if aside:
        x, top = (right + _ASIDE_GAP + _PAD if spots else float(_PAD)), float(FRAME_HEAD + _PAD)
        tallest = max(bottom, top + 6 * (HEIGHT + _GAP_X))
        column = 0.0
        for part in aside:
            width, height = sizes[part]
            if top + height > tallest and column:
                x, top, column = x + column + _GAP_X, float(FRAME_HEAD + _PAD), 0.0
            spots[part] = (x, top)
            top += height + _GAP_X
            column = max(column, width)
            bottom = max(bottom, top - _GAP_X)
        right = x + column - _PAD
    return spots, lines, (right + 2 * _PAD, bottom + _PAD)


def _crowd(order: Order) -> list[int]:
    """How many edges run between each layer and the next."""
    found = [0] * len(order.layers)
    layer_of = {number: depth for depth, layer in enumerate(order.layers) for number in layer}
    for stops, _ in order.routes:
        for stop in stops[:-1]:
            found[layer_of[stop]] += 1
    return found


def _shelves(
    parts: Sequence[Part],
    sizes: dict[Part, tuple[float, float]],
    spots: dict[Part, tuple[float, float]],
    left: float,
    y: float,
    room: float,
    right: float,
) -> tuple[float, float]:
    """Puts boxes without edges in rows; gives where the next row would be, and how wide all is."""
    x, row = left, 0.0
    for part in parts:
        width, height = sizes[part]
        if x > left and x + width > left + room:
            x, y, row = left, y + row + _GAP_X, 0.0
        spots[part] = (x, y)
        right = max(right, x + width - left)
        x += width + _GAP_X
        row = max(row, height)
    return (y + row + _GAP_Y if parts else y), right


def _centres(order: Order, widths: Sequence[float]) -> dict[int, float]:
    """The middles of boxes and points: as near to the middle of their neighbours as their order and their widths allow."""
    sides: dict[int, tuple[list[int], list[int]]] = {number: ([], []) for layer in order.layers for number in layer}
    for stops, _ in order.routes:
        for upper, lower in itertools.pairwise(stops):
            sides[lower][0].append(upper)
            sides[upper][1].append(lower)
    width_of = {number: widths[number] if number < len(widths) else _POINT for number in sides}
    centres: dict[int, float] = {}
    for layer in order.layers:
        x = -sum(width_of[number] + _GAP_X for number in layer) / 2
        for number in layer:
            centres[number] = x + width_of[number] / 2
            x += width_of[number] + _GAP_X
    for sweep in range(_SWEEPS):
        for layer in order.layers if sweep % 2 == 0 else reversed(order.layers):
            wanted = []
            for number in layer:
                near = sides[number][sweep % 2] if sweep < _SWEEPS - 1 else [*sides[number][0], *sides[number][1]]
                wanted.append(sum(centres[other] for other in near) / len(near) if near else centres[number])
            centres.update(zip(layer, _spread(wanted, [width_of[number] for number in layer]), strict=True))
    return centres


def _spread(wanted: Sequence[float], widths: Sequence[float]) -> list[float]:
    """The places nearest to those wanted (least squares) that keep the order and do not overlap: pools of adjacent violators."""
    offsets = [0.0]
    for before, after in itertools.pairwise(widths):
        offsets.append(offsets[-1] + (before + after) / 2 + _GAP_X)
    pools: list[tuple[float, int]] = []
    for place_wanted, offset in zip(wanted, offsets, strict=False):
        total, count = place_wanted - offset, 1
        while pools and pools[-1][0] / pools[-1][1] >= total / count:
            before, number = pools.pop()
            total, count = total + before, count + number
        pools.append((total, count))
    level = [total / count for total, count in pools for _ in range(count)]
    return [base + offset for base, offset in zip(level, offsets, strict=False)]


def _lines(what: Inside, centres: dict[int, float], half: dict[int, float], bands: dict[int, Band]) -> list[Line]:
    routes = what.order.routes
    starts = _ports([(route.stops[0], centres[route.stops[1]]) for route in routes], centres, half)
    ends = _ports([(route.stops[-1], centres[route.stops[-2]]) for route in routes], centres, half)
    found = []
    for (stops, is_back), start, end, (source, target, tensors, controls) in zip(routes, starts, ends, what.edges, strict=True):
        first, last = bands[stops[0]], bands[stops[-1]]
        points = [(start, first.bottom), (start, first.end)]
        for stop in stops[1:-1]:
            points += [(centres[stop], bands[stop].start), (centres[stop], bands[stop].end)]
        points += [(end, last.start), (end, last.top)]
        found.append(Line(source, target, points[::-1] if is_back else points, tensors, controls, is_back))
    return found


def _ports(ends: Sequence[tuple[int, float]], centres: dict[int, float], half: dict[int, float]) -> list[float]:
    """Where along their boxes' sides edges end, side by side in the order of where they come from."""
    by_box: dict[int, list[int]] = {}
    for number, (box, _) in enumerate(ends):
        by_box.setdefault(box, []).append(number)
    found = [0.0] * len(ends)
    for box, numbers in by_box.items():
        step = min(14.0, 1.5 * half[box] / len(numbers))
        for place_, number in enumerate(sorted(numbers, key=lambda number: ends[number][1])):
            found[number] = centres[box] + (place_ - (len(numbers) - 1) / 2) * step
    return found
