"""Pictures: that they are well-formed, say what is there, and hold whatever a graph is called."""

from __future__ import annotations

import html.parser
import json
import re
import time
import xml.etree.ElementTree as ElementTree

import pytest

from gpersist import protos
from gpersist.drawing import draw, outline_of
from tests.drawing import graphs

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module", params=list(graphs.ALL))
def graph_def(request):
    return graphs.ALL[request.param]()


@pytest.mark.parametrize("options", [{}, {"depth": 0}, {"depth": 2}, {"color_by": "op"}, {"max_boxes": 1}], ids=str)
def test_svg_is_well_formed(graph_def, options):
    document = draw(graph_def, title="<&>\x00", **options)
    root = ElementTree.fromstring(document)
    assert root.tag == f"{SVG}svg" and float(root.get("width")) > 0
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {"svg", "defs", "marker", "path", "rect", "text", "g", "title"}
    assert not any(name.startswith("on") or name.endswith("href") for element in root.iter() for name in element.keys())  # noqa: SIM118
    assert re.findall(r"\w+://[^\"]*", document) == ["http://www.w3.org/2000/svg"]
    assert document == draw(graph_def, title="<&>\x00", **options)


class _Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen, self.data, self.inside = [], "", False

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.inside = dict(attrs).get("type") == "application/json"
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)

    def handle_data(self, data):
        self.data += data if self.inside else ""


@pytest.fixture(scope="module")
def tags_of_nothing():
    tags = _Tags()
    tags.feed(draw(protos.GraphDef(), form="html"))
    return tags.seen


def test_html_is_the_same_page_for_all_graphs(graph_def, tags_of_nothing):
    page = draw(graph_def, title="</title><script>", form="html")
    tags = _Tags()
    tags.feed(page)
    assert tags.seen == tags_of_nothing
    assert page.count("://") == page.count("http://www.w3.org/2000/svg")
    data = json.loads(tags.data)
    assert "<" not in tags.data
    parts = data["parts"]
    assert all(part["parent"] < number for number, part in enumerate(parts))
    for scope in data["scopes"].values():
        inside = [*scope["parts"], *scope["aside"]]
        placed = sorted([*scope["loose"], *(box for layer in scope["layers"] for box in layer if box < len(scope["parts"]))])
        assert placed == list(range(len(scope["parts"])))
        for source, target, *_ in scope["edges"]:
            assert source in inside and target in inside and source != target
        for route in scope["routes"]:
            ends = {scope["parts"][route["stops"][0]], scope["parts"][route["stops"][-1]]}
            assert ends == set(route["edge"][:2])


def test_every_node_is_in_the_page(graph_def):
    tags = _Tags()
    tags.feed(draw(graph_def, form="html"))
    parts = json.loads(tags.data)["parts"]
    absorbed = sum(len(part["absorbed"]) for part in parts)
    own = sum(1 for part in parts if "node" in part and part["root"] == "")
    if not graph_def.library.function:
        assert own + absorbed == len(graph_def.node)


def test_what_is_seen_of_towers():
    whole = outline_of(graphs.towers())
    labels = {part.label: part for part in whole.parts}
    assert {"x", "split", "tower_0", "tower_1", "tower_2", "loss", "gradients", "save", "init"} <= set(labels)
    assert labels["tower_1"].devices == {"GPU:1": 7, "": 7}  # initial values have no device
    assert labels["tower_1"].note.endswith("nodes · GPU:1")
    assert (labels["x"].kind, labels["loss"].kind, labels["save"].kind) == ("input", "output", "saver")
    inside = {part.label: part for part in labels["tower_0"].parts}
    assert inside["w"].kind == "variable" and not inside["w"].parts
    kinds = {part.label: part.kind for part in outline_of(graphs.towers(), outputs=["split:1"]).parts}
    assert (kinds["split"], kinds["loss"]) == ("output", "operation")


def test_devices_have_colours_and_names():
    root = ElementTree.fromstring(draw(graphs.towers()))
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert [text.split(": ")[0] for text in texts if re.match(r"(GPU|CPU|no device).*: \d+$", text)] == [
        "CPU:0",
        "GPU:0",
        "GPU:1",
        "GPU:2",
        "no device",
    ]
    fills = {element.get("fill") for element in root.iter(f"{SVG}rect")}
    assert {"#4e79a7", "#f28e2b", "#59a14f", "#76b7b2", "#bab0ac"} <= fills  # those of `gpersist place`


def test_loops_and_branches_are_marked():
    kinds = {part.label: part.kind for part in outline_of(graphs.loop()).parts}
    assert (kinds["while"], kinds["cond"], kinds["y"]) == ("loop", "branch", "output")
    document = draw(graphs.loop())
    assert "brown: upwards" in document and document.count('marker-end="url(#back)"') == 2


def test_functions_are_there_with_their_calls():
    whole = outline_of(graphs.with_functions())
    library = whole.parts[-1]
    assert (library.kind, [part.label for part in library.parts]) == ("library", ["outer", "inner"])
    assert {part.label: part.kind for part in library.parts[0].parts} == {"a": "input", "call": "call", "r": "output"}
    assert "functions()/outer" not in draw(graphs.with_functions(), depth=0)


def test_a_picture_has_few_boxes_however_large_the_graph():
    def leaves(part):
        return sum(map(leaves, part.parts)) if part.parts else 1

    for make in (graphs.stages, lambda: graphs.flat(3000), graphs.rings):
        graph = make()
        assert leaves(outline_of(graph)) <= 48
        assert leaves(outline_of(graph, max_boxes=100)) <= 100
    assert [part.label for part in outline_of(graphs.stages(), depth=0).parts] == ["x", "stage0", "stage1", "stage2", "stage3"]
    blocks = outline_of(graphs.stages(), depth=1).parts[1].parts
    assert all(part.kind == "series" and not part.parts for part in blocks)


def test_what_is_alike_is_one_box():
    graph = protos.GraphDef()
    graph.node.add(name="x", op="Placeholder")
    for number in range(12):
        for op, source in (("MatMul", "x"), ("Relu", f"head_{number}/MatMul")):
            graph.node.add(name=f"head_{number}/{op}", op=op, input=[source])
    graph.node.add(name="y", op="AddN", input=[f"head_{number}/Relu" for number in range(12)])
    (series,) = (part for part in outline_of(graph, depth=0).parts if part.kind == "series")
    assert (series.label, series.size, series.note) == ("head_[0…11]", 24, "×12, 24 nodes")
    for node in graph.node[1:7]:
        node.device = "/gpu:0"  # no longer alike
    assert {part.label for part in outline_of(graph, depth=0).parts} == {"x", "y", "head_[0…2]", "head_[3…11]"}


def test_constants_of_one_node_are_a_part_of_it():
    graph = protos.GraphDef()
    for name, op, inputs in (("c", "Const", []), ("two", "Const", []), ("a", "Add", ["c", "two"]), ("b", "Neg", ["two"])):
        graph.node.add(name=name, op=op, input=inputs)
    assert [(part.label, part.size) for part in outline_of(graph).parts] == [("two", 1), ("a", 2), ("b", 1)]


def test_speed():
    start = time.process_time()
    draw(graphs.stages())
    draw(graphs.flat(3000))
    assert time.process_time() - start < 4


@pytest.mark.slow
def test_speed_of_fifty_thousand_nodes():
    graph = graphs.flat(50_000)
    start = time.process_time()
    draw(graph)
    assert time.process_time() - start < 15
