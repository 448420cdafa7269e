"""Where boxes stand: none over another, each in its frame, edges from box to box; for graphs by chance, cycles and all."""

from __future__ import annotations

import itertools

import pytest

from gpersist.drawing.folding import fold, open_scopes
from gpersist.drawing.layout import arrange
from gpersist.drawing.parts import all_parts
from gpersist.drawing.placing import place
from tests.drawing import graphs

GRAPHS = {**graphs.ALL, **{f"random {seed}": (lambda seed=seed: graphs.random_graph(seed)) for seed in range(25)}}


@pytest.mark.parametrize("depth", [None, 1, 99])
@pytest.mark.parametrize("name", GRAPHS)
def test_boxes_keep_apart(name, depth):
    if name == "stages" and depth == 99:
        pytest.skip("quadratic here: 3,000 boxes in one picture")
    folded = fold(GRAPHS[name]())
    is_open = open_scopes(folded.whole, 48, depth)
    seen = [part for scope in is_open for part in scope.children if part not in is_open]
    picture = place(folded, is_open, {part: 90 + len(part.label) % 100 for part in seen})
    assert set(picture.boxes) == {*is_open, *seen}
    for part, box in picture.boxes.items():
        if part.parent is not None:
            frame = picture.boxes[part.parent]
            assert frame.x < box.x and box.x + box.width < frame.x + frame.width + 1e-6
            assert frame.y < box.y and box.y + box.height < frame.y + frame.height + 1e-6
    for scope in is_open:
        for one, other in itertools.combinations((picture.boxes[part] for part in scope.children), 2):
            is_beside = one.x + one.width <= other.x + 1e-6 or other.x + other.width <= one.x + 1e-6
            assert is_beside or one.y + one.height <= other.y + 1e-6 or other.y + other.height <= one.y + 1e-6
    for line in picture.lines:
        for part, (x, y) in ((line.source, line.points[0]), (line.target, line.points[-1])):
            box = picture.boxes[part]
            assert box.x - 1e-6 <= x <= box.x + box.width + 1e-6 and min(abs(y - box.y), abs(y - box.y - box.height)) < 1e-6
        assert (line.points[-1][1] < line.points[0][1]) == line.is_back


@pytest.mark.parametrize("name", GRAPHS)
def test_no_node_is_lost(name):
    graph_def = GRAPHS[name]()
    whole = fold(graph_def).whole
    nodes = [part for part in all_parts(whole) if part.node is not None]
    inside = sum(1 + len(part.absorbed) for part in nodes)
    functions = sum(len(function.node_def) + len(function.signature.input_arg) + len(function.ret) for function in graph_def.library.function)
    assert inside == len(graph_def.node) + functions == whole.size
    assert all(child.parent is part and child.depth == part.depth + 1 for part in all_parts(whole) for child in part.children)


def test_edges_run_down_but_for_cycles():
    order = arrange(4, [(0, 1), (1, 2), (2, 0), (0, 3)])
    assert order.layers == [[0], [1, 3], [2, 4]] or [sorted(layer)[0] for layer in order.layers] == [0, 1, 2]
    assert [route.is_back for route in order.routes] == [False, False, True, False]
    assert arrange(3, []).loose == [0, 1, 2]


def test_layers_are_no_wider_than_a_page():
    order = arrange(41, [(0, number) for number in range(1, 41)])
    assert max(sum(box < 41 for box in layer) for layer in order.layers) <= 9


def test_a_long_chain_needs_no_recursion():
    order = arrange(20_000, [(number, number + 1) for number in range(19_999)])
    assert len(order.layers) == 20_000
