"""gpersist's part in the dialogs of tests/golden/specs, about what is known of values, and datasets of ragged ones, against TensorFlow's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import gpersist.compat.v1 as tf
from gpersist.graph import reset_default_graph
from tests.graph.test_dialogs import DIALOG, differences

_FOLDER = Path(__file__).parents[1] / "golden" / "specs"
_ANSWERS = json.loads((_FOLDER / "dialogs.json").read_text())["answers"]
_BLOCKS = DIALOG.dialogs(_FOLDER)


@pytest.mark.parametrize("name", _ANSWERS)
@pytest.mark.filterwarnings("ignore")
def test_says_what_tensorflow_says(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = DIALOG.run(_BLOCKS[name], tf)
    reset_default_graph()
    assert not (wrong := differences(_ANSWERS[name], found)), "\n".join(wrong[:20])


def test_all_dialogs_have_answers() -> None:
    assert set(_ANSWERS) == set(_BLOCKS)
