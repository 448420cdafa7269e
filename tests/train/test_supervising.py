"""gpersist's answers to tests/golden/monitoring/supervising.py, against those that real TensorFlow gave."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

import gpersist.compat.v1 as tf
from tests.train.test_monitoring import _differences as differences

_FOLDER = Path(__file__).parents[1] / "golden" / "monitoring"
_SPEC = importlib.util.spec_from_file_location("supervising", _FOLDER / "supervising.py")
assert _SPEC is not None and _SPEC.loader is not None
_CASES = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_CASES)
_ANSWERS = json.loads((_FOLDER / "supervising.json").read_text())["answers"]


@pytest.mark.parametrize("name", _ANSWERS)
def test_same_as_tensorflow(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tf.reset_default_graph()
    try:
        found = json.loads(json.dumps(_CASES.CASES[name](tf)))
    finally:
        tf.summary.FileWriterCache.clear()
        tf.reset_default_graph()
    found_differences = list(differences(_ANSWERS[name], found, name))
    assert not found_differences, "\n".join(found_differences[:20])


def test_all_cases_have_answers() -> None:
    assert set(_CASES.CASES) == set(_ANSWERS)
