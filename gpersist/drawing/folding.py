"""What of a graph is shown: constants as part of what takes them, alike scopes as one, long rows of nodes by stretches; and which scopes stand open.

Edges are kept where both ends have their place: each scope has those between its own parts, with how many wires run along them.
"""

from __future__ import annotations

import collections
import dataclasses
import heapq
import itertools
import re
from collections.abc import Collection, Iterable, Sequence

from gpersist import protos
from gpersist.drawing.parts import Part, Wire, all_parts, join_chains, take_apart

_MIN_SERIES = 3
_MAX_CHILDREN = 64
"""More parts than this in one scope are no picture any more; they are shown by stretches."""

_STRETCH = 24

_HUB_SIDE, _HUB_SHARE = 4, 0.6
"""So many neighbours on each side, and such a share of the scope's parts, make something too busy to draw its edges."""

_NUMBERED = re.compile(r"(.*?)[_-]?(\d{1,9})")
_CLOSED = ("series", "saver", "group", "library", "run")
"""Kinds that open last, and only in a picture of few boxes."""

_FEW = 12

Edges = dict[tuple[Part, Part], list[int]]


@dataclasses.dataclass(slots=True)
class Folded:
    """A graph, ready to be drawn.

    Attributes:
        whole: the part that holds all others.
        edges: of each scope with some, between two of its parts: how many tensors run along it, and how many control edges.
        inward: of each part, how many wires come to it from outside of the scope that it is in.
        outward: likewise, how many leave that scope.
    """

    whole: Part
    edges: dict[Part, Edges]
    inward: collections.Counter[Part]
    outward: collections.Counter[Part]


def fold(graph_def: protos.GraphDef, outputs: Iterable[str] = ()) -> Folded:
    """Makes a graph's tree of parts one that can be looked at.

    Args:
        graph_def: the graph.
        outputs: see `take_apart`.
    """
    whole, wires = take_apart(graph_def, outputs)
    wires = _absorb_constants(wires)
    join_chains(whole)
    folded = _lifted(whole, wires)
    if _gather_series(folded):
        folded = _lifted(whole, wires)
    while _cut_into_runs(folded):
        folded = _lifted(whole, wires)
    return folded


def open_scopes(whole: Part, max_boxes: int, depth: int | None = None) -> set[Part]:
    """The scopes whose insides are shown.

    Args:
        whole: all; it is always open.
        max_boxes: of closed scopes and nodes that may be seen; large scopes open first, and those that hold others; what is alike opens together.
        depth: opens the scopes down to there instead, however many boxes that makes; 0 none, 1 those of the first level.
    """
    found = {whole}
    if depth is not None:
        for part in all_parts(whole):
            if part.parent in found and part.children and part.kind not in ("variable", "run") and part.depth <= depth:
                found.add(part)
        return found
    count = len(whole.children)
    waiting: list[tuple[bool, float, int, list[Part]]] = []
    numbers = itertools.count()

    def offer(parts: Sequence[Part]) -> None:
        alike: dict[tuple[object, ...], list[Part]] = {}
        for part in parts:
            if part.children and part.kind != "variable":
                alike.setdefault((part.kind, len(part.children), frozenset(part.ops.items())), []).append(part)
        for (kind, *_), group in alike.items():
            heapq.heappush(waiting, (kind in _CLOSED, -group[0].size / 2 ** group[0].depth, next(numbers), group))

    offer(whole.children)
    while waiting:
        is_last, *_, group = heapq.heappop(waiting)
        more = sum(len(part.children) - 1 for part in group)
        if count + more <= max_boxes and not (is_last and count >= _FEW):
            count += more
            found.update(group)
            offer([child for part in group for child in part.children])
    return found


