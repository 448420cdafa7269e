"""gpersist's answers to the programs of tests/golden/meta_graph, against those that real TensorFlow gave; and what TensorFlow cannot be asked."""

from __future__ import annotations

import importlib.util
import json
import logging
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpersist import errors, graph, protos
from gpersist.graph import Graph, get_default_graph, reset_default_graph
from gpersist.train.meta_graph import export_meta_graph, import_meta_graph, import_meta_graph_with_return_elements, read_meta_graph_file
from gpersist.train.saver import Saver
from tests.graph import namespace

_FOLDER = Path(__file__).parents[1] / "golden" / "meta_graph"
_SPEC = importlib.util.spec_from_file_location("meta_graph_cases", _FOLDER / "cases.py")
assert _SPEC is not None and _SPEC.loader is not None
_CASES = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_CASES)
_ANSWERS = json.loads((_FOLDER / "meta_graph.json").read_text())["answers"]

tf = types.SimpleNamespace(
    **vars(namespace.tf)
    | {
        "train": types.SimpleNamespace(Saver=Saver, export_meta_graph=export_meta_graph, import_meta_graph=import_meta_graph),
        "graph_util": graph,
        "check_numerics": lambda value, message, name: graph.apply("CheckNumerics", value, message=message, name=name),
    }
)

ALIASES = {"FailedPreconditionError": ["OSError"]}


@pytest.fixture(autouse=True)
def _fresh_graph():
    reset_default_graph()
    yield
    reset_default_graph()


@pytest.mark.parametrize("name", _ANSWERS)
def test_same_as_tensorflow(name: str) -> None:
    found = json.loads(json.dumps(_CASES.CASES[name](tf)))
    differences = list(_differences(_ANSWERS[name], found, name))
    assert not differences, "\n".join(differences[:20])


def test_all_cases_have_answers() -> None:
    assert set(_CASES.CASES) == set(_ANSWERS)


def _differences(wanted: Any, found: Any, where: str) -> Any:
    if isinstance(wanted, dict) and set(wanted) == {"error"}:
        if not isinstance(found, dict) or not set(wanted["error"]) & set(found["error"]) - {"Exception", "BaseException", "object"}:
            yield f"{where}: wanted {wanted['error'][0]}, found {found}"
    elif isinstance(wanted, dict) and isinstance(found, dict) and set(wanted) == set(found):
        for key in wanted:
            yield from _differences(wanted[key], found[key], f"{where}.{key}")
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (a, b) in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(a, b, f"{where}[{index}]")
    elif wanted != found:
        yield f"{where}:\n  wanted {wanted!r}\n  found  {found!r}"


# ---- beyond what TensorFlow was asked


def _meta_files(models: Path) -> list[Path]:
    return sorted([*models.glob("*/*.meta"), *(Path(__file__).parents[1] / "golden" / "meta").glob("*.meta")])


def test_real_files_come_out_as_they_went_in(models: Path) -> None:
    """Nodes, newer attributes too, functions, collections and saver; shapes may be known better than when the file was written."""
    for path in _meta_files(models):
        meta = read_meta_graph_file(path)
        with Graph().as_default():
            saver = import_meta_graph(meta)
            again = export_meta_graph(saver_def=saver.saver_def if meta.HasField("saver_def") and saver else None)
        assert again.saver_def == meta.saver_def, path
        if meta.meta_info_def.tensorflow_version not in ("0.12.head", ""):  # before VariableDef.trainable
            assert again.collection_def == meta.collection_def, path
        nodes = {node.name: node for node in again.graph_def.node}  # one without a saver has got one
        for was in meta.graph_def.node:
            found = nodes[was.name]
            assert {key for key in was.attr if was.attr[key] != found.attr[key]} <= {"_output_shapes"}, path
            assert sorted(was.input) == sorted(found.input)
        own, theirs = ({op.name: op for op in found.meta_info_def.stripped_op_list.op} for found in (again, meta))
        assert set(own) >= set(theirs)
        for name, op_def in theirs.items():
            assert {attr.name for attr in op_def.attr} <= {attr.name for attr in own[name].attr}, (path, name)


