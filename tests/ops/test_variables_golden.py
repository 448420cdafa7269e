"""The cases about variables of tests/golden/variables give what real TensorFlow gave."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpersist.graph import reset_default_graph
from tests.golden.variables.cases import CASES
from tests.graph.test_golden import _differences
from tests.ops.variables_namespace import tf

_ANSWERS = json.loads((Path(__file__).parents[1] / "golden" / "variables" / "variables.json").read_text())["answers"]


@pytest.mark.parametrize("name", _ANSWERS)
def test_same_as_tensorflow(name: str) -> None:
    reset_default_graph()
    found = json.loads(json.dumps(CASES[name](tf)))
    reset_default_graph()
    differences = list(_differences(_ANSWERS[name], found, name))
    assert not differences, "\n".join(differences[:20])


def test_all_cases_have_answers() -> None:
    assert set(CASES) == set(_ANSWERS)
