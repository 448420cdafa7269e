"""The programs of tests/graph/placements.py on CUDA devices."""

from __future__ import annotations

import inspect

import pytest

from tests.cuda.gpus import several_gpus
from tests.graph.placements import CASES

pytestmark = [pytest.mark.cuda, several_gpus]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_on_gpus(case, tmp_path, monkeypatch, caplog) -> None:
    monkeypatch.chdir(tmp_path)
    case(*[caplog] * len(inspect.signature(case).parameters))
