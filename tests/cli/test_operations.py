"""`gpersist show --ops`."""

from __future__ import annotations

from gpersist import protos


def _write(folder, *nodes):
    message = protos.GraphDef()
    for name, op in nodes:
        message.node.add(name=name, op=op)
    path = folder / "graph.pb"
    path.write_bytes(message.SerializeToString())
    return path


def test_all_there(run, tmp_path):
    path = _write(tmp_path, ("a", "NoOp"), ("b", "NoOp"), ("c", "DecodeWav"))
    done = run("show", "--ops", path)
    assert done.status == 0 and not done.err
    lines = done.out.splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["operation", "nodes", "gpersist", "the", "first", "of", "them"],
        ["DecodeWav", "1", "host", "only", "c"],
        ["NoOp", "2", "device", "a"],
    ]
    assert f"{path}: 3 nodes of 2 operations" in lines
    assert "  missing: none" in lines
    assert "  on the host only: DecodeWav (1 node, 'c')" in lines


def test_missing(run, tmp_path):
    path = _write(tmp_path, ("a", "NoOp"), ("b", "Strange"), ("c", "Strange"))
    done = run("show", "--ops", path)
    assert done.status == 1
    assert "  missing: Strange (2 nodes, 'b')" in done.out.splitlines()
    found = run("show", "--ops", path, "--json").json
    assert found["missing"] == ["Strange"]
    strange = {"operation": "Strange", "nodes": 2, "first": "b", "known": False, "device_kernel": False, "needs_permission": False}
    assert found["operations"][1] == strange


def test_what_reaches_out_of_the_graph(run, tmp_path):
    path = _write(tmp_path, ("a", "WriteFile"), ("b", "PyFunc"), ("c", "Add"))
    assert "Graph.allow_ops names them: PyFunc (1 node, 'b'), WriteFile (1 node, 'a')" in run("show", "--ops", path).out
    found = run("show", "--ops", path, "--json").json
    assert [each["operation"] for each in found["operations"] if each["needs_permission"]] == ["PyFunc", "WriteFile"]


def test_saved_model_and_meta(run, tmp_path):
    saved = protos.SavedModel()
    saved.meta_graphs.add().graph_def.node.add(name="a", op="NoOp")
    saved.meta_graphs.add().graph_def.node.add(name="b", op="NoOp")
    (tmp_path / "saved_model.pb").write_bytes(saved.SerializeToString())
    assert "  missing: none" in run("show", "--ops", tmp_path).out
    assert run("show", "--ops", tmp_path, "--json").json["operations"][0]["nodes"] == 2
    (tmp_path / "m.meta").write_bytes(saved.meta_graphs[0].SerializeToString())
    for path in (tmp_path / "m.meta", tmp_path / "m"):
        assert run("show", "--ops", path, "--json").json["operations"][0]["nodes"] == 1


def test_nothing_there(run, tmp_path):
    done = run("show", "--ops", tmp_path / "no")
    assert done.status == 2
    assert "there is no model" in done.err
    done = run("show", "--ops", tmp_path)
    assert done.status == 2
    assert "holds no model" in done.err and "hold one" not in done.err
    for name in ("1795324875", "1795324876"):  # as Estimators export
        (tmp_path / name).mkdir()
        (tmp_path / name / "saved_model.pb").write_bytes(b"")
    assert f"such as the last, '{tmp_path}/1795324876'" in run("show", "--ops", tmp_path).err.replace("\n", " ")
    (tmp_path / "x.pb").write_bytes(b"\xff\xff\xff")
    assert run("show", "--ops", tmp_path / "x.pb").status != 0
