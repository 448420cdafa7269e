"""The layers of a picture of boxes and edges, and their order: which box stands under which, and left of which. Knows no sizes.

After Sugiyama: edges that close a cycle are turned round, each box goes below what it takes something of, edges that pass a layer have a point in it,
and the boxes of a layer are ordered by where their neighbours are.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

_MAX_WIDTH = 9
"""Boxes in a layer."""

_MAX_POINTS = 4000
"""Where edges pass layers; beyond, the longest of them go straight."""

_SWEEPS = 8


class Route(NamedTuple):
    """An edge: the numbers of its upper box, of the points on its way, and of its lower box; `is_back` if it runs upwards."""

    stops: tuple[int, ...]
    is_back: bool


class Order(NamedTuple):
    """Layers from above, each from the left; numbers from the count of boxes on are points of edges. `loose` are boxes without edges."""

    layers: list[list[int]]
    routes: list[Route]
    loose: list[int]


def arrange(count: int, edges: Sequence[tuple[int, int]], upward: Collection[tuple[int, int]] = ()) -> Order:
    """Arranges boxes.

    Args:
        count: of boxes, which are the numbers below it.
        edges: from box to box, no two of them alike, and none from a box to itself.
        upward: edges that are known to run back, as those of loops do.
    """
    tied = {end for edge in edges for end in edge}
    loose = [box for box in range(count) if box not in tied]
    forward = _without_cycles(count, [(target, source) if (source, target) in upward else (source, target) for source, target in edges])
    layer_of = _layers(sorted(tied), forward)
    stops = _with_points(count, forward, layer_of)
    layers: list[list[int]] = [[] for _ in range(max(layer_of.values(), default=-1) + 1)]
    for number, layer in layer_of.items():
        layers[layer].append(number)
    _reduce_crossings(layers, stops)
    return Order(layers, [Route(tuple(way), edge != turned) for way, edge, turned in zip(stops, edges, forward, strict=True)], loose)


def _adjacent(edges: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for source, target in edges:
        found.setdefault(source, []).append(target)
    return found


def _without_cycles(count: int, edges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The edges, those turned round that lead back to a box from which a walk has come."""
    targets, has_source = _adjacent(edges), {target for _, target in edges}
    state = [0] * count  # 1: on the way here; 2: done
    turned = set()
    for first in sorted(range(count), key=lambda box: box in has_source):
        if state[first]:
            continue
        state[first] = 1
        walk = [(first, iter(targets.get(first, ())))]
        while walk:
            box, ahead = walk[-1]
            for target in ahead:
                if state[target] == 1:
                    turned.add((box, target))
                elif state[target] == 0:
                    state[target] = 1
                    walk.append((target, iter(targets.get(target, ()))))
                    break
            else:
                state[box] = 2
                walk.pop()
    return [(edge[1], edge[0]) if edge in turned else edge for edge in edges]


def _layers(boxes: Sequence[int], edges: Sequence[tuple[int, int]]) -> dict[int, int]:
    """The layer of each box: below its sources, and near its targets where it has more of these."""
    targets, sources = _adjacent(edges), _adjacent((target, source) for source, target in edges)
    left = {box: len(sources.get(box, ())) for box in boxes}
    ordered = [box for box in boxes if not left[box]]
    for box in ordered:
        for target in targets.get(box, ()):
            left[target] -= 1
            if not left[target]:
                ordered.append(target)
    layer: dict[int, int] = {}
    for box in ordered:
        layer[box] = max((layer[source] + 1 for source in sources.get(box, ())), default=0)
    for box in reversed(ordered):
        if box in targets and len(sources.get(box, ())) <= len(targets[box]):
            layer[box] = min(layer[target] for target in targets[box]) - 1
    return _no_wider(ordered, layer)


def _no_wider(ordered: Sequence[int], layer: dict[int, int]) -> dict[int, int]:
    """Layers with too many boxes become several; none is left empty."""
    members: dict[int, list[int]] = {}
    for box in ordered:
        members.setdefault(layer[box], []).append(box)
    found: dict[int, int] = {}
    above = 0
    for number in sorted(members):
        rows = -(-len(members[number]) // _MAX_WIDTH)
        length = -(-len(members[number]) // rows)
        for place, box in enumerate(members[number]):
            found[box] = above + place // length
        above += rows
    return found


def _with_points(count: int, edges: Sequence[tuple[int, int]], layer_of: dict[int, int]) -> list[list[int]]:
    """The stops of each edge; the points get their layers."""
    stops: list[list[int]] = [[source, target] for source, target in edges]
    points = 0
    for number in sorted(range(len(edges)), key=lambda number: layer_of[edges[number][1]] - layer_of[edges[number][0]]):
        source, target = edges[number]
        passed = range(layer_of[source] + 1, layer_of[target])
        if points + len(passed) > _MAX_POINTS:
            break
        way = [count + points + offset for offset in range(len(passed))]
        layer_of.update(zip(way, passed, strict=True))
        stops[number] = [source, *way, target]
        points += len(passed)
    return stops


def _reduce_crossings(layers: list[list[int]], stops: Sequence[Sequence[int]]) -> None:
    above: dict[int, list[int]] = {}
    below: dict[int, list[int]] = {}
    for way in stops:
        for upper, lower in itertools.pairwise(way):
            above.setdefault(lower, []).append(upper)
            below.setdefault(upper, []).append(lower)
    place: dict[int, float] = {}
    for layer in layers:
        _number(layer, place)
    for sweep in range(_SWEEPS):
        neighbours = below if sweep % 2 else above
        for layer in reversed(layers) if sweep % 2 else layers:
            wanted = {box: _mean([place[other] for other in neighbours.get(box, ())], place[box]) for box in layer}
            layer.sort(key=wanted.__getitem__)
            _number(layer, place)


def _number(layer: Sequence[int], place: dict[int, float]) -> None:
    """Places from 0 to 1, so that layers of different lengths can be compared."""
    for number, box in enumerate(layer):
        place[box] = (number + 0.5) / len(layer)


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default