def test_a_message_of_another_pool_and_return_elements() -> None:
    tf.constant(1.0, name="c")
    meta = export_meta_graph()
    reset_default_graph()
    saver, (op, tensor) = import_meta_graph_with_return_elements(meta, return_elements=["c", "c:0"])
    assert saver is None and op is tensor.op


def test_a_given_message_is_not_changed() -> None:
    with tf.device("/gpu:0"):
        tf.Variable(1.0, name="v")
    meta = Saver().export_meta_graph()
    before = meta.SerializeToString(deterministic=True)
    reset_default_graph()
    import_meta_graph(meta, clear_devices=True, import_scope="x")
    assert meta.SerializeToString(deterministic=True) == before
    info = protos.MetaGraphDef.MetaInfoDef(tags=["t"])
    export_meta_graph(meta_info_def=info, graph_def=meta.graph_def, clear_devices=True, export_scope="v")
    assert info == protos.MetaGraphDef.MetaInfoDef(tags=["t"])
    assert meta.SerializeToString(deterministic=True) == before


@pytest.mark.parametrize("content", [b"\xff\xfe garbage \x00", b"meta_info_def {", b"graph_def { node { name: 3 } }", b"\x12\xff\xff\xff\xff\x0f"])
def test_a_damaged_file_is_an_os_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.meta"
    path.write_bytes(content)
    with pytest.raises(OSError, match=r"Cannot parse file .*x\.meta") as raised:
        import_meta_graph(path)
    assert isinstance(raised.value, errors.DataLossError)
    assert not get_default_graph().get_operations()


def test_a_file_is_replaced_at_once(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "x.meta"
    tf.constant(1.0, name="c")
    for _ in range(2):
        export_meta_graph(path)
    assert [found.name for found in path.parent.iterdir()] == ["x.meta"]
    first = path.read_bytes()
    export_meta_graph(str(path), save_debug_info=True)
    assert path.read_bytes() == first
    assert sorted(found.name for found in path.parent.iterdir()) == ["x.debug", "x.meta"]


def test_more_than_two_gigabytes_are_refused_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("small", "large", "larger"):
        tf.constant(np.zeros({"small": 10, "large": 100, "larger": 200}[name], np.float32), name=name)
    monkeypatch.setattr("gpersist.graph.graph_def.MAX_BYTES", 1000)
    with pytest.raises(ValueError, match=r"2GB.*'larger' with 800 bytes, 'large' with 400 bytes"):
        export_meta_graph()


def test_frozen_variables_of_more_than_two_gigabytes_are_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    v = tf.Variable(np.zeros(100, np.float32), name="v")
    w = tf.Variable(np.zeros(200, np.float32), name="w", use_resource=True)
    tf.identity(v.value() + w.value()[:100] if hasattr(w, "nothing") else v.value(), name="out")
    tf.identity(w, name="out2")
    graph_def = get_default_graph().as_graph_def()
    monkeypatch.setattr("gpersist.graph.freezing.MAX_BYTES", 1000)
    with tf.Session() as sess, pytest.raises(ValueError, match=r"2GB.*'w' with 800 bytes, 'v' with 400 bytes"):  # else they would be uninitialised
        graph.convert_variables_to_constants(sess, graph_def, ["out", "out2"])


def test_freezing_says_how_many(caplog: pytest.LogCaptureFixture) -> None:
    total = _CASES.two_variables(tf)
    with tf.Session() as sess, caplog.at_level(logging.INFO, "gpersist"):
        sess.run(tf.global_variables_initializer())
        graph.convert_variables_to_constants(sess, get_default_graph().as_graph_def(), [total.op.name])
    assert [record.getMessage() for record in caplog.records] == ["Froze 2 variables.", "Converted 2 variables to const ops."]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<!DOCTYPE html>\n<html></html>", "expected a tensorflow.MetaGraphDef, but it is an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "but it is a Git-LFS pointer"),
        (b'graph_def { node { nam: "x" } }', "line 1, column"),
        (b"\x0a\xff\xff", "found 3 bytes that are none"),
    ],
)
def test_files_of_other_kinds_are_told_by_what_they_are(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.meta").write_bytes(content)
    with pytest.raises(errors.UnreadableFileError, match=message):
        read_meta_graph_file(tmp_path / "x.meta")
