"""Expressions over sparse and ragged tensors, texts and signals make what they made in real TensorFlow (tests/golden/sparse)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import gpersist.compat.v1 as tf

_GOLDEN = Path(__file__).parents[1] / "golden"
sys.path.insert(0, str(_GOLDEN))

from sparse.expressions import EXPRESSIONS, answer  # noqa: E402  # the folder is no package of ours

_ANSWERS = json.loads((_GOLDEN / "sparse" / "sparse.json").read_text())


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_as_in_tensorflow(text: str) -> None:
    found, wanted = json.loads(json.dumps(answer(tf, text))), dict(_ANSWERS[text])
    values, others = found.pop("values", []), wanted.pop("values", [])
    assert found == wanted
    assert len(values) == len(others)
    for mine, other in zip(values, others, strict=True):
        if mine and isinstance(mine[-1], list):
            assert mine[:2] == other[:2]
            np.testing.assert_allclose(mine[2], other[2], rtol=1e-5, atol=1e-5)
        else:
            assert mine == other
