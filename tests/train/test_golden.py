"""gpersist's answers to the programs of tests/golden/saver, against those that real TensorFlow gave."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from gpersist.graph import reset_default_graph
from tests.train.namespace import tf

_FOLDER = Path(__file__).parents[1] / "golden" / "saver"
_SPEC = importlib.util.spec_from_file_location("saver_cases", _FOLDER / "cases.py")
assert _SPEC is not None and _SPEC.loader is not None
_CASES = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_CASES)
_ANSWERS = json.loads((_FOLDER / "saver.json").read_text())["answers"]


@pytest.mark.parametrize("name", _ANSWERS)
def test_same_as_tensorflow(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    reset_default_graph()
    found = json.loads(json.dumps(_CASES.CASES[name](tf)))
    reset_default_graph()
    differences = list(_differences(_ANSWERS[name], found, name))
    assert not differences, "\n".join(differences[:20])


def test_all_cases_have_answers() -> None:
    assert set(_CASES.CASES) == set(_ANSWERS)


def _differences(wanted: Any, found: Any, where: str) -> Any:
    if isinstance(wanted, dict) and "error" in wanted:
        if not isinstance(found, dict) or wanted["error"][0] not in [*found["error"], *_ALIASES.get(wanted["error"][0], [])]:
            if not (isinstance(found, dict) and set(_ALIASES.get(wanted["error"][0], [])) & set(found["error"])):
                yield f"{where}: wanted {wanted['error'][0]} ({wanted['message']}), found {found}"
        elif wanted["message"] is not None and wanted["message"] != found["message"]:
            yield f"{where}:\n  wanted {wanted['message']}\n  found  {found['message']}"
    elif isinstance(wanted, dict) and isinstance(found, dict) and set(wanted) == set(found):
        for key in wanted:
            yield from _differences(wanted[key], found[key], f"{where}.{key}")
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (a, b) in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(a, b, f"{where}[{index}]")
    elif isinstance(wanted, float) and isinstance(found, float):
        if wanted != pytest.approx(found, rel=1e-6, nan_ok=True):
            yield f"{where}: wanted {wanted}, found {found}"
    elif wanted != found:
        yield f"{where}:\n  wanted {wanted!r}\n  found  {found!r}"


_ALIASES = {"OutOfRangeError": ["DataLossError"]}
"""A data file that is too short: TensorFlow says that it read past its end."""
