"""`gpersist graph`."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from gpersist import protos
from gpersist.train.summary_writer import summary_iterator
from tests.drawing import graphs


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "graph.pb"
    message = graphs.towers()
    for node in message.node:
        node.attr.pop("_output_shapes", None)
    path.write_bytes(message.SerializeToString())
    return path


def test_outline(run, model):
    done = run("graph", model, "--depth", "0")
    assert done.status == 0 and not done.err
    lines = done.out.splitlines()
    assert "x  (input, Placeholder)" in lines and any(line.startswith("tower_1  (") and line.endswith("nodes · GPU:1)") for line in lines)
    assert lines[-1].startswith(f"{model}: ") and "GPU:2 (" in lines[-1]


def test_pictures(run, model, tmp_path):
    done = run("graph", model, "--svg", tmp_path / "sub" / "g.svg", "--html", tmp_path / "g.html", "--boxes", "20", "--color-by", "op", "--json")
    assert done.status == 0 and done.json["written"] == [str(tmp_path / "sub" / "g.svg"), str(tmp_path / "g.html")]
    assert {"name": "x", "kind": "input", "nodes": 1, "devices": {"": 1}, "parts": []} in done.json["parts"]
    ElementTree.parse(tmp_path / "sub" / "g.svg")
    assert "gives float[6, 4]" in (tmp_path / "g.html").read_text()


def test_events(run, model, tmp_path):
    (path,) = run("graph", model, "--events", tmp_path / "logs", "--json").json["written"]
    first, second = summary_iterator(path)
    assert first.file_version == "brain.Event:2"
    found = protos.GraphDef.FromString(second.graph_def)
    assert [node.name for node in found.node] == [node.name for node in graphs.towers().node]
    assert found.node[0].attr["_output_shapes"].list.shape[0].dim[0].size == 6


def test_a_graph_that_makes_no_sense(run, tmp_path):
    (tmp_path / "g.pb").write_bytes(graphs.hostile().SerializeToString())
    done = run("graph", tmp_path / "g.pb", "--html", tmp_path / "g.html", "--svg", tmp_path / "g.svg", "--events", tmp_path / "e")
    assert done.status == 0 and "\x1b" not in done.out + run("graph", tmp_path / "g.pb").out


def test_tag_sets(run, tmp_path):
    saved = protos.SavedModel()
    for name, tags in (("a", ["serve"]), ("b", ["serve", "gpu"])):
        meta = saved.meta_graphs.add()
        meta.meta_info_def.tags.extend(tags)
        meta.graph_def.node.add(name=name, op="NoOp")
    (tmp_path / "saved_model.pb").write_bytes(saved.SerializeToString())
    assert run("graph", tmp_path).out.splitlines()[0] == "a  (NoOp)"
    assert run("graph", tmp_path, "--tag-set", "gpu,serve").out.splitlines()[0] == "b  (NoOp)"
    done = run("graph", tmp_path, "--tag-set", "train")
    assert done.status == 2 and "no graph with the tags 'train'; those of its graphs: serve; serve,gpu" in done.err
    saved.meta_graphs[0].meta_info_def.tags[:] = ["train"]
    (tmp_path / "saved_model.pb").write_bytes(saved.SerializeToString())
    done = run("graph", tmp_path)
    assert done.status == 2 and "choose one by --tag-set" in done.err


def test_no_graph(run, tmp_path):
    assert run("graph", tmp_path / "no").status == 2
    (tmp_path / "x.pb").write_bytes(b"\xff\xff\xff")
    assert run("graph", tmp_path / "x.pb").status == 1
    with pytest.raises(SystemExit):
        run("graph", tmp_path, "--depth", "-1")


def test_json_names_devices_in_full(run, tmp_path):
    message = protos.GraphDef()
    named = {"a": "/gpu:1", "b": "/job:localhost/replica:0/task:0/device:GPU:1", "s/c": "/job:worker/replica:0/task:2/device:GPU:0", "s/d": "what"}
    for name, device in named.items():
        message.node.add(name=name, op="NoOp", device=device)
    (tmp_path / "g.pb").write_bytes(message.SerializeToString())
    found = run("graph", tmp_path / "g.pb", "--json").json
    assert found["devices"] == {named["b"]: 2, named["s/c"]: 1, "what": 1}
    assert [part["devices"] for part in found["parts"] if part["name"] == "s/"] == [{named["s/c"]: 1, "what": 1}]


def test_a_meta_graph_under_another_name(run, model, tmp_path):
    meta = tmp_path / "meta.pb"
    meta.write_bytes(protos.MetaGraphDef(graph_def=protos.GraphDef.FromString(model.read_bytes())).SerializeToString())
    assert run("graph", meta).out.splitlines()[:-1] == run("graph", model).out.splitlines()[:-1]
