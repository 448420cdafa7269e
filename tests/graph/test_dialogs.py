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
DIALOG = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(DIALOG)
_ANSWERS = json.loads((_FOLDER / "dialogs.json").read_text())["answers"]
_BLOCKS = DIALOG.dialogs()
_ALIASES = {"OperatorNotAllowedInGraphError": "TypeError", "AxisError": "ValueError", "InaccessibleTensorError": "ValueError"}


@pytest.mark.parametrize("name", _ANSWERS)
@pytest.mark.filterwarnings("ignore")
def test_says_what_tensorflow_says(name: str) -> None:
    found = DIALOG.run(_BLOCKS[name], tf)
    reset_default_graph()
    assert not (wrong := differences(_ANSWERS[name], found)), "\n".join(wrong[:20])


def test_all_dialogs_have_answers() -> None:
    assert set(_ANSWERS) == set(_BLOCKS)


def differences(wanted: Any, found: Any) -> list[str]:
    """What a block gave that TensorFlow doesn't, but for statements marked as ours."""
    theirs, ours = ([item for item in items if item[1] != "ours"] for items in (wanted, found))
    assert [statement for statement, _, _ in ours] == [statement for statement, _, _ in theirs]
    pairs = zip(theirs, ours, strict=True)
    return [text for (statement, mark, value), (_, _, other) in pairs for text in _differences(statement, mark, value, other)]


def _differences(statement: str, mark: str, wanted: Any, found: Any) -> list[str]:
    both = f"{statement}\n  wanted {wanted}\n  found  {found}"
    if isinstance(wanted, str) or isinstance(found, str):
        return [both] * (wanted != found)
    kind = wanted["error"][0]
    if _ALIASES.get(kind, kind) not in found["error"] or wanted["op"] not in (None, found["op"]):
        return [both]
    return [both] * (mark != "words" and wanted["message"] != found["message"])
