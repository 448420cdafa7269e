"""Models that others published give what TensorFlow 2.21 gives of them: values, and variables after steps of training."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpersist.devices import devices
from tests.models.published import difference, runs_of

_FOLDER = Path(os.environ.get("GPERSIST_MODELS", Path(__file__).parents[3] / "shared" / "models"))
_NAMES = sorted(path.parent.name for path in _FOLDER.glob("*/case.json")) or [""]


@pytest.mark.parametrize("name", _NAMES)
@pytest.mark.parametrize("where", ["host", pytest.param("cuda", marks=pytest.mark.cuda)])
def test_gives_tensorflows_results(models: Path, name: str, where: str) -> None:
    assert where == "host" or any(device.backend == "cuda" for device in devices())
    found = {
        f"{run.spec['id']}/{key}": difference(run.spec, key, value, wanted) for run in runs_of(models / name) for key, value, wanted in run.results()
    }
    assert found
    assert not {key: text for key, text in found.items() if text is not None}
