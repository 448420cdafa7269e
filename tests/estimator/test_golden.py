"""gpersist's answers to the programs of tests/golden/estimator, against those that real TensorFlow gave."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

import gpersist.compat.v1 as tf
from gpersist import protos

_FOLDER = Path(__file__).parents[1] / "golden" / "estimator"
_SPEC = importlib.util.spec_from_file_location("estimator_cases", _FOLDER / "cases.py")
assert _SPEC is not None and _SPEC.loader is not None
_CASES = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_CASES)
_ANSWERS = json.loads((_FOLDER / "estimator.json").read_text())["answers"]


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tf, "_saved_model_class", protos.SavedModel, raising=False)
    tf.reset_default_graph()
    yield
    tf.reset_default_graph()


@pytest.mark.parametrize("name", _ANSWERS)
def test_same_as_tensorflow(name: str) -> None:
    found = json.loads(json.dumps(_CASES.CASES[name](tf)))
    differences = list(_differences(_ANSWERS[name], found, name))
    assert not differences, "\n".join(differences[:20])


def test_all_cases_have_answers() -> None:
    assert set(_CASES.CASES) == set(_ANSWERS)


def _differences(wanted: Any, found: Any, where: str) -> Any:
    if isinstance(wanted, dict) and set(wanted) == {"error"}:
        kinds = set(wanted["error"]) - {"Exception", "BaseException", "object"}
        if not isinstance(found, dict) or set(found) != {"error"} or not kinds & set(found["error"]):
            yield f"{where}: TensorFlow raises {wanted['error'][0]}, gpersist {found}"
    elif isinstance(wanted, dict) and isinstance(found, dict):
        for key in sorted({*wanted, *found}):
            if key not in wanted or key not in found:
                yield f"{where}.{key}: only {'TensorFlow' if key in wanted else 'gpersist'} has it: {wanted.get(key, found.get(key))}"
            else:
                yield from _differences(wanted[key], found[key], f"{where}.{key}")
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(one, other, f"{where}[{index}]")
    elif wanted != found:
        yield f"{where}:\n  TensorFlow {wanted}\n  gpersist   {found}"
