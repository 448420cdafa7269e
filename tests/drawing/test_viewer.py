"""The page's script places boxes as placing.py does; run by Node where there is one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from gpersist.drawing import draw
from gpersist.drawing.folding import fold, open_scopes
from gpersist.drawing.hues import note_of
from gpersist.drawing.lettering import printable
from gpersist.drawing.parts import all_parts
from gpersist.drawing.placing import box_width, place
from tests.drawing import graphs

# A page of which everything may be asked, and that does nothing.
PAGE = """
const get = (_, key) => (key === Symbol.toPrimitive ? () => 1 : nothing());
const nothing = () => new Proxy(function () {}, { get, set: () => true, apply: nothing });
const text = require("fs").readFileSync(0, "utf8");
const getElementById = (id) => (id === "graph" ? { textContent: text } : nothing());
globalThis.window = nothing();
globalThis.document = { getElementById, createElement: nothing, createElementNS: nothing };
"""
TELL = """
const last = picture();
console.log(JSON.stringify({ boxes: [...last.boxes], lines: last.lines.map((line) => [line.edge[0], line.edge[1], line.points]) }));
"""

pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="needs Node")


@pytest.mark.parametrize("name", ["towers", "loop", "functions", "flat", "hostile", "rings", "disconnected", "empty", "random"])
def test_it_places_as_python_does(name, tmp_path):
    graph_def = graphs.random_graph(3) if name == "random" else graphs.ALL[name]()
    page = draw(graph_def, form="html")
    data, script = re.search(r'id="graph">(.*)</script>\n<script>(.*)</script>', page, re.DOTALL).groups()
    (tmp_path / "viewer.cjs").write_text(script.replace('"use strict";', '"use strict";' + PAGE, 1) + TELL)
    done = subprocess.run(["node", tmp_path / "viewer.cjs"], input=data, capture_output=True, text=True)
    assert not done.stderr
    found = json.loads(done.stdout)

    folded = fold(graph_def)
    is_open = open_scopes(folded.whole, 48)
    numbers = {part: number for number, part in enumerate(all_parts(folded.whole))}
    seen = [part for scope in is_open for part in scope.children if part not in is_open]
    picture = place(folded, is_open, {part: round(box_width(printable(part.label), note_of(part)), 1) for part in seen})
    boxes = {numbers[part]: tuple(box) for part, box in picture.boxes.items()}
    assert dict(found["boxes"]).keys() == boxes.keys()
    for number, box in found["boxes"]:
        assert box == pytest.approx(boxes[number], abs=0.01)
    lines = {(numbers[line.source], numbers[line.target]): line.points for line in picture.lines}
    assert len(found["lines"]) == len(lines)
    for source, target, points in found["lines"]:
        assert [tuple(point) for point in points] == [pytest.approx(point, abs=0.01) for point in lines[source, target]]