def set_aside(scope: Part, edges: Edges) -> list[Part]:
    """The parts of a scope whose edges would cover all others: savers, groups of many, and what takes from many and gives to many."""
    sources, targets = _neighbours(edges)
    fans: dict[Part, tuple[int, int]] = {part: (len(sources.get(part, ())), len(targets.get(part, ()))) for part in scope.children}
    hubs = [part for part, fan in fans.items() if min(fan) >= _HUB_SIDE and sum(fan) >= _HUB_SHARE * len(fans)]
    found = set(hubs) if len(hubs) <= max(1, len(fans) // 8) else set()  # where most are busy, to take them away would leave nothing
    for part, fan in fans.items():
        if (part.kind == "saver" and any(fan)) or (part.kind == "group" and max(fan) >= _HUB_SIDE):
            found.add(part)
    return [part for part in scope.children if part in found]


def _absorb_constants(wires: list[Wire]) -> list[Wire]:
    """Takes constants that only one node beside them takes out of the picture; what comes to them comes to it."""
    targets: dict[Part, Part | None] = {}
    for wire in wires:
        if wire.source.kind == "constant":
            is_alone = targets.setdefault(wire.source, wire.target) is wire.target and wire.target.parent is wire.source.parent
            targets[wire.source] = wire.target if is_alone and wire.target.kind != "constant" else None
    homes = {constant: target for constant, target in targets.items() if target is not None}
    for scope in {constant.parent for constant in homes}:
        assert scope is not None
        scope.children = [child for child in scope.children if child not in homes]
    for constant, target in homes.items():
        target.absorbed.append(constant)
        target.ops.update(constant.ops)
    return [Wire(homes.get(wire.source, wire.source), homes.get(wire.target, wire.target), wire.is_control) for wire in wires]


def _lifted(whole: Part, wires: list[Wire]) -> Folded:
    """Puts each wire where its ends part: between two parts of one scope."""
    for part in all_parts(whole):
        for child in part.children:
            child.parent, child.depth = part, part.depth + 1
    edges: dict[Part, Edges] = {}
    inward, outward = collections.Counter[Part](), collections.Counter[Part]()
    for source, target, is_control in wires:
        while source.parent is not target.parent:
            if source.depth >= target.depth:
                outward[source] += 1
                assert source.parent is not None
                source = source.parent
            else:
                inward[target] += 1
                assert target.parent is not None
                target = target.parent
        if source is not target:
            assert source.parent is not None
            edges.setdefault(source.parent, {}).setdefault((source, target), [0, 0])[is_control] += 1
    return Folded(whole, edges, inward, outward)


def _gather_series(folded: Folded) -> bool:
    """Puts parts that are alike but for their number into one; tells whether there were any."""
    is_changed = False
    for scope in all_parts(folded.whole):
        if len(scope.children) < _MIN_SERIES or scope.kind == "variable":
            continue
        alike: dict[tuple[object, ...], list[tuple[int, Part]]] = {}
        for child in scope.children:
            numbered = _NUMBERED.fullmatch(child.label)
            stem, number = (numbered[1], int(numbered[2])) if numbered else (child.label, 0)
            key = (stem, child.kind, frozenset(child.ops.items()), frozenset(child.devices.items()))
            alike.setdefault(key, []).append((number, child))
        groups = [group for group in alike.values() if len(group) >= _MIN_SERIES]
        if not groups:
            continue
        sources, targets = _neighbours(folded.edges.get(scope, {}))
        for group in groups:
            members = {part for _, part in group}
            if not _belong_together(members, sources, targets):
                continue
            if len(members) == len(scope.children):
                scope.kind = "series" if scope.kind == "scope" and scope.parent is not None else scope.kind
            else:
                is_changed = True
                _put_into(scope, members, _series(scope, sorted(group, key=lambda item: item[0])))
    return is_changed


def _belong_together(members: Collection[Part], sources: dict[Part, set[Part]], targets: dict[Part, set[Part]]) -> bool:
    """Whether parts are side by side, between the same others, or scopes in a row, each after the one before."""
    for neighbours in (sources, targets):
        sides = {frozenset(neighbours.get(part, set()) - set(members)) for part in members}
        if len(sides) == 1 and sides != {frozenset()}:
            return True
    if next(iter(members)).node is not None:
        return False
    followers = [part for part in members if not sources.get(part, set()).isdisjoint(members)]
    return len(followers) >= len(members) - 1


def _series(scope: Part, group: list[tuple[int, Part]]) -> Part:
    numbers, first = [number for number, _ in group], group[0][1]
    numbered = _NUMBERED.fullmatch(group[1][1].label)
    assert numbered is not None
    stem = group[1][1].label[: numbered.start(2)]
    is_whole = numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    label = f"{stem}[{numbers[0]}…{numbers[-1]}]" if is_whole else f"{stem}[×{len(numbers)}]"
    return Part(f"{first.name} …", label, "series", scope, children=[part for _, part in group])


def _cut_into_runs(folded: Folded) -> bool:
    """Puts what is too much for one scope into stretches of what follows each other; tells whether there was any."""
    is_changed = False
    for scope in all_parts(folded.whole):
        if len(scope.children) <= _MAX_CHILDREN:
            continue
        nodes = [child for child in scope.children if child.node is not None or child.kind == "variable"]
        chosen = nodes if len(scope.children) - len(nodes) <= _MAX_CHILDREN // 2 else list(scope.children)
        ordered = _in_order(chosen, folded.edges.get(scope, {}))
        stretches = min(_STRETCH, -(-len(ordered) // _STRETCH))
        length = -(-len(ordered) // stretches)
        for start in range(0, len(ordered), length):
            stretch = ordered[start : start + length]
            run = Part(f"{stretch[0].name} … ", f"{stretch[0].label} … {stretch[-1].label}", "run", scope, children=stretch)
            _put_into(scope, set(stretch), run)
        is_changed = True
    return is_changed


def _put_into(scope: Part, members: set[Part], new: Part) -> None:
    for part in new.children:
        new.ops.update(part.ops)
        new.devices.update(part.devices)
    place = next(number for number, child in enumerate(scope.children) if child in members)
    scope.children = [child for child in scope.children if child not in members]
    scope.children.insert(place, new)


def _neighbours(edges: Edges) -> tuple[dict[Part, set[Part]], dict[Part, set[Part]]]:
    sources: dict[Part, set[Part]] = {}
    targets: dict[Part, set[Part]] = {}
    for source, target in edges:
        sources.setdefault(target, set()).add(source)
        targets.setdefault(source, set()).add(target)
    return sources, targets


def _in_order(parts: Sequence[Part], edges: Edges) -> list[Part]:
    """Each part after those that it takes something of, as far as cycles allow; else as they came."""
    known = set(parts)
    left = collections.Counter[Part]()
    targets: dict[Part, list[Part]] = {}
    for source, target in edges:
        if source in known and target in known:
            left[target] += 1
            targets.setdefault(source, []).append(target)
    found: dict[Part, None] = {}
    for first in [*(part for part in parts if not left[part]), *parts]:  # what is left after those without sources is on cycles, or behind one
        ready = collections.deque([first])
        while ready:
            part = ready.popleft()
            if part in found:
                continue
            found[part] = None
            for target in targets.get(part, ()):
                left[target] -= 1
                if left[target] == 0:
                    ready.append(target)
    return list(found)
