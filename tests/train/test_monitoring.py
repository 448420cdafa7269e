"""gpersist's answers to the programs of tests/golden/monitoring, against those that real TensorFlow gave."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gpersist.compat.v1
from gpersist.graph import apply_op, get_op_type

_FOLDER = Path(__file__).parents[1] / "golden" / "monitoring"
_SPEC = importlib.util.spec_from_file_location("monitoring_cases", _FOLDER / "cases.py")
assert _SPEC is not None and _SPEC.loader is not None
_CASES = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_CASES)
_ANSWERS = json.loads((_FOLDER / "monitoring.json").read_text())["answers"]


class _RawOps:
    """Operations by name, their inputs and attributes by theirs."""

    def __getattr__(self, name: str) -> Any:
        def build(**arguments: Any) -> Any:
            inputs = [arguments.pop(arg.name) for arg in get_op_type(name).signature().inputs]
            return apply_op(name, *inputs, **arguments).outputs[0]

        return build


class _WithRawOps:
    raw_ops = _RawOps()

    def __getattr__(self, name: str) -> Any:
        return getattr(gpersist.compat.v1, name)


tf: Any = _WithRawOps()


@pytest.mark.parametrize("name", _ANSWERS)
def test_same_as_tensorflow(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tf.reset_default_graph()
    try:
        found = json.loads(json.dumps(_CASES.CASES[name](tf)))
    finally:
        tf.summary.FileWriterCache.clear()
        tf.reset_default_graph()
    differences = list(_differences(_ANSWERS[name], found, name))
    assert not differences, "\n".join(differences[:20])


def test_all_cases_have_answers() -> None:
    assert set(_CASES.CASES) == set(_ANSWERS)


def _differences(wanted: Any, found: Any, where: str) -> Iterator[str]:
    if isinstance(wanted, dict) and "error" in wanted:
        if not isinstance(found, dict) or wanted["error"][0] not in found.get("error", ()):
            yield f"{where}: wanted {wanted['error'][0]} ({wanted['message']}), found {found}"
        elif wanted["message"] is not None and wanted["message"] != found["message"]:
            yield f"{where}:\n  wanted {wanted['message']}\n  found  {found['message']}"
    elif isinstance(wanted, dict) and isinstance(found, dict) and set(wanted) == set(found):
        for key in wanted:
            yield from _differences(wanted[key], found[key], f"{where}.{key}")
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (a, b) in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(a, b, f"{where}[{index}]")
    elif wanted != found:
        yield f"{where}:\n  wanted {wanted!r}\n  found  {found!r}"


def test_a_writer_of_a_session(tmp_path: Path) -> None:
    """TensorFlow 2.21 wrote the same events, to a file that ends so."""
    tf = gpersist.compat.v1
    with tf.Graph().as_default() as graph, tf.Session() as session:
        writer = tf.summary.FileWriter(tmp_path, session=session)
        writer.add_summary(session.run(tf.summary.scalar("a", 1.0)), 3)
        writer.add_graph(graph)
        writer.close()
    (path,) = tmp_path.iterdir()
    assert path.suffix == ".v2"
    assert [(event.WhichOneof("what"), event.step) for event in tf.train.summary_iterator(path)] == [
        ("file_version", 0),
        ("summary", 3),
        ("graph_def", 0),
    ]
