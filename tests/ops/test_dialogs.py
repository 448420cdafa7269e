"""gpersist's part in the dialogs of tests/golden/nn/dialogs, against TensorFlow's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpersist.compat.v1 as tf
from gpersist.graph import reset_default_graph
from tests.graph.test_dialogs import DIALOG, differences

_FOLDER = Path(__file__).parents[1] / "golden" / "nn" / "dialogs"
_ANSWERS = json.loads((_FOLDER / "dialogs.json").read_text())["answers"]
_BLOCKS = DIALOG.dialogs(_FOLDER)
_FRACTION = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?")


@pytest.mark.parametrize("name", _ANSWERS)
@pytest.mark.filterwarnings("ignore")
def test_says_what_tensorflow_says(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = DIALOG.run(_BLOCKS[name], tf)
    reset_default_graph()
    for theirs, ours in zip(_ANSWERS[name], found, strict=True):
        if _are_close(theirs[2], ours[2]):
            ours[2] = theirs[2]
    assert not (wrong := differences(_ANSWERS[name], found)), "\n".join(wrong[:20])


def test_all_dialogs_have_answers() -> None:
    assert set(_ANSWERS) == set(_BLOCKS)


def _are_close(theirs: Any, ours: Any) -> bool:
    """Whether two texts are the same but for the last digits of numbers, which are sums in some order."""
    if not (isinstance(theirs, str) and isinstance(ours, str)) or _FRACTION.sub("", theirs) != _FRACTION.sub("", ours):
        return False
    return np.allclose([float(text) for text in _FRACTION.findall(ours)], [float(text) for text in _FRACTION.findall(theirs)], rtol=1e-4, atol=1e-6)
