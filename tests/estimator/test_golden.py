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


def _read(module: str, answers: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Programs, and what TensorFlow gave."""
    spec = importlib.util.spec_from_file_location(f"estimator_{module}", _FOLDER / f"{module}.py")
    assert spec is not None and spec.loader is not None
    cases = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cases)
    return cases.CASES, json.loads((_FOLDER / f"{answers}.json").read_text())["answers"]


_CASES, _ANSWERS = _read("cases", "estimator")
_TRAINING_CASES, _TRAINING_ANSWERS = _read("training_cases", "training")


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tf, "_saved_model_class", protos.SavedModel, raising=False)
    tf.reset_default_graph()
    yield
    tf.summary.FileWriterCache.clear()
    tf.reset_default_graph()


@pytest.mark.parametrize("name", _ANSWERS)
def test_same_as_tensorflow(name: str) -> None:
    _compare(_ANSWERS[name], _CASES[name](tf), name)


@pytest.mark.parametrize("name", _TRAINING_ANSWERS)
def test_training_same_as_tensorflow(name: str) -> None:
    _compare(_TRAINING_ANSWERS[name], _TRAINING_CASES[name](tf), name)


def test_all_cases_have_answers() -> None:
    assert set(_CASES) == set(_ANSWERS)
    assert set(_TRAINING_CASES) == set(_TRAINING_ANSWERS)


def _compare(wanted: Any, found: Any, name: str) -> None:
    differences = list(_differences(wanted, json.loads(json.dumps(found)), name))
    assert not differences, "\n".join(differences[:20])


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
