"""gpersist's part in the dialogs of tests/golden/graph/dialogs, against TensorFlow's."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

import gpersist.compat.v1 as tf
from gpersist.graph import reset_default_graph

_FOLDER = Path(__file__).parents[1] / "golden" / "graph" / "dialogs"
_SPEC = importlib.util.spec_from_file_location("dialog", _FOLDER / "dialog.py")
assert _SPEC is not None and _SPEC.loader is not None
_DIALOG = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_DIALOG)
_ANSWERS = json.loads((_FOLDER / "dialogs.json").read_text())["answers"]
_BLOCKS = _DIALOG.dialogs()
_ALIASES = {"OperatorNotAllowedInGraphError": "TypeError", "AxisError": "ValueError", "InaccessibleTensorError": "ValueError"}


@pytest.mark.parametrize("name", _ANSWERS)
@pytest.mark.filterwarnings("ignore")
def test_says_what_tensorflow_says(name: str) -> None:
    found = [item for item in _DIALOG.run(_BLOCKS[name], tf) if item[1] != "ours"]
    reset_default_graph()
    wanted = [item for item in _ANSWERS[name] if item[1] != "ours"]
    assert [statement for statement, _, _ in found] == [statement for statement, _, _ in wanted]
    differences = [text for theirs, ours in zip(wanted, found, strict=True) for text in _differences(*theirs, ours[2])]
    assert not differences, "\n".join(differences[:20])


def test_all_dialogs_have_answers() -> None:
    assert set(_ANSWERS) == set(_BLOCKS)


def _differences(statement: str, mark: str, wanted: Any, found: Any) -> list[str]:
    both = f"{statement}\n  wanted {wanted}\n  found  {found}"
    if isinstance(wanted, str) or isinstance(found, str):
        return [both] * (wanted != found)
    kind = wanted["error"][0]
    if _ALIASES.get(kind, kind) not in found["error"] or wanted["op"] not in (None, found["op"]):
        return [both]
    return [both] * (mark != "words" and wanted["message"] != found["message"])
