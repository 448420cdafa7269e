"""Ready-made estimators against TensorFlow's: the programs of tests/golden/estimator/canned_cases.py, and a model that TensorFlow exported."""

from __future__ import annotations

import gzip
import importlib.util
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import gpersist.compat.v1 as tf
from gpersist import saved_model

_FOLDER = Path(__file__).parents[1] / "golden" / "estimator"
_SPEC = importlib.util.spec_from_file_location("canned_cases", _FOLDER / "canned_cases.py")
assert _SPEC is not None and _SPEC.loader is not None
_CASES = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_CASES)
_CANNED: dict[str, Any] = json.loads(gzip.decompress((_FOLDER / "canned.json.gz").read_bytes()))


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    tf.reset_default_graph()
    yield
    tf.summary.FileWriterCache.clear()
    tf.reset_default_graph()


_QUICK = {"linear_classifier", "dnn_classifier_of_words", "wide_and_deep_regressor", "linear_of_an_embedding"}
"""One of each kind; the others are among the slow tests."""


def _marked(names: Iterable[str]) -> list[Any]:
    return [name if name in _QUICK else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.mark.parametrize("name", _marked(_CANNED["answers"]))
def test_same_as_tensorflow(name: str) -> None:
    differences = list(_differences(_CANNED["answers"][name], json.loads(json.dumps(_CASES.answer(tf, name))), name))
    assert not differences, "\n".join(differences[:20])


@pytest.mark.parametrize("name", [*_marked(["stopped_by_hooks"]), *(name for name in _CANNED["programs"] if name != "stopped_by_hooks")])
def test_same_result_as_tensorflow(name: str) -> None:
    differences = list(_differences(_CANNED["programs"][name], json.loads(json.dumps(_CASES.result(tf, name))), name))
    assert not differences, "\n".join(differences[:20])


@pytest.mark.parametrize("name", _CANNED["errors"])
def test_same_error_as_tensorflow(name: str) -> None:
    wanted, found = _CANNED["errors"][name], _CASES.failure(tf, name)
    assert wanted["error"][0] in found["error"]
    if not wanted["words"].startswith("Graph execution error"):
        assert found["words"] == wanted["words"]


def test_all_cases_have_answers() -> None:
    assert set(_CASES.CASES) == set(_CANNED["answers"])
    assert set(_CASES.PROGRAMS) == set(_CANNED["programs"])
    assert set(_CASES.ERRORS) == set(_CANNED["errors"])


def _differences(wanted: Any, found: Any, where: str) -> Any:
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in sorted({*wanted, *found}):
            if key not in wanted or key not in found:
                yield f"{where}.{key}: only {'TensorFlow' if key in wanted else 'gpersist'} has it"
            else:
                yield from _differences(wanted[key], found[key], f"{where}.{key}")
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(one, other, f"{where}[{index}]")
    elif isinstance(wanted, (int, float)) and isinstance(found, (int, float)):
        if found != pytest.approx(wanted, rel=2e-5, abs=2e-5):
            yield f"{where}: TensorFlow {wanted}, gpersist {found}"
    elif wanted != found:
        yield f"{where}: TensorFlow {wanted}, gpersist {found}"


def test_runs_a_language_guesser_that_tensorflow_exported() -> None:
    told = json.loads((_FOLDER / "languages.json").read_text())
    signatures = saved_model.load(str(_FOLDER / "languages")).signatures
    for key, wanted in told["answers"].items():
        found = signatures[key](**{"content" if key == "predict" else "inputs": told["asked"]})
        found = {name: value.astype(str).tolist() if value.dtype == object else value.tolist() for name, value in found.items()}
        assert not list(_differences(wanted, found, key))
