from __future__ import annotations

import inspect

import pytest

from gpersist.devices import use_virtual
from tests.graph.placements import CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_on_virtual_devices(case, tmp_path, monkeypatch, caplog) -> None:
    monkeypatch.chdir(tmp_path)
    with use_virtual(2):
        case(*[caplog] * len(inspect.signature(case).parameters))
